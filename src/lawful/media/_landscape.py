"""The misfit as a function of two unknowns: why one start is not enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.compilation import compiled
from .._core.messages import BadInput, listing, nearest
from .._core.precision import in_float64
from ..report import INK, ONE_SIDED, VERMILLION, WIDTH, house_style, logarithmic
from ._misfit import Misfit
from ._pictures import UNITS, scaled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ._inverted import Inversion


class Landscape(NamedTuple):
    """chi2 per degree of freedom on a grid of two unknowns, all others as found; rows are the second one's values."""

    names: tuple[str, str]
    first: Float[np.ndarray, " n"]
    second: Float[np.ndarray, " m"]
    values: Float[np.ndarray, "m n"]
    found: tuple[float, float]


@in_float64
def landscape(inversion: Inversion, first: str, second: str, spread: float = 2.0, count: int = 81) -> Landscape:
    """The misfit around an answer.

    first, second   unknown numbers by their labels: "thickness[0]", "modulus[1]", "gain".
    spread          how far to either side: a factor for `Positive` unknowns, else e^raw steps.
    count           of values along each.

    Raises `BadInput` for a label that no unknown has.
    """
    misfit = inversion.misfit
    labels = misfit.guess.parameters.labels()
    for name in (first, second):
        if name not in labels:
            raise BadInput(f"no unknown number is called '{name}'{nearest(name, labels)} Known: {listing(labels)}.")
    i, j = labels.index(first), labels.index(second)
    steps = np.linspace(-np.log(spread), np.log(spread), count)
    a, b = np.meshgrid(steps, steps)
    points = np.broadcast_to(inversion.x, (a.size, len(labels))).copy()
    points[:, i] += a.ravel()
    points[:, j] += b.ravel()
    costs = np.asarray(costs_at(misfit, jnp.asarray(points))).reshape(a.shape) / inversion.dof
    lines = {
        k: np.concatenate([flat(misfit, inversion.x + step * np.eye(len(labels))[k])[[k]] for step in steps])
        for k in (i, j)
    }
    here = flat(misfit, inversion.x)
    return Landscape((first, second), lines[i], lines[j], costs, (float(here[i]), float(here[j])))


def flat(misfit: Misfit, x: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """The values of all unknowns, one after the other."""
    parameters = misfit.guess.parameters
    values = parameters.values(jnp.asarray(x))
    return np.concatenate([np.ravel(np.asarray(values[name])) for name in parameters.layout.names])


@compiled(lambda *_: True)
def costs_at(misfit: Misfit, points: Float[Array, "k n"]) -> Float[Array, " k"]:
    return jax.lax.map(lambda x: jnp.sum(misfit.residual(x) ** 2), points, batch_size=64)


@house_style()
def landscape_figure(found: Landscape, truth: tuple[float, float] | None = None) -> tuple[Figure, Axes]:
    """Contours of the misfit, with the answer (and the truth, where it is known)."""
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure

    fig = Figure(figsize=(WIDTH, 4.4), layout="constrained")
    ax = fig.subplots()
    (x_size, x_label), (y_size, y_label) = (axis(name, v) for name, v in zip(found.names, found[1:3], strict=True))
    top = float(np.nanmax(found.values))
    low = max(float(np.nanmin(found.values)), 1e-4 * top)
    first, second = found.first / x_size, found.second / y_size
    mesh = ax.pcolormesh(first, second, found.values, norm=LogNorm(low, top), cmap=ONE_SIDED, shading="auto")
    mesh.set_rasterized(True)
    sizes = np.array([x_size, y_size])
    ax.plot(*(found.found / sizes), "o", ms=9, mfc="none", mec="white", mew=1.8, label="found")
    if truth is not None:
        ax.plot(*(truth / sizes), "x", ms=7, color=VERMILLION, mew=1.8, label="true")
    ax.set(xlabel=x_label, ylabel=y_label)
    logarithmic(ax, "x", first[0], first[-1])
    logarithmic(ax, "y", second[0], second[-1])
    ax.set(xlim=(first[0], first[-1]), ylim=(second[0], second[-1]))  # no margin around a map
    ax.grid(False)
    ax.legend(loc="upper left", labelcolor="white", frameon=True, facecolor=INK, framealpha=0.85)
    fig.colorbar(mesh, ax=ax, label="chi² per degree of freedom")
    ax.tick_params(which="both", colors=INK)
    return fig, ax


def axis(label: str, values: Float[np.ndarray, " n"]) -> tuple[float, str]:
    """What to divide an unknown by so that it reads well, and its name: "thickness of layer 1 in mm"."""
    name, _, index = label.rstrip("]").partition("[")
    words = f"{name} of layer {int(index) + 1}" if index.isdecimal() else label
    size, unit = scaled(float(np.max(np.abs(values))), UNITS.get(name, ""))
    return (size, f"{words} in {unit}") if name in UNITS else (1.0, words)
