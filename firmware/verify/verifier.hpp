#pragma once
// From what was presented to a verdict that is on disk. The one place where a ticket becomes an
// admission.
#include <optional>
#include <string>
#include <vector>

#include "common/admission/decide.hpp"
#include "common/crypto/crypto.hpp"
#include "common/wire/documents.hpp"
#include "firmware/cache/cache.hpp"
#include "firmware/journal/journal.hpp"
#include "firmware/verify/timekeeper.hpp"

namespace pf::firmware::verify {

/// What the device stands for, from its signed documents. Rebuilt when one changes.
struct Standing {
    SiteId site;
    std::optional<wire::Configuration> configuration;
    std::optional<admission::ProductTable> products;
    std::vector<std::pair<crypto::KeyId, crypto::PublicKey>> ticket_keys;
    wire::Secrets secrets;
};

/// Something a person held up.
struct Presented {
    enum class Kind : std::uint8_t { code = 1, document = 2, card = 3 };
    Kind kind = Kind::code;
    std::string
        text;  // bytes of the code, or the document's number; wiped by the caller afterwards
};

/// Overwrites a number in place, then empties the text: invariant 7, in a way no compiler leaves
/// out.
void wipe(std::string& text) noexcept;

/// The same at the end of a scope, whatever becomes of the decision in it.
class Wiped {
public:
    explicit Wiped(std::string& text) : text_{text} {}
    ~Wiped() { wipe(text_); }
    Wiped(const Wiped&) = delete;
    Wiped& operator=(const Wiped&) = delete;

private:
    std::string& text_;
};

struct Request {
    Presented presented;
    std::optional<std::uint16_t> persons;  // handheld: admit some of a group
    bool staff_confirmed = false;
    std::optional<TicketId> chosen;  // answer to `ambiguous`
    bool awaits_passage = true;      // false on devices without a barrier
    bool only_look = false;          // handheld preview: nothing is written
};

struct Answer {
    admission::Verdict verdict;
    std::optional<ticket::Claims> claims;    // when the code was a ticket we could read
    std::optional<std::uint64_t> grant_seq;  // admitted: on disk already
    std::vector<ticket::Claims> candidates;  // ambiguous: what staff may choose from
    std::optional<journal::Fault> storage;   // why storage_failed
};

/// Does this answer end the look a code was in? Only what is no ticket of ours (somebody's sticker,
/// a damaged code) lets the next code of the frame be asked.
bool answers_for_the_frame(const Answer& answer) noexcept;

class Verifier {
public:
    Verifier(journal::Journal& journal, const cache::Cache& cache, const DeviceId& device)
        : journal_{journal}, cache_{cache}, device_{device} {}

    /// Reads, decides and appends in one transaction (invariant 1). `online`: the server was heard
    /// recently.
    Answer check(const Request& request, const Standing& standing, const Timekeeper& clock,
                 Reading now, BootId boot, bool online);

private:
    struct Candidate;
    struct Question;
    struct Recognised;
    Recognised recognise(const Presented& presented, const Standing& standing,
                         bool tickets_stale) const;
    Answer judge(const Question& question, const journal::View& view) const;
    std::optional<pf::journal::Body> event_of(const Question& question, const Answer& answer) const;

    journal::Journal& journal_;
    const cache::Cache& cache_;
    DeviceId device_;
};

/// Everything known of a ticket here: list `revoked`, own journal, uses told by others. Grants are
/// a set: one known from both sides counts once.
admission::Known known_of(TicketId ticket, SiteId site, const cache::Cache& cache,
                          const pf::firmware::journal::View& view, const admission::TimeRange& now);

/// How often a lane, this one or another as far as it was told, gave persons back to the ticket by
/// itself on that day. A set of grants, as above.
int automatic_returns_of(TicketId ticket, Day day, const cache::Cache& cache,
                         const pf::firmware::journal::View& view);

}  // namespace pf::firmware::verify
