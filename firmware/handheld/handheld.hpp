#pragma once
// What staff do with a handheld: look, admit some of a group, take back. One step machine, no disk
// and no screen.
#include <cstdint>
#include <functional>
#include <optional>

#include "common/base/time.hpp"
#include "common/journal/event.hpp"
#include "firmware/verify/verifier.hpp"

namespace pf::firmware::handheld {

class Handheld {
public:
    /// Verifier::check() with everything but the request bound; an admission is on disk when it
    /// returns (invariant 1).
    using Check = std::function<verify::Answer(const verify::Request&)>;
    /// Writes an outcome now; false: the disk refused, nothing was written and nothing will be.
    using Write = std::function<bool(const pf::journal::Outcome&)>;

    Handheld() = default;
    ~Handheld();
    Handheld(const Handheld&) = delete;
    Handheld& operator=(const Handheld&) = delete;

    /// Looks and writes nothing. What was presented replaces the preview before it.
    verify::Answer preview(verify::Presented presented, SteadyTime now, const Check& check);

    /// Admits `persons` of the preview, all that are left when empty. An admission ends the
    /// preview, so a key pressed twice can't admit twice; any other answer keeps it, for staff to
    /// confirm, to choose or to ask for fewer. Without a preview: unknown_code, nothing checked.
    verify::Answer admit(std::optional<std::uint16_t> persons, bool staff_confirmed,
                         std::optional<TicketId> chosen, SteadyTime now, const Check& check);

    /// Takes back the last admission, all persons of it. False: there is none, it is longer ago
    /// than undo_within_ms, or the disk refused (then it may be tried again).
    bool undo(SteadyTime now, const Write& write);

    /// Forgets a preview nobody came back to.
    void tick(SteadyTime now);
    /// When tick() is wanted.
    std::optional<SteadyTime> wake_at() const;

    static constexpr Millis undo_within_ms{10LL * 60 * 1000};
    /// Long enough to look at a certificate and count a group, too short to leave a number behind.
    static constexpr Millis preview_within_ms{5LL * 60 * 1000};

private:
    struct Preview {
        verify::Presented presented;
        SteadyTime at;
    };
    struct Grant {
        std::uint64_t seq = 0;
        std::uint16_t persons = 0;
        SteadyTime at;
    };
    void forget();

    std::optional<Preview> preview_;
    std::optional<Grant> last_;
};

}  // namespace pf::firmware::handheld
