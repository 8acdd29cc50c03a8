#pragma once
// Every limit of the sync protocol, with its reason. docs/protocol/sync-v1.md, section 2.
#include <cstddef>
#include <cstdint>

namespace pf::wire {

inline constexpr std::size_t payload_bytes_max = 256 * 1024;  // any broker carries this
inline constexpr std::size_t batch_events_max = 256;
inline constexpr std::size_t batch_bytes_max = 128 * 1024;
inline constexpr std::size_t batches_in_flight_max = 4;
inline constexpr std::size_t chunk_rows_max =
    2'000;  // one device transaction of a few milliseconds
inline constexpr std::size_t chunk_bytes_max = 96 * 1024;
inline constexpr std::size_t list_key_bytes_max = 32;
inline constexpr std::size_t list_body_bytes_max = 512;
inline constexpr std::size_t uses_per_message_max = 500;
inline constexpr std::size_t ack_verdicts_max = 500;
inline constexpr std::size_t document_bytes_max = 200 * 1024;
inline constexpr std::size_t bucket_count = 256;

}  // namespace pf::wire
