// What headquarters must look at: raised once, never lost, newest first.
#include "sync-server/findings/findings.hpp"

#include <set>

#include "tests/unit/sync-server/desk.hpp"

using namespace pf;
using namespace pf::tests;
using server::findings::Finding;
using server::findings::Kind;

namespace {

constexpr Kind kinds[] = {
    Kind::over_admission, Kind::admitted_revoked, Kind::fork,           Kind::quarantined,
    Kind::clock_wrong,    Kind::forged,           Kind::foreign_topic,  Kind::revoked_device,
    Kind::state_lost,     Kind::reported,         Kind::ticket_unknown, Kind::loss_claimed,
};

struct Office : Desk {
    void raise(const Finding& finding) {
        act([&](Repositories& r, const Call& call) {
            server::findings::raise(r, call, finding);
            return true;
        });
    }
    std::vector<Finding> newest(std::uint64_t before = INT64_MAX, std::size_t limit = 100) {
        return act([&](Repositories& r, const Call&) {
            return server::findings::newest(r, before, limit);
        });
    }
};

Finding full() {
    return {.id = 0,
            .kind = Kind::over_admission,
            .at = wall_from_ms(5'000),
            .site = SiteId{3},
            .device = *DeviceId::parse("gate-1"),
            .ticket = TicketId{0x7c1f},
            .epoch = Epoch{0xffffffffffffffff},
            .seq = 9,
            .detail = "黄山 'two' grants; DROP TABLE finding"};
}

}  // namespace

TEST_CASE("a finding comes back as it was raised") {
    Office office;
    office.raise(full());
    office.raise({.kind = Kind::foreign_topic,
                  .at = {},
                  .site = {},
                  .device = {},
                  .ticket = {},
                  .epoch = {},
                  .detail = {}});
    const auto found = office.newest();
    REQUIRE(found.size() == 2);
    const Finding expected = full();
    CHECK(found[1].id == 1);
    CHECK(found[1].kind == expected.kind);
    CHECK(found[1].at == expected.at);
    CHECK(found[1].site == expected.site);
    CHECK(found[1].device == expected.device);
    CHECK(found[1].ticket == expected.ticket);
    CHECK(found[1].epoch == expected.epoch);
    CHECK(found[1].seq == expected.seq);
    CHECK(found[1].detail == expected.detail);
    CHECK(found[0].id == 2);
    CHECK(found[0].at == office.now);  // whoever says no time means now
    CHECK_FALSE(found[0].site.has_value());
    CHECK_FALSE(found[0].device.has_value());
    CHECK_FALSE(found[0].ticket.has_value());
    CHECK_FALSE(found[0].epoch.has_value());
}

TEST_CASE("the same finding raised again is one, anything else about it is another") {
    struct Case {
        void (*change)(Finding&);
        bool another;
        const char* why;
    };
    const Case cases[] = {
        {[](Finding&) {}, false, "the same"},
        {[](Finding& f) { f.at = wall_from_ms(6'000); }, false, "later"},
        {[](Finding& f) { f.detail = "other words"; }, false, "in other words"},
        {[](Finding& f) { f.site = SiteId{4}; }, false, "the device says where"},
        {[](Finding& f) { f.kind = Kind::fork; }, true, "another kind"},
        {[](Finding& f) { f.device = DeviceId::parse("gate-2"); }, true, "another device"},
        {[](Finding& f) { f.device.reset(); }, true, "no device"},
        {[](Finding& f) { f.ticket = TicketId{1}; }, true, "another ticket"},
        {[](Finding& f) { f.ticket.reset(); }, true, "no ticket"},
        {[](Finding& f) { f.epoch = Epoch{1}; }, true, "another epoch"},
        {[](Finding& f) { f.seq = 10; }, true, "another event"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        Office office;
        office.raise(full());
        Finding again = full();
        c.change(again);
        office.raise(again);
        office.raise(again);
        CHECK(office.newest().size() == (c.another ? 2 : 1));
        CHECK(office.newest().back().detail == full().detail);  // the first word stays
    }
}

TEST_CASE("what concerns no device is raised once too") {
    Office office;
    Finding nameless{.kind = Kind::foreign_topic,
                     .at = {},
                     .site = {},
                     .device = {},
                     .ticket = {},
                     .epoch = {},
                     .seq = 4,
                     .detail = {}};
    office.raise(nameless);
    office.raise(nameless);
    CHECK(office.newest().size() == 1);
}

TEST_CASE("pages go from the newest to the oldest without a hole") {
    Office office;
    for (std::uint64_t seq = 1; seq <= 7; ++seq) {
        Finding finding = full();
        finding.seq = seq;
        office.raise(finding);
    }
    std::vector<std::uint64_t> seen;
    std::uint64_t before = INT64_MAX;
    for (;;) {
        const auto page = office.newest(before, 3);
        if (page.empty()) break;
        CHECK(page.size() <= 3);
        for (const Finding& finding : page) seen.push_back(finding.seq);
        before = page.back().id;
    }
    CHECK(seen == std::vector<std::uint64_t>{7, 6, 5, 4, 3, 2, 1});
    CHECK(office.newest(1).empty());
}

TEST_CASE("every kind has a word of its own and survives the database") {
    Office office;
    std::set<std::string_view> words;
    for (const Kind kind : kinds) {
        words.insert(server::findings::to_text(kind));
        Finding finding = full();
        finding.kind = kind;
        office.raise(finding);
        CHECK(office.newest().front().kind == kind);
    }
    CHECK(words.size() == std::size(kinds));
    CHECK_FALSE(words.contains(""));
}
