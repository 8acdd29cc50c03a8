#pragma once
// What the server's log says, read from the bytes in it alone: which chains there are, and what was
// granted, passed and given back. What the server booked is judged against this.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/journal/event.hpp"
#include "sync-server/ingest/ingest.hpp"

namespace pf::simulation {

class ServerLog {
public:
    /// A grant as the events of the log tell it.
    struct Booked {
        pf::journal::Admitted admitted;
        std::uint16_t passed = 0;
        std::uint16_t returned = 0;
        bool settled = false;
        bool ended =
            false;  // an outcome was read: a later one, of a copy of the file, says nothing
        /// An outcome came from a branch whose parent the bytes do not tell (its head is one of a
        /// range both sides have lost): it may or may not be of this grant.
        bool unsure = false;

        std::uint32_t counted() const { return admitted.persons - returned; }
    };

    /// The next event by position. False: this identity is in the log already.
    bool take(const server::ingest::StoredEvent& stored);
    std::uint64_t position() const noexcept { return position_; }

    /// Whether an event of that device with these bytes is there, under the epoch's own name or a
    /// branch's.
    bool has(const std::string& device, std::uint64_t seq, const Bytes& event) const;
    bool has_under(const std::string& device, Epoch epoch, std::uint64_t seq,
                   const Bytes& event) const;
    const std::map<GrantId, Booked>& of_ticket(TicketId ticket) const;
    /// Tickets of which something was read since the last call.
    std::set<TicketId> take_touched() { return std::exchange(touched_, {}); }
    /// Whether events of this device are gone on both sides: what refers to them finds nothing.
    bool has_hole(const std::string& device) const { return holed_.contains(device); }
    /// Names of second histories of an epoch.
    const std::set<std::pair<std::string, Epoch>>& branches() const noexcept { return branches_; }

private:
    struct Chain {
        Epoch origin;
        std::optional<Epoch> parent;
        std::map<std::uint64_t, Digest> heads;  // of events whose chain is known
        bool holed = false;
    };
    using Name = std::pair<std::string, Epoch>;

    std::optional<Digest> head_at(const std::string& device, Epoch epoch, std::uint64_t seq) const;
    Chain& chain_of(const server::ingest::StoredEvent& stored);
    void read(const server::ingest::StoredEvent& stored, const Chain& chain);
    void read_outcome(const GrantId& name, const pf::journal::Outcome& outcome);

    std::uint64_t position_ = 0;
    std::set<Name> branches_;
    std::set<std::string> holed_;
    std::map<Name, Chain> chains_;
    std::map<std::pair<std::string, std::uint64_t>, std::vector<std::pair<Epoch, Bytes>>> events_;
    std::map<TicketId, std::map<GrantId, Booked>> booked_;
    std::map<GrantId, TicketId> tickets_;
    std::set<TicketId> touched_;
};

}  // namespace pf::simulation
