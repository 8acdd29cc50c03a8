#pragma once
// What leases keeps. Implemented by sync-server/store/soci_leases.cpp.
#include <vector>

#include "sync-server/leases/leases.hpp"

namespace pf::server::leases {

class Repository {
public:
    virtual ~Repository() = default;

    /// Of the database: one clock for every server. Another answer each time.
    virtual WallTime clock() = 0;

    /// For what another transaction holds, from here on in this one.
    virtual void wait_at_most(Millis patience) = 0;

    virtual std::vector<Server> servers() = 0;
    virtual void put(const Server& server) = 0;
    virtual void remove(const std::string& life) = 0;

    /// Parts nobody ever had are missing. An empty life: nobody has it now.
    virtual std::vector<Claim> claims() = 0;
    virtual std::optional<Claim> claim(std::uint32_t part) = 0;
    virtual void put(const Claim& claim) = 0;
};

}  // namespace pf::server::leases
