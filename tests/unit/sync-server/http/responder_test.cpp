#include "sync-server/http/responder.hpp"

#include <doctest/doctest.h>

using namespace pf::server::http;

namespace {

struct Kept {
    std::vector<Response> all;
    Responder responder() {
        return Responder{[this](Response response) { all.push_back(std::move(response)); }};
    }
};

}  // namespace

TEST_CASE("the first answer counts") {
    Kept kept;
    const auto respond = kept.responder();
    const auto copy = respond;
    CHECK(respond({.status = 200}));
    CHECK_FALSE(copy({.status = 201}));
    REQUIRE(kept.all.size() == 1);
    CHECK(kept.all[0].status == 200);
}

TEST_CASE("no answer is answered by 500 when the last copy goes") {
    Kept kept;
    {
        const auto respond = kept.responder();
        { const auto copy = respond; }
        CHECK(kept.all.empty());
    }
    REQUIRE(kept.all.size() == 1);
    CHECK(kept.all[0].status == 500);
    CHECK(kept.all[0].body.find("\"no_answer\"") != std::string::npos);
}

TEST_CASE("a refusal names the request") {
    Kept kept;
    kept.responder().refuse({.status = 403, .code = "scope_missing"});
    REQUIRE(kept.all.size() == 1);
    CHECK(kept.all[0].body.find("\"instance\":\"urn:paifang:request:in-process\"") !=
          std::string::npos);
}

TEST_CASE("somebody may look at the answer on its way, once") {
    Kept kept;
    int seen = 0;
    {
        const auto through = kept.responder().through([&](Response& response) {
            ++seen;
            response.headers.set("X-Seen", "yes");
        });
        CHECK(through({.status = 201}));
        CHECK_FALSE(through({.status = 202}));
    }
    CHECK(seen == 1);
    REQUIRE(kept.all.size() == 1);
    CHECK(kept.all[0].headers.find("x-seen") == "yes");

    Kept unanswered;
    {
        const auto through = unanswered.responder().through([](Response&) {});
    }
    REQUIRE(unanswered.all.size() == 1);
    CHECK(unanswered.all[0].status == 500);
}

TEST_CASE("a pulled body is collected by an in-process responder") {
    Kept kept;
    int left = 3;
    kept.responder().pull({.status = 200}, [&left] {
        Pulled piece;
        piece.bytes = std::to_string(left--);
        if (left == 0) piece.next = Pulled::Next::end;
        return piece;
    });
    REQUIRE(kept.all.size() == 1);
    CHECK(kept.all[0].body == "321");
}

TEST_CASE("an empty responder and writer do nothing") {
    CHECK_FALSE(Responder{}({.status = 200}));
    CHECK_FALSE(Responder{}.refuse({.status = 400}));
    CHECK_FALSE(StreamWriter{}.write("x"));
    CHECK(StreamWriter{}.gone());
}
