"""Real processes: kill -9 of gate, server and broker at random moments, cut links, full disks, forged batches.

    system_test.py --build build/dev [--rounds 20] [--seed N] [NAME…]

Each case brings up a stage of its own, breaks it, heals it, and then looks at the disks: nothing lost, nothing
doubled, nothing opened that was not written before. A failing case prints its seed and leaves its files.
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
root = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(root / "boards" / "sim"), str(root / "tests" / "integration" / "system")]
import forgery  # noqa: E402
from stage import Failed, Stage, until  # noqa: E402

CHINA = datetime.timezone(datetime.timedelta(hours=8))
WALK_MS = 20
SNAPSHOT_ROWS = 20_000  # pages enough that two cuts fall between them
FORGED = 6  # findings::Kind, sync-server/findings/findings.hpp


class World:
    """A site with one product, its devices, and tickets as they are needed."""

    def __init__(self, stage, rng):
        self.stage, self.rng = stage, rng
        self.today = datetime.datetime.now(CHINA).date().isoformat()
        stage.start_server()
        self.site = stage.ctl("site", "add", "--zh", "云溪", "--en", "Cloud Creek")["id"]
        self.point = stage.ctl("point", "add", self.site, "--zh", "门", "--en", "Gate")["id"]
        self.product = stage.ctl("product", "add", self.site, "--zh", "门票", "--en", "Admission")["id"]

    def pair(self, name, kind="gate", *arguments):
        code = self.stage.ctl("device", "invite", self.site, name, "--kind", kind, "--point", self.point,
                              "--number", name, "--passage-wait-ms", "2000")["code"]
        return self.stage.add_device(name, kind, code, *arguments)

    def gates(self, count):
        gates = [self.pair(f"gate-{i + 1}", "gate", "--walk-ms", str(WALK_MS)) for i in range(count)]
        for gate in gates:
            gate.wait_ready()
        return gates

    def ticket(self, persons=1):
        return self.stage.ctl("ticket", "issue", "--site", self.site, "--product", self.product, "--first", self.today,
                              "--last", self.today, "--persons", str(persons))

    def import_codes(self, count):
        path = self.stage.folder / "codes.csv"
        with open(path, "w", encoding="utf-8") as csv:
            csv.write("code,product,first_day,last_day\n")
            for i in range(count):
                csv.write(f"C{self.rng.getrandbits(60):015X}{i},{self.product},{self.today},{self.today}\n")
        return self.stage.ctl("ticket", "import", self.site, path)

    def tickets_version(self):
        return self.stage.query("SELECT version FROM list_head WHERE site = ? AND scope = 2", self.site)[0][0]

    def check_all(self, devices, tickets):
        for device in devices:
            device.wait_synced(60)
        for device in devices:
            self.stage.check_nothing_lost(device)
            self.stage.check_committed_before_opened(device)
        doubles = self.stage.query("SELECT 1 FROM checkin GROUP BY device, epoch, seq HAVING COUNT(*) > 1")
        if doubles:
            raise Failed(f"{len(doubles)} check-ins are booked twice")
        for ticket, persons in tickets:
            counted = sum(granted - returned for granted, returned in self.stage.query(
                "SELECT granted, returned FROM checkin WHERE ticket = ?", ticket))
            found = self.stage.query("SELECT 1 FROM finding WHERE kind = 1 AND ticket = ?", ticket)
            if counted > persons and not found:
                raise Failed(f"ticket {ticket}: {counted} persons on {persons} places, and no finding")
            if counted > persons * len(devices):
                raise Failed(f"ticket {ticket}: {counted} persons, more than {len(devices)} devices could admit")


def ask_dying(device, line):
    """A device that is killed under our hands may not answer; that is the point. None: it did not."""
    try:
        return device.ask(line, 15)
    except (OSError, ValueError, Failed):
        return None


def idle(device):
    until(f"the lane of {device.name} is idle", lambda: device.ask("status")["lane"] == "idle")


def broker_process(stage):
    """The one Mosquitto that is a child of our server."""
    children = pathlib.Path(f"/proc/{stage.server.process.pid}/task").glob("*/children")
    for child in " ".join(path.read_text() for path in children).split():
        with contextlib.suppress(FileNotFoundError):  # ended while we looked
            if "mosquitto" in pathlib.Path(f"/proc/{child}/comm").read_text():
                return int(child)
    return None


def gone(pid):
    """Dead, even if its parent has not taken note yet."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


