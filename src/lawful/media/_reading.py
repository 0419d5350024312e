"""Records from files."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from .._core.messages import BadInput, listing
from ..problem import Data
from ._waveforms import Source, Waveforms

UNEVEN = 1e-3  # of an interval: what clocks of recorders and rounded columns leave


def waveforms(
    data: Data,
    source: Source,
    *,
    time: str = "t",
    pulse: str = "pulse",
    noise: float | Mapping[str, float | None] | None = None,
    observe: Mapping[str, Callable] | None = None,
) -> Waveforms:
    """Records from columns: `waveforms(lf.Data.read("tap.csv"), Tap())`, or from `lf.Data.from_xarray(dataset)`.

    data          a column of times in s, one of the pulse, and one for each channel; `columns=` of `lf.Data.read`
                  renames and picks them.
    time, pulse   what those two are called.
    noise, observe   as for `Waveforms`; the noise of `data` is used where none is given and it is one number.

    Raises `BadInput` for missing columns and for times that do not rise in even steps.
    """
    missing = [name for name in (time, pulse) if name not in data.columns]
    if missing:
        raise BadInput(
            f"{data.name} has no column {listing(missing)}; it has {listing(data.columns)}. Name yours with time= and"
            " pulse=, or rename them with lf.Data.read(path, columns={'Time (s)': 't'})."
        )
    times = np.asarray(data.columns[time], dtype=float)
    steps = np.diff(times)
    interval = float(np.mean(steps)) if steps.size else 0.0
    if interval <= 0 or np.max(np.abs(steps - interval)) > UNEVEN * interval:
        place = int(np.argmax(np.abs(steps - interval))) if steps.size else 0
        raise BadInput(
            f"{data.name}: the times do not rise in even steps (from row {place + 1} to the next {steps[place]:.6g} s,"
            f" {interval:.6g} s on average); interpolate the records to even times first."
        )
    channels = {name: values for name, values in data.columns.items() if name not in (time, pulse)}
    told = {name: single(data.noise.get(name)) for name in channels} if noise is None else noise
    return Waveforms(source, data.columns[pulse], interval, channels, told, observe)


def single(levels: np.ndarray | None) -> float | None:
    """The noise of a column, where it is the same in every row."""
    if levels is None or np.ptp(levels) > 0:
        return None
    return float(np.ravel(levels)[0])
