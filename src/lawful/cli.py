"""The command line: list, run, sweep, solve, new, report, view, doctor.

Exit codes: 0 done; 1 it ran, but the result is not to be trusted; 2 bad input, one line says what, where and the cure.
"""

from __future__ import annotations

import _thread
import contextlib
import itertools
import json
import re
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from ._core.files import write_atomically, write_json
from ._core.messages import BadInput, NotTrusted, shown
from ._core.precision import use_compilation_cache
from .studies._base import Effort, Outcome, Request, check_options, study, study_names

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Models that learn from data and obey the laws of physics.",
)

Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output and nothing else there.")]


@app.command("list")
def list_studies() -> None:
    """The studies, a line each."""
    names = study_names()
    width = max(map(len, names))
    for name in names:
        print(f"{name:{width}}  {study(name).SUMMARY}")


@app.command()
def run(
    name: Annotated[str, typer.Argument(metavar="STUDY", help="A name from `lawful list`.")],
    effort: Annotated[Effort, typer.Option(help="How hard to try.")] = Effort.NORMAL,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for report, figures and numbers.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting of the study; repeatable."),
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Run a study, print what it found and write its report."""
    with errors(debug):
        chosen = study(name)
        options = settings(set_ or [])
        check_options(name, options, chosen.OPTIONS)
        outcome = chosen.run(Request(effort, seed, options, progress=True))
        numbers = {
            **outcome.numbers,
            "status": str(outcome.status),
            "seconds": outcome.main.seconds,
            "seed": seed,
            "effort": effort.value,
        }
        if not as_json:
            print(outcome.text, f"{outcome.status}", sep="\n")
        if out is not None:
            for some in in_series(write_outcome(name, outcome, numbers, out)):
                print(f"written: {some}", file=sys.stderr if as_json else sys.stdout)
        if as_json:
            print(json.dumps(numbers, allow_nan=False))
        if not outcome.status.converged:
            raise NotTrusted(str(outcome.status))


@app.command()
def sweep(
    name: Annotated[str, typer.Argument(metavar="STUDY", help="A name from `lawful list`.")],
    over: Annotated[
        list[str], typer.Option("--over", metavar="NAME=A,B,C", help="Values of a setting, or of seed; repeatable.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder where each finished piece is kept.")],
    effort: Annotated[Effort, typer.Option(help="How hard to try.")] = Effort.NORMAL,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting of all pieces; repeatable.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Of a Dask scheduler; by default workers on this machine.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes on this machine.")] = 2,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Run a study at every combination of settings, on workers; a second call goes on where the first was stopped."""
    with errors(debug):
        from ._sweep import axes_of, told
        from ._sweep import sweep as run_all

        grid = axes_of(over)
        rows = run_all(
            name, grid, out, effort=effort, seed=seed, options=settings(set_ or []), scheduler=scheduler,
            workers=workers, progress=True,
        )  # fmt: skip
        print(json.dumps(rows, allow_nan=False) if as_json else told(rows, tuple(grid)))
        print(f"written: {out / 'sweep.json'}", file=sys.stderr)
        bad = sum("failure" in row or not row["converged"] for row in rows)
        if bad:
            raise NotTrusted(f"{bad} of {len(rows)} pieces failed or are not to be trusted; see the lines above")


@app.command()
def solve(
    file: Annotated[
        Path,
        typer.Argument(metavar="PROBLEM.py", help="A Python file that defines `problem`. It is executed."),
    ],
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for checkpoint, solution and report.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run that DIR holds.")] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Solve the problem that a Python file defines (and with `method`, where the file defines one)."""
    with errors(debug):
        from .report import report as write_report
        from .solve import solve as find

        stated, method = read_problem(file)
        source = file.read_bytes()
        solution = find(stated, method, out=out, resume=resume, progress=True)
        if out is not None:
            write_atomically(out / "problem.py", source)  # so that the folder can be reported on again
            path = write_report(solution, out / "report.html")
            print(f"written: {path}", file=sys.stderr)
        print(json.dumps(solution.to_json(), allow_nan=False) if as_json else solution.summary())
        if not solution.status.converged:
            raise NotTrusted(str(solution.status))


@app.command()
def new(
    file: Annotated[Path, typer.Argument(metavar="PROBLEM.py", help="Where to write the template.")],
    debug: Debug = False,
) -> None:
    """Write a commented template to start from."""
    with errors(debug):
        if file.exists():
            raise BadInput(f"{file} exists; choose another name, or delete it first.")
        from .studies._template import TEMPLATE

        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(TEMPLATE)
        print(f"written: {file}; solve it with: lawful solve {file} --out run")


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of `lawful solve --out`.")],
    debug: Debug = False,
) -> None:
    """Build the HTML report of a saved run again and say where it is."""
    with errors(debug):
        from .report import report as write_report
        from .solve import load

        source = folder / "problem.py"
        if not source.is_file():
            raise BadInput(
                f"{folder} holds no problem.py; give the folder that `lawful solve PROBLEM.py --out DIR` wrote."
            )
        stated, method = read_problem(source)
        print(f"written: {write_report(load(folder, stated, method), folder / 'report.html')}")


@app.command()
def view(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a running or finished solve.")],
    port: Annotated[int, typer.Option(help="Port of the loopback address; 0 takes any that is free.")] = 0,
    debug: Debug = False,
) -> None:
    """Follow a running solve on a page of this machine: loss, estimates, residual maps. Ctrl-C ends it."""
    with errors(debug):
        from ._view import Viewer

        with Viewer(folder, port) as viewer:
            try:
                print(f"{folder} is shown at {viewer.address} (Ctrl-C ends it)", flush=True)
                viewer.serve_forever()
            except KeyboardInterrupt:
                print("ended; a run that was watched goes on")


@app.command()
def doctor(debug: Debug = False) -> None:
    """Precision, devices, data folder and versions: each line ok, or what to do."""
    with errors(debug):
        from ._doctor import examine

        findings = examine()
        for finding in findings:
            print(finding)
        if not all(finding.ok for finding in findings):
            raise NotTrusted("see the lines above that are not ok")


def settings(words: list[str]) -> dict[str, str]:
    """--set name=value, several times."""
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise BadInput(f"--set {word}: write it as name=value, such as --set noise=0.01.")
        found[name] = value
    return found


def write_outcome(name: str, outcome: Outcome, numbers: dict, out: Path) -> list[Path]:
    """Numbers, figures and reports of a study into a folder."""
    from .report import write_html

    written = [out / "study.json"]
    write_json(written[0], {"study": name, **numbers})
    for title, draw in outcome.figures.items():
        path = out / f"{title}.png"
        draw()[0].savefig(path, dpi=150)
        written.append(path)
    for title, content in outcome.files.items():
        write_atomically(out / title, content)
        written.append(out / title)
    for title, told in {
        "report": outcome.main,
        **{f"report-{key}": other for key, other in outcome.others.items()},
    }.items():
        written.append(write_html(told.record(f"{name}: {study(name).SUMMARY}"), out / f"{title}.html"))
    return written


def in_series(paths: Sequence[Path]) -> Iterator[str]:
    """Files as a reader wants them named: of three and more whose names differ in a number alone, the first and the
    last."""
    kind = lambda path: path.parent / re.sub(r"\d+", "0", path.name)
    for _, group in itertools.groupby(paths, kind):
        some = [str(path) for path in group]
        yield from [f"{some[0]} to {Path(some[-1]).name}"] if len(some) > 2 else some


def read_problem(file: Path):
    """`problem`, and `method` where there is one, from a Python file."""
    if not file.is_file():
        raise BadInput(f"{file} does not exist; `lawful new {file}` writes a template.")
    namespace: dict = {"__name__": "problem", "__file__": str(file)}
    try:
        source = file.read_text()
        code = compile(source, str(file), "exec")
    except SyntaxError as error:
        raise BadInput(f"{file}, line {error.lineno}: {error.msg}; correct the file.") from error
    except ValueError as error:  # bytes that are no text
        raise BadInput(
            f"{file} is not a Python file ({first_line(error)}); give the file that defines `problem`."
        ) from error
    import linecache

    # Laws can then be shown as they were written, wherever the file lies.
    linecache.cache[str(file)] = (len(source), None, source.splitlines(keepends=True), str(file))
    try:
        exec(code, namespace)
    except BadInput as error:
        raise BadInput(f"{file}{line_of(error, file)}: {error}") from error
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        ImportError,
        LookupError,
        NameError,
        OSError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        raise BadInput(
            f"{file}{line_of(error, file)}: {type(error).__name__}: {first_line(error)}; correct the file."
        ) from error
    if "problem" not in namespace:
        raise BadInput(f"{file} defines no variable `problem`; end it with problem = lf.Problem(...).")
    from .problem import Problem
    from .solve import Collocation, Neural

    if not isinstance(namespace["problem"], Problem):
        raise BadInput(f"{file}: `problem` must be an lf.Problem, but it is {type(namespace['problem']).__name__}.")
    method = namespace.get("method")
    if not isinstance(method, Neural | Collocation | None):
        raise BadInput(
            f"{file}: `method` must be lf.Neural(...) or lf.Collocation(...), but it is {shown(method)}; correct it, or"
            " leave it out."
        )
    return namespace["problem"], method


def line_of(error: BaseException, file: Path) -> str:
    """Where in the user's file an error came from."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    return f", line {lines[-1]}" if lines else ""


def first_line(error: BaseException) -> str:
    return (str(error).splitlines() or ["no message"])[0]


class errors:
    """Turn what was raised into one line and an exit code; with `debug`, show the traceback too."""

    def __init__(self, debug: bool):
        self.debug = debug

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind, error, trace) -> None:
        codes: dict[type, tuple[str, int]] = {
            BadInput: ("bad input", 2),
            NotTrusted: ("not to be trusted", 1),
            Terminated: ("stopped by SIGTERM; with --out DIR the run goes on with --resume", 143),
            KeyboardInterrupt: ("interrupted; with --out DIR the run goes on with --resume", 130),
            OSError: ("cannot read or write; choose a place that exists, may be written and has room", 2),
        }
        for wanted, (label, code) in codes.items():
            if isinstance(error, wanted):
                if self.debug:
                    traceback.print_exception(error)
                text = " ".join(str(error).split())
                print(f"{label}: {text}" if text else label, file=sys.stderr)
                raise typer.Exit(code)


class Terminated(KeyboardInterrupt):
    """A scheduler asked the program to end: SIGTERM."""


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[None]:
    """SIGTERM ends the program as Ctrl-C does: files are closed, the checkpoint stays, and one line says so."""

    def stop(number: int, frame: object) -> NoReturn:
        raise Terminated

    def again(unraisable: sys.UnraisableHookArgs) -> None:
        """What is raised while Python collects garbage is reported and forgotten: it is raised anew a moment later."""
        if unraisable.exc_type is None or not issubclass(unraisable.exc_type, KeyboardInterrupt):
            reported(unraisable)
            return
        number = signal.SIGTERM if issubclass(unraisable.exc_type, Terminated) else signal.SIGINT
        timer = threading.Timer(0.02, _thread.interrupt_main, (number,))
        timer.daemon = True
        timer.start()

    before, reported = signal.signal(signal.SIGTERM, stop), sys.unraisablehook
    sys.unraisablehook = again
    try:
        yield
    finally:
        sys.unraisablehook = reported
        signal.signal(signal.SIGTERM, before)


def main() -> None:
    """The entry point of the `lawful` command."""
    use_compilation_cache()
    with stopped_by_signals():
        app()
