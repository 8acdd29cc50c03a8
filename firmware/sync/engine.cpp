#include "firmware/sync/engine.hpp"

#include "firmware/sync/facts_puller.hpp"
#include "firmware/sync/list_puller.hpp"
#include "firmware/sync/outbox.hpp"

namespace pf::firmware::sync {

struct Engine::Parts {
    Parts(Identity identity, journal::Journal& journal, cache::Cache& cache, Entropy& entropy,
          Host& host)
        : context{std::move(identity), journal, cache, entropy, host} {
        // The newest life of the server that anything on this device came from.
        context.generation =
            std::max({cache.confirmed_generation(), cache.uses_position().generation,
                      cache.list(wire::ListScope::revoked).state.generation,
                      cache.list(wire::ListScope::tickets).state.generation});
    }

    void send_birth(Reading now);
    void send_ping(Reading now);
    void receive(wire::Down kind, BytesView payload, Reading now);
    void on_news(const wire::News& news, Reading now);
    void learn(Generation generation) {
        context.generation = std::max(context.generation, generation);
    }
    ListPuller& puller(wire::ListScope scope) {
        return scope == wire::ListScope::revoked ? revoked : tickets;
    }

    Context context;
    Outbox outbox{context};
    ListPuller revoked{context, wire::ListScope::revoked};
    ListPuller tickets{context, wire::ListScope::tickets};
    UsesPuller uses{context};
    DocumentKeeper documents{context};

