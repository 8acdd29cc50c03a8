// A file of somebody else's codes: every bad line by its number, and all of it or nothing.
#include "sync-server/orders/import.hpp"

#include <fmt/format.h>

#include "tests/unit/sync-server/orders/shop.hpp"

using namespace pf;
using namespace pf::tests;
using orders::CodeImport;
using orders::ImportError;
using Errors = std::vector<ImportError>;

namespace {

const std::string head = "code,product,first_day,last_day,persons,person_type,reference\n";

std::unique_ptr<CodeImport> read(const std::string& csv, SiteId site = here) {
    auto import = std::make_unique<CodeImport>(site);
    import->feed(csv);
    import->finish();
    return import;
}

/// Bad lines undo the act, as the program does it.
struct Outcome : orders::Imported {
    bool has_error() const { return !errors.empty(); }
};

struct Importing : Shop {
    orders::Imported import(const std::string& csv, SiteId site = here) {
        const auto file = read(csv, site);
        REQUIRE(file->errors().empty());
        const auto result =
            attempt([&](Repositories& r, const Call& call) -> Result<Outcome, Refused> {
                last = {orders::import_codes(r, call, keys(), *file)};
                if (last.has_error()) return Refused::yes;
                return last;
            });
        CHECK(result.has_value() == last.errors.empty());
        return last;
    }
    enum class Refused : std::uint8_t { yes = 1 };
    Outcome last;
};

std::string line(const std::string& code) { return code + ",1,2026-05-01,2026-05-07,,,\n"; }

}  // namespace

TEST_CASE("what is wrong with a file is said by line and column") {
    const std::string good = line("A-1");
    const std::string long_reference(65, 'r'), long_code(513, 'c');
    struct Case {
        const char* why;
        std::string csv;
        Errors errors;
    };
    const Case cases[] = {
        {"nothing", "", {{1, "", "header_missing"}}},
        {"only a header", head, {}},
        {"good", head + good, {}},
        {"the shortest header, in any order",
         "last_day,product,code,first_day\n2026-05-07,1,A-1,2026-05-01\n",
         {}},
        {"a column nobody knows",
         "code,product,first_day,last_day,colour\n" + good,
         {{1, "colour", "column_unknown"}}},
        {"a column twice",
         "code,product,first_day,last_day,code\n",
         {{1, "code", "column_twice"}, {1, "code", "column_twice"}}},
        {"no code and no day",
         "product,first_day\n1,2026-05-01\n",
         {{1, "code", "column_missing"}, {1, "last_day", "column_missing"}}},
        {"capitals are other columns",
         "Code,product,first_day,last_day\n",
         {{1, "Code", "column_unknown"}, {1, "code", "column_missing"}}},
        {"a header that can't be read", "\"code\n", {{1, "", "quote_open"}}},
        {"empty lines before the header",
         "\n\n" + head + "A-1,x,2026-05-01,2026-05-07,,,\n",
         {{4, "product", "product_bad"}}},
        {"no code", head + good + ",1,2026-05-01,2026-05-07,,,\n", {{3, "code", "code_bad"}}},
        {"a code too long", head + line(long_code), {{2, "code", "code_bad"}}},
        {"no product", head + "A,,2026-05-01,2026-05-07,,,\n", {{2, "product", "product_bad"}}},
        {"a product by name",
         head + "A,adult,2026-05-01,2026-05-07,,,\n",
         {{2, "product", "product_bad"}}},
        {"a product below 0",
         head + "A,-1,2026-05-01,2026-05-07,,,\n",
         {{2, "product", "product_bad"}}},
        {"a product too large",
         head + "A,4294967296,2026-05-01,2026-05-07,,,\n",
         {{2, "product", "product_bad"}}},
        {"blanks around a number",
         head + "A, 1,2026-05-01,2026-05-07,,,\n",
         {{2, "product", "product_bad"}}},
        {"a day that never comes",
         head + "A,1,2026-02-30,2026-05-07,,,\n",
         {{2, "first_day", "day_bad"}}},
        {"days as Excel writes them",
         head + "A,1,2026/5/1,2026/5/7,,,\n",
         {{2, "first_day", "day_bad"}, {2, "last_day", "day_bad"}}},
        {"days reversed",
         head + "A,1,2026-05-07,2026-05-01,,,\n",
         {{2, "last_day", "days_reversed"}}},
        {"nobody", head + "A,1,2026-05-01,2026-05-07,0,,\n", {{2, "persons", "persons_bad"}}},
        {"too many", head + "A,1,2026-05-01,2026-05-07,1000,,\n", {{2, "persons", "persons_bad"}}},
        {"a type nobody knows",
         head + "A,1,2026-05-01,2026-05-07,1,Adult,\n",
         {{2, "person_type", "person_type_bad"}}},
        {"a reference too long",
         head + "A,1,2026-05-01,2026-05-07,,," + long_reference + "\n",
         {{2, "reference", "reference_bad"}}},
        {"too few fields", head + "A,1,2026-05-01\n", {{2, "", "field_count"}}},
        {"too many fields", head + "A,1,2026-05-01,2026-05-07,,,,\n", {{2, "", "field_count"}}},
        {"several lines",
         head + "A,x,2026-05-01,2026-05-07,,,\n" + good + "B\n\"C\n",
         {{2, "product", "product_bad"}, {4, "", "field_count"}, {5, "", "quote_open"}}},
        {"lines within quotes move the numbers",
         head + "\"A\n1\",1,2026-05-01,2026-05-07,,,\nB,x,2026-05-01,2026-05-07,,,\n",
         {{4, "product", "product_bad"}}},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        const auto import = read(c.csv);
        CHECK(import->errors() == c.errors);
        CHECK(import->error_count() == c.errors.size());
    }
}

