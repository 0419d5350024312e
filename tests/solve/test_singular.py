"""Places where the exact solution is singular: what is judged beyond them, and what leads Newton's method there."""

import dataclasses
import importlib

import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful._core.messages import BadInput
from lawful.problem import Model
from lawful.solve._audit import audits
from lawful.solve._collocation import collocation_task
from lawful.solve._scaling import Sizes

SQUARE = lf.Box(x=(0, 1), y=(0, 1))
SIZES = Sizes({"u": np.asarray(1.0)}, {"x": np.asarray(1.0), "y": np.asarray(1.0)}, {"flat": np.asarray(1.0)})


def flat(u_x):
    return u_x


def test_a_law_is_not_judged_within_reach_and_what_was_seen_there_is_told():
    """u_x = 1e-3 + a bump of height 5 that dies out within 0.02 of the corner."""

    def fields(x, y):
        far = ((1 - x) ** 2 + (1 - y) ** 2) / 0.02**2
        return {"u": 1e-3 * x + 0.1 * jnp.exp(-far)}

    def found(**stated):
        problem = lf.Problem(SQUARE, "u", {"flat": flat}, [lf.Value(SQUARE.at(x=0), u=0.0)], **stated)
        return audits(Model(problem, fields, {}), SIZES, 4096)[0]

    judged, blind = found(singular=lf.Singular(reach=0.1, x=1, y=1)), found()
    assert blind.cheats
    assert blind.singular is None
    assert not judged.cheats
    assert judged.worst == pytest.approx(1e-3, rel=1e-6)
    assert judged.singular > 0.1
    assert judged.to_json()["near_singular_places"] == judged.singular
    assert "not judged near the declared singular places" in str(judged)


def test_a_singular_line_runs_to_both_ends():
    near = lf.Singular(reach=0.1, y=1.0).near({"x": np.array([0.0, 0.9]), "y": np.array([0.95, 0.5])})
    assert near.tolist() == [True, False]


def test_a_reach_that_covers_everything_is_refused():
    problem = lf.Problem(
        SQUARE, "u", {"flat": flat}, [lf.Value(SQUARE.at(x=0), u=0.0)], singular=lf.Singular(reach=2.0, x=1, y=1)
    )
    with pytest.raises(BadInput, match="covers the whole domain; make it smaller"):
        audits(Model(problem, lambda x, y: {"u": x}, {}), SIZES, 64)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: lf.Singular(reach=0.1), r"names no place; write lf\.Singular"),
        (lambda: lf.Singular(reach=0.0, x=1), "reach must be above zero"),
        (lambda: lf.Singular(reach=0.1, x=float("nan")), "x must be one finite number"),
        (lambda: lf.Singular(reach="far", x=1), "give a number"),
        (lambda: lf.Singular(reach=0.1, z=1).check(SQUARE), "names 'z', which is no axis"),
        (lambda: lf.Singular(reach=0.1, x=1.5).check(SQUARE), "lies outside the domain, where x runs from 0 to 1"),
    ],
)
def test_bad_places_are_refused(make, words):
    with pytest.raises(BadInput, match=words):
        make()


def test_derivatives_of_derived_quantities_come_by_the_chain_rule():
    """Q = (1 + |x - 0.3|) u_x with u = sin 2x: u is smooth, q is not, and no polynomial through its values at the nodes
    has its slope."""
    domain = lf.Box(x=(0, 1))

    def balance(q_x, x):
        exact = jnp.sign(x - 0.3) * 2 * jnp.cos(2 * x) - (1 + jnp.abs(x - 0.3)) * 4 * jnp.sin(2 * x)
        return q_x - exact

    problem = lf.Problem(
        domain,
        "u",
        {"balance": balance},
        [lf.Value(domain.at(x=0), u=0.0), lf.Value(domain.at(x=1), u=float(np.sin(2)))],
        derived={"q": lambda u_x, x: (1 + jnp.abs(x - 0.3)) * u_x},
    )
    solution = lf.solve(problem, lf.Collocation(nodes=20), progress=False)
    x = np.linspace(0, 1, 41)
    assert np.max(np.abs(solution.u(x=x) - np.sin(2 * x))) < 1e-11


def steep(width: float) -> lf.Problem:
    """U u_x + width u_xx = 0 between u = 0 and u = 1: a layer at the wall."""
    domain = lf.Box(x=(0, 1))
    return lf.Problem(
        domain,
        "u",
        {"layer": lambda u, u_x, u_xx, nu: u * u_x + nu * u_xx},
        [lf.Value(domain.at(x=0), u=0.0), lf.Value(domain.at(x=1), u=1.0)],
        constants={"nu": width},
    )


def test_easier_problems_lead_newton_to_a_steep_one():
    """U = c tanh(c x / 2 nu), where c tanh(c / 2 nu) = 1; c is 1 to rounding here."""
    method = lf.Collocation(tolerance=1e-6, nodes=64, continuation=lf.Continuation(nu=(0.4, 0.1, 0.05)))
    solution = lf.solve(steep(0.025), method, progress=False)
    assert solution.status.converged, solution.status
    x = np.linspace(0, 1, 101)
    assert np.max(np.abs(solution.u(x=x) - np.tanh(x / 0.05))) < 1e-7


def test_a_lesson_that_is_too_hard_is_halved(monkeypatch):
    """A solver that fails where the width falls by more than 40 % at once is led to the end all the same."""
    steady = importlib.import_module("lawful.solve._steady")
    tried, honest = [0.4], steady.steady_on

    def weak(scheme, raw):
        nu = float(scheme.problem.constants["nu"])
        fields = honest(scheme, raw)
        if nu < 0.6 * tried[-1]:
            return dataclasses.replace(fields, values={name: jnp.nan * v for name, v in fields.values.items()})
        tried.append(nu)
        return fields

    monkeypatch.setattr(steady, "steady_on", weak)
    task = collocation_task(steep(0.1), lf.Collocation(nodes=24, continuation=lf.Continuation(nu=(0.4,))))
    assert tried == pytest.approx([0.4, 0.4, 0.25, 0.175, 0.1375, 0.1], rel=1e-12)
    at = task.scheme.grid.points()["x"]
    np.testing.assert_allclose(task.scheme.begin["u"], np.tanh(at / 0.2) / np.tanh(5.0), atol=1e-3)


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"constants": {}, "unknowns": {"nu": lf.Positive(0.1)}}, "steady problems without unknowns, but here nu must"),
        ({"constants": {"mu": 0.1}}, "'nu'"),
    ],
)
def test_continuation_is_refused_where_it_cannot_lead(stated, words):
    domain = lf.Box(x=(-1, 1))
    law = (lambda u, u_x, u_xx, mu: u * u_x - mu * u_xx) if "mu" in stated["constants"] else steep(0.1).laws["layer"]
    data = {"data": lf.Data({"x": [0.1], "u": [-0.3]}, noise=0.1)} if "unknowns" in stated else {}
    problem = lf.Problem(
        domain,
        "u",
        {"law": law},
        [lf.Value(domain.at(x=-1), u=1.0), lf.Value(domain.at(x=1), u=-1.0)],
        **stated,
        **data,
    )
    with pytest.raises(BadInput, match=words):
        lf.solve(problem, lf.Collocation(continuation=lf.Continuation(nu=(0.4,))), progress=False)
