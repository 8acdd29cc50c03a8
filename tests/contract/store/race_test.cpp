// Many at once on the same rows: no lost update, no place given twice, no event a follower misses.
// On SQLite the one writer makes it easy; the suite is the same.
#include <algorithm>
#include <atomic>
#include <numeric>
#include <random>
#include <set>
#include <thread>

#include "common/wire/lists.hpp"
#include "sync-server/access/access.hpp"
#include "sync-server/checkins/checkins.hpp"
#include "sync-server/checkins/repository.hpp"
#include "sync-server/findings/repository.hpp"
#include "sync-server/fleet/repository.hpp"
#include "sync-server/lists/repository.hpp"
#include "tests/contract/store/desk.hpp"
#include "tests/unit/sync-server/ingest/world.hpp"

using namespace pf;
using namespace pf::server;
using namespace pf::tests;
using wire::ListScope;

namespace {

constexpr int workers = 8;

/// A furnished database, opened for many.
struct Town : World {
    Town() {
        add_site();
        for (int i = 0; i < workers; ++i) gates.push_back(add_gate("gate-" + std::to_string(i)));
        close();
        open_store();
    }
    void open_store() {
        auto opened = Store::open({.database = database.where(),
                                   .vfs = {},
                                   .threaded = true,
                                   .now = tests::start,
                                   .prepare_on_server = !Database::pooled()});
        REQUIRE(opened.has_value());
        store = std::move(*opened);
    }
    Answer write(Store::Transaction transaction) {
        auto done = std::make_shared<std::promise<std::optional<Fault>>>();
        auto answer = done->get_future();
        store->write(std::move(transaction),
                     [done](std::optional<Fault> fault) { done->set_value(fault); });
        return answer;
    }
    Call call(std::uint64_t number) const {
        Call out{.now = now, .seed = {}, .actor = "racer"};
        for (std::size_t i = 0; i < 8; ++i) out.seed[i] = static_cast<Byte>(number >> (8 * i));
        return out;
    }
    static void all_kept(std::vector<Answer>& answers) {
        for (auto& answer : answers) {
            const auto fault = answer.get();
            CHECK_MESSAGE(!fault.has_value(), (fault ? to_text(*fault) : ""));
        }
    }
    template <class Read>
    void read(Read what) {
        CHECK_FALSE(store->read([&](Repositories& r) { what(r); }).has_value());
    }

