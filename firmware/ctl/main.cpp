// paifangctl: one tool for people and scripts. docs/paifangctl.md.
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <iostream>

#include "firmware/ctl/program.hpp"

namespace {

using namespace pf;

class KernelEntropy final : public Entropy {
public:
    void fill(std::span<Byte> out) override {
        std::size_t at = 0;
        while (at < out.size()) {
            const ssize_t got = ::getrandom(out.data() + at, out.size() - at, 0);
            if (got < 0 && errno != EINTR) std::abort();  // no kernel we run on does this
            if (got > 0) at += static_cast<std::size_t>(got);
        }
    }
};

std::optional<std::string> variable(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>{value};
}

void sleep_for(Millis span) {
    constexpr std::int64_t ms_per_s = 1000, ns_per_ms = 1'000'000;
    const timespec request{static_cast<time_t>(span.count() / ms_per_s),
                           static_cast<long>(span.count() % ms_per_s * ns_per_ms)};
    ::nanosleep(&request, nullptr);  // woken early: whoever waits asks again
}

}  // namespace

int main(int argc, char** argv) {
    using std::chrono::duration_cast;
    KernelEntropy entropy;
    firmware::ctl::World world{
        .in = std::cin,
        .out = std::cout,
        .err = std::cerr,
        .environment = variable,
        .connect = firmware::ctl::connect_https,
        .entropy = entropy,
        .now =
            [] { return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now()); },
        .stopwatch =
            [] {
                return duration_cast<std::chrono::microseconds>(
                    std::chrono::steady_clock::now().time_since_epoch());
            },
        .sleep = sleep_for,
        .person_watches = ::isatty(STDERR_FILENO) == 1};
    return static_cast<int>(
        firmware::ctl::run(world, std::vector<std::string>{argv + 1, argv + argc}));
}
