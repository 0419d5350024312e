"""Unknowns: what is to be found, declared once with transform, guess, prior and extent.

Every unknown is found as `raw` numbers for which 0 is the guess and 1 a natural step, so that no user has to scale
anything; `value` maps them to what the laws see. A scalar's guess is a number, a vector's an array; an unknown *field*
is declared with `over="x"` or `over=("x", "y")`, and then what is found is a smooth random function of these axes (see
`Smooth`).
"""

from __future__ import annotations

import abc
import math
from collections.abc import Mapping, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import ArrayLike

from .._core.messages import BadInput, shown
from .._core.numbers import real_array
from ._smooth import Smooth, field_of_modes


class Normal(eqx.Module):
    """A Gaussian prior on the value of an unknown: (value - mean) / sd is one more residual of the fit."""

    mean: float | Float[np.ndarray, "..."]
    sd: float | Float[np.ndarray, "..."]

    def __check_init__(self):
        given = f"Normal(mean={shown(self.mean)}, sd={shown(self.sd)})"
        mean, sd = number("Normal", "mean", self.mean), number("Normal", "sd", self.sd)
        if not (np.all(np.isfinite(mean)) and np.all(np.isfinite(sd)) and np.all(sd > 0)):
            raise BadInput(f"{given}: the mean must be finite and the sd positive and finite.")


