// A server that is killed between two instructions: what it was told is kept is kept.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/contract/store/desk.hpp"

using namespace pf;
using namespace pf::tests;

namespace {

/// Writes 1, 2, 3, … and says each number once it is told that it is kept.
[[noreturn]] void write_until_killed(const std::string& where, int out) {
    auto opened = Store::open({.database = where,
                               .vfs = {},
                               .threaded = true,
                               .now = wall_from_ms(1'000),
                               .prepare_on_server = !Database::pooled()});
    if (opened.has_error()) ::_exit(1);
    for (std::uint32_t n = 1;; ++n) {
        const auto fault = (*opened)->write_now([n](Repositories& r) {
            r.meta.put("n", std::to_string(n));
            return Decision::keep;
        });
        if (fault || ::write(out, &n, sizeof n) != sizeof n) ::_exit(1);
    }
}

}  // namespace

TEST_CASE("what a killed process was told is kept is there for the next one") {
    const Database database;
    std::uint32_t before = 0;
    for (int round = 0; round < 3; ++round) {
        int pipe[2];
        REQUIRE(::pipe(pipe) == 0);
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) write_until_killed(database.where(), pipe[1]);
        ::close(pipe[1]);
        std::uint32_t told = 0;
        for (int i = 0; i < 20; ++i) REQUIRE(::read(pipe[0], &told, sizeof told) == sizeof told);
        ::kill(child, SIGKILL);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFSIGNALED(status));
        while (::read(pipe[0], &told, sizeof told) == sizeof told) {}
        ::close(pipe[0]);

        auto opened = Store::open({.database = database.where(),
                                   .vfs = {},
                                   .threaded = true,
                                   .now = wall_from_ms(1'000),
                                   .prepare_on_server = !Database::pooled()});
        REQUIRE(opened.has_value());
        std::uint32_t kept = 0;
        CHECK_FALSE((*opened)
                        ->read([&](Repositories& r) {
                            kept = static_cast<std::uint32_t>(std::stoul(*r.meta.value("n")));
                        })
                        .has_value());
        CHECK(kept >= told);
        CHECK(kept <= told + 1);
        before = kept;
    }
    CHECK(before >= 20);
}
