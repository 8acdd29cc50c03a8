// Topics in, effects out: who is answered with what, and what becomes of everything else.
#include "sync-server/exchange/exchange.hpp"

#include "common/wire/documents.hpp"
#include "common/wire/lists.hpp"
#include "sync-server/lists/lists.hpp"
#include "tests/unit/sync-server/ingest/world.hpp"

using namespace pf;
using namespace pf::tests;
using server::findings::Kind;
using wire::Want;

namespace {

struct Server : World {
    Server() {
        add_site();
        one.emplace(add_gate("gate-1"));
        two.emplace(add_gate("gate-2"));
    }
    std::string topic(const Gate& gate, wire::Up kind) {
        return wire::topic(server::fleet::topic_root(device(gate.id())), kind);
    }
    Effects hear(const std::string& topic, const Bytes& payload) {
        return act([&](Repositories& r, const Call& call) {
            return server::exchange::on_message(r, call, keys(), topic, payload);
        });
    }
    template <class Message>
    Effects hear(const Gate& gate, wire::Up kind, const Message& message) {
        return hear(topic(gate, kind), wire::encode(message));
    }
    wire::Birth birth(const Gate& gate, std::uint64_t counter) {
        wire::Birth out;
        out.connect_counter = counter;
        out.firmware = "0.1.0";
        out.journal = gate.at(gate.end());
        return out;
    }
    Want want(Want::What what) {
        return {.what = what,
                .request = 5,
                .scope = wire::ListScope::revoked,
                .generation = generation(),
                .from_version = 0,
                .to_version = 0,
                .bucket = 0,
                .after = {},
                .uses_after = 0,
                .document_type = 0};
    }
    std::optional<Gate> one;
    std::optional<Gate> two;
};

/// The leaves of the topics, in order of sending.
std::vector<std::string> leaves(const Effects& effects) {
    std::vector<std::string> out;
    for (const auto& message : effects.messages)
        out.push_back(message.topic.substr(message.topic.rfind('/') + 1));
    return out;
}
using Leaves = std::vector<std::string>;

}  // namespace

TEST_CASE("a birth brings the ack, the news and the commands that wait") {
    Server world;
    const auto sent = world.act([&](Repositories& r, const Call& call) {
        wire::Command command;
        command.expires_at = call.now + std::chrono::minutes{1};
        return server::fleet::send_command(r, call, world.keys(), world.one->id(), command)
            .has_value();
    });
    REQUIRE(sent);
    const auto effects = world.hear(*world.one, wire::Up::birth, world.birth(*world.one, 7));
    CHECK(leaves(effects) == Leaves{"ack", "news", "document"});
    const auto me = world.device(world.one->id());
    CHECK(me.connected);
    CHECK(me.firmware == "0.1.0");
    const auto news = messages(effects, me, wire::Down::news, wire::decode_news);
    REQUIRE(news.size() == 1);
    CHECK(news.front().generation == world.generation());
    REQUIRE(news.front().lists.size() == 2);
    CHECK(news.front().lists[0].scope == wire::ListScope::revoked);
    CHECK(news.front().lists[0].version == 1);
    CHECK(news.front().documents == world.act([&](Repositories& r, const Call&) {
        return server::fleet::document_versions(r, me);
    }));

    CHECK(world.hear(*world.one, wire::Up::will, wire::Will{6}).messages.empty());
    CHECK(world.device(world.one->id()).connected);
    CHECK(world.hear(*world.one, wire::Up::will, wire::Will{7}).messages.empty());
    CHECK_FALSE(world.device(world.one->id()).connected);
}

TEST_CASE("a birth that counts from an older number is answered and says nothing of presence") {
    // A gate restored from an older image counts from there, and must hear where its journal
    // stands.
    Server world;
    world.hear(*world.one, wire::Up::birth, world.birth(*world.one, 7));
    world.hear(*world.one, wire::Up::will, wire::Will{7});
    auto older = world.birth(*world.one, 6);
    older.firmware = "0.0.9";
    CHECK(leaves(world.hear(*world.one, wire::Up::birth, older)) == Leaves{"ack", "news"});
    CHECK_FALSE(world.device(world.one->id()).connected);
    CHECK(world.device(world.one->id()).firmware == "0.1.0");
}

TEST_CASE("every question gets its answer") {
    Server world;
    struct Case {
        Want::What what;
        std::uint8_t document;
        Leaves answer;
    };
    const Case cases[] = {
        {Want::What::snapshot, 0, {"chunk"}},
        {Want::What::difference, 0, {"chunk"}},
        {Want::What::bucket, 0, {"chunk"}},
        {Want::What::buckets, 0, {"buckets"}},
        {Want::What::uses, 0, {"uses"}},
        {Want::What::document,
         static_cast<std::uint8_t>(wire::DocumentType::configuration),
         {"document"}},
        {Want::What::document, static_cast<std::uint8_t>(wire::DocumentType::list_manifest), {}},
        {Want::What::document, 99, {}},
    };
    for (const Case& c : cases) {
        CAPTURE(static_cast<int>(c.what));
        Want want = world.want(c.what);
        want.from_version = 1;
        want.document_type = c.document;
        CHECK(leaves(world.hear(*world.one, wire::Up::want, want)) == c.answer);
    }
    CHECK(leaves(world.hear(*world.one, wire::Up::ping, wire::Ping{9})) == Leaves{"time"});
    CHECK(leaves(world.hear(*world.one, wire::Up::command_reply, wire::CommandReply{})) ==
          Leaves{});
    CHECK(world.findings().empty());
}

