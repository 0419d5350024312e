"""Faults of work that several processes share: a fit by `python -m lawful.cluster`, a sweep by workers of Dask."""

from __future__ import annotations

import functools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench import Bench, Said, numbers
from kinds import Outcome, told
from laws import stated

EVERY_STEP = "from lawful.solve._keeper import Keeper\nKeeper.__init__.__defaults__ = (0.0,)\n"
METHOD = "lf.Neural(trial=lf.Spectral(8), points=31)"
PATIENCE = 240.0


def started(root: Path, *words: object) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-m", *map(str, words)]
    return subprocess.Popen(
        command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process: subprocess.Popen) -> Said:
    out, err = process.communicate(timeout=PATIENCE)
    return Said(process.returncode, out, err)


def descendants(pid: int) -> list[int]:
    found = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return found + [below for child in found for below in descendants(child)]


def wait_for(process: subprocess.Popen, true: Callable[[], bool]) -> bool:
    """Whether it became true while the process was running."""
    limit = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < limit:
        if true():
            return process.poll() is None
        time.sleep(0.005)
    return False


def fit(bench: Bench, count: int, folder: Path, *options: str) -> subprocess.Popen:
    file = bench.root / "shared.py"
    file.write_text(EVERY_STEP + stated(METHOD))
    return started(bench.root, "lawful.cluster", file, "--processes", count, "--out", folder, *options)


@functools.cache
def undisturbed(bench: Bench) -> tuple:
    folder = bench.folder()
    said = ended(fit(bench, 2, folder))
    assert said.code == 0, said.err
    return numbers(folder)


def process_killed(bench: Bench, draw: random.Random) -> Outcome:
    """One of two processes is killed after a random checkpoint, and the run taken up by two, one or three.

    By two it must come to the same answer to the bit. By other numbers sums are rounded differently: 1e-10.
    """
    whole, folder = undisturbed(bench), bench.folder()
    process, moment, seen = fit(bench, 2, folder), draw.randint(1, 12), set()
    path = folder / "checkpoint.npz"

    def late_enough() -> bool:
        if path.exists():
            seen.add(path.stat().st_mtime_ns)
        return len(seen) >= moment

    came = wait_for(process, late_enough)
    if came and (victims := descendants(process.pid)):
        os.kill(draw.choice(victims), signal.SIGKILL)
    said = ended(process)
    poor = told(said, 1, "was killed by SIGKILL and the others were stopped", "--out DIR", "--resume") if came else ""
    count = draw.choice((2, 2, 1, 3))
    again = ended(fit(bench, count, folder, "--resume"))
    if again.code != 0 or not again.clean:
        return Outcome(f"by {count}: exit {again.code}, {again.err[-300:]!r}", poor, came)
    found = numbers(folder)
    if count == 2:
        return Outcome("" if found == whole else "by two: another answer", poor, came)
    pairs = [(one[0]["k"][part], other[0]["k"][part]) for one, other in [(found, whole)] for part in ("value", "sd")]
    apart = max(abs(a - b) / abs(b) for a, b in pairs)
    return Outcome("" if apart < 1e-10 else f"by {count}: {apart:.1e} apart", poor, came)


def swept(bench: Bench, folder: Path) -> subprocess.Popen:
    words = ("sweep", "misra", "--over", "seed=0,1,2,3", "--effort", "quick", "--workers", 2, "--json")
    return started(bench.root, "lawful", *words, "--out", folder)


@functools.cache
def rows_undisturbed(bench: Bench) -> list[dict]:
    said = ended(swept(bench, bench.folder()))
    assert said.code == 0, said.err
    return rows(said)


def rows(said: Said) -> list[dict]:
    return [{**row, "seconds": 0} for row in json.loads(said.out)]


def worker_killed(bench: Bench, draw: random.Random) -> Outcome:
    """A worker of a sweep is killed at a random moment: its piece is tried again by another."""
    whole, folder = rows_undisturbed(bench), bench.folder()
    process = swept(bench, folder)
    came = wait_for(process, lambda: len(workers(process.pid)) >= 2)
    time.sleep(draw.uniform(0.0, 8.0))
    came = came and process.poll() is None
    if came and (victims := workers(process.pid)):
        os.kill(draw.choice(victims), signal.SIGKILL)
    said = ended(process)
    good = said.code == 0 and rows(said) == whole
    return Outcome(
        "" if good else f"exit {said.code}, {said.err[-300:]!r}", "" if said.clean else said.err[-600:], came
    )


def sweep_killed(bench: Bench, draw: random.Random) -> Outcome:
    """The sweep itself is killed, with all of its workers; a second call goes on."""
    whole, folder = rows_undisturbed(bench), bench.folder()
    process, moment = swept(bench, folder), draw.randint(0, 3)
    came = wait_for(process, lambda: len(list(folder.glob("seed=*.json"))) >= moment and len(workers(process.pid)) > 1)
    if came:
        for pid in [process.pid, *descendants(process.pid)]:
            os.kill(pid, signal.SIGKILL)
    ended(process)
    kept = {path.name: path.stat().st_mtime_ns for path in folder.glob("seed=*.json")}
    said = ended(swept(bench, folder))
    good = said.code == 0 and rows(said) == whole
    again = [name for name, when in kept.items() if (folder / name).stat().st_mtime_ns != when]
    lost = "" if good and not again else f"exit {said.code}, done again: {again}, {said.err[-300:]!r}"
    return Outcome(lost, "" if said.clean else said.err[-600:], came)


def workers(pid: int) -> list[int]:
    """Processes of Dask that work: those whose command line says that they were spawned."""
    found = []
    for below in descendants(pid):
        words = Path(f"/proc/{below}/cmdline").read_bytes()
        if b"spawn_main" in words:
            found.append(below)
    return found


SHARED: dict[str, tuple[int, Callable]] = {
    "a process of a shared fit killed": (6, process_killed),
    "a worker of a sweep killed": (4, worker_killed),
    "a sweep killed": (3, sweep_killed),
}
