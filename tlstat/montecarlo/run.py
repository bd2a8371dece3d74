"""Run a study: what is missing in the store is computed, stored block by block, and read back."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import ExitStack, suppress
from typing import Any

from tlstat.errors import InputError, StudyError
from tlstat.montecarlo.design import Cell
from tlstat.montecarlo.executors import Pool, make_pool
from tlstat.montecarlo.identity import stream_key
from tlstat.montecarlo.packing import job, pack
from tlstat.montecarlo.progress import Progress, make_progress, time_left
from tlstat.montecarlo.results import Results
from tlstat.montecarlo.schedule import Plan
from tlstat.montecarlo.store import Store, open_store, unpack
from tlstat.montecarlo.study import Study
from tlstat.montecarlo.threads import single_thread
from tlstat.montecarlo.worker import (
    BlockError,
    BlockRow,
    BlockSpec,
    Schema,
    iter_blocks,
    ready,
    run_block,
    run_blocks,
)

_POLL = 0.25  # seconds between looks at the clock and redraws
_START = 30.0  # seconds that new workers may take to start before a timeout counts
_COMMIT = 0.2  # seconds of finished blocks that one serial transaction holds


def run(
    study: Study,
    profile: str = "quick",
    *,
    replicates: int | None = None,
    store: Store | str | os.PathLike[str] | None = None,
    executor: Any = None,
    jobs: int = 1,
    entropy: int = 0,
    device: str = "cpu",
    array: str = "numpy",
    progress: Any = None,
    same_results: bool = False,
    timeout: float | None = None,
) -> Results:
    """Compute what a study still lacks, and return its results.

    Results are bit for bit the same whatever the number of workers, their order or an
    interruption in between (same versions, same kind of processor).

    Parameters
    ----------
    study : Study
    profile : str
        Settings of the study: ``"quick"``, ``"paper"``, ``"full"`` or one that it declares.
    replicates : int, optional
        Instead of the profile's number; rounded up to whole blocks.
    store : Store, path or None
        Where finished blocks are kept and looked up; None keeps them in memory.
    executor : concurrent.futures.Executor, optional
        Runs the blocks; it is not shut down.
    jobs : int
        Worker processes of our own when there is no `executor`; -1 for all cores. Blocks on a
        device run in this process.
    entropy : int
        Another number gives fresh draws everywhere.
    device, array : str
        As for `tlstat.backend.Random`.
    progress : bool or Progress, optional
        True shows a bar or plain lines on stderr.
    same_results : bool
        Declare that a change of the study's source did not change its results.
    timeout : float, optional
        Seconds after which a block's worker is killed and the block counts as failed. Runs in
        worker processes of our own, also with ``jobs=1``.

    Returns
    -------
    Results
        Blocks that failed are in ``.failures``; the others are all there.

    Raises
    ------
    InputError
        For bad arguments, before any work.
    StoreError
        When the store cannot be read or written.
    StudyError
        When the study cannot be sent to workers, or a foreign executor broke.
    KeyboardInterrupt
        On Ctrl-C, after finished blocks were stored and workers ended.
    """
    if not isinstance(study, Study):
        raise InputError(f"study is {study!r}; expected a function decorated with @study")
    if isinstance(entropy, bool) or not isinstance(entropy, int):
        raise InputError(f"entropy is {entropy!r}; expected an integer")
    _check_backend(array, device)
    blocks = study.blocks(profile, replicates)
    begin = time.perf_counter()
    with ExitStack() as stack:
        opened = open_store(store)
        if opened is not store:
            stack.callback(opened.close)
        ident = opened.register(study, entropy, same_results=same_results)
        plan = Plan(study, blocks, opened.done(ident), opened.cost(ident), entropy)
        if plan.missing:
            pool, ours = make_pool(executor, jobs, device, timeout)
            if pool is not None and ours:
                stack.callback(pool.close)
            shown = make_progress(progress)
            shown.start(study.name, plan.total, plan.total - plan.missing)
            stack.callback(shown.close)
            stack.enter_context(single_thread())
            ledger = _Ledger(study, opened, ident, plan, shown, pool.workers if pool else 1)
            if pool is None:
                _serial(ledger, study, array, device)
            else:
                _Loop(ledger, pool, pack(study), array, device, timeout).run()
        return _results(opened, ident, study, blocks, profile, entropy, begin)


def _check_backend(array: str, device: str) -> None:
    from tlstat.backend import Random

    Random(0, array, device)  # says what is wrong, before any work


def _results(
    store: Store,
    ident: int,
    study: Study,
    blocks: Mapping[Cell, int],
    profile: str,
    entropy: int,
    begin: float,
) -> Results:
    wanted = {cell.canonical: count for cell, count in blocks.items()}
    rows = {name: store.read(ident, name, count) for name, count in wanted.items()}
    failures = [e for e in store.failures(ident) if e.index < wanted.get(e.cell, 0)]
    seconds = time.perf_counter() - begin
    return Results(
        study, rows, profile=profile, entropy=entropy, failures=failures, seconds=seconds
    )


class _Ledger:
    """Where finished blocks and failures are written down; only the parent has one."""

    def __init__(
        self, study: Study, store: Store, ident: int, plan: Plan, progress: Progress, workers: int
    ) -> None:
        self.plan = plan
        self._study, self._store, self._ident = study, store, ident
        self._progress, self._workers = progress, workers
        self._done, self._failed = plan.total - plan.missing, 0
        self._metrics: tuple[str, ...] | None = None
        self._schemas: dict[str, Schema] = {}

    def record(self, rows: Sequence[BlockRow], errors: Sequence[BlockError]) -> None:
        """Store a task's outcome in one transaction; a block that differs in form failed."""
        good: list[BlockRow] = []
        bad = list(errors)
        for row in rows:
            why = self._differs(row)
            if why is None:
                good.append(row)
                self.plan.finished(row)
            else:
                bad.append(self._error(row, why))
        if good:
            self._store.put(self._ident, good)
        for error in bad:
            self._store.put_failure(self._ident, error)
            self.plan.failed(error)
        self._done += len(good)
        self._failed += len(bad)

    def _error(self, row: BlockRow, why: str) -> BlockError:
        cell = next(c for c in self._study.design if c.canonical == row.cell)
        key = stream_key(self._study, cell, row.index, self.plan.entropy)
        return BlockError(row.cell, row.index, f"{key:032x}", "invalid", why)

    def _differs(self, row: BlockRow) -> str | None:
        """Compare a block with the first of its cell, and its metrics with the study's first."""
        if row.cell not in self._schemas:
            first = self._store.read(self._ident, row.cell, 1)
            self._schemas[row.cell] = first[0].schema if first else row.schema
            if self._metrics is None:
                self._metrics = _names(self._schemas[row.cell])
        if sorted(_names(row.schema)) != sorted(self._metrics or ()):
            return (
                f"the block returned metrics {list(_names(row.schema))}, the study's first block "
                f"{list(self._metrics or ())}; expected the same in every block"
            )
        for ours, theirs in zip(sorted(row.schema), sorted(self._schemas[row.cell]), strict=True):
            if ours != theirs:
                return (
                    f"metric {ours[0]!r} came as {ours[1:]}, in the cell's first block as "
                    f"{theirs[1:]}; expected one dtype and shape in every block"
                )
        return None

    def show(self, flying: Sequence[BlockSpec] = ()) -> None:
        """Tell the progress where the run stands."""
        remaining = self.plan.remaining()
        for spec in flying:
            remaining[spec.cell.canonical] = remaining.get(spec.cell.canonical, 0) + 1
        eta = time_left(remaining, self.plan.costs(), self._workers)
        self._progress.update(self._done, self._failed, eta)


