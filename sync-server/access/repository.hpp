#pragma once
// What access keeps. Implemented by sync-server/store/soci_access.cpp.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sync-server/access/access.hpp"

namespace pf::server::access {

struct KeyRow {
    Key key;
    Digest secret_hash{};
};

struct AnswerRow {
    Digest fingerprint{};
    Bytes sealed;
    WallTime at;
};

class Repository {
public:
    virtual ~Repository() = default;

    virtual void put_key(const KeyRow& row) = 0;
    virtual std::optional<KeyRow> key(std::string_view id) = 0;
    /// In order of creation.
    virtual std::vector<KeyRow> keys() = 0;

    /// Numbers it.
    virtual void add_audit(const Audit& audit) = 0;
    /// Newest first, with numbers below `before`.
    virtual std::vector<Audit> audits(std::uint64_t before, std::size_t limit) = 0;

    virtual std::optional<AnswerRow> answer(std::string_view actor, std::string_view key) = 0;
    virtual void put_answer(std::string_view actor, std::string_view key, const AnswerRow& row) = 0;
    virtual void forget_answers(WallTime before) = 0;
};

}  // namespace pf::server::access
