// docs/protocol/sync-v1.md against the code: every example decodes, encodes to the same bytes and
// reads as the document says; every table says what the code says.
#include <doctest/doctest.h>

#include <algorithm>

#include "common/wire/documents.hpp"
#include "common/wire/limits.hpp"
#include "common/wire/lists.hpp"
#include "common/wire/topics.hpp"
#include "tests/vectors/vectors.hpp"

using namespace pf;
using tests::Vector;

namespace {

const std::string document_name = "sync-v1.md";

/// Diagnostic notation is wrapped for people anywhere, so blanks do not count.
std::string unspaced(std::string text) {
    std::erase(text, ' ');
    return text;
}

void check_diagnostic(const std::string& said, BytesView bytes) {
    REQUIRE_FALSE(cbor::check(bytes).has_value());
    CHECK(unspaced(said) == unspaced(cbor::diagnostic(bytes)));
}

crypto::PublicKey example_key() {
    for (const Vector& vector : tests::read_vectors(document_name)) {
        if (vector.kind() == "key") return *crypto::PublicKey::from_point(vector.bytes("point"));
    }
    throw tests::Malformed{"no key in the document"};
}

/// One reader of messages: "ok" when they decode and encode to the same bytes, else the fault.
using Reader = std::string (*)(BytesView);

template <auto decode>
std::string read(BytesView bytes) {
    using wire::encode;
    const auto message = decode(bytes);
    if (!message) return std::string{cbor::to_text(message.error())};
    return std::ranges::equal(encode(*message), bytes) ? "ok" : "encodes to other bytes";
}

const std::map<std::string, Reader> message_readers = {
    {"up/birth", read<wire::decode_birth>},     {"up/will", read<wire::decode_will>},
    {"up/events", read<wire::decode_batch>},    {"up/want", read<wire::decode_want>},
    {"up/ping", read<wire::decode_ping>},       {"up/reply", read<wire::decode_command_reply>},
    {"up/begins", read<wire::decode_begins>},   {"dn/ack", read<wire::decode_ack>},
    {"dn/news", read<wire::decode_news>},       {"dn/chunk", read<wire::decode_chunk>},
    {"dn/buckets", read<wire::decode_buckets>}, {"dn/uses", read<wire::decode_uses>},
    {"dn/time", read<wire::decode_time>},
};

const std::map<std::string, Reader> body_readers = {
    {"list_manifest", read<wire::decode_list_manifest>},
    {"key_ring", read<wire::decode_key_ring>},
    {"product_table", read<wire::decode_product_table>},
    {"configuration", read<wire::decode_configuration>},
    {"secrets", read<wire::decode_secrets>},
    {"command", read<wire::decode_command>},
};

std::string read_message(const Vector& vector, BytesView bytes) {
    const auto reader = message_readers.find(vector.text("is"));
    return reader == message_readers.end() ? "no such message" : reader->second(bytes);
}

void check_key(const Vector& vector) {
    const auto key = crypto::PublicKey::from_point(vector.bytes("point"));
    REQUIRE(key.has_value());
    CHECK(crypto::key_id(*key) == vector.array<4>("key_id"));
}

void check_event(const Vector& vector) {
    const Bytes bytes = vector.bytes("cbor");
    const auto event = journal::decode(bytes);
    REQUIRE(event.has_value());
    CHECK(journal::kind_text(event->body) == vector.text("is"));
    CHECK(journal::encode(*event) == bytes);
    CHECK(*journal::seq_of(bytes) == event->seq);
    check_diagnostic(vector.text("diag"), bytes);
}

void check_refused_event(const Vector& vector) {
    const auto event = journal::decode(vector.bytes("cbor"));
    REQUIRE_FALSE(event.has_value());
    CHECK(to_text(event.error()) == vector.text("fault"));
    CHECK_FALSE(vector.text("why").empty());
}

void check_chain(const Vector& vector) {
    const DeviceId device = *DeviceId::parse(vector.text("device"));
    const Epoch epoch{from_be8(vector.array<8>("epoch"))};
    CHECK(journal::genesis(device, epoch) == vector.array<32>("genesis"));
    const Digest head_1 = journal::next_head(vector.array<32>("genesis"), vector.bytes("event_1"));
    CHECK(head_1 == vector.array<32>("head_1"));
    const Digest head_2 = journal::next_head(head_1, vector.bytes("event_2"));
    CHECK(head_2 == vector.array<32>("head_2"));
    CHECK(journal::head_to_sign(device, {epoch, 2, head_2}) == vector.bytes("to_sign"));
}

void check_message(const Vector& vector) {
    const Bytes bytes = vector.bytes("cbor");
    CHECK(read_message(vector, bytes) == "ok");
    if (vector.has("diag")) check_diagnostic(vector.text("diag"), bytes);
    if (vector.text("is") != wire::leaf(wire::Up::events)) return;
    const auto batch = wire::decode_batch(bytes);
    const Bytes to_sign = journal::head_to_sign(batch->device, wire::cursor_after(*batch));
    CHECK(example_key().verify(to_sign, batch->signature));
}

void check_refused_message(const Vector& vector) {
    CHECK(read_message(vector, vector.bytes("cbor")) == vector.text("fault"));
    CHECK_FALSE(vector.text("why").empty());
}

void check_document(const Vector& vector) {
    const Bytes sealed = vector.bytes("sealed");
    const auto document = wire::open_document(sealed, example_key());
    REQUIRE(document.has_value());
    const std::string word = vector.text("is");
    bool in_table = false;
    for (const auto& row : tests::read_table(document_name, "## 6. Documents")) {
        if (row.at(1) != word) continue;
        in_table = true;
        CHECK(row.at(0) == std::to_string(static_cast<int>(document->type)));
    }
    CHECK(in_table);
    check_diagnostic(vector.text("body"), document->body);
    REQUIRE(body_readers.contains(word));
    CHECK(body_readers.at(word)(document->body) == "ok");
}

void check_row(const Vector& vector) {
    const wire::ListRow row{vector.bytes("key"), vector.bytes("body")};
    check_diagnostic(vector.text("diag"), *row.body);
    if (vector.number("scope") == 1) {
        const auto revoked = wire::revoked_of(row);
        REQUIRE(revoked.has_value());
        CHECK(row_of(*revoked) == row);
    } else {
        const auto carried = wire::carried_of(row);
        REQUIRE(carried.has_value());
        CHECK(row_of(*carried) == row);
    }
}

void check_carrier(const Vector& vector) {
    const auto kind = static_cast<admission::CarrierKind>(vector.number("kind"));
    const std::string normalised = wire::normalise(kind, vector.quoted("scanned"));
    CHECK(normalised == vector.quoted("normalised"));
    const auto hash = wire::carrier_hash(vector.bytes("key"), kind, normalised);
    CHECK(hash == vector.array<16>("hash"));
}

void check_holder(const Vector& vector) {
    const auto hash = wire::holder_hash(vector.bytes("key"), vector.quoted("document"));
    CHECK(hash == vector.array<8>("hash"));
}

void check_digest(const Vector& vector) {
    wire::ListDigest digest;
    for (const char* row : {"1", "2"}) {
        const std::string number{row};
        digest.add(vector.bytes("key_" + number), vector.bytes("body_" + number));
    }
    CHECK(digest.sums().at(vector.number("bucket")) == vector.array<32>("sum"));
    CHECK(digest.root() == vector.array<32>("root"));
}

}  // namespace

