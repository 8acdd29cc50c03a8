#include "tests/unit/firmware/ctl/fake_world.hpp"

namespace pf::tests {

namespace ctl = firmware::ctl;
namespace https = firmware::https;

namespace {

class FakeWire final : public ctl::Wire {
public:
    explicit FakeWire(FakeServer& server) : server_{server} {}

    Result<https::Response, https::Fault> request(const https::Request& request) override {
        const auto answer = next(request);
        if (answer.fault) return *answer.fault;
        return https::Response{answer.status, {}, answer.body, {}};
    }
    Result<https::Response, https::Fault> stream(const https::Request& request,
                                                 const https::Client::OnLine& on_line) override {
        const auto answer = next(request);
        if (answer.fault) return *answer.fault;
        for (const auto& line : answer.lines)
            if (!on_line(line)) break;
        return https::Response{answer.status, {}, answer.body, {}};
    }
    std::string explain() const override { return "connection refused"; }

private:
    FakeServer::Answer next(const https::Request& request) {
        server_.asked.push_back(request);
        if (request.source) drain(server_.asked.back());
        // Asked more often than the test says: nobody answers.
        if (server_.answers.empty()) return {.body = {}, .fault = https::Fault::unreachable};
        auto answer = server_.answers.front();
        server_.answers.pop_front();
        return answer;
    }
    /// Takes a streamed body as a connection does, a piece at a time.
    static void drain(https::Request& request) {
        std::array<char, 7> room{};
        while (request.body.size() < request.body_bytes) {
            const auto got = request.source(room);
            if (got == 0) break;
            request.body.append(room.data(), got);
        }
        request.source = {};
    }
    FakeServer& server_;
};

}  // namespace

std::string FakeServer::header(std::size_t request, const std::string& name) const {
    for (const auto& [field, value] : asked.at(request).headers)
        if (field == name) return value;
    return {};
}

FakeWorld::FakeWorld() { variables["PAIFANG_SERVER"] = "http://127.0.0.1:8080"; }

int FakeWorld::run(const std::vector<std::string>& arguments) {
    std::istringstream input{in};
    std::ostringstream output, errors;
    ctl::World world{.in = input,
                     .out = output,
                     .err = errors,
                     .environment = [this](const std::string& name) -> std::optional<std::string> {
                         const auto found = variables.find(name);
                         if (found == variables.end()) return std::nullopt;
                         return found->second;
                     },
                     .connect =
                         [this](const https::Options& options) {
                             server.connected.push_back(options);
                             return std::make_unique<FakeWire>(server);
                         },
                     .entropy = entropy_,
                     .now = [] { return wall_from_ms(0); },
                     .stopwatch = [this] { return steady; },
                     .sleep =
                         [this](Millis span) {
                             ++slept;
                             steady += span;
                         },
                     .person_watches = person_watches};
    const auto exit = ctl::run(world, arguments);
    out = output.str();
    err = errors.str();
    return static_cast<int>(exit);
}

ctl::Json FakeWorld::json() const { return ctl::Json::parse(out, nullptr, false); }

}  // namespace pf::tests
