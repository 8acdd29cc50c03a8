#include "sync-server/broker/supervisor.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <system_error>

#include "sync-server/broker/back_door.hpp"
#include "sync-server/broker/directory.hpp"
#include "sync-server/broker/settings.hpp"

namespace pf::server::broker {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds stop_ms_max{2'000};        // then it is killed; it has nothing to save
constexpr milliseconds restart_ms_min{100};       // doubled after each run that was short
constexpr milliseconds restart_ms_max{10'000};    // a port taken by somebody else stays a log line
constexpr milliseconds short_run_ms{5'000};       // a run this long ends the doubling
constexpr milliseconds probe_ms{20};              // between questions whether it answers yet
constexpr milliseconds answer_ms_max{2'000};      // for one answer of the back door
constexpr milliseconds reload_ms_max{3'000};      // then it hangs, and is restarted
constexpr std::size_t line_bytes_max = 4 * 1024;  // of Mosquitto's log; longer ones are cut
constexpr std::string_view reload_line = "Reloading config.";

}  // namespace

Broker::Supervisor::Supervisor(Config config, Log log)
    : config_{std::move(config)}, log_{std::move(log)} {}

Broker::Supervisor::~Supervisor() { stop(); }

Result<void, Fault> Broker::Supervisor::start() {
    const std::scoped_lock life{life_mutex_};
    if (thread_.joinable()) return {};
    if (::access(config_.program.c_str(), X_OK) != 0) return Fault::program_missing;
    account_ = account_for(config_.directory, config_.user);
    if (!prepare_directory(config_.directory, account_)) return Fault::directory_unusable;
    wake_ = Descriptor{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (!wake_) return Fault::not_answering;
    {
        const std::scoped_lock lock{mutex_};
        if (port_ == 0) port_ = config_.port;
        if (port_ == 0) port_ = free_port(config_.address).value_or(0);
        if (port_ == 0) return Fault::not_answering;
        quit_ = restart_wanted_ = false;
        health_ = Health{.runs_as_root = ::geteuid() == 0 && !account_};
    }
    {
        const std::scoped_lock files{files_mutex_};
        written_.clear();  // nobody knows what happened to the directory meanwhile
        if (!write_files()) return Fault::directory_unusable;
    }
    thread_ = std::thread{[this] { supervise(); }};
    {
        Lock lock{mutex_};
        if (wait_running(lock, starts_)) return {};
        quit_ = true;
    }
    wake();
    thread_.join();
    return Fault::not_answering;
}

void Broker::Supervisor::stop() {
    const std::scoped_lock life{life_mutex_};
    if (!thread_.joinable()) return;
    {
        const std::scoped_lock lock{mutex_};
        quit_ = true;
    }
    wake();
    thread_.join();
}

std::uint16_t Broker::Supervisor::port() const {
    const std::scoped_lock lock{mutex_};
    return port_;
}

std::uint64_t Broker::Supervisor::reloads_asked() const {
    const std::scoped_lock lock{mutex_};
    return reload_asked_;
}

Health Broker::Supervisor::health() const {
    const std::scoped_lock lock{mutex_};
    return health_;
}

bool Broker::Supervisor::write_files() {
    const Settings settings{.user = account_ ? config_.user : "root",
                            .address = config_.address,
                            .port = port(),
                            .message_bytes_max = config_.message_bytes_max,
                            .queued_messages_max = config_.queued_messages_max,
                            .connections_max = config_.connections_max};
    const std::array<std::pair<std::string, std::string>, 7> files{{
        {std::string{settings_file}, render_settings(settings)},
        {std::string{access_file}, render_access(config_.access)},
        {std::string{no_access_file}, "# Nothing is allowed here.\n"},
        {std::string{authority_file}, config_.material.authority},
        {std::string{certificate_file}, config_.material.certificate},
        {std::string{key_file}, config_.material.key},
        {std::string{crl_file}, config_.material.crl},
    }};
    return std::ranges::all_of(files, [this](const auto& file) {
        const auto& [name, content] = file;
        // Replacing a file waits for the disk; mostly one of the seven has changed.
        if (const auto found = written_.find(name);
            found != written_.end() && found->second == content) {
            return true;
        }
        if (!write_file(config_.directory, name, content, account_)) return false;
        written_[name] = content;
        return true;
    });
}

/// Until one process more than `past_starts` has answered; false at quit or when that takes too
/// long.
bool Broker::Supervisor::wait_running(Lock& lock, std::uint64_t past_starts) {
    changed_.wait_for(lock, milliseconds{config_.start_ms_max},
                      [&] { return quit_ || starts_ > past_starts; });
    return !quit_ && starts_ > past_starts;
}

Result<void, Fault> Broker::Supervisor::update(std::optional<Material> material,
                                               std::optional<Access> access) {
    {
        const std::scoped_lock files{files_mutex_};
        if (material) config_.material = std::move(*material);
        if (access) config_.access = std::move(*access);
        {
            const std::scoped_lock lock{mutex_};
            if (quit_) return Fault::stopped;  // start() writes everything
        }
        if (!write_files()) return Fault::directory_unusable;
    }
    const std::scoped_lock lock{mutex_};
    ++reload_asked_;
    wake();
    return {};
}

Result<void, Fault> Broker::Supervisor::wait_obeyed() {
    Lock lock{mutex_};
    const std::uint64_t mine = reload_asked_;
    const auto obeyed = [&] { return quit_ || reload_done_ >= mine; };
    const milliseconds down_ms_max{config_.start_ms_max};
    if (!changed_.wait_for(lock, down_ms_max, [&] { return obeyed() || health_.running; })) {
        return Fault::not_answering;
    }
    const bool done = changed_.wait_for(lock, reload_ms_max, obeyed);
    if (quit_) return Fault::stopped;
    lock.unlock();
    return done ? Result<void, Fault>{} : restart();
}

Result<void, Fault> Broker::Supervisor::throw_out(const std::vector<std::string>& client_ids) {
    const std::filesystem::path door = config_.directory / back_door_file;
    const bool all = std::ranges::all_of(client_ids, [&](const std::string& client_id) {
        return take_over(door, client_id, answer_ms_max);
    });
    if (all) return {};
    log_("a client could not be thrown out alone; restarting the broker");
    return restart();
}

Result<void, Fault> Broker::Supervisor::restart() {
    Lock lock{mutex_};
    if (quit_) return Fault::stopped;
    restart_wanted_ = true;
    const std::uint64_t starts = starts_;
    lock.unlock();
    wake();
    lock.lock();
    if (wait_running(lock, starts)) return {};
    return quit_ ? Fault::stopped : Fault::not_answering;
}

void Broker::Supervisor::wake() {
    const std::uint64_t one = 1;
    // The counter can't overflow by additions of one, so this never fails.
    (void)!::write(wake_.get(), &one, sizeof(one));
}

void Broker::Supervisor::supervise() {
    milliseconds pause = restart_ms_min;
    for (;;) {
        const auto begun = std::chrono::steady_clock::now();
        // Changes asked for before the process is there are in the files it reads.
        const std::uint64_t known = reloads_asked();
        try {
            Child child{config_.program, config_.directory, settings_file, account_};
            attend(child, known);
        } catch (const std::system_error& error) {
            log_(fmt::format("the broker could not be started: {}", error.what()));
        }
        Lock lock{mutex_};
        health_.running = false;
        health_.process = 0;
        changed_.notify_all();
        if (quit_) return;
        ++health_.restarts;
        restart_wanted_ = false;
        const bool was_short = std::chrono::steady_clock::now() - begun < short_run_ms;
        if (!was_short) pause = restart_ms_min;
        lock.unlock();
        log_(fmt::format("the broker has ended; starting it again in {} ms", pause.count()));
        lock.lock();
        changed_.wait_for(lock, pause, [this] { return quit_; });
        if (quit_) return;
        pause = std::min(pause * 2, restart_ms_max);
    }
}

/// Returns when the child has ended, by itself or as asked.
void Broker::Supervisor::attend(Child& child, std::uint64_t known) {
    bool running = false;
    {
        const std::scoped_lock lock{mutex_};
        health_.process = child.process();
    }
    for (;;) {
        std::array<pollfd, 3> ready{{{.fd = child.output(), .events = POLLIN, .revents = 0},
                                     {.fd = child.ended(), .events = POLLIN, .revents = 0},
                                     {.fd = wake_.get(), .events = POLLIN, .revents = 0}}};
        ::poll(ready.data(), ready.size(), running ? -1 : static_cast<int>(probe_ms.count()));
        if ((ready[2].revents & POLLIN) != 0) {
            std::uint64_t count = 0;
            (void)!::read(wake_.get(), &count, sizeof(count));
        }
        read_output(child);
        if ((ready[1].revents & POLLIN) != 0) {
            child.finish(milliseconds{0});
            return;
        }
        if (!running && answers(config_.directory / back_door_file, probe_ms)) {
            running = true;
            const std::scoped_lock lock{mutex_};
            health_.running = true;
            ++starts_;
            reload_sent_ = reload_done_ = known;
            changed_.notify_all();
        }
        if (!obey(child)) return;
    }
}

bool Broker::Supervisor::obey(Child& child) {
    Lock lock{mutex_};
    if (quit_ || restart_wanted_) {
        lock.unlock();
        child.signal(SIGTERM);
        child.finish(stop_ms_max);
        read_output(child);
        return false;
    }
    // Before it answers, Mosquitto may not have its handler yet, and the signal would end it.
    if (health_.running && reload_asked_ > reload_sent_ && reload_sent_ == reload_done_) {
        reload_sent_ = reload_asked_;
        child.signal(SIGHUP);
    }
    return true;
}

void Broker::Supervisor::read_output(Child& child) {
    std::array<char, 4096> buffer{};
    for (;;) {
        const ssize_t count = ::read(child.output(), buffer.data(), buffer.size());
        if (count <= 0) return;
        for (const char character :
             std::string_view{buffer.data(), static_cast<std::size_t>(count)}) {
            if (character == '\n') {
                take_line(line_);
                line_.clear();
            } else if (line_.size() < line_bytes_max) {
                line_.push_back(character);
            }
        }
    }
}

void Broker::Supervisor::take_line(std::string_view line) {
    if (line.ends_with(reload_line)) {
        const std::scoped_lock lock{mutex_};
        reload_done_ = reload_sent_;
        changed_.notify_all();
    }
    log_(line);
}

}  // namespace pf::server::broker
