"""Many pieces of work, each on its own, done by workers: those of this machine, or those of a scheduler elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .messages import BadInput

RETRIES = 2
"""How often a piece is tried again where its worker was lost or it raised."""


class Farm:
    """Workers of Dask, as a context.

    scheduler   the address of one that runs, such as "tcp://10.0.0.5:8786"; None starts `workers` processes here, that
                listen on the loopback address alone.
    workers     how many processes, each with one thread.
    retries     of a piece that failed.

    Dask sends functions and values between processes as pickles over the network: use a scheduler that you trust.
    Needs the extra `cluster`.
    """

    def __init__(self, scheduler: str | None = None, workers: int = 2, retries: int = RETRIES):
        self.scheduler, self.workers, self.retries = scheduler, workers, retries

    def __enter__(self) -> Farm:
        try:
            from distributed import Client, LocalCluster
        except ImportError:
            raise BadInput("workers need dask.distributed; install it: pip install 'lawful[cluster]'.") from None
        self.local = None
        if self.scheduler is None:
            # No dashboard, and no nanny's port beyond this machine.
            self.local = LocalCluster(
                n_workers=self.workers,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address=None,  # pyright: ignore[reportArgumentType]
                silence_logs=50,
            )
        try:
            self.client = Client(self.local or self.scheduler, timeout=5)
        except (OSError, ValueError) as error:
            raise BadInput(f"no scheduler answers at {self.scheduler} ({error}); start one: dask scheduler.") from None
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        if self.local is not None:
            self.local.close()

    @property
    def width(self) -> int:
        """How many workers there are now, at least one."""
        return max(len(self.client.nthreads()), 1)  # pyright: ignore[reportArgumentType]

    def finished(self, function: Callable[..., Any], pieces: Mapping[str, tuple]) -> Iterator[tuple[str, Any, str]]:
        """The name, the result and "" of every piece as it is done; where it failed, None and the reason."""
        from distributed import as_completed

        names = {
            self.client.submit(function, *piece, pure=False, retries=self.retries): name
            for name, piece in pieces.items()
        }
        for future in as_completed(list(names)):
            if future.status == "finished":
                yield names[future], future.result(), ""
            else:
                error = future.exception()
                yield names[future], None, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            future.release()
