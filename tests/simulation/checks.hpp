#pragma once
// The invariants, watched from outside. Everything here is what really happened, kept by the world
// itself: what devices and server remember of it is what is being judged.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "tests/simulation/hub.hpp"
#include "tests/simulation/machine.hpp"
#include "tests/simulation/server_log.hpp"
#include "tests/simulation/town.hpp"

namespace pf::simulation {

/// One admission that really was written to a device's file.
struct Grant {
    GrantId id;
    std::uint64_t life = 1;  // of the device's files: a rolled back file begins another
    SteadyTime at;
    pf::journal::Admitted admitted;
    Bytes event = {};
    std::uint16_t returned = 0;
    bool outcome_unknown = false;
    bool blind = false;  // another device had granted before and this one had not seen it

    std::uint16_t counted() const {
        return static_cast<std::uint16_t>(admitted.persons - returned);
    }
};

/// What is true of one device's files. Copied with an image of its disk, restored with it.
struct DeviceTruth {
    struct EpochFile {
        Epoch epoch;
        std::vector<Bytes> events;
        std::vector<Digest> heads;
        std::vector<WallTime> written_at = {};
        std::size_t acknowledged = 0;  // events the server promised to have, within `era`
        std::uint64_t era = 0;
        std::size_t pruned = 0;  // events that are gone, as old ones may be
    };
    std::vector<EpochFile> file;
    std::map<std::pair<Epoch, std::uint64_t>, std::size_t> grants;  // into Checks::grants()
    std::map<GrantId, wire::UseItem> told;
    /// Commands the arm opened for that the cache still remembers.
    std::set<std::array<Byte, 16>> commands;
    std::uint64_t life = 1;
};

/// What does not agree yet, and the devices and tickets to read about.
struct Unsettled {
    std::string what;
    std::vector<std::string> about;
};

class Checks final : public HubWatcher, public MachineWatcher {
public:
    Checks(Scene& scene, Town& town) : scene_{scene}, town_{town} {}
    void attach(Hub& hub) { hub_ = &hub; }

    // --- HubWatcher, MachineWatcher ---
    void published(const server::Outgoing& message) override;
    void server_started(server::Repositories& r, bool restored) override;
    void server_acted(server::Repositories& r) override;
    bool wants_a_look(std::string_view topic) const override;
    void started(Machine& machine) override;
    void called(Machine& machine) override;
    void pulsed(Machine& machine) override;
    void at_barrier(Machine& machine, firmware::ports::BarrierEvent event) override;
    void commanded(Machine& machine, const wire::Command& command) override;
    void handled(Machine& machine, const std::string& topic, const Bytes& payload,
                 firmware::cache::Cache::UsesPosition before) override;

    // --- faults that take knowledge away, and say so ---
    const DeviceTruth& truth(const Machine& machine) { return truth_[machine.name()]; }
    void files_rolled_back(const Machine& machine, const DeviceTruth& to, bool cache_too);
    void cache_lost(const Machine& machine);

    // --- visitors ---
    /// Whether this device, with what it has, must let this ticket in.
    bool must_admit(Machine& machine, const TicketModel& ticket, const std::string& text);
    void demand_admitted(Machine& machine, const TicketModel& ticket);

    /// Everything the server has, against its log, from the beginning (invariants 2, 3 and 5).
    void check_server(server::Repositories& r);
    bool is_revoked(const std::string& device) const { return revoked_.contains(device); }
    /// Somebody is about to; whether it happened may be known only after a restart.
    void may_be_revoked(const std::string& device) { ever_revoked_.insert(device); }
    void revoked(const std::string& device) { revoked_.insert(device); }
    /// After healing: nothing when all agree, otherwise what does not yet.
    std::optional<Unsettled> unsettled(std::vector<std::unique_ptr<Machine>>& machines);
    /// After healing and settling.
    void check_end(std::vector<std::unique_ptr<Machine>>& machines);

    std::uint64_t admissions() const noexcept { return grants_.size(); }
    std::uint64_t over_admissions() const noexcept { return over_admissions_; }
    std::uint64_t forks() const noexcept { return forks_; }

private:
    /// How often the arm opened for one event, and how many went through.
    struct Opening {
        std::uint32_t pulses = 0;
        std::uint32_t passages = 0;
    };
    struct ListContent {
        std::size_t tickets = 0;  // known to the town when this was written down
        std::vector<std::pair<TicketId, std::uint32_t>> revoked;
        std::vector<std::tuple<admission::CarrierKind, wire::CarrierHash, TicketId, std::uint32_t>>
            carried;
        /// What left the list up to here, and must have left the devices that hold it.
        std::set<std::pair<TicketId, std::uint32_t>> revoked_gone;
        std::set<std::tuple<admission::CarrierKind, wire::CarrierHash, TicketId, std::uint32_t>>
            carried_gone;
    };

