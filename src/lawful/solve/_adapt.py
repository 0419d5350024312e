"""Steps and elements where the solution needs them: a march that chooses both, before anything is fitted."""

from __future__ import annotations

import dataclasses
import itertools
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from .._core.compilation import compiled
from ._grid import Grid, Line
from ._march import Marched, end_of_step, first_guess, initial_state, march, solve_step
from ._scheme import Scheme
from ._steady import Steady, SteadyScheme, moved_to, steady_on
from ._tails import LARGEST, SAFETY, needed, needs, step_error

CHUNK = 64  # steps between two looks from the host
LONG = 2  # chunks after which a march is a long one
MOST_CHUNKS = 400
MOST_MESHES = 14
MOST_ELEMENTS = 512
FIRST_SHARE = 1e-3  # of the axis: the first step that is tried
SHORT_SHARE = 1e-7  # of the axis: a step as short that is still wrong says that the elements are too wide
SMALLEST_SHARE = 1e-10  # of the axis: steps below it are given up
ROUGH = 1e-3  # accuracy of the steps while only the elements are sought
HOPELESS = 2.5  # an element that should be this many is not worth marching on with
ENOUGH = 1.1  # elements that an element should be, for it to be left as it is


class Walk(eqx.Module):
    """A march under way: the present state, and the last steps that were taken."""

    time: Float[Array, ""]
    step: Float[Array, ""]
    state: dict[str, Array]
    guess: dict[str, Array]
    need: tuple[Float[Array, " elements"], ...]
    count: Int[Array, ""]
    tries: Int[Array, ""]
    lost: Bool[Array, ""]
    edges: Float[Array, " chunk+1"]
    starts: dict[str, Array]
    highest: dict[str, Array]


class Walked(NamedTuple):
    """Where a march came to: its fields up to there, how many elements each element should be, whether it arrived."""

    marched: Marched
    need: tuple[Float[np.ndarray, " elements"], ...]
    arrived: bool


def walk(scheme: Scheme, raw: dict[str, Array], end: float, accuracy: float, tolerance: float, limit: float) -> Walked:
    """March with steps of one's own choice to `accuracy`, to the end or until an element needs `limit` elements for
    `tolerance`."""
    begin, _ = scheme.problem.domain.ends(scheme.march)
    now = begun(scheme, raw, jnp.asarray(begin), jnp.asarray(end))
    edges, starts, highest = [np.asarray([begin])], [], []
    for chunk in range(MOST_CHUNKS):
        rule = advanced if chunk < LONG else advanced_far
        now = rule(scheme, raw, now, *(jnp.asarray(v) for v in (end, accuracy, tolerance, limit)))
        count = int(now.count)
        edges.append(np.asarray(now.edges[1 : count + 1]))
        starts.append({name: rows[:count] for name, rows in now.starts.items()})
        highest.append({name: rows[:count] for name, rows in now.highest.items()})
        arrived = float(now.time) >= end
        if arrived or bool(now.lost) or max(float(jnp.max(n)) for n in now.need) > limit:
            break
    else:
        arrived = False
    joined = [
        {name: jnp.concatenate([part[name] for part in parts]) for name in parts[0]} for parts in (starts, highest)
    ]
    marched = Marched(scheme, jnp.asarray(np.concatenate(edges)), *joined)
    return Walked(marched, tuple(np.asarray(need) for need in now.need), arrived)


@compiled(lambda *_: False)
def begun(scheme: Scheme, raw: dict[str, Array], begin: Float[Array, ""], end: Float[Array, ""]) -> Walk:
    state = initial_state(scheme, raw, begin)
    guess = first_guess(scheme)
    return Walk(
        begin,
        FIRST_SHARE * (end - begin),
        state,
        guess,
        tuple(jnp.zeros(line.elements) for line in scheme.grid.lines),
        jnp.asarray(0),
        jnp.asarray(0),
        jnp.asarray(False),
        jnp.zeros(CHUNK + 1),
        {name: jnp.zeros((CHUNK, *values.shape)) for name, values in state.items()},
        {name: jnp.zeros((CHUNK, *values.shape)) for name, values in guess.items()},
    )


