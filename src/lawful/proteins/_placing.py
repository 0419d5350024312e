"""A rigid body that finds its place against another: six degrees of freedom as a process that physics can steer."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..fields.equivariant import Frames, rotation_exp, rotation_log, uniform_rotations
from ..guidance import Constant, Energy, Term
from ._against import MAIN, NOTHING, Overlap, Touching
from ._backbone import Backbone
from ._ideal import ideal_cb
from ._receptor import TOUCH, Spheres, Surroundings


def spheres_of(backbone: Backbone, room: int | None = None) -> Spheres:
    """N, CA, C, O and the ideal CB of each residue, about their middle; glycine's CB too: any letter may come.

    room   of residues, the further ones without size: bodies of one room share compiled code.
    """
    atoms = atoms_of(backbone)
    count = len(atoms)
    room = count if room is None else room
    filled = np.zeros((room, 5, 3))
    filled[:count] = atoms - atoms.mean(axis=(0, 1))
    radii = np.where(np.arange(room)[:, None] < count, MAIN, NOTHING)
    return Spheres(filled.reshape(-1, 3), radii.reshape(-1), np.repeat(np.arange(room), 5))


def atoms_of(backbone: Backbone) -> Float[np.ndarray, "L 5 3"]:
    """N, CA, C, O and the ideal CB where they are."""
    xyz = np.asarray(backbone.xyz, dtype=float)
    return np.concatenate([xyz, np.asarray(ideal_cb(xyz))[:, None]], axis=1)


class Placing(eqx.Module):
    """Random turns and shifts that become smaller, from first touch on one side to rest: a `guidance.Process`.

        pose' = pose moved by spread(k) xi,   spread from `first` to `last` in equal factors

    With `Pull(Constant(0.5))` and an energy counted in full it is Langevin's walk under that energy, annealed; what its
    answer says is the pose itself.

    body, around  what is placed, and the receptor's fields.
    middle, out   where to look, and a unit vector away from the receptor there.
    lever         by which turns are shifts: the body's radius of gyration, angstrom.
    steps         60 to 200.
    first, last   standard deviation of a step, angstrom; the last step is still.
    """

    body: Spheres
    around: Surroundings
    middle: Float[Array, "3"]
    out: Float[Array, "3"]
    lever: float | Float[Array, ""]
    steps: int = eqx.field(static=True, default=100)
    first: float = 1.0
    last: float = 0.1

    def share(self, k: Int[Array, ""]) -> Float[Array, ""]:
        return k / self.steps

    def start(self, key: Array) -> Frames:
        """Turned at random, and brought in from outside until it touches."""
        a, b = jax.random.split(key)
        aside = self.middle + ASIDE * jax.random.normal(a, (3,))
        rotation = uniform_rotations(b, ())
        away = jnp.arange(FARTHEST, -10.0, -0.5)
        at = lambda far: Frames(rotation, aside + far * self.out)
        free = jax.vmap(lambda far: jnp.max(self.around.depth(self.body.at(at(far))) + self.body.radii) <= 0)(away)
        # The last of those from which nothing was in the way on the whole way in.
        clear = jnp.cumprod(free.astype(int))
        return at(away[jnp.maximum(jnp.sum(clear) - 1, 0)])

    def answer(self, design, k, before):
        return design

    def mean(self, design, answer, k):
        return answer

    def spread(self, k):
        size = self.first * (self.last / self.first) ** self.share(k)
        return jnp.where(k < self.steps - 1, size, 0.0)

    def variance(self, k):
        return (self.first * (self.last / self.first) ** self.share(k)) ** 2

    def gain(self, k):
        return self.variance(k)

    def moved(self, design: Frames, by: tuple[Float[Array, "3"], Float[Array, "3"]]) -> Frames:
        turned, shifted = by
        return Frames(rotation_exp(turned / self.lever) @ design.rotation, design.origin + shifted)

    def apart(self, one: Frames, other: Frames):
        return self.lever * rotation_log(other.rotation @ one.rotation.T), other.origin - one.origin

    def still(self, design: Frames):
        return jnp.zeros(3), jnp.zeros(3)


FARTHEST, ASIDE = 40.0, 4.0
"""Where the way in begins, and the standard deviation of how far it passes the middle by, angstrom."""


def pose_energy(body: Spheres, around: Surroundings) -> Energy:
    """`Overlap`, kT = 0.05 A^2, from the first step on, and `Touching`, a contact worth one kT in the end."""
    return Energy(
        overlap=Term(Overlap(body, around), "A^2", kT=0.05, schedule=Constant()),
        contacts=Term(Touching(body, around), "contacts"),
    )


class Fit(eqx.Module):
    """How a body lies against a receptor, by all pairs of atoms. overlap: the largest, angstrom; contacts: pairs of
    residues with atoms within 5 A."""

    overlap: float
    contacts: int


def fit(atoms: Float[np.ndarray, "atoms 3"], body: Spheres, receptor: Spheres) -> Fit:
    """In double precision from the atoms themselves, apart from the fields that steered."""
    from scipy.spatial import KDTree

    real = body.radii > 0
    atoms, body = np.asarray(atoms, dtype=float)[real], Spheres(body.xyz[real], body.radii[real], body.residue[real])
    tree = KDTree(receptor.xyz)
    found = tree.query_ball_point(atoms, TOUCH)
    mine = np.repeat(np.arange(len(atoms)), [len(each) for each in found])
    if not len(mine):
        gap, which = tree.query(atoms)
        return Fit(float(np.max(body.radii + receptor.radii[which] - gap)), 0)
    other = np.concatenate([np.asarray(each, dtype=int) for each in found])
    distance = np.linalg.norm(atoms[mine] - receptor.xyz[other], axis=1)
    overlap = np.max(body.radii[mine] + receptor.radii[other] - distance)
    pairs = np.unique(np.stack([body.residue[mine], receptor.residue[other]]), axis=1)
    return Fit(float(overlap), pairs.shape[1])