    void read_new_events(Machine& machine);
    void note_event(Machine& machine, Epoch epoch, const pf::journal::Event& event);
    void note_admitted(Machine& machine, Epoch epoch, const pf::journal::Event& event,
                       const pf::journal::Admitted& admitted);
    void check_pruned(Machine& machine, DeviceTruth::EpochFile& file, std::uint64_t upto);
    void check_place_and_time(Machine& machine, const pf::journal::Admitted& admitted,
                              const ticket::Entitlement& e);
    void check_flags(Machine& machine, const pf::journal::Admitted& admitted);
    /// Over-admission of this admission's quota, as things stand.
    void check_bound(const pf::journal::Admitted& admitted, const ticket::Entitlement& e);
    bool clock_is_sound(const Machine& machine) const;
    bool clock_excuses(const Machine& machine, const CommandModel& command) const;
    void check_confirmed(Machine& machine);
    std::uint64_t ever_acknowledged(const std::string& device, Epoch epoch) const;
    void check_lists(Machine& machine);
    void check_rows(Machine& machine, wire::ListScope scope, const wire::ListState& state,
                    std::string_view when);
    /// Of one list in force: rows it must have, and rows it must no longer have.
    static std::optional<std::string> wrong_row(const firmware::cache::Cache& cache,
                                                wire::ListScope scope, const ListContent& content);
    static std::optional<std::string> early_row(const firmware::cache::Cache& cache,
                                                wire::ListScope scope, const ListContent& held,
                                                const ListContent& newest);
    void check_files(Machine& machine);
    void check_pulses(Machine& machine);
    void check_command_pulse(Machine& machine, const wire::Command& command);
    void remember_lists(server::Repositories& r);
    ListContent content_of(server::Repositories& r, SiteId site);
    std::uint32_t seen_persons(const DeviceTruth& truth, const pf::journal::Admitted& admitted,
                               const ticket::Entitlement& e) const;
    bool is_blind(const DeviceTruth& truth, const pf::journal::Admitted& admitted,
                  const ticket::Entitlement& e) const;

    std::optional<Unsettled> unsettled_lists(server::Repositories& r, Machine& machine);
    std::optional<Unsettled> unsettled_uses(server::Repositories& r, Machine& machine);
    std::optional<Unsettled> unsettled_documents(server::Repositories& r, Machine& machine);
    void check_everything_arrived(Machine& machine);
    void demand_known_over_admissions();
    void look(server::Repositories& r);
    /// `all_of_it`: from the beginning, so what came before a device was revoked too.
    void read_log(server::Repositories& r, bool all_of_it);
    void read_findings(server::Repositories& r);
    void check_promises(const std::string& device, const DeviceTruth::EpochFile& file,
                        std::size_t from);
    void check_ticket(server::Repositories& r, const TicketModel& ticket);
    void check_over_admission(const TicketModel& ticket);
    void check_forks();
    DeviceTruth::EpochFile* file_of(const std::string& device, Epoch epoch);
    void begin_era() { ++era_; }
    void saw_generation(Generation generation);

    Scene& scene_;
    Town& town_;
    Hub* hub_ = nullptr;
    std::map<std::string, DeviceTruth> truth_;
    std::vector<Grant> grants_;
    std::set<TicketId> granted_;
    std::map<std::string, std::set<GrantId>> pulses_;  // not yet seen again after a restart
    std::map<GrantId, Opening> openings_;
    std::map<std::string, std::optional<GrantId>> standing_in_;  // whom the open lane is for
    std::map<std::pair<std::string, Epoch>, std::uint64_t> ever_acknowledged_;
    bool catching_up_ = false;  // reading what was written before a restart
    bool page_came_ = false;    // a page of a list was handled in this call
    // The server as its log and its findings tell, read on after every call that may move them.
    ServerLog log_;
    std::map<std::pair<std::string, Epoch>, std::size_t> promised_;  // not looked at: from here
    std::uint64_t findings_read_ = 0;
    std::set<TicketId> over_admissions_told_;
    std::set<std::pair<std::string, Epoch>> forks_told_;
    std::set<std::string> revoked_;
    std::set<std::string> ever_revoked_;
    std::map<std::pair<std::string, int>, wire::ListState> lists_;
    // What the server really had: roots by (generation, site, scope, version), contents by root.
    std::map<std::tuple<Generation, SiteId, wire::ListScope, std::uint64_t>, std::set<Digest>>
        roots_;
    std::map<std::tuple<SiteId, wire::ListScope, Digest>, ListContent> contents_;
    std::map<std::pair<SiteId, wire::ListScope>, ListContent> listed_last_;
    /// Files that are gone: what was promised for them stays promised.
    std::vector<std::pair<std::string, DeviceTruth::EpochFile>> earlier_files_;
    Generation generation_{};
    bool new_generation_ = false;  // and its lists are not remembered yet
    std::uint64_t era_ = 1;  // a restore or a new generation ends what acknowledgements promised
    std::uint64_t lives_ = 100;
    std::uint64_t over_admissions_ = 0;
    std::uint64_t forks_ = 0;
};

}  // namespace pf::simulation