TEST_CASE("rows say what the file says, and what it leaves out is one adult") {
    const auto import = read(
        "reference,last_day,first_day,persons,person_type,code,product\n"
        "订单 1,2026-05-07,2026-05-01,12,senior,\"A,1\",2\r\n"
        ",2026-05-02,2026-05-02,,,B,1\n");
    REQUIRE(import->errors().empty());
    REQUIRE(import->rows().size() == 2);
    CHECK(import->rows()[0].line == 2);
    const auto one = import->draft_of(import->rows()[0]);
    CHECK(one.reference == "订单 1");
    CHECK(one.persons == 12);
    CHECK(one.person_type == ticket::PersonType::senior);
    CHECK_FALSE(one.signed_qr);
    REQUIRE(one.carriers.size() == 1);
    CHECK(one.carriers[0].kind == CarrierKind::code);
    CHECK(one.carriers[0].text == "A,1");
    CHECK(one.entitlements == std::vector{entitlement(here, 2)});
    const auto two = import->draft_of(import->rows()[1]);
    CHECK(two.persons == 1);
    CHECK(two.person_type == ticket::PersonType::adult);
    CHECK(two.reference.empty());
    CHECK(two.entitlements[0].first_day == two.entitlements[0].last_day);
}

TEST_CASE("of very many bad lines the first are listed and all are counted") {
    std::string csv = head;
    for (int i = 0; i < 250; ++i) csv += "A\n";
    const auto import = read(csv);
    CHECK(import->errors().size() == CodeImport::errors_kept);
    CHECK(import->errors().back() == ImportError{101, "", "field_count"});
    CHECK(import->error_count() == 250);
}

TEST_CASE("a file of more rows than an import takes is refused where it goes beyond") {
    std::string csv = "code,product,first_day,last_day\n";
    for (std::size_t i = 0; i <= CodeImport::rows_max; ++i) csv += "A,1,2026-05-01,2026-05-01\n";
    const auto import = read(csv);
    CHECK(import->rows().size() == CodeImport::rows_max);
    CHECK(import->errors() == Errors{{CodeImport::rows_max + 2, "", "too_many_rows"}});
}