# --- cases --------------------------------------------------------------------------------------------------


class Victim:
    """Who is killed in this round, and what it means that it is back."""

    def __init__(self, stage, kind, gate):
        self.stage, self.kind, self.gate = stage, kind, gate
        if kind == "broker":
            self.pid = until("the server has its broker", lambda: broker_process(stage))
        else:
            self.pid = (gate.program if kind == "gate" else stage.server).process.pid

    def strike_after(self, seconds):
        """Not before and not after what we do next, but somewhere inside: by another process."""
        return subprocess.Popen(["sh", "-c", f"sleep {seconds:.4f}; kill -9 {self.pid}"])

    def buried(self, killer):
        if killer.wait() != 0:
            raise Failed(f"the {self.kind} was gone before it was killed")
        until(f"the {self.kind} is dead", lambda: gone(self.pid))
        if self.kind == "broker":
            return
        program = self.gate.program if self.kind == "gate" else self.stage.server
        if program.process.wait(10) != -signal.SIGKILL:
            raise Failed(f"the {self.kind} ended with {program.process.returncode}, not by the kill")

    def revive(self):
        if self.kind == "server":
            self.stage.start_server()
        elif self.kind == "gate":
            self.gate.program.start()
            until(f"{self.gate.name} is up again", self.gate.status)
        else:
            until("the server has started another broker",
                  lambda: (pid := broker_process(self.stage)) and pid != self.pid)
            if not self.stage.server.alive():
                raise Failed("the server died of its broker's death")


def kill_rounds(stage, rng, rounds):
    """kill -9 of gate, server or broker at random moments while visitors scan."""
    world = World(stage, rng)
    gates = world.gates(2)
    tickets, kinds, cut_off, admitted = [], [], 0, 0
    for number in range(rounds):
        batch = [world.ticket(rng.choice((1, 1, 2))) for _ in range(3)]
        tickets += [(t["id"], t.get("claims", t)["persons"]) for t in batch]
        kinds = kinds or rng.sample(("gate", "server", "broker"), 3)  # each of them in three rounds
        victim = Victim(stage, kinds.pop(), rng.choice(gates))
        scans = [(rng.choice(gates), ticket["text"]) for ticket in batch for _ in range(2)]
        strike_at = rng.randrange(len(scans))
        dead = None
        for at, (device, text) in enumerate(scans):
            if at == strike_at:
                killer = victim.strike_after(rng.uniform(0, 0.03))
                answer = ask_dying(device, "scan " + text)
                victim.buried(killer)
                dead = victim.gate if victim.kind == "gate" else None
                if answer is None and device is not dead:
                    raise Failed(f"{device.name} did not answer when the {victim.kind} was killed")
                cut_off += answer is None
            elif device is dead:
                continue
            else:
                idle(device)
                answer = device.ask("scan " + text, 15)  # whoever lives answers
            admitted += answer is not None and answer["verdict"] == "admit"
        victim.revive()
        if number % 5 == 4 or number == rounds - 1:
            world.check_all(gates, tickets)
        print(f"   round {number + 1}/{rounds}: {victim.kind} killed and back", flush=True)
    check_people_got_in(stage, gates, tickets, admitted, cut_off)


def check_people_got_in(stage, gates, tickets, admitted, cut_off):
    """Gates that refuse everybody would lose and double nothing, too."""
    on_disk = {ticket for gate in gates for ticket, _ in stage.granted(gate)}
    entered = sum(ticket in on_disk for ticket, _ in tickets)
    # Each ticket is shown twice; only where the gate it came to was dead both times is it not used.
    if entered < len(tickets) * 2 // 3:
        raise Failed(f"only {entered} of {len(tickets)} tickets let somebody in")
    unanswered = sum(len(stage.granted(gate)) for gate in gates) - admitted
    if not 0 <= unanswered <= cut_off:
        raise Failed(f"{unanswered} admissions on disk that no answer told of, {cut_off} scans cut off")
    print(f"   {entered} of {len(tickets)} tickets used, {admitted} admissions answered, "
          f"{cut_off} scans cut off by a kill", flush=True)


def staged_rows(gate):
    """Rows of a ticket list under way on the gate's disk; None when none is."""
    path = next(gate.data.glob("cache*.db"), None)  # its name holds the version of its schema
    if path is None:
        return None
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
        row = db.execute("SELECT row_count FROM stage WHERE scope = 2").fetchone()
    return row and row[0]


