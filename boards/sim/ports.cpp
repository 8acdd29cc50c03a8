#include "boards/sim/ports.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace pf::boards::sim {

namespace {

std::int64_t clock_ms(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

/// All of it, or false.
bool write_all(int fd, BytesView bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return true;
}

class Descriptor {
public:
    Descriptor(const std::filesystem::path& path, int flags)
        : fd_{::open(path.c_str(), flags | O_CLOEXEC, 0600)} {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }

private:
    int fd_;
};

}  // namespace

WallTime SystemClock::wall() const {
    return wall_from_ms(clock_ms(CLOCK_REALTIME) + wall_offset_ms_);
}
SteadyTime SystemClock::steady() const { return SteadyTime{Millis{clock_ms(CLOCK_BOOTTIME)}}; }

void SystemEntropy::fill(std::span<Byte> out) {
    while (!out.empty()) {
        const ssize_t got = ::getrandom(out.data(), out.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) throw std::runtime_error{"the kernel gives no randomness"};
        out = out.subspan(static_cast<std::size_t>(got));
    }
}

LineLog::LineLog(std::filesystem::path path, const ports::Clock& clock)
    : clock_{clock}, fd_{::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644)} {
    if (fd_ < 0) throw std::runtime_error{"can't write " + path.string()};
}
LineLog::~LineLog() { ::close(fd_); }

void LineLog::write(std::string_view line) {
    const std::string whole = fmt::format("{} {}\n", to_ms(clock_.wall()), line);
    // A simulated arm that can't write its log can't be seen to open; a full disk must not end the
    // process.
    (void)write_all(fd_, as_bytes(whole));
}

void ScanLog::write(const ports::ScannedCode& code) {
    log_.write(nlohmann::json{
        {"source", code.source}, {"strategy", code.strategy}, {"bytes", code.bytes.size()}}
                   .dump());
}

LoggedBarrier::LoggedBarrier(const std::filesystem::path& data_dir, const ports::Clock& clock,
                             bool senses_passage)
    : clock_{clock}, log_{data_dir / "barrier.log", clock}, senses_passage_{senses_passage} {}

void LoggedBarrier::write(std::string_view word) {
    log_.write(fmt::format("{} {}", word, to_ms(clock_.steady())));
}

void LoggedBarrier::pulse(Millis) {
    write("pulse");
    if (walk_) walk_();
}
void LoggedBarrier::lock() { write("lock"); }

void LoggedBarrier::sense(ports::BarrierEvent event) {
    static constexpr std::string_view words[] = {
        "", "passed", "wrong_way", "forced", "tailgate", "fault", "fixed", "fire_on", "fire_off"};
    write(words[static_cast<std::size_t>(event)]);
    if (handler_) handler_(event);
}

LoggedCue::LoggedCue(const std::filesystem::path& data_dir, const ports::Clock& clock)
    : log_{data_dir / "cue.log", clock} {}

void LoggedCue::show(const ports::Display& display) {
    static constexpr std::string_view kinds[] = {"", "admit", "ask", "refuse"};
    static constexpr std::string_view lights[] = {"", "green", "yellow", "red", "blue"};
    nlohmann::json j{{"verdict", kinds[static_cast<std::size_t>(display.kind)]},
                     {"reason", admission::words(display.reason).key},
                     {"zh", display.title_zh},
                     {"en", display.title_en},
                     {"do_zh", display.do_zh},
                     {"do_en", display.do_en},
                     {"product_zh", display.product_zh},
                     {"product_en", display.product_en},
                     {"persons", display.persons},
                     {"persons_left", display.persons_left},
                     {"light", lights[static_cast<std::size_t>(display.light)]},
                     {"person_light", lights[static_cast<std::size_t>(display.person_light)]}};
    if (display.person_type) j["person_type"] = ticket::to_text(*display.person_type);
    if (!display.used_where.empty())
        j["used"] = {{"where", display.used_where}, {"when", display.used_when}};
    last_ = j.dump();
    log_.write(last_);
}

void ControlledIdReader::present(std::string number) {
    if (handler_) handler_({std::move(number), "control"});
}

FileVault::FileVault(std::filesystem::path directory) : directory_{std::move(directory)} {
    std::filesystem::create_directories(directory_);
    ::chmod(directory_.c_str(), 0700);
}

std::optional<Bytes> FileVault::get(std::string_view name) const {
    const Descriptor file{directory_ / name, O_RDONLY};
    if (file.get() < 0) return std::nullopt;
    Bytes out;
    Byte buffer[4096];
    for (;;) {
        const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return std::nullopt;
        if (got == 0) return out;
        out.insert(out.end(), buffer, buffer + got);
    }
}

bool FileVault::put(std::string_view name, BytesView value) {
    const auto target = directory_ / name;
    auto fresh = target;
    fresh += ".new";
    {
        const Descriptor file{fresh, O_WRONLY | O_CREAT | O_TRUNC};
        if (file.get() < 0 || !write_all(file.get(), value) || ::fsync(file.get()) != 0)
            return false;
    }
    if (::rename(fresh.c_str(), target.c_str()) != 0) return false;
    // The rename itself must survive a power cut.
    const Descriptor directory{directory_, O_RDONLY | O_DIRECTORY};
    return directory.get() >= 0 && ::fsync(directory.get()) == 0;
}

bool FileVault::erase(std::string_view name) {
    std::error_code error;
    std::filesystem::remove(directory_ / name, error);
    return !error;
}

}  // namespace pf::boards::sim
