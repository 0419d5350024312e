"""Dispersion with coefficients that follow the bonds, against the program of its authors."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
import lawful.atoms as at
from lawful._core.precision import in_float64

METHANOL = (
    [6, 8, 1, 1, 1, 1],
    [
        [-0.0466, 0.6600, 0.0], [-0.0466, -0.7582, 0.0], [-1.0869, 0.9756, 0.0],
        [0.4379, 1.0716, 0.8890], [0.4379, 1.0716, -0.8890], [0.8785, -1.0575, 0.0],
    ],
)  # fmt: skip
SILANE = (
    [16, 8, 8, 14, 1, 1, 1, 1],
    [
        [0, 0, 0.37], [0, 1.24, -0.36], [0, -1.24, -0.36], [0, 0, 4.2],
        [0.86, 0.86, 5.06], [-0.86, -0.86, 5.06], [0.86, -0.86, 3.34], [-0.86, 0.86, 3.34],
    ],
)  # fmt: skip


def energy_and_slope(numbers, places):
    structure = at.Structure(places, numbers)
    term, pairs = at.CoordinationDispersion.of(structure.numbers), at.all_pairs(structure)
    return jax.jit(jax.value_and_grad(lambda r: term(r, None, pairs)))(jnp.asarray(structure.positions))


@in_float64
@pytest.mark.parametrize(
    ("molecule", "energy", "atom", "slope"),
    [
        # s-dftd3 1.7.0, PBE0-D3(BJ) without three-body terms, in hartree and hartree per bohr
        (METHANOL, -0.0015044267130396923, 0, [-1.08014751e-06, 5.05815874e-06, 0.0]),
        (SILANE, -0.00422051822153003, 0, [0.0, 0.0, -3.93805365e-04]),
    ],
)
def test_as_the_authors_program(molecule, energy, atom, slope):
    value, down = energy_and_slope(*molecule)
    assert float(value) == pytest.approx(energy * at.HARTREE, rel=1e-7)
    np.testing.assert_allclose(down[atom], np.array(slope) * at.HARTREE / at.BOHR, atol=1e-9)


@in_float64
def test_slopes_and_molecules_apart():
    """The number of neighbours stops at 12 A: what is 40 A away has no part in it, and the limit is exact."""
    numbers, places = SILANE
    rng, (_, down) = np.random.default_rng(0), energy_and_slope(numbers, places)
    move = rng.normal(size=(8, 3))
    ends = [float(energy_and_slope(numbers, np.array(places) + s * move)[0]) for s in (-1e-4, 1e-4)]
    assert float(np.sum(down * move)) == pytest.approx((ends[1] - ends[0]) / 2e-4, rel=1e-6)
    first, second = METHANOL, SILANE
    both = first[0] + second[0]
    term = at.CoordinationDispersion.of(np.array(both))
    apart = lambda r: np.concatenate([np.array(first[1]), np.array(second[1]) + np.array([0.0, 0.0, r])])
    structure = at.Structure(apart(40.0), both)
    pairs = at.all_pairs(structure)
    counts = jax.jit(lambda r: term.coordination(r, None, pairs))
    np.testing.assert_allclose(counts(apart(40.0)), counts(apart(1000.0)), rtol=1e-12)  # rounding of places
    alone = float(energy_and_slope(*first)[0]) + float(energy_and_slope(*second)[0])
    i, j = np.array(pairs.i), np.array(pairs.j)
    c6, _ = term.coefficients(counts(apart(40.0)), i, j)
    across = float(jnp.sum(c6[(i < 6) & (j >= 6)]))
    left = float(term(jnp.asarray(apart(1000.0)), None, pairs)) - alone
    assert left == pytest.approx(-across / 1000.0**6, abs=1e-13)
    assert -left < 1e-12


@in_float64
def test_in_a_cell_padding_is_not_felt():
    cell = np.diag([15.0, 15.0, 15.0])
    structure = at.Structure(np.array(SILANE[1]) + 5.0, SILANE[0], cell)
    term, pairs = at.CoordinationDispersion.of(structure.numbers), at.near_pairs(structure, 12.0)
    sums = jax.jit(lambda r, pairs: term(r, cell, pairs))
    place = jnp.asarray(structure.positions)
    assert float(sums(place, pairs)) == pytest.approx(
        float(sums(place, pairs.padded(pairs.count + 9, cell))), rel=1e-14
    )
    free = float(energy_and_slope(*SILANE)[0])
    assert float(sums(place, pairs)) == pytest.approx(free, rel=0.02)
    light = jax.tree.map(lambda x: jnp.asarray(x, jnp.float32) if eqx.is_inexact_array(x) else x, term)
    assert float(light(place.astype(jnp.float32), jnp.asarray(cell, jnp.float32), pairs)) == pytest.approx(
        float(sums(place, pairs)), rel=1e-5
    )
    with pytest.raises(lf.BadInput, match="atomic numbers 95"):
        at.CoordinationDispersion.of(np.array([95]))
