"""A small program written out entry by entry: arrays dissolve into the numbers that they hold.

Series of single numbers stay in the processor's registers, those of arrays of three or four entries do not. What only
moves entries about costs nothing any more, and neither do zeros in a constant matrix.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.extend.core import ClosedJaxpr, JaxprEqn, Literal
from jax.extend.core import primitives as jp

from ._operations import MOVES, aval, beside
from ._recipe import inner_program

MOST = 80
"""Operations on moving numbers: a longer program runs as well in arrays, and compiles in less time."""

EACH = frozenset({
    jp.abs_p, jp.acos_p, jp.acosh_p, jp.add_p, jp.asin_p, jp.asinh_p, jp.atan2_p, jp.atan_p, jp.atanh_p, jp.cos_p,
    jp.cosh_p, jp.div_p, jp.erf_p, jp.exp_p, jp.expm1_p, jp.integer_pow_p, jp.log1p_p, jp.log_p, jp.logistic_p,
    jp.max_p, jp.min_p, jp.mul_p, jp.neg_p, jp.pow_p, jp.sin_p, jp.sinh_p, jp.sqrt_p, jp.square_p, jp.sub_p, jp.tan_p,
    jp.tanh_p, jp.rsqrt_p, jp.cbrt_p,
})  # fmt: skip
"""Functions of each entry."""


class TooLong(Exception):
    """A program that is not worth writing out, or cannot be."""


Entries = np.ndarray
"""An array of objects: numbers, and scalars of JAX."""


def written_out(program: ClosedJaxpr, inputs: Sequence[Entries]) -> list[Entries]:
    """What a program returns, from the entries of what it takes. Raises `TooLong`."""
    return Writer().walk(program, list(inputs))


class Writer:
    """Follows a program and counts what it writes."""

    def __init__(self):
        self.count = 0

    def walk(self, program: ClosedJaxpr, inputs: list[Entries]) -> list[Entries]:
        known = dict(zip(program.jaxpr.constvars, map(entries, program.consts), strict=True))
        known |= zip(program.jaxpr.invars, inputs, strict=True)

        def read(atom) -> Entries:
            return entries(atom.val) if isinstance(atom, Literal) else known[atom]

        for equation in program.jaxpr.eqns:
            known |= zip(equation.outvars, self.follow(equation, [read(x) for x in equation.invars]), strict=True)
        return [read(atom) for atom in program.jaxpr.outvars]

    def follow(self, equation: JaxprEqn, operands: list[Entries]) -> list[Entries]:
        inner, primitive = inner_program(equation), equation.primitive
        if inner is not None:
            return self.walk(inner, operands[len(operands) - len(inner.jaxpr.invars) :])
        if all(not isinstance(x, Tracer) for operand in operands for x in operand.flat):
            return known_beforehand(equation, operands)
        if primitive in EACH:
            return [each(functools.partial(self.applied, equation), *operands)]
        if primitive is jp.reduce_sum_p:
            axes = equation.params["axes"]
            rows = np.moveaxis(operands[0], axes, range(len(axes))).reshape(-1, *aval(equation.outvars[0]).shape)
            return [self.total(list(rows), aval(equation.outvars[0]).shape)]
        if primitive is jp.dot_general_p:
            return [self.dot(equation, *operands)]
        if primitive in MOVES and len(equation.outvars) == 1:
            return [moved(equation, operands)]
        raise TooLong(primitive.name)

    def applied(self, equation: JaxprEqn, *numbers):
        """One number from several."""
        self.counted()
        return equation.primitive.bind(*map(as_float, numbers), **equation.params)

    def counted(self) -> None:
        self.count += 1
        if self.count > MOST:
            raise TooLong("too many operations")

    def total(self, rows: list[Entries], shape: tuple[int, ...]) -> Entries:
        if not rows:
            return entries(np.zeros(shape))
        return functools.reduce(functools.partial(each, self.plus), map(entries, rows))

    def plus(self, a, b):
        if is_zero(a) or is_zero(b):
            return b if is_zero(a) else a
        self.counted()
        return a + b

    def times(self, a, b):
        if is_zero(a) or is_zero(b):
            return 0.0
        if is_one(a) or is_one(b):
            return b if is_one(a) else a
        self.counted()
        return a * b

    def dot(self, equation: JaxprEqn, a: Entries, b: Entries) -> Entries:
        """A product of matrices, without its zeros."""
        left, right, count = beside(equation.params["dimension_numbers"], a, b)
        shape = aval(equation.outvars[0]).shape
        products = each(self.times, left, right)
        rows = np.moveaxis(products, range(-count, 0), range(count)).reshape(-1, *shape)
        return self.total(list(rows), shape)


def entries(value) -> Entries:
    """An array, or what stands for one, as an array of its entries."""
    if isinstance(value, np.ndarray) and value.dtype == object:
        return value
    if isinstance(value, Tracer):
        flat = jnp.ravel(value)
        return of_shape([flat[i] for i in range(value.size)], value.shape)
    if np.ndim(value):
        return of_shape(list(np.ravel(np.asarray(value))), np.shape(value))
    return of_shape([value], ())


def known_beforehand(equation: JaxprEqn, operands: list[Entries]) -> list[Entries]:
    """What does not depend on anything that is traced."""
    with jax.ensure_compile_time_eval():
        arrays = [
            jnp.asarray(np.asarray(x.tolist()), aval(v).dtype) for x, v in zip(operands, equation.invars, strict=True)
        ]
        found = equation.primitive.bind(*arrays, **equation.params)
    return [entries(x) for x in (found if equation.primitive.multiple_results else [found])]


def of_shape(numbers: Sequence, shape: tuple[int, ...]) -> Entries:
    found = np.empty(len(numbers), object)
    for i, x in enumerate(numbers):
        found[i] = x
    return found.reshape(shape)


def each(function: Callable, *operands: Entries) -> Entries:
    """A function of numbers, entry by entry."""
    shape = np.broadcast_shapes(*(x.shape for x in operands))
    flat = [np.broadcast_to(x, shape).ravel() for x in operands]
    return of_shape([function(*numbers) for numbers in zip(*flat, strict=True)], shape)


def moved(equation: JaxprEqn, operands: list[Entries]) -> Entries:
    """What moves entries about does the same to their numbers."""
    begins = np.cumsum([0, *(x.size for x in operands)])
    places = [b + np.arange(x.size).reshape(x.shape) for b, x in zip(begins, operands, strict=False)]
    for place, operand, atom in zip(places, operands, equation.invars, strict=True):
        if not jnp.issubdtype(aval(atom).dtype, jnp.floating):
            if not all(isinstance(x, int | bool | np.generic) for x in operand.flat):
                raise TooLong("a place that moves")
            place[...] = operand  # indices are what they are
    with jax.ensure_compile_time_eval():
        found = np.asarray(
            equation.primitive.bind(
                *(jnp.asarray(p, t) for p, t in zip(places, kinds(equation), strict=True)), **equation.params
            )
        )
    pool = np.concatenate([x.ravel() for x in operands])
    return of_shape([pool[i] for i in found.ravel()], found.shape)


def kinds(equation: JaxprEqn) -> list:
    """Types under which places are moved about."""
    floating = lambda atom: jnp.issubdtype(aval(atom).dtype, jnp.floating)
    return [int if floating(atom) else aval(atom).dtype for atom in equation.invars]


def as_float(x):
    return x if isinstance(x, Tracer) else np.float64(x)


def is_zero(x) -> bool:
    return not isinstance(x, Tracer) and bool(x == 0)


def is_one(x) -> bool:
    return not isinstance(x, Tracer) and bool(x == 1)


def entry_by_entry(flow: Callable, shapes: Sequence[tuple[int, ...]], parameters: Sequence) -> Callable:
    """The rates as a function of t and single numbers instead of arrays of the given shapes; see `written_out`.

    The returned function takes (t, *numbers, *parameters) and returns as many numbers.
    """
    sizes = [int(np.prod(shape)) for shape in shapes]

    def rates(t, *rest):
        numbers, given = rest[: sum(sizes)], rest[sum(sizes) :]
        blocks, at = [], 0
        for shape, size in zip(shapes, sizes, strict=True):
            blocks.append(of_shape(numbers[at : at + size], shape))
            at += size
        like = [jax.ShapeDtypeStruct(shape, float) for shape in shapes]
        program = jax.make_jaxpr(lambda t, y, given: flow(t, y, given))(t, like, list(given))
        found = written_out(program, [entries(t), *blocks, *map(entries, given)])
        return [as_scalar(x) for block in found for x in block.ravel()]

    return rates


def as_scalar(x):
    return jnp.asarray(x, float)
