// From an empty platform to a ticket that is explained: what people and programs do all day.
#include <fmt/format.h>

#include "common/wire/messages.hpp"
#include "tests/unit/sync-server/api/house.hpp"
#include "tests/unit/sync-server/ingest/world.hpp"

using namespace pf;
using namespace pf::server;
using access::Permission;
using tests::House;
using tests::Json;

namespace {

struct Platform : House {
    explicit Platform(std::uint64_t seed = 1) : House{seed} {
        now = tests::start;
        REQUIRE(post("/v1/sites", {{"name_zh", "黄山"}, {"name_en", "Huangshan"}}).status == 201);
        REQUIRE(post("/v1/sites/1/points", {{"name_zh", "南门"}, {"name_en", "South"}}).status ==
                201);
        REQUIRE(post("/v1/sites/1/points", {{"name_zh", "北门"}, {"name_en", "North"}}).status ==
                201);
        REQUIRE(post("/v1/sites/1/products",
                     {{"name_zh", "成人票"}, {"name_en", "Adult"}, {"points", {1}}})
                    .status == 201);
    }
    using House::post;

    static Json ticket(Json more = Json::object()) {
        Json out = {{"entitlements",
                     {{{"site", 1},
                       {"product", 1},
                       {"first_day", "2026-05-01"},
                       {"last_day", "2026-05-02"}}}}};
        out.update(more);
        return out;
    }
    std::string invite(const std::string& id) {
        const auto answer = post("/v1/devices", {{"id", id},
                                                 {"site", 1},
                                                 {"configuration",
                                                  {{"number", "1"},
                                                   {"name_zh", "一号"},
                                                   {"name_en", "One"},
                                                   {"kind", "gate"},
                                                   {"point", 1}}}});
        REQUIRE(answer.status == 201);
        return answer.json["pairing_code"];
    }
    Answer claim(const std::string& code, const crypto::PrivateKey& device_key) {
        Ask out{.method = "POST",
                .path = "/v1/pairings/claim",
                .body = Json{{"code", code},
                             {"request_pem", crypto::make_request(device_key, "new-device")}}
                            .dump()};
        out.key = "";
        return ask(out);
    }
    Answer import_codes(const std::string& csv, const std::string& path) {
        Ask out{.method = "POST", .path = path, .body = csv};
        out.content_type = "text/csv";
        return ask(out);
    }
};

std::string framed(const wire::Batch& batch) {
    const Bytes payload = wire::encode(batch);
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8)
        out += static_cast<char>(payload.size() >> static_cast<unsigned>(shift) & 0xffU);
    return out + std::string{as_text(payload)};
}

}  // namespace

TEST_CASE("a board becomes a device with its code, once, and is told where everything is") {
    Platform platform;
    const std::string code = platform.invite("gate-1");
    tests::SeededEntropy entropy{5};
    const auto device_key = crypto::PrivateKey::generate(entropy);
    const auto claimed = platform.claim(code, device_key);
    CAPTURE(claimed.text);
    REQUIRE(claimed.status == 201);
    CHECK(claimed.json["device"] == "gate-1");
    CHECK(claimed.json["broker"] == Json{{"host", "gate.example"}, {"port", 8883}});
    CHECK(claimed.json["renewal_url"] == "https://gate.example:8444");
    const auto certificate =
        crypto::read_certificate(claimed.json["certificate_pem"].get<std::string>());
    REQUIRE(certificate.has_value());
    CHECK(certificate->common_name == "gate-1");
    CHECK(certificate->key == device_key.public_key());
    // The broker lets it in before it hears where to go, and lets an old board of that name go.
    CHECK(platform.committed.back().devices_changed);
    CHECK(platform.committed.back().revoked == std::vector{*DeviceId::parse("gate-1")});

    CHECK(platform.claim(code, device_key).code == "code_unknown");
    CHECK(platform.claim("NOSUCHCODE", device_key).status == 404);
    const std::string late = platform.invite("gate-2");
    platform.now += std::chrono::hours{24};
    CHECK(platform.claim(late, device_key).code == "code_expired");

    const auto renewed = platform.ask(
        {.method = "POST",
         .path = "/v1/certificates/renew",
         .body = Json{{"request_pem", crypto::make_request(device_key, "gate-1")}}.dump(),
         .headers = {},
         .key = "",
         .certificate = claimed.json["certificate_pem"].get<std::string>()});
    CHECK(renewed.status == 201);
    CHECK(renewed.json["certificate_pem"] != claimed.json["certificate_pem"]);

    CHECK(platform.get("/v1/devices/gate-1").json["state"] == "active");
    CHECK(platform.post("/v1/devices/gate-1/revoke", {}).json["state"] == "revoked");
    CHECK(platform.committed.back().revoked == std::vector{*DeviceId::parse("gate-1")});
    CHECK(platform.get("/v1/audit?limit=1").json["items"][0]["target"] == "device gate-1");
}

