"""Terms that a problem may lack, and the problem with an unknown coefficient in front of each of them."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import equinox as eqx

from .._core.messages import BadInput, listing, nearest, shown
from .._core.names import arguments, join_derivative, signature_of
from ..geometry import Part
from ..problem import Flux, Problem, Real, Value, changed, order_table
from ._scaling import field_size, law_sizes, typical_length


@dataclass(frozen=True)
class Term:
    """A term that a law may lack: the law is then law(...) + theta * function(...) = 0.

    function   of fields, derivatives, coordinates, constants and unknowns by name, such as `lambda u_x: u_x`.
    law        the name of the law; may be left out where there is only one.
    """

    function: Callable
    law: str | None = None


@dataclass(frozen=True)
class AtBoundary:
    """A term that a condition may lack: what is given for a quantity on a part becomes g + theta * function(...).

    `AtBoundary(domain.at(x=1), u=lambda u: -u)` in front of `Flux(domain.at(x=1), u=0.0)`: heat that leaks out, with
    theta as the transfer coefficient; in front of `Value(domain.at(y=0), w=0.0)`, `w=lambda w_y: w_y` is a slip length.
    """

    part: Part
    targets: dict[str, Callable] = field(hash=False)

    def __init__(self, part: Part, /, **targets: Callable):
        if len(targets) != 1:
            raise BadInput(f"AtBoundary at {part} needs one quantity, such as u=lambda u: -u; got {listing(targets)}.")
        object.__setattr__(self, "part", part)
        object.__setattr__(self, "targets", targets)


Candidate = Callable | Term | AtBoundary


class Extended(eqx.Module):
    """A function with further terms, each with its coefficient: base(...) + sum_i theta_i term_i(...)."""

    base: Callable
    terms: tuple[tuple[str, Callable], ...]

    @property
    def __name__(self) -> str:
        return getattr(self.base, "__name__", "function")

    @property
    def __signature__(self) -> inspect.Signature:
        names = dict.fromkeys(arguments(self.base, "the law"))
        for coefficient, term in self.terms:
            names |= dict.fromkeys((coefficient, *arguments(term, "a candidate")))
        return signature_of(tuple(names))

    def __call__(self, **values):
        total = self.base(**{name: values[name] for name in arguments(self.base, "the law")})
        for coefficient, term in self.terms:
            total = total + values[coefficient] * term(**{n: values[n] for n in arguments(term, "a candidate")})
        return total


def candidates(problem: Problem) -> dict[str, Candidate]:
    """Terms that are often forgotten, by name, for every law: a constant source, powers of each field, its derivatives
    below the order of the law and the highest one, the field times its slope.

    None raises the order of a law along an axis, which would ask for more conditions. Add your own:
    {**lf.candidates(problem), "u sin(u)": lambda u: u * jnp.sin(u)}.
    """
    found: dict[str, Candidate] = {}
    several = len(problem.laws) > 1
    for row, law in enumerate(problem.laws):
        for name, function in terms_of_law(problem, row).items():
            found[f"{name} in {law}" if several else name] = Term(function, law)
    return found


def terms_of_law(problem: Problem, row: int) -> dict[str, Callable]:
    axes, found = problem.domain.axes, {"1": function_of("1", ())}
    for column, name in enumerate(problem.fields):
        if order_table(problem, axes[0])[row, column] < 0 and len(problem.fields) > 1:
            continue
        found[name] = function_of(name, (name,))
        found |= {f"{name}^{power}": function_of(f"{name}^{power}", (name,)) for power in (2, 3)}
        for axis in axes:
            order = int(order_table(problem, axis)[row, column])
            slopes = [join_derivative(name, (axis,) * d, axes) for d in range(1, order + 1)]
            steady = len(axes) == 1
            for d, slope in enumerate(slopes, start=1):
                if d < order or (not steady and order > 1):
                    found[slope] = function_of(slope, (slope,))
            if order > 1:
                first = slopes[0]
                product = f"|{first}| {first}" if steady else f"{name} {first}"
                found[product] = function_of(product, (first,) if steady else (name, first))
    return found


@functools.cache
def function_of(text: str, names: tuple[str, ...]) -> Callable:
    """A function of named arguments that computes what `text` says; the same object for the same text, so that programs
    are shared."""
    if "^" in text:
        power = int(text.rsplit("^", 1)[1])
        body: Callable = lambda u: u**power
    elif text.startswith("|"):
        body = lambda v: abs(v) * v
    elif len(names) == 2:
        body = lambda u, v: u * v
    elif names:
        body = lambda u: u
    else:
        body = lambda: 1.0

    def call(**values):
        return body(*(values[name] for name in names))

    call.__signature__ = signature_of(names)  # type: ignore[attr-defined]
    return call


def extended(problem: Problem, wanted: Mapping[str, Candidate]) -> tuple[Problem, dict[str, str]]:
    """The problem with every candidate in it, each with an unknown coefficient whose guess is 0; and the names of the
    coefficients by candidate.

    Raises `BadInput` for a candidate that names an unknown law, stands at a part without such a condition, or raises
    the order of a law, which would need more conditions than the problem has.
    """
    terms = {name: as_term(name, given) for name, given in wanted.items()}
    names = {name: free_name(problem, f"theta{i + 1}") for i, name in enumerate(terms)}
    laws = {law: [] for law in problem.laws}
    for name, term in terms.items():
        if isinstance(term, Term):
            laws[law_of(problem, name, term)].append((names[name], term.function))
    conditions = [
        with_terms(c, [(names[n], t) for n, t in terms.items() if isinstance(t, AtBoundary)])
        for c in problem.conditions
    ]
    for name, term in terms.items():
        if isinstance(term, AtBoundary):
            check_part(problem, name, term)
        else:
            check_order(problem, name, term)
    scales = scales_of(problem, terms)
    whole = {
        law: Extended(problem.laws[law], tuple(added)) if added else problem.laws[law] for law, added in laws.items()
    }
    coefficients = {names[name]: Real(0.0, scale=scales[name]) for name in terms}
    unknowns = {**problem.unknowns, **coefficients}
    return changed(problem, laws=whole, conditions=tuple(conditions), unknowns=unknowns), names


def as_term(name: str, given: object) -> Term | AtBoundary:
    if isinstance(given, Term | AtBoundary):
        return given
    if not callable(given):
        raise BadInput(f"candidate '{name}' must be a function, lf.Term or lf.AtBoundary; got {shown(given)}.")
    return Term(given)


def free_name(problem: Problem, name: str) -> str:
    """A name that the problem does not use."""
    while name in problem.vocabulary.declared:
        name += "_"
    return name


def law_of(problem: Problem, name: str, term: Term) -> str:
    if term.law is None:
        if len(problem.laws) > 1:
            raise BadInput(
                f"candidate '{name}' does not say which law it belongs to; write lf.Term(function, law=...) with one of"
                f" {listing(problem.laws)}."
            )
        return next(iter(problem.laws))
    if term.law not in problem.laws:
        raise BadInput(
            f"candidate '{name}' names the law '{term.law}', which does not exist{nearest(term.law, problem.laws)}"
            f" Laws: {listing(problem.laws)}."
        )
    return term.law


def check_order(problem: Problem, name: str, term: Term) -> None:
    """A candidate with a higher derivative than its law needs conditions that nobody gave."""
    law = law_of(problem, name, term)
    row = list(problem.laws).index(law)
    alone = changed(problem, laws={name: term.function}, conditions=(), data=())
    for axis in problem.domain.axes:
        had, asked = order_table(problem, axis)[row], order_table(alone, axis)[0]
        for column, field_name in enumerate(problem.fields):
            if asked[column] > max(had[column], 0):
                raise BadInput(
                    f"candidate '{name}' holds the derivative of order {asked[column]} of {field_name} along {axis},"
                    f" but law '{law}' is of order {max(had[column], 0)} there: the problem with it would need another"
                    f" condition on {axis}. State the law with that term and verify it, or leave the candidate out."
                )


def check_part(problem: Problem, name: str, term: AtBoundary) -> None:
    [quantity] = term.targets
    for condition in problem.conditions:
        if isinstance(condition, Value | Flux) and quantity in condition.targets and touches(condition.part, term.part):
            return
    raise BadInput(
        f"candidate '{name}': there is no Value or Flux of '{quantity}' at {term.part} to which it could be added."
    )


def touches(part: Part, other: Part) -> bool:
    """Whether the faces of `other` are all faces of `part`."""
    return bool(other.faces) and set(other.faces) <= set(part.faces)


def with_terms(condition, added: list[tuple[str, AtBoundary]]):
    """A condition with the candidates that stand on its part."""
    if not isinstance(condition, Value | Flux):
        return condition
    targets = {}
    for quantity, target in condition.targets.items():
        terms = tuple(
            (name, term.targets[quantity])
            for name, term in added
            if quantity in term.targets and touches(condition.part, term.part)
        )
        targets[quantity] = Extended(target, terms) if terms else target
    return type(condition)(condition.part, **targets)


def scales_of(problem: Problem, terms: Mapping[str, Term | AtBoundary]) -> dict[str, float]:
    """A typical size of each coefficient: that at which its term is as large as the law's other terms."""
    lengths = {axis: typical_length(problem, axis) for axis in problem.domain.axes}
    fields = {name: field_size(problem, [problem], name, lengths) for name in problem.fields}
    whole = law_sizes(problem, fields, lengths)
    functions = {n: t.function if isinstance(t, Term) else next(iter(t.targets.values())) for n, t in terms.items()}
    moving = {f"it{i}": functions[name] for i, name in enumerate(terms) if arguments(functions[name], name)}
    alone = changed(problem, laws=moving or problem.laws, conditions=(), data=())
    sizes = law_sizes(alone, fields, lengths)
    found = {}
    for i, (name, term) in enumerate(terms.items()):
        size = sizes.get(f"it{i}", 1.0)
        if isinstance(term, Term):
            found[name] = whole[law_of(problem, name, term)] / size
        else:
            [quantity] = term.targets
            base = problem.vocabulary.resolve(quantity, name).base
            found[name] = fields.get(base, 1.0) / lengths[term.part.faces[0].axis] / size
        if not (math.isfinite(found[name]) and found[name] > 0):
            found[name] = 1.0
    return found
