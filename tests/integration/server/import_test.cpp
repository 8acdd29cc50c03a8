// A season of another seller's codes in one file: all of it, or nothing.
#include <fmt/format.h>

#include "tests/integration/server/house.hpp"

using namespace pf;
using namespace pf::tests;

namespace {

std::string csv(int lines, const std::string& name) {
    std::string out = "code,product,first_day,last_day,persons,reference\n";
    for (int i = 0; i < lines; ++i)
        out += fmt::format("{}-{:06},1,2026-10-01,2026-10-07,{},order {}\n", name, i, 1 + i % 4, i);
    return out;
}

constexpr int lines = 5'000;

}  // namespace

TEST_CASE("five thousand codes are imported in one act, and a bad line keeps all of them out") {
    Server server;
    server.start();
    server.furnish();
    const std::string path = "/v1/sites/1/code-imports";

    std::string bad = csv(lines, "BAD");
    bad.replace(bad.find("BAD-004000,1,"), 13, "BAD-004000,x,");
    const auto refused = server.ask("POST", path, bad, {}, "text/csv");
    CHECK(refused.status == 422);
    CHECK(refused.code == "import_refused");
    CHECK(refused.json["errors"][0]["pointer"] == "/lines/4002/product");
    CHECK(server.get("/v1/tickets?limit=1").json["items"].empty());

    const std::string good = csv(lines, "OTA");
    const auto imported =
        server.ask("POST", path, good, {{"Idempotency-Key", "season-1"}}, "text/csv");
    REQUIRE_MESSAGE(imported.status == 201, imported.code);
    CHECK(imported.json["imported"] == lines);
    const auto found =
        server.post("/v1/carriers/search", {{"kind", "code"}, {"text", "OTA-004999"}});
    CHECK(found.json["items"][0]["reference"] == "order 4999");
    // Asked again because the answer was lost: the same answer, and no code is "taken" by itself.
    const auto again =
        server.ask("POST", path, good, {{"Idempotency-Key", "season-1"}}, "text/csv");
    CHECK(again.status == 201);
    CHECK(again.json == imported.json);

    // One code that is taken already keeps the whole second file out.
    const auto taken = server.ask(
        "POST", path, csv(3, "NEW") + "OTA-000007,1,2026-10-01,2026-10-07,1,\n", {}, "text/csv");
    CHECK(taken.status == 422);
    CHECK(taken.json["errors"][0]["pointer"] == "/lines/5");
    CHECK(server.post("/v1/carriers/search", {{"kind", "code"}, {"text", "NEW-000001"}})
              .json["items"]
              .empty());
}
