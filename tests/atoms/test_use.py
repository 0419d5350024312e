"""Potentials at work: by ASE, in motion, at rest, in bytes. Argon, a spring and a molecule of water."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
import lawful.atoms as at
from lawful._core.compilation import quickly
from lawful._core.precision import in_float64
from lawful.studies import _spc_fw as water

EPSILON, SIGMA, MASS, EDGE = 0.0104, 3.4, 39.948, 5.3
FACES = np.array([[0.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]])


def argon(repeats=1, seed=None):
    """A cube of the crystal, shaken."""
    cells = np.stack(np.meshgrid(*[np.arange(repeats)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    places = EDGE * (FACES + cells).reshape(-1, 3)
    if seed is not None:
        places = places + 0.1 * np.random.default_rng(seed).normal(size=places.shape)
    return at.Structure(places, [18] * len(places), [EDGE * repeats] * 3)


def spheres(structure, skin=1.0, cutoff=6.0):
    pairs = at.all_pairs(structure) if structure.cell is None else at.near_pairs(structure, cutoff, skin)
    many = np.ones(len(structure))
    return at.HybridPotential({"spheres": at.LennardJones(EPSILON * many, SIGMA * many, pairs)})


def spring(structure):
    bond = at.Springs(np.array([[0, 1]]), np.array(30.0), np.array(1.1))
    return at.HybridPotential({"spring": bond}, charges=np.array([0.3, -0.3]))


NITROGEN = at.Structure([[0.0, 0.0, 0.0], [1.1, 0.0, 0.0]], [7, 7])


def ase_argon(structure, build=spheres, **info):
    from ase import Atoms

    atoms = Atoms("Ar" * len(structure), structure.positions, cell=structure.cell, pbc=structure.cell is not None)
    atoms.info.update(info)
    atoms.calc = at.calculator(build)
    return atoms


def test_a_cluster_as_ase_has_it():
    from ase.calculators.lj import LennardJones

    cluster = at.Structure(argon(2, seed=0).positions, [18] * 32)
    atoms = ase_argon(cluster)
    theirs = atoms.copy()
    theirs.calc = LennardJones(sigma=SIGMA, epsilon=EPSILON, rc=1e6)
    assert atoms.get_potential_energy() == pytest.approx(theirs.get_potential_energy(), rel=1e-10)
    np.testing.assert_allclose(atoms.get_forces(), theirs.get_forces(), atol=1e-10)
    assert atoms.calc.results["free_energy"] == atoms.calc.terms["spheres"]


def test_forces_and_stress_by_ases_own_differences():
    from ase.calculators.fd import calculate_numerical_forces, calculate_numerical_stress

    atoms = ase_argon(argon(1, seed=1))
    atoms.set_cell(atoms.cell.array @ [[1.0, 0.05, 0.0], [0.0, 1.0, 0.02], [0.0, 0.0, 1.0]], scale_atoms=True)
    stress, forces = atoms.get_stress(), atoms.get_forces()
    assert stress.shape == (6,)
    np.testing.assert_allclose(stress, calculate_numerical_stress(atoms, eps=1e-4), atol=1e-7)
    np.testing.assert_allclose(forces, calculate_numerical_forces(atoms, eps=1e-4), atol=1e-6)


@pytest.mark.parametrize("hidden", [False, True])
def test_lists_follow_the_atoms(hidden):
    """However atoms, cell and elements change, the answer is that of a potential made on the spot."""

    def build(structure):
        shown = spheres(structure).terms["spheres"]
        return at.HybridPotential({"spheres": (lambda r, cell: shown(r, cell)) if hidden else shown})

    atoms, rng = ase_argon(argon(2, seed=2), build), np.random.default_rng(0)
    made = atoms.calc.following
    for _ in range(2 if hidden else 6):
        atoms.positions += 0.08 * rng.normal(size=atoms.positions.shape)
        assert atoms.get_potential_energy() == pytest.approx(energy_of(atoms), rel=1e-12)
    before = made.built
    assert before == 2 if hidden else 1 < before < 6
    for change in (lambda: atoms.set_cell(atoms.cell * 1.01, scale_atoms=True), lambda: atoms.rattle(0.3), atoms.pop):
        change()
        assert atoms.get_potential_energy() == pytest.approx(energy_of(atoms), rel=1e-12)
    assert made.built == before + 3
    atoms.pbc = False
    assert atoms.get_potential_energy() == pytest.approx(energy_of(atoms), rel=1e-12)


def energy_of(atoms):
    """In plain NumPy, from pairs found on the spot."""
    structure = at.Structure.from_ase(atoms)
    if structure.cell is None:
        square = np.sum((structure.positions[:, None] - structure.positions) ** 2, axis=-1)[
            np.triu_indices(len(atoms), 1)
        ]
        fade = 1.0
    else:
        pairs = at.near_pairs(structure, 6.0)
        square = np.sum(np.asarray(pairs.vectors(structure.positions, structure.cell)) ** 2, axis=1)
        t = np.clip((square - 25) / 11, 0, 1)
        fade = 1 - 35 * t**4 + 84 * t**5 - 70 * t**6 + 20 * t**7
    sixth = (SIGMA**2 / square) ** 3
    return np.sum(4 * EPSILON * (sixth**2 - sixth) * fade)


def test_charges_dipole_and_what_a_potential_does_not_say():
    from ase import Atoms
    from ase.calculators.calculator import PropertyNotImplementedError

    asked = []

    def build(structure, charge):
        asked.append(charge)
        return spring(structure)

    atoms = Atoms("N2", NITROGEN.positions, info={"charge": 1})
    atoms.calc = at.calculator(build)
    np.testing.assert_allclose(atoms.get_charges(), [0.3, -0.3])
    np.testing.assert_allclose(atoms.get_dipole_moment(), [-0.33, 0.0, 0.0], atol=1e-15)
    atoms.info["charge"] = 0
    atoms.get_potential_energy()
    assert asked == [1, 0]
    with pytest.raises(PropertyNotImplementedError):
        atoms.get_stress()


def test_bad_frames():
    wrong = {
        "does not ask for it": ase_argon(argon(), charge=1),
        "in the directions": ase_argon(argon()),
        "positions in nm": ase_argon(at.Structure(0.1 * argon().positions, [18] * 4, [EDGE / 10] * 3)),
        "positions in pm": ase_argon(at.Structure(100 * argon().positions, [18] * 4)),
        "position of atom 2": ase_argon(argon()),
        "positions in bohr": ase_argon(at.Structure(1.89 * water.monomer(), [8, 1, 1])),
    }
    wrong["in the directions"].pbc = (True, True, False)
    wrong["position of atom 2"].positions[2, 1] = np.nan
    wrong["positions in bohr"].numbers[:] = [8, 1, 1]
    for words, atoms in wrong.items():
        with pytest.raises(lf.BadInput, match=words):
            atoms.get_potential_energy()


@in_float64
def test_padding_and_the_end_of_the_list_are_not_felt():
    structure = argon(1, seed=3)
    place, cell = jnp.asarray(structure.positions), jnp.asarray(structure.cell)
    charges = jnp.array([1.0, -1.0, 0.5, -0.5])

    def answers(skin, spare):
        pairs, sums = at.near_pairs(structure, 6.0, skin), at.MeshEwald.of(structure, 1e-4, 6.0, skin=skin)
        terms = {
            "spheres": spheres(structure, skin).terms["spheres"],
            "dispersion": eqx.Partial(at.Dispersion.free_atoms(structure.numbers), pairs=pairs),
            "charges": eqx.Partial(sums, charges=charges),
        }
        potential = at.HybridPotential(terms)
        assert potential.margin == skin / 2
        rooms = [each.count + spare for each in at.near_lists(potential)]
        padded = at.with_room(potential, rooms, np.asarray(cell))
        return quickly(jax.value_and_grad(padded.energy, argnums=(0, 1)))(place, cell)

    short = answers(0.0, 0)
    for skin, spare in ((0.0, 7), (1.5, 0)):
        for one, two in zip(jax.tree.leaves(short), jax.tree.leaves(answers(skin, spare)), strict=True):
            np.testing.assert_allclose(one, two, atol=1e-12)


@in_float64
def test_dispersion_ends_smoothly_where_it_ends_and_not_where_it_does_not():
    atom = at.Dispersion.free_atoms(np.array([18, 18]))
    near, all_of_them = (at.Pairs(np.array([0]), np.array([1]), None, cutoff) for cutoff in (9.0, np.inf))
    energy = lambda r, pairs: atom(jnp.stack([jnp.zeros_like(r), r])[:, None] * jnp.eye(3)[0], None, pairs)
    for r in (7.0, 9.0):
        f = lambda r: energy(r, near)
        for _ in range(3):
            f = jax.grad(f)
            below, above = quickly(jax.vmap(f))(jnp.array([r - 1e-7, r + 1e-7]))
            assert float(below) == pytest.approx(float(above), abs=1e-6)
    assert float(energy(9.0, near)) == float(energy(12.0, near)) == 0.0
    assert float(energy(6.9, near)) == float(energy(6.9, all_of_them))


@in_float64
def test_a_cutoff_beyond_half_the_cell_counts_images():
    small, large = argon(1), argon(3)
    energies = [float(spheres(s, cutoff=7.5).energy(jnp.asarray(s.positions), s.cell)) for s in (small, large)]
    assert 27 * energies[0] == pytest.approx(energies[1], rel=1e-12)


def test_a_spring_swings_as_it_should():
    stretched = at.Structure([[0.0, 0.0, 0.0], [1.2, 0.0, 0.0]], [7, 7])
    masses = np.array([14.0, 14.0])
    rate = np.sqrt(30.0 * at.EV_PER_AMU / 7.0)
    for method, order in ((lf.Leapfrog, 2), (lf.Yoshida, 4)):
        errors = []
        for step in (1.0, 0.5):
            motion = at.NVE(method(step))
            run = at.dynamics(
                spring, stretched, motion, int(200 / step), temperature=0.0, masses=masses, every=int(10 / step)
            )
            length = run.positions[:, 1, 0] - run.positions[:, 0, 0]
            errors.append(np.max(np.abs(length - 1.1 - 0.1 * np.cos(rate * run.frame_times))))
        assert errors[0] / errors[1] == pytest.approx(2**order, rel=0.1)
    assert run.energy == pytest.approx(0.15, rel=1e-4)
    assert run.built == 1  # there is no list that could be out of date


def test_a_bath_warms_positions_and_velocities():
    molecules = [NITROGEN] * 200
    bath = at.Langevin(300.0, friction=0.1, step=1.0)
    masses = np.array([14.0, 14.0])
    run = at.dynamics(spring, molecules, bath, 600, temperature=300.0, masses=masses, every=20)
    late = run.positions[10:]
    stretch = np.linalg.norm(late[:, :, 1] - late[:, :, 0], axis=-1) - 1.1
    thermal = at.BOLTZMANN * 300.0
    # the mean of 200 x 21 draws, 2000 of them independent at least: 3 % is one standard deviation
    assert np.mean(stretch**2) == pytest.approx(thermal / 30.0, rel=0.1)
    assert np.mean(run.temperature[10:]) == pytest.approx(300.0, rel=0.05)
    assert run.temperature.shape == (31, 200)


def test_replicas_move_as_they_would_alone():
    starts = [argon(1, seed) for seed in (4, 5)]
    rng = np.random.default_rng(0)
    velocities, masses = 1e-3 * rng.normal(size=(2, 4, 3)), np.full(4, MASS)
    settings = {"masses": masses, "every": 25}
    together = at.dynamics(spheres, starts, at.NVE(lf.Leapfrog(4.0)), 50, velocities=velocities, **settings)
    for k, start in enumerate(starts):
        alone = at.dynamics(spheres, start, at.NVE(lf.Leapfrog(4.0)), 50, velocities=velocities[k], **settings)
        np.testing.assert_allclose(alone.positions, together.positions[:, k], atol=1e-11)
        np.testing.assert_allclose(alone.energy, together.energy[:, k], rtol=1e-11)


def test_a_hot_liquid_keeps_its_energy_whatever_the_skin():
    start, masses = argon(2, seed=6), np.full(32, MASS)
    runs = [
        at.dynamics(
            lambda s, skin=skin: spheres(s, skin),
            start,
            at.NVE(lf.Leapfrog(4.0)),
            500,
            temperature=600.0,
            masses=masses,
        )
        for skin in (0.6, 3.0)
    ]
    assert runs[0].built > 5 * runs[1].built
    np.testing.assert_allclose(runs[0].positions[10], runs[1].positions[10], atol=1e-10)
    for run in runs:
        assert np.std(run.energy) < 0.02 * np.std(run.kinetic)
        drift = run.drift()
        assert abs(drift.value) < 4 * drift.sd
        assert np.sum(run.velocities, axis=0) == pytest.approx(0.0, abs=1e-12)


def test_a_run_that_was_killed_goes_on_to_the_same_numbers(tmp_path):
    start, masses = argon(1, seed=7), np.full(4, MASS)

    def moved(keep=None, progress=False, seed=1):
        return at.dynamics(
            spheres, start, at.Langevin(200.0, 0.01, 4.0), 600, temperature=200.0, masses=masses, every=5, seed=seed,
            keep=keep, progress=progress,
        )  # fmt: skip

    def stop(t, steps):
        if steps == 430:
            raise KeyboardInterrupt

    whole = moved()
    with pytest.raises(KeyboardInterrupt):
        moved(tmp_path, stop)
    seen = []
    again = moved(tmp_path, lambda t, steps: seen.append(steps))
    assert min(seen) > 200
    for name in ("times", "potential", "kinetic", "positions", "last", "velocities"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(again, name))
    with pytest.raises(lf.BadInput, match="another run"):
        moved(tmp_path, seed=2)


def test_motions_that_are_refused():
    cold = {"temperature": 10.0, "masses": np.full(4, MASS)}
    hides = lambda s: at.HybridPotential({"spheres": lambda r, cell: spheres(s).terms["spheres"](r, cell)})
    fast = {"velocities": np.full((4, 3), 1.0), "masses": np.full(4, MASS)}
    for call, kind, words in (
        (lambda: at.dynamics(hides, argon(), at.NVE(), 5, **cold), lf.BadInput, "WithoutPairs"),
        (lambda: at.dynamics(spheres, argon(), at.NVE(), 5, masses=np.ones(4)), lf.BadInput, "temperature"),
        (lambda: at.dynamics(spheres, argon(), at.NVE(), 0, **cold), lf.BadInput, "above 0"),
        (lambda: at.dynamics(spheres, argon(), at.NVE(), 5, temperature=1.0, masses=np.ones(3)), lf.BadInput, "masses"),
        (lambda: at.dynamics(spheres, argon(), at.NVE(), 5, **fast), lf.NotTrusted, "further in one step"),
        (lambda: at.Langevin(-1.0), lf.BadInput, "temperature"),
        (lambda: at.relax(spheres, argon(), force=-1.0), lf.BadInput, "force"),
        (lambda: at.relax(spring, NITROGEN, stress=1e-3), lf.BadInput, "no cell"),
        (lambda: at.phonons(spheres, argon(), np.full(4, MASS), (2, 2, 0)), lf.BadInput, "repeats"),
        (lambda: at.load(b"nonsense"), lf.BadInput, "no exported"),
    ):
        with pytest.raises(kind, match=words):
            call()


def test_the_bond_of_molecules_by_their_own_formula():
    """Wilson's G and F matrices of a bent molecule are exact for springs and a hinge."""
    shaken = water.monomer() + 0.03 * np.random.default_rng(0).normal(size=(3, 3))
    rest = at.relax(water.build, at.Structure(shaken, [8, 1, 1]), force=1e-9)
    assert rest.status.converged
    assert float(rest.answer.energy) == pytest.approx(0.0, abs=1e-15)
    with jax.enable_x64(True):
        potential = water.build(rest.structure)
        modes = at.normal_modes(potential, jnp.asarray(rest.structure.positions), water.masses(rest.structure))
    o, h, cos, r = 1 / water.MASSES[8], 1 / water.MASSES[1], np.cos(water.ANGLE), water.BOND
    side = -o * np.sin(water.ANGLE) / r
    g = np.array([[h + o, o * cos, side], [o * cos, h + o, side], [side, side, 2 * (h + o * (1 - cos)) / r**2]])
    f = np.diag([water.STIFFNESS, water.STIFFNESS, water.BENDING])
    expected = np.sqrt(np.sort(np.linalg.eigvals(g @ f)) * at.EV_PER_AMU) / (2 * np.pi * at.LIGHT)
    np.testing.assert_allclose(modes.wave_numbers[-3:], expected, rtol=1e-8)
    assert np.all(np.abs(modes.wave_numbers[:-3]) < 0.05)


