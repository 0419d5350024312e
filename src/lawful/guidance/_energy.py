"""What a design should obey, as an energy: a sum of terms, each a plain function in a unit of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput, listing, shown
from ._schedules import Power, Schedule


class Term(eqx.Module):
    """One energy, design -> scalar, low where the design is good.

    function   of a design as the sampler makes it; differentiable where a guide takes its gradient. A module with its
               arrays as fields compiles once for all of them, a plain function with its arrays inside once for each.
    unit       in which it is given, for what is printed.
    kT         how many of these units make one kT: a design that is so much worse is e times less likely. 0.593 for
               kcal/mol at room temperature; for a restraint (x - x0)^2 the half width squared, times two.
    schedule   how strongly it counts along the way; by default share^2, since an answer from noise says little. Counted
               in full from the beginning it is overconfident: most particles die in the first steps.
    """

    function: Callable[[Any], Float[Array, ""]]
    unit: str = eqx.field(static=True, default="kT")
    kT: float = 1.0
    schedule: Schedule = eqx.field(default_factory=lambda: Power(exponent=2.0))

    def __check_init__(self):
        if not callable(self.function):
            raise BadInput(f"Term({shown(self.function)}): give a function of the design that returns its energy.")
        if not (np.isfinite(self.kT) and self.kT > 0):
            raise BadInput(f"Term(kT={shown(self.kT)}): give how many {self.unit} make one kT, a positive number.")


class Energy(eqx.Module):
    """A sum of named terms: `Energy(clash=Term(clash, "kcal/mol", kT=0.593), closed=lambda design: ...)`.

    Designs are asked to follow p(design) exp(-sum_i E_i / kT_i), p being what the sampler learned. Sums of energies are
    products of experts: `one + other`; `3 * energy` counts three times as much.
    """

    names: tuple[str, ...] = eqx.field(static=True)
    each_term: tuple[Term, ...]  # in the order of the names, which a dict would lose in compiled code

    def __init__(self, **terms: Term | Callable[[Any], Float[Array, ""]]):
        if not terms:
            raise BadInput("Energy() has no term; write Energy(clash=lambda design: ...).")
        self.names = tuple(terms)
        self.each_term = tuple(term if isinstance(term, Term) else Term(term) for term in terms.values())

    @property
    def terms(self) -> dict[str, Term]:
        return dict(zip(self.names, self.each_term, strict=True))

    def each(self, design: Any) -> Float[Array, " terms"]:
        """Every term in kT, unscheduled."""
        return jnp.stack([jnp.reshape(term.function(design), ()) / term.kT for term in self.terms.values()])

    def strengths(self, share: Float[Array, ""]) -> Float[Array, " terms"]:
        """How strongly each counts at a share of the way."""
        return jnp.stack([term.schedule(share) for term in self.terms.values()])

    def __call__(self, design: Any, share: Float[Array, ""] | float = 1.0) -> Float[Array, ""]:
        """The sum in kT."""
        return self.strengths(jnp.asarray(share, float)) @ self.each(design)

    def __add__(self, other: Energy) -> Energy:
        both = self.terms.keys() & other.terms.keys()
        if both:
            raise BadInput(f"both energies have a term {listing(sorted(both))}; give each a name of its own.")
        return Energy(**self.terms, **other.terms)

    def __rmul__(self, factor: float) -> Energy:
        if not (np.isfinite(factor) and factor > 0):
            raise BadInput(f"{shown(factor)} * energy: the factor must be positive and finite.")
        return Energy(**{name: replace(term, kT=term.kT / factor) for name, term in self.terms.items()})

    def __repr__(self) -> str:
        return f"Energy({', '.join(f'{name}: {t.unit}, kT = {t.kT:g}' for name, t in self.terms.items())})"
