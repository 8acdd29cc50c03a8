#pragma once
// A site's list of tickets as its server would send it, for benches that need a cache full of them.
#include <string>
#include <vector>

#include "common/wire/documents.hpp"
#include "common/wire/lists.hpp"
#include "firmware/cache/cache.hpp"

namespace pf::bench {

inline constexpr SiteId site{341};
inline constexpr ProductId product{12007};
inline constexpr Generation generation{7};
inline constexpr std::size_t key_bytes = 25;  // of a row of `tickets`

/// Codes sold for a site: keys sorted as the server sends them, bodies by day of validity.
class MadeList {
public:
    MadeList(std::size_t codes, Day today, BytesView site_key);

    std::size_t size() const { return keys_.size(); }
    /// The text that stands in the visitor's telephone; `number` below size().
    static std::string code(std::size_t number);
    wire::CarrierHash hash(std::size_t at) const;
    wire::ListRow row(std::size_t at) const;
    BytesView key(std::size_t at) const { return keys_[at].bytes; }

    /// Through the doors a snapshot takes: a stage, pages, the manifest's digest.
    void fill(firmware::cache::Cache& cache, WallTime fresh_until) const;

private:
    struct Key {
        std::array<Byte, key_bytes> bytes;
        std::uint8_t body;
        auto operator<=>(const Key&) const = default;
    };
    std::vector<Key> keys_;  // ascending
    std::vector<Bytes> bodies_;
};

}  // namespace pf::bench
