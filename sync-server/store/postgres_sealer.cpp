#include "sync-server/store/postgres_sealer.hpp"

namespace pf::server::store {
namespace {

/// Events in the order of each journal, whatever clocks said; the others by time. MAX is below 0
/// while nothing has a place.
constexpr std::string_view place_events =
    "UPDATE journal_event SET position = n.place FROM (SELECT u.device, u.epoch, u.seq,"
    " (SELECT GREATEST(COALESCE(MAX(m.position), 0), 0) FROM journal_event m WHERE m.tenant = :a)"
    " + ROW_NUMBER() OVER (ORDER BY u.device, u.epoch, u.seq) AS place"
    " FROM journal_event u WHERE u.tenant = :b AND u.position < 0) n"
    " WHERE journal_event.tenant = :c AND journal_event.device = n.device"
    " AND journal_event.epoch = n.epoch AND journal_event.seq = n.seq";
constexpr std::string_view place_audits =
    "UPDATE audit SET number = n.place FROM (SELECT u.number,"
    " (SELECT GREATEST(COALESCE(MAX(m.number), 0), 0) FROM audit m WHERE m.tenant = :a)"
    " + ROW_NUMBER() OVER (ORDER BY u.at_ms, u.number) AS place"
    " FROM audit u WHERE u.tenant = :b AND u.number < 0) n"
    " WHERE audit.tenant = :c AND audit.number = n.number";
constexpr std::string_view place_findings =
    "UPDATE finding SET number = n.place FROM (SELECT u.number,"
    " (SELECT GREATEST(COALESCE(MAX(m.number), 0), 0) FROM finding m WHERE m.tenant = :a)"
    " + ROW_NUMBER() OVER (ORDER BY u.at_ms, u.number) AS place"
    " FROM finding u WHERE u.tenant = :b AND u.number < 0) n"
    " WHERE finding.tenant = :c AND finding.number = n.number";

constexpr std::pair<Order, std::string_view> statements[] = {{Order::journal, place_events},
                                                             {Order::audit, place_audits},
                                                             {Order::findings, place_findings}};
constexpr std::uint8_t all_orders = 7;

}  // namespace

void Sealer::seal(PostgresSession& connection, std::uint8_t orders) noexcept {
    // Taken back before the work: what is owed meanwhile is owed still.
    const std::uint8_t wanted = leftover_.exchange(false) ? all_orders : orders;
    if (wanted != 0 && !place(connection, wanted)) leftover_ = true;
}

bool Sealer::place(PostgresSession& connection, std::uint8_t orders) noexcept {
    try {
        Sql& sql = connection.bundle().sql();
        connection.begin_seal();
        sql.query("SELECT value FROM meta WHERE tenant = :a AND name = :b FOR UPDATE",
                  {tenant_default, lock_row}, "t", [](const Row&) {});
        for (const auto& [order, statement] : statements)
            if ((orders & static_cast<std::uint8_t>(order)) != 0)
                sql.run(statement, {tenant_default, tenant_default, tenant_default});
        connection.commit();
        return true;
    } catch (const soci::soci_error& error) {
        tell_(first_line(error.get_error_message()));
    } catch (const std::exception& error) {
        tell_(first_line(error.what()));
    }
    (void)connection.roll_back();
    return false;
}

}  // namespace pf::server::store
