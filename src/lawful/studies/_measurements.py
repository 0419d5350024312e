"""Where the studies on measured data find their files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from .._core.messages import BadInput
from ._base import Request

RECORDINGS = "schmidt_lipson"
SOURCE = "M. Schmidt and H. Lipson, Distilling free-form natural laws from experimental data, Science 324, 81 (2009)"


def motion(request: Request, recording: str) -> tuple[dict[str, np.ndarray], str]:
    """Times and values of a recorded motion as columns "t" and "x", and where they come from.

    `--set data=FILE.csv` names a file with columns t and x. Without it the recording is looked for in the folder that
    the environment variable LAWFUL_DATA names, or in ../shared/data.
    """
    if "data" in request.options:
        return from_csv(Path(request.options["data"]))
    path = in_data_folder(RECORDINGS, f"{recording}.txt")
    if path.is_file():
        table = np.loadtxt(path, comments="%")  # trial number, time, value, derived columns
        return {"t": table[:, 1], "x": table[:, 2]}, f"{recording}.txt ({SOURCE})"
    raise BadInput(
        f"the recording {recording}.txt was not found; give your own with --set data=FILE.csv (columns t and x),"
        " or set LAWFUL_DATA to the folder that holds schmidt_lipson/."
    )


def in_data_folder(*names: str) -> Path:
    """Where a file of reference data should lie: in the folder that LAWFUL_DATA names, or in ../shared/data."""
    return Path(os.environ.get("LAWFUL_DATA", "../shared/data")).joinpath(*names)


def from_csv(path: Path) -> tuple[dict[str, np.ndarray], str]:
    from ..problem import Data

    data = Data.read(path, name=path.name)
    missing = [name for name in ("t", "x") if name not in data.columns]
    if missing:
        raise BadInput(f"{path} must have columns t and x, but has {', '.join(data.columns)}.")
    return {"t": data.columns["t"], "x": data.columns["x"]}, path.name


def thinned(columns: dict[str, np.ndarray], most: int) -> dict[str, np.ndarray]:
    """At most `most` rows, evenly chosen."""
    step = -(-len(columns["t"]) // most)
    return {name: values[::step] for name, values in columns.items()}


def margin(t: np.ndarray) -> tuple[float, float]:
    """A time span that holds all measurements; it begins at the first, so that the start is the state there."""
    return float(t.min()), float(t.max())