TEST_CASE("every example of sync-v1.md holds") {
    tests::for_each_vector(document_name, {{"key", check_key},
                                           {"event", check_event},
                                           {"event.refused", check_refused_event},
                                           {"chain", check_chain},
                                           {"message", check_message},
                                           {"message.refused", check_refused_message},
                                           {"document", check_document},
                                           {"row", check_row},
                                           {"carrier", check_carrier},
                                           {"holder", check_holder},
                                           {"digest", check_digest}});
}

TEST_CASE("every message, document and event kind has an example") {
    std::set<std::string> seen;
    for (const Vector& vector : tests::read_vectors(document_name)) {
        if (vector.kind() == "event" || vector.kind() == "message" || vector.kind() == "document") {
            seen.insert(vector.text("is"));
        }
    }
    std::set<std::string> expected;
    for (const auto& [word, reader] : message_readers) expected.insert(word);
    for (const auto& [word, reader] : body_readers) expected.insert(word);
    for (const auto& row : tests::read_table(document_name, "## 3. Event and chain")) {
        expected.insert(row.at(1));
    }
    CHECK(seen == expected);
}

TEST_CASE("the topics of the document are those of the code") {
    std::vector<std::string> leaves;
    for (const auto& row : tests::read_table(document_name, "## 1. Topics")) {
        leaves.push_back(row.at(0));
    }
    std::vector<std::string> expected;
    for (int i = 0; i <= static_cast<int>(wire::Up::begins); ++i) {
        expected.emplace_back(wire::leaf(static_cast<wire::Up>(i)));
    }
    for (int i = 0; i <= static_cast<int>(wire::Down::time); ++i) {
        expected.emplace_back(wire::leaf(static_cast<wire::Down>(i)));
    }
    CHECK(leaves == expected);
}

