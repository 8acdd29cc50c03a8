#include "sync-server/app/program.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <iostream>
#include <mutex>
#include <thread>

#include "sync-server/api/api.hpp"
#include "sync-server/app/certificates.hpp"
#include "sync-server/app/core.hpp"
#include "sync-server/app/data_dir.hpp"
#include "sync-server/app/doors.hpp"
#include "sync-server/app/entropy.hpp"
#include "sync-server/app/gatekeeper.hpp"
#include "sync-server/app/lease_keeper.hpp"
#include "sync-server/app/log.hpp"
#include "sync-server/app/own_link.hpp"
#include "sync-server/app/slices.hpp"
#include "sync-server/app/vault.hpp"
#include "sync-server/lists/lists.hpp"
#include "sync-server/orders/orders.hpp"

namespace pf::server::app {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::hours list_renewed_every{24};
constexpr std::chrono::milliseconds follow_every{150};  // how late a follower may hear
/// The same for what another server of this database took.
constexpr std::chrono::seconds others_followed_every{1};
constexpr std::chrono::seconds drops_told_every{10};
/// How late a ticket may come on a list or leave it, and a rotation go on; costs nothing when idle.
constexpr std::chrono::seconds list_followed_every{20};
WallTime wall_now() {
    return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
}

std::string url_of(const std::string& host, std::uint16_t port) {
    return fmt::format("https://{}:{}", host, port);
}

}  // namespace

class Program::Impl final : public Outside, public api::Backend {
public:
    explicit Impl(Config config)
        : config_{std::move(config)},
          log_{config_.log.level, config_.log.format},
          directory_{config_.data} {}
    ~Impl() override { close(); }

    std::optional<StartFailure> start();
    Exit run();

private:
    // --- start, in this order
    std::optional<StartFailure> start_broker();
    std::optional<StartFailure> start_http();
    std::optional<StartFailure> join_others();
    /// What the file says that every server of the database goes by.
    std::optional<StartFailure> apply_settings();
    void make_link();
    std::optional<StartFailure> start_link();
    void start_timers();
    bool write_ports();
    void close();
    void stop();

    void every(asio::steady_timer& timer, std::chrono::milliseconds span,
               std::function<void()> task);
    void tell_drops();
    /// What this server acts for from now on, of a database that it shares.
    void take(const Tenure& tenure);
    void give_way(leases::Refusal refusal);

    // --- Outside (core)
    WallTime now() override { return wall_now(); }
    std::array<Byte, 32> seed() override {
        std::array<Byte, 32> bytes{};
        entropy_->fill(bytes);
        return bytes;
    }
    void post(std::function<void()> task) override { asio::post(loop_, std::move(task)); }
    void publish(Outgoing message) override { link_->publish(std::move(message)); }
    void devices_changed(std::vector<DeviceId> revoked, std::function<void(bool)> done) override {
        gatekeeper_->refresh(std::move(revoked), std::move(done));
    }
    void log_moved() override { log_is_longer_ = true; }
    void fenced() override { keeper_->hurry(); }

    // --- api::Backend
    void call(std::string actor, Act act, Then then) override {
        core_->call(std::move(actor), std::move(act), std::move(then));
    }
    std::optional<store::Fault> read(
        std::string actor, const std::function<void(Repositories&, const Call&)>& reader) override {
        return core_->read(std::move(actor), reader);
    }
    const fleet::Keys& keys() const override { return vault_->keys; }
    api::Places places() const override {
        const std::scoped_lock lock{mutex_};
        return places_;
    }
    api::Health health() const override;

    const Config config_;
    Log log_;
    const DataDir directory_;
    std::shared_ptr<SystemEntropy> entropy_ = std::make_shared<SystemEntropy>();
    asio::io_context loop_{1};
    asio::signal_set signals_{loop_};
    asio::steady_timer list_timer_{loop_}, follow_timer_{loop_}, drops_timer_{loop_};
    asio::steady_timer history_timer_{loop_}, listing_timer_{loop_}, remind_timer_{loop_};
    asio::steady_timer others_timer_{loop_};
    std::thread stopper_;
    bool stopping_ = false;
    Exit exit_ = Exit::ok;

    std::optional<Vault> vault_;
    std::unique_ptr<Core> core_;
    std::unique_ptr<api::Api> api_;
    std::unique_ptr<broker::Broker> broker_;
    std::unique_ptr<Gatekeeper> gatekeeper_;
    std::unique_ptr<http::Server> http_;
    std::unique_ptr<OwnLink> link_;
    std::unique_ptr<LeaseKeeper> keeper_;  // of a database that is shared
    Tenure tenure_;                        // of the last turn
    std::string no_link_;                  // why the link could not be made; told once
    std::shared_ptr<Slices> history_, listing_;

