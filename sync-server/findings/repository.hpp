#pragma once
// What findings keeps. Implemented by sync-server/store/soci_findings.cpp.
#include <vector>

#include "sync-server/findings/findings.hpp"

namespace pf::server::findings {

class Repository {
public:
    virtual ~Repository() = default;
    /// Numbers it; does nothing when the same (kind, device, epoch, seq, ticket) was raised before.
    virtual void add(const Finding& finding) = 0;
    /// Newest first, with numbers below `before`.
    virtual std::vector<Finding> newest(std::uint64_t before, std::size_t limit) = 0;
};

}  // namespace pf::server::findings