TEST_CASE("the event kinds of the document are those of the code") {
    const auto rows = tests::read_table(document_name, "## 3. Event and chain");
    const std::vector<journal::Body> bodies = {
        journal::EpochOpened{}, journal::Booted{},  journal::ClockChanged{}, journal::Admitted{},
        journal::Refused{},     journal::Outcome{}, journal::LaneAlarm{},    journal::ListApplied{},
        journal::CommandDone{}, journal::Finding{}, journal::Opened{},       journal::LetIn{}};
    REQUIRE(rows.size() == bodies.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        CAPTURE(i);
        CHECK(rows[i].at(0) == std::to_string(journal::kind_of(bodies[i])));
        CHECK(rows[i].at(1) == journal::kind_text(bodies[i]));
    }
}

TEST_CASE("the limits of the document are those of the code") {
    using namespace wire;
    const std::map<std::string, std::size_t> expected = {
        {"payload_bytes_max", payload_bytes_max},
        {"event_bytes_max", journal::event_bytes_max},
        {"batch_events_max", batch_events_max},
        {"batch_bytes_max", batch_bytes_max},
        {"batches_in_flight_max", batches_in_flight_max},
        {"chunk_rows_max", chunk_rows_max},
        {"chunk_bytes_max", chunk_bytes_max},
        {"list_key_bytes_max", list_key_bytes_max},
        {"list_body_bytes_max", list_body_bytes_max},
        {"manifest_bytes_max", manifest_bytes_max},
        {"bucket_count", bucket_count},
        {"uses_per_message_max", uses_per_message_max},
        {"ack_verdicts_max", ack_verdicts_max},
        {"states_max", states_max},
        {"document_bytes_max", document_bytes_max},
        {"firmware_chars_max", journal::firmware_chars_max},
        {"detail_bytes_max", wire::detail_bytes_max},
        {"text_bytes_max", text_bytes_max},
        {"number_bytes_max", number_bytes_max},
        {"command_text_bytes_max", command_text_bytes_max},
        {"ticket_keys_max", ticket_keys_max},
        {"site_keys_max", site_keys_max},
        {"windows_max", windows_max},
        {"products_max", products_max},
        {"product_points_max", product_points_max},
    };
    std::map<std::string, std::size_t> said;
    for (const auto& row : tests::read_table(document_name, "## 2. Limits")) {
        said[row.at(0)] = std::stoul(row.at(1));
    }
    CHECK(said == expected);
    CHECK(wire::detail_bytes_max == journal::detail_bytes_max);  // one word, two rooms
}
