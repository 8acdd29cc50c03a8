#include "sync-server/store/repositories.hpp"

namespace pf::server::store {
namespace {

class SociFleet final : public fleet::Repository {
public:
    SociFleet(Sql& sql, std::int64_t tenant) : sql_{sql}, tenant_{tenant} {}

private:
    [[maybe_unused]] Sql& sql_;
    [[maybe_unused]] std::int64_t tenant_;
};

}  // namespace

std::unique_ptr<fleet::Repository> make_fleet(Sql& sql, std::int64_t tenant) {
    return std::make_unique<SociFleet>(sql, tenant);
}

}  // namespace pf::server::store
