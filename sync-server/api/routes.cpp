// Every route, its door and its handler. docs/protocol/server.openapi.json names the same ones, in
// the same order; tests/unit/sync-server/api compares the two.
#include "sync-server/api/handlers.hpp"

namespace pf::server::api {
namespace {

using enum http::Method;
using access::Permission;

constexpr std::uint64_t csv_bytes_max = 64ULL * 1024 * 1024;
constexpr std::uint64_t journal_bytes_max = 32ULL * 1024 * 1024;

const Endpoint table[] = {
    {get, "/v1/health", Door::open(), get_health},
    {get, "/v1/openapi.json", Door::open(), get_openapi},
    {post, "/v1/pairings/claim", Door::pairing_code(), claim_pairing},
    {post, "/v1/certificates/renew", Door::client_certificate(), renew_certificate},

    {get, "/v1/sites", Permission::catalog_read, list_sites},
    {post, "/v1/sites", Permission::catalog_write, create_site},
    {get, "/v1/sites/{site}", Permission::catalog_read, get_site},
    {get, "/v1/sites/{site}/points", Permission::catalog_read, list_points},
    {post, "/v1/sites/{site}/points", Permission::catalog_write, create_point},
    {get, "/v1/sites/{site}/windows", Permission::catalog_read, list_windows},
    {post, "/v1/sites/{site}/windows", Permission::catalog_write, create_window},
    {get, "/v1/sites/{site}/products", Permission::catalog_read, list_products},
    {post, "/v1/sites/{site}/products", Permission::catalog_write, create_product},
    {get, "/v1/sites/{site}/products/{product}", Permission::catalog_read, get_product},
    {put, "/v1/sites/{site}/products/{product}", Permission::catalog_write, change_product},
    {post, "/v1/sites/{site}/code-imports", Permission::tickets_issue,
     UploadRoute{"text/csv", csv_bytes_max, import_codes}},

    {get, "/v1/sites/{site}/keys", Permission::admin, get_site_keys},
    {post, "/v1/sites/{site}/carrier-key/rotate", Permission::admin, rotate_carrier_key},
    {post, "/v1/ticket-key/rotate", Permission::admin, rotate_ticket_key},

    {get, "/v1/devices", Permission::devices_read, list_devices},
    {post, "/v1/devices", Permission::devices_pair, invite_device},
    {get, "/v1/devices/{device}", Permission::devices_read, get_device},
    {get, "/v1/devices/{device}/keys", Permission::devices_read, get_device_keys},
    {get, "/v1/devices/{device}/configuration", Permission::devices_read, get_configuration},
    {put, "/v1/devices/{device}/configuration", Permission::devices_configure, configure_device},
    {post, "/v1/devices/{device}/revoke", Permission::devices_pair, revoke_device},
    {post, "/v1/devices/{device}/commands", Permission::devices_command, send_command},
    {get, "/v1/commands/{command}", Permission::devices_read, get_command},

    {get, "/v1/tickets", Permission::tickets_read, list_tickets},
    {post, "/v1/tickets", Permission::tickets_issue, issue_ticket},
    {post, "/v1/tickets/batch", Permission::tickets_issue, issue_batch},
    {post, "/v1/tickets/explain", Permission::tickets_read, explain_text},
    {get, "/v1/tickets/{ticket}", Permission::tickets_read, get_ticket},
    {get, "/v1/tickets/{ticket}/text", Permission::tickets_issue, LookRoute{get_ticket_text}},
    {post, "/v1/tickets/{ticket}/reissue", Permission::tickets_issue, reissue_ticket},
    {post, "/v1/tickets/{ticket}/revoke", Permission::tickets_revoke, revoke_ticket},
    {post, "/v1/carriers/search", Permission::tickets_read, LookRoute{search_carriers}},

    {get, "/v1/findings", Permission::findings_read, list_findings},
    {get, "/v1/sync-log", Permission::sync_read, FollowRoute{list_sync_log}},
    {post, "/v1/journals", Permission::sync_import,
     UploadRoute{"application/vnd.paifang.journal", journal_bytes_max, import_journal}},

    {post, "/v1/generation", Permission::admin, begin_generation},
    {get, "/v1/keys", Permission::admin, list_keys},
    {post, "/v1/keys", Permission::admin, create_key},
    {post, "/v1/keys/{key}/revoke", Permission::admin, revoke_key},
    {get, "/v1/audit", Permission::admin, list_audit},
};

}  // namespace

std::span<const Endpoint> endpoints() { return table; }

}  // namespace pf::server::api
