#pragma once
// What happens to a file that can't be used: it stays as evidence, out of the way.
#include <string>

#include "firmware/sqlite/database.hpp"

namespace pf::firmware::sqlite {

/// More copies would fill the disk of a device whose storage is dying.
inline constexpr int damaged_copies_max = 2;

/// Moves the file and its WAL to `<path>.damaged-<n>`; the last number is reused. Returns the new
/// name. No connection may be open. In a named VFS, which knows no renaming, the bytes are copied.
Result<std::string> set_aside(const Place& place);

}  // namespace pf::firmware::sqlite
