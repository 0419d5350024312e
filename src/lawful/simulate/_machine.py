"""A system made ready for the march: its flow as a recipe, its reaction as a program, everything else as parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.extend.core import jaxpr_as_fun
from jaxtyping import Array, Bool, Float, Int

from ._expand import settled
from ._recipe import Recipe, recipe_of
from ._system import Reaction, Settings, System


class Inputs(NamedTuple):
    """The numbers of a run: parameters, and what user's functions closed over."""

    parameters: list[Array]
    flow: list[Array]
    reaction: list[Array]
    one: Float[Array, ""]  # see `settled`


@dataclass(frozen=True)
class Machine:
    """A system with its recipe and settings. Its numbers come apart, as `Inputs`."""

    system: System
    settings: Settings
    recipe: Recipe
    reaction: Callable

    def known(self, inputs: Inputs) -> dict[int, Array]:
        """What can be computed before the start."""
        return settled(self.recipe, [*inputs.parameters, *inputs.flow], inputs.one)

    def react(self, t, y: list[Array], mode, which: Bool[Array, " guards"], inputs: Inputs) -> Reaction:
        return self.reaction(inputs.reaction, t, y, mode, which, inputs.parameters)


class Start(NamedTuple):
    """Where a run begins, after the contacts that are closed at the start have sorted themselves out."""

    t: Float[Array, ""]
    y: list[Array]
    mode: Any
    fresh: Int[Array, " guards"]
    sound: Bool[Array, ""]


def prepared(
    system: System, settings: Settings, t, y: list[Array], parameters: list[Array]
) -> tuple[Machine, Inputs, Start]:
    """The machine of a system, its inputs and its start."""
    begin, mode, fresh, sound = system.start(t, y, parameters)
    data = system.data(mode)

    def flow(t, *rest):
        state, held, given = rest[: len(y)], rest[len(y) : len(y) + len(data)], rest[len(y) + len(data) :]
        rates, guards = system.flow(t, list(state), list(held), list(given))
        return [*rates, guards]

    recipe, flow_arrays = recipe_of(jax.make_jaxpr(flow)(t, *begin, *data, *parameters), len(y), len(data))
    which = jnp.zeros(system.guards[0], bool)
    reaction, reaction_arrays = opened(system.react, t, begin, mode, which, parameters)
    # A number that depends on an input in form only.
    one = jnp.where(t == t, 1.0, jnp.nan)
    inputs = Inputs(parameters, flow_arrays, reaction_arrays, one)
    return Machine(system, settings, recipe, reaction), inputs, Start(t, begin, mode, fresh, sound)


def opened(function: Callable, *examples) -> tuple[Callable, list[Array]]:
    """A function without the arrays that it closes over, which become its first argument."""
    program, shapes = jax.make_jaxpr(function, return_shape=True)(*examples)
    structure = jax.tree.structure(shapes)

    def call(arrays: list[Array], *args):
        found = jaxpr_as_fun(program.replace(consts=arrays))(*jax.tree.leaves(args))
        return jax.tree.unflatten(structure, found)

    return call, list(program.consts)
