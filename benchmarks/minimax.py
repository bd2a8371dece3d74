"""Speed of the minimax room: replicates a second, at any sample size and against raw samples.

Prints tables and asserts nothing. One thread; run it on an idle machine::

    OMP_NUM_THREADS=1 python benchmarks/minimax.py [--quick]

It then runs ``benchmarks/minimax_program.py``, the other half: kernel and linear programs.
"""

import argparse
import runpy
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from tlstat.backend import Random, to_numpy
from tlstat.minimax import (
    Hypercube,
    Intervals,
    PowerThresholds,
    adaptive_cost,
    confidence_set_erm,
    equal_erm,
    exact_risk,
    importance_weighted_erm,
    interval_erm,
    mirrored_erm,
    pooled_erm,
    sample_atoms,
    sample_cells,
    sample_extremes,
    sample_nearest,
    sample_raw,
    select,
    source_erm,
    target_erm,
    threshold_grid,
    truncated_weights,
    weighted_erm,
)

MODEL = PowerThresholds(2, 1, 1, 1)
SMALL, LARGE, RAW = 10**4, 10**12, 10**5


def best(functions, repeats):
    """Seconds of the fastest of several calls of each function, in turn and so side by side."""
    times = [[] for _ in functions]
    for function in functions:
        function()
    for _ in range(repeats):
        for function, record in zip(functions, times, strict=True):
            start = time.perf_counter()
            function()
            record.append(time.perf_counter() - start)
    return [min(record) for record in times]


def backends():
    """The back ends that this machine has: name, and keyword arguments of Random."""
    found = {"numpy": {}, "torch": {"array": "torch"}}
    import torch

    if torch.cuda.is_available():
        found["cuda"] = {"array": "torch", "device": "cuda"}
    return found


def procedures(grid):
    """Name -> function of (sample) for everything that works on thresholds."""
    weights = truncated_weights(MODEL, grid, 1e3)
    return {
        "source ERM": source_erm,
        "target ERM": target_erm,
        "pooled ERM": pooled_erm,
        "equal ERM": equal_erm,
        "weighted ERM": lambda sample: weighted_erm(sample, 0.1),
        "importance-weighted": lambda sample: importance_weighted_erm(sample, weights),
        "confidence set (I)": confidence_set_erm,
        "mirrored": mirrored_erm,
        "selection (II)": select,
    }


def replicates_on_cells(size, repeats):
    """Sample, procedure and exact risk of one replicate, on one grid for both sample sizes."""
    # both sizes on the grid that the larger one needs, so that n alone differs
    grid = threshold_grid(MODEL, LARGE, LARGE)
    title = f"replicates a second on {grid.size} thresholds (sample, procedure, risk) by n"
    table = Table(title=title)
    table.add_column("procedure", no_wrap=True)
    available = backends()
    for name in available:
        for column in (f"{name} 1e4", "1e12", "ratio"):
            table.add_column(column, justify="right", no_wrap=True)
    for label, procedure in procedures(grid).items():
        row = [label]
        for options in available.values():

            def once(n, procedure=procedure, options=options):
                sample = sample_cells(MODEL, n, n, Random(1, **options), size, thresholds=grid)
                to_numpy(MODEL.excess_Q(sample.take(procedure(sample))))

            seconds = best([lambda f=once: f(SMALL), lambda f=once: f(LARGE)], repeats)
            row += [f"{size / s:,.0f}" for s in seconds] + [f"{seconds[1] / seconds[0]:.2f}"]
        table.add_row(*row)
    return table


