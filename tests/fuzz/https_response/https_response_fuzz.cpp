// Whatever a server says to a device: how the bytes were cut into packets must not change the
// answer that is read, no body is longer than what was sent, and an answer that is broken off or
// malformed is never taken for a whole one.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "firmware/https/response_reader.hpp"

namespace {

using pf::firmware::https::ResponseReader;
using Step = ResponseReader::Step;

void require(bool holds) {
    if (!holds) std::abort();
}

std::string told_of(const pf::firmware::https::Response& head) {
    require(head.status >= 200 && head.status <= 999);
    std::string told = std::to_string(head.status) + '\n';
    for (const auto& [name, value] : head.headers) told += name + '\n' + value + '\n';
    return told;
}

std::string story(std::string_view bytes, bool to_head, std::size_t at_once) {
    ResponseReader reader{to_head};
    std::string head, body;
    const std::size_t sent = bytes.size();
    bool ended = false;
    for (;;) {
        switch (reader.next()) {
            case Step::need_more:
                require(!ended);  // all that will come is there
                if (bytes.empty()) {
                    reader.feed_end();
                    ended = true;
                    break;
                }
                reader.feed(bytes.substr(0, at_once));
                bytes.remove_prefix(std::min(at_once, bytes.size()));
                break;
            case Step::head:
                require(head.empty());
                head = told_of(reader.take_head());
                break;
            case Step::piece: {
                const auto piece = reader.take_piece();
                require(!piece.empty() && !head.empty());
                body += piece;
                require(body.size() <= sent);
                break;
            }
            case Step::end:
                require(!head.empty() && !(to_head && !body.empty()));
                return head + body + "\nend\n";
            // Which of the two it is may depend on how much was there to look at; neither is an
            // answer, and what was given of the body before is taken back by the client.
            case Step::failed:
            case Step::cut:
                return "broken";
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    for (const bool to_head : {false, true}) {
        const auto whole = story(bytes, to_head, size + 1);
        require(story(bytes, to_head, 1) == whole && story(bytes, to_head, 13) == whole);
    }
    return 0;
}
