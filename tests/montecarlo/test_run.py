"""The run: same bytes whatever the workers, the order and the interruptions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tlstat import Exact, grid, inner, paired, run, study
from tlstat.backend import Random
from tlstat.errors import InputError
from tlstat.montecarlo.executors import LokyPool
from tlstat.montecarlo.identity import stream_key
from tlstat.montecarlo.run import replay
from tlstat.montecarlo.schedule import Plan
from tlstat.montecarlo.store import Store
from tlstat.montecarlo.worker import BlockRow


@study(
    grid(n=[10, 1000, 30], level=inner(["a", "b"])),
    200,
    block=10,
    profiles={"paper": {"replicates": 400}, "small": {"where": {"n": 10}}},
    name="run.curve",
)
def curve(cell, rng, size):
    counts = rng.multinomial(cell.n, np.full(4, 0.25), size=size)
    share = counts / cell.n
    return {
        "share": share[:, :2],
        "top": share.max(-1),
        "many": share.max(-1) > 0.3,
        "first": counts[:, 0],
    }


def content(store: Store) -> list[tuple[Any, ...]]:
    (head,) = store.studies()
    cells = sorted(store.done(head.id))
    return [(c, r.index, r.schema, r.data) for c in cells for r in store.read(head.id, c)]


@pytest.fixture(scope="module")
def serial() -> list[tuple[Any, ...]]:
    with Store() as store:
        run(curve, store=store)
        return content(store)


def test_two_workers_give_the_bytes_of_one(serial: list[tuple[Any, ...]]) -> None:
    with Store() as store:
        run(curve, store=store, jobs=2)
        assert content(store) == serial


def test_any_order_gives_the_same_bytes(
    serial: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    gen = np.random.default_rng(1)

    def shuffled(self: Plan, seconds: float, workers: int) -> list[Any]:
        queues = [queue for queue in self._queues.values() if queue.left]
        if not queues:
            return []
        queue = queues[gen.integers(len(queues))]
        left = [i for span in queue.spans for i in span]
        chosen = [int(i) for i in gen.permutation(left)[: gen.integers(1, 6)]]
        queue.spans.clear()
        queue.spans.extend(range(i, i + 1) for i in left if i not in chosen)
        queue.left = len(queue.spans)
        return [self.spec(queue, i) for i in chosen]

    monkeypatch.setattr(Plan, "next_task", shuffled)
    with Store() as store:
        run(curve, store=store)
        assert content(store) == serial


def test_profiles_nest_and_only_what_is_missing_is_computed(
    tmp_path: Path, serial: list[tuple[Any, ...]]
) -> None:
    path = tmp_path / "a.sqlite"
    small = run(curve, "small", store=path)
    assert len(small.cells) == 1
    run(curve, store=path)
    with Store(path) as store:
        assert content(store) == serial
    paper = run(curve, "paper", store=path)
    quick = run(curve, store=path)
    for long, short in zip(paper.samples("top"), quick.samples("top"), strict=True):
        assert long.replicates == 400
        assert np.array_equal(long.values[:200], short.values)
    assert run(curve, replicates=15).samples("top")[0].replicates == 20


def test_a_finished_run_calls_nothing() -> None:
    calls = []

    @study(grid(n=[1]), 30, block=10, name="run.counted")
    def counted(cell, rng, size):
        calls.append(1)
        return {"x": rng.normal(size=size)}

    with Store() as store:
        first = run(counted, store=store)
        again = run(counted, store=store, jobs=2)
        assert len(calls) == 3
        assert first.to_frame().equals(again.to_frame())
        run(counted, store=store, entropy=1)
    assert len(calls) == 6


def test_entropy_changes_every_draw() -> None:
    one, two = run(curve, "small"), run(curve, "small", entropy=1)
    assert not np.array_equal(one.samples("first")[0].values, two.samples("first")[0].values)


def test_results_hold_what_the_function_returned_for_its_key() -> None:
    results = run(curve, "small")
    cell = curve.design.cells[0]
    rows = [
        curve(cell, Random(stream_key(curve, cell, i, 0)), 10)["share"][:, 1] for i in range(20)
    ]
    (sample,) = results.samples("share", {"level": "b"})
    assert np.array_equal(sample.values, np.concatenate(rows))
    assert results.samples("many")[0].values.dtype == bool


def test_replay_gives_the_stored_block() -> None:
    results = run(curve, "small")
    block = replay(curve, results.cells[0], 3)
    assert np.array_equal(block["top"], results.samples("top")[0].values[30:40])
    for cell, index in (({"n": 11}, 0), (results.cells[0], -1), (results.cells[0], 1.0)):
        with pytest.raises(InputError):
            replay(curve, cell, index)  # type: ignore[arg-type]


def test_paired_cells_share_their_draws() -> None:
    @study(grid(n=[1], scale=paired([1.0, 2.0])), 30, block=10, name="run.paired")
    def scaled(cell, rng, size):
        return {"x": cell.scale * rng.normal(size=size)}

    one, two = run(scaled).samples("x")
    assert np.array_equal(2 * one.values, two.values)


@pytest.mark.parametrize("jobs", [1, 2])
def test_exact_studies_are_computed_once(jobs: int) -> None:
    @study(grid(n=[1, 2], level=inner(["a", "b"])), 0, name="run.exact")
    def exact(cell, rng, size):
        assert size == 0
        return {"x": Exact(np.array([1.0, 2.0]) * cell.n, 1e-9), "y": Exact(3.0)}

    results = run(exact, jobs=jobs)
    assert not results.failures
    assert [s.exact for s in results.samples("x")] == [Exact(v, 1e-9) for v in (1.0, 2.0, 2.0, 4.0)]
    assert results.samples("y")[0].exact == Exact(3.0)
    assert results.samples("y")[0].replicates == 0


def test_an_array_from_an_exact_study_is_a_failure() -> None:
    @study(grid(n=[1]), 0, name="run.inexact")
    def inexact(cell, rng, size):
        return {"x": rng.normal(size=size)}

    (failure,) = run(inexact).failures
    assert "expected Exact" in failure.message


def test_torch_sees_the_draws_of_numpy_and_creates_float64() -> None:
    @study(grid(n=[50]), 20, block=10, name="run.torch")
    def portable(cell, rng, size):
        xp = rng.xp
        weight = xp.ones(cell.n) / 3
        x = rng.normal(size=(size, cell.n))
        return {"first": x[:, 0], "sum": xp.sum(x * weight, axis=1)}

    before = torch.get_default_dtype(), torch.get_num_threads()
    ours, theirs = run(portable), run(portable, array="torch")
    assert not theirs.failures
    assert (torch.get_default_dtype(), torch.get_num_threads()) == before
    assert np.array_equal(ours.samples("first")[0].values, theirs.samples("first")[0].values)
    assert np.allclose(
        ours.samples("sum")[0].values, theirs.samples("sum")[0].values, rtol=0, atol=1e-13
    )
    assert "torch" in theirs.provenance[0]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_run_on_cuda_repeats_itself() -> None:
    @study(grid(n=[50]), 2000, block=1000, name="run.cuda")
    def portable(cell, rng, size):
        xp = rng.xp
        x = rng.normal(size=(size, cell.n)) + xp.zeros(cell.n)
        return {"mean": xp.mean(x, axis=1), "count": rng.binomial(10, 0.5, size=size)}

    one = run(portable, array="torch", device="cuda", jobs=2)
    two = run(portable, array="torch", device="cuda")
    assert not one.failures
    assert one.to_frame().equals(two.to_frame())
    mean = one.samples("mean")[0].values
    assert abs(mean.mean()) < 6 / np.sqrt(50 * 2000)
    assert "gpu" in one.provenance[0]


def test_the_environment_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    import threadpoolctl

    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    seen = []

    @study(grid(n=[1]), 10, block=10, name="run.environment")
    def environment(cell, rng, size):
        seen.append([pool["num_threads"] for pool in threadpoolctl.threadpool_info()])
        return {"x": rng.normal(size=size)}

    with threadpoolctl.threadpool_limits(2):
        before = [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]
        run(environment)
        after = [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]
    assert before == after
    assert set(seen[0]) == {1}
    assert os.environ["OMP_NUM_THREADS"] == "3"
    assert "MKL_NUM_THREADS" not in os.environ


def test_one_pool_serves_several_runs(serial: list[tuple[Any, ...]]) -> None:
    with LokyPool(2) as pool, Store() as store:
        run(curve, "small", executor=pool, store=store)
        executor = pool._executor
        run(curve, executor=pool, store=store)
        assert pool._executor is executor
        assert content(store) == serial


def _row(spec: Any, seconds: float) -> BlockRow:
    return BlockRow(spec.cell.canonical, spec.index, spec.size, (), b"", seconds, 0, "")


def test_the_plan_goes_round_by_index_and_groups_cheap_blocks() -> None:
    blocks = {cell: 1000 for cell in curve.design}
    plan = Plan(curve, blocks, {}, {}, 0)
    first = [plan.next_task(0.2, 2) for _ in range(3)]
    assert [[s.index for s in task] for task in first] == [[0]] * 3, "block 0 of all cells first"
    assert len({task[0].cell for task in first}) == 3
    for task, seconds in zip(first, (1e-3, 0.05, 3.0), strict=True):
        plan.finished(_row(task[0], seconds))
    sizes = {task[0].cell: 0 for task in first}
    for _ in range(3):
        task = plan.next_task(0.2, 2)
        sizes[task[0].cell] = len(task)
        assert [s.index for s in task] == list(range(1, 1 + len(task)))
    assert list(sizes.values()) == [200, 4, 1]
    assert plan.next_task(0.2, 2)[0].cell == first[2][0].cell, "the cell furthest behind"


def test_the_plan_hands_out_every_missing_block_once() -> None:
    gen = np.random.default_rng(2)
    blocks = {cell: 50 for cell in curve.design}
    done = {
        cell.canonical: {int(i): 10 for i in gen.choice(60, 20, replace=False)} for cell in blocks
    }
    plan = Plan(curve, blocks, done, {}, 0)
    wanted = {(c.canonical, i) for c in blocks for i in range(50) if i not in done[c.canonical]}
    assert plan.missing == len(wanted)
    seen: list[tuple[str, int]] = []
    while task := plan.next_task(0.2, 2):
        if gen.uniform() < 0.2:
            plan.put_back(task)
            continue
        for spec in task:
            seen.append((spec.cell.canonical, spec.index))
            plan.finished(_row(spec, float(gen.exponential(0.05))))
    assert len(seen) == len(wanted)
    assert set(seen) == wanted
    assert not plan
