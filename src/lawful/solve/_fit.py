"""The fit: stages of least squares, between which noise levels and the weight of the laws are settled."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array, Float

from .._core.compilation import compiled
from .._core.estimates import plain
from .._core.mesh import ROWS, WHOLE, factor_of, on_mesh
from ._ground import Ground
from ._keeper import Keeper
from ._observations import signal, spread
from ._optimiser import GRADIENT, NO_DESCENT, REDUCTION, ROUNDING, RUNNING, STEP_LIMIT, Optimiser, OptimiserState
from ._progress import Moment, Watcher
from ._task import Hyper, Task, WeightedSystem
from ._uncertainty import Uncertainty, leverages, to_go, uncertainty

if TYPE_CHECKING:
    from ._live import Live

MOST_STAGES = 12
SETTLED = 1e-4  # of an error bar: far below anything that could matter, far above rounding
SETTLED_BY_DESCENT = 0.1  # without a Jacobian no stage ends closer to its minimum
SETTLED_OVER_WEIGHTS = 2e-3  # between tenfold weights; what is left, by the inverse square, is a hundredth of it
SHORT_OF_MINIMUM = 0.3  # error bars that the linear model would still move an unknown
NEAR_FLOOR = 30.0  # times the accuracy of the fields: estimated noise that is theirs, not the data's
EXACT = 1e-12  # of the size of a law's terms: met to rounding, in which there is no descent
UNMET = 1e-3  # of the size of a law's terms: a forward solution whose laws are further off is none
MOST_BYTES = 2**30  # of a Jacobian that is formed whole
AT_ONCE = 1024  # points whose rows are formed together, at least
HEAVIEST = 1e8  # beyond it the laws' rows drown the data's digits


@dataclass(frozen=True)
class Step:
    """One line of the history: the loss (half the sum of squares of each term) after an accepted or rejected step."""

    stage: int
    step: int
    weight: float
    terms: dict[str, float]
    unknowns: dict[str, float]

    @property
    def loss(self) -> float:
        return sum(self.terms.values())


@dataclass(frozen=True)
class Kept:
    """The end of the last stage whose laws cost less than before: numbers, weight, noise levels, cost of the laws."""

    x: np.ndarray
    weight: float
    levels: np.ndarray
    misfit: float


@dataclass
class FitState:
    """Everything that a fit must remember; arrays and numbers only."""

    x: np.ndarray
    levels: np.ndarray
    weight: float
    stage: int = 1
    tries: int = 1  # stages since the mesh was last refined
    capped: bool = False  # the trial field cannot meet the laws at a higher weight than the present one
    refinement: int = 0
    previous: np.ndarray | None = None
    kept: Kept | None = None
    ground: Ground | None = None
    now: OptimiserState | None = None
    history: list[Step] = field(default_factory=list)


@dataclass(frozen=True)
class Fitted:
    """What came out: numbers, noise levels, error bars, and why it stopped."""

    x: Float[np.ndarray, " n"]
    levels: np.ndarray
    weight: float
    residual: Float[np.ndarray, " m"]
    uncertain: Uncertainty
    converged: bool
    reason: str
    history: list[Step]


def fit(
    task: Task,
    optimiser: Optimiser,
    state: FitState,
    keeper: Keeper,
    watch: Watcher,
    live: Live | None = None,
    mesh: Mesh | None = None,
) -> Fitted:
    """Stages until noise levels and unknowns no longer move.

    Laws that are rows of the fit start light, so that the data lead and the laws only smooth; each stage makes them
    ten times heavier. The unknowns then drift towards those of the exact laws with the inverse square of the weight,
    which is why a change far below an error bar over a tenfold weight says that nothing more is to be gained. The
    weight stops rising where the trial field cannot meet the laws any better.

    On a mesh every device evaluates and linearises its share of the rows; what is small, the numbers to be found and
    the decisions about them, is the same on all.
    """
    if len(state.x) == 0:
        return nothing_to_find(task, state)
    floor = task.finest * spread(task.observed)
    state.ground = state.ground or task.ground
    while True:
        task = task if state.ground is None else task.on(state.ground)
        system = WeightedSystem(task, hyper_of(task, state), mesh)
        settings = optimiser.rough() if state.tries == 1 and task.weighs_laws and task.observed else optimiser
        settings = settings.traced()
        rows, known = looked(system, settings, jnp.asarray(state.x))
        now = begun(settings, jnp.asarray(state.x), rows) if state.now is None else state.now
        while under_way(task, state, now):
            now = moved(system, settings, now, *known)
            rows, known = looked(system, settings, now.x)
            state.now, state.x = now, np.asarray(now.x)
            note(state, task, loss_terms(task, np.asarray(rows)), optimiser, watch)
            if live is not None:
                live.follow(system, state, known if mesh is None else (rows,), optimiser.max_steps)
            if (ground := turned(task, state, now)) is not None:
                state.ground, task = ground, task.on(ground)
                system = WeightedSystem(task, hyper_of(task, state), mesh)
                rows, known = looked(system, settings, now.x)
                state.now = now = settings.rebased(now, rows)
            keeper.save(lambda: saved_arrays(state), lambda: saved_meta(state))
        residual, jacobian = np.asarray(rows), slopes(system, known, state.x)
        found = uncertain(system, state.x, residual, jacobian)
        levels, change, drift = settle(task, state, residual, found, floor)
        if live is not None:
            live.judged(state.stage, found)
        if int(now.status) in optimiser.hopeless:
            why = f"{optimiser.reason(now)}: {not_finite(task, residual, jacobian)}"
            return finish(system, state, levels, residual, jacobian, False, why)
        stop, why = verdict(task, state, residual, change, drift, optimiser, now)
        if stop and not optimiser.takes_jacobian:
            stop, why = descended(task, found, residual, jacobian, why)
        if stop is not None:
            return finish(system, state, levels, residual, jacobian, stop, why)
        if optimiser.takes_jacobian:
            advance_stage(task, state, residual, levels, stuck=int(now.status) == NO_DESCENT)
        else:
            repeat_stage(task, state, levels)


def turned(task: Task, state: FitState, now: OptimiserState) -> Ground | None:
    """Where the laws are asked to hold from here on; None where that stays as it is.

    Where the optimiser has stopped at a minimum, one that holds on other points as well ends the stage; any other one
    only means that the points were learnt by heart.
    """
    stopped = int(now.status) != RUNNING
    if state.ground is None or (stopped and int(now.status) not in (REDUCTION, GRADIENT, ROUNDING, NO_DESCENT)):
        return None
    return task.turned(state.ground, jnp.asarray(state.x), len(state.history), stopped)


def nothing_to_find(task: Task, state: FitState) -> Fitted:
    """A forward solution by a method whose laws hold by construction; data, where there are any, are only compared."""
    system, x = WeightedSystem(task, hyper_of(task, state)), jnp.zeros(0)
    residual = np.asarray(rows_at(system, x))
    empty = uncertainty(np.zeros((len(residual), 0)), task.layout)
    good = bool(np.all(np.isfinite(residual)))
    why = "nothing to be found: the laws were solved as they stand" if good else "the laws could not be solved"
    levels = state.levels
    if good and task.noise.estimated:
        misses = residual[task.data_rows] * task.noise.sd(levels)
        levels = task.noise.update(levels, misses, empty.leverage[task.data_rows], task.finest * spread(task.observed))
        residual[task.data_rows] = misses / task.noise.sd(levels)
    return Fitted(state.x, levels, state.weight, residual, empty, good, why, state.history)


def hyper_of(task: Task, state: FitState) -> Hyper:
    leash = 1.0 if task.weighs_laws and state.stage == 1 else 0.0
    return Hyper(jnp.asarray(task.noise.sd(state.levels)), jnp.asarray(state.weight), jnp.asarray(leash))


def advance_stage(
    task: Task, state: FitState, residual: Float[np.ndarray, " m"], levels: np.ndarray, stuck: bool
) -> None:
    """Noise, weight and start of the next stage; one last time at the highest weight that the trial field can bear."""
    rows = law_rows(task, residual)
    misfit = 0.5 * float(np.sum(rows**2))
    unknowns = state.x[task.layout.field_count :]
    state.stage, state.tries, state.now = state.stage + 1, state.tries + 1, None
    if task.observed and misfit > 0.5 * len(rows) > 0:
        # The laws' residual is counted as noise of its own level: a higher weight would only trade the data for what
        # the field cannot do, and the error bars would not show it.
        state.previous, state.levels, state.capped = unknowns, levels, True
        state.weight *= float(np.sqrt(len(rows) / (2 * misfit)))
    elif state.kept is not None and (stuck or misfit > max(0.5, state.kept.misfit)):
        # Ten times the weight, and the laws cost more than before, or no step improves the fit: the floor of the trial
        # field. The stage before was the best.
        state.x, state.weight, state.capped = state.kept.x, state.kept.weight, True
        state.levels, state.previous = state.kept.levels, unknowns
    else:
        # The first stage is rough and its weight too low to be the answer.
        state.kept = Kept(state.x, state.weight, levels, misfit) if state.tries > 2 else None
        state.previous, state.levels = unknowns, levels
        state.weight = law_weight(task, levels, state.tries)


def repeat_stage(task: Task, state: FitState, levels: np.ndarray) -> None:
    """The next stage where steepness matters: heavy laws would hide the data from a descent by gradients."""
    state.stage, state.tries, state.now = state.stage + 1, state.tries + 1, None
    state.previous, state.levels = state.x[task.layout.field_count :], levels
    state.weight = law_weight(task, levels, 1)


def descended(task: Task, found: Uncertainty, residual, jacobian, why: str) -> tuple[bool, str]:
    """Whether the end of a descent is near enough to a minimum: the linear model says how far it still was."""
    left = in_error_bars(to_go(jacobian, residual, task.layout.unknown_count), found)
    if left > SHORT_OF_MINIMUM:
        return False, (
            f"not at a minimum: the linear model would move an unknown by another {left:.2g} error bars; give Adam more"
            f" steps, or use LevenbergMarquardt; last: {why}"
        )
    return True, f"{why}; the linear model would move the unknowns by another {left:.1g} error bars"


def law_rows(task: Task, residual: Float[np.ndarray, " m"]) -> Float[np.ndarray, " rows"]:
    """The rows of laws and penalised conditions."""
    parts = [residual[part] for name, part in task.blocks.items() if name.startswith(("law: ", "condition: "))]
    return np.concatenate([*parts, np.zeros(0)])


def law_weight(task: Task, levels: np.ndarray, stage: int) -> float:
    """sqrt(rows) * field size / noise, times 3 in the first stage and ten times more in each later one.

    At weight 1 * sqrt(rows) * size / noise a violation of the law that moves the field by a fraction f of its size
    costs as much as the data gain by it: the laws must be well above that for the fit to be of their solutions.
    """
    if not (task.weighs_laws and task.observed):
        return 1.0
    sd = task.noise.sd(levels)
    return float(
        np.clip(3.0 * np.sqrt(len(sd)) * signal(task.observed, sd), 10.0, 1e6) * min(10.0 ** (stage - 1), HEAVIEST)
    )


# Compiled once per structure of task and optimiser, whatever their numbers: new data, noise or weights cost nothing.


def long_loops(system: WeightedSystem, *_: object) -> bool:
    return system.task.long_loops


@compiled(long_loops)
def linearised(system: WeightedSystem, x: Float[Array, " n"]) -> tuple[Float[Array, " m"], Float[Array, "m n"]]:
    return on_mesh(system.mesh, system.linearise, gives=ROWS)(x)


@compiled(long_loops)
def factored(system: WeightedSystem, x: Float[Array, " n"]) -> tuple[Float[Array, " m"], Float[Array, "n n"]]:
    return on_mesh(system.mesh, lambda x: system.factor(x, max(AT_ONCE, 2 * x.size)), gives=ROWS)(x)


@compiled(long_loops)
def whole(system: WeightedSystem, rows: Float[Array, "k ..."]) -> Float[Array, "m ..."]:
    """The rows of all devices in the order of the task."""
    return on_mesh(system.mesh, system.whole, ROWS)(rows)


@compiled(long_loops)
def joined(system: WeightedSystem, triangles: Float[Array, "k n"]) -> Float[Array, "n n"]:
    """The triangular factor of all rows, of which every device has that of its own."""
    return on_mesh(system.mesh, lambda own: factor_of(own).triangle, ROWS)(triangles)


@compiled(long_loops)
def data_slopes(system: WeightedSystem, x: Float[Array, " n"]) -> Float[Array, "rows n"]:
    return system.data_slopes(x)


@compiled(lambda *_: False)
def begun(optimiser: Optimiser, x: Float[Array, " n"], residual: Float[Array, " m"]) -> OptimiserState:
    return optimiser.start(x, residual)


@compiled(long_loops)
def moved(system: WeightedSystem, optimiser: Optimiser, now: OptimiserState, *known: Array) -> OptimiserState:
    laid_out = ROWS if optimiser.takes_jacobian else WHOLE
    move = on_mesh(system.mesh, lambda now, known: optimiser.move(system, now, *known), (WHOLE, laid_out))
    return move(now, known)


def looked(system: WeightedSystem, optimiser: Optimiser, x: Float[Array, " n"]) -> tuple[Array, tuple[Array, ...]]:
    """The residual, and what the optimiser needs to know at x: it too, and if it takes it the Jacobian, or where that
    would not fit its triangular factor; on a mesh each device its own."""
    if not optimiser.takes_jacobian:
        rows = rows_at(system, x)
        return rows, (rows,)
    known = factored(system, x) if optimiser.takes_factor and too_large(system.task) else linearised(system, x)
    return known[0] if system.mesh is None else whole(system, known[0]), known


def slopes(system: WeightedSystem, known: tuple[Array, ...], x: Float[np.ndarray, " n"]) -> np.ndarray:
    """The Jacobian, or where it was too large its triangular factor, for everyone: what error bars are made of."""
    if len(known) == 1:
        return np.asarray(linearised(dataclasses.replace(system, mesh=None), jnp.asarray(x))[1])
    if system.mesh is None:
        return np.asarray(known[1])
    return np.asarray((joined if too_large(system.task) else whole)(system, known[1]))


def too_large(task: Task) -> bool:
    """Whether the Jacobian would take more memory than it may."""
    rows = max((part.stop for part in task.blocks.values()), default=0)
    return 8 * rows * (task.layout.field_count + task.layout.unknown_count) > MOST_BYTES


def under_way(task: Task, state: FitState, now: OptimiserState) -> bool:
    """Whether a stage goes on; a question about the state alone, so that a resumed run answers it as the first did."""
    met = state.ground is not None and task.met(state.ground)
    return int(now.status) == RUNNING and not met and not (int(now.steps) > 0 and overfitted(task, now))


def overfitted(task: Task, now: OptimiserState) -> bool:
    """All rows together are far below the noise assumed: the noise must be lowered before anything else is learnt."""
    rows = task.data_rows
    return task.noise.estimated and 2 * float(now.cost) < 1e-3 * (rows.stop - rows.start)


@compiled(long_loops)
def rows_at(system: WeightedSystem, x: Float[Array, " n"]) -> Float[Array, " m"]:
    return on_mesh(system.mesh, lambda x: system.whole(system.residual(x)))(x)


def loss_terms(task: Task, rows: Float[np.ndarray, " m"]) -> dict[str, float]:
    """Half the sum of squares of each block of rows; the leash of the first stage is no term of the loss."""
    with np.errstate(over="ignore"):  # an infinite loss says enough
        return {name: 0.5 * float(np.sum(rows[part] ** 2)) for name, part in task.blocks.items() if name != "leash"}


def note(state: FitState, task: Task, terms: dict, optimiser: Optimiser, watch: Watcher) -> None:
    """One line of history, shown to whoever watches."""
    now, problem = state.now, task.problem
    assert now is not None
    raw = task.layout.raw(now.x)
    unknowns = {
        n: float(problem.unknowns[n].value(raw[n]))
        for n in problem.unknown_scalars
        if problem.unknowns[n].guess.ndim == 0
    }
    count = int(now.steps)
    line = Step(state.stage, count, float(state.weight), {k: float(v) for k, v in terms.items()}, unknowns)
    state.history.append(line)
    watch(Moment(state.stage, count, optimiser.max_steps, line.loss, unknowns))


def settle(task: Task, state: FitState, residual, found: Uncertainty, floor) -> tuple[np.ndarray, float, float]:
    """New noise levels, their largest relative change, and the largest move of an unknown in error bars."""
    part = task.data_rows
    misses = residual[part] * task.noise.sd(state.levels)
    levels = task.noise.update(state.levels, misses, found.leverage[part], floor)
    moved = float(np.max(np.abs(levels / state.levels - 1), initial=0.0))
    if state.previous is None:
        return levels, moved, np.inf
    return levels, moved, in_error_bars(state.x[task.layout.field_count :] - state.previous, found)


def not_finite(task: Task, residual: Float[np.ndarray, " m"], jacobian: Float[np.ndarray, "m n"]) -> str:
    """Which term is not finite, where and when."""
    bad = ~np.isfinite(residual)
    what = "" if bad.any() else "derivative of "
    if not bad.any() and len(jacobian) == len(residual):
        bad = ~np.isfinite(jacobian).all(axis=1)
    rows = np.flatnonzero(bad)
    more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
    return f"{what}{task.described(rows[0]) if len(rows) else 'no single term'}{more}"


def in_error_bars(drift: Float[np.ndarray, " n"], found: Uncertainty) -> float:
    """The largest move of an unknown, in units of its standard deviation, along what the data determine."""
    sd = np.sqrt(np.maximum(np.diag(found.covariance), 1e-300))
    drift = drift - found.loose @ (found.loose.T @ drift)
    return float(np.max(np.abs(drift) / sd, initial=0.0))


def law_residual(task: Task, state: FitState, residual: Float[np.ndarray, " m"]) -> float:
    """Root mean square of the laws' residual relative to their terms; 0 where laws are not rows of the fit."""
    rows = law_rows(task, residual)
    return float(np.sqrt(np.sum(rows**2))) / state.weight if len(rows) else 0.0


