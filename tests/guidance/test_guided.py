"""A sampler steered by an energy, held against targets in closed form: mixtures of Gaussians."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lawful import BadInput, NotTrusted
from lawful.guidance import (
    Constant,
    Energy,
    GaussianFlow,
    Particles,
    Power,
    Project,
    Pull,
    Term,
    Through,
    effective_size,
    guided,
    relax,
    resampled,
)

pytestmark = pytest.mark.usefixtures("float64")

CENTRES = np.array([[-1.0, 0.5], [1.0, -0.5]])
SHARES = np.array([0.8, 0.2])
WIDTH = 0.4
COUNT = 4000
ALONG, WANTED, LOOSE = np.array([0.6, 0.8]), 0.9, 0.3


def expected(x, t):
    """The exact posterior mean of the clean design, for designs from the mixture."""
    variance = (1 - t) ** 2 + (t * WIDTH) ** 2
    away = x - t * CENTRES
    belongs = jax.nn.softmax(jnp.log(SHARES) - jnp.sum(away**2, axis=1) / (2 * variance))
    return belongs @ (CENTRES + t * WIDTH**2 / variance * away)


def flow(steps=100, churn=1.0) -> GaussianFlow:
    return GaussianFlow(expected, (2,), steps=steps, churn=churn, spread_of_designs=0.8)


def wish(x):
    return (ALONG @ x - WANTED) ** 2


ENERGY = Energy(reading=Term(wish, "unit^2", kT=2 * LOOSE**2))


def target() -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of mixture * exp(-E): Bayes' rule for a noisy reading along one direction."""
    heads = CENTRES @ ALONG
    share = SHARES * np.exp(-((WANTED - heads) ** 2) / (2 * (WIDTH**2 + LOOSE**2)))
    share /= share.sum()
    gain = WIDTH**2 / (WIDTH**2 + LOOSE**2)
    means = CENTRES + gain * (WANTED - heads)[:, None] * ALONG
    cov = WIDTH**2 * (np.eye(2) - gain * np.outer(ALONG, ALONG))
    mean = share @ means
    return mean, cov + np.einsum("k,ki,kj->ij", share, means - mean, means - mean)


def moments(x) -> tuple[np.ndarray, np.ndarray]:
    return np.mean(x, axis=0), np.cov(np.asarray(x).T)


def test_without_guides_the_sampler_is_itself():
    found = guided(flow(), ENERGY, jax.random.key(0), COUNT)
    mean, cov = moments(found.designs)
    truth = SHARES @ CENTRES
    spread = WIDTH**2 * np.eye(2) + np.einsum("k,ki,kj->ij", SHARES, CENTRES - truth, CENTRES - truth)
    assert np.all(np.abs(mean - truth) < 4 * np.sqrt(np.diag(spread) / COUNT))
    np.testing.assert_allclose(cov, spread, atol=0.06)
    np.testing.assert_allclose(found.terms["reading"], [wish(x) / (2 * LOOSE**2) for x in found.designs], rtol=1e-12)


@pytest.mark.parametrize("guides", [(), (Pull(),), (Through(),)], ids=["alone", "pull", "through"])
def test_particles_follow_the_target_whatever_bends_the_steps(guides):
    found = guided(flow(), ENERGY, jax.random.key(1), COUNT, guides=guides, particles=Particles())
    mean, cov = moments(found.designs)
    truth, spread = target()
    # Four standard errors of the number of different beginnings, hundreds to thousands; the unguided mean is 30 off.
    assert found.parents > 800
    assert np.all(np.abs(mean - truth) < 4 * np.sqrt(np.diag(spread) / found.parents))
    np.testing.assert_allclose(cov, spread, atol=0.1)


def test_bent_steps_keep_more_beginnings_alive():
    lonely, pulled, through = (
        guided(flow(), ENERGY, jax.random.key(1), COUNT, guides=guides, particles=Particles()).parents
        for guides in ((), (Pull(),), (Through(),))
    )
    assert through > pulled > 1.5 * lonely


def test_counted_in_full_from_the_beginning_an_energy_kills_most_particles():
    hasty = Energy(reading=Term(wish, kT=2 * LOOSE**2, schedule=Constant()))
    found = [
        guided(flow(), energy, jax.random.key(1), COUNT, guides=[Pull()], particles=Particles())
        for energy in (hasty, ENERGY)
    ]
    assert found[1].parents > 2 * found[0].parents


def test_a_pull_without_weights_lowers_the_energy_more_with_more_strength():
    terms = [
        np.median(guided(flow(), ENERGY, jax.random.key(3), COUNT, guides=guides).terms["reading"])
        for guides in ((), (Pull(),), (Pull(Constant(3.0)),))
    ]
    assert terms[0] > 2 * terms[1] > 2 * terms[2]


def test_a_stiff_energy_is_not_overshot():
    stiff = Energy(reading=Term(wish, kT=1e-4))
    strong = {"strength": Constant(1e3)}
    far, near = (
        np.max(guided(flow(20), stiff, jax.random.key(3), 50, guides=[Pull(**strong, **limit)]).terms["reading"])
        for limit in ({}, {"least": 0.0, "steps": 3})
    )
    assert near < 0.02 * 1e4 * LOOSE**2 < far