    mutable std::mutex mutex_;  // places_
    api::Places places_;
    std::vector<http::Endpoint> endpoints_;
    std::uint16_t broker_port_ = 0;
    std::atomic<std::uint64_t> messages_ = 0;
    std::atomic<std::uint64_t> dropped_ = 0;
    std::atomic<std::uint32_t> partitions_ = wire::partition_count;
    std::atomic<std::uint32_t> servers_ = 1;
    std::uint64_t dropped_told_ = 0;
    bool log_is_longer_ = false;  // on the loop
};

// --- start
// --------------------------------------------------------------------------------------------

std::optional<StartFailure> Program::Impl::start() {
    auto opened = open_vault(directory_, config_.database, *entropy_, wall_now(), log_);
    if (auto* failure = std::get_if<StartFailure>(&opened)) return *failure;
    vault_ = std::get<Vault>(std::move(opened));
    auto key = first_key(directory_, *vault_->store, *entropy_, wall_now());
    if (auto* wrong = std::get_if<std::string>(&key))
        return StartFailure{Exit::data_unusable, *wrong};
    if (const auto& text = std::get<0>(key)) tell_first_key(directory_, *text);

    core_ = std::make_unique<Core>(*vault_->store, vault_->keys, *this);
    // Before the broker, and before anything is changed: another server may be in the way.
    if (auto failure = join_others()) return failure;
    if (auto failure = apply_settings()) return failure;
    api_ = std::make_unique<api::Api>(*this);
    if (auto failure = start_broker()) return failure;
    make_link();  // who asks for health asks it
    if (auto failure = start_http()) return failure;
    if (auto failure = start_link()) return failure;
    start_timers();
    if (!write_ports()) return StartFailure{Exit::data_unusable, "ports.json can't be written"};
    log_.say(LogLevel::info, "serving",
             {{"data", directory_.path().string()},
              {"http", std::to_string(endpoints_[0].port)},
              {"renewal", std::to_string(endpoints_[1].port)},
              {"broker", std::to_string(broker_port_)}});
    return std::nullopt;
}

std::optional<StartFailure> Program::Impl::apply_settings() {
    const auto unwritten = vault_->store->write_now([this](Repositories& r) {
        orders::set_horizon(r, config_.lists.horizon_days);
        return store::Decision::keep;
    });
    if (!unwritten) return std::nullopt;
    return StartFailure{Exit::data_unusable, fmt::format("the database can't be written: {}",
                                                         store::to_text(*unwritten))};
}

/// A SQLite file is this process's alone; a PostgreSQL may have other servers.
std::optional<StartFailure> Program::Impl::join_others() {
    if (config_.database.url.empty()) return std::nullopt;
    auto options = store_options(directory_, config_.database, wall_now(), log_);
    options.threaded = false;
    auto store = store::Store::open(options);
    if (store.has_error())
        return StartFailure{Exit::data_unusable,
                            fmt::format("the database can't be opened once more: {}",
                                        store::to_text(store.error()))};
    keeper_ = std::make_unique<LeaseKeeper>(
        std::move(*store), new_life(*entropy_, config_.host, config_.broker.managed), log_);
    auto joined = keeper_->join(directory_);
    if (auto* failure = std::get_if<StartFailure>(&joined)) return std::move(*failure);
    tenure_ = std::get<Tenure>(std::move(joined));
    return std::nullopt;
}

std::optional<StartFailure> Program::Impl::start_broker() {
    const auto& wanted = config_.broker;
    Gatekeeper::Parts parts{.store = *vault_->store,
                            .keys = vault_->keys,
                            .log = log_,
                            .broker = nullptr,
                            .material = {},
                            .directory = directory_ / "broker",
                            .servers = keeper_ && !wanted.managed ? leases::servers_max : 1,
                            .now = wall_now};
    broker_port_ = wanted.port;
    if (wanted.managed) {
        const auto own = server_certificate(vault_->keys, own_names(config_), *entropy_);
        Rules rules = rules_of(*vault_->store, vault_->keys, 1, wall_now());
        parts.material = {.authority = vault_->keys.authority_pem,
                          .certificate = own.certificate_pem,
                          .key = own.key_pem,
                          .crl = rules.crl};
        broker::Config config;
        config.directory = parts.directory;
        config.program = wanted.program;
        config.user = wanted.user;
        config.address = wanted.address;
        config.port = wanted.port;
        config.material = parts.material;
        config.access = std::move(rules.access);
        broker_ =
            std::make_unique<broker::Broker>(std::move(config), [this](std::string_view line) {
                log_.say(LogLevel::debug, "broker", {{"line", std::string{line}}});
            });
        const auto started = broker_->start();
        if (started.has_error())
            return StartFailure{
                Exit::failed,
                fmt::format("the broker does not start: {}; `log.level = \"debug\"` shows what it "
                            "says",
                            broker::to_text(started.error()))};
        broker_port_ = broker_->port();
        parts.broker = broker_.get();
    } else {
        std::error_code ignored;
        std::filesystem::create_directories(parts.directory, ignored);
    }
    gatekeeper_ = std::make_unique<Gatekeeper>(std::move(parts));
    // An external broker gets its rules written at once.
    if (!wanted.managed) gatekeeper_->refresh({}, {});
    return std::nullopt;
}

