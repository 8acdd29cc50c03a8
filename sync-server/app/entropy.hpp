#pragma once
// Randomness of the kernel.
#include "common/base/entropy.hpp"

namespace pf::server::app {

/// getrandom(2). Any thread.
class SystemEntropy final : public Entropy {
public:
    void fill(std::span<Byte> out) override;
};

}  // namespace pf::server::app
