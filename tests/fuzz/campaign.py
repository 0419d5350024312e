"""A long search for a file, or a command line, that is answered by a traceback, by hanging, or by eating the memory.

    python tests/fuzz/campaign.py --inputs 1000000 --keep findings         all doors, by faults put into good files
    python tests/fuzz/campaign.py --door csv --guided --inputs 100000      one door, by atheris, which follows coverage

Each door has a process of its own, with a limit of memory and a limit of seconds for one input. What breaks in is kept
with its traceback, one file for each different place in the code; exit 1 then. Atheris is installed apart:
pip install atheris.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

SECONDS, GIGABYTES = 10, 6
SLOW = {
    "command line": 0.01, "inside checkpoint": 0.02, "inside solution": 0.02, "solution": 0.1, "network": 0.1,
    "mesh": 0.1, "polygon": 0.1, "xarray": 0.2,
}  # fmt: skip
"""Shares of the inputs for doors behind which much is done."""


class TooLong(BaseException):
    """Not an Exception, so that no door mistakes it for its own."""


def late(signum, frame):
    raise TooLong(f"more than {SECONDS} s for one input")


def place_of(error: BaseException) -> str:
    """Where it was raised, and what: two inputs that break at one place count as one finding."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}"


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (GIGABYTES << 30,) * 2)
    signal.signal(signal.SIGALRM, late)


class Watch:
    """Tries inputs at one door and keeps what breaks in."""

    def __init__(self, door, folder: Path, keep: Path | None):
        self.door, self.keep = door, keep
        self.path = folder / f"file{door.suffix}"
        self.places: dict[str, int] = {}
        self.slowest = 0.0
        self.let_in = 0
        self.count = 0

    def __call__(self, content: bytes) -> None:
        begin = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            self.let_in += self.door.tried(content, self.path) is None
        except BaseException as error:  # a finding is whatever it is
            if isinstance(error, KeyboardInterrupt):
                raise
            self.found(content, error)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        self.count += 1
        self.slowest = max(self.slowest, time.monotonic() - begin)

    def found(self, content: bytes, error: BaseException) -> None:
        place = place_of(error)
        self.places[place] = self.places.get(place, 0) + 1
        if self.places[place] > 1:
            return
        print(f"  {self.door.name}: {place}: {str(error)[:200]}", file=sys.stderr, flush=True)
        if self.keep:
            self.keep.mkdir(parents=True, exist_ok=True)
            stem = f"{self.door.name.replace(' ', '-')}-{len(self.places)}"
            (self.keep / f"{stem}{self.door.suffix}").write_bytes(content)
            (self.keep / f"{stem}.traceback").write_text("".join(traceback.format_exception(error)))

    def __str__(self) -> str:
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        return (
            f"{self.door.name:14} {self.count:9} inputs  {self.let_in:8} let in  {len(self.places):3} findings"
            f"  slowest {self.slowest:6.3f} s  memory {memory:4.1f} GiB"
        )


def one(arguments: argparse.Namespace) -> int:
    """One door, in this process."""
    if arguments.guided:
        import atheris

        with atheris.instrument_imports(include=["lawful"]):
            from doors import DOORS
    else:
        from doors import DOORS
    from mutants import mutant

    warnings.simplefilter("error")  # as in the tests
    door = next(door for door in DOORS if door.name == arguments.door)
    seeds = door.seeds()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        watch = Watch(door, Path(folder), arguments.keep)
        for seed in seeds:  # what is imported or compiled once is no input's fault
            with contextlib.suppress(Exception):
                door.tried(seed, watch.path)
        limited()
        if arguments.guided:
            followed(watch, seeds, arguments)
        draw = random.Random(arguments.seed)
        for _ in range(0 if arguments.guided else arguments.inputs):
            watch(mutant(seeds, draw))
        print(watch, flush=True)
        return bool(watch.places)


def followed(watch: Watch, seeds: list[bytes], arguments: argparse.Namespace) -> None:
    """By atheris: inputs that reach new lines are kept and changed further. It ends the process by itself."""
    import atheris

    corpus = watch.path.parent / "corpus"
    corpus.mkdir()
    for k, seed in enumerate(seeds):
        (corpus / str(k)).write_bytes(seed)

    def tried(content: bytes) -> None:
        watch(content)
        if watch.count >= arguments.inputs:
            print(watch, flush=True)
            os._exit(bool(watch.places))

    options = [f"-runs={2 * arguments.inputs}", f"-seed={arguments.seed + 1}", "-rss_limit_mb=0", "-verbosity=0"]
    atheris.Setup([sys.argv[0], str(corpus), *options, "-max_len=8192"], tried)
    atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=100_000, help="in all, or for one door")
    parser.add_argument("--door", help="one door alone")
    parser.add_argument("--guided", action="store_true", help="by coverage, with atheris")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for what breaks in")
    arguments = parser.parse_args()
    if arguments.door:
        return one(arguments)
    from doors import DOORS

    shares = {door.name: SLOW.get(door.name, 1.0) for door in DOORS}
    broken = 0
    for name, share in shares.items():
        count = max(round(arguments.inputs * share / sum(shares.values())), 1)
        command = [sys.executable, __file__, "--door", name, "--inputs", str(count), "--seed", str(arguments.seed)]
        command += ["--guided"] * arguments.guided + (["--keep", str(arguments.keep)] if arguments.keep else [])
        broken += subprocess.run(command, check=False).returncode != 0
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
