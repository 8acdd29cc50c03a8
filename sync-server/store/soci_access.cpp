#include "sync-server/store/repositories.hpp"

namespace pf::server::store {
namespace {

class SociAccess final : public access::Repository {
public:
    SociAccess(Sql& sql, std::int64_t tenant) : sql_{sql}, tenant_{tenant} {}

private:
    [[maybe_unused]] Sql& sql_;
    [[maybe_unused]] std::int64_t tenant_;
};

}  // namespace

std::unique_ptr<access::Repository> make_access(Sql& sql, std::int64_t tenant) {
    return std::make_unique<SociAccess>(sql, tenant);
}

}  // namespace pf::server::store