    std::uint64_t connect_counter = 0;
    std::uint64_t ping_nonce = 0;
    SteadyTime pinged_at{};
    std::optional<SteadyTime> ping_at;
    std::optional<SteadyTime> last_heard;
    bool birth_sent = false;
};

namespace {
constexpr std::string_view counter_name = "connect_counter";
}

Engine::Engine(Identity identity, journal::Journal& journal, cache::Cache& cache, Entropy& entropy,
               Host& host)
    : parts_{std::make_unique<Parts>(std::move(identity), journal, cache, entropy, host)} {}
Engine::~Engine() = default;

Engine::Will Engine::next_will() {
    Parts& p = *parts_;
    const auto last = p.context.cache.number(counter_name, 0);
    p.connect_counter =
        std::max<std::uint64_t>(static_cast<std::uint64_t>(last), p.connect_counter) + 1;
    (void)p.context.stored(
        p.context.cache.put_number(counter_name, static_cast<std::int64_t>(p.connect_counter)));
    return {wire::topic(p.context.identity.topic_root, wire::Up::will),
            wire::encode(wire::Will{p.connect_counter})};
}

void Engine::on_link_up(Reading now) {
    Parts& p = *parts_;
    p.context.link_up = true;
    p.birth_sent = false;
    p.outbox.on_link_up();
    p.revoked.on_link_up();
    p.tickets.on_link_up();
    p.uses.on_link_up();
    p.documents.on_link_up();
    p.send_birth(now);
    p.send_ping(now);
    tick(now);
}

void Engine::on_link_down(Reading) {
    Parts& p = *parts_;
    p.context.link_up = false;
    p.ping_nonce = 0;
    p.ping_at.reset();
    p.outbox.on_link_down();
    p.revoked.on_link_down();
    p.tickets.on_link_down();
    p.uses.on_link_down();
    p.documents.on_link_down();
}

void Engine::Parts::send_birth(Reading now) {
    const cache::Cache& cache = context.cache;
    wire::Birth birth;
    birth.connect_counter = connect_counter;
    birth.boot = context.identity.boot;
    birth.kind = context.identity.kind;
    birth.firmware = context.identity.firmware;
    birth.journal = context.journal.end();
    birth.confirmed_generation = cache.confirmed_generation();
    for (const pf::journal::Cursor& cursor : cache.confirmed())
        if (cursor.epoch == birth.journal.epoch) birth.confirmed = cursor;
    for (const wire::ListScope scope : wire::list_scopes)
        birth.lists.push_back(cache.list(scope).state);
    birth.uses_generation = cache.uses_position().generation;
    birth.uses_position = cache.uses_position().position;
    birth.documents = documents.held();
    birth.wall = now.wall;
    birth.clock = context.host.clock();
    birth_sent = context.send(wire::Up::birth, wire::encode(birth));
}

void Engine::Parts::send_ping(Reading now) {
    ping_nonce = context.next_request();
    pinged_at = now.steady;
    context.send(wire::Up::ping, wire::encode(wire::Ping{ping_nonce}));
    ping_at = now.steady + Engine::ping_every_ms;
}

void Engine::tick(Reading now) {
    Parts& p = *parts_;
    if (!p.context.link_up) return;
    if (!p.birth_sent) p.send_birth(now);
    if (p.ping_at && now.steady >= *p.ping_at) p.send_ping(now);
    p.documents.tick(now);
    p.revoked.tick(now);  // before everything that could let somebody in
    p.uses.tick(now);
    p.tickets.tick(now);
    p.outbox.tick(now);
}

std::optional<SteadyTime> Engine::wake_at() const {
    const Parts& p = *parts_;
    if (!p.context.link_up) return std::nullopt;
    auto at = earlier(p.ping_at, p.outbox.wake_at());
    at = earlier(at, earlier(p.revoked.wake_at(), p.tickets.wake_at()));
    return earlier(at, earlier(p.uses.wake_at(), p.documents.wake_at()));
}

void Engine::on_message(std::string_view topic, BytesView payload, Reading now) {
    Parts& p = *parts_;
    const auto kind = wire::down_of(p.context.identity.topic_root, topic);
    if (!kind)
        return p.context.finding("foreign_topic", "a message for another device or of unknown kind",
                                 now);
    if (payload.size() > wire::payload_bytes_max)
        return p.context.finding("message_oversize", "a message is larger than the protocol allows",
                                 now);
    p.receive(*kind, payload, now);
}

void Engine::Parts::receive(wire::Down kind, BytesView payload, Reading now) {
    // One place for "what decodes is handled, what does not becomes a finding".
    const auto handle = [&](const auto& decoded, auto&& use) {
        if (decoded.has_error()) {
            context.finding(
                "message_malformed",
                std::string{wire::leaf(kind)} + ": " + std::string{cbor::to_text(decoded.error())},
                now);
            return;
        }
        last_heard = now.steady;
        use(*decoded);
    };
    switch (kind) {
        case wire::Down::ack:
            return handle(wire::decode_ack(payload), [&](const wire::Ack& ack) {
                if (ack.generation < context.generation) return;
                learn(ack.generation);
                outbox.on_ack(ack, now);
            });
        case wire::Down::news:
            return handle(wire::decode_news(payload),
                          [&](const wire::News& news) { on_news(news, now); });
        case wire::Down::chunk:
            return handle(wire::decode_chunk(payload), [&](const wire::Chunk& chunk) {
                puller(chunk.scope).on_chunk(chunk, now);
            });
        case wire::Down::buckets:
            return handle(wire::decode_buckets(payload), [&](const wire::Buckets& buckets) {
                puller(buckets.scope).on_buckets(buckets, now);
            });
        case wire::Down::uses:
            return handle(wire::decode_uses(payload), [&](const wire::Uses& pushed) {
                learn(pushed.generation);
                uses.on_uses(pushed, now);
            });
        case wire::Down::document:
            last_heard = now.steady;
            return documents.on_document(payload, now);
        case wire::Down::time:
            return handle(wire::decode_time(payload), [&](const wire::Time& time) {
                if (time.nonce != ping_nonce || ping_nonce == 0) return;
                ping_nonce = 0;
                context.host.server_time(time.wall, pinged_at, now);
            });
    }
}

void Engine::Parts::on_news(const wire::News& news, Reading now) {
    if (news.generation < context.generation) return;
    learn(news.generation);
    documents.on_news(news.documents, news.generation, now);
    for (const wire::ListState& list : news.lists)
        puller(list.scope).on_news(list, news.generation, now);
    uses.on_news(news.uses_position, news.generation, now);
}

bool Engine::resend_from(std::uint64_t seq) { return parts_->outbox.resend_from(seq); }

bool Engine::online(SteadyTime now, Millis within) const {
    const Parts& p = *parts_;
    return p.context.link_up && p.last_heard && now - *p.last_heard <= within;
}

const Failing& Engine::failing() const noexcept { return parts_->context.failing; }

Status Engine::status() const {
    const Parts& p = *parts_;
    const cache::Cache& cache = p.context.cache;
    return {.link_up = p.context.link_up,
            .last_heard = p.last_heard,
            .unconfirmed = p.outbox.unconfirmed(),
            .revoked_version = cache.list(wire::ListScope::revoked).state.version,
            .tickets_version = cache.list(wire::ListScope::tickets).state.version,
            .uses_position = cache.uses_position().position,
            .list_update_under_way = p.revoked.under_way() || p.tickets.under_way(),
            .ticket_snapshots_begun = p.tickets.snapshots_begun(),
            .storage_faults = p.context.storage_faults};
}

}  // namespace pf::firmware::sync
