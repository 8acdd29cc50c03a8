#include "sync-server/api/answer.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "common/crypto/crypto.hpp"

namespace pf::server::api {

http::Response answer(const Out& json, int status) {
    return http::json_response(json.dump(-1, ' ', false, Out::error_handler_t::replace), status);
}

http::Response created(const Out& json, std::string location) {
    http::Response response = answer(json, 201);
    response.headers.add("Location", std::move(location));
    return response;
}

http::Response page(Out items, const std::string& next_cursor) {
    if (items.is_null()) items = Out::array();
    Out out{{"items", std::move(items)}};
    out["next_cursor"] = next_cursor.empty() ? Out{} : Out(next_cursor);
    return answer(out);
}

// --- refusals
// ------------------------------------------------------------------------------------------

int status_of(fleet::Refusal refusal) noexcept {
    switch (refusal) {
        case fleet::Refusal::site_unknown:
        case fleet::Refusal::device_unknown:
        case fleet::Refusal::code_unknown:
            return 404;
        case fleet::Refusal::device_exists:
        case fleet::Refusal::device_revoked:
            return 409;
        case fleet::Refusal::keys_full:
            return 409;
        case fleet::Refusal::code_expired:
            return 410;
        case fleet::Refusal::request_bad:
            return 422;
        case fleet::Refusal::certificate_bad:
        case fleet::Refusal::certificate_too_old:
            return 403;
    }
    std::abort();
}

int status_of(catalog::Refusal refusal) noexcept {
    switch (refusal) {
        case catalog::Refusal::site_unknown:
        case catalog::Refusal::product_unknown:
            return 404;
        case catalog::Refusal::window_unknown:
        case catalog::Refusal::point_unknown:
        case catalog::Refusal::window_bad:
        case catalog::Refusal::name_missing:
        case catalog::Refusal::points_too_many:
            return 422;
        case catalog::Refusal::windows_full:
        case catalog::Refusal::products_full:
        case catalog::Refusal::table_full:
            return 409;
    }
    std::abort();
}

int status_of(orders::Refusal refusal) noexcept {
    switch (refusal) {
        case orders::Refusal::ticket_unknown:
            return 404;
        case orders::Refusal::ticket_revoked:
        case orders::Refusal::carrier_taken:
        case orders::Refusal::rotation_under_way:
            return 409;
        case orders::Refusal::claims_bad:
        case orders::Refusal::site_unknown:
        case orders::Refusal::product_unknown:
        case orders::Refusal::carrier_bad:
            return 422;
    }
    std::abort();
}

int status_of(access::Refusal refusal) noexcept {
    switch (refusal) {
        case access::Refusal::key_invalid:
            return 401;
        case access::Refusal::key_unknown:
            return 404;
        case access::Refusal::name_taken:
            return 409;
        case access::Refusal::name_bad:
        case access::Refusal::permissions_empty:
            return 422;
    }
    std::abort();
}

int status_of(store::Fault fault) noexcept {
    // A full disk is the caller's to wait for like the rest: nothing of the request is wrong. What
    // broke off here breaks off again.
    if (fault == store::Fault::failed || fault == store::Fault::damaged) return 500;
    return fault == store::Fault::disk_full ? 507 : 503;
}

std::string_view code_of(store::Fault fault) noexcept {
    switch (fault) {
        case store::Fault::unavailable:
            return "database_unavailable";
        case store::Fault::disk_full:
            return "database_disk_full";
        case store::Fault::io_error:
            return "database_io_error";
        case store::Fault::in_use:
            return "database_in_use";
        case store::Fault::schema_newer:
            return "database_schema_newer";
        case store::Fault::damaged:
            return "database_damaged";
        case store::Fault::busy:
            return "database_busy";
        case store::Fault::stopped:
            return "database_stopped";
        case store::Fault::failed:
            return "database_transaction_failed";
        case store::Fault::uncertain:
            return "database_uncertain";
        case store::Fault::unsuitable:
            return "database_unsuitable";
    }
    std::abort();
}

http::Problem problem_of(int status, std::string_view code, std::string detail) {
    return {.status = status, .code = std::string{code}, .detail = std::move(detail)};
}

http::Problem not_found(std::string_view code) { return problem_of(404, code); }

Reply refuse(http::Problem problem) {
    Reply reply{.response = http::to_response(problem)};
    reply.refused = std::move(problem.code);
    return reply;
}

// --- entity tags
// ------------------------------------------------------------------------------------

std::string tag_of(const Out& json) {
    const Digest digest = crypto::sha256(as_bytes(json.dump()));
    return '"' + to_hex(BytesView{digest}.first(8)) + '"';
}

std::optional<http::Problem> unmet(const http::Headers& headers, std::string_view tag) {
    const auto wanted = headers.find("If-Match");
    if (!wanted)
        return problem_of(428, "if_match_missing",
                          "say with If-Match which version you have seen: its ETag");
    std::string_view rest = *wanted;
    while (!rest.empty()) {
        const auto comma = rest.find(',');
        std::string_view one = rest.substr(0, comma);
        while (one.starts_with(' ')) one.remove_prefix(1);
        while (one.ends_with(' ')) one.remove_suffix(1);
        if (one == "*" || one == tag) return std::nullopt;
        if (comma == std::string_view::npos) break;
        rest.remove_prefix(comma + 1);
    }
    return problem_of(412, "changed_meanwhile", "somebody changed it since that version");
}

}  // namespace pf::server::api
