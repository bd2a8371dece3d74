"""How often is the judge wrong?  Its operating characteristics, measured.

Every row feeds the judge's own tests with data whose truth is known and counts SUPPORTED, REFUTED
and INCONCLUSIVE.  In the "false" zone a SUPPORTED is an error, in the "true" zone a REFUTED is;
between them lies the tolerance, where neither is.  Errors come with a Clopper-Pearson interval
at 95 %.  Nothing is asserted: the table is the result.

    python benchmarks/verdicts.py --runs 3000
    python benchmarks/verdicts.py --runs 3000 --only rate --only equals
"""

from __future__ import annotations

import argparse
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from tlstat.theory.comparisons import Comparison, combine
from tlstat.theory.intervals import clopper_pearson
from tlstat.theory.measures import Frequency, Mean
from tlstat.theory.slopes import Curve, drift_vetoes, fit_slope, judge_slope

ALPHA = 0.01
GRID = np.geomspace(1e2, 1e6, 9)
Generator = np.random.Generator
Draw = Callable[[Generator, int], np.ndarray]
UNBOUNDED = (-np.inf, np.inf)
POSITIVE = (0.0, np.inf)


@dataclass(frozen=True)
class Row:
    """One line of the table: ``judge(rng)`` returns the two p-values, a veto making one 1."""

    group: str
    data: str
    truth: str
    zone: str  # "true", "grey", "false" or "edge" (a rate's edge, where both are errors)
    judge: Callable[[Generator], tuple[float, float]]
    level: float = ALPHA


LAWS: dict[str, Draw] = {  # all with mean 1
    "exp": lambda g, size: g.exponential(size=size),
    "Gamma(4)": lambda g, size: g.gamma(4, size=size) / 4,
    "lognormal(1)": lambda g, size: np.exp(g.normal(size=size) - 0.5),
    "Beta(2,8)": lambda g, size: g.beta(2, 8, size=size) / 0.2,
    "rare": lambda g, size: 100.0 * (g.random(size) < 0.01),
}


def rate_row(law: str, size: int, offset: float, drift: bool) -> Row:
    """A claim of exponent -1/2, tolerance 0.05, on nine points over four decades."""

    def judge(rng: Generator) -> tuple[float, float]:
        means = GRID ** (-0.5 + offset)
        values = [LAWS[law](rng, size) * m for m in means]
        averages = np.array([v.mean() for v in values])
        streams = [str(k) for k in range(len(GRID))]
        curve = Curve(GRID, GRID**-0.5, values, averages, np.zeros(len(GRID)), streams)
        fit = fit_slope(curve)
        supported, refuted = judge_slope(fit, 0.05)
        vetoes = drift_vetoes(fit, 0.05) if drift else (False, False)
        return (1.0 if vetoes[0] else supported), (1.0 if vetoes[1] else refuted)

    size_of = abs(offset)
    zone = "edge" if size_of == 0.05 else "true" if size_of < 0.05 else "false"
    vetoes = "" if drift else ", no vetoes"
    return Row("rate", f"{law} R={size}{vetoes}", f"offset {offset:+g}", zone, judge)


def at_most_row(law: str, size: int, label: str, ratios: np.ndarray, zone: str) -> Row:
    """Nine means against a bound of 1, tolerance 0.02; ``ratios`` are the true means."""
    high = {"Beta(2,8)": 5.0, "rare": 100.0}.get(law, np.inf)

    def judge(rng: Generator) -> tuple[float, float]:
        items = [
            Comparison(None, Mean(LAWS[law](rng, size), (0.0, high)), 1 / r, (1 / r, 1.02 / r))
            for r in ratios
        ]
        combined = combine(items, ALPHA)
        return combined.p_supported, combined.p_refuted

    return Row("at_most", f"{law} R={size}", label, zone, judge)


def equals_row(size: int, ratio: float, zone: str) -> Row:
    """Five means against a closed form, tolerance 0.02, no declared range."""

    def judge(rng: Generator) -> tuple[float, float]:
        c = 1 / ratio
        edges = (c * (1 + 1e-9), c * 1.02), (c * (1 - 1e-9), c * 0.98)
        items = [
            Comparison(None, Mean(LAWS["Gamma(4)"](rng, size), UNBOUNDED), c, *edges)
            for _ in range(5)
        ]
        combined = combine(items, ALPHA, pooled=True)
        return combined.p_supported, combined.p_refuted

    return Row("equals", f"Gamma(4) R={size}", f"ratio {ratio:g}", zone, judge)


def probability_row(cells: int, size: int, factor: float, zone: str) -> Row:
    """P(violation) <= 0.05, tolerance 0.1."""

    def judge(rng: Generator) -> tuple[float, float]:
        counts = rng.binomial(size, 0.05 * factor, size=cells)
        items = [Comparison(None, Frequency(int(k), size), 0.05, (0.05, 0.055)) for k in counts]
        combined = combine(items, ALPHA)
        return combined.p_supported, combined.p_refuted

    return Row("probability", f"m={cells} R={size}", f"{factor:g} delta", zone, judge)


def paired_row(size: int, step: float, zone: str) -> Row:
    """E a <= E b from paired draws, tolerance 0.02; ``step`` is the true E a / E b - 1."""

    def judge(rng: Generator) -> tuple[float, float]:
        shared = rng.gamma(4, size=size)
        a = (shared + 0.1 * rng.exponential(size=size)) * (1 + step)
        b = shared + 0.1 * rng.exponential(size=size)
        item = Comparison(
            None, Mean(a - b, UNBOUNDED), 0.0, (0.0, 0.0), strict=Mean(0.98 * a - b, UNBOUNDED)
        )
        combined = combine([item], ALPHA)
        return combined.p_supported, combined.p_refuted

    return Row("ordered", f"paired R={size}", f"step {step:+.3g}", zone, judge)


