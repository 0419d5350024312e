"""What guidance needs to know of a sampler."""

from __future__ import annotations

from typing import Any, Protocol

from jaxtyping import Array, Float, Int, Key

Design = Any
"""Any tree of arrays: heights of a texture, frames of residues, logits of a sequence."""
Tangent = Any
"""A small displacement of a design, a tree of arrays in coordinates in which lengths are added: for a rotation its
rotation vector."""


class Process(Protocol):
    """A way from noise to designs in `steps` steps, each a Gaussian around a mean.

    One step, from k to k+1:  design' = moved(mean(design, answer, k), spread(k) * standard normal tangent).
    """

    @property
    def steps(self) -> int: ...

    def start(self, key: Key) -> Design:
        """Noise."""
        ...

    def share(self, k: Int[Array, ""]) -> Float[Array, ""]:
        """The share of the way at step k, from 0 to 1."""
        ...

    def answer(self, design: Design, k: Int[Array, ""], before: Design) -> Design:
        """The clean design that the network expects at the end; `before` is what it expected a step ago."""
        ...

    def mean(self, design: Design, answer: Design, k: Int[Array, ""]) -> Design:
        """Where the next design lies in the mean, given the answer."""
        ...

    def spread(self, k: Int[Array, ""]) -> Float[Array, ""]:
        """The standard deviation of the step's noise; 0 where there is none."""
        ...

    def variance(self, k: Int[Array, ""]) -> Float[Array, ""]:
        """Of the clean design about the answer, per coordinate, as a rule of thumb."""
        ...

    def gain(self, k: Int[Array, ""]) -> Float[Array, ""]:
        """By how much the answer moves for a unit of gradient of a log-likelihood in the noisy design."""
        ...

    def moved(self, design: Design, by: Tangent) -> Design: ...

    def apart(self, one: Design, other: Design) -> Tangent:
        """The displacement that moves one to the other."""
        ...

    def still(self, design: Design) -> Tangent:
        """No displacement."""
        ...
