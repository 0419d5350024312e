"""Series through programs inside a program: calls, loops and choices."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import ClosedJaxpr, JaxprEqn
from jax.extend.core import primitives as jp

from ._orders import Orders
from ._rules import Rule, is_float
from ._series import Series, constant, is_constant

Propagate = Callable[[Orders, ClosedJaxpr, list[Series]], list[Series]]


def control_rule_for(equation: JaxprEqn, operands: list[Series], propagate: Propagate) -> Rule | None:
    """The rule for an equation that holds programs of its own, None where there is none.

    None stands for while loops, and for functions with a custom derivative, whose rule is respected by
    differentiating them as JAX does.
    """
    if equation.primitive is jp.jit_p:
        return functools.partial(_call, propagate)
    if equation.primitive is jp.remat_p:
        return functools.partial(_recomputed, propagate)
    if equation.primitive is jp.scan_p:
        return functools.partial(_loop, propagate)
    if equation.primitive is jp.cond_p and is_constant(operands[0]):
        return functools.partial(_choice, propagate)
    return None


def _call(propagate: Propagate, orders: Orders, equation: JaxprEqn, operands: list[Series]) -> list[Series]:
    return propagate(orders, equation.params["jaxpr"], operands)


def _recomputed(propagate: Propagate, orders: Orders, equation: JaxprEqn, operands: list[Series]) -> list[Series]:
    """`jax.checkpoint`: the reverse pass recomputes the whole series, which is what saves its memory."""
    program = ClosedJaxpr(equation.params["jaxpr"], ())
    run = jax.checkpoint(
        functools.partial(propagate, orders, program),
        policy=equation.params["policy"],
        prevent_cse=equation.params["prevent_cse"],
    )
    return run(operands)


def _loop(propagate: Propagate, orders: Orders, equation: JaxprEqn, operands: list[Series]) -> list[Series]:
    """`lax.scan`: the carry keeps all coefficients, since what is zero at first need not stay so."""
    program, first = equation.params["jaxpr"], equation.params["num_consts"]
    last = first + equation.params["num_carry"]
    consts, carry, columns = operands[:first], operands[first:last], operands[last:]

    def step(carry: list[Series], row: list[Series]) -> tuple[list[Series], list[Series]]:
        outputs = propagate(orders, program, [*consts, *carry, *row])
        return _filled(orders, outputs[: len(carry)]), outputs[len(carry) :]

    options = {name: equation.params[name] for name in ("length", "reverse", "unroll")}
    carry, stacked = lax.scan(step, _filled(orders, carry), columns, **options)
    return [*carry, *stacked]


def _choice(propagate: Propagate, orders: Orders, equation: JaxprEqn, operands: list[Series]) -> list[Series]:
    """`lax.cond` and `lax.switch` on what does not move with the coordinates, as a comparison never does."""
    index, *rest = operands
    branches = [
        lambda moving, program=program: _filled(orders, propagate(orders, program, moving))
        for program in equation.params["branches"]
    ]
    return lax.switch(index[orders[0]], branches, rest)


def _filled(orders: Orders, several: list[Series]) -> list[Series]:
    """The same series with every coefficient spelled out, zeros too, as far as they can have any."""
    return [_dense(orders, each) if is_float(jax.typeof(each[orders[0]])) else each for each in several]


def _dense(orders: Orders, a: Series) -> Series:
    return {**constant(orders, a[orders[0]]), **{g: a.get(g, jnp.zeros_like(a[orders[0]])) for g in orders}}
