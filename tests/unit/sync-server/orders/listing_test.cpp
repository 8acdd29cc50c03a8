// What time does to lists: tickets come near, end, and are found under new keys.
#include <algorithm>
#include <set>

#include "tests/unit/sync-server/orders/shop.hpp"

using namespace pf;
using namespace pf::tests;
using orders::Refusal;

namespace {

orders::TicketDraft draft_for(Day first, Day last, const std::string& code) {
    orders::TicketDraft out = draft({{CarrierKind::code, code}});
    out.entitlements[0].first_day = first;
    out.entitlements[0].last_day = last;
    return out;
}

struct Season : Shop {
    /// Slices until there is no more; how many, and the sites that hear of it.
    std::pair<int, std::set<SiteId>> tick() {
        std::set<SiteId> moved;
        for (int slices = 1;; ++slices) {
            REQUIRE(slices < 1'000);
            const auto one = act(
                [&](Repositories& r, const Call& call) { return orders::tick(r, call, keys()); });
            moved.insert(one.effects.moved.begin(), one.effects.moved.end());
            if (!one.more) return {slices, moved};
        }
    }
    void pass(int days) { now += std::chrono::days{days}; }
    std::set<TicketId> listed(SiteId site = here) {
        std::set<TicketId> out;
        for (const auto& one : carried(site)) out.insert(one.claims.id);
        return out;
    }
    auto rotate() {
        return attempt([&](Repositories& r, const Call& call) {
            return orders::rotate_carrier_key(r, call, keys(), here);
        });
    }
    bool rebuilding() {
        return act([&](Repositories& r, const Call&) { return orders::rebuilding(r, here); });
    }
    bool sums_right() {
        return act([&](Repositories& r, const Call&) {
            for (const ListScope scope : wire::list_scopes) {
                wire::ListDigest digest;
                for (const auto& row :
                     r.lists.alive_at(here, scope, server::lists::version(r, here, scope),
                                      std::nullopt, {}, 1'000'000))
                    digest.add(row.key, *row.body);
                if (digest.root() != server::lists::state(r, here, scope).root) return false;
            }
            return true;
        });
    }
};

}  // namespace

TEST_CASE("a ticket comes on the list when its day is near, and leaves it when it is over") {
    Season season;
    const int horizon = orders::horizon_days_default;
    const Day today = first_day;
    const auto near = season.sold(draft_for(today, today, "NEAR"));
    const auto edge = season.sold(draft_for(today + horizon, today + (horizon + 1), "EDGE"));
    const auto far = season.sold(draft_for(today + (horizon + 1), today + (horizon + 2), "FAR"));
    CHECK(season.listed() == std::set{near, edge});
    CHECK(season.tick().second.empty());
    CHECK(season.listed() == std::set{near, edge});
    // Sold it is all the same: a counter finds it.
    CHECK(season.on_carrier(CarrierKind::code, "FAR") == std::vector{far});

    season.pass(1);
    CHECK(season.tick().second == std::set{here});
    CHECK(season.listed() == std::set{near, edge, far});  // a day of grace for the first
    CHECK(season.tick().second.empty());
    season.pass(1);
    CHECK(season.tick().second == std::set{here});
    CHECK(season.listed() == std::set{edge, far});
    season.pass(horizon + 10);
    season.tick();
    CHECK(season.listed().empty());
    CHECK(season.sums_right());
}

TEST_CASE("what happened to a waiting ticket holds when it comes on the list") {
    Season season;
    const Day far = first_day + 100;
    const auto revoked = season.sold(draft_for(far, far, "REVOKED"));
    const auto reissued = season.sold(draft_for(far, far, "REISSUED"));
    REQUIRE(season.revoke(revoked).has_value());
    REQUIRE(season.reissue(reissued).has_value());
    CHECK(season.listed().empty());
    // Signed codes of both may be in somebody's hand: refused from now until their end.
    CHECK(season.revoked(here).size() == 2);
    season.pass(99);
    season.tick();
    CHECK(season.listed() == std::set{reissued});
    CHECK(season.carried(here)[0].claims.generation == 2);
    CHECK(season.revoked(here).size() == 2);
    season.pass(3);
    season.tick();
    CHECK(season.listed().empty());
    CHECK(season.revoked(here).empty());
    CHECK(season.sums_right());
}

TEST_CASE("another horizon holds for what waits, and each site has its own days") {
    Season season;
    auto both = draft_for(first_day + 30, first_day + 30, "BOTH");
    both.entitlements.push_back(entitlement(there));
    const auto id = season.sold(both);
    CHECK(season.listed(here).empty());
    CHECK(season.listed(there) == std::set{id});
    season.act([](Repositories& r, const Call&) {
        orders::set_horizon(r, 30);
        return true;
    });
    CHECK(season.tick().second == std::set{here});
    CHECK(season.listed(here) == std::set{id});
}

TEST_CASE("many come and go in slices, none is lost between them") {
    Season season;
    const std::size_t count = 2 * orders::tick_tickets_max;
    std::set<TicketId> all;
    season.act([&](Repositories& r, const Call& call) {
        for (std::size_t i = 0; i < count; ++i) {
            const auto code = "C-" + std::to_string(i);
            const auto issued = orders::issue(
                r, call, season.keys(), draft_for(first_day + 50, first_day + 51, code), code);
            REQUIRE(issued.has_value());
            all.insert(issued->ticket.claims.id);
        }
        return true;
    });
    season.pass(40);
    const auto [came_in, told] = season.tick();
    CHECK(came_in >= 2);
    CHECK(told == std::set{here});
    CHECK(season.listed() == all);
    CHECK(season.sums_right());
    season.pass(20);
    CHECK(season.tick().second == std::set{here});
    CHECK(season.listed().empty());
    CHECK(season.sums_right());
}

TEST_CASE("a carrier key is rotated with every ticket found at every moment") {
    Season season;
    std::vector<std::pair<TicketId, std::string>> sold;
    for (int i = 0; i < 5; ++i) {
        const auto code = "OLD-" + std::to_string(i);
        sold.emplace_back(season.sold(draft({{CarrierKind::code, code}})), code);
    }
    const auto gone = season.sold(draft({{CarrierKind::code, "GONE"}}));
    REQUIRE(season.revoke(gone).has_value());
    const auto found = [&](const wire::SiteKey& key, const std::string& code) {
        const auto hash = wire::carrier_hash(key.key, CarrierKind::code, code);
        const auto rows = season.carried(here);
        return std::ranges::any_of(rows, [&](const auto& row) { return row.hash == hash; });
    };
    const auto keys_now = [&] {
        return season
            .act([&](Repositories& r, const Call&) {
                return server::fleet::site_secrets(r, season.keys(), here);
            })
            .carrier_keys;
    };
    const auto first = keys_now();
    CHECK(season.rotate()->moved == std::set{here});
    CHECK(season.rebuilding());
    CHECK(season.rotate().error() == Refusal::rotation_under_way);
    for (const auto& [id, code] : sold) CHECK(found(first[0], code));
    CHECK(season.tick().second == std::set{here});
    CHECK_FALSE(season.rebuilding());
    const auto second = keys_now();
    REQUIRE(second.size() == 2);
    for (const auto& [id, code] : sold) {
        CHECK(found(second[0], code));
        CHECK(found(first[0], code));
    }
    REQUIRE(season.rotate().has_value());
    season.tick();
    const auto third = keys_now();
    for (const auto& [id, code] : sold) {
        CHECK(found(third[0], code));
        CHECK(found(second[0], code));
        CHECK_FALSE(found(first[0], code));  // devices do not look under it any more
    }
    CHECK_FALSE(found(first[0], "GONE"));  // revoked, but a row all the same
    CHECK(season.sums_right());
    CHECK(season
              .attempt([&](Repositories& r, const Call& call) {
                  return orders::rotate_carrier_key(r, call, season.keys(), SiteId{9});
              })
              .error() == Refusal::site_unknown);
}

TEST_CASE("a ring takes so many ticket keys and no more") {
    Season season;
    const auto rotate = [&] {
        std::optional<server::fleet::Refusal> refusal;
        season.act([&](Repositories& r, const Call& call) {
            refusal = server::fleet::rotate_ticket_key(r, call, season.keys());
            return true;
        });
        return refusal;
    };
    for (std::size_t i = 1; i < wire::ticket_keys_max; ++i) REQUIRE_FALSE(rotate().has_value());
    CHECK(rotate() == server::fleet::Refusal::keys_full);
    season.act([&](Repositories& r, const Call&) {
        (void)wire::encode(wire::KeyRing{server::fleet::ticket_public_keys(r)});
        return true;
    });
}
