#pragma once
// What lists keeps. Implemented by sync-server/store/soci_lists.cpp.

namespace pf::server::lists {

class Repository {
public:
    virtual ~Repository() = default;
};

}  // namespace pf::server::lists
