#!/usr/bin/env python3
"""Whole processes: the real server, broker and gates of the sim board with a million tickets.

    fleet_bench.py --build build/release [--json] [--quick] [--rows a,b]

One stage for all rows, because importing a million codes takes a minute. What is compared with is taken by
bench_fleet_floor in turns with what is measured. Prints one line of JSON a row (tests/bench/README.md).
"""

import argparse
import contextlib
import http.client
import json
import pathlib
import random
import re
import shutil
import sqlite3
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "boards" / "sim"), str(ROOT / "tests" / "integration" / "system")]
from stage import Failed, Stage, until  # noqa: E402
from system_test import World, idle  # noqa: E402

ROWS = ["rss_1m", "snapshot_1m", "revocation", "use_spread"]
IMPORT_ROWS = 100_000  # a request of a few megabytes
POLL_S = 0.0002
REVOKED, TICKETS = 1, 2  # list scopes


class Floor:
    """The helper beside us, asked line by line."""

    def __init__(self, build):
        self.process = subprocess.Popen([build / "tests/bench/fleet/bench_fleet_floor"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


class Api:
    """A connection to the server, kept as long as the server keeps it."""

    def __init__(self, stage):
        context = ssl.create_default_context(cafile=str(stage.server_data / "authority.pem"))
        self.connection = http.client.HTTPSConnection("localhost", stage.http_port, context=context, timeout=60)
        self.headers = {"Authorization": "Bearer " + (stage.server_data / "admin.key").read_text().strip(),
                        "Content-Type": "application/json"}

    def post(self, path, body):
        try:
            self.connection.request("POST", path, json.dumps(body), self.headers)
            response = self.connection.getresponse()
        except (http.client.HTTPException, OSError):  # it ended while nobody used it
            self.connection.close()
            self.connection.request("POST", path, json.dumps(body), self.headers)
            response = self.connection.getresponse()
        answer = json.loads(response.read())
        if response.status >= 300:
            raise Failed(f"{path}: {response.status} {answer}")
        return answer


def staged_rows(gate):
    """Rows of a ticket list under way on the gate's disk; None when none is, or there is no such disk yet."""
    path = gate.data / "cache.v2.db"
    if not path.exists():
        return None
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db, \
            contextlib.suppress(sqlite3.OperationalError):  # its tables are being made
        row = db.execute("SELECT row_count FROM stage WHERE scope = ?", (TICKETS,)).fetchone()
        return row and row[0]
    return None


class Cache:
    """What a device has in force, read beside it."""

    def __init__(self, device):
        path = device.data / "cache.v2.db"
        until("the device has its cache", path.exists)
        self.database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)

    def version(self, scope):
        row = self.database.execute("SELECT version FROM list WHERE scope = ?", (scope,)).fetchone()
        return row[0] if row else 0

    def has_use(self, ticket):
        found = self.database.execute("SELECT 1 FROM use WHERE ticket = ?", (bytes.fromhex(ticket),)).fetchone()
        return found is not None

    def close(self):
        self.database.close()


def wait(what, condition, seconds=30.0):
    """Microseconds on the clock when it holds, asked often."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failed(f"not within {seconds} s: {what}")
        time.sleep(POLL_S)
    return time.monotonic() * 1e6


def quartiles(values):
    """As tests/bench/measure.hpp has them: lower, median, upper."""
    if len(values) == 1:
        return values * 3
    return statistics.quantiles(values, n=4, method="inclusive")


def compared(name, unit, rounds, at_most, notes, scale=1.0):
    """A row from rounds of (subjects, floors), all in microseconds."""
    ratios = [statistics.median(subject) / statistics.median(floor) for subject, floor in rounds]
    lower, middle, upper = quartiles(ratios)
    subjects = sorted(value for subject, _ in rounds for value in subject)
    floors = sorted(value for _, floor in rounds for value in floor)
    p99, p99_floor = (values[int(0.99 * (len(values) - 1))] * scale for values in (subjects, floors))
    return {"name": name, "unit": unit, "measured": statistics.median(subjects) * scale,
            "floor": statistics.median(floors) * scale, "ratio": middle, "q1": lower, "q3": upper,
            "target": f"<= {at_most}", "met": upper <= at_most, "notes": notes,
            "details": {"p99": p99, "p99_floor": p99_floor}}


def plain(name, unit, measured, at_most, notes, details=None):
    return {"name": name, "unit": unit, "measured": measured, "floor": None, "ratio": None, "q1": None, "q3": None,
            "target": f"<= {at_most}", "met": measured <= at_most, "notes": notes, "details": details or {}}


class Fleet:
    """A site whose server holds all the tickets, and the gates that come to it."""

    def __init__(self, build, folder, quick, rows):
        self.quick = quick
        full = 1_000_000 if {"rss_1m", "snapshot_1m"} & set(rows) else 100_000
        self.codes = 20_000 if quick else full
        self.stage = Stage(ROOT, build, folder)
        self.rng = random.Random(1)
        self.world = World(self.stage, self.rng)
        self.known = []  # codes we remember, to hold them before a gate
        began = time.monotonic()
        for done in range(0, self.codes, IMPORT_ROWS):
            took = time.monotonic() - began
            print(f"{done} of {self.codes} codes imported, {took:.0f} s", file=sys.stderr, flush=True)
            self.world.import_codes(min(self.codes, IMPORT_ROWS))
            with open(folder / "codes.csv", encoding="utf-8") as csv:
                self.known += [line.split(",", 1)[0] for line in list(csv)[1:1501]]
        self.rng.shuffle(self.known)
        self.api = Api(self.stage)
        self.floor = Floor(build)
        self.gates = 0
        self.unrevoked = self.stage.query("SELECT DISTINCT ticket FROM carrier LIMIT 30000")[-20_000:]

    def close(self):
        self.floor.close()
        self.stage.close()

    def new_gate(self):
        self.gates += 1
        return self.world.pair(f"gate-{self.gates}", "gate", "--walk-ms", "1")

    def whole(self, gate, seconds=600):
        gate.wait_ready(seconds)
        gate.wait_version("tickets_version", self.world.tickets_version(), seconds)

    def revoke_one(self):
        ticket = self.unrevoked.pop()[0]
        self.api.post(f"/v1/tickets/{ticket}/revoke", {"why": "refunded"})

    def reader(self):
        path = self.stage.server_data / "server.db"
        return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)

    def committed(self, server, scope):
        """The list's version in the server's database, as whoever reads it beside the server sees it."""
        row = server.execute("SELECT version FROM list_head WHERE site = ? AND scope = ?", (self.world.site, scope))
        return (row.fetchone() or [0])[0]

    def server_version(self, scope):
        with contextlib.closing(self.reader()) as server:
            return self.committed(server, scope)

    def scan(self, gate):
        """One visitor let in; the code she held up."""
        idle(gate)
        code = self.known.pop()
        answer = gate.ask(f"scan {code}")
        if answer["verdict"] != "admit":
            raise Failed(f"{code} is not admitted: {answer}")
        return answer


# --- rows ---------------------------------------------------------------------------------------------------


def memory_mib(gate, what):
    status = pathlib.Path(f"/proc/{gate.program.process.pid}/status").read_text()
    return int(re.search(rf"^{what}:\s+(\d+)", status, re.MULTILINE)[1]) / 1024


def rss_1m(fleet):
    gate = fleet.new_gate()
    fleet.whole(gate)
    after_snapshot = memory_mib(gate, "VmHWM")
    scans, revocations = (50, 100) if fleet.quick else (1_000, 10_000)
    for _ in range(scans):
        fleet.scan(gate)
    for _ in range(revocations):
        fleet.revoke_one()
    gate.wait_version("revoked_version", fleet.server_version(REVOKED), 120)
    peak = memory_mib(gate, "VmHWM")
    details = {"after_snapshot": after_snapshot, "anonymous": memory_mib(gate, "RssAnon"),
               "files_mapped": memory_mib(gate, "RssFile")}
    gate.program.end()
    notes = f"paifang-device: {fleet.codes} tickets, {scans} scans, {revocations} revocations"
    yield plain("rss_1m", "MiB", peak, 48, notes, details)


def take_snapshot(fleet):
    """Microseconds from the first page asked for to the list in force, with a cut and scans inside."""
    gate = fleet.new_gate()
    tickets = [fleet.world.ticket()["text"] for _ in range(5)]
    wait("the snapshot begins", lambda: gate.program.alive() and staged_rows(gate) is not None, 60)
    begin = time.monotonic() * 1e6
    cache = Cache(gate)
    half, scans = fleet.codes // 2, 0

    def staged_half():
        return (staged_rows(gate) or 0) > half or cache.version(TICKETS) > 0

    while not staged_half():
        if tickets and (status := gate.status()) and status["ready"]:
            scans += gate.ask(f"scan {tickets.pop()}")["verdict"] == "admit"
        time.sleep(0.005)
    if cache.version(TICKETS) > 0:
        raise Failed("the snapshot was whole before it could be cut")
    gate.ask("uplink off")
    until("the link is down", lambda: not gate.ask("status")["link_up"])
    gate.ask("uplink on")
    end = wait("the list is in force", lambda: cache.version(TICKETS) > 0, 900)
    begun = gate.ask("status")["ticket_snapshots_begun"]
    if begun != 1:
        raise Failed(f"{begun} snapshots were begun; one goes on after a cut")
    cache.close()
    return gate, end - begin, scans


def snapshot_1m(fleet):
    rounds, listed, scans = [], None, 0
    for _ in range(1 if fleet.quick else 3):
        gate, took, scanned = take_snapshot(fleet)
        gate.program.end()
        listed = listed or fleet.floor.ask(f"list {gate.data / 'cache.v2.db'}")
        rounds.append(([took], [fleet.floor.ask("insert")["us"] + fleet.floor.ask("transfer")["us"]]))
        scans += scanned
        shutil.rmtree(gate.data)
    notes = (f"{listed['rows']} tickets in {listed['pages']} pages, {len(rounds)} rounds, one cut each,"
             f" {scans} scans meanwhile")
    yield compared("snapshot_1m", "s", rounds, 1.5, notes, 1e-6)
    yield plain("snapshot_1m.wire", "bytes", listed["bytes"] / listed["rows"], 30, "a ticket, in the pages' payloads")


def revocations_on(fleet, gate, count):
    cache = Cache(gate)
    times = []
    with contextlib.closing(fleet.reader()) as server:
        for _ in range(count):
            before = cache.version(REVOKED)
            request = threading.Thread(target=fleet.revoke_one)
            request.start()
            begin = wait("the revocation is committed", lambda: fleet.committed(server, REVOKED) > before)
            times.append(wait("the revocation is applied", lambda: cache.version(REVOKED) > before) - begin)
            request.join()
    cache.close()
    return times


def trips(fleet, count):
    return [fleet.floor.ask("trip")["us"] for _ in range(count)]


NOTE = "from the server's commit to the list in force; floor: a QoS 1 round trip and one durable commit"


def revocation(fleet):
    rounds, calls = (2, 2) if fleet.quick else (9, 15)
    gate = fleet.new_gate()
    fleet.whole(gate)
    fleet.revoke_one()
    gate.wait_version("revoked_version", fleet.server_version(REVOKED), 60)
    taken = [(revocations_on(fleet, gate, calls), trips(fleet, calls)) for _ in range(rounds)]
    yield compared("revocation", "ms", taken, 3, NOTE, 1e-3)
    gate.program.end()

    late = fleet.new_gate()
    wait("the snapshot begins", lambda: late.program.alive() and staged_rows(late) is not None, 60)
    cache, taken = Cache(late), []
    while cache.version(TICKETS) == 0 and len(taken) < rounds:
        subject = revocations_on(fleet, late, calls)
        if cache.version(TICKETS) == 0:
            taken.append((subject, trips(fleet, calls)))
    cache.close()
    if taken:
        notes = f"while a snapshot is taken, {len(taken)} rounds; {NOTE}"
        yield compared("revocation.snapshot", "ms", taken, 3, notes, 1e-3)
    late.program.end()


def use_spread(fleet):
    rounds, calls = (2, 2) if fleet.quick else (9, 10)
    here, there = fleet.new_gate(), fleet.new_gate()
    for gate in (here, there):
        fleet.whole(gate)
    cache, taken = Cache(there), []
    for _ in range(rounds):
        subject = []
        for _ in range(calls):
            idle(here)
            code = fleet.known.pop()
            begin = time.monotonic() * 1e6
            answer = here.ask(f"scan {code}")
            subject.append(wait("the use is known there", lambda: cache.has_use(answer["ticket"])) - begin)
            refused = there.ask(f"scan {code}")
            if refused["verdict"] == "admit":
                raise Failed(f"{code} was admitted twice: {refused}")
        taken.append((subject, trips(fleet, calls)))
    cache.close()
    notes = "from the scan at one gate to the use in force at another; floor: a QoS 1 round trip and one durable commit"
    yield compared("use_spread", "ms", taken, 4, notes, 1e-3)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--json", action="store_true", help="for the runner; there is no other output")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rows", default=",".join(ROWS), type=lambda text: text.split(","))
    asked = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="paifang-fleet-"))
    fleet, failed = None, []
    try:
        fleet = Fleet(asked.build, folder, asked.quick, asked.rows)
        for name in ROWS:
            if name not in asked.rows:
                continue
            try:
                for row in globals()[name](fleet):
                    row["notes"] += "; quick" if asked.quick else ""
                    print(json.dumps(row), flush=True)
            except (Failed, OSError, KeyError, subprocess.SubprocessError) as error:
                print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
                failed.append(name)
        fleet.close()
    finally:
        if fleet:
            fleet.floor.process.kill()
            fleet.stage.abandon()
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
