#include "firmware/handheld/handheld.hpp"

namespace pf::firmware::handheld {

using pf::journal::Outcome;

Handheld::~Handheld() { forget(); }

void Handheld::forget() {
    if (preview_) verify::wipe(preview_->presented.text);
    preview_.reset();
}

verify::Answer Handheld::preview(verify::Presented presented, SteadyTime now, const Check& check) {
    forget();
    verify::Request request{.presented = std::move(presented),
                            .persons = {},
                            .chosen = {},
                            .awaits_passage = false,
                            .only_look = true};
    const verify::Wiped number{request.presented.text};
    verify::Answer answer = check(request);
    preview_ = Preview{std::move(request.presented), now};
    return answer;
}

verify::Answer Handheld::admit(std::optional<std::uint16_t> persons, bool staff_confirmed,
                               std::optional<TicketId> chosen, SteadyTime now, const Check& check) {
    tick(now);
    if (!preview_) {
        verify::Answer nothing;
        nothing.verdict.reason = admission::Reason::unknown_code;
        return nothing;
    }
    verify::Request request{.presented = preview_->presented,
                            .persons = persons,
                            .staff_confirmed = staff_confirmed,
                            .chosen = chosen,
                            .awaits_passage = false,
                            .only_look = false};
    const verify::Wiped number{request.presented.text};
    verify::Answer answer = check(request);
    if (answer.grant_seq) {
        last_ = Grant{*answer.grant_seq, answer.verdict.persons, now};
        forget();
    }
    return answer;
}

bool Handheld::undo(SteadyTime now, const Write& write) {
    if (!last_ || now - last_->at > undo_within_ms) return false;
    // Not kept for later when the disk refuses: staff were told that it did not happen.
    if (!write(Outcome{.grant_seq = last_->seq,
                       .passed = 0,
                       .returned = last_->persons,
                       .how = Outcome::How::staff_undo}))
        return false;
    last_.reset();
    return true;
}

void Handheld::tick(SteadyTime now) {
    if (preview_ && now - preview_->at >= preview_within_ms) forget();
}

std::optional<SteadyTime> Handheld::wake_at() const {
    return preview_ ? std::optional{preview_->at + preview_within_ms} : std::nullopt;
}

}  // namespace pf::firmware::handheld
