// An update that is rolled back leaves events the old firmware does not know (facts: data across
// rollback). They stay, are chained, sent and counted on; they are only not understood.
#include <SQLiteCpp/SQLiteCpp.h>

#include "common/cbor/cbor.hpp"
#include "firmware/journal/reader.hpp"
#include "tests/contract/journal/fixture.hpp"

using namespace pf;
using namespace pf::tests;
using pf::journal::Cursor;
using pf::journal::Refused;

namespace {

/// Appends to a closed journal what a newer firmware would: an event of kind 200.
Cursor append_newer(const std::string& path, const Cursor& end) {
    cbor::Encoder out;
    out.array(7).uint(end.seq + 1).uint(200).integer(noon_ms).integer(7).bytes(to_be8(3)).uint(4);
    out.map(1).key(1).uint(5);
    const Bytes event = out.take();
    const Digest head = pf::journal::next_head(end.head, event);
    SQLite::Database database{path, SQLite::OPEN_READWRITE};
    SQLite::Statement insert{database,
                             "INSERT INTO event SELECT ordinal, seq + 1, 200, 4, wall_ms,"
                             " latest_ms, NULL, NULL, ?1, ?2 FROM event WHERE seq = ?3"};
    insert.bind(1, event.data(), static_cast<int>(event.size()));
    insert.bind(2, head.data(), static_cast<int>(head.size()));
    insert.bind(3, static_cast<std::int64_t>(end.seq));
    REQUIRE(insert.exec() == 1);
    return {end.epoch, end.seq + 1, head};
}

}  // namespace

TEST_CASE("a journal with events of newer firmware opens, goes on, and sends them") {
    OnFiles files;
    fj::Journal& journal = files.open();
    REQUIRE(ok(journal.append(stamp_at(noon_ms), an_admission(ticket_a))));
    const Cursor before = journal.end();
    files.close();
    const Cursor newer = append_newer(files.path(), before);

    fj::Journal& rolled_back = files.open();
    CHECK(rolled_back.end() == newer);
    REQUIRE(ok(rolled_back.append(stamp_at(noon_ms), an_admission(ticket_a))));
    CHECK(rolled_back.end().seq == newer.seq + 1);
    CHECK(chain_verifies(rolled_back, newer.epoch));
    CHECK(uses_of(rolled_back, ticket_a).size() == 2);
    CHECK_FALSE(rolled_back.admitted(newer.seq));
    CHECK(rolled_back.after(newer.epoch, before.seq, 9, SIZE_MAX).size() == 2);

    const auto reader = fj::Reader::open(files.path(), "");
    REQUIRE(ok(reader));
    const auto verification = (*reader)->verify();
    REQUIRE(ok(verification));
    CHECK(verification->flaws.empty());
    CHECK(verification->kinds_unknown == 1);
}

TEST_CASE("what the old firmware can't read it does not drop, nor what follows") {
    OnFiles files;
    fj::Journal& journal = files.open();
    for (int i = 0; i < 3; ++i) REQUIRE(ok(journal.append(stamp_at(noon_ms), Refused{})));
    const Cursor before = journal.end();
    files.close();
    append_newer(files.path(), before);
    fj::Journal& rolled_back = files.open();
    for (int i = 0; i < 3; ++i) REQUIRE(ok(rolled_back.append(stamp_at(noon_ms), Refused{})));
    const auto later = stamp_at(noon_ms + 40 * day_ms);
    REQUIRE(ok(rolled_back.append(later, Refused{})));
    const auto gone =
        rolled_back.prune(wall_from_ms(noon_ms + 5 * day_ms), Day{30'000}, {rolled_back.end()});
    REQUIRE(ok(gone));
    CHECK(*gone == 3);
    CHECK(rolled_back.head_at(before.epoch, before.seq + 1));
    CHECK(chain_verifies(rolled_back, before.epoch, before.seq));
}
