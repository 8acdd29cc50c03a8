// A gate that holds a million tickets: how long one lookup takes, and what a start reads.
#include <fmt/format.h>
#include <sqlite3.h>

#include "tests/bench/device/gate.hpp"
#include "tests/bench/lists/made_list.hpp"
#include "tests/bench/row.hpp"
#include "tests/bench/system_calls.hpp"
#include "tests/support/rng.hpp"

using namespace pf;
using bench::require;

namespace {

constexpr int a_million = 1'000'000;
constexpr int a_few = 1'000;

std::string cache_path(const std::string& folder) {
    return folder + "/" + std::string{firmware::cache::file_name};
}

/// The same row by its whole key, with one prepared statement of the C interface.
class RawLookup {
public:
    explicit RawLookup(const std::string& path) {
        require(
            sqlite3_open_v2(path.c_str(), &database_, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK &&
                sqlite3_prepare_v2(database_,
                                   "SELECT body FROM row WHERE scope = 2 AND slot ="
                                   " (SELECT slot FROM list WHERE scope = 2) AND key = ?1",
                                   -1, &select_, nullptr) == SQLITE_OK,
            "the cache opens a second time");
    }
    ~RawLookup() {
        sqlite3_finalize(select_);
        sqlite3_close(database_);
    }
    RawLookup(const RawLookup&) = delete;
    RawLookup& operator=(const RawLookup&) = delete;

    Bytes body(BytesView key) {
        sqlite3_bind_blob(select_, 1, key.data(), static_cast<int>(key.size()), SQLITE_STATIC);
        require(sqlite3_step(select_) == SQLITE_ROW, "the row is there");
        const auto* const data = static_cast<const Byte*>(sqlite3_column_blob(select_, 0));
        Bytes out(data, data + sqlite3_column_bytes(select_, 0));
        sqlite3_reset(select_);
        return out;
    }

private:
    sqlite3* database_ = nullptr;
    sqlite3_stmt* select_ = nullptr;
};

std::vector<bench::Row> lookup(const bench::Asked& asked) {
    const tests::TempDir folder;
    const std::string path = cache_path(folder.path().string());
    const bench::MadeList list{static_cast<std::size_t>(asked.size(a_million, a_few)), Day{20'750},
                               Bytes(32, 0x17)};
    auto cache = firmware::cache::Cache::open({.path = path, .vfs = {}});
    require(cache.has_value(), "the cache opens");
    list.fill(**cache, wall_from_ms(0));
    RawLookup raw{path};
    tests::Rng rng{2};
    const auto figure = bench::alternate(
        asked.rounds(5'000),
        [&] {
            const auto found =
                (*cache)->carried(admission::CarrierKind::code, list.hash(rng.below(list.size())));
            require(found.size() == 1, "the ticket is found");
        },
        [&] { require(!raw.body(list.key(rng.below(list.size()))).empty(), "the row is found"); });
    return {bench::row_of("lookup_1m", "us", figure, bench::Target{2},
                          "floor: the same row by its key, prepared statement of the C interface")};
}

struct Start {
    std::uint64_t pages;
    double ms;
};

Start start_with(int codes) {
    bench::Gate gate{static_cast<std::size_t>(codes)};
    std::vector<double> times;
    std::uint64_t pages = 0;
    for (int start = 0; start < 9; ++start) {
        const bench::PagesRead reads;
        const auto begin = std::chrono::steady_clock::now();
        const auto device = gate.start();
        times.push_back(
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
                .count());
        pages = std::max(pages, reads.count());
    }
    return {pages, bench::quartiles(times).median};
}

std::vector<bench::Row> start(const bench::Asked& asked) {
    const Start many = start_with(asked.size(a_million, 20 * a_few));
    const Start few = start_with(a_few);
    require(few.pages > 0, "a start reads something");
    return {{.name = "start_1m",
             .unit = "pages more",
             .measured = static_cast<double>(many.pages) - static_cast<double>(few.pages),
             .target = bench::Target{200},
             .notes =
                 fmt::format("{} pages with 1,000,000 codes, {} with 1,000", many.pages, few.pages),
             .details = {{"start_ms", many.ms}, {"start_ms_1k", few.ms}}}};
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run(argc, argv, {{"lookup_1m", lookup}, {"start_1m", start}});
}
