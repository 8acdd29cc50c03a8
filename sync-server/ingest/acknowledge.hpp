#pragma once
// Inside the room: an ack on its way.
#include "sync-server/ingest/ingest.hpp"

namespace pf::server::ingest {

/// Addressed, and in the generation that holds now.
Effects acknowledge(Repositories& r, const fleet::Device& to, wire::Ack ack);

/// Whether that is the name we gave a fork's branch: nobody else may speak of it.
bool names_branch(Repositories& r, const DeviceId& device, Epoch epoch);

}  // namespace pf::server::ingest
