#include <charconv>

#include "sync-server/store/repositories.hpp"

namespace pf::server::store {
namespace {

using catalog::Point;

template <class Numbers, class NumberOf>
std::string joined(const Numbers& numbers, NumberOf number_of) {
    std::string out;
    for (const auto& each : numbers) {
        if (!out.empty()) out += ',';
        out += std::to_string(number_of(each));
    }
    return out;
}

std::vector<std::uint32_t> split(const std::string& text) {
    std::vector<std::uint32_t> out;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
        std::uint32_t number = 0;
        const auto [next, error] = std::from_chars(at, end, number);
        if (error != std::errc{})
            throw std::runtime_error{"a stored list of numbers can't be read"};
        out.push_back(number);
        at = next < end ? next + 1 : end;
    }
    return out;
}

admission::Product product_of(const Row& row) {
    admission::Product product{.id = ProductId{row.u32(0)},
                               .name_zh = row.text(1),
                               .name_en = row.text(2),
                               .points = {},
                               .stale = static_cast<admission::StaleRule>(row.number(4)),
                               .certificate = {}};
    for (const std::uint32_t number : split(row.text(3))) product.points.push_back(PointId{number});
    for (const std::uint32_t number : split(row.text(5)))
        if (const auto type = ticket::person_type_from(std::uint64_t{number}))
            product.certificate.push_back(*type);
    return product;
}

class SociCatalog final : public catalog::Repository {
public:
    SociCatalog(Sql& sql, std::int64_t tenant) : sql_{sql}, tenant_{tenant} {}

    std::optional<Calendar> calendar(SiteId site) override {
        return sql_.first(
            "SELECT utc_offset_min, day_begins_min FROM site WHERE tenant = :a AND site = :b",
            {tenant_, site}, "ii", [](const Row& row) {
                return Calendar{static_cast<std::int32_t>(row.number(0)),
                                static_cast<std::int32_t>(row.number(1))};
            });
    }
    void put_point(const Point& point) override {
        sql_.run(
            "INSERT INTO point (tenant, site, point, name_zh, name_en) VALUES (:a, :b, :c, :d, :e)"
            " ON CONFLICT (tenant, site, point) DO UPDATE SET name_zh = excluded.name_zh,"
            " name_en = excluded.name_en",
            {tenant_, point.site, point.id, point.name_zh, point.name_en});
    }
    std::vector<Point> points(SiteId site) override {
        return sql_.all(
            "SELECT point, name_zh, name_en FROM point WHERE tenant = :a AND site = :b ORDER BY "
            "point",
            {tenant_, site}, "itt", [&](const Row& row) {
                return Point{PointId{row.u32(0)}, site, row.text(1), row.text(2)};
            });
    }
    void put_window(SiteId site, const admission::Window& window) override {
        sql_.run(
            "INSERT INTO day_window (tenant, site, number, from_min, until_min) VALUES (:a, :b, "
            ":c, :d, :e)"
            " ON CONFLICT (tenant, site, number) DO UPDATE SET from_min = excluded.from_min,"
            " until_min = excluded.until_min",
            {tenant_, site, window.id, std::uint32_t{window.from_min},
             std::uint32_t{window.until_min}});
    }
    std::vector<admission::Window> windows(SiteId site) override {
        return sql_.all(
            "SELECT number, from_min, until_min FROM day_window WHERE tenant = :a AND site = :b"
            " ORDER BY number",
            {tenant_, site}, "iii", [](const Row& row) {
                return admission::Window{WindowId{row.u32(0)},
                                         static_cast<std::uint16_t>(row.number(1)),
                                         static_cast<std::uint16_t>(row.number(2))};
            });
    }
    void put_product(SiteId site, const admission::Product& product) override {
        sql_.run(
            "INSERT INTO product (tenant, site, product, name_zh, name_en, points, stale, "
            "certificate)"
            " VALUES (:a, :b, :c, :d, :e, :f, :g, :h) ON CONFLICT (tenant, site, product) DO "
            "UPDATE SET"
            " name_zh = excluded.name_zh, name_en = excluded.name_en, points = excluded.points,"
            " stale = excluded.stale, certificate = excluded.certificate",
            {tenant_, site, product.id, product.name_zh, product.name_en,
             joined(product.points, [](PointId id) { return id.value; }),
             static_cast<std::int32_t>(product.stale),
             joined(product.certificate,
                    [](ticket::PersonType type) { return static_cast<int>(type); })});
    }
    std::vector<admission::Product> products(SiteId site) override {
        return sql_.all(
            "SELECT product, name_zh, name_en, points, stale, certificate FROM product"
            " WHERE tenant = :a AND site = :b ORDER BY product",
            {tenant_, site}, "itttit", product_of);
    }
    std::uint64_t version(SiteId site) override {
        return sql_
            .first("SELECT version FROM catalog_version WHERE tenant = :a AND site = :b",
                   {tenant_, site}, "i", [](const Row& row) { return row.u64(0); })
            .value_or(0);
    }
    void raise_version(SiteId site) override {
        sql_.run(
            "INSERT INTO catalog_version (tenant, site, version) VALUES (:a, :b, 1)"
            " ON CONFLICT (tenant, site) DO UPDATE SET version = catalog_version.version + 1",
            {tenant_, site});
    }

private:
    Sql& sql_;
    std::int64_t tenant_;
};

}  // namespace

std::unique_ptr<catalog::Repository> make_catalog(Sql& sql, std::int64_t tenant) {
    return std::make_unique<SociCatalog>(sql, tenant);
}

}  // namespace pf::server::store
