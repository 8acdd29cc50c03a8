#include "tests/bench/ingest/producer.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <stdexcept>
#include <utility>

#include "common/wire/messages.hpp"
#include "common/wire/topics.hpp"
#include "tests/support/fixed_entropy.hpp"
#include "tests/support/mqtt/listener.hpp"
#include "tests/support/mqtt/loop.hpp"

namespace pf::bench {

using Json = nlohmann::json;

// --- in the bench
// -------------------------------------------------------------------------------------

Producer::Producer(const std::vector<Identity>& devices, const std::string& authority_pem,
                   std::uint16_t port) {
    int down[2], up[2];
    if (::pipe2(down, O_CLOEXEC) != 0 || ::pipe2(up, O_CLOEXEC) != 0)
        throw std::runtime_error{"no pipe"};
    process_ = ::fork();
    if (process_ == 0) {
        ::dup2(down[0], STDIN_FILENO);
        ::dup2(up[1], STDOUT_FILENO);
        ::execl("/proc/self/exe", "bench_ingest", "--producer", nullptr);
        ::_exit(127);
    }
    ::close(down[0]);
    ::close(up[1]);
    to_ = down[1];
    from_ = up[0];
    Json list = Json::array();
    for (const Identity& device : devices)
        list.push_back({{"id", device.id},
                        {"root", device.root},
                        {"certificate", device.certificate_pem},
                        {"key", device.key_pem}});
    say({{"devices", list}, {"authority", authority_pem}, {"port", port}});
    (void)hear();
}

Producer::~Producer() {
    ::close(to_);
    ::close(from_);
    (void)::waitpid(process_, nullptr, 0);
}

void Producer::prepare(std::uint64_t batches, std::uint64_t events) {
    say({{"batches", batches}, {"events", events}});
    (void)hear();
}

void Producer::begin() { say({{"go", true}}); }

std::uint64_t Producer::wait() { return hear().at("again").get<std::uint64_t>(); }

void Producer::say(const Json& what) {
    const std::string line = what.dump() + "\n";
    std::size_t sent = 0;
    while (sent < line.size()) {
        const ssize_t n = ::write(to_, line.data() + sent, line.size() - sent);
        if (n <= 0) throw std::runtime_error{"a producer is gone"};
        sent += static_cast<std::size_t>(n);
    }
}

Json Producer::hear() {
    for (;;) {
        if (const auto end = heard_.find('\n'); end != std::string::npos) {
            Json out = Json::parse(heard_.substr(0, end));
            heard_.erase(0, end + 1);
            return out;
        }
        char piece[4096];
        const ssize_t n = ::read(from_, piece, sizeof piece);
        if (n <= 0) throw std::runtime_error{"a producer is gone"};
        heard_.append(piece, static_cast<std::size_t>(n));
    }
}

// --- in the child
// -------------------------------------------------------------------------------------

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t in_flight_max = 4;  // batches of one device
constexpr std::chrono::seconds again_after{5};
constexpr Epoch epoch{7};

class Device {
public:
    Device(const Json& told, const std::string& authority, std::uint16_t port, tests::Loop& loop,
           std::shared_ptr<Entropy> entropy)
        : id_{*DeviceId::parse(told["id"].get<std::string>())},
          root_{told["root"]},
          key_{*crypto::PrivateKey::from_pem(told["key"].get<std::string>())},
          head_{journal::genesis(id_, epoch)} {
        mqtt::Options options;
        options.host = "localhost";
        options.port = port;
        options.client_id = id_.text();
        options.tls = mqtt::Tls{.authority_pem = authority,
                                .certificate_pem = told["certificate"],
                                .key_pem = told["key"]};
        options.subscriptions = {root_ + "dn/#"};
        heard_.hear = [this](const mqtt::Message& message) { on_message(message); };
        link_ = mqtt::make_paho_link(std::move(options), loop.post(), std::move(entropy));
        link_->open(heard_);
    }

    bool up() const { return heard_.ups > 0; }

