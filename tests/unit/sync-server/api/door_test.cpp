// Who may pass, what is refused at the edge, what is done once.
#include <set>

#include "sync-server/api/route.hpp"
#include "tests/unit/sync-server/api/house.hpp"

using namespace pf;
using namespace pf::server;
using access::Permission;
using tests::House;
using tests::Json;

namespace {

/// A path of that pattern which names nothing that exists.
std::string filled(std::string_view pattern) {
    std::string out;
    for (std::size_t at = 0; at < pattern.size(); ++at) {
        if (pattern[at] != '{') {
            out += pattern[at];
            continue;
        }
        at = pattern.find('}', at);
        out += "7";
    }
    return out;
}

const Json site = {{"name_zh", "黄山"}, {"name_en", "Huangshan"}};
const Json product = {{"name_zh", "成人票"}, {"name_en", "Adult"}};

}  // namespace

TEST_CASE("every route with a key refuses none, a foreign one and one without its permission") {
    House house;
    for (const api::Endpoint& endpoint : api::endpoints()) {
        if (endpoint.door.kind() != api::Door::Kind::key) continue;
        CAPTURE(std::string{endpoint.path});
        const bool upload = std::holds_alternative<api::UploadRoute>(endpoint.run);
        House::Ask ask{.method = std::string{http::to_text(endpoint.method)},
                       .path = filled(endpoint.path),
                       .body = upload ? "x" : "",
                       .headers = {}};
        ask.key = "";
        auto answer = house.ask(ask);
        CHECK(answer.status == 401);
        CHECK(answer.code == "key_missing");
        CHECK(answer.headers.has("WWW-Authenticate"));
        ask.key = "pfk_0123456789abcdef_" + std::string(64, '0');
        CHECK(house.ask(ask).code == "key_invalid");

        access::Permissions others;
        for (const Permission permission : access::all_permissions())
            if (permission != endpoint.door.permission() && permission != Permission::admin)
                others.add(permission);
        ask.key = house.make_key("n" + std::to_string(&endpoint - api::endpoints().data()), others);
        answer = house.ask(ask);
        CHECK(answer.status == 403);
        CHECK(answer.code == "permission_missing");
    }
}

TEST_CASE("renewal wants a certificate, and the main listener does not know the route") {
    House house;
    const auto answer = house.ask({.method = "POST",
                                   .path = "/v1/certificates/renew",
                                   .body = R"({"request_pem":"x"})",
                                   .headers = {},
                                   .key = "",
                                   .certificate = "no certificate"});
    CHECK(answer.status == 403);
    CHECK(answer.code == "certificate_bad");
    const auto main = house.api.main_router();
    const auto renewal = house.api.renewal_router();
    for (const auto& route : main->routes()) CHECK(route.path != "/v1/certificates/renew");
    for (const auto& route : renewal->routes()) CHECK(route.path == "/v1/certificates/renew");
}

