#!/usr/bin/env python3
"""The demo's own tools: the order of grants and openings, the line that is cut, the live view, and every way out."""

import contextlib
import io
import json
import pathlib
import signal
import socket
import sqlite3
import sys
import tempfile
import types
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[4] / "boards" / "sim"))
import demo  # noqa: E402
import line  # noqa: E402
import live  # noqa: E402
import stage  # noqa: E402


def cbor(value):
    """Enough to write an event; the reader under test is stage.py's own."""
    if isinstance(value, bool):
        return bytes([0xf5 if value else 0xf4])
    if isinstance(value, int):
        return b"\x1b" + value.to_bytes(8, "big")
    if isinstance(value, bytes):
        return bytes([0x40 | len(value)]) + value
    if isinstance(value, list):
        return bytes([0x80 | len(value)]) + b"".join(map(cbor, value))
    return bytes([0xa0 | len(value)]) + b"".join(cbor(k) + cbor(v) for k, v in value.items())


def admitted(seq, steady, persons, wall=1_000):
    return cbor([seq, stage.ADMITTED, wall, steady, b"bootboot", 4, {1: b"ticket01", 7: persons}])


class Folder(unittest.TestCase):
    def setUp(self):
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.folder = pathlib.Path(made.name)

    def device(self, events=(), barrier="", kind="gate"):
        """A device as far as its files go."""
        device = stage.Device.__new__(stage.Device)
        device.name, device.kind, device.data = "gate-1", kind, self.folder / "gate-1"
        device.data.mkdir()
        with contextlib.closing(sqlite3.connect(device.data / "events.db")) as db:
            db.execute("CREATE TABLE epoch (ordinal, epoch)")
            db.execute("CREATE TABLE event (ordinal, seq, kind, ticket, event, head)")
            db.execute("INSERT INTO epoch VALUES (1, ?)", (b"epoch001",))
            for event in events:
                seq, kind = stage.fields(event)[:2]
                db.execute("INSERT INTO event VALUES (1, ?, ?, ?, ?, ?)", (seq, kind, b"ticket01", event, b"head"))
            db.commit()
        (device.data / "barrier.log").write_text(barrier)
        return device


class OpeningsFollowGrants(Folder):
    def check(self, events, barrier):
        return stage.Stage.check_committed_before_opened(stage.Stage.__new__(stage.Stage),
                                                         self.device(events, barrier))

    def test_each_opening_behind_its_grant(self):
        self.assertEqual(3, self.check([admitted(1, 100, 1), admitted(2, 500, 2)],
                                       "9 pulse 100\n9 passed 200\n9 pulse 510\n9 pulse 600\n"))

    def test_an_opening_before_its_grant_is_found_though_the_totals_agree(self):
        with self.assertRaisesRegex(stage.Failed, "opening 1 at 99 ms"):
            self.check([admitted(1, 100, 1)], "9 pulse 99\n")

    def test_a_later_grant_does_not_excuse_an_earlier_opening(self):
        with self.assertRaisesRegex(stage.Failed, "opening 2 at 300 ms"):
            self.check([admitted(1, 100, 1), admitted(2, 500, 2)], "9 pulse 110\n9 pulse 300\n")


class Secrets(Folder):
    def test_every_file_is_searched_also_the_wal_and_folders(self):
        device = self.device()
        self.assertEqual([], device.holds(b"11010119900101"))
        (device.data / "events.db-wal").write_bytes(b"\0\x0111010119900101\0")
        (device.data / "vault").mkdir()
        (device.data / "vault" / "identity").write_bytes(b"x11010119900101")
        self.assertEqual(["events.db-wal", "identity"], sorted(device.holds(b"11010119900101")))


class Reasons(unittest.TestCase):
    def test_numbers_come_from_the_protocol(self):
        known = stage.reasons(pathlib.Path(__file__).resolve().parents[4])
        self.assertEqual((1, 37), (known["ok"], known["already_used"]))


class TheLine(Folder):
    def setUp(self):
        super().setUp()
        self.server = socket.create_server((line.SERVER_SIDE, 0))
        self.addCleanup(self.server.close)
        self.port = self.server.getsockname()[1]
        self.line = line.Line(self.folder / "line", [self.port])
        self.addCleanup(self.line.close)

    def call(self):
        wire = socket.create_connection((line.DEVICE_SIDE, self.port), 5)
        self.addCleanup(wire.close)
        return wire

    def through(self):
        device = self.call()
        server, _ = self.server.accept()
        self.addCleanup(server.close)
        device.sendall(b"up")
        self.assertEqual(b"up", server.recv(10))
        server.sendall(b"down")
        self.assertEqual(b"down", device.recv(10))
        return device

    def ended(self, wire):
        try:
            return wire.recv(10) == b""
        except ConnectionError:
            return True

    def turned_away(self):
        try:
            return self.ended(self.call())
        except ConnectionError:
            return True

    def test_cut_it_hangs_up_and_takes_nobody_until_it_is_restored(self):
        device = self.through()
        self.line.cut()
        self.assertTrue(self.ended(device))
        crossed = self.line.status()["bytes_crossed"]
        self.assertTrue(self.turned_away())
        status = self.line.status()
        self.assertEqual((0, 1, crossed), (status["connections"], status["turned_away"], status["bytes_crossed"]))
        self.line.restore()
        self.through()

    def test_hands_cut_it_too(self):
        with socket.socket(socket.AF_UNIX) as hands:
            hands.connect(str(self.folder / "line" / "control.sock"))
            hands.sendall(b"cut\n")
            self.assertTrue(json.loads(hands.recv(1000))["cut"])
        self.assertTrue(self.line.is_cut)


