// Several servers on one PostgreSQL and one broker: they share the devices, one is killed, one
// sleeps past its lease and wakes. Nothing is lost, nothing is doubled.
#include <algorithm>
#include <fstream>
#include <map>
#include <thread>

#include "common/wire/topics.hpp"
#include "tests/integration/server/house.hpp"

using namespace pf;
using namespace pf::tests;

namespace {

using Steady = std::chrono::steady_clock;

bool skipped() {
    if (Database::on_postgres()) return false;
    MESSAGE("a SQLite file has one server");
    return true;
}

/// A device that uploads what it has until all of it is acknowledged, again and again.
class Uploader {
public:
    explicit Uploader(std::uint64_t number) : board{number} {
        board.heard.hear = [this](const mqtt::Message& message) {
            if (!message.topic.ends_with("dn/ack")) return;
            const auto ack = wire::decode_ack(message.payload);
            if (ack.has_value() && ack->upto.epoch == Epoch{7})
                acked = std::max(acked, ack->upto.seq);
        };
    }

    /// A few events at a time, said again when nobody answers.
    void step(std::uint64_t goal) {
        if (acked >= goal || !board.link().up()) return;
        const auto now = Steady::now();
        if (acked < sent_ && now - sent_at_ < std::chrono::milliseconds{700}) return;
        sent_ = std::min(acked + 3, goal);
        sent_at_ = now;
        (void)board.link().publish(wire::topic(board.root, wire::Up::events),
                                   wire::encode(board.batch(sent_)));
    }

    Board board;
    std::uint64_t acked = 0;

private:
    std::uint64_t sent_ = 0;
    Steady::time_point sent_at_{};
};

/// Servers that share everything, a broker of somebody else's, and devices.
class County {
public:
    explicit County(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i)
            servers.push_back(std::make_unique<Server>(database_));
        Server& first = server(0);
        const std::string kit = hand_out_kit(first);
        broker_.emplace(first);
        broker_->start(kit);
        first.start();
        for (std::size_t i = 1; i < count; ++i) {
            server(i).take_keys_of(first);
            server(i).broker_settings = first.broker_settings;
            server(i).start();
        }
    }

    Server& server(std::size_t i) { return *servers.at(i); }

    /// Pairs devices at the servers in turn, and connects them.
    void settle(std::size_t devices) {
        for (std::size_t i = 0; i < devices; ++i) {
            Server& at = server(i % servers.size());
            uploaders.push_back(std::make_unique<Uploader>(i + 1));
            REQUIRE(uploaders.back()
                        ->board.claim(at, at.invite("gate-" + std::to_string(i + 1)))
                        .status == 201);
        }
        // The broker's administrator takes the rules of the first server, which hears of the
        // others' devices within a renewal.
        const std::string access = server(0).data() + "/broker/access";
        REQUIRE(eventually([&] { return rules_name_all(access); }));
        broker_->obey();
        for (auto& uploader : uploaders) uploader->board.connect(loop);
        REQUIRE(loop.run_until([&] {
            return std::ranges::all_of(uploaders,
                                       [](const auto& u) { return u->board.heard.ups >= 1; });
        }));
    }

    /// Everybody uploads until the condition holds.
    bool upload(std::uint64_t goal, const std::function<bool()>& until,
                std::chrono::seconds patience = std::chrono::seconds{120}) {
        return loop.run_until(
            [&] {
                for (auto& uploader : uploaders) uploader->step(goal);
                return until();
            },
            patience);
    }
    std::uint64_t acked() const {
        std::uint64_t out = 0;
        for (const auto& uploader : uploaders) out += uploader->acked;
        return out;
    }
    bool all_at(std::uint64_t goal) const { return acked() == goal * uploaders.size(); }

    struct Share {
        int partitions = -1, servers = -1;
        bool operator==(const Share&) const = default;
    };
    Share share(std::size_t i) {
        const auto health = server(i).get("/v1/health");
        if (!health.json.is_object()) return {};
        return {health.json["share"]["partitions"], health.json["share"]["servers"]};
    }

    std::vector<std::unique_ptr<Server>> servers;
    Loop loop;  // outlives the links that post to it
    std::vector<std::unique_ptr<Uploader>> uploaders;

private:
    bool rules_name_all(const std::string& access) const {
        std::ifstream in{access};
        const std::string text{std::istreambuf_iterator<char>{in}, {}};
        for (std::size_t i = 0; i < uploaders.size(); ++i)
            if (text.find("user gate-" + std::to_string(i + 1) + "\n") == std::string::npos)
                return false;
        return true;
    }

    std::shared_ptr<Database> database_ = std::make_shared<Database>();
    std::optional<Elsewhere> broker_;
};

/// Every event of the log: how often each is there; and whether the positions rise.
struct Log {
    std::map<std::pair<std::string, std::uint64_t>, int> times;
    bool rising = true;
};
Log whole_log(Server& server) {
    Log log;
    std::uint64_t after = 0;
    for (;;) {
        const auto page = server.get("/v1/sync-log?limit=100&after=" + std::to_string(after));
        REQUIRE(page.status == 200);
        if (page.json["items"].empty()) return log;
        for (const Json& item : page.json["items"]) {
            ++log.times[{item["device"], item["seq"]}];
            const auto position = item["position"].get<std::uint64_t>();
            log.rising = log.rising && position > after;
            after = position;
        }
    }
}

