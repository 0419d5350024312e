"""How long does each study take from an empty process, how much memory does it need, and how long does the import take?

    python benchmarks/studies.py [STUDY ...] --effort normal

Every study runs in a process of its own through the command line, with JAX's compilation cache off, so that every
compilation counts; the peak of its resident memory is what the operating system reports. Studies of recordings need
their files (see `lawful doctor`) and are left out without them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

from _machine import machine

IMPORT = """
import time
begin = time.perf_counter()
import jax
middle = time.perf_counter()
import lawful
print(middle - begin, time.perf_counter() - middle)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", nargs="*", metavar="STUDY", help="all where none is named")
    parser.add_argument("--effort", choices=("quick", "normal", "best"), default="normal")
    arguments = parser.parse_args()
    print(machine("jax", "numpy"), flush=True)
    runs = [
        subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True) for _ in range(5)
    ]
    alone, beyond = zip(*[map(float, run.stdout.split()) for run in runs], strict=True)
    print(f"import: jax {statistics.median(alone):.2f} s, lawful beyond it {statistics.median(beyond):.2f} s")
    print(f"{'study':22} {'seconds':>8} {'peak MB':>8}  exit", flush=True)
    for name in arguments.studies or names():
        seconds, peak, code = measured(["run", name, "--effort", arguments.effort, "--json"])
        print(f"{name:22} {seconds:8.1f} {peak:8.0f}  {code}", flush=True)


def names() -> list[str]:
    return [line.split()[0] for line in output(["-m", "lawful", "list"]).splitlines() if line.strip()]


def output(words: list[str]) -> str:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True).stdout


def measured(words: list[str]) -> tuple[float, float, int]:
    """Seconds, peak resident megabytes and exit code of one command."""
    surroundings = {**os.environ, "JAX_ENABLE_COMPILATION_CACHE": "0"}
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "lawful", *words],
        env=surroundings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - begin, usage.ru_maxrss / 1024, process.returncode


if __name__ == "__main__":
    main()
