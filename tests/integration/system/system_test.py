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
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
root = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(root / "boards" / "sim"))
from stage import Failed, Stage, until  # noqa: E402

CHINA = datetime.timezone(datetime.timedelta(hours=8))
WALK_MS = 20


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


def ask(device, line):
    """A device that was killed under our hands does not answer; that is the point."""
    try:
        return device.ask(line, 15)
    except (OSError, ValueError, Failed):
        return None


def broker_process(stage):
    """The one Mosquitto that is a child of our server."""
    children = pathlib.Path(f"/proc/{stage.server.process.pid}/task").glob("*/children")
    for child in " ".join(path.read_text() for path in children).split():
        if "mosquitto" in pathlib.Path(f"/proc/{child}/comm").read_text():
            return int(child)
    return None


# --- cases --------------------------------------------------------------------------------------------------


def kill_rounds(stage, rng, rounds):
    """kill -9 of gate, server or broker at random moments while visitors scan."""
    world = World(stage, rng)
    gates = world.gates(2)
    tickets = []
    for number in range(rounds):
        batch = [world.ticket(rng.choice((1, 1, 2))) for _ in range(3)]
        tickets += [(t["id"], t["claims"]["persons"] if "claims" in t else t["persons"]) for t in batch]
        victim = rng.choice(("gate", "server", "broker"))
        gate = rng.choice(gates)
        scans = [(rng.choice(gates), ticket["text"]) for ticket in batch for _ in range(2)]
        strike_at = rng.randrange(len(scans))
        for at, (device, text) in enumerate(scans):
            if at == strike_at:
                # Not before and not after the scan, but somewhere inside: started by another process.
                delay = rng.uniform(0, 0.03)
                pid = victim_pid(stage, victim, gate)
                killer = subprocess.Popen(["sh", "-c", f"sleep {delay:.4f}; kill -9 {pid}"])
                ask(device, "scan " + text)
                killer.wait()
                if pid == stage.server.process.pid:
                    stage.server.process.wait(10)  # killed, but not yet gone, looks alive
            else:
                ask(device, "scan " + text)
        revive(stage, victim, gate)
        if number % 5 == 4 or number == rounds - 1:
            world.check_all(gates, tickets)
        print(f"   round {number + 1}/{rounds}: {victim} killed and back", flush=True)


def victim_pid(stage, victim, gate):
    if victim == "gate":
        return gate.program.process.pid
    if victim == "server":
        return stage.server.process.pid
    return broker_process(stage) or stage.server.process.pid


def revive(stage, victim, gate):
    if not stage.server.alive():
        stage.server.process.wait()
        stage.start_server()
    if victim == "gate":
        gate.program.process.wait()
        gate.program.start()
        until(f"{gate.name} is up again", gate.status)


def snapshot_cut(stage, rng, _rounds):
    """A new gate takes a large list; its uplink is cut in the middle and it goes on where it was."""
    world = World(stage, rng)
    world.import_codes(5_000)
    gate = world.pair("gate-new", "gate", "--walk-ms", str(WALK_MS))
    until("the snapshot is under way", lambda: (s := gate.status()) and s["list_update_under_way"])
    for _ in range(2):
        gate.ask("uplink off")
        time.sleep(0.1)
        gate.ask("uplink on")
        time.sleep(0.3)
    gate.wait_version("tickets_version", world.tickets_version(), 120)
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
    """A full disk refuses and says so; with room again the next scan opens."""
    folder = stage.folder / "gate-1"
    with small_disk(stage, folder, 8):
        world = World(stage, rng)
        gate = world.gates(1)[0]
        good, later = world.ticket(), world.ticket()
        filler = fill(folder)
        pulses = gate.pulses()
        answers = [ask(gate, "scan " + good["text"])]
        if not answers[0] or answers[0]["reason"] not in ("storage_failed", "ok"):
            raise Failed(f"on a full disk the gate answered {answers[0]}")
        # SQLite may still have room inside its files; garbage scans fill that.
        for i in range(4000):
            answers.append(ask(gate, f"scan garbage-{i}"))
            if answers[-1] and answers[-1]["reason"] == "storage_failed":
                break
        else:
            raise Failed("the gate never said that its disk is full")
        if answers[0]["reason"] == "storage_failed" and gate.pulses() != pulses:
            raise Failed("the gate opened without writing")
        filler.unlink()
        answer = gate.ask("scan " + later["text"])
        if answer["reason"] != "ok":
            raise Failed(f"with room again the gate answered {answer}")
        until("the lane is idle", lambda: gate.ask("status")["lane"] == "idle")
        world.check_all([gate], [(good["id"], 1), (later["id"], 1)])


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
            until("the lane is idle", lambda: gate.ask("status")["lane"] == "idle")
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
        until("the lane is idle", lambda gate=gate: gate.ask("status")["lane"] == "idle")
    for gate in (first, second):
        gate.ask("uplink on")
    world.check_all([first, second], [(ticket["id"], 1), (copied["id"], 1)])
    found = stage.query("SELECT kind FROM finding WHERE ticket = ?", copied["id"])
    if found != [(1,)]:
        raise Failed(f"two persons on one place, findings of it: {found}")
    for gate in (first, second):
        time.sleep(1.6)  # out of sight, or it would be the same scan
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
        until("the lane is idle", lambda: gate.ask("status")["lane"] == "idle")
        time.sleep(1.6)
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


