#pragma once
// Randomness is passed in: `common` stays deterministic, a simulation hands in its seed.
#include <span>

#include "common/base/bytes.hpp"

namespace pf {

/// Unpredictable bytes. The real one reads the kernel; it never returns short and never throws.
class Entropy {
public:
    virtual ~Entropy() = default;
    virtual void fill(std::span<Byte> out) = 0;

    std::uint64_t next_u64() {
        std::array<Byte, 8> bytes{};
        fill(bytes);
        std::uint64_t value = 0;
        for (const Byte byte : bytes) value = value << 8 | byte;
        return value;
    }
};

}  // namespace pf
