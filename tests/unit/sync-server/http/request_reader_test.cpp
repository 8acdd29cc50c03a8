#include "sync-server/http/request_reader.hpp"

#include <doctest/doctest.h>

using namespace pf::server::http;
using Step = RequestReader::Step;

namespace {

/// Everything one connection's bytes come to: "POST /a [body]; GET /b []" or the fault at the end.
std::string story(std::string_view bytes, std::size_t at_once = 1, std::uint32_t header_max = 300) {
    RequestReader reader{header_max};
    std::string told;
    std::string body;
    for (;;) {
        switch (reader.next()) {
            case Step::need_more:
                if (bytes.empty()) return told + (reader.begun() ? "…" : "");
                reader.feed(bytes.substr(0, at_once));
                bytes.remove_prefix(std::min(at_once, bytes.size()));
                break;
            case Step::head:
                told += reader.head().method + ' ' + reader.head().target;
                break;
            case Step::piece:
                body += reader.take_piece();
                break;
            case Step::end:
                told += " [" + body + "]" + (reader.head().keep_alive ? ";" : ".");
                body.clear();
                reader.restart();
                break;
            case Step::failed:
                switch (reader.fault()) {
                    case ReadFault::malformed:
                        return told + "malformed";
                    case ReadFault::header_too_large:
                        return told + "header_too_large";
                    case ReadFault::version_not_supported:
                        return told + "version";
                    case ReadFault::coding_not_supported:
                        return told + "coding";
                    case ReadFault::bad_host:
                        return told + "host";
                }
        }
    }
}

const std::string host = "Host: h\r\n";

}  // namespace

TEST_CASE("bytes become requests, however they arrive") {
    struct Row {
        std::string bytes;
        std::string expected;
        std::string_view why;
    };
    const std::string long_field = "X: " + std::string(300, 'a') + "\r\n";
    const Row rows[] = {
        {"GET / HTTP/1.1\r\n" + host + "\r\n", "GET / [];", "no body"},
        {"POST /a HTTP/1.1\r\n" + host + "Content-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\n" + host +
             "Connection: close\r\n\r\n",
         "POST /a [abc];GET /b [].", "two in a row"},
        {"POST /a HTTP/1.1\r\n" + host +
             "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
         "POST /a [abcde];", "chunks"},
        {"POST /a HTTP/1.1\r\n" + host +
             "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-T: 1\r\n\r\n",
         "POST /a [a];", "trailer"},
        {"POST /a HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "POST /a [];", "no chunk but the last"},
        {"GET / HTTP/1.0\r\n\r\n", "GET / [].", "1.0 needs no host and isn't kept"},
        {"GET / HTTP/1.1\r\n\r\n", "host", "1.1 without host"},
        {"GET / HTTP/1.1\r\n" + host + host + "\r\n", "host", "two hosts"},
        {"GET / HTTP/1.1\r\n" + host, "…", "header cut short"},
        {"POST / HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\nab", "POST /…", "body cut short"},
        {"GET / HTTP/2.0\r\n" + host + "\r\n", "version", "unknown version"},
        {"GET / HTTP/1.2\r\n" + host + "\r\n", "version", "unknown minor version"},
        {"GET /\r\n\r\n", "malformed", "0.9"},
        {"\x16\x03\x01\x02\x01\x01\x01\xfc", "malformed", "TLS on a plain port"},
        {"GET / HTTP/1.1\r\n" + host + "No colon\r\n\r\n", "malformed", "field without colon"},
        {"GET / HTTP/1.1\r\n" + host + "X : 1\r\n\r\n", "malformed", "space before colon"},
        {"GET / HTTP/1.1\r\n" + host + long_field + "\r\n", "header_too_large", "long header"},
        {"GET /" + std::string(400, 'x'), "header_too_large", "long target without end"},
        {"POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n",
         "malformed", "two lengths"},
        {"POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
         "malformed", "the same length twice"},
        {"POST / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", "malformed", "negative"},
        {"POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
         "malformed", "length and chunks"},
        {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n", "coding",
         "a coding we don't undo"},
        {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, identity\r\n\r\n", "coding",
         "chunked is not last"},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "malformed", "chunks in 1.0"},
        {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
         "POST /malformed", "chunk size"},
        {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
         "POST /malformed", "chunk longer than its size"},
        {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
         "POST /malformed", "chunk size overflow"},
        {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1;" +
             std::string(600, 'x'),
         "POST /header_too_large", "chunk extension without end"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        CHECK(story(row.bytes, 1) == row.expected);
        CHECK(story(row.bytes, 7) == row.expected);
        CHECK(story(row.bytes, 100'000) == row.expected);
    }
}

TEST_CASE("a body larger than one piece comes in pieces") {
    RequestReader reader{300};
    const std::string body(RequestReader::piece_bytes_max * 2 + 5, 'x');
    reader.feed("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body);
    CHECK(reader.next() == Step::head);
    CHECK(reader.head().content_length == body.size());
    std::string got;
    int pieces = 0;
    while (reader.next() == Step::piece) {
        got += reader.take_piece();
        ++pieces;
    }
    CHECK(got == body);
    CHECK(pieces == 3);
}
