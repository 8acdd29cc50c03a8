#pragma once
// What a run really exercised. A simulation that never lost a message proves nothing about loss, so
// every row must be above zero over the seeds of CI.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pf::simulation {

class Coverage {
public:
    /// Everything this world can do, at zero.
    Coverage();

    void count(std::string_view table, std::string_view row, std::uint64_t times = 1);
    std::uint64_t of(std::string_view table, std::string_view row) const;
    void add(const Coverage& other);
    /// "table: row" of every zero.
    std::vector<std::string> missing() const;
    std::string text() const;

private:
    std::map<std::string, std::map<std::string, std::uint64_t, std::less<>>, std::less<>> tables_;
};

}  // namespace pf::simulation
