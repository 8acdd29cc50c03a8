#pragma once
// A journal's event as JSON, with the names the server's sync log uses.
#include "common/journal/event.hpp"
#include "firmware/ctl/server.hpp"

namespace pf::firmware::ctl {

/// {"kind":…, "at":…, "clock":…, "boot":…, "steady_ms":…, "body":{…}}; bytes of an unknown kind
/// give {"kind":"unknown","bytes":…}, damaged ones {"kind":"malformed","bytes":…}.
Json event_json(BytesView event);

}  // namespace pf::firmware::ctl
