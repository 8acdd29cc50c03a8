#include "sync-server/store/repositories.hpp"

namespace pf::server::store {
namespace {

class SociFindings final : public findings::Repository {
public:
    SociFindings(Sql& sql, std::int64_t tenant) : sql_{sql}, tenant_{tenant} {}

private:
    [[maybe_unused]] Sql& sql_;
    [[maybe_unused]] std::int64_t tenant_;
};

}  // namespace

std::unique_ptr<findings::Repository> make_findings(Sql& sql, std::int64_t tenant) {
    return std::make_unique<SociFindings>(sql, tenant);
}

}  // namespace pf::server::store
