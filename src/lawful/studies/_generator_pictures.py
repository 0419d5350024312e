"""The pictures of the study that makes textures on demand."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ..report import BLUE, INK
from ._ring_shipped import Attainable

Map = Float[np.ndarray, "n n"]


class Shown(NamedTuple):
    """Depth in um, pressure in MPa (film and asperities), and what the simulator said."""

    depth: Map
    over: Map
    friction: float
    stress: float
    hit: bool


def sheet(shown: list[Shown], friction: float, pressure: float):
    """Two tiles of each design as they follow each other around the ring, and below them the pressure."""
    from matplotlib.figure import Figure

    columns = min(len(shown), 6)
    rows = -(-len(shown) // columns)
    fig = Figure(figsize=(2.3 * columns + 0.9, 3.1 * rows + 0.5), layout="constrained")
    axes = fig.subplots(2 * rows, columns, squeeze=False)
    top = max(float(each.over.max()) for each in shown)
    for ax in axes.ravel():
        ax.set(xticks=[], yticks=[])
        ax.axis("off")
    for i, each in enumerate(shown):
        depth, over = axes[2 * (i // columns), i % columns], axes[2 * (i // columns) + 1, i % columns]
        one = depth.imshow(
            np.tile(each.depth, (2, 1)).T, origin="lower", extent=(0, 2, 0, 1), cmap="Blues", vmin=0, vmax=2
        )
        two = over.imshow(
            np.tile(each.over, (2, 1)).T, origin="lower", extent=(0, 2, 0, 1), cmap="inferno", vmin=0, vmax=top
        )
        depth.set_title(
            f"friction {each.friction:.4f}{'' if each.hit else ' (missed)'}\nstress {each.stress / 1e6:.1f} MPa",
            fontsize="small",
        )
        for ax in (depth, over):
            ax.axis("on")
    fig.colorbar(one, ax=axes[0::2].ravel().tolist(), label="depth / μm", shrink=0.8)
    fig.colorbar(two, ax=axes[1::2].ravel().tolist(), label="pressure / MPa", shrink=0.8)
    fig.suptitle(
        f"asked: friction {friction:g} at {pressure / 1e6:g} MPa; the other face slides to the right", fontsize="medium"
    )
    return fig, axes


def atlas(
    pressure: Float[np.ndarray, " n"], friction: Float[np.ndarray, " n"], attainable: Attainable,
    target: tuple[float, float], found: list[float],
):  # fmt: skip
    """What is known, what can be had, what was asked for and what came."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(5.6, 4.2), layout="constrained")
    ax = fig.subplots()
    ax.loglog(pressure / 1e6, friction, ".", ms=1.5, color="0.65", label="simulated textures that keep all bounds")
    ax.loglog(attainable.pressure / 1e6, attainable.least, color=INK, lw=1.2, label="best free form found")
    ax.fill_between(attainable.pressure / 1e6, 1e-3, attainable.least, color="0.9")
    ax.plot([target[1] / 1e6] * len(found), found, "o", ms=5, color=BLUE, label="designs, simulated")
    ax.plot(target[1] / 1e6, target[0], "+", ms=14, mew=1.5, color=INK, label="asked for")
    ax.set(xlabel="pressure carried / MPa", ylabel="friction coefficient", xlim=(0.3, 12), ylim=(3e-3, 1))
    ax.legend(fontsize="small")
    return fig, ax
