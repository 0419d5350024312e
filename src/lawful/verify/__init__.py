"""Judges: discretisation error, model error, missing terms, identifiability, gradient check. Takes plain callables."""

from ._adjoint import QuantityError, adjoint_error, weighted_residual
from ._base import Coordinate, ForwardModel, Measurements, Probe
from ._budget import Line, budget, quantity_line
from ._convergence import Convergence, convergence
from ._correlated import Correlation, correlation
from ._discretisation import Discretisation, bias, discretisation, harmless
from ._family import Alarm
from ._fitting import Fit, fit
from ._gradient import GradientCheck, check_gradient
from ._identify import Identifiability, Profile, described, identifiability, profile
from ._influence import Without, leave_one_out
from ._judge import LEVEL, Judgement, Kind, judge, score_alone
from ._manufactured import Manufactured, manufacture
from ._misfit import Misfit
from ._placebo import Placebo, placebo
from ._placement import Proposal, separating, sharpening
from ._posterior import Posterior, posterior
from ._quadratic import tail
from ._scores import Scores, detectable, false_discovery, scores
from ._search import Search, Stage
from ._verification import Ranked, Verification, assess, quantities_of

__all__ = [
    "LEVEL",
    "Alarm",
    "Convergence",
    "Coordinate",
    "Correlation",
    "Discretisation",
    "Fit",
    "ForwardModel",
    "GradientCheck",
    "Identifiability",
    "Judgement",
    "Kind",
    "Line",
    "Manufactured",
    "Measurements",
    "Misfit",
    "Placebo",
    "Posterior",
    "Probe",
    "Profile",
    "Proposal",
    "QuantityError",
    "Ranked",
    "Scores",
    "Search",
    "Stage",
    "Verification",
    "Without",
    "adjoint_error",
    "assess",
    "bias",
    "budget",
    "check_gradient",
    "convergence",
    "correlation",
    "described",
    "detectable",
    "discretisation",
    "false_discovery",
    "fit",
    "harmless",
    "identifiability",
    "judge",
    "leave_one_out",
    "manufacture",
    "placebo",
    "posterior",
    "profile",
    "quantities_of",
    "quantity_line",
    "score_alone",
    "scores",
    "separating",
    "sharpening",
    "tail",
    "weighted_residual",
]