TEST_CASE("bodies are read exactly, and every fault is named by its pointer") {
    House house;
    REQUIRE(house.post("/v1/sites", site).status == 201);
    struct Row {
        const char *why, *path, *body;
        int status;
        const char *code, *pointer, *fault;
    };
    const std::string sites = "/v1/sites", tickets = "/v1/tickets";
    const Row rows[] = {
        {"no JSON", "/v1/sites", "{", 400, "json_malformed", "", ""},
        {"two documents", "/v1/sites", "{}{}", 400, "json_malformed", "", ""},
        {"not UTF-8", "/v1/sites", "{\"name_zh\":\"\xff\"}", 400, "json_malformed", "", ""},
        {"a name twice", "/v1/sites", R"({"name_zh":"a","name_zh":"b","name_en":"c"})", 400,
         "json_name_twice", "", ""},
        {"too deep", "/v1/sites", R"({"x":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]})", 400,
         "json_too_deep", "", ""},
        {"no object", "/v1/sites", "[]", 422, "body_invalid", "", "wrong_type"},
        {"nothing in it", "/v1/sites", "{}", 422, "body_invalid", "/name_zh", "missing"},
        {"null is nothing", "/v1/sites", R"({"name_zh":null,"name_en":"x"})", 422, "body_invalid",
         "/name_zh", "missing"},
        {"a number for a text", "/v1/sites", R"({"name_zh":1,"name_en":"x"})", 422, "body_invalid",
         "/name_zh", "wrong_type"},
        {"empty", "/v1/sites", R"({"name_zh":"","name_en":"x"})", 422, "body_invalid", "/name_zh",
         "too_short"},
        {"a line end in a name", "/v1/sites", R"({"name_zh":"a\nb","name_en":"x"})", 422,
         "body_invalid", "/name_zh", "control_character"},
        {"unknown field", "/v1/sites", R"({"name_zh":"a","name_en":"b","a/b~c":1})", 422,
         "body_invalid", "/a~1b~0c", "unknown_field"},
        {"a fraction", "/v1/sites", R"({"name_zh":"a","name_en":"b","utc_offset_min":480.5})", 422,
         "body_invalid", "/utc_offset_min", "wrong_type"},
        {"a whole fraction", "/v1/sites", R"({"name_zh":"a","name_en":"b","utc_offset_min":4.8e2})",
         422, "body_invalid", "/utc_offset_min", "wrong_type"},
        {"out of range", "/v1/sites", R"({"name_zh":"a","name_en":"b","day_begins_min":721})", 422,
         "body_invalid", "/day_begins_min", "out_of_range"},
        {"beyond 64 bits", "/v1/sites",
         R"({"name_zh":"a","name_en":"b","day_begins_min":18446744073709551615})", 422,
         "body_invalid", "/day_begins_min", "out_of_range"},
        {"an unknown word", "/v1/sites/1/products",
         R"({"name_zh":"a","name_en":"b","stale":"maybe"})", 422, "body_invalid", "/stale",
         "unknown_word"},
        {"an unknown word in a list", "/v1/sites/1/products",
         R"({"name_zh":"a","name_en":"b","certificate":["child","ghost"]})", 422, "body_invalid",
         "/certificate/1", "unknown_word"},
        {"no entitlement", "/v1/tickets", R"({"entitlements":[]})", 422, "body_invalid",
         "/entitlements", "too_few"},
        {"no list", "/v1/tickets", R"({"entitlements":{}})", 422, "body_invalid", "/entitlements",
         "wrong_type"},
        {"a day that is none", "/v1/tickets",
         R"({"entitlements":[{"site":1,"product":1,"first_day":"2026-02-30",
             "last_day":"2026-03-01"}]})",
         422, "body_invalid", "/entitlements/0/first_day", "day_bad"},
        {"days reversed", "/v1/tickets",
         R"({"entitlements":[{"site":1,"product":1,"first_day":"2026-03-02",
             "last_day":"2026-03-01"}]})",
         422, "body_invalid", "/entitlements/0/last_day", "days_reversed"},
        {"a device name", "/v1/devices", R"({"id":"Gate 1","site":1,"configuration":{}})", 422,
         "body_invalid", "/id", "device_id_bad"},
        {"inside an object", "/v1/devices",
         R"({"id":"g","site":1,"configuration":{"number":"1","name_zh":"a","name_en":"b",
             "kind":"gate","lane":{"pulse_ms":1}}})",
         422, "body_invalid", "/configuration/lane/pulse_ms", "out_of_range"},
        {"a batch names its ticket", "/v1/tickets/batch",
         R"({"tickets":[{"entitlements":[{"site":1,"product":9,"first_day":"2026-03-01",
             "last_day":"2026-03-01"}]}]})",
         422, "product_unknown", "/tickets/0", "product_unknown"},
        {"a point of another site", "/v1/devices",
         R"({"id":"g","site":1,"configuration":{"number":"1","name_zh":"a","name_en":"b",
             "kind":"gate","point":5}})",
         422, "point_unknown", "/configuration/point", "point_unknown"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.why);
        const auto answer =
            house.ask({.method = "POST", .path = row.path, .body = row.body, .headers = {}});
        CAPTURE(answer.text);
        CHECK(answer.status == row.status);
        CHECK(answer.code == row.code);
        if (*row.fault == '\0') continue;
        bool named = false;
        for (const Json& error : answer.json["errors"])
            named = named || (error["pointer"] == row.pointer && error["code"] == row.fault);
        CHECK(named);
    }
    // Nothing of all that was done.
    CHECK(house.get("/v1/sites").json["items"].size() == 1);
    CHECK(house.get("/v1/tickets").json["items"].empty());
}

