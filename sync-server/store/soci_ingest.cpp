#include "sync-server/store/repositories.hpp"

namespace pf::server::store {
namespace {

class SociIngest final : public ingest::Repository {
public:
    SociIngest(Sql& sql, std::int64_t tenant) : sql_{sql}, tenant_{tenant} {}

private:
    [[maybe_unused]] Sql& sql_;
    [[maybe_unused]] std::int64_t tenant_;
};

}  // namespace

std::unique_ptr<ingest::Repository> make_ingest(Sql& sql, std::int64_t tenant) {
    return std::make_unique<SociIngest>(sql, tenant);
}

}  // namespace pf::server::store
