"""From JAX's primitives to laws for their coefficients."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import ClosedJaxpr, JaxprEqn
from jax.extend.core import primitives as jp

from .._core.messages import BadInput
from . import _elementary as proven
from . import _functions as functions
from . import _laws as laws
from ._functions import either
from ._laws import Law

if TYPE_CHECKING:
    from ._recipe import Builder

MOVES = frozenset(
    {
        jp.broadcast_in_dim_p, jp.concatenate_p, jp.copy_p, jp.dynamic_slice_p, jp.dynamic_update_slice_p,
        jp.gather_p, jp.name_p, jp.pad_p, jp.reshape_p, jp.rev_p, jp.scatter_p, jp.select_n_p, jp.slice_p,
        jp.squeeze_p, jp.stop_gradient_p, jp.transpose_p, lax.optimization_barrier_p, lax.stack_p,
    }
)  # fmt: skip
FOREIGN = frozenset({jp.cumsum_p, jp.scatter_p, jp.scatter_add_p, jp.sort_p, jp.erf_p})
"""Operations that cannot stand in a piece of code of its own; see `in_one_piece`."""
SEVERAL = frozenset({lax.split_p, lax.unstack_p, lax.optimization_barrier_p})
COMPARISONS = frozenset({jp.eq_p, jp.ge_p, jp.gt_p, jp.le_p, jp.lt_p, jp.ne_p})
STEPS = frozenset({jp.ceil_p, jp.floor_p, jp.round_p, jp.sign_p, jp.is_finite_p})


def aval(atom: Any) -> Any:
    """The shape and type of a value in a program."""
    return atom.aval


def law_of(builder: Builder, equation: JaxprEqn, operands: list[int]) -> list[int]:
    """Emit the steps of an equation whose operands are not all known beforehand; returns the places of its results."""
    primitive, params = equation.primitive, equation.params
    builder.foreign |= primitive in FOREIGN
    if not floats(equation):
        return discrete(builder, equation, operands)
    key = (primitive, str(params))
    bind = functools.partial(bound, equation)
    if primitive in SEVERAL:
        return [
            builder.emit(laws.moves(lambda *xs, i=i: bind(*xs)[i]), operands, (*key, i))[0]
            for i in range(len(equation.outvars))
        ]
    if primitive in MOVES and params.get("fill_value") is None:
        return builder.emit(laws.moves(bind), operands, key)
    if primitive is jp.convert_element_type_p:
        return converted(builder, equation, operands)
    if primitive in (jp.add_p, jp.add_jaxvals_p):
        return builder.emit(laws.total_of((1, 1)), operands, key)
    if primitive is jp.sub_p:
        return builder.emit(laws.total_of((1, -1)), operands, key)
    if primitive is jp.neg_p:
        return builder.emit(laws.negated(), operands, key)
    if primitive in PRODUCTS:
        return PRODUCTS[primitive](builder, equation, operands)
    if primitive in functions.UNARY:
        return builder.emit(functions.UNARY[primitive], operands, key)
    if primitive in functions.PAIRS:
        law, which = functions.PAIRS[primitive]
        return [builder.emit(law, operands, id(law), results=2)[which]]
    if primitive in OTHERS:
        return OTHERS[primitive](builder, equation, operands)
    raise BadInput(
        f"the right-hand side uses '{primitive.name}', which has no series expansion; write it otherwise, or use"
        " method=lf.Diffrax()."
    )


def bound(equation: JaxprEqn, *values):
    return equation.primitive.bind(*values, **equation.params)


def floats(equation: JaxprEqn) -> bool:
    """Whether a result is a float; complex numbers are refused."""
    kinds = [aval(v).dtype for v in equation.outvars if hasattr(aval(v), "dtype")]
    if any(jnp.issubdtype(kind, jnp.complexfloating) for kind in kinds):
        raise BadInput(
            "the right-hand side computes with complex numbers, which are not expanded; split them into real and"
            " imaginary parts, or use method=lf.Diffrax()."
        )
    return any(jnp.issubdtype(kind, jnp.floating) for kind in kinds)


def discrete(builder: Builder, equation: JaxprEqn, operands: list[int]) -> list[int]:
    """Comparisons and whole numbers: they depend on the state by its value alone."""
    primitive = equation.primitive
    bind = functools.partial(bound, equation)
    if all(not is_float(aval(v)) for v in equation.invars):
        law = constant_law(lambda arithmetic, values: bind(*values))
    elif primitive in COMPARISONS:
        law = constant_law(lambda arithmetic, values: arithmetic.compared(bind, *values))
    elif primitive in STEPS or primitive is jp.convert_element_type_p:
        law = constant_law(lambda arithmetic, values: arithmetic.stepped(bind, values[0]))
    else:
        raise BadInput(
            f"the right-hand side uses '{primitive.name}' on moving quantities, which has no series expansion; write it"
            " otherwise, or use method=lf.Diffrax()."
        )
    return builder.emit(law, operands, (primitive, str(equation.params)), still=True)


def constant_law(head: Callable) -> Law:
    """What has no coefficients beyond its value."""

    def step(arithmetic, k, operands, own):
        raise AssertionError("a quantity that stands still was expanded")

    return Law(lambda arithmetic, values: (head(arithmetic, values),), step)


def is_float(aval) -> bool:
    return hasattr(aval, "dtype") and jnp.issubdtype(aval.dtype, jnp.floating)


def converted(builder: Builder, equation: JaxprEqn, operands: list[int]) -> list[int]:
    """To another type: whole numbers and truth values become exact floats; short floats would round."""
    source, target = aval(equation.invars[0]).dtype, aval(equation.outvars[0]).dtype
    key = (equation.primitive, str(equation.params))
    if not jnp.issubdtype(source, jnp.floating):
        bind = functools.partial(bound, equation)
        return builder.emit(
            constant_law(lambda arithmetic, values: arithmetic.exact(bind(*values))), operands, key, still=True
        )
    if source == target:
        return operands
    if jnp.finfo(target).bits < 64:
        raise BadInput(
            f"the right-hand side converts to {target}, but simulations are computed in double precision; drop the"
            " conversion, or use method=lf.Diffrax()."
        )
    return operands


def times(builder: Builder, equation: JaxprEqn, operands: list[int]) -> list[int]:
    if operands[0] == operands[1]:
        return builder.emit(functions.UNARY[jp.square_p], operands[:1], (jp.square_p, "{}"))
    return builder.emit(laws.product(), operands, jp.mul_p)


def over(builder: Builder, equation: JaxprEqn, operands: list[int]) -> list[int]:
    return builder.emit(laws.quotient(), operands, jp.div_p)


def dot(builder: Builder, equation: JaxprEqn, operands: list[int]) -> list[int]:
    (contracted, _), _ = equation.params["dimension_numbers"]
    shape = aval(equation.invars[0]).shape
    terms = math.prod(shape[axis] for axis in contracted)
    multiply = functools.partial(bound, equation)
    if terms * math.prod(aval(equation.outvars[0]).shape) <= SMALL:
        multiply = functools.partial(contraction, equation.params["dimension_numbers"])
    else:
        builder.foreign = True
    law = laws.product(multiply, max(terms, 1))
    return builder.emit(law, operands, (equation.primitive, str(equation.params)))


SMALL = 4096
"""Products in a contraction that are better multiplied and summed in place than handed to linear algebra."""


def contraction(dimension_numbers, a, b):
    """A product of matrices as products and sums."""
    left, right, count = beside(dimension_numbers, a, b)
    return jnp.sum(left * right, axis=tuple(range(left.ndim - count, left.ndim)))


def beside(dimension_numbers, a, b):
    """Both factors of a product of matrices, so that they multiply entry by entry: batch axes first, then those of a,
    then those of b, and last as many as are summed over, which is the third result."""
    (one, other), (batch_a, batch_b) = dimension_numbers
    rest_a = [i for i in range(a.ndim) if i not in (*one, *batch_a)]
    rest_b = [i for i in range(b.ndim) if i not in (*other, *batch_b)]
    left = a.transpose(*batch_a, *rest_a, *one)
    right = b.transpose(*batch_b, *rest_b, *other)
    shape_a, shape_b = [a.shape[i] for i in rest_a], [b.shape[i] for i in rest_b]
    batch, last = left.shape[: len(batch_a)], left.shape[left.ndim - len(one) :]
    left = left.reshape(*batch, *shape_a, *[1] * len(shape_b), *last)
    right = right.reshape(*batch, *[1] * len(shape_a), *shape_b, *last)
    return left, right, len(one)


def filtered(builder: Builder, equation: JaxprEqn, operands: list[int]) -> list[int]:
    """Convolutions over arrays."""
    terms = int(np.prod(aval(equation.invars[1]).shape))
    builder.foreign = True
    return builder.emit(laws.product(functools.partial(bound, equation), max(terms, 1)), operands)


PRODUCTS: dict = {
    jp.mul_p: times,
    jp.div_p: over,
    jp.dot_general_p: dot,
    jp.conv_general_dilated_p: filtered,
}


def integer_power(builder: Builder, equation: JaxprEqn, operands: list[int]) -> list[int]:
    """By products, so that a zero of the base does no harm; a negative power through the reciprocal's law."""
    return [to_power(builder, operands[0], equation.params["y"])]