    std::vector<Gate> gates;
    std::unique_ptr<Store> store;
};

std::vector<ingest::StoredEvent> whole_log(Store& store) {
    std::vector<ingest::StoredEvent> out;
    CHECK_FALSE(
        store.read([&](Repositories& r) { out = ingest::log_after(r, 0, 100'000); }).has_value());
    return out;
}

}  // namespace

TEST_CASE("a counter everybody raises counts everybody") {
    Desk desk;
    constexpr int raises = 200;
    std::vector<Answer> answers;
    for (int i = 0; i < raises; ++i)
        answers.push_back(desk.write([](Repositories& r) {
            const int n = std::stoi(r.meta.value("n").value_or("0"));
            r.meta.put("n", std::to_string(n + 1));
            return Decision::keep;
        }));
    for (auto& answer : answers) CHECK_FALSE(answer.get().has_value());
    CHECK(desk.value("n") == std::to_string(raises));
}

TEST_CASE("generations begun at once are all different") {
    Desk desk;
    constexpr std::size_t beginners = 40;
    std::vector<Answer> answers;
    std::vector<std::shared_ptr<Generation>> begun;
    for (std::size_t i = 0; i < beginners; ++i) {
        begun.push_back(std::make_shared<Generation>());
        answers.push_back(desk.write([begun = begun.back()](Repositories& r) {
            *begun = r.meta.begin_generation(wall_from_ms(7), "race");
            return Decision::keep;
        }));
        if (i % 8 == 7)
            for (auto& answer : std::exchange(answers, {})) CHECK_FALSE(answer.get().has_value());
    }
    std::set<std::uint64_t> different;
    for (const auto& one : begun) different.insert(one->value);
    CHECK(different.size() == beginners);
    CHECK(desk.value("generation") == std::to_string(1'000 + beginners));
}

TEST_CASE("a list that everybody writes keeps its sums, its count and a version for every write") {
    Town town;
    constexpr int writes = 200;
    std::vector<Answer> answers;
    std::vector<std::shared_ptr<bool>> did;  // whether each was a version of its own
    std::uint64_t first = 0;
    CHECK_FALSE(town.store
                    ->read([&](Repositories& r) {
                        first = lists::version(r, SiteId{1}, ListScope::revoked);
                    })
                    .has_value());

    for (int i = 0; i < writes; ++i) {
        std::minstd_rand random{static_cast<unsigned>(i + 1)};
        const Bytes key{static_cast<Byte>(random() % 20), 1, 2, 3, 4, 5, 6, 7};
        const Bytes body{static_cast<Byte>(i)};
        const bool gone = random() % 4 == 0;
        did.push_back(std::make_shared<bool>());
        answers.push_back(
            town.write([&town, i, key, body, gone, did = did.back()](Repositories& r) {
                const Call call = town.call(static_cast<std::uint64_t>(i));
                const auto before = lists::version(r, SiteId{1}, ListScope::revoked);
                if (gone)
                    lists::erase(r, call, SiteId{1}, ListScope::revoked, key);
                else
                    lists::put(r, call, SiteId{1}, ListScope::revoked, {key, body});
                *did = lists::version(r, SiteId{1}, ListScope::revoked) != before;
                return Decision::keep;
            }));
        if (answers.size() == 40) Town::all_kept(answers), answers.clear();
    }
    Town::all_kept(answers);
    town.read([&](Repositories& r) {
        const auto head = r.lists.head(SiteId{1}, ListScope::revoked);
        REQUIRE(head.has_value());
        const auto alive =
            r.lists.alive_at(SiteId{1}, ListScope::revoked, head->version, std::nullopt, {}, 1'000);
        wire::ListDigest digest;
        for (const auto& row : alive) digest.add(row.key, *row.body);
        CHECK(head->version == first + static_cast<std::uint64_t>(std::ranges::count_if(
                                           did, [](const auto& moved) { return *moved; })));
        CHECK(digest.root() == lists::state(r, SiteId{1}, ListScope::revoked).root);
        CHECK(head->rows == alive.size());
    });
}

TEST_CASE("gates that deliver at once are all booked, and a follower meets every event once") {
    Town town;
    constexpr std::uint64_t batches = 8;
    constexpr std::uint64_t batch_events = 5;
    for (std::size_t g = 0; g < town.gates.size(); ++g)
        for (std::uint64_t i = 0; i < batches * batch_events; ++i)
            town.gates[g].write(admitted(TicketId{1 + i % 7}));

    std::atomic<bool> over{false};
    std::vector<std::pair<std::string, std::uint64_t>> followed;
    std::uint64_t position = 0;
    bool rising = true;
    const auto follow = [&] {
        std::vector<ingest::StoredEvent> page;
        (void)town.store->read([&](Repositories& r) { page = ingest::log_after(r, position, 20); });
        for (const auto& event : page) {
            rising = rising && event.position > position;
            position = event.position;
            followed.emplace_back(event.device.text(), event.seq);
        }
        return !page.empty();
    };
    std::thread follower{[&] {
        while (!over) (void)follow();
        while (follow()) {}
    }};

    std::vector<std::thread> deliverers;
    std::atomic<int> faults{0};
    for (Gate& gate : town.gates)
        deliverers.emplace_back([&town, &gate, &faults] {
            for (std::uint64_t b = 0; b < batches; ++b) {
                const auto batch = gate.batch(b * batch_events + 1, (b + 1) * batch_events);
                const Call call = town.call(b);
                const auto fault = town.store->write_now([&](Repositories& r) {
                    const auto sender = fleet::device(r, gate.id());
                    (void)ingest::on_batch(r, call, town.keys(), *sender, batch);
                    return Decision::keep;
                });
                faults += fault.has_value();
            }
        });
    for (auto& deliverer : deliverers) deliverer.join();
    over = true;
    follower.join();
    CHECK(faults == 0);
    CHECK(rising);

    const std::size_t expected = workers * batches * batch_events;
    CHECK(followed.size() == expected);
    CHECK(std::set(followed.begin(), followed.end()).size() == expected);
    const auto log = whole_log(*town.store);
    CHECK(log.size() == expected);
    std::map<std::string, std::uint64_t> last;
    for (const auto& event : log) {
        CHECK(event.seq == last[event.device.text()] + 1);
        last[event.device.text()] = event.seq;
    }
    town.read([&](Repositories& r) {
        CHECK(checkins::position(r, SiteId{1}) == expected);
        std::size_t booked = 0;
        for (std::uint64_t t = 1; t <= 7; ++t) booked += checkins::of_ticket(r, TicketId{t}).size();
        CHECK(booked == expected);
    });
    MESSAGE("restarts: " << town.store->counts().restarts);
}

TEST_CASE("one batch delivered by everybody at once is booked once") {
    Town town;
    Gate& gate = town.gates[0];
    for (int i = 0; i < 10; ++i) gate.write(admitted(TicketId{5}));
    const auto batch = gate.all();
    std::vector<Answer> answers;
    for (int i = 0; i < workers * 2; ++i)
        answers.push_back(town.write([&, i](Repositories& r) {
            const auto sender = fleet::device(r, gate.id());
            (void)ingest::on_batch(r, town.call(static_cast<std::uint64_t>(i)), town.keys(),
                                   *sender, batch);
            return Decision::keep;
        }));
    Town::all_kept(answers);
    CHECK(whole_log(*town.store).size() == 10);
    town.read([](Repositories& r) {
        CHECK(checkins::of_ticket(r, TicketId{5}).size() == 10);
        CHECK(checkins::position(r, SiteId{1}) == 10);
    });
}

TEST_CASE("configurations of one device are numbered once each, and what others wrote stays") {
    Town town;
    const DeviceId id = town.gates[0].id();
    std::vector<Answer> answers;
    for (int i = 0; i < 24; ++i)
        answers.push_back(town.write([&, i](Repositories& r) {
            const Call call = town.call(static_cast<std::uint64_t>(i));
            wire::Configuration configuration;
            configuration.number = std::to_string(i);
            configuration.name_zh = configuration.name_en = "x";
            configuration.point = PointId{1};
            // No assertion in here: it would take the exception that asks for a restart.
            const auto done = fleet::configure(r, call, town.keys(), id, configuration);
            fleet::heard(r, call, *fleet::device(r, id));
            return done.has_value() ? Decision::keep : Decision::undo;
        }));
    Town::all_kept(answers);
    town.read([&](Repositories& r) { CHECK(r.fleet.configuration_version(id) == 25); });
}

TEST_CASE("audits and findings of everybody are numbered from 1, once each") {
    Town town;
    std::vector<Answer> answers;
    static constexpr int acts = 60;
    for (int i = 0; i < acts; ++i)
        answers.push_back(town.write([&, i](Repositories& r) {
            const Call call = town.call(static_cast<std::uint64_t>(i));
            access::record(r, call, {.action = "race", .target = std::to_string(i)});
            findings::raise(r, call,
                            {.kind = findings::Kind::reported,
                             .at = {},
                             .site = std::nullopt,
                             .device = std::nullopt,
                             .ticket = std::nullopt,
                             .epoch = std::nullopt,
                             .seq = static_cast<std::uint64_t>(i % 30),
                             .detail = "race"});
            return Decision::keep;
        }));
    Town::all_kept(answers);
    town.read([](Repositories& r) {
        std::set<std::uint64_t> numbers;
        for (const auto& audit : access::audits(r, INT64_MAX, 1'000)) numbers.insert(audit.number);
        CHECK(numbers.size() == acts);
        CHECK(*numbers.begin() == 1);
        CHECK(*numbers.rbegin() == acts);
        const auto found = r.findings.newest(INT64_MAX, 1'000);
        CHECK(found.size() == 30);
        CHECK(found.front().id == 30);
    });
}
