#pragma once
// A broker of a few lines that answers as told, for brokers this machine does not have.
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "common/base/bytes.hpp"

namespace pf::tests {

/// Plain TCP on 127.0.0.1. Takes one connection after another, reads one packet, answers with what
/// `answer` says for it, and hangs up if that was a refusal.
class ScriptedBroker {
public:
    /// `answer` gets the protocol level of CONNECT (4 is 3.1.1, 5 is 5), and says CONNACK.
    explicit ScriptedBroker(std::function<Bytes(Byte level)> answer);
    ~ScriptedBroker();
    ScriptedBroker(const ScriptedBroker&) = delete;
    ScriptedBroker& operator=(const ScriptedBroker&) = delete;

    std::uint16_t port() const { return port_; }
    /// Ends it, and says which levels were asked for. The links are gone by then.
    std::vector<Byte> finish();

private:
    void run();
    void serve(int connection);

    std::function<Bytes(Byte)> answer_;
    std::vector<Byte> levels_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

}  // namespace pf::tests
