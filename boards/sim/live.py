"""The live view: one line a scan that grows as things happen, scan -> verdict -> arm -> server.

It only follows files: scan.log, cue.log and barrier.log of each device, its journal, and the server's database.
Nothing is decided here; whoever checks looks for himself (tour.py).
"""

import contextlib
import json
import sqlite3
import sys
import threading
import time
import unicodedata

from stage import ADMITTED, REFUSED, WALL, fields, opened

POLL_S = 0.05
SHOW_MAX_S = 5.0  # a line that nothing happens to any more is let go
NO_EVENT_S = 0.5  # an answer without an event on disk by then has none
LAMPS = {"green": "32", "yellow": "33", "red": "31", "blue": "34"}
PEOPLE = {"child": "儿童", "senior": "老人", "student": "学生", "soldier": "军人", "disabled": "残疾人", "guide": "导游",
          "press": "记者", "free": "免票"}
ALARMS = {"wrong_way": "wrong way 逆行", "forced": "forced 强行通过", "tailgate": "tailgating 尾随", "fault": "fault 故障",
          "fixed": "repaired 已修复", "fire_on": "fire alarm, open 消防开闸", "fire_off": "fire over 消防解除"}
COLUMNS = (("设备 device", 13), ("扫码 scan", 21), ("判定 verdict", 43), ("闸臂 arm", 11), ("到服务器 server", 15))
INDENT = "  "


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def pad(text, columns):
    return text + " " * max(1, columns - width(text))


def span(milliseconds):
    return f"+{max(0, milliseconds)} ms" if milliseconds < 1000 else f"+{milliseconds / 1000:.1f} s"


class Tail:
    """Whole lines that were added to a file since the last look."""

    def __init__(self, path):
        self.path, self.offset = path, 0

    def lines(self):
        try:
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                fresh = file.read()
        except FileNotFoundError:
            return []
        whole = fresh[:fresh.rfind(b"\n") + 1]
        self.offset += len(whole)
        return whole.decode(errors="replace").splitlines()


class Visit:
    """One answer of a device and what came of it."""

    def __init__(self, device, scan, cue, opens):
        self.device, self.scan, self.cue, self.opens = device, scan, cue, opens
        self.began = time.monotonic()
        self.pulses, self.passed, self.locked = 0, 0, False
        self.event, self.events_end = None, False  # (epoch, seq, wall); or: it has none
        self.took = None  # ms until the server had it

    def arm_done(self):
        return not self.opens or self.passed >= self.cue["persons"] or self.locked

    def cells(self, cut):
        cue = self.cue
        read = self.scan.get("strategy") or ""
        who = PEOPLE.get(cue.get("person_type"))
        text = f"{cue['zh']} {cue['en']}" + (f" · {who} {cue['person_type']}" if who else "")
        if cue["verdict"] == "admit" and (cue["persons"] > 1 or cue["persons_left"]):
            text += f" · {cue['persons']} 人 in" + (f"，余 {cue['persons_left']} left" if cue["persons_left"] else "")
        arm = ""
        if self.opens:
            arm = f"开 open {self.pulses}" + ("" if self.passed >= cue["persons"] else "…")
        elif self.device.kind == "gate":
            arm = "关 shut"
        if self.took is not None:
            server = f"✓ {span(self.took)}"
        elif self.event is None:
            server = "" if self.events_end else "…"
        else:
            server = "待传 waits" if cut else "…"
        source = self.scan.get("source", "?")
        return (self.device.name, f"{source} {read.replace('contrast_', '')}".strip(), text, arm, server)


