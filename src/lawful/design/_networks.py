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
Maps = Float[Array, "channels ..."]


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

    mix: Float[Array, "out in"]
    bias: Float[Array, " out"]
    kernels: tuple[Float[Array, "channels k k"], ...]

    def __call__(self, v: Maps, bases: tuple[np.ndarray, ...], periodic: tuple[bool, ...]) -> Maps:
        far, parts = v, [v]
        for axis, (kernel, basis, wraps) in enumerate(zip(self.kernels, bases, periodic, strict=True), start=1):
            far = along(far, kernel, basis, axis)
            parts.append(slope(v, axis, wraps))
        stacked = jnp.concatenate([*parts, far])
        bias = self.bias.reshape(-1, *[1] * (v.ndim - 1))
        return v + jax.nn.silu(jnp.tensordot(self.mix, stacked, 1) + bias)


def along(v: Maps, kernel: Float[Array, "channels k k"], basis: np.ndarray, axis: int) -> Maps:
    """Each channel's lowest waves along one axis, times its matrix."""
    waves = jnp.moveaxis(jnp.tensordot(v, basis, ([axis], [0])), -1, 1).reshape(len(v), basis.shape[1], -1)
    mixed = (kernel @ waves).reshape(len(v), basis.shape[1], *np.delete(v.shape[1:], axis - 1))
    return jnp.moveaxis(jnp.tensordot(mixed, basis, ([1], [1])), -1, axis)


def slope(v: Maps, axis: int, periodic: bool) -> Maps:
    """Half the difference of the two neighbours, at ends of the value itself and its neighbour."""
    if periodic:
        return 0.5 * (jnp.roll(v, -1, axis) - jnp.roll(v, 1, axis))
    edges = jnp.pad(v, [(1, 1) if i == axis else (0, 0) for i in range(v.ndim)], mode="edge")
    n = v.shape[axis]
    return 0.5 * (jax.lax.slice_in_dim(edges, 2, n + 2, axis=axis) - jax.lax.slice_in_dim(edges, 0, n, axis=axis))


class Operator(eqx.Module):
    """From maps of a design to fields, and to scalars as means of fields over the map."""

    lift: Float[Array, "channels maps"]
    layers: tuple[Layer, ...]
    project: Float[Array, "outputs features"]
    bias: Float[Array, " outputs"]
    view: Callable[..., Maps] = eqx.field(static=True)
    space: Space = eqx.field(static=True)
    shapes: Shapes = eqx.field(static=True)
    periodic: tuple[bool, ...] = eqx.field(static=True)
    modes: int = eqx.field(static=True)

    def __call__(self, u: Float[Array, " d"]) -> dict[str, Float[Array, "..."]]:
        maps = with_places(self.view(**self.space.design(u)).astype(self.lift.dtype), self.periodic)
        bases = tuple(waves_of(n, self.modes, p) for n, p in zip(maps.shape[1:], self.periodic, strict=True))
        v = jnp.tensordot(self.lift, maps, 1)
        for layer in self.layers:
            v = layer(v, bases, self.periodic)
        # Products of two channels, since what is sought is made of products: of a slope and a thickness, say.
        half = len(v) // 2
        v = jnp.concatenate([v, v[:half] * v[half : 2 * half], maps])
        fields = jnp.tensordot(self.project, v, 1) + self.bias.reshape(-1, *[1] * (v.ndim - 1))
        return {n: f if shape else jnp.mean(f) for (n, shape), f in zip(self.shapes.items(), fields, strict=True)}


def operator(
    view: Callable[..., Any], width: int = 16, depth: int = 3, modes: int = 6, periodic: tuple[bool, ...] = (False,)
) -> Callable[[Space, Shapes, PRNGKeyArray], Operator]:
    """An `Operator` for free forms on one axis or two.

    view      `view(**design)` gives maps of the design, (maps, nx) or (maps, nx, ny), about as large as 1: what the
              law is made of, such as the film and its inverse. Places are added by themselves.
    width     channels.     depth  layers.     modes  waves along each axis, the mean included.
    periodic  for each axis: waves and neighbours that wrap around, else cosines and edges.
    """

    def built(space: Space, shapes: Shapes, key: PRNGKeyArray) -> Operator:
        looked = jax.eval_shape(lambda u: view(**space.design(u)), jnp.zeros(space.size))
        if looked.ndim != len(periodic) + 1 or len(periodic) not in (1, 2):
            raise BadInput(
                f"operator: the view has the shape {looked.shape}, expected maps on {len(periodic)} axes: (maps, nx),"
                f" or (maps, nx, ny) with periodic=(..., ...)."
            )
        grid = looked.shape[1:]
        for name, shape in shapes.items():
            if shape not in ((), grid):
                raise BadInput(f"operator: output '{name}' has the shape {shape}; scalars and fields of {grid} fit.")
        maps = looked.shape[0] + sum(2 if p else 1 for p in periodic)
        keys = iter(jax.random.split(key, 2 + 4 * depth))
        normal = lambda *shape, of: jax.random.normal(next(keys), shape, jnp.float32) / np.sqrt(of)
        layers = []
        for _ in range(depth):
            inputs = width * (2 + len(grid))
            kernels = tuple(normal(width, modes, modes, of=modes) for _ in grid)
            layers.append(Layer(0.5 * normal(width, inputs, of=inputs), jnp.zeros(width, jnp.float32), kernels))
        features = width + width // 2 + maps
        project = 0.3 * normal(len(shapes), features, of=features)
        lift = normal(width, maps, of=maps)
        bias = jnp.zeros(len(shapes), jnp.float32)
        return Operator(lift, tuple(layers), project, bias, view, space, shapes, periodic, modes)

    return built


def with_places(maps: Maps, periodic: tuple[bool, ...]) -> Maps:
    """The maps, and where on them a place lies: from -1 to 1, or as an angle on a periodic axis."""
    found = [maps]
    for axis, (n, wraps) in enumerate(zip(maps.shape[1:], periodic, strict=True), start=1):
        s = (np.arange(n) + 0.5) / n
        lines = [np.cos(2 * np.pi * s), np.sin(2 * np.pi * s)] if wraps else [2 * s - 1]
        shape = [n if i == axis else 1 for i in range(1, maps.ndim)]
        found += [jnp.broadcast_to(jnp.asarray(x, maps.dtype).reshape(shape), maps.shape[1:])[None] for x in lines]
    return jnp.concatenate(found)


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