def test_a_constraint_holds_to_rounding_and_leaves_the_rest_alone():
    circle = lambda x: x @ x - 1.0
    found = guided(flow(), ENERGY, jax.random.key(4), 300, guides=[Project(circle)])
    np.testing.assert_allclose(np.sum(np.asarray(found.designs) ** 2, axis=1), 1.0, atol=1e-12)
    angles = np.arctan2(*np.asarray(found.designs).T[::-1])
    left = np.mean(np.cos(angles - np.arctan2(0.5, -1.0)) > np.cos(angles - np.arctan2(-0.5, 1.0)))
    assert 0.7 < left < 0.97  # the heavier centre has 80 % and keeps about as many


def test_constraints_that_say_the_same_twice_do_no_harm():
    twice = Project(lambda x: jnp.stack([x[0] - 0.25, 2 * x[0] - 0.5]))
    found = guided(flow(20), ENERGY, jax.random.key(5), 10, guides=[twice])
    np.testing.assert_allclose(found.designs[:, 0], 0.25, atol=1e-12)


def test_relaxation_ends_at_the_nearest_minimum():
    energy = Energy(bowl=lambda x: (x[0] ** 2 - 1) ** 2 + 10 * (x[1] - x[0]) ** 2)
    found = relax(flow(), energy, jnp.array([0.8, -0.5]))
    np.testing.assert_allclose(found.design, [1.0, 1.0], atol=1e-6)
    assert found.after[0] < 1e-10 < found.before[0]
    assert found.slope < 1e-5


def test_the_same_key_gives_the_same_designs():
    one, two = (guided(flow(20), ENERGY, jax.random.key(7), 20, particles=Particles()).designs for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_without_new_noise_copies_stay_copies():
    found = guided(flow(20, churn=0.0), ENERGY, jax.random.key(8), 200, particles=Particles(1.0))
    assert len(np.unique(np.asarray(found.designs), axis=0)) == found.parents < 200


def test_weights_and_draws():
    assert effective_size(jnp.zeros(8)) == pytest.approx(8.0)
    assert effective_size(jnp.log(jnp.array([1.0, 1e-30, 1e-30]))) == pytest.approx(1.0)
    weights = jnp.array([0.5, 0.25, 0.25])
    counts = np.mean(
        [np.bincount(resampled(jax.random.key(i), jnp.log(weights)), minlength=3) for i in range(400)], axis=0
    )
    np.testing.assert_allclose(counts, 3 * np.asarray(weights), atol=0.1)


def test_a_term_that_is_not_finite_is_named_with_its_step():
    broken = Energy(fine=wish, broken=lambda x: jnp.where(x[0] > 1e3, jnp.log(-jnp.ones(())), 0.0) + jnp.log(x[0] - 9))
    with pytest.raises(NotTrusted, match="term 'broken' is nan at step 0 of 20"):
        guided(flow(20), broken, jax.random.key(0), 5)


def test_a_gradient_that_is_not_finite_is_named_with_its_step():
    cusp = Energy(fine=wish, cusp=lambda x: jnp.sqrt(jnp.maximum(x[0], 0.0) * 0.0))
    with pytest.raises(NotTrusted, match="gradient of the term 'cusp' is not finite at step 0"):
        guided(flow(20), cusp, jax.random.key(0), 5, guides=[Pull()])


def test_energies_add_and_scale():
    one, two = Energy(a=lambda x: x[0]), Energy(b=Term(lambda x: x[1], "kcal/mol", kT=0.593))
    both, x = one + 2 * two, jnp.array([3.0, 0.593])
    assert float(both(x)) == pytest.approx(3.0 + 2.0)
    assert both.names == ("a", "b")
    late = Energy(a=Term(lambda x: x[0], schedule=Power(2.0, 2.0, begins=0.5)))
    assert float(late(x, 0.25)) == 0.0
    assert float(late(x, 0.75)) == pytest.approx(2 * 0.25 * 3)


def test_terms_keep_their_names_in_compiled_code():
    energy = Energy(b=lambda x: x[0], a=lambda x: 10 * x[0])
    found = guided(flow(5), energy, jax.random.key(0), 3)
    np.testing.assert_allclose(found.terms["b"], found.designs[:, 0])
    np.testing.assert_allclose(found.terms["a"], 10 * found.designs[:, 0])


@pytest.mark.parametrize(
    ("wrong", "cure"),
    [
        (lambda: Energy(), "has no term"),
        (lambda: Energy(a=3.0), "give a function"),
        (lambda: Term(wish, "eV", kT=-1.0), "how many eV make one kT"),
        (lambda: ENERGY + ENERGY, "a name of its own"),
        (lambda: -1.0 * ENERGY, "positive and finite"),
        (lambda: Particles(2.0), "between 0 and 1"),
        (lambda: guided(flow(), ENERGY, jax.random.key(0), 0), "at least 1"),
        (lambda: guided(flow(), ENERGY, jax.random.key(0), 3, start=jnp.zeros((2, 2))), "2 came"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, cure):
    with pytest.raises(BadInput, match=cure):
        wrong()
