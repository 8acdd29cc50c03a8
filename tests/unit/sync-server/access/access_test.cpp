// Keys, audit and kept answers, on a real database that commits on the caller.
#include "sync-server/access/access.hpp"

#include <doctest/doctest.h>

#include <set>

#include "common/crypto/crypto.hpp"
#include "sync-server/access/repository.hpp"
#include "sync-server/store/store.hpp"
#include "tests/support/database/database.hpp"

using namespace pf;
using namespace pf::server;
using access::Permission;
using access::Permissions;

namespace {

struct World {
    tests::Database database;
    std::unique_ptr<store::Store> store = [this] {
        auto opened = store::Store::open(
            {.database = database.where(), .vfs = {}, .threaded = false, .now = wall_from_ms(0)});
        REQUIRE(opened.has_value());
        return std::move(*opened);
    }();
    std::int64_t now_ms = 1'800'000'000'000;
    Byte seed = 1;

    template <class Act>
    void act(Act&& what, bool keep = true) {
        Call call{.now = wall_from_ms(now_ms), .seed = {}, .actor = "tester"};
        call.seed[0] = seed++;
        const auto fault = store->write_now([&](Repositories& r) {
            what(r, call);
            return keep ? store::Decision::keep : store::Decision::undo;
        });
        REQUIRE_FALSE(fault.has_value());
    }
    access::NewKey key(std::string_view name, Permissions permissions) {
        std::optional<access::NewKey> out;
        act([&](Repositories& r, const Call& call) {
            auto made = access::create_key(r, call, name, permissions);
            REQUIRE(made.has_value());
            out = *made;
        });
        return *out;
    }
    std::string verdict(const std::string& text) {
        std::string out;
        act([&](Repositories& r, const Call&) {
            const auto found = access::authenticate(r, text);
            out = found.has_value() ? found->name : std::string{access::to_text(found.error())};
        });
        return out;
    }
};

}  // namespace

TEST_CASE("every permission has a word of its own, and its word leads back") {
    std::set<std::string_view> words;
    for (const Permission permission : access::all_permissions()) {
        words.insert(access::to_text(permission));
        CHECK(access::permission_from(access::to_text(permission)) == permission);
    }
    CHECK(words.size() == access::permission_count);
    CHECK_FALSE(access::permission_from("devices.*").has_value());
    CHECK_FALSE(access::permission_from("").has_value());
}

TEST_CASE("admin may everything, others what they name") {
    CHECK(Permissions{Permission::admin}.has(Permission::tickets_issue));
    CHECK(Permissions{Permission::tickets_issue}.has(Permission::tickets_issue));
    CHECK_FALSE(Permissions{Permission::tickets_issue}.has(Permission::tickets_revoke));
    CHECK_FALSE(Permissions{Permission::tickets_issue}.has(Permission::admin));
    CHECK_FALSE(Permissions{}.has(Permission::tickets_read));
}

TEST_CASE("a key's text opens, and nothing near it does") {
    World world;
    const auto made = world.key("kiosk-7", {Permission::tickets_issue});
    const std::string& text = made.text;
    REQUIRE(text.size() == access::key_text_chars);
    CHECK(text.starts_with("pfk_" + made.key.id + "_"));

    std::string last_wrong = text;
    last_wrong.back() = last_wrong.back() == '0' ? '1' : '0';
    std::string other_id = text;
    other_id[4] = other_id[4] == '0' ? '1' : '0';
    struct Row {
        std::string why, text;
        const char* expect;
    };
    const Row rows[] = {
        {"as made", text, "kiosk-7"},
        {"last character", last_wrong, "key_invalid"},
        {"another id", other_id, "key_invalid"},
        {"one short", text.substr(0, text.size() - 1), "key_invalid"},
        {"one long", text + "0", "key_invalid"},
        {"nothing", "", "key_invalid"},
        {"no prefix", "xxx_" + text.substr(4), "key_invalid"},
        {"no hexadecimal", text.substr(0, text.size() - 1) + "g", "key_invalid"},
        {"another separator", text.substr(0, 20) + "-" + text.substr(21), "key_invalid"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.why);
        CHECK(world.verdict(row.text) == row.expect);
    }
    world.act([&](Repositories& r, const Call&) {
        const auto kept = r.access.key(made.key.id);
        REQUIRE(kept.has_value());
        const auto secret = from_hex(text.substr(21));
        // Who reads the database has no key.
        CHECK(kept->secret_hash == crypto::sha256(*secret));
        CHECK(to_hex(kept->secret_hash) != text.substr(21));
        CHECK(kept->key.permissions == Permissions{Permission::tickets_issue});
    });
    world.act([&](Repositories& r, const Call& call) {
        CHECK_FALSE(access::revoke_key(r, call, made.key.id).has_value());
        CHECK_FALSE(access::revoke_key(r, call, made.key.id).has_value());
        CHECK(access::revoke_key(r, call, "0000000000000000") == access::Refusal::key_unknown);
    });
    CHECK(world.verdict(text) == "key_invalid");
}

