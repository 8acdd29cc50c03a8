#include "sync-server/store/postgres_sealer.hpp"

#include <fmt/ranges.h>

#include <array>
#include <sstream>

namespace pf::server::store {
namespace {

/// Each gives the rows without a place those after the highest that is there or ever was (a row
/// that is replaced leaves its place, and who followed to it must not find another there later),
/// and answers with the last place given so far. Events in the order of each journal, whatever
/// clocks said; the others by time. MAX is below 0 while nothing has a place.
constexpr std::string_view place_events =
    "WITH last AS (SELECT GREATEST(COALESCE(MAX(position), 0), :a) AS place"
    " FROM journal_event WHERE tenant = :b),"
    " placed AS (UPDATE journal_event SET position = n.place FROM"
    " (SELECT u.device, u.epoch, u.seq, (SELECT place FROM last)"
    " + ROW_NUMBER() OVER (ORDER BY u.device, u.epoch, u.seq) AS place"
    " FROM journal_event u WHERE u.tenant = :c AND u.position < 0) n"
    " WHERE journal_event.tenant = :d AND journal_event.device = n.device"
    " AND journal_event.epoch = n.epoch AND journal_event.seq = n.seq RETURNING 1)"
    " SELECT place + (SELECT COUNT(*) FROM placed) FROM last";
constexpr std::string_view place_audits =
    "WITH last AS (SELECT GREATEST(COALESCE(MAX(number), 0), :a) AS place"
    " FROM audit WHERE tenant = :b),"
    " placed AS (UPDATE audit SET number = n.place FROM"
    " (SELECT u.number, (SELECT place FROM last)"
    " + ROW_NUMBER() OVER (ORDER BY u.at_ms, u.number) AS place"
    " FROM audit u WHERE u.tenant = :c AND u.number < 0) n"
    " WHERE audit.tenant = :d AND audit.number = n.number RETURNING 1)"
    " SELECT place + (SELECT COUNT(*) FROM placed) FROM last";
constexpr std::string_view place_findings =
    "WITH last AS (SELECT GREATEST(COALESCE(MAX(number), 0), :a) AS place"
    " FROM finding WHERE tenant = :b),"
    " placed AS (UPDATE finding SET number = n.place FROM"
    " (SELECT u.number, (SELECT place FROM last)"
    " + ROW_NUMBER() OVER (ORDER BY u.at_ms, u.number) AS place"
    " FROM finding u WHERE u.tenant = :c AND u.number < 0) n"
    " WHERE finding.tenant = :d AND finding.number = n.number RETURNING 1)"
    " SELECT place + (SELECT COUNT(*) FROM placed) FROM last";

constexpr std::pair<Order, std::string_view> statements[] = {{Order::journal, place_events},
                                                             {Order::audit, place_audits},
                                                             {Order::findings, place_findings}};

using Lasts = std::array<std::int64_t, std::size(statements)>;

/// The last place given in each order, from the locked row: three numbers. Another text, as of a
/// database no sealer of this release had yet: none.
Lasts lasts_of(const std::string& text) {
    Lasts out{};
    std::istringstream in{text};
    for (std::int64_t& last : out)
        if (!(in >> last)) return {};
    return out;
}
std::string text_of(const Lasts& lasts) { return fmt::format("{}", fmt::join(lasts, " ")); }

}  // namespace

bool Sealer::seal(PostgresSession& connection, std::uint8_t orders) noexcept {
    // Taken back before the work: what is owed meanwhile is owed still.
    const std::uint8_t wanted = leftover_.exchange(false) ? all_orders : orders;
    if (wanted == 0) return true;
    const auto ended = place(connection, wanted);
    if (ended) leftover_ = true;
    return !ended || *ended == Ending::restart;
}

std::optional<Ending> Sealer::place(PostgresSession& connection, std::uint8_t orders) noexcept {
    std::optional<Ending> ended = Ending::fault;
    try {
        Sql& sql = connection.bundle().sql();
        connection.begin_seal();
        const std::string kept =
            sql.first("SELECT value FROM meta WHERE tenant = :a AND name = :b FOR UPDATE",
                      {tenant_default, lock_row}, "t", [](const Row& row) { return row.text(0); })
                .value_or("");
        Lasts lasts = lasts_of(kept);
        for (std::size_t i = 0; i < lasts.size(); ++i) {
            const auto& [order, statement] = statements[i];
            if ((orders & static_cast<std::uint8_t>(order)) == 0) continue;
            sql.query(statement, {lasts[i], tenant_default, tenant_default, tenant_default}, "i",
                      [&](const Row& row) { lasts[i] = row.number(0); });
        }
        if (text_of(lasts) != kept)
            sql.run("UPDATE meta SET value = :a WHERE tenant = :b AND name = :c",
                    {text_of(lasts), tenant_default, lock_row});
        connection.commit();
        return std::nullopt;
    } catch (const soci::soci_error& error) {
        tell_(first_line(error.get_error_message()));
        ended = connection.diagnose(error).ending;
    } catch (const std::exception& error) {
        tell_(first_line(error.what()));
    }
    return connection.roll_back() ? ended : Ending::lost;
}

}  // namespace pf::server::store