def rows() -> Iterator[Row]:
    """Every line of the table, in order."""
    for law, size, drift in (
        ("exp", 400, True),
        ("Gamma(4)", 100, True),
        ("exp", 2000, True),
        ("exp", 100, False),
        ("lognormal(1)", 400, False),
    ):
        for offset in (0.0, 0.03, 0.05, 0.1, -0.1):
            yield rate_row(law, size, offset, drift)
    one = np.full(9, 0.5)
    truths = [
        ("all 1", np.ones(9), "true"),
        ("all .9", np.full(9, 0.9), "true"),
        ("all .5", one, "true"),
        ("one 1.02, rest .5", np.r_[1.02, one[1:]], "false"),
        ("one 1.1", np.r_[1.1, one[1:]], "false"),
        ("all 1.1", np.full(9, 1.1), "false"),
        ("one 2", np.r_[2.0, one[1:]], "false"),
    ]
    for law in ("Beta(2,8)", "exp", "rare"):
        for label, ratios, zone in truths:
            yield at_most_row(law, 400, label, ratios, zone)
    for law in ("Beta(2,8)", "exp"):
        for label, ratios, zone in truths[:4:3]:
            yield at_most_row(law, 10_000, label, ratios, zone)
    for size in (400, 10_000):
        for ratio, zone in ((1, "true"), (1.01, "grey"), (1.02, "false"), (1.05, "false")):
            yield equals_row(size, ratio, zone)
    for cells, size in ((1, 400), (1, 2000), (1, 10_000), (9, 400), (9, 2000)):
        for factor in (1, 1.1, 1.5, 2, 0.5, 0.1):
            zone = "true" if factor <= 1 else "false"
            yield probability_row(cells, size, factor, zone)
    for step, zone in ((0.0, "true"), (1 / 0.98 - 1, "false"), (0.05, "false"), (-0.05, "true")):
        yield paired_row(400, step, zone)


def measure(row: Row, runs: int, seed: int) -> tuple[int, int]:
    """How many runs were SUPPORTED and REFUTED (REFUTED wins where both nulls fall)."""
    # every row has its own stream, so that --only changes no number
    key = zlib.crc32(f"{row.group}/{row.data}/{row.truth}".encode())
    rng = np.random.default_rng([seed, key])
    supported = refuted = 0
    for _ in range(runs):
        p_supported, p_refuted = row.judge(rng)
        if p_refuted <= row.level:
            refuted += 1
        elif p_supported <= row.level:
            supported += 1
    return supported, refuted


def measure_numbered(number: int, runs: int, seed: int) -> tuple[int, int]:
    """The same for the row of this number: what a worker process can be told."""
    return measure(list(rows())[number], runs, seed)


def line(row: Row, supported: int, refuted: int, runs: int) -> str:
    """One line of the table; an error's share is followed by its interval."""
    wrong = {"true": ("R",), "false": ("S",), "edge": ("S", "R"), "grey": ()}[row.zone]
    texts = []
    for name, count in (("S", supported), ("R", refuted)):
        text = f"{count / runs:.4f}"
        if name in wrong:
            low, high = clopper_pearson(count, runs, 0.025)
            above = " !" if low > row.level else ""
            text += f" [{low:.4f}, {high:.4f}]{above}"
        texts.append(f"{text:<28}")
    inconclusive = 1 - (supported + refuted) / runs
    return (
        f"{row.group:<12}{row.data:<30}{row.truth:<20}{row.zone:<7}"
        f"{texts[0]}{texts[1]}{inconclusive:.4f}"
    )


def main() -> None:
    """Print the table, one line as soon as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=3000, help="data sets a row (default 3000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="processes (default 1)")
    parser.add_argument("--only", action="append", help="a group: rate, at_most, equals, ...")
    options = parser.parse_args()
    every = list(enumerate(rows()))
    chosen = [(i, r) for i, r in every if not options.only or r.group in options.only]
    if not chosen or options.runs < 1:
        parser.error("nothing to run: --only names no group, or --runs is not positive")
    print(f"level {ALPHA}, {options.runs} runs a row; brackets: 95 % interval of an error;")
    print("'!' marks an error rate that is clearly above the level")
    print(f"{'claim':<12}{'data':<30}{'truth':<20}{'zone':<7}{'SUPPORTED':<28}{'REFUTED':<28}OPEN")
    count = partial(measure_numbered, runs=options.runs, seed=options.seed)
    numbers = [i for i, _ in chosen]
    with ProcessPoolExecutor(max_workers=max(1, options.jobs)) as pool:
        counted = pool.map(count, numbers) if options.jobs > 1 else map(count, numbers)
        report(chosen, counted, options.runs)


def report(
    chosen: Sequence[tuple[int, Row]], counted: Iterable[tuple[int, int]], runs: int
) -> None:
    """Print each line as soon as it and those before it are measured."""
    start = time.perf_counter()
    for done, ((_, row), counts) in enumerate(zip(chosen, counted, strict=True), 1):
        print(line(row, *counts, runs), flush=True)
        if sys.stderr.isatty():
            left = (time.perf_counter() - start) / done * (len(chosen) - done)
            print(f"  {done}/{len(chosen)}, {left:.0f} s left", end="\r", file=sys.stderr)
    print(f"{len(chosen)} rows in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
