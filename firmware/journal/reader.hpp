#pragma once
// Reading a journal beside a live device or after its death: dump, verify, export. Never writes.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "firmware/journal/journal.hpp"

namespace pf::firmware::journal {

struct EpochInfo {
    Epoch epoch;
    pf::journal::Cursor end;
    /// Events up to here were dropped except a few admissions: the chain is followed from
    /// `pruned_head` (genesis when 0).
    std::uint64_t pruned_seq = 0;
    Digest pruned_head{};
};

struct StoredEvent {
    std::uint64_t seq = 0;
    Bytes event;
    Digest head{};
};

/// What is wrong with a journal, and where.
struct Flaw {
    enum class What : std::uint8_t {
        gap = 1,           // numbers are missing after the pruned range
        chain_broken = 2,  // the head does not follow from the event
        malformed = 3,     // not an event, or under another number
        columns_lie = 4,   // a column used for counting says something else than the event
        no_parent = 5,     // the epoch does not continue the one before it
    };
    What what = What::gap;
    Epoch epoch;
    std::uint64_t seq = 0;
    friend bool operator==(const Flaw&, const Flaw&) = default;
};
std::string_view to_text(Flaw::What what) noexcept;

struct Verification {
    std::uint64_t events = 0;
    std::uint64_t kinds_unknown = 0;  // of newer firmware: chained, not understood, no flaw
    std::vector<Flaw> flaws;          // at most flaws_max
};
inline constexpr std::size_t flaws_max = 1'000;

class Reader {
public:
    /// A journal of any device. Fault::not_ours when it is something else.
    static Result<std::unique_ptr<Reader>> open(const std::string& path, const std::string& vfs);
    virtual ~Reader() = default;

    virtual const DeviceId& device() const = 0;
    /// Oldest first.
    virtual Result<std::vector<EpochInfo>> epochs() const = 0;
    /// Events of one epoch after `seq` in order, kept admissions of the pruned range among them,
    /// until `take` says false. One snapshot, also while the device writes on.
    using Take = std::function<bool(const StoredEvent&)>;
    virtual Result<void> for_each(Epoch epoch, std::uint64_t seq, const Take& take) const = 0;
    /// Every epoch from genesis or from where it was pruned.
    virtual Result<Verification> verify() const = 0;
};

}  // namespace pf::firmware::journal
