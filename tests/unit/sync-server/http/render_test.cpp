#include "sync-server/http/render.hpp"

#include <doctest/doctest.h>

using namespace pf::server::http;

TEST_CASE("a head is a status line, fields, framing and the request id") {
    const Response response{200, {{"Content-Type", "text/plain"}}, "hello"};
    CHECK(render_head(response, {Framing::Body::length, 5, true}, "r1") ==
          "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n"
          "X-Request-Id: r1\r\n\r\n");
    CHECK(render_head({204}, {Framing::Body::none, 0, false}, "r2") ==
          "HTTP/1.1 204 No Content\r\nConnection: close\r\nX-Request-Id: r2\r\n\r\n");
    CHECK(render_head({200}, {Framing::Body::chunked, 0, true}, "r3") ==
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Request-Id: r3\r\n\r\n");
}

TEST_CASE("a value can't begin another field, nor a handler its own framing") {
    const Response response{302,
                            {{"Location", "/a\r\nSet-Cookie: stolen=1"},
                             {"content-length", "7"},
                             {"Transfer-Encoding", "gzip"},
                             {"Bad Name", "x"},
                             {"", "x"}},
                            ""};
    CHECK(render_head(response, {Framing::Body::length, 0, true}, "r") ==
          "HTTP/1.1 302 Found\r\nLocation: /a  Set-Cookie: stolen=1\r\nContent-Length: 0\r\n"
          "X-Request-Id: r\r\n\r\n");
}

TEST_CASE("a chunk carries its size in hexadecimal") {
    CHECK(render_chunk("hello") == "5\r\nhello\r\n");
    CHECK(render_chunk(std::string(26, 'a')) == "1a\r\n" + std::string(26, 'a') + "\r\n");
}