def snapshot_cut(stage, rng, _rounds):
    """A new gate takes a large list; link and power are cut in the middle, and it goes on where it was."""
    world = World(stage, rng)
    rows = world.import_codes(SNAPSHOT_ROWS)["imported"]
    gate = world.pair("gate-new", "gate", "--walk-ms", str(WALK_MS))

    def cut_inside(beyond, cut):
        until(f"more than {beyond} rows are on disk", lambda: (staged_rows(gate) or 0) > beyond, 60)
        cut()
        kept = staged_rows(gate)
        if kept is None or not beyond < kept < rows:
            raise Failed(f"the cut fell outside the transfer: {kept} of {rows} rows on disk")
        print(f"   cut with {kept} of {rows} rows on disk", flush=True)
        return kept

    def pull_the_plug():
        gate.ask("uplink off")
        until("the link is down", lambda: not gate.ask("status")["link_up"])

    until("the gate has its control socket", gate.status)
    begun = []
    kept = cut_inside(0, pull_the_plug)
    if gate.ask("status")["tickets_version"] != 0:
        raise Failed("a list was put in force before all of it was there")
    gate.ask("uplink on")

    def cut_the_power():
        begun.append(gate.ask("status")["ticket_snapshots_begun"])
        gate.program.kill()

    cut_inside(kept, cut_the_power)
    gate.program.start()
    gate.wait_version("tickets_version", world.tickets_version(), 120)
    begun.append(gate.ask("status")["ticket_snapshots_begun"])
    if begun != [1, 0]:
        raise Failed(f"snapshots begun before and after the power cut: {begun}; it must go on, not begin again")
    code = stage.ctl("ticket", "issue", "--site", world.site, "--product", world.product, "--first", world.today,
                     "--last", world.today, "--code", "AFTERWARDS-1", "--no-qr")
    gate.wait_version("tickets_version", world.tickets_version(), 30)
    answer = gate.ask("scan AFTERWARDS-1")
    if answer["verdict"] != "admit" or answer.get("ticket") != code["id"]:
        raise Failed(f"a code sold after the snapshot was answered {answer}")


@contextlib.contextmanager
def small_disk(stage, folder, mebibytes):
    """A disk of its own for this folder, so that filling it hurts nobody else."""
    folder.mkdir(exist_ok=True)
    run = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder)],
                         capture_output=True, text=True)
    if run.returncode != 0:
        raise Failed("a disk of its own could not be mounted (needs root): " + run.stderr.strip())
    try:
        yield
    finally:
        stage.abandon()
        subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(folder):
    """Writes until there is no room left; the file that holds it."""
    filler = folder / "filler"
    handle = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        while os.write(handle, b"x" * 4096) > 0:
            pass
    except OSError:
        pass  # full, as wished
    os.close(handle)
    return filler


def gate_disk_full(stage, rng, _rounds):
    """A full disk refuses and says so; with room again the next scan opens, and what was written is delivered."""
    folder = stage.folder / "gate-1"
    with small_disk(stage, folder, 8):
        world = World(stage, rng)
        gate = world.gates(1)[0]
        good, later = world.ticket(), world.ticket()
        filler = fill(folder)
        # SQLite may still have room inside its files; garbage scans fill that.
        for i in range(4000):
            if gate.ask(f"scan garbage-{i}")["reason"] == "storage_failed":
                break
        else:
            raise Failed("the gate never said that its disk is full")
        for _ in range(3):  # a good ticket, shown again and again
            pulses = gate.pulses()
            answer = gate.ask("scan " + good["text"])
            if answer["verdict"] != "refuse" or answer["reason"] != "storage_failed":
                raise Failed(f"on a full disk a good ticket was answered {answer}")
            shown = gate.cues()[-1] if gate.cues() else None
            if gate.pulses() != pulses or stage.granted(gate):
                raise Failed(f"the gate opened without writing, and showed {shown}")
        filler.unlink()
        for ticket in (good, later):
            answer = gate.ask("scan " + ticket["text"])
            if answer["reason"] != "ok":
                raise Failed(f"with room again the gate answered {answer}")
            idle(gate)
        world.check_all([gate], [(good["id"], 1), (later["id"], 1)])
        booked = sorted(stage.query("SELECT ticket FROM checkin"))
        if booked != sorted((ticket["id"],) for ticket in (good, later)):
            raise Failed(f"booked after the full disk: {booked}")


