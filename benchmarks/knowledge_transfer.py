"""Speed of the knowledge-transfer room: students against the bare draw of their counts.

Prints a table and asserts nothing. One thread; run it on an idle machine::

    OMP_NUM_THREADS=1 python benchmarks/knowledge_transfer.py
"""

import time

import numpy as np
from rich.console import Console
from rich.table import Table

from tlstat.backend import Random
from tlstat.knowledge_transfer import Teacher, exact_risk, sample_counts, simulate_risks

SIZES = [(10, 11), (100, 25), (10, 1_001)]
CELLS = 500_000  # cells (replicate, input, label) of one call


def best(function, repeats=5):
    """Seconds of the fastest of several calls."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def throughput():
    """Million cells a second: bare numpy multinomials, our counts, all four students."""
    table = Table(title="million cells a second, n = 10^4 (one thread)")
    for column in ("S", "A", "bare numpy draw", "counts", "4 students, numpy", "4 students, torch"):
        table.add_column(column, justify="right")
    for S, A in SIZES:
        teacher = Teacher.dirichlet(S, A, 0)
        size = max(1, CELLS // (S * A))
        generator = np.random.default_rng(0)

        def bare(teacher=teacher, size=size, generator=generator):
            inputs = generator.multinomial(10_000, teacher.rho, size=size)
            return generator.multinomial(inputs, teacher.pi)

        seconds = [best(bare)]
        seconds.append(best(lambda t=teacher, r=size: sample_counts(t, 10_000, Random(1), r)))
        for array in ("numpy", "torch"):
            seconds.append(
                best(lambda t=teacher, r=size, a=array: simulate_risks(t, 10_000, Random(1, a), r))
            )
        rates = [f"{size * S * A / t / 1e6:.1f}" for t in seconds]
        table.add_row(str(S), str(A), *rates)
    return table


def sample_size():
    """The cost of a draw must not depend on the sample size."""
    table = Table(title="(S, A) = (100, 25), 200 replicates: time of a draw, exact risk")
    for column in ("n", "counts [ms]", "against n = 10^3", "exact hard-label risk [ms]"):
        table.add_column(column, justify="right")
    teacher = Teacher.instance0(100, 25)
    first = None
    for exponent in (3, 6, 9, 12):
        n = 10**exponent
        draw = best(lambda n=n: sample_counts(teacher, n, Random(1), 200))
        first = first or draw
        exact = best(lambda n=n: exact_risk(teacher, n, "hard"), 1) if exponent < 12 else None
        shown = "-" if exact is None else f"{1e3 * exact:.1f}"
        table.add_row(f"10^{exponent}", f"{1e3 * draw:.1f}", f"{draw / first:.2f}", shown)
    return table


if __name__ == "__main__":
    console = Console()
    console.print(throughput())
    console.print(sample_size())
