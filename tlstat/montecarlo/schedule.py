"""Which blocks come next: block index first, grouped to tasks of a fraction of a second.

Nothing here touches a result: blocks are keyed by what they are, so grouping and order only
decide how fast the same bytes arrive.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tlstat.montecarlo.design import Cell
from tlstat.montecarlo.identity import stream_key
from tlstat.montecarlo.study import Study
from tlstat.montecarlo.worker import FAILURES_PER_CELL, BlockError, BlockRow, BlockSpec

TASK_BLOCKS = 256
TASK_BYTES = 8_000_000


@dataclass
class _Queue:
    """What is left of one cell."""

    cell: Cell
    order: int
    size: int
    ranges: tuple[tuple[str, float, float], ...]
    spans: deque[range]  # of block indices: a million blocks are one range
    left: int
    failed: int = 0
    measured: int = 0
    seconds: float = 0.0
    bytes: int = 0
    cost: float | None = field(default=None)  # known from the store

    def mean(self) -> float | None:
        """Seconds a block, by this run if it has measured any."""
        return self.seconds / self.measured if self.measured else self.cost

    def pop(self, count: int) -> list[int]:
        """Take the next `count` indices at most."""
        taken: list[int] = []
        while self.spans and len(taken) < count:
            span = self.spans.popleft()
            room = count - len(taken)
            taken.extend(span[:room])
            if len(span) > room:
                self.spans.appendleft(span[room:])
        self.left -= len(taken)
        return taken

    def push(self, indices: Sequence[int]) -> None:
        """Put indices back in front."""
        for index in reversed(indices):
            self.spans.appendleft(range(index, index + 1))
        self.left += len(indices)


class Plan:
    """The blocks that a run still has to compute.

    Parameters
    ----------
    study : Study
    blocks : mapping of Cell to int
        Wanted blocks of each cell: indices 0, 1, ...
    done : mapping of canonical cell to indices
        What the store has.
    cost : mapping of canonical cell to seconds
        Known mean cost of a block.
    entropy : int
    """

    def __init__(
        self,
        study: Study,
        blocks: Mapping[Cell, int],
        done: Mapping[str, Mapping[int, int]],
        cost: Mapping[str, float],
        entropy: int,
    ) -> None:
        self._study, self.entropy = study, entropy
        self.total = sum(blocks.values())
        self._queues: dict[str, _Queue] = {}
        # the dearest first within a round, so that no long cell is left for the end
        ranked = sorted(blocks, key=lambda cell: -cost.get(cell.canonical, 0.0))
        for order, cell in enumerate(ranked):
            have = done.get(cell.canonical, {})
            spans = _gaps(blocks[cell], have)
            self._queues[cell.canonical] = _Queue(
                cell, order, study.block_size(cell),
                tuple((m, *study.range_of(m, cell)) for m in study.ranges),
                spans, sum(map(len, spans)), cost=cost.get(cell.canonical),
            )  # fmt: skip
        self.missing = sum(queue.left for queue in self._queues.values())
        self._heap = [(q.spans[0][0], q.order, name) for name, q in self._queues.items() if q.spans]
        heapq.heapify(self._heap)

    def __bool__(self) -> bool:
        return any(queue.left for queue in self._queues.values())

    def next_task(self, seconds: float, workers: int) -> list[BlockSpec]:
        """Consecutive blocks of the cell that is furthest behind; empty when none is left."""
        while self._heap:
            _, _, name = heapq.heappop(self._heap)
            queue = self._queues[name]
            if not queue.left:
                continue
            indices = queue.pop(self._count(queue, seconds, workers))
            if queue.left:
                heapq.heappush(self._heap, (queue.spans[0][0], queue.order, name))
            return [self.spec(queue, index) for index in indices]
        return []

    def _count(self, queue: _Queue, seconds: float, workers: int) -> int:
        mean = queue.mean()
        if mean is None:
            return 1
        count = min(TASK_BLOCKS, int(seconds / max(mean, 1e-6)))
        if workers > 1:  # the tail is shared among the workers
            left = sum(q.left for q in self._queues.values())
            count = min(count, -(-left // (2 * workers)))
        if queue.measured and queue.bytes:
            count = min(count, TASK_BYTES * queue.measured // queue.bytes)
        return max(1, count)

    def spec(self, queue: _Queue, index: int) -> BlockSpec:
        """What a worker needs to compute one block."""
        key = stream_key(self._study, queue.cell, index, self.entropy)
        return BlockSpec(queue.cell, index, key, queue.size, queue.ranges)

    def put_back(self, specs: Sequence[BlockSpec]) -> None:
        """Return blocks that were lost with a worker, unless their cell was given up."""
        by_cell: dict[str, list[int]] = {}
        for spec in specs:
            by_cell.setdefault(spec.cell.canonical, []).append(spec.index)
        for name, indices in by_cell.items():
            queue = self._queues[name]
            if queue.failed < FAILURES_PER_CELL:
                queue.push(sorted(indices))
                heapq.heappush(self._heap, (queue.spans[0][0], queue.order, name))

    def finished(self, row: BlockRow) -> None:
        """Learn from a block what its cell costs."""
        queue = self._queues[row.cell]
        queue.measured += 1
        queue.seconds += row.seconds
        queue.bytes += len(row.data)

    def failed(self, error: BlockError) -> None:
        """Count a failure; a cell that fails again and again is given up."""
        queue = self._queues[error.cell]
        queue.failed += 1
        if queue.failed >= FAILURES_PER_CELL:
            queue.spans.clear()
            queue.left = 0

    def remaining(self) -> dict[str, int]:
        """Blocks not yet handed out, for each cell."""
        return {name: queue.left for name, queue in self._queues.items() if queue.left}

    def costs(self) -> dict[str, float]:
        """Mean seconds a block, for each cell where it is known."""
        means = {name: queue.mean() for name, queue in self._queues.items()}
        return {name: mean for name, mean in means.items() if mean is not None}


def _gaps(count: int, have: Mapping[int, int]) -> deque[range]:
    """Ranges of the indices below `count` that are not in `have`."""
    spans: deque[range] = deque()
    start = 0
    for index in sorted(i for i in have if i < count):
        if index > start:
            spans.append(range(start, index))
        start = index + 1
    if start < count:
        spans.append(range(start, count))
    return spans
