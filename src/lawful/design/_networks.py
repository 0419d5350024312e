"""What learns from simulated designs: a plain network for a few numbers, an operator for free forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from .._core.messages import BadInput
from ._space import Space

Shapes = dict[str, tuple[int, ...]]
Maps = Float[Array, "... channels"]
"""Places first, so that channels are mixed by one product of matrices."""


class Network(eqx.Module):
    """From a unit vector to every output, in units of its own spread: a multilayer perceptron."""

    mlp: eqx.nn.MLP
    shapes: Shapes = eqx.field(static=True)

    def __call__(self, u: Float[Array, " d"]) -> dict[str, Float[Array, "..."]]:
        flat, found, at = self.mlp(2 * u - 1), {}, 0
        for name, shape in self.shapes.items():
            size = int(np.prod(shape))
            found[name] = flat[at : at + size].reshape(shape)
            at += size
        return found


def perceptron(width: int = 64, depth: int = 2) -> Callable[[Space, Shapes, PRNGKeyArray], Network]:
    """A `Network` of `depth` hidden layers of `width`: for up to some tens of parameters."""

    def built(space: Space, shapes: Shapes, key: PRNGKeyArray) -> Network:
        size = sum(int(np.prod(shape)) for shape in shapes.values())
        mlp = eqx.nn.MLP(space.size, size, width, depth, activation=jax.nn.silu, dtype=jnp.float32, key=key)
        return Network(mlp, shapes)

    return built


class Layer(eqx.Module):
    """One layer of an operator: v -> v + silu(W [v, dv/dx, dv/dy, K v] + b).

    K acts on each channel alone, along x and then along y, by a matrix of low rank between the lowest waves; it
    carries what happens in one place to all others, as a Green's function does, wherever they lie.
    """

    mix: Float[Array, "in out"]
    bias: Float[Array, " out"]
    kernels: tuple[Float[Array, "k k channels"], ...]

    def __call__(self, v: Maps, bases: tuple[np.ndarray, ...], periodic: tuple[bool, ...]) -> Maps:
        far, parts = v, [v]
        for axis, (kernel, basis, wraps) in enumerate(zip(self.kernels, bases, periodic, strict=True)):
            far = along(far, kernel, basis, axis)
            parts.append(slope(v, axis, wraps))
        return v + jax.nn.silu(jnp.concatenate([*parts, far], axis=-1) @ self.mix + self.bias)


def along(v: Maps, kernel: Float[Array, "k k channels"], basis: np.ndarray, axis: int) -> Maps:
    """Each channel's lowest waves along one axis, times its matrix."""
    there, back = jnp.asarray(basis.T), jnp.asarray(basis)
    if axis == 0:  # the other axis rides along with the channels
        across = 1 if v.ndim == 2 else v.shape[1]
        waves = (there @ v.reshape(len(v), -1)).reshape(-1, across, v.shape[-1])
        mixed = jnp.sum(kernel[:, :, None, :] * waves[None], axis=1)
        return (back @ mixed.reshape(len(mixed), -1)).reshape(v.shape)
    return back @ jnp.sum(kernel[None] * (there @ v)[:, None], axis=2)


def slope(v: Maps, axis: int, periodic: bool) -> Maps:
    """Half the difference of the two neighbours, at ends of the value itself and its neighbour."""
    if periodic:
        return 0.5 * (jnp.roll(v, -1, axis) - jnp.roll(v, 1, axis))
    edges = jnp.pad(v, [(1, 1) if i == axis else (0, 0) for i in range(v.ndim)], mode="edge")
    n = v.shape[axis]
    return 0.5 * (jax.lax.slice_in_dim(edges, 2, n + 2, axis=axis) - jax.lax.slice_in_dim(edges, 0, n, axis=axis))


class Operator(eqx.Module):
    """From maps of a design to fields, and to scalars as means of fields over the map."""

    lift: Float[Array, "maps channels"]
    layers: tuple[Layer, ...]
    project: Float[Array, "features outputs"]
    bias: Float[Array, " outputs"]
    view: Callable[..., Maps] = eqx.field(static=True)
    space: Space = eqx.field(static=True)
    shapes: Shapes = eqx.field(static=True)
    periodic: tuple[bool, ...] = eqx.field(static=True)
    modes: int = eqx.field(static=True)
    patch: int = eqx.field(static=True)

    def __call__(self, u: Float[Array, " d"]) -> dict[str, Float[Array, "..."]]:
        maps = jnp.moveaxis(self.view(**self.space.design(u)).astype(self.lift.dtype), 0, -1)
        maps = with_places(patched(maps, self.patch), self.periodic)
        bases = tuple(waves_of(n, self.modes, p) for n, p in zip(maps.shape, self.periodic, strict=False))
        v = maps @ self.lift
        for layer in self.layers:
            v = layer(v, bases, self.periodic)
        # Products of two channels, since what is sought is made of products: of a slope and a thickness, say.
        half = v.shape[-1] // 2
        v = jnp.concatenate([v, v[..., :half] * v[..., half : 2 * half], maps], axis=-1)
        fields = v @ self.project + self.bias
        found, at = {}, 0
        for name, shape in self.shapes.items():
            rows = self.patch ** len(shape) if shape else 1
            part = fields[..., at : at + rows]
            found[name] = unpatched(part, self.patch) if shape else jnp.mean(part)
            at += rows
        return found


