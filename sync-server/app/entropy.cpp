#include "sync-server/app/entropy.hpp"

#include <errno.h>
#include <sys/random.h>

#include <cstdlib>

namespace pf::server::app {

void SystemEntropy::fill(std::span<Byte> out) {
    while (!out.empty()) {
        const ssize_t got = ::getrandom(out.data(), out.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        // A kernel without randomness can't make keys; going on would make guessable ones.
        if (got <= 0) std::abort();
        out = out.subspan(static_cast<std::size_t>(got));
    }
}

}  // namespace pf::server::app
