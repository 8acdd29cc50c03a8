// How big a ticket is on paper. A phone at arm's length reads version 8; much more is trouble.
#include <doctest/doctest.h>
#include <qrencode.h>

#include <memory>

#include "tests/unit/common/ticket/tickets.hpp"

using namespace pf;
using namespace pf::tests;

namespace {

int qr_version_at_m(const std::string& text) {
    // QR_MODE_8 finds alphanumeric stretches itself; QR_MODE_AN is refused here.
    const std::unique_ptr<QRcode, decltype(&QRcode_free)> code{
        QRcode_encodeString(text.c_str(), 0, QR_ECLEVEL_M, QR_MODE_8, 1), &QRcode_free};
    REQUIRE(code);
    return code->version;
}

}  // namespace

TEST_CASE("a ticket fits a QR code that cheap scanners read") {
    struct Case {
        const char* what;
        ticket::Claims claims;
        std::size_t cose_bytes_max;
        int version_max;
    };
    const Case cases[] = {
        {"typical", typical_claims(), 144, 8},
        {"joint of three", joint_of_three(), 144, 8},
        {"worst", worst_claims(), 340, 14},
    };
    const auto key = example_key();
    for (const Case& c : cases) {
        CAPTURE(c.what);
        const std::string text = ticket::seal(c.claims, key, crypto::key_id(key.public_key()));
        const std::size_t cose_bytes = ticket::read(text)->cose_bytes;
        const int version = qr_version_at_m(text);
        MESSAGE(std::string{c.what} << ": " << cose_bytes << " bytes of COSE, " << text.size()
                                    << " characters, QR version " << version << " at level M");
        CHECK(cose_bytes <= c.cose_bytes_max);
        CHECK(version <= c.version_max);
    }
}
