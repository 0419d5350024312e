"""Run by `test_cells.py` in a process of its own that sees four devices; prints what it found as JSON."""

import json

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from lawful._core.precision import float64
from lawful.simulate import Around, Held, Mirrored, march_cells


def wide(fields):
    """A stencil that reaches two cells, corners included, in two fields of which one stays; in whole numbers, so that
    nothing is rounded."""
    u, k = fields
    places = ((0, 0), (4, 4), (0, 4), (4, 1), (2, 2))
    total = sum((1 + i + 3 * j) * u[i : u.shape[0] - 4 + i, j : u.shape[1] - 4 + j] for i, j in places)
    return jnp.mod(total * k[2:-2, 2:-2], 1021.0), k[2:-2, 2:-2]


def differences() -> dict:
    """The largest difference to one device of fields, for meshes and edges of all kinds."""
    rng, found = np.random.default_rng(0), {}
    start = tuple(rng.integers(0, 9, size=(8, 12)).astype(float) for _ in range(2))
    devices = np.asarray(jax.devices(), dtype=object)
    meshes = {"row": jax.devices(), "square": Mesh(devices.reshape(2, 2), ("a", "b"))}
    kinds = {"around": (Around(), Around()), "mixed": (Held(3.0), Mirrored())}
    for kind, edges in kinds.items():

        def told(mesh, edges=edges):
            end = march_cells(wide, start, 5, reach=2, edges=edges, mesh=mesh)
            return np.stack([np.asarray(part) for part in end])

        alone = told(None)
        for name, mesh in meshes.items():
            found[f"{kind}, {name}"] = float(np.max(np.abs(told(mesh) - alone)))
        found[f"{kind}, size"] = float(np.max(np.abs(alone)))
    return found


if __name__ == "__main__":
    with float64():
        print(json.dumps({"devices": len(jax.devices()), **differences()}))
