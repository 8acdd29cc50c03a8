#pragma once
// Nagle's algorithm off, for a library that keeps its socket to itself.
#include <cstdint>

namespace pf::mqtt {

/// Every connection of this process to that remote port sends small messages at once. With the
/// kernel's default a message that follows an acknowledgement waits for the peer's delayed one, 40
/// ms, in both directions of every exchange. Connections it can't see stay as they are.
void send_at_once(std::uint16_t remote_port) noexcept;

}  // namespace pf::mqtt
