// What devices are told, and what is known of them.
#include "common/wire/topics.hpp"
#include "tests/unit/sync-server/fleet/yard.hpp"

using namespace pf;
using namespace pf::tests;
using fleet::Refusal;
using wire::CommandState;
using wire::DocumentType;

namespace {

wire::Birth birth(std::uint64_t counter) {
    wire::Birth out;
    out.connect_counter = counter;
    out.firmware = "0.9." + std::to_string(counter);
    out.clock = journal::ClockQuality::confirmed;
    return out;
}

struct Post : Yard {
    Post() {
        gate.emplace(add_device("gate-1"));
        add_device("gate-2");
    }
    void be_born(std::uint64_t counter) {
        act([&](Repositories& r, const Call& call) {
            (void)fleet::on_birth(r, call, *fleet::device(r, device_id("gate-1")), birth(counter));
            return true;
        });
    }
    void die(std::uint64_t counter) {
        act([&](Repositories& r, const Call& call) {
            fleet::on_will(r, call, *fleet::device(r, device_id("gate-1")), wire::Will{counter});
            return true;
        });
    }
    std::optional<fleet::Report> report(const std::string& name) {
        return act([&](Repositories& r, const Call&) { return fleet::report(r, device_id(name)); });
    }
    auto send(const std::string& name, Millis lives = Millis{60'000}) {
        return attempt([&](Repositories& r, const Call& call) {
            return fleet::send_command(r, call, keys(), device_id(name),
                                       {.kind = wire::CommandKind::open,
                                        .expires_at = now + lives,
                                        .issuer = "forged",
                                        .text = "a pram"});
        });
    }
    void reply(const std::string& name, const wire::CommandReply& what) {
        act([&](Repositories& r, const Call& call) {
            fleet::on_command_reply(r, call, *fleet::device(r, device_id(name)), what);
            return true;
        });
    }
    std::optional<fleet::CommandRecord> command(const std::array<Byte, 16>& id) {
        return act([&](Repositories& r, const Call&) { return fleet::command(r, id); });
    }
    Effects pending(const std::string& name) {
        return act([&](Repositories& r, const Call& call) {
            return fleet::pending_commands(r, call, keys(), *fleet::device(r, device_id(name)));
        });
    }
    /// The document as the device reads it: under the authority it pinned when it was paired.
    std::optional<wire::Document> document(const std::string& name, DocumentType type) {
        const auto bytes = act([&](Repositories& r, const Call& call) {
            return fleet::document(r, call, keys(), *fleet::device(r, device_id(name)), type);
        });
        if (!bytes) return std::nullopt;
        return opened(*bytes);
    }
    wire::Document opened(const Bytes& bytes) {
        const auto authority = crypto::PublicKey::from_point(gate->identity.site_authority);
        const auto document = wire::open_document(bytes, *authority);
        REQUIRE(document.has_value());
        CHECK(document->site == SiteId{1});
        return *document;
    }
    std::optional<Paired> gate;
};

}  // namespace

TEST_CASE("the last connection counts, in whatever order births and wills arrive") {
    struct Step {
        bool born;
        std::uint64_t counter;
    };
    struct Case {
        std::vector<Step> steps;
        bool connected;
        std::uint64_t last;  // whose firmware is shown
        const char* why;
    };
    const Case cases[] = {
        {{{true, 1}}, true, 1, "born"},
        {{{true, 1}, {false, 1}}, false, 1, "gone"},
        {{{true, 1}, {true, 2}, {false, 1}}, true, 2, "the old connection's will comes late"},
        {{{true, 2}, {true, 1}}, true, 2, "the old connection's birth comes late"},
        {{{true, 2}, {false, 2}, {true, 1}}, false, 2, "and does not bring it back"},
        {{{true, 2}, {true, 2}}, true, 2, "delivered twice"},
        {{{true, 1}, {false, 2}}, false, 1, "a will whose birth was lost"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        Post post;
        for (const Step& step : c.steps)
            step.born ? post.be_born(step.counter) : post.die(step.counter);
        const auto device = post.device("gate-1");
        CHECK(device.connected == c.connected);
        CHECK(device.firmware == "0.9." + std::to_string(c.last));
        CHECK(device.clock == journal::ClockQuality::confirmed);
        CHECK_FALSE(post.device("gate-2").connected);
    }
}

TEST_CASE("a new board in an old one's place is heard from its first connection on") {
    Post post;
    post.be_born(57);
    CHECK(post.report("gate-1").has_value());
    (void)post.add_device("gate-1");
    CHECK_FALSE(post.device("gate-1").connected);
    CHECK_FALSE(post.report("gate-1").has_value());  // what the old one held says nothing of this
    post.die(57);                                    // of the old board, thrown out
    post.be_born(1);
    CHECK(post.device("gate-1").connected);
    post.die(57);  // delivered again
    post.be_born(2);
    CHECK(post.device("gate-1").connected);
    CHECK(post.device("gate-1").firmware == "0.9.2");
}

TEST_CASE("what a device holds is what it said last: its birth, and the lists it applied since") {
    Post post;
    const auto apply = [&](std::uint64_t generation, std::uint64_t version, Epoch epoch = Epoch{}) {
        post.act([&](Repositories& r, const Call&) {
            fleet::on_list_applied(
                r, *fleet::device(r, device_id("gate-1")), epoch,
                {.scope = 2, .generation = Generation{generation}, .version = version, .root = {}});
            return true;
        });
        const auto said = post.report("gate-1");
        return !said || said->birth.lists.empty() ? 0 : said->birth.lists.back().version;
    };
    CHECK(apply(1, 9) == 0);  // never born: nothing is known of it
    post.be_born(1);
    CHECK(post.report("gate-1")->at == post.now);
    CHECK(apply(1, 7) == 7);
    CHECK(apply(1, 6) == 7);            // on its way for long
    CHECK(apply(1, 8, Epoch{9}) == 7);  // of another file
    CHECK(apply(2, 3) == 3);            // the server began a new life
    post.be_born(2);                    // with an empty cache
    CHECK(post.report("gate-1")->birth.lists.empty());
}

TEST_CASE("last heard is written once a second and not more") {
    Post post;
    const auto heard = [&] {
        post.act([&](Repositories& r, const Call& call) {
            fleet::heard(r, call, *fleet::device(r, device_id("gate-1")));
            return true;
        });
        return *post.device("gate-1").last_heard;
    };
    const WallTime first = post.now;
    CHECK(heard() == first);
    post.now = first + Millis{999};
    CHECK(heard() == first);
    post.now = first + Millis{1'000};
    CHECK(heard() == post.now);
}

TEST_CASE("a ping is answered with its number and the time, on the device's own topic") {
    Post post;
    const auto device = post.device("gate-1");
    const auto effects = post.act([&](Repositories&, const Call& call) {
        return fleet::on_ping(call, device, wire::Ping{77});
    });
    REQUIRE(effects.messages.size() == 1);
    CHECK(effects.messages[0].topic == wire::topic(fleet::topic_root(device), wire::Down::time));
    const auto time = wire::decode_time(effects.messages[0].payload);
    REQUIRE(time.has_value());
    CHECK(time->nonce == 77);
    CHECK(time->wall == post.now);
}

TEST_CASE("a configuration is a new version of a document only its device may read") {
    Post post;
    const auto before = post.document("gate-1", DocumentType::configuration);
    REQUIRE(before.has_value());
    CHECK(before->version == 1);
    const auto moved = post.attempt([&](Repositories& r, const Call& call) {
        return fleet::configure(r, call, post.keys(), device_id("gate-1"),
                                Yard::configuration("17"));
    });
    REQUIRE(moved.has_value());
    CHECK(moved->moved == std::set<SiteId>{SiteId{1}});
    const auto after = post.document("gate-1", DocumentType::configuration);
    REQUIRE(after.has_value());
    CHECK(after->version == 2);
    CHECK(after->device == device_id("gate-1"));
    const auto body = wire::decode_configuration(after->body);
    REQUIRE(body.has_value());
    CHECK(body->number == "17");
    CHECK(post.document("gate-2", DocumentType::configuration)->version == 1);

    const auto configure = [&](const char* name) {
        return post.attempt([&](Repositories& r, const Call& call) {
            return fleet::configure(r, call, post.keys(), device_id(name), {});
        });
    };
    CHECK(configure("gate-9").error() == Refusal::device_unknown);
    REQUIRE_FALSE(post.revoke("gate-2").has_value());
    CHECK(configure("gate-2").error() == Refusal::device_revoked);
}

TEST_CASE("the kept documents say what they are for, and to whom") {
    Post post;
    const auto ring = post.document("gate-1", DocumentType::key_ring);
    REQUIRE(ring.has_value());
    CHECK_FALSE(ring->device.has_value());  // the same for every device of the site
    const auto keys = wire::decode_key_ring(ring->body);
    REQUIRE(keys.has_value());
    CHECK(keys->tickets ==
          post.act([&](Repositories& r, const Call&) { return fleet::ticket_public_keys(r); }));
    const auto secrets = post.document("gate-1", DocumentType::secrets);
    REQUIRE(secrets.has_value());
    CHECK(secrets->device == device_id("gate-1"));
    const auto read = wire::decode_secrets(secrets->body);
    REQUIRE(read.has_value());
    CHECK(*read == post.act([&](Repositories& r, const Call&) {
        return fleet::site_secrets(r, post.keys(), SiteId{1});
    }));
    CHECK_FALSE(post.document("gate-1", DocumentType::product_table).has_value());  // none yet
    CHECK_FALSE(post.document("gate-1", DocumentType::command).has_value());
    CHECK_FALSE(post.document("gate-1", DocumentType::list_manifest).has_value());
}

TEST_CASE("a new key is a new version of the document that carries it") {
    Post post;
    const auto version = [&](DocumentType type) { return post.document("gate-1", type)->version; };
    const auto ring = version(DocumentType::key_ring), secrets = version(DocumentType::secrets);
    post.act([&](Repositories& r, const Call& call) {
        fleet::rotate_ticket_key(r, call, post.keys());
        fleet::rotate_carrier_key(r, call, post.keys(), SiteId{1});
        return true;
    });
    CHECK(version(DocumentType::key_ring) == ring + 1);
    CHECK(version(DocumentType::secrets) == secrets + 1);
}

TEST_CASE("a command goes signed to its device in the name of whoever sent it") {
    Post post;
    const auto sent = post.send("gate-1");
    REQUIRE(sent.has_value());
    const auto& [record, effects] = *sent;
    CHECK(record.command.issuer == "tester");  // never what the body says
    CHECK_FALSE(record.state.has_value());
    REQUIRE(effects.messages.size() == 1);
    CHECK(effects.messages[0].topic ==
          wire::topic(fleet::topic_root(post.device("gate-1")), wire::Down::document));
    const auto document = post.opened(effects.messages[0].payload);
    CHECK(document.type == DocumentType::command);
    CHECK(document.device == device_id("gate-1"));
    const auto read = wire::decode_command(document.body);
    REQUIRE(read.has_value());
    CHECK(*read == record.command);
    CHECK(post.send("gate-1")->first.command.id != record.command.id);

    REQUIRE_FALSE(post.revoke("gate-2").has_value());
    REQUIRE(post.invite("gate-3").has_value());
    CHECK(post.send("gate-2").error() == Refusal::device_revoked);
    CHECK(post.send("gate-3").error() == Refusal::device_revoked);
    CHECK(post.send("gate-9").error() == Refusal::device_unknown);
}

TEST_CASE("a device answers for its own commands only") {
    Post post;
    const auto id = post.send("gate-1")->first.command.id;
    post.reply("gate-2", {id, CommandState::done, "I did it"});
    CHECK_FALSE(post.command(id)->state.has_value());
    post.reply("gate-1", {id, CommandState::failed, "stuck"});
    CHECK(post.command(id)->state == CommandState::failed);
    CHECK(post.command(id)->detail == "stuck");
    CHECK(post.command(id)->command.text == "a pram");
    std::array<Byte, 16> unknown{};
    post.reply("gate-1", {unknown, CommandState::done, ""});
    CHECK_FALSE(post.command(unknown).has_value());
}

TEST_CASE("after a birth only what is unanswered and still of use is sent again") {
    Post post;
    const auto answered = post.send("gate-1")->first.command.id;
    const auto brief = post.send("gate-1", Millis{1'000})->first.command.id;
    const auto open = post.send("gate-1")->first.command;
    REQUIRE(post.send("gate-2").has_value());
    CHECK(brief != open.id);
    post.reply("gate-1", {answered, CommandState::done, ""});
    post.now += Millis{1'000};  // the moment the brief one expires
    const auto again = post.pending("gate-1");
    REQUIRE(again.messages.size() == 1);
    const auto read = wire::decode_command(post.opened(again.messages[0].payload).body);
    REQUIRE(read.has_value());
    CHECK(*read == open);
}

TEST_CASE("a command moves only forward") {
    using enum CommandState;
    struct Case {
        std::vector<CommandState> said;
        CommandState stands;
    };
    const Case cases[] = {
        {{received, accepted, done}, done},
        {{done, accepted}, done},
        {{done, received}, done},
        {{accepted, received}, accepted},
        {{refused, done}, refused},
        {{failed, refused}, failed},
        {{done, failed}, done},
        {{received, received}, received},
    };
    for (const Case& c : cases) {
        Post post;
        const auto id = post.send("gate-1")->first.command.id;
        for (const CommandState state : c.said)
            post.reply("gate-1", {id, state, std::string{"said "} + std::to_string(int(state))});
        CHECK(post.command(id)->state == c.stands);
        CHECK(post.command(id)->detail == "said " + std::to_string(int(c.stands)));
    }
}

TEST_CASE("the code of a test scan rests sealed and arrives whole") {
    Post post;
    const std::string code = "OTA-SECRET-4711";
    const auto sent = post.attempt([&](Repositories& r, const Call& call) {
        return fleet::send_command(r, call, post.keys(), device_id("gate-1"),
                                   {.kind = wire::CommandKind::test_scan,
                                    .expires_at = post.now + Millis{60'000},
                                    .issuer = {},
                                    .text = code});
    });
    REQUIRE(sent.has_value());
    const auto text_in = [&](const Effects& effects) {
        REQUIRE(effects.messages.size() == 1);
        return wire::decode_command(post.opened(effects.messages[0].payload).body)->text;
    };
    CHECK(text_in(sent->second) == code);
    CHECK(text_in(post.pending("gate-1")) == code);  // again, after a birth
    CHECK(post.command(sent->first.command.id)->command.text.empty());
    CHECK_FALSE(post.at_rest(code));
    CHECK_FALSE(post.at_rest(to_hex(as_bytes(code))));
    CHECK(post.at_rest(to_hex(sent->first.command.id)));  // else the search sees nothing
}
