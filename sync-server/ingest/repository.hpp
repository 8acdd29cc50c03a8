#pragma once
// What ingest keeps. Implemented by sync-server/store/soci_ingest.cpp.
#include <optional>
#include <string_view>
#include <vector>

#include "sync-server/ingest/ingest.hpp"

namespace pf::server::ingest {

/// One history of an epoch: the first we heard (epoch == origin), or a fork's branch. It holds the
/// events after base_seq; those before are its parent's.
struct Chain {
    DeviceId device;
    Epoch origin;  // what the device calls it
    Epoch parent;  // of the first history: itself
    std::uint64_t base_seq = 0;
    pf::journal::Cursor end;  // end.epoch: the name it is stored under
};

struct Kept {
    std::uint64_t seq = 0;
    Digest head{};
    std::optional<wire::Ack::EventVerdict> verdict;
};

class Repository {
public:
    virtual ~Repository() = default;

    virtual std::optional<Chain> chain(const DeviceId& device, Epoch epoch) = 0;
    /// Every history of an epoch, the first one first.
    virtual std::vector<Chain> chains(const DeviceId& device, Epoch origin) = 0;
    virtual void put_chain(const Chain& chain) = 0;

    /// Events stored under that epoch, first <= seq <= last, in order.
    virtual std::vector<Kept> kept(const DeviceId& device, Epoch epoch, std::uint64_t first,
                                   std::uint64_t last) = 0;
    /// Its position is given by the store: after every other that was committed before it.
    virtual void add(const StoredEvent& event, const Digest& head) = 0;
    /// The bytes of one stored event.
    virtual std::optional<Bytes> body(const DeviceId& device, Epoch epoch, std::uint64_t seq) = 0;
    /// An event in the place of its stand-in: everything but the head; its position is given anew.
    virtual void replace(const StoredEvent& event) = 0;
    virtual std::vector<StoredEvent> log_after(std::uint64_t position, std::size_t limit) = 0;

    virtual std::optional<std::uint64_t> quarantined(std::string_view sender,
                                                     const Digest& digest) = 0;
    virtual std::size_t quarantined_count(std::string_view sender) = 0;
    /// Its number.
    virtual std::uint64_t add_quarantined(std::string_view sender, const Digest& digest,
                                          BytesView payload, std::string_view why, WallTime at) = 0;
};

}  // namespace pf::server::ingest
