#include "sync-server/store/repositories.hpp"

namespace pf::server::store {
namespace {

class SociLists final : public lists::Repository {
public:
    SociLists(Sql& sql, std::int64_t tenant) : sql_{sql}, tenant_{tenant} {}

private:
    [[maybe_unused]] Sql& sql_;
    [[maybe_unused]] std::int64_t tenant_;
};

}  // namespace

std::unique_ptr<lists::Repository> make_lists(Sql& sql, std::int64_t tenant) {
    return std::make_unique<SociLists>(sql, tenant);
}

}  // namespace pf::server::store
