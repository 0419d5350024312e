"""Neighbours found inside compiled code, against those found on the host."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
import lawful.atoms as at
from lawful._core.precision import in_float64

CUTOFF = 4.0


def gas(count, cell, seed, spread=20.0):
    """Atoms anywhere, some of them outside of the cell."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(-0.7, 1.6, (count, 3))
    return at.Structure(places @ cell if cell is not None else places * spread, np.full(count, 18), cell)


def listed(table):
    """(i, j, whole cells) of all that is listed."""
    shift = np.zeros((*table.j.shape, 3)) if table.shift is None else np.asarray(table.shift)
    i, k = np.nonzero(np.asarray(table.real))
    rows = [(int(a), int(b), *map(int, s)) for a, b, s in zip(i, np.asarray(table.j)[i, k], shift[i, k], strict=True)]
    assert len(rows) == len(set(rows))
    return set(rows)


@pytest.mark.parametrize(("seed", "tilt"), [(0, 0.0), (1, 0.4), (2, -0.3), (3, None)])
@in_float64
def test_the_same_neighbours_as_on_the_host(seed, tilt):
    """In cells, straight and skewed, and for a cluster."""
    cell = None if tilt is None else np.array([[14.0, 0.0, 0.0], [14.0 * tilt, 16.0, 0.0], [2.0, -9.0 * tilt, 15.0]])
    structure = gas(60, cell, seed)
    find = at.CellList.of(structure, CUTOFF)
    assert min(find.boxes) >= 3
    assert listed(find(structure.positions, cell)) == listed(at.Neighbours.of(structure, CUTOFF))


@in_float64
def test_atoms_and_cell_move_in_compiled_code():
    cell = np.diag([15.0, 17.0, 19.0])
    structure, rng = gas(200, cell, 1), np.random.default_rng(2)
    find = at.CellList.of(structure, CUTOFF, skin=0.5, spare=2.0)
    moved = structure.positions + rng.normal(size=(4, 200, 3))
    cells = cell * np.array([1.0, 1.02, 1.05, 1.1])[:, None, None]
    found = jax.jit(jax.vmap(find))(moved, cells)
    assert (found.margin, found.j.shape) == (0.25, (4, 200, find.room))
    for k in range(4):
        one = jax.tree.map(lambda x, k=k: np.asarray(x[k]), found)
        there = at.Structure(moved[k], structure.numbers, cells[k])
        assert listed(one) == listed(at.Neighbours.of(there, CUTOFF, skin=0.5))
    apart = at.Structure(np.array([[0.0, 0.0, 0.0], [3.0, 0.0, 0.0]]), [18, 18])
    beyond = at.CellList.of(apart, CUTOFF)(apart.positions + np.array([[0.0, 0.0, 0.0], [500.0, 0.0, 0.0]]))
    assert not np.any(beyond.real)  # far outside of the boxes that were laid out


@in_float64
def test_a_network_says_the_same_from_either_list():
    structure = gas(60, np.diag([13.0, 13.0, 13.0]), 3)
    network = at.ShortRangeNetwork((18,), jax.random.key(0), CUTOFF, channels=2, layers=1)
    species, find = network.species(structure.numbers), at.CellList.of(structure, CUTOFF)

    @jax.jit
    def energy(positions, neighbours):
        return jnp.sum(network(positions, species, neighbours, structure.cell)[0])

    slope = jax.jit(jax.grad(lambda r: energy(r, find(r, structure.cell))))
    host = at.Neighbours.of(structure, CUTOFF)
    place = jnp.asarray(structure.positions)
    np.testing.assert_allclose(slope(place), jax.grad(energy)(place, host), atol=1e-12)


def test_what_does_not_fit_is_said():
    cell = np.diag([14.0, 14.0, 14.0])
    structure = gas(100, cell, 4)
    boxes = at.CellList.of(structure, CUTOFF).boxes
    together = np.zeros((100, 3)) + 1e-3 * np.arange(100)[:, None]
    made = lambda most, room: at.CellList(CUTOFF, boxes, most, room, 0.0, None, None)
    for find, positions, box, words in (
        (made(50, 100), together, cell, "more than 50 atoms are in one box"),
        (made(100, 1), structure.positions, cell, "more than 1 neighbours"),
        (made(100, 100), structure.positions, 0.8 * cell, "shrunk"),
    ):
        with pytest.raises(eqx.EquinoxRuntimeError, match=words):
            jax.block_until_ready(find(positions, box).j)
    for call, words in (
        (lambda: at.CellList.of(gas(10, np.diag([11.0, 14.0, 14.0]), 0), CUTOFF), "2 x 3 x 3 boxes"),
        (lambda: at.CellList.of(structure, -1.0), "cutoff=-1"),
    ):
        with pytest.raises(lf.BadInput, match=words):
            call()