def verdict(
    task: Task, state: FitState, residual, moved: float, shifted: float, optimiser, now: OptimiserState
) -> tuple[bool | None, str]:
    """(None, ..) to go on; else whether the fit converged, and the sentence that says why it stopped."""
    good, why = int(now.status) in optimiser.success, optimiser.reason(now)
    if state.ground is not None and task.met(state.ground):
        seen = f"the laws' residual is {state.ground.unseen:.1e} of their terms where the fit had not looked"
        return True, f"{seen}, after {len(state.history)} steps"
    if int(now.status) == RUNNING:
        why = "the data are met to the accuracy of the fields"
    several = task.noise.estimated or (task.weighs_laws and bool(task.observed))
    if not several:
        worst = law_residual(task, state, residual)
        if worst > UNMET:
            return False, f"the laws are not met: their residual is {worst:.1e} of the size of their terms; {why}"
        if worst <= EXACT and int(now.status) == NO_DESCENT:
            return True, f"the laws are met to rounding: their residual is {worst:.1e} of the size of their terms"
        return good, why
    if state.capped:
        return (
            good or int(now.status) in (STEP_LIMIT, NO_DESCENT),
            f"the laws are met as well as the trial field can (weight {state.weight:.1e}); last: {why}",
        )
    if optimiser.takes_jacobian:
        enough = SETTLED_OVER_WEIGHTS if task.weighs_laws else SETTLED
    else:
        enough = SETTLED_BY_DESCENT
    if moved < enough and shifted < enough:
        # That nothing moves from stage to stage is the evidence, whatever ended the last one. Where the data are met to
        # the accuracy of the fields, what is left is the fields' own error, in which there is no descent.
        floor = task.finest * spread(task.observed)
        exact = task.noise.estimated and bool(np.all(state.levels <= NEAR_FLOOR * floor))
        return (
            good or int(now.status) in (STEP_LIMIT, RUNNING) or (exact and int(now.status) == NO_DESCENT),
            f"unknowns and noise settled to {enough:g} of an error bar in {state.stage} stages; last: {why}",
        )
    if state.tries >= MOST_STAGES:
        return (
            False,
            f"not settled after {state.tries} stages: unknowns still move by {shifted:.2g} error bars, noise by"
            f" {moved:.2g}; last: {why}",
        )
    return None, ""


