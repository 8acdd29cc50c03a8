#pragma once
// What ingest keeps. Implemented by sync-server/store/soci_ingest.cpp.

namespace pf::server::ingest {

class Repository {
public:
    virtual ~Repository() = default;
};

}  // namespace pf::server::ingest
