"""What the engine costs over a bare loop of the same function, and against joblib.

Run ``python benchmarks/engine.py [--repeats 5] [--quick]``. Contestants are interleaved, so
that a slow minute of the machine hits all of them; medians are printed. "over" is the time
over that of the bare loop (divided by the number of workers), minus one.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import threadpoolctl

from tlstat import grid, run, study
from tlstat.backend import Random
from tlstat.montecarlo.executors import LokyPool
from tlstat.montecarlo.identity import stream_key
from tlstat.montecarlo.study import Study

WORKERS = 2
DRAWS_A_MS = 45_000  # rough; the bare loop is always timed beside it


def make_study(milliseconds: float, seconds: float) -> Study:
    """A study whose blocks take about the time asked for, of `seconds` in all."""
    size = 20
    width = max(1, int(milliseconds * DRAWS_A_MS / size))
    blocks = max(3 * WORKERS, int(seconds * 1000 / milliseconds / 3))

    @study(
        grid(n=[width - 1, width, width + 1]),
        size * blocks,
        block=size,
        name=f"benchmark.{milliseconds}",
    )
    def body(cell: Any, rng: Any, size: int) -> dict[str, Any]:
        x = rng.normal(size=(size, cell.n))
        return {"mean": x.mean(1), "sd": x.std(1), "positive": (x > 0).mean(1)}

    return body


def _blocks(s: Study) -> list[tuple[Any, int, int]]:
    return [
        (cell, stream_key(s, cell, index, 0), s.block_size(cell))
        for cell, count in s.blocks().items()
        for index in range(count)
    ]


def bare(s: Study) -> None:
    """The loop that a script would hold."""
    for cell, key, size in _blocks(s):
        s.fn(cell, Random(key), size)


def _call(payload: bytes, cell: Any, key: int, size: int) -> Any:
    from tlstat.montecarlo.packing import load

    return load(payload)[0](cell, Random(key), size)


def joblib_loop(s: Study) -> None:
    """joblib over the same blocks; nothing is stored or checked."""
    from joblib import Parallel, delayed

    from tlstat.montecarlo.packing import pack

    payload = pack(s)
    Parallel(n_jobs=WORKERS)(delayed(_call)(payload, *block) for block in _blocks(s))


def timed(work: Callable[[], Any]) -> float:
    """Wall-clock seconds of a call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(milliseconds: float, seconds: float, repeats: int) -> None:
    """Print one block size: medians and ratios."""
    s = make_study(milliseconds, seconds)
    total = sum(s.blocks().values())
    with LokyPool(WORKERS) as pool:
        contestants: dict[str, tuple[Callable[[], Any], int]] = {
            "bare loop": (lambda: bare(s), 1),
            "tlstat serial": (lambda: run(s), 1),
            f"tlstat {WORKERS} workers, cold": (lambda: run(s, jobs=WORKERS), WORKERS),
            f"tlstat {WORKERS} workers, warm": (lambda: run(s, executor=pool), WORKERS),
        }
        try:
            import joblib  # noqa: F401

            contestants[f"joblib {WORKERS} workers, warm"] = (lambda: joblib_loop(s), WORKERS)
        except ImportError:
            print("joblib is not installed: left out")
        for work, _ in contestants.values():
            work()
        times: dict[str, list[float]] = {name: [] for name in contestants}
        for _ in range(repeats):
            for name, (work, _) in contestants.items():
                times[name].append(timed(work))
    loop = statistics.median(times["bare loop"])
    print(f"\nblocks of {1000 * loop / total:.2f} ms, {total} blocks, median of {repeats}")
    print(f"{'':28}{'seconds':>9}{'over':>9}{'us a block':>12}{'spread':>9}")
    for name, (_, workers) in contestants.items():
        median = statistics.median(times[name])
        over = median * workers / loop - 1
        extra = (median - loop / workers) / total * 1e6
        spread = (max(times[name]) - min(times[name])) / median
        print(f"{name:28}{median:9.3f}{over:+9.1%}{extra:12.0f}{spread:9.0%}")


def start_up(repeats: int) -> None:
    """Print the time of imports in a fresh interpreter, and to a first result."""
    bodies = {
        "python": "pass",
        "import numpy": "import numpy",
        "import tlstat": "import tlstat",
        "the engine": "from tlstat import run",
    }
    times: dict[str, list[float]] = {name: [] for name in bodies}
    for _ in range(repeats):
        for name, body in bodies.items():
            times[name].append(timed(lambda b=body: subprocess.run([sys.executable, "-c", b])))
    print(f"\nstart-up, median of {repeats}")
    for name, values in times.items():
        print(f"{name:28}{statistics.median(values):9.3f}")
    with LokyPool(WORKERS) as pool:
        firsts = []
        for _ in range(repeats):
            pool.rebuild()
            firsts.append(timed(lambda: pool.submit(abs, -1).result()))
    print(f"{'pool to its first result':28}{statistics.median(firsts):9.3f}")


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="shorter runs")
    options = parser.parse_args()
    # every contestant on one thread; workers inherit the variables
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    threadpoolctl.threadpool_limits(1)
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, numpy {np.__version__}")
    start_up(options.repeats)
    for milliseconds in (0.5, 5.0, 50.0):
        compare(milliseconds, 0.1 if options.quick else 0.7, options.repeats)


if __name__ == "__main__":
    main()
