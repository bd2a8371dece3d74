"""What may go wrong in a run, one fault a test; the results must not notice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from tlstat import grid, run, study
from tlstat.errors import InputError, StudyError
from tlstat.montecarlo.executors import LokyPool
from tlstat.montecarlo.run import replay
from tlstat.montecarlo.store import Store, open_store

SCRIPT = """
import os, sys, time
import numpy as np
from tlstat import grid, run, study

@study(grid(n=[5, 50]), 400, block=10, name="faults.kill")
def kill(cell, rng, size):
    time.sleep({sleep})
    x = rng.normal(size=(size, cell.n, cell.n))
    return {{"mean": x.mean((1, 2)), "norm": np.linalg.norm(x @ x, axis=(1, 2))}}

if __name__ == "__main__":
    run(kill, store=sys.argv[1], jobs=int(sys.argv[2]))
"""


def _script(folder: Path, sleep: float = 0.0) -> Path:
    path = folder / "kill_me.py"
    path.write_text(SCRIPT.format(sleep=sleep))
    return path


def _start(path: Path, store: Path, jobs: int, **env: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(path), str(store), str(jobs)],
        env={**os.environ, **env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def _content(path: Path) -> list[tuple[str, int, bytes]]:
    with Store(path) as store:
        (head,) = store.studies()
        cells = sorted(store.done(head.id))
        return [(c, r.index, r.data) for c in cells for r in store.read(head.id, c)]


def _wait_for_blocks(path: Path, count: int, process: subprocess.Popen[bytes]) -> None:
    import sqlite3

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        if path.exists():
            try:
                with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1) as db:
                    if db.execute("SELECT COUNT(*) FROM block").fetchone()[0] >= count:
                        return
            except sqlite3.OperationalError:
                pass
        time.sleep(0.02)
    raise AssertionError(f"no {count} blocks were stored: {process.poll()}")


def _children(pid: int) -> list[int]:
    out = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(line) for line in out.stdout.split()]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _left_after(seconds: float, workers: list[int]) -> list[int]:
    """Workers still there: a watchdog looks once a second, and the dead are reaped late."""
    deadline = time.monotonic() + seconds
    while any(map(_alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return [pid for pid in workers if _alive(pid)]


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc and ps")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, int, bytes]]:
    """What an undisturbed serial run stores."""
    folder = tmp_path_factory.mktemp("whole")
    process = _start(_script(folder), folder / "a.sqlite", 1)
    assert process.wait(60) == 0
    return _content(folder / "a.sqlite")


@needs_proc
def test_a_killed_run_leaves_no_orphans_and_resumes_to_the_same_bytes(
    tmp_path: Path, whole: list[tuple[str, int, bytes]]
) -> None:
    store = tmp_path / "a.sqlite"
    process = _start(_script(tmp_path, sleep=0.05), store, 2)
    _wait_for_blocks(store, 4, process)
    workers = _children(process.pid)
    assert len(workers) >= 2
    process.kill()
    process.wait()
    assert not _left_after(10, workers)
    before = len(_content(store))
    assert 0 < before < len(whole)
    # the sleep is part of the source, but the blocks are cheap: a changed source recomputes
    assert _start(_script(tmp_path, sleep=0.05), store, 2).wait(60) == 0
    assert _content(store) == whole


@needs_proc
def test_ctrl_c_stores_what_is_finished(tmp_path: Path) -> None:
    store = tmp_path / "a.sqlite"
    process = _start(_script(tmp_path, sleep=0.05), store, 2)
    _wait_for_blocks(store, 4, process)
    workers = _children(process.pid)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGINT
    assert err.decode().count("KeyboardInterrupt") == 1, "workers must not print traces"
    assert 4 <= len(_content(store)) < 80
    assert not _left_after(5, workers)


def test_ctrl_c_in_a_serial_run_keeps_the_blocks_of_the_open_task(tmp_path: Path) -> None:
    calls = []

    @study(grid(n=[1]), 100, block=1, name="faults.interrupted")
    def interrupted(cell, rng, size):
        calls.append(1)
        if len(calls) == 30:
            raise KeyboardInterrupt
        return {"x": rng.normal(size=size)}

    with Store(tmp_path / "a.sqlite") as store, pytest.raises(KeyboardInterrupt):
        run(interrupted, store=store)
    with Store(tmp_path / "a.sqlite") as store:
        (head,) = store.studies()
        assert sum(map(len, store.done(head.id).values())) == 29


@pytest.mark.parametrize("threads", ["4"])
def test_threads_in_the_users_shell_change_no_byte(
    tmp_path: Path, whole: list[tuple[str, int, bytes]], threads: str
) -> None:
    env = {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    assert _start(_script(tmp_path), tmp_path / "s.sqlite", 1, **env).wait(60) == 0
    assert _start(_script(tmp_path), tmp_path / "p.sqlite", 2, **env).wait(60) == 0
    assert _content(tmp_path / "s.sqlite") == whole
    assert _content(tmp_path / "p.sqlite") == whole


def test_a_killed_worker_costs_nothing(tmp_path: Path) -> None:
    flag = tmp_path / "died"

    @study(grid(n=[3], flag=[str(flag)]), 400, block=10, name="faults.worker")
    def once(cell, rng, size):
        import os
        import pathlib
        import signal

        mark = pathlib.Path(cell.flag)
        if os.environ.get("TLSTAT_WORKER") and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return {"x": rng.normal(size=size)}

    parallel = run(once, jobs=2)
    assert flag.exists()
    assert not parallel.failures
    serial = run(once)
    assert parallel.to_frame().equals(serial.to_frame())


def test_a_poison_block_is_named_and_the_run_goes_on() -> None:
    @study(grid(n=[1, 2]), 200, block=10, name="faults.poison")
    def poison(cell, rng, size):
        import os

        x = rng.normal(size=size)
        first = rng.spawn("which").uniform()
        if cell.n == 2 and abs(first - cell_mark) < 1e-12:
            os._exit(9)
        return {"x": x}

    # the block to die is told by its stream, which the worker sees and the test can compute
    from tlstat.backend import Random
    from tlstat.montecarlo.identity import stream_key

    cell = poison.design.cells[1]
    key = stream_key(poison, cell, 7, 0)
    cell_mark = Random(key).spawn("which").uniform()
    results = run(poison, jobs=2)
    (failure,) = results.failures
    assert (failure.cell, failure.index, failure.kind) == (cell.canonical, 7, "died")
    assert failure.key == f"{key:032x}"
    one, two = results.samples("x")
    assert one.replicates == 200
    assert two.replicates == 70, "the blocks before the one that is missing"


def test_a_hanging_block_is_ended_by_the_timeout() -> None:
    @study(grid(n=[0, 1]), 60, block=10, name="faults.hang")
    def hang(cell, rng, size):
        import time

        if cell.n == 1:
            time.sleep(600)
        return {"x": rng.normal(size=size)}

    start = time.monotonic()
    results = run(hang, replicates=10, jobs=2, timeout=1.0)
    assert time.monotonic() - start < 100
    (failure,) = results.failures
    assert failure.kind == "timeout"
    assert "timeout=1 s" in failure.message
    assert results.samples("x")[0].replicates == 10


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_exception_that_cannot_be_pickled_is_only_a_failure(jobs: int) -> None:
    @study(grid(n=[1, 2]), 40, block=10, name="faults.unpicklable")
    def unpicklable(cell, rng, size):
        class Odd(Exception):
            def __init__(self, one, two):
                super().__init__(one)
                self.lock = __import__("threading").Lock()

        if cell.n == 2:
            raise Odd("no luck", 2)
        return {"x": rng.normal(size=size)}

    results = run(unpicklable, jobs=jobs)
    assert len(results.failures) == 4
    assert results.failures[0].message == "Odd: no luck"
    assert "raise Odd" in results.failures[0].traceback
    assert results.samples("x")[0].replicates == 40


def _broken(kind: str):
    @study(grid(n=[1]), 100, block=10, name=f"faults.{kind}", ranges={"x": (-50, 50)})
    def broken(cell, rng, size):
        x = rng.normal(size=size)
        if rng.key != bad_key:
            return {"x": x}
        x[3] = np.nan if kind == "nan" else x[3]
        return {
            "nan": {"x": x},
            "shape": {"x": x[:-1]},
            "dtype": {"x": x.astype(complex)},
            "other dtype": {"x": x.astype(np.float32)},
            "new metric": {"x": x, "y": x},
            "range": {"x": x + 1000},
            "empty": {},
        }[kind]

    from tlstat.montecarlo.identity import stream_key

    bad_key = stream_key(broken, broken.design.cells[0], 7, 0)
    return broken, bad_key


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("nan", "'x' is nan in 1 of 10 values, first at 3"),
        ("shape", r"shape \(9,\); expected \(10,\)"),
        ("dtype", "dtype complex128"),
        ("other dtype", "one dtype and shape in every block"),
        ("new metric", "expected the same in every block"),
        ("range", r"outside its declared range \[-50, 50\]"),
        ("empty", r"returned \{\}"),
    ],
)
def test_a_later_block_that_cannot_be_judged_is_recorded(kind: str, says: str) -> None:
    broken, key = _broken(kind)
    results = run(broken)
    (failure,) = results.failures
    assert (failure.index, failure.kind, failure.key) == (7, "invalid", f"{key:032x}")
    import re

    assert re.search(says, failure.message)
    assert results.samples("x")[0].replicates == 70
    if kind not in ("new metric", "other dtype"):  # these only differ from other blocks
        with pytest.raises(StudyError, match=says) as caught:
            replay(broken, {"n": 1}, 7)
        assert (caught.value.block, caught.value.key) == (7, f"{key:032x}")


def test_a_cell_that_always_fails_is_given_up_early() -> None:
    calls = []

    @study(grid(n=[1, 2]), 10_000, block=10, name="faults.always")
    def always(cell, rng, size):
        if cell.n == 1:
            calls.append(1)
            raise RuntimeError("never works")
        return {"x": rng.normal(size=size)}

    results = run(always)
    assert len(results.failures) == len(calls) == 10
    assert results.samples("x")[-1].replicates == 10_000


def test_a_nested_run_stays_serial_and_gives_the_same() -> None:
    @study(grid(n=[1]), 20, block=10, name="faults.outer")
    def outer(cell, rng, size):
        import os

        from tlstat import grid, run, study

        @study(grid(m=[2]), 20, block=10, name="faults.nested")
        def nested(cell, rng, size):
            return {"pid": np.full(size, os.getpid()), "x": rng.normal(size=size)}

        frame = run(nested, jobs=2).to_frame()
        assert (frame["pid"] == os.getpid()).all()
        return {"x": frame["x"].to_numpy()[:size] + rng.normal(size=size)}

    serial, parallel = run(outer), run(outer, jobs=2)
    assert not serial.failures
    assert not parallel.failures
    assert serial.to_frame().equals(parallel.to_frame())


def test_a_large_global_is_refused_by_name() -> None:
    table = np.zeros(1_000_000)

    @study(grid(n=[1]), 20, block=10, name="faults.large")
    def large(cell, rng, size):
        return {"x": rng.normal(size=size) + table[0]}

    with pytest.raises(StudyError, match=r"takes 8\.0 MB.*table \(8\.0 MB\)"):
        run(large, jobs=2)
    assert run(large).samples("x")[0].replicates == 20, "nothing travels in a serial run"


def test_what_cannot_be_pickled_is_said_before_any_work() -> None:
    import threading

    lock = threading.Lock()

    @study(grid(n=[1]), 20, block=10, name="faults.lock")
    def locked(cell, rng, size):
        with lock:
            return {"x": rng.normal(size=size)}

    with pytest.raises(StudyError, match="cannot be sent to a worker"):
        run(locked, jobs=2)


def test_a_helper_module_beside_the_study_travels_with_it(tmp_path: Path) -> None:
    from tlstat.montecarlo.study import load_studies

    (tmp_path / "helper_beside_it.py").write_text("def double(x):\n    return 2 * x\n")
    (tmp_path / "sim_beside.py").write_text(
        textwrap.dedent(
            """
            import sys
            sys.path.insert(0, {folder!r})
            import helper_beside_it
            sys.path.remove({folder!r})
            from tlstat import grid, study

            @study(grid(n=[1]), 20, block=10)
            def beside(cell, rng, size):
                return {{"x": helper_beside_it.double(rng.normal(size=size))}}
            """
        ).format(folder=str(tmp_path))
    )
    (beside,) = load_studies(tmp_path / "sim_beside.py")
    with LokyPool(1) as pool:
        results = run(beside, executor=pool)
    assert not results.failures
    assert results.to_frame().equals(run(beside).to_frame())
    import cloudpickle

    assert "helper_beside_it" not in cloudpickle.list_registry_pickle_by_value()


def test_a_broken_foreign_executor_is_an_error_that_says_how_to_go_on() -> None:
    from loky import ProcessPoolExecutor

    @study(grid(n=[1]), 40, block=10, name="faults.foreign")
    def deadly(cell, rng, size):
        import os

        if os.environ.get("TLSTAT_WORKER"):
            os._exit(9)
        return {"x": rng.normal(size=size)}

    executor = ProcessPoolExecutor(max_workers=1)
    store = open_store(None)
    try:
        with pytest.raises(StudyError, match="run again"):
            run(deadly, executor=executor, store=store)
    finally:
        executor.shutdown(kill_workers=True)
    assert run(deadly, store=store).samples("x")[0].replicates == 40


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"jobs": 0}, "jobs is 0"),
        ({"jobs": 1.5}, "jobs is 1.5"),
        ({"executor": 3}, "executor is 3"),
        ({"timeout": -1}, "timeout is -1"),
        ({"entropy": "x"}, "entropy is 'x'"),
        ({"array": "cupy"}, "array is 'cupy'"),
        ({"device": "cuda"}, "expected array='torch'"),
        ({"replicates": -5}, "replicates is -5"),
        ({"profile": "papre"}, "papre"),
        ({"store": 5}, "store is 5"),
    ],
)
def test_bad_arguments_are_refused_before_work(options: dict[str, object], says: str) -> None:
    @study(grid(n=[1]), 20, block=10, name="faults.arguments")
    def never(cell, rng, size):
        raise AssertionError("no work may start")

    with pytest.raises(InputError, match=says):
        run(never, **options)  # type: ignore[arg-type]
