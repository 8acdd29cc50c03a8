// Keys of sites and of tickets: made once, sealed, turned over without stranding anybody.
#include <stdexcept>

#include "tests/unit/sync-server/fleet/yard.hpp"

using namespace pf;
using namespace pf::tests;

namespace {

struct Keyring : Yard {
    wire::Secrets secrets(SiteId site = SiteId{1}) {
        return act(
            [&](Repositories& r, const Call&) { return fleet::site_secrets(r, keys(), site); });
    }
    void rotate_carrier() {
        act([&](Repositories& r, const Call& call) {
            fleet::rotate_carrier_key(r, call, keys(), SiteId{1});
            return true;
        });
    }
    std::vector<crypto::PublicKey> ring() {
        return act([&](Repositories& r, const Call&) { return fleet::ticket_public_keys(r); });
    }
    fleet::TicketKey signing() {
        return act(
            [&](Repositories& r, const Call& call) { return fleet::ticket_key(r, call, keys()); });
    }
};

}  // namespace

TEST_CASE("sites are numbered, keep what was said, and share no key") {
    Desk desk;
    const auto first = desk.add_site();
    const auto second = desk.act([&](Repositories& r, const Call& call) {
        return fleet::create_site(r, call, desk.keys(),
                                  {"石林", "Stone Forest", Calendar{.utc_offset_min = 330}});
    });
    CHECK(first == SiteId{1});
    CHECK(second == SiteId{2});
    desk.act([&](Repositories& r, const Call&) {
        const auto site = fleet::site(r, second);
        REQUIRE(site.has_value());
        CHECK(site->details.name_zh == "石林");
        CHECK(site->details.name_en == "Stone Forest");
        CHECK(site->details.calendar.utc_offset_min == 330);
        CHECK_FALSE(fleet::site(r, SiteId{3}).has_value());
        CHECK(fleet::sites(r).size() == 2);
        const auto one = fleet::site_secrets(r, desk.keys(), first);
        const auto two = fleet::site_secrets(r, desk.keys(), second);
        CHECK(one.carrier_keys.front().key != two.carrier_keys.front().key);
        CHECK(one.holder_keys.front().key != two.holder_keys.front().key);
        CHECK(one.carrier_keys.front().key != one.holder_keys.front().key);
        CHECK(fleet::site_authority(r, desk.keys(), first).public_key() !=
              fleet::site_authority(r, desk.keys(), second).public_key());
        // No gate may meet a signature whose key is still on its way.
        CHECK(fleet::ticket_public_keys(r).size() == 1);
        return true;
    });
}

TEST_CASE("a new carrier key goes in front, and the one before it stays") {
    Keyring yard;
    const auto first = yard.secrets();
    REQUIRE(first.carrier_keys.size() == 1);
    yard.rotate_carrier();
    const auto second = yard.secrets();
    REQUIRE(second.carrier_keys.size() == 2);
    CHECK(second.carrier_keys[1] == first.carrier_keys[0]);
    CHECK(second.carrier_keys[0].id > second.carrier_keys[1].id);
    CHECK(second.carrier_keys[0].key != second.carrier_keys[1].key);
    yard.rotate_carrier();
    const auto third = yard.secrets();
    REQUIRE(third.carrier_keys.size() == 2);  // two during rotation, never three
    CHECK(third.carrier_keys[1] == second.carrier_keys[0]);
    CHECK(third.holder_keys == first.holder_keys);
    CHECK(yard.secrets(SiteId{2}).carrier_keys.size() == 1);
}

TEST_CASE("tickets are signed with the newest key, and the older ones stay in the ring") {
    Keyring yard;
    const auto before = yard.signing();
    CHECK(yard.ring() == std::vector{before.key.public_key()});
    CHECK(before.id == crypto::key_id(before.key.public_key()));
    yard.act([&](Repositories& r, const Call& call) {
        fleet::rotate_ticket_key(r, call, yard.keys());
        return true;
    });
    const auto after = yard.signing();
    CHECK(yard.ring() == std::vector{after.key.public_key(), before.key.public_key()});
    CHECK(after.id != before.id);
    CHECK(yard.signing().id == after.id);  // asking makes none
}

TEST_CASE("keys rest sealed: another master key opens none of them") {
    Keyring yard;
    fleet::Keys wrong = yard.keys();
    wrong.master.fill(0x66);
    yard.act([&](Repositories& r, const Call& call) {
        CHECK_THROWS_AS((void)fleet::site_authority(r, wrong, SiteId{1}), std::runtime_error);
        CHECK_THROWS_AS((void)fleet::site_secrets(r, wrong, SiteId{1}), std::runtime_error);
        CHECK_THROWS_AS((void)fleet::ticket_key(r, call, wrong), std::runtime_error);
        return true;
    });
    CHECK_FALSE(yard.at_rest(to_hex(yard.secrets().carrier_keys.front().key)));
    CHECK_FALSE(yard.at_rest("PRIVATE KEY"));
}
