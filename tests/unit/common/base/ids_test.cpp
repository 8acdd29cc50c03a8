#include "common/base/ids.hpp"

#include <doctest/doctest.h>

using namespace pf;

TEST_CASE("a ticket id is sixteen hexadecimal digits, big endian") {
    const TicketId id{0x0123456789abcdefULL};
    CHECK(to_text(id) == "0123456789abcdef");
    CHECK(ticket_id_from("0123456789ABCDEF") == id);
    CHECK_FALSE(ticket_id_from("0123").has_value());
    CHECK(from_be8(to_be8(id.value)) == id.value);
}

TEST_CASE("a device id is what a topic level and a certificate CN can both carry") {
    CHECK(DeviceId::parse("gate-01").has_value());
    for (const char* bad :
         {"", "Gate", "gate/1", "gate+", "gate#", "a b", "012345678901234567890123456789012"}) {
        CAPTURE(bad);
        CHECK_FALSE(DeviceId::parse(bad).has_value());
    }
}
