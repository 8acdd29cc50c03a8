#include "firmware/scan/pipeline.hpp"

#include <ZXing/ReadBarcode.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <optional>
#include <utility>

#include "firmware/scan/enhance.hpp"

namespace pf::firmware::scan {

namespace {

constexpr int qr_side_px_min = 21;  // one pixel a module of the smallest QR code
constexpr std::uint16_t downscale_from_px = 300;
constexpr std::uint8_t downscale_factor = 2;

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

std::array<Point, 4> corners_of(const ZXing::Position& position) {
    std::array<Point, 4> corners;
    for (std::size_t i = 0; i < corners.size(); ++i) {
        corners[i] = {position[static_cast<int>(i)].x, position[static_cast<int>(i)].y};
    }
    return corners;
}

void keep(const ZXing::Result& result, Strategy strategy, Outcome& outcome) {
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
                                .corners = corners_of(result.position())});
}

void look(const LumaFrame& frame, Strategy strategy, Symbologies symbologies, Outcome& outcome) {
    const ZXing::ImageView view{frame.pixels.data(), frame.width, frame.height,
                                ZXing::ImageFormat::Lum, frame.stride};
    try {
        for (const auto& result : ZXing::ReadBarcodes(view, hints_for(strategy, symbologies))) {
            keep(result, strategy, outcome);
        }
    } catch (const std::exception&) {
        // The picture is a stranger's and the decoder is not ours: what it throws must not end the
        // gate. The try counts as failed and is reported as such.
        ++outcome.decoder_failures;
    }
}

void attempt(const LumaFrame& frame, Strategy strategy, Symbologies symbologies, Outcome& outcome) {
    outcome.tried.push_back(strategy);
    switch (strategy) {
        case Strategy::plain:
        case Strategy::downscaled:
            return look(frame, strategy, symbologies, outcome);
        case Strategy::inverted:
            return look(inverted(frame), strategy, symbologies, outcome);
        case Strategy::contrast_stretched:
            return look(contrast_stretched(frame), strategy, symbologies, outcome);
        case Strategy::inverted_stretched:
            return look(contrast_stretched(inverted(frame)), strategy, symbologies, outcome);
    }
    std::abort();  // a value outside the enum means memory is corrupt
}

}  // namespace

Budget camera_budget(std::uint64_t frame, int tries_per_frame,
                     std::chrono::microseconds elapsed_max, Stopwatch stopwatch) {
    const bool exhaustive = frame % exhaustive_every_frames == 0;
    return {.tries_max = exhaustive ? static_cast<int>(strategies.size()) : tries_per_frame,
            .elapsed_max = elapsed_max,
            .stopwatch = std::move(stopwatch),
            .exhaustive = exhaustive};
}

Outcome Pipeline::read(const LumaFrame& frame, const Budget& budget) {
    Outcome outcome;
    if (std::min(frame.width, frame.height) < qr_side_px_min) return outcome;
    const bool timed = budget.stopwatch && budget.elapsed_max.count() > 0;
    const auto begun = timed ? budget.stopwatch() : std::chrono::microseconds{0};
    const auto spent = [&] {
        return static_cast<int>(outcome.tried.size()) >= budget.tries_max ||
               (timed && budget.stopwatch() - begun >= budget.elapsed_max);
    };

    attempt(frame, Strategy::plain, symbologies_, outcome);
    constexpr std::size_t harder = strategies.size() - 1;
    const std::size_t first = harder_first_;
    const bool held = misses_left_ > 0;
    bool found = false;
    bool tried = false;
    std::size_t go_on_at = first;
    for (std::size_t i = 0; i < harder; ++i) {
        const bool wanted = outcome.readings.empty() || budget.exhaustive || (held && i == 0);
        const std::size_t next = (first + i) % harder;
        if (!wanted || spent()) {
            go_on_at = next;
            break;
        }
        const std::size_t before = outcome.readings.size();
        attempt(frame, strategies[next + 1], symbologies_, outcome);
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
    return outcome;
}

std::string_view to_text(Strategy strategy) noexcept {
    switch (strategy) {
        case Strategy::plain:
            return "plain";
        case Strategy::downscaled:
            return "downscaled";
        case Strategy::inverted:
            return "inverted";
        case Strategy::contrast_stretched:
            return "contrast_stretched";
        case Strategy::inverted_stretched:
            return "inverted_stretched";
    }
    std::abort();  // a value outside the enum means memory is corrupt
}

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
