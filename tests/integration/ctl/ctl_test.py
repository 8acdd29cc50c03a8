"""paifangctl against a real server and a real gate: what it prints and writes, how it exits.

    ctl_test.py --build build/dev

The cases share one stage and run in the order written; a failing one names itself.
"""

import argparse
import datetime
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
root = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(root / "boards" / "sim"))
from stage import Failed, Stage, until  # noqa: E402

CHINA = datetime.timezone(datetime.timedelta(hours=8))
TODAY = datetime.datetime.now(CHINA).date().isoformat()


class Ran:
    def __init__(self, run):
        self.code, self.out, self.err = run.returncode, run.stdout, run.stderr

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]


class Hands:
    """paifangctl with every way to say where the server is."""

    def __init__(self, stage):
        self.stage = stage
        self.program = str(stage.binary("firmware/ctl/paifangctl"))

    def bare(self, *arguments, text=None, **variables):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("PAIFANG")}
        environment.update({"LANG": "C.UTF-8", "LC_ALL": "", **variables})
        return Ran(subprocess.run([self.program, *map(str, arguments)], capture_output=True,
                                  text=True, timeout=120, input=text, env=environment))

    def __call__(self, *arguments, exit=0, **more):
        ran = self.bare("--data", self.stage.server_data, *arguments, "--json", **more)
        must(ran.code == exit, f"{arguments}: exit {ran.code}, not {exit}: {ran.out} {ran.err}")
        return ran


def must(true, what):
    if not true:
        raise Failed(what)


