#pragma once
// From bytes to requests: framing, limits, and the checks that keep two readers of one connection
// from disagreeing where a request ends (RFC 9112 section 6.3). No socket, no time: fuzzed as it
// is.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sync-server/http/message.hpp"

namespace pf::server::http {

enum class ReadFault : std::uint8_t {
    malformed = 1,
    header_too_large,
    version_not_supported,
    coding_not_supported,  // a Transfer-Encoding other than chunked
    bad_host,              // none or several in HTTP/1.1
};

struct RequestHead {
    std::string method;
    std::string target;
    Headers headers;
    std::optional<std::uint64_t> content_length;  // none: no body or chunked
    bool chunked = false;
    bool http_1_0 = false;
    bool keep_alive = false;
    bool has_body() const noexcept { return chunked || content_length.value_or(0) > 0; }
};

/// Reads one request after the other from one connection.
class RequestReader {
public:
    enum class Step : std::uint8_t {
        need_more,
        head,    // once; then head() is there
        piece,   // take_piece()
        end,     // the body is complete, maybe empty; restart() for the next request
        failed,  // fault(); the connection can't be used further
    };
    static constexpr std::size_t piece_bytes_max = 32 * 1024;

    explicit RequestReader(std::uint32_t header_bytes_max);
    ~RequestReader();
    RequestReader(const RequestReader&) = delete;
    RequestReader& operator=(const RequestReader&) = delete;

    /// Bytes from the connection. Only after need_more, so what is held stays bounded.
    void feed(std::string_view bytes);
    Step next();
    const RequestHead& head() const noexcept;
    std::string take_piece();
    ReadFault fault() const noexcept;

    /// Input that no request has used yet.
    bool has_input() const noexcept;
    /// A request has begun: its first byte is there.
    bool begun() const noexcept;
    void restart();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace pf::server::http
