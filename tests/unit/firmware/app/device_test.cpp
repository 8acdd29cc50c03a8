// The device put together, where two rooms meet: arm and verdict, handheld and disk, clock and
// memory.
#include "firmware/app/device.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/crash_vfs.hpp"
#include "tests/support/fixed_entropy.hpp"

namespace {

using namespace pf;
using namespace pf::tests;
using firmware::app::Device;
using pf::journal::Outcome;
namespace fw = pf::firmware;

const DeviceId self = *DeviceId::parse("gate-1");
constexpr SiteId here{3};
constexpr ProductId adult{5};
constexpr Day today{20'750};
const WallTime noon = Calendar{}.begin_of(today) + std::chrono::hours{12};

struct FakeClock final : fw::ports::Clock {
    WallTime wall_now = noon;
    SteadyTime steady_now{Millis{1'000}};
    WallTime wall() const override { return wall_now; }
    SteadyTime steady() const override { return steady_now; }
    void pass(Millis span) {
        wall_now += span;
        steady_now += span;
    }
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
        auto cache = fw::cache::Cache::open({.path = "/d/cache.v1.db", .vfs = vfs.name()});
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

    std::unique_ptr<Device> start() {
        auto device = Device::start({.data_dir = "/d",
                                     .vfs = vfs.name(),
                                     .identity = {.device = self,
                                                  .site = here,
                                                  .topic_root = wire::device_root(3, self),
                                                  .site_authority = authority.public_key(),
                                                  .key = authority,
                                                  .kind = kind,
                                                  .firmware = "1.0",
                                                  .boot = BootId{11}},
                                     .build_time = noon - std::chrono::hours{24 * 100}},
                                    {.clock = clock,
                                     .barrier = kind == wire::DeviceKind::gate ? &barrier : nullptr,
                                     .cue = cue,
                                     .entropy = entropy,
                                     .publish = [](std::string, Bytes) { return true; }});
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

    std::vector<Outcome> outcomes(Device& device) const {
        std::vector<Outcome> out;
        for (const auto& stored :
             device.journal().after(device.journal().end().epoch, 0, 1'000, 1'000'000)) {
            const auto event = pf::journal::decode(stored.event);
            REQUIRE(event.has_value());
            if (const auto* outcome = std::get_if<Outcome>(&event->body)) out.push_back(*outcome);
        }
        return out;
    }

    wire::DeviceKind kind;
    SeededEntropy entropy{5};
    crypto::PrivateKey authority = crypto::PrivateKey::generate(entropy);
    CrashVfs vfs{5};
    CrashDisk disk{5};
    CrashVfs::Mount mounted = vfs.mount("/d/", disk);
    FakeClock clock;
    FakeBarrier barrier;
    FakeCue cue;
};

admission::Reason reason(const fw::verify::Answer& answer) { return answer.verdict.reason; }

TEST_CASE("a gate: one scan, one opening, one outcome") {
    using admission::Reason;
    Bench bench{wire::DeviceKind::gate};
    const auto device = bench.start();
    CHECK(reason(device->on_code(bench.code(1))) == Reason::ok);
    CHECK(bench.barrier.pulses == 1);
    CHECK(reason(device->on_code(bench.code(2))) == Reason::lane_busy);
    CHECK(bench.barrier.pulses == 1);
    device->on_barrier(fw::ports::BarrierEvent::passed);
    CHECK(reason(device->on_code(bench.code(1))) == Reason::already_used);
    REQUIRE(bench.outcomes(*device).size() == 1);
    CHECK(bench.outcomes(*device)[0].how == Outcome::How::complete);
    CHECK(bench.cue.shown.size() == 3);
}

TEST_CASE("a handheld: some of a group, and back") {
    Bench bench{wire::DeviceKind::handheld};
    const auto device = bench.start();
    CHECK(device->on_code(bench.code(1, 5)).verdict.persons == 5);
    CHECK(device->admit(2, false, {}).verdict.persons_left == 3);
    CHECK_FALSE(device->admit(2, false, {}).grant_seq.has_value());
    CHECK(device->undo());
    CHECK_FALSE(device->undo());
    CHECK(device->on_code(bench.code(1, 5)).verdict.persons == 5);
}

TEST_CASE("an undo on a full disk did not happen, and may be tried again") {
    Bench bench{wire::DeviceKind::handheld};
    const auto device = bench.start();
    (void)device->on_code(bench.code(1, 5));
    (void)device->admit(2, false, {});
    bench.disk.set_capacity_bytes(bench.disk.bytes_used());
    CHECK_FALSE(device->undo());
    bench.disk.set_capacity_bytes(UINT64_MAX);
    device->tick();
    CHECK(bench.outcomes(*device).empty());
    CHECK(device->undo());
    CHECK(bench.outcomes(*device).size() == 1);
}

TEST_CASE("what others told is forgotten only by a confirmed clock, a day late") {
    struct Row {
        const char* what;
        Millis wall_moves;
        bool confirmed;
        bool remembered;
    };
    constexpr std::chrono::hours hour{1};
    const Row rows[] = {
        {"the clock may be days ahead", 72 * hour, false, true},
        {"the same day", 2 * hour, true, true},
        {"the day after, while the rule may still be lenient", 12 * hour + Millis{30'000}, true,
         true},
        {"the day after that", 37 * hour, true, false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        Bench bench{wire::DeviceKind::gate};
        const auto device = bench.start();
        const wire::UseItem use{.grant = {*DeviceId::parse("gate-2"), Epoch{9}, 1},
                                .ticket = TicketId{1},
                                .product = adult,
                                .day = today,
                                .last_day = today,
                                .persons = 1,
                                .return_pending = false,
                                .at = noon};
        REQUIRE(device->cache().apply_uses({use}, {Generation{7}, 1}).has_value());
        bench.clock.pass(row.wall_moves);
        if (row.confirmed) {
            const fw::verify::Reading now{bench.clock.wall(), bench.clock.steady()};
            static_cast<fw::sync::Host&>(*device).server_time(now.wall, now.steady, now);
        }
        device->tick();
        CHECK(device->cache().uses_of(TicketId{1}).empty() != row.remembered);
    }
}

}  // namespace