def to_power(builder: Builder, base: int, exponent: int) -> int:
    if exponent < 0:
        return builder.emit(functions.root_power(2 * exponent), [base], ("root power", 2 * exponent))[0]
    if exponent == 1:
        return base
    half = to_power(builder, base, exponent // 2)
    [root] = builder.emit(functions.UNARY[jp.square_p], [half], (jp.square_p, "{}"))
    return root if exponent % 2 == 0 else builder.emit(laws.product(), [root, base], jp.mul_p)[0]


def real_power(builder: Builder, equation: JaxprEqn, operands: list[int]) -> list[int]:
    """u^r by its own law where r is a number in the program, else e^(r log u)."""
    base, exponent = operands
    literal = getattr(equation.invars[1], "val", None)
    if literal is not None and np.ndim(literal) == 0:
        r = float(literal)
        if r == int(r) and 0 <= r <= 64:
            return [to_power(builder, base, int(r))] if r else builder.emit(ones(), [base], "ones", still=True)
        if 2 * r == int(2 * r) and abs(r) <= 64:
            return builder.emit(functions.root_power(int(2 * r)), [base], ("root power", int(2 * r)))
        return builder.emit(functions.real_power(r), [base], ("power", r))
    [logarithm] = builder.emit(functions.UNARY[jp.log_p], [base], (jp.log_p, "{}"))
    [grown] = builder.emit(laws.product(), [exponent, logarithm])
    return builder.emit(functions.UNARY[jp.exp_p], [grown])


def ones() -> Law:
    return constant_law(lambda arithmetic, values: laws.ones_like(arithmetic, values[0]))


def one_root(halves: int) -> Callable:
    def emit(builder: Builder, equation: JaxprEqn, operands: list[int]) -> list[int]:
        return builder.emit(functions.root_power(halves), operands, ("root power", halves))

    return emit


def single(law: Callable[[], Law]) -> Callable:
    def emit(builder: Builder, equation: JaxprEqn, operands: list[int]) -> list[int]:
        return builder.emit(law(), operands, (equation.primitive, str(equation.params)))

    return emit


def clamped(builder: Builder, equation: JaxprEqn, operands: list[int]) -> list[int]:
    low, x, high = operands
    [above] = builder.emit(functions.maximum(), [low, x])
    return builder.emit(functions.minimum(), [above, high])


def two_to_the(builder: Builder, equation: JaxprEqn, operands: list[int]) -> list[int]:
    """2^u as e^(u ln 2)."""
    two = builder.number(np.float64(2.0))
    [logarithm] = builder.emit(
        constant_law(lambda a, v: either(lax.log, proven.log)(a, a.exact(v[0]))), [two], still=True
    )
    [grown] = builder.emit(laws.product(), [logarithm, operands[0]])
    return builder.emit(functions.UNARY[jp.exp_p], [grown])


def summed(builder: Builder, equation: JaxprEqn, operands: list[int]) -> list[int]:
    """Sums over axes, running sums, sums into places."""
    count = int(np.prod(aval(equation.invars[0]).shape)) if equation.primitive is not jp.scatter_add_p else (
        1 + int(np.prod(aval(equation.invars[2]).shape))
    )  # fmt: skip
    law = laws.sums(functools.partial(bound, equation), max(count, 1))
    return builder.emit(law, operands, (equation.primitive, str(equation.params)))


def stepped(builder: Builder, equation: JaxprEqn, operands: list[int]) -> list[int]:
    bind = functools.partial(bound, equation)
    law = constant_law(lambda arithmetic, values: arithmetic.stepped(bind, values[0]))
    return builder.emit(law, operands, (equation.primitive, str(equation.params)), still=True)


def angle(builder: Builder, equation: JaxprEqn, operands: list[int]) -> list[int]:
    return builder.emit(functions.ANGLE, [moved(builder, x) for x in operands], jp.atan2_p)


def moved(builder: Builder, operand: int) -> int:
    """A quantity that stands still as one that moves by nothing, for laws that weigh it."""
    if builder.kinds[operand] == 2:
        return operand
    anchor = next(i for i, kind in enumerate(builder.kinds) if kind == 2)
    law = laws.moves(lambda x, t: x)
    return builder.emit(law, [operand, anchor], "moved")[0]


def error_function(builder: Builder, equation: JaxprEqn, operands: list[int]) -> list[int]:
    """erf(u), from y' = 2 / sqrt(pi) e^(-u u) u'; it has no enclosure."""
    builder.unproven.append("erf")
    [squared] = builder.emit(functions.UNARY[jp.square_p], operands, (jp.square_p, "{}"))
    [fallen] = builder.emit(laws.negated(), [squared])
    [bell] = builder.emit(functions.UNARY[jp.exp_p], [fallen])
    return builder.emit(functions.ERF, [operands[0], bell])


OTHERS: dict = {
    jp.abs_p: single(functions.absolute),
    jp.atan2_p: angle,
    jp.cbrt_p: single(functions.cube_root),
    jp.ceil_p: stepped,
    jp.clamp_p: clamped,
    jp.cumsum_p: summed,
    jp.erf_p: error_function,
    jp.exp2_p: two_to_the,
    jp.floor_p: stepped,
    jp.integer_pow_p: integer_power,
    jp.max_p: single(functions.maximum),
    jp.min_p: single(functions.minimum),
    jp.pow_p: real_power,
    jp.reduce_sum_p: summed,
    jp.round_p: stepped,
    jp.rsqrt_p: one_root(-1),
    jp.scatter_add_p: summed,
    jp.sign_p: stepped,
}


def selected(builder: Builder, index: int, cases: list[int]) -> int:
    """The case that an index names."""
    if all(case == cases[0] for case in cases):
        return cases[0]
    pick = lambda which, *values: lax.select_n(as_choice(which, len(values)), *values)
    return builder.emit(laws.moves(pick), [index, *cases])[0]


def as_choice(which, count: int):
    """An index as `select_n` takes it: clipped, and a truth value where there are two cases."""
    clipped = jnp.clip(which.astype(jnp.int32), 0, count - 1)
    return clipped.astype(bool) if count == 2 else clipped


def smooth_form(equation: JaxprEqn) -> ClosedJaxpr | None:
    """Another program for functions that JAX computes through a maximum, although they have no kink."""
    name = equation.params.get("name")
    if name not in SMOOTH or equation.primitive not in (jp.jit_p, jp.custom_jvp_call_p):
        return None
    shapes = [jax.ShapeDtypeStruct(aval(v).shape, aval(v).dtype) for v in equation.invars]
    return jax.make_jaxpr(SMOOTH[name])(*shapes)


SMOOTH: dict = {
    "hypot": lambda x, y: jnp.sqrt(x * x + y * y),
    "logaddexp": lambda x, y: x + jnp.log1p(jnp.exp(y - x)),
}
