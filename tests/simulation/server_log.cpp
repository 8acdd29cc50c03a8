#include "tests/simulation/server_log.hpp"

#include <algorithm>

namespace pf::simulation {

using server::ingest::StoredEvent;

bool ServerLog::take(const StoredEvent& stored) {
    position_ = stored.position;
    const std::string device{stored.device.text()};
    auto& same_number = events_[{device, stored.seq}];
    const bool twice = std::ranges::any_of(
        same_number, [&](const auto& other) { return other.first == stored.epoch; });
    if (twice) return false;
    same_number.emplace_back(stored.epoch, stored.event);
    Chain& chain = chain_of(stored);
    read(stored, chain);
    return true;
}

std::optional<Digest> ServerLog::head_at(const std::string& device, Epoch epoch,
                                         std::uint64_t seq) const {
    const auto found = chains_.find({device, epoch});
    if (found == chains_.end()) return std::nullopt;
    const Chain& chain = found->second;
    if (seq == 0) return pf::journal::genesis(*DeviceId::parse(device), chain.origin);
    if (const auto head = chain.heads.find(seq); head != chain.heads.end()) return head->second;
    // Before the branch began it is the parent's.
    if (!chain.parent || (!chain.heads.empty() && seq > chain.heads.begin()->first))
        return std::nullopt;
    return head_at(device, *chain.parent, seq);
}

/// The chain the event stands in, one event longer.
ServerLog::Chain& ServerLog::chain_of(const StoredEvent& stored) {
    const std::string device{stored.device.text()};
    const auto [at, is_new] = chains_.try_emplace({device, stored.epoch});
    Chain& chain = at->second;
    if (is_new) {
        chain.origin = stored.epoch;
        // A branch is named after its origin and its first own event.
        for (const auto& [name, other] : chains_) {
            if (name.first != device || name.second == stored.epoch) continue;
            const auto before = head_at(device, name.second, stored.seq - 1);
            if (!before) continue;
            const Digest head = pf::journal::next_head(*before, stored.event);
            if (server::ingest::branch_epoch(other.origin, head) != stored.epoch) continue;
            chain.origin = other.origin;
            chain.parent = name.second;
            chain.heads[stored.seq] = head;
            branches_.emplace(device, stored.epoch);
            return chain;
        }
    }
    if (const auto before = head_at(device, stored.epoch, stored.seq - 1); before && !chain.holed) {
        chain.heads[stored.seq] = pf::journal::next_head(*before, stored.event);
    } else {
        chain.holed = true;
        holed_.insert(device);
    }
    return chain;
}

void ServerLog::read(const StoredEvent& stored, const Chain&) {
    const auto event = pf::journal::decode(stored.event);
    if (event.has_error()) return;
    const GrantId name{stored.device, stored.epoch, stored.seq};
    if (const auto* admitted = std::get_if<pf::journal::Admitted>(&event->body)) {
        const bool waits = admitted->awaits_passage;
        booked_[admitted->ticket][name] = {.admitted = *admitted,
                                           .passed = waits ? std::uint16_t{0} : admitted->persons,
                                           .settled = !waits};
        tickets_[name] = admitted->ticket;
        touched_.insert(admitted->ticket);
    }
    if (const auto* outcome = std::get_if<pf::journal::Outcome>(&event->body))
        read_outcome(name, *outcome);
}

void ServerLog::read_outcome(const GrantId& name, const pf::journal::Outcome& outcome) {
    const std::string device{name.device.text()};
    std::optional<Epoch> epoch = name.epoch;
    bool holed = false;
    while (epoch) {
        const GrantId grant{name.device, *epoch, outcome.grant_seq};
        if (const auto ticket = tickets_.find(grant); ticket != tickets_.end()) {
            Booked& booked = booked_[ticket->second][grant];
            touched_.insert(ticket->second);
            if (booked.ended) return;
            booked.passed = outcome.passed;
            booked.returned = outcome.returned;
            booked.settled = booked.ended = true;
            return;
        }
        const Chain& chain = chains_.at({device, *epoch});
        holed = holed || chain.holed;
        epoch = chain.parent;
    }
    if (!holed) return;
    for (auto& [grant, ticket] : tickets_)
        if (grant.device == name.device && grant.seq == outcome.grant_seq)
            booked_[ticket][grant].unsure = true;
}

bool ServerLog::has(const std::string& device, std::uint64_t seq, const Bytes& event) const {
    const auto found = events_.find({device, seq});
    return found != events_.end() && std::ranges::any_of(found->second, [&](const auto& stored) {
               return stored.second == event;
           });
}

bool ServerLog::has_under(const std::string& device, Epoch epoch, std::uint64_t seq,
                          const Bytes& event) const {
    const auto found = events_.find({device, seq});
    return found != events_.end() && std::ranges::any_of(found->second, [&](const auto& stored) {
               return stored.first == epoch && stored.second == event;
           });
}

const std::map<GrantId, ServerLog::Booked>& ServerLog::of_ticket(TicketId ticket) const {
    static const std::map<GrantId, Booked> none;
    const auto found = booked_.find(ticket);
    return found == booked_.end() ? none : found->second;
}

}  // namespace pf::simulation
