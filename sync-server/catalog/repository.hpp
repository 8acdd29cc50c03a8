#pragma once
// What catalog keeps. Implemented by sync-server/store/soci_catalog.cpp.
#include <optional>
#include <vector>

#include "sync-server/catalog/catalog.hpp"

namespace pf::server::catalog {

class Repository {
public:
    virtual ~Repository() = default;
    /// The calendar of a site; nothing when there is no such site.
    virtual std::optional<Calendar> calendar(SiteId site) = 0;

    virtual void put_point(const Point& point) = 0;
    virtual std::vector<Point> points(SiteId site) = 0;
    virtual void put_window(SiteId site, const admission::Window& window) = 0;
    virtual std::vector<admission::Window> windows(SiteId site) = 0;
    virtual void put_product(SiteId site, const admission::Product& product) = 0;
    virtual std::vector<admission::Product> products(SiteId site) = 0;
    /// 0: nothing was ever put.
    virtual std::uint64_t version(SiteId site) = 0;
    virtual void raise_version(SiteId site) = 0;
};

}  // namespace pf::server::catalog