TEST_CASE("an invitation says where to pair, and every key of a device can be had") {
    Platform platform;
    const Json invited = platform
                             .post("/v1/devices", {{"id", "gate-1"},
                                                   {"site", 1},
                                                   {"configuration",
                                                    {{"number", "1"},
                                                     {"name_zh", "一号"},
                                                     {"name_en", "One"},
                                                     {"kind", "gate"},
                                                     {"point", 1}}}})
                             .json;
    CHECK(invited["server_url"] == "https://gate.example:8443");
    CHECK(platform.get("/v1/devices/gate-1/keys").json["items"].empty());
    tests::SeededEntropy entropy{5};
    const auto first = crypto::PrivateKey::generate(entropy);
    const auto second = crypto::PrivateKey::generate(entropy);
    REQUIRE(platform.claim(invited["pairing_code"], first).status == 201);
    platform.now += Millis{1'000};
    REQUIRE(platform.claim(platform.invite("gate-1"), second).status == 201);
    const Json keys = platform.get("/v1/devices/gate-1/keys").json["items"];
    REQUIRE(keys.size() == 2);  // the journal of the board that was replaced is signed with its own
    CHECK(keys[0]["public_key_pem"] == second.public_key().to_pem());
    CHECK(keys[1]["public_key_pem"] == first.public_key().to_pem());
    CHECK(keys[1]["id"] == to_hex(crypto::key_id(first.public_key())));
    CHECK(platform.get("/v1/devices/gate-9/keys").code == "device_unknown");
}

TEST_CASE("a device is shown with what it holds, by its own word") {
    Platform platform;
    tests::SeededEntropy entropy{5};
    const auto key = crypto::PrivateKey::generate(entropy);
    REQUIRE(platform.claim(platform.invite("gate-1"), key).status == 201);
    CHECK(platform.get("/v1/devices/gate-1").json["reported"].is_null());
    const auto generation = platform.get("/v1/health").json["generation"].get<std::uint64_t>();
    tests::Gate gate{*DeviceId::parse("gate-1"), key};
    gate.write_filler(5);
    wire::Birth birth;
    birth.connect_counter = 1;
    birth.firmware = "0.1.0";
    birth.journal = gate.at(5);
    birth.clock = journal::ClockQuality::confirmed;
    birth.wall = platform.now;
    birth.lists = {{wire::ListScope::revoked, Generation{generation}, 17, {}},
                   {wire::ListScope::tickets, Generation{generation + 1}, 4, {}}};
    birth.documents = {{2, 3}};
    platform.call(
        "test",
        [&](Repositories& r, const Call& call) {
            fleet::on_birth(r, call, *fleet::device(r, gate.id()), birth);
            return std::optional{api::Committed{}};
        },
        [](std::optional<store::Fault>) {});
    House::Ask import{.method = "POST", .path = "/v1/journals", .body = framed(gate.batch(1, 3))};
    import.content_type = "application/vnd.paifang.journal";
    REQUIRE(platform.ask(import).json["booked"] == 1);

    const Json device = platform.get("/v1/devices/gate-1").json;
    CHECK(device["online"] == true);
    const Json& said = device["reported"];
    CAPTURE(device.dump());
    CHECK(said["at"] == to_rfc3339(platform.now));
    CHECK(said["firmware"] == "0.1.0");
    CHECK(said["clock"] == "confirmed");
    CHECK(said["lists"]["revoked"]["version"] == 17);
    CHECK(said["lists"]["revoked"]["of_this_generation"] == true);
    CHECK(said["lists"]["tickets"]["of_this_generation"] == false);
    CHECK(said["documents"] == Json{{"key_ring", 3}});
    CHECK(said["journal"]["last_seq"] == 5);
    CHECK(said["journal"]["confirmed_seq"] == 3);
    CHECK(said["journal"]["unconfirmed"] == 2);
    gate.write_filler(2);  // after it connected: known of when they come
    import.body = framed(gate.batch(4, 7));
    REQUIRE(platform.ask(import).json["booked"] == 1);
    const Json later = platform.get("/v1/devices/gate-1").json["reported"]["journal"];
    CHECK(later["last_seq"] == 7);
    CHECK(later["unconfirmed"] == 0);
}

TEST_CASE("a claim whose answer was lost is answered again, to the same body only") {
    Platform platform;
    const std::string code = platform.invite("gate-1");
    tests::SeededEntropy entropy{5};
    const auto device_key = crypto::PrivateKey::generate(entropy);
    const auto ask = [&](const std::string& request_pem) {
        House::Ask out{.method = "POST",
                       .path = "/v1/pairings/claim",
                       .body = Json{{"code", code}, {"request_pem", request_pem}}.dump(),
                       .headers = {{"Idempotency-Key", "boot-1"}}};
        out.key = "";
        return platform.ask(out);
    };
    const std::string request = crypto::make_request(device_key, "x");
    const auto first = ask(request);
    REQUIRE(first.status == 201);
    CHECK(ask(request).text == first.text);
    const auto thief = crypto::PrivateKey::generate(entropy);
    CHECK(ask(crypto::make_request(thief, "x")).code == "code_unknown");
}

TEST_CASE("commands expire soon, carry who sent them, and show what became of them") {
    Platform platform;
    tests::SeededEntropy entropy{6};
    REQUIRE(
        platform.claim(platform.invite("gate-1"), crypto::PrivateKey::generate(entropy)).status ==
        201);
    const auto sent =
        platform.post("/v1/devices/gate-1/commands", {{"kind", "open"}, {"text", "wheelchair"}});
    CAPTURE(sent.text);
    REQUIRE(sent.status == 202);
    CHECK(sent.json["issuer"] == "admin");
    CHECK(sent.json["expires_at"] == to_rfc3339(platform.now + std::chrono::seconds{30}));
    CHECK(platform.committed.back().effects.messages.size() == 1);
    const auto again = platform.get(std::string{*sent.headers.find("Location")});
    CHECK(again.json == sent.json);
    CHECK(again.json["state"].is_null());

    struct Row {
        const char* why;
        Json body;
        int status;
    };
    const Row rows[] = {
        {"open lives two minutes at most",
         {{"kind", "open"}, {"text", "x"}, {"expires_in_s", 121}},
         422},
        {"open says why", {{"kind", "open"}}, 422},
        {"a scan needs a code", {{"kind", "test_scan"}}, 422},
        {"fields of another kind", {{"kind", "test_scan"}, {"text", "x"}, {"persons", 2}}, 422},
        {"others may live longer",
         {{"kind", "test_scan"}, {"text", "PF1:X"}, {"expires_in_s", 3600}},
         202},
        {"resend from", {{"kind", "resend"}, {"from_seq", 1}}, 202},
        {"renew", {{"kind", "renew_certificate"}}, 202},
    };
    for (const Row& row : rows) {
        CAPTURE(row.why);
        CHECK(platform.post("/v1/devices/gate-1/commands", row.body).status == row.status);
    }
    CHECK(platform.post("/v1/devices/gate-9/commands", {{"kind", "renew_certificate"}}).status ==
          404);
    CHECK(platform.get("/v1/commands/00").code == "command_unknown");
}

TEST_CASE("the list of tickets loses none, though thousands may bear one millisecond") {
    Platform platform;
    Json batch = {{"tickets", Json::array()}};
    for (int i = 0; i < 11; ++i) batch["tickets"].push_back(Platform::ticket());
    std::set<std::string> issued;
    for (int round = 0; round < 3; ++round) {
        const auto answer = platform.post("/v1/tickets/batch", batch);
        REQUIRE(answer.status == 201);
        for (const Json& ticket : answer.json["items"]) issued.insert(ticket["id"]);
        platform.now += Millis{round};  // the first two rounds share a millisecond
    }
    REQUIRE(issued.size() == 33);
    for (const int limit : {1, 4, 11, 32, 33, 500}) {
        CAPTURE(limit);
        std::vector<std::string> seen;
        std::string cursor;
        do {
            const auto page = platform.get(fmt::format("/v1/tickets?limit={}{}", limit,
                                                       cursor.empty() ? "" : "&cursor=" + cursor));
            REQUIRE(page.status == 200);
            for (const Json& ticket : page.json["items"]) seen.push_back(ticket["id"]);
            cursor = page.json["next_cursor"].is_null()
                         ? ""
                         : page.json["next_cursor"].get<std::string>();
            REQUIRE(seen.size() <= 33);
        } while (!cursor.empty());
        CHECK(seen.size() == 33);
        CHECK(std::set<std::string>(seen.begin(), seen.end()) == issued);
    }
}

TEST_CASE("a ticket's text is shown to who issues, and a revoked one has none") {
    Platform platform;
    const auto issued = platform.post("/v1/tickets", Platform::ticket());
    REQUIRE(issued.status == 201);
    const std::string id = issued.json["id"];
    const std::string text = issued.json["text"];
    CHECK(text.starts_with("PF1:"));
    CHECK(platform.get("/v1/tickets/" + id + "/text").json["text"] == text);
    CHECK_FALSE(platform.get("/v1/tickets/" + id).json.contains("text"));
    const auto reader = platform.make_key("reader", {Permission::tickets_read});
    House::Ask ask{.method = "GET", .path = "/v1/tickets/" + id + "/text"};
    ask.key = reader;
    CHECK(platform.ask(ask).status == 403);

    const auto reissued = platform.post("/v1/tickets/" + id + "/reissue", {});
    CHECK(reissued.json["generation"] == 2);
    CHECK(reissued.json["text"] != text);
    CHECK(platform.post("/v1/tickets/" + id + "/revoke", {{"why", "refunded"}}).json["state"] ==
          "revoked");
    CHECK(platform.get("/v1/tickets/" + id + "/text").code == "ticket_revoked");
    CHECK(platform.post("/v1/tickets/" + id + "/reissue", {}).code == "ticket_revoked");
    CHECK(platform.get("/v1/tickets/0123").code == "ticket_unknown");
    CHECK(platform.post("/v1/tickets", Platform::ticket({{"signed_qr", false}})).code ==
          "carrier_bad");
}

TEST_CASE("any text is explained: what it says, whether it is ours, what a gate would answer") {
    Platform platform;
    const auto explain = [&](const std::string& text) {
        const auto answer = platform.post("/v1/tickets/explain", {{"text", text}});
        REQUIRE(answer.status == 200);
        return answer.json;
    };
    const auto issued = platform.post(
        "/v1/tickets",
        Platform::ticket({{"persons", 5}, {"carriers", {{{"kind", "code"}, {"text", "OTA-77"}}}}}));
    REQUIRE(issued.status == 201);
    const std::string text = issued.json["text"];

    const Json good = explain(text);
    CHECK(good["kind"] == "signed");
    CHECK(good["signature"] == "valid");
    CHECK(good["tickets"][0]["known"]["state"] == "issued");
    const Json& now = good["tickets"][0]["now"];
    REQUIRE(now.size() == 2);
    CHECK(now[0]["verdict"] == "admit");
    CHECK(now[0]["persons"] == 5);
    CHECK(now[1]["words"]["reason"] == "wrong_point");
    bool in_words = false;
    for (const Json& claim : good["tickets"][0]["claims"])
        in_words = in_words ||
                   (claim["words"] ==
                        "Adult at Huangshan, from 2026-05-01 to 2026-05-02, 1 entry in all" &&
                    claim["words_zh"] == "黄山的成人票，2026-05-01 至 2026-05-02，共可入 1 次");
    CHECK(in_words);
    for (const Json& claim : good["tickets"][0]["claims"])
        CHECK_FALSE(claim["words_zh"].get<std::string>().empty());
    CHECK(now[0]["site_zh"] == "黄山");
    CHECK(now[0]["point_en"] == "South");
    CHECK(now[1]["point_zh"] == "北门");

    CHECK(explain("OTA-77")["tickets"][0]["carrier"] == "code");
    CHECK(explain("OTA-78")["words"]["reason"] == "unknown_code");
    CHECK(explain("PF1:%%")["words"]["reason"] == "code_not_base45");

    // Another platform's ticket.
    Platform elsewhere{2};
    CHECK(explain(elsewhere.post("/v1/tickets", Platform::ticket()).json["text"])["signature"] ==
          "key_unknown");
    platform.now += std::chrono::days{7};
    CHECK(explain(text)["tickets"][0]["now"][0]["words"]["reason"] == "expired");
    platform.now = tests::start;
    const std::string id = issued.json["id"];
    REQUIRE(platform.post("/v1/tickets/" + id + "/reissue", {}).status == 200);
    CHECK(explain(text)["tickets"][0]["now"][0]["words"]["reason"] == "superseded");
    REQUIRE(platform.post("/v1/tickets/" + id + "/revoke", {{"why", "x"}}).status == 200);
    CHECK(explain(text)["tickets"][0]["now"][0]["words"]["reason"] == "revoked");
}

TEST_CASE("a used ticket is explained with where and when it was used") {
    Platform platform;
    tests::SeededEntropy entropy{5};
    const auto key = crypto::PrivateKey::generate(entropy);
    REQUIRE(platform.claim(platform.invite("gate-1"), key).status == 201);
    const auto issued = platform.post("/v1/tickets", Platform::ticket());
    REQUIRE(issued.status == 201);
    const auto ticket = ticket::read(issued.json["text"].get<std::string>())->token.claims.id;
    tests::Gate gate{*DeviceId::parse("gate-1"), key};
    gate.write(tests::admitted(ticket));
    House::Ask import{.method = "POST", .path = "/v1/journals", .body = framed(gate.all())};
    import.content_type = "application/vnd.paifang.journal";
    REQUIRE(platform.ask(import).json["booked"] == 1);
    const Json now = platform.post("/v1/tickets/explain", {{"text", issued.json["text"]}})
                         .json["tickets"][0]["now"];
    CHECK(now[0]["words"]["reason"] == "already_used");
    CHECK(now[0]["used"]["device"] == "gate-1");
    CHECK(now[0]["used"]["device_zh"] == "一号");
    CHECK(now[0]["used"]["device_en"] == "One");
    CHECK(now[0]["used"]["at"] == "2026-05-01T08:00:00.000Z");
    CHECK(now[0]["used"]["local_time"] == "2026-05-01 16:00");
}

TEST_CASE("codes are imported all or none, and bad lines are named by number") {
    Platform platform;
    const std::string path = "/v1/sites/1/code-imports";
    const std::string head = "code,product,first_day,last_day\n";
    const auto good = platform.import_codes(
        head + "A-1,1,2026-05-01,2026-05-02\nA-2,1,2026-05-01,2026-05-02\n", path);
    CAPTURE(good.text);
    CHECK(good.status == 201);
    CHECK(good.json["imported"] == 2);
    struct Row {
        const char *why, *csv, *path;
        int status;
        const char *pointer, *code;
    };
    const Row rows[] = {
        {"a bad day", "B-1,1,2026-05-01,2026-05-02\nB-2,1,tomorrow,2026-05-02\n",
         "/v1/sites/1/code-imports", 422, "/lines/3/first_day", "day_bad"},
        {"a product that is not there", "B-1,9,2026-05-01,2026-05-02\n", "/v1/sites/1/code-imports",
         422, "/lines/2", "product_unknown"},
        {"a code that is taken", "B-1,1,2026-05-01,2026-05-02\nA-1,1,2026-05-01,2026-05-02\n",
         "/v1/sites/1/code-imports", 422, "/lines/3", "carrier_taken"},
        {"no such site", "B-1,1,2026-05-01,2026-05-02\n", "/v1/sites/7/code-imports", 404, "", ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.why);
        const auto answer = platform.import_codes(head + row.csv, row.path);
        CAPTURE(answer.text);
        CHECK(answer.status == row.status);
        if (*row.pointer == '\0') continue;
        CHECK(answer.json["errors"][0]["pointer"] == row.pointer);
        CHECK(answer.json["errors"][0]["code"] == row.code);
    }
    CHECK(platform.get("/v1/tickets").json["items"].size() == 2);
    CHECK(platform.post("/v1/carriers/search", {{"kind", "code"}, {"text", "B-1"}})
              .json["items"]
              .empty());
}

TEST_CASE("the journal of a dead gate is booked batch by batch, and twice is once") {
    Platform platform;
    tests::SeededEntropy entropy{9};
    const auto device_key = crypto::PrivateKey::generate(entropy);
    REQUIRE(platform.claim(platform.invite("gate-1"), device_key).status == 201);
    tests::Gate gate{*DeviceId::parse("gate-1"), device_key};
    gate.write_filler(5);
    const auto send = [&](const std::string& body) {
        House::Ask ask{.method = "POST", .path = "/v1/journals", .body = body};
        ask.content_type = "application/vnd.paifang.journal";
        return platform.ask(ask);
    };
    const std::string file = framed(gate.batch(1, 3)) + framed(gate.batch(4, 5));
    const auto first = send(file);
    CAPTURE(first.text);
    REQUIRE(first.status == 200);
    CHECK(first.json["booked"] == 2);
    CHECK(first.json["batches"][1]["result"] == "booked");
    CHECK(send(file).json["batches"][0]["result"] == "known");
    const auto log = platform.get("/v1/sync-log?after=0");
    REQUIRE(log.json["items"].size() == 5);
    CHECK(log.json["items"][0]["kind"] == "booted");
    CHECK(log.json["position"] == log.json["items"][4]["position"]);
    CHECK(platform.get("/v1/sync-log?limit=2").json["items"].size() == 2);

    // A stranger's signature books nothing, and says so.
    tests::Gate forger{*DeviceId::parse("gate-1"), crypto::PrivateKey::generate(entropy), 0xbad};
    forger.write_filler(1);
    CHECK(send(framed(forger.all())).json["batches"][0]["result"] == "not_booked");
    tests::Gate stranger{*DeviceId::parse("gate-9"), device_key};
    stranger.write_filler(1);
    CHECK(send(framed(stranger.all())).json["batches"][0]["result"] == "device_unknown");
    CHECK(platform.get("/v1/sync-log?after=0").json["items"].size() == 5);

    struct Row {
        const char* why;
        std::string body;
        const char* code;
    };
    const Row rows[] = {
        {"nothing", "", "journal_empty"},
        {"cut in the length", file.substr(0, 2), "frame_cut"},
        {"cut in a batch", file.substr(0, file.size() - 1), "frame_cut"},
        {"a length of nothing", std::string(4, '\0'), "frame_bad"},
        {"a length beyond all batches", std::string(4, '\x7f'), "frame_bad"},
        {"no batch", std::string("\0\0\0\1", 4) + "x", "batch_malformed"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.why);
        CHECK(send(row.body).code == row.code);
    }
}

TEST_CASE("a new generation rises and concerns every site") {
    Platform platform;
    const auto before = platform.get("/v1/health").json["generation"].get<std::uint64_t>();
    const auto begun = platform.post("/v1/generation", {{"why", "restored"}});
    CHECK(begun.json["generation"].get<std::uint64_t>() > before);
    CHECK(platform.committed.back().effects.moved == std::set<SiteId>{SiteId{1}});
    CHECK(platform.get("/v1/health").json["generation"] == begun.json["generation"]);
}

TEST_CASE("health says what is wrong, without a key") {
    House house;
    House::Ask ask{.method = "GET", .path = "/v1/health"};
    ask.key = "";
    CHECK(house.ask(ask).json["status"] == "ok");
    house.health_.link_up = false;
    const auto degraded = house.ask(ask);
    CHECK(degraded.status == 503);
    CHECK(degraded.json["status"] == "degraded");
    CHECK(degraded.json["link"]["up"] == false);
}

TEST_CASE("who looked at what opens a gate, or searched for a person, is in the audit") {
    Platform platform;
    const auto issued = platform.post(
        "/v1/tickets",
        Platform::ticket({{"carriers", {{{"kind", "document"}, {"text", "X990011"}}}}}));
    REQUIRE(issued.status == 201);
    const std::string id = issued.json["id"];
    const auto newest = [&] { return platform.get("/v1/audit?limit=1").json["items"][0]; };
    REQUIRE(platform.get("/v1/tickets/" + id + "/text").status == 200);
    CHECK(newest()["action"] == "GET /v1/tickets/{ticket}/text");
    CHECK(newest()["target"] == "ticket " + id);
    CHECK(newest()["outcome"] == "done");
    CHECK(platform.get("/v1/tickets/0123456789abcdef/text").status == 404);
    CHECK(newest()["outcome"] == "ticket_unknown");
    const Json search = {{"kind", "document"}, {"text", "X990011"}};
    CHECK(platform.post("/v1/carriers/search", search).json["items"].size() == 1);
    CHECK(newest()["action"] == "POST /v1/carriers/search");
    CHECK(newest()["target"] == "document, 1 tickets");
    CHECK(newest().dump().find("X990011") == std::string::npos);
    // Asked again under one Idempotency-Key it is looked at again, and written down again.
    const auto number = newest()["number"].get<int>();
    for (int i = 0; i < 2; ++i)
        platform.ask({.method = "GET",
                      .path = "/v1/tickets/" + id + "/text",
                      .headers = {{"Idempotency-Key", "look"}}});
    CHECK(newest()["number"].get<int>() == number + 2);
}

TEST_CASE("keys are rotated by the administrator, one rotation at a time") {
    Platform platform;
    const auto before = platform.get("/v1/sites/1/keys");
    REQUIRE(before.status == 200);
    CHECK(before.json["rebuilding"] == false);
    const auto rotated = platform.post("/v1/sites/1/carrier-key/rotate", {});
    CHECK(rotated.status == 202);
    CHECK(rotated.json["carrier_key"] == before.json["carrier_key"].get<int>() + 1);
    CHECK(platform.committed.back().effects.moved == std::set{SiteId{1}});
    CHECK(platform.post("/v1/sites/1/carrier-key/rotate", {}).code == "rotation_under_way");
    CHECK(platform.post("/v1/sites/9/carrier-key/rotate", {}).code == "site_unknown");
    const auto ticket = platform.post("/v1/ticket-key/rotate", {});
    CHECK(ticket.status == 201);
    CHECK(ticket.json["ticket_keys"] == before.json["ticket_keys"].get<int>() + 1);
    CHECK(platform.get("/v1/audit?limit=1").json["items"][0]["outcome"] == "done");
}
