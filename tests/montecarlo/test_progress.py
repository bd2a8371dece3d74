"""What a run says while it works."""

from __future__ import annotations

import io
from typing import Any

import pytest

from tlstat import grid, run, study
from tlstat.montecarlo.progress import (
    Plain,
    Rich,
    Silent,
    clock_text,
    make_progress,
    time_left,
)


@study(grid(n=[1, 2]), 100, block=10, name="progress.some")
def some(cell, rng, size):
    return {"x": rng.normal(size=size)}


def test_plain_lines_come_at_marks_and_every_minute() -> None:
    out, now = io.StringIO(), [0.0]
    plain = Plain(out, clock=lambda: now[0])
    plain.start("study", 1000, 0)
    for done in range(1001):
        now[0] += 6.0
        plain.update(done, 0, 10.0)
    shares = [int(line.split(" %")[0].split()[-1]) for line in out.getvalue().splitlines()]
    assert set(shares) >= {1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100}
    # 13 marks, and the minutes between them: nothing like a line for each of 1001 updates
    assert 13 < len(shares) <= 13 + 1001 // 10
    # the marks, and a line each minute (ten updates) where they lie further apart
    out.truncate(0)
    plain.start("study", 1000, 205)
    for done in (206, 207):
        plain.update(done, 0, 10.0)
    assert not out.getvalue(), "a resumed run does not repeat old marks"
    now[0] += 61.0
    plain.update(208, 3, 75.0)
    assert out.getvalue().strip("\0\n").endswith("study 208/1000 blocks 20 %, 3 failed ETA 01:15")


def test_a_short_study_prints_its_last_line_only() -> None:
    out = io.StringIO()
    plain = Plain(out, clock=lambda: 0.0)
    plain.start("study", 100, 0)
    for done in range(101):
        plain.update(done, 0, 10.0)
    assert out.getvalue().splitlines() == [out.getvalue().strip()]
    assert "100/100" in out.getvalue()


def test_a_run_tells_its_progress_from_start_to_end() -> None:
    events: list[Any] = []

    class Watcher:
        def start(self, name: str, total: int, done: int) -> None:
            events.append(("start", name, total, done))

        def update(self, done: int, failed: int, eta: float | None) -> None:
            events.append((done, failed, eta))

        def close(self) -> None:
            events.append("close")

    run(some, progress=Watcher())
    assert events[0] == ("start", "progress.some", 20, 0)
    assert events[-1] == "close"
    assert events[-2] == (20, 0, 0.0)
    done = [event[0] for event in events[1:-1]]
    assert done == sorted(done)


def test_a_pipe_gets_plain_lines_and_silence_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    run(some, progress=True)
    assert "progress.some 20/20 blocks 100 %" in capsys.readouterr().err
    run(some)
    run(some, progress=False)
    assert capsys.readouterr().err == ""
    assert isinstance(make_progress(None), Silent)
    assert isinstance(make_progress(True), Plain)


def test_a_terminal_gets_a_bar() -> None:
    console = pytest.importorskip("rich.console")
    out = io.StringIO()
    bar = Rich(console.Console(file=out, force_terminal=True, width=100, color_system=None))
    bar.start("study", 200, 10)
    bar.update(50, 2, 65.0)
    bar.update(51, 2, 64.0)
    bar.close()
    assert "50/200" in out.getvalue()
    assert "ETA 01:05" in out.getvalue()
    assert "2 failed" in out.getvalue()
    assert "51/200" not in out.getvalue(), "at most four times a second"


def test_time_left_weighs_cells_by_their_cost() -> None:
    assert time_left({"a": 10}, {}, 2) is None
    assert time_left({"a": 10, "b": 2}, {"a": 0.1, "b": 3.0}, 2) == pytest.approx(3.5)
    assert time_left({"a": 10, "new": 2}, {"a": 0.1, "b": 3.0}, 1) == pytest.approx(7.0)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "00:00"), (59.6, "01:00"), (3599, "59:59"), (3725, "1:02:05")]
)
def test_clock_text(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text
