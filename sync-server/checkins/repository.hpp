#pragma once
// What checkins keeps. Implemented by sync-server/store/soci_checkins.cpp.

namespace pf::server::checkins {

class Repository {
public:
    virtual ~Repository() = default;
};

}  // namespace pf::server::checkins
