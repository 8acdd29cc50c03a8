// Events up (docs/protocol/sync-v1.md, 8.1 to 8.7).
#include <doctest/doctest.h>

#include "tests/unit/firmware/sync/device.hpp"

namespace {

using namespace pf;
using namespace pf::tests;

// The journal's own first event is EpochOpened, number 1.

TEST_CASE("the birth comes first and says where the device stands") {
    Device device;
    device.add_events(2);
    device.link_up();
    REQUIRE_FALSE(device.host.sent.empty());
    CHECK(device.host.sent.front().first == wire::topic(device.root, Up::birth));
    const auto births = device.take(Up::birth, wire::decode_birth);
    REQUIRE(births.size() == 1);
    CHECK(births[0].connect_counter == 1);
    CHECK(births[0].journal == device.journal->end());
    CHECK_FALSE(births[0].confirmed.has_value());
    device.ack(2);
    device.restart();
    device.link_up();
    const auto again = device.take(Up::birth, wire::decode_birth);
    CHECK(again[0].connect_counter == 2);
    REQUIRE(again[0].confirmed.has_value());
    CHECK(again[0].confirmed->seq == 2);
    CHECK(again[0].confirmed_generation == life);
}

TEST_CASE("signed batches in order, until the server has everything for good") {
    Device device;
    device.add_events(2);
    CHECK(device.engine->status().unconfirmed == 3);
    device.link_up();
    CHECK(device.sent_events() == "1-3");
    device.add_events(1);
    device.pass(1);
    CHECK(device.sent_events() == "4-4");
    device.ack(3);
    CHECK(device.engine->status().unconfirmed == 1);
    device.ack(4);
    CHECK(device.engine->status().unconfirmed == 0);
    device.pass(60'000);
    CHECK(device.sent_events().empty());
    CHECK(device.host.acks.size() == 2);
}

TEST_CASE("at most four batches are out") {
    Device device;
    device.add_events(6 * 256 - 1);
    device.link_up();
    CHECK(device.sent_events() == "1-256 257-512 513-768 769-1024");
    device.pass(1);
    CHECK(device.sent_events().empty());
    SUBCASE("each ack lets one more go") {
        device.ack(256);
        CHECK(device.sent_events() == "1025-1280");
    }
    SUBCASE("one ack may confirm several") {
        device.ack(1'024);
        CHECK(device.sent_events() == "1025-1280 1281-1536");
    }
    SUBCASE("an ack inside a batch leaves it out") {
        device.ack(300);
        CHECK(device.sent_events() == "1025-1280");
    }
}

TEST_CASE("a lost batch: the outbox goes back once per wait, not once per answer") {
    Device device;
    device.add_events(5 * 256 - 1);
    device.link_up();
    (void)device.sent_events();
    SUBCASE("the first of four") {
        // The server answers the other three with where it stands.
        device.ack(0);
        CHECK(device.sent_events() == "1-256 257-512 513-768 769-1024");
        device.ack(0);
        device.ack(0);
        CHECK(device.sent_events().empty());
        // The answers to what was sent again go forward.
        device.ack(256);
        CHECK(device.sent_events() == "1025-1280");
        // Lost once more: no answer comes, and the wait ends.
        device.pass(5'000);
        CHECK(device.sent_events() == "257-512 513-768 769-1024 1025-1280");
    }
    SUBCASE("the second of four") {
        device.ack(256);
        CHECK(device.sent_events() == "1025-1280");
        device.ack(256);
        CHECK(device.sent_events() == "257-512 513-768 769-1024 1025-1280");
        device.ack(256);
        CHECK(device.sent_events().empty());
    }
    SUBCASE("lost again: going back is allowed anew after the wait") {
        device.ack(0);
        (void)device.sent_events();
        device.pass(4'999);
        CHECK(device.sent_events().empty());
        device.pass(1);
        CHECK(device.sent_events() == "1-256 257-512 513-768 769-1024");
        device.ack(0);
        CHECK(device.sent_events() == "1-256 257-512 513-768 769-1024");
    }
}

TEST_CASE("without an answer everything unconfirmed is sent again, after waits that grow") {
    Device device;
    device.link_up();
    CHECK(device.sent_events() == "1-1");
    device.pass(4'999);
    CHECK(device.sent_events().empty());
    device.pass(1);
    CHECK(device.sent_events() == "1-1");
    device.pass(9'999);
    CHECK(device.sent_events().empty());
    device.pass(1);
    CHECK(device.sent_events() == "1-1");
    // However long it takes: nothing is dropped after any number of tries.
    for (int i = 0; i < 100; ++i) device.pass(60'000);
    CHECK(device.engine->status().unconfirmed == 1);
    CHECK_FALSE(device.sent_events().empty());
}

TEST_CASE("a link that is full is tried again") {
    Device device;
    device.link_up();
    (void)device.sent_events();
    device.ack(1);
    device.host.link_full = true;
    device.add_events(1);
    device.pass(1);
    device.host.link_full = false;
    CHECK(device.engine->wake_at().has_value());
    device.pass(1);
    CHECK(device.sent_events() == "2-2");
}

TEST_CASE("a new connection begins after the last confirmed event") {
    Device device;
    device.add_events(2);
    device.link_up();
    device.ack(1);
    (void)device.sent_events();
    device.engine->on_link_down(device.now());
    device.pass(100'000);
    CHECK(device.sent_events().empty());
    CHECK_FALSE(device.engine->wake_at().has_value());
    device.link_up();
    CHECK(device.sent_events() == "2-3");
}

TEST_CASE("generations") {
    Device device;
    device.add_events(9);
    device.link_up();
    device.ack(10);
    (void)device.sent_events();
    SUBCASE("a restored server has forgotten: it gets everything after what it still has") {
        device.ack(4, next_life);
        CHECK(device.sent_events() == "5-10");
        CHECK(device.engine->status().unconfirmed == 6);
        SUBCASE("and the old life's word counts no more") {
            device.ack(10, life);
            CHECK(device.engine->status().unconfirmed == 6);
        }
        SUBCASE("also after a restart") {
            device.restart();
            CHECK(device.engine->status().unconfirmed == 6);
            device.link_up();
            device.ack(10, life);
            CHECK(device.engine->status().unconfirmed == 6);
        }
    }
    SUBCASE("a server that has nothing") {
        device.ack(0, next_life);
        CHECK(device.sent_events() == "1-10");
    }
}

TEST_CASE("an ack this file can't have given rise to: the file is an old copy") {
    struct Row {
        const char* what;
        std::uint64_t seq;
    };
    for (const Row& row : {Row{"beyond the end", 9}, Row{"another head", 2}}) {
        CAPTURE(row.what);
        Device device;
        device.add_events(2);
        device.link_up();
        (void)device.sent_events();
        const Epoch old_epoch = device.journal->end().epoch;
        wire::Ack ack{life, {old_epoch, row.seq, {}}, {}};
        ack.upto.head.fill(0xee);
        device.say(Down::ack, wire::encode(ack));
        CHECK(device.journal->end().epoch != old_epoch);
        CHECK(device.journal->epochs().size() == 2);
        CHECK(device.findings() == std::vector<std::string>{"journal_rolled_back"});
        // The old epoch first, then the new one.
        CHECK(device.sent_events() == "1-3");
        device.say(Down::ack,
                   wire::encode(wire::Ack{
                       life, {old_epoch, 3, *device.journal->head_at(old_epoch, 3)}, {}}));
        const auto batches = device.batches();
        REQUIRE(batches.size() == 1);
        CHECK(batches[0].epoch == device.journal->end().epoch);
        CHECK(batches[0].first_seq == 1);
        // The same ack once more is old news.
        device.say(Down::ack, wire::encode(ack));
        CHECK(device.journal->epochs().size() == 2);
    }
}

/// Two months later: events up to `gone` were confirmed and are forgotten.
void forget(Device& device, std::uint64_t gone) {
    constexpr std::chrono::hours day{24};
    const fj::Stamp later{noon + 60 * day, SteadyTime{Millis{1'000}}, BootId{11},
                          pf::journal::ClockQuality::confirmed};
    REQUIRE(device.journal->append(later, pf::journal::Booted{"1.0"}).has_value());
    for (std::uint64_t slice = 1; slice > 0;) {
        const auto pruned =
            device.journal->prune(noon + 30 * day, Day{30'000}, {device.cursor(gone)});
        REQUIRE(pruned.has_value());
        slice = *pruned;
    }
    REQUIRE(device.journal->epochs().back().begin.seq == gone);
}

TEST_CASE("a server restored further back than the file reaches is told where the file begins") {
    struct Row {
        const char* what;
        std::uint64_t server_stands;
    };
    for (const Row& row : {Row{"it has nothing", 0}, Row{"it has less than is gone", 7}}) {
        CAPTURE(row.what);
        Device device;
        const Epoch epoch = device.journal->end().epoch;
        device.add_events(24);
        const auto asked = device.cursor(row.server_stands);
        forget(device, 20);
        const auto begin = device.journal->epochs().back().begin;
        const wire::Ack old{next_life, asked, {}};
        device.link_up();
        (void)device.sent_events();
        (void)device.take(Up::begins, wire::decode_begins);

        device.say(Down::ack, wire::encode(old));
        for (int i = 0; i < 20; ++i) {
            device.say(Down::ack, wire::encode(old));
            device.pass(60'000);
        }
        // No old copy of the file, no batch that can't follow on, one finding, no storm.
        CHECK(device.journal->end().epoch == epoch);
        CHECK(device.sent_events().empty());
        CHECK(device.findings() == std::vector<std::string>{"server_forgot_more"});
        const auto told = device.take(Up::begins, wire::decode_begins);
        CHECK(told.size() >= 5);
        CHECK(told.size() <= 25);
        for (const wire::Begins& each : told) CHECK(each.begin == begin);

        device.say(Down::ack, wire::encode(wire::Ack{next_life, begin, {}}));
        CHECK(device.sent_events() == "21-" + std::to_string(device.journal->end().seq));
        CHECK(device.take(Up::begins, wire::decode_begins).empty());
        device.ack(device.journal->end().seq, next_life);
        CHECK(device.engine->status().unconfirmed == 0);
    }
}

TEST_CASE("the command resend") {
    Device device;
    device.add_events(4);
    device.link_up();
    device.ack(5);
    (void)device.sent_events();
    CHECK(device.engine->resend_from(2));
    CHECK(device.engine->status().unconfirmed == 3);
    device.pass(1);
    CHECK(device.sent_events() == "3-5");
    CHECK_FALSE(device.engine->resend_from(99));  // no such event: nothing happens
    device.ack(5);
    CHECK(device.engine->status().unconfirmed == 0);
    CHECK(device.engine->resend_from(0));  // from the very first
    device.pass(1);
    CHECK(device.sent_events() == "1-5");
}

TEST_CASE("the command resend confirms nothing") {
    Device device;
    device.add_events(4);
    device.link_up();
    device.ack(2);
    (void)device.sent_events();
    device.engine->resend_from(4);
    CHECK(device.engine->status().unconfirmed == 3);
    device.pass(1);
    CHECK(device.sent_events() == "3-5");
    // The server was restored and has confirmed nothing in its new life: neither does the command.
    device.say(Down::news, wire::encode(wire::News{next_life, {}, 0, {}}));
    device.engine->resend_from(1);
    CHECK(device.cache->confirmed_generation() == life);
}

}  // namespace
