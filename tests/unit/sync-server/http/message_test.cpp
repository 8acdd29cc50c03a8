#include "sync-server/http/message.hpp"

#include <doctest/doctest.h>

using namespace pf::server::http;

TEST_CASE("header names compare without regard to case") {
    Headers headers{{"Content-Type", "text/plain"}, {"X-A", "1"}, {"x-a", "2"}};
    CHECK(headers.find("content-TYPE") == "text/plain");
    CHECK(headers.find("X-A") == "1");
    CHECK(headers.count("X-a") == 2);
    CHECK_FALSE(headers.has("X-AB"));
    headers.set("X-A", "3");
    CHECK(headers.count("x-a") == 1);
    CHECK(headers.find("x-a") == "3");
    headers.erase("CONTENT-type");
    CHECK(headers.all().size() == 1);
}

TEST_CASE("methods are read as they are written") {
    for (const auto method : {Method::get, Method::head, Method::post, Method::put, Method::patch,
                              Method::del, Method::options})
        CHECK(method_from(to_text(method)) == method);
    CHECK_FALSE(method_from("get"));
    CHECK_FALSE(method_from("BREW"));
    CHECK_FALSE(method_from(""));
}
