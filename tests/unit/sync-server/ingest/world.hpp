#pragma once
// A server on a real database, with sites, paired gates and their journals: what the tests of
// ingest, lists, checkins and exchange stand on.
#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>

#include "common/crypto/x509.hpp"
#include "common/wire/messages.hpp"
#include "common/wire/topics.hpp"
#include "sync-server/findings/findings.hpp"
#include "sync-server/fleet/fleet.hpp"
#include "sync-server/ingest/ingest.hpp"
#include "sync-server/store/store.hpp"
#include "tests/support/database/database.hpp"
#include "tests/support/fixed_entropy.hpp"

namespace pf::tests {

using server::Call;
using server::Effects;
using server::Repositories;

inline const WallTime start = *wall_from_rfc3339("2026-05-01T08:00:00.000Z");
inline const Day today{20574};  // 2026-05-01 in China

/// A gate's journal as it writes it: chained, signed, and able to remember another past.
class Gate {
public:
    Gate(DeviceId id, crypto::PrivateKey key, std::uint64_t epoch = 0x5e0c)
        : id_{std::move(id)}, key_{std::move(key)}, epoch_{epoch} {
        heads_.push_back(journal::genesis(id_, epoch_));
    }

    const DeviceId& id() const { return id_; }
    Epoch epoch() const { return epoch_; }
    std::uint64_t end() const { return events_.size(); }
    journal::Cursor at(std::uint64_t seq) const { return {epoch_, seq, heads_[seq]}; }

