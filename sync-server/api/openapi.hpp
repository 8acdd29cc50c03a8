#pragma once
// docs/protocol/server.openapi.json, compiled in by CMake.
#include <string_view>

namespace pf::server::api {

std::string_view openapi_document() noexcept;

}  // namespace pf::server::api
