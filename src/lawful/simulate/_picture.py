"""The picture of a motion: every entry of the state against time."""

from __future__ import annotations

import jax
import numpy as np

from ._run import Run

FINE = 1200  # points of a curve
CURVES = 8  # more entries are too many to tell apart
MARKS = 60


def motion_figure(run: Run):
    """The state against time with the happenings marked: (fig, axes)."""
    from matplotlib.figure import Figure

    from ..report import INK, WIDTH, house_style

    times = np.linspace(run.t[0], run.t[-1], FINE)
    state = run(times)
    parts = {"position": state.q, "velocity": state.v} if run.second_order else {"state": state}
    with house_style():
        fig = Figure(figsize=(WIDTH, 2.4 * len(parts) + 0.4), layout="constrained")
        axes = np.atleast_1d(fig.subplots(len(parts), 1, sharex=True))
        for ax, (name, part) in zip(axes, parts.items(), strict=True):
            rows = np.concatenate([np.reshape(x, (FINE, -1)) for x in jax.tree.leaves(part)], axis=1)
            for i in range(min(rows.shape[1], CURVES)):
                ax.plot(times, rows[:, i], lw=1.2, label=f"{name} {i + 1}")
            more = rows.shape[1] - CURVES
            ax.set_ylabel(name if more <= 0 else f"{name} (first {CURVES} entries)")
            for happening in run.happenings[:MARKS]:
                ax.axvline(happening.time, color=INK, lw=0.5, alpha=0.35)
            if rows.shape[1] > 1:
                ax.legend(ncols=4)
        axes[-1].set_xlabel("time")
    return fig, axes