TEST_CASE("media types and queries are checked too") {
    House house;
    CHECK(house
              .ask({.method = "POST",
                    .path = "/v1/sites",
                    .body = site.dump(),
                    .headers = {},
                    .content_type = "text/plain"})
              .status == 415);
    CHECK(house
              .ask({.method = "POST",
                    .path = "/v1/sites",
                    .body = site.dump(),
                    .headers = {},
                    .content_type = "application/json; charset=utf-8"})
              .status == 201);
    const char* bad[] = {"/v1/tickets?limit=0",    "/v1/tickets?limit=501",
                         "/v1/tickets?limit=-1",   "/v1/tickets?limit=x",
                         "/v1/tickets?cursor=zz",  "/v1/tickets?cursor=00",
                         "/v1/tickets?colour=red", "/v1/devices?site=x",
                         "/v1/sync-log?after=-1",  "/v1/findings?cursor=7469636b65743a313a31"};
    for (const char* path : bad) {
        CAPTURE(path);
        CHECK(house.get(path).code == "query_invalid");
    }
}

TEST_CASE("an act with an Idempotency-Key is done once") {
    House house;
    const auto ask = [&](const std::string& key, const Json& body, const std::string& who) {
        House::Ask out{.method = "POST",
                       .path = "/v1/sites",
                       .body = body.dump(),
                       .headers = {{"Idempotency-Key", key}}};
        out.key = who;
        return house.ask(out);
    };
    const auto first = ask("K1", site, "admin");
    CHECK(first.status == 201);
    CHECK_FALSE(first.headers.has("Idempotency-Replayed"));
    const auto again = ask("K1", site, "admin");
    CHECK(again.status == 201);
    CHECK(again.text == first.text);
    CHECK(again.headers.find("Idempotency-Replayed") == "true");
    CHECK(again.headers.find("Location") == first.headers.find("Location"));

    Json other = site;
    other["name_en"] = "Somewhere else";
    const auto reused = ask("K1", other, "admin");
    CHECK(reused.status == 422);
    CHECK(reused.code == "idempotency_key_reused");
    CHECK(ask("bad key", site, "admin").code == "idempotency_key_bad");
    CHECK(ask("", site, "admin").code == "idempotency_key_bad");
    CHECK(house.get("/v1/sites").json["items"].size() == 1);

    // Keys of two callers don't meet.
    const auto second = house.make_key("other", {Permission::catalog_write});
    CHECK(ask("K1", site, second).json["id"] == 2);
    // A refusal is not kept: what was missing may be there by now.
    House::Ask refused{.method = "POST",
                       .path = "/v1/sites/9/points",
                       .body = site.dump(),
                       .headers = {{"Idempotency-Key", "K2"}}};
    CHECK(house.ask(refused).code == "site_unknown");
    refused.path = "/v1/sites/1/points";
    CHECK(house.ask(refused).status == 201);
}

TEST_CASE("every act is in the audit, done or refused, without secrets") {
    House house;
    REQUIRE(house.post("/v1/sites", site).status == 201);
    REQUIRE(house.post("/v1/sites/1/products", product).status == 201);
    CHECK(house.post("/v1/sites/9/products", product).status == 404);
    const auto reader = house.make_key("reader", {Permission::catalog_read});
    CHECK(house
              .ask({.method = "POST",
                    .path = "/v1/sites/1/points",
                    .body = site.dump(),
                    .headers = {},
                    .key = reader})
              .status == 403);
    const auto issued = house.post(
        "/v1/tickets",
        {{"entitlements",
          {{{"site", 1}, {"product", 1}, {"first_day", "2026-10-01"}, {"last_day", "2026-10-01"}}}},
         {"carriers", {{{"kind", "document"}, {"text", "11010519491231002X"}}}}});
    REQUIRE(issued.status == 201);
    const auto made = house.post("/v1/keys", {{"name", "k"}, {"permissions", {"sync.read"}}});
    REQUIRE(made.status == 201);

    const auto audit = house.get("/v1/audit");
    std::vector<std::string> lines;
    for (const Json& row : audit.json["items"])
        lines.push_back(row["actor"].get<std::string>() + " " + row["action"].get<std::string>() +
                        " [" + row["target"].get<std::string>() + "] " +
                        row["outcome"].get<std::string>());
    const std::vector<std::string> expected = {
        "admin POST /v1/keys [key " + made.json["id"].get<std::string>() + "] done",
        "admin POST /v1/tickets [ticket " + issued.json["id"].get<std::string>() + "] done",
        "reader POST /v1/sites/{site}/points [site 1] permission_missing",
        "admin POST /v1/sites/{site}/products [site 9] site_unknown",
        "admin POST /v1/sites/{site}/products [site 1, product 1] done",
        "admin POST /v1/sites [site 1] done",
    };
    CHECK(lines == expected);
    CHECK(audit.text.find("11010519491231002X") == std::string::npos);
    CHECK(audit.text.find("PF1:") == std::string::npos);
    CHECK(audit.text.find("pfk_") == std::string::npos);
    CHECK(audit.json["items"][0]["request_id"] == "test-request");
}

