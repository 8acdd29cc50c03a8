#pragma once
// What SQLite's exceptions mean to this device.
#include <SQLiteCpp/Exception.h>

#include <cstdint>

#include "common/base/result.hpp"

namespace pf::firmware::sqlite {

enum class Fault : std::uint8_t {
    disk_full = 1,
    io_error = 2,
    damaged = 3,   // not what we wrote
    not_ours = 4,  // another application's, another device's, or a newer schema
    locked = 5,    // another process writes it
};
template <class T>
using Result = pf::Result<T, Fault>;

Fault fault_of(const SQLite::Exception& exception) noexcept;
/// A row is there that this process did not write, or a rule of the schema is broken.
bool is_constraint(const SQLite::Exception& exception) noexcept;

}  // namespace pf::firmware::sqlite
