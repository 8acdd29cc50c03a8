#include "sync-server/http/exchange.hpp"

#include <doctest/doctest.h>

using namespace pf::server::http;

namespace {

struct Desk {
    explicit Desk(std::size_t queue_bytes_max = 10)
        : exchange(std::make_shared<Exchange>("r1", queue_bytes_max, [this] { ++woken; })) {}
    int woken = 0;
    std::shared_ptr<Exchange> exchange;
};

}  // namespace

TEST_CASE("an answer wakes the connection, once") {
    Desk desk;
    CHECK_FALSE(desk.exchange->answered());
    CHECK(desk.exchange->respond({.status = 201}));
    CHECK_FALSE(desk.exchange->respond({.status = 202}));
    CHECK(desk.woken == 1);
    const auto answer = desk.exchange->take_answer();
    REQUIRE(answer);
    CHECK(answer->response.status == 201);
    CHECK_FALSE(desk.exchange->take_answer());
}

TEST_CASE("a stream holds no more than its queue and then cuts off") {
    Desk desk;
    auto writer = Responder{desk.exchange}.stream({.status = 200});
    CHECK(desk.exchange->take_answer()->kind == Exchange::Kind::streamed);
    CHECK(writer.write("12345"));
    CHECK(writer.write("67890"));
    auto flow = desk.exchange->take_flow();
    CHECK(flow.bytes == "1234567890");
    CHECK(writer.write("abc"));
    CHECK_FALSE(writer.write("12345678"));
    CHECK_FALSE(writer.write("x"));
    CHECK(writer.gone());
    CHECK(desk.exchange->take_flow().cut);
}

TEST_CASE("an ended stream is whole, a dropped one is cut") {
    for (const bool ends : {true, false}) {
        CAPTURE(ends);
        Desk desk;
        {
            const auto writer = Responder{desk.exchange}.stream({.status = 200});
            writer.write("x");
            if (ends) writer.end();
        }
        const auto flow = desk.exchange->take_flow();
        CHECK(flow.bytes == "x");
        CHECK(flow.ended == ends);
        CHECK(flow.cut == !ends);
    }
}

TEST_CASE("after the peer went nothing is taken") {
    Desk desk;
    const Responder respond{desk.exchange};
    desk.exchange->set_gone();
    CHECK_FALSE(respond({.status = 200}));
    CHECK_FALSE(desk.exchange->take_answer());
    CHECK_FALSE(respond.stream({.status = 200}).write("x"));
    CHECK(desk.woken == 0);
}

TEST_CASE("a permission is used up") {
    Desk desk;
    CHECK_FALSE(desk.exchange->take_permission());
    desk.exchange->allow_more();
    CHECK(desk.exchange->take_permission());
    CHECK_FALSE(desk.exchange->take_permission());
}