def server_disk_full(stage, rng, _rounds):
    """The server says that its disk is full and books nothing; gates go on, and nothing of them is lost."""
    with small_disk(stage, stage.server_data, 32):
        world = World(stage, rng)
        gate = world.gates(1)[0]
        tickets = [world.ticket() for _ in range(4)]
        filler = fill(stage.server_data)

        def refused():
            run = subprocess.run([*stage.ctl_command("ticket", "issue", "--site", world.site, "--product",
                                                     world.product, "--first", world.today, "--last",
                                                     world.today, "--json")],
                                 capture_output=True, text=True, timeout=60)
            return run.returncode != 0 and run.stdout + run.stderr
        # SQLite may still have room inside its files; what it sells until then counts like the rest.
        words = until("the server says that its disk is full", refused, 60)
        if "database_disk_full" not in words:
            raise Failed(f"on a full disk the server answered {words}")
        booked = stage.query("SELECT COUNT(*) FROM checkin")[0][0]
        for ticket in tickets:
            if gate.ask("scan " + ticket["text"])["reason"] != "ok":
                raise Failed("a gate refused because of the server's disk")
            idle(gate)
        if gate.ask("status")["unconfirmed_events"] == 0 and \
                stage.query("SELECT COUNT(*) FROM checkin")[0][0] - booked < len(tickets):
            raise Failed("events were confirmed that the server does not have")
        filler.unlink()
        world.check_all([gate], [(ticket["id"], 1) for ticket in tickets])
        world.ticket()


def two_carriers(stage, rng, _rounds):
    """One ticket on two phones: the second gate refuses with where and when; both offline, it is found afterwards."""
    world = World(stage, rng)
    first, second = world.gates(2)
    ticket = world.ticket()
    if first.ask("scan " + ticket["text"])["reason"] != "ok":
        raise Failed("a good ticket was refused")
    # Booked when admitted, and again when the passage is known; until then a place may come back.
    position = until("the passage is booked",
                     lambda: stage.query("SELECT position FROM checkin WHERE ticket = ? AND how IS NOT NULL",
                                         ticket["id"]))[0][0]
    second.wait_version("uses_position", position)
    answer = second.ask("scan " + ticket["text"])
    used = second.cues()[-1].get("used") or {}
    if answer["reason"] != "already_used" or used.get("where") != first.name or not used.get("when"):
        raise Failed(f"the second carrier was answered {answer}, used: {used}")
    for gate in (first, second):
        gate.ask("uplink off")
        until("the link is down", lambda gate=gate: not gate.ask("status")["link_up"])
    copied = world.ticket()
    for gate in (first, second):
        if gate.ask("scan " + copied["text"])["reason"] != "ok":
            raise Failed("a gate that can't know refused")
        idle(gate)
    for gate in (first, second):
        gate.ask("uplink on")
    world.check_all([first, second], [(ticket["id"], 1), (copied["id"], 1)])
    found = stage.query("SELECT kind FROM finding WHERE ticket = ?", copied["id"])
    if found != [(1,)]:
        raise Failed(f"two persons on one place, findings of it: {found}")
    for gate in (first, second):
        if gate.ask("scan " + copied["text"])["reason"] != "already_used":
            raise Failed(f"{gate.name} admits a third person")


def one_document(stage, rng, _rounds):
    """One ID number with two tickets: a gate admits twice, not three times; a handheld asks which."""
    world = World(stage, rng)
    gate = world.gates(1)[0]
    handheld = world.pair("handheld-1", "handheld")
    handheld.wait_ready()
    number = f"1101011990{rng.randrange(10**8):08}"
    other = stage.ctl("product", "add", world.site, "--zh", "索道", "--en", "Cable car")["id"]

    tomorrow = (datetime.date.fromisoformat(world.today) + datetime.timedelta(days=1)).isoformat()

    def sell(product, last=world.today):
        return stage.ctl("ticket", "issue", "--site", world.site, "--product", product, "--first", world.today,
                         "--last", last, "--document", number)
    two = [sell(world.product, tomorrow), sell(world.product)]
    for device in (gate, handheld):
        device.wait_version("tickets_version", world.tickets_version())
    reasons = []
    for _ in range(3):
        reasons.append(gate.ask(f"document {number}")["reason"])
        idle(gate)
    if reasons != ["ok", "ok", "already_used"]:
        raise Failed(f"three entries on two tickets: {reasons}")
    spent = [ticket for ticket, _ in stage.granted(gate)]
    if spent != [two[1]["id"], two[0]["id"]]:
        raise Failed(f"the ticket that ends first is not spent first: {spent}")
    two += [sell(world.product), sell(other)]
    handheld.wait_version("tickets_version", world.tickets_version())
    until("a handheld with two products to choose from asks",
          lambda: handheld.ask(f"document {number}")["reason"] == "ambiguous")
    answer = handheld.ask(f"admit 1 {two[3]['id']}")
    if answer["reason"] != "ok" or answer["ticket"] != two[3]["id"]:
        raise Failed(f"the chosen ticket was answered {answer}")
    world.check_all([gate, handheld], [(ticket["id"], 1) for ticket in two])


