// Rows whose last day is over leave, slice by slice.
#include <fmt/format.h>

#include <algorithm>

#include "sync-server/lists/changes.hpp"
#include "sync-server/store/store.hpp"

namespace pf::server::lists {
namespace {

/// How far a walk over a list has come: the day it is for, the key looked at last, whether it took
/// something off. A walk without a key is over.
struct Walk {
    Day day{INT32_MIN};
    Bytes after;
    bool moved = false;
};

std::string walk_name(SiteId site, wire::ListScope scope) {
    return fmt::format("list-ended/{}/{}", site.value, static_cast<int>(scope));
}

Walk walk_of(Repositories& r, const std::string& name) {
    Walk walk;
    const auto kept = r.meta.value(name);
    if (!kept) return walk;
    const std::string_view text = *kept;
    const auto first = text.find(' '), second = text.rfind(' ');
    walk.day = Day{static_cast<std::int32_t>(std::stol(std::string{text.substr(0, first)}))};
    walk.moved = text.substr(first + 1, second - first - 1) == "1";
    walk.after = from_hex(text.substr(second + 1)).value_or(Bytes{});
    return walk;
}

void keep(Repositories& r, const std::string& name, const Walk& walk) {
    r.meta.put(name,
               fmt::format("{} {} {}", walk.day.number, walk.moved ? 1 : 0, to_hex(walk.after)));
}

/// Nothing: a row nobody can read; it stays, for people to look at.
std::optional<Day> last_day_of(wire::ListScope scope, const wire::ListRow& row) {
    switch (scope) {
        case wire::ListScope::revoked: {
            const auto revoked = wire::revoked_of(row);
            return revoked ? std::optional{revoked->last_day} : std::nullopt;
        }
        case wire::ListScope::tickets: {
            const auto carried = wire::carried_of(row);
            if (!carried) return std::nullopt;
            Day last{INT32_MIN};
            for (const auto& e : carried->claims.entitlements) last = std::max(last, e.last_day);
            return last;
        }
    }
    return std::nullopt;
}

Ended walk_on(Repositories& r, const Call& call, SiteId site, wire::ListScope scope, Day from) {
    const std::string name = walk_name(site, scope);
    Walk walk = walk_of(r, name);
    if (walk.after.empty()) {
        if (walk.day >= from) return {};  // this day's walk is over
        walk = {.day = from, .after = {}, .moved = false};
    }
    const auto rows = r.lists.alive_at(site, scope, version(r, site, scope), std::nullopt,
                                       walk.after, ended_rows_max);
    Changes changes{r, call};
    for (const wire::ListRow& row : rows) {
        const auto last = last_day_of(scope, row);
        if (!last || *last >= walk.day) continue;
        changes.erase(site, scope, row.key);
        walk.moved = true;
    }
    changes.write();
    const bool more = rows.size() == ended_rows_max;
    walk.after = more ? rows.back().key : Bytes{};
    keep(r, name, walk);
    return {.more = more, .done = !more && walk.moved};
}

}  // namespace

Ended drop_ended(Repositories& r, const Call& call, SiteId site, Day from) {
    Ended out;
    for (const wire::ListScope scope : wire::list_scopes) {
        const Ended one = walk_on(r, call, site, scope, from);
        out.done = out.done || one.done;
        out.more = one.more;
        if (out.more) return out;
    }
    return out;
}

}  // namespace pf::server::lists
