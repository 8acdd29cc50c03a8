#include "sync-server/store/repositories.hpp"

namespace pf::server::store {
namespace {

class SociCheckins final : public checkins::Repository {
public:
    SociCheckins(Sql& sql, std::int64_t tenant) : sql_{sql}, tenant_{tenant} {}

private:
    [[maybe_unused]] Sql& sql_;
    [[maybe_unused]] std::int64_t tenant_;
};

}  // namespace

std::unique_ptr<checkins::Repository> make_checkins(Sql& sql, std::int64_t tenant) {
    return std::make_unique<SociCheckins>(sql, tenant);
}

}  // namespace pf::server::store
