#include "tests/simulation/coverage.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/admission/reason.hpp"
#include "common/journal/event.hpp"
#include "common/wire/topics.hpp"
#include "tests/simulation/fault.hpp"

namespace pf::simulation {
namespace {

/// Reasons no visitor of this world can meet.
constexpr admission::Reason out_of_reach[] = {
    admission::Reason::holder_mismatch,  // no device of this issue compares a holder's document
};

/// Every kind of event there is, in the order of Body.
template <std::size_t... Index>
std::vector<std::string_view> event_kinds(std::index_sequence<Index...>) {
    using pf::journal::Body;
    return {pf::journal::kind_text(Body{std::in_place_index<Index>})...};
}

/// Every kind of message there is: these don't compile when one is missing.
constexpr bool listed(wire::Up kind) {
    switch (kind) {
        case wire::Up::birth:
        case wire::Up::will:
        case wire::Up::events:
        case wire::Up::want:
        case wire::Up::ping:
        case wire::Up::command_reply:
        case wire::Up::begins:
            return true;
    }
    return false;
}
constexpr bool listed(wire::Down kind) {
    switch (kind) {
        case wire::Down::ack:
        case wire::Down::news:
        case wire::Down::chunk:
        case wire::Down::buckets:
        case wire::Down::uses:
        case wire::Down::document:
        case wire::Down::time:
            return true;
    }
    return false;
}
template <class Kind, class Take>
void each_kind(Take take) {
    for (std::uint8_t number = 0; listed(static_cast<Kind>(number)); ++number)
        take(static_cast<Kind>(number));
}
static_assert(!listed(static_cast<wire::Up>(static_cast<int>(wire::Up::begins) + 1)));
static_assert(!listed(static_cast<wire::Down>(static_cast<int>(wire::Down::time) + 1)));

/// Not "device: in truncate": a device truncates a file only when it sets a damaged one aside, and
/// no fault of this world damages one (tests/unit/firmware/sqlite does). Not "server: in truncate":
/// the server's files only grow and go.
constexpr std::string_view crash_points[] = {
    "device: between calls", "device: kill -9", "device: at the pulse", "device: in create",
    "device: in write",      "device: in sync", "device: in delete",    "device: in start",
    "server: between calls", "server: kill -9", "server: after commit", "server: in create",
    "server: in write",      "server: in sync", "server: in delete",    "server: in start",
};

constexpr std::string_view others[][2] = {
    {"command", "arrived in time"},
    {"command", "arrived late"},
    {"command", "arrived again"},
    {"command", "opened"},
    {"device", "ended by its keeper"},
    {"device", "dropped old events"},
    {"tampering", "a row disappears"},
    {"tampering", "a row says something else"},
    {"verdict", "plainly valid and admitted"},
};

constexpr std::string_view damages[] = {"kept",        "dropped",   "torn",        "cut_short",
                                        "zero_filled", "reordered", "entries_lost"};

}  // namespace

Coverage::Coverage() {
    for (const Fault fault : all_faults) tables_["fault"][std::string{to_text(fault)}];
    for (const admission::Words& words : admission::all_words()) {
        if (std::ranges::find(out_of_reach, words.reason) != std::end(out_of_reach)) continue;
        tables_["reason"][std::string{words.key}];
    }
    for (const auto kind :
         event_kinds(std::make_index_sequence<std::variant_size_v<pf::journal::Body>>{}))
        tables_["event"][std::string{kind}];
    each_kind<wire::Up>([&](wire::Up kind) { tables_["message"][std::string{wire::leaf(kind)}]; });
    each_kind<wire::Down>(
        [&](wire::Down kind) { tables_["message"][std::string{wire::leaf(kind)}]; });
    for (const auto& [table, row] : others) tables_[std::string{table}][std::string{row}];
    for (const auto point : crash_points) tables_["crash point"][std::string{point}];
    for (const auto damage : damages) tables_["disk"][std::string{damage}];
}

void Coverage::count(std::string_view table, std::string_view row, std::uint64_t times) {
    const auto found = tables_.find(table);
    auto& rows = found == tables_.end() ? tables_[std::string{table}] : found->second;
    const auto known = rows.find(row);
    if (known == rows.end())
        rows.emplace(row, times);
    else
        known->second += times;
}

std::uint64_t Coverage::of(std::string_view table, std::string_view row) const {
    const auto rows = tables_.find(table);
    if (rows == tables_.end()) return 0;
    const auto found = rows->second.find(row);
    return found == rows->second.end() ? 0 : found->second;
}

void Coverage::add(const Coverage& other) {
    for (const auto& [table, rows] : other.tables_)
        for (const auto& [row, times] : rows) tables_[table][row] += times;
}

std::vector<std::string> Coverage::missing() const {
    std::vector<std::string> out;
    for (const auto& [table, rows] : tables_)
        for (const auto& [row, times] : rows)
            if (times == 0) out.push_back(table + ": " + row);
    return out;
}

std::string Coverage::text() const {
    std::string out;
    for (const auto& [table, rows] : tables_) {
        out += fmt::format("{}\n", table);
        for (const auto& [row, times] : rows) out += fmt::format("  {:<28} {:>9}\n", row, times);
    }
    return out;
}

}  // namespace pf::simulation
