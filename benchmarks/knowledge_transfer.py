"""Speed of the knowledge-transfer room: students against the bare draw of their counts.

Prints tables and asserts nothing. One thread; run it on an idle machine::

    OMP_NUM_THREADS=1 python benchmarks/knowledge_transfer.py [--quick]

What a draw costs does not depend on the sample size but on how many draws a cell (input, label)
gets on average, through numpy's binomial sampler: least where most cells stay empty (a first look
at the uniform variable decides), most near 30 (it inverts the distribution function term by term
up to there), and constant from a few hundred on (rejection). So the cost is flat from n of a few
hundred S A to 10^12, and the ratio to n = 10^3 says mostly how empty the table was there. The
last columns show how much of it is ours: counts against a bare draw of the same law.
"""

import argparse
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from tlstat.backend import Random
from tlstat.knowledge_transfer import (
    LogLinear,
    Teacher,
    exact_risk,
    minimax,
    missing_mass_upper,
    sample_counts,
    simulate_risks,
)

SIZES = [(10, 11), (100, 25), (10, 1_001)]
EXPONENTS = (3, 4, 5, 6, 9, 12)


def best(*functions, repeats):
    """Seconds of the fastest of several calls, the functions taking turns."""
    times = np.full((repeats, len(functions)), np.inf)
    for turn in range(repeats):
        for i, function in enumerate(functions):
            start = time.perf_counter()
            function()
            times[turn, i] = time.perf_counter() - start
    return times.min(axis=0)


def bare_draw(teacher, n, size):
    """Inputs and labels by numpy alone, with the generator that `Random` uses."""
    generator = np.random.Generator(np.random.Philox(key=1))
    inputs = generator.multinomial(n, teacher.rho, size=size)
    return generator.multinomial(inputs, teacher.pi)


def back_ends():
    """What arrays can live on here: name, array library, device."""
    import torch

    found = [("numpy", "numpy", "cpu"), ("torch CPU", "torch", "cpu")]
    if torch.cuda.is_available():
        found.append((torch.cuda.get_device_name(), "torch", "cuda"))
    return found


def run_students(teacher, size, array, device):
    """All four students of ``size`` samples, with their risks on the host."""
    risks = simulate_risks(teacher, 10_000, Random(1, array, device), size)
    return risks if array == "numpy" else risks.cpu()


def throughput(cells, repeats):
    """Million cells (replicate, input, label) a second, and times the bare draw takes."""
    devices = back_ends()
    table = Table(title="million cells a second at n = 10^4 (in brackets: time over bare draw)")
    for column in ("S", "A", "bare draw", "counts"):
        table.add_column(column, justify="right")
    for name, _, _ in devices:
        table.add_column(f"4 students, {name}", justify="right")
    table.add_column("certificates", justify="right")
    for S, A in SIZES:
        teacher = Teacher.dirichlet(S, A, 0)
        size = max(1, cells // (S * A))
        counts = sample_counts(teacher, 10_000, Random(1), size)
        calls = [
            lambda t=teacher, r=size: bare_draw(t, 10_000, r),
            lambda t=teacher, r=size: sample_counts(t, 10_000, Random(1), r),
        ]
        for _, array, device in devices:
            calls.append(lambda t=teacher, r=size, a=array, d=device: run_students(t, r, a, d))
        calls.append(lambda c=counts: missing_mass_upper(c, "partial"))
        seconds = best(*calls, repeats=repeats)
        rates = [
            f"{size * S * A / t / 1e6:.1f} ({t / seconds[0]:.2f})"
            if i
            else f"{size * S * A / t / 1e6:.1f}"
            for i, t in enumerate(seconds)
        ]
        table.add_row(str(S), str(A), *rates)
    return table


def sample_size(S, A, cells, repeats):
    """The cost of a draw against the sample size; nothing in it grows with n."""
    size = max(1, cells // (S * A))
    table = Table(title=f"(S, A) = ({S}, {A}), {size} replicates: one draw, by sample size")
    for column in (
        "n",
        "draws a cell",
        "bare [ns a cell]",
        "counts [ns a cell]",
        "counts over bare",
        "bare over n = 10^3",
        "counts over n = 10^3",
        "Poissonised over n = 10^3",
    ):
        table.add_column(column, justify="right")
    teacher = Teacher.instance0(S, A)
    calls = []
    for exponent in EXPONENTS:
        n = 10**exponent
        calls += [
            lambda n=n: bare_draw(teacher, n, size),
            lambda n=n: sample_counts(teacher, n, Random(1), size),
            lambda n=n: sample_counts(teacher, n, Random(1), size, poissonised=True),
        ]
    seconds = best(*calls, repeats=repeats).reshape(-1, 3)
    for exponent, (bare, ours, poisson) in zip(EXPONENTS, seconds, strict=True):
        scale = 1e9 / (size * S * A)
        table.add_row(
            f"10^{exponent}",
            f"{10**exponent / (S * A):.3g}",
            f"{scale * bare:.0f}",
            f"{scale * ours:.0f}",
            f"{ours / bare:.2f}",
            f"{bare / seconds[0, 0]:.2f}",
            f"{ours / seconds[0, 1]:.2f}",
            f"{poisson / seconds[0, 2]:.2f}",
        )
    return table


def closed_forms(repeats):
    """What takes the place of simulation: milliseconds for one number, first call."""
    table = Table(title="closed forms and certified fits [ms]")
    for column in ("what", "n = 10^3", "n = 10^6", "n = 10^12"):
        table.add_column(column, justify="right")
    teacher = Teacher.instance0(100, 25)
    model = LogLinear(np.random.default_rng(0).normal(size=(200, 5, 10)))
    truth = Teacher(np.full(200, 1 / 200), model.probs(np.full(10, 0.3)))
    rows = {
        "exact risk, partial": lambda n: exact_risk(teacher, n, "partial"),
        "exact risk, soft": lambda n: exact_risk(teacher, n, "soft"),
        "Bayes risk on pairs (S, A) = (10, 10), gap 0.1": lambda n: minimax.pair_bayes_risk(
            10, 10, n, 0.1
        ),
        "Dirichlet bound (S, A) = (10, 10), alpha 5": lambda n: minimax.dirichlet_bayes_risk(
            10, n, 5.0, 10
        ),
        "log-linear fit of hard labels, d = 10": lambda n: model.fit(
            sample_counts(truth, n, Random(1), 1)[0]
        ),
        "log-linear fit of partial soft labels": lambda n: model.fit(
            sample_counts(truth, n, Random(1), 1)[0], truth.pi, "partial"
        ),
    }
    for name, function in rows.items():
        times = best(
            *(lambda n=n, f=function: f(n) for n in (10**3, 10**6, 10**12)), repeats=repeats
        )
        table.add_row(name, *(f"{1e3 * t:.2f}" for t in times))
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="smaller tables, fewer repeats")
    quick = parser.parse_args().quick
    cells, repeats = (100_000, 3) if quick else (500_000, 15)
    console = Console(width=150)
    console.print(throughput(cells, repeats))
    for S, A in SIZES[:2]:
        console.print(sample_size(S, A, cells, repeats))
    console.print(closed_forms(repeats))


if __name__ == "__main__":
    main()
