"""The tour: two scenic areas, their tickets, gates and a handheld, the network up and then cut.

Every step is checked from journals, databases and barrier logs; what the programs print proves nothing. The lines
between the steps come from live.py, which only looks.
"""

import datetime
import pathlib
import subprocess
import time

from stage import (ADMITTED, BODY, GRANT_KEY, OUTCOME, PASSED_KEY, PERSONS_KEY, REASON_KEY, REFUSED, Failed, fields,
                   reasons, until)

WALK_MS = 250  # a simulated visitor walks through this long after the arm opens
OUT_OF_SIGHT_S = 1.7  # the same code is one scan until it was out of sight for 1.5 s
CHINA = datetime.timezone(datetime.timedelta(hours=8))
DAY_MS = 24 * 3600 * 1000
EARLY_MIN = 240
CLOCK_WRONG = 5  # kind of a finding: an event's time is not that of its arrival


class Tour:
    def __init__(self, stage, view):
        self.stage, self.view = stage, view
        self.steps = 0
        self.reasons = reasons(stage.root)
        now = datetime.datetime.now(CHINA)
        # Started shortly before midnight, the sites' day ends at 04:00, so that today stays today.
        self.day_begins_min = EARLY_MIN if now.hour == 23 else 0
        today = (now - datetime.timedelta(minutes=self.day_begins_min)).date()
        self.today, self.tomorrow, self.next_week = (
            (today + datetime.timedelta(days=days)).isoformat() for days in (0, 1, 7))
        self.secrets = {}  # what must not stand on any device's disk: name -> text

    # --- what people see ---
    def say(self, text=""):
        self.view.say(text)

    def chapter(self, text):
        self.view.settle()
        self.say()
        self.say(self.view.paint("1", f"── {text} " + "─" * max(0, 70 - len(text))))

    def step(self, text):
        self.view.settle()
        if died := self.stage.died():
            raise Failed(f"{died[0].name} ended by itself")
        self.steps += 1
        first, *more = text.split("\n")
        self.say(f" {self.steps:>2}. {first}")
        for line in more:
            self.say(f"     {line}")

    def must(self, truth, what):
        if not truth:
            raise Failed(what)

    # --- what happens, and what must be on disk afterwards ---
    def decided(self, device, before):
        """The one event with which the device decided since then: (kind, epoch, seq, its body)."""
        fresh = [event for event in device.events()[before:] if event[2] in (ADMITTED, REFUSED)]
        self.must(len(fresh) == 1, f"{device.name}: {len(fresh)} decisions on disk after one scan")
        epoch, seq, kind, ticket, event, head = fresh[0]
        return kind, (epoch, seq, head), ticket, fields(event)[BODY]

    def refuse(self, device, present, reason, at_server=True):
        """A scan that must not open: one refusal with this reason on disk, and an arm that stays still."""
        before, pulses = len(device.events()), device.pulses()
        cue = present()
        kind, key, _, body = self.decided(device, before)
        self.must(kind == REFUSED and body[REASON_KEY] == self.reasons[reason],
                  f"{device.name}: on disk kind {kind} {body}, expected a refusal: {reason}")
        self.must((cue["verdict"], cue["reason"]) == ("refuse", reason), f"{device.name} shows {cue}, not {reason}")
        self.must(device.ask("status")["lane"] == "idle" and device.pulses() == pulses,
                  f"{device.name} opened on a refusal")
        if at_server:
            self.arrived(device, key)
        self.view.settle()
        return cue

    def admit(self, device, ticket, present, persons=1, at_server=True):
        """A scan that must open: admitted on disk, the arm, everybody through on disk, and the server."""
        before, pulses = len(device.events()), device.pulses()
        cue = present()
        kind, key, admitted, body = self.decided(device, before)
        self.must(kind == ADMITTED and admitted == ticket and body[PERSONS_KEY] == persons,
                  f"{device.name}: on disk kind {kind} of {admitted}, expected {persons} admitted on {ticket}")
        self.must(cue["verdict"] == "admit", f"{device.name} shows {cue}")
        if device.kind == "gate":
            until(f"{device.name} opens for {persons}", lambda: device.pulses() == pulses + persons)
            self.passed(device, key, persons)
            self.stage.check_committed_before_opened(device)
        if at_server:
            self.arrived(device, key)
            # At a gate with its outcome: until that is there, others take the persons to be still on their way.
            through = " AND how IS NOT NULL AND passed = granted" if device.kind == "gate" else ""
            until(f"the check-in of {ticket} at the server", lambda: self.stage.query(
                "SELECT 1 FROM checkin WHERE ticket = ? AND device = ? AND seq = ? AND granted = ?" + through,
                ticket, device.name, key[1], persons))
        self.view.settle()
        return cue

    def passed(self, device, key, persons):
        """The outcome of this admission, on disk: that many went through."""
        until(f"{device.name} has {persons} passages on disk", lambda: any(
            event[:1] == key[:1] and event[2] == OUTCOME and (body := fields(event[4])[BODY])[GRANT_KEY] == key[1]
            and body[PASSED_KEY] == persons for event in device.events()))
        until(f"{device.name} is idle again", lambda: device.ask("status")["lane"] == "idle")

    def arrived(self, device, key):
        until(f"event {key[1]} of {device.name} at the server", lambda: self.stage.query(
            "SELECT 1 FROM journal_event WHERE device = ? AND epoch = ? AND seq = ? AND head = ?",
            device.name, *key))

    def frame(self, device, text, **picture):
        return lambda: device.show_frame(text, **picture)

    def issue(self, title, *arguments, png=True):
        pictures = ["--png", self.stage.folder / f"{title}.png"] if png else []
        ticket = self.stage.ctl("ticket", "issue", *arguments, *pictures)
        if png:
            seen = self.stage.ctl("scan", self.stage.folder / f"{title}.png")
            self.must([code["text"] for code in seen["codes"]] == [ticket["text"]], f"{title}.png reads as {seen}")
            self.secrets[f"the code of {title}"] = ticket["text"]
        self.say(f"     {title:<18} {ticket['id']}" + (f"  {title}.png" if png else "  (no QR code)"))
        return ticket

    # --- the chapters ---
    def set_up(self):
        stage = self.stage
        self.chapter("Scenic areas open 景区开张")
        self.say(f"     files: {stage.folder}")
        self.step("The server comes up with its own database, authority and broker.")
        stage.start_server()
        day = ["--day-begins-min", self.day_begins_min]
        self.site = stage.ctl("site", "add", "--zh", "云溪景区", "--en", "Cloud Creek", *day)["id"]
        self.other = stage.ctl("site", "add", "--zh", "石门古镇", "--en", "Stone Gate Town", *day)["id"]
        self.point = stage.ctl("point", "add", self.site, "--zh", "南门", "--en", "South gate")["id"]
        self.town_point = stage.ctl("point", "add", self.other, "--zh", "镇口", "--en", "Town gate")["id"]
        self.product = stage.ctl("product", "add", self.site, "--zh", "门票", "--en", "Admission")["id"]
        self.two_day = stage.ctl("product", "add", self.site, "--zh", "两日票", "--en", "Two-day ticket")["id"]
        self.town = stage.ctl("product", "add", self.other, "--zh", "古镇门票", "--en", "Town admission")["id"]
        self.step("Two gates and a handheld pair with one-time codes, like real ones;\n"
                  "and a gate in the old town, for the ticket that is good at both places.")
        self.south = self.pair("gate-south", "gate", self.site, self.point, "A1")
        self.north = self.pair("gate-north", "gate", self.site, self.point, "A2")
        self.hand = self.pair("handheld-1", "handheld", self.site, self.point, "H1")
        self.old_town = self.pair("gate-town", "gate", self.other, self.town_point, "T1")
        for device in stage.devices.values():
            device.wait_ready()
            self.say(f"     {device.name:<12} ✓ paired, configured, lists whole, clock confirmed")
        until("the server sees its devices", lambda: stage.query(
            "SELECT COUNT(*) FROM device WHERE connected = 1") == [(len(stage.devices),)])

    def pair(self, name, kind, site, point, number):
        code = self.stage.ctl("device", "invite", site, name, "--kind", kind, "--point", point,
                              "--number", number, "--passage-wait-ms", "3000")["code"]
        walking = ["--walk-ms", str(WALK_MS)] if kind == "gate" else []
        return self.stage.add_device(name, kind, code, *walking)

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
        self.offline = [self.issue(f"offline-{i}", *one) for i in (1, 2, 3, 4)]
        self.step("Codes of other people's making, and an ID number with two tickets on it:")
        self.ota_code = "OTA" + "".join(stage.random.choice("23456789ABCDEFGHJKMNPQRSTUVWXYZ") for _ in range(12))
        csv = stage.folder / "ota.csv"
        csv.write_text(f"code,product,first_day,last_day,reference\n{self.ota_code},{self.product},{self.today},"
                       f"{self.next_week},OTA order\n")
        stage.ctl("ticket", "import", self.site, csv)
        self.ota = stage.query("SELECT ticket FROM ticket WHERE signed_qr = 0 AND reference = 'OTA order'")[0][0]
        self.say(f"     {'imported':<18} {self.ota}  {self.ota_code}")
        self.document = "11010119900101" + "".join(str(stage.random.randrange(10)) for _ in range(4))
        self.by_id = [self.issue("on-id-today", *one, "--document", self.document, "--no-qr", png=False),
                      self.issue("on-id-week", "--site", self.site, "--product", self.product, "--first", self.today,
                                 "--last", self.next_week, "--document", self.document, "--no-qr", png=False)]
        self.secrets |= {"the OTA's code": self.ota_code, "the ID number": self.document}
        count = stage.query("SELECT COUNT(*) FROM ticket")[0][0]
        self.must(count == 15, f"{count} tickets in the database, expected 15")
        self.say()
        self.say("     One of them, as a tourist's phone shows it:")
        self.say(self.terminal_code())

    def terminal_code(self):
        run = subprocess.run([*self.stage.ctl_command("ticket", "show", self.adult["id"], "--qr")],
                             capture_output=True, text=True, timeout=60)
        # Black on white, with the white margin around it; the other lines say what the ticket is.
        drawn = [line for line in run.stdout.splitlines() if line.startswith("\033[")]
        self.must(run.returncode == 0 and sum("▀" in line or "█" in line for line in drawn) > 10,
                  "no code was drawn in the terminal")
        return "\n".join("     " + line for line in drawn) if self.view.colour else \
            "     (a QR code; drawn in a terminal)"

    def online(self):
        stage = self.stage
        self.chapter("The network is up 联网检票")
        self.view.header()
        self.step("An adult walks through the south gate.")
        self.admit(self.south, self.adult["id"], self.frame(self.south, self.adult["text"]))
        self.step("The same code at the north gate a moment later: refused, with where and when.")
        position = stage.query("SELECT position FROM checkin_position WHERE site = ?", self.site)[0][0]
        self.north.wait_version("uses_position", position)
        cue = self.refuse(self.north, self.frame(self.north, self.adult["text"]), "already_used")
        self.must(cue.get("used", {}).get("where") == "gate-south" and cue["used"].get("when"),
                  "the refusal does not say where and when it was used")
        self.step("A child, photographed at an angle in bad light; a light of its own for staff.")
        cue = self.admit(self.north, self.child["id"],
                         self.frame(self.north, self.child["text"], tilt=25, noise=12, gradient=0.5))
        self.must(cue["person_light"] != cue["light"], "no light for children")
        self.step("A group of five on one code: five openings, five persons counted.")
        self.admit(self.south, self.group["id"], self.frame(self.south, self.group["text"], rotation=40), persons=5)
        self.step("A party of four on the handheld: two now, two later, and not one more.")
        self.handheld()
        self.step("A two-day ticket: today once. (Its second day comes further down.)")
        self.admit(self.north, self.twice["id"], self.frame(self.north, self.twice["text"]))
        self.out_of_sight()
        self.refuse(self.north, self.frame(self.north, self.twice["text"]), "already_used")
        self.step("A joint ticket, shown in dark mode: used up at one site, whole at the other.")
        self.two_sites()
        self.step("The OTA's own code, looked up by its keyed hash.")
        self.admit(self.south, self.ota, self.frame(self.south, self.ota_code))
        self.step("An ID card with two tickets on it: earliest end first, then the other, then no more.")
        card = lambda: self.south.ask(f"document {self.document}")  # noqa: E731
        for ticket in self.by_id:
            self.admit(self.south, ticket["id"], card)
        self.refuse(self.south, card, "already_used")
        self.step("A lost phone: reissued, the old code is refused, the new one opens.")
        self.reissue()
        self.step("A refunded ticket no longer opens.")
        stage.ctl("ticket", "revoke", self.refunded["id"], "--why", "refunded to the buyer")
        self.north.wait_version("revoked_version", self.revoked_version())
        self.refuse(self.north, self.frame(self.north, self.refunded["text"]), "revoked")

    def out_of_sight(self):
        time.sleep(OUT_OF_SIGHT_S)

    def handheld(self):
        """A scan is a look and writes nothing; what staff do then is on disk."""
        for left in (2, 0):
            self.look(self.party, "admit")
            cue = self.admit(self.hand, self.party["id"], self.staff_admit("2"), persons=2)
            self.must(cue["persons_left"] == left, f"{self.hand.name} shows {cue['persons_left']} left, not {left}")
            self.out_of_sight()
        self.look(self.party, "refuse")
        self.refuse(self.hand, self.staff_admit("1"), "already_used")
        granted = [p for t, p in self.stage.granted(self.hand) if t == self.party["id"]]
        self.must(granted == [2, 2], f"the handheld's disk says {granted}, expected [2, 2]")

    def look(self, ticket, verdict):
        before = len(self.hand.events())
        cue = self.hand.show_frame(ticket["text"])
        self.must(cue["verdict"] == verdict, f"{self.hand.name} shows {cue}, expected: {verdict}")
        self.must(len(self.hand.events()) == before, "a look at the handheld wrote something")
        self.view.settle()

    def staff_admit(self, how_many):
        def tap():
            self.hand.ask(f"admit {how_many}")
            return self.hand.cues()[-1]
        return tap

    def two_sites(self):
        for gate in (self.south, self.old_town):
            self.admit(gate, self.joint["id"], self.frame(gate, self.joint["text"], inverted=True))
            self.out_of_sight()
            self.refuse(gate, self.frame(gate, self.joint["text"], inverted=True), "already_used")
        booked = self.stage.query("SELECT site, product, granted FROM checkin WHERE ticket = ? ORDER BY site",
                                  self.joint["id"])
        self.must(booked == [(self.site, self.product, 1), (self.other, self.town, 1)],
                  f"the joint ticket is booked as {booked}")

    def reissue(self):
        fresh = self.stage.ctl("ticket", "reissue", self.lost["id"], "--png", self.stage.folder / "reissued.png")
        self.secrets["the code of reissued"] = fresh["text"]
        for gate in (self.south, self.north):
            gate.wait_version("revoked_version", self.revoked_version())
        self.refuse(self.south, self.frame(self.south, self.lost["text"]), "superseded")
        self.admit(self.south, self.lost["id"], self.frame(self.south, fresh["text"]))

    def revoked_version(self):
        return self.stage.query("SELECT version FROM list_head WHERE site = ? AND scope = 1", self.site)[0][0]

    def cut(self):
        stage = self.stage
        self.chapter("The network is cut 断网检票")
        for device in stage.devices.values():
            device.wait_synced()
        self.step("The line to the server is cut, for pairing, renewal and broker. Visitors do not notice.")
        stage.line.cut()
        self.crossed = stage.line.status()["bytes_crossed"]
        for device in stage.devices.values():
            until(f"{device.name} is offline", lambda device=device: not device.ask("status")["link_up"])
        self.must(self.stage.line.status()["connections"] == 0, "somebody still has a connection over the cut line")
        self.view.header()
        for gate, ticket in ((self.south, self.offline[0]), (self.north, self.offline[1])):
            self.admit_offline(gate, ticket)
        self.step("The handheld is cut off too, and works on.")
        self.look(self.offline[2], "admit")
        self.admit_offline(self.hand, self.offline[2], self.staff_admit("1"))
        self.step("Used here already: refused without asking anybody.")
        self.out_of_sight()
        self.refuse(self.south, self.frame(self.south, self.offline[0]["text"]), "already_used", at_server=False)
        self.step("The north gate loses power as well. It comes back, still cut off, and opens.")
        self.power_cut(self.north)
        self.admit_offline(self.north, self.offline[3])
        self.refuse(self.north, self.frame(self.north, self.offline[1]["text"]), "already_used", at_server=False)
        self.step("Tomorrow, the one trick of this tour: the south gate is switched off and comes back with a\n"
                  "clock that says it is a day later. The two-day ticket opens again, once.")
        self.power_cut(self.south, "--wall-offset-ms", str(DAY_MS))
        self.admit_offline(self.south, self.twice)
        self.out_of_sight()
        self.refuse(self.south, self.frame(self.south, self.twice["text"]), "already_used", at_server=False)
        self.step("The line is restored: everything arrives, once.")
        self.restore()

    def admit_offline(self, device, ticket, present=None):
        present = present or self.frame(device, ticket["text"])
        self.admit(device, ticket["id"], present, at_server=False)
        waits = [e for e in device.events() if not self.stage.query(
            "SELECT 1 FROM journal_event WHERE device = ? AND epoch = ? AND seq = ?", device.name, e[0], e[1])]
        self.must(any(e[2] == ADMITTED and e[3] == ticket["id"] for e in waits), "an admission crossed a cut line")

    def power_cut(self, gate, *arguments):
        gate.program.kill()
        gate.program.command += arguments
        gate.program.start()
        until(f"{gate.name} is up again", gate.status)
        self.must(not gate.status()["link_up"], f"{gate.name} found a line that is cut")

    def restore(self):
        line = self.stage.line.status()
        self.must(line["bytes_crossed"] == self.crossed and line["connections"] == 0, f"the cut line carried: {line}")
        self.must(line["turned_away"] > 0, "no device ever tried the cut line")
        self.stage.line.restore()
        for device in self.stage.devices.values():
            device.wait_synced(60)
        del self.south.program.command[-2:]  # after another power cut it is today again
        self.south.ask("clock 0")  # which is an event, too
        self.south.wait_synced()
        self.view.settle()

    def settle(self):
        self.chapter("Nothing was lost 账实相符")
        self.step("Each device's disk against the server's, and the arms against the disks:")
        for device in self.stage.devices.values():
            count = self.stage.check_nothing_lost(device)
            persons = self.stage.check_committed_before_opened(device)
            self.stage.ctl("journal", "verify", "--data", device.data)
            arm = f", {device.pulses()} openings, none before its grant" if device.kind == "gate" else ""
            self.say(f"     {device.name:<12} ✓ {count} events, same heads at the server; {persons} persons in{arm}")
        doubles = self.stage.query("SELECT device, epoch, seq FROM checkin GROUP BY 1, 2, 3 HAVING COUNT(*) > 1")
        self.must(not doubles, f"booked twice: {doubles}")
        for ticket in self.offline:
            rows = self.stage.query("SELECT flags & 1 FROM checkin WHERE ticket = ?", ticket["id"])
            self.must(rows == [(1,)], f"the offline admission of {ticket['id']} arrived as {rows}")
        self.say("     the offline admissions are there once each, marked as such")
        days = [day for day, in self.stage.query("SELECT day FROM checkin WHERE ticket = ? ORDER BY day",
                                                 self.twice["id"])]
        self.must(len(days) == 2 and days[1] == days[0] + 1, f"the two-day ticket is booked on days {days}")
        self.say("     the two-day ticket is booked on two days")
        found = self.stage.query("SELECT DISTINCT kind, device FROM finding")
        self.must(found == [(CLOCK_WRONG, self.south.name)], f"headquarters finds (kind, device): {found}")
        self.say("     one finding for headquarters: the clock of gate-south was wrong (that was our tomorrow)")
        self.step("Nothing personal on any device: no ID number, no code, in any file of theirs.")
        for device in self.stage.devices.values():
            for name, secret in self.secrets.items():
                found = device.holds(secret.encode())
                self.must(not found, f"{device.name}: {name} stands in {found}")
            # The search itself works: what must be there is found.
            self.must(device.holds(bytes.fromhex(self.stage.granted(device)[0][0])), "the search finds nothing")
        self.say(f"     {len(self.secrets)} secrets looked for on {len(self.stage.devices)} devices")

    def run(self):
        self.set_up()
        self.sell()
        self.online()
        self.cut()
        self.settle()
        self.view.settle()

    def goodbye(self):
        folder = self.stage.folder
        tools = f"{self.stage.binary('firmware/ctl')}:{pathlib.Path(__file__).resolve().parent}"
        (folder / "adult.txt").write_text(self.adult["text"] + "\n")
        self.chapter("It is yours to play with 请随意")
        for line in ("# in another terminal; what you do shows below 在另一个终端里试，结果显示在下面",
                     f"cd {folder}; export PAIFANG_DATA=$PWD/server",
                     f"PATH=$PATH:{tools}",
                     f"paifangctl ticket issue --site {self.site} --product {self.product} --first {self.today}"
                     f" --last {self.next_week} --png mine.png",
                     "cp mine.png gate-south/frames/          # hold it before the south gate; and once more",
                     "paifangctl ticket explain - < adult.txt # a real code, claim by claim",
                     "paifangctl device list                  # and: findings list, sync log --follow",
                     "paifangctl journal dump --data gate-south",
                     "hands line cut                          # and: hands line restore",
                     "hands gate-north status                 # and: document NUMBER, fire-on, help"):
            self.say(f"   {line}")
        self.say("   Ctrl-C ends everything.")
        self.say()
        self.view.header()
        while True:
            time.sleep(0.2)
            if self.view.trouble:
                raise Failed(f"the live view ended: {self.view.trouble}")
