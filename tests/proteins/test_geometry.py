"""Torsions, superposition, TM-score, hydrogen bonds, Ramachandran, clashes: closed forms, references, derivatives."""

import functools
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lawful import check_gradient
from lawful import proteins as pr
from lawful.proteins._ideal import C_O, CA_C, N_CA

pytestmark = pytest.mark.usefixtures("float64")
REFERENCE = Path(__file__).with_name("peers.json")  # printed by benchmarks/proteins.py
HELIX, STRAND = np.deg2rad([-60.0, -45.0]), np.deg2rad([-120.0, 130.0])


rebuild = jax.jit(pr.rebuild)
internal = jax.jit(pr.internal)
rmsd = jax.jit(pr.rmsd)
tm_score = jax.jit(pr.tm_score)
ramachandran = jax.jit(pr.ramachandran)


@jax.jit
def grown(phi, psi):
    return pr.rebuild(pr.ideal_internal(phi, psi))


def made(phi, psi):
    """Of the longest length, compiled once."""
    pad = lambda x: np.concatenate([x, np.zeros(39 - len(x))])
    return np.asarray(grown(pad(phi), pad(psi)))[: len(phi) + 1]


@functools.cache
def hairpin_free_helix(length=20):
    with jax.enable_x64(True):
        return made(np.full(length - 1, HELIX[0]), np.full(length - 1, HELIX[1]))


@functools.cache
def coil(length=20, seed=3):
    rng = np.random.default_rng(seed)
    with jax.enable_x64(True):
        return made(*(np.deg2rad(rng.normal(middle, 30, length - 1)) for middle in (-90, 100)))


def turn(seed=0):
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return q * np.sign(np.linalg.det(q))


def slopes_agree(function, *at, within=1e-6):
    check_gradient(jax.jit(lambda given: function(*given)), at, tolerance=within)  # refuses a wrong one


# Lengths, angles, torsions


def test_torsions_of_known_points():
    a, b, c = np.array([1.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0]), np.zeros(3)
    dihedral = jax.jit(pr.dihedral)
    for degrees in (-170.0, -90.0, 0.0, 60.0, 180.0):
        # Seen from b to c the far bond turns clockwise for a positive torsion.
        d = np.array([0.0, np.cos(np.deg2rad(degrees)), -np.sin(np.deg2rad(degrees))])
        assert np.cos(float(dihedral(a, b, c, d)) - np.deg2rad(degrees)) == pytest.approx(1.0, abs=1e-15)
    assert float(pr.angle(a, b, c)) == pytest.approx(np.pi / 2, abs=1e-15)


def test_an_alpha_helix_is_right_handed_and_rises_as_it_should():
    helix = hairpin_free_helix()
    rise = np.linalg.norm(helix[18, 1] - helix[0, 1]) / 18
    assert rise == pytest.approx(1.5, abs=0.1)
    assert pr.secondary_structure(helix)[2:-2] == "H" * 16
    assert pr.handedness(helix).left == 0
    assert pr.handedness(helix).right > 10
    mirrored = helix * [1, 1, -1]
    assert pr.handedness(mirrored) == pr.handedness(helix)[::-1]
    assert pr.secondary_structure(mirrored) == pr.secondary_structure(helix)


def test_rebuilding_is_the_inverse():
    xyz = coil() @ turn().T + 5.0
    found = internal(xyz)
    again = np.asarray(rebuild(found))
    assert float(rmsd(again.reshape(-1, 3), xyz.reshape(-1, 3))) < 1e-13
    for one, other in zip(found, internal(coil()), strict=True):
        assert np.max(np.abs(np.sin(0.5 * (np.asarray(one) - np.asarray(other))))) < 1e-13


