"""A solution as a reader sees it: what reports and plots are made from."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import jax
import numpy as np

from .._core.compilation import compiled
from .._core.estimates import Estimate
from .._core.precision import in_float64
from .._core.record import FieldPanel, FitPanel, Record, ResidualPanel
from .._core.versions import version
from ..problem import Model
from ._fit import Step
from ._observations import Observation

if TYPE_CHECKING:
    from ._solution import Solution


@in_float64
def record(solution: Solution, title: str) -> Record:
    checked = solution.problem.check()
    weighed = [name.removeprefix("condition: ") for name in solution.task.blocks if name.startswith("condition: ")]
    panels = residual_panels(solution)
    return Record(
        title=title,
        method=type(solution.method).__name__,
        status=solution.status,
        seconds=solution.seconds,
        estimates={name: found for name, found in solution.estimates.items() if isinstance(found, Estimate)},
        correlation=solution.correlation,
        undetermined=solution.undetermined,
        noise=solution.noise,
        chi2=solution.chi2,
        dof=solution.dof,
        exact=tuple(text for text in checked.exact if text not in weighed),
        penalised=tuple(dict.fromkeys((*checked.penalised, *weighed))),
        observed=checked.observed,
        laws=tuple(law_text(name, law) for name, law in solution.problem.laws.items()),
        scaling=str(solution.sizes),
        fits=fit_panels(solution),
        fields=field_panels(solution),
        unknown_fields=unknown_panels(solution),
        residuals=panels,
        history=history(solution.history),
        versions={"lawful": version("lawful"), "jax": jax.__version__, "python": sys.version.split()[0]},
        notes=notes(solution),
    )


def notes(solution: Solution) -> tuple[str, ...]:
    found = []
    if solution.crosscheck is not None:
        found.append(str(solution.crosscheck))
    if solution.accuracy is not None:
        found.append(f"fields accurate to {solution.accuracy:.1e} of their size, against a run on a finer mesh")
    found += [str(audit) for audit in solution.audits]
    found += [f"{label}: {seen}" for label, seen in solution.residual_correlation().items() if seen.inflation > 1]
    if not solution.noise and solution.dof > 0:
        found.append(
            f"goodness of fit: chi2 = {solution.chi2:.4g} for {solution.dof:.4g} degrees of freedom, p ="
            f" {solution.p_value:.2g}"
        )
    return tuple(found)


def law_text(name: str, law) -> str:
    """A law as it was written, where the source is at hand; its arguments otherwise."""
    arguments = ", ".join(inspect.signature(law).parameters)
    try:
        source = textwrap.dedent(inspect.getsource(law))
    except (OSError, TypeError):
        return f"{name}: a function of {arguments}"
    written = written_bodies(source, arguments)
    return f"{name}: {written[0] if len(written) == 1 else f'a function of {arguments}'}"


def written_bodies(source: str, arguments: str) -> list[str]:
    """What functions with these arguments return, in a piece of source that may be cut from a longer expression."""
    for text in (
        source,
        source.strip().rstrip(","),
        f"dict({source.strip().rstrip(',')})",
        f"{{{source.strip().rstrip(',')}}}",
    ):
        try:
            tree = ast.parse(text)
        except SyntaxError:
            continue
        found = []
        for node in ast.walk(tree):
            if isinstance(node, ast.Lambda | ast.FunctionDef) and ", ".join(a.arg for a in node.args.args) == arguments:
                if isinstance(node, ast.Lambda):
                    found.append(ast.unparse(node.body))
                else:
                    found += [
                        ast.unparse(step.value) for step in node.body if isinstance(step, ast.Return) and step.value
                    ]
        return found
    return []


@compiled(lambda *_: False)
def predicted(model: Model, item: Observation):
    return item.predict(model)


@in_float64
def fit_panels(solution: Solution) -> tuple[FitPanel, ...]:
    """Every measured column beside its prediction."""
    task, panels, start = solution.task, [], 0
    sd = np.asarray(task.noise.sd(solution.fitted.levels)) if task.observed else np.zeros(0)
    for item in task.observed:
        rows = slice(start, start + len(item.values))
        start = rows.stop
        panels.append(
            FitPanel(
                item.label,
                item.points,
                item.values,
                np.asarray(predicted(solution.model, item)),
                sd[rows],
                curve(solution, item),
            )
        )
    return tuple(panels)


def curve(solution: Solution, item: Observation):
    """Between the measurements, where there is one axis."""
    if len(solution.problem.domain.axes) != 1:
        return None
    [(axis, line)] = solution.lines().items()
    return line, solution.evaluate(item.name if item.function is None else item.function, **{axis: line})


def field_panels(solution: Solution) -> tuple[FieldPanel, ...]:
    """Every field on a regular grid; none beyond two axes, where no picture shows it."""
    if len(solution.problem.domain.axes) > 2:
        return ()
    lines = solution.lines()
    return tuple(
        FieldPanel(name, lines, solution.on_grid(name, lines), one_scale=one_scale(solution))
        for name in solution.problem.fields
    )


def one_scale(solution: Solution) -> bool:
    """Whether the first two axes are lengths of one shape, so that a circle must look like one."""
    pieces = solution.problem.domain.boundary().surfaces
    return bool(pieces) and set(solution.problem.domain.axes[:2]) <= set(pieces[0].carrier.axes)


def unknown_panels(solution: Solution) -> tuple[FieldPanel, ...]:
    panels = []
    for name in solution.problem.unknown_fields:
        unknown = solution[name]
        lines, found = unknown.grid({1: 201, 2: 101}.get(len(unknown.axes), 21))
        scale = one_scale(solution) and unknown.axes[:2] == solution.problem.domain.axes[:2]
        panels.append(FieldPanel(name, lines, np.asarray(found.value), np.asarray(found.sd), scale))
    return tuple(panels)


def residual_panels(solution: Solution) -> tuple[ResidualPanel, ...]:
    scale = one_scale(solution)
    return tuple(ResidualPanel(name, *solution.residual_map(name), one_scale=scale) for name in solution.problem.laws)


def history(steps: Sequence[Step]) -> dict[str, list[float]]:
    """Columns of the history; a term or unknown that a stage lacks is NaN there."""
    columns: dict[str, list[float]] = {
        "stage": [float(s.stage) for s in steps],
        "step": [float(s.step) for s in steps],
        "weight": [s.weight for s in steps],
        "loss": [s.loss for s in steps],
    }
    for prefix, of in (("term: ", lambda s: s.terms), ("unknown: ", lambda s: s.unknowns)):
        for name in dict.fromkeys(key for s in steps for key in of(s)):
            columns[prefix + name] = [of(s).get(name, float("nan")) for s in steps]
    return columns
