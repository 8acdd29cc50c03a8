#pragma once
// One schema history for every database: each file of schema/ once, in the order of its number.
#include <string>
#include <vector>

namespace pf::server::store {

struct SchemaStep {
    std::string name;  // "0001_meta"
    std::string sql;   // statements ended by ';' at the end of a line
};
std::vector<SchemaStep> schema_steps();

}  // namespace pf::server::store
