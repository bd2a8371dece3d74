"""Where tasks run: worker processes of our own, or any ``concurrent.futures.Executor``.

tlstat writes no scheduler. Our own pool is loky's, which ships functions defined in a notebook
and, unlike a foreign one, may be killed and built again when a block takes a worker down.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, Protocol

from tlstat.errors import InputError
from tlstat.montecarlo.threads import THREAD_VARIABLES, initialise
from tlstat.montecarlo.worker import inside_worker


class Pool(Protocol):
    """What the loop needs of a pool of workers."""

    workers: int
    ahead: int  # tasks kept in flight for each worker
    task_seconds: float  # how long a task should take
    own: bool  # may be killed and rebuilt

    def submit(self, fn: Callable[..., Any], *args: Any) -> Future[Any]:
        """Run ``fn(*args)`` in a worker."""

    def rebuild(self, workers: int | None = None) -> None:
        """Replace a broken pool, with another number of workers if given."""

    def kill(self) -> None:
        """End all workers at once."""

    def close(self) -> None:
        """Release the workers when nothing is in flight."""


class LokyPool:
    """Worker processes on this machine, one thread each.

    Usable as a context manager, and as ``executor=`` of several runs.

    Parameters
    ----------
    jobs : int
        Worker processes; -1 for as many as this process may use (affinity and cgroups).
    """

    ahead = 3
    task_seconds = 0.2
    own = True

    def __init__(self, jobs: int) -> None:
        self.jobs = available_cores() if jobs == -1 else jobs
        self.workers = self.jobs
        self._executor: Any = None

    def _start(self) -> Any:
        from loky import ProcessPoolExecutor

        return ProcessPoolExecutor(
            max_workers=self.workers,
            initializer=initialise,
            initargs=(os.getpid(),),
            # read when a library is loaded, so it must be there before the worker imports numpy
            env=dict.fromkeys(THREAD_VARIABLES, "1"),
        )

    def submit(self, fn: Callable[..., Any], *args: Any) -> Future[Any]:
        """Run ``fn(*args)`` in a worker; workers start with the first call."""
        if self._executor is None:
            self._executor = self._start()
        return self._executor.submit(fn, *args)

    def rebuild(self, workers: int | None = None) -> None:
        """Kill what is left and start anew with the next `submit`."""
        self.kill()
        self.workers = self.jobs if workers is None else workers

    def kill(self) -> None:
        """End all workers at once; what they were doing is lost."""
        if self._executor is not None:
            executor, self._executor = self._executor, None
            executor.shutdown(wait=True, kill_workers=True)

    def close(self) -> None:
        """End the workers."""
        self.kill()

    def __enter__(self) -> LokyPool:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class ForeignPool:
    """Somebody else's executor: used, never shut down.

    Parameters
    ----------
    executor : concurrent.futures.Executor
        ``dask.distributed``'s ``Client.get_executor()``, ``mpi4py.futures``, a thread pool.
    """

    own = False

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.workers = _workers(executor)
        dask = type(executor).__module__.partition(".")[0] == "distributed"
        # a task costs 3 ms on dask against 0.2 ms on loky: larger tasks, a longer queue
        self.ahead = 10 if dask else 3
        self.task_seconds = 0.5 if dask else 0.2

    def submit(self, fn: Callable[..., Any], *args: Any) -> Future[Any]:
        """Run ``fn(*args)`` wherever the executor does."""
        if type(self.executor).__module__.partition(".")[0] == "distributed":
            # dask takes equal calls for one pure call, and would never repeat a failed one
            return self.executor.submit(fn, *args, pure=False)
        return self.executor.submit(fn, *args)

    def rebuild(self, workers: int | None = None) -> None:
        """Never asked for: the loop rebuilds its own pools only (``own``)."""
        raise NotImplementedError("an executor that was passed in belongs to its owner")

    def kill(self) -> None:
        """Not ours to kill: pending tasks are cancelled by the loop."""

    def close(self) -> None:
        """Leave it to its owner."""


def available_cores() -> int:
    """Cores that this process may use, respecting affinity and cgroups."""
    import loky

    return int(loky.cpu_count())


def _workers(executor: Executor) -> int:
    client = getattr(executor, "_client", None)
    if client is not None and hasattr(client, "ncores"):
        return max(1, sum(client.ncores().values()))
    count = getattr(executor, "_max_workers", None)
    return count if isinstance(count, int) and count > 0 else 8


def make_pool(
    executor: Executor | LokyPool | None, jobs: int, device: str, timeout: float | None
) -> tuple[Pool | None, bool]:
    """Choose where a run computes.

    Returns
    -------
    pool : Pool or None
        None for this process.
    close : bool
        Whether the run made it and closes it.

    Raises
    ------
    InputError
        For a number of jobs that is none, something that is no executor, or a timeout with an
        executor whose workers cannot be killed.
    """
    if isinstance(jobs, bool) or not isinstance(jobs, int) or (jobs < 1 and jobs != -1):
        raise InputError(
            f"jobs is {jobs!r}; expected an integer of at least 1, or -1 for all cores"
        )
    if timeout is not None and not timeout > 0:
        raise InputError(f"timeout is {timeout!r}; expected a number of seconds above 0")
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise InputError(f"executor is {executor!r}; expected a concurrent.futures.Executor")
    if inside_worker():
        return None, False
    if isinstance(executor, LokyPool):
        return executor, False
    if executor is not None:
        if timeout is not None:
            raise InputError(
                "timeout needs workers that can be killed; expected jobs= instead of executor="
            )
        return ForeignPool(executor), False
    if device != "cpu":
        return None, False  # one process a device
    if jobs == 1 and timeout is None:
        return None, False
    return LokyPool(jobs), True
