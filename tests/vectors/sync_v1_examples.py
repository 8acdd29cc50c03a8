#!/usr/bin/env python3
"""Makes the examples of docs/protocol/sync-v1.md from nothing but the document.

A second implementation on purpose, like ticket_v1_examples.py, whose CBOR heads, P-256 and days it
borrows: the document and the C++ code cannot be wrong in the same way unnoticed.

  sync_v1_examples.py            prints the examples
  sync_v1_examples.py --write    puts each into its fence in the document, by name
  sync_v1_examples.py --check    fails when the document holds others
  sync_v1_examples.py --corpus   writes them as corpora of the fuzz targets event and wire_*
"""
import hashlib
import hmac
import pathlib
import re
import sys
import textwrap

from ticket_v1_examples import KEY_ID, POINT, day, entitlement, head, sign

ROOT = pathlib.Path(__file__).parents[2]
DOCUMENT = ROOT / "docs/protocol/sync-v1.md"


def cbor(item):
    if item is None or item is True or item is False:
        return {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[item]
    if isinstance(item, int):
        return head(0, item) if item >= 0 else head(1, -1 - item)
    if isinstance(item, bytes):
        return head(2, len(item)) + item
    if isinstance(item, str):
        return head(3, len(item.encode())) + item.encode()
    if isinstance(item, list):
        return head(4, len(item)) + b"".join(map(cbor, item))
    pairs = sorted((cbor(key), cbor(value)) for key, value in item.items())
    return head(5, len(pairs)) + b"".join(key + value for key, value in pairs)


def diag(item):
    if item is None or item is True or item is False:
        return {None: "null", True: "true", False: "false"}[item]
    if isinstance(item, bytes):
        return "h'" + item.hex() + "'"
    if isinstance(item, str):
        return '"' + item + '"'
    if isinstance(item, list):
        return "[" + ", ".join(map(diag, item)) + "]"
    if isinstance(item, dict):
        return "{" + ", ".join(f"{key}: {diag(value)}" for key, value in item.items()) + "}"
    return str(item)


def sha256(*pieces):
    return hashlib.sha256(b"".join(pieces)).digest()


def be8(value):
    return value.to_bytes(8, "big")


def fields(*values):
    """Struct fields in order: keys from 1 up, absent where the value is ABSENT."""
    return {i + 1: value for i, value in enumerate(values) if value is not ABSENT}


ABSENT = object()
DEVICE = "gate-1"
EPOCH = bytes.fromhex("5e0c4a1d90b3f762")
BOOT = bytes.fromhex("b0075e3c21d8a94f")
TICKET = bytes.fromhex("7c1f9d20a45be863")
COMMAND = bytes.fromhex("c0ffee00112233445566778899aabbcc")
SITE, PRODUCT, POINT_ID = 341, 12007, 3
GENERATION = 1
MAY_1 = day("2026-05-01")
NINE = MAY_1 * 86_400_000 + 3_600_000  # 09:00 in China
SITE_KEY = bytes(range(32))
HOLDER_KEY = bytes(range(32, 64))


# --- events ---------------------------------------------------------------------------------------

def event(seq, kind, body, clock=4):
    return [seq, kind, NINE + 1000 * seq, 60_000 + 1000 * seq, BOOT, clock, body]


SEEN = fields(GENERATION, 17, 4021, 388)
EVENTS = {
    "epoch_opened": event(1, 1, fields(1, ABSENT, 0, bytes(32)), clock=1),
    "epoch_rolled_back": event(1, 1, fields(2, be8(0x0102030405060708), 41, b"\x41" * 32)),
    "booted": event(2, 2, fields("0.1.0"), clock=3),
    "clock_changed": event(3, 3, fields(2, -86_400_000)),
    "admitted": event(4, 4, fields(TICKET, 1, SITE, PRODUCT, POINT_ID, MAY_1, 2, 1, 1, 0, True,
                                   MAY_1, SEEN)),
    "refused": event(5, 5, fields(37, 1, TICKET, ABSENT, PRODUCT, False)),
    "refused_unknown": event(6, 5, fields(10, 2, ABSENT, bytes.fromhex("a1b2c3d4e5f60718"), ABSENT,
                                          False)),
    "outcome": event(7, 6, fields(4, 1, 1, 2)),
    "lane_alarm": event(8, 7, fields(2, 4)),
    "lane_alarm_fire": event(9, 7, fields(7, ABSENT)),
    "list_applied": event(10, 8, fields(1, GENERATION, 17, b"\x17" * 32)),
    "command_done": event(11, 9, fields(COMMAND, 1, 4)),
    "finding": event(12, 10, fields("list_mismatch", "bucket 7 differed")),
    "opened": event(13, 11, fields(COMMAND, 2)),
    "let_in": event(14, 12, fields(13, 1, 2)),
}
EVENT_WORDS = ["epoch_opened", "booted", "clock_changed", "admitted", "refused", "outcome",
               "lane_alarm", "list_applied", "command_done", "finding", "opened", "let_in"]

GENESIS = sha256(cbor(["paifang/journal/1", DEVICE, EPOCH]))
CHAIN = [cbor(EVENTS["epoch_opened"]), cbor(EVENTS["booted"])]
HEADS = [GENESIS]
for link in CHAIN:
    HEADS.append(sha256(HEADS[-1], link))


def head_to_sign(seq, chain_head):
    return cbor(["paifang/head/1", DEVICE, EPOCH, seq, chain_head])


# --- rows and digest ------------------------------------------------------------------------------

def carrier_hash(kind, normalised):
    return hmac.digest(SITE_KEY, bytes([kind]) + normalised.encode(), "sha256")[:16]


def row_sum(rows):
    total = sum(int.from_bytes(sha256(cbor([key, body])), "big") for key, body in rows)
    return (total % (1 << 256)).to_bytes(32, "big")


def root_of(sums):
    return sha256(*[sums.get(i, bytes(32)) for i in range(256)])


REVOKED_BODY = [2, MAY_1]
REVOKED_ALL = [0xFFFFFFFF, MAY_1 + 1]
CARRIED_BODY = [1, 1, 2, [entitlement(SITE, PRODUCT, "2026-05-01")]]
CODE_HASH = carrier_hash(2, "MT-88213377")
CARRIED_KEY = b"\x02" + CODE_HASH + TICKET
TICKET_2 = bytes.fromhex("7c00000000000001")
TICKET_3 = bytes.fromhex("9900000000000002")
REVOKED_ROWS = [(TICKET_2, cbor(REVOKED_ALL)), (TICKET, cbor(REVOKED_BODY))]
REVOKED_ROOT = root_of({0x7C: row_sum(REVOKED_ROWS)})


# --- documents ------------------------------------------------------------------------------------

def document(kind, body, device=ABSENT, version=17):
    payload = cbor(fields(SITE, device, GENERATION, version, NINE, cbor(body)))
    signature = sign(cbor(["paifang/document/1", kind, payload]))
    return [kind, KEY_ID, payload, signature]


DOCUMENTS = {
    "list_manifest": (1, fields(1, REVOKED_ROOT, 2, NINE + 6 * 3_600_000), ABSENT),
    "key_ring": (2, fields([POINT]), ABSENT),
    "product_table": (3, fields(fields(480, 0), [fields(1, 480, 1020)],
                                [fields(PRODUCT, "成人票", "Adult", [POINT_ID], 1, []),
                                 fields(12008, "老年票", "Senior", [], 2, [3])]), ABSENT),
    "configuration": (4, fields("东门-1", "东门1号闸机", "East gate 1", 1, 2, POINT_ID, [],
                                fields(200, 5000), 60_000), DEVICE),
    "secrets": (5, fields([fields(2, SITE_KEY)], [fields(1, HOLDER_KEY)]), DEVICE),
    "command": (6, fields(COMMAND, 1, NINE + 30_000, "A017", 1, "轮椅", 0), DEVICE),
}
DOCUMENT_WORDS = list(DOCUMENTS)
MANIFEST = cbor(document(*DOCUMENTS["list_manifest"]))

# --- messages -------------------------------------------------------------------------------------

CURSOR = fields(EPOCH, 2, HEADS[2])
STATES = [fields(1, GENERATION, 17, REVOKED_ROOT), fields(2, GENERATION, 4021, b"\x40" * 32)]
HELD = [[2, 3], [3, 12], [4, 1], [5, 1]]
BATCH = fields(DEVICE, EPOCH, 1, GENESIS, CHAIN, sign(head_to_sign(2, HEADS[2])))
MESSAGES = {
    "birth": ("up/birth", fields(7, BOOT, 1, "0.1.0", CURSOR, fields(EPOCH, 1, HEADS[1]),
                                 GENERATION, STATES, GENERATION, 388, HELD, NINE, 4)),
    "birth_first": ("up/birth", fields(1, BOOT, 1, "0.1.0", CURSOR, ABSENT, 0, [], 0, 0, [],
                                       5000, 1)),
    "will": ("up/will", fields(7)),
    "events": ("up/events", BATCH),
    "want_difference": ("up/want", fields(1, 9001, 1, GENERATION, 15, 17, 0, b"", 0, 0)),
    "want_bucket": ("up/want", fields(4, 9002, 2, GENERATION, 0, 4021, 0x7C, CARRIED_KEY, 0, 0)),
    "want_uses": ("up/want", fields(5, 9003, 1, GENERATION, 0, 0, 0, b"", 388, 0)),
    "want_document": ("up/want", fields(6, 9004, 1, GENERATION, 0, 0, 0, b"", 0, 3)),
    "ping": ("up/ping", fields(0x1122334455667788)),
    "reply": ("up/reply", fields(COMMAND, 3, "expired")),
    "begins": ("up/begins", fields(fields(EPOCH, 41, b"\x41" * 32))),
    "ack": ("dn/ack", fields(GENERATION, CURSOR, [])),
    "ack_verdicts": ("dn/ack", fields(GENERATION, CURSOR, [[1, 4], [2, 1]])),
    "ack_nothing": ("dn/ack", fields(GENERATION, fields(EPOCH, 0, GENESIS), [])),
    "news": ("dn/news", fields(GENERATION, STATES, 389, HELD)),
    "chunk": ("dn/chunk", fields(9001, 1, 1, GENERATION, 15, 17, 0, True,
                                 [cbor(REVOKED_ALL), cbor(REVOKED_BODY)],
                                 [TICKET_2, 0, TICKET, 1, TICKET_3, None], MANIFEST, False)),
    "chunk_shared": ("dn/chunk", fields(9005, 2, 2, GENERATION, 0, 4021, 0, False,
                                        [cbor(CARRIED_BODY)],
                                        [CARRIED_KEY[:-1] + b"\x63", 0,
                                         CARRIED_KEY[:-1] + b"\x64", 0], b"", False)),
    "chunk_snapshot_needed": ("dn/chunk", fields(9001, 1, 1, GENERATION, 15, 17, 0, True, [], [],
                                                 b"", True)),
    "buckets": ("dn/buckets", fields(9006, 1, GENERATION, 17,
                                     [row_sum(REVOKED_ROWS) if i == 0x7C else bytes(32)
                                      for i in range(256)], MANIFEST)),
    "uses": ("dn/uses", fields(0, GENERATION, 388, 389, False,
                               [fields(fields("gate-2", be8(0x2222222222222222), 90), TICKET,
                                       PRODUCT, MAY_1, MAY_1, 1, True, NINE, 0, False)])),
    "uses_unseen": ("dn/uses", fields(0, GENERATION, 389, 390, False,
                                      [fields(fields("gate-2", be8(0x2222222222222222), 90), TICKET,
                                              PRODUCT, MAY_1, MAY_1, 3, False, NINE, 2, False)])),
    "uses_page": ("dn/uses", fields(9003, GENERATION, 388, 388, False, [])),
    "time": ("dn/time", fields(0x1122334455667788, NINE)),
}
# Too long to be read by people in full; the document shows the beginning in words.
LONG = {"buckets"}


def page(bodies, rows, what=1):
    return cbor(fields(1, what, 1, 1, 1, 2, 0, True, bodies, rows, b"", False))


REFUSED = {
    "ping_key": ("up/ping", "out_of_range", "a key nobody knows", cbor({1: 5, 2: 0})),
    "ping_twice": ("up/ping", "duplicate_key", "the nonce twice", b"\xa2\x01\x05\x01\x05"),
    "ping_empty": ("up/ping", "wrong_type", "a required field is missing", cbor({})),
    "ping_wide": ("up/ping", "not_canonical", "a head longer than needed", b"\xa1\x01\x18\x05"),
    "ping_tail": ("up/ping", "trailing_bytes", "something behind", cbor({1: 5}) + b"\x00"),
    "ping_short": ("up/ping", "truncated", "ends inside", b"\xa1\x01"),
    "batch_empty": ("up/events", "out_of_range", "a batch without events",
                    cbor(BATCH | {5: []})),
    "chunk_unused": ("dn/chunk", "not_canonical", "a body no row uses",
                     page([b"\x01", b"\x02"], [TICKET, 0])),
    "chunk_body_twice": ("dn/chunk", "duplicate_key", "one body sent twice",
                         page([b"\x01", b"\x01"], [TICKET_2, 0, TICKET, 1])),
    "chunk_order": ("dn/chunk", "not_canonical", "keys that fall",
                    page([b"\x01"], [TICKET, 0, TICKET_2, 0])),
    "uses_unseen_more": ("dn/uses", "out_of_range", "more unseen than counted",
                         cbor(fields(0, 1, 0, 1, False,
                                     [fields(fields("gate-2", be8(2), 1), TICKET, PRODUCT, MAY_1,
                                             MAY_1, 1, False, NINE, 2, False)]))),
    "chunk_deletes": ("dn/chunk", "wrong_type", "a deletion in a snapshot",
                      page([], [TICKET, None], what=2)),
}
EVENTS_REFUSED = {
    "event_newer": ("kind_unknown", "a kind of newer firmware", cbor(event(13, 99, {1: True}))),
    "event_key": ("malformed", "a known kind with a key nobody knows",
                  cbor(event(13, 2, fields("0.1.0", 1)))),
    "event_seq_0": ("malformed", "seq begins at 1", cbor(event(0, 2, fields("0.1.0")))),
    "event_reason": ("malformed", "reason 3 does not exist",
                     cbor(event(13, 5, fields(3, 1, ABSENT, ABSENT, ABSENT, False)))),
    "event_let_in_undone": ("malformed", "nobody undoes what a command let in",
                            cbor(event(14, 12, fields(13, 1, 5)))),
}


# --- printing -------------------------------------------------------------------------------------

def hexed(field, data):
    return wrapped(field, data.hex())


def wrapped(field, text):
    lines = textwrap.wrap(text, 92, break_on_hyphens=False)
    return "\n  ".join([f"{field}: {lines[0] if lines else ''}".rstrip()] + lines[1:])


def quoted(field, text):
    return f'{field}: "{text}"'


def examples():
    """(kind, name, lines) of every example, in the order of the document."""
    yield "key", "site-authority", [hexed("point", POINT), f"key_id: {KEY_ID.hex()}"]
    for name, item in EVENTS.items():
        yield "event", name, [f"is: {EVENT_WORDS[item[1] - 1]}", wrapped("diag", diag(item)),
                              hexed("cbor", cbor(item))]
    for name, (fault, why, data) in EVENTS_REFUSED.items():
        yield "event.refused", name, [f"why: {why}", f"fault: {fault}", hexed("cbor", data)]
    yield "chain", "chain", [
        f"device: {DEVICE}", hexed("epoch", EPOCH), hexed("genesis", GENESIS),
        hexed("event_1", CHAIN[0]), hexed("head_1", HEADS[1]), hexed("event_2", CHAIN[1]),
        hexed("head_2", HEADS[2]), hexed("to_sign", head_to_sign(2, HEADS[2]))]
    for name, (leaf, item) in MESSAGES.items():
        lines = [f"is: {leaf}"]
        if name not in LONG:
            lines.append(wrapped("diag", diag(item)))
        yield "message", name, lines + [hexed("cbor", cbor(item))]
    for name, (leaf, fault, why, data) in REFUSED.items():
        yield "message.refused", name, [f"is: {leaf}", f"why: {why}", f"fault: {fault}",
                                        hexed("cbor", data)]
    for name, (kind, body, device) in DOCUMENTS.items():
        yield "document", name, [f"is: {name}", wrapped("body", diag(body)),
                                 hexed("sealed", cbor(document(kind, body, device)))]
    for name, scope, key, body in (("row_revoked", 1, TICKET, REVOKED_BODY),
                                   ("row_revoked_all", 1, TICKET_2, REVOKED_ALL),
                                   ("row_carried", 2, CARRIED_KEY, CARRIED_BODY)):
        yield "row", name, [f"scope: {scope}", hexed("key", key), wrapped("diag", diag(body)),
                            hexed("body", cbor(body))]
    for name, kind, scanned, normalised in (
            ("carrier_code", 2, " MT-88213377 ", "MT-88213377"),
            ("carrier_document", 3, "11010519491231 002x", "11010519491231002X"),
            ("carrier_card", 4, "04:a2:3b:ff", "04A23BFF")):
        yield "carrier", name, [hexed("key", SITE_KEY), f"kind: {kind}", quoted("scanned", scanned),
                                quoted("normalised", normalised),
                                hexed("hash", carrier_hash(kind, normalised))]
    yield "holder", "holder", [
        hexed("key", HOLDER_KEY), quoted("document", "11010519491231002X"),
        hexed("hash", hmac.digest(HOLDER_KEY, b"11010519491231002X", "sha256")[:8])]
    yield "digest", "digest", [
        line for i, (key, body) in enumerate(REVOKED_ROWS, 1)
        for line in (hexed(f"key_{i}", key), hexed(f"body_{i}", body))
    ] + ["bucket: 124", hexed("sum", row_sum(REVOKED_ROWS)), hexed("root", REVOKED_ROOT)]


def fence(kind, name, lines):
    return "\n".join([f"```vector {kind} {name}"] + lines + ["```"])


def with_examples(text):
    """The document with every fence made anew."""
    made = {name: fence(kind, name, lines) for kind, name, lines in examples()}
    found = re.findall(r"^```vector \S+ (\S+)$", text, re.M)
    if sorted(found) != sorted(made):
        sys.exit(f"fences and examples differ: {set(found) ^ set(made)}")
    pattern = re.compile(r"^```vector \S+ (\S+)$.*?^```$", re.M | re.S)
    return pattern.sub(lambda match: made[match[1]], text)


def write_file(target, name, data):
    folder = ROOT / "tests/fuzz" / target / "corpus"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


# The order of the decoders in tests/fuzz/wire_messages.
DISPATCH = ["up/birth", "up/will", "up/want", "up/ping", "up/reply", "dn/ack", "dn/news",
            "dn/buckets", "dn/uses", "dn/time", *DOCUMENT_WORDS, "document", "row",
            "topic", "up/begins"]


def write_corpora():
    for name, item in EVENTS.items():
        write_file("event", name, cbor(item))
    for name, (_, _, data) in EVENTS_REFUSED.items():
        write_file("event", name, data)
    named = [(name, leaf, cbor(item)) for name, (leaf, item) in MESSAGES.items()]
    named += [(name, leaf, data) for name, (leaf, _, _, data) in REFUSED.items()]
    for name, leaf, data in named:
        own_target = {"up/events": "wire_batch", "dn/chunk": "wire_chunk"}.get(leaf)
        if own_target:
            write_file(own_target, name, data)
        else:
            write_file("wire_messages", name, bytes([DISPATCH.index(leaf)]) + data)
    for name, (kind, body, device) in DOCUMENTS.items():
        write_file("wire_messages", f"body_{name}", bytes([DISPATCH.index(name)]) + cbor(body))
        write_file("wire_messages", f"sealed_{name}",
                   bytes([DISPATCH.index("document")]) + cbor(document(kind, body, device)))
    for name, key, body in (("row_revoked", TICKET, REVOKED_BODY),
                            ("row_carried", CARRIED_KEY, CARRIED_BODY)):
        write_file("wire_messages", name,
                   bytes([DISPATCH.index("row"), len(key)]) + key + cbor(body))
    for name, topic in (("topic_up", "pf/1/15/d/gate-1/up/birth"),
                        ("topic_down", "pf/1/3/d/gate-1/dn/ack")):
        write_file("wire_messages", name, bytes([DISPATCH.index("topic")]) + topic.encode())


if __name__ == "__main__":
    if "--write" in sys.argv:
        DOCUMENT.write_text(with_examples(DOCUMENT.read_text()))
    elif "--check" in sys.argv:
        if with_examples(DOCUMENT.read_text()) != DOCUMENT.read_text():
            sys.exit("the examples of the document are not those made here; see --write")
    elif "--corpus" in sys.argv:
        write_corpora()
    else:
        print("\n\n".join(fence(*example) for example in examples()))
