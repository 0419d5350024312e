"""What changes while a fit goes on: points, emphasis, constants; and that nothing of it is lost by a kill."""

import jax.numpy as jnp
import numpy as np
import pytest
from kills import Killed, Until

import lawful as lf
from lawful.solve._keeper import Keeper

DOMAIN = lf.Box(x=(-1, 1), t=(0, 1))
DISK = lf.geometry.Disk(x=0.0, y=0.0, radius=2.0)


def balance(u, u_t, u_x, u_xx, nu):
    return u_t + u * u_x - nu * u_xx


def front(nu=0.1, **more):
    ends = DOMAIN.at(x=(-1, 1))
    start = lf.Value(DOMAIN.at(t=0), u=lambda x: -jnp.sin(jnp.pi * x))
    return lf.Problem(DOMAIN, "u", {"burgers": balance}, [start, lf.Value(ends, u=0.0)], constants={"nu": nu}, **more)


def small(**settings):
    return lf.Neural(trial=lf.MLP(width=8, depth=2), points=200, **settings)


def larger(**settings):
    return lf.Neural(trial=lf.MLP(width=14, depth=2), points=1000, **settings)


def test_points_crowd_where_the_residual_is():
    sampling = lf.ResidualDriven(share=0.9)
    residual = np.ones(3000)
    residual[:300] = 50.0
    picked, factors = sampling.chosen(residual, 500, (0, 1))
    assert len(set(picked)) == 500
    assert np.mean(picked < 300) > 0.4  # a tenth of the candidates
    assert np.mean(factors**2) == pytest.approx(1)
    ratio = factors[picked < 300][0] / factors[picked >= 300][0]
    density = 0.1 + 0.9 * np.array([50.0, 1.0]) / residual.mean()
    assert ratio == pytest.approx((density[0] / density[1]) ** -0.25)
    again = sampling.chosen(residual, 500, (0, 1))
    np.testing.assert_array_equal(picked, again[0])
    assert set(picked) != set(sampling.chosen(residual, 500, (0, 2))[0])


@pytest.mark.parametrize("domain", [DOMAIN, DISK], ids=["box", "disk"])
def test_candidates_lie_inside_and_half_of_them_near(domain):
    sampling = lf.ResidualDriven(pool_size=4)
    places = {axis: np.full(100, 0.9) for axis in domain.axes}
    pool = sampling.pool(domain, places, 100, (0, 0))
    assert len(pool[domain.axes[0]]) == 400
    assert np.all(domain.contains(pool))
    near = np.max([np.abs(values[200:] - 0.9) for values in pool.values()], axis=0)
    far = np.max([np.abs(values[:200] - 0.9) for values in pool.values()], axis=0)
    assert np.median(near) < 0.1 < np.median(far)


def test_attention_settles_at_the_mean_relative_residual():
    rule, factors = lf.Attention(decay=0.9, rate=0.1), np.ones(4)
    residual = np.array([4.0, 2.0, 1.0, 0.0])
    for _ in range(200):
        factors = rule.factors(factors, residual, {})
    np.testing.assert_allclose(factors / factors[0], residual / 4, atol=1e-5)
    assert np.mean(factors**2) == pytest.approx(1)


def test_causal_weights_wait_for_earlier_times():
    rule, t = lf.Causal("t", slices=4, strength=2.0), np.linspace(0, 1, 400)
    late = rule.factors(np.ones(400), np.ones(400), {"t": t})
    squares = (late[[50, 150, 250, 350]] / late[0]) ** 2
    np.testing.assert_allclose(squares, np.exp(-2.0 * np.arange(4)), rtol=1e-9)
    even = rule.factors(np.ones(400), np.where(t > 0.8, 1.0, 1e-9), {"t": t})
    assert np.ptp(even) < 1e-6  # all earlier times are met: the last may be learnt
    with pytest.raises(lf.BadInput, match="no such axis"):
        rule.factors(np.ones(4), np.ones(4), {"x": np.ones(4)})


