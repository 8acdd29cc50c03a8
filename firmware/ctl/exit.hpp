#pragma once
// How a command ended, for scripts. docs/paifangctl.md lists them; the numbers are for good.
#include <cstdint>
#include <string>

#include "common/base/result.hpp"

namespace pf::firmware::ctl {

enum class Exit : std::uint8_t {
    ok = 0,
    refused = 1,      // the server said no, or a check found something wrong
    usage = 2,        // the command line can't be understood
    unreachable = 3,  // no server there, or one that can't be trusted
    file = 4,         // a file here can't be read, written or understood
};

/// One sentence for people, in both languages.
struct Words {
    std::string en;
    std::string zh;
};

/// Why a command can't go on.
struct Failure {
    Exit exit = Exit::refused;
    std::string code = {};  // stable, snake_case: the problem's own when the server said it
    Words words = {};
    std::string problem = {};  // the server's problem document as it came, or empty
};

template <class T>
using Got = Result<T, Failure>;

[[noreturn]] inline void throw_exception_from_error(const Failure& failure,
                                                    const boost::source_location&) {
    abort_on_missing_value(failure);
}

}  // namespace pf::firmware::ctl