TEST_CASE("a database that fails answers 503 or 507, and says nothing was done") {
    House house;
    struct Row {
        store::Fault fault;
        int status;
        const char* code;
    };
    const Row rows[] = {{store::Fault::busy, 503, "database_busy"},
                        {store::Fault::disk_full, 507, "database_disk_full"},
                        {store::Fault::io_error, 503, "database_io_error"}};
    for (const Row& row : rows) {
        house.fail_with = row.fault;
        const auto answer = house.post("/v1/sites", site);
        CHECK(answer.status == row.status);
        CHECK(answer.code == row.code);
        CHECK(answer.headers.has("Retry-After"));
    }
    house.fail_with.reset();
    CHECK(house.get("/v1/sites").json["items"].empty());
}

TEST_CASE("products and configurations change only under the eyes of who changes them") {
    House house;
    REQUIRE(house.post("/v1/sites", site).status == 201);
    REQUIRE(house.post("/v1/sites/1/products", product).status == 201);
    const Json configuration = {
        {"number", "1"}, {"name_zh", "一号"}, {"name_en", "One"}, {"kind", "gate"}};
    REQUIRE(
        house.post("/v1/devices", {{"id", "gate-1"}, {"site", 1}, {"configuration", configuration}})
            .status == 201);
    struct Row {
        const char* path;
        Json changed;
    };
    Json renamed = product;
    renamed["name_en"] = "Adults";
    Json moved = configuration;
    moved["number"] = "2";
    const Row rows[] = {{"/v1/sites/1/products/1", renamed},
                        {"/v1/devices/gate-1/configuration", moved}};
    for (const Row& row : rows) {
        CAPTURE(row.path);
        const auto put = [&](std::optional<std::string> tag) {
            House::Ask ask{.method = "PUT", .path = row.path, .body = row.changed.dump()};
            if (tag) ask.headers.add("If-Match", *tag);
            return house.ask(ask);
        };
        const std::string tag{*house.get(row.path).headers.find("ETag")};
        CHECK(put(std::nullopt).status == 428);
        CHECK(put("\"somebody else's\"").code == "changed_meanwhile");
        const auto done = put("\"x\", " + tag);
        CHECK(done.status == 200);
        const std::string next{*done.headers.find("ETag")};
        CHECK(next != tag);
        CHECK(house.get(row.path).headers.find("ETag") == next);
        CHECK(put(tag).status == 412);
        CHECK(put("*").status == 200);
    }
    CHECK(house.committed.back().effects.moved == std::set<SiteId>{SiteId{1}});
}

TEST_CASE("whoever has no key fills an hour of the audit with so many rows and no more") {
    House house;
    const auto rows = [&] {
        std::size_t count = 0;
        std::string cursor;
        do {
            const auto page = house.get("/v1/audit?limit=500" + cursor);
            count += page.json["items"].size();
            const auto& next = page.json["next_cursor"];
            cursor = next.is_null() ? "" : "&cursor=" + next.get<std::string>();
        } while (!cursor.empty());
        return count;
    };
    const auto guess = [&](int i) {
        House::Ask ask{
            .method = "POST",
            .path = "/v1/pairings/claim",
            .body = Json{{"code", "GUESS" + std::to_string(i)}, {"request_pem", "x"}}.dump(),
            .headers = {}};
        ask.key = "";
        return house.ask(ask);
    };
    const std::size_t before = rows();
    for (int i = 0; i < 200; ++i) CHECK(guess(i).code == "code_unknown");
    const std::size_t hour = rows() - before;
    CHECK(hour >= 10);
    CHECK(hour <= 100);
    CHECK(house.get("/v1/audit?limit=1").json["items"][0]["outcome"] == "too_many_refused");
    house.now += std::chrono::hours{1};
    guess(0);
    CHECK(rows() == before + hour + 1);
}