def _names(schema: Schema) -> tuple[str, ...]:
    return tuple(column[0] for column in schema)


def _serial(ledger: _Ledger, study: Study, array: str, device: str) -> None:
    """Run the blocks in this process; an interruption stores what is finished."""
    work = job(study)
    while specs := ledger.plan.next_task(_COMMIT, 1):
        rows: list[BlockRow] = []
        errors: list[BlockError] = []
        try:
            for item in iter_blocks(work, specs, array, device):
                if isinstance(item, BlockRow):
                    rows.append(item)
                else:
                    errors.append(item)
        finally:
            ledger.record(rows, errors)
        ledger.show()


class _Loop:
    """Keep a pool busy, write down what comes back, survive workers that die."""

    def __init__(
        self,
        ledger: _Ledger,
        pool: Pool,
        payload: bytes,
        array: str,
        device: str,
        timeout: float | None,
    ) -> None:
        self._ledger, self._pool, self._timeout = ledger, pool, timeout
        self._payload, self._array, self._device = payload, array, device
        self._flying: dict[Future[Any], tuple[list[BlockSpec], float]] = {}
        self._breaks = 0

    def run(self) -> None:
        """Compute all that the plan holds."""
        try:
            self._warm()
            while self._ledger.plan or self._flying:
                lost = self._refill()
                lost = self._collect(_POLL) or lost
                if lost:
                    self._recover()
                elif self._timeout is not None:
                    self._end_hanging()
                self._ledger.show([spec for specs, _ in self._flying.values() for spec in specs])
        except BaseException:
            self._abandon()
            raise

    def _rebuild(self, workers: int | None = None) -> None:
        self._pool.rebuild(workers)
        self._warm()

    def _warm(self) -> None:
        """With a timeout, wait until all workers have started: that is no block's time."""
        if self._timeout is None:
            return
        seen: set[int] = set()
        end = time.monotonic() + _START
        with suppress(BrokenExecutor, TimeoutError):  # shows again with the first task
            while len(seen) < self._pool.workers and time.monotonic() < end:
                calls = [self._pool.submit(ready, self._payload) for _ in range(self._pool.workers)]
                seen |= {call.result(timeout=_START) for call in calls}

    def _refill(self) -> bool:
        """Keep every worker supplied; True when the pool is broken."""
        # with a timeout nothing may wait in a queue, or waiting would count as hanging
        ahead = self._pool.ahead if self._timeout is None else 1
        while len(self._flying) < ahead * self._pool.workers:
            specs = self._ledger.plan.next_task(self._pool.task_seconds, self._pool.workers)
            if not specs:
                return False
            if not self._submit(specs):
                return True
        return False

    def _submit(self, specs: list[BlockSpec]) -> bool:
        try:
            future = self._pool.submit(
                run_blocks, self._payload, specs, self._array, self._device, os.getpid()
            )
        except BrokenExecutor:
            self._ledger.plan.put_back(specs)
            return False
        self._flying[future] = (specs, time.monotonic())
        return True

    def _collect(self, seconds: float) -> bool:
        """Write down what has come back; True when a worker was lost."""
        if not self._flying:
            return False
        wait(self._flying, timeout=seconds, return_when=FIRST_COMPLETED)
        lost = False
        # group commit: what arrived together goes into one transaction
        rows: list[BlockRow] = []
        errors: list[BlockError] = []
        for future in [f for f in self._flying if f.done()]:
            failure = future.exception()
            if isinstance(failure, BrokenExecutor):
                lost = True  # stays among the flying: its blocks are suspects
                continue
            specs, _ = self._flying.pop(future)
            if failure is None:
                finished, failed = future.result()
                rows += finished
                errors += failed
            else:  # the executor's own trouble, such as dask's KilledWorker
                errors += [s.error("died", f"{type(failure).__name__}: {failure}") for s in specs]
        if rows or errors:
            self._ledger.record(rows, errors)
        return lost

    def _recover(self) -> None:
        """After a dead worker: everything in flight again, then one at a time to find the one."""
        if not self._pool.own:
            raise StudyError(
                "the executor broke down (a worker died); finished blocks are stored: run again "
                "with a new executor to go on"
            )
        self._breaks += 1
        self._collect(0)  # what finished before the break
        suspects = [spec for specs, _ in self._flying.values() for spec in specs]
        self._flying.clear()
        if self._breaks == 1:
            self._rebuild()
            self._ledger.plan.put_back(suspects)
            return
        self._isolate(suspects)

    def _isolate(self, suspects: Sequence[BlockSpec]) -> None:
        """Run suspects alone, each in a pool of one: the one that kills it is the culprit."""
        self._rebuild(workers=1)
        for spec in suspects:
            died = not self._submit_alone(spec)
            if died:
                self._rebuild(workers=1)
        self._rebuild()
        self._breaks = 1  # from now on suspects are isolated at once

    def _submit_alone(self, spec: BlockSpec) -> bool:
        future = self._pool.submit(
            run_blocks, self._payload, [spec], self._array, self._device, os.getpid()
        )
        try:
            rows, errors = future.result(timeout=self._timeout)
        except BrokenExecutor as error:
            what = f"the worker died while it ran this block (memory?): {_first_line(error)}"
            self._ledger.record([], [spec.error("died", what)])
            return False
        except TimeoutError:
            self._ledger.record([], [self._hung(spec)])
            return False
        self._ledger.record(rows, errors)
        return True

    def _hung(self, spec: BlockSpec) -> BlockError:
        return spec.error("timeout", f"the block took longer than timeout={self._timeout:g} s")

    def _end_hanging(self) -> None:
        """Kill the pool when a task has overrun; its block failed, or is looked for."""
        now, limit = time.monotonic(), self._timeout or 0.0
        overrun = [f for f, (specs, at) in self._flying.items() if now - at > limit * len(specs)]
        if not overrun:
            return
        self._collect(0)
        hung = [self._flying.pop(f)[0] for f in overrun if f in self._flying]
        if not hung:
            return
        innocent = [spec for specs, _ in self._flying.values() for spec in specs]
        self._flying.clear()
        self._rebuild()
        self._ledger.plan.put_back(innocent)
        for specs in hung:
            if len(specs) == 1:
                self._ledger.record([], [self._hung(specs[0])])
        several = [spec for specs in hung if len(specs) > 1 for spec in specs]
        if several:
            self._isolate(several)

    def _abandon(self) -> None:
        """On the way out: store what is finished, cancel the rest, end the workers."""
        try:
            self._collect(0)
        finally:
            for future in self._flying:
                future.cancel()
            self._pool.kill()


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def replay(
    study: Study,
    cell: Mapping[str, Any],
    index: int,
    entropy: int = 0,
    *,
    array: str = "numpy",
    device: str = "cpu",
) -> dict[str, Any]:
    """Run one block again in this process, with its own stream: a failure can be debugged.

    Parameters
    ----------
    study : Study
    cell : Cell or mapping
        A cell of the study's design.
    index : int
        The block.
    entropy : int

    Returns
    -------
    dict
        Metric to array (size,) or (size, k), or `Exact`, as in the results.

    Raises
    ------
    StudyError
        When the block returns something that cannot be judged; what the study function raises
        is passed on as it is.
    """
    found = next((c for c in study.design if c == cell), None)
    if found is None:
        raise InputError(f"cell is {cell!r}; expected a cell of {study.name}'s design")
    if isinstance(index, bool) or not isinstance(index, int) or index < 0:
        raise InputError(f"index is {index!r}; expected a block index, 0 or above")
    key, size = stream_key(study, found, index, entropy), study.block_size(found)
    fn, inner, allow_nan = job(study)
    ranges = tuple((m, *study.range_of(m, found)) for m in study.ranges)
    try:
        with single_thread():
            schema, data = run_block(
                fn, found, key, size, array, device,
                inner=inner, allow_nan=allow_nan, ranges=ranges,
            )  # fmt: skip
    except InputError as error:
        raise StudyError(
            f"{study.name}, {found!r}, block {index}, key {key:032x}: {error}",
            study=study.name, cell=found, block=index, key=f"{key:032x}",
        ) from error  # fmt: skip
    return unpack(BlockRow(found.canonical, index, size, schema, data, 0.0, 0, ""))
