"""Where a film is computed: equal cells along the sliding direction, and across it."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput, shown
from .._core.numbers import is_positive
from .._core.once import being_traced


class Grid(eqx.Module):
    """Equal cells over a film: along x, which is the direction of sliding, and, where there are two numbers, along y.

        grid = Grid((128, 64), (0.02, 0.01))    # 20 mm along, 10 mm across
        grid = Grid(200, 0.01)                  # a film of endless width; everything is then per metre of width

    cells   how many along each axis.
    length  the extent along each axis, m; may be traced, so that films can be differentiated by their size.
    """

    cells: tuple[int, ...] = eqx.field(static=True)
    length: tuple[Float[Array, ""], ...]

    def __init__(self, cells: int | tuple[int, ...], length: Any):
        cells = (cells,) if isinstance(cells, int | np.integer) else tuple(cells)
        length = tuple(length) if isinstance(length, tuple | list) else (length,)
        if len(cells) not in (1, 2) or len(length) != len(cells):
            raise BadInput(
                f"Grid: cells={shown(cells)} and length={shown(length)} must both have one number (x) or two (x, y)."
            )
        for count in cells:
            if not isinstance(count, int | np.integer) or count < 3:
                raise BadInput(f"Grid: cells={shown(cells)}: each axis needs a whole number of cells, 3 or more.")
        for each in length:
            if not being_traced(each) and not is_positive(np.asarray(each, float)[()]):
                raise BadInput(f"Grid: length={shown(length)} must be above 0, in metres.")
        self.cells = tuple(int(count) for count in cells)
        self.length = tuple(jnp.asarray(each, float) for each in length)

    @property
    def spacing(self) -> tuple[Float[Array, ""], ...]:
        """The size of a cell along each axis, m."""
        return tuple(length / count for length, count in zip(self.length, self.cells, strict=True))

    @property
    def area(self) -> Float[Array, ""]:
        """Of a cell, m2; m in a film of endless width."""
        return jnp.prod(jnp.stack(self.spacing))

    @property
    def x(self) -> Float[Array, "nx ..."]:
        """Middles of the cells along x from 0 on, m; on two axes a column."""
        along = (jnp.arange(self.cells[0]) + 0.5) * self.spacing[0]
        return along if len(self.cells) == 1 else along[:, None]

    @property
    def y(self) -> Float[Array, "1 ny"]:
        """Middles of the cells along y from 0 on, m: a row."""
        if len(self.cells) == 1:
            raise BadInput("Grid: a film of endless width has no y; give two numbers of cells and two lengths.")
        return ((jnp.arange(self.cells[1]) + 0.5) * self.spacing[1])[None]
