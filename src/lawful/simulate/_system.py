"""The contract between what moves and the march that moves it."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from jaxtyping import Array, Bool, Float, Int

from ._kept import Listed, Rolled


class Reaction(NamedTuple):
    """What a system does at an event. `kind` is for the record, `ends` stops the run, `sound` says that all is well."""

    y: list[Array]
    mode: Any
    fresh: Int[Array, " guards"]
    kind: Int[Array, ""]
    ends: Bool[Array, ""]
    sound: Bool[Array, ""]


class System(Protocol):
    """A motion with guards and modes.

    The state y is a list of arrays. A guard is a quantity that is positive as long as nothing happens; it has pieces of
    which one above zero is enough. A mode is a pytree of arrays that stays as it is between events; `data` is what the
    flow sees of it.
    """

    @property
    def guards(self) -> tuple[int, int]:
        """How many, and how many pieces each."""
        ...

    def start(
        self, t, y: list[Array], parameters: list[Array]
    ) -> tuple[list[Array], Any, Int[Array, " guards"], Bool[Array, ""]]:
        """The state and mode to begin with, which guards are fresh (see `Guards`), and whether all is well."""
        ...

    def flow(self, t, y: list[Array], data: list[Array], parameters: list[Array]) -> tuple[list[Array], Array]:
        """The rates of the state, and the guards (guards, pieces)."""
        ...

    def data(self, mode) -> list[Array]: ...

    def watched(self, mode) -> Bool[Array, " guards"]: ...

    def slack(self, mode) -> Float[Array, " guards"]:
        """How far from zero a guard may be that counts as zero."""
        ...

    def react(self, t, y: list[Array], mode, which: Bool[Array, " guards"], parameters: list[Array]) -> Reaction:
        """What happens where the guards `which` have reached zero."""
        ...


class Settings(NamedTuple):
    """How steps are made; all static."""

    order: int
    tolerance: float
    pieces: int
    certify: bool
    unroll: bool
    absolute: tuple[float, ...] | None  # the size to which the tolerance refers, by leaf; None: that of the leaf itself
    longest: float

    @property
    def keep(self) -> type[Rolled] | type[Listed]:
        return Listed if self.unroll else Rolled
