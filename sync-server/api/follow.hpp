#pragma once
// Who follows the sync log, and how far each of them is. Inside the room; from posted tasks only.
#include <cstdint>
#include <string>
#include <vector>

#include "sync-server/api/backend.hpp"
#include "sync-server/http/responder.hpp"

namespace pf::server::api {

class Followers {
public:
    explicit Followers(Backend& backend) : backend_{backend} {}

    bool full() const noexcept { return all_.size() >= followers_max; }
    /// Sends what is there after `position` and goes on from there, as long as that key stands.
    void add(std::string key, std::uint64_t position, http::StreamWriter writer);
    /// Everyone whose key stands gets what is new to them, a page each; the others are shown out.
    /// True when somebody has more to get.
    bool feed();
    void end();

    static constexpr std::size_t followers_max = 64;
    static constexpr std::size_t page_events = 200;

private:
    struct Follower {
        std::string key;  // its id
        std::uint64_t position;
        http::StreamWriter writer;
    };
    /// False: gone. `more` when a full page was sent.
    bool feed(Follower& follower, bool& more);

    Backend& backend_;
    std::vector<Follower> all_;
};

/// One event as a server-sent event, its position as the id to resume from.
std::string to_sse(std::uint64_t position, std::string_view json);

}  // namespace pf::server::api