TEST_CASE("who asks in another life of the server hears of the present one first") {
    Server world;
    for (const auto what : {Want::What::difference, Want::What::snapshot, Want::What::uses}) {
        Want want = world.want(what);
        want.generation = Generation{1};
        want.from_version = 3;
        want.to_version = 8;
        const auto answer = leaves(world.hear(*world.one, wire::Up::want, want));
        REQUIRE(answer.size() == 2);
        CHECK(answer.front() == "news");
    }
    CHECK(world.findings().empty());
}

TEST_CASE("a question about what was never here proves a loss") {
    struct Case {
        const char* name;
        void (*ask)(Want&);
        bool lost;
    };
    const Case cases[] = {
        {"a later list", [](Want& w) { w.to_version = 2; }, true},
        {"from a later list", [](Want& w) { w.from_version = 2; }, true},
        {"the list as it is", [](Want& w) { w.from_version = w.to_version = 1; }, false},
        {"later uses",
         [](Want& w) {
             w.what = Want::What::uses;
             w.uses_after = 1;
         },
         true},
    };
    for (const Case& c : cases) {
        CAPTURE(c.name);
        Server world;
        const Generation before = world.generation();
        Want want = world.want(Want::What::difference);
        c.ask(want);
        const auto effects = world.hear(*world.one, wire::Up::want, want);
        CHECK((world.generation() > before) == c.lost);
        CHECK(world.findings(Kind::state_lost).size() == (c.lost ? 1 : 0));
        CHECK((leaves(effects).front() == "news") == c.lost);
        CHECK(effects.moved.contains(SiteId{1}) == c.lost);
    }
}

TEST_CASE("a question in a later life proves a loss, in one from the future it does not") {
    struct Case {
        const char* name;
        std::int64_t ahead_of_now_ms;
        bool lost;
    };
    for (const Case& c : {Case{"of a moment ago", -1, true}, Case{"from the future", 0, false}}) {
        CAPTURE(c.name);
        Server world;
        const Generation before = world.generation();
        Want want = world.want(Want::What::difference);
        want.generation =
            Generation{static_cast<std::uint64_t>(to_ms(world.now) + c.ahead_of_now_ms)};
        const auto effects = world.hear(*world.one, wire::Up::want, want);
        CHECK((world.generation() > before) == c.lost);
        CHECK(world.findings(Kind::state_lost).size() == (c.lost ? 1 : 0));
        CHECK(leaves(effects).front() == "news");
    }
}

TEST_CASE("what comes from nowhere we know is kept aside, raised and not answered") {
    Server world;
    const auto root = server::fleet::topic_root(world.device(world.one->id()));
    const std::uint32_t partition = world.device(world.one->id()).partition;
    const std::string elsewhere =
        wire::device_root((partition + 1) % wire::partition_count, world.one->id());
    const std::string topics[] = {
        "pf/2/0/d/gate-1/up/ping",  // another version
        "",                         // nothing at all
        root + "up/shout",          // an unknown leaf
        root + "dn/ack",            // the other direction
        elsewhere + "up/ping",      // not its partition
        "pf/1/0/d/gate-9/up/ping",  // a device nobody knows
    };
    std::size_t count = 0;
    for (const std::string& topic : topics) {
        CAPTURE(topic);
        const Bytes payload = to_bytes("payload " + topic);
        CHECK(world.hear(topic, payload).messages.empty());
        CHECK(world.hear(topic, payload).messages.empty());  // again: nothing new
        CHECK(world.findings(Kind::foreign_topic).size() == ++count);
    }
}

TEST_CASE("payloads that are not what their topic says are kept aside and raised once each") {
    Server world;
    std::size_t count = 0;
    for (const auto kind : {wire::Up::birth, wire::Up::will, wire::Up::events, wire::Up::want,
                            wire::Up::ping, wire::Up::command_reply}) {
        const Bytes payload{0xff, static_cast<Byte>(count)};
        const auto topic = world.topic(*world.one, kind);
        for (int i = 0; i < 2; ++i) CHECK(world.hear(topic, payload).messages.empty());
        CHECK(world.findings(Kind::quarantined).size() == ++count);
        CHECK(world.findings().front().device == world.one->id());
    }
    // An oversized one is no exception.
    CHECK(
        world.hear(world.topic(*world.one, wire::Up::events), Bytes(wire::payload_bytes_max + 1, 0))
            .messages.empty());
    CHECK(world.findings(Kind::quarantined).size() == count + 1);
    // What is sound goes on.
    world.one->write_filler(1);
    CHECK(leaves(world.hear(*world.one, wire::Up::events, world.one->all())) == Leaves{"ack"});
}

