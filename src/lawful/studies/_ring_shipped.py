"""Trained generators, the surrogate, the library and what is attainable: one file, read without pickle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .._core.files import read_arrays, write_arrays
from .._core.leaves import by_name, put_back
from .._core.messages import BadInput
from ..design import Adversarial, Matched, Surrogate, Tower
from ._ring import CONTROLS
from ._ring_data import asked_space
from ._ring_generators import Calculator, Library
from ._ring_surrogate import build

SHIPPED = Path(__file__).parent / "weights" / "generator.npz"
GRID = (CONTROLS, CONTROLS)
OUTPUTS = ("friction", "stress", "gap")


class Attainable(NamedTuple):
    """Frictions by pressure: `least` of the best free form found, `low` and `high` the ends of 98 % of the library's
    textures that carry about as much."""

    pressure: Float[np.ndarray, " k"]
    least: Float[np.ndarray, " k"]
    low: Float[np.ndarray, " k"]
    high: Float[np.ndarray, " k"]

    def at(self, pressure: float) -> tuple[float, float, float]:
        log = lambda table: float(np.exp(np.interp(np.log(pressure), np.log(self.pressure), np.log(table))))
        return log(self.least), log(self.low), log(self.high)


class Shipped(NamedTuple):
    """`nets` by the names of `blank`, those that are trained."""

    calculator: Calculator
    nets: Mapping[str, Matched | Adversarial]
    library: Library
    attainable: Attainable
    card: Mapping[str, Any]


def blank(widths: tuple[int, ...] = (96,)) -> dict[str, Any]:
    """The shapes of the networks, no numbers drawn."""
    key = jax.random.PRNGKey(0)
    makers = {
        "flow": lambda: Matched(Tower(6, widths, key), GRID),
        "gan": lambda: Adversarial(Tower(3, widths, key, channels=2), GRID),
        "plain": lambda: Adversarial(Tower(3, widths, key, channels=2), GRID),
    }
    return {name: eqx.filter_eval_shape(maker) for name, maker in makers.items()}


def save(path: Path, shipped: Shipped) -> None:
    """Networks in half precision, textures in 256 steps."""
    arrays: dict[str, np.ndarray] = {}
    for name, net in shipped.nets.items():
        leaves = by_name(eqx.filter(net, eqx.is_inexact_array))
        arrays |= {f"{name} {leaf}": a.astype(np.float16) for leaf, a in leaves.items()}
    surrogate = shipped.calculator.surrogate
    leaves = by_name(eqx.filter(surrogate.members, eqx.is_inexact_array))
    arrays |= {f"surrogate {leaf}": a.astype(np.float32) for leaf, a in leaves.items()}
    for kind in ("centre", "scale", "widen"):
        table = getattr(surrogate, kind)
        arrays[f"surrogate {kind}"] = np.array([float(table[n]) for n in OUTPUTS])
    arrays["library maps"] = np.round(255 * shipped.library.maps).astype(np.uint8)
    arrays |= {f"library {n}": a for n, a in shipped.library._asdict().items() if n != "maps"}
    arrays |= {f"attainable {n}": a for n, a in shipped.attainable._asdict().items()}
    single = {n: a.astype(np.float32) if a.dtype == np.float64 else a for n, a in arrays.items()}
    write_arrays(path, single, dict(shipped.card))


def load(path: Path = SHIPPED) -> Shipped:
    """What `save` wrote. Raises `BadInput` for a file of other networks."""
    arrays, card = read_arrays(path)
    part = lambda kind: {n.removeprefix(f"{kind} "): a for n, a in arrays.items() if n.startswith(f"{kind} ")}
    nets = {name: filled(net, part(name), path) for name, net in blank().items() if part(name)}
    found = part("surrogate")
    one = eqx.filter_eval_shape(lambda: build()(asked_space(), dict.fromkeys(OUTPUTS, ()), jax.random.PRNGKey(0)))
    count = len(found["leaf0"])
    stacked = lambda a: jax.ShapeDtypeStruct((count, *a.shape), a.dtype) if shaped(a) else a
    members = filled(jax.tree.map(stacked, one), found, path)
    table = lambda k: {n: jnp.asarray(x, jnp.float32) for n, x in zip(OUTPUTS, found[k], strict=True)}
    surrogate = Surrogate(asked_space(), members, table("centre"), table("scale"), table("widen"), names=OUTPUTS)
    known = part("library")
    library = Library(known["maps"].astype(np.float32) / 255, known["friction"], known["pressure"], known["feature"])
    return Shipped(
        Calculator.of(surrogate), nets, library=library, attainable=Attainable(**part("attainable")), card=card
    )


def filled(net: Any, found: Mapping[str, np.ndarray], path: Path) -> Any:
    """A network of the shapes of `net`, with what was found in a file."""
    arrays, rest = eqx.partition(net, shaped)
    back = put_back(found, arrays)
    if back is None:
        raise BadInput(
            f"{path} holds networks of another shape; train them again: lawful run generator --effort"
            " best --set keep=FOLDER."
        )
    return eqx.combine(jax.tree.map(lambda a: jnp.asarray(a, jnp.float32), back), rest)


def shaped(leaf: Any) -> bool:
    return isinstance(leaf, jax.ShapeDtypeStruct) or eqx.is_inexact_array(leaf)
