"""How each of JAX's primitives acts on a series: the table from primitive to law of arithmetic.

What is missing here is not wrong, only slower: it is differentiated by nested Jacobian-vector products.
"""

import functools
from collections.abc import Callable

import jax.numpy as jnp
from jax import lax
from jax.extend.core import JaxprEqn
from jax.extend.core import primitives as jp

from . import _series
from ._orders import Orders
from ._series import Series

Rule = Callable[[Orders, JaxprEqn, list[Series]], list[Series]]

# Linear in all their floating operands together; integer operands (places, sizes, choices) do not move. A
# gather that fills in a value for places out of range is not linear.
LINEAR = frozenset(
    {
        jp.broadcast_in_dim_p, jp.complex_p, jp.concatenate_p, jp.conj_p, jp.convert_element_type_p,
        jp.copy_p, jp.cumsum_p, jp.dynamic_slice_p, jp.dynamic_update_slice_p, jp.fft_p, jp.gather_p,
        jp.imag_p, jp.name_p, jp.neg_p, jp.pad_p, jp.real_p, jp.reduce_sum_p, jp.reshape_p, jp.rev_p,
        jp.scatter_add_p, jp.select_n_p, jp.slice_p, jp.squeeze_p, jp.transpose_p, lax.split_p,
        lax.stack_p, lax.unstack_p,
    }
)  # fmt: skip
BILINEAR = frozenset({jp.dot_general_p, jp.conv_general_dilated_p})
STEPS = frozenset({jp.ceil_p, jp.floor_p, jp.round_p, jp.stop_gradient_p})
FUNCTIONS = {
    jp.atan_p: _series.atan,
    jp.cos_p: _series.cos,
    jp.cosh_p: _series.cosh,
    jp.erf_p: _series.erf,
    jp.exp_p: _series.exp,
    jp.expm1_p: _series.expm1,
    jp.log1p_p: _series.log1p,
    jp.log_p: _series.log,
    jp.logistic_p: _series.logistic,
    jp.rsqrt_p: _series.rsqrt,
    jp.sin_p: _series.sin,
    jp.sinh_p: _series.sinh,
    jp.sqrt_p: _series.sqrt,
    jp.square_p: _series.square,
    jp.tan_p: _series.tan,
    jp.tanh_p: _series.tanh,
}


def rule_for(equation: JaxprEqn, operands: list[Series]) -> Rule | None:
    """The rule for an equation of a traced program, None where there is none."""
    primitive, variables = equation.primitive, equation.invars
    if primitive in LINEAR and equation.params.get("fill_value") is None:
        return _linear
    if primitive in (jp.add_p, jp.add_jaxvals_p, jp.sub_p):
        return _sum
    if primitive is jp.mul_p or primitive in BILINEAR:
        return _product
    if primitive is jp.div_p:
        return _quotient
    if primitive in STEPS:
        return _step
    if primitive is jp.integer_pow_p:
        return _integer_power
    if primitive is jp.pow_p and _series.is_constant(operands[1]):
        return _power
    if primitive is jp.abs_p and is_real(variables[0].aval):
        return _unary(_series.absolute)
    if primitive in FUNCTIONS:
        return _unary(FUNCTIONS[primitive])
    return None


def is_float(aval) -> bool:
    """Whether a traced value can have derivatives at all."""
    return hasattr(aval, "dtype") and jnp.issubdtype(aval.dtype, jnp.inexact)


def is_real(aval) -> bool:
    """Whether a traced value is a real float: |z| of a complex z has other derivatives."""
    return hasattr(aval, "dtype") and jnp.issubdtype(aval.dtype, jnp.floating)


def _unary(function: Callable) -> Rule:
    return lambda orders, equation, operands: [function(orders, operands[0])]


def _linear(orders: Orders, equation: JaxprEqn, operands: list[Series]) -> list[Series]:
    zero = orders[0]
    fixed = [not is_float(variable.aval) for variable in equation.invars]
    outputs: list[Series] = [{} for _ in equation.outvars]
    for g in (g for g in orders if any(g in each for each in operands)):
        parts = [
            each[g] if g in each else each[zero] if still else jnp.zeros_like(each[zero])
            for each, still in zip(operands, fixed, strict=True)
        ]
        results = equation.primitive.bind(*parts, **equation.params)
        listed = results if equation.primitive.multiple_results else [results]
        for output, result in zip(outputs, listed, strict=True):
            output[g] = result
    return outputs


def _sum(orders: Orders, equation: JaxprEqn, operands: list[Series]) -> list[Series]:
    """A sum or difference. Where one of the two is zero the other is passed on, in the shape of the sum."""
    a, b = operands
    bind = functools.partial(equation.primitive.bind, **equation.params)
    shape = jnp.broadcast_shapes(jnp.shape(a[orders[0]]), jnp.shape(b[orders[0]]))
    lone = (lambda x: -x) if equation.primitive is jp.sub_p else (lambda x: x)
    total = {}
    for g in orders:
        if g in a and g in b:
            total[g] = bind(a[g], b[g])
        elif g in a or g in b:
            total[g] = jnp.broadcast_to(a[g] if g in a else lone(b[g]), shape)
    return [total]


def _product(orders: Orders, equation: JaxprEqn, operands: list[Series]) -> list[Series]:
    a, b = operands
    if equation.primitive is jp.mul_p:
        return [_series.product(orders, a, b)]
    return [_series.product(orders, a, b, functools.partial(equation.primitive.bind, **equation.params))]


def _quotient(orders: Orders, equation: JaxprEqn, operands: list[Series]) -> list[Series]:
    a, b = operands
    return [_series.quotient(orders, a, b)]


def _step(orders: Orders, equation: JaxprEqn, operands: list[Series]) -> list[Series]:
    return [_series.constant(orders, equation.primitive.bind(operands[0][orders[0]], **equation.params))]


def _integer_power(orders: Orders, equation: JaxprEqn, operands: list[Series]) -> list[Series]:
    return [_series.integer_power(orders, operands[0], equation.params["y"])]


def _power(orders: Orders, equation: JaxprEqn, operands: list[Series]) -> list[Series]:
    base, exponent = operands
    return [_series.power(orders, base, exponent[orders[0]])]
