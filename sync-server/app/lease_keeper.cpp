#include "sync-server/app/lease_keeper.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "sync-server/leases/repository.hpp"

namespace pf::server::app {
namespace {

using Steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto again_when_unsettled = 250ms;
/// Before another may take over by the database's clock, with room for a transaction's time.
constexpr auto safe_for = leases::lease_ms - Millis{1'000};

/// Whose life ended in this data directory, when nobody copied it meanwhile: the lock file of a
/// copy is another file.
std::string mark_of(const DataDir& directory) {
    struct stat lock {};
    if (::stat((directory / "lock").c_str(), &lock) != 0) return {};
    return fmt::format(" {}\n", lock.st_ino);
}

std::optional<std::string> former_life(const DataDir& directory) {
    const auto text = read_file(directory / "life");
    const std::string mark = mark_of(directory);
    if (!text || mark.empty() || !text->ends_with(mark)) return std::nullopt;
    return text->substr(0, text->size() - mark.size());
}

StartFailure in_the_way(leases::Refusal refusal, const std::string& who) {
    return {Exit::in_use,
            fmt::format("{} ({}). Servers that share a database share one broker: set "
                        "`broker.kind = \"external\"` for each of them, see "
                        "docs/runbooks/several-servers.md",
                        leases::to_text(refusal), who)};
}

}  // namespace

leases::Life new_life(Entropy& entropy, const std::string& host, bool managed_broker) {
    std::array<Byte, 16> id{};
    entropy.fill(id);
    return {.id = to_hex(id),
            .name = fmt::format("{}, process {}", host, ::getpid()),
            .managed_broker = managed_broker};
}

LeaseKeeper::LeaseKeeper(std::unique_ptr<store::Store> store, leases::Life life, Log& log)
    : store_{std::move(store)}, life_{std::move(life)}, log_{log} {}

LeaseKeeper::~LeaseKeeper() {
    {
        const std::scoped_lock lock{mutex_};
        quit_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
    end_life(life_.id);
}

void LeaseKeeper::end_life(const std::string& life) {
    const auto fault = store_->write_now([&](Repositories& r) {
        leases::leave(r, life);
        return store::Decision::keep;
    });
    if (fault)
        log_.say(LogLevel::warning, "leases not given back; they end by themselves",
                 {{"why", std::string{store::to_text(*fault)}}});
}

std::variant<Tenure, StartFailure> LeaseKeeper::join(const DataDir& directory) {
    // We hold the directory's lock: whoever lived here is dead.
    if (const auto former = former_life(directory)) end_life(*former);
    std::map<std::string, WallTime> seen;  // who is there, and until when by our first look
    bool told = false;
    const auto patience = Steady::now() + 2 * leases::lease_ms;
    for (;;) {
        renewed_ = Steady::now();  // broker and doors start before the first turn of the thread
        const auto turned = turn();
        const auto* unasked = std::get_if<store::Fault>(&turned);
        if (unasked && *unasked == store::Fault::busy && Steady::now() < patience) continue;
        if (unasked)
            return StartFailure{Exit::data_unusable,
                                fmt::format("the leases of this database can't be asked for: {}",
                                            store::to_text(*unasked))};
        if (const auto* tenure = std::get_if<Tenure>(&turned)) {
            if (!write_private(directory / "life", life_.id + mark_of(directory)))
                return StartFailure{
                    Exit::data_unusable,
                    fmt::format("{} can't be written", (directory / "life").string())};
            last_ = *tenure;
            return *tenure;
        }
        const auto refusal = std::get<leases::Refusal>(turned);
        std::string renewed;
        const auto fault = store_->read([&](Repositories& r) {
            for (const leases::Server& server : leases::alive(r, r.leases.clock()))
                if (seen.emplace(server.life.id, server.until).first->second != server.until)
                    renewed = server.life.name;
        });
        if (!fault && !renewed.empty()) return in_the_way(refusal, renewed);
        if (Steady::now() > patience) return in_the_way(refusal, "it does not say who");
        if (!std::exchange(told, true))
            log_.say(LogLevel::info, "another server was here a moment ago; does it live?");
        std::unique_lock lock{mutex_};
        changed_.wait_for(lock, again_when_unsettled);
    }
}

LeaseKeeper::Turned LeaseKeeper::turn() {
    // By itself first: what a stopped server still holds may be in the way of the rest, and must
    // not cost this one its lease.
    bool renewed = false;
    const auto unrenewed = store_->write_now([&](Repositories& r) {
        renewed = leases::renew(r, life_, r.leases.clock());
        return store::Decision::keep;
    });
    if (unrenewed) return *unrenewed;
    Turned out = store::Fault::failed;
    const auto fault = store_->write_now([&](Repositories& r) {
        auto round = leases::turn(r, life_, r.leases.clock());
        if (round.has_error()) {
            out = round.error();
            return store::Decision::undo;
        }
        out = Tenure{.round = std::move(*round), .fleet_changes = fleet::changes(r)};
        return store::Decision::keep;
    });
    if (fault == store::Fault::busy && renewed) {
        Tenure as_before = last_;
        as_before.round.settled = as_before.round.took_over = false;
        return as_before;
    }
    return fault ? Turned{*fault} : out;
}

void LeaseKeeper::start(std::function<void(Tenure)> tell,
                        std::function<void(leases::Refusal)> refused) {
    tell_ = std::move(tell);
    refused_ = std::move(refused);
    thread_ = std::thread{[this] { run(); }};
}

void LeaseKeeper::hurry() {
    {
        const std::scoped_lock lock{mutex_};
        hurry_ = true;
    }
    changed_.notify_all();
}

void LeaseKeeper::run() {
    std::chrono::milliseconds pause = again_when_unsettled;
    for (;;) {
        {
            std::unique_lock lock{mutex_};
            changed_.wait_for(lock, pause, [this] { return quit_ || hurry_; });
            if (quit_) return;
            hurry_ = false;
        }
        const auto asked = Steady::now();
        pause = take(turn(), asked);
    }
}

std::chrono::milliseconds LeaseKeeper::take(Turned turned, Steady::time_point asked) {
    if (const auto* refusal = std::get_if<leases::Refusal>(&turned)) {
        refused_(*refusal);
        return leases::renew_every_ms;
    }
    if (auto* tenure = std::get_if<Tenure>(&turned)) {
        renewed_ = asked;
        over_ = false;
        last_ = *tenure;
        const bool settled = tenure->round.settled;
        tell_(std::move(*tenure));
        return settled ? leases::renew_every_ms : again_when_unsettled;
    }
    if (Steady::now() - renewed_ > safe_for && !std::exchange(over_, true)) {
        log_.say(LogLevel::warning,
                 "leases not renewed in time: no device is served until they are",
                 {{"why", std::string{store::to_text(std::get<store::Fault>(turned))}}});
        last_.round.held.clear();
        tell_(last_);
    }
    return again_when_unsettled;
}

}  // namespace pf::server::app
