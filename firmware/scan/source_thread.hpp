#pragma once
// What every source needs: a thread that can be told to stop while it waits, and its health.
#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "firmware/scan/sources.hpp"

namespace pf::firmware::scan {

/// Owns a file descriptor.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
    Descriptor& operator=(Descriptor&& other) noexcept;
    ~Descriptor();
    explicit operator bool() const { return fd_ >= 0; }
    int get() const { return fd_; }

private:
    int release();
    int fd_ = -1;
};

/// "the words: the system's reason", from errno.
std::string system_trouble(std::string_view words);

class SourceThread {
public:
    /// @param body runs once on the thread; returns when wait() says `stop`
    void start(std::function<void()> body);
    /// Ends the thread and waits for it. The owner calls it before its own members go.
    void stop();

    enum class Woke { stop, ready, timeout, hung_up };
    /// Until `fd` is readable. fd -1: only a stop or the time. Negative time: for ever.
    Woke wait(int fd, Millis timeout);
    /// A pause before the next try; false when told to stop.
    bool pause();

    void up();
    void down(std::string trouble);
    void count(const std::function<void(SourceHealth&)>& change);
    SourceHealth health() const;

private:
    Descriptor stop_;
    std::thread thread_;
    mutable std::mutex mutex_;
    SourceHealth health_;
};

}  // namespace pf::firmware::scan
