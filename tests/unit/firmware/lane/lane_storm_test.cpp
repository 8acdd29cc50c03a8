// Random storms of events: what must hold whatever people, sensors and the clock do.
#include <doctest/doctest.h>

#include <map>

#include "tests/support/rng.hpp"
#include "tests/unit/firmware/lane/words.hpp"

namespace {

using namespace pf;
using namespace pf::tests;

/// Plays one storm and checks every step of it.
class Storm {
public:
    Storm(std::uint64_t seed, bool senses_passage) : rng_{seed} {
        settings_.senses_passage = senses_passage;
    }

    void run(int steps) {
        for (int i = 0; i < steps; ++i) one_step();
        finish();
    }
    int alarms() const { return alarms_; }
    int returns() const { return returns_; }
    std::size_t grants() const { return granted_.size(); }

private:
    void one_step() {
        // Often no time at all, sometimes far beyond every deadline.
        now_ += Millis{rng_.percent(50) ? 0 : rng_.between(0, 7'000)};
        const std::uint64_t die = rng_.below(100);
        if (die < 30)
            grant();
        else if (die < 55)
            play(lane::Tick{});
        else if (die < 75)
            play(BarrierEvent::passed);
        else
            play(static_cast<BarrierEvent>(1 + rng_.below(8)));
    }

    /// A good caller asks ready(); one in five does not.
    void grant() {
        if (!lane::ready(state_) && rng_.percent(80)) return;
        const auto persons = static_cast<std::uint16_t>(rng_.below(6));
        granted_[++seq_] = persons;
        if (rng_.percent(20))
            play(lane::Commanded{seq_, persons});
        else
            play(lane::Granted{seq_, persons});
    }

    void play(const lane::Event& event) {
        const lane::State before = state_;
        const lane::Step next = lane::step(state_, event, now_, settings_);
        state_ = next.state;
        if (const auto* barrier = std::get_if<BarrierEvent>(&event)) {
            if (*barrier == BarrierEvent::fire_on) fire_ = true;
            if (*barrier == BarrierEvent::fire_off) fire_ = false;
        }
        CHECK(std::holds_alternative<lane::Emergency>(state_) == fire_);
        for (const lane::Action& action : next.actions) check(action, before);
    }

    void check(const lane::Action& action, const lane::State& before) {
        if (std::holds_alternative<lane::Lock>(action)) CHECK_FALSE(fire_);
        if (std::holds_alternative<lane::Pulse>(action)) check_pulse();
        if (!std::holds_alternative<lane::Record>(action)) return;
        const auto& body = std::get<lane::Record>(action).body;
        if (const auto* outcome = std::get_if<pf::journal::Outcome>(&body))
            check_outcome(*outcome, before);
        else if (const auto* let_in = std::get_if<pf::journal::LetIn>(&body))
            check_outcome({let_in->opened_seq, let_in->passed, 0, let_in->how}, before);
        else
            ++alarms_;
    }

    /// Never a pulse without a grant, and never more pulses than persons granted.
    void check_pulse() {
        const auto* open = std::get_if<lane::Open>(&state_);
        REQUIRE(open != nullptr);
        CHECK_FALSE(fire_);
        CHECK(granted_.contains(open->grant_seq));
        CHECK_FALSE(ended_.contains(open->grant_seq));
        CHECK(++pulses_[open->grant_seq] <= granted_[open->grant_seq]);
    }

    void check_outcome(const pf::journal::Outcome& outcome, const lane::State& before) {
        REQUIRE(granted_.contains(outcome.grant_seq));
        CHECK_FALSE(ended_.contains(outcome.grant_seq));  // exactly one a grant
        ended_[outcome.grant_seq] = true;
        CHECK(outcome.passed + outcome.returned <= granted_[outcome.grant_seq]);
        CHECK(outcome.passed <= pulses_[outcome.grant_seq]);
        if (outcome.returned == 0) return;
        ++returns_;
        CHECK(settings_.senses_passage);
        CHECK(outcome.how == pf::journal::Outcome::How::timeout);
        const auto* open = std::get_if<lane::Open>(&before);
        REQUIRE(open != nullptr);
        CHECK(now_ >= open->deadline);
    }

    /// When the storm is over, what is still open ends by itself.
    void finish() {
        for (int i = 0; i < 6; ++i) {  // a blind lane takes a wait for each of a group
            now_ += Millis{60'000};
            play(lane::Tick{});
        }
        CHECK(ended_.size() == granted_.size());
        CHECK_FALSE(lane::wake_at(state_).has_value());
    }

    Rng rng_;
    lane::Settings settings_;
    lane::State state_{lane::Idle{}};
    SteadyTime now_{};
    std::uint64_t seq_ = 0;
    bool fire_ = false;
    int alarms_ = 0;
    int returns_ = 0;
    std::map<std::uint64_t, std::uint16_t> granted_;
    std::map<std::uint64_t, int> pulses_;
    std::map<std::uint64_t, bool> ended_;
};

TEST_CASE("storms") {
    int returns = 0;
    int alarms = 0;
    std::size_t grants = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        CAPTURE(seed);
        Storm storm{seed, seed % 4 != 0};
        storm.run(300);
        returns += storm.returns();
        alarms += storm.alarms();
        grants += storm.grants();
    }
    // The storms reached what they are about.
    CHECK(returns > 100);
    CHECK(alarms > 1'000);
    CHECK(grants > 5'000);
}

}  // namespace
