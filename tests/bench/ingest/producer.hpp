#pragma once
// Devices in a process of their own that upload batches, a few in flight each, until all of them
// are acknowledged. The same for the server and for a broker with nothing behind it.
#include <sys/types.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace pf::bench {

/// One device as its producer needs it.
struct Identity {
    std::string id, root, certificate_pem, key_pem;
};

/// A child of this program with some devices. Work is prepared first: signing is no part of the
/// figure.
class Producer {
public:
    Producer(const std::vector<Identity>& devices, const std::string& authority_pem,
             std::uint16_t port);
    ~Producer();
    Producer(const Producer&) = delete;
    Producer& operator=(const Producer&) = delete;

    /// Each device makes so many batches of so many events; waits until they are made.
    void prepare(std::uint64_t batches, std::uint64_t events);
    void begin();
    /// Until every batch is acknowledged. How often something had to be said again.
    std::uint64_t wait();

private:
    void say(const nlohmann::json& what);
    nlohmann::json hear();

    pid_t process_ = -1;
    int to_ = -1;
    int from_ = -1;
    std::string heard_;
};

/// What the child does: reads from standard input, writes to standard output.
int produce();

}  // namespace pf::bench
