"""How probable the data are under a medium, its unknowns averaged over their priors: what numbers of layers are
compared by."""

from __future__ import annotations

import math
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np

from .._core.messages import BadInput
from .._core.precision import in_float64
from ..problem import Normal
from ._inverted import Inversion
from ._verdict import linearised


@in_float64
def log_evidence(inversion: Inversion) -> float:
    """The logarithm of the evidence of a medium, by Laplace's method about the best answer:

        log Z = -|r|^2 / 2 - sum_c m_c log(sigma_c sqrt(2 pi)) - sum_j log(s_j sqrt(2 pi) / |dv_j/dx_j|)
                + (n/2) log(2 pi) - log det(J' J) / 2

    r are the residuals of data and priors in units of their standard deviations and J their slopes by the n raw numbers
    x; sigma_c is the noise of channel c and m_c the number of its samples; s_j is the standard deviation of the prior
    of number j, whose value is v_j. A number that the data determine to a share f of its prior costs log(1/f), whether
    it helps or not: that is why the medium with most layers does not win. Estimated noise is put in as found; what
    averaging over it adds is the same for all media that are compared on the same data.

    Good to about a unit where the answer is well determined. Where a layer is one too many, its place or its impedance
    is not, and the parabola that Laplace's method puts there is a rough picture of a curved ridge.

    Raises `BadInput` where an unknown has no `Normal` prior: what data say about numbers of layers depends on what was
    possible before.
    Source: D. J. C. MacKay, Neural Comput. 4, 415 (1992).
    """
    misfit, x = inversion.misfit, jnp.asarray(inversion.x)
    parameters = misfit.guess.parameters
    prior = 0.0
    for name, raw in parameters.layout.raw(x).items():
        unknown = parameters.unknowns[name]
        if not isinstance(unknown.prior, Normal):
            raise BadInput(
                f"the evidence needs a prior for every unknown, but '{name}' has none; give one, such as"
                f" {type(unknown).__name__}(..., prior=lf.Normal(mean, sd))."
            )
        _, slope = jax.jvp(unknown.value, (raw,), (jnp.ones_like(raw),))
        wide = np.broadcast_to(unknown.prior.sd, unknown.guess.shape)
        prior -= float(np.sum(np.log(wide * math.sqrt(2 * math.pi) / np.abs(np.asarray(slope)))))
    residual, jacobian = (np.asarray(part) for part in linearised(misfit, x))
    noise = sum(
        (rows.stop - rows.start) * math.log(float(misfit.sd[index][channel]) * math.sqrt(2 * math.pi))
        for index, channel, rows in misfit.blocks()
    )
    volume = 0.5 * len(x) * math.log(2 * math.pi) - float(np.linalg.slogdet(np.linalg.qr(jacobian, mode="r"))[1])
    return float(-0.5 * np.sum(residual**2) - noise + prior + volume)


def probabilities(evidence: Mapping[int, float]) -> dict[int, float]:
    """Of media that were equally probable before: exp(log Z) over the sum of all."""
    top = max(evidence.values())
    weight = {key: math.exp(value - top) for key, value in evidence.items()}
    return {key: each / sum(weight.values()) for key, each in weight.items()}