def test_frames_give_ideal_residues():
    xyz = coil()
    e1 = (xyz[:, 2] - xyz[:, 1]) / np.linalg.norm(xyz[:, 2] - xyz[:, 1], axis=-1, keepdims=True)
    n = xyz[:, 0] - xyz[:, 1]
    e2 = n - np.sum(n * e1, axis=-1, keepdims=True) * e1
    e2 /= np.linalg.norm(e2, axis=-1, keepdims=True)
    rotation = np.stack([e1, e2, np.cross(e1, e2)], axis=-1)
    placed = pr.place_atoms(rotation, xyz[:, 1])
    # The chain has ideal bonds already, so its frames give it back; the last O stands by another psi.
    assert np.max(np.abs(placed - xyz)[:-1]) < 1e-12
    assert np.max(np.abs(placed - xyz)[-1, :3]) < 1e-12
    assert np.asarray(pr.internal(placed).c_o) == pytest.approx(C_O)
    in_jax = pr.place_atoms(jnp.asarray(rotation), jnp.asarray(xyz[:, 1]))
    assert np.max(np.abs(np.asarray(in_jax) - placed)) < 1e-13
    assert (pytest.approx(float(pr.internal(placed).n_ca[3])), pytest.approx(1.525)) == (N_CA, CA_C)


def test_left_handed_amino_acids():
    """Looking from H to CA, CO, R and N stand clockwise: the CORN rule."""
    xyz = coil()
    n, c = xyz[:, 0] - xyz[:, 1], xyz[:, 2] - xyz[:, 1]
    r = pr.ideal_cb(xyz) - xyz[:, 1]
    assert np.all(np.sum(np.cross(n, c) * r, axis=-1) > 0)
    assert np.linalg.norm(r, axis=-1) == pytest.approx(1.53, abs=0.02)


def test_derivatives_of_internal_coordinates_and_back():
    weights = np.random.default_rng(0).normal(size=12)

    def mixed(xyz):
        inside = sum(w * jnp.sum(jnp.cos(part)) for w, part in zip(weights, pr.internal(xyz), strict=True))
        return inside + jnp.sum(pr.ideal_cb(xyz) ** 3) + jnp.sum(pr.place_oxygens(xyz[:, :3]) ** 3)

    slopes_agree(mixed, jnp.asarray(coil(4)))
    # What is rebuilt moves as its torsions say, all twelve kinds of numbers at once.
    at, step = internal(coil()), 1e-6
    way = jax.tree.map(lambda x: np.random.default_rng(1).normal(size=x.shape), at)
    _, slope = jax.jit(lambda at, way: jax.jvp(pr.rebuild, (at,), (way,)))(at, way)
    ends = [rebuild(jax.tree.map(lambda x, v, sign=sign: x + sign * step * v, at, way)) for sign in (1, -1)]
    assert np.asarray(slope) == pytest.approx(np.asarray(ends[0] - ends[1]) / (2 * step), abs=1e-7)


# Superposition and TM-score


def test_superposition_undoes_a_motion():
    superpose = jax.jit(pr.superpose)
    x = coil()[:, 1]
    y = x @ turn(4).T + np.array([3.0, -1.0, 2.0])
    all_ = np.ones(len(x))
    fit = superpose(x, y, all_)
    assert np.max(np.abs(fit.rotation - turn(4))) < 1e-13
    assert np.max(np.abs(fit(jnp.asarray(x)) - y)) < 1e-12
    assert float(fit.rmsd) < 1e-12
    mirrored = superpose(x, y * [1.0, 1.0, -1.0], all_)
    assert np.linalg.det(mirrored.rotation) == pytest.approx(1.0)
    assert float(mirrored.rmsd) > 1.0
    off, some = x.copy(), all_.copy()
    off[3] += 50.0
    some[3] = 0.0
    assert float(superpose(off, y, some).rmsd) < 1e-12
    assert float(superpose(off, y, 0 * some).rmsd) == 0.0