TEST_CASE("one name, one actor: names are checked and not shared by two live keys") {
    World world;
    const auto first = world.key("till.2", {Permission::tickets_read});
    struct Row {
        const char* why;
        std::string name;
        Permissions permissions;
        std::optional<access::Refusal> expect;
    };
    const Row rows[] = {
        {"taken", "till.2", {Permission::admin}, access::Refusal::name_taken},
        {"empty", "", {Permission::admin}, access::Refusal::name_bad},
        {"capital", "Till", {Permission::admin}, access::Refusal::name_bad},
        {"blank", "till 2", {Permission::admin}, access::Refusal::name_bad},
        {"too long", std::string(33, 'a'), {Permission::admin}, access::Refusal::name_bad},
        {"longest", std::string(32, 'a'), {Permission::admin}, std::nullopt},
        {"may nothing", "till.3", {}, access::Refusal::permissions_empty},
    };
    for (const Row& row : rows) {
        CAPTURE(row.why);
        world.act([&](Repositories& r, const Call& call) {
            const auto made = access::create_key(r, call, row.name, row.permissions);
            CHECK(made.has_value() == !row.expect.has_value());
            if (row.expect && made.has_error()) CHECK(made.error() == *row.expect);
        });
    }
    world.act([&](Repositories& r, const Call& call) {
        (void)access::revoke_key(r, call, first.key.id);
        CHECK(access::create_key(r, call, "till.2", {Permission::admin}).has_value());
    });
}

TEST_CASE("the audit is newest first and numbered") {
    World world;
    for (int i = 1; i <= 5; ++i) {
        world.act([&](Repositories& r, const Call& call) {
            access::record(r, call, {.action = "act " + std::to_string(i), .outcome = "done"});
        });
    }
    world.act([&](Repositories& r, const Call&) {
        const auto newest = access::audits(r, 0, 2);
        REQUIRE(newest.size() == 2);
        CHECK(newest[0].action == "act 5");
        CHECK(newest[0].actor == "tester");
        CHECK(newest[0].at == wall_from_ms(world.now_ms));
        const auto before = access::audits(r, newest[1].number, 10);
        REQUIRE(before.size() == 3);
        CHECK(before[0].action == "act 3");
    });
}

TEST_CASE("an answer is kept for a day, for the same question only") {
    World world;
    const Bytes master(32, 7);
    const access::Question first{"key-a", "K1", crypto::sha256(as_bytes("POST /v1/tickets {}"))};
    const auto ask = [&](const access::Question& question) {
        std::string out;
        world.act([&](Repositories& r, const Call& call) {
            const auto kept = access::answered(r, call, master, question);
            out = kept.has_error()    ? std::string{access::to_text(kept.error())}
                  : kept->has_value() ? **kept
                                      : "fresh";
        });
        return out;
    };
    CHECK(ask(first) == "fresh");
    // An act that is undone keeps no answer either.
    world.act([&](Repositories& r,
                  const Call& call) { access::remember(r, call, master, first, "undone"); },
              false);
    CHECK(ask(first) == "fresh");
    world.act([&](Repositories& r, const Call& call) {
        access::remember(r, call, master, first, "PF1:secret");
        const auto row = r.access.answer("key-a", "K1");
        REQUIRE(row.has_value());
        // It may hold a code: nobody reads it out of the database.
        CHECK(to_hex(row->sealed).find(to_hex(as_bytes("secret"))) == std::string::npos);
    });
    struct Row {
        const char* why;
        access::Question question;
        std::int64_t later_ms;
        const char* expect;
    };
    const auto other = crypto::sha256(as_bytes("POST /v1/tickets {\"persons\":2}"));
    const std::int64_t day_ms = access::idempotency_kept_ms.count();
    const Row rows[] = {
        {"again", first, 0, "PF1:secret"},
        {"another body", {"key-a", "K1", other}, 0, "idempotency_key_reused"},
        {"another actor", {"key-b", "K1", first.fingerprint}, 0, "fresh"},
        {"another key", {"key-a", "K2", first.fingerprint}, 0, "fresh"},
        {"just within the day", first, day_ms - 1, "PF1:secret"},
        {"a day later", first, day_ms, "fresh"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.why);
        world.now_ms += row.later_ms;
        CHECK(ask(row.question) == row.expect);
        world.now_ms -= row.later_ms;
    }
    // Keeping another answer forgets what is past its day.
    world.now_ms += day_ms + 1;
    world.act([&](Repositories& r, const Call& call) {
        access::remember(r, call, master, {"key-a", "K9", other}, "later");
        CHECK_FALSE(r.access.answer("key-a", "K1").has_value());
        CHECK(r.access.answer("key-a", "K9").has_value());
    });
}
