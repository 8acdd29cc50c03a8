#include "sync-server/leases/leases.hpp"

#include <algorithm>
#include <set>

#include "sync-server/leases/repository.hpp"

namespace pf::server::leases {
namespace {

bool is_alive(const Server& server, WallTime now) { return server.until >= now; }

/// The lowest number no server alive has; nothing when all are taken. Numbers of the dead come last
/// to first: one that was only stopped and wakes should not meet another under its name.
std::optional<std::uint32_t> free_seat(const std::vector<Server>& all, WallTime now) {
    std::optional<std::uint32_t> best;
    WallTime best_free_since = WallTime::max();
    for (std::uint32_t seat = 0; seat < servers_max; ++seat) {
        const auto taken = std::ranges::find(all, seat, &Server::seat);
        if (taken == all.end()) return seat;
        if (!is_alive(*taken, now) && taken->until < best_free_since) {
            best = seat;
            best_free_since = taken->until;
        }
    }
    return best;
}

/// Nothing, or why this server may not be there beside the others.
std::optional<Refusal> conflict(const std::vector<Server>& others, const Life& self) {
    if (others.empty()) return std::nullopt;
    if (std::ranges::any_of(others, [](const Server& s) { return s.life.managed_broker; }))
        return Refusal::managed_elsewhere;
    if (self.managed_broker) return Refusal::managed_here;
    if (others.size() >= servers_max) return Refusal::full;
    return std::nullopt;
}

/// How many partitions are this server's share; who joined first has what does not divide.
std::size_t share_of(const std::vector<Server>& living, const std::string& life) {
    const auto place = static_cast<std::size_t>(
        std::ranges::find_if(living, [&](const Server& s) { return s.life.id == life; }) -
        living.begin());
    const std::size_t over = wire::partition_count % living.size();
    return wire::partition_count / living.size() + (place < over ? 1 : 0);
}

std::vector<Server> in_order(std::vector<Server> servers) {
    std::ranges::sort(servers, [](const Server& a, const Server& b) {
        return std::tie(a.joined, a.life.id) < std::tie(b.joined, b.life.id);
    });
    return servers;
}

/// One server's look at all parts.
class Sharing {
public:
    Sharing(Repositories& r, const Life& self, const std::vector<Server>& living)
        : r_{r}, self_{self} {
        for (const Server& server : living) living_.insert(server.life.id);
        for (Claim& claim : r.leases.claims()) claims_.emplace(claim.part, std::move(claim));
        for (std::uint32_t part = 0; part < part_count; ++part)
            if (!claims_.contains(part)) claims_[part] = {.life = {}, .part = part, .token = 0};
    }

    void settle(std::size_t share, Round& round) {
        if (free(house)) take(house, round);
        std::size_t mine = 0;
        std::size_t to_come = 0;
        for (std::uint32_t part = 0; part < house; ++part) mine += own(part) ? 1 : 0;
        for (std::uint32_t part = house; part-- > 0 && mine > share;)
            if (own(part)) {
                release(part);
                --mine;
                round.settled = false;
            }
        for (std::uint32_t part = 0; part < house && mine < share; ++part)
            if (free(part)) {
                take(part, round);
                ++mine;
            }
        to_come = share - mine;
        round.settled = round.settled && to_come == 0;
        for (const auto& [part, claim] : claims_)
            if (own(part)) round.held.emplace(part, claim.token);
    }

private:
    bool own(std::uint32_t part) const { return claims_.at(part).life == self_.id; }
    bool free(std::uint32_t part) const { return !living_.contains(claims_.at(part).life); }

    void take(std::uint32_t part, Round& round) {
        Claim& claim = claims_.at(part);
        round.took_over = round.took_over || !claim.life.empty();
        claim = {.life = self_.id, .part = part, .token = claim.token + 1};
        r_.leases.put(claim);
    }
    void release(std::uint32_t part) {
        Claim& claim = claims_.at(part);
        claim.life.clear();
        r_.leases.put(claim);
    }

    Repositories& r_;
    const Life& self_;
    std::set<std::string> living_;
    std::map<std::uint32_t, Claim> claims_;
};

}  // namespace

std::string_view to_text(Refusal refusal) noexcept {
    switch (refusal) {
        case Refusal::managed_elsewhere:
            return "another server with a broker of its own is using this database";
        case Refusal::managed_here:
            return "another server is using this database, and this one would bring a broker of "
                   "its own";
        case Refusal::full:
            return "as many servers as there can be are using this database";
    }
    std::abort();
}

std::vector<std::uint32_t> Round::partitions() const {
    std::vector<std::uint32_t> out;
    for (const auto& [part, token] : held)
        if (part != house) out.push_back(part);
    return out;
}

bool stands(Repositories& r, const Claim& claim) {
    const auto now = r.leases.claim(claim.part);
    return now && now->life == claim.life && now->token == claim.token;
}

std::vector<Server> alive(Repositories& r, WallTime now) {
    std::vector<Server> out = r.leases.servers();
    std::erase_if(out, [&](const Server& server) { return !is_alive(server, now); });
    return in_order(std::move(out));
}

bool renew(Repositories& r, const Life& self, WallTime now) {
    for (Server& server : r.leases.servers()) {
        if (server.life.id != self.id || !is_alive(server, now)) continue;
        server.until = now + lease_ms;
        r.leases.put(server);
        return true;
    }
    return false;
}

Result<Round, Refusal> turn(Repositories& r, const Life& self, WallTime now) {
    r.leases.wait_at_most(turn_patience_ms);
    std::vector<Server> all = r.leases.servers();
    // The database's clock went back, as after a move to another machine: the dead must not live
    // until it has caught up. Who is alive renews in time.
    for (Server& server : all)
        if (server.until > now + lease_ms) {
            server.until = now + lease_ms;
            r.leases.put(server);
        }
    std::vector<Server> living;
    for (const Server& server : all)
        if (is_alive(server, now) && server.life.id != self.id) living.push_back(server);
    const auto known =
        std::ranges::find_if(all, [&](const Server& server) { return server.life.id == self.id; });
    // Renewing asks nobody: who came meanwhile had to see this one.
    const bool renewing = known != all.end() && is_alive(*known, now);
    Server own = renewing ? *known : Server{.life = self, .seat = 0, .joined = now, .until = now};
    if (!renewing) {
        if (const auto refused = conflict(living, self)) return *refused;
        const auto seat = known != all.end() ? std::optional{known->seat} : free_seat(all, now);
        if (!seat) return Refusal::full;
        own.seat = *seat;
        for (const Server& server : all)
            if (server.seat == own.seat) r.leases.remove(server.life.id);
    }
    own.until = now + lease_ms;
    r.leases.put(own);
    living.push_back(own);
    Round round{.seat = own.seat, .held = {}, .servers = living.size()};
    Sharing{r, self, living}.settle(share_of(in_order(std::move(living)), self.id), round);
    return round;
}

void leave(Repositories& r, const std::string& life) {
    for (Claim claim : r.leases.claims())
        if (claim.life == life) {
            claim.life.clear();
            r.leases.put(claim);
        }
    r.leases.remove(life);
}

}  // namespace pf::server::leases