/// Follows the log of a server, as a console does.
class Follower {
public:
    Follower(Server& server, std::size_t wanted) {
        thread_ = std::thread{[this, options = server.options(), key = server.admin_key(), wanted] {
            firmware::https::Client client{options};
            firmware::https::Request request{.method = "GET", .target = "/v1/sync-log?follow=true"};
            request.headers.emplace_back("Authorization", "Bearer " + key);
            (void)client.stream(request, [&](std::string_view line) {
                if (line.starts_with("id: "))
                    ids.emplace_back(std::stoull(std::string{line.substr(4)}));
                return ids.size() < wanted || !line.starts_with("data: ");
            });
        }};
    }
    ~Follower() { thread_.join(); }
    std::vector<std::uint64_t> ids;  // after the end

    void wait() {
        thread_.join(), thread_ = std::thread{[] {}};
    }

private:
    std::thread thread_;
};

}  // namespace

TEST_CASE("one of three servers is killed, one sleeps past its lease: every event is there once") {
    if (skipped()) return;
    constexpr std::size_t devices = 12;
    constexpr std::uint64_t goal = 48;
    County county{3};
    REQUIRE(eventually([&] {
        return county.share(0) == County::Share{6, 3} && county.share(1) == County::Share{5, 3} &&
               county.share(2) == County::Share{5, 3};
    }));
    county.settle(devices);
    Follower follower{county.server(0), devices * goal};

    REQUIRE(county.upload(goal / 4, [&] { return county.acked() > devices * goal / 8; }));
    county.server(2).kill();
    REQUIRE(county.upload(goal / 4, [&] { return county.all_at(goal / 4); }));
    REQUIRE(eventually([&] { return county.share(0) == County::Share{8, 2}; }));

    // In the middle of uploads, so that it has messages and transactions under way.
    REQUIRE(county.upload(goal / 2, [&] { return county.acked() > devices * goal * 3 / 8; }));
    county.server(1).signal(SIGSTOP);
    REQUIRE(county.upload(goal * 3 / 4, [&] { return county.all_at(goal * 3 / 4); }));
    REQUIRE(eventually([&] { return county.share(0) == County::Share{16, 1}; }));
    REQUIRE(county.upload(goal, [&] { return county.acked() > devices * goal * 7 / 8; }));
    county.server(1).signal(SIGCONT);
    REQUIRE(county.upload(goal, [&] { return county.all_at(goal); }));
    REQUIRE(eventually([&] {
        return county.share(0) == County::Share{8, 2} && county.share(1) == County::Share{8, 2};
    }));
    // Nobody is left without a server once all is settled.
    REQUIRE(county.upload(goal + 3, [&] { return county.all_at(goal + 3); }));

    for (const std::size_t i : {0, 1}) {
        CAPTURE(i);
        const Log log = whole_log(county.server(i));
        CHECK(log.rising);
        CHECK(log.times.size() == devices * (goal + 3));
        CHECK(std::ranges::all_of(log.times, [](const auto& of) { return of.second == 1; }));
        CHECK(county.server(i).get("/v1/findings").json["items"].empty());
    }
    follower.wait();
    CHECK(follower.ids.size() == devices * goal);
    CHECK(std::ranges::is_sorted(follower.ids));
    CHECK(std::ranges::adjacent_find(follower.ids) == follower.ids.end());
    CHECK(county.server(0).stop() == 0);
    // Given back, not left to end: the other has all of it at once.
    CHECK(eventually(
        [&] {
            return county.share(1) == County::Share{16, 1};
        },
        std::chrono::seconds{8}));
    CHECK(county.server(1).stop() == 0);
}

TEST_CASE("a server with a broker of its own is alone on its database") {
    if (skipped()) return;
    const auto database = std::make_shared<Database>();
    Server first{database}, second{database};
    first.start();
    second.take_keys_of(first);
    second.list_settings = "horizon_days = 7";  // of no effect while it is refused
    for (const char* kind :
         {"port = 0", "kind = \"external\"\nhost = \"localhost\"\nport = 8883"}) {
        CAPTURE(kind);
        second.broker_settings = kind;
        const auto ran = second.run({});
        CHECK(ran.code == 3);
        CHECK(ran.said.find("`broker.kind = \"external\"`") != std::string::npos);
    }
    second.broker_settings = "port = 0";
    CHECK(database->ask("SELECT value FROM meta WHERE name = 'lists.horizon_days'") != "7");
    second.list_settings.clear();
    // Killed: its own next run need not wait for its lease to end.
    first.kill();
    first.start();
    // Asleep: another takes its place when the lease is over, and it finds none when it wakes.
    first.signal(SIGSTOP);
    second.start();
    first.signal(SIGCONT);
    CHECK(first.ended() == 3);
    // Whatever seat it got: its broker knows it by the one name there is.
    CHECK(eventually([&] { return second.get("/v1/health").json["link"]["up"] == true; }));
    second.furnish();
    Loop loop;
    Uploader uploader{1};
    REQUIRE(uploader.board.claim(second, second.invite("gate-1")).status == 201);
    uploader.board.connect(loop);
    CHECK(loop.run_until([&] {
        uploader.step(3);
        return uploader.acked == 3;
    }));
    CHECK(second.stop() == 0);
}

TEST_CASE("servers of one database have the same keys, or do not start") {
    if (skipped()) return;
    const auto database = std::make_shared<Database>();
    Server first{database}, other{database};
    Server stranger;
    first.start();
    stranger.start();
    CHECK(first.stop() == 0);
    CHECK(stranger.stop() == 0);
    const auto without = other.run({});
    CHECK(without.code == 4);
    CHECK(without.said.find("master.key is missing") != std::string::npos);
    other.take_keys_of(stranger);
    const auto ran = other.run({});
    CHECK(ran.code == 4);
    CHECK(ran.said.find("belongs to other keys") != std::string::npos);
}
