#include "firmware/https/response_reader.hpp"

#include <doctest/doctest.h>

using namespace pf::firmware::https;
using Step = ResponseReader::Step;

namespace {

/// What the bytes of one connection come to: "200 [body]", with how it ended when it didn't end
/// well.
std::string story(std::string_view bytes, std::size_t at_once, bool to_head = false) {
    ResponseReader reader{to_head};
    std::string told;
    for (bool ended = false;;) {
        switch (reader.next()) {
            case Step::need_more:
                if (ended) return told + "hungry";
                ended = bytes.empty();
                if (ended) {
                    reader.feed_end();
                } else {
                    reader.feed(bytes.substr(0, at_once));
                    bytes.remove_prefix(std::min(at_once, bytes.size()));
                }
                break;
            case Step::head:
                told += std::to_string(reader.take_head().status) + " [";
                break;
            case Step::piece:
                told += reader.take_piece();
                break;
            case Step::end:
                return told + "]";
            case Step::failed:
                return told + "failed";
            case Step::cut:
                return told + "cut";
        }
    }
}

}  // namespace

TEST_CASE("bytes become a response, however they arrive") {
    struct Row {
        std::string bytes;
        std::string expected;
        std::string_view why;
    };
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    const Row rows[] = {
        {ok + "Content-Length: 2\r\n\r\nhi", "200 [hi]", "length"},
        {ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n", "200 [hi!]",
         "chunks"},
        {ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "200 []", "only the last chunk"},
        {ok + "\r\nto the end", "200 [to the end]", "neither: until the connection ends"},
        {"HTTP/1.1 204 No Content\r\n\r\n", "204 []", "a status without body"},
        {"HTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 0\r\n\r\n", "200 []",
         "an interim response before"},
        {"", "cut", "nothing at all"},
        {"HTTP/1.1 200", "cut", "half a status line"},
        {ok + "Content-Length: 5\r\n\r\nhi", "200 [hicut", "half a body"},
        {ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", "200 [hicut", "no final chunk"},
        {"HTTP/1.1 100 Continue\r\n\r\n", "cut", "interim only"},
        {"SSH-2.0-OpenSSH\r\n\r\n", "failed", "not HTTP"},
        {ok + "Content-Length: x\r\n\r\n", "failed", "length is no number"},
        {ok + "X: " + std::string(70'000, 'x'), "failed", "header without end"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        if (row.bytes.size() < 1000) CHECK(story(row.bytes, 1) == row.expected);
        CHECK(story(row.bytes, 5) == row.expected);
        CHECK(story(row.bytes, 100'000) == row.expected);
    }
    CHECK(story(ok + "Content-Length: 500\r\n\r\n", 7, true) == "200 []");
}

TEST_CASE("fields are found without regard to case") {
    ResponseReader reader{false};
    reader.feed("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n");
    CHECK(reader.next() == Step::head);
    const auto response = reader.take_head();
    CHECK(response.header("content-TYPE") == "text/plain");
    CHECK_FALSE(response.header("absent"));
}
