#include "firmware/app/runner.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>
#include <utility>

#include "common/mqtt/paho_link.hpp"
#include "firmware/app/keeper.hpp"
#include "firmware/scan/look.hpp"

namespace pf::firmware::app {

namespace asio = boost::asio;

namespace {
/// Longest sleep: the clocks are compared and the saved time renewed even when nothing else
/// happens.
constexpr Millis idle_wait_max{1'000};
constexpr std::chrono::hours renewal_check_every{1};
}  // namespace

struct Runner::Impl final : mqtt::LinkEvents {
    Impl(RunnerOptions o, RunnerPorts p)
        : options{std::move(o)},
          ports{p},
          looks{[this] { asio::post(executor, [this] { take_looks(); }); }},
          keeper{{ports.clock, ports.barrier, ports.cue},
                 [this](Keeper::Beginning beginning) { return start_device(std::move(beginning)); },
                 // Posted, because a device may end inside a call of its link.
                 {.started = [this] { asio::post(executor, [this] { connect(); }); },
                  .ended = [this] { asio::post(executor, [this] { disconnect(); }); },
                  .notice = [this](const Notice& notice) { on_notice(notice); }}} {}

    // --- link events, on the executor ---
    std::optional<mqtt::Will> on_connecting() override {
        std::optional<mqtt::Will> out;
        (void)keeper.call([&](Device& device) {
            sync::Engine::Will will = device.next_will();
            out = mqtt::Will{std::move(will.topic), std::move(will.payload)};
        });
        return out;
    }
    void on_up() override {
        spdlog::info("uplink is up");
        (void)keeper.call([](Device& device) { device.on_link_up(); });
        arm_timer();
    }
    void on_down(mqtt::Fault why) override {
        spdlog::info("uplink is down: {}", mqtt::to_text(why));
        (void)keeper.call([](Device& device) { device.on_link_down(); });
        arm_timer();
    }
    void on_message(mqtt::Message message) override {
        (void)keeper.call(
            [&](Device& device) { device.on_message(message.topic, message.payload); });
        arm_timer();
    }
    void on_sent(mqtt::PublishId, std::optional<mqtt::Fault> fault) override {
        // Only the server's own acknowledgement counts; a refusal is worth a line, because nobody
        // else sees it.
        if (fault && *fault != mqtt::Fault::lost)
            spdlog::warn("a message was not taken: {}", mqtt::to_text(*fault));
        keeper.tick();
        arm_timer();
    }
    void on_inbound_dropped(std::uint64_t count) override {
        spdlog::warn("{} messages came too fast", count);
    }

    void take_looks() {
        for (scan::Look& look : looks.take()) scanner.see(std::move(look));
        arm_timer();
    }

    void make_link() {
        mqtt::Options o;
        o.host = options.enrolment.broker_host;
        o.port = options.enrolment.broker_port;
        o.client_id = options.enrolment.device;
        o.tls = mqtt::Tls{options.enrolment.authority_pem, options.enrolment.certificate_pem,
                          options.enrolment.key_pem};
        o.subscriptions = {options.enrolment.topic_root + "dn/#"};
        link = mqtt::make_paho_link(
            std::move(o),
            [this](std::function<void()> task) { asio::post(executor, std::move(task)); },
            ports.entropy);
        link->open(*this);
    }

    void connect() {
        if (plugged_in && !link && keeper.device() != nullptr) make_link();
        arm_timer();
    }

    void disconnect() {
        if (link) link->close();
        link.reset();
        arm_timer();
    }

    bool publish(std::string topic, Bytes payload) {
        return link && link->up() &&
               link->publish(std::move(topic), std::move(payload)).has_value();
    }

    void arm_timer() {
        const SteadyTime now = ports.clock.steady();
        Millis wait = idle_wait_max;
        if (const auto at = keeper.wake_at())
            wait = std::clamp(*at - now, Millis{0}, idle_wait_max);
        timer.expires_after(std::max(wait, Millis{1}));
        timer.async_wait([this](const boost::system::error_code& error) {
            if (error) return;  // armed anew, or stopping
            keeper.tick();
            arm_timer();
        });
    }

    void renew_if_due() {
        Device* const device = keeper.device();
        if (device == nullptr) return;
        const bool due =
            renewal_wanted ||
            renewal_due(options.enrolment,
                        device->timekeeper().best({ports.clock.wall(), ports.clock.steady()}));
        if (!due || renewing.joinable() || renewed_enrolment) return;
        if (options.enrolment.renewal_url.empty()) return;
        renewal_wanted = false;
        // HTTPS blocks, so it has a thread of its own for the few seconds it takes.
        renewing = std::thread{[this, present = options.enrolment] {
            auto renewed = renew(present, ports.vault, *ports.entropy);
            asio::post(executor, [this, renewed = std::move(renewed)]() mutable {
                on_renewed(std::move(renewed));
            });
        }};
    }

    void on_renewed(Result<Enrolment, EnrolError> renewed) {
        renewing.join();
        if (renewed.has_error()) {
            spdlog::warn("certificate not renewed: {}", renewed.error().detail);
            return;
        }
        spdlog::info("certificate renewed");
        // The key changed with the certificate: a fresh device signs events with the new one, once
        // nobody walks through any more. Until then link and device keep the old ones.
        renewed_enrolment = std::move(*renewed);
        keeper.restart();
        arm_timer();
    }

