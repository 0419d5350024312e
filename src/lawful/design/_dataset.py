"""What simulations said of many designs: made in parallel where asked, kept while it is made, resumed after a kill."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .._core.farm import Farm
from .._core.files import read_arrays, write_arrays
from .._core.messages import BadInput, NotTrusted
from .._core.progress import Progress
from ._simulator import Sample, Simulated, Simulator
from ._space import Space, Units

CHUNK = 32  # designs between two saves
PART = "-part-"  # in the names of files that are not whole yet


@dataclass(frozen=True)
class Failure:
    """A design of which there are no values, and why."""

    unit: Float[np.ndarray, " d"]
    reason: str


@dataclass(frozen=True)
class Dataset:
    """Designs and what was simulated of them; one row each.

    units     of unit vectors.
    values    by output: numbers of shape (designs,), fields of (designs, ...).
    slopes    of scalars in the unit vector, (designs, d).
    failures  designs that could not be simulated; they are in no other table.
    seconds   that the simulations took.
    """

    units: Units
    values: dict[str, Float[np.ndarray, "designs ..."]]
    slopes: dict[str, Units]
    failures: tuple[Failure, ...] = ()
    seconds: float = 0.0

    def __len__(self) -> int:
        return len(self.units)

    def rows(self, pick: slice | np.ndarray) -> Dataset:
        """Some of the designs."""
        some = lambda table: {name: rows[pick] for name, rows in table.items()}
        return replace(self, units=self.units[pick], values=some(self.values), slopes=some(self.slopes))

    def split(self, held_out: int) -> tuple[Dataset, Dataset]:
        """All but the last `held_out` designs, and these."""
        if not 0 < held_out < len(self):
            raise BadInput(f"Dataset.split: {held_out} of {len(self)} designs; hold out at least 1, leave at least 1.")
        return self.rows(slice(None, -held_out)), self.rows(slice(len(self) - held_out, None))

    def without_slopes(self) -> Dataset:
        return replace(self, slopes={})

    def save(self, path: Path, fingerprint: str = "") -> None:
        """One file, written beside and renamed."""
        arrays = {"units": self.units}
        arrays |= {f"value {name}": rows for name, rows in self.values.items()}
        arrays |= {f"slope {name}": rows for name, rows in self.slopes.items()}
        if self.failures:
            arrays["failed"] = np.stack([failure.unit for failure in self.failures])
        reasons = [failure.reason for failure in self.failures]
        write_arrays(path, arrays, {"reasons": reasons, "seconds": self.seconds, "fingerprint": fingerprint})

    @staticmethod
    def load(path: Path, fingerprint: str = "") -> Dataset:
        """What `save` wrote. Raises `BadInput` for a damaged file, or one of other designs."""
        arrays, meta = read_arrays(path)
        if fingerprint and meta.get("fingerprint") != fingerprint:
            raise BadInput(f"{path} belongs to other designs; choose another folder, or delete it.")
        named = lambda kind: {key.removeprefix(kind): rows for key, rows in arrays.items() if key.startswith(kind)}
        failed = arrays.get("failed", np.empty((0, 0)))
        failures = tuple(Failure(u, reason) for u, reason in zip(failed, meta["reasons"], strict=True))
        return Dataset(arrays["units"], named("value "), named("slope "), failures, float(meta["seconds"]))


def generate(
    simulator: Simulator,
    units: Units,
    folder: Path | None = None,
    *,
    name: str = "designs",
    workers: int = 1,
    farm: Farm | None = None,
    progress: bool | None = None,
) -> Dataset:
    """Simulate designs.

        data = generate(Simulator(simulate, space, slopes=("load",)), latin(space, 200), Path("run"))

    units     rows of unit vectors: `latin`, `sobol`, `waves`, or the rows of `space.unit(design)`.
    folder    where finished designs are kept while the others run. A second call with the same designs and outputs
              goes on where the first was killed, to the same numbers.
    workers   threads. Worth it for simulators that leave the interpreter, such as other programs; 1 for those that
              fill the cores by themselves.
    farm      workers of Dask in place of threads, `with lf.design.Farm(workers=4) as farm:`; the simulator then has to
              be one that can be sent, and designs whose worker is lost are tried again.

    A design that fails is in `failures`, with its reason. Raises `NotTrusted` where all fail.
    """
    units = np.asarray(units, float)
    if units.ndim != 2 or units.shape[1] != simulator.space.size or not len(units):
        raise BadInput(f"generate: units of shape {units.shape}; rows of {simulator.space.size} numbers are expected.")
    if not np.all((units >= 0) & (units <= 1)):
        raise BadInput("generate: units must lie between 0 and 1; `space.unit(design)` makes them.")
    stamp = fingerprint(simulator, units)
    data = kept(folder, name, stamp) if folder else Dataset(units[:0], {}, {})
    bar = Progress("simulate designs", len(units), progress)
    done = len(data) + len(data.failures)
    double, pieces = jnp.zeros(()).dtype == np.float64, []

    def one(u: Float[np.ndarray, " d"]) -> tuple[Sample, float]:
        before = simulator.seconds
        with jax.enable_x64(double):  # a thread starts with JAX's own setting, not with that of its caller
            return simulator.sample(u), simulator.seconds - before

    with ThreadPoolExecutor(workers) as pool:
        while done < len(units):
            chunk = units[done : done + CHUNK]
            if farm is not None:
                samples = afar(farm, simulator, chunk, double)
            else:
                samples = list(pool.map(one, chunk)) if workers > 1 else [one(u) for u in chunk]
            piece = of_samples(chunk, [sample for sample, _ in samples], sum(seconds for _, seconds in samples))
            if folder:
                piece.save(part(folder, name, done), stamp)
            pieces.append(piece)
            done += len(chunk)
            bar.at(done)
    bar.close()
    data = together([data, *pieces])
    if folder:  # the whole is written before its parts go: a kill in between loses nothing
        if pieces:
            data.save(folder / f"{name}.npz", stamp)
        for each in folder.glob(f"{name}{PART}*.npz"):
            each.unlink()
    if not len(data):
        raise NotTrusted(f"generate: all {len(units)} simulations failed; the first: {data.failures[0].reason}")
    return data


def afar(farm: Farm, simulator: Simulator, chunk: Units, double: bool) -> list[tuple[Sample, float]]:
    """The same by workers, a share each, so that a worker compiles once for all of its share. Raises `NotTrusted` where
    a share is lost for good."""
    shares = {str(i): units for i, units in enumerate(np.array_split(chunk, min(farm.width, len(chunk))))}
    parts = (simulator.simulate, simulator.space, simulator.slopes)
    found = {}
    for name, samples, why in farm.finished(sampled, {name: (*parts, units, double) for name, units in shares.items()}):
        if why:
            raise NotTrusted(f"generate: no worker could simulate {len(shares[name])} of the designs: {why}")
        found[name] = samples
    return [sample for name in shares for sample in found[name]]


def sampled(
    simulate: Simulated, space: Space, slopes: tuple[str, ...], units: Units, double: bool
) -> list[tuple[Sample, float]]:
    """What a worker does: some designs, and the seconds that each took."""
    simulator, found = Simulator(simulate, space, slopes), []
    with jax.enable_x64(double):
        for u in units:
            before = simulator.seconds
            found.append((simulator.sample(u), simulator.seconds - before))
    return found


def part(folder: Path, name: str, first: int) -> Path:
    return folder / f"{name}{PART}{first:07d}.npz"


def kept(folder: Path, name: str, stamp: str) -> Dataset:
    """What a folder holds of these designs: the whole, or the parts that were finished before a kill."""
    path = folder / f"{name}.npz"
    pieces = [Dataset.load(path, stamp)] if path.exists() else []
    count = lambda: sum(len(d) + len(d.failures) for d in pieces)
    while (path := part(folder, name, count())).exists():
        pieces.append(Dataset.load(path, stamp))
    return together(pieces)


def of_samples(units: Units, samples: Sequence[Sample], seconds: float) -> Dataset:
    good = [(u, s) for u, s in zip(units, samples, strict=True) if not s.failure]
    failures = tuple(Failure(u, s.failure) for u, s in zip(units, samples, strict=True) if s.failure)
    if not good:
        return Dataset(units[:0], {}, {}, failures, seconds)
    values = {n: np.stack([s.values[n] for _, s in good]) for n in good[0][1].values}
    slopes = {n: np.stack([s.slopes[n] for _, s in good]) for n in good[0][1].slopes}
    return Dataset(np.stack([u for u, _ in good]), values, slopes, failures, seconds)


def together(pieces: Sequence[Dataset]) -> Dataset:
    """Several data sets of one space as one, in their order; failures and seconds are added up.

    All that hold anything must have the same values and slopes: a name that one lacks is a `KeyError`.
    """
    full = [d for d in pieces if len(d)]
    failures = tuple(failure for d in pieces for failure in d.failures)
    seconds = sum(d.seconds for d in pieces)
    if not full:
        return Dataset(np.empty((0, 0)), {}, {}, failures, seconds)
    table = lambda kind: {n: np.concatenate([getattr(d, kind)[n] for d in full]) for n in getattr(full[0], kind)}
    return Dataset(np.concatenate([d.units for d in full]), table("values"), table("slopes"), failures, seconds)


def fingerprint(simulator: Simulator, units: Units) -> str:
    """What determines the answer, as far as it can be told: designs, bounds, slopes, and the simulator's code."""
    code = getattr(simulator.simulate, "__code__", None)
    parts = (units.shape, simulator.space.ranges, simulator.slopes, code.co_code if code else "")
    return hashlib.sha256(repr(parts).encode() + units.tobytes()).hexdigest()