class TheView(Folder):
    def setUp(self):
        super().setUp()
        self.out = io.StringIO()
        self.devices = {}
        self.dead = []
        (self.folder / "server").mkdir()
        with contextlib.closing(sqlite3.connect(self.folder / "server" / "server.db")) as db:
            db.execute("CREATE TABLE journal_event (device, epoch, seq, received_ms)")
            db.commit()
        self.stage = types.SimpleNamespace(devices=self.devices, line=types.SimpleNamespace(is_cut=False),
                                           server_data=self.folder / "server", died=lambda: self.dead)
        self.view = live.View(self.stage, self.out)

    def scanned(self, verdict="admit", **more):
        self.devices["gate-1"] = device = self.device([admitted(1, 100, 1)] if verdict == "admit" else [])
        cue = {"verdict": verdict, "reason": "x", "zh": "请进", "en": "Welcome", "persons": 1, "persons_left": 0,
               "light": "green", "person_light": "green", **more}
        (device.data / "scan.log").write_text('5 {"source": "camera", "strategy": "inverted", "bytes": 9}\n')
        (device.data / "cue.log").write_text(f"6 {json.dumps(cue)}\n")
        return device

    def poll(self):
        self.view._poll()  # pylint: disable=protected-access
        return self.out.getvalue()

    def arrive(self, at):
        with contextlib.closing(sqlite3.connect(self.folder / "server" / "server.db")) as db:
            db.execute("INSERT INTO journal_event VALUES ('gate-1', ?, 1, ?)", (b"epoch001".hex(), at))
            db.commit()

    def test_a_line_ends_when_scan_verdict_arm_and_server_are_known(self):
        device = self.scanned()
        self.assertEqual("", self.poll())
        (device.data / "barrier.log").write_text("7 pulse 100\n8 passed 150\n")
        self.assertEqual("", self.poll())
        self.arrive(1_042)
        self.assertRegex(self.poll(), r"^  gate-1 +camera inverted +● 请进 Welcome +开 open 1 +✓ \+42 ms\n$")
        self.assertLessEqual(live.width(self.out.getvalue()), 101)

    def test_cut_off_it_waits_and_its_arrival_is_told_later(self):
        device = self.scanned()
        (device.data / "barrier.log").write_text("7 pulse 100\n8 passed 150\n")
        self.stage.line.is_cut = True
        self.poll()
        self.assertIn("待传 waits", self.poll())
        self.stage.line.is_cut = False
        self.arrive(4_000)
        self.assertRegex(self.poll(), r"gate-1 +补传到达 arrived later: 1 +✓ \+3.0 s\n$")

    def test_a_long_refusal_goes_on_below(self):
        self.scanned("refuse", zh="这张票已经用过了", en="This ticket has already been used",
                     used={"where": "gate-2", "when": "05-01 09:30"})
        self.view.growing = None
        self.poll()
        self.view.say()
        first, second = self.out.getvalue().splitlines()[:2]
        self.assertIn("关 shut", first)
        self.assertRegex(second, r"^ +This ticket has already been used  gate-2 05-01 09:30$")

    def test_a_dead_program_is_told_once(self):
        self.dead.append(types.SimpleNamespace(
            name="server", log="server.log", process=types.SimpleNamespace(pid=1, returncode=-9)))
        self.poll()
        self.assertEqual(1, self.poll().count("ended by itself (signal 9)"))


class WaysOut(Folder):
    """Whatever happens in the tour: a true exit code, and the stage is closed."""

    def leave(self, problem, once=True):
        closed = []
        place = types.SimpleNamespace(root=pathlib.Path(__file__).resolve().parents[4], folder=self.folder,
                                      devices={}, line=None, programs=lambda: [], died=lambda: [],
                                      close=lambda: closed.append("close"), abandon=lambda: closed.append("abandon"))

        def run(_):
            if problem:
                raise problem
        ran, demo.Tour.run = demo.Tour.run, run
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        said = io.StringIO()
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                code = demo.show(place, live.View(place, io.StringIO()), once)
        finally:
            demo.Tour.run = ran
            for number, handler in handlers.items():
                signal.signal(number, handler)
        self.assertEqual(["close", "abandon"], closed)
        self.assertEqual(code == 0, "every one checked" in said.getvalue())
        return code

    def test_codes(self):
        for problem, code in ((None, 0), (demo.Stopped(), 130), (stage.Failed("x"), 1), (KeyError("x"), 1),
                              (IndexError("x"), 1), (ValueError("x"), 1), (sqlite3.OperationalError("x"), 1),
                              (OSError("x"), 1)):
            with self.subTest(type(problem).__name__):
                self.assertEqual(code, self.leave(problem))


if __name__ == "__main__":
    unittest.main()
