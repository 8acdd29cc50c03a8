#pragma once
// A value or the reason there is none. `Error` is a closed enum of the room that returns it.
// Refusals are verdicts, not errors; bugs are asserts (docs/adr/0002).
#include <boost/system/result.hpp>
#include <cstdlib>

namespace pf {

template <class T, class Error>
using Result = boost::system::result<T, Error>;

/// What `value()` on an error ends in: asking for a value that is not there is a bug, so it aborts.
template <class Error>
[[noreturn]] void abort_on_missing_value(const Error&) {
    std::abort();
}

}  // namespace pf
