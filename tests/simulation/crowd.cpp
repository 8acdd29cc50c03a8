#include "tests/simulation/crowd.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/base45.hpp"
#include "common/cbor/cbor.hpp"
#include "common/ticket/token.hpp"

namespace pf::simulation {
namespace {

constexpr std::size_t hot_max = 7;

/// Where the parts of a COSE_Sign1 of ours stand (docs/protocol/ticket-v1.md, section 3).
constexpr std::size_t at_array = 0, at_header = 2, at_algorithm = 4, at_second_key = 5, at_key = 7;
constexpr std::size_t header_bytes = 9;

}  // namespace

Crowd::Crowd(Scene& scene, Town& town, Checks& checks,
             std::vector<std::unique_ptr<Machine>>& machines)
    : scene_{scene}, town_{town}, checks_{checks}, machines_{machines}, rng_{scene.rng.fork(40)} {
    for (auto& machine : machines_) machine->on_pulse([this, one = machine.get()] { walk(*one); });
}

bool Crowd::visit() {
    const TicketModel& ticket = pick_ticket();
    std::vector<Machine*> running, fitting;
    for (auto& machine : machines_) {
        if (!machine->running()) continue;
        running.push_back(machine.get());
        const bool here = std::ranges::any_of(
            ticket.claims.entitlements,
            [&](const ticket::Entitlement& e) { return e.site == machine->spec().site; });
        if (here) fitting.push_back(machine.get());
    }
    if (running.empty()) return false;
    const bool lost_their_way = fitting.empty() || rng_.percent(8);
    present(*rng_.pick(lost_their_way ? running : fitting), ticket);
    return true;
}

TicketModel& Crowd::pick_ticket() {
    if (!hot_.empty() && rng_.percent(40)) return town_.tickets[rng_.pick(hot_)];
    const std::size_t count = town_.tickets.size();
    // What was sold just now is what visitors come with.
    const std::size_t at = rng_.percent(25)
                               ? count - 1 - rng_.below(std::min<std::size_t>(count, 6))
                               : rng_.below(count);
    if (hot_.size() == hot_max) hot_.erase(hot_.begin());
    hot_.push_back(at);
    return town_.tickets[at];
}

/// One flaw of every kind a token can have.
std::string Crowd::broken_code(const std::string& good) {
    const std::string prefix{ticket::prefix};
    Bytes cose = *base45_decode(std::string_view{good}.substr(prefix.size()));
    switch (rng_.below(11)) {
        case 0:
            return prefix + std::string(ticket::text_chars_max, 'A');
        case 1:
            return prefix + "abc";
        case 2:
            cose.resize(cose.size() - 5);
            break;
        case 3:
            cose.push_back(0);
            break;
        case 4:
            cose[at_second_key] = cose[at_algorithm - 1];
            break;
        case 5:
            cose[at_array] = 0x98;
            cose.insert(cose.begin() + 1, 4);
            break;
        case 6:
            cose[at_algorithm] ^= 1U;
            break;
        case 7: {
            cbor::Encoder out;
            const Bytes none{0xa0};
            out.array(4).bytes(BytesView{cose}.subspan(at_header, header_bytes)).map(0);
            out.bytes(none).bytes(BytesView{cose}.last(64));
            cose = out.take();
            break;
        }
        case 8:
            cose[at_key] ^= 0x55U;
            break;
        case 9:
            cose.back() ^= 1U;
            break;
        case 10:
            return fmt::format("HTTPS://EXAMPLE.COM/{}", rng_.below(1'000));
    }
    return prefix + base45_encode(cose);
}

void Crowd::visit_at(Machine& machine) { present(machine, pick_ticket()); }

void Crowd::present(Machine& machine, const TicketModel& ticket) {
    ++scans_;
    const bool broken = rng_.percent(9);
    if (broken && !ticket.qr.empty()) return hold_up(machine, broken_code(ticket.qr.back()));
    if (ticket.document && (ticket.qr.empty() || rng_.percent(70)))
        return show_document(machine, *ticket.document);
    if (ticket.code && (ticket.qr.empty() || rng_.percent(50)))
        return hold_up(machine, *ticket.code);
    // A screenshot of the code before the reissue.
    if (!ticket.qr.empty()) {
        const std::string& text = rng_.percent(25) ? ticket.qr.front() : ticket.qr.back();
        const bool must = checks_.must_admit(machine, ticket, text);
        hold_up(machine, text);
        if (must) checks_.demand_admitted(machine, ticket);
        return;
    }
    hold_up(machine, "OTA-NOBODY-SOLD-THIS");
}

void Crowd::hold_up(Machine& machine, const std::string& text) {
    if (machine.has_barrier()) return machine.on_code(text);
    machine.call("a scan", [&](firmware::app::Device& device) {
        use_handheld(device, device.on_code({to_bytes(text), "camera-0", {}}));
    });
}

void Crowd::show_document(Machine& machine, const std::string& number) {
    if (machine.has_barrier()) return machine.on_document(number);
    machine.call("a document", [&](firmware::app::Device& device) {
        use_handheld(device, device.on_document({number, "reader-0"}));
    });
}

void Crowd::use_handheld(firmware::app::Device& device, const firmware::verify::Answer& preview) {
    if (preview.verdict.kind == admission::Verdict::Kind::refuse && rng_.percent(70)) return;
    std::optional<TicketId> chosen;
    if (!preview.candidates.empty() && rng_.percent(70)) chosen = rng_.pick(preview.candidates).id;
    std::optional<std::uint16_t> persons;
    if (rng_.percent(35)) persons = static_cast<std::uint16_t>(rng_.between(1, 4));
    (void)device.admit(persons, rng_.percent(60), chosen);
    if (rng_.percent(20)) (void)device.undo();
}

/// What the person at the open arm does.
void Crowd::walk(Machine& machine) {
    using firmware::ports::BarrierEvent;
    const std::uint64_t roll = rng_.below(100);
    if (roll < 12) return;  // steps back; the wait runs out
    const BarrierEvent event = roll < 86   ? BarrierEvent::passed
                               : roll < 91 ? BarrierEvent::wrong_way
                               : roll < 95 ? BarrierEvent::tailgate
                                           : BarrierEvent::forced;
    scene_.agenda.in(Millis{rng_.between(300, 2'000)}, [&machine, event, run = machine.run()] {
        if (machine.run() == run) machine.barrier(event);
    });
}

}  // namespace pf::simulation