def advance(scheme: Scheme, raw: dict[str, Array], now: Walk, end, accuracy, tolerance, limit) -> Walk:
    """The next steps, at most CHUNK of them."""
    first, last = scheme.problem.domain.ends(scheme.march)
    smallest = SMALLEST_SHARE * (last - first)

    def body(now: Walk) -> Walk:
        left = end - now.time
        count = jnp.maximum(jnp.ceil(left / now.step - 1e-9), 1.0)
        step = left / count  # the rest in equal steps: the last one is as long as the others
        highest = solve_step(scheme, raw, now.state, now.guess, now.time, step)
        error = step_error(scheme, now.state, highest, step) / accuracy
        solved = jnp.isfinite(error)
        good = solved & (error <= 1)
        after = end_of_step(scheme, now.state, highest, step)
        time = jnp.where(count <= 1, end, now.time + step)
        change = jnp.where(solved, 0.9 * jnp.maximum(error, 1e-30) ** (-1 / (scheme.stages + 1)), 0.25)
        longer = step * jnp.clip(change, 0.2, jnp.where(good, 4.0, 0.9))
        wanted = needs(scheme, after, highest, tolerance)
        # Where no step is short enough, what starts between the nodes jumps to what the nodes can show: they are few.
        counts = good | (solved & (step < SHORT_SHARE * (last - first)))

        def pick(new, old):
            return jax.tree.map(lambda a, b: jnp.where(good, a, b), new, old)

        def put(rows, row):
            return {name: rows[name].at[now.count].set(row[name]) for name in rows}  # the next good step overwrites

        constant = {name: jnp.broadcast_to(values[-1], values.shape) for name, values in highest.items()}
        return Walk(
            jnp.where(good, time, now.time),
            longer,
            pick(after, now.state),
            pick(constant, now.guess),
            tuple(jnp.where(counts, jnp.maximum(a, b), a) for a, b in zip(now.need, wanted, strict=True)),
            now.count + good,
            now.tries + 1,
            longer < smallest,
            now.edges.at[now.count + 1].set(time),
            put(now.starts, now.state),
            put(now.highest, highest),
        )

    def more(now: Walk):
        worst = jnp.max(jnp.stack([jnp.max(need) for need in now.need]))
        return (now.count < CHUNK) & (now.tries < 4 * CHUNK) & ~now.lost & (now.time < end) & (worst <= limit)

    fresh = dataclasses.replace(now, count=jnp.asarray(0), tries=jnp.asarray(0))
    return jax.lax.while_loop(more, body, fresh)


# The same twice: compiled in little time for a few steps, and to run in little time for many.
advanced = compiled(lambda *_: False)(advance)
advanced_far = compiled(lambda *_: True)(advance)


def marched_on(scheme: Scheme, raw: dict[str, Array], edges: Float[Array, " steps+1"]) -> Marched:
    """The fields of a march along given edges, computed once."""
    return (far_march if edges.shape[0] > CHUNK * LONG else near_march)(scheme, raw, edges)


near_march = compiled(lambda *_: False)(march)
far_march = compiled(lambda *_: True)(march)


def adapted_steady(scheme: SteadyScheme, raw: dict[str, Array], tolerance: float) -> Steady:
    """A steady solution whose elements fit it to a tolerance; on the first mesh that cannot be solved, as it is."""
    fields = steady_on(scheme, raw)
    for _ in range(MOST_MESHES):
        [line] = scheme.grid.lines
        need = np.asarray(steady_needs(fields, jnp.asarray(tolerance)))
        if not np.all(np.isfinite(need)) or need.max() <= ENOUGH or line.size > 16 * MOST_ELEMENTS:
            break
        scheme = moved_to(fields, Grid((replaced(line, need),)))
        fields = steady_on(scheme, raw)
    return fields