def finish(system: WeightedSystem, state: FitState, levels, residual, jacobian, good: bool, why: str) -> Fitted:
    """Residuals and error bars restated for the final noise levels, which differ a little from the last stage's."""
    task, x = system.task, jnp.asarray(state.x)
    part = task.data_rows
    ratio = (task.noise.sd(state.levels) / task.noise.sd(levels)) if part.stop else np.ones(0)
    restated = residual.copy()
    restated[part] *= ratio
    if len(jacobian) == len(residual):
        jacobian = jacobian.copy()
        jacobian[part] *= ratio[:, None]
    elif np.any(ratio != 1):
        hyper = dataclasses.replace(system.hyper, sd=jnp.asarray(task.noise.sd(levels)))
        system = dataclasses.replace(system, hyper=hyper)
        triangle = factored(system, x)[1]
        jacobian = np.asarray(triangle if system.mesh is None else joined(system, triangle))
    found = uncertain(system, state.x, restated, jacobian)
    return Fitted(state.x, levels, state.weight, restated, found, good, why, state.history)


def uncertain(system: WeightedSystem, x: np.ndarray, residual: np.ndarray, jacobian: np.ndarray) -> Uncertainty:
    """Error bars from the Jacobian, or from its triangular factor and the rows of the data."""
    if len(jacobian) == len(residual):
        return uncertainty(jacobian, system.task.layout)
    part = system.task.data_rows
    found, leverage = uncertainty(jacobian, system.task.layout), np.zeros(len(residual))
    if part.stop:
        leverage[part] = leverages(jacobian, np.asarray(data_slopes(system, jnp.asarray(x))))
    return found._replace(leverage=leverage)


