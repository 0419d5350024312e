"""Certificates are honest: in random cases the true motion lies in the tube that was certified.

The truth is a Taylor series of order 40 in extended precision (64 bits of mantissa), by an implementation of its own.
`benchmarks/certificates.py` runs the same test on 10,000 cases.
"""

import functools
import types

import extended
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lawful.simulate import Taylor
from lawful.simulate._given import Given, system_of
from lawful.simulate._machine import prepared
from lawful.simulate._march import one_step, placed

CASES = 200  # of each kind; see benchmarks/certificates.py
pytestmark = [
    pytest.mark.usefixtures("float64"),
    pytest.mark.skipif(np.finfo(np.longdouble).eps > 2e-19, reason="this machine has no extended precision"),
]

# The same formulas for JAX and for the series in extended precision: `m` holds sin, cos and exp.
FLOATS = types.SimpleNamespace(sin=jnp.sin, cos=jnp.cos, exp=jnp.exp)
LONG = types.SimpleNamespace(sin=extended.sin, cos=extended.cos, exp=extended.exp)


def polynomial(m, t, y, c):
    x, z = y
    return [
        c[0] + c[1] * x + c[2] * z + c[3] * x * x + c[4] * x * z + c[5] * z * z * z + c[12] * t,
        c[6] + c[7] * x + c[8] * z + c[9] * x * z + c[10] * z * z + c[11] * x * x * z + c[13] * t * t,
    ]


def rational(m, t, y, c):
    x, z = y
    return [
        (c[0] + c[1] * x + c[2] * z * x) / (4.0 + c[3] * x * x + c[4] * z + z * z),
        (c[5] * x + c[6] * z + c[7] * t) / (3.0 + x * x + c[8] * c[8] * z * z) - c[9] * z / (2.0 + z * z),
    ]


def trigonometric(m, t, y, c):
    x, z = y
    return [
        c[0] * m.sin(c[1] * x + z) + c[2] * m.cos(c[3] * t) * z + c[4] * x,
        c[5] * m.cos(x * z) - c[6] * m.sin(z + c[7] * t) + c[8] * m.exp(-(x * x)),
    ]


def stiff(m, t, y, c):
    x, z = y
    fast = 500.0 + 490.0 * c[0]
    return [
        -(x - m.cos(c[1] * t) * 1.0) * fast + c[2] * z,
        c[3] * x * z - z * z * z + c[4] * m.sin(t),
    ]


FIELDS = [polynomial, rational, trigonometric, stiff]


@functools.cache
def draws(field):
    rng = np.random.default_rng(FIELDS.index(field))
    c = rng.uniform(-1, 1, (CASES, 14)) * 10 ** rng.uniform(-1, 0.5, (CASES, 1))
    if field is stiff:
        c[:, 0] = rng.uniform(-1, 1, CASES)
    return rng.uniform(-2, 2, CASES), rng.uniform(-1.5, 1.5, (CASES, 2)), c


def steps_of(field, method, count):
    """Three steps in a row, for every case: starts, polynomials and bounds."""
    settings = method.settings(1)

    def f(t, y, c):
        return jnp.stack(field(FLOATS, t, [y[0], y[1]], c))

    def one(t, y, c):
        system, parameters = system_of(Given(f, (), (), c), y, settings.tolerance)
        machine, inputs, begin = prepared(system, settings, t, [y], parameters)
        known, place, lines = machine.known(inputs), placed(begin), []
        for _ in range(count):
            place, line = one_step(machine, place, t + 100.0, known, inputs)
            lines.append((line.t, line.h, line.unit[0], line.remainder[0] + line.rounding[0], line.proven))
        return lines

    t, y, c = draws(field)
    return jax.jit(jax.vmap(one))(t, y, c)


KINDS = list(zip(FIELDS, (1e-14, 1e-6, 1e-14, 1e-6), strict=True))


@pytest.mark.parametrize(("field", "tolerance"), KINDS, ids=[field.__name__ for field in FIELDS])
def test_the_true_motion_lies_in_the_certified_tube(field, tolerance):
    sharpest = checked(field, tolerance)
    assert sharpest < 1e6  # a bound that is true because it is enormous would prove little


def checked(field, tolerance):
    """Hold every tube against the truth; returns how many times larger than the error the bounds are, at best."""
    _, _, c = draws(field)
    parts = 4
    sharpest = np.inf
    for t, h, unit, bound, proven in steps_of(field, Taylor(tolerance), 2):
        t, h, unit, bound = (np.asarray(x) for x in (t, h, unit, bound))
        assert np.all(proven)
        truth = extended.flow(lambda t, y: field(LONG, t, y, c.T), t, list(unit[:, 0].T), h, parts)
        for i, values in enumerate(truth, 1):
            s = np.longdouble(i) / parts
            found = sum(unit[:, k].astype(np.longdouble) * s**k for k in reversed(range(unit.shape[1])))
            error = np.max(np.abs(found - np.stack(values, 1)), axis=1)
            assert np.all(error <= bound), (np.argmax(error / bound), np.max(error / bound))
            sharpest = min(sharpest, float(np.median(bound / np.maximum(error, 1e-25))))
        size = np.max(np.abs(unit).sum(1), axis=1)
        assert np.all(bound <= 1.01 * tolerance * size + 1e-13 * size)
    return sharpest
