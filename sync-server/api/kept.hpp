#pragma once
// Small readings of a request that every route shares: its fingerprint, the kept form of its
// answer, where to follow from. Inside the room.
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "common/base/bytes.hpp"
#include "common/base/ids.hpp"
#include "sync-server/http/message.hpp"
#include "sync-server/http/problem.hpp"

namespace pf::server::api {

bool kept_key_ok(std::string_view key) noexcept;
/// Of method, path, query and body: the same request sent again, and nothing else, has the same.
Digest fingerprint_of(const http::Request& request, const Digest& body);
std::string to_kept(const http::Response& response);
/// The answer of the first time, marked as such with `Idempotency-Replayed: true`.
http::Response response_from_kept(std::string_view kept);

/// `?follow=true`, or an Accept field that names text/event-stream.
bool wants_stream(const http::Request& request);
/// Last-Event-ID beats `after`: it is what a client that lost the stream sends by itself.
std::variant<http::Problem, std::uint64_t> follow_from(const http::Request& request);

}  // namespace pf::server::api