void Program::Impl::make_link() {
    link_ = std::make_unique<OwnLink>(OwnLink::Parts{
        .broker = config_.broker,
        .port = broker_port_,
        .keys = vault_->keys,
        .entropy = entropy_,
        .log = log_,
        .post = [this](std::function<void()> task) { asio::post(loop_, std::move(task)); },
        .on_message =
            [this](mqtt::Message message) {
                core_->on_message(message.topic, message.payload);
                messages_ = core_->counts().messages;
                dropped_ = core_->counts().dropped_busy + core_->counts().dropped_failed;
            }});
}

std::optional<StartFailure> Program::Impl::start_http() {
    auto opened = doors(config_, vault_->keys, *api_, *entropy_, log_);
    if (auto* wrong = std::get_if<std::string>(&opened))
        return StartFailure{Exit::failed, std::move(*wrong)};
    {
        // Known before the first request; a port the kernel chooses is filled in below.
        const std::scoped_lock lock{mutex_};
        places_ = {.broker_host = config_.broker.managed ? config_.host : config_.broker.host,
                   .broker_port = broker_port_,
                   .renewal_url = url_of(config_.host, config_.renewal.port)};
    }
    http_ = std::make_unique<http::Server>(std::get<http::ServerOptions>(std::move(opened)));
    auto started = http_->start();
    if (started.has_error()) return StartFailure{Exit::failed, started.error().message};
    endpoints_ = std::move(*started);
    const std::scoped_lock lock{mutex_};
    places_.renewal_url = url_of(config_.host, endpoints_[1].port);
    if (config_.http.tls) places_.server_url = url_of(config_.host, endpoints_[0].port);
    return std::nullopt;
}

std::optional<StartFailure> Program::Impl::start_link() {
    auto partitions = LinkDoor::all_partitions();
    if (keeper_) {
        core_->hold({.life = keeper_->life(), .parts = tenure_.round.held});
        partitions = tenure_.round.partitions();
        partitions_ = static_cast<std::uint32_t>(partitions.size());
        servers_ = static_cast<std::uint32_t>(tenure_.round.servers);
        keeper_->start(
            [this](Tenure tenure) { asio::post(loop_, [this, tenure] { take(tenure); }); },
            [this](leases::Refusal why) { asio::post(loop_, [this, why] { give_way(why); }); });
    }
    if (const auto wrong = link_->listen(tenure_.round.seat, partitions))
        return StartFailure{Exit::failed, *wrong};
    return std::nullopt;
}

void Program::Impl::take(const Tenure& tenure) {
    if (stopping_) return;
    const Tenure before = std::exchange(tenure_, tenure);
    const auto partitions = tenure.round.partitions();
    // First of all, and under the tokens of now: what comes after this is ours or is dropped.
    core_->hold({.life = keeper_->life(), .parts = tenure.round.held});
    partitions_ = static_cast<std::uint32_t>(partitions.size());
    servers_ = static_cast<std::uint32_t>(tenure.round.servers);
    if (tenure.round.took_over) vault_->store->place_leftovers();
    if (tenure.fleet_changes != before.fleet_changes) gatekeeper_->refresh({}, {});
    // Asked of the link, not of the turn before: one that could not be made is tried each time.
    if (link_->listens_to(tenure.round.seat, partitions)) return no_link_.clear();
    if (const auto wrong = link_->listen(tenure.round.seat, partitions)) {
        if (std::exchange(no_link_, *wrong) != *wrong)
            log_.say(LogLevel::error, "no link", {{"why", *wrong}});
        return;
    }
    no_link_.clear();
    log_.say(LogLevel::info, "acting for",
             {{"partitions", std::to_string(partitions.size())},
              {"servers", std::to_string(tenure.round.servers)}});
}

void Program::Impl::give_way(leases::Refusal refusal) {
    if (stopping_) return;
    log_.say(LogLevel::error, "ending: another server took this one's place",
             {{"why", std::string{leases::to_text(refusal)}}});
    exit_ = Exit::in_use;
    stop();
}

void Program::Impl::every(asio::steady_timer& timer, std::chrono::milliseconds span,
                          std::function<void()> task) {
    timer.expires_after(span);
    timer.async_wait([this, &timer, span, task](boost::system::error_code error) {
        if (error || stopping_) return;
        task();
        every(timer, span, task);
    });
}

