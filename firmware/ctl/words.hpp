#pragma once
// The closed sets of the API and of journals in people's words. JSON keeps the keys; everything a
// person reads goes through this table.
#include <cstdint>
#include <span>
#include <string_view>

#include "firmware/ctl/exit.hpp"

namespace pf::firmware::ctl {

/// Whose key it is: the same key may mean different things.
enum class Set : std::uint8_t {
    event = 1,     // kind of a journal's event
    event_field,   // of its body
    flag,          // of an admission
    carrier,       // what was shown
    passage,       // what came of a grant
    alarm,         // of a lane
    epoch_begins,  // why
    clock_source,  // who set it
    clock,         // how far it is trusted
    list,
    stale,     // what a gate does when its list is old
    document,  // kept by devices
    device_state,
    device_kind,
    command,
    command_state,
    answer,  // a device's, to a command
    ticket_state,
    finding,        // of the server
    report,         // a finding a device wrote into its journal
    import_result,  // of a batch
    flaw,           // of a journal
    signature,      // of a journal
    scan_fault,
    strategy,
    symbology,
};

struct Entry {
    Set set;
    std::string_view key;
    std::string_view en;
    std::string_view zh;
};
std::span<const Entry> all_entries() noexcept;

/// A key nobody here knows is of a newer server or device: it is shown as it is.
Words words_of(Set set, std::string_view key);

}  // namespace pf::firmware::ctl