    /// Appends; the seq it got.
    std::uint64_t write(journal::Body body, WallTime wall = start,
                        journal::ClockQuality clock = journal::ClockQuality::confirmed) {
        return write_raw(journal::encode({.seq = end() + 1,
                                          .wall = wall,
                                          .steady = SteadyTime{Millis{1'000}},
                                          .boot = BootId{7},
                                          .clock = clock,
                                          .body = std::move(body)}));
    }
    std::uint64_t write_raw(Bytes event) {
        heads_.push_back(journal::next_head(heads_.back(), event));
        events_.push_back(std::move(event));
        return end();
    }
    void write_filler(std::uint64_t count) {
        for (std::uint64_t i = 0; i < count; ++i)
            write(journal::Booted{"0.1." + std::to_string(filler_++)});
    }
    /// The file is an old copy: everything after `seq` is gone.
    void roll_back(std::uint64_t seq) {
        events_.resize(seq);
        heads_.resize(seq + 1, Digest{});
    }

    wire::Batch batch(std::uint64_t first, std::uint64_t last) const {
        wire::Batch out{.device = id_,
                        .epoch = epoch_,
                        .first_seq = first,
                        .head_before = heads_[first - 1],
                        .events = {events_.begin() + static_cast<std::ptrdiff_t>(first - 1),
                                   events_.begin() + static_cast<std::ptrdiff_t>(last)},
                        .signature = {}};
        out.signature = key_.sign(journal::head_to_sign(id_, wire::cursor_after(out)));
        return out;
    }
    /// An empty journal of the same gate under another epoch.
    Gate anew(std::uint64_t epoch) const { return {id_, key_, epoch}; }
    wire::Batch all() const { return batch(1, end()); }
    wire::Batch tail(std::uint64_t count) const { return batch(end() + 1 - count, end()); }

private:
    DeviceId id_;
    crypto::PrivateKey key_;
    Epoch epoch_;
    std::vector<Bytes> events_;
    std::vector<Digest> heads_;  // of seq 0, 1, …
    int filler_ = 0;
};

inline journal::Admitted admitted(TicketId ticket, std::uint16_t persons = 1,
                                  bool awaits_passage = false) {
    return {.ticket = ticket,
            .generation = 1,
            .site = SiteId{1},
            .product = ProductId{1},
            .point = PointId{1},
            .day = today,
            .persons = persons,
            .person_type = ticket::PersonType::adult,
            .carrier = admission::CarrierKind::signed_qr,
            .flags = 0,
            .awaits_passage = awaits_passage,
            .last_day = today + 3,
            .seen = {}};
}

class World {
public:
    World() { open(); }

    void open() {
        auto opened = server::store::Store::open({.database = database.where(),
                                                  .vfs = {},
                                                  .threaded = false,
                                                  .now = wall_from_ms(1'000),
                                                  .prepare_on_server = !Database::pooled()});
        REQUIRE(opened.has_value());
        store_ = std::move(*opened);
    }
    void close() { store_.reset(); }
    server::store::Store& store() { return *store_; }

    /// Every act is a transaction of its own, under a call of its own.
    template <class Act>
    auto act(Act act) {
        Call call{.now = now, .seed = {}, .actor = "test"};
        entropy_.fill(call.seed);
        std::optional<decltype(act(std::declval<Repositories&>(), call))> out;
        const auto fault = store_->write_now([&](Repositories& r) {
            out.emplace(act(r, call));
            return server::store::Decision::keep;
        });
        REQUIRE_FALSE(fault.has_value());
        return std::move(*out);
    }

    SiteId add_site() {
        return act([&](Repositories& r, const Call& call) {
            return server::fleet::create_site(r, call, keys(), {"黄山", "Huangshan", Calendar{}});
        });
    }
    Gate add_gate(const std::string& name, SiteId site = SiteId{1}) {
        const DeviceId id = *DeviceId::parse(name);
        const auto key = crypto::PrivateKey::generate(entropy_);
        act([&](Repositories& r, const Call& call) {
            const auto code = server::fleet::invite(r, call, keys(), site, id, configuration(name));
            REQUIRE(code.has_value());
            const auto paired =
                server::fleet::pair(r, call, keys(), code->text, crypto::make_request(key, name));
            REQUIRE(paired.has_value());
            return true;
        });
        return {id, key};
    }
    server::fleet::Device device(const DeviceId& id) {
        return *act([&](Repositories& r, const Call&) { return server::fleet::device(r, id); });
    }
    Effects deliver(const Gate& sender, const wire::Batch& batch) {
        return act([&](Repositories& r, const Call& call) {
            const auto from = server::fleet::device(r, sender.id());
            return server::ingest::on_batch(r, call, keys(), *from, batch);
        });
    }
    Effects deliver(const Gate& sender) { return deliver(sender, sender.all()); }

    std::vector<server::findings::Finding> findings(
        std::optional<server::findings::Kind> kind = std::nullopt) {
        auto all = act([](Repositories& r, const Call&) {
            return server::findings::newest(r, INT64_MAX, 1'000);
        });
        if (kind) std::erase_if(all, [&](const auto& f) { return f.kind != *kind; });
        return all;
    }
    Generation generation() {
        return act([](Repositories& r, const Call&) { return r.meta.generation(); });
    }

    const server::fleet::Keys& keys() { return keys_; }

    WallTime now = start;
    Database database;  // before the store: it goes last

private:
    static wire::Configuration configuration(const std::string& name) {
        wire::Configuration out;
        out.number = name;
        out.name_zh = "南门";
        out.name_en = "South gate";
        out.point = PointId{1};
        return out;
    }
    server::fleet::Keys make_keys() {
        auto key = crypto::PrivateKey::generate(entropy_);
        crypto::Serial serial{};
        serial[0] = 0x41;
        auto pem = crypto::make_authority(key, "Paifang test", serial,
                                          {wall_from_ms(0), start + std::chrono::days{3650}});
        std::array<Byte, 32> master{};
        master.fill(0x4d);
        return {master, std::move(key), std::move(pem)};
    }

    SeededEntropy entropy_{20'260'501};
    server::fleet::Keys keys_{make_keys()};
    std::unique_ptr<server::store::Store> store_;
};

/// Messages of one kind for one device, decoded.
template <class Decode>
auto messages(const Effects& effects, const server::fleet::Device& to, wire::Down kind,
              Decode decode) {
    std::vector<std::remove_cvref_t<decltype(*decode(BytesView{}))>> out;
    const std::string topic = wire::topic(server::fleet::topic_root(to), kind);
    for (const server::Outgoing& message : effects.messages) {
        if (message.topic != topic) continue;
        auto decoded = decode(BytesView{message.payload});
        REQUIRE(decoded.has_value());
        out.push_back(std::move(*decoded));
    }
    return out;
}
inline std::vector<wire::Ack> acks(const Effects& effects, const server::fleet::Device& to) {
    return messages(effects, to, wire::Down::ack, wire::decode_ack);
}
inline std::vector<wire::Uses> uses(const Effects& effects, const server::fleet::Device& to) {
    return messages(effects, to, wire::Down::uses, wire::decode_uses);
}

}  // namespace pf::tests
