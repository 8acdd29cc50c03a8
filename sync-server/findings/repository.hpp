#pragma once
// What findings keeps. Implemented by sync-server/store/soci_findings.cpp.

namespace pf::server::findings {

class Repository {
public:
    virtual ~Repository() = default;
};

}  // namespace pf::server::findings
