"""The evidence of a medium: against its definition, an integral over all that was possible."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful import BadInput, media

INTERVAL, COUNT = 5e-7, 120
TIMES = INTERVAL * np.arange(COUNT)
PULSE = np.where(TIMES < 12e-6, np.sin(np.pi * TIMES / 12e-6) ** 4, 0.0)
TAP = media.Tap(right=media.HalfSpace(200e9, 7850.0))


def stack(stiffness):
    return media.Stack([0.03, 0.02], [stiffness, 5.5e9], [2700.0, 1180.0])


def recorded(share):
    """The far record with white noise of this share of its size, which is told."""
    with jax.enable_x64(True):
        clean = np.asarray(media.records(TAP, stack(70e9), PULSE, INTERVAL)["far"])
    noise = share * float(np.std(clean))
    samples = clean + noise * np.random.default_rng(0).normal(size=COUNT)
    return media.Waveforms(TAP, PULSE, INTERVAL, {"far": samples}, noise=noise)


@pytest.mark.parametrize(("share", "off"), [(0.05, 0.03), (0.005, 3e-3)])
def test_evidence_is_the_probability_of_the_record_averaged_over_the_prior(share, off):
    """But for curvature that J'J leaves out, which falls with the noise."""
    mean, sd = 60e9, 20e9
    stiffness, survey = lf.Positive(50e9, prior=lf.Normal(mean, sd)), recorded(share)
    found = media.invert(stack, {"stiffness": stiffness}, survey, starts=1, progress=False)
    wide = 10 * found["stiffness"].sd / found["stiffness"].value
    with jax.enable_x64(True):
        noise = survey.noise["far"]
        x = np.asarray(found.x)[0] + np.linspace(-wide, wide, 2001)
        misfits = jax.vmap(lambda one: jnp.sum(found.misfit.residual(one[None]) ** 2))(jnp.asarray(x))
        logs = -0.5 * np.asarray(misfits) - COUNT * math.log(noise * math.sqrt(2 * math.pi))
        logs += np.log(50e9 * np.exp(x)) - math.log(sd * math.sqrt(2 * math.pi))  # the prior is one of the value
        exact = logs.max() + math.log(float(np.sum(np.exp(logs - logs.max()))) * (x[1] - x[0]))
    assert media.log_evidence(found) == pytest.approx(exact, abs=off)


def test_probabilities_follow_the_evidence():
    found = media.probabilities({1: -5000.0, 2: -4000.0, 3: -4000.0 + math.log(3.0)})
    assert found == pytest.approx({1: 0.0, 2: 0.25, 3: 0.75})


def test_evidence_without_a_prior_is_refused():
    found = media.invert(stack, {"stiffness": lf.Positive(50e9)}, recorded(0.05), starts=1, progress=False)
    with pytest.raises(BadInput, match=r"'stiffness' has none.*prior=lf.Normal"):
        media.log_evidence(found)
