#pragma once
// What orders keeps. Implemented by sync-server/store/soci_orders.cpp.

namespace pf::server::orders {

class Repository {
public:
    virtual ~Repository() = default;
};

}  // namespace pf::server::orders