def hear_the_broker(stage):
    """The server then writes into its log what its broker says."""
    with open(stage.folder / "server.toml", "a", encoding="utf-8") as config:
        config.write('[log]\nlevel = "debug"\n')


def lines_with(program, *words):
    lines = pathlib.Path(program.log).read_text(errors="replace").splitlines()
    return [line for line in lines if all(word in line for word in words)]


def unseen_passage(stage, rng, _rounds):
    """The sensor fails in the middle of a passage: staff with a handheld let in again, once and only once."""
    world = World(stage, rng)
    gate = world.pair("gate-1")  # nobody walks by himself here
    first, second = (world.pair(f"handheld-{i}", "handheld") for i in (1, 2))
    for device in (gate, first, second):
        device.wait_ready()
    ticket = world.ticket()
    if gate.ask("scan " + ticket["text"])["reason"] != "ok":
        raise Failed("a good ticket was refused")
    gate.ask("fault")
    gate.ask("fixed")
    position = until("what became of the passage is booked",
                     lambda: stage.query("SELECT position FROM checkin WHERE ticket = ? AND how IS NOT NULL",
                                         ticket["id"]))[0][0]
    first.wait_version("uses_position", position)

    def reason(device, line):
        return device.ask(line)["reason"]
    answers = [reason(gate, "scan " + ticket["text"]), reason(first, "scan " + ticket["text"]), reason(first, "admit"),
               reason(first, "admit confirm"), reason(first, "scan " + ticket["text"]), reason(first, "admit confirm")]
    if answers != ["outcome_unknown"] * 3 + ["ok"] + ["already_used"] * 2:
        raise Failed(f"asked, looked at, asked, confirmed and tried again: {answers}")
    until("the second entry is booked",
          lambda: len(stage.query("SELECT 1 FROM checkin WHERE ticket = ?", ticket["id"])) == 2)
    told = stage.query("SELECT MAX(position) FROM checkin WHERE ticket = ?", ticket["id"])[0][0]
    for device in (gate, second):
        device.wait_version("uses_position", told)
        if reason(device, "scan " + ticket["text"]) != "already_used":
            raise Failed(f"{device.name} would let in a third time")
    if reason(second, "admit confirm") != "already_used":
        raise Failed("a second confirmation let in once more")
    world.check_all([gate, first, second], [(ticket["id"], 1)])


def rotated_keys(stage, rng, _rounds):
    """Every key is rotated, twice; a gate admits what was sold before, and what is sold afterwards."""
    world = World(stage, rng)
    gate = world.gates(1)[0]

    def sell(code):
        return stage.ctl("ticket", "issue", "--site", world.site, "--product", world.product, "--first", world.today,
                         "--last", world.today, "--code", code, "--no-qr")

    def rotate():
        stage.ctl("ticket", "rotate-key")
        stage.ctl("site", "rotate-key", world.site)
        until("the rows under the new key are made",
              lambda: not stage.ctl("site", "keys", world.site)["rebuilding"], 60)

    printed = [world.ticket() for _ in range(3)]
    for code in ("OLD-1", "OLD-2", "OLD-3"):
        sell(code)
    scans = ["scan " + printed[0]["text"], "scan OLD-1"]
    for number in (2, 3):
        rotate()
        sell(f"NEW-{number}")
        later = world.ticket()
        gate.wait_version("tickets_version", world.tickets_version())
        scans += ["scan " + printed[number - 1]["text"], f"scan OLD-{number}", f"scan NEW-{number}",
                  "scan " + later["text"]]
        for scan in scans:
            answer = until("the gate knows the new keys",
                           lambda scan=scan: (a := gate.ask(scan))["reason"] not in ("key_unknown", "unknown_code")
                           and a)
            if answer["reason"] != "ok":
                raise Failed(f"after {number - 1} rotations a good ticket was answered {answer}")
            until("the lane is idle", lambda: gate.ask("status")["lane"] == "idle")
        scans = []
    world.check_all([gate], [(ticket["id"], 1) for ticket in printed])


