#include "tests/bench/ingest/floors.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <sqlite3.h>

#include <chrono>
#include <stdexcept>

#include "common/wire/messages.hpp"
#include "common/wire/topics.hpp"
#include "tests/support/mqtt/broker_config.hpp"

namespace pf::bench {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::string_view server_id = "server";
/// A Booted event and a head, as the product keeps them: hexadecimal.
const std::string body(90, 'a');
const std::string head(64, 'b');

constexpr const char* table =
    "CREATE TABLE IF NOT EXISTS raw_event (tenant BIGINT NOT NULL, device TEXT NOT NULL,"
    " epoch TEXT NOT NULL, seq BIGINT NOT NULL, head TEXT NOT NULL, body TEXT NOT NULL,"
    " verdict BIGINT, received_ms BIGINT NOT NULL, position BIGINT NOT NULL,"
    " PRIMARY KEY (tenant, device, epoch, seq))";
constexpr const char* index =
    "CREATE UNIQUE INDEX IF NOT EXISTS raw_event_by_position ON raw_event (tenant, position)";

std::atomic<std::uint64_t> last_row{0};

std::string rows(std::uint64_t events, std::size_t device) {
    std::string out =
        "INSERT INTO raw_event (tenant, device, epoch, seq, head, body, received_ms, position)"
        " VALUES ";
    const std::uint64_t first = last_row.fetch_add(events);
    for (std::uint64_t i = 0; i < events; ++i)
        out += fmt::format("{}(1,'gate-{}','0000000000000007',{},'{}','{}',1790000000000,{})",
                           i == 0 ? "" : ",", device, first + i, head, body, first + i);
    return out;
}

double since(Steady::time_point begin) {
    return std::chrono::duration<double, std::micro>(Steady::now() - begin).count();
}

class Connection {
public:
    explicit Connection(const std::string& address) : connection_{PQconnectdb(address.c_str())} {
        if (PQstatus(connection_) != CONNECTION_OK) throw std::runtime_error{"no PostgreSQL"};
    }
    ~Connection() { PQfinish(connection_); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    void run(const std::string& sql) {
        PGresult* result = PQexec(connection_, sql.c_str());
        const bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;
        PQclear(result);
        if (!ok) throw std::runtime_error{PQerrorMessage(connection_)};
    }

private:
    PGconn* connection_;
};

}  // namespace

RawBroker::RawBroker(std::size_t devices) {
    auto config = tests::broker_config(folder_ / "broker", authority_,
                                       {.server_ids = {std::string{server_id}}, .devices = {}});
    for (std::size_t i = 0; i < devices; ++i) {
        const std::string id = fmt::format("gate-{}", i + 1);
        const auto identity = authority_.client(id);
        devices_.push_back(
            {.id = id,
             .root = wire::device_root(i % wire::partition_count, *DeviceId::parse(id)),
             .certificate_pem = identity.certificate_pem,
             .key_pem = identity.key_pem});
        config.access.devices.push_back({.id = id, .root = devices_.back().root});
    }
    broker_ = std::make_unique<server::broker::Broker>(config, [](std::string_view) {});
    if (broker_->start().has_error()) throw std::runtime_error{"no Mosquitto"};
    mqtt::Options options;
    options.host = "localhost";
    options.port = broker_->port();
    options.client_id = server_id;
    options.tls = authority_.tls(authority_.client(std::string{server_id}));
    // It answers at once and keeps nothing: what its window has no room for would be lost.
    options.limits.inbound_max = options.limits.in_flight_max = 4'000;
    for (std::uint32_t partition = 0; partition < wire::partition_count; ++partition)
        options.subscriptions.push_back(wire::partition_filter(partition));
    heard_.hear = [this](const mqtt::Message& message) { answer(message); };
    link_ = mqtt::make_paho_link(std::move(options), loop_.post(),
                                 std::make_shared<tests::SeededEntropy>(3));
    link_->open(heard_);
    if (!loop_.run_until([&] { return heard_.ups > 0; })) throw std::runtime_error{"no link"};
    thread_ = std::thread{[this] {
        while (!quit_) (void)loop_.run_until([this] { return quit_.load(); });
    }};
}

RawBroker::~RawBroker() {
    quit_ = true;
    thread_.join();
    link_.reset();
}

void RawBroker::answer(const mqtt::Message& message) {
    const std::string topic = message.topic;
    heard_.messages.clear();
    std::uint64_t& seq = seqs_[topic];
    seq += events_;
    const std::string root = topic.substr(0, topic.find("up/"));
    (void)link_->publish(
        wire::topic(root, wire::Down::ack),
        wire::encode(wire::Ack{
            .generation = Generation{1}, .upto = {Epoch{7}, seq, Digest{}}, .verdicts = {}}));
}

double raw_insert_postgresql(const std::string& address, std::uint64_t batches,
                             std::uint64_t events) {
    constexpr std::size_t connections = 8;
    std::vector<std::unique_ptr<Connection>> open;
    for (std::size_t i = 0; i < connections; ++i)
        open.push_back(std::make_unique<Connection>(address));
    open.front()->run("SET client_min_messages = error");
    open.front()->run(table);
    open.front()->run(index);
    std::vector<std::vector<std::string>> work(connections);
    for (std::uint64_t i = 0; i < batches; ++i)
        work[i % connections].push_back(rows(events, i % connections));
    const auto begin = Steady::now();
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < connections; ++i)
        threads.emplace_back([&own = *open[i], &mine = work[i]] {
            for (const std::string& sql : mine) own.run(sql);
        });
    for (auto& thread : threads) thread.join();
    return since(begin);
}

double raw_insert_sqlite(const std::string& file, std::uint64_t batches, std::uint64_t events,
                         std::uint64_t together) {
    sqlite3* opened = nullptr;
    if (sqlite3_open(file.c_str(), &opened) != SQLITE_OK) throw std::runtime_error{"no SQLite"};
    const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> database{opened, sqlite3_close};
    const auto run = [&](const std::string& sql) {
        if (sqlite3_exec(opened, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
            throw std::runtime_error{sqlite3_errmsg(opened)};
    };
    run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    run(table);
    run(index);
    std::vector<std::string> work;
    for (std::uint64_t i = 0; i < batches; ++i) work.push_back(rows(events, i % 8));
    const auto begin = Steady::now();
    for (std::uint64_t i = 0; i < batches; ++i) {
        if (i % together == 0) run("BEGIN IMMEDIATE");
        run(work[i]);
        if (i % together == together - 1 || i + 1 == batches) run("COMMIT");
    }
    return since(begin);
}

}  // namespace pf::bench
