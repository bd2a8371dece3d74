"""Estimators of a shared representation: replicates a second, and beside the published method.

* Replicates a second of each estimator for batches of problems in numpy, torch and, where there
  is one, on CUDA, with the share of the measured matrix-multiply rate of that back end. Only the
  multiplications that the estimator cannot do without are counted, for the iterations it made.
* The experiments of arXiv:2002.11684 (d = 100, r = 5) against the authors' method, L-BFGS on the
  factored loss from normal numbers (scipy, up to 1000 iterations): seconds until the loss is at
  most as large, from the same raw data, the reduction to moments included.
* Sufficient statistics at n = 10^6 against n = 10^2.
* Memory at the peak of drawing and fitting, against the stated limit.

Nothing is asserted. On an idle machine::

    python benchmarks/task_diversity.py [--quick] [--rows rates,published,moments,memory]
"""

import argparse
import time
import tracemalloc
import warnings
from functools import partial

import numpy as np
from rich.console import Console
from rich.table import Table

from tlstat.backend import Random
from tlstat.task_diversity import batch, estimators
from tlstat.task_diversity.data import TaskWarning
from tlstat.task_diversity.models import LinearTasks
from tlstat.task_diversity.moments import (
    Factored,
    in_chunks,
    sample_halves,
    sample_moments,
    sample_raw,
)

console = Console(width=120)


def timed(function, repeats, wait=lambda: None):
    """The least time of ``repeats`` calls after a first one, and the last answer."""
    best, answer = np.inf, function()
    wait()
    for _ in range(repeats):
        start = time.perf_counter()
        answer = function()
        wait()
        best = min(best, time.perf_counter() - start)
        if best > 5:
            break
    return best, answer


# --- replicates a second -------------------------------------------------------------------------


def back_ends():
    """Name, random source and a function that waits for the device."""
    yield "numpy", Random(1), lambda: None
    try:
        import torch
    except ImportError:
        return
    yield "torch", Random(1, "torch"), lambda: None
    if torch.cuda.is_available():
        yield "cuda", Random(1, "torch", "cuda"), torch.cuda.synchronize


def multiply_rate(rng, wait, repeats):
    """Floating-point operations a second of a large matrix product."""
    side = 1500 if rng.device == "cpu" else 8000
    A = rng.normal(size=(side, side))
    return 2 * side**3 / timed(lambda: A @ A, repeats, wait)[0]


def contestants(tasks, n, m, halves):
    """Estimator -> what runs it, and its multiplications a replicate given the answer."""
    d, r, t = tasks.d, tasks.r, tasks.t
    start = batch.spectral_start(m.q, r)
    k = min(n, d) if isinstance(m.S, Factored) else d
    one_pass = 2 * t * k * d * (r + isinstance(m.S, Factored)) + 2 * t * k * r * (r + 1)
    spectral = 2 * t * d * d
    direct = one_pass + 2 * t * (r * d) ** 2 + 2 / 3 * (d * r) ** 3
    lam = 0.3 * batch.lambda_max(m.q)
    return {
        "method of moments": (lambda: batch.method_of_moments(m.M, r), lambda _: 0),
        "U-statistic": (lambda: batch.u_statistic(m.q, m.M, n, r), lambda _: spectral),
        "split U-statistic": (lambda: batch.split_half(*halves[:2], r), lambda _: spectral),
        "AltMin": (
            lambda: batch.alternating_minimisation(m.S, m.q, start, tol=1e-6),
            lambda fit: fit.n_iter * direct,
        ),
        "AltMinGD, 30 steps": (
            lambda: batch.alternating_gradient(m.S, m.q, start),
            lambda fit: fit.n_iter * one_pass,
        ),
        "factored descent": (
            lambda: batch.factored_descent(m.S, m.q, start),
            lambda fit: fit.n_iter * one_pass,
        ),
        "nuclear norm": (
            lambda: batch.nuclear_norm(m.S, m.q, lam, m.y2, tol=1e-5),
            lambda fit: fit.n_iter * (2 * t * d * d + 6 * t * d * d),
        ),
        "target fit": (lambda: batch.fit_target(start, m.S, m.q), lambda _: one_pass),
        "single tasks": (lambda: batch.single_task(m.S, m.q), lambda _: 0),
    }


