#pragma once
// As much JSON Schema (2020-12) as docs/protocol/server.openapi.json uses. A word it does not know
// fails, so the document can't come to say something nobody checks.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace pf::tests {

/// What is wrong with `value`, each with its place; empty: nothing.
std::vector<std::string> violations(const nlohmann::json& document, const nlohmann::json& schema,
                                    const nlohmann::json& value, const std::string& at = "");

}  // namespace pf::tests
