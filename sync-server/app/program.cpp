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

#include "common/mqtt/paho_link.hpp"
#include "sync-server/api/api.hpp"
#include "sync-server/app/certificates.hpp"
#include "sync-server/app/core.hpp"
#include "sync-server/app/data_dir.hpp"
#include "sync-server/app/entropy.hpp"
#include "sync-server/app/gatekeeper.hpp"
#include "sync-server/app/link_door.hpp"
#include "sync-server/app/link_tls.hpp"
#include "sync-server/app/log.hpp"
#include "sync-server/app/vault.hpp"
#include "sync-server/http/server.hpp"
#include "sync-server/lists/lists.hpp"
#include "sync-server/orders/orders.hpp"

namespace pf::server::app {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::hours list_renewed_every{24};
constexpr std::chrono::milliseconds follow_every{150};  // how late a follower may hear
constexpr std::chrono::seconds drops_told_every{10};
/// How late a ticket may come on a list or leave it, and a rotation go on; costs nothing when idle.
constexpr std::chrono::seconds list_followed_every{20};
/// An import is one act: a season's codes on a small machine take their minutes, and an answer
/// given up earlier would leave the caller not knowing.
constexpr std::chrono::minutes answer_within{5};

WallTime wall_now() {
    return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
}

std::string url_of(const std::string& host, std::uint16_t port) {
    return fmt::format("https://{}:{}", host, port);
}

}  // namespace

class Program::Impl final : public Outside, public api::Backend, public mqtt::LinkEvents {
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
    void start_link(mqtt::Tls tls);
    void start_timers();
    bool write_ports();
    void close();
    void stop();

    std::vector<std::string> own_names() const;
    std::optional<http::TlsOptions> main_tls(std::string& wrong);
    void every(asio::steady_timer& timer, std::chrono::milliseconds span,
               std::function<void()> task);
    void tell_drops();
    /// Work on the database, a piece at a time; `slice` says whether there is more. Loop only.
    struct Slices {
        std::function<bool(Repositories&, const Call&, Committed&)> slice;
        bool under_way = false;
    };
    void in_slices(std::shared_ptr<Slices> slices);
    void next_slice(std::shared_ptr<Slices> slices);

    // --- Outside (core)
    WallTime now() override { return wall_now(); }
    std::array<Byte, 32> seed() override {
        std::array<Byte, 32> bytes{};
        entropy_->fill(bytes);
        return bytes;
    }
    void post(std::function<void()> task) override { asio::post(loop_, std::move(task)); }
    void publish(Outgoing message) override { door_->publish(std::move(message)); }
    void devices_changed(std::vector<DeviceId> revoked, std::function<void(bool)> done) override {
        gatekeeper_->refresh(std::move(revoked), std::move(done));
    }
    void log_moved() override { log_is_longer_ = true; }

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

    // --- mqtt::LinkEvents: the door does the work, here it is told to people
    void on_up() override {
        log_.say(LogLevel::info, "link up");
        link_up_ = true;
        door_->on_up();
    }
    void on_down(mqtt::Fault why) override {
        if (link_up_.exchange(false))
            log_.say(LogLevel::warning, "link down", {{"why", std::string{mqtt::to_text(why)}}});
        door_->on_down(why);
    }
    void on_message(mqtt::Message message) override { door_->on_message(std::move(message)); }
    void on_sent(mqtt::PublishId id, std::optional<mqtt::Fault> fault) override {
        door_->on_sent(id, fault);
    }
    void on_inbound_dropped(std::uint64_t count) override { door_->on_inbound_dropped(count); }

    const Config config_;
    Log log_;
    const DataDir directory_;
    std::shared_ptr<SystemEntropy> entropy_ = std::make_shared<SystemEntropy>();
    asio::io_context loop_{1};
    asio::signal_set signals_{loop_};
    asio::steady_timer list_timer_{loop_}, follow_timer_{loop_}, drops_timer_{loop_};
    asio::steady_timer history_timer_{loop_}, listing_timer_{loop_}, remind_timer_{loop_};
    std::thread stopper_;
    bool stopping_ = false;

    std::optional<Vault> vault_;
    std::unique_ptr<Core> core_;
    std::unique_ptr<api::Api> api_;
    std::unique_ptr<broker::Broker> broker_;
    std::unique_ptr<Gatekeeper> gatekeeper_;
    std::unique_ptr<http::Server> http_;
    std::unique_ptr<mqtt::Link> link_;
    std::unique_ptr<LinkDoor> door_;

    mutable std::mutex mutex_;  // places_
    api::Places places_;
    std::vector<http::Endpoint> endpoints_;
    std::uint16_t broker_port_ = 0;
    std::atomic<bool> link_up_ = false;
    std::atomic<std::uint64_t> messages_ = 0;
    std::atomic<std::uint64_t> dropped_ = 0;
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