def rates(quick):
    repeats = 2 if quick else 5
    settings = [
        (LinearTasks(24, 3, 64), 40, 20 if quick else 100),
        (LinearTasks(100, 5, 64 if quick else 400), 300, 2 if quick else 8),
    ]
    for tasks, n, size in settings:
        rows, names, speed = {}, [], {}
        for name, rng, wait in back_ends():
            names.append(name)
            speed[name] = multiply_rate(rng, wait, repeats)
            m = sample_moments(tasks, n, rng, size, raw=True)
            halves = sample_halves(tasks, n, rng, size)
            for what, raw in (("drawing S and q", False), ("drawing samples, with M", True)):
                draw = partial(sample_moments, tasks, n, rng, size, raw=raw)
                seconds = timed(draw, repeats, wait)[0]
                rows.setdefault(what, {})[name] = f"{size / seconds:,.0f}"
            for what, (run, work) in contestants(tasks, n, m, halves).items():
                if what == "AltMin" and tasks.d * tasks.r > 400 and quick:
                    continue
                seconds, answer = timed(run, repeats, wait)
                share = work(answer) * size / seconds / speed[name]
                text = f"{size / seconds:,.0f}" + (f"  ({share:.0%})" if share else "")
                rows.setdefault(what, {})[name] = text
        title = (
            f"replicates a second, d={tasks.d}, r={tasks.r}, t={tasks.t}, n={n}, {size} at a time"
        )
        table = Table(title=title + "\n(share of the rate of a large matrix product)")
        table.add_column("")
        for name in names:
            table.add_column(f"{name} ({speed[name] / 1e9:,.0f} GFLOP/s)", justify="right")
        for what, cells in rows.items():
            table.add_row(what, *(cells.get(name, "-") for name in names))
        console.print(table)


# --- the published experiment --------------------------------------------------------------------


def reduced(X, y):
    """What the batched estimators read, from raw arrays (size, t, n, d) and (size, t, n)."""
    n, d = X.shape[-2:]
    q = (y[..., None, :] @ X)[..., 0, :] / n
    return (Factored(X / np.sqrt(n)) if 2 * n < d else X.mT @ X / n), q


def published(quick):
    doubling = (100, 200, 400, 800, 1600, 3200, 6400)
    sweeps = {
        "n = 25": [(t, 25) for t in doubling],
        "t = 20": [(20, n) for n in doubling],
        "n = 300": [(t, 300) for t in doubling[:4]],
    }
    columns = ("sweep", "t", "n", "scipy", "tlstat", "ratio", "fit alone", "drawn and fitted")
    table = Table(title="LF-FO at d = 100, r = 5: seconds a replicate, and how many times faster")
    for column in (*columns, "iterations", "loss below scipy's"):
        table.add_column(column, justify="right")
    everything = np.zeros(4)
    for name, points in sweeps.items():
        total = np.zeros(4)
        for t, n in [(t, n) for t, n in points if not quick or t * n <= 20_000]:
            seconds, answers = one_point(t, n, 10 if quick else 30)
            total += seconds
            table.add_row(name, str(t), str(n), *ratios(seconds), *answers)
        if total.any():
            table.add_row(name, "all", "", *ratios(total), end_section=True)
        everything += total
    table.add_row("all", "", "", *ratios(everything))
    console.print(table)
    whole_point(1600 if quick else 6400)


def ratios(seconds):
    theirs, reducing, fitting, drawing = seconds
    both = reducing + fitting
    return (
        f"{theirs:.2f}",
        f"{both:.3f}",
        f"{theirs / both:,.0f}",
        f"{theirs / fitting:,.0f}",
        f"{theirs / (drawing + fitting):,.0f}",
    )


