// Products: what a ticket may be for, changed only by who has seen what stands.
#include <fmt/format.h>

#include "common/wire/limits.hpp"
#include "sync-server/api/answer.hpp"
#include "sync-server/api/decode.hpp"
#include "sync-server/api/handlers.hpp"

namespace pf::server::api {
namespace {

admission::Product product_from(Object& root) {
    admission::Product product;
    product.name_zh = root.text("name_zh", 1, wire::text_bytes_max);
    product.name_en = root.text("name_en", 1, wire::text_bytes_max);
    for (const auto point :
         root.numbers_or_none<std::uint32_t>("points", wire::product_points_max, 1))
        product.points.push_back(PointId{point});
    product.stale =
        root.word_or<admission::StaleRule>("stale", admission::StaleRule::admit, stale_rule_from);
    constexpr std::size_t person_types = 9;
    product.certificate = root.words<ticket::PersonType>(
        "certificate", false, person_types, ticket::PersonType::adult,
        [](std::string_view text) { return ticket::person_type_from(text); });
    root.done();
    return product;
}

std::optional<ProductId> product_in(const http::Request& request) {
    const auto number = number_of(request.parameter("product"), UINT32_MAX);
    if (!number) return std::nullopt;
    return ProductId{static_cast<std::uint32_t>(*number)};
}

http::Response tagged(http::Response response, const Out& json) {
    response.headers.add("ETag", tag_of(json));
    return response;
}

}  // namespace

Prepared<Write> create_product(const http::Request& request) {
    const auto site = site_in(request);
    if (!site) return not_found("site_unknown");
    Body body{request};
    Object root = body.root();
    const admission::Product product = product_from(root);
    if (body.bad()) return body.problem();
    return [site = *site, product](const Context& c) -> Reply {
        const auto id = catalog::add_product(c.r, c.call, site, product);
        if (id.has_error()) return refuse(id.error());
        admission::Product made = product;
        made.id = *id;
        const Out json = to_json(made);
        return {.response = tagged(
                    created(json, fmt::format("/v1/sites/{}/products/{}", site.value, id->value)),
                    json),
                .committed = {.effects = {.messages = {}, .moved = {site}}, .revoked = {}},
                .target = fmt::format("site {}, product {}", site.value, id->value)};
    };
}

Prepared<Read> list_products(const http::Request& request) {
    const auto site = site_in(request);
    if (!site) return not_found("site_unknown");
    return [site = *site](const Context& c) {
        if (!fleet::site(c.r, site)) return http::to_response(not_found("site_unknown"));
        Out items = Out::array();
        for (const auto& product : catalog::table(c.r, site).products)
            items.push_back(to_json(product));
        return page(std::move(items), {});
    };
}

Prepared<Read> get_product(const http::Request& request) {
    const auto site = site_in(request);
    const auto id = product_in(request);
    if (!site || !id) return not_found("product_unknown");
    return [site = *site, id = *id](const Context& c) {
        const auto table = catalog::table(c.r, site);
        const admission::Product* product = table.find(id);
        if (product == nullptr) return http::to_response(not_found("product_unknown"));
        const Out json = to_json(*product);
        return tagged(answer(json), json);
    };
}

Prepared<Write> change_product(const http::Request& request) {
    const auto site = site_in(request);
    const auto id = product_in(request);
    if (!site || !id) return not_found("product_unknown");
    Body body{request};
    Object root = body.root();
    admission::Product product = product_from(root);
    if (body.bad()) return body.problem();
    product.id = *id;
    return [site = *site, product, headers = request.headers](const Context& c) -> Reply {
        const auto table = catalog::table(c.r, site);
        const admission::Product* present = table.find(product.id);
        if (present == nullptr) return refuse(not_found("product_unknown"));
        if (auto problem = unmet(headers, tag_of(to_json(*present))))
            return refuse(std::move(*problem));
        if (const auto refusal = catalog::change_product(c.r, c.call, site, product))
            return refuse(*refusal);
        const Out json = to_json(product);
        return {.response = tagged(answer(json), json),
                .committed = {.effects = {.messages = {}, .moved = {site}}, .revoked = {}}};
    };
}

}  // namespace pf::server::api
