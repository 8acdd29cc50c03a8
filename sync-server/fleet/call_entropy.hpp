#pragma once
// Inside the room: randomness of a transaction.
#include <fmt/format.h>

#include <algorithm>

#include "common/base/entropy.hpp"
#include "sync-server/store/transaction.hpp"

namespace pf::server::fleet {

/// Entropy inside a transaction: the call's seed, so that a restart makes the
/// same key.
class CallEntropy final : public Entropy {
public:
    CallEntropy(const Call& call, std::string label) : call_{call}, label_{std::move(label)} {}
    void fill(std::span<Byte> out) override {
        const Bytes bytes = derive(call_, fmt::format("{}/{}", label_, used_++), out.size());
        std::copy(bytes.begin(), bytes.end(), out.begin());
    }

private:
    const Call& call_;
    std::string label_;
    int used_ = 0;
};

}  // namespace pf::server::fleet
