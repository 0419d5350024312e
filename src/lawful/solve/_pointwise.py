"""Tasks whose rows are each about one point: the Jacobian is one reverse pass a point."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._core.mesh import gathered, norm_of, on_first, share_of, sharers, total
from ._observations import Observation
from ._task import Hyper, Task, consecutive, prior_blocks, prior_rows

Rows = tuple[Callable[[Float[Array, " n"], Any], Float[Array, " k"]], Any]
"""A function of the numbers to be found and of an item, and a batch of items."""


class PointwiseTask(Task):
    """Residual rows of trial fields: laws and penalised conditions first, which are heavy, then data, then priors."""

    @abc.abstractmethod
    def rows(self, hyper: Hyper) -> Iterator[Rows]:
        """The rows of laws, conditions and data, block by block."""

    @abc.abstractmethod
    def terms(self) -> dict[str, int]:
        """How many rows every law and every penalised condition has, by the name of its block."""

    @property
    def weighs_laws(self) -> bool:
        return True

    @property
    def long_loops(self) -> bool:
        return True

    @property
    def blocks(self) -> dict[str, slice]:
        counts = {**self.terms(), **{f"data: {item.label}": len(item.values) for item in self.observed}}
        return consecutive({**counts, **prior_blocks(self.problem)})

    def finer(self) -> None:
        return None

    def shares(self, hyper: Hyper) -> Iterator[Rows]:
        """What this device has of the rows, the padding with weight zero; all of them where one works alone."""
        for row, batch in self.rows(hyper):
            if sharers() == 1:
                yield row, batch
            else:
                yield (lambda x, item, row=row: row(x, item.items) * item.counts), share_of(batch)

    def whole(self, rows: Float[Array, "k ..."], hyper: Hyper) -> Float[Array, "m ..."]:
        """The rows of all devices in their order, of which each has what `shares` gave it."""
        if sharers() == 1:
            return rows
        size_of_x = self.layout.field_count + self.layout.unknown_count
        found, place, x = [], 0, jax.ShapeDtypeStruct((size_of_x,), rows.dtype)
        for (row, batch), (_, share) in zip(self.rows(hyper), self.shares(hyper), strict=True):
            count, size = (jax.tree.leaves(each)[0].shape[0] for each in (batch, share))
            several = jax.eval_shape(
                lambda x, batch=batch, row=row: row(x, jax.tree.map(lambda a: a[0], batch)), x
            ).size
            own = rows[place : place + several * size].reshape(several, size, *rows.shape[1:])
            every = jnp.swapaxes(gathered(jnp.swapaxes(own, 0, 1))[:count], 0, 1)
            found.append(every.reshape(several * count, *rows.shape[1:]))
            place += several * size
        return jnp.concatenate([*found, total(rows[place:])])

    def residual(self, x: Float[Array, " n"], hyper: Hyper) -> Float[Array, " m"]:
        return jnp.concatenate(
            [jax.vmap(lambda item, row=row: row(x, item))(batch).T.ravel() for row, batch in self.shares(hyper)]
            + [self.priors(x, hyper.leash)]
        )

    def linearise(self, x: Float[Array, " n"], hyper: Hyper) -> tuple[Float[Array, " m"], Float[Array, "m n"]]:
        values, slopes = [self.priors(x, hyper.leash)], [jax.jacrev(self.priors)(x, hyper.leash)]
        parts = [rows_with_slopes(row, x, batch) for row, batch in self.shares(hyper)]
        jacobian = jnp.concatenate([p[1] for p in parts] + slopes)
        return jnp.concatenate([p[0] for p in parts] + values), without_rounding(jacobian)

    def factor(
        self, x: Float[Array, " n"], hyper: Hyper, at_once: int
    ) -> tuple[Float[Array, " m"], Float[Array, "n n"]]:
        """All rows, and the triangular factor R of their Jacobian, J = Q R, which is formed `at_once` points at a time.

        Householder reflections of every block below what came before: as many digits as from the whole of J. Of several
        devices each has the factor of its own rows: J'J is the sum of their R'R.
        """
        triangle = triangular_of(jnp.zeros((x.size, x.size), x.dtype), jax.jacrev(self.priors)(x, hyper.leash))
        for row, batch in self.shares(hyper):
            count = jax.tree.leaves(batch)[0].shape[0]
            whole = count - count % at_once
            blocks = jax.tree.map(lambda leaf, n=whole: leaf[:n].reshape(-1, at_once, *leaf.shape[1:]), batch)

            def under(triangle: Array, block: Any, row: Callable = row) -> tuple[Array, None]:
                return triangular_of(triangle, rows_with_slopes(row, x, block)[1]), None

            triangle, _ = jax.lax.scan(under, triangle, blocks)
            if whole < count:
                rest = jax.tree.map(lambda leaf, n=whole: leaf[n:], batch)
                triangle, _ = under(triangle, rest)
        return self.residual(x, hyper), without_rounding(triangle)

    def data_slopes(self, x: Float[Array, " n"], hyper: Hyper) -> Float[Array, "rows n"]:
        """The rows of the Jacobian that belong to data."""
        parts = [rows_with_slopes(row, x, batch)[1] for row, batch in self.data_rows_of(hyper)]
        return jnp.concatenate([*parts, jnp.zeros((0, x.size), x.dtype)])

    def data_rows_of(self, hyper: Hyper) -> Iterator[Rows]:
        """What the measurements ask for, in units of their noise."""
        place = 0
        for item in self.observed:
            count = len(item.values)
            yield self.data_row(item), (item.points, item.values, hyper.sd[place : place + count])
            place += count

    def data_row(self, item: Observation) -> Callable:
        def row(x, batch):
            point, value, sd = batch
            return ((item.quantity(self.model(x), point) - value) / sd)[None]

        return row

    def priors(self, x: Float[Array, " n"], leash: Float[Array, ""]) -> Float[Array, " rows"]:
        return on_first(prior_rows(self.problem, self.layout.raw(x), leash))


def without_rounding(jacobian: Float[Array, "m n"]) -> Float[Array, "m n"]:
    """The Jacobian with columns of nothing but rounding set to zero.

    Conditions imposed exactly can take a basis function away altogether, such as T_1(x) where the slope is given. What
    is left of its column has no direction, and steps along it would be of any length.
    """
    norms = norm_of(jacobian)
    return jnp.where(norms > 16 * jnp.finfo(jacobian.dtype).eps * jnp.max(norms), jacobian, 0.0)


def triangular_of(triangle: Float[Array, "n n"], rows: Float[Array, "k n"]) -> Float[Array, "n n"]:
    """The triangular factor of rows below a triangle."""
    return jnp.linalg.qr(jnp.concatenate([triangle, rows]), mode="r")


def rows_with_slopes(
    row: Callable, x: Float[Array, " n"], batch: Any
) -> tuple[Float[Array, " m"], Float[Array, "m n"]]:
    """Values and Jacobian rows of a pointwise function over a batch, ordered quantity by quantity."""

    def one(item):
        values, pull = jax.vjp(lambda x: row(x, item), x)
        return values, jax.vmap(lambda seed: pull(seed)[0])(jnp.eye(values.shape[0]))

    values, slopes = jax.vmap(one)(batch)
    return values.T.ravel(), jnp.swapaxes(slopes, 0, 1).reshape(-1, x.shape[0])
