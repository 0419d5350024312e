"""Numbers as a reader wants them; the same words in the terminal and on the page."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from .._core.estimates import Estimate
from .._core.record import FieldPanel, Record, ResidualPanel


def components(name: str, estimate: Estimate) -> Iterator[tuple[str, Estimate]]:
    """A scalar as it is; a vector or matrix entry by entry, as name[0] or name[1, 2]."""
    if np.ndim(estimate.value) == 0:
        yield name, estimate
        return
    sds = np.broadcast_to(estimate.sd, np.shape(estimate.value))
    for index in np.ndindex(*np.shape(estimate.value)):
        label = f"{name}[{', '.join(map(str, index))}]"
        yield (
            label,
            Estimate(label, float(np.asarray(estimate.value)[index]), float(sds[index]), estimate.dof),
        )


def interval(estimate: Estimate, level: float = 0.95) -> str:
    """`[0.003175, 0.003191]`: the ends of a scalar's interval, to two digits of its half width."""
    low, high = map(float, estimate.interval(level))
    half = (high - low) / 2
    if not math.isfinite(half):
        return "not determined"
    size = max(abs(low), abs(high))
    if half <= 1e-15 * size:
        return f"[{low:.12g}, {high:.12g}]"
    place, exponent = 1 - math.floor(math.log10(half)), math.floor(math.log10(size))
    if -3 <= exponent < 6 and place <= 9:
        return f"[{low:.{max(place, 0)}f}, {high:.{max(place, 0)}f}]"
    decimals = max(place + exponent, 0)
    return f"[{low / 10.0**exponent:.{decimals}f}, {high / 10.0**exponent:.{decimals}f}]e{exponent:+03d}"


def relative(estimate: Estimate) -> str:
    """`0.13 %`: a scalar's sd as a share of its value."""
    value, sd = float(estimate.value), float(estimate.sd)
    if not math.isfinite(sd) or value == 0:
        return "-"
    share = 100 * sd / abs(value)
    return f"{share:.2g} %" if share < 100 else f"{share:.0f} %" if share <= 1000 else "> 1000 %"


def freedom(record: Record) -> str:
    """Whose quantile the intervals use."""
    known = sorted({estimate.dof for estimate in record.estimates.values()})
    if not known or not math.isfinite(known[0]):
        return "of the normal distribution, since the noise was given"
    said = f"of Student's t with {known[0]:.4g} degrees of freedom"
    return f"{said}, since the noise was estimated from the same data"


def misfit(record: Record) -> str:
    """How far the data lie from the predictions, and how to read it."""
    if not (record.fits or record.observed):
        return "no data"
    if record.dof <= 0:
        return f"chi2 = {record.chi2:.4g} with no degree of freedom left: the fit cannot be judged by it"
    found = f"chi2/dof = {record.chi2 / record.dof:#.3g} (chi2 = {record.chi2:.4g}, dof = {record.dof:.4g})"
    if record.noise:
        return f"{found}; near 1 by construction where the noise was estimated from the same data"
    spread = math.sqrt(2 / record.dof)
    return f"{found}; 1 ± {spread:.2g} is expected where laws and noise levels are right"


def residual(panel: ResidualPanel) -> str:
    """The rms and the worst residual of a law, and where that is."""
    where = ", ".join(f"{axis} = {place:.4g}" for axis, place in panel.where.items())
    return f"rms {panel.rms:.2e}, worst {panel.worst:.2e} at {where}"


def reach(panel: FieldPanel) -> str:
    """Between what values a field lies, and how wide its band is."""
    values = panel.values[np.isfinite(panel.values)]
    if not values.size:
        return "no finite value"
    low, high = float(np.min(values)), float(np.max(values))
    # Enough digits to tell the two apart by a hundredth of their difference.
    digits = 4 if low == high else min(max(4, 3 + math.ceil(math.log10(max(abs(low), abs(high)) / (high - low)))), 15)
    found = f"between {low:.{digits}g} and {high:.{digits}g} over {', '.join(panel.grid)}"
    if panel.sd is None:
        return found
    known = panel.sd[np.isfinite(panel.sd)]
    if not known.size:
        return f"{found}, not determined anywhere"
    found += f", sd {np.min(known):.2g} to {np.max(known):.2g}"
    return found if known.size == panel.sd.size else f"{found} where it is determined"


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