class Case:
    """What the cases hand on to each other."""

    def __init__(self, stage):
        self.stage, self.ctl = stage, Hands(stage)

    def places_and_products(self):
        ctl = self.ctl
        self.site = ctl("site", "add", "--zh", "云溪", "--en", "Cloud Creek").json["id"]
        self.point = ctl("point", "add", self.site, "--zh", "南门",
                         "--en", "South gate").json["id"]
        self.window = ctl("window", "add", self.site, "00:00", "24:00").json["id"]
        self.product = ctl("product", "add", self.site, "--zh", "门票", "--en", "Admission",
                           "--point", self.point).json["id"]
        names = [item["name_zh"] for item in ctl("site", "list").json["items"]]
        must("云溪" in names, f"site list: {names}")
        products = ctl("product", "list", self.site).json["items"]
        must(products[0]["points"] == [self.point], f"product list: {products}")
        refused = ctl("product", "add", 99, "--zh", "x", "--en", "x", exit=1).json["error"]
        must(refused["code"] == "site_unknown", f"a site that is not there: {refused}")

    def exit_codes_of_the_way_there(self):
        ctl, data = self.ctl, self.stage.server_data
        must(ctl.bare("site", "list").code == 2, "no server named")
        must(ctl.bare("site", "lst", "--data", data).code == 2, "no such command")
        nowhere = self.stage.folder / "none"
        must(ctl.bare("site", "list", "--data", nowhere).code == 4, "no such folder")
        url = self.stage.server_url()
        ca, key = data / "authority.pem", data / "admin.key"
        there = ["site", "list", "--server", url]
        must(ctl.bare(*there, "--ca", ca, "--key", key).code == 0, "by hand")
        must(ctl.bare("site", "list", PAIFANG_SERVER=url, PAIFANG_CA=str(ca),
                      PAIFANG_KEY=key.read_text().strip()).code == 0, "by the environment")
        must(ctl.bare(*there, "--ca", ca).code == 1, "without a key")
        must(ctl.bare("site", "list", "--server", "https://localhost:1", "--ca", ca).code == 3,
             "nobody there")
        foreign = self.stage.folder / "foreign.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec",
                        "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-subj", "/CN=foreign", "-keyout", os.devnull, "-out", foreign],
                       check=True, capture_output=True)
        stranger = ctl.bare(*there, "--ca", foreign, "--key", key)
        must(stranger.code == 3 and "[tls_untrusted]" in stranger.err,
             f"another authority: {stranger.err}")

    def tickets(self):
        ctl, folder = self.ctl, self.stage.folder
        self.sale = ["ticket", "issue", "--site", self.site, "--product", self.product,
                     "--first", TODAY, "--last", TODAY]
        picture = folder / "ticket.png"
        self.ticket = ctl(*self.sale, "--persons", 2, "--png", picture).json
        read = ctl("scan", picture).lines[0]
        must([code["text"] for code in read["codes"]] == [self.ticket["text"]],
             f"the picture says {read['codes']}")
        shown = ctl("ticket", "show", self.ticket["id"], "--text").json
        must(shown["text"] == self.ticket["text"] and shown["persons"] == 2, f"show: {shown}")
        refused = ctl("ticket", "show", "0" * 16, exit=1).json["error"]
        must(refused["code"] == "ticket_unknown", f"an unknown ticket: {refused}")
        ids = [item["id"] for item in ctl("ticket", "list").json["items"]]
        must(self.ticket["id"] in ids, "list")
        key = ["--idempotency-key", "sale-7"]
        must(ctl(*self.sale, *key).json["id"] == ctl(*self.sale, *key).json["id"],
             "one key, one ticket")

    def explained(self):
        ctl, text = self.ctl, self.ticket["text"]
        alone = ctl.bare("ticket", "explain", "-", "--json", text=text + "\n")
        must(alone.code == 0 and alone.json["signature"] == "unchecked", f"offline: {alone.out}")
        answer = ctl("ticket", "explain", text).json
        must(answer["signature"] == "valid" and answer["tickets"][0]["known"]["issued_here"],
             f"explain: {answer}")
        middle = len(text) // 2
        forged = text[:middle] + ("0" if text[middle] != "0" else "1") + text[middle + 1:]
        judged = ctl("ticket", "explain", forged, exit=1).json
        must(judged.get("signature") != "valid", f"forged: {judged}")
        must(not ctl("ticket", "explain", "E-NOBODY", exit=1).json["tickets"], "nobody's code")
        chinese = ctl.bare("ticket", "explain", text, "--lang", "zh",
                           "--data", self.stage.server_data)
        must("签名有效" in chinese.out, f"in Chinese: {chinese.out}")

    def imported(self):
        ctl = self.ctl
        path = self.stage.folder / "codes.csv"
        header = "code,product,first_day,last_day\n"
        good = f"{header}E1,{self.product},{TODAY},{TODAY}\n"
        path.write_text(f"{good}E2,{self.product},{TODAY},{TODAY}\n"
                        f"E3,{self.product},soon,{TODAY}\n")
        error = ctl("ticket", "import", self.site, path, exit=1).json["error"]
        must(any("/lines/4" in one["pointer"] for one in error["errors"]), f"bad lines: {error}")
        must(not ctl("ticket", "explain", "E1", exit=1).json["tickets"], "half a file was imported")
        path.write_text(good)
        must(ctl("ticket", "import", self.site, path).json["imported"] == 1, "one line")
        must(ctl("ticket", "explain", "E1").json["tickets"], "the imported code")
        ctl("ticket", "import", self.site, self.stage.folder / "none.csv", exit=4)

    def device_commands(self):
        ctl = self.ctl
        gate = ["--kind", "gate", "--point", self.point]
        code = ctl("device", "invite", self.site, "gate-1", *gate, "--number", "A1").json
        ctl("device", "invite", self.site, "Gate!", *gate, exit=1)
        self.gate = self.stage.add_device("gate-1", "gate", code["pairing_code"],
                                          "--walk-ms", "20")
        self.gate.wait_ready()
        must(code["server_url"] == self.stage.server_url(), f"where to pair: {code}")
        shown = ctl("device", "show", "gate-1").json
        said = shown["reported"]
        must(shown["online"] and said["lists"].keys() == {"revoked", "tickets"},
             f"what it holds: {shown}")
        until("the lists it holds are the newest", lambda: self.holds_the_newest("gate-1"))
        people = ctl.bare("device", "show", "gate-1", "--data", self.stage.server_data).out
        must("the newest" in people and "confirmed up to event" in people, f"in words: {people}")
        must([d["id"] for d in ctl("device", "list").json["items"]] == ["gate-1"], "list")
        looked = ctl("device", "test-scan", "gate-1", self.ticket["text"]).json
        must(looked["detail"] == "ok", f"test-scan: {looked}")
        must(not self.gate.admissions(self.ticket["id"]), "a test scan was counted")
        pulses = self.gate.pulses()
        ctl("device", "open", "gate-1", "--why", "test")
        must(self.gate.pulses() == pulses + 1, "open did not open")
        ctl("device", "resend", "gate-1", "--from", 0)
        ctl("device", "resend", "gate-1", "--from", 10**9, exit=1)
        ctl("device", "renew", "gate-1")
        refused = ctl("device", "show", "nobody", exit=1).json["error"]
        must(refused["code"] == "device_unknown", f"unknown device: {refused}")

    def holds_the_newest(self, name):
        shown = self.ctl("device", "show", name).json
        held = {scope: state["version"] for scope, state in shown["reported"]["lists"].items()}
        return held == shown["newest"]["lists"]

    def pairing_refused(self):
        """What the runbook's table tells people to look for is what the device prints."""
        used = self.ctl("device", "invite", self.site, "gate-9", "--kind", "gate",
                        "--point", self.point).json["pairing_code"]
        typed, pin = used.split(".")
        forged = f"{typed}.{'0' if pin[0] != '0' else '1'}{pin[1:]}"
        self.ctl("device", "invite", self.site, "gate-9", "--kind", "gate", "--point", self.point)
        for code, word in ((forged, "tls_untrusted"), (used, "code_unknown"),
                           (typed, "code_malformed")):
            ran = subprocess.run([self.stage.binary("boards/sim/paifang-device"), "--kind", "gate",
                                  "--data", self.stage.folder / "gate-9",
                                  "--server", self.stage.server_url(), "--code", code],
                                 capture_output=True, text=True, timeout=60)
            said = ran.stdout + ran.stderr
            must(ran.returncode != 0 and f"pairing failed: {word}" in said, f"{word}: {said}")

    def reissued_and_revoked(self):
        ctl = self.ctl
        follow = subprocess.Popen([ctl.program, "--data", self.stage.server_data,
                                   "sync", "log", "--follow", "--json"],
                                  stdout=subprocess.PIPE, text=True)
        seen = []
        threading.Thread(target=lambda: seen.extend(map(json.loads, follow.stdout)),
                         daemon=True).start()

        def arrived():
            return any(event["kind"] == "admitted" and event["body"]["ticket"] == self.ticket["id"]
                       for event in seen)
        try:
            answer = self.gate.ask(f"scan {self.ticket['text']}")
            must(answer["verdict"] == "admit", f"the gate: {answer}")
            until("the admission in the followed log", arrived)
        finally:
            follow.kill()
            follow.wait()
        self.gate.wait_synced()
        uses = ctl("ticket", "show", self.ticket["id"]).json["check_ins"]
        must(len(uses) == 1 and uses[0]["device"] == "gate-1", f"check-ins: {uses}")
        fresh = ctl(*self.sale).json
        new = ctl("ticket", "reissue", fresh["id"]).json
        must(new["generation"] == 2 and new["text"] != fresh["text"], f"reissue: {new}")
        ctl("ticket", "revoke", fresh["id"], "--why", "refund")
        shown = ctl("ticket", "show", fresh["id"]).json
        must(shown["revoked_why"] == "refund", f"the reason is kept: {shown}")
        ctl("ticket", "reissue", fresh["id"], exit=1)
        must(ctl("findings", "list").code == 0, "findings")

    def journals(self):
        ctl, gate, folder = self.ctl, self.gate, self.stage.folder
        self.gate.program.end()
        whole = ctl("journal", "verify", "--data", gate.data).json
        must(whole["whole"] and whole["signature"] == "key_certified", f"verify: {whole}")
        must(whole["events"] == len(gate.events()), f"verify: {whole}")
        kinds = [event["kind"] for event in ctl("journal", "dump", "--data", gate.data).lines]
        must(kinds[0] == "epoch_opened" and "admitted" in kinds, f"dump: {kinds}")
        exported = folder / "gate-1.journal"
        made = ctl("journal", "export", "--data", gate.data, "--out", exported).json
        must(made["signed"], f"export: {made}")
        identity = json.loads((gate.data / "vault" / "identity").read_text())
        (folder / "gate-1.pem").write_text(identity["certificate_pem"])
        checked = ctl("journal", "verify", exported,
                      "--certificate", folder / "gate-1.pem").json
        must(checked["whole"] and checked["signature"] == "valid", f"the export: {checked}")
        asked = ctl("journal", "verify", exported).json
        must(asked["signature"] == "valid", f"with the server's keys: {asked}")
        keys = folder / "gate-1.keys"
        keys.write_text(ctl.bare("device", "keys", "gate-1", "--data", self.stage.server_data).out)
        must(ctl("journal", "verify", exported, "--certificate", keys).json["signature"] == "valid",
             "with its keys from a file")
        answer = ctl("journal", "import", exported).json
        must(all(batch["result"] == "known" for batch in answer["batches"]),
             f"delivered before: {answer}")

    def dead_gate(self):
        """Cut off, then dead: what it admitted meanwhile is nowhere but on its disk."""
        ctl = self.ctl
        code = ctl("device", "invite", self.site, "gate-2", "--kind", "gate",
                   "--point", self.point).json["pairing_code"]
        dead = self.stage.add_device("gate-2", "gate", code, "--walk-ms", "20")
        dead.wait_ready()
        dead.wait_synced()
        dead.ask("uplink off")
        tickets = [ctl(*self.sale).json for _ in range(2)]
        for ticket in tickets:
            answer = dead.ask(f"scan {ticket['text']}")
            must(answer["verdict"] == "admit", f"cut off: {answer}")
            until("its person is through", lambda: dead.status()["lane"] == "idle")
            must(dead.admissions(ticket["id"]), "the admission is not on its disk")
        dead.program.kill()
        for ticket in tickets:
            must(not ctl("ticket", "show", ticket["id"]).json["check_ins"], "it was delivered")
        exported = self.stage.folder / "gate-2.journal"
        made = ctl("journal", "export", "--data", dead.data, "--out", exported).json
        must(made["signed"] and made["events"] == len(dead.events()), f"export: {made}")
        answer = ctl("journal", "import", exported).json
        results = [batch["result"] for batch in answer["batches"]]
        must(answer["booked"] > 0 and "booked" in results, f"import: {answer}")
        for ticket in tickets:
            uses = ctl("ticket", "show", ticket["id"]).json["check_ins"]
            must([use["device"] for use in uses] == ["gate-2"], f"booked to the ticket: {uses}")
        self.stage.check_nothing_lost(dead)
        again = ctl("journal", "import", exported).json
        must(again["booked"] == 0 and {b["result"] for b in again["batches"]} == {"known"},
             f"twice: {again}")
        told = ctl.bare("ticket", "explain", tickets[0]["text"], "--data", self.stage.server_data)
        must("already been used" in told.out and "Used at" in told.out and "gate-2" in told.out,
             f"where and when: {told.out}")

    def damage_is_found(self):
        ctl, gate = self.ctl, self.gate
        with sqlite3.connect(gate.data / "events.db") as db:
            db.execute("UPDATE event SET event = zeroblob(length(event)) WHERE kind = 4")
        report = ctl("journal", "verify", "--data", gate.data, exit=1).json
        must(not report["whole"] and report["flaws"], f"a damaged journal: {report}")
        exported = self.stage.folder / "gate-1.journal"
        content = bytearray(exported.read_bytes())
        content[len(content) // 2] ^= 1
        exported.write_bytes(content)
        ran = ctl.bare("journal", "verify", exported,
                       "--certificate", self.stage.folder / "gate-1.pem")
        must(ran.code in (1, 4), f"a changed byte: exit {ran.code} {ran.out}")

    def pictures(self):
        empty = self.stage.folder / "empty"
        empty.mkdir()
        self.ctl("scan", empty, exit=4)
        (empty / "no.png").write_bytes(b"no picture")
        report = self.ctl("scan", empty, exit=4).lines[0]
        must(report["fault"] == "file_kind_unknown", f"no picture: {report}")


CASES = ["places_and_products", "exit_codes_of_the_way_there", "tickets", "explained", "imported",
         "device_commands", "pairing_refused", "reissued_and_revoked", "journals", "dead_gate",
         "damage_is_found", "pictures"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, type=lambda text: pathlib.Path(text).resolve())
    arguments = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="paifang-ctl-"))
    stage = Stage(root, arguments.build, folder)
    name = "start"
    try:
        stage.start_server()
        case = Case(stage)
        for name in CASES:
            getattr(case, name)()
            print(f"passed {name}", flush=True)
        stage.close()
    except (Failed, OSError, KeyError, ValueError, subprocess.SubprocessError) as error:
        print(f"FAILED {name}: {type(error).__name__}: {error}\nfiles: {folder}", flush=True)
        stage.abandon()
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
