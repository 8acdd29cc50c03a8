#pragma once
// A key vault that is a map.
#include <functional>
#include <map>
#include <string>

#include "firmware/ports/key_vault.hpp"

namespace pf::tests {

/// Outlives power cuts, as a secure element does.
struct MemoryVault final : firmware::ports::KeyVault {
    std::map<std::string, Bytes, std::less<>> values;
    bool broken = false;
    std::optional<Bytes> get(std::string_view name) const override {
        const auto found = values.find(name);
        return found == values.end() ? std::nullopt : std::optional{found->second};
    }
    bool put(std::string_view name, BytesView value) override {
        if (broken) return false;
        values.insert_or_assign(std::string{name}, Bytes(value.begin(), value.end()));
        return true;
    }
    bool erase(std::string_view name) override { return values.erase(std::string{name}) > 0; }
};

}  // namespace pf::tests