def revoked_device(stage, rng, _rounds):
    """A revoked gate is thrown out, refused when it comes again, and what it still has is not booked."""
    hear_the_broker(stage)
    world = World(stage, rng)
    gate, other = world.gates(2)
    tickets = [world.ticket() for _ in range(2)]
    if gate.ask("scan " + tickets[0]["text"])["verdict"] != "admit":
        raise Failed("a gate in order did not admit")
    idle(gate)
    gate.wait_synced()
    if not gate.ask("status")["link_up"] or lines_with(gate.program, "uplink is down"):
        raise Failed("the gate is to be revoked while it is connected, and was not")
    ups = len(lines_with(gate.program, "uplink is up"))
    stage.ctl("device", "revoke", gate.name)
    until("the revoked gate is thrown out", lambda: not gate.ask("status")["link_up"])

    def refusals():
        """Connections the broker saw and refused for their certificate: nobody else here tries."""
        return len(lines_with(stage.server, "broker", "certificate verify failed"))
    until("it tries again and is refused", refusals)
    # Cut off it goes on, as gates do; nothing of that may be booked.
    if gate.ask("scan " + tickets[1]["text"])["verdict"] != "admit":
        raise Failed("a gate that is cut off did not admit")
    idle(gate)
    before = refusals()
    until("it is refused once more, with something to deliver", lambda: refusals() > before, 60)
    other.ask("scan garbage")  # the broker serves the others meanwhile
    other.wait_synced()
    status = gate.ask("status")
    if status["link_up"] or status["unconfirmed_events"] == 0:
        raise Failed(f"a revoked gate is connected: {status}")
    if len(lines_with(gate.program, "uplink is up")) != ups:
        raise Failed("a revoked gate was connected again")
    booked = stage.query("SELECT ticket FROM checkin")
    if booked != [(tickets[0]["id"],)]:
        raise Failed(f"booked: {booked}; only what it delivered before it was revoked may be")


def forged_and_replayed(stage, rng, _rounds):
    """An old batch again books nothing; new events nobody signed are kept aside and found; the gate goes on."""
    world = World(stage, rng)
    gate, other = world.gates(2)
    tickets = [world.ticket() for _ in range(3)]
    gate.ask("scan " + tickets[0]["text"])
    other.ask("scan garbage")
    for device in (gate, other):
        idle(device)
        device.wait_synced()
        device.program.end()
    thief = forgery.Carrier(gate, stage.folder / "thief")
    exported = stage.folder / "exported.journal"
    stage.ctl("journal", "export", "--data", gate.data, "--out", exported)

    def counted():
        return stage.query("SELECT (SELECT COUNT(*) FROM checkin), (SELECT COUNT(*) FROM journal_event)")[0]

    def finds(what, kind, device, publish):
        """Nothing booked, one more finding of this kind about this device, one more kept aside."""
        before = counted()
        kept = stage.query("SELECT COUNT(*) FROM quarantine WHERE sender = ?", gate.name)[0][0]
        found = len(stage.query("SELECT 1 FROM finding WHERE kind = ? AND device = ?", kind, device))
        publish()
        until(f"{what} is found", lambda: len(stage.query(
            "SELECT 1 FROM finding WHERE kind = ? AND device = ?", kind, device)) > found)
        until(f"{what} is kept aside", lambda: stage.query(
            "SELECT COUNT(*) FROM quarantine WHERE sender = ?", gate.name)[0][0] > kept)
        if counted() != before:
            raise Failed(f"{what} was booked: {before} before, {counted()} after it")

    settled = counted()
    for batch in forgery.batches(exported.read_bytes()):
        thief.publish("up/events", batch)
    new = forgery.admission(gate, world, tickets[1]["id"])
    finds("a new event signed by nobody we know", FORGED, gate.name,
          lambda: thief.publish("up/events", new.signed_by(forgery.STRANGER)))
    # Messages of one sender are taken in order, so the replay was looked at before the forgery was found.
    if counted() != settled:
        raise Failed(f"{settled} check-ins and events before the replay, {counted()} after it")
    swapped = forgery.admission(other, world, tickets[2]["id"])
    finds("a new event in another device's name", FORGED, other.name,
          lambda: thief.publish("up/events", swapped.signed_by(thief.scalar)))
    refused = thief.publish("up/events", swapped.signed_by(forgery.scalar_of(other)), as_device=other)
    if "ot authorized" not in refused:
        raise Failed(f"the broker took a message on another device's topic: {refused!r}")
    for device in (gate, other):
        device.program.start()
        device.wait_ready()
    for device, ticket in ((gate, tickets[1]), (other, tickets[2])):
        if device.ask("scan " + ticket["text"])["reason"] != "ok":
            raise Failed(f"{device.name}, in whose name was lied, can't go on")
        idle(device)
    world.check_all([gate, other], [(ticket["id"], 1) for ticket in tickets])
    booked = stage.query("SELECT ticket FROM checkin")
    if sorted(booked) != sorted((ticket["id"],) for ticket in tickets):
        raise Failed(f"each ticket was used once, booked is {booked}")
    if forks := stage.query("SELECT detail FROM finding WHERE kind = 3"):
        raise Failed(f"an honest gate is blamed for the liar's events: {forks}")


