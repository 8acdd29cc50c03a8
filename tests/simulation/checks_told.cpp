// What a device was told: uses of others, lists, and receipts for its own events.
#include <fmt/format.h>

#include <algorithm>

#include "tests/simulation/checks.hpp"

namespace pf::simulation {
namespace {

constexpr std::string_view i2 = "invariant 2: nothing is given up";
constexpr std::string_view i4 = "invariant 4: a list is whole or not there";

[[noreturn]] void violated(std::string_view rule, const std::string& what,
                           std::vector<std::string> about) {
    throw Violation(std::string{rule}, what, std::move(about));
}

}  // namespace

void Checks::handled(Machine& machine, const std::string& topic, const Bytes& payload,
                     firmware::cache::Cache::UsesPosition before) {
    page_came_ = page_came_ || topic.ends_with("dn/chunk");
    if (!topic.ends_with("dn/uses")) return;
    const auto uses = wire::decode_uses(payload);
    if (uses.has_error()) return;
    const auto after = machine.device().cache().uses_position();
    const bool moved = after.generation != before.generation || after.position != before.position;
    if (!moved || after.position != uses->upto || after.generation != uses->generation) return;
    for (const auto& item : uses->items)
        truth_[machine.name()].told.insert_or_assign(item.grant, item);
}

/// The list in force, whenever it changed and whenever an update of it is on its way.
void Checks::check_lists(Machine& machine) {
    const auto& cache = machine.device().cache();
    const bool page = std::exchange(page_came_, false);
    for (const auto scope : wire::list_scopes) {
        const wire::ListState state = cache.list(scope).state;
        wire::ListState& last = lists_[{machine.name(), static_cast<int>(scope)}];
        if (state == last && !(page && state.version > 0)) continue;
        if (state == last) {
            check_rows(machine, scope, state, "while an update is on its way");
            continue;
        }
        last = state;
        if (state.version == 0) continue;
        const auto said = fmt::format(
            "{} holds version {} of its {} list in generation {}", machine.name(), state.version,
            scope == wire::ListScope::revoked ? "revoked" : "tickets", state.generation.value);
        scene_.say(machine.name(), said);
        const SiteId site = machine.spec().site;
        const auto had = roots_.find({state.generation, site, scope, state.version});
        if (had == roots_.end() || !had->second.contains(state.root))
            violated(i4, said + ", and the server never had that", {machine.name(), "server"});
        if (cache.digest(scope).root() != state.root)
            violated(i4, said + ", and its sums do not prove it", {machine.name()});
        check_rows(machine, scope, state, "just now");
    }
}

void Checks::check_rows(Machine& machine, wire::ListScope scope, const wire::ListState& state,
                        std::string_view when) {
    const auto& cache = machine.device().cache();
    const SiteId site = machine.spec().site;
    const ListContent& content = contents_[{site, scope, state.root}];
    auto wrong = wrong_row(cache, scope, content);
    if (!wrong) wrong = early_row(cache, scope, content, listed_last_[{site, scope}]);
    if (!wrong) return;
    violated(i4,
             fmt::format("{} holds version {} of its {} list in generation {}, and {} {}",
                         machine.name(), state.version,
                         scope == wire::ListScope::revoked ? "revoked" : "tickets",
                         state.generation.value, *wrong, when),
             {machine.name()});
}

/// A row of the server's newest version in a list that is older.
std::optional<std::string> Checks::early_row(const firmware::cache::Cache& cache,
                                             wire::ListScope scope, const ListContent& held,
                                             const ListContent& newest) {
    constexpr auto early = "a row of a later version is there already";
    if (scope == wire::ListScope::revoked) {
        for (const auto& [ticket, below] : newest.revoked) {
            if (std::ranges::find(held.revoked, std::pair{ticket, below}) != held.revoked.end())
                continue;
            const auto row = cache.revoked(ticket);
            if (row && row->below == below) return early;
        }
        return std::nullopt;
    }
    for (const auto& row : newest.carried) {
        const auto& [kind, hash, ticket, generation] = row;
        // Under another site key it may be there since long before: a retired key's rows may stay.
        const bool is_held = std::ranges::any_of(held.carried, [&](const auto& other) {
            return std::get<admission::CarrierKind>(other) == kind &&
                   std::get<TicketId>(other) == ticket &&
                   std::get<std::uint32_t>(other) == generation;
        });
        if (is_held) continue;
        for (const wire::Carried& carried : cache.carried(kind, hash))
            if (carried.claims.id == ticket && carried.claims.generation == generation)
                return early;
    }
    return std::nullopt;
}

/// What a device takes for received the server really acknowledged (invariant 2).
void Checks::check_confirmed(Machine& machine) {
    for (const auto& cursor : machine.device().cache().confirmed()) {
        if (cursor.seq <= ever_acknowledged(machine.name(), cursor.epoch)) continue;
        violated(
            i2,
            fmt::format("{} gives up event {} of epoch {}, and the server acknowledged {}",
                        machine.name(), cursor.seq, to_hex(to_be8(cursor.epoch.value)).substr(0, 6),
                        ever_acknowledged(machine.name(), cursor.epoch)),
            {machine.name(), "server"});
    }
}

std::uint64_t Checks::ever_acknowledged(const std::string& device, Epoch epoch) const {
    const auto found = ever_acknowledged_.find({device, epoch});
    return found == ever_acknowledged_.end() ? 0 : found->second;
}

std::optional<std::string> Checks::wrong_row(const firmware::cache::Cache& cache,
                                             wire::ListScope scope, const ListContent& content) {
    constexpr auto missing = "a row is missing";
    constexpr auto left_over = "a row that was taken away is still there";
    const auto revoked_as = [&](TicketId ticket, std::uint32_t below) {
        const auto held = cache.revoked(ticket);
        return held && held->below == below;
    };
    const auto carries = [&](const auto& row) {
        const auto& [kind, hash, ticket, generation] = row;
        return std::ranges::any_of(cache.carried(kind, hash), [&](const wire::Carried& carried) {
            return carried.claims.id == ticket && carried.claims.generation == generation;
        });
    };
    if (scope == wire::ListScope::revoked) {
        for (const auto& [ticket, below] : content.revoked)
            if (!revoked_as(ticket, below)) return missing;
        for (const auto& [ticket, below] : content.revoked_gone)
            if (revoked_as(ticket, below)) return left_over;
        return std::nullopt;
    }
    for (const auto& row : content.carried)
        if (!carries(row)) return missing;
    for (const auto& row : content.carried_gone)
        if (carries(row)) return left_over;
    return std::nullopt;
}

}  // namespace pf::simulation
