#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "common/base/bytes.hpp"

namespace pf::firmware::ports {

/// Where secrets rest: the device's private key, site keys, what pairing gave. A file tree of mode
/// 0600 on simple boards, a secure element on better ones. Survives updates and factory reset of
/// the cache. put() is durable and atomic when it returns true; false: nothing changed, and the
/// caller must say so.
class KeyVault {
public:
    virtual ~KeyVault() = default;
    virtual std::optional<Bytes> get(std::string_view name) const = 0;
    virtual bool put(std::string_view name, BytesView value) = 0;
    virtual bool erase(std::string_view name) = 0;
};

}  // namespace pf::firmware::ports
