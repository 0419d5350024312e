"""The page on whether the right equations were solved: verdict, budget, ranked terms, power, next sensor."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .._core.messages import listing
from .._core.record import Drawing, Section, Table
from ._figures import budget_figure, influence_figure, mesh_figure, proposal_figure, residual_figure, terms_figure
from ._judge import Kind, chance

if TYPE_CHECKING:
    from ._verification import Verification


def sections(found: Verification) -> tuple[Section, ...]:
    parts = [verdict(found), budget(found), mesh(found), terms(found), sensors(found), guards(found)]
    return tuple(part for part in parts if part is not None)


def verdict(found: Verification) -> Section:
    judgement = found.judgement
    null = judgement.null
    rows = [("as it stands", *tested(null))]
    if judgement.search is not None:
        rows += [("with " + listing(stage.terms), *tested(stage)) for stage in judgement.search.stages[1:]]
    head = ("model", "chi2 / dof", "p of its size", "p of its structure", "p of all tests")
    said = f"{found.verdict[0].upper()}{found.verdict[1:]}."
    how = (
        "The size test compares the misfit with the noise; it is not possible where the noise is estimated from the"
        " same misfit. The structure test asks whether neighbouring residuals lean the same way. All tests, those of"
        " the candidates included, are then taken as one, at a false-alarm probability of"
        f" {100 * judgement.level:g} %."
    )
    pictures = (
        Drawing(
            "Residuals",
            "In units of the noise, as the model stands and with what was found.",
            lambda: residual_figure(found),
        ),
    )
    return Section("Verdict", (said, how), (Table(head, tuple(rows)),), pictures if found.data.places else ())


def tested(stage) -> tuple[str, str, str, str]:
    ratio = stage.seen.chi2 / stage.seen.dof if stage.seen.dof > 0 else math.nan
    return (
        f"{ratio:.4g}",
        probability(stage.seen.size_p),
        probability(stage.seen.structure_p),
        probability(stage.alarm.p),
    )


def probability(p: float) -> str:
    return "-" if math.isnan(p) else chance(p).removeprefix("= ")


def budget(found: Verification) -> Section | None:
    if not found.budget:
        return None
    head = ("sensor", "what", "discretisation", "noise", "parameters", "left", "misfit")
    after = {line.name: line for line in found.budget_after}
    if after:
        head = (*head, f"left with {listing(found.judgement.search.terms)}" if found.judgement.search else "left after")
    rows = tuple(
        (
            line.name,
            line.quantity,
            *(number(v) for v in (line.discretisation, line.noise, line.parameters, line.left, line.misfit)),
            *((number(after[line.name].left) if line.name in after else "-",) if after else ()),
        )
        for line in found.budget
    )
    said = (
        "Each source of error in the unit of what the sensor measures, root mean square over its readings; for a"
        " quantity of interest, which nobody measures, without noise. What is left is the part of the misfit of the"
        " model as it stands that the others cannot be, by more than two standard deviations of chance: the error of"
        " the model."
    )
    picture = Drawing(
        "Error budget",
        "Squares add, so that each bar is as long as all its parts together.",
        lambda: budget_figure(found),
    )
    return Section("Error budget", (said,), (Table(head, rows),), (picture,))


def number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2e}" if value else "0.0"


def mesh(found: Verification) -> Section:
    seen = found.judgement.mesh
    rows = tuple((name, f"{value:.1e}") for name, value in seen.parts.items())
    said = [f"{'Verified' if seen.verified else 'NOT VERIFIED'}: {seen.reason}."]
    after = found.judgement.mesh_after
    if after is not None and after is not seen:
        said.append(f"With what was found: {after.reason}; error {after.relative:.1e} of the largest value.")
    tables = (Table(("source", "largest error over largest value"), (*rows, ("all together", number(seen.relative)))),)
    pictures = (
        (Drawing("Mesh", "Differences between neighbouring meshes.", lambda: mesh_figure(found)),) if seen.fall else ()
    )
    return Section("Discretisation error", tuple(said), tables, pictures)


def terms(found: Verification) -> Section | None:
    if not found.terms:
        return None
    head = ("term", "score", "gain", "false-discovery rate", "coefficient", "smallest that would show", "note")
    rows = tuple(
        (
            each.name,
            f"{each.z:+.1f}",
            f"{each.gain:.1f}" if each.coefficient is not None else "-",
            probability(each.q),
            str(each.coefficient) if each.coefficient is not None else "-",
            "-" if math.isinf(each.detectable) else f"{each.detectable:.2g}",
            each.note,
        )
        for each in found.terms
    )
    said = [
        "The law is law + coefficient * term = 0. The score is the effect of a term on the readings that nothing fitted"
        " can imitate, in standard deviations; the gain is the fall of the deviance when the term is fitted jointly"
        " with everything else.",
    ]
    if len(found.missing) > 1 and found.kind is Kind.GROUP:
        said.append(f"{listing(found.missing)} fit equally well: their likelihoods differ by less than 20 to 1.")
    if found.power:
        said.append(
            "The smallest coefficient that would show is found with a probability of 0.8 by a test of the level used"
            " here."
        )
    picture = Drawing(
        "Terms", "Gain of each candidate; bars of the same group are not told apart.", lambda: terms_figure(found)
    )
    return Section(
        "Terms that may be missing",
        tuple(said),
        (Table(head, rows),),
        (picture,) if any(t.gain > 0 for t in found.terms) else (),
    )


def sensors(found: Verification) -> Section | None:
    proposal = found.proposal
    if proposal is None:
        return None
    if proposal.purpose.startswith("tell"):
        effect = (
            f"the difference of deviances that decides between them is expected to rise from {proposal.now:.1f} to"
            f" {proposal.then:.1f}, so that they are told apart with a probability of {100 * proposal.chance:.0f} %"
        )
    else:
        effect = f"its error bar would fall to {proposal.then / max(proposal.now, 1e-300):.2f} of what it is"
    said = f"A sensor at {proposal.label} would help most to {proposal.purpose}: {effect}."
    picture = Drawing("Next sensor", "What a sensor at each place would bring.", lambda: proposal_figure(found))
    return Section("The next sensor", (said,), (), (picture,))


def guards(found: Verification) -> Section:
    said = [f"{str(found.identifiability)[0].upper()}{str(found.identifiability)[1:]}."]
    pictures = ()
    if found.placebo is not None:
        said.append(f"{str(found.placebo)[0].upper()}{str(found.placebo)[1:]}.")
    if found.influence:
        winners = {each.best for each in found.influence if each.best}
        changed = [
            each.sensor for each in found.influence if found.missing and each.best and each.best not in found.missing
        ]
        said.append(
            f"Without any one sensor the best term stays {listing(sorted(winners))}."
            if not changed and winners
            else f"The best term changes without the sensor {listing(changed)}."
            if changed
            else "No candidate was refitted."
        )
        if found.suspects:
            said.append(f"Nothing is wrong any more without {listing(found.suspects)}.")
        if any(math.isfinite(each.coefficient) for each in found.influence):
            pictures = (
                Drawing(
                    "One sensor left out",
                    "The coefficient without each sensor in turn.",
                    lambda: influence_figure(found),
                ),
            )
    return Section("Guards", tuple(said), (), pictures)
