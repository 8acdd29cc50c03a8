#!/usr/bin/env python3
"""Prints the examples of docs/protocol/ticket-v1.md, section 8, from nothing but the document.

A second implementation on purpose: CBOR, Base45, P-256 and RFC 6979 are written here again, so the
document and the C++ code cannot be wrong in the same way unnoticed.

    ticket_v1_examples.py                   prints the examples
    ticket_v1_examples.py --check FILE      fails unless FILE holds every one of them as printed
"""
import base64
import datetime
import hashlib
import hmac
import io
import contextlib
import sys
import textwrap

# RFC 6979 A.2.5: a key the whole world knows. For examples only.
SCALAR = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)


def add(p, q):
    if p is None or q is None:
        return p or q
    if p[0] == q[0]:
        if (p[1] + q[1]) % P == 0:
            return None
        slope = (3 * p[0] * p[0] - 3) * pow(2 * p[1], -1, P) % P
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, P) % P
    x = (slope * slope - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P


def times(k, p):
    out = None
    while k:
        if k & 1:
            out = add(out, p)
        p, k = add(p, p), k >> 1
    return out


def sign(message, d=SCALAR):
    """ES256 as r || s, nonce by RFC 6979 section 3.2."""
    digest = hashlib.sha256(message).digest()
    z = int.from_bytes(digest, "big")
    seed = d.to_bytes(32, "big") + (z % N).to_bytes(32, "big")
    v, k = b"\x01" * 32, b"\x00" * 32
    for byte in (b"\x00", b"\x01"):
        k = hmac.digest(k, v + byte + seed, "sha256")
        v = hmac.digest(k, v, "sha256")
    while True:
        v = hmac.digest(k, v, "sha256")
        nonce = int.from_bytes(v, "big")
        if 0 < nonce < N:
            r = times(nonce, G)[0] % N
            s = pow(nonce, -1, N) * (z + r * d) % N
            if r and s:
                return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        k = hmac.digest(k, v + b"\x00", "sha256")
        v = hmac.digest(k, v, "sha256")


def head(major, value):
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 24:
            return bytes([major << 5 | value])
        if value < 1 << 8 * size:
            return bytes([major << 5 | info]) + value.to_bytes(size, "big")


def cbor(item):
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
    if isinstance(item, bytes):
        return "h'" + item.hex() + "'"
    if isinstance(item, list):
        return "[" + ", ".join(map(diag, item)) + "]"
    if isinstance(item, dict):
        return "{" + ", ".join(f"{key}: {diag(value)}" for key, value in item.items()) + "}"
    return str(item)


ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def base45(data):
    out = ""
    for i in range(0, len(data), 2):
        pair = data[i:i + 2]
        n = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            out, n = out + ALPHABET[n % 45], n // 45
    return out


POINT = b"\x04" + b"".join(c.to_bytes(32, "big") for c in times(SCALAR, G))
KEY_ID = hashlib.sha256(POINT).digest()[:4]


def header(alg=-7, key_id=KEY_ID):
    return cbor({1: alg, 4: key_id})


def cose(payload, protected=None, unprotected=b"\xa0", signature=None):
    protected = header() if protected is None else protected
    if signature is None:
        signature = sign(cbor(["Signature1", protected, b"", payload]))
    return b"\x84" + cbor(protected) + unprotected + cbor(payload) + cbor(signature)


def day(iso):
    return (datetime.date.fromisoformat(iso) - datetime.date(1970, 1, 1)).days


def entitlement(site, product, first, days=1, window=0, entries=1, scope=0):
    return [site, product, day(first), days - 1, window, entries, scope]


def claims(ticket_id, entitlements, generation=1, person=1, persons=1, holder=None):
    out = {1: bytes.fromhex(ticket_id), 2: generation, 3: person, 4: persons, 5: entitlements}
    if holder:
        out[6] = [holder[0], bytes.fromhex(holder[1])]
    return out


TYPICAL = claims("7c1f9d20a45be863", [entitlement(341, 12007, "2026-05-01")])
GOOD = {
    "typical": TYPICAL,
    "group-with-holder": claims(
        "03d2b7f1580c96ae", [entitlement(341, 12040, "2026-10-01", 2, window=2, entries=2, scope=1)],
        generation=2, person=4, persons=5, holder=(3, "a1b2c3d4e5f60718")),
    "joint-of-three": claims(
        "e95a10c7443d2fb8", [entitlement(341, 12101, "2026-05-01", 3),
                             entitlement(342, 12101, "2026-05-01", 3),
                             entitlement(350, 12101, "2026-05-01", 3, window=7)]),
    "worst": claims(
        "ffffffffffffffff",
        [[0xFFFFFFFF - i, 0xFFFFFFFF, 65535, 1099, 0xFFFFFFFF, 999, 1] for i in range(8)],
        generation=0xFFFFFFFF, person=9, persons=999, holder=(65535, "ff" * 8)),
}

# Characters of alphanumeric mode at level M, versions 1 to 20 (ISO/IEC 18004 table 7).
QR_M = [20, 38, 61, 90, 122, 154, 178, 221, 262, 311, 366, 419, 483, 528, 600, 656, 734, 816, 909, 970]


def qr_version(text):
    return next(i for i, room in enumerate(QR_M, 1) if len(text) <= room)


def quoted(text):
    pieces = [text[i:i + 72] for i in range(0, len(text), 72)]
    return "\n".join(("text: " if i == 0 else "  ") + '"' + piece + '"' for i, piece in enumerate(pieces))


def wrapped(field, value):
    return textwrap.fill(f"{field}: {value}", 96, subsequent_indent="  ", break_on_hyphens=False)


def hexed(field, data):
    digits = data.hex()
    lines = [digits[i:i + 80] for i in range(0, len(digits), 80)]
    return f"{field}: " + "\n  ".join(lines)


def print_good(name, content):
    payload = cbor(content)
    token = cose(payload)
    text = "PF1:" + base45(token)
    print(f"```vector ticket.good {name}")
    print(wrapped("diag", diag(content)))
    print(hexed("payload", payload))
    print(hexed("signed", cbor(["Signature1", header(), b"", payload])))
    print(hexed("cose", token))
    print(quoted(text))
    print(f"cose_bytes: {len(token)}")
    print(f"characters: {len(text)}")
    print(f"qr_version: {qr_version(text)}")
    print("```\n")


def print_bad(name, fault, why, text, zeros=0):
    print(f"```vector ticket.bad {name}")
    print(f"fault: {fault}")
    print(f"why: {why}")
    print(quoted(text))
    if zeros:
        print(f"zeros: {zeros}")
    print("```\n")


def bad_cose(name, fault, why, token):
    print_bad(name, fault, why, "PF1:" + base45(token))


def print_bads():
    payload = cbor(TYPICAL)
    token = cose(payload)
    text = "PF1:" + base45(token)
    print_bad("somebody-elses", "no_prefix", "another shop's link", "HTTPS://EXAMPLE.CN/T/1")
    print_bad("lower-case-prefix", "no_prefix", "the prefix is upper case", "pf1:" + text[4:])
    print_bad("too-long", "oversize", "1025 characters", "PF1:", zeros=1021)
    bad_cose("payload-too-long", "oversize", "513 bytes of payload, well-formed and signed",
             cose(cbor(b"\x00" * 510)))
    print_bad("lower-case-letter", "not_base45", "one letter in lower case", text[:-1] + "a")
    print_bad("one-character-lost", "not_base45", "a length Base45 cannot have", text[:-1]
              if (len(text) - 5) % 3 == 1 else text + "0")
    bad_cose("cut", "truncated", "the last byte is missing", token[:-1])
    bad_cose("nothing", "truncated", "the prefix alone", b"")
    bad_cose("glued", "trailing_bytes", "two readings glued together", token + token)
    twice = b"\xa6" + payload[1:payload.index(b"\x05\x81")] + cbor(4) + cbor(9) + \
        payload[payload.index(b"\x05\x81"):]
    bad_cose("persons-twice", "duplicate_key", "persons 1, then persons 9; correctly signed", cose(twice))
    long_head = payload.replace(b"\x04\x01\x05", b"\x04\x18\x01\x05")
    bad_cose("long-head", "not_canonical", "persons in two bytes; correctly signed", cose(long_head))
    bad_cose("indefinite", "not_canonical", "the envelope has indefinite length",
             b"\x9f" + token[1:] + b"\xff")
    bad_cose("other-algorithm", "unknown_header", "EdDSA (-8) named", cose(payload, header(alg=-8)))
    bad_cose("critical-header", "unknown_header", "a third header parameter",
             cose(payload, cbor({1: -7, 2: [4], 4: KEY_ID})))
    bad_cose("long-key-id", "unknown_header", "a key id of 8 bytes",
             cose(payload, header(key_id=KEY_ID * 2)))
    bad_cose("unprotected", "unknown_header", "the key id again, unprotected",
             cose(payload, unprotected=cbor({4: KEY_ID})))
    bad_cose("tagged", "unknown_header", "tag 18 in front", b"\xd2" + token)
    bad_cose("no-persons", "bad_claims", "for 0 persons",
             cose(cbor(TYPICAL | {4: 0})))
    bad_cose("unknown-claim", "bad_claims", "a claim 7", cose(cbor(TYPICAL | {7: 1})))
    bad_cose("unknown-person", "bad_claims", "person type 10", cose(cbor(TYPICAL | {3: 10})))
    bad_cose("product-twice", "bad_claims", "two entitlements of one site and product",
             cose(cbor(TYPICAL | {5: TYPICAL[5] * 2})))
    bad_cose("foreign-key", "key_unknown", "signed under a key id nobody has here",
             cose(payload, header(key_id=bytes.fromhex("deadbeef"))))
    forged = cbor(TYPICAL | {4: 9})
    bad_cose("forged", "bad_signature", "9 persons under the signature for 1",
             cose(forged, signature=token[-64:]))


def pem():
    """SEC 1 in PEM (RFC 5915)."""
    inner = b"\x02\x01\x01\x04\x20" + SCALAR.to_bytes(32, "big") + \
        bytes.fromhex("a00a06082a8648ce3d030107a144034200") + POINT
    body = base64.b64encode(b"\x30" + bytes([len(inner)]) + inner).decode()
    return ["-----BEGIN EC PRIVATE KEY-----", *textwrap.wrap(body, 64), "-----END EC PRIVATE KEY-----"]


def print_key():
    print("```vector ticket.key example-key")
    print(f"scalar: {SCALAR:064x}")
    print("pem:")
    for line in pem():
        print("  " + line)
    print(hexed("point", POINT))
    print(f"key_id: {KEY_ID.hex()}")
    print("```\n")


def print_all():
    print_key()
    for name, content in GOOD.items():
        print_good(name, content)
    print_bads()


def check(path):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        print_all()
    with open(path, encoding="utf-8") as file:
        document = file.read()
    missing = [block for block in printed.getvalue().split("\n\n") if block.strip() not in document]
    for block in missing:
        print("not in the document:\n" + block)
    return 1 if missing else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--check"]:
        sys.exit(check(sys.argv[2]))
    print_all()
