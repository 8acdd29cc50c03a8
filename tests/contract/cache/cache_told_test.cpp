// Uses, documents, positions, commands, small values; and what happens to a file that is no cache.
#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <fstream>

#include "tests/contract/cache/fixture.hpp"

using namespace pf;
using namespace pf::tests;
using fc::Fault;

namespace {

constexpr TicketId the_ticket{UINT64_MAX - 1};

wire::UseItem use(std::uint64_t seq, std::uint16_t persons, std::int64_t at_ms = 1'000,
                  std::int32_t last_day = 20'800) {
    return {{*DeviceId::parse("gate-2"), Epoch{UINT64_MAX}, seq},
            the_ticket,
            ProductId{5},
            Day{20'750},
            Day{last_day},
            persons,
            persons == 3,
            wall_from_ms(at_ms),
            static_cast<std::uint16_t>(persons / 2),
            persons == 1};
}

pf::journal::Cursor cursor(std::uint64_t epoch, std::uint64_t seq) {
    pf::journal::Cursor cursor{Epoch{epoch}, seq, {}};
    cursor.head.fill(static_cast<Byte>(seq));
    return cursor;
}

}  // namespace

TEST_CASE("a use told again replaces what was told before") {
    CacheOnFiles files;
    fc::Cache& cache = files.open();
    REQUIRE(ok(cache.apply_uses({use(9, 3, 2'000), use(7, 2, 1'000)}, {life, 40})));
    REQUIRE(ok(cache.apply_uses({use(9, 1, 2'000)}, {life, 41})));
    const fc::Cache& again = files.open();
    CHECK(again.uses_of(the_ticket) == std::vector{use(7, 2, 1'000), use(9, 1, 2'000)});
    CHECK(again.uses_of(TicketId{1}).empty());
    CHECK(again.uses_position().generation == life);
    CHECK(again.uses_position().position == 41);
}

TEST_CASE("uses of a ticket come in order of time") {
    CacheOnFiles files;
    fc::Cache& cache = files.open();
    REQUIRE(ok(cache.apply_uses({use(1, 1, 300), use(2, 1, 100), use(3, 3, 200)}, {life, 1})));
    CHECK(cache.uses_of(the_ticket) == std::vector{use(2, 1, 100), use(3, 3, 200), use(1, 1, 300)});
}

TEST_CASE("in a new life of the server the uses stay and the position begins again") {
    CacheOnFiles files;
    fc::Cache& cache = files.open();
    REQUIRE(ok(cache.apply_uses({use(1, 1)}, {life, 40})));
    REQUIRE(ok(cache.apply_uses({}, {next_life, 0})));
    CHECK(files.open().uses_of(the_ticket).size() == 1);
    CHECK(files.open().uses_position().generation == next_life);
    CHECK(files.open().uses_position().position == 0);
}

TEST_CASE("uses are forgotten when the last day of their entitlement is over") {
    CacheOnFiles files;
    fc::Cache& cache = files.open();
    std::vector<wire::UseItem> many;
    for (std::uint64_t seq = 1; seq <= 4'500; ++seq) many.push_back(use(seq, 1, 1'000, 20'799));
    many.push_back(use(9'999, 1, 1'000, 20'800));
    REQUIRE(ok(cache.apply_uses(many, {life, 1})));
    REQUIRE(ok(cache.forget_uses_before(Day{20'799})));
    CHECK(cache.uses_of(the_ticket).size() == 4'501);
    int slices = 1;
    for (auto more = cache.forget_uses_before(Day{20'800}); ok(more) && *more; ++slices)
        more = cache.forget_uses_before(Day{20'800});
    CHECK(slices == 3);  // the lane waits for one of them at most
    CHECK(cache.uses_of(the_ticket) == std::vector{use(9'999, 1, 1'000, 20'800)});
}

TEST_CASE("the newest document of each type is kept as it came") {
    CacheOnFiles files;
    fc::Cache& cache = files.open();
    using wire::DocumentType;
    CHECK_FALSE(cache.document(DocumentType::key_ring));
    REQUIRE(ok(cache.put_document(DocumentType::key_ring, Bytes{1, 2})));
    REQUIRE(ok(cache.put_document(DocumentType::key_ring, Bytes(200'000, 7))));
    REQUIRE(ok(cache.put_document(DocumentType::configuration, Bytes{3})));
    CHECK(files.open().document(DocumentType::key_ring) == Bytes(200'000, 7));
    CHECK(files.open().document(DocumentType::configuration) == Bytes{3});
}

TEST_CASE("what the server confirmed is kept per epoch within one life of the server") {
    CacheOnFiles files;
    fc::Cache& cache = files.open();
    CHECK(cache.confirmed().empty());
    CHECK(cache.confirmed_generation() == Generation{});
    REQUIRE(ok(cache.set_confirmed(life, cursor(UINT64_MAX, 5))));
    REQUIRE(ok(cache.set_confirmed(life, cursor(2, 1))));
    REQUIRE(ok(cache.set_confirmed(life, cursor(UINT64_MAX, 8))));
    CHECK(cache.confirmed() == std::vector{cursor(UINT64_MAX, 8), cursor(2, 1)});
    CHECK(files.open().confirmed() == std::vector{cursor(UINT64_MAX, 8), cursor(2, 1)});
    CHECK(files.open().confirmed_generation() == life);
    SUBCASE("forgotten") { REQUIRE(ok(files.open().forget_confirmed(next_life))); }
    SUBCASE("replaced by the first of a new life") {
        REQUIRE(ok(files.open().set_confirmed(next_life, cursor(2, 1))));
        CHECK(files.open().confirmed() == std::vector{cursor(2, 1)});
        REQUIRE(ok(files.open().forget_confirmed(next_life)));
    }
    CHECK(files.open().confirmed().empty());
    CHECK(files.open().confirmed_generation() == next_life);
}

TEST_CASE("a command seen is known, until long after it expired") {
    CacheOnFiles files;
    fc::Cache& cache = files.open();
    const std::array<Byte, 16> first{1};
    const std::array<Byte, 16> second{2};
    CHECK_FALSE(cache.command_seen(first));
    REQUIRE(ok(cache.remember_command(first, fresh)));
    CHECK(files.open().command_seen(first));
    CHECK_FALSE(files.open().command_seen(second));
    constexpr std::chrono::hours day{24};
    REQUIRE(ok(files.open().remember_command(second, fresh + 30 * day)));
    CHECK(files.open().command_seen(first));
    REQUIRE(ok(files.open().remember_command(second, fresh + 31 * day)));
    CHECK_FALSE(files.open().command_seen(first));
    CHECK(files.open().command_seen(second));
}

TEST_CASE("small values are kept by name") {
    CacheOnFiles files;
    fc::Cache& cache = files.open();
    CHECK(cache.number("saved_time", -4) == -4);
    REQUIRE(ok(cache.put_number("saved_time", INT64_MIN)));
    REQUIRE(ok(cache.put_number("connects", 3)));
    REQUIRE(ok(cache.put_number("connects", 4)));
    CHECK(files.open().number("saved_time", 0) == INT64_MIN);
    CHECK(files.open().number("connects", 0) == 4);
}

TEST_CASE("one process has the file") {
    CacheOnFiles files;
    files.open();
    CHECK(fault(files.try_open()) == Fault::locked);
    files.close();
    CHECK(ok(files.try_open()));
}

/// Fills the root page of a table with nonsense, as worn-out flash does.
void ruin_root_of(const std::string& table, const CacheOnFiles& files) {
    std::int64_t page = 0;
    {
        SQLite::Database database{files.path(), SQLite::OPEN_READONLY};
        page =
            database.execAndGet("SELECT rootpage FROM sqlite_schema WHERE name = '" + table + "'")
                .getInt64();
    }
    REQUIRE(page > 1);
    std::fstream file{files.path(), std::ios::in | std::ios::out | std::ios::binary};
    file.seekp((page - 1) * 4'096);
    file << std::string(4'096, 'x');
}

TEST_CASE("a start does not read a list whole: who meets a damaged page of it says so") {
    CacheOnFiles files;
    std::vector<wire::ListRow> tickets;
    for (std::uint64_t i = 0; i < 250; ++i) tickets.push_back(carried_row(i + 1, Byte(i)));
    give(files.open(), rows_of(tickets), 4, ListScope::tickets);
    files.close();
    ruin_root_of("row", files);
    fc::Cache& cache = files.open();
    CHECK_FALSE(cache.rebuilt());
    try {
        (void)cache.carried(admission::CarrierKind::document, wire::CarrierHash{});
        FAIL("the page was not read");
    } catch (const fc::ReadFailed& failed) {
        CHECK(failed.fault() == fc::Fault::damaged);
    }
    files.close();
    // As the device starts after such a failure.
    const auto again = fc::Cache::open({.path = files.path(), .vfs = "", .check_all = true});
    REQUIRE(ok(again));
    CHECK((*again)->rebuilt());
}

/// Pages of the file in which these bytes stand, halved in place: an SQLite that reads them finds
/// fewer rows and sees nothing wrong.
std::size_t lose_half_of_pages_with(const Bytes& what, const CacheOnFiles& files) {
    std::ifstream in{files.path(), std::ios::binary};
    std::string content{std::istreambuf_iterator<char>{in}, {}};
    const std::string sought{what.begin(), what.end()};
    constexpr std::size_t page_bytes = 4'096;
    std::size_t hit = 0;
    for (std::size_t page = page_bytes; page < content.size(); page += page_bytes) {
        // 10: a leaf of an index or of a table without row ids. The number of its cells follows.
        if (content[page] != 10) continue;
        if (content.substr(page, page_bytes).find(sought) == std::string::npos) continue;
        const auto cells = static_cast<unsigned char>(content[page + 4]);
        content[page + 4] = static_cast<char>(cells / 2);
        ++hit;
    }
    std::ofstream{files.path(), std::ios::binary} << content;
    return hit;
}

TEST_CASE("a page that lost rows and looks sound does not make a ticket good again") {
    CacheOnFiles files;
    SUBCASE("of the revoked list") {
        const Rows rows = revoked_list(5'000);
        give(files.open(), rows, 4);
        files.close();
        CHECK(lose_half_of_pages_with(std::next(rows.begin(), 2'500)->first, files) == 1);
    }
    SUBCASE("of the uses") {
        std::vector<wire::UseItem> items;
        for (std::uint64_t i = 1; i <= 500; ++i) items.push_back(use(i, 1));
        REQUIRE(ok(files.open().apply_uses(items, {life, 500})));
        files.close();
        const auto ticket = to_be8(items[250].ticket.value);
        CHECK(lose_half_of_pages_with({ticket.begin(), ticket.end()}, files) > 0);
    }
    CHECK(files.open().rebuilt());
}

TEST_CASE("a file that is no cache is set aside and a new one begun") {
    CacheOnFiles files;
    give(files.open(), revoked_list(5'000), 4);
    files.close();
    SUBCASE("no database") { std::ofstream{files.path()} << std::string(9'000, 'x'); }
    SUBCASE("cut short") { std::filesystem::resize_file(files.path(), 20'000); }
    SUBCASE("a page of nonsense") { ruin_root_of("list", files); }
    SUBCASE("another schema") {
        SQLite::Database{files.path(), SQLite::OPEN_READWRITE}.exec("PRAGMA user_version = 99");
    }
    SUBCASE("another program's") {
        SQLite::Database{files.path(), SQLite::OPEN_READWRITE}.exec("PRAGMA application_id = 2");
    }
    SUBCASE("without a table it needs") {
        SQLite::Database{files.path(), SQLite::OPEN_READWRITE}.exec("DROP TABLE use");
    }
    fc::Cache& cache = files.open();
    CHECK(cache.rebuilt());
    CHECK(cache.list(ListScope::revoked).state.version == 0);
    CHECK(std::filesystem::exists(files.path() + ".damaged-1"));
    give(cache, revoked_list(10), 5);
    CHECK_FALSE(files.open().rebuilt());
    CHECK(files.open().list(ListScope::revoked).state.version == 5);
}

TEST_CASE("copies of damaged files do not fill the disk") {
    CacheOnFiles files;
    for (int i = 0; i < 4; ++i) {
        files.close();
        std::ofstream{files.path()} << "damaged for time number " << i << std::string(600, 'x');
        CHECK(files.open().rebuilt());
    }
    CHECK(std::filesystem::exists(files.path() + ".damaged-1"));
    CHECK(std::filesystem::exists(files.path() + ".damaged-2"));
    CHECK_FALSE(std::filesystem::exists(files.path() + ".damaged-3"));
}
