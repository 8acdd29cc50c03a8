#include "sync-server/app/gatekeeper.hpp"

#include <stdexcept>
#include <utility>

#include "sync-server/app/data_dir.hpp"

namespace pf::server::app {
Rules rules_of(store::Store& store, const fleet::Keys& keys, std::uint32_t servers, WallTime now) {
    Rules rules;
    for (std::uint32_t seat = 0; seat < servers; ++seat)
        rules.access.server_ids.push_back(server_name(seat));
    const auto fault = store.read([&](Repositories& r) {
        for (const fleet::Device& device : fleet::devices(r))
            if (device.state == fleet::DeviceState::active)
                rules.access.devices.push_back({device.id.text(), fleet::topic_root(device)});
        rules.crl = fleet::revocation_list(r, keys, now);
    });
    if (fault) throw std::runtime_error{"the devices can't be read"};
    return rules;
}

Gatekeeper::Gatekeeper(Parts parts) : parts_{std::move(parts)} {
    if (!parts_.write)
        parts_.write = [](const std::filesystem::path& file, std::string_view content) {
            return write_private(file, content);
        };
    thread_ = std::thread{[this] { run(); }};
}

Gatekeeper::~Gatekeeper() {
    {
        const std::scoped_lock lock{mutex_};
        quit_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Gatekeeper::refresh(std::vector<DeviceId> revoked, std::function<void(bool taken)> done) {
    {
        const std::scoped_lock lock{mutex_};
        wishes_.push_back(
            {.revoked = std::move(revoked), .done = std::move(done), .renew_list = false});
    }
    changed_.notify_all();
}

void Gatekeeper::renew_list() {
    {
        const std::scoped_lock lock{mutex_};
        wishes_.push_back({.revoked = {}, .done = {}, .renew_list = true});
    }
    changed_.notify_all();
}

void Gatekeeper::run() {
    std::vector<std::string> owed;  // to be thrown out still
    bool renew_list = false;        // the list of certificates is to be renewed still
    bool behind = false;            // the broker did not take what was last told to it
    for (;;) {
        std::vector<Wish> wishes;
        {
            std::unique_lock lock{mutex_};
            const auto wanted = [this] { return quit_ || !wishes_.empty(); };
            if (behind)
                changed_.wait_for(lock, parts_.retry_after, wanted);
            else
                changed_.wait(lock, wanted);
            wishes.swap(wishes_);
            if (quit_ && wishes.empty()) return;
        }
        for (const Wish& wish : wishes) {
            renew_list = renew_list || wish.renew_list;
            for (const DeviceId& id : wish.revoked) owed.push_back(id.text());
        }
        behind = !apply(owed, renew_list);
        if (!behind) {
            owed.clear();
            renew_list = false;
        }
        // Answered in any case: what was asked for is committed.
        for (Wish& wish : wishes)
            if (wish.done) wish.done(!behind);
    }
}

bool Gatekeeper::apply(const std::vector<std::string>& revoked, bool renew_list) {
    Rules rules;
    try {
        rules = rules_of(parts_.store, parts_.keys, parts_.servers, parts_.now());
    } catch (const std::runtime_error& error) {
        parts_.log.say(LogLevel::error, "broker rules not renewed", {{"why", error.what()}});
        return false;
    }
    if (parts_.broker == nullptr) {
        const bool written =
            parts_.write(parts_.directory / "access", broker::render_access(rules.access)) &&
            parts_.write(parts_.directory / "crl.pem", rules.crl);
        if (!written) parts_.log.say(LogLevel::error, "broker rules not written");
        return written;
    }
    broker::Material material = parts_.material;
    material.crl = std::move(rules.crl);
    // A new device needs the access rules alone; the list is renewed when somebody leaves, and
    // daily.
    auto done = revoked.empty() ? parts_.broker->set_access(rules.access)
                                : parts_.broker->revoke(revoked, material, rules.access);
    if (done.has_value() && revoked.empty() && renew_list)
        done = parts_.broker->set_material(std::move(material));
    if (done.has_error()) {
        parts_.log.say(LogLevel::warning, "broker did not take the rules",
                       {{"why", std::string{broker::to_text(done.error())}}});
        return false;
    }
    return true;
}

}  // namespace pf::server::app
