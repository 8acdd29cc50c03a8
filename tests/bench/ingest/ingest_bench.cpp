// Durable acknowledged events a second: devices in processes of their own, the real server and its
// broker, on SQLite and on PostgreSQL. Floor: the slower of the broker alone with the same batches
// and the database alone with the same rows and commits.
//     bench_ingest [--json] [--rows ingest_sqlite,ingest_postgresql] [--quick]
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "tests/bench/ingest/floors.hpp"
#include "tests/bench/measure.hpp"
#include "tests/integration/server/house.hpp"

using namespace pf;

namespace {

using Steady = std::chrono::steady_clock;
using Producers = std::vector<std::unique_ptr<bench::Producer>>;

constexpr std::size_t devices = 16;
constexpr std::size_t processes = 2;
constexpr double target = 0.5;

struct Size {
    std::uint64_t events;   // a batch
    std::uint64_t batches;  // a device and round
};
constexpr Size sizes[] = {{1, 40}, {32, 12}, {256, 4}};

struct Asked {
    std::vector<std::string> rows{"ingest_sqlite", "ingest_postgresql"};
    bool quick = false;
    bool json = false;
    bool wants(const std::string& row) const { return std::ranges::count(rows, row) > 0; }
};

Producers producers(const std::vector<bench::Identity>& all, const std::string& authority,
                    std::uint16_t port) {
    Producers out;
    for (std::size_t i = 0; i < processes; ++i) {
        std::vector<bench::Identity> share;
        for (std::size_t d = i; d < all.size(); d += processes) share.push_back(all[d]);
        out.push_back(std::make_unique<bench::Producer>(share, authority, port));
    }
    return out;
}

struct Took {
    double us = 0;
    std::uint64_t again = 0;
};
Took upload(Producers& all, Size size) {
    for (auto& one : all) one->prepare(size.batches, size.events);
    const auto begin = Steady::now();
    for (auto& one : all) one->begin();
    Took out;
    for (auto& one : all) out.again += one->wait();
    out.us = std::chrono::duration<double, std::micro>(Steady::now() - begin).count();
    return out;
}

void print(const Asked& asked, const std::string& name, const bench::Quartiles& ratio,
           double measured, double broker, double insert, std::uint64_t again) {
    const double floor = std::min(broker, insert);
    const bool met = ratio.lower >= target;
    if (asked.json) {
        std::cout << nlohmann::json{{"name", name},
                                    {"unit", "events/s"},
                                    {"measured", measured},
                                    {"floor", floor},
                                    {"ratio", ratio.median},
                                    {"q1", ratio.lower},
                                    {"q3", ratio.upper},
                                    {"target", target},
                                    {"met", met},
                                    {"notes", "at least; floor: the slower of broker and inserts"},
                                    {"details",
                                     {{"broker", broker}, {"insert", insert}, {"again", again}}}}
                         .dump()
                  << std::endl;
        return;
    }
    std::printf(
        "%-24s %9.0f events/s, floor %9.0f (broker %.0f, inserts %.0f), ratio %.2f (%.2f to "
        "%.2f), at least %.1f: %s\n",
        name.c_str(), measured, floor, broker, insert, ratio.median, ratio.lower, ratio.upper,
        target, met ? "met" : "missed");
    std::fflush(stdout);
}

/// The rows of one database, one a size of batch.
void take(const Asked& asked, const std::string& row) {
    const bool postgres = row == "ingest_postgresql";
    tests::Server server;
    server.start();
    server.furnish();
    std::vector<bench::Identity> paired;
    for (std::size_t i = 0; i < devices; ++i) {
        tests::Board board{i + 1};
        const std::string id = "gate-" + std::to_string(i + 1);
        if (board.claim(server, server.invite(id)).status != 201)
            throw std::runtime_error{"a device can't be paired"};
        paired.push_back({.id = id,
                          .root = board.root,
                          .certificate_pem = board.certificate_pem,
                          .key_pem = board.key().to_pem()});
    }
    auto real = producers(paired, server.authority_pem(),
                          static_cast<std::uint16_t>(server.port("broker")));
    bench::RawBroker raw{devices};
    auto bare = producers(raw.devices(), raw.authority_pem(), raw.port());
    const tests::Database apart;  // of the floor alone

    for (const Size full : sizes) {
        const Size size = asked.quick ? Size{full.events, 2} : full;
        const double events = static_cast<double>(size.events * size.batches * devices);
        raw.expect(size.events);
        std::vector<double> ratios, measured, broker, insert;
        std::uint64_t again = 0;
        for (int round = 0; round < (asked.quick ? 3 : 9); ++round) {
            const auto rate = [&](double us) { return events * 1e6 / us; };
            broker.push_back(rate(upload(bare, size).us));
            const std::uint64_t batches = size.batches * devices;
            insert.push_back(rate(
                postgres ? bench::raw_insert_postgresql(apart.where(), batches, size.events)
                         : bench::raw_insert_sqlite(apart.where(), batches, size.events, devices)));
            const Took took = upload(real, size);
            again += took.again;
            measured.push_back(rate(took.us));
            ratios.push_back(measured.back() / std::min(broker.back(), insert.back()));
        }
        print(asked, row + "." + std::to_string(size.events), bench::quartiles(ratios),
              bench::quartiles(measured).median, bench::quartiles(broker).median,
              bench::quartiles(insert).median, again);
    }
    (void)server.stop();
}

/// The same program with a PostgreSQL of its own that syncs, thrown away afterwards.
int with_postgresql(const Asked& asked) {
    const pid_t child = ::fork();
    if (child == 0) {
        std::vector<const char*> words{PAIFANG_POSTGRES_PY, "run",    "--durable",
                                       "/proc/self/exe",    "--rows", "ingest_postgresql"};
        static const std::string self = std::filesystem::read_symlink("/proc/self/exe");
        words[3] = self.c_str();
        if (asked.json) words.push_back("--json");
        if (asked.quick) words.push_back("--quick");
        words.push_back(nullptr);
        ::execv(words[0], const_cast<char**>(words.data()));
        ::_exit(127);
    }
    int status = 0;
    (void)::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/// Nothing: the arguments are not understood.
std::optional<Asked> asked_of(int argc, char** argv) {
    Asked out;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--quick") {
            out.quick = true;
        } else if (word == "--json") {
            out.json = true;
        } else if (word == "--rows" && i + 1 < argc) {
            std::istringstream list{argv[++i]};
            const auto known = std::exchange(out.rows, {});
            for (std::string row; std::getline(list, row, ',');) {
                if (std::ranges::count(known, row) == 0) return std::nullopt;
                out.rows.push_back(row);
            }
        } else {
            return std::nullopt;
        }
    }
    return out;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string{argv[1]} == "--producer") return bench::produce();
    const auto asked = asked_of(argc, argv);
    if (!asked) {
        std::cerr << "bench_ingest [--json] [--rows ingest_sqlite,ingest_postgresql] [--quick]\n";
        return 2;
    }
    // house.hpp is written for tests: what it demands ends this program too.
    doctest::Context context;
    context.setAsDefaultForAssertsOutOfTestCases();
    context.setAssertHandler([](const doctest::AssertData& data) {
        if (!data.m_failed) return;
        std::cerr << data.m_file << ':' << data.m_line << ": " << data.m_expr << '\n';
        std::exit(1);
    });
    try {
        int code = 0;
        if (asked->wants("ingest_sqlite") && !tests::Database::on_postgres())
            take(*asked, "ingest_sqlite");
        if (asked->wants("ingest_postgresql")) {
            if (tests::Database::on_postgres())
                take(*asked, "ingest_postgresql");
            else
                code = with_postgresql(*asked);
        }
        return code;
    } catch (const std::exception& error) {
        std::cerr << "bench_ingest: " << error.what() << '\n';
        return 1;
    }
}
