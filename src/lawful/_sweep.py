"""A study over a grid of settings, each on a worker, each finished one kept."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from ._core.farm import Farm
from ._core.files import read_json, write_json
from ._core.messages import BadInput, listing
from ._core.progress import Progress
from .studies._base import Effort, Request, check_options, study

Point = dict[str, str]


def sweep(
    name: str,
    over: Mapping[str, Sequence[str]],
    out: Path,
    *,
    effort: Effort = Effort.NORMAL,
    seed: int = 0,
    options: Mapping[str, str] | None = None,
    scheduler: str | None = None,
    workers: int = 2,
    progress: bool | None = None,
) -> list[dict]:
    """Run a study at every combination of settings; the numbers of each, in the order of the grid.

    A piece is a file in `out`, written when it is done: a second call does only what is missing, to the same numbers.
    `over` may name `seed`. A piece that failed has "failure" in place of numbers, and is tried again by the next call.
    """
    points = [dict(zip(over, values, strict=True)) for values in itertools.product(*over.values())]
    fixed = dict(options or {})
    for point in points:
        check_options(name, {**fixed, **without_seed(point)}, study(name).OPTIONS)
    files = {titled(point): out / f"{titled(point)}.json" for point in points}
    asked = {titled(p): stated(name, effort, int(p.get("seed", seed)), {**fixed, **without_seed(p)}) for p in points}
    missing = {title: (json.dumps(asked[title]),) for title in files if not done(files[title], asked[title])}
    bar = Progress(f"sweep {name}", len(points), progress)
    bar.at(len(points) - len(missing))
    failed: dict[str, str] = {}
    if missing:
        with Farm(scheduler, min(workers, len(missing))) as farm:
            for count, (title, found, why) in enumerate(farm.finished(piece, missing), len(points) - len(missing) + 1):
                if why:
                    failed[title] = why
                else:
                    write_json(files[title], {"asked": asked[title], "found": json.loads(found)})
                bar.at(count)
    bar.close()
    rows = [{**point, **found_in(files[titled(point)], failed.get(titled(point), ""))} for point in points]
    write_json(out / "sweep.json", {"study": name, "over": {k: list(v) for k, v in over.items()}, "rows": rows})
    return rows


def piece(asked: str) -> str:
    """What a worker does: one run of a study, from its statement to its numbers, both as JSON."""
    from ._core.precision import use_compilation_cache

    use_compilation_cache()
    told = json.loads(asked)
    outcome = study(told["study"]).run(Request(Effort(told["effort"]), told["seed"], told["options"], progress=False))
    status = {"converged": bool(outcome.status.converged), "status": str(outcome.status)}
    return json.dumps({**outcome.numbers, **status, "seconds": outcome.main.seconds}, allow_nan=False)


def stated(name: str, effort: Effort, seed: int, options: Mapping[str, str]) -> dict:
    return {"study": name, "effort": effort.value, "seed": seed, "options": dict(sorted(options.items()))}


def without_seed(point: Point) -> Point:
    return {name: value for name, value in point.items() if name != "seed"}


def titled(point: Point) -> str:
    """The name of a piece's file: what it was run at, with nothing in it that a path would read."""
    safe = lambda word: "".join(c if c.isalnum() or c in "-+._" else "_" for c in word)
    return ",".join(f"{safe(name)}={safe(value)}" for name, value in point.items())


def done(path: Path, asked: dict) -> bool:
    """Whether the piece is there. Raises `BadInput` where the file is another study's."""
    if not path.exists():
        return False
    if read_json(path).get("asked") != asked:
        raise BadInput(f"{path} belongs to another sweep (study, effort, seed or --set); choose another folder.")
    return True


def found_in(path: Path, why: str) -> dict:
    return {"failure": why} if why or not path.exists() else read_json(path)["found"]


def axes_of(words: Sequence[str]) -> dict[str, list[str]]:
    """--over name=a,b,c, several times."""
    found: dict[str, list[str]] = {}
    for word in words:
        name, equals, values = word.partition("=")
        parts = [value.strip() for value in values.split(",")]
        if not (name and equals and all(parts)) or name in found or len(set(parts)) < len(parts):
            raise BadInput(f"--over {word}: write each name once, with different values: --over noise=0.01,0.02.")
        found[name] = parts
    if not found:
        raise BadInput("a sweep needs --over name=a,b,c: the values of a setting, or of seed.")
    return found


def told(rows: Sequence[dict], names: Sequence[str]) -> str:
    """A line for each piece: where it was run, and how it ended."""
    return "\n".join(
        f"{listing(f'{name} = {row[name]}' for name in names)}: {row.get('failure') or row['status']}" for row in rows
    )
