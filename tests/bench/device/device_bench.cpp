// What a visitor waits for: the decision, and the whole way from a picture to the arm.
#include <deque>

#include "boards/sim/frames/frames.hpp"
#include "firmware/verify/verifier.hpp"
#include "tests/bench/crypto/openssl_key.hpp"
#include "tests/bench/device/floor.hpp"
#include "tests/bench/device/gate.hpp"
#include "tests/bench/device/lane.hpp"
#include "tests/bench/row.hpp"

using namespace pf;
using bench::require;
namespace frames = boards::sim::frames;
namespace verify = firmware::verify;

namespace {

constexpr std::size_t codes = 10'000;  // a site's ordinary list

/// One mbedTLS verify of the same bytes is the floor; OpenSSL's is printed beside it.
std::vector<bench::Row> decision(const bench::Asked& asked) {
    bench::Gate gate{static_cast<std::size_t>(asked.size(codes, 100))};
    const auto device = gate.start();
    verify::Verifier verifier{device->journal(), device->cache(), *DeviceId::parse("gate-1")};
    std::string text = gate.ticket();
    verify::Request request{.presented = {verify::Presented::Kind::code, text},
                            .persons = {},
                            .chosen = {},
                            .only_look = true};  // everything but the commit
    const bench::Es256 floor{text, gate.authority().public_key()};
    const bench::OpenSslKey openssl{gate.authority().to_pem()};
    const Bytes theirs = openssl.sign(floor.message());

    const auto figure = bench::alternate(
        asked.rounds(100),
        [&] {
            const verify::Answer answer = verifier.check(
                request, device->standing(), device->timekeeper(),
                {gate.clock().wall(), gate.clock().steady()}, BootId{11}, device->online());
            require(answer.verdict.kind == admission::Verdict::Kind::admit, "it would be admitted");
        },
        [&] { floor.verify(); });
    const auto theirs_us = bench::median_us(
        100, [&] { require(openssl.verify(floor.message(), theirs), "OpenSSL verifies"); });
    auto row = bench::row_of("decision", "us", figure, bench::Target{1.2},
                             "floor: one mbedTLS ES256 verify of the same bytes");
    row.details.emplace_back("openssl_verify", theirs_us);
    return {row};
}

/// Buffers as a camera fills them, each with another ticket, taken at other angles.
class Pictures {
public:
    Pictures(bench::Gate& gate, int count) {
        for (int i = 0; i < count; ++i) {
            const std::string text = gate.ticket();
            const auto matrix = frames::render_qr(std::string_view{text});
            require(matrix.has_value(), "the ticket fits a code");
            frames::FrameOptions options;
            options.seed = static_cast<std::uint64_t>(i) + 1;
            options.width = 1280;
            options.height = 720;
            options.rotation_deg = i % 40 - 20;
            options.tilt_deg = 10;
            options.noise = 4;
            taken_.push_back({text, frames::make_frame(*matrix, options)});
        }
    }
    struct Picture {
        std::string text;
        firmware::scan::LumaFrame frame;
    };
    const Picture& at(int index) const { return taken_.at(static_cast<std::size_t>(index)); }

private:
    std::deque<Picture> taken_;
};

std::vector<bench::Row> scan_to_pulse(const bench::Asked& asked) {
    bench::Gate gate{static_cast<std::size_t>(asked.size(codes, 100))};
    bench::Lane lane{gate};
    bench::DurableTable table{gate.folder() + "/floor.db"};
    const bench::Rounds rounds = asked.rounds(50);
    const Pictures pictures{gate, rounds.rounds * rounds.calls};
    const crypto::PublicKey key = gate.authority().public_key();
    // Both sides see the pictures of a round, in turns that give neither a frame the other has just
    // warmed, and both come from another frame, as a camera does.
    int taken = 0;
    const auto next = [&](bool subject) -> const Pictures::Picture& {
        const int round = taken / (2 * rounds.calls), call = taken / 2 % rounds.calls;
        ++taken;
        const int first = round * rounds.calls;
        (void)bench::zxing_decode(
            pictures.at(first + (call + rounds.calls / 3) % rounds.calls).frame);
        return pictures.at(first + (subject ? rounds.calls - 1 - call : call));
    };
    const auto figure = bench::alternate(
        rounds, [&] { return lane.scan(next(true).frame.pixels); },
        [&] {
            const auto& picture = next(false);
            const bench::Es256 signature{picture.text, key};
            return bench::median_us(1, [&] {
                require(bench::zxing_decode(picture.frame) == picture.text, "ZXing reads it right");
                signature.verify();
                table.commit_one();
            });
        });
    auto row = bench::row_of("scan_to_pulse", "us", figure, bench::Target{1.15},
                             "floor: one ZXing decode of the frame, one ES256 verify, one durable "
                             "commit");
    const auto& picture = pictures.at(0);
    const bench::Es256 signature{picture.text, key};
    const int calls = asked.size(50, 2);
    row.details.emplace_back(
        "floor_decode", bench::median_us(calls, [&] { (void)bench::zxing_decode(picture.frame); }));
    row.details.emplace_back("floor_verify", bench::median_us(calls, [&] { signature.verify(); }));
    row.details.emplace_back("floor_commit", bench::median_us(calls, [&] { table.commit_one(); }));
    return {row};
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run(argc, argv, {{"decision", decision}, {"scan_to_pulse", scan_to_pulse}});
}
