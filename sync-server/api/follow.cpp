#include "sync-server/api/follow.hpp"

#include <fmt/format.h>

#include "sync-server/access/access.hpp"
#include "sync-server/api/answer.hpp"

namespace pf::server::api {

std::string to_sse(std::uint64_t position, std::string_view json) {
    return fmt::format("id: {}\nevent: journal\ndata: {}\n\n", position, json);
}

void Followers::add(std::string key, std::uint64_t position, http::StreamWriter writer) {
    all_.push_back({std::move(key), position, std::move(writer)});
}

bool Followers::feed(Follower& follower, bool& more) {
    if (follower.writer.gone()) return false;
    std::vector<ingest::StoredEvent> events;
    bool may = false;
    const auto fault = backend_.read("follow", [&](Repositories& r, const Call&) {
        may = access::stands(r, follower.key);
        if (!may) return;
        events = ingest::log_after(r, follower.position, page_events);
    });
    // The next feed asks again; nothing is skipped, since the position stays.
    if (fault) return true;
    if (!may) {
        follower.writer.end();
        return false;
    }
    for (const ingest::StoredEvent& event : events) {
        if (!follower.writer.write(to_sse(event.position, to_json(event).dump()))) return false;
        follower.position = event.position;
    }
    more = more || events.size() == page_events;
    return true;
}

bool Followers::feed() {
    bool more = false;
    std::erase_if(all_, [&](Follower& follower) { return !feed(follower, more); });
    return more;
}

void Followers::end() {
    for (const Follower& follower : all_) follower.writer.end();
    all_.clear();
}

}  // namespace pf::server::api
