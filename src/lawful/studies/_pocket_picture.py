"""The picture of the study of pockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..proteins._placing import atoms_of
from ..report import BLUE, INK

if TYPE_CHECKING:
    from ._pocket_cases import Placed, Pose

ORANGE = "#e08e45"


def picture(found: list[Placed], chosen: list[Pose], median: float, most: float):
    """What was reached, and one binder in its place, seen along the interface."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(9.6, 4.4), layout="constrained")
    ax, view = fig.subplots(1, 2)
    starts = [pose.fit for each in found for pose in each.starts]
    rests = [pose.fit for each in found for pose in each.rests]
    natives = [each.case.native for each in found]
    for fits, color, marker, label in (
        (starts, "0.7", ".", "first touch"),
        (rests, ORANGE, ".", "at rest"),
        ([pose.fit for pose in chosen], BLUE, "o", "taken"),
        (natives, INK, "+", "native"),
    ):
        ax.plot([each.overlap for each in fits], [each.contacts for each in fits], marker, color=color, label=label)
    ax.axvline(most, color=INK, lw=0.8, ls=":")
    ax.axhline(median, color=INK, lw=0.8, ls=":")
    ax.text(most, 0.5, f"at most {most} Å ", rotation=90, va="bottom", ha="right", fontsize="small")
    ax.text(ax.get_xlim()[0], median, " natives' median", va="bottom", fontsize="small")
    ax.set(xlabel="largest overlap / Å", ylabel="pairs of residues in contact")
    ax.legend(fontsize="small", loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, frameon=False)
    k = int(np.argmax([pose.fit.contacts if pose.fit.overlap <= most else -1 for pose in chosen]))
    case, pose = found[k].case, chosen[k]
    atoms = atoms_of(pose.binder)
    up = case.out
    side = np.linalg.svd(atoms[:, 1] - atoms[:, 1].mean(axis=0))[2][0]
    side = side - (side @ up) * up
    side /= np.linalg.norm(side)
    seen = lambda xyz: ((xyz - case.middle) @ side, (xyz - case.middle) @ up)
    across = np.cross(up, side)
    thin = np.abs((case.receptor.xyz - case.middle) @ across) < 7
    near = np.linalg.norm(case.receptor.xyz - case.middle, axis=1) < 32
    x, y = seen(case.receptor.xyz[thin & near])
    view.scatter(x, y, s=60, color="0.86", edgecolor="0.7", linewidth=0.3)
    chain = atoms[:, :3].reshape(-1, 3)
    broken = np.linalg.norm(np.diff(chain, axis=0), axis=1) > 2.0  # helices of a bundle are not joined
    x, y = seen(np.insert(chain, np.flatnonzero(broken) + 1, np.nan, axis=0))
    view.plot(x, y, color=BLUE, lw=2.2, solid_joinstyle="round")
    x, y = seen(atoms[:, 4])
    view.plot(x, y, "o", ms=3.5, color=INK)
    view.set(aspect="equal", xlabel="along the binder / Å", ylabel="out of the receptor / Å")
    view.set_title(
        f"{case.name}: {pose.fit.contacts} contacts, overlap {pose.fit.overlap:.2f} Å; a slice of the receptor",
        fontsize="small",
    )
    return fig, ax
