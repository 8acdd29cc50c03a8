"""A whole Paifang on loopback: one server, some devices, and hands to play with them.

The demo and the tests of whole processes share this. It starts the real programs, speaks to devices through
their control sockets and to the server through paifangctl, and looks for itself: into journals, databases and
barrier logs, never into what the programs print.
"""

import contextlib
import json
import pathlib
import random
import re
import signal
import socket
import sqlite3
import subprocess
import time

from line import DEVICE_SIDE, Line

ADMITTED, REFUSED, OUTCOME, OPENED = 4, 5, 6, 11  # kinds of events: docs/protocol/sync-v1.md, section 3


class Failed(Exception):
    """Something is not as it must be. The text says what was looked at."""


def until(what, condition, seconds=30.0):
    """Waits for a condition; its value when it holds. Never longer than the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failed(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.03)


class Program:
    """One process, its output in a file. It ends with the stage, even when that is killed with -9."""

    def __init__(self, name, command, log):
        self.name, self.command, self.log = name, [str(part) for part in command], log
        self.process = None
        self.wanted = False  # started, and not ended by us: if it is not alive then, it died

    def start(self):
        # A session of its own: Ctrl-C is for the stage, which then ends everything in order.
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *self.command],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        self.wanted = True

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def end(self, how=signal.SIGTERM, seconds=20):
        self.wanted = False
        if not self.alive():
            return
        self.process.send_signal(how)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failed(f"{self.name} did not end within {seconds} s") from None

    def kill(self):
        """As a power cut does: no goodbye."""
        self.wanted = False
        if self.alive():
            self.process.kill()
            self.process.wait()

    def tail(self):
        lines = pathlib.Path(self.log).read_text(errors="replace").splitlines()
        return "\n".join(lines[-15:])


class Device:
    """A device of the sim board, seen from outside."""

    def __init__(self, stage, name, kind, arguments):
        self.stage, self.name, self.kind = stage, name, kind
        self.data = stage.folder / name
        self.data.mkdir(exist_ok=True)
        command = [stage.binary("boards/sim/paifang-device"), "--data", self.data, "--kind", kind, *arguments]
        self.program = Program(name, command, self.data / "device.log")

    def ask(self, line, seconds=10):
        """One command over the control socket, its JSON reply."""
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(seconds)
            wire.connect(str(self.data / "control.sock"))
            wire.sendall(line.encode() + b"\n")
            reply = b""
            while not reply.endswith(b"\n"):
                piece = wire.recv(65536)
                if not piece:
                    raise Failed(f"{self.name} hung up on: {line}")
                reply += piece
        return json.loads(reply)

    def status(self):
        try:
            return self.ask("status", 5)
        except (OSError, ValueError, Failed):
            return None

    def wait_ready(self, seconds=60):
        def ready():
            if not self.program.alive():
                raise Failed(f"{self.name} ended:\n{self.program.tail()}")
            status = self.status()
            return status and status["ready"] and status["online"] and status["tickets_version"] > 0
        until(f"{self.name} ready and online", ready, seconds)

    def wait_synced(self, seconds=30):
        until(f"{self.name} has nothing unconfirmed",
              lambda: (status := self.status()) and status["link_up"] and status["unconfirmed_events"] == 0, seconds)

    def wait_version(self, key, at_least, seconds=30):
        until(f"{self.name} at {key} {at_least}", lambda: (s := self.status()) and s[key] >= at_least, seconds)

    # --- evidence ---
    def events(self):
        """Every event on this device's disk: (epoch, seq, kind, ticket, bytes, head), oldest first."""
        with opened(self.data / "events.db") as db:
            return [(row[0].hex(), row[1], row[2], row[3].hex() if row[3] else None, bytes(row[4]), row[5].hex())
                    for row in db.execute("SELECT p.epoch, e.seq, e.kind, e.ticket, e.event, e.head FROM event e"
                                          " JOIN epoch p ON p.ordinal = e.ordinal ORDER BY e.ordinal, e.seq")]

    def admissions(self, ticket):
        return [event for event in self.events() if event[2] == ADMITTED and event[3] == ticket]

    def barrier(self):
        """What the arm did: (word, steady ms). A line that a full disk tore is none."""
        log = self.data / "barrier.log"
        lines = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
        return [(line[1], int(line[2])) for line in lines if len(line) == 3 and line[2].isdigit()]

    def pulses(self):
        return sum(word == "pulse" for word, _ in self.barrier())

    def holds(self, secret):
        """Files of this device in which these bytes stand: databases, their -wal, logs, keys, everything."""
        found = []
        for path in self.data.rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # a picture that was looked at meanwhile
                if path.is_file() and secret in path.read_bytes():
                    found.append(path.name)
        return found

    def cues(self):
        log = self.data / "cue.log"
        if not log.exists():
            return []
        return [json.loads(line.split(" ", 1)[1]) for line in log.read_text().splitlines() if " {" in line]

    def show_frame(self, text, **options):
        """Puts a picture of a code before the camera; the answer the device then shows."""
        seen = len(self.cues())
        self.stage.picture(self.data / "frames", text, **options)
        until(f"{self.name} answers a scan", lambda: len(self.cues()) > seen)
        return self.cues()[seen]


