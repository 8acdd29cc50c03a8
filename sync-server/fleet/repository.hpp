#pragma once
// What fleet keeps. Implemented by sync-server/store/soci_fleet.cpp.

namespace pf::server::fleet {

class Repository {
public:
    virtual ~Repository() = default;
};

}  // namespace pf::server::fleet
