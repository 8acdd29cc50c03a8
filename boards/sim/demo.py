"""The main line of Paifang on one machine: the tour (tour.py), then a stage to play with until Ctrl-C."""

import argparse
import contextlib
import pathlib
import shutil
import signal
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
from live import View  # noqa: E402
from stage import Failed, Stage  # noqa: E402
from tour import Tour  # noqa: E402


class Stopped(BaseException):
    """Ctrl-C or SIGTERM. No Exception, so that nothing on the way takes it for a failure."""


def on_end(handler):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)


def stop(*_):
    on_end(signal.SIG_IGN)  # a second Ctrl-C must not interrupt the clearing up
    raise Stopped


def end(stage, view):
    """Every way out leads here: nothing that was started is left."""
    on_end(signal.SIG_IGN)
    with contextlib.suppress(OSError, ValueError):  # nobody reads what we print any more
        view.close()
    try:
        stage.close()
        return True
    except Failed as error:
        print(error, file=sys.stderr)
        return False
    finally:
        stage.abandon()


def tell(error, tour):
    print(f"\nFAILED after step {tour.steps}: {type(error).__name__}: {error}\nfiles: {tour.stage.folder}",
          file=sys.stderr, flush=True)
    for program in tour.stage.programs():
        if pathlib.Path(program.log).exists():
            print(f"--- {program.name}\n{program.tail()}", file=sys.stderr)


def show(stage, view, once):
    """The tour, and then the stage for everybody, until somebody ends it. The exit code."""
    tour, toured = Tour(stage, view), False
    code = 1
    try:
        view.start()
        tour.run()
        toured, code = True, 0
        if not once:
            tour.goodbye()
    except Stopped:
        code = 0 if toured else 130
    except Exception as error:  # pylint: disable=broad-except  # whatever it is: failed, and nothing left running
        view.close()
        tell(error, tour)
        code = 1
    finally:
        ended = end(stage, view)
    if not ended:
        code = 1
    if code == 0:
        print(f"\n{tour.steps} steps, every one checked on disk.", flush=True)
    elif code == 130:
        print(f"\nstopped in step {tour.steps}; the rest was not shown.", file=sys.stderr, flush=True)
    return code


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/release", help="folder of the built programs")
    parser.add_argument("--once", action="store_true", help="the tour alone, without a terminal")
    parser.add_argument("--keep", action="store_true", help="leave the folder with all files")
    arguments = parser.parse_args()
    on_end(stop)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="paifang-demo-"))
    code = 1
    try:
        stage = Stage(pathlib.Path(__file__).resolve().parents[2], pathlib.Path(arguments.build).resolve(), folder,
                      line=True)
        colour = sys.stdout.isatty()
        code = show(stage, View(stage, colour=colour), arguments.once)
    except Stopped:
        code = 130
    if code != 1 and not arguments.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
