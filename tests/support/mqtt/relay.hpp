#pragma once
// A TCP relay between a client and its broker, so that a test can cut the wire: connections end
// without a goodbye, or nothing gets through any more.
#include <atomic>
#include <cstdint>
#include <thread>

namespace pf::tests {

class Relay {
public:
    /// Listens on a free port of 127.0.0.1 and passes everything to `target` there.
    explicit Relay(std::uint16_t target);
    ~Relay();
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;

    std::uint16_t port() const { return port_; }
    /// Ends every connection at once, at both ends. New ones pass.
    void cut();
    /// Closed: new connections end at once. The present ones stay; see cut().
    void set_open(bool open) { open_ = open; }

private:
    void run();
    void wake();

    std::uint16_t target_;
    std::uint16_t port_ = 0;
    int listener_ = -1;
    int wake_ = -1;
    std::atomic<bool> open_{true};
    std::atomic<bool> quit_{false};
    std::atomic<unsigned> cuts_wanted_{0};
    std::atomic<unsigned> cuts_done_{0};
    std::thread thread_;
};

}  // namespace pf::tests
