"""What an experiment can tell, before it is made."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from .._core.estimates import Estimate
from .._core.messages import BadInput
from .._core.precision import in_float64
from ..problem import Unknown
from ._identify import knowledge, propagated, undetermined
from ._inversion import checked_surveys
from ._misfit import Guess, Misfit
from ._parameters import Parameters
from ._survey import Survey
from ._verdict import linearised


@dataclass(frozen=True)
class Foresight:
    """What an experiment would tell about a medium that is as assumed.

    unknowns, layers   values as assumed, with the smallest standard deviations that an unbiased estimate can have (the
                       Cramer-Rao bound, priors included); infinite where nothing can be known.
    undetermined       directions in which nothing can be known.
    """

    unknowns: dict[str, Estimate]
    layers: dict[str, Estimate]
    undetermined: tuple[str, ...]


@in_float64
def foresee(
    medium: Callable[..., Any],
    unknowns: Mapping[str, Unknown],
    surveys: Survey | Sequence[Survey],
    values: Mapping[str, object],
) -> Foresight:
    """Error bars and free directions of an experiment, from its sensitivities alone.

    Covariance = (J'J)^-1, J the slopes of all predictions in units of the noise.

    medium, unknowns, surveys   as for `invert`; the surveys must say their noise, and what they hold as measured does
                                not matter (it may be what `records` computes).
    values                      of all unknowns, about which the question is asked.

    Raises `BadInput` for a survey that leaves its noise open.
    """
    guess = Guess(medium, Parameters(unknowns))
    found = checked_surveys(guess, surveys)
    for survey in found:
        for name, level in survey.noise.items():
            if level is None:
                raise BadInput(f"the noise of '{name}' is left open; what can be known depends on it: give noise=.")
    misfit = Misfit(
        guess, found, tuple({n: jnp.asarray(level) for n, level in survey.quiet().items()} for survey in found)
    )
    x = jnp.asarray(guess.parameters.raw(values))
    _, jacobian = linearised(misfit, x)
    known = knowledge(np.asarray(jacobian))
    return Foresight(
        propagated(guess.parameters.values, x, known, math.inf),
        propagated(lambda x: guess(x)[0].quantities(), x, known, math.inf),
        undetermined(known, guess.parameters),
    )