def one_point(t, n, most):
    """Seconds a replicate: scipy's fit, our reduction of the same data, our fit, our draw."""
    tasks = LinearTasks(100, 5, t, heads="gaussian")
    size = int(np.clip(2**28 // (8 * t * n * 100), 1, most))
    (block,) = sample_raw(tasks, n, Random(t * n), size, max_bytes=2**40)
    X, y = block.X, block.y
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TaskWarning)  # it may need more than 1000
        theirs = estimators.factored_descent(list(X[0]), list(y[0]), 5)
    scipy_seconds = time.perf_counter() - start
    reducing, (S, q) = timed(lambda: reduced(X, y), 1)
    fitting, fit = timed(lambda: batch.factored_descent(S, q, batch.spectral_start(q, 5)), 1)
    drawing, _ = timed(lambda: sample_moments(tasks, n, Random(0), size), 1)
    y2 = (y**2).mean(-1)[:1]
    first = Factored(S.root[:1]) if isinstance(S, Factored) else S[:1]
    losses = [
        batch.factored_loss(first, q[:1], y2, *batch.balanced(B, heads))[0]
        for B, heads in ((theirs.B, theirs.heads), (fit.B[:1], fit.heads[:1]))
    ]
    seconds = np.array([scipy_seconds, *(np.array([reducing, fitting, drawing]) / size)])
    return seconds, (f"{theirs.n_iter} / {fit.n_iter}", f"{losses[0] - losses[1]:+.1e}")


def whole_point(t):
    """One point of the sweep at n = 25: draws, method of moments and LF-FO, 30 replicates."""
    tasks = LinearTasks(100, 5, t, heads="gaussian")

    def work(rng, size):
        m = sample_moments(tasks, 25, rng, size, raw=True)
        fit = batch.factored_descent(m.S, m.q, batch.spectral_start(m.q, 5), tol=1e-4)
        return {"moments": batch.method_of_moments(m.M, 5), "descent": fit.B}

    start = time.perf_counter()
    in_chunks(work, Random(0), 30, bytes_each=8 * t * 25 * 100)
    seconds = time.perf_counter() - start
    console.print(f"t = {t}, n = 25, 30 replicates, moments and LF-FO: {seconds:.1f} s")


# --- cost and memory -----------------------------------------------------------------------------


def sufficient(quick):
    table = Table(title="S and q of 64 tasks, 20 replicates [ms]")
    for column in ("d", "n = 10^2", "n = 10^4", "n = 10^6", "10^6 over 10^2", "raw, n = 10^4"):
        table.add_column(column, justify="right")
    for d in (24, 100):
        tasks = LinearTasks(d, 3, 64)
        seconds = [
            timed(lambda n=n, k=tasks: sample_moments(k, n, Random(0), 20), 3 if quick else 15)[0]
            for n in (10**2, 10**4, 10**6)
        ]
        row = [f"{1e3 * s:.1f}" for s in seconds] + [f"{seconds[2] / seconds[0]:.2f}"]
        start = time.perf_counter()
        sample_moments(tasks, 10**4, Random(0), 1, raw=True)
        row.append(f"{2e4 * (time.perf_counter() - start):,.0f}")
        table.add_row(str(d), *row)
    console.print(table)


def memory(quick):
    table = Table(title="memory at the peak [MB], numpy")
    for column in ("what", "limit", "result", "peak"):
        table.add_column(column, justify="right")
    t = 800 if quick else 6400
    wide = LinearTasks(100, 5, t, heads="gaussian")
    many = LinearTasks(100, 5, 64 if quick else 400)

    def peak(function):
        tracemalloc.start()
        out = function()
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top / 1e6, out

    for limit in (2**22, 2**24, 2**26):
        for name, tasks, n, raw in (
            (f"samples, t={t}, n=25", wide, 25, True),
            (f"samples, t={many.t}, n=2000", many, 2000, True),
            (f"moments, t={many.t}, n=2000", many, 2000, False),
        ):
            top, m = peak(
                lambda k=tasks, n=n, raw=raw, limit=limit: sample_moments(
                    k, n, Random(0), 1, raw=raw, max_bytes=limit
                )
            )
            held = (m.S.root if isinstance(m.S, Factored) else m.S).nbytes + m.q.nbytes
            table.add_row(name, f"{limit / 1e6:.0f}", f"{held / 1e6:.0f}", f"{top:.0f}")
    m = sample_moments(wide, 25, Random(0))
    start = batch.spectral_start(m.q, 5)
    top, _ = peak(lambda: batch.factored_descent(m.S, m.q, start))
    table.add_row(
        f"factored descent, t={t}, n=25", "", f"{m.S.root.nbytes / 1e6:.0f}", f"{top:.1f}"
    )
    console.print(table)


def main():
    rows = {"rates": rates, "published": published, "moments": sufficient, "memory": memory}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="smaller settings, fewer repeats")
    parser.add_argument("--rows", default=",".join(rows), help="comma-separated: %(default)s")
    options = parser.parse_args()
    for name in options.rows.split(","):
        if name not in rows:
            parser.error(f"no rows called {name!r}; there are {', '.join(rows)}")
        rows[name](options.quick)


if __name__ == "__main__":
    main()