class View:
    def __init__(self, stage, out=sys.stdout, colour=False):
        self.stage, self.out, self.colour = stage, out, colour
        self.lock = threading.RLock()
        self.stopping = threading.Event()
        self.tails, self.scans, self.cursors, self.last = {}, {}, {}, {}
        self.growing, self.drawn = None, None
        self.waiting = []  # visits that are printed and whose event the server does not have
        self.told_dead, self.told_cut = set(), False
        self.trouble = None
        self.thread = threading.Thread(target=self._follow, daemon=True)

    # --- for the one who tells the story ---
    def start(self):
        self.thread.start()

    def close(self):
        self.stopping.set()
        if self.thread.is_alive():
            self.thread.join(10)
        with self.lock:
            self._let_go()

    def say(self, text=""):
        with self.lock:
            self._let_go()
            print(text, file=self.out, flush=True)

    def header(self):
        self.say(self.paint("2", INDENT + "".join(pad(title, columns) for title, columns in COLUMNS).rstrip()))

    def settle(self, seconds=SHOW_MAX_S + 1):
        """Until no line grows any more, so that the next step does not cut into it."""
        deadline = time.monotonic() + seconds
        while self.thread.is_alive() and time.monotonic() < deadline:
            with self.lock, contextlib.suppress(sqlite3.OperationalError):
                self._poll()
                if self.growing is None:
                    return
            time.sleep(POLL_S)

    def paint(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self.colour else text

    # --- following ---
    def _follow(self):
        while not self.stopping.wait(POLL_S):
            try:
                with self.lock:
                    self._poll()
            except sqlite3.OperationalError:
                continue  # locked, or not made yet: the next look will tell
            except Exception as error:  # pylint: disable=broad-except
                self.trouble = error
                self.say(f"the live view ended 实时画面中断: {type(error).__name__}: {error}")
                return

    def _poll(self):
        self._poll_line()
        for device in list(self.stage.devices.values()):
            self._poll_device(device)
        self._poll_server()
        self._poll_processes()
        visit = self.growing
        if visit and self._finished(visit):
            self._let_go()
        elif visit:
            self._draw()

    def _poll_device(self, device):
        tails = self.tails.setdefault(device.name, {name: Tail(device.data / f"{name}.log")
                                                    for name in ("barrier", "cue", "scan")})
        # Against the order in which the device writes them: what is read first has its cause in what is read next.
        barrier, cues = tails["barrier"].lines(), tails["cue"].lines()
        scans = self.scans.setdefault(device.name, [])
        scans += [_stamped(line) for line in tails["scan"].lines() if " {" in line]
        happened = sorted([(*_stamped(line), "cue") for line in cues if " {" in line]
                          + [(int(line.split()[0]), line.split()[1], "arm") for line in barrier
                             if len(line.split()) == 3], key=lambda item: item[0])
        for at, what, kind in happened:
            if kind == "cue":
                self._answered(device, at, what)
            else:
                self._arm(device, what)

    def _answered(self, device, at, cue):
        scans = self.scans[device.name]
        scan = {}
        while scans and scans[0][0] <= at:
            scan = scans.pop(0)[1]
        self._let_go()
        opens = device.kind == "gate" and cue["verdict"] == "admit"
        self.growing = self.last[device.name] = Visit(device, scan, cue, opens)

    def _arm(self, device, word):
        visit = self.last.get(device.name)
        if word in ALARMS:
            self.say(f"{INDENT}{pad(device.name, COLUMNS[0][1])}{self.paint('33', '! ' + ALARMS[word])}")
        elif visit and visit.opens:
            visit.pulses += word == "pulse"
            visit.passed += word == "passed"
            visit.locked |= word == "lock"
        elif word == "pulse":
            self.say(f"{INDENT}{pad(device.name, COLUMNS[0][1])}开 opened without a ticket 远程开闸")

    def _find_event(self, visit):
        """The first event of a fitting kind on the device's disk that no earlier answer has."""
        wanted = ADMITTED if visit.cue["verdict"] == "admit" else REFUSED
        cursor = self.cursors.get(visit.device.name, (0, 0))
        with opened(visit.device.data / "events.db") as db:
            row = db.execute("SELECT e.ordinal, e.seq, hex(p.epoch), e.event FROM event e JOIN epoch p"
                             " ON p.ordinal = e.ordinal WHERE (e.ordinal, e.seq) > (?, ?) AND e.kind = ?"
                             " ORDER BY 1, 2 LIMIT 1", (*cursor, wanted)).fetchone()
        if row:
            self.cursors[visit.device.name] = row[:2]
            visit.event = (row[2].lower(), row[1], fields(row[3])[WALL])

    def _poll_server(self):
        visit = self.growing
        if visit and visit.event is None and not visit.events_end:
            # A scan at the handheld is a look: nothing is written until staff let somebody in.
            looked = visit.device.kind == "handheld" and visit.scan.get("source") != "admit"
            if not looked:
                self._find_event(visit)
            visit.events_end = looked or (visit.event is None and time.monotonic() - visit.began > NO_EVENT_S)
        asked = [v for v in [*self.waiting, visit] if v and v.event and v.took is None]
        if not asked:
            return
        with opened(self.stage.server_data / "server.db") as db:
            for each in asked:
                row = db.execute("SELECT received_ms FROM journal_event WHERE device = ? AND epoch = ? AND seq = ?",
                                 (each.device.name, *each.event[:2])).fetchone()
                if row:
                    each.took = row[0] - each.event[2]
        self._tell_late()

    def _tell_late(self):
        """What was printed before it arrived is told per device, in one line."""
        for name in dict.fromkeys(visit.device.name for visit in self.waiting if visit.took is not None):
            took = [v.took for v in self.waiting if v.device.name == name and v.took is not None]
            self.waiting = [v for v in self.waiting if v.device.name != name or v.took is None]
            text = f"补传到达 arrived later: {len(took)}"
            self.say(INDENT + "".join(pad(cell, columns) for cell, (_, columns) in zip(
                (name, "", text, "", "✓ " + span(max(took))), COLUMNS)).rstrip())

    def _poll_line(self):
        cut = bool(self.stage.line and self.stage.line.is_cut)
        if cut == self.told_cut:
            return
        self.told_cut = cut
        text = "✂ 断线 cut: not a byte crosses" if cut else "✓ 恢复 restored"
        self.say(f"{INDENT}{pad('the line', COLUMNS[0][1])}{self.paint('33' if cut else '32', text)}")

    def _poll_processes(self):
        for program in self.stage.died():
            if program.process.pid in self.told_dead:
                continue
            self.told_dead.add(program.process.pid)
            code = program.process.returncode
            how = f"signal {-code}" if code < 0 else f"exit {code}"
            self.say(f"{INDENT}{pad(program.name, COLUMNS[0][1])}"
                     f"{self.paint('31', f'✗ 已停止 ended by itself ({how})')}  its log: {program.log}")

    # --- drawing ---
    def _finished(self, visit):
        if time.monotonic() - visit.began > SHOW_MAX_S + visit.cue["persons"]:
            return True
        known = visit.took is not None or visit.events_end or (visit.event and self.told_cut)
        return visit.arm_done() and known

    def _line(self, visit):
        """The line, and one below it for what does not fit or is said besides."""
        name, scan, text, arm, server = visit.cells(self.told_cut)
        room = COLUMNS[2][1] - 3
        below = []
        if width(text) > room:
            text, below = visit.cue["zh"], [text.removeprefix(visit.cue["zh"]).strip()]
        if visit.cue.get("used"):
            below.append(f"{visit.cue['used']['where']} {visit.cue['used']['when']}")
        lamp = self.paint(LAMPS.get(visit.cue["light"], "0"), "●")
        if visit.cue["verdict"] == "admit" and visit.cue["person_light"] != visit.cue["light"]:
            lamp = self.paint(LAMPS.get(visit.cue["person_light"], "0"), "◆")
        head = INDENT + pad(name, COLUMNS[0][1]) + pad(scan, COLUMNS[1][1])
        line = (head + lamp + " " + pad(text, COLUMNS[2][1] - 2) + pad(arm, COLUMNS[3][1]) + server).rstrip()
        return line, [" " * (width(head) + 2) + self.paint("2", "  ".join(below))] if below else []

    def _draw(self):
        line = self._line(self.growing)[0]
        if self.colour and line != self.drawn:
            self.drawn = line
            self.out.write("\r\033[K" + line)
            self.out.flush()

    def _let_go(self):
        """What grows becomes a line of its own, whatever is still missing."""
        visit, self.growing = self.growing, None
        if visit is None:
            return
        line, below = self._line(visit)
        self.drawn = None
        print(("\r\033[K" if self.colour else "") + "\n".join([line, *below]), file=self.out, flush=True)
        if visit.event and visit.took is None:
            self.waiting.append(visit)


def _stamped(line):
    at, text = line.split(" ", 1)
    return int(at), json.loads(text)