    Result<std::unique_ptr<Device>, journal::Fault> start_device(Keeper::Beginning beginning) {
        if (renewed_enrolment) options.enrolment = *std::exchange(renewed_enrolment, std::nullopt);
        auto identity =
            identity_of(options.enrolment, options.kind, options.firmware, options.boot);
        if (!identity) return journal::Fault::not_ours;
        Ports p{.clock = ports.clock,
                .barrier = ports.barrier,
                .cue = ports.cue,
                .entropy = *ports.entropy,
                .publish =
                    [this](std::string topic, Bytes payload) {
                        return publish(std::move(topic), std::move(payload));
                    },
                .vault = &ports.vault};
        return Device::start({.data_dir = options.data_dir,
                              .vfs = {},
                              .identity = std::move(*identity),
                              .build_time = options.build_time,
                              .lost = std::move(beginning.lost),
                              .journal_damaged = beginning.journal_damaged},
                             std::move(p));
    }

    void on_notice(const Notice& notice) {
        if (notice.what == Notice::What::sync && notice.text == "renew certificate")
            renewal_wanted = true;
        if (notice.what == Notice::What::storage)
            spdlog::error("{}", notice.text);
        else
            spdlog::info("{}", notice.text);
    }

    void start_sources() {
        const auto deliver = [this](scan::Look look) { looks.push(std::move(look)); };
        const auto clock = [this] { return ports.clock.steady(); };
        for (const auto& folder : options.folders)
            sources.push_back(scan::watch_folder(folder, deliver, clock));
        for (const auto& line : options.serial_lines)
            sources.push_back(scan::listen_serial(line, deliver, clock));
        for (const auto& camera : options.cameras)
            sources.push_back(scan::watch_camera(camera, deliver, clock));
    }

    void run() {
        scanner.on_code([this](ports::ScannedCode code) {
            if (options.on_scan) options.on_scan(code);
            return keeper.on_code(code);
        });
        if (ports.id_reader)
            ports.id_reader->on_document(
                [this](ports::DocumentRead read) { keeper.on_document(std::move(read)); });
        if (ports.barrier)
            ports.barrier->on_event([this](ports::BarrierEvent event) {
                keeper.on_barrier(event);
                arm_timer();
            });
        start_sources();
        arm_timer();
        check_renewal();
        context.run();
        sources.clear();
        if (link) link->close();
        link.reset();
        if (renewing.joinable()) renewing.join();
    }

    void check_renewal() {
        renew_if_due();
        renewal_timer.expires_after(
            renewal_wanted ? std::chrono::steady_clock::duration{std::chrono::seconds{1}}
                           : renewal_check_every);
        renewal_timer.async_wait([this](const boost::system::error_code& error) {
            if (!error) check_renewal();
        });
    }

    RunnerOptions options;
    RunnerPorts ports;
    asio::io_context context{1};
    asio::io_context::executor_type executor{context.get_executor()};
    asio::executor_work_guard<asio::io_context::executor_type> work{executor};
    asio::steady_timer timer{context};
    asio::steady_timer renewal_timer{context};
    scan::LookQueue looks;
    scan::LaneScanner scanner;
    std::unique_ptr<mqtt::Link> link;
    std::vector<std::unique_ptr<scan::Source>> sources;
    std::thread renewing;
    std::optional<Enrolment> renewed_enrolment;  // of the next device
    bool renewal_wanted = false;
    bool plugged_in = true;
    Keeper keeper;  // last: what it keeps uses the rest
};

Runner::Runner(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
Runner::~Runner() = default;

Result<std::unique_ptr<Runner>, journal::Fault> Runner::make(RunnerOptions options,
                                                             RunnerPorts ports) {
    auto impl = std::make_unique<Impl>(std::move(options), ports);
    if (const auto fault = impl->keeper.start()) return *fault;
    return std::unique_ptr<Runner>{new Runner{std::move(impl)}};
}

void Runner::run() { impl_->run(); }

void Runner::stop() {
    asio::post(impl_->executor, [impl = impl_.get()] { impl->context.stop(); });
}

void Runner::post(std::function<void(Device&)> task) {
    asio::post(impl_->executor, [impl = impl_.get(), task = std::move(task)] {
        (void)impl->keeper.call(task);
        impl->arm_timer();
    });
}

void Runner::post_after(Millis wait, std::function<void(Device&)> task) {
    auto timer = std::make_shared<asio::steady_timer>(impl_->context, wait);
    timer->async_wait([impl = impl_.get(), timer,
                       task = std::move(task)](const boost::system::error_code& error) {
        if (error) return;
        (void)impl->keeper.call(task);
        impl->arm_timer();
    });
}

void Runner::set_uplink(bool plugged_in) {
    asio::post(impl_->executor, [impl = impl_.get(), plugged_in] {
        if (plugged_in == impl->plugged_in) return;
        impl->plugged_in = plugged_in;
        if (plugged_in) return impl->connect();
        impl->disconnect();
        (void)impl->keeper.call([](Device& device) { device.on_link_down(); });
    });
}

}  // namespace pf::firmware::app