def test_a_cell_finds_its_size():
    """A sum over the crystal's shells, at the edge of least energy, and at rest there."""
    rest = at.relax(spheres, at.Structure([[0.0, 0.0, 0.0]], [18], EDGE / 2 * (1 - np.eye(3))), stress=1e-7)
    assert rest.status.converged
    edge = np.sqrt(2) * float(np.linalg.norm(np.asarray(rest.structure.cell)[0]))
    with jax.enable_x64(True):
        size = lambda scale: spheres(argon()).energy(jnp.asarray(argon().positions) * scale, argon().cell * scale)
        assert abs(float(quickly(jax.grad(size))(edge / EDGE))) < 1e-4


def test_waves_in_a_crystal():
    cell = EDGE / 2 * (1 - np.eye(3))
    crystal = at.Structure([[0.0, 0.0, 0.0]], [18], cell)
    waves = at.phonons(spheres, crystal, np.array([MASS]), (5, 5, 5))
    counts = np.stack(np.meshgrid(*[np.arange(-4, 5)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    apart = counts @ cell
    kept = (np.linalg.norm(apart, axis=1) > 0) & (np.linalg.norm(apart, axis=1) < 6.0)
    counts, apart = counts[kept], apart[kept]
    with jax.enable_x64(True):
        one = at.Pairs(np.array([0]), np.array([1]), None, 6.0)
        term = at.LennardJones(np.full(2, EPSILON), np.full(2, SIGMA), one)
        stiffness = quickly(jax.vmap(jax.hessian(lambda d: term(jnp.stack([jnp.zeros(3), d]), None))))(apart)
    for wave in ((0.5, 0.5, 0.0), (0.13, 0.2, -0.31), (0.0, 0.0, 0.0)):
        phase = 1 - np.cos(2 * np.pi * counts @ wave)
        squares = np.linalg.eigvalsh(np.einsum("p,pij->ij", phase, stiffness)) * at.EV_PER_AMU / MASS
        expected = np.sqrt(np.abs(squares)) / (2 * np.pi * at.LIGHT)
        np.testing.assert_allclose(np.abs(waves(np.array(wave))), expected, atol=2e-3)


@in_float64
def test_bytes_say_the_same_and_know_where_they_hold(tmp_path):
    structure = argon(1, seed=8)
    potential = spheres(structure)
    (tmp_path / "argon").write_bytes(at.export(potential, structure, platforms=("cpu",)))
    content = (tmp_path / "argon").read_bytes()
    loaded, place = at.load(content), structure.positions + 0.1
    one, two = potential(jnp.asarray(place), structure.cell), loaded(place, structure.cell)
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(two), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)  # programs of their own, which round each in its way
    for call, words in (
        (lambda: loaded(place + 0.5, structure.cell), "more than 0.5 A"),
        (lambda: loaded(place, 1.1 * structure.cell), "the cell is not"),
        (lambda: at.load(content[:-500]), "damaged"),
    ):
        with pytest.raises(lf.BadInput, match=words):
            call()


def test_every_list_of_neighbours_says_how_long_it_holds():
    """Otherwise a potential that holds one would be taken to be right wherever the atoms go."""
    lists = [each for each in vars(at).values() if isinstance(each, type) and hasattr(each, "vectors")]
    assert at.Pairs in lists
    assert all(issubclass(each, at.NearList) for each in lists)