def revoked_device(stage, rng, _rounds):
    """A revoked gate is disconnected and what it still has is not booked."""
    world = World(stage, rng)
    gate, other = world.gates(2)
    ticket = world.ticket()
    gate.ask("uplink off")
    if gate.ask("scan " + ticket["text"])["verdict"] != "admit":
        raise Failed("an offline gate did not admit")
    stage.ctl("device", "revoke", gate.name)
    gate.ask("uplink on")
    other.ask("scan garbage")  # the broker serves the others meanwhile
    other.wait_synced()
    time.sleep(3)
    status = gate.ask("status")
    if status["link_up"] or status["unconfirmed_events"] == 0:
        raise Failed(f"a revoked gate is still connected: {status}")
    if stage.query("SELECT 1 FROM checkin WHERE ticket = ?", ticket["id"]):
        raise Failed("an admission of a revoked gate was booked")


def forged_and_replayed(stage, rng, _rounds):
    """An old batch delivered again books nothing; one with a broken signature is kept aside and found."""
    world = World(stage, rng)
    gate = world.gates(1)[0]
    ticket = world.ticket()
    gate.ask("scan " + ticket["text"])
    until("the lane is idle", lambda: gate.ask("status")["lane"] == "idle")
    gate.wait_synced()
    gate.program.end()
    identity = json.loads((gate.data / "vault" / "identity").read_text())
    for name, key in (("cert.pem", "certificate_pem"), ("key.pem", "key_pem"), ("ca.pem", "authority_pem")):
        (stage.folder / name).write_text(identity[key])
    exported = stage.folder / "exported.journal"
    stage.ctl("journal", "export", "--data", gate.data, "--out", exported)
    # Every batch in the file stands behind its length, four bytes big endian; the first will do.
    journal = exported.read_bytes()
    batch = journal[4:4 + int.from_bytes(journal[:4], "big")]
    before = stage.query("SELECT COUNT(*) FROM checkin")[0][0]

    def publish(payload):
        (stage.folder / "payload").write_bytes(payload)
        subprocess.run(["mosquitto_pub", "-V", "5", "-q", "1", "-h", identity["broker"]["host"],
                        "-p", str(identity["broker"]["port"]), "--cafile", stage.folder / "ca.pem",
                        "--cert", stage.folder / "cert.pem", "--key", stage.folder / "key.pem",
                        "-i", identity["device"], "-t",
                        identity["topic_root"] + "up/events", "-f", stage.folder / "payload"],
                       check=True, timeout=30)

    publish(batch)
    forged = bytearray(batch)
    forged[-1] ^= 1  # the signature is the last field
    publish(bytes(forged))
    until("the forged batch is found", lambda: stage.query("SELECT 1 FROM finding WHERE kind = 6"))
    after = stage.query("SELECT COUNT(*) FROM checkin")[0][0]
    if before != after:
        raise Failed(f"{before} check-ins before the replay, {after} after it")


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
        until("the lane is idle", lambda: gate.ask("status")["lane"] == "idle")

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
                                          wrong_clocks)}


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
        stage.abandon()
        return False
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
