#pragma once
// Every handler by name, for the table in routes.cpp. Inside the room.
#include "sync-server/api/route.hpp"

namespace pf::server::api {

// sites.cpp
Prepared<Write> create_site(const http::Request& request);
Prepared<Read> list_sites(const http::Request& request);
Prepared<Read> get_site(const http::Request& request);
Prepared<Write> create_point(const http::Request& request);
Prepared<Read> list_points(const http::Request& request);
Prepared<Write> create_window(const http::Request& request);
Prepared<Read> list_windows(const http::Request& request);

// rotation.cpp
Prepared<Read> get_site_keys(const http::Request& request);
Prepared<Write> rotate_carrier_key(const http::Request& request);
Prepared<Write> rotate_ticket_key(const http::Request& request);

// products.cpp
Prepared<Write> create_product(const http::Request& request);
Prepared<Read> list_products(const http::Request& request);
Prepared<Read> get_product(const http::Request& request);
Prepared<Write> change_product(const http::Request& request);

// devices.cpp
Prepared<Write> invite_device(const http::Request& request);
Prepared<Read> list_devices(const http::Request& request);
Prepared<Read> get_device(const http::Request& request);
Prepared<Read> get_device_keys(const http::Request& request);
Prepared<Read> get_configuration(const http::Request& request);
Prepared<Write> configure_device(const http::Request& request);
Prepared<Write> revoke_device(const http::Request& request);

// commands.cpp
Prepared<Write> send_command(const http::Request& request);
Prepared<Read> get_command(const http::Request& request);

// pairing.cpp
Prepared<Write> claim_pairing(const http::Request& request);
Prepared<Write> renew_certificate(const http::Request& request);

// tickets.cpp
Prepared<Write> issue_ticket(const http::Request& request);
Prepared<Write> issue_batch(const http::Request& request);
Prepared<Read> list_tickets(const http::Request& request);
Prepared<Read> get_ticket(const http::Request& request);
Prepared<Write> get_ticket_text(const http::Request& request);
Prepared<Write> reissue_ticket(const http::Request& request);
Prepared<Write> revoke_ticket(const http::Request& request);
Prepared<Write> search_carriers(const http::Request& request);

// explain.cpp
Prepared<Read> explain_text(const http::Request& request);

// imports.cpp
std::variant<http::Problem, std::unique_ptr<Upload>> import_codes(const http::Request& request);
std::variant<http::Problem, std::unique_ptr<Upload>> import_journal(const http::Request& request);

// platform.cpp
Prepared<Read> get_health(const http::Request& request);
Prepared<Read> get_openapi(const http::Request& request);
Prepared<Read> list_findings(const http::Request& request);
Prepared<Read> list_sync_log(const http::Request& request);
Prepared<Write> begin_generation(const http::Request& request);
Prepared<Write> create_key(const http::Request& request);
Prepared<Read> list_keys(const http::Request& request);
Prepared<Write> revoke_key(const http::Request& request);
Prepared<Read> list_audit(const http::Request& request);

/// The site named in the path; nothing: no such number can exist.
std::optional<SiteId> site_in(const http::Request& request);

}  // namespace pf::server::api
