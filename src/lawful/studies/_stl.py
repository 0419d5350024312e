"""A height map as a solid that machines read: binary STL."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def stl(depth: Float[np.ndarray, "nx ny"], side: float, base: float, unit: float = 1e-3) -> bytes:
    """A closed block of `side` by `side`, its upper face lowered by `depth`, its floor `base` below the face; all in
    metres, written in units of `unit` (mm)."""
    nx, ny = depth.shape
    x, y = (np.linspace(0.0, side, n) for n in (nx, ny))
    top = np.stack([*np.meshgrid(x, y, indexing="ij"), -np.asarray(depth, float)], -1)
    floor = np.stack([top[..., 0], top[..., 1], np.full((nx, ny), -base)], -1)
    quads = [(top[:-1, :-1], top[1:, :-1], top[1:, 1:], top[:-1, 1:])]
    quads.append((floor[:-1, :-1], floor[:-1, 1:], floor[1:, 1:], floor[1:, :-1]))
    for edge in ((slice(None), 0), (-1, slice(None)), (slice(None, None, -1), -1), (0, slice(None, None, -1))):
        up, down = top[edge], floor[edge]
        quads.append((down[:-1], down[1:], up[1:], up[:-1]))
    faces = [
        np.stack([a, b, c], -2).reshape(-1, 3, 3) for q in quads for a, b, c in ((q[0], q[1], q[2]), (q[0], q[2], q[3]))
    ]
    corners = np.concatenate(faces) / unit
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    table = np.zeros(len(corners), np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("kind", "<u2")]))
    table["normal"], table["corners"] = normals, corners
    return b"lawful".ljust(80) + np.uint32(len(table)).tobytes() + table.tobytes()
