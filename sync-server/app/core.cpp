#include "sync-server/app/core.hpp"

#include <charconv>
#include <set>
#include <utility>

#include "sync-server/exchange/exchange.hpp"

namespace pf::server::app {

/// Touched on the executor only. Tasks reach it through a weak pointer, so a core that is gone is
/// not touched by what the writer still finishes.
struct Core::State {
    State(store::Store& of_store, Outside& of_outside) : store{of_store}, outside{of_outside} {}

    store::Store& store;
    Outside& outside;
    Counts counts;
    std::size_t waiting = 0;
    std::size_t waiting_bytes = 0;
    std::set<SiteId> moved;
    std::optional<Holding> holding;  // nothing: a database of this server's own

    bool acts_for(std::uint32_t part) const { return !holding || holding->parts.contains(part); }
    /// What a transaction for a part that is acted for has to show; nothing: nobody asks.
    std::optional<leases::Claim> claim(std::uint32_t part) const {
        if (!holding) return std::nullopt;
        return leases::Claim{holding->life, part, holding->parts.at(part)};
    }
    bool still(const std::optional<leases::Claim>& claimed) const {
        return !claimed || (acts_for(claimed->part) && claim(claimed->part) == claimed);
    }

    void publish(std::vector<Outgoing> messages) {
        counts.published += messages.size();
        for (Outgoing& message : messages) outside.publish(std::move(message));
    }

    /// News waits one round of the executor: whatever the same COMMIT moved is told once.
    static void tell(const std::shared_ptr<State>& self, const std::set<SiteId>& sites) {
        if (sites.empty()) return;
        const bool waits = !self->moved.empty();
        self->moved.insert(sites.begin(), sites.end());
        if (waits) return;
        self->outside.post([weak = std::weak_ptr{self}] {
            if (const auto state = weak.lock()) state->send_news();
        });
    }

