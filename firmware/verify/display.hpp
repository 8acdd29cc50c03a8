#pragma once
// An answer in words: what light, sound, voice and screen tell the people at the device.
#include "firmware/ports/cue.hpp"
#include "firmware/verify/verifier.hpp"

namespace pf::firmware::verify {

ports::Display make_display(const Answer& answer, const Standing& standing);

}  // namespace pf::firmware::verify
