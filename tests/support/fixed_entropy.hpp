#pragma once
// Entropy that a test can repeat. Never linked into a program that ships.
#include <span>

#include "common/base/entropy.hpp"
#include "tests/support/rng.hpp"

namespace pf::tests {

/// The same bytes for the same seed, on every machine.
class SeededEntropy final : public Entropy {
public:
    explicit SeededEntropy(std::uint64_t seed) : rng_(seed) {}

    void fill(std::span<Byte> out) override {
        std::size_t at = 0;
        while (at < out.size()) {
            std::uint64_t word = rng_.next();
            for (int i = 0; i < 8 && at < out.size(); ++i, word >>= 8U) {
                out[at++] = static_cast<Byte>(word & 0xffU);
            }
        }
    }

private:
    Rng rng_;
};

/// Every byte the same: for tests that write the expected output down by hand.
class ConstantEntropy final : public Entropy {
public:
    explicit ConstantEntropy(Byte byte) : byte_(byte) {}

    void fill(std::span<Byte> out) override {
        for (Byte& byte : out) byte = byte_;
    }

private:
    Byte byte_;
};

}  // namespace pf::tests
