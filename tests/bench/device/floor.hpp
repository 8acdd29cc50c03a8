#pragma once
// What a scan cannot do without, each as one bare call of the library that does it.
#include <memory>
#include <string>

#include "common/ticket/token.hpp"
#include "firmware/scan/frame.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace pf::bench {

/// One plain ReadBarcode with the product's own hints for the first try. Throws when it reads
/// nothing.
std::string zxing_decode(const firmware::scan::LumaFrame& frame);

/// The bytes a ticket's signature covers, taken out beforehand.
class Es256 {
public:
    Es256(std::string_view text, const crypto::PublicKey& key);
    void verify() const;
    const Bytes& message() const { return unverified_.signed_bytes; }

private:
    ticket::Unverified unverified_;
    crypto::PublicKey key_;
};

/// A database of one table beside the journal, as durable as that: each insert is one commit.
class DurableTable {
public:
    explicit DurableTable(const std::string& path);
    ~DurableTable();
    DurableTable(const DurableTable&) = delete;
    DurableTable& operator=(const DurableTable&) = delete;
    void commit_one();

private:
    sqlite3* database_ = nullptr;
    sqlite3_stmt* insert_ = nullptr;
};

}  // namespace pf::bench