void Program::Impl::start_timers() {
    every(list_timer_, list_renewed_every, [this] { gatekeeper_->renew_list(); });
    every(follow_timer_, follow_every, [this] {
        if (std::exchange(log_is_longer_, false)) api_->log_moved();
    });
    if (keeper_) every(others_timer_, others_followed_every, [this] { log_is_longer_ = true; });
    every(drops_timer_, drops_told_every, [this] { tell_drops(); });
    history_ = std::make_shared<Slices>(
        *core_, [](Repositories& r, const Call& call, Committed&) { return lists::tick(r, call); });
    every(history_timer_, lists::tick_every_ms, [this] { history_->begin(); });
    listing_ = std::make_shared<Slices>(*core_,
                                        [this](Repositories& r, const Call& call, Committed& done) {
                                            auto ticked = orders::tick(r, call, vault_->keys);
                                            done.effects = std::move(ticked.effects);
                                            return ticked.more;
                                        });
    listing_->begin();  // days may have passed since the last stop
    every(listing_timer_, list_followed_every, [this] { listing_->begin(); });
    every(remind_timer_, Core::remind_every_ms, [this] { core_->remind(); });
}

void Program::Impl::tell_drops() {
    const auto& core = core_->counts();
    const auto door = link_->counts();
    const std::uint64_t total = core.dropped_busy + core.dropped_failed + door.dropped_full +
                                door.inbound_dropped + core.not_ours + core.fenced +
                                core.unanswered;
    dropped_ = core.dropped_busy + core.dropped_failed + door.inbound_dropped;
    if (total == std::exchange(dropped_told_, total)) return;
    log_.say(LogLevel::warning, "messages dropped; devices send again",
             {{"store_busy", std::to_string(core.dropped_busy)},
              {"commit_failed", std::to_string(core.dropped_failed)},
              {"outgoing_full", std::to_string(door.dropped_full)},
              {"inbound", std::to_string(door.inbound_dropped)},
              {"of_other_servers", std::to_string(core.not_ours + core.fenced + core.unanswered)}});
}

bool Program::Impl::write_ports() {
    return write_private(
        directory_ / "ports.json",
        fmt::format("{{\"http\":{},\"tls\":{},\"renewal\":{},\"broker\":{},\"pid\":{}}}\n",
                    endpoints_[0].port, config_.http.tls, endpoints_[1].port, broker_port_,
                    ::getpid()));
}

api::Health Program::Impl::health() const {
    api::Health out;
    out.broker = config_.broker.managed ? "managed" : "external";
    out.link_up = link_->up();
    if (broker_) {
        const auto health = broker_->health();
        out.broker_ok = health.running;
        out.broker_restarts = health.restarts;
    } else {
        out.broker_ok = out.link_up;  // all that can be known of somebody else's broker
    }
    out.partitions = partitions_;
    out.servers = servers_;
    out.messages = messages_;
    out.messages_dropped = dropped_;
    return out;
}

// --- stop
// ---------------------------------------------------------------------------------------------

void Program::Impl::stop() {
    if (std::exchange(stopping_, true)) return;
    log_.say(LogLevel::info, "stopping");
    api_->end();
    for (const auto& slices : {history_, listing_})
        if (slices) slices->end();
    // The loop goes on meanwhile: calls in flight answer through it.
    stopper_ = std::thread{[this] {
        http_->stop();
        asio::post(loop_, [this] {
            link_->close();
            loop_.stop();
        });
    }};
}

Exit Program::Impl::run() {
    signals_.add(SIGTERM);
    signals_.add(SIGINT);
    signals_.async_wait([this](boost::system::error_code error, int) {
        if (!error) stop();
    });
    const auto guard = asio::make_work_guard(loop_);
    loop_.run();
    close();
    log_.say(LogLevel::info, "stopped");
    return exit_;
}

/// In the order that leaves nobody with a reference to what is gone: doors, then the writer, whose
/// last tasks go to a loop that does not run any more, then what those tasks would touch.
void Program::Impl::close() {
    if (stopper_.joinable()) stopper_.join();
    if (http_) http_->stop();
    if (link_) link_->close();
    gatekeeper_.reset();
    if (broker_) broker_->stop();
    if (vault_) vault_->store.reset();
    // Nothing is under way for a partition any more: others may have them.
    keeper_.reset();
    core_.reset();
    std::error_code ignored;
    if (!endpoints_.empty()) std::filesystem::remove(directory_ / "ports.json", ignored);
    endpoints_.clear();
}

Program::Program(Config config) : impl_{std::make_unique<Impl>(std::move(config))} {}
Program::~Program() = default;
std::optional<StartFailure> Program::start() { return impl_->start(); }
Exit Program::run() { return impl_->run(); }

}  // namespace pf::server::app