    void send_news() {
        const std::set<SiteId> sites = std::exchange(moved, {});
        std::vector<Outgoing> messages;
        // A read that fails loses the news, which is allowed: remind() tells it again.
        (void)store.read([&](Repositories& r) {
            for (const SiteId site : sites) {
                auto of_site = exchange::news(r, site);
                std::move(of_site.begin(), of_site.end(), std::back_inserter(messages));
            }
        });
        ++counts.news_rounds;
        publish(std::move(messages));
    }
};

Core::Core(store::Store& store, const fleet::Keys& keys, Outside& outside)
    : store_{store},
      keys_{keys},
      outside_{outside},
      state_{std::make_shared<State>(store, outside)} {}

Core::~Core() = default;

namespace {
/// Messages of one device stay in their order: its batches continue each other.
std::string_view lane_of(std::string_view topic) { return topic.substr(0, topic.find("/up/")); }

/// The partition of a topic under one of our filters, also where the rest of it is nonsense.
std::uint32_t partition_of(std::string_view topic) {
    constexpr std::string_view root = "pf/1/";
    std::uint32_t partition = leases::part_count;  // nobody's
    if (topic.starts_with(root))
        std::from_chars(topic.data() + root.size(), topic.data() + topic.size(), partition);
    return partition;
}
}  // namespace

void Core::hold(Holding holding) { state_->holding = std::move(holding); }

void Core::on_message(std::string_view topic, BytesView payload) {
    ++state_->counts.messages;
    const std::uint32_t partition = partition_of(topic);
    if (!state_->acts_for(partition)) {
        ++state_->counts.not_ours;
        return;
    }
    if (state_->waiting >= waiting_max ||
        state_->waiting_bytes + payload.size() > waiting_bytes_max) {
        ++state_->counts.dropped_busy;
        return;
    }
    ++state_->waiting;
    state_->waiting_bytes += payload.size();

    struct Job {
        Call call;
        std::string topic;
        Bytes payload;
        std::optional<leases::Claim> claim;
        Effects effects;
        bool fenced = false;
    };
    auto job = std::make_shared<Job>();
    job->claim = state_->claim(partition);
    job->call = {outside_.now(), outside_.seed(), "device"};
    job->topic = topic;
    job->payload.assign(payload.begin(), payload.end());
    store_.write(
        [job, &keys = keys_](Repositories& r) {
            job->fenced = job->claim && !leases::stands(r, *job->claim);
            if (job->fenced) return store::Decision::undo;
            job->effects = exchange::on_message(r, job->call, keys, job->topic, job->payload);
            return store::Decision::keep;
        },
        [job, weak = std::weak_ptr{state_},
         &outside = outside_](std::optional<store::Fault> fault) {
            outside.post([job, weak, fault] {
                const auto state = weak.lock();
                if (!state) return;
                --state->waiting;
                state->waiting_bytes -= job->payload.size();
                if (fault) {
                    ++(*fault == store::Fault::busy ? state->counts.dropped_busy
                                                    : state->counts.dropped_failed);
                    return;
                }
                if (job->fenced) {
                    ++state->counts.fenced;
                    return state->outside.fenced();
                }
                // The device sends again what is not acknowledged, to whoever has it now.
                if (state->still(job->claim))
                    state->publish(std::move(job->effects.messages));
                else
                    ++state->counts.unanswered;
                State::tell(state, job->effects.moved);
                state->outside.log_moved();
            });
        },
        lane_of(topic));
}

void Core::call(std::string actor, Act act, Then then) {
    struct Job {
        Call call;
        Act act;
        Then then;
        std::optional<Committed> committed;
    };
    auto job = std::make_shared<Job>();
    job->call = {outside_.now(), outside_.seed(), std::move(actor)};
    job->act = std::move(act);
    job->then = std::move(then);
    store_.write(
        [job](Repositories& r) {
            job->committed = job->act(r, job->call);
            if (job->committed && job->committed->devices_changed) fleet::count_change(r);
            return job->committed ? store::Decision::keep : store::Decision::undo;
        },
        [job, weak = std::weak_ptr{state_},
         &outside = outside_](std::optional<store::Fault> fault) {
            outside.post([job, weak, fault] {
                const auto state = weak.lock();
                if (!state) return;
                // It may have been kept, and who repeats it gets the stored answer only: who may
                // come in is read anew in any case.
                if (fault == store::Fault::uncertain && job->committed &&
                    job->committed->devices_changed)
                    return state->outside.devices_changed(std::move(job->committed->revoked),
                                                          [job, fault](bool) { job->then(fault); });
                if (fault || !job->committed) return job->then(fault);
                Committed& done = *job->committed;
                state->publish(std::move(done.effects.messages));
                State::tell(state, done.effects.moved);
                if (!done.devices_changed) return job->then(std::nullopt);
                state->outside.devices_changed(std::move(done.revoked), [job](bool taken) {
                    if (job->committed->broker_told) job->committed->broker_told(taken);
                    job->then(std::nullopt);
                });
            });
        });
}

void Core::keep_house(Act act, Then then) {
    if (!state_->acts_for(leases::house)) return then(std::nullopt);
    auto fenced = std::make_shared<bool>(false);
    call(
        "system",
        [act = std::move(act), claim = state_->claim(leases::house), fenced](
            Repositories& r, const Call& call) -> std::optional<Committed> {
            *fenced = claim && !leases::stands(r, *claim);
            if (*fenced) return std::nullopt;
            return act(r, call);
        },
        [then = std::move(then), fenced,
         weak = std::weak_ptr{state_}](std::optional<store::Fault> fault) {
            const auto state = weak.lock();
            if (state && *fenced) {
                ++state->counts.fenced;
                state->outside.fenced();
            }
            then(fault);
        });
}

void Core::remind() {
    std::vector<Outgoing> messages;
    // A read that fails is made up for by the next round.
    (void)store_.read([&](Repositories& r) {
        messages = exchange::reminders(r, outside_.now(), [this](std::uint32_t partition) {
            return state_->acts_for(partition);
        });
    });
    state_->counts.reminders += messages.size();
    state_->publish(std::move(messages));
}

std::optional<store::Fault> Core::read(
    std::string actor, const std::function<void(Repositories&, const Call&)>& reader) {
    const Call call{outside_.now(), outside_.seed(), std::move(actor)};
    return store_.read([&](Repositories& r) { reader(r, call); });
}

const Core::Counts& Core::counts() const noexcept { return state_->counts; }

}  // namespace pf::server::app
