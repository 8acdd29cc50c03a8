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

}  // namespace

void Sealer::seal(PostgresSession& connection) noexcept {
    if (connection.bundle().sql().take_unplaced() == 0 && !leftover_) return;
    const std::uint64_t mine = ++wanted_;
    const std::lock_guard guard{mutex_};
    if (sealed_ >= mine && !leftover_) return;
    // Whoever raised `wanted_` by now has committed: what begins after this sees their rows.
    const std::uint64_t upto = wanted_;
    leftover_ = !seal_all(connection);
    sealed_ = upto;
}

bool Sealer::seal_all(PostgresSession& connection) noexcept {
    try {
        Sql& sql = connection.bundle().sql();
        connection.begin_seal();
        sql.query("SELECT value FROM meta WHERE tenant = :a AND name = :b FOR UPDATE",
                  {tenant_default, lock_row}, "t", [](const Row&) {});
        for (const std::string_view place : {place_events, place_audits, place_findings})
            sql.run(place, {tenant_default, tenant_default, tenant_default});
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
