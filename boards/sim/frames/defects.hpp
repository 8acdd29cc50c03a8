#pragma once
// Scenes that are hard to read, and scenes without a ticket: what the figures of `tests/bench/scan`
// are taken over.
#include <array>
#include <string>
#include <string_view>

#include "boards/sim/frames/frames.hpp"

namespace pf::boards::sim::frames {

enum class Defect {
    glare,       // a lamp mirrored by foil or glass
    damage,      // scratches, blots and dirt on paper
    low_light,   // little light and much noise
    curve,       // wrapped around a cylinder, from a bottle to a finger
    defocus,     // held at the wrong distance
    motion,      // moved while the shutter was open
    inversion,   // dark mode, ever weaker
    small,       // far away: from 2.4 pixels a module down to 1
    very_large,  // so near that it fills the picture, shades itself and is not quite sharp
    several,     // two to eight codes in one picture, every third in dark mode
};
inline constexpr std::array defects{
    Defect::glare,  Defect::damage,    Defect::low_light, Defect::curve,      Defect::defocus,
    Defect::motion, Defect::inversion, Defect::small,     Defect::very_large, Defect::several};
std::string_view to_text(Defect defect) noexcept;
std::optional<Defect> defect_from(std::string_view text);

/// 1 is what a gate sees every day; 8 is about where no reader can succeed any more.
inline constexpr int severity_max = 8;

/// Codes before a camera, of which any number of pictures can be taken.
struct Scene {
    std::vector<Placed> codes{};
    FrameOptions options{};

    /// @param shot from 1: other noise, and the hand has moved a little
    firmware::scan::LumaFrame frame(int shot) const;
};

/// How many codes `hard_scene` takes; 1 but for `Defect::several`.
int codes_in(Defect defect, int severity);
/// @param codes codes_in(defect, severity) of them; the first is the one the defect befalls
/// @param seed  decides turn and tilt too, at most 30 and 15 degrees
Scene hard_scene(Defect defect, int severity, std::uint64_t seed, std::span<const Matrix> codes);

/// What a camera sees between two visitors.
enum class Decoy {
    poster,        // shapes, shades and lines of writing
    noise,         // a lens cap, a wall, snow
    stripes,       // linear codes of bottles and wristbands
    blocks,        // two-dimensional codes that mean nothing: textures with borders and bull's eyes
    broken_code,   // a QR code of which too little is left
    foreign_code,  // somebody else's QR code, whole but not easy
};
inline constexpr std::array decoys{Decoy::poster, Decoy::noise,       Decoy::stripes,
                                   Decoy::blocks, Decoy::broken_code, Decoy::foreign_code};
std::string_view to_text(Decoy decoy) noexcept;

struct DecoyFrame {
    firmware::scan::LumaFrame frame{};
    std::string text{};  // of the code that is drawn whole; empty: there is none
};
DecoyFrame decoy_frame(Decoy decoy, std::uint64_t seed);

}  // namespace pf::boards::sim::frames
