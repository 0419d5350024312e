"""The verb: two methods for the same problem, and what comes out."""

from ._adam import Adam
from ._broyden import SelfScaledBroyden
from ._candidates import AtBoundary, Candidate, Term, candidates
from ._closure import Closure, Match, closure
from ._collocation import Collocation
from ._continuation import Continuation
from ._correction import correction
from ._correlation import ResidualCorrelation, residual_correlation
from ._covariance import Covariance, covariance
from ._elements import Elements
from ._emphasis import Attention, Causal
from ._fit import Step
from ._gauss_newton import GaussNewton
from ._keeper import Keeper, fingerprint
from ._least_squares import LeastSquaresSystem, LevenbergMarquardt, minimise
from ._load import load
from ._neural import Neural
from ._optimiser import RUNNING, System
from ._progress import Moment, Watcher, watcher
from ._sampling import Fixed, ResidualDriven
from ._simulated import Identified, Simulated
from ._solution import CrossCheck, Solution
from ._solve import solve
from ._task import Layout
from ._uncertainty import hat_diagonal
from ._unknown_field import FieldEstimate
from ._verify import at_sensors, profile, verify

__all__ = [
    "RUNNING",
    "Adam",
    "AtBoundary",
    "Attention",
    "Candidate",
    "Causal",
    "Closure",
    "Collocation",
    "Continuation",
    "Covariance",
    "CrossCheck",
    "Elements",
    "FieldEstimate",
    "Fixed",
    "GaussNewton",
    "Identified",
    "Keeper",
    "Layout",
    "LeastSquaresSystem",
    "LevenbergMarquardt",
    "Match",
    "Moment",
    "Neural",
    "ResidualCorrelation",
    "ResidualDriven",
    "SelfScaledBroyden",
    "Simulated",
    "Solution",
    "Step",
    "System",
    "Term",
    "Watcher",
    "at_sensors",
    "candidates",
    "closure",
    "correction",
    "covariance",
    "fingerprint",
    "hat_diagonal",
    "load",
    "minimise",
    "profile",
    "residual_correlation",
    "solve",
    "verify",
    "watcher",
]
