#pragma once
// What ingest can't be faster than: the broker with the same batches and nobody who reads them, the
// database with the same rows and the same commits and nobody who understands them.
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "sync-server/broker/broker.hpp"
#include "tests/bench/ingest/producer.hpp"
#include "tests/support/fixed_entropy.hpp"
#include "tests/support/mqtt/authority.hpp"
#include "tests/support/mqtt/listener.hpp"
#include "tests/support/mqtt/loop.hpp"
#include "tests/support/temp_dir.hpp"

namespace pf::bench {

/// A broker as the server sets it up, and an end that answers every batch without looking at it.
class RawBroker {
public:
    explicit RawBroker(std::size_t devices);
    ~RawBroker();

    const std::vector<Identity>& devices() const { return devices_; }
    const std::string& authority_pem() const { return authority_.pem(); }
    std::uint16_t port() const { return broker_->port(); }
    /// So many events are in each batch from now on.
    void expect(std::uint64_t events) { events_ = events; }

private:
    void answer(const mqtt::Message& message);

    tests::Authority authority_{1};
    tests::TempDir folder_;
    std::vector<Identity> devices_;
    std::unique_ptr<server::broker::Broker> broker_;
    std::atomic<std::uint64_t> events_ = 1;
    std::map<std::string, std::uint64_t> seqs_;  // on the thread
    tests::Loop loop_;
    tests::Listener heard_;
    std::unique_ptr<mqtt::Link> link_;
    std::atomic<bool> quit_ = false;
    std::thread thread_;
};

/// Inserts `batches` × `events` rows like those of a journal, a commit a batch over eight
/// connections (PostgreSQL), or a commit for `together` batches on one (SQLite). Microseconds.
double raw_insert_postgresql(const std::string& address, std::uint64_t batches,
                             std::uint64_t events);
double raw_insert_sqlite(const std::string& file, std::uint64_t batches, std::uint64_t events,
                         std::uint64_t together);

}  // namespace pf::bench
