#include "sync-server/catalog/catalog.hpp"

#include <algorithm>

#include "common/wire/documents.hpp"
#include "common/wire/limits.hpp"
#include "sync-server/catalog/repository.hpp"

namespace pf::server::catalog {
namespace {

constexpr std::uint16_t day_minutes = 1440;

template <class Row>
std::uint32_t next_number(const std::vector<Row>& rows) {
    std::uint32_t last = 0;
    for (const Row& row : rows) last = std::max(last, row.id.value);
    return last + 1;
}

std::optional<Refusal> check(Repositories& r, SiteId site, const admission::Product& product) {
    if (product.name_zh.empty() || product.name_en.empty()) return Refusal::name_missing;
    if (product.points.size() > wire::product_points_max) return Refusal::points_too_many;
    const auto known = r.catalog.points(site);
    for (const PointId point : product.points) {
        if (std::ranges::find(known, point, &Point::id) == known.end())
            return Refusal::point_unknown;
    }
    return std::nullopt;
}

/// Whether the table can still be told to devices. The transaction is undone when it can't.
std::optional<Refusal> check_size(Repositories& r, SiteId site) {
    const std::size_t bytes = wire::encoded_bytes(table(r, site));
    if (bytes + wire::document_envelope_bytes_max > wire::document_bytes_max)
        return Refusal::table_full;
    return std::nullopt;
}

}  // namespace

std::string_view to_text(Refusal refusal) noexcept {
    switch (refusal) {
        case Refusal::site_unknown:
            return "site_unknown";
        case Refusal::product_unknown:
            return "product_unknown";
        case Refusal::window_unknown:
            return "window_unknown";
        case Refusal::point_unknown:
            return "point_unknown";
        case Refusal::window_bad:
            return "window_bad";
        case Refusal::name_missing:
            return "name_missing";
        case Refusal::points_too_many:
            return "points_too_many";
        case Refusal::windows_full:
            return "windows_full";
        case Refusal::products_full:
            return "products_full";
        case Refusal::table_full:
            return "table_full";
    }
    std::abort();
}

Result<PointId, Refusal> add_point(Repositories& r, const Call&, SiteId site, std::string_view zh,
                                   std::string_view en) {
    if (!r.catalog.calendar(site)) return Refusal::site_unknown;
    if (zh.empty() || en.empty()) return Refusal::name_missing;
    const PointId id{next_number(r.catalog.points(site))};
    r.catalog.put_point({id, site, std::string{zh}, std::string{en}});
    return id;
}

Result<WindowId, Refusal> add_window(Repositories& r, const Call&, SiteId site,
                                     std::uint16_t from_min, std::uint16_t until_min) {
    if (!r.catalog.calendar(site)) return Refusal::site_unknown;
    if (from_min >= until_min || until_min > day_minutes) return Refusal::window_bad;
    const auto known = r.catalog.windows(site);
    if (known.size() >= wire::windows_max) return Refusal::windows_full;
    const WindowId id{next_number(known)};
    r.catalog.put_window(site, {id, from_min, until_min});
    r.catalog.raise_version(site);
    if (const auto refusal = check_size(r, site)) return *refusal;
    return id;
}

Result<ProductId, Refusal> add_product(Repositories& r, const Call&, SiteId site,
                                       const admission::Product& draft) {
    if (!r.catalog.calendar(site)) return Refusal::site_unknown;
    if (const auto refusal = check(r, site, draft)) return *refusal;
    const auto known = r.catalog.products(site);
    if (known.size() >= wire::products_max) return Refusal::products_full;
    admission::Product product = draft;
    product.id = ProductId{next_number(known)};
    r.catalog.put_product(site, product);
    r.catalog.raise_version(site);
    if (const auto refusal = check_size(r, site)) return *refusal;
    return product.id;
}

std::optional<Refusal> change_product(Repositories& r, const Call&, SiteId site,
                                      const admission::Product& product) {
    const auto known = r.catalog.products(site);
    if (std::ranges::find(known, product.id, &admission::Product::id) == known.end())
        return Refusal::product_unknown;
    if (const auto refusal = check(r, site, product)) return refusal;
    r.catalog.put_product(site, product);
    r.catalog.raise_version(site);
    return check_size(r, site);
}

std::uint64_t version(Repositories& r, SiteId site) { return r.catalog.version(site); }

std::vector<Point> points(Repositories& r, SiteId site) { return r.catalog.points(site); }

admission::ProductTable table(Repositories& r, SiteId site) {
    return {.site = site,
            .version = r.catalog.version(site),
            .calendar = r.catalog.calendar(site).value_or(Calendar{}),
            .windows = r.catalog.windows(site),
            .products = r.catalog.products(site)};
}

}  // namespace pf::server::catalog
