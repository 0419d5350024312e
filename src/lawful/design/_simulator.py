"""Any callable as a simulator of designs: values, and where wanted their slopes in the unit vector."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput, listing, nearest
from ._space import Space

Simulated = Callable[..., Mapping[str, Any]]
"""`simulate(**design) -> {"load": ..., "friction": ..., "pressure": ...}`: numbers and fields by name."""


class Sample(NamedTuple):
    """What a model says of one design. `slopes` of scalars only, in the unit vector; `failure` is "" where all went
    well, else why there are no values."""

    values: dict[str, Float[np.ndarray, "..."]]
    slopes: dict[str, Float[np.ndarray, " d"]]
    failure: str = ""


class Model(Protocol):
    """What can be optimised: a simulator or its surrogate."""

    @property
    def space(self) -> Space: ...

    def sample(self, u: Float[np.ndarray, " d"]) -> Sample: ...


class Simulator:
    """A simulator with the space of its designs.

    simulate  a callable of the design's names; one that JAX can trace where slopes are wanted.
    slopes    the scalar outputs whose derivatives in the design are computed, by one reverse pass each; none for a
              simulator that JAX cannot trace.

    A simulation fails where it raises `ValueError`, `ArithmeticError` or `RuntimeError`, or where an output or a slope
    is not finite. It then has no values, and says why; nothing is filled in.
    """

    def __init__(self, simulate: Simulated, space: Space, slopes: Sequence[str] = ()):
        self.simulate, self.space, self.slopes = simulate, space, tuple(slopes)
        self.calls, self.seconds = 0, 0.0
        self.compiled = jax.jit(self.traced) if self.slopes else None

    def traced(self, u: Float[jax.Array, " d"]) -> tuple[dict[str, jax.Array], dict[str, jax.Array]]:
        values, back, rest = jax.vjp(self.told, u, has_aux=True)
        zero = {name: jnp.zeros_like(value) for name, value in values.items()}
        slopes = {name: back({**zero, name: jnp.ones_like(values[name])})[0] for name in self.slopes}
        return {**rest, **values}, slopes

    def told(self, u: Float[jax.Array, " d"]) -> tuple[dict[str, jax.Array], dict[str, jax.Array]]:
        """The outputs that are differentiated, and all others."""
        found = {name: jnp.asarray(value) for name, value in self.simulate(**self.space.design(u)).items()}
        for name in self.slopes:
            if name not in found:
                raise BadInput(f"Simulator: slopes of '{name}' are wanted, but there is none{nearest(name, found)}")
            if found[name].shape != ():
                raise BadInput(f"Simulator: slopes of '{name}' are wanted, a field; name scalars only.")
        return {name: found[name] for name in self.slopes}, {n: v for n, v in found.items() if n not in self.slopes}

    def sample(self, u: Float[np.ndarray, " d"]) -> Sample:
        begin = time.perf_counter()
        self.calls += 1
        try:
            if self.compiled is None:
                design = {name: np.asarray(value) for name, value in self.space.design(np.asarray(u)).items()}
                values, slopes = dict(self.simulate(**design)), {}
            else:
                values, slopes = self.compiled(jnp.asarray(u))
            values, slopes = ({name: np.asarray(v, float) for name, v in each.items()} for each in (values, slopes))
        except BadInput:
            raise
        except (ValueError, ArithmeticError, RuntimeError) as error:
            return Sample({}, {}, f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")
        finally:
            self.seconds += time.perf_counter() - begin
        lost = [name for name, value in values.items() if not np.all(np.isfinite(value))]
        lost += [f"slope of {name}" for name, value in slopes.items() if not np.all(np.isfinite(value))]
        return Sample({}, {}, f"not finite: {listing(lost)}") if lost else Sample(values, slopes)
