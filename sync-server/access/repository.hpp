#pragma once
// What access keeps. Implemented by sync-server/store/soci_access.cpp.

namespace pf::server::access {

class Repository {
public:
    virtual ~Repository() = default;
};

}  // namespace pf::server::access
