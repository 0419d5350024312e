"""From nothing to makers of textures: data, a surrogate, what is attainable, networks, one file of weights.

Each part is kept in a folder as it is made, so that a second call goes on where the first was killed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import numpy as np

from .._core.files import read_arrays, write_arrays
from .._core.leaves import by_name
from .._core.messages import BadInput
from .._core.precision import float64
from ..design import Dataset, Examples, Surrogate, Wasserstein, compete, match, scores
from ._ring import Ring
from ._ring_attainable import attainable
from ._ring_data import asked_space, at_pressure, simulated
from ._ring_generators import FEATURE, FRICTION, LOAD, STRENGTH, Calculator, Library, library, physics
from ._ring_judge import Judge
from ._ring_shipped import Attainable, Shipped, blank, filled, save
from ._ring_surrogate import build, learned

PRESSURES = np.array([0.4e6, 1.2e6, 3.5e6, 8e6])
MEMBERS = 2
# What may be left out of the critic.
WITHOUT = {"friction": FRICTION, "strength": STRENGTH, "load": LOAD, "feature": FEATURE}


class Course(NamedTuple):
    """How much of each is done. As shipped by default, the surrogate apart; the critic with physics and the plain one
    took about as many seconds of a processor each."""

    textures: int = 24_000
    passes: int = 10
    flow: int = 2500
    gan: int = 1100
    plain: int = 2200
    walk: int = 25  # linear programs towards the least friction

    def part(self, share: float) -> Course:
        return Course(*(max(round(share * n), 2) for n in self))


def trained(folder: Path, course: Course | None = None, progress: bool | None = None) -> Shipped:
    """What the study works with, also written to `folder / "generator.npz"`. Raises `BadInput` for the folder of
    another course."""
    course, ring = course or Course(), Ring(32)
    folder.mkdir(parents=True, exist_ok=True)
    claimed(folder, course)
    with float64():
        data = at_pressure(ring, simulated(ring, course.textures, folder / "data", progress=progress))
        known = kept_library(folder, data)
        surrogate, told = kept_surrogate(folder, data, course.passes, progress)
        can = kept_attainable(folder, known, ring, course.walk)
    calculator, seen = Calculator.of(surrogate), known.apart[0].examples()
    nets, spent = {}, {}
    for name, blank_net in blank().items():
        steps = getattr(course, name)
        nets[name], spent[name] = kept_net(folder, name, blank_net, school(name, seen, calculator, steps, progress))
    card = {
        "what": "makers of textures of a sliding ring's face on command, and a surrogate of what such textures do",
        "data": f"{course.textures} random textures at random gaps, simulated; {len(known.maps)} keep all bounds,"
        f" {len(known.apart[1].maps)} of them held out; no measured friction is in it",
        "seeds": {"data": 0, "order": 1, "surrogate": 0, "makers": 0},
        "surrogate": {"passes": course.passes, "members": MEMBERS, "held-out": told},
        "steps": {name: getattr(course, name) for name in nets},
        "processor seconds": spent,
        "command": "lawful run generator --effort best --set keep=FOLDER",
        "licence": "Apache-2.0",
    }
    # Held-out textures come last.
    shipped = Shipped(calculator, nets, known, can, card)
    save(folder / "generator.npz", shipped)
    return shipped


def claimed(folder: Path, course: Course) -> None:
    path = folder / "course.json"
    if path.exists() and json.loads(path.read_text()) != list(course):
        raise BadInput(f"{folder} holds another training; choose another folder, or the same share of it as then.")
    path.write_text(json.dumps(list(course)))


def school(
    name: str, seen: Examples, calculator: Calculator, steps: int, progress: bool | None = None
) -> Callable[[Path], Any]:
    """A training that keeps its state at a path: "flow", "plain", "gan", or "gan-without-" one of `WITHOUT`."""
    common: dict[str, Any] = {"steps": steps, "progress": progress}
    if name == "flow":
        return lambda path: match(seen, batch=64, path=path, **common)[0]
    if name == "plain":
        return lambda path: compete(seen, contest=Wasserstein(), path=path, **common)[0]
    left_out = tuple(k for part, k in WITHOUT.items() if name.endswith(f"-{part}"))
    armed = physics(calculator, without=left_out)
    return lambda path: compete(seen, contest=Wasserstein(), physics=armed, stamp=name, path=path, **common)[0]


def kept_net(folder: Path, name: str, blank_net: Any, training: Callable[[Path], Any]) -> tuple[Any, float]:
    """A network, and the seconds of a processor that the call which ended its training took."""
    path = folder / f"{name}.npz"
    if not path.exists():
        begin = time.process_time()
        net = training(folder / f"{name}-state.npz")
        leaves = by_name(eqx.filter(net, eqx.is_inexact_array))
        write_arrays(path, leaves, {"seconds": time.process_time() - begin})
    found, meta = read_arrays(path)
    return filled(blank_net, found, path), meta["seconds"]


def kept_library(folder: Path, data: Dataset) -> Library:
    path = folder / "library.npz"
    if not path.exists():
        known = library(data)
        if len(known.maps) < 8:
            raise BadInput(f"of the textures simulated {len(known.maps)} keep all bounds, too few; ask for more.")
        known = known.rows(np.random.default_rng(1).permutation(len(known.maps)))
        write_arrays(path, known._asdict(), {})
    return Library(**read_arrays(path)[0])


def kept_surrogate(
    folder: Path, data: Dataset, passes: int, progress: bool | None
) -> tuple[Surrogate, dict[str, dict[str, float]]]:
    """The surrogate, and its errors of logarithms on designs that it has not seen."""
    path = folder / "surrogate.npz"
    data = data.rows(np.random.default_rng(9).permutation(len(data)))
    rest, test = data.split(min(400, max(len(data) // 5, 1)))
    first, held = rest.split(min(300, max(len(rest) // 5, 1)))
    if not path.exists():
        state = folder / "surrogate-state.npz"
        learned(first, held, members=MEMBERS, passes=passes, seed=0, path=state, progress=progress).save(path)
    surrogate = Surrogate.load(path, asked_space(), build())
    guesses, told = surrogate.guesses(test.units), {}
    for name, score in scores(surrogate, test).items():
        off = np.abs(np.asarray(guesses[name].value) - test.values[name])
        told[name] = {
            "median_error_of_log": float(np.median(off)), "p90_error_of_log": float(np.quantile(off, 0.9)),
            "r2": score.r2, "cosine": score.cosine,
        }  # fmt: skip
    return surrogate, told


def kept_attainable(folder: Path, known: Library, ring: Ring, most: int) -> Attainable:
    path = folder / "attainable.npz"
    if not path.exists():
        can, _ = attainable(known, Judge(ring), PRESSURES, starts=1, most=most)
        write_arrays(path, can._asdict(), {})
    return Attainable(**read_arrays(path)[0])
