// Uses across gates: who is told what, and when it was too much.
#include "sync-server/checkins/checkins.hpp"

#include "tests/unit/sync-server/ingest/world.hpp"

using namespace pf;
using namespace pf::tests;
using server::findings::Kind;
using Verdict = wire::Ack::EventVerdict;

namespace {

constexpr TicketId sold{0x7c1f};

ticket::Claims claims(std::uint16_t persons = 1, std::uint16_t entries = 1,
                      ticket::Scope scope = ticket::Scope::validity) {
    return {.id = sold,
            .generation = 1,
            .person_type = ticket::PersonType::adult,
            .persons = persons,
            .holder = {},
            .entitlements = {{.site = SiteId{1},
                              .product = ProductId{1},
                              .first_day = today,
                              .last_day = today + 3,
                              .window = {},
                              .entries = entries,
                              .scope = scope}}};
}

journal::Outcome outcome(std::uint64_t grant, std::uint16_t passed, std::uint16_t returned) {
    return {.grant_seq = grant,
            .passed = passed,
            .returned = returned,
            .how = journal::Outcome::How::timeout};
}

struct Site : World {
    Site() {
        add_site();
        one.emplace(add_gate("gate-1"));
        two.emplace(add_gate("gate-2"));
    }
    void know(const ticket::Claims& what) {
        act([&](Repositories& r, const Call& call) {
            server::checkins::know_ticket(r, call, what);
            return true;
        });
    }
    void refuse_below(std::uint32_t below) {
        act([&](Repositories& r, const Call& call) {
            server::checkins::know_revoked(r, call, sold, below);
            return true;
        });
    }
    std::vector<server::checkins::CheckIn> of_ticket() {
        return act(
            [](Repositories& r, const Call&) { return server::checkins::of_ticket(r, sold); });
    }
    std::uint64_t position() {
        return act(
            [](Repositories& r, const Call&) { return server::checkins::position(r, SiteId{1}); });
    }
    /// Brings everything new of a gate; the verdicts.
    std::vector<std::pair<std::uint64_t, Verdict>> bring(Gate& gate, std::uint64_t from = 1) {
        const auto effects = deliver(gate, gate.batch(from, gate.end()));
        const auto found = acks(effects, device(gate.id()));
        REQUIRE(found.size() == 1);
        return found.front().verdicts;
    }
    wire::Uses ask(const Gate& gate, std::uint64_t after,
                   std::optional<Generation> of = std::nullopt) {
        wire::Want want{
            .what = wire::Want::What::uses, .request = 9, .generation = {}, .after = {}};
        want.generation = of.value_or(generation());
        want.uses_after = after;
        const auto me = device(gate.id());
        const auto found = uses(act([&](Repositories& r, const Call& call) {
                                    return server::checkins::answer_uses(r, call, me, want);
                                }),
                                me);
        REQUIRE(found.size() == 1);
        CHECK(found.front().request == 9);
        return found.front();
    }
    std::optional<Gate> one;
    std::optional<Gate> two;
};

/// A device's copy of the log, as firmware/cache keeps it.
struct Log {
    std::map<GrantId, wire::UseItem> items;
    std::uint64_t position = 0;
    bool apply(const wire::Uses& told) {
        if (told.after > position || told.upto <= position) return false;
        for (const wire::UseItem& item : told.items) items.insert_or_assign(item.grant, item);
        position = told.upto;
        return true;
    }
};

}  // namespace

