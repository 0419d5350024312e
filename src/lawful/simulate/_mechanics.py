"""Bodies with contacts as a system of the march: guards are gaps, pushes and slidings; events are impacts and changes.

Free contacts are watched for their gap. A resting contact holds its gap at zero by a push along the normal, found with
the accelerations; it is watched for the push, and lets go where that reaches zero. With friction in the plane a resting
contact slides, with a push against the sliding, or sticks, with as much tangential push as it takes; it changes where
the sliding speed, or what is left to Coulomb's bound, reaches zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, Int

from ._contact import Contact
from ._impact import Touch, part_ways, slow
from ._motion import State, inverse_masses
from ._resting import held
from ._system import Reaction

FREE, SLIDING, STICKING = range(3)
IMPACT, REST, RELEASE, STICK, SLIP = range(5)
KINDS = ("impact", "rest", "release", "stick", "slip")


class Mode(NamedTuple):
    """Which contacts are closed, and how."""

    status: Int[Array, " gaps"]
    side: Float[Array, " gaps"]  # the direction of sliding along the tangent, 1 or -1
    face: Int[Array, " gaps"]  # the piece of the gap that is closed
    size: Float[Array, ""]  # the largest position or bounce so far, to which "close" and "low" refer


class Mechanics:
    """A motion of second order with contacts, as the march sees it. `tolerance` is relative to the largest position."""

    def __init__(self, joined: Callable, given: Any, start: tuple, tolerance: float):
        """`joined(parameters)` returns motion, contacts and args; `given` is what it returned at first."""
        q, _ = start
        self.joined, self.tolerance = joined, tolerance
        self.structure = jax.tree.structure(q)
        self.leaves = self.structure.num_leaves
        self.unravel = ravel_pytree(jax.tree.map(lambda x: jnp.asarray(x, float), q))[1]
        at = jnp.zeros(())
        shapes = [jax.eval_shape(contact.gaps, at, q, given.args).shape for contact in given.contacts]
        self.counts = [count for count, _ in shapes]
        self.gap_count = sum(self.counts)
        self.piece_count = max((pieces for _, pieces in shapes), default=1)
        owners = [contact for contact, count in zip(given.contacts, self.counts, strict=True) for _ in range(count)]
        self.resting = np.flatnonzero([contact.rests for contact in owners])
        self.frictional = np.flatnonzero([contact.rests and contact.frictional for contact in owners])

    # --- what the march asks ---

    @property
    def guards(self) -> tuple[int, int]:
        return self.gap_count + len(self.resting) + 3 * len(self.frictional), self.piece_count

    def flow(self, t, y, data, parameters):
        motion, contacts, _, args = self.joined(parameters)
        q, v = self.split(y)
        a = motion.acceleration(t, q, v, args)
        if not self.gap_count:
            return [*jax.tree.leaves(v), *jax.tree.leaves(a)], jnp.zeros((0, 1))
        gaps = self.gaps(contacts, t, q, args)
        if not len(self.resting):
            return [*jax.tree.leaves(v), *jax.tree.leaves(a)], gaps
        a, others = held(self, motion, contacts, args, t, q, v, a, data)
        wide = jnp.broadcast_to(others[:, None], (others.shape[0], self.piece_count))
        return [*jax.tree.leaves(v), *jax.tree.leaves(a)], jnp.concatenate([gaps, wide])

    def data(self, mode: Mode) -> list[Array]:
        if not len(self.resting):
            return []
        faces = (mode.face[:, None] == jnp.arange(self.piece_count)).astype(float)
        return [
            (mode.status != FREE).astype(float)[self.resting],
            (mode.status == STICKING).astype(float)[self.frictional],
            mode.side[self.frictional],
            faces[self.resting],
        ]

    def watched(self, mode: Mode) -> Bool[Array, " guards"]:
        status = mode.status[self.frictional]
        sticks = status == STICKING
        return jnp.concatenate(
            [mode.status == FREE, (mode.status != FREE)[self.resting], status == SLIDING, sticks, sticks]
        )

    def slack(self, mode: Mode) -> Float[Array, " guards"]:
        rest = jnp.zeros(self.guards[0] - self.gap_count)
        return jnp.concatenate([jnp.full(self.gap_count, self.tolerance * mode.size), rest])

    def react(self, t, y, mode: Mode, which, parameters) -> Reaction:
        gaps, pushes, count = self.gap_count, len(self.resting), len(self.frictional)
        if not gaps:
            return Reaction(y, mode, jnp.zeros(0, int), jnp.asarray(IMPACT), jnp.zeros((), bool), jnp.ones((), bool))
        hit, released = which[:gaps], which[gaps : gaps + pushes]
        stopped, forward, backward = jnp.split(which[gaps + pushes :], 3)
        status, side, lifted = mode.status, mode.side, jnp.zeros(self.guards[0], int)
        if pushes:
            status = put(status, self.resting, released, FREE)
            lifted = put(lifted, self.resting, released, 3)
        if count:
            status = put(status, self.frictional, stopped, STICKING)
            status = put(status, self.frictional, forward | backward, SLIDING)
            side = put(put(side, self.frictional, forward, -1.0), self.frictional, backward, 1.0)
            lifted = put(lifted, gaps + pushes + np.arange(count), forward | backward, 2)
        struck = jnp.any(hit)
        after, parted, fresh, settled, kind = self.parting(
            t, y, mode._replace(status=status, side=side), hit, parameters
        )
        y = [jnp.where(struck, new, old) for new, old in zip(after, y, strict=True)]
        new = jax.tree.map(lambda a, b: jnp.where(struck, a, b), parted, mode._replace(status=status, side=side))
        fresh = jnp.maximum(jnp.where(struck, fresh, 0), lifted)
        change = jnp.where(jnp.any(released), RELEASE, jnp.where(jnp.any(stopped), STICK, SLIP))
        sound = settled | ~struck
        return Reaction(y, new, fresh, jnp.where(struck, kind, change), jnp.zeros((), bool), sound)

    # --- how it does it ---

    def start(self, t, y, parameters) -> tuple[list[Array], Mode, Int[Array, " guards"], Bool[Array, ""]]:
        """The first mode: contacts that are closed and pressed together rest, others that are closed are leaving."""
        zeros = jnp.zeros(self.gap_count, int)
        mode = Mode(zeros, jnp.ones(self.gap_count), zeros, jnp.zeros(()))
        if not self.gap_count:
            return y, mode, jnp.zeros(0, int), jnp.ones((), bool)
        _, contacts, _, args = self.joined(parameters)
        q = self.split(y).q
        gaps = jnp.max(self.gaps(contacts, t, q, args), 1)
        size = jnp.maximum(jnp.max(jnp.abs(ravel_pytree(q)[0]), initial=0.0), jnp.max(jnp.abs(gaps)))
        mode = mode._replace(size=size)
        outside = jnp.all(gaps >= -self.tolerance * size)
        y, mode, fresh, settled, _ = self.parting(t, y, mode, jnp.zeros(self.gap_count, bool), parameters)
        return y, mode, fresh, settled & outside

    def split(self, y: list[Array]) -> State:
        return State(
            jax.tree.unflatten(self.structure, y[: self.leaves]),
            jax.tree.unflatten(self.structure, y[self.leaves :]),
        )

    def gaps(self, contacts, t, q, args) -> Float[Array, "gaps pieces"]:
        """Every contact's gaps, those with few pieces filled up by repeating the first."""
        rows = []
        for contact in contacts:
            found = contact.gaps(t, q, args)
            missing = self.piece_count - found.shape[1]
            rows.append(jnp.concatenate([found, *[found[:, :1]] * missing], axis=1) if missing else found)
        return jnp.concatenate(rows)

    def parting(self, t, y, mode: Mode, hit, parameters):
        """Impacts among what touches, and who rests afterwards."""
        _, contacts, _, args = self.joined(parameters)
        q, v = self.split(y)
        x, speed = ravel_pytree(q)[0], ravel_pytree(v)[0]
        face = jnp.argmax(self.gaps(contacts, t, q, args), 1)
        closed = mode.status != FREE
        near = self.tolerance * jnp.maximum(mode.size, jnp.max(jnp.abs(x), initial=0.0))
        touching = hit | closed | (self.closest(contacts, args, face)(t, x) <= near)
        touch, norms = self.touch(t, q, face, parameters)
        after, settled = part_ways(touch, speed, touching)
        status, bend = mode.status, jnp.ones(self.gap_count)
        if len(self.resting):
            settle = self.each(contacts, "settle", 10 * near)
            after, status, bend, height = self.at_rest(
                t, q, after, mode._replace(face=face), touching, touch, norms, settle, parameters
            )
            mode = mode._replace(size=jnp.maximum(mode.size, height))
        rate = touch.rates(after)
        lifting = (jnp.abs(rate) <= slow(after)) & (bend > 0)
        fresh = jnp.where(touching & (status == FREE), jnp.where(lifting, 2, 1), 0)
        fresh = jnp.concatenate([fresh, jnp.zeros(self.guards[0] - self.gap_count, int)])
        side = mode.side
        if len(self.frictional):
            side = jnp.where(touching & ~closed, jnp.where(touch.slips(after) < 0, -1.0, 1.0), side)
        kind = jnp.where(jnp.any((status != FREE) & ~closed), REST, IMPACT)
        new = [*jax.tree.leaves(q), *jax.tree.leaves(self.unravel(after))]
        return new, Mode(status, side, jnp.where(touching, face, mode.face), mode.size), fresh, settled, kind

    def at_rest(self, t, q, v, mode: Mode, touching, touch: Touch, norms, settle, parameters):
        """Which of the touching contacts rest: those that are pressed together and whose bounce would be too low."""
        may, gripping = np.zeros(self.gap_count, bool), np.zeros(self.gap_count, bool)
        may[self.resting], gripping[self.frictional] = True, True
        rate, stays = touch.rates(v), touch.rates(v) <= slow(v)
        leaves = [*jax.tree.leaves(q), *jax.tree.leaves(self.unravel(v))]
        bend = self.bends(t, leaves, mode._replace(status=jnp.where(stays, mode.status, FREE)), parameters) / norms
        low = stays | (rate**2 <= -2 * bend * settle)
        pressed = may & touching & (bend < 0)
        height = jnp.max(jnp.where(pressed, rate**2 / jnp.where(bend < 0, -2 * bend, 1.0), 0.0))
        rests = (pressed & low) | ((mode.status != FREE) & stays)
        stopped, _ = part_ways(touch.soft, v, rests, both_ways=True)
        status = jnp.where(rests, jnp.where(mode.status == FREE, SLIDING, mode.status), FREE)
        if len(self.frictional):
            still = jnp.abs(touch.slips(stopped)) <= slow(v)
            status = jnp.where((status == SLIDING) & still & gripping, STICKING, status)
        return stopped, status, bend, height

    def bends(self, t, y, mode: Mode, parameters) -> Float[Array, " gaps"]:
        """The second derivative of every gap along the motion in a mode."""
        _, contacts, _, args = self.joined(parameters)
        rates, _ = self.flow(t, y, self.data(mode), parameters)
        flat = lambda leaves: ravel_pytree(jax.tree.unflatten(self.structure, leaves))[0]
        q, v, a = flat(y[: self.leaves]), flat(y[self.leaves :]), flat(rates[self.leaves :])
        of, one = self.closest(contacts, args, mode.face), jnp.ones_like(t)
        rate = lambda t, q, v: jax.jvp(of, (t, q), (one, v))[1]
        return jax.jvp(rate, (t, q, v), (one, v, a))[1]

    def closest(self, contacts, args, face):
        """The closed piece of every gap, as a function of time and the flat position."""
        return lambda t, x: jnp.take_along_axis(self.gaps(contacts, t, self.unravel(x), args), face[:, None], 1)[:, 0]

    def touch(self, t, q, face, parameters) -> tuple[Touch, Float[Array, " gaps"]]:
        """What an impact asks for, and the slopes of the gaps in space, by which they are made distances."""
        motion, contacts, _, args = self.joined(parameters)
        x = ravel_pytree(q)[0]
        of = self.closest(contacts, args, face)
        normals = jax.jacfwd(of, 1)(t, x)
        yielding = jax.jvp(lambda s: of(s, x), (t,), (jnp.ones_like(t),))[1]
        inverse = inverse_masses(motion.mass, q)
        restitution, friction = self.each(contacts, "restitution"), self.each(contacts, "friction")
        if not any(contact.frictional for contact in contacts):
            return Touch(normals, yielding, None, None, inverse, restitution, friction), jnp.ones(self.gap_count)
        dim = next(contact.points(q).shape[1] for contact in contacts if contact.frictional)
        parts, start = [], 0
        for contact, count in zip(contacts, self.counts, strict=True):
            parts.append(self.surface(contact, t, x, face[start : start + count], count, dim))
            start += count
        norms, sliding, tangents = (jnp.concatenate(part) for part in zip(*parts, strict=True))
        touch = Touch(
            normals / norms[:, None], yielding / norms, sliding, tangents, inverse, restitution, friction
        )  # fmt: skip
        return touch, norms

    def surface(self, contact: Contact, t, x, face, count: int, dim: int):
        """Of each gap of a contact: its slope in space, the sliding velocity as a matrix on v, a tangent."""
        if not contact.frictional:
            return jnp.ones(count), jnp.zeros((count, dim, x.size)), jnp.zeros((count, dim))
        at = lambda x: jnp.asarray(contact.points(self.unravel(x)))
        points = at(x)
        each = count // points.shape[0]
        slopes = jax.jacfwd(lambda p: contact.at(t, p))(points)  # gaps, pieces, points, dim
        own = slopes[jnp.arange(count), face, jnp.arange(count) // each]
        norms = jnp.sqrt(jnp.sum(own * own, -1))
        normal = own / norms[:, None]
        moves = jnp.repeat(jax.jacfwd(at)(x), each, axis=0)
        across = jnp.einsum("gd,gdn->gn", normal, moves)
        tangent = jnp.stack([normal[:, 1], -normal[:, 0]], 1) if dim == 2 else jnp.zeros_like(normal)
        return norms, moves - normal[:, :, None] * across[:, None, :], tangent

    def slips(self, contacts, t, x, v, faces) -> tuple[Float[Array, " frictional"], Float[Array, " frictional"]]:
        """Of every resting contact with friction the speed along the tangent, and the slope of its gap in space; in
        operations that have series."""
        speeds, norms, start = [], [], 0
        chosen = dict(zip(self.resting.tolist(), range(len(self.resting)), strict=True))
        for contact, count in zip(contacts, self.counts, strict=True):
            if contact.rests and contact.frictional:
                at = lambda x, contact=contact: contact.points(self.unravel(x))
                points, moves = jax.jvp(at, (x,), (v,))
                each = count // points.shape[0]
                for i in range(count):
                    face = faces[chosen[start + i]]
                    of = lambda p, contact=contact, i=i, each=each: contact.at(t, p[None])[i % each]
                    pieces = jax.jacfwd(of)(points[i // each])
                    normal = face[: pieces.shape[0]] @ pieces
                    move, norm = moves[i // each], jnp.sqrt(jnp.sum(normal * normal))
                    speeds.append((normal[1] * move[0] - normal[0] * move[1]) / norm)
                    norms.append(norm)
            start += count
        return jnp.stack(speeds), jnp.stack(norms)

    def each(self, contacts, name: str, default=None) -> Float[Array, " gaps"]:
        """A number of each contact, for each of its gaps."""
        rows = []
        for contact, count in zip(contacts, self.counts, strict=True):
            value = getattr(contact, name)
            value = jnp.asarray(default if value is None else value, float)
            rows.append(jnp.repeat(jnp.broadcast_to(value, (max(value.size, 1),)), count // max(value.size, 1)))
        return jnp.concatenate(rows)


def put(values, places: np.ndarray, where, value):
    """`values` with `value` at those of some places where `where` holds."""
    chosen = jnp.any((jnp.arange(values.shape[0])[:, None] == places[None, :]) & where[None, :], 1)
    return jnp.where(chosen, jnp.asarray(value, values.dtype), values)
