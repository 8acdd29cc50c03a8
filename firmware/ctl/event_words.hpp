#pragma once
// A journal's event as JSON, with the names the server's sync log uses, and as people read it.
#include "common/journal/event.hpp"
#include "firmware/ctl/server.hpp"

namespace pf::firmware::ctl {

/// {"kind":…, "at":…, "clock":…, "boot":…, "steady_ms":…, "body":{…}}; bytes of an unknown kind
/// give {"kind":"unknown","bytes":…}, damaged ones {"kind":"malformed","bytes":…}.
Json event_json(BytesView event);

/// "admitted: ticket 7c1f…, persons 2", of an event in JSON, of a journal or of the sync log.
Words words_of_event(const Json& event);

}  // namespace pf::firmware::ctl