class Stage:
    """`line`: devices reach the server over a relay that can be cut (line.py), not directly."""

    def __init__(self, root, build, folder, line=False):
        self.root, self.build, self.folder = pathlib.Path(root), pathlib.Path(build), pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.random = random.SystemRandom()
        self.server_data = self.folder / "server"
        self.server_data.mkdir(exist_ok=True)
        self.host = DEVICE_SIDE if line else "localhost"
        self.line = None
        self.server = Program("server", [self.binary("sync-server/app/paifang-server"), *self.server_arguments()],
                              self.folder / "server.log")
        if line:
            self.line = Line(self.folder / "line", self.ports)
        self.devices = {}
        self.pictures = 0

    def binary(self, path):
        return self.build / path

    def server_arguments(self):
        """Ports of this stage's own: free now, and the same after a restart, because devices were told them."""
        with contextlib.ExitStack() as held:
            sockets = [held.enter_context(socket.socket()) for _ in range(3)]
            for each in sockets:
                each.bind(("127.0.0.1", 0))
            http, renewal, broker = (each.getsockname()[1] for each in sockets)
        config = self.folder / "server.toml"
        config.write_text(f'host = "{self.host}"\n[http]\nport = {http}\n[renewal]\nport = {renewal}\n'
                          f'[broker]\nport = {broker}\n')
        self.http_port, self.ports = http, (http, renewal, broker)
        return ["--config", config, "--data", self.server_data]

    # --- processes ---
    def start_server(self, seconds=60):
        ports = self.server_data / "ports.json"
        ports.unlink(missing_ok=True)
        self.server.start()

        def up():
            if not self.server.alive():
                raise Failed(f"the server ended:\n{self.server.tail()}")
            return ports.exists() and self.ctl("site", "list", check=False) is not None
        until("the server answers", up, seconds)

    def add_device(self, name, kind, code, *arguments):
        pairing = ["--server", self.server_url(), "--code", code] if code else []
        self.devices[name] = Device(self, name, kind, [*pairing, *arguments])
        self.devices[name].program.start()
        return self.devices[name]

    def server_url(self):
        return f"https://{self.host}:{self.http_port}"

    def programs(self):
        return [*(device.program for device in self.devices.values()), self.server]

    def died(self):
        """Programs that ended without being told to."""
        return [program for program in self.programs() if program.wanted and not program.alive()]

    def close(self):
        for device in self.devices.values():
            device.program.kill()
        if self.line:
            self.line.close()
        self.server.end()

    def abandon(self):
        for program in self.programs():
            program.kill()
        if self.line:
            self.line.close()

    # --- tools ---
    def ctl_command(self, *arguments):
        return [str(self.binary("firmware/ctl/paifangctl")), "--data", str(self.server_data), *map(str, arguments)]

    def ctl(self, *arguments, check=True):
        """paifangctl with --json; its one document. With check=False nothing on any failure."""
        run = subprocess.run([*self.ctl_command(*arguments), "--json"], capture_output=True, text=True, timeout=120)
        if run.returncode != 0:
            if check:
                raise Failed(f"paifangctl {' '.join(map(str, arguments))}: exit {run.returncode}: "
                             f"{run.stdout.strip()} {run.stderr.strip()}")
            return None
        return json.loads(run.stdout) if run.stdout.strip() else {}

    def picture(self, folder, text, **options):
        self.pictures += 1
        picture = {"seed": self.random.getrandbits(31), "rotation": self.random.uniform(-25, 25),
                   "tilt": self.random.uniform(0, 20), "noise": self.random.uniform(1, 8), **options}
        command = [self.binary("boards/sim/frames/paifang-camera"), "--text", text,
                   "--out", pathlib.Path(folder) / f"frame-{self.pictures:05}.png"]
        for name, value in picture.items():
            command += [f"--{name}"] if value is True else [f"--{name}", f"{value}"]
        subprocess.run([str(part) for part in command], check=True, timeout=60)

    # --- evidence at the server ---
    def query(self, sql, *values):
        with opened(self.server_data / "server.db") as db:
            return db.execute(sql, values).fetchall()

    def server_events(self, device):
        """(epoch, seq, head) of a device as the server stored them; a fork's branch under its origin too."""
        return self.query("SELECT epoch, seq, head FROM journal_event WHERE device = ? ORDER BY epoch, seq", device)

    def check_nothing_lost(self, device):
        """Every event on the device's disk is at the server, with the same chain head."""
        mine = {(epoch, seq): head for epoch, seq, _, _, _, head in device.events()}
        theirs = {(epoch, seq): head for epoch, seq, head in self.server_events(device.name)}
        missing = [key for key, head in mine.items() if theirs.get(key) != head]
        if missing:
            raise Failed(f"{device.name}: {len(missing)} of {len(mine)} events are not at the server as on disk")
        return len(mine)

    def check_committed_before_opened(self, device):
        """Every opening stands behind an earlier grant on disk: never more pulses so far than persons so far."""
        allowed = [grant for grant in map(_allowed, device.events()) if grant]
        pulses = sorted(at for word, at in device.barrier() if word == "pulse")
        for number, at in enumerate(pulses, 1):
            before = sum(persons for granted_at, persons in allowed if granted_at <= at)
            if number > before:
                raise Failed(f"{device.name}: opening {number} at {at} ms, when the disk allowed {before} persons")
        return sum(persons for _, persons in self.granted(device))

    def granted(self, device):
        """(ticket, persons) of each admission on the device's own disk."""
        return [(event[3], admitted_persons(event[4])) for event in device.events() if event[2] == ADMITTED]


