"""Triangles out of mesh files, by way of meshio."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from .._core.messages import BadInput, listing


def triangles_in(path: str | os.PathLike) -> tuple[Float[np.ndarray, "v 3"], Int[np.ndarray, "n 3"]]:
    """The vertices and triangles of a file; plane files get a third coordinate 0.

    Raises `BadInput` where the extra `mesh` is missing, or the file cannot be read or holds no triangles.
    """
    try:
        import meshio
    except ImportError:
        raise BadInput("reading a mesh file needs meshio; install it with: pip install lawful[mesh]") from None
    file = Path(path)
    if not file.is_file():
        raise BadInput(f"there is no mesh file {str(file)!r}; check its name.")
    said = io.StringIO()
    try:
        # meshio reads the head of a text file as a number first, to tell it from a binary one
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), np.errstate(all="ignore"):
            mesh = meshio.read(file)
    except (
        meshio.ReadError, ValueError, LookupError, OverflowError, TypeError, EOFError, SystemExit, AssertionError,
        MemoryError,  # counts of more than there is room for
    ) as error:  # fmt: skip
        reason = str(error) if str(error) and not isinstance(error, SystemExit) else said.getvalue() or "unknown format"
        raise BadInput(
            f"the mesh file {str(file)!r} cannot be read ({reason}); write it as STL, gmsh or VTK triangles."
        ) from None
    blocks = [block.data for block in mesh.cells if block.type == "triangle"]
    if not blocks:
        kinds = listing(sorted({block.type for block in mesh.cells}))
        raise BadInput(f"the mesh file {str(file)!r} holds no triangles but {kinds}; export the surface as triangles.")
    with np.errstate(invalid="ignore"):  # what is no number stays none, or becomes a vertex that there is not
        points = np.asarray(mesh.points, dtype=float)
        triangles = np.concatenate(blocks).astype(int)
    flat = np.zeros((len(points), 3 - points.shape[1]))
    return np.concatenate([points, flat], axis=1), triangles
