"""What came out of an inversion."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from .._core.estimates import Estimate, plain
from .._core.messages import BadInput, listing, nearest
from .._core.record import Account, Section, Status, Table
from ..solve import ResidualCorrelation
from ._misfit import Misfit


@dataclass(frozen=True)
class Search:
    """How the answer was looked for: starts, how many of them were followed to the bottom, how many of those arrived
    at the best answer or one as good."""

    starts: int
    followed: int
    arrived: int

    def __str__(self) -> str:
        return f"{self.arrived} of the {self.followed} best of {self.starts} starts arrived at this misfit"


@dataclass(frozen=True)
class Alternative:
    """Another medium that explains the data as well: its layers, and how much larger chi2 is."""

    layers: dict[str, Float[np.ndarray, " layers"]]
    excess: float


@dataclass(frozen=True)
class Fit:
    """A measured channel beside its prediction; `sd` is its noise, `lean` how neighbouring residuals hang together."""

    channel: str
    axis: str
    places: Float[np.ndarray, " n"]
    measured: Float[np.ndarray, " n"]
    predicted: Float[np.ndarray, " n"]
    sd: float
    noise_estimated: bool
    lean: ResidualCorrelation


@dataclass(frozen=True)
class Inversion:
    """The answer of `invert`.

    inversion["modulus"]     an `Estimate` of an unknown, value ± sd, one number per layer.
    inversion.layers         `Estimate`s of all that the layers are, by name: what was known, what was found, and what
                             waves feel of them (impedance, travel time), each with one number per layer.
    inversion.bounds         the same with Cramer-Rao bounds in place of sd: what no unbiased estimate from these data
                             can beat, priors left out.
    inversion.undetermined   the directions in which nothing is known, as combinations of unknowns that may take any
                             value; an estimate that they touch has an infinite sd.
    inversion.alternatives   other answers that explain the data as well.
    inversion.status         whether to believe it, and why.
    """

    medium: Any
    unknowns: dict[str, Estimate]
    layers: dict[str, Estimate]
    bounds: dict[str, Estimate]
    undetermined: tuple[str, ...]
    alternatives: tuple[Alternative, ...]
    fits: tuple[Fit, ...]
    chi2: float
    dof: float
    noise_estimated: bool
    search: Search
    status: Status
    seconds: float
    misfit: Misfit = field(repr=False)
    x: Float[np.ndarray, " n"] = field(repr=False)

    def __getitem__(self, name: str) -> Estimate:
        found = {**self.layers, **self.unknowns}
        if name not in found:
            raise BadInput(f"'{name}' was not looked for{nearest(name, found)} Known: {listing(found)}.")
        return found[name]

    @property
    def noise(self) -> dict[str, float]:
        """The noise of every channel, estimated or given."""
        return {fit.channel: fit.sd for fit in self.fits}

    @property
    def p_value(self) -> float:
        """The probability of a worse fit if medium and noise are right; NaN where noise was estimated."""
        from scipy import special

        return float("nan") if self.noise_estimated else float(special.chdtrc(self.dof, self.chi2))

    def layer(self, index: int) -> dict[str, Estimate]:
        """All that is known of one layer."""
        return {
            name: Estimate(name, float(np.asarray(all_.value)[index]), float(np.asarray(all_.sd)[index]), all_.dof)
            for name, all_ in self.layers.items()
        }

    def to_json(self) -> dict:
        """Layers as a list of estimates, what is undetermined, noise and misfit, in numbers."""
        count = np.size(next(iter(self.layers.values())).value)
        return {
            "layers": [{name: one.to_json() for name, one in self.layer(i).items()} for i in range(count)],
            "undetermined": list(self.undetermined),
            "alternatives": [
                {"excess": other.excess, "layers": {name: plain(values) for name, values in other.layers.items()}}
                for other in self.alternatives
            ],
            "misfit": self.chi2 / self.dof,
            "noise": self.noise,
            "search": {"starts": self.search.starts, "followed": self.search.followed, "arrived": self.search.arrived},
            "status": str(self.status),
        }

    def summary(self) -> str:
        """The answer for a reader at a terminal."""
        return "\n".join([*self.table().lines(), *self.sentences(), str(self.status)])

    def table(self) -> Table:
        """A row for each layer."""
        names = tuple(self.layers)
        count = np.size(self.layers[names[0]].value)
        rows = [(str(index + 1), *(str(one) for one in self.layer(index).values())) for index in range(count)]
        return Table(("layer", *names), tuple(rows))

    def sentences(self) -> list[str]:
        """What the data do not determine, other answers, noise and misfit."""
        said = []
        if self.undetermined:
            said.append(
                f"not determined: {listing(self.undetermined)} can take any value; what these directions leave alone is"
                " known."
            )
        for other in self.alternatives:
            told = listing(f"{name} {np.array2string(values, precision=4)}" for name, values in other.layers.items())
            said.append(f"explains the data as well (chi2 larger by {other.excess:.2g}): {told}")
        kind = "estimated" if self.noise_estimated else "given"
        said.append(
            f"chi2 {self.chi2:.1f} for {self.dof:.1f} degrees of freedom, noise {kind}:"
            f" {listing(f'{name} {level:.3g}' for name, level in self.noise.items())}"
        )
        return [*said, str(self.search)]

    def record(self, title: str = "Hidden layers") -> Account:
        """The answer as a page."""
        from ._pictures import fit_drawings, strips_drawing

        found = Section("Layers", tuple(self.sentences()), (self.table(),), (strips_drawing(self),))
        fit = Section("Records and fit", tuple(f"{f.channel}: {f.lean}." for f in self.fits), (), fit_drawings(self))
        return Account(self.status, self.seconds, (found, fit), "multistart least squares", title)
