#include "tests/simulation/hub.hpp"

#include <fmt/format.h>

#include "common/crypto/x509.hpp"
#include "sync-server/lists/lists.hpp"
#include "tests/simulation/fault.hpp"

namespace pf::simulation {
namespace {

constexpr Millis restart_min{500};
constexpr Millis restart_max{12'000};

server::fleet::Keys make_keys(Entropy& entropy, WallTime now) {
    server::fleet::Keys keys{
        .master = {}, .authority = crypto::PrivateKey::generate(entropy), .authority_pem = {}};
    entropy.fill(keys.master);
    crypto::Serial serial{};
    serial[0] = 0x41;
    const auto today = wall_from_ms(to_ms(now) / 86'400'000 * 86'400'000);
    keys.authority_pem = crypto::make_authority(keys.authority, "simulation", serial,
                                                {today, today + std::chrono::days{3650}});
    return keys;
}

}  // namespace

Hub::Hub(Scene& scene, HubWatcher& watcher)
    : scene_{scene},
      watcher_{watcher},
      rng_{scene.rng.fork(20)},
      entropy_{scene.rng.fork(21).next()},
      keys_{make_keys(entropy_, scene.begins_at)},
      disk_{scene.rng.fork(22).next()},
      mount_{scene.vfs.mount("/server/", disk_)} {}

Hub::~Hub() = default;

std::array<Byte, 32> Hub::seed() {
    std::array<Byte, 32> out{};
    entropy_.fill(out);
    return out;
}

void Hub::start() {
    scene_.vfs.set_wall_ms(to_ms(scene_.wall()));
    if (const auto operations = std::exchange(cut_in_start_, 0); operations != 0)
        disk_.cut_power_at(disk_.operations() + operations);
    auto opened = server::store::Store::open({.database = "/server/paifang.db",
                                              .vfs = scene_.vfs.name(),
                                              .threaded = false,
                                              .now = scene_.wall()});
    if (disk_.dead()) {
        scene_.coverage.count("crash point",
                              fmt::format("server: in {}", to_text(disk_.last_operation())));
        return die("server: in start");
    }
    if (opened.has_error()) {
        if (opened.error() == server::store::Fault::damaged ||
            opened.error() == server::store::Fault::schema_newer)
            throw Violation("the server's file survives a power cut",
                            std::string{server::store::to_text(opened.error())}, {"server"});
        scene_.say("server", fmt::format("does not start: {}", to_text(opened.error())));
        scene_.agenda.in(Millis{5'000}, [this] { start(); });
        return;
    }
    store_ = std::move(*opened);
    core_ = std::make_unique<server::app::Core>(*store_, keys_, *this);
    if (say_new_generation_) {
        const auto fault = store_->write_now([&](server::Repositories& r) {
            r.meta.begin_generation(scene_.wall(), "restored by its keeper");
            return server::store::Decision::keep;
        });
        if (disk_.dead()) return die("server: in start");
        if (!fault) say_new_generation_ = false;
    }
    Generation generation;
    (void)store_->read([&](server::Repositories& r) {
        generation = r.meta.generation();
        watcher_.server_started(r, restored_);
    });
    restored_ = false;
    scene_.say("server", fmt::format("runs, generation {}", generation.value));
    if (network_ != nullptr && broker_is_managed_) network_->start();
    ++run_;
    every(server::app::Core::remind_every_ms, &Hub::remind);
    every(server::lists::tick_every_ms, &Hub::tick_lists);
}

void Hub::every(Millis span, void (Hub::*task)()) {
    scene_.agenda.in(span, [this, span, task, run = run_] {
        if (run != run_ || !running()) return;
        (this->*task)();
        if (run == run_ && running()) every(span, task);
    });
}

void Hub::remind() {
    core_->remind();
    (void)settle("a reminder");
}

void Hub::tick_lists() {
    bool more = true;
    while (running() && more) {
        more = false;
        act("system", [&](server::Repositories& r, const server::Call& call) {
            more = server::lists::tick(r, call);
            return std::optional{server::app::Committed{}};
        });
    }
}

bool Hub::settle(std::string_view what) {
    while (!disk_.dead() && !posted_.empty()) {
        auto task = std::move(posted_.front());
        posted_.pop_front();
        task();
    }
    if (!disk_.dead()) return true;
    die(fmt::format("server: in {}", to_text(disk_.last_operation())));
    scene_.say("server", fmt::format("the power went during {}", what));
    return false;
}

/// Committed, and the power goes before anybody hears of it.
bool Hub::crashes_after_commit() {
    if (!crash_after_commit_ || disk_.dead() || posted_.empty()) return false;
    crash_after_commit_ = false;
    scene_.coverage.count("fault", to_text(Fault::server_crash_after_commit));
    power_cut("server: after commit");
    return true;
}

void Hub::message(const std::string& topic, const Bytes& payload) {
    if (!running()) return;
    core_->on_message(topic, payload);
    if (crashes_after_commit()) return;
    if (settle(topic) && watcher_.wants_a_look(topic))
        (void)store_->read([&](server::Repositories& r) { watcher_.server_acted(r); });
}

bool Hub::act(const std::string& actor, const Act& what) {
    if (!running()) return false;
    bool happened = false;
    core_->call(
        actor,
        [&](server::Repositories& r, const server::Call& call)
            -> std::optional<server::app::Committed> { return what(r, call); },
        [&](std::optional<server::store::Fault> fault) { happened = !fault; });
    if (crashes_after_commit()) return false;
    if (!settle("an act")) return false;
    (void)store_->read([&](server::Repositories& r) { watcher_.server_acted(r); });
    return happened;
}

void Hub::look() {
    if (running()) (void)store_->read([&](server::Repositories& r) { watcher_.server_acted(r); });
}

void Hub::demand_read(
    const std::function<void(server::Repositories&, const server::Call&)>& reader) {
    if (!running()) throw Violation("the server can be read", "it does not run", {"server"});
    if (const auto fault = core_->read("reader", reader))
        throw Violation("the server can be read", std::string{to_text(*fault)}, {"server"});
}

void Hub::devices_changed(std::vector<DeviceId> revoked, std::function<void(bool)> done) {
    // The managed broker throws them out; an external one knows nothing.
    if (network_ != nullptr && broker_is_managed_)
        for (const DeviceId& device : revoked) network_->ban(device.text());
    done(true);
}

void Hub::publish(server::Outgoing message) {
    watcher_.published(message);
    if (network_ != nullptr) network_->down(std::move(message.topic), std::move(message.payload));
}

void Hub::power_cut(std::string_view point) {
    if (!running()) return;
    disk_.cut_power();
    die(point);
}

void Hub::end() {
    posted_.clear();
    core_.reset();
    store_.reset();
    ++run_;
    if (network_ != nullptr && broker_is_managed_) network_->stop();
}

void Hub::start_later(bool power_was_cut) {
    scene_.agenda.in(Millis{rng_.between(restart_min.count(), restart_max.count())},
                     [this, power_was_cut] {
                         if (power_was_cut) disk_.power_on(rng_);
                         start();
                     });
}

void Hub::die(std::string_view point) {
    scene_.coverage.count("crash point", point);
    scene_.say("server", fmt::format("loses power ({})", point));
    end();
    start_later(true);
}

void Hub::kill() {
    if (!running()) return;
    scene_.coverage.count("crash point", "server: kill -9");
    scene_.say("server", "its program is killed");
    disk_.kill_process();
    end();
    start_later(false);
}

void Hub::stop_and_start(bool cut) {
    if (!running()) return;
    scene_.say("server", "its program is stopped");
    if (cut) disk_.cut_power_at_next_remove();
    end();
    if (!disk_.dead()) return start_later(false);
    scene_.coverage.count("crash point",
                          fmt::format("server: in {}", to_text(disk_.last_operation())));
    scene_.say("server", "loses power while it stops");
    start_later(true);
}

void Hub::restore(const tests::DiskImage& image, bool said) {
    if (!running()) return;
    end();
    disk_.restore(image);
    restored_ = true;
    say_new_generation_ = said;
    scene_.say("server", said ? "is restored from an older image"
                              : "is restored from an older image, and nobody says so");
    if (network_ != nullptr) network_->unban_all();
    start_later(false);
}

}  // namespace pf::simulation
