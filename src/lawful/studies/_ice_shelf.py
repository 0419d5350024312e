"""The Amery ice shelf as measured from space: velocities and thickness, averaged over square cells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from .._core.messages import BadInput
from ..geometry import Polygon
from ._measurements import in_data_folder

FILE = ("ice_shelf_diffice", "data_pinns_Amery.mat")
SOURCE = "NSIDC MEaSUREs velocities and BedMachine thickness, cut out by DIFFICE (YaoGroup/DIFFICE_jax)"
YEAR = 365.25 * 86400.0
RIFTED = 376.0
"""km: beyond it the ice is cut by rifts, gaps in the data, and no continuum."""
MARGIN = 1.0  # km that the outline stays inside the data
STATION = 12.0  # km between its corners


@dataclass(frozen=True)
class Shelf:
    """Cells of the shelf: coordinates in km from its lower left corner, u and v in km per year, h in km."""

    x: Float[np.ndarray, " cells"]
    y: Float[np.ndarray, " cells"]
    u: Float[np.ndarray, " cells"]
    v: Float[np.ndarray, " cells"]
    h: Float[np.ndarray, " cells"]
    outline: Polygon
    front: dict[str, Float[np.ndarray, " points"]]
    """The calving front: x, y and its outward normal nx, ny."""

    def only(self, chosen: Bool[np.ndarray, " cells"]) -> dict[str, Float[np.ndarray, " n"]]:
        """Some cells as columns."""
        return {name: getattr(self, name)[chosen] for name in ("x", "y", "u", "v", "h")}


def amery(cell: float) -> Shelf:
    """The shelf in cells of a width in km."""
    from scipy.io import loadmat

    path = in_data_folder(*FILE)
    if not path.is_file():
        raise BadInput(f"{Path(*FILE)} was not found; set LAWFUL_DATA to the folder that holds {FILE[0]}/ ({SOURCE}).")
    stored = loadmat(path)
    corner = {"x": float(np.nanmin(stored["xd_h"])), "y": float(np.nanmin(stored["yd_h"]))}

    def local(name: str) -> Float[np.ndarray, "..."]:
        return np.round((stored[name] - corner[name[0]]) / 1e3, 3)

    speed = cells(cell, local("xd"), local("yd"), {n: stored[f"{n}d"] * YEAR / 1e3 for n in ("u", "v")})
    thick = cells(cell, local("xd_h"), local("yd_h"), {"h": stored["hd"] / 1e3})
    outline = outlined(local("xd"), local("yd"), np.isfinite(stored["ud"]))
    both = sorted(set(speed) & set(thick))
    x, y = ((np.array([key[i] for key in both]) + 0.5) * cell for i in (0, 1))
    inside = outline.contains({"x": x, "y": y})
    columns = {n: np.array([speed[key][n] for key in both])[inside] for n in ("u", "v")}
    front = {
        "x": local("xct").ravel(),
        "y": local("yct").ravel(),
        "nx": stored["nnct"][:, 0],
        "ny": stored["nnct"][:, 1],
    }
    h = np.array([thick[key]["h"] for key in both])[inside]
    return Shelf(x[inside], y[inside], columns["u"], columns["v"], h, outline, front)


def cells(
    width: float, x: np.ndarray, y: np.ndarray, quantities: dict[str, np.ndarray]
) -> dict[tuple[int, int], dict[str, float]]:
    """Means over square cells that are at least nine tenths full."""
    known = np.all([np.isfinite(values) for values in quantities.values()], axis=0)
    place = np.stack([np.floor(x[known] / width), np.floor(y[known] / width)], axis=1).astype(int)
    keys, owner, count = np.unique(place, axis=0, return_inverse=True, return_counts=True)
    owner, full = owner.ravel(), count >= 0.9 * count.max()
    means = {name: np.bincount(owner, values[known]) / count for name, values in quantities.items()}
    return {
        (int(key[0]), int(key[1])): {name: float(mean[i]) for name, mean in means.items()}
        for i, key in enumerate(keys)
        if full[i]
    }


def outlined(x: np.ndarray, y: np.ndarray, known: np.ndarray) -> Polygon:
    """A polygon inside the data: at stations along x the unbroken stretch of y that all columns nearby have."""
    stations = np.arange(x[known].min() + STATION, RIFTED, STATION)
    stations = np.append(stations[stations < RIFTED - STATION / 2], RIFTED)
    low, high = [], []
    for station in stations:
        near = known & (np.abs(x - station) < 0.6 * STATION) & (x < RIFTED + 1)
        levels = np.unique(y[near])
        counts = np.array([np.sum(near & (y == level)) for level in levels])
        full = counts >= 0.98 * counts.max()
        middle = int(np.argmin(np.abs(levels - np.median(y[near]))))
        broken = np.flatnonzero(~full)
        low.append(levels[max(broken[broken < middle], default=-1) + 1] + MARGIN)
        high.append(levels[min(broken[broken > middle], default=len(levels)) - 1] - MARGIN)
    return Polygon(x=[*stations, *stations[::-1]], y=[*low, *high[::-1]], label="edge")
