#pragma once
// Examples and tables out of the protocol documents. The fence is described in README.md.
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"

namespace pf::tests {

/// A document, or a field of a vector, that is not as it must be: what() says where. Left uncaught
/// it fails the test.
struct Malformed : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// One fenced block. Accessors throw Malformed for a field that is missing or of another form.
class Vector {
public:
    Vector(std::string where, std::string kind, std::string name)
        : where_{std::move(where)}, kind_{std::move(kind)}, name_{std::move(name)} {}

    const std::string& kind() const noexcept { return kind_; }
    const std::string& name() const noexcept { return name_; }
    /// "ticket-v1.md:120 typical"
    std::string where() const { return where_ + " " + name_; }

    bool has(const std::string& field) const { return fields_.contains(field); }
    /// Lines joined by one blank.
    std::string text(const std::string& field) const;
    /// Lines joined by line ends, one at the end too; an empty first line is dropped. For PEM.
    std::string block(const std::string& field) const;
    /// Hexadecimal, blanks ignored; empty is allowed.
    Bytes bytes(const std::string& field) const;
    /// Exactly N bytes of hexadecimal.
    template <std::size_t N>
    std::array<Byte, N> array(const std::string& field) const {
        const auto out = array_from<N>(bytes(field));
        if (!out) fail(field, "another length");
        return *out;
    }
    /// "…" pieces joined by nothing.
    std::string quoted(const std::string& field) const;
    std::uint64_t number(const std::string& field) const;

    /// Fields that no accessor has read.
    std::vector<std::string> unread() const;

private:
    friend struct DocumentReader;
    const std::vector<std::string>& lines(const std::string& field) const;
    [[noreturn]] void fail(const std::string& field, std::string_view why) const;

    std::string where_;
    std::string kind_;
    std::string name_;
    std::map<std::string, std::vector<std::string>> fields_;
    mutable std::set<std::string> read_;
};

/// The vectors in a text, in order. Throws Malformed.
std::vector<Vector> vectors_in(std::string_view text, const std::string& document);

/// Cells of the first table under a heading (the whole heading line), without its head and rule.
/// Throws Malformed when there is no such heading or table.
std::vector<std::vector<std::string>> table_in(std::string_view text, std::string_view heading);

/// A document by its name in docs/protocol, e.g. "ticket-v1.md". Fails the test when absent.
std::string read_document(const std::string& document);
std::vector<Vector> read_vectors(const std::string& document);
std::vector<std::vector<std::string>> read_table(const std::string& document,
                                                 std::string_view heading);

/// Calls the handler of each vector's kind. A vector of another kind, a handler without any
/// vector and a field that was not read are failures.
using Handler = std::function<void(const Vector&)>;
void for_each_vector(const std::string& document, const std::map<std::string, Handler>& handlers);

}  // namespace pf::tests
