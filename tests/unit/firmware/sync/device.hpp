#pragma once
// A device's engine on real files, and a server that says what the test tells it to say.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "firmware/sync/engine.hpp"
#include "tests/support/crash_vfs.hpp"
#include "tests/support/fixed_entropy.hpp"

namespace pf::tests {

namespace fs = pf::firmware::sync;
namespace fj = pf::firmware::journal;
namespace fc = pf::firmware::cache;
using wire::Down;
using wire::ListScope;
using wire::Up;
using What = wire::Want::What;

inline constexpr SiteId here{3};
inline constexpr Generation life{7};
inline constexpr Generation next_life{8};
inline const WallTime noon = Calendar{}.begin_of(Day{20'750}) + std::chrono::hours{12};
inline const DeviceId gate = *DeviceId::parse("gate-1");

struct FakeHost final : fs::Host {
    std::vector<std::pair<std::string, Bytes>> sent;
    bool link_full = false;
    std::vector<wire::DocumentType> changed;
    std::vector<std::pair<WallTime, SteadyTime>> times;
    std::vector<wire::Command> carried_out;
    std::vector<wire::Ack> acks;
    pf::journal::ClockQuality quality = pf::journal::ClockQuality::confirmed;
    Millis doubt{0};  // how far the clock may be ahead of what it says
    std::function<void()> publishing = [] {};

    bool publish(std::string topic, Bytes payload) override {
        if (link_full) return false;
        publishing();
        sent.emplace_back(std::move(topic), std::move(payload));
        return true;
    }
    void document_changed(wire::DocumentType type) override { changed.push_back(type); }
    void server_time(WallTime wall, SteadyTime asked, fs::Reading) override {
        times.emplace_back(wall, asked);
    }
    fs::CommandResult carry_out(const wire::Command& command, fs::Reading) override {
        carried_out.push_back(command);
        return {wire::CommandState::done, "opened"};
    }
    fj::Stamp stamp(fs::Reading now) override {
        return {now.wall, now.steady, BootId{11}, pf::journal::ClockQuality::confirmed};
    }
    admission::TimeRange range(fs::Reading now) override { return {now.wall, now.wall + doubt}; }
    pf::journal::ClockQuality clock() override { return quality; }
    void verdicts(const wire::Ack& ack) override { acks.push_back(ack); }
};

class Device {
public:
    Device() { open(); }

    /// Power off and on again: what is left is in the files.
    void restart() {
        engine.reset();
        journal.reset();
        cache.reset();
        host.sent.clear();
        open();
    }

    /// The same, and the cache is gone: it is rebuilt from the server, the journal is not.
    void lose_cache() {
        engine.reset();
        journal.reset();
        cache.reset();
        host.sent.clear();
        DiskImage left = disk.image();
        std::erase_if(
            left, [](const auto& file) { return file.first.find("cache") != std::string::npos; });
        disk.restore(left);
        open();
    }

    fs::Reading now() const { return {noon + steady_.time_since_epoch(), steady_}; }
    void link_up() {
        (void)engine->next_will();
        engine->on_link_up(now());
    }
    void pass(std::int64_t ms) {
        steady_ += Millis{ms};
        engine->tick(now());
    }
    void say(Down kind, const Bytes& payload) {
        engine->on_message(wire::topic(root, kind), payload, now());
    }

    /// What was sent of one kind since the last time somebody asked, decoded.
    template <class Decode>
    auto take(Up kind, Decode decode) {
        std::vector<std::decay_t<decltype(*decode(BytesView{}))>> out;
        std::erase_if(host.sent, [&](const auto& message) {
            if (message.first != wire::topic(root, kind)) return false;
            auto decoded = decode(message.second);
            REQUIRE(decoded.has_value());
            out.push_back(std::move(*decoded));
            return true;
        });
        return out;
    }
    std::vector<wire::Batch> batches() { return take(Up::events, wire::decode_batch); }
    std::vector<wire::Want> wants() { return take(Up::want, wire::decode_want); }
    /// The one want that must be there now.
    wire::Want want() {
        const auto asked = wants();
        REQUIRE(asked.size() == 1);
        return asked.front();
    }
    /// "1-256 257-512": the batches sent since, by first and last event.
    std::string sent_events() {
        std::string out;
        for (const wire::Batch& batch : batches()) {
            const auto cursor = wire::cursor_after(batch);
            CHECK(key.public_key().verify(pf::journal::head_to_sign(batch.device, cursor),
                                          batch.signature));
            out += (out.empty() ? "" : " ") + std::to_string(batch.first_seq) + "-" +
                   std::to_string(cursor.seq);
        }
        return out;
    }

    void add_events(int count) {
        for (int i = 0; i < count; ++i)
            REQUIRE(journal->append(host.stamp(now()), pf::journal::Booted{"1.0"}).has_value());
    }
    pf::journal::Cursor cursor(std::uint64_t seq) const {
        const Epoch epoch = journal->end().epoch;
        return {epoch, seq, *journal->head_at(epoch, seq)};
    }
    void ack(std::uint64_t seq, Generation generation = life) {
        say(Down::ack, wire::encode(wire::Ack{generation, cursor(seq), {}}));
    }

    /// Findings written so far, newest last: their codes.
    std::vector<std::string> findings() const {
        std::vector<std::string> out;
        each_event([&](const pf::journal::Body& body) {
            if (const auto* finding = std::get_if<pf::journal::Finding>(&body))
                out.push_back(finding->code);
        });
        return out;
    }
    template <class Event>
    int count() const {
        int found = 0;
        each_event([&](const pf::journal::Body& body) {
            if (std::holds_alternative<Event>(body)) ++found;
        });
        return found;
    }

    /// A document as the site authority signs it, unless told otherwise.
    Bytes document(wire::DocumentType type, std::uint64_t version, Bytes body,
                   std::optional<DeviceId> device = {}, SiteId site = here) const {
        return wire::sign({.type = type,
                           .site = site,
                           .device = std::move(device),
                           .generation = life,
                           .version = version,
                           .issued_at = noon,
                           .body = std::move(body)},
                          authority);
    }

    std::string root = wire::device_root(3, gate);
    SeededEntropy entropy{5};
    crypto::PrivateKey authority = crypto::PrivateKey::generate(entropy);
    crypto::PrivateKey key = crypto::PrivateKey::generate(entropy);
    CrashVfs vfs{5};
    CrashDisk disk{5};
    CrashVfs::Mount mounted = vfs.mount("/gate-1/", disk);
    FakeHost host;
    std::unique_ptr<fj::Journal> journal;
    std::unique_ptr<fc::Cache> cache;
    std::unique_ptr<fs::Engine> engine;

private:
    void open() {
        auto opened =
            fj::Journal::open({.path = "/gate-1/events.db", .vfs = vfs.name(), .device = gate},
                              entropy, host.stamp(now()));
        REQUIRE(opened.has_value());
        journal = std::move(*opened);
        auto told = fc::Cache::open({.path = "/gate-1/cache.v2.db", .vfs = vfs.name()});
        REQUIRE(told.has_value());
        cache = std::move(*told);
        engine = std::make_unique<fs::Engine>(fs::Identity{.device = gate,
                                                           .site = here,
                                                           .topic_root = root,
                                                           .site_authority = authority.public_key(),
                                                           .key = key,
                                                           .kind = wire::DeviceKind::gate,
                                                           .firmware = "1.0",
                                                           .boot = BootId{11}},
                                              *journal, *cache, entropy, host);
    }

    template <class Visit>
    void each_event(Visit visit) const {
        for (const fj::EpochState& epoch : journal->epochs())
            for (const fj::Stored& stored : journal->after(epoch.epoch, 0, 100'000, 100'000'000)) {
                const auto event = pf::journal::decode(stored.event);
                REQUIRE(event.has_value());
                visit(event->body);
            }
    }

    SteadyTime steady_{Millis{1'000}};
};

}  // namespace pf::tests
