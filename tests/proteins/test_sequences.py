"""Sequences: letters, families, what counting achieves, a masked language model, and letters steered by energies."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful import BadInput
from lawful import proteins as pr
from lawful.guidance import Constant, Energy, Particles, Term
from lawful.proteins._weights import skeleton

pytestmark = pytest.mark.usefixtures("float64")

COUNT = 3000
TEMPLATE = "M?K?"
CHARGED = Energy(charge=Term(lambda p: (pr.net_charge(p, ends=False) - 2.0) ** 2, "e^2", kT=0.5))


@pytest.fixture(scope="module")
def model() -> pr.SequenceModel:
    """Small, untrained, with opinions."""
    with jax.enable_x64(True):
        small = pr.SequenceModel(jax.random.key(0), channels=16, blocks=1, heads=2)
        return eqx.tree_at(lambda m: m.out.weights[-1], small, 12 * small.out.weights[-1])


def test_letters_and_back():
    assert pr.decoded(pr.encoded("ACDY?")) == "ACDY?"
    np.testing.assert_allclose(pr.soft("A?").sum(axis=1), 1.0)
    with pytest.raises(BadInput, match="'B' at residue 3"):
        pr.encoded("ACB")


def test_counting_gives_probabilities_and_learns_what_there_is():
    rng = np.random.default_rng(0)
    random = ["".join(rng.choice(list(pr.AMINO_ACIDS), 200)) for _ in range(40)]
    known = pr.NGram.of(["ACDACDACDACD"] * 5, 3)
    assert known.perplexity(["ACDACDACD"]) < 1.5 < 3 < known.perplexity(["DCADCADCA"])
    frequencies = pr.NGram.of(random[:20], 1)
    assert 19.5 < frequencies.perplexity(random[20:]) < 20.5
    whole = pr.NGram.of(random, 3)
    for before in ("", "A", "WY"):
        each = [whole.log_probabilities(before + letter)[-1] for letter in pr.AMINO_ACIDS]
        assert np.sum(np.exp(each)) == pytest.approx(1.0, abs=1e-12)
    with pytest.raises(BadInput, match="from 1 to 4"):
        pr.NGram.of(random, 5)


def test_relatives_and_their_relatives_are_one_family(tmp_path):
    rng = np.random.default_rng(1)
    a, b, c = ("".join(rng.choice(list(pr.AMINO_ACIDS), 90)) for _ in range(3))
    bridge = a[45:] + b[:45]
    path = tmp_path / "some.fasta"
    path.write_text("".join(f">{k}\n{s[:50]}\n{s[50:]}\n" for k, s in enumerate([a, b, c, bridge, a[:60], "AXB"])))
    sequences = pr.read_fasta(path)
    assert sequences == [a, b, c, bridge, a[:60]]
    found = pr.families(sequences)
    assert found[0] == found[1] == found[3] == found[4] != found[2]
    with pytest.raises(BadInput, match="is no file"):
        pr.read_fasta(tmp_path / "none.fasta")


def test_what_lies_beyond_the_sequence_is_not_heard(model):
    tokens = jnp.asarray(pr.encoded("MK?LV"))
    longer = jnp.concatenate([tokens, jnp.asarray(pr.encoded("WWW"))])
    real = jnp.arange(8) < 5
    np.testing.assert_allclose(model(longer, real)[:5], model(tokens), atol=1e-12)
    assert np.max(np.abs(model(longer)[:5] - model(tokens))) > 1e-3


def test_places_left_out_are_any_number_alike():
    real = jnp.arange(12) < 10
    tokens = jnp.zeros(12, jnp.int32)
    hidden = jax.vmap(lambda key: pr.masked(key, tokens, real)[1])(jax.random.split(jax.random.key(0), 4000))
    counts = np.bincount(np.asarray(hidden.sum(axis=1)), minlength=11)
    assert counts[0] == 0
    np.testing.assert_allclose(counts[1:], 400, atol=5 * 20)
    np.testing.assert_allclose(np.mean(hidden, axis=0)[:10], 0.55, atol=0.04)
    assert not np.any(hidden[:, 10:])


def test_a_model_without_opinions_is_surprised_by_twenty_letters(model):
    blank = eqx.tree_at(lambda m: m.out.weights[-1], model, 0 * model.out.weights[-1])
    found = pr.surprise(blank, jax.random.key(0), jnp.asarray(pr.encoded("MKLVAC")), jnp.ones(6, bool))
    assert float(found) == pytest.approx(np.log(20), abs=1e-12)


@pytest.mark.parametrize("tilt", [None, pr.Slopes(), pr.Trials()], ids=["alone", "slopes", "trials"])
def test_particles_write_what_trying_all_says(model, tilt):
    exact = pr.enumerated(model, TEMPLATE, CHARGED)
    found = pr.compose(model, jax.random.key(1), TEMPLATE, COUNT, energy=CHARGED, tilt=tilt, particles=Particles())
    tokens = np.array([pr.encoded(s) for s in found.sequences])
    assert np.all(tokens[:, [0, 2]] == pr.encoded("MK"))
    for column, place in enumerate((1, 3)):
        truth = np.bincount(exact.letters[:, column], exact.shares, 20)
        seen = np.bincount(tokens[:, place], minlength=20) / COUNT
        # Four standard errors of as many draws as there are different beginnings.
        assert np.all(np.abs(seen - truth) < 4 * np.sqrt(truth * (1 - truth) / found.parents) + 2 / COUNT)
    free = pr.enumerated(model, TEMPLATE)
    assert 0.5 * np.sum(np.abs(free.shares - exact.shares)) > 0.3  # the energy does matter


def test_letters_left_out_are_never_written(model):
    barred = "C" + pr.AMINO_ACIDS[4:]  # A, D and E remain
    exact = pr.enumerated(model, TEMPLATE, CHARGED, without=barred)
    assert len(exact.letters) == 9
    found = pr.compose(
        model,
        jax.random.key(1),
        TEMPLATE,
        1000,
        energy=CHARGED,
        tilt=pr.Trials(),
        particles=Particles(),
        without=barred,
    )
    tokens = np.array([pr.encoded(s) for s in found.sequences])[:, [1, 3]]
    seen = np.array([np.mean(np.all(tokens == letters, axis=1)) for letters in exact.letters])
    assert np.sum(seen) == 1.0
    assert 0.5 * np.sum(np.abs(seen - exact.shares)) < 0.06  # of 1000 independent draws: 0.03


def test_guidance_off_is_the_unguided_sampler_to_the_bit(model):
    drawn = lambda **more: pr.compose(model, jax.random.key(3), "??C??K??", 16, without="C", **more)
    plain, off = drawn(), drawn(energy=CHARGED)
    idle = drawn(energy=CHARGED, tilt=pr.Slopes(Constant(0.0)))
    assert plain.sequences == off.sequences == idle.sequences
    np.testing.assert_array_equal(plain.log_p, off.log_p)


def test_an_aim_reckons_with_what_open_letters_will_add():
    rng = np.random.default_rng(6)
    q = rng.normal(1.5, 0.8, 400_000)
    direct = -np.log(np.mean(np.exp(-((q - 3.0) ** 2) / (2 * 0.5**2))))
    assert float(pr.near(1.5, 0.8**2, 3.0, 0.5)) == pytest.approx(direct, abs=0.02)
    written = pr.soft("MKRLLDAKIW")
    charge, moment = float(pr.net_charge(written)), float(pr.hydrophobic_moment(written))
    assert float(pr.charge_near(written, 4.0)) == pytest.approx((charge - 4) ** 2 / (2 * 0.25**2), rel=1e-9)
    assert float(pr.moment_near(written, 0.3)) == pytest.approx((moment - 0.3) ** 2 / (2 * 0.02**2), rel=1e-9)
    # Forty letters drawn by themselves: what is said beforehand is what comes.
    p = jax.nn.softmax(jnp.asarray(rng.normal(size=(40, 20))))
    letters = jnp.asarray(np.stack([rng.choice(20, 4000, p=np.asarray(row)) for row in p], axis=1))
    rows = lambda k: jax.nn.one_hot(k, 20)
    each = jax.vmap(lambda k: jnp.stack([pr.net_charge(rows(k)), pr.hydrophobic_moment(rows(k))]))
    charges, moments = np.asarray(each(letters)).T
    for found, aim, width in ((charges, pr.charge_near, 1.0), (moments, pr.moment_near, 0.1)):
        goal = float(np.mean(found) + np.std(found))
        came = -np.log(np.mean(np.exp(-((found - goal) ** 2) / (2 * width**2))))
        assert float(aim(p, goal, width)) == pytest.approx(came, abs=0.25)


def test_what_no_sequence_can_meet():
    within = (0.5, 0.05)
    pair = "?" * 9 + "C" + "?" * 9 + "C"
    assert "a net charge of 30 is out of reach" in pr.reachable(pair, 30, 0.3, within, without="C")
    assert "a hydrophobic moment of 2" in pr.reachable(pair, 3, 2.0, within, without="C")
    assert pr.reachable(pair, 3, 0.35, within, without="C") == ""
    # All bases: their moment is small, and no other letter may stand.
    assert "together they are not" in pr.reachable("?" * 20, 19.8, 1.0, within)
    assert pr.reachable("K" * 19 + "?", 18.9, 0.1, within) == ""


def test_one_residue_among_all_others(model):
    sequences = ["MKLVAC", "AAAAAA"]
    tokens = np.array([pr.encoded(each) for each in sequences])
    hidden = np.where(np.eye(6, dtype=bool), pr.encoded("?"), tokens[:, None])
    said = np.asarray(jax.jit(jax.vmap(model))(jnp.asarray(hidden.reshape(12, 6)))).reshape(2, 6, 6, 20)
    own = np.array([[said[n, k, k, tokens[n, k]] for k in range(6)] for n in range(2)])
    np.testing.assert_allclose(pr.pseudo_perplexities(model, sequences), np.exp(-own.mean(axis=1)), rtol=1e-12)


def test_a_tilt_lowers_the_energy_and_keeps_more_beginnings(model):
    drawn = {
        name: pr.compose(model, jax.random.key(2), "?" * 8, 200, energy=CHARGED, tilt=tilt, at_once=2)
        for name, tilt in {"none": None, "slopes": pr.Slopes(), "trials": pr.Trials()}.items()
    }
    median = {name: np.median(found.terms["charge"]) for name, found in drawn.items()}
    assert median["slopes"] < median["none"]
    assert median["trials"] < median["none"]


def test_charge_moment_and_contacts_by_hand():
    lysine = 1 / (1 + 10 ** (7 - 10.5))
    assert float(pr.net_charge(pr.soft("KKA"), ends=False)) == pytest.approx(2 * lysine, rel=1e-12)
    assert float(pr.net_charge(pr.soft("AAA"))) == pytest.approx(0.833 - 1.0, abs=1e-2)
    helix = "".join("L" if np.cos(np.deg2rad(100 * n)) > 0 else "K" for n in range(18))
    assert pr.hydrophobic_moment(pr.soft(helix)) > 5 * pr.hydrophobic_moment(pr.soft("LK" * 9))
    table = np.arange(400.0).reshape(20, 20)
    touching = np.zeros((4, 4))
    touching[0, 3] = 1.0
    a, c = (pr.AMINO_ACIDS.index(x) for x in "AC")
    assert float(pr.contact_energy(pr.soft("AGGC"), touching, table)) == table[a, c]


@pytest.mark.parametrize(
    "quantity",
    [pr.net_charge, pr.hydrophobic_moment, lambda p: pr.charge_near(p, 2.0), lambda p: pr.moment_near(p, 0.4)],
    ids=["charge", "moment", "charge near", "moment near"],
)
def test_slopes_of_quantities_against_differences(quantity):
    rng = np.random.default_rng(3)
    p = jax.nn.softmax(jnp.asarray(rng.normal(size=(7, 20))))
    way = jnp.asarray(rng.normal(size=(7, 20)))
    slope = float(jnp.sum(jax.grad(quantity)(p) * way))
    step = 1e-6
    difference = float(quantity(p + step * way) - quantity(p - step * way)) / (2 * step)
    assert slope == pytest.approx(difference, rel=1e-7)
    assert np.all(np.isfinite(jax.grad(pr.hydrophobic_moment)(jnp.full((4, 20), 0.0))))


def test_contacts_that_are_preferred_have_low_energies():
    helix = np.asarray(pr.rebuild(pr.ideal_internal(*(np.deg2rad([[-60.0], [-45.0]]) * np.ones((2, 39))))))
    touching = pr.contacts(pr.Backbone(helix))
    assert touching.sum() > 30  # i to i + 3 and i + 4
    assert np.all(np.tril(touching) == 0)
    rng = np.random.default_rng(4)
    blocks = ["".join(rng.choice(list("LLLK" if (n // 4) % 2 else "KKKL")) for n in range(40)) for _ in range(60)]
    table = pr.contact_table([pr.Backbone(helix, s) for s in blocks])
    np.testing.assert_allclose(table, table.T, atol=1e-12)
    k, el = (pr.AMINO_ACIDS.index(x) for x in "KL")
    assert table[k, el] < -0.1 < 0.1 < min(table[k, k], table[el, el])  # most of those touching are of two blocks
    with pytest.raises(BadInput, match="no residues touch"):
        pr.contact_table([pr.Backbone(helix[:3])])


@pytest.fixture(scope="module")
def doubles() -> tuple[list[str], list[str]]:
    """Sequences whose second half repeats the first: nothing that looks at three letters knows."""
    rng = np.random.default_rng(5)
    halves = ["".join(rng.choice(list("ADKL"), 6)) for _ in range(300)]
    return [h + h for h in halves[:250]], [h + h for h in halves[250:]]


def test_a_model_learns_what_counting_cannot(doubles, tmp_path):
    known, held = doubles
    small = pr.SequenceModel(jax.random.key(0), channels=24, blocks=2, heads=2)
    model, told = pr.teach(small, known, held, steps=300, residues=1536, rate=8e-3, every=150)
    assert told["perplexity"][-1] == pytest.approx(pr.perplexity(model, held), rel=1e-12)
    # Four letters each with its double: knowing all about pairs gives 2 in the mean over orders.
    assert 1.9 < told["perplexity"][-1] < 3.0 < 3.8 < pr.NGram.of(known, 3).perplexity(held)
    pr.save(tmp_path / "weights.npz", model, {"note": "small"})
    back, about = pr.load(tmp_path / "weights.npz", small)
    assert about["note"] == "small"
    assert pr.perplexity(back, held) == pytest.approx(told["perplexity"][-1], rel=1e-2)


def test_a_killed_training_goes_on_to_the_same_numbers(doubles, tmp_path):
    known, held = doubles
    small = pr.SequenceModel(jax.random.key(0), channels=8, blocks=1, heads=2)
    learned = lambda steps, **more: pr.teach(small, known, held, steps=steps, residues=512, every=4, **more)
    whole, _ = learned(8)
    path = tmp_path / "state.npz"
    learned(8, path=path, seconds=1e-9)  # one step or none
    again, told = learned(8, path=path)
    assert told["step"] == [4.0, 8.0]
    for one, other in zip(jax.tree.leaves(whole), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(BadInput, match="another training"):
        learned(12, path=path)
    with pytest.raises(BadInput, match="up to 512"):
        pr.perplexity(small, ["A" * 600])
    with pytest.raises(BadInput, match="others to be judged by"):
        pr.teach(small, known, [], steps=2)


@pytest.mark.parametrize(
    ("wrong", "cure"),
    [
        (lambda m: pr.compose(m, jax.random.key(0), "MKL", 2), "has no '\\?'"),
        (lambda m: pr.compose(m, jax.random.key(0), "M?", 0), "at least 1"),
        (lambda m: pr.compose(m, jax.random.key(0), "M?", 2, temperature=0.0), "positive"),
        (lambda m: pr.compose(m, jax.random.key(0), "M?", 2, tilt=pr.Slopes()), "follow an energy"),
        (lambda m: pr.enumerated(m, "????"), "one to three"),
        (lambda m: pr.compose(m, jax.random.key(0), "M?", 2, without=pr.AMINO_ACIDS), "leave some"),
    ],
)
def test_what_makes_no_sense_is_refused(model, wrong, cure):
    with pytest.raises(BadInput, match=cure):
        wrong(model)


def test_letters_that_suit_torsions_cost_least():
    """A left-handed turn wants a glycine, an extended stretch no proline; the sum by hand, kind by kind."""
    phi, psi = np.full(11, -120.0), np.full(11, 130.0)
    phi[4], psi[5] = 60.0, 40.0  # of residue 5
    phi[7], psi[8] = -65.0, 140.0  # of residue 8
    backbone = pr.Backbone(np.asarray(pr.rebuild(pr.ideal_internal(np.deg2rad(phi), np.deg2rad(psi)))))
    costs = pr.torsion_costs(backbone)
    place = pr.AMINO_ACIDS.index
    assert costs.alone[5].argmin() == place("G")
    assert costs.alone[5, place("P")] > costs.alone[5, place("A")] + 2
    assert costs.alone[3, place("P")] > 5 > 1 > costs.alone[8, place("P")]
    assert np.all(costs.alone[[0, -1]] == 0)
    apart = np.array(backbone.xyz, float)
    apart[6:] += np.array([30.0, 0.0, 0.0])  # a break between residues 5 and 6, counted from 0
    broken = pr.torsion_costs(pr.Backbone(apart))
    for one, other in zip(broken, costs, strict=True):
        assert not one[[5, 6]].any()
        np.testing.assert_allclose(one[[1, 2, 3, 4, 7, 8]], other[[1, 2, 3, 4, 7, 8]], rtol=1e-4)
    sequence = "AVGPAGIKPPCA"
    found = pr.internal(np.asarray(backbone.xyz, float))
    share = pr.ramachandran(found.phi[:-1], found.psi[1:], pr.ramachandran_kinds(sequence))
    by_hand = np.sum(np.log1p(0.3 / np.maximum(np.asarray(share), 1e-5)))
    assert float(pr.torsion_fit_energy(pr.soft(sequence), costs)) == pytest.approx(float(by_hand), rel=1e-4)
    mixed = 0.5 * (pr.soft(sequence) + pr.soft("A" * 12))
    assert lf.check_gradient(lambda p: pr.torsion_fit_energy(p, costs), np.asarray(mixed, float)).passed


def test_weights_are_read_into_a_shape_of_which_nothing_was_drawn(tmp_path):
    make = lambda: pr.SequenceModel(jax.random.key(0), channels=16, blocks=1, heads=2)
    pr.save(tmp_path / "small.npz", make(), {})
    both = [pr.load(tmp_path / "small.npz", like)[0] for like in (make(), skeleton(make))]
    assert jax.tree.structure(both[0]) == jax.tree.structure(both[1])
    for one, other in zip(*map(jax.tree.leaves, both), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(eqx.filter(skeleton(make), eqx.is_inexact_array)))