class Unknown(eqx.Module):
    """The contract: `value(raw)` is monotonic, smooth, and equals `guess` at raw = 0."""

    guess: eqx.AbstractVar[np.ndarray]
    over: eqx.AbstractVar[tuple[str, ...] | None]
    prior: eqx.AbstractVar[Normal | Smooth | None]

    @abc.abstractmethod
    def value(self, raw: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """What the laws see."""

    @abc.abstractmethod
    def raw_of(self, value: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """The inverse of `value`."""

    @property
    @abc.abstractmethod
    def step(self) -> str:
        """How a raw direction is read: "log" for a factor, "linear" for a difference."""


class Real(Unknown):
    """Any real number (or array, by the shape of `guess`): value = guess + scale * raw.

    guess   starting value, in the unit of the quantity; 0 is fine.
    scale   a typical size of the difference between guess and answer; by default |guess|, or 1 where that is 0.
    over    the axis or axes of which it is a function, for an unknown field: "x" or ("x", "y").
    prior   `Normal(mean, sd)` for a number, `Smooth(...)` for a field.
    """

    guess: np.ndarray
    scale: np.ndarray
    over: tuple[str, ...] | None = eqx.field(static=True)
    prior: Normal | Smooth | None

    def __init__(self, guess: ArrayLike = 0.0, *, scale=None, over: str | Sequence[str] | None = None, prior=None):
        self.guess = checked_guess("Real", guess)
        self.scale = (
            np.where(self.guess != 0, np.abs(self.guess), 1.0) if scale is None else checked_scale(scale, self.guess)
        )
        self.over = checked_over(over)
        self.prior = checked_prior(self.over, prior, self.guess)

    def value(self, raw):
        return self.guess + self.scale * raw

    def raw_of(self, value):
        return (value - self.guess) / self.scale

    @property
    def step(self) -> str:
        return "linear"


class Positive(Unknown):
    """A positive number (or array): value = guess * exp(raw). The guess may be wrong by orders of magnitude.

    Arguments as for `Real`, with guess > 0.
    """

    guess: np.ndarray
    over: tuple[str, ...] | None = eqx.field(static=True)
    prior: Normal | Smooth | None

    def __init__(self, guess: ArrayLike = 1.0, *, over: str | Sequence[str] | None = None, prior=None):
        self.guess = checked_guess("Positive", guess)
        if np.any(self.guess <= 0):
            raise BadInput(
                f"Positive(guess={shown(guess)}): the guess must be above zero; use Real(guess=...) for a quantity of"
                " either sign."
            )
        self.over = checked_over(over)
        self.prior = checked_prior(self.over, prior, self.guess)

    def value(self, raw):
        return self.guess * jnp.exp(raw)

    def raw_of(self, value):
        return jnp.log(value / self.guess)

    @property
    def step(self) -> str:
        return "log"


class Bounded(Unknown):
    """A number (or array) strictly between two bounds: value = lower + (upper - lower) * logistic(raw + raw_guess).

    lower, upper   the bounds.
    guess          inside the bounds; by default the middle.
    """

    lower: float
    upper: float
    guess: np.ndarray
    over: tuple[str, ...] | None = eqx.field(static=True)
    prior: Normal | Smooth | None

    def __init__(self, lower: float, upper: float, guess=None, *, over: str | Sequence[str] | None = None, prior=None):
        ends = number("Bounded", "lower bound", lower), number("Bounded", "upper bound", upper)
        if not all(end.shape == () and np.isfinite(end) for end in ends) or ends[0] >= ends[1]:
            given = f"Bounded({shown(lower)}, {shown(upper)})"
            raise BadInput(f"{given}: the lower bound must be below the upper, both finite single numbers.")
        self.lower, self.upper = float(ends[0]), float(ends[1])
        self.guess = checked_guess("Bounded", 0.5 * (self.lower + self.upper) if guess is None else guess)
        if np.any(self.guess <= self.lower) or np.any(self.guess >= self.upper):
            given = f"Bounded({self.lower:g}, {self.upper:g}, guess={shown(guess)})"
            raise BadInput(f"{given}: the guess must lie strictly between the bounds.")
        self.over = checked_over(over)
        self.prior = checked_prior(self.over, prior, self.guess)

    def value(self, raw):
        return self.lower + (self.upper - self.lower) * jax.nn.sigmoid(raw + self._offset)

    def raw_of(self, value):
        fraction = (value - self.lower) / (self.upper - self.lower)
        return jnp.log(fraction) - jnp.log1p(-fraction) - self._offset

    @property
    def step(self) -> str:
        return "linear"

    @property
    def _offset(self) -> Array:
        fraction = (self.guess - self.lower) / (self.upper - self.lower)
        return jnp.log(fraction) - jnp.log1p(-fraction)


def number(kind: str, name: str, value: object) -> Float[np.ndarray, "..."]:
    """A number or an array of numbers among the arguments of an unknown or a prior."""
    try:
        return real_array(value)
    except TypeError as error:
        raise BadInput(f"{kind}: the {name} must be a number, but {shown(value)} holds {error}.") from None


def checked_guess(kind: str, guess: object) -> Float[np.ndarray, "..."]:
    try:
        array = real_array(guess)
    except TypeError as error:
        raise BadInput(
            f"{kind}(guess={shown(guess)}): the guess must be a number or an array of numbers, not {error}."
        ) from None
    if not array.size or not np.all(np.isfinite(array)):
        raise BadInput(f"{kind}(guess={shown(guess)}): the guess must be finite.")
    return array


def checked_scale(scale: object, guess: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    array, shape = number("Real", "scale", scale), guess.shape
    if not np.all(np.isfinite(array)) or np.any(array <= 0):
        raise BadInput(
            f"Real(scale={shown(scale)}): the scale must be positive and finite, a typical size of the error."
        )
    if array.shape not in ((), shape):
        raise BadInput(
            f"Real(scale=...) has shape {array.shape}, but the guess has {shape}; give one number or as many."
        )
    return np.broadcast_to(array, shape).copy()


def checked_over(over: object) -> tuple[str, ...] | None:
    """The axes of an unknown field; None for a number."""
    if over is None:
        return None
    names = (over,) if isinstance(over, str) else tuple(over) if isinstance(over, Sequence) else ()
    if not names or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise BadInput(
            f"over={shown(over)}: an unknown field is a function of axes; give their names, each once, such as"
            ' over="x" or over=("x", "y").'
        )
    return names


def checked_prior(
    over: tuple[str, ...] | None, prior: object, guess: Float[np.ndarray, "..."]
) -> Normal | Smooth | None:
    if over is None:
        if prior is not None and not isinstance(prior, Normal):
            raise BadInput(
                "the prior of a scalar or vector unknown must be lf.Normal(mean, sd); lf.Smooth(...) is for unknown"
                f" fields (over=...); got {shown(prior)}."
            )
        for name in ("mean", "sd") if prior is not None else ():
            shape = np.shape(getattr(prior, name))
            if shape not in ((), guess.shape):
                raise BadInput(f"the {name} of the prior has shape {shape}, but the guess has {guess.shape}.")
        return prior
    if prior is not None and not isinstance(prior, Smooth):
        raise BadInput(f"the prior of an unknown field must be lf.Smooth(length, sd); got {shown(prior)}.")
    prior = prior or Smooth()
    prior.check(over)
    return prior


def smoothness(unknown: Unknown) -> Smooth:
    """The prior of an unknown field. Raises `BadInput` for an unknown that is none."""
    if not isinstance(unknown.prior, Smooth):
        raise BadInput(f'{type(unknown).__name__}(...) is no unknown field; declare one with over="x".')
    return unknown.prior


def axes_of(unknown: Unknown) -> tuple[str, ...]:
    """The axes of an unknown field; none for a number."""
    return unknown.over or ()


def raw_size(unknown: Unknown) -> int:
    """How many numbers are found for it: its own size, or the mean and the modes of a field."""
    if unknown.over is None:
        return unknown.guess.size
    return 1 + math.prod(smoothness(unknown).counts(unknown.over))


def field_value(
    unknown: Unknown, raw: Float[Array | np.ndarray, " modes"], place: Mapping[str, Float[Array | np.ndarray, ""]]
) -> Float[Array, ""]:
    """An unknown field at a place, each coordinate in [0, 1] along its axis: value(mean + sum_j raw_j phi_j(place))."""
    return unknown.value(raw[0] + field_of_modes(smoothness(unknown), axes_of(unknown), raw[1:], place))
