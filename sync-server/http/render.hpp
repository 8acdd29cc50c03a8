#pragma once
// From responses to bytes. Written by hand: a status line, fields and a length need no serializer.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sync-server/http/message.hpp"

namespace pf::server::http {

struct Framing {
    enum class Body : std::uint8_t {
        length,       // Content-Length
        chunked,      // pieces, HTTP/1.1
        until_close,  // pieces, HTTP/1.0
        none,         // 204, 304
    };
    Body body = Body::length;
    std::uint64_t length = 0;
    bool keep_alive = true;
};

/// Status line and fields with the empty line after them. Framing fields the handler set are
/// dropped; control characters in a value become spaces, so no value can begin another field.
std::string render_head(const Response& response, const Framing& framing,
                        std::string_view request_id);

/// One chunk of RFC 9112 section 7.1. `bytes` is not empty: that would be the end.
std::string render_chunk(std::string_view bytes);
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace pf::server::http
