// Whatever a connection says: how the bytes were cut into packets must not change which requests
// are seen (that is how one reader is made to see a request another one does not), and no body is
// longer than what was sent.
#include <cstdlib>
#include <string>

#include "sync-server/http/request_reader.hpp"
#include "sync-server/http/router.hpp"
#include "sync-server/http/target.hpp"

using namespace pf::server::http;
using Step = RequestReader::Step;

namespace {

std::string story(std::string_view bytes, std::size_t at_once) {
    RequestReader reader{512};
    std::string told;
    std::size_t body_bytes = 0;
    const auto sent = bytes.size();
    for (;;) {
        switch (reader.next()) {
            case Step::need_more:
                if (bytes.empty()) return told;
                reader.feed(bytes.substr(0, at_once));
                bytes.remove_prefix(std::min(at_once, bytes.size()));
                break;
            case Step::head:
                told += reader.head().method + '\n' + reader.head().target + '\n';
                for (const auto& [name, value] : reader.head().headers.all())
                    told += name + '\n' + value + '\n';
                if (const auto read = read_target(reader.head().target); read.target)
                    for (const auto& [key, value] : read.target->query) told += key + '\n' + value;
                break;
            case Step::piece: {
                const auto piece = reader.take_piece();
                if (piece.empty() || piece.size() > RequestReader::piece_bytes_max) std::abort();
                body_bytes += piece.size();
                if (body_bytes > sent) std::abort();
                told += piece;
                break;
            }
            case Step::end:
                told += "\nend\n";
                reader.restart();
                break;
            // A header that is wrong and not yet whole may be refused or waited for: no request
            // either way.
            case Step::failed:
                return told;
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto whole = story(bytes, size + 1);
    if (story(bytes, 1) != whole || story(bytes, 13) != whole) std::abort();
    return 0;
}
