"""Foreign executors, and what is taken for one."""

from __future__ import annotations

from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from tlstat import grid, run, study
from tlstat.errors import InputError
from tlstat.montecarlo.executors import ForeignPool, LokyPool, available_cores, make_pool


@study(grid(n=[5, 50]), 100, block=10, name="executors.mean")
def mean(cell, rng, size):
    return {"x": rng.normal(size=(size, cell.n)).mean(1)}


class Eager(Executor):
    """An executor by somebody else, without a number of workers."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@pytest.fixture(scope="module")
def serial() -> Any:
    return run(mean).to_frame()


def test_threads(serial: Any) -> None:
    with ThreadPoolExecutor(2) as executor:
        assert run(mean, executor=executor).to_frame().equals(serial)
        assert executor.submit(int).result() == 0, "not shut down"


def test_an_unknown_executor(serial: Any) -> None:
    assert run(mean, executor=Eager()).to_frame().equals(serial)


def test_dask(serial: Any) -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        executor = client.get_executor()
        pool = ForeignPool(executor)
        assert (pool.workers, pool.ahead, pool.task_seconds) == (2, 10, 0.5)
        assert run(mean, executor=executor).to_frame().equals(serial)


def test_a_future_that_fails_by_the_executors_fault_is_recorded() -> None:
    class Unlucky(Eager):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_exception(RuntimeError("node lost"))
            return future

    results = run(mean, executor=Unlucky(), replicates=10)
    assert {f.kind for f in results.failures} == {"died"}
    assert "node lost" in results.failures[0].message
    assert len(results.failures) == 2


def test_the_choice_of_a_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    assert make_pool(None, 1, "cpu", None) == (None, False)
    assert make_pool(None, 4, "cuda", None) == (None, False)
    pool, ours = make_pool(None, 3, "cpu", None)
    assert isinstance(pool, LokyPool)
    assert (pool.workers, ours) == (3, True)
    assert LokyPool(-1).workers == available_cores() >= 1
    pool, ours = make_pool(None, 1, "cpu", 5.0)
    assert isinstance(pool, LokyPool), "only a process can be ended"
    with ThreadPoolExecutor(7) as executor:
        pool, ours = make_pool(executor, 1, "cpu", None)
        assert pool is not None
        assert (pool.workers, pool.own, ours) == (7, False, False)
        with pytest.raises(InputError, match="timeout needs workers that can be killed"):
            make_pool(executor, 1, "cpu", 5.0)
    monkeypatch.setenv("TLSTAT_WORKER", "1")
    assert make_pool(None, 4, "cpu", None) == (None, False)


def test_a_rebuilt_pool_works_and_has_the_size_asked_for() -> None:
    with LokyPool(2) as pool:
        assert pool.submit(abs, -1).result() == 1
        pool.rebuild(workers=1)
        assert pool.workers == 1
        assert pool.submit(np.sqrt, 4.0).result() == 2
        pool.rebuild()
        assert pool.workers == 2
