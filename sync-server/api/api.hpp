#pragma once
// The HTTP API: every route, run as one transaction with its key, its audit row and its kept
// answer. docs/protocol/server.openapi.yaml describes it; a test holds the two together.
#include <memory>
#include <string>
#include <vector>

#include "sync-server/api/backend.hpp"
#include "sync-server/http/router.hpp"

namespace pf::server::api {

class Api {
public:
    /// The backend outlives the Api and every answer.
    explicit Api(Backend& backend);
    ~Api();
    Api(const Api&) = delete;
    Api& operator=(const Api&) = delete;

    /// Routes for people, programs and new devices.
    std::shared_ptr<const http::Router> main_router() const;
    /// Routes whose credential is the client's certificate, expired ones too.
    std::shared_ptr<const http::Router> renewal_router() const;

    /// New events may be in the sync log: whoever follows it is told. From a task of
    /// Backend::post, as is end().
    void log_moved();
    /// Ends every follow, so that a stop does not wait for them.
    void end();

    /// "GET /v1/sites": what the OpenAPI document must name, no more and no less.
    static std::vector<std::string> route_list();

private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace pf::server::api
