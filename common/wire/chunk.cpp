// A page of a list. Rows of one product and day share their body, so bodies are sent once a page
// and rows name them by index. docs/protocol/sync-v1.md, section 5.
#include <unordered_map>

#include "common/wire/messages.hpp"
#include "common/wire/payload.hpp"

namespace pf::wire {

namespace {

constexpr std::size_t revoked_key_bytes = 8;
constexpr std::size_t tickets_key_bytes = 25;

struct PageRow {
    BytesView key;
    std::optional<std::uint32_t> body;  // index in Page::bodies; nothing: the row is deleted
};

/// A chunk as it travels; views into the chunk or into the payload.
struct Page {
    Chunk head;  // all but its rows
    std::vector<BytesView> bodies;
    std::vector<PageRow> rows;
};

/// [key, body, key, body, …]: an array around every row would cost a byte each.
struct PageRowsShape {
    void put(cbor::Encoder& out, const std::vector<PageRow>& rows) const {
        assert(rows.size() <= chunk_rows_max);
        out.array(2 * rows.size());
        for (const PageRow& row : rows) {
            out.bytes(row.key);
            if (row.body) {
                out.uint(*row.body);
            } else {
                out.null();
            }
        }
    }
    void get(cbor::Decoder& in, std::vector<PageRow>& rows) const {
        const std::size_t items = in.array(2 * chunk_rows_max);
        if (items % 2 != 0) in.refuse(Fault::out_of_range);
        while (in.ok() && rows.size() < items / 2) {
            PageRow& row = rows.emplace_back();
            row.key = in.bytes(1, list_key_bytes_max);
            if (in.peek() == cbor::Type::null) {
                in.null();
            } else {
                row.body = static_cast<std::uint32_t>(in.uint(chunk_rows_max));
            }
        }
        in.leave();
    }
};

void fields(auto& io, Of<Page> auto& v) {
    io(1, v.head.request);
    io(2, v.head.what, Upto{Want::What::bucket});
    io(3, v.head.scope, scope_shape);
    io(4, v.head.generation);
    io(5, v.head.from_version, counter_shape);
    io(6, v.head.to_version, counter_shape);
    io(7, v.head.bucket);
    io(8, v.head.last);
    io(9, v.bodies, List<Blob>{0, chunk_rows_max, Blob{0, list_body_bytes_max}});
    io(10, v.rows, PageRowsShape{});
    io(11, v.head.manifest, Blob{0, manifest_bytes_max});
    io(12, v.head.snapshot_needed);
}

/// One page has one spelling: every body is used, appears once, and bodies are numbered in the
/// order in which rows first use them.
void check_bodies(const Page& page, cbor::Decoder& in) {
    std::size_t seen = 0;
    for (const PageRow& row : page.rows) {
        if (!row.body) continue;
        if (*row.body > seen || *row.body >= page.bodies.size()) in.refuse(Fault::out_of_range);
        if (*row.body == seen) ++seen;
    }
    if (seen != page.bodies.size()) in.refuse(Fault::not_canonical);
    std::unordered_map<std::string_view, bool> distinct;
    for (const BytesView body : page.bodies) {
        if (!distinct.emplace(as_text(body), true).second) in.refuse(Fault::duplicate_key);
    }
}

/// Keys have their scope's length and rise; only a difference deletes.
void check_rows(const Page& page, cbor::Decoder& in) {
    const std::size_t key_bytes =
        page.head.scope == ListScope::revoked ? revoked_key_bytes : tickets_key_bytes;
    std::string_view before;
    for (const PageRow& row : page.rows) {
        if (row.key.size() != key_bytes) in.refuse(Fault::out_of_range);
        const std::string_view key = as_text(row.key);
        if (key == before) in.refuse(Fault::duplicate_key);
        if (key < before) in.refuse(Fault::not_canonical);
        if (!row.body && page.head.what != Want::What::difference) in.refuse(Fault::wrong_type);
        before = key;
    }
}

Chunk head_of(const Chunk& chunk) {
    return {.request = chunk.request,
            .what = chunk.what,
            .scope = chunk.scope,
            .generation = chunk.generation,
            .from_version = chunk.from_version,
            .to_version = chunk.to_version,
            .bucket = chunk.bucket,
            .last = chunk.last,
            .rows = {},
            .manifest = chunk.manifest,
            .snapshot_needed = chunk.snapshot_needed};
}

}  // namespace

Bytes encode(const Chunk& message) {
    Page page;
    page.head = head_of(message);
    std::unordered_map<std::string_view, std::uint32_t> index;
    page.rows.reserve(message.rows.size());
    for (const ListRow& row : message.rows) {
        PageRow& out = page.rows.emplace_back(PageRow{row.key, std::nullopt});
        if (!row.body) continue;
        const auto next = static_cast<std::uint32_t>(page.bodies.size());
        const auto [found, added] = index.emplace(as_text(*row.body), next);
        if (added) page.bodies.emplace_back(*row.body);
        out.body = found->second;
    }
    return payload_of(page, chunk_bytes_max);
}

Decoded<Chunk> decode_chunk(BytesView bytes) {
    const auto page =
        message_from(bytes, Page{}, chunk_bytes_max, [](const Page& read, cbor::Decoder& in) {
            check_bodies(read, in);
            check_rows(read, in);
        });
    if (!page) return page.error();
    Chunk chunk = page->head;
    chunk.rows.reserve(page->rows.size());
    for (const PageRow& row : page->rows) {
        ListRow& out = chunk.rows.emplace_back();
        out.key.assign(row.key.begin(), row.key.end());
        if (!row.body) continue;
        const BytesView body = page->bodies[*row.body];
        out.body.emplace(body.begin(), body.end());
    }
    return chunk;
}

bool ChunkRoom::take(const ListRow& row) {
    constexpr std::size_t row_heads_bytes = 2 + 3;  // head of the key; the widest index of a page
    constexpr std::size_t body_head_bytes = 3;
    std::size_t cost = row.key.size() + row_heads_bytes;
    const bool new_body = row.body && !bodies_.contains(*row.body);
    if (new_body) cost += row.body->size() + body_head_bytes;
    if (rows_ == chunk_rows_max || used_ + cost > chunk_bytes_max) return false;
    if (new_body) bodies_.insert(*row.body);
    used_ += cost;
    ++rows_;
    return true;
}

}  // namespace pf::wire
