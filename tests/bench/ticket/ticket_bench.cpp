// How big a ticket is on paper: bytes of COSE, and the QR version at level M that carries its text.
#include <fmt/format.h>
#include <qrencode.h>

#include <memory>

#include "tests/bench/row.hpp"
#include "tests/unit/common/ticket/tickets.hpp"

using namespace pf;

namespace {

constexpr bench::Target bytes_target{144};
constexpr bench::Target version_target{8};

int version_at_m(const std::string& text) {
    // QR_MODE_8 finds alphanumeric stretches itself.
    const std::unique_ptr<QRcode, decltype(&QRcode_free)> code{
        QRcode_encodeString(text.c_str(), 0, QR_ECLEVEL_M, QR_MODE_8, 1), &QRcode_free};
    bench::require(code != nullptr, "the ticket fits a QR code");
    return code->version;
}

struct Size {
    std::size_t cose_bytes;
    std::size_t characters;
    int version;
};

Size size_of(const ticket::Claims& claims) {
    const auto key = tests::example_key();
    const std::string text = ticket::seal(claims, key, crypto::key_id(key.public_key()));
    const auto read = ticket::read(text);
    bench::require(read.has_value() && read->token.claims == claims, "the ticket reads as written");
    return {read->cose_bytes, text.size(), version_at_m(text)};
}

std::vector<bench::Row> rows_of(const std::string& name, const ticket::Claims& claims,
                                bool judged) {
    const Size size = size_of(claims);
    const auto target = [&](bench::Target value) {
        return judged ? std::optional{value} : std::nullopt;
    };
    return {{.name = name,
             .unit = "bytes",
             .measured = static_cast<double>(size.cose_bytes),
             .target = target(bytes_target),
             .notes = fmt::format("{} characters, QR version {}-M", size.characters, size.version)},
            {.name = name + ".version",
             .unit = "QR-M",
             .measured = static_cast<double>(size.version),
             .target = target(version_target)}};
}

std::vector<bench::Row> take(const bench::Asked&) {
    std::vector<bench::Row> rows = rows_of("ticket_size", tests::typical_claims(), true);
    for (const auto& [name, claims] : {std::pair{"ticket_size.joint", tests::joint_of_three()},
                                       std::pair{"ticket_size.worst", tests::worst_claims()}})
        for (bench::Row& row : rows_of(name, claims, false)) rows.push_back(std::move(row));
    return rows;
}

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv, {{"ticket_size", take}}); }
