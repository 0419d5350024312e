"""The user's functions, each called by hand before anything is solved."""

from __future__ import annotations

from collections.abc import Callable

import jax
import numpy as np

from .._core.messages import BadInput
from .._core.precision import float64
from ._conditions import Flux, Value
from ._interfaces import interfaces
from ._problem import Problem

MISTAKES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a function raises that is not written as it was meant."""


def check_functions(problem: Problem) -> None:
    """Every law, derived quantity, condition and observation must give one real number, on numbers and inside JAX."""
    for name, law in problem.laws.items():
        try_out(problem, law, f"law '{name}'", "a law returns one number, split it into one law per component")
    for name, function in problem.derived.items():
        one = "it must be one number at each point, split it into one quantity per component"
        try_out(problem, function, f"derived quantity '{name}'", one)
    for condition in problem.conditions:
        for name, target in condition.targets.items() if isinstance(condition, Value | Flux) else ():
            where = f"the value of '{name}' at {condition.part}"
            try_out(problem, target, where, "it must be one number at each point")
    for interface in interfaces(problem):
        function = interface.facing(problem, {axis: np.ones(()) for axis in problem.domain.axes})
        try_out(problem, function, f"'{interface.label}' of Continuous", "it must be one number at each point")
    for data in problem.data:
        for name, function in data.observe.items():
            where = f"{data.name}: observe['{name}']"
            try_out(problem, function, where, "it must be one number at each point, use one column per component")


def try_out(problem: Problem, function: Callable, where: str, shape_cure: str) -> None:
    """Call a function with plausible numbers, then with tracers, and look at what comes back."""
    rng = np.random.default_rng(0)
    symbols = problem.vocabulary.resolve_all(function, where)
    values = {argument: sample_value(problem, symbol.base, rng) for argument, symbol in symbols.items()}
    with float64(), np.errstate(all="ignore"):
        try:
            found = function(**values)
            value = np.asarray(found)
        except BadInput:
            raise
        except MISTAKES as error:
            raise BadInput(
                f"{where} fails when it is called with numbers: {type(error).__name__}: {first_line(error)}; correct"
                " the function."
            ) from error
        if found is None:
            raise BadInput(f"{where} returns nothing; end it with `return` and the number.")
        if value.shape != ():
            raise BadInput(f"{where} returns an array of shape {value.shape}; {shape_cure}.")
        if value.dtype.kind not in "fiu":
            raise BadInput(f"{where} returns {type(found).__name__} of type {value.dtype}; it must be one real number.")
        try:
            jax.eval_shape(lambda values: function(**values), values)
        except MISTAKES as error:
            raise BadInput(
                f"{where} works on plain numbers but not inside JAX ({type(error).__name__}); use jnp functions in"
                " place of numpy's and math's, and jnp.where in place of if."
            ) from error


def sample_value(problem: Problem, base: str, rng: np.random.Generator) -> np.ndarray:
    """Some plausible value of a quantity."""
    base = dict(problem.regional).get(base, (base,))[0]
    if base in problem.constants:
        return problem.constants[base]
    if base in problem.unknowns:
        return problem.unknowns[base].guess
    if base in problem.domain.axes:
        return np.asarray(rng.uniform(*problem.domain.ends(base)))
    return np.asarray(rng.uniform(0.5, 1.5))


def first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:160].rstrip(".") if str(error) else "no message"