def test_superposition_is_the_best_and_its_derivatives_are_right():
    rng = np.random.default_rng(1)
    x, y, mix = rng.normal(size=(6, 3)), rng.normal(size=(6, 3)), rng.normal(size=(3, 3))
    best = float(rmsd(x, y))
    for seed in range(200):
        moved = (x - x.mean(axis=0)) @ turn(seed).T - (y - y.mean(axis=0))
        assert np.sqrt(np.mean(np.sum(moved**2, axis=-1))) >= best

    def both(x, y):
        fit = pr.superpose(x, y)
        return fit.rmsd + jnp.sum(mix * fit.rotation) + fit.translation[0]

    slopes_agree(both, jnp.asarray(x), jnp.asarray(y))
    # A symmetric cross: singular values coincide, the rotation is well determined.
    cross = np.concatenate([np.eye(3), -np.eye(3)])
    slope = jax.jit(jax.grad(both))
    found, way, step = slope(cross, 1.1 * cross @ turn(2).T), rng.normal(size=(6, 3)), 1e-6
    ends = [jax.jit(both)(cross + sign * step * way, 1.1 * cross @ turn(2).T) for sign in (1, -1)]
    assert float(jnp.sum(found * way)) == pytest.approx(float(ends[0] - ends[1]) / (2 * step), rel=1e-6)


def test_superposition_where_it_is_not_determined():
    line, point = np.outer(np.arange(5.0), [1.0, 2.0, 2.0]) / 3, np.ones((5, 3))
    slopes = jax.jit(jax.value_and_grad(pr.rmsd))
    turns = jax.jit(jax.jacfwd(lambda x, y: pr.superpose(x, y).rotation))
    for x, y in ((line, line[:, ::-1] * 1.1), (point, 2 * point), (line, line)):
        value, slope = slopes(x, y)
        assert np.isfinite(value)
        assert np.all(np.isfinite(slope))
        assert np.all(np.isfinite(turns(x, y)))
    # What is left of a line on a longer line is known: the root of the mean of (0.1 s)^2.
    value, slope = slopes(line, line[:, ::-1] * 1.1)
    assert float(value) == pytest.approx(0.1 * np.sqrt(2.0))
    assert np.asarray(slope) == pytest.approx(-np.outer(np.arange(5) - 2, [1, 2, 2]) / 3 / (5 * np.sqrt(2.0)), abs=1e-7)


def test_tm_score_where_it_is_known():
    x, all_ = coil(40)[:, 1], np.ones(40, bool)
    assert float(tm_score(x, x @ turn(1).T + 3.0, all_, 40.0)) == pytest.approx(1.0, abs=1e-12)
    # Two halves turned against each other and apart: one half fits, so the score is half and something.
    y = x.copy()
    y[20:] = (x[20:] - x[20]) @ turn(5).T + x[20] + [0.0, 40.0, 0.0]
    assert 0.5 < float(tm_score(x, y, all_, 40.0)) < 0.6
    assert float(tm_score(x, y, np.arange(40) < 20, 20.0)) == pytest.approx(1.0, abs=1e-12)
    assert float(tm_score(x, x, all_, 80.0)) == pytest.approx(0.5, abs=1e-12)
    assert float(tm_score(x, x * [1.0, 1.0, -1.0], all_, 40.0)) < 0.5


def test_derivatives_of_the_tm_score():
    x, all_ = coil(40)[:, 1], np.ones(40, bool)
    y = x + np.random.default_rng(2).normal(size=x.shape)
    slope = np.asarray(jax.jit(jax.grad(pr.tm_score))(x, y, all_, 40.0))
    for seed in range(3):
        way, step = np.random.default_rng(seed).normal(size=x.shape), 1e-5
        ends = [float(tm_score(x + sign * step * way, y, all_, 40.0)) for sign in (1, -1)]
        assert np.sum(slope * way) == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6, abs=1e-9)
    assert np.max(np.abs(np.sum(slope, axis=0))) < 1e-9  # nothing shifts a score


def test_aligned_by_structure_alone():
    helix, other = hairpin_free_helix(20)[:, 1], coil(30)[:, 1]
    whole = np.concatenate([other, other[-1] + 3.8 + helix - helix[0]]).astype(np.float32)
    part = (helix @ turn(3).T).astype(np.float32)
    found = pr.tm_align(
        np.pad(part, ((0, 44), (0, 0))), np.pad(whole, ((0, 14), (0, 0))), np.arange(64) < 20, np.arange(64) < 50
    )
    assert float(found.score) == pytest.approx(1.0, abs=1e-3)
    assert found.partner.tolist() == [*range(30, 50), *[-1] * 44]


