"""The pictures of the study on textures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ..design import Score
from ..report import BLUE, INK
from ._film import film as moving_picture

Map = Float[np.ndarray, "n n"]


@dataclass(frozen=True)
class Shown:
    """Maps of one pad: film in um, pressure above ambient in kPa, cavity fraction; and what it carries, N."""

    height: Map
    pressure: Map
    fraction: Map
    load: float
    friction: float

    @staticmethod
    def of(told: Mapping[str, Any]) -> Shown:
        maps = {name: np.asarray(told[name]) for name in ("height", "pressure", "fraction")}
        scalars = float(told["load"]), float(told["friction"])
        return Shown(maps["height"] * 1e6, maps["pressure"] / 1e3, maps["fraction"], *scalars)


def designs(shown: dict[str, Shown]):
    """A row for each pad; the wall slides to the right."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(10.5, 3.1 * len(shown)), layout="constrained")
    axes = fig.subplots(len(shown), 3, squeeze=False)
    heights = [each.height for each in shown.values()]
    low, high = min(map(np.min, heights)), max(map(np.max, heights))
    for row, (name, each) in zip(axes, shown.items(), strict=True):
        title = f"{name}: {each.friction:.4f} N at {each.load:.1f} N"
        panel(fig, row[0], each.height, "Blues", "film / μm", low, high, title)
        panel(fig, row[1], each.pressure, "inferno", "pressure over ambient / kPa")
        broken = float(np.mean(each.fraction > 1e-9))
        panel(fig, row[2], each.fraction, "Greens", "cavity fraction", 0, 1, f"broken: {100 * broken:.0f} % of the pad")
    return fig, axes


def panel(fig, ax, field: Map, colours: str, label: str, low=None, high=None, title: str = "") -> None:
    image = ax.imshow(field.T, origin="lower", extent=(0, 10, 0, 10), cmap=colours, vmin=low, vmax=high)
    fig.colorbar(image, ax=ax, label=label)
    ax.set(xlabel="x / mm (sliding)", ylabel="y / mm")
    ax.set_title(title, fontsize="medium")


def fit(simulated: Float[np.ndarray, " n"], predicted: Float[np.ndarray, " n"], score: Score):
    from matplotlib.figure import Figure

    fig = Figure(figsize=(4.6, 4.2), layout="constrained")
    ax = fig.subplots()
    ends = [min(simulated.min(), predicted.min()), max(simulated.max(), predicted.max())]
    ax.plot(ends, ends, color=INK, lw=0.8)
    ax.plot(simulated, predicted, ".", color=BLUE)
    ax.set(
        xlabel="friction simulated / N", ylabel="friction predicted / N",
        title=f"unseen textures: {100 * score.median:.2f} % off (median)",
    )  # fmt: skip
    return fig, ax


def walk(depths: list[Map], frames: int) -> bytes:
    """The way downhill."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(4.0, 3.4), layout="constrained")
    ax = fig.subplots()
    picks = np.unique(np.linspace(0, len(depths) - 1, frames).astype(int))
    image = ax.imshow(depths[0].T * 1e6, origin="lower", extent=(0, 10, 0, 10), cmap="Blues", vmin=0, vmax=5)
    fig.colorbar(image, ax=ax, label="depth / μm")
    ax.set(xlabel="x / mm (sliding)", ylabel="y / mm")

    def draw(i: int) -> None:
        image.set_data(depths[picks[i]].T * 1e6)
        ax.set_title(f"step {picks[i]}", fontsize="medium")

    return moving_picture(fig, draw, len(picks), rate=8.0)