def other_samplers(size, repeats):
    """The samplers that are not on a grid of thresholds, at both sample sizes."""
    flat = PowerThresholds(2, 1, 0, 0, 0.8, 0.8)
    clean = PowerThresholds(2, 1, c_P=1, c_Q=1)
    cube = Hypercube.at_scale(64, 0.1, rho=2, beta_P=0.5, beta_Q=0.5)
    ends = Intervals(2, 1, 1, 1)
    edges = threshold_grid(ends, LARGE, LARGE, per_octave=4)

    def interval(n):
        interval_erm(sample_cells(ends, n, n, Random(1), size, thresholds=edges))

    rows = {
        "nearest points, ERM": lambda n: pooled_erm(sample_nearest(flat, n, n, Random(1), size)),
        "extremes (no noise)": lambda n: sample_extremes(clean, n, n, Random(1), size),
        "cube of 64, vote": lambda n: sample_atoms(cube, n, n, Random(1), size).wrong(1, 2),
        f"intervals on {edges.size}, ERM": interval,
        "exact risk (one)": lambda n: exact_risk(clean, n, n),
    }
    table = Table(title="replicates a second, numpy")
    for column in ("sampler", "n = 10^4", "n = 10^12", "time ratio"):
        table.add_column(column, justify="left" if column == "sampler" else "right")
    for label, function in rows.items():
        seconds = best([lambda f=function: f(SMALL), lambda f=function: f(LARGE)], repeats)
        number = 1 if "one" in label else size
        shown = [f"{number / s:,.0f}" for s in seconds]
        table.add_row(label, *shown, f"{seconds[1] / seconds[0]:.2f}")
    return table


def purchases(size):
    """The adaptive purchase, in replicates a second at two precisions."""
    table = Table(title=f"adaptive purchases a second ({size} at a time, numpy)")
    for column in ("eps", "purchases a second", "mean labels bought"):
        table.add_column(column, justify="right")
    for eps in (1e-2, 1e-4):
        start = time.perf_counter()
        bought = adaptive_cost(MODEL, Random(1), size, eps=eps)
        seconds = time.perf_counter() - start
        labels = (bought.n_P + bought.n_Q).mean()
        table.add_row(f"{eps:g}", f"{size / seconds:,.0f}", f"{labels:.3g}")
    return table


def against_raw(size, repeats):
    """The obvious way: draw n points, then scikit-learn's tree or neighbours, or a sort."""
    grid = threshold_grid(MODEL, RAW, RAW)

    def ours():
        sample = sample_cells(MODEL, RAW, RAW, Random(1), size, thresholds=grid)
        MODEL.excess_Q(sample.take(pooled_erm(sample)))

    def points():
        raw = sample_raw(MODEL, RAW, RAW, np.random.default_rng(1), 1)
        return np.append(raw.X_P, raw.X_Q), np.append(raw.y_P, raw.y_Q)

    def sort():
        x, y = points()
        order = np.argsort(x)
        walk = np.cumsum(2 * y[order] - 1)
        MODEL.excess_Q(x[order][np.argmin(walk)])

    def tree():
        x, y = points()
        fitted = DecisionTreeClassifier(max_depth=1).fit(x[:, None], y)
        MODEL.excess_Q(fitted.tree_.threshold[0])

    def neighbours():
        x, y = points()
        fitted = KNeighborsClassifier(round(RAW ** (2 / 3))).fit(x[:, None], y)
        test, _ = MODEL.Q.draw(np.random.default_rng(2), (1000,))
        wrong = fitted.predict(test[:, None]) != (test >= 0)
        np.mean(wrong * np.abs(test) ** MODEL.a_Q)

    mine = best([ours], repeats)[0] / size
    others = best([points, sort, tree, neighbours], repeats)
    table = Table(title="pooled risk at n_P = n_Q = 10^5: replicates a second")
    for column in ("way", "replicates a second", "ours is faster by"):
        table.add_column(column, justify="left" if column == "way" else "right")
    table.add_row("label counts of cells (ours)", f"{1 / mine:,.0f}", "")
    labels = ("drawing the points alone", "draw, sort, ERM", "draw, tree", "draw, 2154 neighbours")
    for label, seconds in zip(labels, others, strict=True):
        table.add_row(label, f"{1 / seconds:,.1f}", f"{seconds / mine:,.0f}x")
    return table


def main():
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="smaller batches, fewer repeats")
    quick = parser.parse_args().quick
    size, repeats = (50, 2) if quick else (500, 5)
    console = Console()
    console.print(replicates_on_cells(size, repeats))
    console.print(other_samplers(size, repeats))
    console.print(purchases(size))
    console.print(against_raw(size, 1 if quick else 3))
    other_half = Path(__file__).with_name("minimax_program.py")
    if other_half.exists():
        runpy.run_path(str(other_half), run_name="__main__")
    else:
        console.print(f"[yellow]{other_half.name} is not here: kernel and programs are left out")


if __name__ == "__main__":
    main()
