// Uses, documents, commands, time (docs/protocol/sync-v1.md, 8.11 to 8.14), and what is not for us.
#include <doctest/doctest.h>

#include "tests/unit/firmware/sync/device.hpp"

namespace {

using namespace pf;
using namespace pf::tests;
using wire::CommandState;
using wire::DocumentType;
using Quality = pf::journal::ClockQuality;

wire::UseItem use(std::uint64_t ticket) {
    return {.grant = {*DeviceId::parse("gate-2"), Epoch{9}, ticket},
            .ticket = TicketId{ticket},
            .product = ProductId{5},
            .day = Day{20'750},
            .last_day = Day{20'750},
            .persons = 1,
            .return_pending = false,
            .at = noon};
}

Bytes uses(std::uint64_t request, std::uint64_t after, std::uint64_t upto,
           std::vector<wire::UseItem> items, Generation generation = life, bool more = false) {
    return wire::encode(wire::Uses{request, generation, after, upto, more, std::move(items)});
}

bool knows_use(const Device& device, std::uint64_t ticket) {
    return !device.cache->uses_of(TicketId{ticket}).empty();
}

TEST_CASE("a pushed use counts at once") {
    Device device;
    device.link_up();
    device.say(Down::uses, uses(0, 0, 1, {use(1)}));
    CHECK(knows_use(device, 1));
    CHECK(device.cache->uses_position().position == 1);
    // One that ends where we are brings nothing.
    device.say(Down::uses, uses(0, 0, 1, {use(2)}));
    CHECK_FALSE(knows_use(device, 2));
    CHECK(device.wants().empty());
}

TEST_CASE("a pushed use behind a hole: the hole is asked for, page by page") {
    Device device;
    device.link_up();
    device.say(Down::uses, uses(0, 10, 11, {use(11)}));
    CHECK_FALSE(knows_use(device, 11));
    const auto first = device.want();
    CHECK(first.what == What::uses);
    CHECK(first.uses_after == 0);
    device.say(Down::uses, uses(first.request, 0, 5, {use(5)}, life, true));
    CHECK(knows_use(device, 5));
    const auto second = device.want();
    CHECK(second.uses_after == 5);
    // An answer to another request is no answer.
    device.say(Down::uses, uses(second.request + 1, 5, 11, {use(6)}));
    CHECK_FALSE(knows_use(device, 6));
    device.say(Down::uses, uses(second.request, 5, 11, {use(6), use(11)}));
    CHECK(knows_use(device, 11));
    CHECK(device.cache->uses_position().position == 11);
    CHECK(device.wants().empty());
}

TEST_CASE("the log of uses in a new life of the server begins anew, and facts stay") {
    Device device;
    device.link_up();
    device.say(Down::uses, uses(0, 0, 8, {use(1)}));
    device.say(Down::news, wire::encode(wire::News{next_life, {}, 3, {}}));
    const auto want = device.want();
    CHECK(want.uses_after == 0);
    CHECK(want.generation == next_life);
    device.say(Down::uses, uses(0, 0, 9, {use(2)}, life));  // the life before
    CHECK_FALSE(knows_use(device, 2));
    device.say(Down::uses, uses(want.request, 0, 3, {use(3)}, next_life));
    CHECK(knows_use(device, 1));
    CHECK(knows_use(device, 3));
}

Bytes news_of(DocumentType type, std::uint64_t version) {
    return wire::encode(wire::News{life, {}, 0, {{static_cast<std::uint8_t>(type), version}}});
}

TEST_CASE("a newer document is asked for, checked, kept and told of") {
    Device device;
    const Bytes body = wire::encode(wire::Configuration{});
    device.link_up();
    device.say(Down::news, news_of(DocumentType::configuration, 4));
    const auto want = device.want();
    CHECK(want.what == What::document);
    CHECK(want.document_type == static_cast<std::uint8_t>(DocumentType::configuration));
    device.say(Down::document, device.document(DocumentType::configuration, 4, body, gate));
    CHECK(device.host.changed == std::vector{DocumentType::configuration});
    CHECK(device.cache->document(DocumentType::configuration).has_value());
    // An older one, or the same once more, changes nothing.
    device.say(Down::document, device.document(DocumentType::configuration, 3, body, gate));
    device.say(Down::document, device.document(DocumentType::configuration, 4, body, gate));
    CHECK(device.host.changed.size() == 1);
    // It is still there after a restart: nothing to ask for.
    device.restart();
    device.link_up();
    device.say(Down::news, news_of(DocumentType::configuration, 4));
    CHECK(device.wants().empty());
}

TEST_CASE("a document that is not for us is a finding, and what we have stays") {
    Device device;
    const Bytes body = wire::encode(wire::Configuration{});
    SeededEntropy entropy{77};
    const crypto::PrivateKey authority = device.authority;
    device.authority = crypto::PrivateKey::generate(entropy);
    const Bytes by_stranger = device.document(DocumentType::configuration, 9, body);
    device.authority = authority;
    struct Row {
        const char* what;
        Bytes bytes;
        std::string finding;
    };
    const Row rows[] = {
        {"another authority", by_stranger, "document_refused"},
        {"no document", Bytes{1, 2, 3}, "document_refused"},
        {"another site", device.document(DocumentType::configuration, 9, body, {}, SiteId{4}),
         "document_foreign"},
        {"another device",
         device.document(DocumentType::configuration, 9, body, *DeviceId::parse("gate-2")),
         "document_foreign"},
    };
    device.link_up();
    for (const Row& row : rows) {
        CAPTURE(row.what);
        device.say(Down::document, row.bytes);
        CHECK(device.findings().back() == row.finding);
        CHECK(device.host.changed.empty());
    }
    CHECK(device.findings().size() == 4);
}

// --- commands
// -------------------------------------------------------------------------------------

wire::Command open_command(Byte number, WallTime expires_at) {
    wire::Command command;
    command.id.fill(number);
    command.expires_at = expires_at;
    command.issuer = "0012";
    return command;
}

void give(Device& device, const wire::Command& command, std::optional<DeviceId> to = gate) {
    device.say(Down::document,
               device.document(DocumentType::command, 1, wire::encode(command), std::move(to)));
}

std::vector<wire::CommandReply> replies(Device& device) {
    return device.take(Up::command_reply, wire::decode_command_reply);
}

TEST_CASE("a command is done once, answered and remembered") {
    Device device;
    device.link_up();
    const auto command = open_command(1, noon + std::chrono::minutes{1});
    give(device, command);
    CHECK(device.host.carried_out.size() == 1);
    const auto answers = replies(device);
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].id == command.id);
    CHECK(answers[0].state == CommandState::done);
    CHECK(answers[0].detail == "opened");
    CHECK(device.count<pf::journal::CommandDone>() == 1);

    // Delivered again, because the answer was lost: answered again, not done again.
    give(device, command);
    CHECK(device.host.carried_out.size() == 1);
    CHECK(replies(device) == answers);
    CHECK(device.count<pf::journal::CommandDone>() == 1);

    device.restart();
    device.link_up();
    give(device, command);
    CHECK(device.host.carried_out.size() == 1);
    const auto after_restart = replies(device);
    REQUIRE(after_restart.size() == 1);
    CHECK(after_restart[0].state == CommandState::done);
}

TEST_CASE("a command is done once, also when the cache that remembered it is lost") {
    Device device;
    device.link_up();
    const auto done = open_command(1, noon + std::chrono::minutes{1});
    give(device, done);
    const auto late = open_command(2, noon + std::chrono::milliseconds{-1});
    give(device, late);
    // The power went after the arm was opened and before the end of this one was written.
    const auto cut = open_command(3, noon + std::chrono::minutes{1});
    REQUIRE(device.journal
                ->append(device.host.stamp(device.now()),
                         pf::journal::Opened{.command = cut.id, .persons = 1})
                .has_value());
    device.lose_cache();
    device.link_up();
    for (const auto& [command, state] :
         {std::pair{done, CommandState::done}, std::pair{late, CommandState::refused},
          std::pair{cut, CommandState::failed}}) {
        give(device, command);
        const auto answers = replies(device);
        REQUIRE(answers.size() == 1);
        CHECK(answers[0].state == state);
    }
    CHECK(device.host.carried_out.size() == 1);
    CHECK(device.count<pf::journal::CommandDone>() == 2);
}

TEST_CASE("a command whose carrying out was interrupted is answered, not tried again") {
    Device device;
    device.link_up();
    const auto command = open_command(1, noon + std::chrono::minutes{1});
    REQUIRE(device.cache->remember_command(command.id, command.expires_at).has_value());
    give(device, command);
    CHECK(device.host.carried_out.empty());
    const auto answers = replies(device);
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].state == CommandState::failed);
}

