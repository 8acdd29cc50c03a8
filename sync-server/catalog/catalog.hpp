#pragma once
// Products, windows and points, as far as issuing tickets and checking them needs it.
#include <optional>
#include <string>
#include <vector>

#include "common/admission/decide.hpp"
#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "sync-server/store/transaction.hpp"

namespace pf::server::catalog {

struct Point {
    PointId id;
    SiteId site;
    std::string name_zh;
    std::string name_en;
};

enum class Refusal : std::uint8_t {
    site_unknown = 1,
    product_unknown,
    window_unknown,
    point_unknown,
    window_bad,
    name_missing,
    points_too_many,  // of one product
    windows_full,     // as many as a device takes
    products_full,
    table_full,  // the signed table would be longer than a document may be
};
std::string_view to_text(Refusal refusal) noexcept;

Result<PointId, Refusal> add_point(Repositories& r, const Call& call, SiteId site,
                                   std::string_view zh, std::string_view en);
/// On a refusal of these the transaction must be undone.
Result<WindowId, Refusal> add_window(Repositories& r, const Call& call, SiteId site,
                                     std::uint16_t from_min, std::uint16_t until_min);
Result<ProductId, Refusal> add_product(Repositories& r, const Call& call, SiteId site,
                                       const admission::Product& product);
std::optional<Refusal> change_product(Repositories& r, const Call& call, SiteId site,
                                      const admission::Product& product);
std::vector<Point> points(Repositories& r, SiteId site);
/// Of the table, cheap. 0: nothing was ever put.
std::uint64_t version(Repositories& r, SiteId site);
/// The table devices get; its version rises with every change.
admission::ProductTable table(Repositories& r, SiteId site);

}  // namespace pf::server::catalog
