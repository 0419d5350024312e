"""The distances to many pieces at once: straight ones as arrays, so that a polygon of many sides compiles like one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._rfunctions import trimmed
from ._segment import Segment, segment_reach
from ._surface import Surface

Scalar = Float[Array, ""]
Distance = Callable[..., Scalar]


def stacked(pieces: Sequence[Surface | Distance]) -> Callable[..., Float[Array, " k"]]:
    """A function of the named axes that returns the distance to each piece, in their order."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for i, piece in enumerate(pieces):
        if isinstance(piece, Surface) and isinstance(piece.carrier, Segment):
            groups.setdefault(piece.carrier.axes, []).append(i)
    straight = [sides([pieces[i] for i in group]) for group in groups.values()]  # pyright: ignore[reportArgumentType]
    taken = [i for group in groups.values() for i in group]
    rest = [i for i in range(len(pieces)) if i not in set(taken)]
    single = [piece.distance if isinstance(piece, Surface) else piece for piece in (pieces[i] for i in rest)]
    order = np.argsort([*taken, *rest])

    def distances(**point: Scalar) -> Float[Array, " k"]:
        found = [group(**point) for group in straight]
        if single:
            found.append(jnp.stack([each(**point) for each in single]))
        every = jnp.concatenate(found) if len(found) > 1 else found[0]
        return every if np.array_equal(order, np.arange(len(order))) else every[order]

    return distances


def sides(pieces: Sequence[Surface]) -> Callable[..., Float[Array, " k"]]:
    """The distances to straight pieces over the same axes; see `Segment`."""
    segments = [piece.carrier for piece in pieces]
    assert all(isinstance(segment, Segment) for segment in segments)
    axes = segments[0].axes
    ends = np.array([(*segment.start, *segment.stop) for segment in segments])  # pyright: ignore[reportAttributeAccessIssue]
    sign = np.array([-1.0 if piece.turned else 1.0 for piece in pieces])
    length = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1])
    along, up = (sign / length * (ends[:, 2 + i] - ends[:, i]) for i in (0, 1))

    def distances(**point: Scalar) -> Float[Array, " k"]:
        x, y = (jnp.asarray(point[axis], dtype=jnp.result_type(point[axis], float)) for axis in axes)
        a, b, c, d, size, cosine, sine = (jnp.asarray(v, dtype=x.dtype) for v in (*ends.T, length, along, up))
        return trimmed(cosine * (y - b) - sine * (x - a), segment_reach(x, y, (a, b), (c, d), size), size)

    return distances
