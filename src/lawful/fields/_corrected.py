"""A trial field that corrects another: what a first fit left, by a second one."""

from __future__ import annotations

from jaxtyping import Array, Float, Key, PyTree

from ._base import Place, Trial


class Corrected(Trial):
    """first(known parameters) + size * second(parameters to be fitted).

    What a fitted network leaves is small and swings often: scaled by its size, a second network with Fourier features
    learns it as if it were of order one, where the first would have to change in its last digits.

    first    the trial field that was fitted, with its parameters `known`.
    second   the trial field of what it left.
    size     of what it left, relative to the fields.

    Source: Y. Wang and C.-Y. Lai, Multi-stage neural networks, J. Comput. Phys. 504, 112865 (2024).
    """

    first: Trial
    known: PyTree
    second: Trial
    size: Float[Array, ""]

    @property
    def beside(self) -> bool:
        return self.second.beside

    @property
    def nonlinear(self) -> bool:
        return self.second.nonlinear

    def init(self, key: Key, axes: tuple[str, ...], periodic: tuple[str, ...], outputs: int) -> PyTree:
        return self.second.init(key, axes, periodic, outputs)

    def __call__(self, params: PyTree, place: Place, periodic: tuple[str, ...]) -> Float[Array, " outputs"]:
        return self.first(self.known, place, periodic) + self.size * self.second(params, place, periodic)

    def collocation_points(self, axes: int) -> int:
        return self.second.collocation_points(axes)
