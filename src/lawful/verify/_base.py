"""What is judged: a model as plain functions of numbers, and what the sensors measured."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float, Int

from .._core.messages import BadInput, listing
from ._misfit import Coupling, coupled

Predict = Callable[[Float[np.ndarray, " n"]], Float[np.ndarray, " rows"]]
Linearise = Callable[
    [Float[np.ndarray, " n"], Float[np.ndarray, "n k"]], tuple[Float[np.ndarray, " rows"], Float[np.ndarray, "rows k"]]
]


@dataclass(frozen=True)
class Coordinate:
    """One number to be found: its name, and how the raw number that is fitted becomes a value in the user's unit.

    `value` is monotonic; `slope` is its derivative; `log` says that a raw step is a factor rather than a difference.
    """

    name: str
    value: Callable[[float], float] = float
    slope: Callable[[float], float] = lambda raw: 1.0
    log: bool = False


@dataclass(frozen=True)
class Probe:
    """Where another sensor could stand, and what it would read: `linearise` gives the rows place by place, as many for
    each.

    places   coordinates of each place by axis.
    noise    of a reading there.
    """

    places: Mapping[str, Float[np.ndarray, " places"]]
    linearise: Linearise
    noise: float

    def label(self, index: int) -> str:
        return ", ".join(f"{axis} = {values[index]:.3g}" for axis, values in self.places.items())


@dataclass(frozen=True)
class ForwardModel:
    """What a model predicts at its sensors, as a function of numbers x: its own parameters first, then the coefficient
    of each term that it may lack, all of which are 0 in the model as it stands.

    predict      x (n,) -> predictions (rows,).
    linearise    x (n,), directions (n, k) -> predictions (rows,) and their derivatives along them (rows, k).
    parameters   what is fitted in any case.
    candidates   the terms that may be missing.
    start        x at which fits start.
    finer        the same predictions on meshes each finer than the last (by the factor `ratio` in every direction),
                 two of them for an observed order; none for a model without a mesh.
    parts        predictions with one source of error reduced, by its name: "space", "time", "solver and rounding".
    probe        where another sensor could stand.
    """

    predict: Predict
    linearise: Linearise
    parameters: tuple[Coordinate, ...]
    candidates: tuple[Coordinate, ...]
    start: Float[np.ndarray, " n"]
    finer: tuple[Predict, ...] = ()
    ratio: float = 2.0
    parts: Mapping[str, Predict] = field(default_factory=dict)
    probe: Probe | None = None

    @property
    def coordinates(self) -> tuple[Coordinate, ...]:
        return (*self.parameters, *self.candidates)

    def place_of(self, candidate: str) -> int:
        """Where the coefficient of a candidate sits in x."""
        return len(self.parameters) + [c.name for c in self.candidates].index(candidate)

    @staticmethod
    def from_function(
        predict: Callable,
        start: Sequence[float],
        parameters: Sequence[str],
        candidates: Sequence[str] = (),
        finer: Sequence[Callable] = (),
        ratio: float = 2.0,
    ) -> ForwardModel:
        """A model from a simulator of one's own, written in JAX; derivatives are taken by forward differentiation.

        predict      x (n,) -> predictions (rows,); x holds the parameters, then the coefficients of the candidates.
        start        values of the parameters at which fits start.
        finer        the same simulator on meshes each finer by `ratio`.

        Raises `BadInput` where the numbers do not add up.
        """
        import jax
        import jax.numpy as jnp

        from .._core.precision import in_float64

        if len(start) != len(parameters):
            raise BadInput(f"start has {len(start)} values for the {len(parameters)} parameters {listing(parameters)}.")

        def linearise(x, directions):
            def along(v):
                return jax.jvp(predict, (x,), (v,))

            return jax.vmap(along, in_axes=1, out_axes=(None, 1))(directions)

        def on_host(function: Callable) -> Callable:
            compiled = jax.jit(function)
            return in_float64(lambda *args: jax.tree.map(np.asarray, compiled(*(jnp.asarray(a) for a in args))))

        whole = np.concatenate([np.asarray(start, dtype=float), np.zeros(len(candidates))])
        return ForwardModel(
            predict=on_host(predict),
            linearise=on_host(linearise),
            parameters=tuple(Coordinate(name) for name in parameters),
            candidates=tuple(Coordinate(name) for name in candidates),
            start=whole,
            finer=tuple(on_host(each) for each in finer),
            ratio=ratio,
        )


@dataclass(frozen=True)
class Measurements:
    """What the sensors read.

    values    (rows,)
    sd        noise of each row; for a level that is to be estimated, its share of that level (usually 1).
    level     -1 where the noise is given, else the index of the level to be estimated.
    sensor    which sensor each row belongs to, an index into `sensors`, their names.
    places    coordinates of each row by axis, for looking at neighbours and for pictures; none for rows of priors.
    column    which measured quantity each row is, an index into `columns`, their names.
    """

    values: Float[np.ndarray, " rows"]
    sd: Float[np.ndarray, " rows"]
    level: Int[np.ndarray, " rows"]
    sensor: Int[np.ndarray, " rows"]
    sensors: tuple[str, ...]
    places: Mapping[str, Float[np.ndarray, " rows"]]
    column: Int[np.ndarray, " rows"]
    columns: tuple[str, ...]

    @staticmethod
    def of(
        values: Sequence[float] | np.ndarray,
        noise: float | np.ndarray | None,
        sensor: Sequence | np.ndarray | None = None,
        places: Mapping[str, np.ndarray] | None = None,
        name: str = "data",
    ) -> Measurements:
        """One measured quantity: `noise` is its standard deviation, None to have it estimated; `sensor` names the
        sensor of each row."""
        array = np.asarray(values, dtype=float)
        if array.ndim != 1 or not array.size or not np.all(np.isfinite(array)):
            raise BadInput(f"{name}: values must be a vector of finite numbers, but have shape {array.shape}.")
        labels = np.asarray([name] * len(array) if sensor is None else [str(s) for s in sensor])
        names, index = np.unique(labels, return_inverse=True)
        sd = np.broadcast_to(1.0 if noise is None else np.asarray(noise, dtype=float), array.shape).copy()
        if not np.all(sd > 0):
            raise BadInput(f"{name}: noise must be positive; None has it estimated.")
        return Measurements(
            values=array,
            sd=sd,
            level=np.full(len(array), -1 if noise is not None else 0),
            sensor=index,
            sensors=tuple(str(n) for n in names),
            places={axis: np.asarray(line, dtype=float) for axis, line in (places or {}).items()},
            column=np.zeros(len(array), dtype=int),
            columns=(name,),
        )

    @functools.cached_property
    def coupling(self) -> Coupling | None:
        """Which rows are neighbours: what the test for structure looks at. The same for all readings at these
        places."""
        return coupled(self.places, self.sensor, self.column)

    @property
    def estimated(self) -> bool:
        """Whether any noise level is to be estimated."""
        return bool(np.any(self.level >= 0))

    @property
    def levels(self) -> int:
        return int(np.max(self.level, initial=-1)) + 1

    def noise(self, levels: Float[np.ndarray, " levels"]) -> Float[np.ndarray, " rows"]:
        """The standard deviation of every row, given the levels."""
        if not self.estimated:
            return self.sd
        return self.sd * np.where(self.level >= 0, np.asarray(levels)[np.maximum(self.level, 0)], 1.0)

    def like(self, values: Float[np.ndarray, " rows"], noise: float | np.ndarray | None) -> Measurements:
        """The same sensors with other readings, all of the same noise (None or 0: to be estimated)."""
        known = noise is not None and bool(np.all(np.asarray(noise) > 0))
        rows = len(self.values)
        sd = np.broadcast_to(np.asarray(noise if known else 1.0, dtype=float), rows).copy()
        other = replace(self, values=np.asarray(values, dtype=float), sd=sd, level=np.full(rows, -1 if known else 0))
        return other._beside(self)

    def holding(self, values: Float[np.ndarray, " rows"]) -> Measurements:
        """The same sensors with other readings."""
        return replace(self, values=np.asarray(values, dtype=float))._beside(self)

    def _beside(self, other: Measurements) -> Measurements:
        """With the neighbours of another set at the same places, which are costly to find."""
        self.__dict__["coupling"] = other.coupling
        return self
