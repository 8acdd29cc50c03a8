#pragma once
// The link on Paho, for the programs. Rooms include link.hpp only.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/entropy.hpp"
#include "common/mqtt/link.hpp"

namespace pf::mqtt {

/// Runs a function later on the owner's executor, in the order posted. Called from other threads;
/// it never runs the function inside the call. Example: `asio::post(executor, std::move(task))`.
using Post = std::function<void(std::function<void()>)>;

/// TLS with a pinned authority and a client certificate. PEM texts; they never touch a disk.
struct Tls {
    std::string authority_pem;    // the only authority trusted, whatever the system trusts
    std::string certificate_pem;  // own certificate, then intermediates
    std::string key_pem;          // its private key, PKCS#8 or SEC 1, not encrypted
};

enum class Version : std::uint8_t {
    prefer_5,   // 5, and 3.1.1 at once when the broker says it does not speak 5
    only_5,     // for tests
    only_3_1_1  // for brokers that drop the connection instead of saying so
};

struct Options {
    std::string host;  // name or address; must be in the broker's certificate
    std::uint16_t port = 8883;
    std::string client_id;                   // the device's id, or the server's
    std::optional<Tls> tls;                  // nothing: plain TCP, for a test on loopback only
    std::vector<std::string> subscriptions;  // granted, all of them, before on_up
    Version version = Version::prefer_5;
    Limits limits;
    std::uint32_t keep_alive_s = 20;          // silence is noticed within one and a half of these
    std::uint32_t answer_s_max = 10;          // for TCP, TLS, CONNECT and SUBSCRIBE each
    std::uint32_t reconnect_ms_min = 250;     // doubled after each failure up to the next, then
    std::uint32_t reconnect_ms_max = 30'000;  // drawn evenly from the upper half
};

/// Needs no network yet. `entropy` is used on the link's own thread and outlives the link.
std::unique_ptr<Link> make_paho_link(Options options, Post post, std::shared_ptr<Entropy> entropy);

}  // namespace pf::mqtt