    const int horizon_days = config_.lists.horizon_days;
    const auto unwritten = vault_->store->write_now([horizon_days](Repositories& r) {
        orders::set_horizon(r, horizon_days);
        return store::Decision::keep;
    });
    if (unwritten)
        return StartFailure{Exit::data_unusable, fmt::format("the database can't be written: {}",
                                                             store::to_text(*unwritten))};
    core_ = std::make_unique<Core>(*vault_->store, vault_->keys, *this);
    api_ = std::make_unique<api::Api>(*this);
    if (auto failure = start_broker()) return failure;
    if (auto failure = start_http()) return failure;
    std::string wrong;
    auto tls = link_tls(config_.broker, vault_->keys, *entropy_, wrong);
    if (!tls) return StartFailure{Exit::failed, wrong};
    start_link(std::move(*tls));
    start_timers();
    if (!write_ports()) return StartFailure{Exit::data_unusable, "ports.json can't be written"};
    log_.say(LogLevel::info, "serving",
             {{"data", directory_.path().string()},
              {"http", std::to_string(endpoints_[0].port)},
              {"renewal", std::to_string(endpoints_[1].port)},
              {"broker", std::to_string(broker_port_)}});
    return std::nullopt;
}

std::vector<std::string> Program::Impl::own_names() const {
    std::vector<std::string> names{config_.host, "localhost", "127.0.0.1"};
    // Our own link dials the managed broker where it listens, and checks its name like any other.
    if (config_.broker.managed && config_.broker.address != "0.0.0.0")
        names.push_back(config_.broker.address);
    names.insert(names.end(), config_.names.begin(), config_.names.end());
    return names;
}

