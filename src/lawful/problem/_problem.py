"""A problem: everything that is known, in one frozen object."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import equinox as eqx
import numpy as np

from .._core.messages import BadInput, listing, nearest, shown
from .._core.names import Vocabulary, declare
from .._core.numbers import real_array
from ..geometry import Domain
from ._by_region import all_regions, by_region
from ._conditions import Condition
from ._data import Data
from ._unknowns import Unknown

if TYPE_CHECKING:
    from ._check import Check

PARTS_OF_A_SOLUTION = """
    accuracy audits bic check chi2 converged correlation crosscheck digest dof estimates evaluate fitted history lines
    load log_likelihood method model noise on_grid p_value plot problem record refinements residual_correlation
    residual_map save seconds sizes status summary task to_json to_xarray undetermined
"""
RESERVED = frozenset(PARTS_OF_A_SOLUTION.split())
"""What a solution calls its own parts: `solution.noise` could not be a field as well."""


class Problem(eqx.Module):
    """Laws, conditions and data on a domain; what is not known is declared in `unknowns`.

    domain      a `Box` of named axes, another shape (`Disk`, `Polygon`, ...), a shape times a box, or `Regions` of
                these.
    fields      names of the fields to be found: "u", "u, v" or a sequence of names.
    laws        residuals by name: functions of fields, their derivatives, coordinates, constants, unknowns and derived
                quantities, matched by the names of their arguments; a law holds where its function is zero.
    conditions  `Value`, `Flux`, `Periodic`, `Free` on parts of the domain, `Continuous` where regions touch.
    unknowns    `Real`, `Positive`, `Bounded` by name.
    constants   known numbers or arrays by name. Constants and unknowns may differ by region, and then be known in some
                regions only: constants={"k": {"steel": 45.0}}, unknowns={"k": {"wool": lf.Positive(0.1)}}; what is
                found is called "k[wool]".
    derived     intermediate quantities by name, whose derivatives can be used like a field's:
                derived={"flux": lambda D, u_x: D * u_x}, then `flux_x` in a law.
    data        `Data`, one or several.

    Raises `BadInput` for names that collide or cannot be resolved; `check()` looks at everything else.
    """

    domain: Domain
    fields: tuple[str, ...] = eqx.field(static=True)
    laws: dict[str, Callable]
    conditions: tuple[Condition, ...]
    unknowns: dict[str, Unknown]
    constants: dict[str, np.ndarray]
    derived: dict[str, Callable]
    data: tuple[Data, ...]
    regional: tuple[tuple[str, tuple[str, ...]], ...] = eqx.field(static=True)
    """Names that differ by region, with the names under which each region's value stands in constants or unknowns; of a
    single region where the domain is one of several."""
    extent: tuple[tuple[str, tuple[float, float]], ...] = eqx.field(static=True)
    """The ends of every axis over which unknown fields are declared: those of all regions together."""

    def __init__(
        self,
        domain: Domain,
        fields: str | Sequence[str],
        laws: Mapping[str, Callable],
        conditions: Sequence[Condition] = (),
        unknowns: Mapping[str, Unknown] | None = None,
        constants: Mapping[str, object] | None = None,
        derived: Mapping[str, Callable] | None = None,
        data: Data | Sequence[Data] = (),
    ):
        if not isinstance(domain, Domain):
            raise BadInput(
                f"domain must be a Box or another shape, such as lf.Box(t=(0, 1)), but it is {type(domain).__name__}"
                f" {shown(domain)}."
            )
        self.domain = domain
        self.fields = field_names(fields)
        self.laws = checked_mapping("laws", laws, 'laws={"decay": lambda u, u_t, k: u_t + k * u}')
        self.conditions = checked_sequence("conditions", conditions, Condition, "lf.Value(domain.at(t=0), u=1.0)")
        given = checked_mapping("unknowns", unknowns or {}, 'unknowns={"k": lf.Positive(guess=1.0)}')
        known = checked_mapping("constants", constants or {}, 'constants={"g": 9.81}')
        self.unknowns, found = by_region("unknown", given, domain)
        known, fixed = by_region("constant", known, domain)
        self.constants = {name: checked_constant(name, value) for name, value in known.items()}
        self.regional = all_regions(domain, fixed, found)
        self.extent = tuple((axis, domain.ends(axis)) for axis in domain.axes)
        self.derived = checked_mapping("derived", derived or {}, 'derived={"flux": lambda D, u_x: D * u_x}')
        self.data = checked_sequence(
            "data", [data] if isinstance(data, Data) else data, Data, "lf.Data({'t': t, 'u': u})"
        )
        self._check_declarations()
        self._check_names()

    @property
    def vocabulary(self) -> Vocabulary:
        """Every name that laws, derived quantities and observations may use."""
        plain = [name for name in (*self.constants, *self.unknown_scalars) if name not in self._hidden]
        return Vocabulary(
            self.domain.axes,
            (*self.fields, *self.derived, *self.unknown_fields),
            (*plain, *(name for name, _ in self.regional)),
        )

    @property
    def unknown_fields(self) -> tuple[str, ...]:
        return tuple(name for name, unknown in self.unknowns.items() if unknown.over is not None)

    @property
    def unknown_scalars(self) -> tuple[str, ...]:
        """Unknown numbers and vectors, all that are not functions of an axis."""
        return tuple(name for name, unknown in self.unknowns.items() if unknown.over is None)

    def ends(self, axis: str) -> tuple[float, float]:
        """The ends of an axis over which unknown fields are declared."""
        return dict(self.extent)[axis]

    def check(self) -> Check:
        """Look for everything that would make a solve meaningless; raise `BadInput` with the cure, or say what holds.

        The record lists how each condition is imposed, what each data set observes and what is left to be found.
        """
        from ._check import check

        return check(self)

    @property
    def _hidden(self) -> frozenset[str]:
        """The names of constants and unknowns of one region, which laws see under the name of all."""
        return frozenset(key for _, keys in self.regional for key in keys)

    def _check_declarations(self) -> None:
        groups = {
            "axis": self.domain.axes,
            "field": self.fields,
            "derived quantity": tuple(self.derived),
            "unknown": tuple(name for name in self.unknowns if name not in self._hidden),
            "constant": tuple(name for name in self.constants if name not in self._hidden),
            "quantity by region": tuple(name for name, _ in self.regional),
        }
        seen: dict[str, str] = {}
        for kind, names in groups.items():
            declare(dict.fromkeys(names, kind))
            for name in names:
                if name in seen:
                    raise BadInput(f"'{name}' is declared twice, as {seen[name]} and as {kind}; rename one of them.")
                if name in RESERVED and kind != "constant":
                    raise BadInput(
                        f"'{name}' cannot name {'an' if kind[0] in 'au' else 'a'} {kind}: a solution has a part of that"
                        " name; rename it."
                    )
                seen[name] = kind
        for name, unknown in self.unknowns.items():
            if not isinstance(unknown, Unknown):
                raise BadInput(
                    f"unknown '{name}' must be lf.Real, lf.Positive or lf.Bounded, such as lf.Positive(guess=1.0), but"
                    f" it is {shown(unknown)}."
                )
            if unknown.over is not None:
                if name in self._hidden:
                    raise BadInput(
                        f"unknown field '{name}' is given by region; declare one field over the whole axis instead."
                    )
                if unknown.over not in self.domain.axes:
                    raise BadInput(
                        f"unknown field '{name}' is declared over '{unknown.over}', which is no axis of the domain"
                        f"{nearest(unknown.over, self.domain.axes)} Axes: {listing(self.domain.axes)}."
                    )
                if unknown.guess.ndim:
                    raise BadInput(
                        f"unknown field '{name}' needs one number as its guess, but got shape {unknown.guess.shape}."
                    )

    def _check_names(self) -> None:
        for name, function in self.laws.items():
            self.vocabulary.resolve_all(function, f"law '{name}'")
        for name, function in self.derived.items():
            self.vocabulary.resolve_all(function, f"derived quantity '{name}'")
        check_no_cycle(self)


def changed(problem: Problem, **parts: Any) -> Problem:
    """The same problem with some parts exchanged, which are taken as they are; the names in its laws must be known."""
    new = object.__new__(Problem)
    for part in dataclasses.fields(Problem):
        object.__setattr__(new, part.name, parts.pop(part.name, getattr(problem, part.name)))
    assert not parts, f"a problem has no {listing(parts)}"
    new._check_names()
    return new


def field_names(fields: str | Sequence[str]) -> tuple[str, ...]:
    if isinstance(fields, str):
        names = tuple(fields.replace(",", " ").split())
    elif isinstance(fields, Sequence):
        names = tuple(fields)
    else:
        raise BadInput(f'fields must be names, such as "u, v" or ["u", "v"]; got {shown(fields)}.')
    if not names:
        raise BadInput('a problem needs at least one field; write fields="u".')
    if not all(isinstance(name, str) for name in names):
        raise BadInput(f'fields must be names, such as "u, v" or ["u", "v"]; got {shown(fields)}.')
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise BadInput(f"field {shown(repeated[0])} is named twice in fields={shown(fields)}; name each field once.")
    return names


def checked_mapping(kind: str, given: object, example: str) -> dict:
    if not isinstance(given, Mapping):
        raise BadInput(f"{kind} must be a mapping from names, such as {example}; got {type(given).__name__}.")
    return dict(given)


def checked_sequence(kind: str, given: object, wanted: type, example: str) -> tuple:
    if isinstance(given, str | Mapping) or not isinstance(given, Sequence):
        raise BadInput(f"{kind} must be a list, such as [{example}]; got {type(given).__name__}.")
    for item in given:
        if not isinstance(item, wanted):
            raise BadInput(f"{kind} must hold objects like {example}; got {type(item).__name__} {shown(item)}.")
    return tuple(given)


def checked_constant(name: str, value: object) -> np.ndarray:
    try:
        array = real_array(value)
    except TypeError as error:
        cure = "a quantity to be found belongs in unknowns" if isinstance(value, Unknown) else "give a number"
        raise BadInput(
            f"constant '{name}' must be a number or an array of numbers, but it is {shown(value)}, {error}; {cure}."
        ) from None
    if not np.all(np.isfinite(array)):
        raise BadInput(f"constant '{name}' is {shown(value)}; constants must be finite.")
    return array


def check_no_cycle(problem: Problem) -> None:
    """Derived quantities may use each other, but not in a circle."""
    uses = {
        name: {
            symbol.base for symbol in problem.vocabulary.resolve_all(function, f"derived quantity '{name}'").values()
        }
        for name, function in problem.derived.items()
    }
    done: set[str] = set()
    while len(done) < len(uses):
        ready = [name for name in uses if name not in done and not (uses[name] & set(uses)) - done]
        if not ready:
            raise BadInput(
                f"derived quantities {listing(n for n in uses if n not in done)} depend on each other in a"
                " circle; break it."
            )
        done.update(ready)
