#pragma once
// The ways this world goes wrong.
#include <cstdint>
#include <iterator>
#include <string_view>

namespace pf::simulation {

enum class Fault : std::uint8_t {
    loss,
    duplication,
    reordering,
    tampering,  // rows of a list page removed or altered under way
    partition,
    broker_restart,
    night,  // hours without any uplink
    power_cut,
    power_cut_in_disk_operation,
    power_cut_at_pulse,
    kill,
    disk_full,
    disk_hiccup,  // one operation fails, the next works
    clock_step,
    boot_at_1970,
    files_rolled_back,
    journal_rolled_back,  // the cache stays new
    cache_lost,
    sensor_fault,
    fire,
    server_power_cut,
    server_power_cut_in_disk_operation,
    server_kill,
    server_stop,                // a clean stop, sometimes cut short
    server_crash_after_commit,  // and before anybody hears of it
    server_disk_hiccup,
    server_disk_full,
    server_clock_step,
    device_revoked,            // and goes on as if it were not
    server_restored,           // and its keeper says so
    server_restored_silently,  // the server must find out by itself
    closed_season,             // everything is off for weeks, then the server restored from before
};

inline constexpr Fault all_faults[] = {
    Fault::loss,
    Fault::duplication,
    Fault::reordering,
    Fault::tampering,
    Fault::partition,
    Fault::broker_restart,
    Fault::night,
    Fault::power_cut,
    Fault::power_cut_in_disk_operation,
    Fault::power_cut_at_pulse,
    Fault::kill,
    Fault::disk_full,
    Fault::disk_hiccup,
    Fault::clock_step,
    Fault::boot_at_1970,
    Fault::files_rolled_back,
    Fault::journal_rolled_back,
    Fault::cache_lost,
    Fault::sensor_fault,
    Fault::fire,
    Fault::server_power_cut,
    Fault::server_power_cut_in_disk_operation,
    Fault::server_kill,
    Fault::server_stop,
    Fault::server_crash_after_commit,
    Fault::server_disk_hiccup,
    Fault::server_disk_full,
    Fault::server_clock_step,
    Fault::device_revoked,
    Fault::server_restored,
    Fault::server_restored_silently,
    Fault::closed_season,
};

constexpr std::string_view to_text(Fault fault) noexcept {
    constexpr std::string_view names[] = {"loss",
                                          "duplication",
                                          "reordering",
                                          "tampering",
                                          "partition",
                                          "broker restart",
                                          "night without uplink",
                                          "power cut",
                                          "power cut in disk operation",
                                          "power cut at pulse",
                                          "kill -9",
                                          "disk full",
                                          "disk hiccup",
                                          "clock step",
                                          "boot at 1970",
                                          "files rolled back",
                                          "journal rolled back",
                                          "cache lost",
                                          "sensor fault",
                                          "fire",
                                          "server power cut",
                                          "server cut in disk operation",
                                          "server kill -9",
                                          "server stop",
                                          "server crash after commit",
                                          "server disk hiccup",
                                          "server disk full",
                                          "server clock step",
                                          "device revoked",
                                          "server restored",
                                          "server restored silently",
                                          "closed season"};
    static_assert(std::size(names) == std::size(all_faults));
    return names[static_cast<std::size_t>(fault)];
}

}  // namespace pf::simulation
