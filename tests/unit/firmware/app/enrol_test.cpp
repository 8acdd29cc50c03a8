#include "firmware/app/enrol.hpp"

#include <doctest/doctest.h>

namespace {

using namespace pf;
using firmware::app::Enrolment;
using firmware::app::renews;

TEST_CASE("a renewal brings a certificate, never another identity or authority") {
    Enrolment present;
    present.device = "gate-1";
    present.site = 3;
    present.topic_root = "pf/1/3/gate-1/";
    present.site_authority_hex = "04aa";
    present.certificate_pem = "old";
    const struct {
        const char* what;
        void (*change)(Enrolment&);
        bool accepted;
    } rows[] = {
        {"a new certificate", [](Enrolment& e) { e.certificate_pem = "new"; }, true},
        {"another broker", [](Enrolment& e) { e.broker_host = "b2"; }, true},
        {"another site authority", [](Enrolment& e) { e.site_authority_hex = "04bb"; }, false},
        {"another device", [](Enrolment& e) { e.device = "gate-2"; }, false},
        {"another site", [](Enrolment& e) { e.site = 4; }, false},
        {"other topics", [](Enrolment& e) { e.topic_root = "pf/1/3/gate-2/"; }, false},
    };
    for (const auto& row : rows) {
        CAPTURE(row.what);
        Enrolment renewed = present;
        row.change(renewed);
        CHECK(renews(present, renewed) == row.accepted);
    }
}

}  // namespace
