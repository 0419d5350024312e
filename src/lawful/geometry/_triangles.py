"""Closed surfaces of triangles in space: topology, winding number, distances, areas."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from .._core.messages import BadInput

Vertices = Float[np.ndarray, "v 3"]
Triples = Int[np.ndarray, "n 3"]
Corners = Float[np.ndarray, "n 3 3"]

AT_ONCE = 2**19  # pairs of points and triangles in memory at a time


def merged(vertices: Vertices, triangles: Triples) -> tuple[Vertices, Triples]:
    """Vertices at one place made one, as files of loose triangles (STL) need it; collapsed triangles dropped."""
    extent = float(np.ptp(vertices, axis=0).max()) or 1.0  # where all lie at one place none is left
    _, first, which = np.unique(np.round(vertices / (1e-7 * extent)), axis=0, return_index=True, return_inverse=True)
    triangles = which.ravel()[triangles]
    a, b, c = triangles.T
    return vertices[first], triangles[(a != b) & (b != c) & (c != a)]


def oriented(vertices: Vertices, triangles: Triples) -> Triples:
    """The triangles with all normals pointing out of the solid, around cavities too.

    Raises `BadInput` where the surface is not closed: where an edge is not shared by exactly two triangles.
    """
    neighbours = edge_neighbours(vertices, triangles)
    triangles, component = triangles.copy(), np.full(len(triangles), -1)
    for root in range(len(triangles)):
        if component[root] < 0:
            spread(root, int(component.max()) + 1, triangles, component, neighbours)
    count = int(component.max()) + 1
    for i in range(count):
        own = component == i
        if volume(vertices[triangles[own]]) < 0:
            triangles[own] = triangles[own][:, ::-1]
    if count > 1:
        turn_cavities(vertices, triangles, component, count)
    return triangles


def edge_neighbours(vertices: Vertices, triangles: Triples) -> Int[np.ndarray, "n 3"]:
    """The triangle across each edge (0-1, 1-2, 2-0) of each triangle."""
    edges = np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=-1).reshape(-1, 2)
    _, which, counts = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True, return_counts=True)
    which = which.ravel()
    wrong = np.flatnonzero(counts[which] != 2)
    if len(wrong):
        start, stop = (np.array2string(vertices[v], precision=4, separator=", ") for v in edges[wrong[0]])
        raise BadInput(
            f"the surface is not closed: {len(np.unique(which[wrong]))} of its edges are not shared by two triangles, "
            f"the first from {start} to {stop}; close it with the program that made it."
        )
    order = np.argsort(which, kind="stable").reshape(-1, 2)
    across = np.empty(len(edges), dtype=int)
    across[order[:, 0]], across[order[:, 1]] = order[:, 1] // 3, order[:, 0] // 3
    return across.reshape(-1, 3)


def spread(root: int, name: int, triangles: Triples, component: Int[np.ndarray, " n"], neighbours: Triples) -> None:
    """Give all triangles connected to `root` its orientation, in place."""
    component[root] = name
    todo = deque([root])
    while todo:
        here = todo.popleft()
        ring = triangles[here].tolist()
        forward = set(zip(ring, ring[1:] + ring[:1], strict=True))
        for other in neighbours[here].tolist():
            if component[other] >= 0:
                continue
            loop = triangles[other].tolist()
            # two triangles agree if they run along their common edge in opposite directions
            if forward & set(zip(loop, loop[1:] + loop[:1], strict=True)):
                triangles[other] = triangles[other][::-1]
            component[other] = name
            todo.append(other)


def turn_cavities(vertices: Vertices, triangles: Triples, component: Int[np.ndarray, " n"], count: int) -> None:
    """Turn the surfaces that lie inside an odd number of others, in place: they bound cavities."""
    inside = []
    for i in range(count):
        place = vertices[triangles[component == i][0, 0]][None]
        turns = [winding(place, vertices[triangles[component == j]])[0] for j in range(count) if j != i]
        inside.append(sum(abs(turn) > 0.5 for turn in turns) % 2 == 1)
    for i, cavity in enumerate(inside):
        if cavity:
            triangles[component == i] = triangles[component == i][:, ::-1]


def volume(corners: Corners) -> float:
    """The enclosed volume by the divergence theorem, positive where normals point out."""
    a, b, c = np.moveaxis(corners - corners.mean(axis=(0, 1)), 1, 0)
    return float(np.sum(a * np.cross(b, c)) / 6)


def crossed(corners: Corners) -> Float[np.ndarray, "n 3"]:
    """Normals of twice the area."""
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])


def in_blocks(function: Callable, places: Vertices, corners: Corners) -> np.ndarray:
    """A function of points and triangles, over as many points at a time as memory likes."""
    blocks = np.array_split(places, max(1, len(places) * len(corners) // AT_ONCE))
    return np.concatenate([function(block, corners) for block in blocks])


def winding(places: Vertices, corners: Corners) -> Float[np.ndarray, " m"]:
    """The winding number: 1 inside, 0 outside, 1/2 on the surface. Source: Van Oosterom and Strackee (1983)."""
    return in_blocks(solid_angles, places, corners) / (4 * np.pi)


def solid_angles(places: Vertices, corners: Corners) -> Float[np.ndarray, " m"]:
    a, b, c = np.moveaxis(corners[None] - places[:, None, None], 2, 0)
    la, lb, lc = (np.linalg.norm(v, axis=-1) for v in (a, b, c))
    triple = np.sum(a * np.cross(b, c), axis=-1)
    rest = la * lb * lc + np.sum(a * b, -1) * lc + np.sum(b * c, -1) * la + np.sum(c * a, -1) * lb
    return np.sum(2 * np.arctan2(triple, rest), axis=-1)


def nearest(places: Vertices, corners: Corners) -> Float[np.ndarray, "m 2"]:
    """The exact distance to the nearest triangle, and its number, one row for each point."""
    return in_blocks(nearest_triangle, places, corners)


def nearest_triangle(places: Vertices, corners: Corners) -> Float[np.ndarray, "m 2"]:
    offset = places[:, None] - corners[None, :, 0]
    normal = crossed(corners)
    squared = np.sum(normal**2, axis=-1)
    height = np.sum(offset * normal, axis=-1) / np.sqrt(squared)
    best = np.full(height.shape, np.inf)
    above = np.ones(height.shape, dtype=bool)
    for i in range(3):
        start, side = corners[:, i], corners[:, (i + 1) % 3] - corners[:, i]
        away = places[:, None] - start
        share = np.clip(np.sum(away * side, -1) / np.sum(side**2, -1), 0, 1)
        best = np.minimum(best, np.linalg.norm(away - share[..., None] * side, axis=-1))
        above &= np.sum(np.cross(side, away) * normal, axis=-1) >= 0
    distance = np.where(above, np.abs(height), best)
    which = np.argmin(distance, axis=1)
    return np.stack([distance[np.arange(len(places)), which], which], axis=1)
