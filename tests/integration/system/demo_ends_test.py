"""The demo is ended in the middle: the exit code says so, and no process is left. demo_ends_test.py --build DIR"""

import argparse
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

root = pathlib.Path(__file__).resolve().parents[3]
STOPPED = 130


def left_over(folder):
    """Processes with the demo's folder in their command line, or that live in it, as the broker does."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            home = str((process / "cwd").readlink())
        except OSError:
            continue  # it ended meanwhile
        if str(folder) in words or home.startswith(str(folder)):
            found.append(words)
    return found


def ended_by(number, build, expected):
    with tempfile.TemporaryDirectory(prefix="demo-ends-") as folder:
        demo = subprocess.Popen([sys.executable, root / "boards/sim/demo.py", "--build", build, "--once"],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                env={"TMPDIR": folder, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        said = []
        try:
            for line in demo.stdout:
                said.append(line)
                if "gate-south" in line and "paired" in line:  # server, broker and devices are up
                    break
            running = len(left_over(folder))
            demo.send_signal(number)
            said.append(demo.communicate(timeout=60)[0])
        finally:
            demo.kill()
        text = "".join(said)
        deadline = time.monotonic() + 10
        while (left := left_over(folder)) and time.monotonic() < deadline:
            time.sleep(0.1)
        wrong = [what for what, holds in (
            (f"only {running} processes were running", running < 6),
            (f"exit {demo.returncode}, not {expected}", demo.returncode != expected),
            ("it claims that all was checked", "every one checked" in text),
            (f"left running: {left}", bool(left))) if holds]
        print(f"{'FAILED' if wrong else 'passed'} {number.name} {'; '.join(wrong)}")
        if wrong:
            print(text)
        return not wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, type=lambda text: pathlib.Path(text).resolve())
    build = parser.parse_args().build
    results = [ended_by(number, build, expected) for number, expected in (
        (signal.SIGTERM, STOPPED), (signal.SIGINT, STOPPED), (signal.SIGKILL, -signal.SIGKILL))]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
