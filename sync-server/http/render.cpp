#include "sync-server/http/render.hpp"

#include <array>
#include <cassert>
#include <charconv>

#include "sync-server/http/problem.hpp"

namespace pf::server::http {
namespace {

void add_field(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ");
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        out.push_back(byte < 0x20U || byte == 0x7FU ? ' ' : c);
    }
    out.append("\r\n");
}

bool is_token(std::string_view name) noexcept {
    constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    for (const char c : name)
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              others.find(c) != std::string_view::npos))
            return false;
    return !name.empty();
}

}  // namespace

std::string render_head(const Response& response, const Framing& framing,
                        std::string_view request_id) {
    std::string out = "HTTP/1.1 " + std::to_string(response.status) + ' ';
    out.append(status_phrase(response.status)).append("\r\n");
    Headers fields = response.headers;
    for (const auto* ours : {"Content-Length", "Transfer-Encoding", "Connection", "X-Request-Id"})
        fields.erase(ours);
    for (const auto& [name, value] : fields.all())
        if (is_token(name)) add_field(out, name, value);
    switch (framing.body) {
        case Framing::Body::length:
            add_field(out, "Content-Length", std::to_string(framing.length));
            break;
        case Framing::Body::chunked:
            add_field(out, "Transfer-Encoding", "chunked");
            break;
        case Framing::Body::until_close:
        case Framing::Body::none:
            break;
    }
    if (!framing.keep_alive) add_field(out, "Connection", "close");
    add_field(out, "X-Request-Id", request_id);
    return out.append("\r\n");
}

std::string render_chunk(std::string_view bytes) {
    assert(!bytes.empty());
    std::array<char, 2 * sizeof(std::size_t)> digits{};
    const auto end =
        std::to_chars(digits.data(), digits.data() + digits.size(), bytes.size(), 16).ptr;
    std::string out{digits.data(), end};
    out.reserve(out.size() + bytes.size() + 4);
    return out.append("\r\n").append(bytes).append("\r\n");
}

}  // namespace pf::server::http
