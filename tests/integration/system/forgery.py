"""What a liar sends: batches in the protocol's own bytes, signed by whoever's key is at hand.

The encoder and the signatures are those of tests/vectors, a second implementation of the protocol.
"""

import base64
import json
import pathlib
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "vectors"))
from sync_v1_examples import SEEN, cbor, fields, sha256  # noqa: E402
from ticket_v1_examples import SCALAR as STRANGER  # noqa: E402
from ticket_v1_examples import day, sign  # noqa: E402

ADMITTED = 4  # docs/protocol/sync-v1.md, section 3


def identity_of(device):
    return json.loads((device.data / "vault" / "identity").read_text())


def scalar_of(device):
    """The private key in a device's vault, as a number: the fourth item of SEC 1's ECPrivateKey."""
    lines = identity_of(device)["key_pem"].strip().splitlines()[1:-1]
    der = base64.b64decode("".join(lines))
    at = der.index(b"\x02\x01\x01\x04\x20") + 5
    return int.from_bytes(der[at:at + 32], "big")


def batches(journal):
    """The batches of an exported journal: each stands behind its length, four bytes big endian."""
    while journal:
        length = int.from_bytes(journal[:4], "big")
        yield journal[4:4 + length]
        journal = journal[4 + length:]


class Lie:
    """A batch of one event that would follow what the device wrote last."""

    def __init__(self, device, kind, body):
        epoch, seq, _kind, _ticket, _event, head = device.events()[-1]
        self.device, self.epoch, self.before = device.name, bytes.fromhex(epoch), bytes.fromhex(head)
        self.seq = seq + 1
        self.event = cbor([self.seq, kind, int(time.time() * 1000), 60_000, bytes(8), 4, body])

    def signed_by(self, scalar):
        head = sha256(self.before, self.event)
        to_sign = cbor(["paifang/head/1", self.device, self.epoch, self.seq, head])
        return cbor(fields(self.device, self.epoch, self.seq, self.before, [self.event], sign(to_sign, scalar)))


def admission(device, world, ticket):
    """Somebody was let in with this ticket, says who was not there."""
    today = day(world.today)
    return Lie(device, ADMITTED, fields(bytes.fromhex(ticket), 1, world.site, world.product, world.point, today,
                                        1, 1, 1, 0, True, today, SEEN))


class Carrier:
    """Somebody who stole a device's keys and speaks MQTT with them."""

    def __init__(self, device, folder):
        folder.mkdir()
        self.folder, self.identity, self.scalar = folder, identity_of(device), scalar_of(device)
        for name, key in (("cert.pem", "certificate_pem"), ("key.pem", "key_pem"), ("ca.pem", "authority_pem")):
            (folder / name).write_text(self.identity[key])

    def publish(self, leaf, payload, as_device=None):
        """What the tool says of it: nothing when the broker took it."""
        (self.folder / "payload").write_bytes(payload)
        root = (identity_of(as_device) if as_device else self.identity)["topic_root"]
        run = subprocess.run(
            ["mosquitto_pub", "-V", "5", "-q", "1", "-h", self.identity["broker"]["host"],
             "-p", str(self.identity["broker"]["port"]), "--cafile", self.folder / "ca.pem",
             "--cert", self.folder / "cert.pem", "--key", self.folder / "key.pem",
             "-i", self.identity["device"], "-t", root + leaf, "-f", self.folder / "payload"],
            capture_output=True, text=True, timeout=30)
        if as_device is None:
            run.check_returncode()
        return run.stdout + run.stderr