def wrong_clocks(stage, rng, _rounds):
    """At 1970 staff decide; a plausible wrong day is believed until it is set; the server's word ends every doubt."""
    world = World(stage, rng)
    gate = world.gates(1)[0]
    tickets = [world.ticket() for _ in range(5)]
    day_ms = 24 * 3600 * 1000
    command = list(gate.program.command)

    def boot(offset_ms):
        """A power cut, and the clock that comes back; no server to ask."""
        gate.program.kill()
        stage.server.kill()
        gate.program.command = [*command, "--wall-offset-ms", str(offset_ms)]
        gate.program.start()
        until("the gate is up again", gate.status)

    def expect(number, clock, reason):
        answer = gate.ask("scan " + tickets[number]["text"])
        quality = gate.status()["clock"]
        if (quality, answer["reason"]) != (clock, reason):
            raise Failed(f"ticket {number}: clock {quality}, {answer}; expected clock {clock} and {reason}")
        idle(gate)

    def hear_the_server():
        stage.start_server()
        until("the server's time is believed", lambda: (s := gate.status()) and s["clock"] == "confirmed", 60)

    boot(-int(time.time() * 1000))
    expect(0, "unset", "clock_unsure")
    hear_the_server()
    expect(1, "confirmed", "ok")
    gate.ask(f"clock {day_ms}")  # set by a hand: the server's time carried on by the steady clock stays
    expect(2, "confirmed", "ok")
    gate.wait_synced()
    boot(day_ms)
    expect(3, "unconfirmed", "expired")
    gate.ask("clock 0")  # set while people scan: it may be either day
    expect(4, "unsure", "clock_unsure")
    hear_the_server()
    expect(4, "confirmed", "ok")
    world.check_all([gate], [(ticket["id"], 1) for ticket in tickets])


CASES = {case.__name__: case for case in (kill_rounds, snapshot_cut, gate_disk_full, server_disk_full,
                                          revoked_device, forged_and_replayed, two_carriers, one_document,
                                          unseen_passage, wrong_clocks, rotated_keys)}


def run_case(name, arguments, seed):
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"paifang-{name}-"))
    stage = Stage(root, arguments.build, folder)
    try:
        CASES[name](stage, random.Random(seed), arguments.rounds)
        stage.close()
    except (Failed, OSError, KeyError, subprocess.SubprocessError, StopIteration) as error:
        print(f"FAILED {name} (seed {seed}): {type(error).__name__}: {error}\nfiles: {folder}", flush=True)
        for program in [stage.server, *(d.program for d in stage.devices.values())]:
            if pathlib.Path(program.log).exists():
                print(f"--- {program.name}\n{program.tail()}", flush=True)
        return False
    finally:
        stage.abandon()  # nothing outlives its case, however it ends
    shutil.rmtree(folder, ignore_errors=True)
    print(f"passed {name}", flush=True)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("names", nargs="*", choices=[*CASES, []])
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    results = [run_case(name, arguments, arguments.seed) for name in arguments.names or CASES]
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
