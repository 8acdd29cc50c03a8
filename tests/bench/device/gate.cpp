#include "tests/bench/device/gate.hpp"

#include <filesystem>

#include "common/ticket/token.hpp"
#include "tests/bench/row.hpp"

namespace pf::bench {

namespace {

constexpr std::chrono::hours a_day{24};

wire::SiteKey made_key(Entropy& entropy) {
    wire::SiteKey key;
    key.id = 1;
    entropy.fill(key.key);
    return key;
}

}  // namespace

Gate::Gate(std::size_t codes)
    : site_key_{made_key(entropy_)},
      today_{Calendar{}.day_of(clock_.wall())},
      list_{codes, today_, site_key_.key} {
    fill();
}

/// What a server would have sent: documents, then both lists.
void Gate::fill() {
    (void)start();  // makes the files and the key that secrets rest sealed with
    auto sealing = firmware::cache::Cache::Sealing{.key = {}, .entropy = &entropy_};
    const auto kept = vault_.get("cache_key");
    require(kept && kept->size() == sealing.key.size(), "the device made its sealing key");
    std::ranges::copy(*kept, sealing.key.begin());
    auto cache = firmware::cache::Cache::open(
        {.path = folder() + "/" + std::string{firmware::cache::file_name},
         .vfs = {},
         .sealing = sealing});
    require(cache.has_value(), "the cache opens");
    const auto put = [&](wire::DocumentType type, Bytes body) {
        const Bytes bytes = wire::sign({.type = type,
                                        .site = site,
                                        .device = {},
                                        .generation = generation,
                                        .version = 1,
                                        .issued_at = clock_.wall(),
                                        .body = std::move(body)},
                                       authority_);
        require((*cache)->put_document(type, bytes).has_value(), "a document is kept");
    };
    admission::ProductTable table;
    table.products.push_back({.id = product,
                              .name_zh = "成人票",
                              .name_en = "Adult",
                              .points = {},
                              .stale = admission::StaleRule::admit,
                              .certificate = {}});
    put(wire::DocumentType::configuration, wire::encode(wire::Configuration{}));
    put(wire::DocumentType::product_table, wire::encode(table));
    put(wire::DocumentType::key_ring, wire::encode(wire::KeyRing{{authority_.public_key()}}));
    put(wire::DocumentType::secrets, wire::encode(wire::Secrets{{site_key_}, {}}));
    list_.fill(**cache, clock_.wall() + a_day);
}

firmware::app::Options Gate::options() const {
    return {.data_dir = folder(),
            .vfs = {},
            .identity = {.device = *DeviceId::parse("gate-1"),
                         .site = site,
                         .topic_root = wire::device_root(3, *DeviceId::parse("gate-1")),
                         .site_authority = authority_.public_key(),
                         .key = authority_,
                         .kind = wire::DeviceKind::gate,
                         .firmware = "1.0",
                         .boot = BootId{11}},
            .build_time = clock_.wall() - 100 * a_day};
}

std::unique_ptr<firmware::app::Device> Gate::start() {
    auto device = firmware::app::Device::start(options(),
                                               {.clock = clock_,
                                                .barrier = &barrier_,
                                                .cue = cue_,
                                                .entropy = entropy_,
                                                .publish = [](std::string, Bytes) { return false; },
                                                .vault = &vault_});
    require(device.has_value(), "the device starts");
    return std::move(*device);
}

std::string Gate::ticket() {
    ticket::Claims claims;
    claims.id = TicketId{0x7c1f9d20a45be863 + next_ticket_++};
    claims.entitlements = {{.site = site,
                            .product = product,
                            .first_day = today_,
                            .last_day = today_,
                            .window = {0},
                            .entries = 1,
                            .scope = ticket::Scope::validity}};
    return ticket::seal(claims, authority_, crypto::key_id(authority_.public_key()));
}

}  // namespace pf::bench
