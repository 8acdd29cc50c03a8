"""The runner against programs that say what they are told to: which rows, what is said, which exit code.


"""

import json
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
RUN = pathlib.Path(__file__).resolve().parent / "run"

TABLE = """
[[program]]
script = "program.py"
folder = "good"
rows = ["met", "missed"]

[[program]]
script = "program.py"
folder = "silent"
rows = ["silent"]

[[program]]
script = "program.py"
folder = "broken"
rows = ["broken"]

[[program]]
target = "bench_absent"
folder = "absent"
rows = ["absent"]
"""

ROW = {"name": "met", "unit": "us", "measured": 11.0, "floor": 10.0, "ratio": 1.1, "q1": 1.05, "q3": 1.15,
       "target": "<= 1.2", "met": True, "notes": "as it should be", "details": {"p99": 20.0, "p99_floor": 15.0}}
MISSED = {**ROW, "name": "missed", "target": "<= 1.0", "met": False}

PROGRAM = """#!/usr/bin/env python3
import json, sys
rows = {rows}
wanted = sys.argv[sys.argv.index("--rows") + 1].split(",")
for row in rows:
    if row["name"].split(".")[0] in wanted:
        print(json.dumps({{**row, "notes": " ".join(sys.argv[1:])}}), flush=True)
sys.exit({code})
"""


class Runner(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.place = pathlib.Path(self.folder.name)
        (self.place / "rows.toml").write_text(TABLE)
        part = {**MISSED, "name": "missed.part", "met": None, "target": None}
        self.program("good", [ROW, MISSED, part], 0)
        self.program("silent", [], 0)
        self.program("broken", [], 3)

    def tearDown(self):
        self.folder.cleanup()

    def program(self, name, rows, code):
        path = self.place / name / "program.py"
        path.parent.mkdir()
        path.write_text(PROGRAM.format(rows=rows, code=code))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def run_it(self, *words):
        command = [sys.executable, "-B", RUN, "--table", self.place / "rows.toml", "--build", self.place / "build",
                   "--no-build", *words]
        return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)

    def test_rows_are_passed_on_as_json(self):
        run = self.run_it("met", "missed", "--json", "--quick")
        rows = [json.loads(line) for line in run.stdout.splitlines()]
        self.assertEqual([row["name"] for row in rows], ["met", "missed", "missed.part"])
        self.assertIn("--json --rows met,missed --quick", rows[0]["notes"])
        self.assertEqual(run.returncode, 0)

    def test_only_what_is_asked_for_is_taken(self):
        rows = [json.loads(line)["name"] for line in self.run_it("missed", "--json").stdout.splitlines()]
        self.assertEqual(rows, ["missed", "missed.part"])

    def test_the_table_for_people(self):
        run = self.run_it("met", "missed")
        line = next(line for line in run.stdout.splitlines() if line.startswith("| met"))
        cells = [cell.strip() for cell in line.split("|")][1:-1]
        self.assertEqual(cells[:8], ["met", "us", "11", "10", "1.100", "1.050 – 1.150", "≤ 1.2", "met"])
        self.assertIn("p99 20, p99_floor 15", cells[8])
        self.assertIn("cores", run.stdout.splitlines()[0])
        self.assertIn("MISSED", run.stdout)

    def test_a_missed_target_is_a_failure_only_when_asked(self):
        self.assertEqual(self.run_it("missed").returncode, 0)
        self.assertEqual(self.run_it("missed", "--strict").returncode, 1)
        self.assertEqual(self.run_it("met", "--strict").returncode, 0)
        self.assertIn("missed: missed", self.run_it("missed").stderr)

    def test_quick_judges_nothing(self):
        run = self.run_it("missed", "--quick", "--strict", "--json")
        self.assertEqual(run.returncode, 0)
        self.assertEqual([json.loads(line)["met"] for line in run.stdout.splitlines()], [None, None])

    def test_a_program_that_fails_or_says_nothing_is_a_failure(self):
        for name, said in (("broken", "exit 3"), ("silent", "gave no row silent")):
            run = self.run_it(name)
            self.assertEqual(run.returncode, 1)
            self.assertIn(said, run.stderr)

    def test_a_program_that_is_not_there_is_said_to_be_missing(self):
        run = self.run_it("absent", "met")
        self.assertEqual(run.returncode, 1)
        self.assertIn("absent: there is no tests/bench/absent yet", run.stderr)
        self.assertIn("| met", run.stdout)

    def test_the_list_names_every_row(self):
        run = self.run_it("--list")
        named = [line.split()[0] for line in run.stdout.splitlines()]
        self.assertEqual(named, ["met", "missed", "silent", "broken", "absent"])
        self.assertIn("not there yet", run.stdout.splitlines()[-1])

    def test_a_name_nobody_knows_is_refused(self):
        run = self.run_it("scan_fast")
        self.assertEqual(run.returncode, 2)
        self.assertIn("no row is called scan_fast", run.stderr)


class Table(unittest.TestCase):
    def test_every_folder_of_benches_is_in_the_table(self):
        here = RUN.parent
        table = (here / "rows.toml").read_text()
        for listed in here.glob("*/CMakeLists.txt"):
            self.assertIn(f'folder = "{listed.parent.name}"', table, listed)


if __name__ == "__main__":
    unittest.main()
