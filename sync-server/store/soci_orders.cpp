#include "sync-server/store/repositories.hpp"

namespace pf::server::store {
namespace {

class SociOrders final : public orders::Repository {
public:
    SociOrders(Sql& sql, std::int64_t tenant) : sql_{sql}, tenant_{tenant} {}

private:
    [[maybe_unused]] Sql& sql_;
    [[maybe_unused]] std::int64_t tenant_;
};

}  // namespace

std::unique_ptr<orders::Repository> make_orders(Sql& sql, std::int64_t tenant) {
    return std::make_unique<SociOrders>(sql, tenant);
}

}  // namespace pf::server::store
