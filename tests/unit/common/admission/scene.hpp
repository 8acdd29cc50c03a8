#pragma once
// One gate, one ticket, one moment: what the tables of this folder change a little in every row.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/admission/decide.hpp"

namespace pf::tests {

inline constexpr SiteId site{341}, other_site{342};
inline constexpr PointId north{11}, south{12};
inline constexpr ProductId day_product{12007}, evening_product{12008};
inline constexpr WindowId opening_hours{2}, evening{3};

/// Local time at the site: "2026-05-01 09:00" or with seconds.
WallTime at(std::string_view local);
Day on(std::string_view iso);

/// A ticket for one adult, 2026-05-01 to 2026-05-03, 09:00 to 17:00, one entry, presented as signed
/// QR at the north point on the first of May at ten; clock trusted, lists fresh, server heard.
struct Scene {
    Scene();

    ticket::Claims claims;
    admission::Known known;
    admission::ProductTable table;
    bool has_table = true;
    admission::Here here;

    ticket::Entitlement& entitlement() { return claims.entitlements.front(); }
    admission::Product& product() { return table.products.front(); }
    void now(std::string_view local) { here.now = {at(local), at(local)}; }
    void now(std::string_view earliest, std::string_view latest) {
        here.now = {at(earliest), at(latest)};
    }
    admission::Use& used(std::uint16_t persons, std::string_view day = "2026-05-01");

    admission::Verdict decide() const;
    /// "admit 1 ok", "ask clock_unsure", "refuse expired".
    std::string answer() const;
};
std::string spoken(const admission::Verdict& verdict);

/// Expected answer in the last column.
struct Row {
    const char* why;
    std::function<void(Scene&)> change;
    const char* expect;
};
void check(const std::vector<Row>& rows);
void check(const std::function<void(Scene&)>& fixture, const std::vector<Row>& rows);

}  // namespace pf::tests
