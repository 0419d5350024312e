"""Every benchmark that needs no data but what it makes or fetches itself, in its short form: `make bench`.

    python benchmarks/short.py                         # minutes; writes docs/benchmarks-short.md
    python benchmarks/short.py layers nist             # some of them
    python benchmarks/short.py --without-peers         # none that makes an environment for another library

Each script runs in a process of its own, and what it prints goes onto the page as it stands, with the machine, its
load, the date and the seconds it took: wins and losses alike, and its own complaint where it fails. Scripts that are
not run keep what they last said there. Few draws and small sizes say less than the tables of docs/benchmarks.md, which
these figures do not replace. Exit status 1 where a script failed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from _machine import machine

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "benchmarks-short.md"
LIMIT = 600  # seconds for one script


@dataclass(frozen=True)
class Short:
    """A script with the arguments of its short form. `peers` says whose environment it makes with pip, if any;
    `first` is a script that fetches what it needs."""

    script: str
    arguments: tuple[str, ...]
    question: str
    peers: str = ""
    first: str = ""


SHORTS = (
    Short("nist", (), "Least squares on NIST's 54 certified fits, beside MINPACK", first="../tests/nist_data.py"),
    Short("coverage", ("--draws", "40"), "Do 95 % intervals hold the truth?"),
    Short("derivatives", ("--points", "1024", "--repetitions", "11"), "Derivatives by name against `jax.jvp` by hand"),
    Short("channel_coverage", ("--draws", "3", "--sensors", "20", "--noise", "5"), "Is the missing term named?"),
    Short("layers", (), "The exact model of a stack of layers, with its gradient"),
    Short("lubrication", ("--cells", "64", "128"), "A film with cavitation and the gradient of its friction"),
    Short("certificates", ("--cases", "40"), "Do certified tubes hold the motion?"),
    Short("dispersion", (), "Dispersion curves beside disba", peers="disba"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="SCRIPT", help=", ".join(each.script for each in SHORTS))
    parser.add_argument("--without-peers", action="store_true")
    parser.add_argument("--page", type=Path, default=PAGE)
    arguments = parser.parse_args()
    known = {each.script: each for each in SHORTS}
    if strangers := [name for name in arguments.names if name not in known]:
        parser.error(f"no short form of {', '.join(strangers)}; there are {', '.join(known)}")
    chosen = [known[name] for name in arguments.names] or list(SHORTS)
    told, failed = sections_of(arguments.page), 0
    for each in chosen:
        if each.peers and arguments.without_peers:
            continue
        told[each.question], code = section(each)
        failed += code != 0
        print(f"## {each.question}\n\n{told[each.question]}\n", flush=True)
        arguments.page.write_text(page(told), encoding="utf-8")
    print(f"written: {arguments.page}")
    return int(failed > 0)


def section(short: Short) -> tuple[str, int]:
    """What one script printed, as a part of the page; and its exit status, 124 where it ran too long."""
    if short.first:
        subprocess.run([sys.executable, str(HERE / short.first)], stdout=subprocess.DEVNULL, check=False)
    command, begin = [sys.executable, str(HERE / f"{short.script}.py"), *short.arguments], time.monotonic()
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LIMIT, check=False, env={**os.environ, "COLUMNS": "120"}
        )
        said, code = done.stdout, done.returncode
        complaint = f"It failed with exit status {code}: {last_line(done.stderr)}" if code else ""
    except subprocess.TimeoutExpired as late:
        said, code = (late.stdout or b"").decode(errors="replace"), 124
        complaint = f"It was stopped after {LIMIT} s."
    seconds = time.monotonic() - begin
    words = " ".join([f"benchmarks/{short.script}.py", *short.arguments])
    load = f"load {os.getloadavg()[0]:.0f}" if hasattr(os, "getloadavg") else "load unknown"
    how = f"`{words}`: {seconds:.0f} s, {load}. {machine('lawful', 'jax', 'numpy', 'scipy')}"
    parts = [how, f"```text\n{said.strip() or 'nothing printed'}\n```"]
    return "\n\n".join([*parts, *([complaint] if complaint else [])]), code


def last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no message"


def sections_of(path: Path) -> dict[str, str]:
    """What each script last said, by its question."""
    parts = path.read_text(encoding="utf-8").split("\n## ")[1:] if path.exists() else []
    return {part.partition("\n")[0]: part.partition("\n")[2].strip() for part in parts}


def page(told: dict[str, str]) -> str:
    head = (
        "# Benchmarks in their short form\n\n"
        "Written by `make bench`: what each script printed, as it stands, on the machine and at the load that stand\n"
        "there. Few draws and small sizes; the full tables are in [Benchmarks](benchmarks.md)."
    )
    return "\n\n".join([head, *(f"## {question}\n\n{text}" for question, text in told.items())]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
