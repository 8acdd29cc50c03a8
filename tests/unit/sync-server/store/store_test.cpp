#include "sync-server/store/store.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "tests/support/temp_dir.hpp"

using namespace pf;
using namespace pf::server;
using store::Decision;
using store::Store;

namespace {
std::unique_ptr<Store> open(const std::string& path, bool threaded = true) {
    auto opened =
        Store::open({.path = path, .vfs = {}, .threaded = threaded, .now = wall_from_ms(1'000)});
    REQUIRE(opened.has_value());
    return std::move(*opened);
}
}  // namespace

TEST_CASE("a kept transaction is there after the file is opened again, an undone one is not") {
    const tests::TempDir dir;
    for (const bool threaded : {true, false}) {
        CAPTURE(threaded);
        const std::string path = dir / (threaded ? "a.db" : "b.db");
        {
            auto store = open(path, threaded);
            CHECK_FALSE(store->write_now([](Repositories& r) {
                r.meta.put("kept", "yes");
                return Decision::keep;
            }));
            CHECK_FALSE(store->write_now([](Repositories& r) {
                r.meta.put("undone", "yes");
                return Decision::undo;
            }));
        }
        auto store = open(path, threaded);
        CHECK_FALSE(store->read([](Repositories& r) {
            CHECK(r.meta.value("kept") == "yes");
            CHECK_FALSE(r.meta.value("undone").has_value());
            CHECK(r.meta.generation() == Generation{1'000});
        }));
    }
}

TEST_CASE("many transactions share a commit, and an undone one undoes only itself") {
    const tests::TempDir dir;
    auto store = open(dir / "server.db");
    std::vector<std::future<std::optional<store::Fault>>> answers;
    for (int i = 0; i < 500; ++i) {
        auto done = std::make_shared<std::promise<std::optional<store::Fault>>>();
        answers.push_back(done->get_future());
        store->write(
            [i](Repositories& r) {
                r.meta.put("n" + std::to_string(i), "x");
                return i % 3 == 0 ? Decision::undo : Decision::keep;
            },
            [done](std::optional<store::Fault> fault) { done->set_value(fault); });
    }
    for (auto& answer : answers) CHECK_FALSE(answer.get());
    CHECK_FALSE(store->read([](Repositories& r) {
        for (int i = 0; i < 500; ++i)
            CHECK(r.meta.value("n" + std::to_string(i)).has_value() == (i % 3 != 0));
    }));
}

TEST_CASE("a second process may not have the file, a file of a newer release is refused") {
    const tests::TempDir dir;
    const std::string path = dir / "server.db";
    {
        auto store = open(path);
        const auto second = Store::open({.path = path, .vfs = {}, .threaded = true, .now = {}});
        REQUIRE(second.has_error());
        CHECK(second.error() == store::Fault::in_use);
    }
    const auto nowhere =
        Store::open({.path = dir / "no/such/dir.db", .vfs = {}, .threaded = true, .now = {}});
    CHECK(nowhere.error() == store::Fault::unavailable);
    std::ofstream{dir / "text.db"} << std::string(4096, 'x');
    const auto text =
        Store::open({.path = dir / "text.db", .vfs = {}, .threaded = true, .now = {}});
    CHECK(text.error() == store::Fault::damaged);
}

TEST_CASE("generations rise, whatever the clock does") {
    const tests::TempDir dir;
    auto store = open(dir / "server.db");
    CHECK_FALSE(store->write_now([](Repositories& r) {
        CHECK(r.meta.begin_generation(wall_from_ms(5'000), "restored") == Generation{5'000});
        CHECK(r.meta.begin_generation(wall_from_ms(10), "clock went back") == Generation{5'001});
        return Decision::keep;
    }));
}

TEST_CASE("derived bytes depend on seed and label, and on nothing else") {
    const Call a{.now = {}, .seed = {1}, .actor = "x"};
    const Call b{.now = {}, .seed = {2}, .actor = "x"};
    CHECK(derive(a, "id", 40) == derive(a, "id", 40));
    CHECK(derive(a, "id", 40) != derive(b, "id", 40));
    CHECK(derive(a, "id", 8) != derive(a, "key", 8));
    CHECK(derive(a, "id", 100).size() == 100);
}
