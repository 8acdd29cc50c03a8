"""The tour: a scenic area, its tickets, two gates and a handheld, the network up and then cut.

Every step is checked from journals, databases and barrier logs; what the programs print proves nothing.
"""

import argparse
import datetime
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
from stage import Failed, Stage, until  # noqa: E402

WALK_MS = 120  # a simulated visitor walks through this long after the arm opens


class Tour:
    def __init__(self, stage, colour):
        self.stage, self.colour = stage, colour
        self.steps = 0
        today = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))).date()
        self.today, self.tomorrow = today.isoformat(), (today + datetime.timedelta(days=1)).isoformat()
        self.next_week = (today + datetime.timedelta(days=7)).isoformat()

    # --- what people see ---
    def say(self, text=""):
        print(text, flush=True)

    def chapter(self, text):
        self.say()
        self.say(self.paint("1", f"── {text} " + "─" * max(0, 70 - len(text))))

    def paint(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self.colour else text

    def show(self, device, cue):
        lamp = {"green": "32", "yellow": "33", "red": "31", "blue": "34"}.get(cue["light"], "0")
        who = f"  {cue.get('person_type', '')}" if cue.get("person_type") else ""
        count = f"  {cue['persons']} in, {cue['persons_left']} left" if cue["verdict"] == "admit" else ""
        used = f"  ({cue['used']['where']}, {cue['used']['when']})" if cue.get("used") else ""
        self.say(f"   {device.name:<10} {self.paint(lamp, '●')} {cue['zh']} {cue['en']}{who}{count}{used}"
                 f"   [{cue['reason']}]")

    def step(self, text):
        self.steps += 1
        self.say(f" {self.steps:>2}. {text}")

    def must(self, truth, what):
        if not truth:
            raise Failed(what)

    # --- what happens ---
    def scan(self, device, text, verdict, reason, **picture):
        cue = device.show_frame(text, **picture)
        self.show(device, cue)
        self.must((cue["verdict"], cue["reason"]) == (verdict, reason),
                  f"{device.name} answered {cue['verdict']} {cue['reason']}, expected {verdict} {reason}")
        return cue

    def admit(self, device, ticket, text, persons=1, at_server=True, **picture):
        """A scan that must open: on the device's disk, at the arm, and (with the network) at the server."""
        pulses, before = device.pulses(), len(device.admissions(ticket))
        self.scan(device, text, "admit", "ok", **picture)
        self.opened(device, ticket, pulses, before, persons, at_server)

    def opened(self, device, ticket, pulses, before, persons, at_server=True):
        until(f"{device.name} opens for {persons}", lambda: device.pulses() == pulses + persons)
        self.must(len(device.admissions(ticket)) == before + 1, f"{device.name}: no admission of {ticket} on disk")
        until(f"{device.name} is idle again", lambda: device.ask("status")["lane"] == "idle")
        if at_server:
            self.arrived(device, ticket, persons)

    def arrived(self, device, ticket, persons):
        began = time.monotonic()
        until(f"the check-in of {ticket} at the server", lambda: self.stage.query(
            "SELECT 1 FROM checkin WHERE ticket = ? AND device = ? AND granted = ?", ticket, device.name, persons))
        self.say(f"   {'server':<10} ✓ check-in {ticket[:8]}… of {device.name} booked"
                 f" ({(time.monotonic() - began) * 1000:.0f} ms after the arm was idle)")

    def issue(self, title, *arguments, png=True):
        pictures = ["--png", self.stage.folder / f"{title}.png"] if png else []
        ticket = self.stage.ctl("ticket", "issue", *arguments, *pictures)
        if png:
            picture = (self.stage.folder / f"{title}.png").read_bytes()
            self.must(picture.startswith(b"\x89PNG"), f"{title}.png is no picture")
        self.say(f"   {title:<18} {ticket['id']}" + (f"  {self.stage.folder}/{title}.png" if png else ""))
        return ticket

    # --- the chapters ---
    def set_up(self):
        stage = self.stage
        self.chapter("A scenic area opens 景区开张")
        self.step("The server comes up with its own database, authority and broker.")
        stage.start_server()
        self.site = stage.ctl("site", "add", "--zh", "云溪景区", "--en", "Cloud Creek")["id"]
        self.other = stage.ctl("site", "add", "--zh", "石门古镇", "--en", "Stone Gate Town")["id"]
        self.point = stage.ctl("point", "add", self.site, "--zh", "南门", "--en", "South gate")["id"]
        self.product = stage.ctl("product", "add", self.site, "--zh", "门票", "--en", "Admission")["id"]
        self.two_day = stage.ctl("product", "add", self.site, "--zh", "两日票", "--en", "Two-day ticket")["id"]
        self.town = stage.ctl("product", "add", self.other, "--zh", "古镇门票", "--en", "Town admission")["id"]
        self.step("Two gates and a handheld pair with one-time codes, like real ones.")
        self.south = self.pair("gate-south", "gate", "A1", "--walk-ms", str(WALK_MS))
        self.north = self.pair("gate-north", "gate", "A2", "--walk-ms", str(WALK_MS))
        self.hand = self.pair("handheld-1", "handheld", "H1")
        for device in (self.south, self.north, self.hand):
            device.wait_ready()
            self.say(f"   {device.name:<10} ✓ paired, configured, lists whole, clock confirmed")
        until("the server sees three devices",
              lambda: stage.query("SELECT COUNT(*) FROM device WHERE connected = 1") == [(3,)])

    def pair(self, name, kind, number, *arguments):
        code = self.stage.ctl("device", "invite", self.site, name, "--kind", kind, "--point", self.point,
                              "--number", number, "--passage-wait-ms", "3000")["code"]
        return self.stage.add_device(name, kind, code, *arguments)

    def sell(self):
        stage = self.stage
        self.chapter("Tickets are sold 售票")
        one = ["--site", self.site, "--product", self.product, "--first", self.today, "--last", self.today]
        self.step("Signed tickets, each a QR code:")
        self.adult = self.issue("adult", *one)
        self.child = self.issue("child", *one, "--person-type", "child")
        self.group = self.issue("group-of-five", *one, "--persons", "5")
        self.party = self.issue("party-of-four", *one, "--persons", "4")
        self.twice = self.issue("two-day", "--site", self.site, "--product", self.two_day, "--first", self.today,
                                "--last", self.tomorrow, "--per-day")
        self.joint = self.issue("joint", *one, "--also", f"{self.other}:{self.town}:{self.today}:{self.next_week}")
        self.lost = self.issue("lost-phone", *one)
        self.refunded = self.issue("refunded", *one)
        self.offline = [self.issue(f"offline-{i}", *one) for i in (1, 2)]
        self.step("Codes of other people's making, and an ID number with two tickets on it:")
        self.ota_code = "OTA" + "".join(stage.random.choice("23456789ABCDEFGHJKMNPQRSTUVWXYZ") for _ in range(12))
        csv = stage.folder / "ota.csv"
        csv.write_text(f"code,product,first_day,last_day,reference\n{self.ota_code},{self.product},{self.today},"
                       f"{self.next_week},OTA order\n")
        stage.ctl("ticket", "import", self.site, csv)
        self.document = "11010119900101" + "".join(str(stage.random.randrange(10)) for _ in range(4))
        self.by_id = [self.issue("on-id-today", *one, "--document", self.document, "--no-qr", png=False),
                      self.issue("on-id-week", "--site", self.site, "--product", self.product, "--first", self.today,
                                 "--last", self.next_week, "--document", self.document, "--no-qr", png=False)]
        version = stage.query("SELECT COUNT(*) FROM ticket")[0][0]
        self.must(version == 13, f"{version} tickets in the database, expected 13")
        self.say()
        self.say("   One of them, as a tourist's phone shows it:")
        self.say(self.terminal_code(self.adult["text"]))

    def terminal_code(self, text):
        run = subprocess.run([*self.stage.ctl_command("ticket", "show", self.adult["id"], "--qr")],
                             capture_output=True, text=True, timeout=60)
        self.must(run.returncode == 0 and "▀" in run.stdout or "█" in run.stdout, "no code was drawn in the terminal")
        return run.stdout if self.colour else "   (a QR code; shown in a terminal)"

    def online(self):
        stage = self.stage
        self.chapter("The network is up 联网检票")
        self.step("An adult walks through the south gate.")
        self.admit(self.south, self.adult["id"], self.adult["text"])
        self.step("The same code at the north gate a moment later: refused, with where and when.")
        position = stage.query("SELECT position FROM checkin_position WHERE site = ?", self.site)[0][0]
        self.north.wait_version("uses_position", position)
        pulses = self.north.pulses()
        cue = self.scan(self.north, self.adult["text"], "refuse", "already_used")
        self.must(cue.get("used", {}).get("where") == "gate-south", "the refusal does not say where it was used")
        self.must(self.north.pulses() == pulses, "the north gate opened for a used ticket")
        self.step("A child, photographed at an angle in bad light; a light of its own for staff.")
        self.admit(self.north, self.child["id"], self.child["text"], tilt=25, noise=12, gradient=0.5)
        self.must(self.north.cues()[-1]["person_light"] != self.north.cues()[-1]["light"], "no light for children")
        self.step("A group of five on one code: five openings, five persons counted.")
        self.admit(self.south, self.group["id"], self.group["text"], persons=5, rotation=40)
        self.step("A party of four on the handheld: two now, two later, and not one more.")
        self.handheld()
        self.step("A two-day ticket: today once; the joint ticket counts each site alone.")
        self.admit(self.north, self.twice["id"], self.twice["text"])
        self.out_of_sight()
        self.scan(self.north, self.twice["text"], "refuse", "already_used")
        self.admit(self.south, self.joint["id"], self.joint["text"], inverted=True)
        self.step("The OTA's own code, looked up by its keyed hash.")
        ota = stage.query("SELECT ticket FROM ticket WHERE signed_qr = 0 AND reference = 'OTA order'")[0][0]
        self.admit(self.south, ota, self.ota_code)
        self.step("An ID card with two tickets on it: earliest end first, then the other, then no more.")
        self.id_card()
        self.step("A lost phone: reissued, the old code is refused, the new one opens.")
        self.reissue()
        self.step("A refunded ticket no longer opens.")
        self.revoke()

    def out_of_sight(self):
        """The same code is one scan until it was out of sight for 1.5 s; the next visitor holds it up anew."""
        time.sleep(1.7)

    def handheld(self):
        self.scan(self.hand, self.party["text"], "admit", "ok")
        self.must(not self.hand.admissions(self.party["id"]), "a look at the handheld admitted already")
        first = self.hand.ask("admit 2")
        self.must(first["reason"] == "ok_group_part" and first["persons_left"] == 2, f"admit 2 answered {first}")
        self.say(f"   {self.hand.name:<10} ✓ admit 2 → 2 in, 2 left")
        self.out_of_sight()
        self.scan(self.hand, self.party["text"], "admit", "ok")
        second = self.hand.ask("admit 2")
        self.must(second["reason"] == "ok" and second["persons_left"] == 0, f"admit 2 answered {second}")
        self.out_of_sight()
        self.scan(self.hand, self.party["text"], "refuse", "already_used")
        granted = [p for t, p in self.stage.granted(self.hand) if t == self.party["id"]]
        self.must(granted == [2, 2], f"the handheld's disk says {granted}, expected [2, 2]")

    def id_card(self):
        for ticket in self.by_id:
            pulses = self.south.pulses()
            cue = self.south.ask(f"document {self.document}")
            self.show(self.south, cue)
            self.must(cue["verdict"] == "admit", f"the ID card was answered {cue['reason']}")
            self.opened(self.south, ticket["id"], pulses, 0, 1)
        cue = self.south.ask(f"document {self.document}")
        self.show(self.south, cue)
        self.must(cue["reason"] == "already_used", f"a third entry on the ID card: {cue['reason']}")
        disk = b"".join((self.south.data / name).read_bytes() for name in ("events.db", "cache.v1.db"))
        self.must(self.document.encode() not in disk, "the ID number stands on the device's disk")

    def reissue(self):
        fresh = self.stage.ctl("ticket", "reissue", self.lost["id"], "--png", self.stage.folder / "reissued.png")
        version = self.list_version("revoked")
        for gate in (self.south, self.north):
            gate.wait_version("revoked_version", version)
        self.scan(self.south, self.lost["text"], "refuse", "superseded")
        self.admit(self.south, self.lost["id"], fresh["text"])

    def revoke(self):
        self.stage.ctl("ticket", "revoke", self.refunded["id"], "--why", "refunded to the buyer")
        self.north.wait_version("revoked_version", self.list_version("revoked"))
        pulses = self.north.pulses()
        self.scan(self.north, self.refunded["text"], "refuse", "revoked")
        self.must(self.north.pulses() == pulses, "the gate opened for a refunded ticket")

    def list_version(self, scope):
        number = {"revoked": 1, "tickets": 2}[scope]
        return self.stage.query("SELECT version FROM list_head WHERE site = ? AND scope = ?", self.site, number)[0][0]

    def cut(self):
        self.chapter("The network is cut 断网检票")
        self.step("Both gates lose their uplink. Visitors do not notice.")
        for gate in (self.south, self.north):
            gate.ask("uplink off")
            until(f"{gate.name} is offline", lambda gate=gate: not gate.ask("status")["link_up"])
        for gate, ticket in ((self.south, self.offline[0]), (self.north, self.offline[1])):
            self.admit(gate, ticket["id"], ticket["text"], at_server=False)
            self.must(not self.stage.query("SELECT 1 FROM checkin WHERE ticket = ?", ticket["id"]),
                      "a check-in crossed a cut cable")
            waiting = gate.ask("status")["unconfirmed_events"]
            self.must(waiting > 0, f"{gate.name} has nothing waiting for the server")
            self.say(f"   {gate.name:<10} … {waiting} events wait on disk for the server")
        self.step("Used here already: refused without asking anybody.")
        self.out_of_sight()
        self.scan(self.south, self.offline[0]["text"], "refuse", "already_used")
        self.step("One gate loses power as well, and comes back.")
        self.north.program.kill()
        self.north.program.start()
        until(f"{self.north.name} is up again", lambda: self.north.status())
        self.step("The uplink is back: everything arrives, once.")
        self.south.ask("uplink on")  # the gate that restarted connects by itself
        for device in self.stage.devices.values():
            device.wait_synced()

    def settle(self):
        self.chapter("Nothing was lost 账实相符")
        for device in self.stage.devices.values():
            count = self.stage.check_nothing_lost(device)
            persons = self.stage.check_committed_before_opened(device) if device.kind == "gate" else \
                sum(p for _, p in self.stage.granted(device))
            self.stage.ctl("journal", "verify", "--data", device.data)
            self.say(f"   {device.name:<10} ✓ {count} events, chain heads equal at the server; {persons} persons")
        doubles = self.stage.query("SELECT device, epoch, seq FROM checkin GROUP BY 1, 2, 3 HAVING COUNT(*) > 1")
        self.must(not doubles, f"booked twice: {doubles}")
        for ticket in self.offline:
            rows = self.stage.query("SELECT flags & 1 FROM checkin WHERE ticket = ?", ticket["id"])
            self.must(rows == [(1,)], f"the offline admission of {ticket['id']} arrived as {rows}")
        self.say("   the offline admissions are marked as such")

    def run(self):
        self.set_up()
        self.sell()
        self.online()
        self.cut()
        self.settle()

    def goodbye(self):
        ctl = " ".join(self.stage.ctl_command())
        self.chapter("It is yours to play with 请随意")
        self.say(f"   pf() {{ {ctl} \"$@\"; }}")
        for line in (f"pf ticket issue --site {self.site} --product {self.product} --first {self.today}"
                     f" --last {self.today} --qr --png /tmp/mine.png",
                     f"cp /tmp/mine.png {self.south.data}/frames/     # hold it before the south gate",
                     "pf device list", "pf sync log --follow", "pf ticket explain 'PF1:…'", "pf findings list",
                     f"pf journal dump --data {self.south.data}",
                     f"echo status | nc -U {self.south.data}/control.sock   # or: uplink off, pass, document NUMBER"):
            self.say(f"   {line}")
        self.say("   Ctrl-C ends everything.")


def main():
    parser = argparse.ArgumentParser(description="The main line of Paifang on one machine.")
    parser.add_argument("--build", default="build/release", help="folder of the built programs")
    parser.add_argument("--once", action="store_true", help="the tour alone, without a terminal")
    parser.add_argument("--keep", action="store_true", help="leave the folder with all files")
    arguments = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="paifang-demo-"))
    stage = Stage(pathlib.Path(__file__).parents[2], pathlib.Path(arguments.build).resolve(), folder)
    tour = Tour(stage, sys.stdout.isatty())
    failed = False
    try:
        tour.run()
        if not arguments.once:
            tour.goodbye()
            signal.pause()
    except KeyboardInterrupt:
        tour.say()
    except (Failed, OSError, subprocess.SubprocessError) as error:
        failed = True
        print(f"\nFAILED after step {tour.steps}: {error}\nfiles: {folder}", file=sys.stderr, flush=True)
        for program in [stage.server, *(d.program for d in stage.devices.values())]:
            if pathlib.Path(program.log).exists():
                print(f"--- {program.name}\n{program.tail()}", file=sys.stderr)
        stage.abandon()
    else:
        stage.close()
    if not failed and not arguments.keep:
        shutil.rmtree(folder, ignore_errors=True)
    if not failed:
        print(f"\n{tour.steps} steps, every one checked on disk.", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