@compiled(lambda *_: False)
def steady_needs(fields: Steady, tolerance: Float[Array, ""]) -> Float[Array, " elements"]:
    [line] = fields.scheme.grid.lines
    found = [
        needed(line, v / jnp.maximum(jnp.max(jnp.abs(v)), 1e-300), SAFETY * tolerance) for v in fields.values.values()
    ]
    return jnp.max(jnp.stack(found), axis=0)


def adapted(scheme: Scheme, raw: dict[str, Array], tolerance: float, movable: tuple[str, ...]) -> Walked:
    """A march whose steps and elements fit the solution to a tolerance.

    `movable` names the axes whose elements may be placed; others keep their nodes. The elements are sought by rough
    marches, each as far as its elements reach, then the fields by fine ones.
    """
    _, end = scheme.problem.domain.ends(scheme.march)
    free = [axis in movable for axis in scheme.grid.axes]
    rough, found = any(free), None
    for _ in range(MOST_MESHES):
        accuracy = max(ROUGH, tolerance) if rough else tolerance
        limit = HOPELESS if any(free) else np.inf
        found = walk(scheme, raw, end, accuracy, tolerance, limit)
        short = [bool(f and need.max() > ENOUGH) for f, need in zip(free, found.need, strict=True)]
        if not any(short):
            if not rough or not found.arrived:
                return found
            rough = False
            continue
        rough = rough and not (found.arrived and max(n.max() for n in found.need) < ENOUGH**2)
        lines = [
            replaced(line, claimed(need, found)) if s else line
            for line, need, s in zip(scheme.grid.lines, found.need, short, strict=True)
        ]
        if sum(line.size for line in lines) > MOST_ELEMENTS * 16:
            return found
        scheme = scheme.on(Grid(tuple(lines)))
        if found.arrived:
            rough = False
    assert found is not None
    return found


def claimed(need: Float[np.ndarray, " elements"], found: Walked) -> Float[np.ndarray, " elements"]:
    """The need of each element as far as it is known: nothing is taken away before the end was reached, and where not
    even a first step was right, what is too wide is so by an unknown factor."""
    if found.arrived:
        return need
    if len(found.marched.edges) == 1:
        return np.where(need > ENOUGH, LARGEST, 1.0)
    return np.maximum(need, 1.0)


def replaced(line: Line, need: Float[np.ndarray, " elements"]) -> Line:
    """The line with elements where they are needed: every new one stands for an equal share of the need."""
    if line.fourier:
        return dataclasses.replace(line, count=int(np.ceil(line.count * min(max(need[0], 1.1), 2.0) / 8)) * 8)
    need = 1.1 * np.clip(need, 0.3, 4.0)
    widths = np.diff(line.edges)
    density = need / widths
    for _ in range(2):  # neighbours differ by a factor of eight at most
        density = (
            np.maximum(density, np.maximum(np.roll(density, 1), np.roll(density, -1)) / 8)
            if line.periodic
            else (np.maximum(density, np.maximum(np.append(density[1:], 0), np.append(0, density[:-1])) / 8))
        )
    fixed = [0, *(int(np.argmin(np.abs(line.edges - border))) for border in line.borders), line.elements]
    sections = [
        even_shares(density[low:high], line.edges[low : high + 1], 1 if line.borders else 2)
        for low, high in itertools.pairwise(fixed)
    ]
    return dataclasses.replace(line, edges=np.concatenate([sections[0][:1], *(edges[1:] for edges in sections)]))


def even_shares(
    density: Float[np.ndarray, " n"], edges: Float[np.ndarray, " n+1"], least: int
) -> Float[np.ndarray, " m+1"]:
    """Edges from end to end between which equal shares of the need lie."""
    total = np.append(0.0, np.cumsum(density * np.diff(edges)))
    count = max(int(np.ceil(total[-1])), least)
    count += count % 2 if least > 1 else 0  # fewer shapes to compile for; a symmetric field keeps a joint in the middle
    found = np.interp(np.linspace(0, total[-1], count + 1), total, edges)
    found[[0, -1]] = edges[[0, -1]]
    return found
