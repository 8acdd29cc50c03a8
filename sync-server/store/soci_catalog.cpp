#include "sync-server/store/repositories.hpp"

namespace pf::server::store {
namespace {

class SociCatalog final : public catalog::Repository {
public:
    SociCatalog(Sql& sql, std::int64_t tenant) : sql_{sql}, tenant_{tenant} {}

private:
    [[maybe_unused]] Sql& sql_;
    [[maybe_unused]] std::int64_t tenant_;
};

}  // namespace

std::unique_ptr<catalog::Repository> make_catalog(Sql& sql, std::int64_t tenant) {
    return std::make_unique<SociCatalog>(sql, tenant);
}

}  // namespace pf::server::store
