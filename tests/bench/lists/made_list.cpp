#include "tests/bench/lists/made_list.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/crypto/crypto.hpp"
#include "tests/bench/row.hpp"
#include "tests/support/rng.hpp"

namespace pf::bench {

namespace {

using wire::ListScope;

/// Tickets end on one of these days: as many bodies as there are.
constexpr int days = 14;

wire::Carried carried(Day today, std::uint8_t body) {
    wire::Carried out;
    out.claims.id = TicketId{1};
    out.claims.entitlements = {{.site = site,
                                .product = product,
                                .first_day = today,
                                .last_day = today + body,
                                .window = {0},
                                .entries = 1,
                                .scope = ticket::Scope::validity}};
    return out;
}

}  // namespace

std::string MadeList::code(std::size_t number) { return fmt::format("CODE{:010}", number); }

MadeList::MadeList(std::size_t codes, Day today, BytesView site_key) {
    for (std::uint8_t body = 0; body < days; ++body)
        bodies_.push_back(*wire::row_of(carried(today, body)).body);
    tests::Rng rng{1};
    keys_.reserve(codes);
    for (std::size_t number = 0; number < codes; ++number) {
        Key key{.bytes = {}, .body = static_cast<std::uint8_t>(rng.below(days))};
        const auto hash = wire::carrier_hash(site_key, admission::CarrierKind::code, code(number));
        const Bytes prefix = wire::carrier_prefix(admission::CarrierKind::code, hash);
        const auto id = to_be8(rng.next());
        std::ranges::copy(id, std::ranges::copy(prefix, key.bytes.begin()).out);
        keys_.push_back(key);
    }
    std::ranges::sort(keys_);
}

wire::CarrierHash MadeList::hash(std::size_t at) const {
    wire::CarrierHash out{};
    std::copy_n(keys_[at].bytes.begin() + 1, out.size(), out.begin());
    return out;
}

wire::ListRow MadeList::row(std::size_t at) const {
    const Key& key = keys_[at];
    return {.key = Bytes(key.bytes.begin(), key.bytes.end()), .body = bodies_[key.body]};
}

void MadeList::fill(firmware::cache::Cache& cache, WallTime fresh_until) const {
    firmware::cache::Stage stage;
    stage.generation = generation;
    stage.to_version = 1;
    require(cache.begin_stage(ListScope::tickets, stage).has_value(), "a stage begins");
    wire::ListDigest digest;
    std::vector<wire::ListRow> page;
    for (std::size_t at = 0; at < size(); ++at) {
        page.push_back(row(at));
        digest.add(page.back().key, *page.back().body);
        if (page.size() < wire::chunk_rows_max && at + 1 < size()) continue;
        require(cache.stage_rows(ListScope::tickets, page).has_value(), "a page is staged");
        page.clear();
    }
    const wire::ListManifest manifest{.scope = ListScope::tickets,
                                      .root = digest.root(),
                                      .rows = size(),
                                      .fresh_until = fresh_until};
    require(cache.apply_stage(ListScope::tickets, manifest, generation, 1).has_value(),
            "the list is whole");
}

}  // namespace pf::bench
