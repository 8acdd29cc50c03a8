#pragma once
// Every limit of the sync protocol, with its reason. docs/protocol/sync-v1.md, section 2.
#include <cstddef>
#include <cstdint>

namespace pf::wire {

inline constexpr std::size_t payload_bytes_max = 256 * 1024;  // any broker carries this
inline constexpr std::size_t batch_events_max = 256;
/// A sender adds no further event once a batch's events have this many bytes together; what a
/// receiver refuses is a payload above payload_bytes_max.
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
/// Of a document beside its body: numbers, the device it is for, the signature.
inline constexpr std::size_t document_envelope_bytes_max = 256;
inline constexpr std::size_t bucket_count = 256;
inline constexpr std::size_t manifest_bytes_max = 1024;  // a signed list manifest inside a page
/// What a page holds beside its rows and their bodies: numbers and the manifest.
inline constexpr std::size_t chunk_head_bytes_max = manifest_bytes_max + 256;
inline constexpr std::size_t states_max = 16;         // documents a device is told of or tells of
inline constexpr std::size_t text_bytes_max = 128;    // a name people read
inline constexpr std::size_t number_bytes_max = 32;   // staff number, device number
inline constexpr std::size_t detail_bytes_max = 200;  // a sentence for people
inline constexpr std::size_t command_text_bytes_max = 1024;  // a scanned code: text_chars_max
inline constexpr std::size_t ticket_keys_max = 32;           // more than anyone rotates
inline constexpr std::size_t site_keys_max = 2;  // the new one and the old one during rotation
inline constexpr std::size_t windows_max = 1'000;
inline constexpr std::size_t products_max = 2'000;
inline constexpr std::size_t product_points_max = 256;

}  // namespace pf::wire
