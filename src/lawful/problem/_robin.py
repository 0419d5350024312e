"""Right-hand sides that use the field itself: du/dn = b + c u, a condition of the third kind (Robin)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.names import Symbol
from .._core.precision import in_float64
from ._faces import FaceCondition
from ._problem import Problem
from ._surfaces import SurfaceCondition

ScalarField = Callable[..., Float[Array, ""]]

ROUNDING = 1e-9  # of the sizes of what is added up


def known_at(problem: Problem, raw: float = 0.0) -> dict[str, Array | np.ndarray]:
    """Constants, and scalar unknowns at a raw value, 0 for their guess."""
    known: dict[str, Array | np.ndarray] = {**problem.constants}
    for name in problem.unknown_scalars:
        unknown = problem.unknowns[name]
        known[name] = unknown.guess if raw == 0 else unknown.value(jnp.full(unknown.guess.shape, raw))
    return under_own_names(problem, known)


def under_own_names(problem: Problem, known: Mapping[str, Array | np.ndarray]) -> dict[str, Array | np.ndarray]:
    """Constants and unknowns under the names that the functions of one region use."""
    return {**known, **{name: known[keys[0]] for name, keys in problem.regional}}


def is_plain(problem: Problem, symbol: Symbol) -> bool:
    """Whether a quantity is known without the fields."""
    return symbol.base in problem.vocabulary.plain or symbol.base in problem.domain.axes


def robin_argument(problem: Problem, field: str, target: Callable, where: str) -> str | None:
    """The argument of a target that is the field itself, where the target is b + c u with b and c that depend on
    coordinates, constants and scalar unknowns only; None for everything else."""
    symbols = problem.vocabulary.resolve_all(target, where)
    own = [name for name, symbol in symbols.items() if symbol == Symbol(field)]
    rest = [symbol for name, symbol in symbols.items() if name not in own]
    if len(own) != 1 or not all(is_plain(problem, symbol) for symbol in rest):
        return None
    return own[0] if is_linear(problem, target, own[0], tuple(symbols)) else None


@in_float64
def is_linear(problem: Problem, target: Callable, own: str, names: tuple[str, ...]) -> bool:
    """Whether a function is linear in one of its arguments: tried from 1e-6 to 1e6 and around every constant, with both
    signs, at several places and values of the unknowns."""
    scales = [10.0**power for power in range(-6, 7)]
    scales += [share * abs(float(value)) for known in known_at(problem).values() for value in np.ravel(known)
               for share in (0.5, 0.9, 1.1, 2.0)]  # fmt: skip
    tried = np.array([sign * scale for scale in scales for sign in (1.0, -1.0)])
    places = {axis: jnp.asarray(values) for axis, values in problem.domain.sample(4, 3).items()}
    for raw in (0.0, 0.3, -0.7) if problem.unknown_scalars else (0.0,):
        known = known_at(problem, raw)
        for i in range(4):
            here = {**known, **{axis: values[i] for axis, values in places.items()}}
            fixed = {name: here[name] for name in names if name != own}

            def of_field(u, fixed=fixed):
                return jnp.asarray(target(**fixed, **{own: u}), dtype=float)

            found = jax.vmap(of_field)(tried)
            start, slope = jax.value_and_grad(of_field)(0.0)
            off = np.abs(found - start - slope * tried)
            if not np.all(off <= ROUNDING * (np.abs(start) + np.abs(slope * tried))):
                return False
    return True


def right_hand_side(
    problem: Problem, condition: FaceCondition | SurfaceCondition, known: Mapping[str, Array | np.ndarray]
) -> tuple[ScalarField, ScalarField | None]:
    """(b, c) of sign * target = b + c u as functions of the point; c is None where the target does not use the field.

    `known` are the values of constants and unknowns; the target must be plain, but for the field itself.
    """
    names = problem.vocabulary.resolve_all(condition.target, f"the value of {condition}")
    own = condition.robin

    def at(point: Mapping[str, Array | np.ndarray]) -> Float[Array, ""]:
        here = {**known, **point}
        return condition.sign * jnp.asarray(condition.target(**{name: here[name] for name in names}), dtype=float)

    if own is None:
        return lambda **point: at(point), None

    def value(**point: Float[Array, ""]) -> Float[Array, ""]:
        return at({**point, own: jnp.zeros(())})

    def slope(**point: Float[Array, ""]) -> Float[Array, ""]:
        return jax.grad(lambda u: at({**point, own: u}))(jnp.zeros(()))

    return value, slope