def patched(maps: Maps, patch: int) -> Maps:
    """Neighbouring places of a map, `patch` along each axis, as maps of their own on a coarser grid."""
    for axis in range(maps.ndim - 1):
        parts = [maps[(slice(None),) * axis + (slice(i, None, patch),)] for i in range(patch)]
        maps = jnp.concatenate(parts, axis=-1)
    return maps


def unpatched(maps: Maps, patch: int) -> Float[Array, "..."]:
    """One map from those of its places: `patched` backwards."""
    for axis in range(maps.ndim - 2, -1, -1):
        woven = jnp.stack(jnp.split(maps, patch, axis=-1), axis + 1)
        maps = woven.reshape(*woven.shape[:axis], -1, *woven.shape[axis + 2 :])
    return maps[..., 0]


def operator(
    view: Callable[..., Any],
    width: int = 16,
    depth: int = 3,
    modes: int = 6,
    periodic: tuple[bool, ...] = (False,),
    patch: int = 1,
) -> Callable[[Space, Shapes, PRNGKeyArray], Operator]:
    """An `Operator` for free forms on one axis or two.

    view      `view(**design)` gives maps of the design, (maps, nx) or (maps, nx, ny), about as large as 1: what the
              law is made of, such as the film and its inverse. Places are added by themselves.
    width     channels.     depth  layers.     modes  waves along each axis, the mean included.
    periodic  for each axis: waves and neighbours that wrap around, else cosines and edges.
    patch     places along each axis that are taken as one: 2 or 4 where designs are smoother than the grid, which
              makes the operator as many times cheaper for each axis.
    """

    def built(space: Space, shapes: Shapes, key: PRNGKeyArray) -> Operator:
        looked = jax.eval_shape(lambda u: view(**space.design(u)), jnp.zeros(space.size))
        if looked.ndim != len(periodic) + 1 or len(periodic) not in (1, 2):
            raise BadInput(
                f"operator: the view has the shape {looked.shape}, expected maps on {len(periodic)} axes: (maps, nx),"
                f" or (maps, nx, ny) with periodic=(..., ...)."
            )
        grid = looked.shape[1:]
        if any(n % patch for n in grid):
            raise BadInput(f"operator: patch={patch} does not divide the grid {grid}; such as patch=1.")
        for name, shape in shapes.items():
            if shape not in ((), grid):
                raise BadInput(f"operator: output '{name}' has the shape {shape}; scalars and fields of {grid} fit.")
        places = patch ** len(grid)
        maps = looked.shape[0] * places + sum(2 if p else 1 for p in periodic)
        outputs = sum(places if shape else 1 for shape in shapes.values())
        keys = iter(jax.random.split(key, 2 + 4 * depth))
        normal = lambda *shape, of: jax.random.normal(next(keys), shape, jnp.float32) / np.sqrt(of)
        layers = []
        for _ in range(depth):
            inputs = width * (2 + len(grid))
            kernels = tuple(normal(min(modes, n // patch), min(modes, n // patch), width, of=modes) for n in grid)
            layers.append(Layer(0.5 * normal(inputs, width, of=inputs), jnp.zeros(width, jnp.float32), kernels))
        features = width + width // 2 + maps
        project = 0.3 * normal(features, outputs, of=features)
        lift = normal(maps, width, of=maps)
        bias = jnp.zeros(outputs, jnp.float32)
        return Operator(lift, tuple(layers), project, bias, view, space, shapes, periodic, modes, patch)

    return built


def with_places(maps: Maps, periodic: tuple[bool, ...]) -> Maps:
    """The maps, and where on them a place lies: from -1 to 1, or as an angle on a periodic axis."""
    found, grid = [maps], maps.shape[:-1]
    for axis, (n, wraps) in enumerate(zip(grid, periodic, strict=True)):
        s = (np.arange(n) + 0.5) / n
        lines = [np.cos(2 * np.pi * s), np.sin(2 * np.pi * s)] if wraps else [2 * s - 1]
        shape = [n if i == axis else 1 for i in range(len(grid))]
        found += [jnp.broadcast_to(jnp.asarray(x, maps.dtype).reshape(shape), grid)[..., None] for x in lines]
    return jnp.concatenate(found, axis=-1)


def waves_of(n: int, modes: int, periodic: bool) -> Float[np.ndarray, "n k"]:
    """The lowest waves of an axis, orthonormal: sines and cosines that wrap, or cosines."""
    s, modes = (np.arange(n) + 0.5) / n, min(modes, n)
    if periodic:
        order = (np.arange(modes) + 1) // 2
        phase = np.where(np.arange(modes) % 2 == 1, np.pi / 2, 0.0)
        basis = np.cos(2 * np.pi * order * s[:, None] - phase)
    else:
        basis = np.cos(np.pi * np.arange(modes) * s[:, None])
    return (basis / np.linalg.norm(basis, axis=0)).astype(np.float32)
