#pragma once
// A world for paifangctl: texts instead of a terminal, answers instead of a server.
#include <deque>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "firmware/ctl/program.hpp"
#include "tests/support/fixed_entropy.hpp"

namespace pf::tests {

/// What the server will say to the next requests, in order; what it was asked is kept.
struct FakeServer {
    struct Answer {
        int status = 200;
        std::string body;
        std::optional<firmware::https::Fault> fault = {};
        std::vector<std::string> lines = {};  // of a stream
    };
    std::deque<Answer> answers;
    std::vector<firmware::https::Request> asked;
    std::vector<firmware::https::Options> connected;

    std::string header(std::size_t request, const std::string& name) const;
};

/// One run of paifangctl after another in the same world.
class FakeWorld {
public:
    FakeWorld();

    int run(const std::vector<std::string>& arguments);
    /// The document the last run printed.
    firmware::ctl::Json json() const;

    FakeServer server;
    std::map<std::string, std::string> variables;
    std::string in, out, err;  // of the last run
    std::chrono::microseconds steady{0};
    int slept = 0;
    bool person_watches = false;

private:
    ConstantEntropy entropy_{0x5a};
};

}  // namespace pf::tests
