#pragma once
// A store on a database of the test's own, of either kind.
#include <doctest/doctest.h>

#include <future>
#include <memory>
#include <mutex>
#include <vector>

#include "sync-server/store/store.hpp"
#include "tests/support/database/database.hpp"

namespace pf::tests {

using server::Repositories;
using server::store::Decision;
using server::store::Fault;
using server::store::Store;
using Answer = std::future<std::optional<Fault>>;

class Desk {
public:
    explicit Desk(bool threaded = true) : threaded_{threaded} { open(); }

    void open() {
        auto opened = try_open();
        REQUIRE_MESSAGE(opened.has_value(), (opened.has_error() ? to_text(opened.error()) : ""));
        store = std::move(*opened);
    }
    Result<std::unique_ptr<Store>, Fault> try_open() { return Store::open(options()); }
    Store::Options options() {
        return {.database = database.where(),
                .vfs = {},
                .threaded = threaded_,
                .now = wall_from_ms(1'000),
                .prepare_on_server = !Database::pooled(),
                .tell = [this](std::string_view what) {
                    const std::lock_guard guard{mutex_};
                    told_.emplace_back(what);
                }};
    }
    void reopen() {
        store.reset();
        open();
    }

    Answer write(Store::Transaction transaction, std::string_view lane = {}) {
        auto done = std::make_shared<std::promise<std::optional<Fault>>>();
        auto answer = done->get_future();
        store->write(
            std::move(transaction), [done](std::optional<Fault> fault) { done->set_value(fault); },
            lane);
        return answer;
    }
    std::optional<Fault> put(const std::string& name, const std::string& value) {
        return store->write_now([&](Repositories& r) {
            r.meta.put(name, value);
            return Decision::keep;
        });
    }
    std::optional<std::string> value(const std::string& name) {
        std::optional<std::string> out;
        CHECK_FALSE(store->read([&](Repositories& r) { out = r.meta.value(name); }).has_value());
        return out;
    }
    std::vector<std::string> told() {
        const std::lock_guard guard{mutex_};
        return told_;
    }

private:
    bool threaded_;
    std::mutex mutex_;
    std::vector<std::string> told_;

public:
    Database database;
    std::unique_ptr<Store> store;  // speaks until its end
};

/// Holds a writer until opened, so that what is queued meanwhile shares a COMMIT where COMMITs are
/// shared.
class Barrier {
public:
    Store::Transaction transaction() {
        return [gate = gate_.get_future().share()](Repositories&) {
            gate.wait();
            return Decision::keep;
        };
    }
    void open() { gate_.set_value(); }

private:
    std::promise<void> gate_;
};

}  // namespace pf::tests
