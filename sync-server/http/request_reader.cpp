#include "sync-server/http/request_reader.hpp"

#include <array>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <cassert>

namespace pf::server::http {
namespace {

namespace beast_http = boost::beast::http;
using Parser = beast_http::request_parser<beast_http::buffer_body>;
using boost::beast::iequals;

/// "0" and two line ends. Asked again about a last chunk that isn't whole, Beast 1.81 asserts that
/// it is at least this long (boostorg/beast pull request 2861): whoever sends "0\r\n" and the rest
/// later would end the program.
constexpr std::size_t last_chunk_bytes = 5;

ReadFault fault_from(const boost::system::error_code& error) {
    if (error == beast_http::error::header_limit) return ReadFault::header_too_large;
    if (error == beast_http::error::bad_version) return ReadFault::version_not_supported;
    return ReadFault::malformed;
}

}  // namespace

struct RequestReader::Impl {
    explicit Impl(std::uint32_t header_max) : header_bytes_max(header_max) { begin(); }

    void begin() {
        parser.emplace();
        parser->header_limit(header_bytes_max);
        parser->body_limit(boost::none);  // the session counts, since the limit is the route's
        parser->eager(false);
        head = {};
        piece.clear();
        head_given = false;
        in_chunk_header = false;
    }

    std::string_view unread() const { return std::string_view{input}.substr(used); }

    Step fail(ReadFault why) {
        failed = why;
        return Step::failed;
    }

    /// More bytes are wanted. A chunk header or trailer has no end in sight when this much of it is
    /// held already.
    Step starve() {
        if (unread().size() > header_bytes_max) return fail(ReadFault::header_too_large);
        return Step::need_more;
    }

    bool too_short_to_ask() const {
        return in_chunk_header && unread().size() < last_chunk_bytes && unread().starts_with('0');
    }
    Step read_head();
    Step read_body();
    std::optional<ReadFault> check_framing();

    std::uint32_t header_bytes_max;
    std::optional<Parser> parser;
    std::string input;
    std::size_t used = 0;
    RequestHead head;
    std::string piece;
    bool head_given = false;
    bool in_chunk_header = false;  // begun and not finished
    std::optional<ReadFault> failed;
    std::array<char, piece_bytes_max> room{};
};

RequestReader::Step RequestReader::Impl::read_head() {
    if (unread().empty()) return Step::need_more;
    boost::system::error_code error;
    used += parser->put(boost::asio::const_buffer{unread().data(), unread().size()}, error);
    if (error == beast_http::error::need_more) return starve();
    if (error) return fail(fault_from(error));
    if (!parser->is_header_done()) return starve();
    if (const auto fault = check_framing()) return fail(*fault);
    head_given = true;
    parser->eager(true);
    return Step::head;
}

std::optional<ReadFault> RequestReader::Impl::check_framing() {
    const auto& message = parser->get();
    head.method = std::string{message.method_string()};
    head.target = std::string{message.target()};
    for (const auto& field : message)
        head.headers.add(std::string{field.name_string()}, std::string{field.value()});
    head.http_1_0 = message.version() == 10;
    if (message.version() != 10 && message.version() != 11) return ReadFault::version_not_supported;
    head.keep_alive = !head.http_1_0 && parser->keep_alive();
    head.chunked = parser->chunked();
    if (const auto length = parser->content_length()) head.content_length = *length;

    const auto codings = head.headers.count("Transfer-Encoding");
    if (codings > 0) {
        if (head.http_1_0 || head.headers.has("Content-Length")) return ReadFault::malformed;
        if (codings > 1 || !iequals(*head.headers.find("Transfer-Encoding"), "chunked"))
            return ReadFault::coding_not_supported;
    }
    if (head.headers.count("Content-Length") > 1) return ReadFault::malformed;
    const auto hosts = head.headers.count("Host");
    if (hosts > 1 || (hosts == 0 && !head.http_1_0)) return ReadFault::bad_host;
    return std::nullopt;
}

RequestReader::Step RequestReader::Impl::read_body() {
    auto& body = parser->get().body();
    while (!parser->is_done()) {
        if (unread().empty() || too_short_to_ask()) return Step::need_more;
        body.data = room.data();
        body.size = room.size();
        body.more = true;
        boost::system::error_code error;
        used += parser->put(boost::asio::const_buffer{unread().data(), unread().size()}, error);
        const auto got = room.size() - body.size;
        const bool starved = error == beast_http::error::need_more;
        in_chunk_header = starved;
        // What came before the fault is given first: packets must not decide what is seen.
        if (error && !starved && error != beast_http::error::need_buffer)
            failed = fault_from(error);
        if (got > 0) {
            piece.assign(room.data(), got);
            return Step::piece;
        }
        if (failed) return Step::failed;
        if (starved) return starve();
    }
    return Step::end;
}

RequestReader::RequestReader(std::uint32_t header_bytes_max)
    : impl_(std::make_unique<Impl>(header_bytes_max)) {}
RequestReader::~RequestReader() = default;

void RequestReader::feed(std::string_view bytes) {
    impl_->input.erase(0, impl_->used);
    impl_->used = 0;
    impl_->input.append(bytes);
}

RequestReader::Step RequestReader::next() {
    if (impl_->failed) return Step::failed;
    return impl_->head_given ? impl_->read_body() : impl_->read_head();
}

const RequestHead& RequestReader::head() const noexcept { return impl_->head; }
std::string RequestReader::take_piece() { return std::move(impl_->piece); }

ReadFault RequestReader::fault() const noexcept {
    assert(impl_->failed);
    return *impl_->failed;
}

bool RequestReader::has_input() const noexcept { return !impl_->unread().empty(); }
bool RequestReader::begun() const noexcept { return impl_->head_given || has_input(); }

void RequestReader::restart() {
    assert(impl_->parser->is_done());
    impl_->begin();
}

}  // namespace pf::server::http