@contextlib.contextmanager
def opened(database):
    """To read only, also beside the program that writes it; closed afterwards, which `with` alone does not do."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as db:
        yield db


def reasons(root):
    """The number of each reason, from the protocol document: {"ok": 1, …}."""
    text = (pathlib.Path(root) / "docs/protocol/ticket-v1.md").read_text()
    return {key: int(number) for number, key in re.findall(r"^\| (\d+) \| `(\w+)` \|", text, re.MULTILINE)}


# Fields of encoded events: docs/protocol/sync-v1.md, section 3.
WALL, STEADY, BODY = 2, 3, 6
REASON_KEY, PERSONS_KEY, OPENED_PERSONS_KEY = 1, 7, 2
GRANT_KEY, PASSED_KEY = 1, 2


def fields(event):
    """The seven items of an encoded event."""
    return _items(event)


def admitted_persons(event):
    return _items(event)[BODY][PERSONS_KEY]


def _allowed(event):
    """(steady ms, persons) of a row of Device.events() that lets the arm open; nothing for others."""
    if event[2] not in (ADMITTED, OPENED):
        return None
    items = _items(event[4])
    return items[STEADY], items[BODY][PERSONS_KEY if event[2] == ADMITTED else OPENED_PERSONS_KEY]


def _items(data):
    value, rest = _item(data)
    if rest:
        raise Failed("an event on disk has trailing bytes")
    return value


def _item(data):
    """Just enough CBOR to read our own events: the demo must not believe the code it shows."""
    head, data = data[0], data[1:]
    major, info = head >> 5, head & 31
    if info >= 24:
        size = 1 << (info - 24)
        number, data = int.from_bytes(data[:size], "big"), data[size:]
    else:
        number = info
    if major == 0:
        return number, data
    if major == 1:
        return -1 - number, data
    if major in (2, 3):
        return data[:number], data[number:]
    if major == 4:
        out = []
        for _ in range(number):
            value, data = _item(data)
            out.append(value)
        return out, data
    if major == 5:
        out = {}
        for _ in range(number):
            key, data = _item(data)
            out[key], data = _item(data)
        return out, data
    return {20: False, 21: True}.get(number), data
