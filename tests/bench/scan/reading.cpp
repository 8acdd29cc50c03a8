#include "tests/bench/scan/reading.hpp"

#include <ZXing/ReadBarcode.h>

#include <array>

#include "tests/support/rng.hpp"

namespace pf::bench {

using namespace pf::firmware::scan;
namespace frames = pf::boards::sim::frames;

namespace {

ZXing::DecodeHints decode_hints(const Hints& hints) {
    return ZXing::DecodeHints()
        .setFormats(ZXing::BarcodeFormat::QRCode)
        .setTryRotate(false)
        .setTryHarder(hints.harder)
        .setTryDownscale(hints.downscale_from_px > 0)
        .setDownscaleThreshold(static_cast<std::uint16_t>(hints.downscale_from_px))
        .setDownscaleFactor(static_cast<std::uint8_t>(hints.downscale_factor))
        .setBinarizer(hints.global_threshold ? ZXing::Binarizer::GlobalHistogram
                                             : ZXing::Binarizer::LocalAverage);
}

ZXing::ImageView view_of(const LumaFrame& frame) {
    return {frame.pixels.data(), frame.width, frame.height, ZXing::ImageFormat::Lum, frame.stride};
}

std::string text_of(const ZXing::Result& result) {
    const ZXing::ByteArray& bytes = result.bytes();
    return {bytes.begin(), bytes.end()};
}

/// The share of `drawn` in `seen`; what is in `seen` but was not drawn is wrong.
double share_read(const Texts& seen, const Texts& drawn) {
    std::size_t read = 0;
    for (const std::string& text : drawn) read += seen.count(text);
    return static_cast<double>(read) / static_cast<double>(drawn.size());
}

int count_wrong(const Texts& seen, const Texts& drawn) {
    int wrong = 0;
    for (const std::string& text : seen) wrong += drawn.contains(text) ? 0 : 1;
    return wrong;
}

}  // namespace

std::string ticket_text(std::uint64_t seed) {
    constexpr std::string_view alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
    constexpr std::array<std::size_t, 4> lengths{218, 218, 60, 330};
    tests::Rng rng(seed);
    std::string text = "PF1:";
    while (text.size() < lengths[seed % lengths.size()]) text += rng.pick(alphabet);
    return text;
}

Texts read_plainly(const LumaFrame& frame, const Hints& hints) {
    Texts texts;
    for (const auto& result : ZXing::ReadBarcodes(
             view_of(frame), decode_hints(hints).setMaxNumberOfSymbols(codes_per_frame_max))) {
        if (result.isValid()) texts.insert(text_of(result));
    }
    return texts;
}

std::string read_one_plainly(const LumaFrame& frame, const Hints& hints) {
    return text_of(ZXing::ReadBarcode(view_of(frame), decode_hints(hints)));
}

Texts texts_of(const Outcome& outcome) {
    Texts texts;
    for (const Reading& reading : outcome.readings) {
        texts.emplace(reading.bytes.begin(), reading.bytes.end());
    }
    return texts;
}

Score& Score::operator+=(const Score& other) {
    scenes += other.scenes;
    floor += other.floor;
    subject += other.subject;
    floor_wrong += other.floor_wrong;
    subject_wrong += other.subject_wrong;
    for (const auto& [strategy, codes] : other.by_strategy) by_strategy[strategy] += codes;
    return *this;
}

Score score(frames::Defect defect, int severity, std::uint64_t seed, const Hints& floor_hints) {
    Texts drawn;
    std::vector<frames::Matrix> codes;
    for (int i = 0; i < frames::codes_in(defect, severity); ++i) {
        // Beside the ticket lie vouchers, as short as most codes of other people.
        const std::uint64_t which = i == 0 ? seed : seed * 100 + 4 * static_cast<unsigned>(i) + 2;
        const std::string text = ticket_text(which);
        drawn.insert(text);
        codes.push_back(frames::render_qr(text).value());
    }
    const frames::Scene scene = frames::hard_scene(defect, severity, seed, codes);
    Score score{.scenes = 1};
    Texts floor;
    Texts subject;
    Pipeline pipeline;
    for (int shot = 1; shot <= frames_per_scene; ++shot) {
        const bool floor_done = share_read(floor, drawn) == 1;
        const bool subject_done = share_read(subject, drawn) == 1;
        if (floor_done && subject_done) break;  // nothing more to win; a wrong read is no aim
        const LumaFrame frame = scene.frame(shot);
        if (!floor_done) floor.merge(read_plainly(frame, floor_hints));
        if (subject_done) continue;
        // What a camera gives each frame, but counted only: a clock would make the figure random.
        const Outcome outcome =
            pipeline.read(frame, camera_budget(static_cast<std::uint64_t>(shot), camera_work_max,
                                               std::chrono::microseconds{0}, {}));
        for (const Reading& reading : outcome.readings) {
            std::string text{reading.bytes.begin(), reading.bytes.end()};
            if (subject.insert(std::move(text)).second)
                ++score.by_strategy[std::string{to_text(reading.strategy)}];
        }
    }
    score.floor = share_read(floor, drawn);
    score.subject = share_read(subject, drawn);
    score.floor_wrong = count_wrong(floor, drawn);
    score.subject_wrong = count_wrong(subject, drawn);
    return score;
}

Score score_decoy(frames::Decoy decoy, std::uint64_t seed) {
    const frames::DecoyFrame shown = frames::decoy_frame(decoy, seed);
    Texts drawn;
    if (!shown.text.empty()) drawn.insert(shown.text);
    const Texts floor = read_plainly(shown.frame, best_hints);
    const Texts subject = texts_of(Pipeline{}.read(shown.frame, {.exhaustive = true}));
    Score score{.scenes = 1};
    score.floor = static_cast<double>(floor.count(shown.text));
    score.subject = static_cast<double>(subject.count(shown.text));
    score.floor_wrong = count_wrong(floor, drawn);
    score.subject_wrong = count_wrong(subject, drawn);
    return score;
}

}  // namespace pf::bench
