// Batches in every order they can arrive in, honest and not.
#include "sync-server/checkins/checkins.hpp"
#include "tests/unit/sync-server/ingest/world.hpp"

using namespace pf;
using namespace pf::tests;
using server::findings::Kind;
using Verdict = wire::Ack::EventVerdict;

namespace {

/// A site with two gates; gate 1 has 10 plain events.
struct TwoGates : World {
    TwoGates() {
        add_site();
        one.emplace(add_gate("gate-1"));
        two.emplace(add_gate("gate-2"));
        one->write_filler(10);
    }
    wire::Ack only_ack(const Effects& effects, const Gate& gate) {
        const auto found = acks(effects, device(gate.id()));
        REQUIRE(found.size() == 1);
        return found.front();
    }
    /// Where the sender's batch on a branch leads; the second ack shows it the first history.
    wire::Ack branch_ack(const Effects& effects, const Gate& gate) {
        const auto found = acks(effects, device(gate.id()));
        REQUIRE(found.size() == 2);
        CHECK(found.back().upto == cursor(gate.epoch()));
        return found.front();
    }
    std::size_t stored() {
        return act([](Repositories& r, const Call&) {
                   return server::ingest::log_after(r, 0, 10'000);
               })
            .size();
    }
    std::optional<journal::Cursor> cursor(Epoch epoch) {
        return act([&](Repositories& r, const Call&) {
            return server::ingest::cursor(r, one->id(), epoch);
        });
    }
    std::optional<Gate> one;
    std::optional<Gate> two;
};

}  // namespace

TEST_CASE("batches of one history in any order leave each event stored once") {
    struct Step {
        std::uint64_t first, last;
        std::uint64_t acked;  // upto of the answer
    };
    struct Case {
        const char* name;
        std::vector<Step> steps;
        std::uint64_t end;  // cursor and events stored afterwards
        const char* why;
    };
    const Case cases[] = {
        {"first", {{1, 10, 10}}, 10, "everything is new"},
        {"next", {{1, 4, 4}, {5, 10, 10}}, 10, "follows on"},
        {"repeat", {{1, 10, 10}, {1, 10, 10}}, 10, "identical events are skipped"},
        {"behind", {{1, 10, 10}, {2, 5, 5}}, 10, "a repeated part is acked at its own end"},
        {"overlap", {{1, 6, 6}, {4, 9, 9}}, 9, "only what is new is stored"},
        {"gap", {{1, 3, 3}, {6, 10, 3}}, 3, "nothing is stored from behind a gap"},
        {"gap at first", {{4, 10, 0}}, 0, "nothing yet: genesis"},
        {"gap closed", {{6, 10, 0}, {1, 5, 5}, {6, 10, 10}}, 10, "the device sent again"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.name);
        CAPTURE(c.why);
        TwoGates world;
        for (const Step& step : c.steps) {
            const auto effects = world.deliver(*world.one, world.one->batch(step.first, step.last));
            const wire::Ack ack = world.only_ack(effects, *world.one);
            CHECK(ack.upto == world.one->at(step.acked));
            CHECK(ack.generation == world.generation());
            CHECK(ack.verdicts.empty());
        }
        CHECK(world.stored() == c.end);
        if (c.end > 0) CHECK(world.cursor(world.one->epoch()) == world.one->at(c.end));
        CHECK(world.findings().empty());
    }
}

TEST_CASE("a fork keeps both histories, and the branch goes on under its own name") {
    TwoGates world;
    world.deliver(*world.one);
    Gate copy = *world.one;  // an old copy of the file
    copy.roll_back(5);
    copy.write_filler(1);
    copy.write_filler(1);
    const Epoch branch = server::ingest::branch_epoch(copy.epoch(), copy.at(6).head);

    SUBCASE("whole batch") {
        CHECK(world.branch_ack(world.deliver(copy, copy.batch(6, 7)), copy).upto == copy.at(7));
    }
    SUBCASE("inside a batch that begins with what is known") {
        CHECK(world.branch_ack(world.deliver(copy, copy.batch(3, 7)), copy).upto == copy.at(7));
    }
    SUBCASE("from the beginning, twice") {
        world.deliver(copy);
        CHECK(world.branch_ack(world.deliver(copy), copy).upto == copy.at(7));
    }
    CHECK(world.cursor(copy.epoch()) == world.one->at(10));
    CHECK(world.cursor(branch) == journal::Cursor{branch, 7, copy.at(7).head});
    CHECK(world.stored() == 12);
    REQUIRE(world.findings().size() == 1);
    CHECK(world.findings().front().kind == Kind::fork);
    CHECK(world.findings().front().seq == 6);

    // The branch continues, the first history too.
    copy.write_filler(3);
    CHECK(world.branch_ack(world.deliver(copy, copy.tail(3)), copy).upto == copy.at(10));
    CHECK(world.cursor(branch)->seq == 10);
    world.one->write_filler(2);
    CHECK(world.only_ack(world.deliver(*world.one, world.one->tail(2)), *world.one).upto ==
          world.one->at(12));
    CHECK(world.stored() == 17);
    CHECK(world.findings().size() == 1);

    // A copy of the copy: a branch of the branch.
    Gate third = copy;
    third.roll_back(8);
    third.write(journal::Booted{"third"});
    CHECK(world.branch_ack(world.deliver(third, third.tail(2)), third).upto == third.at(9));
    CHECK(world.stored() == 18);
    CHECK(world.findings(Kind::fork).size() == 2);
    CHECK(world.branch_ack(world.deliver(third), third).upto == third.at(9));
    CHECK(world.stored() == 18);
}

TEST_CASE("a batch of a history whose beginning is not here is not promised") {
    TwoGates world;
    world.deliver(*world.one);
    Gate copy = *world.one;
    copy.roll_back(5);
    copy.write(journal::Booted{"a"});
    copy.write(journal::Booted{"b"});
    const auto ack = world.only_ack(world.deliver(copy, copy.batch(7, 7)), copy);
    CHECK(ack.upto == world.one->at(10));  // the device sees another head and starts over
    CHECK(world.stored() == 10);
    CHECK(world.findings(Kind::fork).size() == 1);
    // What was missing arrives: everything is kept, once.
    CHECK(world.branch_ack(world.deliver(copy, copy.batch(6, 7)), copy).upto == copy.at(7));
    CHECK(world.stored() == 12);
}

TEST_CASE("batches nobody may book are kept aside and not acknowledged") {
    struct Case {
        const char* name;
        void (*spoil)(TwoGates&, wire::Batch&);
        Kind kind;
    };
    const Case cases[] = {
        {"signed by another gate",
         [](TwoGates& w, wire::Batch& b) { b.signature = w.two->all().signature; }, Kind::forged},
        {"an event exchanged",
         [](TwoGates&, wire::Batch& b) { std::swap(b.events[2], b.events[3]); }, Kind::forged},
        {"in the name of another gate", [](TwoGates& w, wire::Batch& b) { b.device = w.two->id(); },
         Kind::forged},
        {"of a device nobody knows",
         [](TwoGates&, wire::Batch& b) { b.device = *DeviceId::parse("gate-9"); },
         Kind::quarantined},
        {"of a revoked device",
         [](TwoGates& w, wire::Batch&) {
             w.act([&](Repositories& r, const Call& call) {
                 return server::fleet::revoke(r, call, w.one->id());
             });
         },
         Kind::revoked_device},
        {"of another site's device",
         [](TwoGates& w, wire::Batch& b) {
             Gate far = w.add_gate("far-1", w.add_site());
             far.write_filler(1);
             b = far.all();
         },
         Kind::quarantined},
    };
    for (const Case& c : cases) {
        CAPTURE(c.name);
        TwoGates world;
        world.two->write_filler(10);
        wire::Batch batch = world.one->all();
        c.spoil(world, batch);
        for (int i = 0; i < 2; ++i) CHECK(world.deliver(*world.two, batch).messages.empty());
        CHECK(world.stored() == 0);
        REQUIRE(world.findings().size() == 1);
        CHECK(world.findings().front().kind == c.kind);
        CHECK(world.findings().front().device == batch.device);
    }
}

TEST_CASE("a revoked sender is not heard, not even with another's events") {
    TwoGates world;
    world.act([&](Repositories& r, const Call& call) {
        return server::fleet::revoke(r, call, world.two->id());
    });
    CHECK(world.deliver(*world.two, world.one->all()).messages.empty());
    CHECK(world.stored() == 0);
    CHECK(world.findings(Kind::revoked_device).size() == 1);
}

TEST_CASE("another gate of the site may carry a batch; the answer goes to the carrier") {
    TwoGates world;
    const auto effects = world.deliver(*world.two, world.one->all());
    CHECK(world.only_ack(effects, *world.two).upto == world.one->at(10));
    CHECK(acks(effects, world.device(world.one->id())).empty());
    CHECK(world.stored() == 10);
    // Its own delivery finds everything here.
    CHECK(world.only_ack(world.deliver(*world.one), *world.one).upto == world.one->at(10));
    CHECK(world.stored() == 10);
    // A carrier can do nothing about another gate's fork.
    Gate copy = *world.one;
    copy.roll_back(5);
    copy.write(journal::Booted{"copy"});
    CHECK(world.only_ack(world.deliver(*world.two, copy.batch(6, 6)), *world.two).upto ==
          copy.at(6));
}

TEST_CASE("an event that can't be booked is chained and kept, and blocks nothing") {
    struct Case {
        const char* name;
        Bytes event;
    };
    const Case cases[] = {
        {"of newer firmware",
         *from_hex("870b0b1b0000019de10ce9481a00011d2848b0075e3c21d8a94f04a101f5")},
        {"a known kind with an unknown key",
         *from_hex("870b021b0000019de10ce9481a00011d2848b0075e3c21d8a94f04a20165302e312e300201")},
        {"no CBOR at all", {0xff, 0x00}},
        {"saying it is another event", journal::encode({.seq = 99,
                                                        .wall = start,
                                                        .steady = SteadyTime{},
                                                        .boot = BootId{7},
                                                        .clock = journal::ClockQuality::confirmed,
                                                        .body = journal::Booted{"x"}})},
    };
    for (const Case& c : cases) {
        CAPTURE(c.name);
        TwoGates world;
        world.one->write_raw(c.event);
        const auto admission = world.one->write(admitted(TicketId{5}));
        for (int i = 0; i < 2; ++i) {  // the verdict is said again when the batch comes again
            const auto ack = world.only_ack(world.deliver(*world.one), *world.one);
            CHECK(ack.upto == world.one->at(12));
            REQUIRE(ack.verdicts.size() == 1);
            CHECK(ack.verdicts.front() == std::pair{std::uint64_t{11}, Verdict::quarantined});
        }
        // The admission is told as well: nobody sold that ticket here.
        REQUIRE(world.findings().size() == 2);
        REQUIRE(world.findings(Kind::quarantined).size() == 1);
        CHECK(world.findings(Kind::quarantined).front().seq == 11);
        const auto checkins = world.act([](Repositories& r, const Call&) {
            return server::checkins::of_ticket(r, TicketId{5});
        });
        REQUIRE(checkins.size() == 1);
        CHECK(checkins.front().grant.seq == admission);
    }
}

TEST_CASE("a clock that says it is right and is ahead is a verdict and one finding a batch") {
    using journal::ClockQuality;
    struct Case {
        Millis ahead;
        ClockQuality clock;
        bool wrong;
        const char* why;
    };
    const Case cases[] = {
        {server::ingest::clock_ahead_max_ms, ClockQuality::confirmed, false, "just allowed"},
        {server::ingest::clock_ahead_max_ms + Millis{1}, ClockQuality::confirmed, true, "ahead"},
        {server::ingest::clock_ahead_max_ms + Millis{1}, ClockQuality::unconfirmed, true, "ahead"},
        {std::chrono::hours{24}, ClockQuality::unsure, false, "the device said it does not know"},
        {std::chrono::hours{24}, ClockQuality::unset, false, "the device said it does not know"},
        {-std::chrono::hours{24 * 30}, ClockQuality::confirmed, false, "a month offline"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        TwoGates world;
        world.one->write(journal::Booted{"a"}, start + c.ahead, c.clock);
        world.one->write(journal::Booted{"b"}, start + c.ahead, c.clock);
        const auto ack = world.only_ack(world.deliver(*world.one), *world.one);
        CHECK(ack.verdicts.size() == (c.wrong ? 2 : 0));
        for (const auto& [seq, verdict] : ack.verdicts) CHECK(verdict == Verdict::clock_wrong);
        CHECK(world.findings(Kind::clock_wrong).size() == (c.wrong ? 1 : 0));
    }
}

TEST_CASE("what a device finds is told to headquarters once") {
    TwoGates world;
    world.one->write(journal::finding("list_mismatch", "bucket 7 differed"));
    world.deliver(*world.one);
    world.deliver(*world.one);
    REQUIRE(world.findings().size() == 1);
    CHECK(world.findings().front().kind == Kind::reported);
    CHECK(world.findings().front().detail == "list_mismatch: bucket 7 differed");
    CHECK(world.findings().front().device == world.one->id());
}

TEST_CASE("an outcome on a branch ends the grant from before the fork") {
    TwoGates world;
    const auto grant = world.one->write(admitted(TicketId{5}, 2, true));
    Gate copy = *world.one;
    world.one->write_filler(2);
    world.deliver(*world.one);
    copy.write(journal::Booted{"copy"});
    copy.write(journal::Outcome{
        .grant_seq = grant, .passed = 1, .returned = 1, .how = journal::Outcome::How::timeout});
    CHECK(world.branch_ack(world.deliver(copy), copy).verdicts.empty());
    const auto checkins = world.act(
        [](Repositories& r, const Call&) { return server::checkins::of_ticket(r, TicketId{5}); });
    REQUIRE(checkins.size() == 1);
    CHECK(checkins.front().returned == 1);
    CHECK(checkins.front().settled);
}

TEST_CASE("a list a device says it applied is what it holds") {
    TwoGates world;
    const auto held = [&]() -> std::uint64_t {
        const auto said = world.act([&](Repositories& r, const Call&) {
            return server::fleet::report(r, world.one->id());
        });
        return !said || said->birth.lists.empty() ? 0 : said->birth.lists.front().version;
    };
    const auto applied = [](std::uint64_t version) {
        return journal::ListApplied{
            .scope = 1, .generation = Generation{1}, .version = version, .root = {}};
    };
    world.one->write(applied(3));
    world.deliver(*world.one);
    CHECK(held() == 0);  // it never told what it held before
    const auto me = world.device(world.one->id());
    wire::Birth birth;
    birth.connect_counter = 1;
    birth.journal = world.one->at(world.one->end());
    world.act([&](Repositories& r, const Call& call) {
        server::fleet::on_birth(r, call, me, birth);
        return true;
    });
    world.one->write(applied(4));
    world.deliver(*world.one);
    CHECK(held() == 4);
    // An old copy of the file says what was, not what is.
    Gate copy = *world.one;
    copy.roll_back(5);
    copy.write(applied(9));
    world.deliver(copy);
    CHECK(held() == 4);
}

TEST_CASE("the sync log has every event of every device in order of arrival") {
    TwoGates world;
    world.two->write_filler(2);
    world.deliver(*world.one, world.one->batch(1, 3));
    world.now += Millis{5'000};
    world.deliver(*world.two);
    world.deliver(*world.one, world.one->batch(1, 5));
    const auto log =
        world.act([](Repositories& r, const Call&) { return server::ingest::log_after(r, 2, 4); });
    REQUIRE(log.size() == 4);
    const std::pair<const char*, std::uint64_t> expected[] = {
        {"gate-1", 3}, {"gate-2", 1}, {"gate-2", 2}, {"gate-1", 4}};
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(log[i].position == i + 3);
        CHECK(log[i].device.text() == expected[i].first);
        CHECK(log[i].seq == expected[i].second);
    }
    CHECK(log[0].received_at == start);
    CHECK(log[1].received_at == start + Millis{5'000});
}

TEST_CASE("a sender gone mad fills its own share of the quarantine only") {
    TwoGates world;
    const auto one = world.device(world.one->id());
    world.act([&](Repositories& r, const Call& call) {
        for (std::size_t i = 0; i < server::ingest::quarantine_payloads_max + 5; ++i)
            server::ingest::on_malformed(r, call, one, as_bytes(std::to_string(i)), "test");
        return true;
    });
    const auto number = [&](std::string_view sender, std::string_view payload) {
        return world.act([&](Repositories& r, const Call& call) {
            return server::ingest::quarantine(r, call, sender, as_bytes(payload), "test");
        });
    };
    CHECK_FALSE(number("gate-1", "new").has_value());
    CHECK(number("gate-1", "7") == 8);  // there already
    CHECK(number("gate-2", "new") == server::ingest::quarantine_payloads_max + 1);
}

TEST_CASE("the name of a branch is no epoch a device may speak of") {
    TwoGates world;
    world.deliver(*world.one);
    Gate copy = *world.one;
    copy.roll_back(5);
    copy.write_filler(3);
    world.deliver(copy, copy.batch(6, 8));
    const Epoch branch = server::ingest::branch_epoch(copy.epoch(), copy.at(6).head);
    const auto end = world.cursor(branch);
    REQUIRE(end->seq == 8);

    Gate liar = world.one->anew(branch.value);
    SUBCASE("a longer journal under it") { liar.write_filler(20); }
    SUBCASE("a shorter one") { liar.write_filler(2); }
    SUBCASE("begins") {
        liar.write_filler(30);
        const auto me = world.device(liar.id());
        world.act([&](Repositories& r, const Call& call) {
            return server::ingest::on_begins(r, call, me, {liar.at(30)});
        });
    }
    const auto stored = world.stored();
    CHECK(acks(world.deliver(liar), world.device(liar.id())).empty());
    CHECK(world.cursor(branch) == end);
    CHECK(world.stored() == stored);
    CHECK_FALSE(world.findings(Kind::fork).empty());
}

TEST_CASE("a fork whose branch would get the name of an epoch in use is kept aside") {
    TwoGates world;
    Gate copy = *world.one;
    copy.roll_back(5);
    copy.write_filler(3);
    const Epoch branch = server::ingest::branch_epoch(copy.epoch(), copy.at(6).head);
    Gate squatter = world.one->anew(branch.value);
    squatter.write_filler(12);
    world.deliver(squatter);
    world.deliver(*world.one);
    const auto stored = world.stored();

    world.deliver(copy, copy.batch(4, 8));
    CHECK(world.stored() == stored);
    CHECK(world.cursor(branch) == squatter.at(12));
    CHECK(world.cursor(copy.epoch()) == world.one->at(10));
    REQUIRE(world.findings(Kind::fork).size() == 1);
    CHECK(world.findings(Kind::fork)[0].detail.find("kept as") != std::string::npos);
}

TEST_CASE("whose quarantine is full raises no finding a batch either") {
    TwoGates world;
    world.act([&](Repositories& r, const Call& call) {
        for (std::size_t i = 0; i < server::ingest::quarantine_payloads_max; ++i) {
            const std::string payload = std::to_string(i);
            server::ingest::quarantine(r, call, world.one->id().text(), as_bytes(payload), "x");
        }
        return true;
    });
    for (std::uint64_t i = 1; i <= 5; ++i) {
        wire::Batch forged = world.one->batch(i, i);
        forged.signature[0] ^= 1;
        world.deliver(*world.one, forged);
    }
    REQUIRE(world.findings(Kind::forged).size() == 1);
    CHECK(world.findings()[0].detail.find("full") != std::string::npos);
}
