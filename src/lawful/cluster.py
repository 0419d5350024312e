"""Several processes, of one machine or of many, solve one problem: `python -m lawful.cluster --processes 4 problem.py`.

Each process has a device of its own and a share of the points. The launcher starts them, watches them and stops the
others where one dies; the checkpoint in --out is then as it was at the last step kept, for any number of processes.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import jax
import typer

from ._core.collectives import wrong_collectives
from ._core.files import write_atomically
from ._core.mesh import leads, row_of
from ._core.messages import BadInput, NotTrusted, listing
from ._core.precision import use_compilation_cache
from .cli import errors, first_line, read_problem, stopped_by_signals

LOOPBACK = "127.0.0.1"
ANSWERS = (0, 1, 2)
"""Exit codes of a process that came to its end: done, not to be trusted, bad input."""
GRACE = 60.0  # seconds in which the others come to the same end, or to obey


def launch(
    file: Annotated[Path, typer.Argument(metavar="PROBLEM.py", help="Defines `problem`. It is executed.")],
    processes: Annotated[int, typer.Option(metavar="N", help="How many processes share the points.")] = 2,
    coordinator: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where they meet; a free port of 127.0.0.1 by default.")
    ] = None,
    first: Annotated[int, typer.Option(metavar="I", help="Number of the first process of this machine.")] = 0,
    here: Annotated[int | None, typer.Option(metavar="K", help="How many run on this machine; all the rest.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for checkpoint and solution.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run that DIR holds.")] = False,
    process: Annotated[int | None, typer.Option(hidden=True)] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Solve the problem of a Python file by several processes that share its points.

    On several machines, the same command on each with the same --coordinator and its own --first and --here:
    all need the same files, and DIR to resume from. Nothing is encrypted: use a network of your own.
    """
    with errors(debug):
        if process is not None:
            work(file, process, processes, str(coordinator), out, resume)
            return
        count = processes - first if here is None else here
        if processes < 1 or not (first >= 0 and 1 <= count <= processes - first):
            raise BadInput(f"--processes {processes} --first {first} --here {count}: give 0 <= I and I + K <= N.")
        if coordinator is None:
            if count < processes:
                raise BadInput("several machines need --coordinator HOST:PORT, an address of the first of them.")
            coordinator = f"{LOOPBACK}:{free_port()}"
        check_address(coordinator, listens=first == 0)
        read_problem(file)  # a bad file is refused once, here
        options = ["--processes", str(processes), "--coordinator", coordinator]
        options += ["--out", str(out)] * (out is not None) + ["--resume"] * resume + ["--debug"] * debug
        raise typer.Exit(watched(file, options, range(first, first + count)))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]


def check_address(coordinator: str, listens: bool) -> None:
    """Raise `BadInput` for what is no HOST:PORT, and where the first process could not listen there."""
    host, _, port = coordinator.rpartition(":")
    if not (host and port.isdecimal() and 0 < int(port) < 2**16):
        raise BadInput(f"--coordinator {coordinator}: write it as HOST:PORT, such as {LOOPBACK}:5000.")
    try:
        place = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        if listens:
            with socket.socket(place[0]) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the coordinator does
                probe.bind(place[4])
    except OSError as error:
        cure = "an address of this machine and a free port" if listens else "a known host"
        raise BadInput(f"--coordinator {coordinator}: {error.strerror or error}; give {cure}.") from None


def watched(file: Path, options: Sequence[str], numbers: range) -> int:
    """Start the processes and wait for them all; where one dies, stop the others. Returns the worst exit code."""
    with tempfile.TemporaryDirectory() as folder, started(file, options, numbers, Path(folder)) as running:
        ended: float | None = None
        while any(each.poll() is None for each in running.values()):
            for number, each in running.items():
                if each.poll() is not None and each.returncode not in ANSWERS:
                    raise NotTrusted(obituary(number, each, Path(folder)))
            if ended is None and any(each.poll() is not None for each in running.values()):
                ended = time.monotonic()
            if ended is not None and time.monotonic() - ended > GRACE:
                late = [str(number) for number, each in running.items() if each.poll() is None]
                raise NotTrusted(f"process {listing(late)} did not end with the others and was stopped. {RESUME}")
            time.sleep(0.05)
        for number, each in running.items():
            if each.returncode not in ANSWERS:
                raise NotTrusted(obituary(number, each, Path(folder)))
        return max(each.returncode for each in running.values())


RESUME = "With --out DIR the run goes on with --resume, on any number of processes."


def obituary(number: int, process: subprocess.Popen, folder: Path) -> str:
    """Which process died, of what, and what to do."""
    code = process.returncode
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    log = folder / f"{number}.log"
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    said = f"; it said last: {lines[-1].strip()[:300]}." if lines and code > 0 else "."
    return f"process {number} {how} and the others were stopped{said} {RESUME}"


@contextlib.contextmanager
def started(file: Path, options: Sequence[str], numbers: range, folder: Path) -> Iterator[dict[int, subprocess.Popen]]:
    """The processes by their numbers; none is left when the context ends. Only the first of all speaks."""
    running: dict[int, subprocess.Popen] = {}
    try:
        for number in numbers:
            command = [sys.executable, "-m", "lawful.cluster", str(file), *options, "--process", str(number)]
            with open(folder / f"{number}.log", "wb") as log:
                quiet = None if number == 0 else log
                running[number] = subprocess.Popen(command, stdout=quiet, stderr=quiet)
        yield running
    finally:
        for each in running.values():
            if each.poll() is None:
                each.kill()  # files are written beside and renamed: nothing is lost
        for each in running.values():
            each.wait()


def work(file: Path, process: int, processes: int, coordinator: str, out: Path | None, resume: bool) -> None:
    """One of the processes: meet the others, try the collectives, solve, and if it is the first tell."""
    from .report import report
    from .solve import Neural, solve

    meet(coordinator, processes, process)
    devices = jax.devices()
    if wrong := wrong_collectives(row_of(devices)):
        raise NotTrusted(f"{listing(wrong)} gave wrong numbers between {processes} processes; update jax and jaxlib.")
    stated, method = read_problem(file)
    solution = solve(stated, method or Neural(), mesh=devices, out=out, resume=resume, progress=leads())
    if leads():
        if out is not None:
            write_atomically(out / "problem.py", file.read_bytes())
            print(f"written: {report(solution, out / 'report.html')}", file=sys.stderr)
        print(solution.summary())
    jax.distributed.shutdown()  # all together, whatever the answer is worth
    if not solution.status.converged:
        raise NotTrusted(str(solution.status))


def meet(coordinator: str, processes: int, process: int) -> None:
    """Join the other processes; the first of them listens at the coordinator's address and nowhere else."""
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.config.update("jax_enable_preemption_service", False)  # it would swallow SIGTERM
    try:
        jax.distributed.initialize(coordinator, processes, process, coordinator_bind_address=coordinator)
    except RuntimeError as error:
        raise NotTrusted(
            f"process {process} of {processes} did not meet the others at {coordinator} ({first_line(error)}); start"
            " all of them with the same --coordinator and --processes within five minutes."
        ) from error


def main() -> None:
    """The entry point of `python -m lawful.cluster`."""
    use_compilation_cache()
    with stopped_by_signals():
        typer.run(launch)


if __name__ == "__main__":
    main()
