#pragma once
// A device put together on a disk that can fill up or die, with the documents it needs.
#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "firmware/app/device.hpp"
#include "tests/support/crash_vfs.hpp"
#include "tests/support/fixed_entropy.hpp"
#include "tests/support/memory_vault.hpp"

namespace pf::tests {

using firmware::app::Device;
using pf::journal::Outcome;
namespace fw = pf::firmware;

inline const DeviceId self = *DeviceId::parse("gate-1");
inline constexpr SiteId here{3};
inline constexpr ProductId adult{5};
inline constexpr Day today{20'750};
inline const WallTime noon = Calendar{}.begin_of(today) + std::chrono::hours{12};

struct FakeClock final : fw::ports::Clock {
    mutable WallTime wall_now = noon;
    SteadyTime steady_now{Millis{1'000}};
    WallTime wall() const override {
        const WallTime now = wall_now;
        wall_now += std::exchange(step_, Millis{0});
        return now;
    }
    /// Somebody sets the wall clock while the device is working on something.
    void step_after_next_reading(Millis step) { step_ = step; }
    SteadyTime steady() const override { return steady_now; }
    void pass(Millis span) {
        wall_now += span;
        steady_now += span;
    }

private:
    mutable Millis step_{0};
};

struct FakeBarrier final : fw::ports::Barrier {
    int pulses = 0;
    int locks = 0;
    void on_event(Handler) override {}
    void pulse(Millis) override { ++pulses; }
    void lock() override { ++locks; }
    bool senses_passage() const override { return true; }
};

struct FakeCue final : fw::ports::Cue {
    std::vector<fw::ports::Display> shown;
    void show(const fw::ports::Display& display) override { shown.push_back(display); }
};

/// A device on a disk that can fill up, with the documents it needs.
struct Bench {
    explicit Bench(wire::DeviceKind kind_) : kind{kind_} {
        auto cache = fw::cache::Cache::open({.path = "/d/cache.v2.db", .vfs = vfs.name()});
        REQUIRE(cache.has_value());
        const auto put = [&](wire::DocumentType type, Bytes body) {
            const Bytes bytes = wire::sign({.type = type,
                                            .site = here,
                                            .device = {},
                                            .generation = Generation{7},
                                            .version = 1,
                                            .issued_at = noon,
                                            .body = std::move(body)},
                                           authority);
            REQUIRE((*cache)->put_document(type, bytes).has_value());
        };
        admission::ProductTable table;
        table.products.push_back({.id = adult,
                                  .name_zh = "成人票",
                                  .name_en = "Adult",
                                  .points = {},
                                  .stale = admission::StaleRule::admit,
                                  .certificate = {}});
        put(wire::DocumentType::configuration, wire::encode(wire::Configuration{}));
        put(wire::DocumentType::product_table, wire::encode(table));
        put(wire::DocumentType::key_ring, wire::encode(wire::KeyRing{{authority.public_key()}}));
    }

    Result<std::unique_ptr<Device>, fw::journal::Fault> try_start(
        std::optional<std::string> lost = std::nullopt, bool journal_damaged = false) {
        return Device::start({.data_dir = "/d",
                              .vfs = vfs.name(),
                              .identity = {.device = self,
                                           .site = here,
                                           .topic_root = wire::device_root(3, self),
                                           .site_authority = authority.public_key(),
                                           .key = authority,
                                           .kind = kind,
                                           .firmware = "1.0",
                                           .boot = BootId{11}},
                              .build_time = build_time,
                              .lost = std::move(lost),
                              .journal_damaged = journal_damaged},
                             {.clock = clock,
                              .barrier = kind == wire::DeviceKind::gate ? &barrier : nullptr,
                              .cue = cue,
                              .entropy = entropy,
                              .publish =
                                  [this](std::string topic, Bytes payload) {
                                      sent.emplace_back(std::move(topic), std::move(payload));
                                      return true;
                                  },
                              .vault = &vault});
    }
    std::unique_ptr<Device> start() {
        auto device = try_start();
        REQUIRE(device.has_value());
        return std::move(*device);
    }

    fw::ports::ScannedCode code(std::uint64_t id, std::uint16_t persons = 1) const {
        ticket::Claims claims;
        claims.id = TicketId{id};
        claims.persons = persons;
        ticket::Entitlement entitlement;
        entitlement.site = here;
        entitlement.product = adult;
        entitlement.first_day = today + -1;
        entitlement.last_day = today;
        claims.entitlements = {entitlement};
        const std::string text =
            ticket::seal(claims, authority, crypto::key_id(authority.public_key()));
        return {Bytes(text.begin(), text.end()), "test", {}};
    }

    /// Events of one kind in every epoch of the file, oldest first.
    template <class Kind>
    std::vector<Kind> events(Device& device) const {
        std::vector<Kind> out;
        for (const auto& epoch : device.journal().epochs())
            for (const auto& stored : device.journal().after(epoch.epoch, 0, 1'000, 1'000'000)) {
                const auto event = pf::journal::decode(stored.event);
                REQUIRE(event.has_value());
                if (const auto* body = std::get_if<Kind>(&event->body)) out.push_back(*body);
            }
        return out;
    }
    std::vector<Outcome> outcomes(Device& device) const { return events<Outcome>(device); }

    wire::DeviceKind kind;
    SeededEntropy entropy{5};
    crypto::PrivateKey authority = crypto::PrivateKey::generate(entropy);
    CrashVfs vfs{5};
    CrashDisk disk{5};
    CrashVfs::Mount mounted = vfs.mount("/d/", disk);
    FakeClock clock;
    FakeBarrier barrier;
    FakeCue cue;
    MemoryVault vault;
    WallTime build_time = noon - std::chrono::hours{24 * 100};
    std::vector<std::pair<std::string, Bytes>> sent;
};

inline admission::Reason reason(const fw::verify::Answer& answer) { return answer.verdict.reason; }

}  // namespace pf::tests
