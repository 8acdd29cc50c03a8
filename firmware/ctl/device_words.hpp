#pragma once
// A device as people read it.
#include "firmware/ctl/session.hpp"

namespace pf::firmware::ctl {

/// State, place, and what it holds by its own word, of GET /v1/devices/{device}.
void say_device(Session& session, const Json& device);

}  // namespace pf::firmware::ctl