# Hydrogen bonds, Ramachandran, clashes


def test_energy_of_a_hydrogen_bond_by_hand():
    xyz = hairpin_free_helix()
    energy = pr.hydrogen_bond_energies(xyz)
    n, c, o = xyz[8, 0], xyz[4, 2], xyz[4, 3]
    away = xyz[7, 2] - xyz[7, 3]
    h = n + away / np.linalg.norm(away)
    r = lambda a, b: np.linalg.norm(a - b)
    by_hand = 332 * 0.084 * (1 / r(o, n) + 1 / r(c, h) - 1 / r(o, h) - 1 / r(c, n))
    assert energy[4, 8] == pytest.approx(by_hand, rel=1e-12)
    assert -4 < by_hand < -1
    assert pr.hydrogen_bonds(xyz)[4, 8]
    proline = pr.hydrogen_bond_energies(xyz, "A" * 8 + "P" + "A" * 11)
    assert np.all(proline[:, 8] == 0)

    def both(xyz):
        energy = pr.hydrogen_bond_energies(xyz)
        return jnp.sum(jnp.tanh(energy)) + pr.bond_count(energy)

    slopes_agree(both, jnp.asarray(xyz[:7]), within=1e-5)


def test_ramachandran_grids(data_root):
    kinds = {0: "general-noGPIVpreP", 1: "gly-sym", 2: "ileval-nopreP", 3: "prepro-noGP", 4: "transpro", 5: "cispro"}
    tables = [np.loadtxt(data_root / "rama_top8000" / f"rama8000-{name}.data.gz") for name in kinds.values()]
    kind = np.repeat(list(kinds), [len(table) for table in tables])
    rows = np.concatenate(tables)
    found = np.asarray(ramachandran(*np.deg2rad(rows[:, :2]).T, kind))
    assert np.max(np.abs(found - rows[:, 2])) < 1e-6  # stored in single precision


def test_ramachandran_is_smooth_and_periodic():
    rng = np.random.default_rng(0)
    phi, psi = rng.uniform(-np.pi, np.pi, (2, 20))
    kinds = rng.integers(0, 6, 20)
    phi[:2], psi[:2], kinds[:2] = np.deg2rad([-63.0, 63.0]), np.deg2rad([-43.0, 43.0]), 0
    value = np.asarray(ramachandran(phi, psi, kinds))
    assert np.allclose(value, ramachandran(phi + 2 * np.pi, psi - 4 * np.pi, kinds), rtol=1e-9, atol=1e-12)
    assert value[0] > 0.99
    assert value[1] < 0.2
    energy = lambda phi, psi: -jnp.sum(jnp.log(pr.ramachandran(phi, psi, kinds) + 1e-5))
    slopes_agree(energy, jnp.asarray(phi), jnp.asarray(psi))
    # Across the borders of bins and of the period.
    edge = phi.copy()
    edge[:4] = np.deg2rad(np.array([179.0 - 1e-9, 179.0 + 1e-9, 180.0 - 1e-9, -180.0 + 1e-9]))
    psi[:4], kinds[:4] = 2.5, 0
    slope = np.asarray(jax.jit(jax.grad(energy))(edge, psi))
    assert slope[0] == pytest.approx(slope[1], rel=1e-4)
    assert slope[2] == pytest.approx(slope[3], rel=1e-4)


def test_kinds_of_residues():
    assert pr.ramachandran_kinds("AGPVPAA").tolist() == [1, 4, 3, 4, 0]
    assert pr.ramachandran_kinds("AIAPA", np.array([3.1, 3.1, 0.1, 3.1])).tolist() == [2, 3, 5]


