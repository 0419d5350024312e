"""Kinds of faults: each disturbs one run, takes it up again, and says whether anything was lost and what was said."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from bench import Bench, Disk, Nursery, Said, lawful, numbers, signalled
from laws import METHODS


@dataclass(frozen=True)
class Outcome:
    """lost     what was lost: "" where the run that was taken up again came to the undisturbed answer, to the bit.
    poor     what is wrong with the message or the exit code: "" where they say what, where and the cure.
    came     whether the fault came before the run was over.
    """

    lost: str
    poor: str
    came: bool = True


def told(said: Said, code: int, *words: str) -> str:
    """What is wrong with what was said; "" where all is as it should be."""
    if said.code == code and said.clean and len(said.last) > 20 and all(word in said.last for word in words):
        return ""
    return f"exit {said.code} (should be {code}): {said.err.strip()[-300:]!r}, wanted {words}"


def resumed(bench: Bench, method: str, folder: Path, *options: str) -> str:
    good, said = bench.resumed(method, folder, *options)
    return "" if good else f"taken up again: exit {said.code}, {said.err.strip()[-300:]!r}, another answer or leftovers"


def checkpointed(bench: Bench, method: str, draw: random.Random) -> Path:
    """A folder whose run was stopped at a random one of its checkpoints."""
    while True:
        folder = bench.folder()
        with Disk(draw.randint(12, bench.operations[method] - 12)):
            lawful("solve", bench.file(method), "--out", folder)
        if len(list(folder.glob("checkpoint*.npz"))) == 2:  # not between the two renames
            return folder


# Processes that end before their time


def killed(bench: Bench, nursery: Nursery, draw: random.Random) -> Outcome:
    """SIGKILL to a process of its own: at an operation on files, or after so many seconds."""
    method, folder = bench.drawn(draw), bench.folder()
    at_files = draw.random() < 0.6
    moment = draw.randint(1, bench.operations[method]) if at_files else None
    pid = nursery.start(folder, "solve", bench.file(method), "--out", folder, moment=moment)
    if not at_files:
        time.sleep(draw.uniform(0.0, 6.0))
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    said = nursery.end()
    return Outcome(resumed(bench, method, folder), "", said.code == -signal.SIGKILL)


def asked_to_end(bench: Bench, draw: random.Random, number: int, code: int, word: str) -> Outcome:
    method, folder = bench.drawn(draw), bench.folder()
    with signalled(number, draw.uniform(0.0, 0.6) * bench.seconds[method]) as sent:
        said = lawful("solve", bench.file(method), "--out", folder)
    stopped = bool(sent) and said.code != 0
    poor = told(said, code, word, "--out DIR", "--resume") if stopped else ("" if said.clean else said.err[-300:])
    came = stopped or (bool(sent) and bool(poor))
    return Outcome(resumed(bench, method, folder), poor, came)


def terminated(bench: Bench, draw: random.Random) -> Outcome:
    return asked_to_end(bench, draw, signal.SIGTERM, 143, "stopped by SIGTERM")


def interrupted(bench: Bench, draw: random.Random) -> Outcome:
    return asked_to_end(bench, draw, signal.SIGINT, 130, "interrupted")


# Disks


def full(bench: Bench, draw: random.Random) -> Outcome:
    """No room left, from a random operation on or at that one alone."""
    method, folder = bench.drawn(draw), bench.folder()
    with Disk(draw.randint(1, bench.operations[method]), forever=draw.random() < 0.5) as disk:
        said = lawful("solve", bench.file(method), "--out", folder)
    if said.code == 0:  # the file of `lawful view` alone could not be written: the run went on
        whole = bench.same(method, folder) and said.clean
        return Outcome("" if whole else "another answer", "" if said.clean else said.err[-300:], disk.hit is not None)
    poor = told(said, 2, "No space left on device", str(folder), "has room")
    return Outcome(resumed(bench, method, folder), poor)


def small_disk(bench: Bench, draw: random.Random) -> Outcome:
    """A file system of a few pages, which a neighbour fills while the run works; then room is made."""
    method = bench.drawn(draw)
    with tempfile.TemporaryDirectory() as place, mounted(Path(place), draw.randint(4, 24)) as disk:
        folder = disk / "run"
        said = lawful("solve", bench.file(method), "--out", folder)
        subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
        poor = told(said, 2, "No space left on device", str(folder), "has room") if said.code else ""
        return Outcome(resumed(bench, method, folder), poor, said.code != 0)


@contextlib.contextmanager
def mounted(place: Path, pages: int) -> Iterator[Path]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={4 * pages}k", "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def may_mount() -> bool:
    with tempfile.TemporaryDirectory() as place:
        try:
            with mounted(Path(place), 4):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False


# Checkpoints


def damaged(bench: Bench, draw: random.Random, hurt: Callable[[bytes, random.Random], bytes], all_: bool) -> Outcome:
    """The checkpoint is hurt: the one before it is taken. Where that is hurt too, it is said, and nothing touched."""
    method = bench.drawn(draw)
    folder = checkpointed(bench, method, draw)
    paths = sorted(folder.glob("checkpoint*.npz"))
    assert len(paths) == 2, paths
    for path in paths if all_ else paths[-1:]:
        path.write_bytes(hurt(path.read_bytes(), draw))
    said = lawful("solve", bench.file(method), "--out", folder, "--resume")
    if said.code == 0:
        # Hurt where it does not matter (a date inside), or the one before was taken, which is said.
        whole = bench.same(method, folder) and said.clean
        heard = all_ or "checkpoint.npz is damaged" in said.err or "damaged" not in said.err
        return Outcome("" if whole else "another answer", "" if heard else "nothing said of the damage")
    poor = told(said, 2, "checkpoint.npz", "damaged", "delete it")
    if not all_:
        return Outcome("the checkpoint before was not taken", poor)
    return Outcome(resumed(bench, method, folder, "--json"), poor)


def cut(content: bytes, draw: random.Random) -> bytes:
    return content[: draw.randrange(len(content))]


def flipped(content: bytes, draw: random.Random) -> bytes:
    found = bytearray(content)
    for _ in range(draw.choice((1, 1, 4, 64))):
        found[draw.randrange(len(found))] ^= 1 << draw.randrange(8)
    return bytes(found)


def truncated(bench: Bench, draw: random.Random) -> Outcome:
    return damaged(bench, draw, cut, draw.random() < 0.5)


def bytes_flipped(bench: Bench, draw: random.Random) -> Outcome:
    return damaged(bench, draw, flipped, draw.random() < 0.5)


def foreign(bench: Bench, draw: random.Random) -> Outcome:
    """A checkpoint of another law, another number, another method, or another version of the library."""
    from lawful._core.files import read_arrays, write_arrays

    method = bench.drawn(draw)
    folder = checkpointed(bench, method, draw)
    what = draw.choice(("law", "start", "method", "version"))
    file, word = bench.file(method), "belongs to another problem, method or training"
    if what == "law":
        file = bench.file(method, "other-law", law="growth")
    elif what == "start":
        file = bench.file(method, "other-start", start=1 + draw.random())
    elif what == "method":
        file = bench.file(draw.choice([m for m in METHODS if m != method]))
    else:
        word = "was written by lawful 0.0.1"
        for path in folder.glob("checkpoint*.npz"):
            arrays, meta = read_arrays(path)
            write_arrays(path, arrays, {**meta, "lawful": "0.0.1"})
    before = {path.name: path.read_bytes() for path in folder.glob("*.npz")}
    said = lawful("solve", file, "--out", folder, "--resume")
    touched = before != {path.name: path.read_bytes() for path in folder.glob("*.npz")}
    poor = told(said, 2, "checkpoint.npz", word, "without --resume")
    lost = (
        "the checkpoint was touched" if touched else resumed(bench, method, folder, *["--json"] * (what == "version"))
    )
    return Outcome(lost, poor)


# Clocks and numbers


def clock(bench: Bench, draw: random.Random) -> Outcome:
    """The clock of the machine jumps, by up to ten years in either direction, at a random look at it; half of the runs
    are then stopped and taken up again at yet another time."""
    method, folder = bench.drawn(draw), bench.folder()
    jump, moment = draw.uniform(-3e8, 3e8), draw.randint(1, 5)
    looks, now = [0], time.time

    def jumping() -> float:
        looks[0] += 1
        return now() + (jump if looks[0] >= moment else 0.0)

    stops = draw.random() < 0.5
    with mock.patch.object(time, "time", jumping):
        with Disk(draw.randint(12, bench.operations[method] - 12) if stops else None):
            said = lawful("solve", bench.file(method), "--out", folder)
        if stops:
            jump = -jump
            return Outcome(resumed(bench, method, folder), told(said, 2, "No space left", str(folder)))
    whole = said.code == 0 and bench.same(method, folder)
    return Outcome("" if whole else f"another answer, exit {said.code}", "" if said.clean else said.err[-300:])


def nan(bench: Bench, draw: random.Random) -> Outcome:
    """The law is not a number as soon as k passes the value that it has at a random step.

    The fit goes round, to the undisturbed estimate, or says which term is not finite, at which place and step; a run
    that was stopped on the way comes to the same end.
    """
    method = bench.drawn(draw)
    step = draw.choice(bench.steps[method])
    k = step[4]["k"]
    width = draw.choice((1e-9, 1e-3, 10.0))
    constants = {"nan_from": k - width / 2, "nan_to": k + width}
    file = bench.file(method, f"nan{bench.count}", law="broken", constants=constants)
    one, two = bench.folder(), bench.folder()
    said = lawful("solve", file, "--out", one)
    if said.code not in (0, 1) or not said.clean:
        return Outcome("", f"exit {said.code}: {said.err.strip()[-300:]!r}")
    with Disk(draw.randint(8, 30)):
        lawful("solve", file, "--out", two)
    again = lawful("solve", file, "--out", two, "--resume")
    lost = "" if again.code == said.code and repr(numbers(one)) == repr(numbers(two)) else "another end"
    if said.code == 1:
        words = ("not to be trusted",)
        named = any(
            w in said.last for w in ("law: decay at", "laws could not", "laws cannot", "not settled", "no step")
        )
        return Outcome(lost, told(said, 1, *words) or ("" if named else f"no reason: {said.last}"))
    found, true = numbers(one)[0]["k"], bench.whole[method][0]["k"]
    near = abs(found["value"] - true["value"]) <= 0.2 * true["sd"]
    return Outcome(lost or ("" if near else f"trusted, but k = {found} and not {true}"), "")


KINDS: dict[str, tuple[int, Callable]] = {
    "SIGKILL to a process": (24, killed),
    "no room at a write, flush or rename": (36, full),
    "checkpoint truncated": (36, truncated),
    "checkpoint with flipped bits": (36, bytes_flipped),
    "checkpoint of another run or version": (10, foreign),
    "clock jumps": (14, clock),
    "SIGTERM": (20, terminated),
    "SIGINT": (20, interrupted),
    "a file system that is full": (6, small_disk),
    "NaN from a step on": (6, nan),
}
