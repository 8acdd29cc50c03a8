#include "firmware/scan/pipeline.hpp"

#include <ZXing/ReadBarcode.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <optional>
#include <utility>

#include "firmware/scan/enhance.hpp"
#include "firmware/scan/grid.hpp"
#include "firmware/scan/sampler.hpp"

namespace pf::firmware::scan {

namespace {

constexpr int qr_side_px_min = 21;  // one pixel a module of the smallest QR code
constexpr std::uint16_t downscale_from_px = 100;
constexpr std::uint8_t downscale_factor = 2;

struct About {
    Strategy strategy;
    std::string_view name;
    int cost;  // of a pixel
};
constexpr std::array table{
    About{Strategy::plain, "plain", 1},
    About{Strategy::downscaled, "downscaled", 2},
    About{Strategy::inverted, "inverted", 5},
    About{Strategy::contrast_stretched, "contrast_stretched", 5},
    About{Strategy::sharpened, "sharpened", 5},
    About{Strategy::smoothed, "smoothed", 5},
    About{Strategy::enlarged, "enlarged", 5},
    About{Strategy::straightened, "straightened", 8},
};
static_assert(std::ranges::equal(table, strategies, {}, &About::strategy));

const About& about(Strategy strategy) {
    const auto found = std::ranges::find(table, strategy, &About::strategy);
    if (found == table.end()) std::abort();  // a value outside the enum means memory is corrupt
    return *found;
}

// Radii in pixels and gains were chosen on the tuning scenes of tests/bench/scan, whose modules
// measure 1 to 9 pixels.
constexpr Band inverted_band{.fine_px = 0, .coarse_px = 16, .gain = 4};
constexpr Band contrast_band{.fine_px = 0, .coarse_px = 16, .gain = 6};
constexpr Band sharpened_band{.fine_px = 1, .coarse_px = 6, .gain = 4};
constexpr Band smoothed_band{.fine_px = 2, .coarse_px = 10, .gain = 6};
constexpr Band straightened_band{.fine_px = 1, .coarse_px = 16, .gain = 6};
constexpr Band enlarged_band{.fine_px = 0, .coarse_px = 4, .gain = 4};

ZXing::BarcodeFormats formats_of(Symbologies symbologies) {
    ZXing::BarcodeFormats formats = ZXing::BarcodeFormat::QRCode;
    if (symbologies.aztec) formats |= ZXing::BarcodeFormat::Aztec;
    if (symbologies.data_matrix) formats |= ZXing::BarcodeFormat::DataMatrix;
    if (symbologies.pdf417) formats |= ZXing::BarcodeFormat::PDF417;
    return formats;
}

std::optional<Symbology> symbology_of(ZXing::BarcodeFormat format) {
    if (format == ZXing::BarcodeFormat::QRCode) return Symbology::qr;
    if (format == ZXing::BarcodeFormat::Aztec) return Symbology::aztec;
    if (format == ZXing::BarcodeFormat::DataMatrix) return Symbology::data_matrix;
    if (format == ZXing::BarcodeFormat::PDF417) return Symbology::pdf417;
    return std::nullopt;
}

ZXing::DecodeHints hints_for(Strategy strategy, Symbologies symbologies) {
    const bool thorough = strategy != Strategy::plain;
    return ZXing::DecodeHints()
        .setFormats(formats_of(symbologies))
        .setBinarizer(ZXing::Binarizer::LocalAverage)
        .setTryHarder(thorough)
        .setTryRotate(thorough && symbologies.pdf417)  // changes nothing for matrix codes
        .setTryDownscale(thorough)
        .setDownscaleThreshold(downscale_from_px)
        .setDownscaleFactor(downscale_factor)
        .setMaxNumberOfSymbols(codes_per_frame_max);
}

/// What the decoder gets, and where in the frame it lies.
struct Seen {
    const LumaFrame& picture;
    int left = 0;
    int top = 0;
    int scale = 1;  // pixels of the picture to one of the frame
};

using Corners = std::array<Point, 4>;

Corners corners_of(const ZXing::Position& position, const Seen& seen) {
    Corners corners;
    for (std::size_t i = 0; i < corners.size(); ++i) {
        const auto corner = position[static_cast<int>(i)];
        corners[i] = {seen.left + corner.x / seen.scale, seen.top + corner.y / seen.scale};
    }
    return corners;
}

void keep(const ZXing::Result& result, const Corners& corners, Strategy strategy,
          Outcome& outcome) {
    const auto symbology = symbology_of(result.format());
    if (!result.isValid() || !symbology) return;
    // A part is not the code: its bytes alone could mean something else.
    if (result.isPartOfSequence()) {
        ++outcome.parts_skipped;
        return;
    }
    const ZXing::ByteArray& bytes = result.bytes();
    if (bytes.empty() || bytes.size() > code_bytes_max) return;
    const bool known = std::ranges::any_of(outcome.readings, [&](const Reading& reading) {
        return std::ranges::equal(reading.bytes, bytes);
    });
    if (known || outcome.readings.size() >= codes_per_frame_max) return;
    outcome.readings.push_back({.bytes = Bytes(bytes.begin(), bytes.end()),
                                .symbology = *symbology,
                                .strategy = strategy,
                                .corners = corners});
}

void look(const Seen& seen, Strategy strategy, Symbologies symbologies, Outcome& outcome) {
    const LumaFrame& picture = seen.picture;
    const ZXing::ImageView view{picture.pixels.data(), picture.width, picture.height,
                                ZXing::ImageFormat::Lum, picture.stride};
    try {
        for (const auto& result : ZXing::ReadBarcodes(view, hints_for(strategy, symbologies))) {
            keep(result, corners_of(result.position(), seen), strategy, outcome);
        }
    } catch (const std::exception&) {
        // The picture is a stranger's and the decoder is not ours: what it throws must not end the
        // gate. The try counts as failed and is reported as such.
        ++outcome.decoder_failures;
    }
}

/// Whether the drawing decodes, new or not.
bool look_at_drawing(const CleanCode& code, Outcome& outcome) {
    const auto hints =
        ZXing::DecodeHints().setFormats(ZXing::BarcodeFormat::QRCode).setIsPure(true);
    const ZXing::ImageView view{code.picture.pixels.data(), code.picture.width, code.picture.height,
                                ZXing::ImageFormat::Lum};
    Corners corners;
    for (std::size_t i = 0; i < corners.size(); ++i) {
        corners[i] = {static_cast<int>(code.corners[i].x), static_cast<int>(code.corners[i].y)};
    }
    try {
        const auto result = ZXing::ReadBarcode(view, hints);
        keep(result, corners, Strategy::straightened, outcome);
        return result.isValid();
    } catch (const std::exception&) {
        ++outcome.decoder_failures;  // as in look()
        return false;
    }
}

}  // namespace

Budget camera_budget(std::uint64_t frame, Work work_max, std::chrono::microseconds elapsed_max,
                     Stopwatch stopwatch) {
    const bool exhaustive = frame % exhaustive_every_frames == 0;
    return {.work_max = exhaustive ? std::numeric_limits<Work>::max() : work_max,
            .elapsed_max = elapsed_max,
            .stopwatch = std::move(stopwatch),
            .exhaustive_when_held = exhaustive};
}

std::int64_t straightened_samples_max(const LumaFrame& frame) {
    return cost_of(Strategy::straightened) * Work{frame.width} * frame.height;
}

void Pipeline::attempt(const LumaFrame& frame, Strategy strategy,
                       const std::function<bool()>& may_go_on, Outcome& outcome) {
    outcome.tried.push_back(strategy);
    outcome.work += cost_of(strategy) * Work{frame.width} * frame.height;
    const auto look_at = [&](const Seen& seen) { look(seen, strategy, symbologies_, outcome); };
    switch (strategy) {
        case Strategy::plain:
        case Strategy::downscaled:
            return look_at({frame});
        case Strategy::inverted:
            pass_band(frame, inverted_band, changed_);
            invert(changed_);
            return look_at({changed_});
        case Strategy::contrast_stretched:
            pass_band(frame, contrast_band, changed_);
            return look_at({changed_});
        case Strategy::sharpened:
            pass_band(frame, sharpened_band, changed_);
            return look_at({changed_});
        case Strategy::smoothed:
            pass_band(frame, smoothed_band, changed_);
            return look_at({changed_});
        case Strategy::enlarged: {
            const Window window = busiest_window(frame);
            enlarge(frame, window, enlarged_);
            pass_band(enlarged_, enlarged_band, changed_);
            return look_at({changed_, window.left, window.top, 2});
        }
        case Strategy::straightened: {
            pass_band(frame, straightened_band, changed_);
            Sampler greys{frame, straightened_samples_max(frame), may_go_on};
            for (const Triple& triple : triples_of(find_patterns(changed_))) {
                straighten(greys, triple,
                           [&](const CleanCode& code) { return look_at_drawing(code, outcome); });
            }
            outcome.samples += greys.taken();
            return;
        }
    }
    std::abort();  // a value outside the enum means memory is corrupt
}

Outcome Pipeline::read(const LumaFrame& frame, const Budget& budget) {
    Outcome outcome;
    if (std::min(frame.width, frame.height) < qr_side_px_min) return outcome;
    const bool timed = budget.stopwatch && budget.elapsed_max.count() > 0;
    const auto begun = timed ? budget.stopwatch() : std::chrono::microseconds{0};
    const auto in_time = [&] { return !timed || budget.stopwatch() - begun < budget.elapsed_max; };

    attempt(frame, Strategy::plain, in_time, outcome);
    const bool look_on = budget.exhaustive || (budget.exhaustive_when_held && read_before_);
    constexpr std::size_t harder = strategies.size() - 1;
    const std::size_t first = harder_first_;
    const bool held = misses_left_ > 0;
    const Work pixels = Work{frame.width} * frame.height;
    bool found = false;
    bool tried = false;
    std::size_t go_on_at = first;
    for (std::size_t i = 0; i < harder; ++i) {
        const bool wanted = outcome.readings.empty() || look_on || (held && i == 0);
        const std::size_t next = (first + i) % harder;
        // On a frame so large that `plain` is more than the budget, who is held before the camera
        // is still looked for.
        const Work work_max =
            held && i == 0 ? std::max(budget.work_max, 2 * pixels) : budget.work_max;
        if (!wanted || outcome.work >= work_max || !in_time()) {
            go_on_at = next;
            break;
        }
        const std::size_t before = outcome.readings.size();
        attempt(frame, strategies[next + 1], in_time, outcome);
        tried = true;
        if (!found && outcome.readings.size() > before) {
            found = true;
            harder_first_ = next;
        }
    }
    if (found) {
        misses_left_ = held_misses_max;
    } else if (tried) {
        if (held) --misses_left_;
        if (misses_left_ == 0) harder_first_ = go_on_at;
    }
    read_before_ = !outcome.readings.empty();
    for (LumaFrame* made : {&changed_, &enlarged_}) {
        if (made->pixels.capacity() > kept_bytes_max) *made = LumaFrame{};
    }
    return outcome;
}

std::string_view to_text(Strategy strategy) noexcept { return about(strategy).name; }

int cost_of(Strategy strategy) noexcept { return about(strategy).cost; }

std::string_view to_text(Symbology symbology) noexcept {
    switch (symbology) {
        case Symbology::qr:
            return "qr";
        case Symbology::aztec:
            return "aztec";
        case Symbology::data_matrix:
            return "data_matrix";
        case Symbology::pdf417:
            return "pdf417";
    }
    std::abort();  // a value outside the enum means memory is corrupt
}

}  // namespace pf::firmware::scan