std::optional<StartFailure> Program::Impl::start_broker() {
    const auto& wanted = config_.broker;
    Gatekeeper::Parts parts{.store = *vault_->store,
                            .keys = vault_->keys,
                            .log = log_,
                            .broker = nullptr,
                            .material = {},
                            .directory = directory_ / "broker",
                            .now = wall_now};
    broker_port_ = wanted.port;
    if (wanted.managed) {
        const auto own = server_certificate(vault_->keys, own_names(), *entropy_);
        Rules rules = rules_of(*vault_->store, vault_->keys, wall_now());
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

std::optional<http::TlsOptions> Program::Impl::main_tls(std::string& wrong) {
    if (!config_.http.certificate.empty()) {
        const auto chain = read_file(config_.http.certificate);
        const auto key = read_file(config_.http.key);
        if (chain && key) return http::TlsOptions{*chain, *key};
        wrong = fmt::format("{} or {} can't be read", config_.http.certificate.string(),
                            config_.http.key.string());
        return std::nullopt;
    }
    const auto own = server_certificate(vault_->keys, own_names(), *entropy_);
    // The authority is part of the chain: a device that is being paired knows its fingerprint only.
    return http::TlsOptions{own.certificate_pem + vault_->keys.authority_pem, own.key_pem};
}

std::optional<StartFailure> Program::Impl::start_http() {
    http::ServerOptions options;
    options.threads = config_.http.threads;
    options.timeouts.answer = answer_within;
    options.on_bug = [this](std::string_view what) {
        log_.say(LogLevel::error, "bug in a handler", {{"what", std::string{what}}});
    };
    options.on_access = [this](const http::Access& access) {
        // The route, not the path: a path may name a ticket.
        if (log_.wants(LogLevel::debug) || access.status >= 500)
            log_.say(access.status >= 500 ? LogLevel::warning : LogLevel::debug, "request",
                     {{"id", access.request_id},
                      {"route", access.method + " " + access.route},
                      {"status", std::to_string(access.status)},
                      {"took_us", std::to_string(access.took.count())}});
    };
    http::ListenerOptions main{.name = "main",
                               .address = config_.http.address,
                               .port = config_.http.port,
                               .router = api_->main_router()};
    std::string wrong;
    if (config_.http.tls) {
        main.tls = main_tls(wrong);
        if (!main.tls) return StartFailure{Exit::failed, wrong};
    }
    const auto own = server_certificate(vault_->keys, own_names(), *entropy_);
    http::ListenerOptions renewal{
        .name = "renewal",
        .address = config_.renewal.address,
        .port = config_.renewal.port,
        .tls = http::TlsOptions{.certificate_chain_pem =
                                    own.certificate_pem + vault_->keys.authority_pem,
                                .private_key_pem = own.key_pem,
                                .client_certificate = http::ClientCertificate::required,
                                .client_ca_pem = vault_->keys.authority_pem,
                                .accept_expired_client_certificates = true},
        .router = api_->renewal_router()};
    options.listeners = {std::move(main), std::move(renewal)};
    {
        // Known before the first request; a port the kernel chooses is filled in below.
        const std::scoped_lock lock{mutex_};
        places_ = {.broker_host = config_.broker.managed ? config_.host : config_.broker.host,
                   .broker_port = broker_port_,
                   .renewal_url = url_of(config_.host, config_.renewal.port)};
    }
    http_ = std::make_unique<http::Server>(std::move(options));
    auto started = http_->start();
    if (started.has_error()) return StartFailure{Exit::failed, started.error().message};
    endpoints_ = std::move(*started);
    const std::scoped_lock lock{mutex_};
    places_.renewal_url = url_of(config_.host, endpoints_[1].port);
    if (config_.http.tls) places_.server_url = url_of(config_.host, endpoints_[0].port);
    return std::nullopt;
}

void Program::Impl::start_link(mqtt::Tls tls) {
    mqtt::Options options;
    // The managed broker listens where it was told to; every address of it is on this machine.
    options.host = config_.broker.managed ? "127.0.0.1" : config_.broker.host;
    if (config_.broker.managed && config_.broker.address != "0.0.0.0")
        options.host = config_.broker.address;
    options.port = broker_port_;
    options.client_id = server_client_id;
    options.tls = std::move(tls);
    options.subscriptions = LinkDoor::filters();
    options.version =
        config_.broker.version_3_1_1 ? mqtt::Version::only_3_1_1 : mqtt::Version::prefer_5;
    options.limits.inbound_max = Core::waiting_max;
    link_ = mqtt::make_paho_link(
        std::move(options),
        [this](std::function<void()> task) { asio::post(loop_, std::move(task)); }, entropy_);
    door_ = std::make_unique<LinkDoor>(*link_, [this](mqtt::Message message) {
        core_->on_message(message.topic, message.payload);
        messages_ = core_->counts().messages;
        dropped_ = core_->counts().dropped_busy + core_->counts().dropped_failed;
    });
    link_->open(*this);
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
    every(drops_timer_, drops_told_every, [this] { tell_drops(); });
    const auto history = std::make_shared<Slices>();
    history->slice = [](Repositories& r, const Call& call, Committed&) {
        return lists::tick(r, call);
    };
    every(history_timer_, lists::tick_every_ms, [this, history] { in_slices(history); });
    const auto listing = std::make_shared<Slices>();
    listing->slice = [this](Repositories& r, const Call& call, Committed& done) {
        auto ticked = orders::tick(r, call, vault_->keys);
        done.effects = std::move(ticked.effects);
        return ticked.more;
    };
    in_slices(listing);  // days may have passed since the last stop
    every(listing_timer_, list_followed_every, [this, listing] { in_slices(listing); });
    every(remind_timer_, Core::remind_every_ms, [this] { core_->remind(); });
}

/// Slice by slice: whatever waits for the database gets its turn in between. A slice that failed is
/// made up for by the next round.
void Program::Impl::in_slices(std::shared_ptr<Slices> slices) {
    // A round that is longer than the span between two is not joined by another.
    if (std::exchange(slices->under_way, true)) return;
    next_slice(std::move(slices));
}

void Program::Impl::next_slice(std::shared_ptr<Slices> slices) {
    auto more = std::make_shared<bool>(false);
    core_->call(
        "system",
        [slices, more](Repositories& r, const Call& call) -> std::optional<Committed> {
            Committed done;
            *more = slices->slice(r, call, done);
            return done;
        },
        [this, slices, more](std::optional<store::Fault> fault) {
            if (!fault && *more && !stopping_) return next_slice(slices);
            slices->under_way = false;
        });
}

void Program::Impl::tell_drops() {
    const auto& core = core_->counts();
    const auto& door = door_->counts();
    const std::uint64_t total =
        core.dropped_busy + core.dropped_failed + door.dropped_full + door.inbound_dropped;
    dropped_ = core.dropped_busy + core.dropped_failed + door.inbound_dropped;
    if (total == std::exchange(dropped_told_, total)) return;
    log_.say(LogLevel::warning, "messages dropped; devices send again",
             {{"store_busy", std::to_string(core.dropped_busy)},
              {"commit_failed", std::to_string(core.dropped_failed)},
              {"outgoing_full", std::to_string(door.dropped_full)},
              {"inbound", std::to_string(door.inbound_dropped)}});
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
    out.link_up = link_up_;
    if (broker_) {
        const auto health = broker_->health();
        out.broker_ok = health.running;
        out.broker_restarts = health.restarts;
    } else {
        out.broker_ok = link_up_;  // all that can be known of somebody else's broker
    }
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
    return Exit::ok;
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
