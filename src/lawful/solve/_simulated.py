"""Parameters of a simulation from measured tracks: least squares through the simulated motion, impacts included."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.compilation import quickly
from .._core.estimates import Estimate
from .._core.messages import BadInput, listing, nearest, shown
from .._core.names import arguments
from .._core.record import Account, Drawing, Section, Status, Table
from ..problem import Data, Unknown
from ._covariance import covariance
from ._uncertainty import correlation, in_units, useful

ROUNDS = 20  # of fits in which the noise of each column is estimated anew
SETTLED = 1e-4  # relative change of the noise that ends them
CLOSE = 1e-2  # of a standard deviation: nearer to the minimum no error bar can tell
EXACT = 1e-9  # of a column's size: the least noise that is believed
GRAZES = "the motion grazes something, so that no derivative exists there; guess otherwise"


class Simulated:
    """A problem whose answer is simulated: a motion with unknown numbers in it, and tracks that were measured.

        measured column = model(t, unknowns) + noise

    model      a function of columns of the data (times, say) and of unknowns, matched by the names of its arguments; it
               returns the other columns by name: {"x": ..., "y": ...}, arrays as long as its input. Inside,
               `rollout(...)` follows the motion; times have to rise. Derivatives pass through impacts and events.
    unknowns   `Real`, `Positive`, `Bounded` by name, with guesses from which the same impacts follow in the same
               order; a fit that starts among other impacts may end in another minimum.
    data       `Data`, one or several; each is simulated for itself. Without `noise`, one level for each column is
               estimated.

        def track(t, restitution, g):
            floor = lf.Contact(lf.Plane((1.0,)), restitution=restitution, rests=False)
            q, v = lf.rollout(fall, start, t, args=g, contacts=floor)
            return {"height": q[:, 0]}

        found = lf.solve(lf.Simulated(track, {"restitution": lf.Bounded(0, 1), "g": lf.Positive(9.8)}, data))
        found["restitution"]         # 0.8012 ± 0.0009

    Raises `BadInput` for names that match nothing, columns that the model does not return, and unknown fields.
    """

    def __init__(self, model: Callable, unknowns: Mapping[str, Any], data: Data | Sequence[Data]):
        if not isinstance(unknowns, Mapping) or not unknowns:
            raise BadInput('unknowns must be a mapping, such as {"restitution": lf.Bounded(0, 1)}, with one at least.')
        for name, unknown in unknowns.items():
            if not isinstance(unknown, Unknown):
                raise BadInput(f"unknown '{name}' must be lf.Real, lf.Positive or lf.Bounded, not {shown(unknown)}.")
            if unknown.over is not None:
                raise BadInput(f"unknown '{name}' is a field; a simulation takes unknown numbers and vectors only.")
        sets = (data,) if isinstance(data, Data) else tuple(data)
        if not sets or not all(isinstance(one, Data) for one in sets):
            raise BadInput("data must be lf.Data({'t': t, 'x': x}), one or several.")
        self.model, self.unknowns, self.data = model, dict(unknowns), sets
        asked = arguments(model, "model")
        for one in sets:
            for name in asked:
                if name not in self.unknowns and name not in one.columns:
                    known = [*self.unknowns, *one.columns]
                    raise BadInput(
                        f"model asks for '{name}', which is no unknown and no column of {one.name}"
                        f"{nearest(name, known)} Known: {listing(known)}."
                    )
        idle = [name for name in self.unknowns if name not in asked]
        if idle:
            raise BadInput(f"the model does not take {listing(idle)}; name what it needs among its arguments.")
        if not any(self.measured(one) for one in sets):
            raise BadInput("the data hold no measured column; every column is an argument of the model.")

    def measured(self, one: Data) -> tuple[str, ...]:
        """The columns of a data set that are held against the model."""
        asked = arguments(self.model, "model")
        return tuple(name for name in one.columns if name not in asked)

    def predicted(self, one: Data, values: Mapping[str, Any]) -> dict[str, Float[Array, " n"]]:
        """What the model says of the measured columns."""
        given = {name: jnp.asarray(one.columns[name]) for name in one.columns} | dict(values)
        found = self.model(**{name: given[name] for name in arguments(self.model, "model")})
        if not isinstance(found, Mapping):
            raise BadInput(
                f'the model must return columns by name, such as {{"x": q[:, 0]}}, not {type(found).__name__}.'
            )
        columns = {}
        for name in self.measured(one):
            if name not in found:
                raise BadInput(
                    f"the model returns no '{name}', a column of {one.name}{nearest(name, found)} It returns"
                    f" {listing(found)}."
                )
            if jnp.shape(found[name]) != (len(one),):
                raise BadInput(
                    f"the model's '{name}' has the shape {jnp.shape(found[name])}, but {one.name} has {len(one)} rows."
                )
            columns[name] = found[name]
        return columns

    def values(self, raw: Float[Array, " n"]) -> dict[str, Array]:
        """The unknowns from the numbers that are looked for."""
        found, at = {}, 0
        for name, unknown in self.unknowns.items():
            size = unknown.guess.size
            found[name] = unknown.value(raw[at : at + size].reshape(unknown.guess.shape))
            at += size
        return found

    @property
    def count(self) -> int:
        return sum(unknown.guess.size for unknown in self.unknowns.values())

    @property
    def labels(self) -> list[str]:
        """A name for each number that is looked for."""
        return [
            name if unknown.guess.ndim == 0 else f"{name}[{i}]"
            for name, unknown in self.unknowns.items()
            for i in range(unknown.guess.size)
        ]


class Misfit(eqx.Module):
    """Residuals in units of the noise; the levels of the noise are arrays, so that they change without compiling."""

    problem: Simulated = eqx.field(static=True)
    columns: list[dict[str, Array]]
    levels: list[dict[str, Array]]

    def residual(self, raw: Float[Array, " n"]) -> Float[Array, " m"]:
        values = self.problem.values(raw)
        rows = []
        for one, columns, levels in zip(self.problem.data, self.columns, self.levels, strict=True):
            for name, found in self.problem.predicted(one, values).items():
                rows.append((found - columns[name]) / levels[name])
        for name, unknown in self.problem.unknowns.items():
            if unknown.prior is not None:
                rows.append(jnp.ravel((values[name] - unknown.prior.mean) / unknown.prior.sd))
        return jnp.concatenate(rows)

    def linearise(self, raw: Float[Array, " n"]) -> tuple[Float[Array, " m"], Float[Array, "m n"]]:
        value, along = jax.linearize(self.residual, raw)
        return value, jax.vmap(along, out_axes=1)(jnp.eye(raw.size))


@dataclass(frozen=True)
class Identified:
    """What `solve` found in measured tracks.

    found["restitution"]   an `Estimate`: value ± sd.
    found.undetermined     directions in which the tracks say nothing; an estimate that they touch has an infinite sd.
    found.correlation      of the estimates, in the order of `labels`.
    found.noise            the level of each column, given or estimated.
    found.status           whether to believe it, and why the search stopped.
    """

    problem: Simulated = field(repr=False)
    estimates: dict[str, Estimate]
    status: Status
    undetermined: tuple[str, ...]
    labels: tuple[str, ...]
    correlation: Float[np.ndarray, "n n"]
    noise: dict[str, float]
    noise_estimated: bool
    chi2: float
    dof: int
    fits: dict[str, tuple[np.ndarray, np.ndarray]] = field(repr=False)
    seconds: float

    def __getitem__(self, name: str) -> Estimate:
        if name not in self.estimates:
            raise BadInput(
                f"'{name}' was not looked for{nearest(name, self.estimates)} Known: {listing(self.estimates)}."
            )
        return self.estimates[name]

    @property
    def converged(self) -> bool:
        return self.status.converged

    @property
    def p_value(self) -> float:
        """The probability of a worse fit if model and noise are right; NaN where the noise was estimated."""
        from scipy import special

        return math.nan if self.noise_estimated else float(special.chdtrc(self.dof, self.chi2))

    def to_json(self) -> dict:
        return {
            **{name: one.to_json() for name, one in self.estimates.items()},
            "undetermined": list(self.undetermined),
            "noise": self.noise,
            "chi2": self.chi2,
            "dof": self.dof,
            "status": str(self.status),
        }

    def sentences(self) -> list[str]:
        """Estimates, what is not determined, noise and misfit, a line each."""
        lines = [f"{name} = {one}" for name, one in self.estimates.items()]
        if self.undetermined:
            lines.append(f"not determined: {listing(self.undetermined)} can take any value.")
        kind = "estimated" if self.noise_estimated else "given"
        levels = listing(f"{name} {level:.3g}" for name, level in self.noise.items())
        return [*lines, f"chi2 {self.chi2:.1f} for {self.dof} degrees of freedom, noise {kind}: {levels}"]

    def summary(self) -> str:
        """The answer for a reader at a terminal."""
        return "\n".join([*self.sentences(), str(self.status)])

    def record(self, title: str = "Parameters from tracks") -> Account:
        """The answer as a page."""
        table = Table(("unknown", "found"), tuple((name, str(one)) for name, one in self.estimates.items()))
        picture = Drawing("fit", "Measured (dots) and simulated (lines), by row.", self.plot)
        section = Section("Parameters", tuple(self.sentences()), (table,), (picture,))
        return Account(self.status, self.seconds, (section,), "least squares through the simulation", title)

    def plot(self):
        """Measured and simulated columns: (fig, axes)."""
        from matplotlib.figure import Figure

        from ..report import WIDTH, house_style

        with house_style():
            fig = Figure(figsize=(WIDTH, 1.8 * len(self.fits) + 0.4), layout="constrained")
            axes = np.atleast_1d(fig.subplots(len(self.fits), 1, sharex=True))
            for ax, (name, (seen, said)) in zip(axes, self.fits.items(), strict=True):
                ax.plot(seen, ".", ms=4, label="measured")
                ax.plot(said, lw=1, label="simulated")
                ax.set_ylabel(name)
            axes[0].legend(ncols=2)
            axes[-1].set_xlabel("row")
        return fig, axes


class Search(NamedTuple):
    """Where a least-squares search ended."""

    raw: Float[np.ndarray, " n"]
    residual: Float[np.ndarray, " m"]
    jacobian: Float[np.ndarray, "m n"]
    why: str
    good: bool


def identify(problem: Simulated) -> Identified:
    """Fit, estimate the noise where it is not given, and say what is known."""
    begin = time.monotonic()
    columns = [{name: jnp.asarray(one.columns[name]) for name in problem.measured(one)} for one in problem.data]
    levels = first_levels(problem)
    unknown_noise = any(one.noise[name] is None for one in problem.data for name in problem.measured(one))
    check_start(problem)
    linearise = quickly(lambda raw, levels: Misfit(problem, columns, levels).linearise(raw))
    search = searched(linearise, np.zeros(problem.count), levels)
    for _ in range(ROUNDS if unknown_noise and search.good else 0):
        before, levels = levels, estimated(problem, search.residual, levels)
        search = searched(linearise, search.raw, levels)
        if settled(levels, before) or not search.good:
            break
    return told(problem, search, levels, unknown_noise, time.monotonic() - begin)


def searched(linearise: Callable, start: Float[np.ndarray, " n"], levels) -> Search:
    """A trust region's way down, by SciPy; value and derivative of a point are computed together."""
    from scipy.optimize import least_squares

    slopes: Any = lambda raw: at(raw)[1]  # SciPy's stubs know words only
    known: dict[bytes, tuple[np.ndarray, np.ndarray]] = {}

    def at(raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        key = raw.tobytes()
        if key not in known:
            value, jacobian = linearise(jnp.asarray(raw), levels)
            known[key] = np.asarray(value), np.asarray(jacobian)
        return known[key]

    try:
        found = least_squares(lambda raw: at(raw)[0], start, slopes, ftol=1e-13, xtol=1e-11, gtol=1e-13, max_nfev=200)
    except (ValueError, np.linalg.LinAlgError):
        value, jacobian = at(start)
        return Search(start, value, jacobian, GRAZES, False)
    value, jacobian = at(found.x)
    if not np.all(np.isfinite(jacobian)):
        return Search(found.x, value, jacobian, GRAZES, False)
    # How far, in standard deviations, the minimum of the linear model still is.
    step = jacobian @ np.linalg.lstsq(jacobian, -value, rcond=None)[0]
    to_go = float(np.linalg.norm(step))
    why = f"the minimum is within {max(to_go, 1e-12):.1g} sd"
    if to_go < CLOSE:
        return Search(found.x, value, jacobian, why, True)
    return Search(found.x, value, jacobian, f"the search ended {to_go:.2g} sd from the minimum: {found.message}", False)


def check_start(problem: Simulated) -> None:
    """Refuse guesses from which nothing can be simulated."""
    values = problem.values(jnp.zeros(problem.count))
    for one in problem.data:
        for name, column in quickly(lambda v, one=one: problem.predicted(one, v))(values).items():
            bad = np.flatnonzero(~np.isfinite(np.asarray(column)))
            if bad.size:
                raise BadInput(
                    f"at the guesses the model's '{name}' is not finite from row {bad[0]} of {one.name} on; let the"
                    " rollout take more steps (most=...), give rising times, or guess otherwise."
                )


def first_levels(problem: Simulated) -> list[dict[str, Array]]:
    """The noise as given; elsewhere a twentieth of what a column varies."""
    found = []
    for one in problem.data:
        levels = {}
        for name in problem.measured(one):
            given = one.noise[name]
            spread = float(np.std(one.columns[name])) or 1.0
            levels[name] = jnp.broadcast_to(jnp.asarray(0.05 * spread if given is None else given, float), (len(one),))
        found.append(levels)
    return found


def estimated(problem: Simulated, residual: np.ndarray, levels: list[dict[str, Array]]) -> list[dict[str, Array]]:
    """Each level that is not given from the residuals of its column, in all data sets together."""
    rows = sum(len(one) * len(problem.measured(one)) for one in problem.data)
    paid = problem.count / rows  # the share of a degree of freedom that each row pays
    squares: dict[str, float] = {}
    counts: dict[str, int] = {}
    for one, mine, rest in zip(problem.data, levels, by_column(problem, residual), strict=True):
        for name, column in rest.items():
            if one.noise[name] is None:
                squares[name] = squares.get(name, 0.0) + float(np.sum((column * np.asarray(mine[name])) ** 2))
                counts[name] = counts.get(name, 0) + len(one)
    rms = {name: math.sqrt(squares[name] / (counts[name] * max(1 - paid, 1e-9))) for name in squares}
    floor = {name: EXACT * max(float(np.max(np.abs(one.columns[name]))) for one in problem.data if name in one.columns)
             for name in rms}  # fmt: skip
    return [
        {
            name: jnp.full(len(one), max(rms[name], floor[name], 1e-300)) if one.noise[name] is None else old
            for name, old in before.items()
        }
        for one, before in zip(problem.data, levels, strict=True)
    ]


def by_column(problem: Simulated, residual: np.ndarray) -> list[dict[str, np.ndarray]]:
    """The residuals of each measured column of each data set."""
    found, at = [], 0
    for one in problem.data:
        mine = {}
        for name in problem.measured(one):
            mine[name] = residual[at : at + len(one)]
            at += len(one)
        found.append(mine)
    return found


def settled(new: list[dict[str, Array]], old: list[dict[str, Array]]) -> bool:
    pairs = zip(jax.tree.leaves(new), jax.tree.leaves(old), strict=True)
    return all(np.allclose(a, b, rtol=SETTLED, atol=0) for a, b in pairs)


def told(
    problem: Simulated, search: Search, levels: list[dict[str, Array]], unknown_noise: bool, seconds: float
) -> Identified:
    """The answer in the user's units."""
    count, raw, jacobian = problem.count, jnp.asarray(search.raw), search.jacobian
    rows = sum(len(one) * len(problem.measured(one)) for one in problem.data)
    residual, dof = search.residual[:rows], rows - count
    finite = bool(np.all(np.isfinite(jacobian)))
    matrix, free = covariance(jacobian) if finite else (np.zeros((count, count)), np.eye(count))
    matrix, free = useful(matrix, free)
    values = problem.values(raw)
    slopes = np.asarray(jax.jacfwd(lambda r: jnp.concatenate([jnp.ravel(v) for v in problem.values(r).values()]))(raw))
    sd = np.abs(np.diag(slopes)) * np.sqrt(np.maximum(np.diag(matrix), 0.0))
    sd = np.where(np.any(np.abs(free) > 1e-6, axis=1), math.inf, sd) if free.size else sd
    estimates, at = {}, 0
    for name, unknown in problem.unknowns.items():
        size = unknown.guess.size
        part = sd[at : at + size].reshape(unknown.guess.shape)
        value = np.asarray(values[name])
        scalar = value.ndim == 0
        estimates[name] = Estimate(
            name, float(value) if scalar else value, float(part) if scalar else part, dof if unknown_noise else math.inf
        )
        at += size
    unknowns, names = list(problem.unknowns.values()), problem.labels
    loose = tuple(in_units(names, unknowns, [u.guess.size for u in unknowns], direction) for direction in free.T)
    fits, noise = {}, {}
    for one, mine, rest in zip(problem.data, levels, by_column(problem, residual), strict=True):
        for name, column in rest.items():
            title = name if len(problem.data) == 1 else f"{name} ({one.name})"
            fits[title] = one.columns[name], one.columns[name] + column * np.asarray(mine[name])
            noise[name] = float(np.sqrt(np.mean(np.asarray(mine[name]) ** 2)))
    good, why = search.good and dof > 0, search.why
    if dof <= 0:
        why = f"{rows} measurements cannot tell {count} unknowns and leave an error bar"
    return Identified(
        problem, estimates, Status(good, why), loose, tuple(names), correlation(matrix),
        noise, unknown_noise, float(np.sum(residual**2)), dof, fits, seconds,
    )  # fmt: skip
