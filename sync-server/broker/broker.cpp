#include "sync-server/broker/broker.hpp"

#include <cstdlib>

#include "sync-server/broker/supervisor.hpp"

namespace pf::server::broker {

std::string_view to_text(Fault fault) noexcept {
    switch (fault) {
        case Fault::program_missing:
            return "program_missing";
        case Fault::directory_unusable:
            return "directory_unusable";
        case Fault::not_answering:
            return "not_answering";
        case Fault::stopped:
            return "stopped";
    }
    std::abort();  // a value outside the enum means memory is corrupt
}

Broker::Broker(Config config, Log log)
    : supervisor_{std::make_unique<Supervisor>(std::move(config), std::move(log))} {}

Broker::~Broker() = default;

Result<void, Fault> Broker::start() { return supervisor_->start(); }

void Broker::stop() { supervisor_->stop(); }

std::uint16_t Broker::port() const { return supervisor_->port(); }

Health Broker::health() const { return supervisor_->health(); }

Result<void, Fault> Broker::set_access(Access access) {
    const auto updated = supervisor_->update(std::nullopt, std::move(access));
    return updated.has_value() && health().running ? supervisor_->wait_obeyed() : updated;
}

Result<void, Fault> Broker::set_material(Material material) {
    const auto updated = supervisor_->update(std::move(material), std::nullopt);
    return updated.has_value() && health().running ? supervisor_->wait_obeyed() : updated;
}

Result<void, Fault> Broker::revoke(const std::vector<std::string>& device_ids, Material material,
                                   Access access) {
    // First the rules, then the door: whoever is thrown out must not get in again.
    const auto updated = supervisor_->update(std::move(material), std::move(access));
    if (!updated.has_value()) return updated;
    const auto obeyed = supervisor_->wait_obeyed();
    return obeyed.has_value() ? supervisor_->throw_out(device_ids) : obeyed;
}

}  // namespace pf::server::broker
