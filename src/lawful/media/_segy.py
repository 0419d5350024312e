"""Records from SEG-Y files, the format of seismic surveys."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput

MICROSECOND = 1e-6


class Gather(NamedTuple):
    """Traces of a file, in its order.

    traces      one row for each, in the unit of the file (SEG-Y does not say it).
    interval    between samples, s.
    sources     x and y of the source of each trace, in the unit of the file, its scalar applied.
    receivers   x and y of its receiver.
    """

    traces: Float[np.ndarray, "traces count"]
    interval: float
    sources: Float[np.ndarray, "traces 2"]
    receivers: Float[np.ndarray, "traces 2"]


def read_segy(path: str | Path) -> Gather:
    """All traces of a SEG-Y file with their geometry; needs `segyio` (pip install "lawful[segy]").

    A trace becomes a channel: Waveforms(PlaneWave(...), pulse, gather.interval, {"near": gather.traces[0]}).

    Raises `BadInput` for what is no SEG-Y file, and for a sampling interval of zero.
    Source: SEG-Y revision 1, bytes 71-88 of the trace header for places, 3217-3218 of the file's for the interval.
    """
    try:
        import segyio
    except ModuleNotFoundError:
        raise BadInput('reading SEG-Y needs segyio; install it: pip install "lawful[segy]".') from None
    path = Path(path)
    if not path.is_file():
        raise BadInput(f"the file {path} was not found; give the path of a SEG-Y file.")
    try:
        file = segyio.open(path, ignore_geometry=True)
    except (RuntimeError, OSError, ValueError) as error:
        raise BadInput(f"{path} could not be read as SEG-Y ({error}); give a SEG-Y file of revision 0 or 1.") from None
    with file:
        step = float(segyio.tools.dt(file, fallback_dt=0.0))
        if step <= 0:
            raise BadInput(
                f"{path} says that samples are {step:g} microseconds apart; correct the interval in its headers."
            )
        fields = segyio.TraceField
        scale = np.asarray(file.attributes(fields.SourceGroupScalar)[:], dtype=float)
        # A positive scalar multiplies, a negative one divides, zero says nothing.
        scale = np.where(scale < 0, 1 / np.where(scale < 0, -scale, 1.0), np.where(scale > 0, scale, 1.0))
        at = lambda x, y: np.stack([file.attributes(field)[:] * scale for field in (x, y)], axis=1)
        return Gather(
            np.asarray(file.trace.raw[:], dtype=float),
            MICROSECOND * step,
            at(fields.SourceX, fields.SourceY),
            at(fields.GroupX, fields.GroupY),
        )
