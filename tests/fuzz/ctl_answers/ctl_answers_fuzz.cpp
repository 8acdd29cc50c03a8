// Whatever a server answers to paifangctl: every run ends with an exit code of the table, prints
// JSON when asked for it, and nothing of what the server said steers the reader's terminal. The
// first byte chooses the command, the second the status, the third how it is shown; answers are
// parted by FF, which no UTF-8 holds.
#include <cstdlib>
#include <sstream>

#include "tests/unit/firmware/ctl/fake_world.hpp"

namespace {

using Words = std::vector<std::string>;

void require(bool holds) {
    if (!holds) std::abort();
}

const Words commands[] = {
    {"site", "list"},
    {"site", "add", "--zh", "a", "--en", "b"},
    {"point", "add", "1", "--zh", "a", "--en", "b"},
    {"window", "add", "1", "09:00", "17:00"},
    {"product", "list", "1"},
    {"product", "add", "1", "--zh", "a", "--en", "b"},
    {"device", "list"},
    {"device", "show", "gate-1"},
    {"device", "invite", "1", "gate-1", "--kind", "gate", "--point", "1"},
    {"device", "revoke", "gate-1"},
    {"device", "open", "gate-1", "--why", "x"},
    {"device", "test-scan", "gate-1", "x"},
    {"device", "resend", "gate-1", "--from", "1"},
    {"device", "renew", "gate-1"},
    {"ticket", "list"},
    {"ticket", "show", "7c1f9d20a45be863", "--text"},
    {"ticket", "issue", "--site", "1", "--product", "1", "--first", "2026-05-01", "--last",
     "2026-05-01"},
    {"ticket", "reissue", "7c1f9d20a45be863"},
    {"ticket", "revoke", "7c1f9d20a45be863", "--why", "x"},
    {"ticket", "explain", "E123456789"},
    {"sync", "log", "--limit", "40"},
    {"sync", "log", "--follow"},
    {"findings", "list"},
};
constexpr int statuses[] = {200, 201, 202, 204, 404, 409, 422, 500, 503};

pf::tests::FakeServer::Answer answer_of(int status, const std::string& body) {
    pf::tests::FakeServer::Answer answer{.status = status, .body = body};
    std::istringstream lines{body};
    for (std::string line; std::getline(lines, line);) answer.lines.push_back(line);
    return answer;
}

/// Lines end lines; every other control character belongs to somebody's terminal.
void check_harmless(const std::string& shown) {
    for (std::size_t i = 0; i < shown.size(); ++i) {
        const auto byte = static_cast<unsigned char>(shown[i]);
        require(byte == '\n' || (byte >= 0x20 && byte != 0x7f));
        const bool c1 =
            byte == 0xc2 && i + 1 < shown.size() && static_cast<unsigned char>(shown[i + 1]) < 0xa0;
        require(!c1);
    }
}

void check_json(const std::string& printed) {
    std::istringstream lines{printed};
    for (std::string line; std::getline(lines, line);)
        require(!pf::firmware::ctl::Json::parse(line, nullptr, false).is_discarded());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t head = 3;
    if (size < head) return 0;
    Words words = commands[data[0] % std::size(commands)];
    const int status = statuses[data[1] % std::size(statuses)];
    const bool json = (data[2] & 1U) != 0;
    words.insert(words.end(), {"--lang", (data[2] & 2U) != 0 ? "zh" : "en"});
    if (json) words.emplace_back("--json");

    pf::tests::FakeWorld world;
    std::string body;
    for (std::size_t i = head; i <= size; ++i) {
        if (i < size && data[i] != 0xff) {
            body += static_cast<char>(data[i]);
            continue;
        }
        world.server.answers.push_back(answer_of(status, body));
        body.clear();
    }
    const int exit = world.run(words);
    require(exit >= 0 && exit <= 4 && exit != 2);
    check_harmless(world.err);
    if (json)
        check_json(world.out);
    else
        check_harmless(world.out);
    return 0;
}