def test_clashes():
    helix = hairpin_free_helix()
    assert pr.clashes(helix) == 0
    shifted = lambda along: np.concatenate([helix, helix + np.array([along, 0.0, 0.0])])
    assert pr.clashes(shifted(200.0)) == 0
    assert pr.clashes(shifted(0.5)) > 50
    shaken = coil(40) * 0.9
    for sequence in (None, "AG" * 20):
        assert pr.clashes(shaken, sequence) == np.sum(pr.overlaps(shaken, sequence) >= 0.4) > 5
    overlap = pr.overlaps(helix)
    a, b = helix[2, 3], helix[6, 0]
    assert overlap[2, 3, 6, 0] == pytest.approx(1.40 + 1.55 - np.linalg.norm(a - b))
    assert np.isneginf(overlap[3, 1, 4]).tolist() == [True, True, False, False, False]  # CA and the next residue
    assert np.all(np.isneginf(pr.overlaps(helix, "G" * 20)[:, 4]))
    near = lambda xyz: jnp.sum(jnp.maximum(pr.overlaps(xyz) + 2, 0.0) ** 2)
    slopes_agree(near, jnp.asarray(helix[:5]))


def test_shape():
    points = np.array([[1.0, 0, 0], [-1.0, 0, 0], [0, 2.0, 0], [0, -2.0, 0]])
    assert float(pr.radius_of_gyration(points)) == pytest.approx(np.sqrt(2.5))
    contacts = pr.contact_map(points, cutoff=4.5, separation=1)
    assert contacts.sum() == 12
    assert not pr.contact_map(points, cutoff=4.5)[0, 2]
    slopes_agree(lambda x: jnp.sum(pr.distance_map(x) ** 3) + pr.compactness(x), jnp.asarray(points))


def test_turns_end_where_the_chain_does():
    helix, strand = hairpin_free_helix(), coil()
    alone = pr.secondary_structure(helix) + pr.secondary_structure(strand)
    apart = np.concatenate([helix, strand + np.array([100.0, 0.0, 0.0])])
    assert pr.secondary_structure(apart) == alone
    # Cut in two where it stands, a helix keeps its bonds across the cut but no turn reaches over it.
    cut = np.concatenate([helix[:10], helix[10:] + np.array([0.0, 0.0, 0.0])])
    cut[10:, 0] += 1.5 * (cut[10:, 0] - cut[9:-1, 2])[:1]
    assert np.linalg.norm(cut[10, 0] - cut[9, 2]) > 2.5
    assert "H" in pr.secondary_structure(cut)[:9]
    assert pr.secondary_structure(cut)[9:11] != "HH"


# Beside other programs


def test_secondary_structure_agrees_with_an_independent_dssp(data_root):
    held = json.loads(REFERENCE.read_text())["dssp"]
    chains = dict(chosen(data_root))
    same = total = 0
    for name, letters in held.items():
        found = pr.secondary_structure(chains[name].xyz, chains[name].sequence)
        same += sum(a == b for a, b in zip(found, letters, strict=True))
        total += len(letters)
    assert total > 2000
    assert same / total > 0.999


def test_tm_scores_reach_those_of_tm_align(data_root):
    held = json.loads(REFERENCE.read_text())["tm_align"]
    chains = dict(chosen(data_root))
    names = sorted({name for pair in held for name in pair[:2]})
    several = [chains[name] for name in names]
    from lawful.proteins._similar import tm_of_pairs

    first, second = (np.array([names.index(pair[k]) for pair in held]) for k in (0, 1))
    with jax.enable_x64(False):
        found = tm_of_pairs(several, several, first, second)
    off = found - np.array([pair[2] for pair in held])
    assert len(held) >= 40
    assert abs(np.mean(off)) < 0.01
    assert np.min(off) > -0.1


def chosen(data_root):
    chains = pr.read_set(data_root / "backbones_pdb" / "backbones_permissive.npz")
    picked = pr.representatives(chains.clusters)[::12]
    return [(chains.names[k], chains.backbones[k]) for k in picked]
