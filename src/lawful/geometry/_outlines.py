"""Plane shapes from elsewhere: shapely geometries and triangle meshes."""

from __future__ import annotations

import functools
import operator
import os

import numpy as np
from jaxtyping import Float, Int

from .._core.messages import BadInput, shown
from ._meshio import triangles_in
from ._polygon import Polygon, signed_area, signed_distance
from ._shape import Shape

Corners = Float[np.ndarray, "n 2"]

FARTHEST = 1e100  # beyond it areas are no numbers


def from_shapely(shape: object, axes: tuple[str, str] = ("x", "y"), label: str | None = None) -> Shape:
    """A shapely Polygon or MultiPolygon; holes become differences (hole k is labelled "hole k"), several polygons a
    union. Raises `BadInput` where the extra `mesh` is missing, for other geometries, and for invalid or empty ones."""
    try:
        import shapely
    except ImportError:
        raise BadInput("from_shapely needs shapely; install it with: pip install lawful[mesh]") from None
    if not isinstance(shape, shapely.Polygon | shapely.MultiPolygon):
        raise BadInput(f"from_shapely takes a shapely Polygon or MultiPolygon, but got {shown(shape)}.")
    if shape.is_empty or not shape.is_valid:
        reason = "it is empty" if shape.is_empty else shapely.is_valid_reason(shape)
        raise BadInput(f"the shapely geometry is no shape: {reason}; mend it with shapely.make_valid or draw it anew.")
    parts = shape.geoms if isinstance(shape, shapely.MultiPolygon) else [shape]
    rings = [[np.asarray(ring.coords)[:, :2] for ring in (part.exterior, *part.interiors)] for part in parts]
    return composed([(outer, holes) for outer, *holes in rings], axes, label)


def outline(path: str | os.PathLike, axes: tuple[str, str] = ("x", "y"), label: str | None = None) -> Shape:
    """The plane shape that a mesh of triangles covers (gmsh, VTK, ...: what meshio reads), as polygons with holes. The
    first two coordinates are taken. Raises `BadInput` where the extra `mesh` is missing, the file cannot be read, the
    mesh is not plane, or its outline touches itself."""
    vertices, triangles = triangles_in(path)
    if not (len(vertices) and np.all(np.abs(vertices) < FARTHEST)):
        raise BadInput(f"the mesh file {os.fspath(path)!r} holds a vertex that is no place; correct its coordinates.")
    if triangles.min() < 0 or triangles.max() >= len(vertices):
        raise BadInput(f"the mesh file {os.fspath(path)!r} names a vertex that it lacks; correct its triangles.")
    extent = float(np.ptp(vertices[:, :2], axis=0).max())
    if np.ptp(vertices[:, 2]) > 1e-9 * extent:
        raise BadInput(f"the mesh file {os.fspath(path)!r} is not plane; read solids with Mesh.read.")
    loops = [vertices[loop, :2] for loop in boundary_loops(vertices[:, :2], triangles)]
    outer = [loop for loop in loops if signed_area(loop) > 0]
    holes = [loop for loop in loops if signed_area(loop) < 0]
    if not outer:
        raise BadInput(f"the mesh file {os.fspath(path)!r} has no outline around an area; check its triangles.")
    owners = [owner(hole, outer) for hole in holes]
    return composed(
        [(ring, [hole for hole, own in zip(holes, owners, strict=True) if own == i]) for i, ring in enumerate(outer)],
        axes,
        label,
    )


def composed(rings: list[tuple[Corners, list[Corners]]], axes: tuple[str, str], label: str | None) -> Shape:
    """The union of polygons with holes."""
    numbers = iter(range(sum(len(holes) for _, holes in rings)))
    shapes = []
    for outer, holes in rings:
        shape: Shape = Polygon(label=label, **dict(zip(axes, outer.T, strict=True)))
        for hole in holes:
            shape = shape - Polygon(label=f"hole {next(numbers)}", **dict(zip(axes, hole.T, strict=True)))
        shapes.append(shape)
    return functools.reduce(operator.or_, shapes)


def boundary_loops(places: Corners, triangles: Int[np.ndarray, "n 3"]) -> list[list[int]]:
    """The edges that belong to one triangle, as closed loops with the inside on their left."""
    a, b, c = (places[triangles[:, i]] for i in range(3))
    turned = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0] < 0
    triangles = np.where(turned[:, None], triangles[:, ::-1], triangles)
    edges = np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=-1).reshape(-1, 2)
    _, which, counts = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True, return_counts=True)
    rim = edges[counts[which.ravel()] == 1]
    following = {int(start): int(stop) for start, stop in rim}
    if len(following) != len(rim):
        raise BadInput("the outline of the mesh touches itself at a vertex; mesh the parts on either side as one.")
    loops = []
    while following:
        start, here = following.popitem()
        loop = [start]
        while here != start:
            loop.append(here)
            if here not in following:
                raise BadInput("the outline of the mesh is not closed; correct triangles that name a vertex twice.")
            here = following.pop(here)
        loops.append(loop)
    return loops


def owner(hole: Corners, rings: list[Corners]) -> int:
    """The smallest ring around a hole."""
    around = [
        i
        for i, ring in enumerate(rings)
        if np.min(signed_distance(hole[:1], ring, np.roll(ring, -1, axis=0) - ring)) > 0
    ]
    return min(around, key=lambda i: signed_area(rings[i]))
