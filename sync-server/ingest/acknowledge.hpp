#pragma once
// Inside the room: an ack on its way.
#include "sync-server/ingest/ingest.hpp"

namespace pf::server::ingest {

/// Addressed, and in the generation that holds now.
Effects acknowledge(Repositories& r, const fleet::Device& to, wire::Ack ack);

}  // namespace pf::server::ingest