TEST_CASE("a revoked device is not answered, and its events are kept aside") {
    Server world;
    world.one->write_filler(1);
    world.act([&](Repositories& r, const Call& call) {
        return server::fleet::revoke(r, call, world.one->id());
    });
    CHECK(world.hear(*world.one, wire::Up::ping, wire::Ping{1}).messages.empty());
    CHECK(world.hear(*world.one, wire::Up::birth, world.birth(*world.one, 1)).messages.empty());
    CHECK(world.findings(Kind::revoked_device).size() == 1);
    CHECK(world.hear(*world.one, wire::Up::events, world.one->all()).messages.empty());
    CHECK(world.findings(Kind::revoked_device).size() == 2);
    CHECK_FALSE(world.device(world.one->id()).connected);
}

TEST_CASE("every message says that its device is alive, a will does not") {
    Server world;
    world.now += std::chrono::minutes{5};
    world.hear(*world.one, wire::Up::ping, wire::Ping{1});
    CHECK(world.device(world.one->id()).last_heard == world.now);
    const WallTime heard = world.now;
    world.now += std::chrono::minutes{5};
    world.hear(*world.one, wire::Up::will, wire::Will{100});
    CHECK(world.device(world.one->id()).last_heard == heard);
}

TEST_CASE("news go to the active gates of one site and say where everything stands") {
    Server world;
    const Gate far = world.add_gate("far-1", world.add_site());
    world.act([&](Repositories& r, const Call& call) {
        server::lists::put(r, call, SiteId{1}, wire::ListScope::revoked,
                           wire::row_of(wire::Revoked{TicketId{1}, 2, today}));
        return server::fleet::revoke(r, call, world.two->id());
    });
    world.one->write(admitted(TicketId{5}));
    world.hear(*world.one, wire::Up::events, world.one->all());
    Effects effects;
    effects.messages = world.act(
        [](Repositories& r, const Call&) { return server::exchange::news(r, SiteId{1}); });
    REQUIRE(effects.messages.size() == 1);
    const auto news =
        messages(effects, world.device(world.one->id()), wire::Down::news, wire::decode_news);
    REQUIRE(news.size() == 1);
    CHECK(news.front().uses_position == 1);
    CHECK(news.front().lists == world.act([](Repositories& r, const Call&) {
        return std::vector{server::lists::state(r, SiteId{1}, wire::ListScope::revoked),
                           server::lists::state(r, SiteId{1}, wire::ListScope::tickets)};
    }));
    CHECK(news.front().lists.front().version == 2);
}

TEST_CASE("one gate can't make everybody begin anew at will, and no attempt is silent") {
    Server world;
    const auto claim = [&](const Gate& gate) {
        Want want = world.want(Want::What::uses);
        want.uses_after = 1'000;
        return world.hear(gate, wire::Up::want, want);
    };
    const auto born_claim = [&](const Gate& gate, std::uint64_t counter) {
        auto birth = world.birth(gate, counter);
        birth.uses_generation = world.generation();
        birth.uses_position = 1'000;
        return world.hear(gate, wire::Up::birth, birth);
    };
    Generation generation = world.generation();
    const auto began = [&] {
        return world.generation() > std::exchange(generation, world.generation());
    };
    claim(*world.one);
    CHECK(began());
    for (std::uint64_t i = 0; i < 5; ++i) {
        world.now += std::chrono::hours{1};
        CHECK_FALSE(claim(*world.one).moved.contains(SiteId{1}));
        CHECK_FALSE(born_claim(*world.one, 10 + i).moved.contains(SiteId{1}));
        CHECK_FALSE(began());
    }
    CHECK(world.findings(Kind::state_lost).size() == 1);
    CHECK(world.findings(Kind::loss_claimed).size() == 1);
    // Another device is another witness.
    born_claim(*world.two, 20);
    CHECK(began());
    CHECK(world.findings(Kind::state_lost).size() == 2);
    claim(*world.one);
    CHECK(world.findings(Kind::loss_claimed).size() == 2);
    world.now += std::chrono::milliseconds{server::ingest::loss_claim_every_ms};
    claim(*world.one);
    CHECK(began());
    CHECK(world.findings(Kind::state_lost).size() == 3);
}

TEST_CASE("what a revoked device sends is kept also when it is no batch") {
    Server world;
    world.act([&](Repositories& r, const Call& call) {
        return server::fleet::revoke(r, call, world.one->id());
    });
    world.hear(world.topic(*world.one, wire::Up::events), to_bytes("no batch at all"));
    const auto found = world.findings(Kind::revoked_device);
    REQUIRE(found.size() == 1);
    CHECK(found[0].detail.find("kept as 1") != std::string::npos);
}

TEST_CASE("a zero character in a command's answer is refused at the door") {
    Server world;
    wire::CommandReply reply;
    reply.detail = std::string{"don\0e", 5};
    world.hear(*world.one, wire::Up::command_reply, reply);
    REQUIRE(world.findings(Kind::quarantined).size() == 1);
}
