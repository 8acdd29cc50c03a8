#include "firmware/ctl/wire.hpp"

namespace pf::firmware::ctl {
namespace {

class HttpsWire final : public Wire {
public:
    explicit HttpsWire(const https::Options& options) : client_{options} {}

    Result<https::Response, https::Fault> request(const https::Request& request) override {
        return client_.request(request);
    }
    Result<https::Response, https::Fault> stream(const https::Request& request,
                                                 const https::Client::OnLine& on_line) override {
        return client_.stream(request, on_line);
    }
    std::string explain() const override { return client_.explain(); }

private:
    https::Client client_;
};

}  // namespace

std::unique_ptr<Wire> connect_https(const https::Options& options) {
    return std::make_unique<HttpsWire>(options);
}

}  // namespace pf::firmware::ctl