    void prepare(std::uint64_t batches, std::uint64_t events) {
        payloads_.clear();
        ends_.clear();
        next_ = done_ = 0;
        for (std::uint64_t i = 0; i < batches; ++i) {
            wire::Batch batch{.device = id_,
                              .epoch = epoch,
                              .first_seq = seq_ + 1,
                              .head_before = head_,
                              .events = {},
                              .signature = {}};
            for (std::uint64_t n = 0; n < events; ++n) batch.events.push_back(event());
            batch.signature = key_.sign(journal::head_to_sign(id_, wire::cursor_after(batch)));
            payloads_.push_back(wire::encode(batch));
            ends_.push_back(seq_);
        }
    }

    /// Sends what the window has room for; true when everything is acknowledged.
    bool step() {
        if (done_ == payloads_.size()) return true;
        const auto now = Steady::now();
        if (next_ > done_ && now - moved_ > again_after) {
            ++again;
            next_ = done_;
        }
        while (next_ < payloads_.size() && next_ - done_ < in_flight_max) {
            if (!link_->publish(wire::topic(root_, wire::Up::events), payloads_[next_])) break;
            ++next_;
            moved_ = now;
        }
        return false;
    }
    std::uint64_t again = 0;

private:
    Bytes event() {
        Bytes bytes = journal::encode({.seq = ++seq_,
                                       .wall = wall_from_ms(1'790'000'000'000),
                                       .steady = SteadyTime{Millis{1'000}},
                                       .boot = BootId{1},
                                       .clock = journal::ClockQuality::confirmed,
                                       .body = journal::Booted{"0.1." + std::to_string(seq_)}});
        head_ = journal::next_head(head_, bytes);
        return bytes;
    }
    void on_message(const mqtt::Message& message) {
        heard_.messages.clear();
        if (!message.topic.ends_with("dn/ack")) return;
        const auto ack = wire::decode_ack(message.payload);
        if (ack.has_error()) return;
        while (done_ < ends_.size() && ends_[done_] <= ack->upto.seq) ++done_;
        next_ = std::max(next_, done_);
        moved_ = Steady::now();
    }

    DeviceId id_;
    std::string root_;
    crypto::PrivateKey key_;
    Digest head_;
    std::uint64_t seq_ = 0;
    std::vector<Bytes> payloads_;
    std::vector<std::uint64_t> ends_;
    std::size_t next_ = 0, done_ = 0;
    Steady::time_point moved_{};
    tests::Listener heard_;
    std::unique_ptr<mqtt::Link> link_;
};

}  // namespace

int produce() {
    std::string line;
    if (!std::getline(std::cin, line)) return 1;
    const Json told = Json::parse(line);
    tests::Loop loop;
    const auto entropy =
        std::make_shared<tests::SeededEntropy>(static_cast<std::uint64_t>(::getpid()));
    std::vector<std::unique_ptr<Device>> devices;
    for (const Json& device : told["devices"])
        devices.push_back(
            std::make_unique<Device>(device, told["authority"], told["port"], loop, entropy));
    if (!loop.run_until(
            [&] { return std::ranges::all_of(devices, [](const auto& d) { return d->up(); }); },
            std::chrono::seconds{60}))
        return 1;
    std::cout << "{}" << std::endl;
    while (std::getline(std::cin, line)) {
        const Json asked = Json::parse(line);
        if (asked.contains("batches")) {
            for (auto& device : devices) device->prepare(asked["batches"], asked["events"]);
            std::cout << "{}" << std::endl;
            continue;
        }
        const bool done = loop.run_until(
            [&] {
                bool all = true;
                for (auto& device : devices) all = device->step() && all;
                return all;
            },
            std::chrono::minutes{5});
        if (!done) return 1;
        std::uint64_t again = 0;
        for (auto& device : devices) again += std::exchange(device->again, 0);
        std::cout << Json{{"again", again}}.dump() << std::endl;
    }
    return 0;
}

}  // namespace pf::bench