TEST_CASE("a grant and its outcome make one check-in") {
    Site world;
    const auto lane = world.one->write(admitted(sold, 3, true));
    world.bring(*world.one);
    REQUIRE(world.of_ticket().size() == 1);
    CHECK_FALSE(world.of_ticket().front().settled);
    CHECK(world.of_ticket().front().passed == 0);

    world.one->write(outcome(lane, 2, 1));
    world.now += Millis{1'000};
    CHECK(world.bring(*world.one, 2).empty());
    auto row = world.of_ticket().front();
    CHECK(row.settled);
    CHECK(row.granted == 3);
    CHECK(row.passed == 2);
    CHECK(row.returned == 1);
    CHECK(row.at == start);
    CHECK(row.received_at == start);

    const auto handheld = world.two->write(admitted(sold, 2, false));
    world.bring(*world.two);
    row = world.of_ticket().back();
    CHECK(row.grant == GrantId{world.two->id(), world.two->epoch(), handheld});
    CHECK(row.settled);
    CHECK(row.passed == 2);
    CHECK(world.position() == 3);
}

TEST_CASE("outcomes nobody can book are quarantined and change nothing") {
    struct Case {
        journal::Outcome outcome;
        const char* why;
    };
    const Case cases[] = {
        {outcome(1, 0, 1), "event 1 is no grant"},
        {outcome(2, 2, 1), "more than was granted"},
        {outcome(4, 0, 1), "itself"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        Site world;
        world.one->write_filler(1);
        world.one->write(admitted(sold, 2, true));
        world.one->write_filler(1);
        const auto seq = world.one->write(c.outcome);
        const auto verdicts = world.bring(*world.one);
        REQUIRE(verdicts.size() == 1);
        CHECK(verdicts.front() == std::pair{seq, Verdict::quarantined});
        CHECK(world.of_ticket().front().returned == 0);
        CHECK_FALSE(world.of_ticket().front().settled);
        CHECK(world.findings(Kind::quarantined).size() == 1);
    }
    Site world;
    world.one->write(admitted(sold, 2, true));
    world.one->write(outcome(1, 1, 1));
    world.one->write(outcome(1, 0, 2));
    const auto verdicts = world.bring(*world.one);
    REQUIRE(verdicts.size() == 1);
    CHECK(verdicts.front() == std::pair{std::uint64_t{3}, Verdict::quarantined});
    CHECK(world.of_ticket().front().returned == 1);
}

TEST_CASE("an admission at another site is not booked") {
    Site world;
    auto elsewhere = admitted(sold);
    elsewhere.site = SiteId{2};
    world.one->write(elsewhere);
    const auto verdicts = world.bring(*world.one);
    REQUIRE(verdicts.size() == 1);
    CHECK(verdicts.front().second == Verdict::quarantined);
    CHECK(world.of_ticket().empty());
}

TEST_CASE("every admission beyond the quota is found, exactly once") {
    struct Step {
        int gate;
        std::uint16_t persons;
        int day = 0;
        std::uint16_t returned = 0;
    };
    struct Case {
        const char* name;
        ticket::Claims claims;
        std::vector<Step> steps;
        std::vector<bool> over;  // of each step
    };
    using ticket::Scope;
    const Case cases[] = {
        {"single, twice", claims(), {{1, 1}, {2, 1}}, {false, true}},
        {"single, three gates' worth", claims(), {{1, 1}, {2, 1}, {1, 1}}, {false, true, true}},
        {"group within", claims(3), {{1, 2}, {2, 1}}, {false, false}},
        {"group beyond", claims(3), {{1, 2}, {2, 2}}, {false, true}},
        {"three entries",
         claims(1, 3),
         {{1, 1}, {2, 1}, {1, 1}, {2, 1}},
         {false, false, false, true}},
        {"each day anew",
         claims(1, 1, Scope::day),
         {{1, 1, 0}, {2, 1, 1}, {1, 1, 1}},
         {false, false, true}},
        {"whole validity", claims(1, 1), {{1, 1, 0}, {2, 1, 1}}, {false, true}},
        {"returned counts no more", claims(), {{1, 1, 0, 1}, {2, 1}}, {false, false}},
        {"part returned", claims(2), {{1, 2, 0, 1}, {2, 1}, {1, 1}}, {false, false, true}},
    };
    for (const Case& c : cases) {
        CAPTURE(c.name);
        Site world;
        world.know(c.claims);
        std::size_t expected = 0;
        for (std::size_t i = 0; i < c.steps.size(); ++i) {
            CAPTURE(i);
            const Step& step = c.steps[i];
            Gate& gate = step.gate == 1 ? *world.one : *world.two;
            const auto from = gate.end() + 1;
            auto grant = admitted(sold, step.persons, step.returned > 0);
            grant.day = today + step.day;
            const auto seq = gate.write(grant);
            if (step.returned > 0)
                gate.write(outcome(seq, static_cast<std::uint16_t>(step.persons - step.returned),
                                   step.returned));
            const auto verdicts = world.bring(gate, from);
            expected += c.over[i] ? 1 : 0;
            REQUIRE(verdicts.size() == (c.over[i] ? 1 : 0));
            if (c.over[i]) CHECK(verdicts.front() == std::pair{seq, Verdict::over_admission});
            CHECK(world.bring(gate).size() >= verdicts.size());  // again, from the beginning
            CHECK(world.findings(Kind::over_admission).size() == expected);
        }
    }
}

TEST_CASE("the finding names both grants") {
    Site world;
    world.know(claims());
    world.one->write(admitted(sold));
    world.two->write_filler(2);
    world.two->write(admitted(sold));
    world.bring(*world.one);
    world.bring(*world.two);
    REQUIRE(world.findings().size() == 1);
    const auto finding = world.findings().front();
    CHECK(finding.kind == Kind::over_admission);
    CHECK(finding.ticket == sold);
    CHECK(finding.site == SiteId{1});
    CHECK(finding.device == world.two->id());
    CHECK(finding.epoch == world.two->epoch());
    CHECK(finding.seq == 3);
    CHECK(finding.detail.find("gate-1/0000000000005e0c/1") != std::string::npos);
    CHECK(finding.detail.find("gate-2/0000000000005e0c/3") != std::string::npos);
}

TEST_CASE("a ticket that becomes known later is judged then, once") {
    Site world;
    world.one->write(admitted(sold));
    world.two->write(admitted(sold));
    CHECK(world.bring(*world.one).empty());
    CHECK(world.bring(*world.two).empty());  // nobody knows what it allows
    CHECK(world.findings(Kind::ticket_unknown).size() == 2);
    CHECK(world.findings().size() == 2);
    world.know(claims());
    REQUIRE(world.findings(Kind::over_admission).size() == 1);
    CHECK(world.findings().front().device == world.two->id());
    world.know(claims());
    CHECK(world.findings().size() == 3);
}

TEST_CASE("a refused generation admitted after it was refused is found") {
    struct Case {
        std::uint32_t below;
        std::uint32_t generation;
        Millis at;  // of the admission, after the refusal
        bool found;
        const char* why;
    };
    const Case cases[] = {
        {2, 1, Millis{0}, true, "at the moment"},
        {2, 1, Millis{-1}, false, "before it"},
        {2, 2, Millis{1'000}, false, "the newer generation"},
        {admission::generation_all, 2, Millis{1'000}, true, "every generation"},
        {3, 1, Millis{1'000}, true, "an older one still"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        Site world;
        world.know(claims());
        world.refuse_below(c.below);
        world.now += Millis{60'000};
        world.refuse_below(c.below);  // said again: the first time counts
        auto grant = admitted(sold);
        grant.generation = c.generation;
        world.one->write(grant, start + c.at);
        const auto verdicts = world.bring(*world.one);
        REQUIRE(verdicts.size() == (c.found ? 1 : 0));
        if (c.found) CHECK(verdicts.front().second == Verdict::admitted_revoked);
        CHECK(world.findings(Kind::admitted_revoked).size() == (c.found ? 1 : 0));
        CHECK(world.of_ticket().size() == 1);  // booked all the same: it happened
    }
}

TEST_CASE("gates are told what an outcome knew nothing of, and what came back by itself") {
    using How = pf::journal::Outcome::How;
    struct Row {
        How how;
        std::uint16_t passed, returned;
        std::uint16_t persons, unseen;
        bool automatic;
    };
    const Row rows[] = {
        {How::complete, 3, 0, 3, 0, false},   {How::timeout, 1, 2, 1, 0, true},
        {How::staff_undo, 0, 3, 0, 0, false}, {How::unknown, 1, 0, 3, 2, false},
        {How::fault, 0, 0, 3, 3, false},      {How::emergency, 3, 0, 3, 0, false},
    };
    for (const Row& row : rows) {
        CAPTURE(static_cast<int>(row.how));
        Site world;
        const auto grant = world.one->write(admitted(sold, 3, true));
        world.one->write(pf::journal::Outcome{
            .grant_seq = grant, .passed = row.passed, .returned = row.returned, .how = row.how});
        const auto pushed = uses(world.deliver(*world.one), world.device(world.two->id()));
        const wire::UseItem& item = pushed.back().items.back();
        CHECK(item.persons == row.persons);
        CHECK(item.unseen == row.unseen);
        CHECK(item.automatic_return == row.automatic);
        CHECK_FALSE(item.return_pending);
    }
}

TEST_CASE("uses are pushed to every active gate of the site, each naming the position before it") {
    Site world;
    Gate gone = world.add_gate("gate-3");
    world.act([&](Repositories& r, const Call& call) {
        return server::fleet::revoke(r, call, gone.id());
    });
    Gate far = world.add_gate("far-1", world.add_site());
    const auto lane = world.one->write(admitted(sold, 2, true));
    const auto first = world.deliver(*world.one);
    CHECK(first.moved == std::set<SiteId>{SiteId{1}});
    CHECK(uses(first, world.device(gone.id())).empty());
    CHECK(uses(first, world.device(far.id())).empty());

    auto pushed = uses(first, world.device(world.two->id()));
    REQUIRE(pushed.size() == 1);
    CHECK(pushed.front().request == 0);
    CHECK(pushed.front().after == 0);
    CHECK(pushed.front().upto == 1);
    CHECK(pushed.front().generation == world.generation());
    REQUIRE(pushed.front().items.size() == 1);
    CHECK(pushed.front().items.front() ==
          wire::UseItem{.grant = {world.one->id(), world.one->epoch(), lane},
                        .ticket = sold,
                        .product = ProductId{1},
                        .day = today,
                        .last_day = today + 3,
                        .persons = 2,
                        .return_pending = true,
                        .at = start});
    // The deliverer moves on without hearing what it said.
    const auto own = uses(first, world.device(world.one->id()));
    REQUIRE(own.size() == 1);
    CHECK(own.front().upto == 1);
    CHECK(own.front().items.empty());

    world.one->write(outcome(lane, 1, 1));
    pushed = uses(world.deliver(*world.one), world.device(world.two->id()));
    REQUIRE(pushed.size() == 1);
    CHECK(pushed.front().after == 1);
    CHECK(pushed.front().upto == 2);
    CHECK(pushed.front().items.front().persons == 1);
    CHECK_FALSE(pushed.front().items.front().return_pending);
    // What brings nothing new moves nothing.
    const auto again = world.deliver(*world.one);
    CHECK(again.moved.empty());
    CHECK(uses(again, world.device(world.two->id())).empty());
    // Carried by another, its owner hears of it: its own journal may be lost.
    world.one->write(admitted(TicketId{6}));
    const auto carried = world.deliver(*world.two, world.one->tail(1));
    CHECK(uses(carried, world.device(world.one->id())).front().items.size() == 1);
}

TEST_CASE("a long log is paged; whoever pages ends where whoever was pushed to ends") {
    Site world;
    Log pushed;
    constexpr std::uint64_t grants = 1'150;
    while (world.one->end() < grants) {
        const auto from = world.one->end() + 1;
        for (int i = 0; i < 230 && world.one->end() < grants; ++i)
            world.one->write(admitted(TicketId{world.one->end() + 1}, 1, true));
        for (const auto& told :
             uses(world.deliver(*world.one, world.one->batch(from, world.one->end())),
                  world.device(world.two->id())))
            CHECK(pushed.apply(told));
    }
    CHECK(pushed.items.size() == grants);
    // Some move to the end of the log while a new gate pages.
    Log paged;
    std::size_t pages = 0;
    for (bool more = true; more; ++pages) {
        const auto told = world.ask(*world.two, paged.position);
        CHECK(told.after == paged.position);
        CHECK(told.items.size() <= wire::uses_per_message_max);
        CHECK(paged.apply(told));
        more = told.more;
        if (pages > 1) continue;
        world.one->write(outcome(1 + pages, 1, 0));
        for (const auto& news :
             uses(world.deliver(*world.one, world.one->tail(1)), world.device(world.two->id())))
            CHECK(pushed.apply(news));
    }
    CHECK(pages == 3);
    CHECK(paged.position == world.position());
    CHECK(paged.items == pushed.items);
    const auto end = world.ask(*world.two, paged.position);
    CHECK(end.upto == paged.position);
    CHECK_FALSE(end.more);
    CHECK(world.ask(*world.two, 700, Generation{1}).after == 0);  // a position of another life
}

TEST_CASE("uses whose last day is over are passed over, without a hole") {
    Site world;
    for (int i = 0; i < 6; ++i) {
        auto grant = admitted(TicketId{static_cast<std::uint64_t>(i + 1)});
        grant.last_day = today + (i < 4 ? 0 : 3);
        world.one->write(grant);
    }
    world.bring(*world.one);
    world.now = start + std::chrono::hours{24};
    CHECK(world.ask(*world.two, 0).items.size() == 6);  // a day is left over for lagging clocks
    world.now += std::chrono::hours{24};
    const auto told = world.ask(*world.two, 0);
    CHECK(told.items.size() == 2);
    CHECK(told.upto == 6);
    world.now += std::chrono::hours{24 * 7};
    CHECK(world.ask(*world.two, 0).items.empty());
    CHECK(world.ask(*world.two, 0).upto == 6);
    CHECK_FALSE(world.ask(*world.two, 0).more);
}

TEST_CASE("an admission on a ticket nobody here knows is told at once, each of them") {
    Site site;
    site.one->write(admitted(sold));
    site.two->write(admitted(sold));
    CHECK(site.bring(*site.one).empty());
    site.deliver(*site.two);
    CHECK(site.findings(Kind::ticket_unknown).size() == 2);
    CHECK(site.findings(Kind::ticket_unknown)[0].ticket == sold);
    site.deliver(*site.two);
    CHECK(site.findings().size() == 2);
    // A known ticket is silent, and one that is known later is counted with what came before.
    site.know(claims());
    CHECK(site.findings(Kind::over_admission).size() == 1);
    site.one->write(admitted(sold, 1));
    site.deliver(*site.one);
    CHECK(site.findings(Kind::ticket_unknown).size() == 2);
}