def saved_arrays(state: FitState) -> dict[str, np.ndarray]:
    arrays = {"x": state.x, "levels": state.levels}
    if state.previous is not None:
        arrays["previous"] = state.previous
    if state.kept is not None:
        arrays |= {"kept_x": state.kept.x, "kept_levels": state.kept.levels}
        arrays["kept_numbers"] = np.array([state.kept.weight, state.kept.misfit])
    if state.ground is not None:
        arrays |= state.ground.arrays()
    leaves = jax.tree_util.tree_leaves(state.now)
    return arrays | {f"now{i}": np.asarray(leaf) for i, leaf in enumerate(leaves)}


def saved_meta(state: FitState) -> dict:
    lines = history_rows(state.history)
    return {
        "weight": float(state.weight),
        "stage": state.stage,
        "tries": state.tries,
        "capped": state.capped,
        "refinement": state.refinement,
        "history": lines,
    }


def history_rows(history: list[Step]) -> list[list]:
    """The history as JSON holds it: null for what is not finite."""
    return [
        [
            s.stage,
            s.step,
            plain(s.weight),
            {name: plain(value) for name, value in s.terms.items()},
            {name: plain(value) for name, value in s.unknowns.items()},
        ]
        for s in history
    ]


def history_of(rows: list[list]) -> list[Step]:
    """The inverse of `history_rows`; what was not finite comes back as NaN."""

    def numbers(found: dict) -> dict[str, float]:
        return {name: float("nan") if value is None else value for name, value in found.items()}

    return [
        Step(stage, step, weight, numbers(terms), numbers(unknowns)) for stage, step, weight, terms, unknowns in rows
    ]


def restored(arrays: dict[str, np.ndarray], meta: dict, like: OptimiserState) -> FitState:
    """The state that was saved; `like` gives the structure of the optimiser's state."""
    leaves, structure = jax.tree_util.tree_flatten(like)
    now = None
    if "now0" in arrays:
        now = jax.tree_util.tree_unflatten(structure, [jnp.asarray(arrays[f"now{i}"]) for i in range(len(leaves))])
    return FitState(
        x=arrays["x"],
        levels=arrays["levels"],
        weight=meta["weight"],
        stage=meta["stage"],
        tries=meta["tries"],
        capped=meta["capped"],
        refinement=meta["refinement"],
        previous=arrays.get("previous"),
        kept=kept_from(arrays),
        ground=Ground.from_arrays(arrays),
        now=now,
        history=history_of(meta["history"]),
    )


def kept_from(arrays: dict[str, np.ndarray]) -> Kept | None:
    if "kept_x" not in arrays:
        return None
    weight, misfit = arrays["kept_numbers"].tolist()
    return Kept(arrays["kept_x"], weight, arrays["kept_levels"], misfit)
