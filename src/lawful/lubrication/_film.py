"""What is known of a thin film: its shape, its fluid, what moves, and what happens where it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput, shown
from .._core.once import being_traced
from ._cavitation import JFO, Cavitation, NoCavitation, SwiftStieber
from ._couette import Couette, Elrod
from ._ends import Ends, Open, Periodic, Pressure, ends_of, gives_pressure
from ._fluid import Fluid
from ._grid import Grid


class Film(eqx.Module):
    """A thin film between a smooth wall that slides along x and a shaped wall that stands still.

        d/dx[rho h^3/(12 mu) dp/dx] + d/dy[rho h^3/(12 mu) dp/dy] = d/dx[(1-theta) rho h U/2] + (1-theta) rho dh/dt

    grid        the cells.
    height      h in the middle of each cell, m: of shape `grid.cells`, above 0. The shape of a step or a texture is
                taken as constant within a cell.
    speed       U of the moving wall, m/s; of either sign. Two moving walls count with the mean of their speeds twice.
    fluid       a `Fluid`, or its viscosity in Pa s.
    x, y        the ends: `Open()`, `Pressure(p)` or `Wall()` for both, a pair of these, or `Periodic()`. A film on one
                axis is of endless width.
    mean        of the pressure over a film of which no end gives one, Pa: a cell of a periodic texture in a bearing.
                How much fluid it holds follows.
    ambient     pressure around the film and behind its walls, Pa: the load is counted from it.
    cavitation  `JFO(p_cav)`, `SwiftStieber(p_cav)` or `NoCavitation()`; by default JFO at the ambient pressure.
    couette     `Elrod()`, or `Upwind()`, which is of first order.
    squeeze     dh/dt, m/s: of the shape of `height` or one number.
    flow_factor of h, by which roughness changes the flow that pressure drives, such as `PatirCheng(sigma)`.

    Raises `BadInput` for a film that is nowhere near: heights not above 0, wrong shapes, ends that leave the level of
    pressure open or lie below the pressure of cavitation.
    """

    grid: Grid
    height: Float[Array, "*cells"]
    speed: Float[Array, ""]
    fluid: Fluid
    x: Ends
    y: Ends
    ambient: Float[Array, ""]
    cavitation: Cavitation
    couette: Couette
    squeeze: Float[Array, "*cells"]
    mean: Float[Array, ""] | None
    flow_factor: Callable[[Float[Array, "..."]], Float[Array, "..."]] | None

    def __init__(
        self,
        grid: Grid,
        height: Any,
        speed: Any,
        fluid: Fluid | Any,
        *,
        x: Any = None,
        y: Any = None,
        mean: Any = None,
        ambient: Any = 0.0,
        cavitation: Cavitation | None = None,
        couette: Couette | None = None,
        squeeze: Any = 0.0,
        flow_factor: Callable[[Float[Array, "..."]], Float[Array, "..."]] | None = None,
    ):
        self.grid = grid
        self.height = shaped("height", height, grid)
        self.speed = jnp.asarray(speed, float)
        self.fluid = fluid if isinstance(fluid, Fluid) else Fluid(fluid)
        self.x = ends_of("x", Open() if x is None else x)
        self.y = ends_of("y", (Open() if len(grid.cells) == 2 else Periodic()) if y is None else y)
        self.mean = None if mean is None else jnp.asarray(mean, float)
        self.ambient = jnp.asarray(ambient, float)
        self.cavitation = JFO(ambient) if cavitation is None else cavitation
        self.couette = Elrod() if couette is None else couette
        self.squeeze = jnp.broadcast_to(jnp.asarray(squeeze, float), grid.cells)
        self.flow_factor = flow_factor
        self.refuse()

    def refuse(self) -> None:
        """What cannot be computed."""
        if not being_traced(self.height):
            heights = np.asarray(self.height)
            if not np.all(np.isfinite(heights)) or np.any(heights <= 0):
                bad = ~np.isfinite(heights) | (heights <= 0)
                place = tuple(int(i) for i in np.argwhere(bad)[0])
                raise BadInput(
                    f"Film: height is {heights[place]:g} m in cell {place} ({int(np.sum(bad))} of {heights.size} cells"
                    f" are not above 0): a film needs a gap everywhere. Add the minimum film to the shape, or ask"
                    f" `support` for the film that carries a load."
                )
        if len(self.grid.cells) == 1 and not isinstance(self.y, Periodic):
            raise BadInput("Film: y is given for a film on one axis; give the Grid two numbers of cells.")
        ends_do = gives_pressure(self.x) or gives_pressure(self.y)
        if not ends_do and self.mean is None:
            raise BadInput(
                "Film: no end gives a pressure, so that the level of pressure is left open: give one end Open() or"
                " Pressure(p), such as a feed groove, or say mean=, the mean pressure of a periodic cell, in pascal."
            )
        if ends_do and self.mean is not None:
            raise BadInput(
                "Film: mean= is for films of which no end gives a pressure, and here one does: leave one out."
            )
        if self.mean is not None:
            self.refuse_a_cell()
        if not isinstance(self.cavitation, NoCavitation) and not being_traced(self):
            least = float(self.cavitation.pressure)
            for name, value in self.given_pressures():
                if np.any(value < least):
                    raise BadInput(
                        f"Film: {name} is at {np.min(value):g} Pa, below the pressure of cavitation {least:g} Pa: all"
                        f" pressures count from the same zero; such as ambient=1e5, cavitation=JFO(0.0)."
                    )

    def refuse_a_cell(self) -> None:
        """What a film that keeps its fluid to itself cannot do."""
        if isinstance(self.cavitation, SwiftStieber):
            raise BadInput("Film: mean= asks for a model that keeps mass: take JFO(p_cav) or NoCavitation().")
        if not being_traced(self.squeeze) and abs(float(jnp.mean(self.squeeze))) > 1e-9 * float(
            jnp.max(jnp.abs(self.squeeze))
        ):
            raise BadInput("Film: squeeze has a mean, but no end lets fluid out: open an end, or take the mean away.")

    def given_pressures(self) -> list[tuple[str, np.ndarray]]:
        found = [] if self.mean is None else [("the mean", np.asarray(self.mean))]
        for axis, ends in (("x", self.x), ("y", self.y)):
            for end in () if isinstance(ends, Periodic) else ends:
                if isinstance(end, Open):
                    found.append((f"an open end of {axis}", np.asarray(self.ambient)))
                elif isinstance(end, Pressure):
                    found.append((f"an end of {axis}", np.asarray(end.value)))
        return found

    @property
    def pressure_scale(self) -> Float[Array, ""]:
        """A pressure such as the film has, Pa; it sets the unit of the unknown and is never differentiated."""
        h, length = jnp.min(self.height), self.grid.length[0]
        mu = self.fluid.viscosity(jnp.zeros(()))
        drag = jnp.abs(self.speed) + 2 * jnp.max(jnp.abs(self.squeeze)) * length / h
        ends = [jnp.max(jnp.abs(jnp.asarray(value) - self.cavitation.pressure)) for value in self.pressures()]
        return jax.lax.stop_gradient(6 * mu * drag * length / h**2 + jnp.max(jnp.stack([*ends, jnp.zeros(())])))

    def pressures(self) -> list[Float[Array, "..."]]:
        ends = [end for ends in (self.x, self.y) if not isinstance(ends, Periodic) for end in ends]
        found = [self.pressure_at(end) for end in ends if isinstance(end, Open | Pressure)]
        return found if self.mean is None else [*found, self.mean]

    def pressure_at(self, end: Open | Pressure) -> Float[Array, "..."]:
        return self.ambient if isinstance(end, Open) else end.value


def shaped(name: str, given: Any, grid: Grid) -> Float[Array, "*cells"]:
    """An array with a number for each cell."""
    array = jnp.asarray(given, float)
    if array.shape != grid.cells and array.ndim != 0:
        try:
            array = jnp.broadcast_to(array, grid.cells)
        except ValueError:
            raise BadInput(
                f"Film: {name} has the shape {array.shape}, but the grid has {shown(grid.cells)} cells; shapes made of"
                f" grid.x and grid.y fit."
            ) from None
    return jnp.broadcast_to(array, grid.cells)
