"""The contract of a trial field: a family of smooth functions with parameters to be fitted."""

from __future__ import annotations

import abc
from numbers import Integral

import equinox as eqx
from jaxtyping import Array, Float, Key, PyTree

from .._core.messages import BadInput, shown
from ..geometry import Domain

Place = dict[str, Float[Array, ""]]
"""Scaled coordinates by axis name, each in [-1, 1], in the order of the axes given to `init`."""


class Trial(eqx.Module):
    """A family of functions from scaled coordinates to a vector, linear or nonlinear in its parameters."""

    @property
    @abc.abstractmethod
    def beside(self) -> bool:
        """Whether a layer's spread coordinate enters beside its axis, or in its place."""

    @property
    def nonlinear(self) -> bool:
        """Whether the functions bend with their parameters, as a network's do: it is then fitted by long damped steps,
        at points that follow the residual."""
        return False

    def on(self, domain: Domain) -> Trial:
        """The family for a domain, where it depends on more than coordinates scaled to [-1, 1]."""
        return self

    @abc.abstractmethod
    def init(self, key: Key, axes: tuple[str, ...], periodic: tuple[str, ...], outputs: int) -> PyTree:
        """Starting parameters for `outputs` functions of `axes`, of which `periodic` ones close on themselves."""

    @abc.abstractmethod
    def __call__(self, params: PyTree, place: Place, periodic: tuple[str, ...]) -> Float[Array, " outputs"]:
        """The functions' values at one place."""

    @abc.abstractmethod
    def collocation_points(self, axes: int) -> int:
        """How many points of a box of `axes` axes hold the family to a law: more than it has parameters."""


def checked_count(kind: str, name: str, value: object) -> int:
    """A number of neurons, layers, modes: whole and at least one."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise BadInput(f"{kind}: {name} must be a whole number, such as 16, but it is {shown(value)}.")
    if value < 1:
        raise BadInput(f"{kind}: {name} must be at least 1, but it is {value}.")
    return int(value)