TEST_CASE("an import is one version of the list, and its sums are those of its rows") {
    Importing shop;
    REQUIRE(shop.issue(draft({{CarrierKind::code, "BEFORE"}})).has_value());
    std::string csv = head;
    for (int i = 0; i < 400; ++i)
        csv += fmt::format("A-{},{},2026-05-01,2026-05-07,{},child,order {}\n", i, 1 + i % 2,
                           1 + i % 4, i);
    const auto before = shop.state(here).version;
    const auto imported = shop.import(csv);
    CHECK(imported.count == 400);
    CHECK(imported.errors.empty());
    CHECK(imported.effects.moved == std::set<SiteId>{here});
    CHECK(shop.state(here).version == before + 1);
    const auto rows = shop.rows(here, ListScope::tickets);
    CHECK(rows.size() == 401);
    wire::ListDigest digest;
    for (const auto& row : rows) digest.add(row.key, *row.body);
    CHECK(shop.state(here).root == digest.root());
    CHECK(shop.act([&](Repositories& r, const Call&) {
        return r.lists.head(here, ListScope::tickets)->rows;
    }) == 401);
    CHECK(shop.state(there).version == 1);

    const auto found = shop.on_carrier(CarrierKind::code, "A-397");
    REQUIRE(found.size() == 1);
    const auto ticket = shop.show(found[0]);
    CHECK(ticket->reference == "order 397");
    CHECK(ticket->claims.persons == 2);
    CHECK(ticket->claims.person_type == ticket::PersonType::child);
    CHECK(ticket->claims.entitlements == std::vector{entitlement(here, 2)});
}

TEST_CASE("one line that can't be booked keeps every other out") {
    struct Case {
        const char* why;
        std::string lines;
        Errors errors;
    };
    const Case cases[] = {
        {"a code that is taken", line("A-1") + line("TAKEN"), {{3, "", "carrier_taken"}}},
        {"a code twice in the file",
         line("A-1") + line("A-2") + line("A-1"),
         {{4, "", "carrier_taken"}}},
        {"a code twice but for blanks", line("A-1") + line("A-1 "), {{3, "", "carrier_taken"}}},
        {"a blank code", line("A-1") + line(" "), {{3, "", "carrier_bad"}}},
        {"a code that looks like ours", line("PF1:XYZ") + line("A-1"), {{2, "", "carrier_bad"}}},
        {"a product of nobody",
         line("A-1") + "A-2,7,2026-05-01,2026-05-07,,,\n",
         {{3, "", "product_unknown"}}},
        {"longer than any ticket lives",
         line("A-1") + "A-2,1,2026-05-01,2030-05-07,,,\n",
         {{3, "", "claims_bad"}}},
        {"two of them",
         line("TAKEN") + line("A-1") + line(" "),
         {{2, "", "carrier_taken"}, {4, "", "carrier_bad"}}},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        Importing shop;
        REQUIRE(shop.issue(draft({{CarrierKind::code, "TAKEN"}})).has_value());
        const auto before = shop.state(here);
        const auto imported = shop.import(head + c.lines);
        CHECK(imported.errors == c.errors);
        CHECK(imported.error_count == c.errors.size());
        CHECK(imported.effects.moved.empty());
        CHECK(shop.tickets() == 1);
        CHECK(shop.state(here) == before);
        CHECK(shop.on_carrier(CarrierKind::code, "A-1").empty());
        // Put right, the same file goes in.
        CHECK(shop.import(head + line("A-1")).errors.empty());
    }
}

TEST_CASE("a site that is not there takes no code") {
    Importing shop;
    CHECK(shop.import(head + line("A-1"), SiteId{9}).errors == Errors{{2, "", "site_unknown"}});
    CHECK(shop.tickets() == 0);
}

TEST_CASE("what can't be booked is counted beyond what is listed") {
    Importing shop;
    std::string csv = head;
    for (int i = 0; i < 150; ++i) csv += line("SAME");
    const auto imported = shop.import(csv);
    CHECK(imported.errors.size() == CodeImport::errors_kept);
    CHECK(imported.error_count == 149);
    CHECK(shop.tickets() == 0);
}
