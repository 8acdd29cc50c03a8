#pragma once
// A device's configuration in a body; by invitation and by remote coding. Inside the room.
#include "common/wire/documents.hpp"
#include "sync-server/api/decode.hpp"

namespace pf::server::api {

/// Reads the fields of `root` and calls its done().
wire::Configuration configuration_from(Object root);

}  // namespace pf::server::api