def test_a_continuation_ends_at_the_problem_itself():
    method = larger(continuation=lf.Continuation(nu=(0.5, 0.2), steps=10), tolerance=4e-3)
    seen = []

    class Watch:
        def __call__(self, moment):
            seen.append(moment.step)

        def close(self):
            pass

    solution = lf.solve(front(), method, optimiser=lf.GaussNewton(max_steps=120), progress=Watch())
    assert solution.status.converged, solution.status
    assert float(solution.problem.constants["nu"]) == 0.1
    other = lf.solve(front(), lf.Collocation(tolerance=1e-7), progress=False)
    x, t = np.linspace(-1, 1, 41)[:, None], np.linspace(0, 1, 21)
    np.testing.assert_allclose(solution.u(x=x, t=t), other.u(x=x, t=t), atol=1e-2)
    assert seen == sorted(seen)  # one run of the optimiser, through all lessons


def test_the_fit_ends_where_unseen_points_say_so():
    rough = lf.solve(front(), larger(tolerance=5e-3), progress=False)
    assert rough.status.converged
    assert "had not looked" in rough.status.reason
    assert rough.audits[0].rms < 2 * 5e-3
    fine = lf.solve(front(), small(tolerance=1e-12), optimiser=lf.GaussNewton(max_steps=20), progress=False)
    assert not fine.status.converged
    assert "step limit" in fine.status.reason


@pytest.mark.parametrize("emphasis", [lf.Attention(), lf.Causal("t")], ids=["attention", "causal"])
def test_emphasis_still_solves(emphasis):
    method = larger(sampling=lf.Fixed(), emphasis=emphasis)
    solution = lf.solve(front(nu=0.3), method, optimiser=lf.GaussNewton(max_steps=80), progress=False)
    assert solution.audits[0].rms < 1e-2


def test_a_killed_course_goes_on_bit_for_bit(tmp_path, monkeypatch):
    """Points drawn anew, emphasis and lessons included."""
    monkeypatch.setattr(Keeper.__init__, "__defaults__", (0.0,))
    method = small(
        sampling=lf.ResidualDriven(every=3),
        emphasis=lf.Causal("t", every=2),
        continuation=lf.Continuation(nu=(0.3,), steps=5),
    )
    optimiser = lf.GaussNewton(max_steps=14)
    whole = lf.solve(front(), method, optimiser=optimiser, progress=False)
    for moment in (1, 3, 5, 6, 9, 13):
        with pytest.raises(Killed):
            lf.solve(front(), method, optimiser=optimiser, out=tmp_path, progress=Until(moment))
        found = lf.solve(front(), method, optimiser=optimiser, out=tmp_path, resume=True, progress=False)
        np.testing.assert_array_equal(found.fitted.x, whole.fitted.x)
        assert found.history == whole.history


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: lf.ResidualDriven(every=0), "every=0"),
        (lambda: lf.ResidualDriven(share=1.5), "between 0 and 1"),
        (lambda: lf.Continuation(), "names no constant"),
        (lambda: lf.Continuation(nu="thick"), "give numbers"),
        (lambda: lf.Continuation(nu=(0.1, np.inf)), "finite"),
        (lambda: lf.Continuation(nu=(0.1, 0.2), k=(1.0,)), "same number"),
        (lambda: small(continuation=lf.Continuation(mu=(0.1,))).task(front()), "no constant of the problem"),
        (lambda: small(layers=[lf.Layer("y", at=0.0, width=0.1)]).task(front()), "no axis"),
        (lambda: lf.Layer("x", at=np.nan, width=0.1), "finite place"),
        (lambda: lf.Layer("x", at=0.0, width=0.0), "positive width"),
    ],
)
def test_bad_settings(make, message):
    with pytest.raises(lf.BadInput, match=message):
        make()
