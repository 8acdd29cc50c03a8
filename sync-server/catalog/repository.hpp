#pragma once
// What catalog keeps. Implemented by sync-server/store/soci_catalog.cpp.

namespace pf::server::catalog {

class Repository {
public:
    virtual ~Repository() = default;
};

}  // namespace pf::server::catalog
