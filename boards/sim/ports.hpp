#pragma once
// The sim board: what a street gate has in metal, a laptop has in files. Every line of barrier.log
// and cue.log is flushed before the call returns, so a test that reads them after kill -9 reads the
// truth.
#include <atomic>
#include <filesystem>
#include <functional>

#include "common/base/entropy.hpp"
#include "firmware/ports/barrier.hpp"
#include "firmware/ports/clock.hpp"
#include "firmware/ports/cue.hpp"
#include "firmware/ports/key_vault.hpp"
#include "firmware/ports/scanner.hpp"

namespace pf::boards::sim {

namespace ports = firmware::ports;

/// The kernel's clocks. `wall_offset` stands for a clock that is wrong; set_wall_offset() for one
/// that is stepped while the device runs.
class SystemClock final : public ports::Clock {
public:
    explicit SystemClock(Millis wall_offset) : wall_offset_ms_{wall_offset.count()} {}
    WallTime wall() const override;
    SteadyTime steady() const override;
    void set_wall_offset(Millis offset) { wall_offset_ms_ = offset.count(); }

private:
    std::atomic<std::int64_t> wall_offset_ms_;
};

/// getrandom(2).
class SystemEntropy final : public Entropy {
public:
    void fill(std::span<Byte> out) override;
};

/// Appends whole lines: "<unix ms> <what>".
class LineLog {
public:
    LineLog(std::filesystem::path path, const ports::Clock& clock);
    ~LineLog();
    LineLog(const LineLog&) = delete;
    LineLog& operator=(const LineLog&) = delete;
    void write(std::string_view line);

private:
    const ports::Clock& clock_;
    int fd_;
};

/// What the lane looked at, as lines of JSON in scan.log: source, strategy, length. Never the code.
class ScanLog {
public:
    ScanLog(const std::filesystem::path& data_dir, const ports::Clock& clock)
        : log_{data_dir / "scan.log", clock} {}
    void write(const ports::ScannedCode& code);

private:
    LineLog log_;
};

/// An arm that is a log file: "<unix ms> <word> <steady ms>", the second time being the one events
/// carry. Somebody must say that people pass: the control socket, or
/// `walk_through` (everybody does, after a moment).
class LoggedBarrier final : public ports::Barrier {
public:
    LoggedBarrier(const std::filesystem::path& data_dir, const ports::Clock& clock,
                  bool senses_passage);
    void on_event(Handler handler) override { handler_ = std::move(handler); }
    void pulse(Millis pulse) override;
    void lock() override;
    bool senses_passage() const override { return senses_passage_; }

    /// A sensor speaks. On the device's thread.
    void sense(ports::BarrierEvent event);
    /// Called after every pulse, to let a simulated visitor walk.
    void on_pulse(std::function<void()> walk) { walk_ = std::move(walk); }

private:
    void write(std::string_view word);

    const ports::Clock& clock_;
    LineLog log_;
    Handler handler_;
    std::function<void()> walk_;
    bool senses_passage_;
};

/// Light, sound and words as lines of JSON in cue.log.
class LoggedCue final : public ports::Cue {
public:
    LoggedCue(const std::filesystem::path& data_dir, const ports::Clock& clock);
    void show(const ports::Display& display) override;
    const std::string& last() const noexcept { return last_; }

private:
    LineLog log_;
    std::string last_;
};

/// Documents come over the control socket.
class ControlledIdReader final : public ports::IdReader {
public:
    void on_document(Handler handler) override { handler_ = std::move(handler); }
    void present(std::string number);

private:
    Handler handler_;
};

/// One file of mode 0600 a secret, replaced by rename after fsync.
class FileVault final : public ports::KeyVault {
public:
    explicit FileVault(std::filesystem::path directory);
    std::optional<Bytes> get(std::string_view name) const override;
    bool put(std::string_view name, BytesView value) override;
    bool erase(std::string_view name) override;

private:
    std::filesystem::path directory_;
};

}  // namespace pf::boards::sim