TEST_CASE("a command that is late, or may be, does nothing and says so") {
    struct Row {
        const char* what;
        std::int64_t expires_in_ms;  // from the time it arrives at
        std::int64_t doubt_ms;
        Quality quality;
        CommandState expected;
        std::string detail;
    };
    const Row rows[] = {
        {"well before its end", 2'501, 0, Quality::confirmed, CommandState::done, "opened"},
        {"the server's word is wrong by up to half a round trip", 2'500, 0, Quality::confirmed,
         CommandState::refused, "clock_unsure"},
        {"at its end", 0, 0, Quality::confirmed, CommandState::refused, "expired"},
        {"long after", -3'600'000, 0, Quality::confirmed, CommandState::refused, "expired"},
        {"this clock can't tell", 60'000, 57'500, Quality::confirmed, CommandState::refused,
         "clock_unsure"},
        {"this clock can tell enough", 60'000, 57'499, Quality::confirmed, CommandState::done,
         "opened"},
        {"nobody confirmed this clock since boot", 60'000, 0, Quality::unconfirmed,
         CommandState::refused, "clock_unsure"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        Device device;
        device.link_up();
        device.host.doubt = Millis{row.doubt_ms};
        device.host.quality = row.quality;
        give(device, open_command(1, device.now().wall + Millis{row.expires_in_ms}));
        CHECK(device.host.carried_out.size() == (row.expected == CommandState::done ? 1 : 0));
        const auto answers = replies(device);
        REQUIRE(answers.size() == 1);
        CHECK(answers[0].state == row.expected);
        CHECK(answers[0].detail == row.detail);
        CHECK(device.count<pf::journal::CommandDone>() == 1);
    }
}

TEST_CASE("a command for nobody or somebody else is a finding") {
    Device device;
    device.link_up();
    const auto command = open_command(1, noon + std::chrono::minutes{1});
    give(device, command, std::nullopt);
    CHECK(device.findings().back() == "command_refused");
    give(device, command, *DeviceId::parse("gate-2"));
    CHECK(device.findings().back() == "document_foreign");
    CHECK(device.host.carried_out.empty());
    CHECK(replies(device).empty());
}

TEST_CASE("a command that can't be remembered is not done; the server sends it again") {
    Device device;
    device.link_up();
    const auto command = open_command(1, noon + std::chrono::minutes{1});
    device.disk.set_capacity_bytes(device.disk.bytes_used());
    give(device, command);
    CHECK(device.host.carried_out.empty());
    CHECK(replies(device).empty());
    device.disk.set_capacity_bytes(UINT64_MAX);
    give(device, command);
    CHECK(device.host.carried_out.size() == 1);
}

// --- the rest
// -------------------------------------------------------------------------------------

TEST_CASE("messages that are not ours or not messages are findings") {
    Device device;
    device.link_up();
    const Bytes good = wire::encode(wire::Time{1, noon});
    const std::string other = wire::device_root(3, *DeviceId::parse("gate-2"));
    struct Row {
        const char* what;
        std::string topic;
        Bytes payload;
        std::string finding;
    };
    const Row rows[] = {
        {"another device's branch", wire::topic(other, Down::time), good, "foreign_topic"},
        {"an unknown leaf", device.root + "dn/other", good, "foreign_topic"},
        {"no topic", "", good, "foreign_topic"},
        {"not CBOR", wire::topic(device.root, Down::ack), {0xff}, "message_malformed"},
        {"another message's shape", wire::topic(device.root, Down::ack), good, "message_malformed"},
        {"far too large", wire::topic(device.root, Down::time),
         Bytes(wire::payload_bytes_max + 1, 0), "message_oversize"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        device.engine->on_message(row.topic, row.payload, device.now());
        CHECK(device.findings().back() == row.finding);
    }
    CHECK(device.findings().size() == 6);
    CHECK_FALSE(device.engine->online(device.now().steady, Millis{60'000}));
}

TEST_CASE("the time is taken only from the answer to the latest ping") {
    Device device;
    device.link_up();
    const auto asked = device.now().steady;
    const auto pings = device.take(Up::ping, wire::decode_ping);
    REQUIRE(pings.size() == 1);
    const auto say_time = [&](std::uint64_t nonce) {
        device.say(Down::time, wire::encode(wire::Time{nonce, noon}));
    };
    say_time(pings[0].nonce + 1);
    CHECK(device.host.times.empty());
    say_time(pings[0].nonce);
    REQUIRE(device.host.times.size() == 1);
    CHECK(device.host.times[0] == std::pair{noon, asked});
    say_time(pings[0].nonce);  // once is enough
    CHECK(device.host.times.size() == 1);
    CHECK(device.engine->online(device.now().steady, Millis{60'000}));
    device.pass(60'001);
    CHECK(device.take(Up::ping, wire::decode_ping).size() == 1);
    CHECK_FALSE(device.engine->online(device.now().steady, Millis{60'000}));
}

}  // namespace
