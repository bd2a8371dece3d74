"""Progress of a run: a bar on a terminal, plain lines in a log, or nothing.

The time left is the sum over cells of what remains times that cell's mean cost: a rate over
blocks is wrong by orders of magnitude when n runs from a hundred to a million.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TextIO

PERCENTAGES = (1, 2, 5, *range(10, 101, 10))
LINE_SECONDS = 60.0
QUIET_SECONDS = 5.0  # a short study prints its last line only
REFRESH_SECONDS = 0.25


class Progress(Protocol):
    """What a run tells; any object with these methods may be given as ``progress=``."""

    def start(self, name: str, total: int, done: int) -> None:
        """A study begins, `done` of its `total` blocks being in the store."""

    def update(self, done: int, failed: int, eta: float | None) -> None:
        """Blocks done so far, blocks failed, seconds left (None while unknown)."""

    def close(self) -> None:
        """The study has ended, in whatever way."""


class Silent:
    """Say nothing."""

    def start(self, name: str, total: int, done: int) -> None:
        """Ignore."""

    def update(self, done: int, failed: int, eta: float | None) -> None:
        """Ignore."""

    def close(self) -> None:
        """Ignore."""


class Plain:
    """One line at 1, 2, 5, 10, 20 ... 100 percent, and at least one a minute.

    Parameters
    ----------
    stream : text file, optional
        ``sys.stderr`` by default.
    clock : callable, optional
        Seconds, monotone.
    """

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream, self._clock = stream, clock
        self._name, self._total, self._next, self._last = "", 0, 0, 0.0

    def start(self, name: str, total: int, done: int) -> None:
        """Remember where the study stands; a resumed one starts past the first marks."""
        self._name, self._total, self._last = name, total, self._clock()
        self._next = self._passed(done)

    def _passed(self, done: int) -> int:
        share = 100 * done / self._total if self._total else 100.0
        return sum(mark <= share for mark in PERCENTAGES)

    def update(self, done: int, failed: int, eta: float | None) -> None:
        """Print when a mark was passed (not too often) or a minute has gone by; and at the end."""
        passed, now = self._passed(done), self._clock()
        since = now - self._last
        if done < self._total and since < (QUIET_SECONDS if passed > self._next else LINE_SECONDS):
            return
        self._next, self._last = max(passed, self._next), now
        share = 100 * done // self._total if self._total else 100
        line = f"[{time.strftime('%H:%M:%S')}] {self._name} {done}/{self._total} blocks {share} %"
        line += f", {failed} failed" if failed else ""
        line += f" ETA {clock_text(eta)}" if eta is not None and done < self._total else ""
        print(line, file=self._stream or sys.stderr, flush=True)

    def close(self) -> None:
        """Nothing to tidy up."""


class Rich:
    """A bar with blocks, speed, time left and failures, redrawn four times a second."""

    def __init__(self, console: Any = None) -> None:
        from rich.console import Console

        self._console = Console(stderr=True) if console is None else console
        self._bar: Any = None
        self._task: Any = None
        self._last = 0.0
        self._begin = (0, 0.0)

    def start(self, name: str, total: int, done: int) -> None:
        """Draw the bar."""
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]} ETA {task.fields[eta]}{task.fields[failed]}"),
            console=self._console,
            auto_refresh=False,
            transient=True,
        )
        self._bar.start()
        self._task = self._bar.add_task(
            name, total=total, completed=done, speed="", eta="-", failed=""
        )
        self._begin = (done, time.monotonic())

    def update(self, done: int, failed: int, eta: float | None) -> None:
        """Redraw, at most every quarter of a second."""
        now = time.monotonic()
        if now - self._last < REFRESH_SECONDS:
            return
        self._last = now
        first, began = self._begin
        self._bar.update(
            self._task,
            completed=done,
            speed=f"{(done - first) / max(now - began, 1e-9):.0f} blocks/s",
            eta="-" if eta is None else clock_text(eta),
            failed=f" [red]{failed} failed[/red]" if failed else "",
        )
        self._bar.refresh()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def make_progress(progress: Any) -> Progress:
    """Turn the argument of a run into something that shows progress.

    Parameters
    ----------
    progress : None, bool or Progress
        None or False: silent. True: a bar where stderr is a terminal, otherwise plain lines.
    """
    if progress is None or progress is False:
        return Silent()
    if progress is not True:
        return progress
    if not sys.stderr.isatty():
        return Plain()
    return Rich()


def clock_text(seconds: float) -> str:
    """Seconds as ``MM:SS`` or ``H:MM:SS``.

    Examples
    --------
    >>> clock_text(3725)
    '1:02:05'
    """
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, second = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{second:02d}" if hours else f"{minutes:02d}:{second:02d}"


def time_left(
    remaining: Mapping[str, int], cost: Mapping[str, float], workers: int
) -> float | None:
    """Seconds until all remaining blocks are done; None before any cost is known.

    Parameters
    ----------
    remaining : mapping of cell to blocks left
    cost : mapping of cell to mean seconds a block
        A cell without one is taken to cost as much as the dearest seen.
    workers : int
    """
    if not cost:
        return None
    dearest = max(cost.values())
    total = sum(count * cost.get(cell, dearest) for cell, count in remaining.items())
    return total / max(workers, 1)
