"""Inversions per second, and how accurate they are: tlstat against scipy, statsmodels and R's way.

Each row inverts the same binomial tails: random counts, uniform on the logarithm, at the level
``log(M/delta)``. Accuracy is the largest relative error on a few of them against 50 digits, and
"below" how many of these fall below the exact limit, where a certificate must not be. A peer that
needs ``delta`` itself gets ``exp(-level)``. Nothing is asserted. One thread, on an idle machine::

    OMP_NUM_THREADS=1 python benchmarks/certificates.py [--quick]
"""

import argparse
import math
import time
import warnings
from functools import partial

import mpmath as mp
import numpy as np
from rich.console import Console
from rich.table import Table
from scipy import special, stats

from tlstat.certificates import (
    betting,
    binomial_tail_inversion,
    finite_class,
    kl_inverse,
    kl_upper_inverse,
    log_normaliser,
)

try:
    from statsmodels.stats.proportion import proportion_confint
except ImportError:  # an optional peer: pip install tlstat[bench]
    proportion_confint = None

CASES = [
    (80, math.log(1 / 0.05)),
    (80, math.log(20_000 / 0.05)),
    (1000, math.log(20_000 / 0.05)),
    (10**5, math.log(20_000 / 0.05)),
    (10**7, math.log(20_000 / 0.05)),
    (10**9, 700.0),
]


def rate(function, size, seconds):
    """Inversions a second: the fastest of the repeats that fit into ``seconds``."""
    best, stop = math.inf, time.perf_counter() + seconds
    while best == math.inf or time.perf_counter() < stop:
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return size / best


# --- contestants -------------------------------------------------------------------------------


def ours(k, n, level):
    return binomial_tail_inversion(k, n, log_inv_delta=level)


def scipy_loop(k, n, level):
    out = []
    for v, confidence in zip(k, -np.expm1(-level), strict=True):
        test = stats.binomtest(int(v), n, alternative="less")
        out.append(test.proportion_ci(confidence).high)
    return np.array(out)


def scipy_beta(k, n, level):
    """Vectorised, as `tlstat.theory.intervals` does it: no log domain, not conservative."""
    return special.betainccinv(k + 1.0, n - k, np.exp(-level))


def statsmodels_beta(k, n, level):
    return proportion_confint(k, n, alpha=2 * np.exp(-level), method="beta")[1]


def bisection(k, n, level):
    """R's way: a root of the binomial distribution function for each count."""
    out = np.empty(k.size)
    for i, (v, delta) in enumerate(zip(k, np.exp(-level), strict=True)):
        low, high = v / n, 1.0
        while high - low > 2e-16 * high:
            middle = (low + high) / 2
            if middle in (low, high):
                break
            if special.bdtr(v, n, middle) >= delta:
                low = middle
            else:
                high = middle
        out[i] = high
    return out


CONTESTANTS = {
    "tlstat": (ours, 20_000),
    "scipy binomtest, a loop": (scipy_loop, 20),
    "bisection on the cdf, a loop": (bisection, 200),
    "scipy betainccinv": (scipy_beta, 5_000),
    "statsmodels beta": (statsmodels_beta, 2_000),
}


# --- accuracy ----------------------------------------------------------------------------------


def exact_error(k, n, level, limit):
    """``limit / exact - 1`` to first order, from the tail and its derivative at ``limit``."""
    if not 0 < limit < 1:
        return math.nan
    p, k, n = mp.mpf(float(limit)), int(k), int(n)
    q = 1 - p
    if (k + 1) > (n + 1) * p:
        return math.nan  # left of the mode: not an upper limit at all
    choose = mp.loggamma(n + 1) - mp.loggamma(k + 1) - mp.loggamma(n - k + 1)
    pmf = mp.exp(choose + k * mp.log(p) + (n - k) * mp.log(q))
    term, total, j = mp.mpf(1), mp.mpf(1), k
    while term > mp.mpf(10) ** -40 * total:
        term *= j * q / ((n - j + 1) * p)
        total += term
        j -= 1
    slope = total * q / (n - k)  # tail / density
    return float(-(mp.log(pmf * total) + level) * slope / p)


def accuracy(values, k, n, level, checks):
    with mp.workdps(50):
        errors = [
            exact_error(k[i], n, mp.mpf(level[i]), values[i])
            for i in range(min(checks, len(values)))
        ]
    if np.isnan(errors).any():
        return "fails", ""
    below = sum(e < 0 for e in errors)
    return f"{np.max(np.abs(errors)):.0e}", f"{below}/{len(errors)}"


def draw(n, level, size, rng):
    """Counts with a uniform logarithm; levels that differ a little, so that no work is shared."""
    k = np.floor(np.exp(rng.uniform(0, math.log(n / 2), size))) - 1
    return k, level * rng.uniform(0.99, 1.01, size)


def inversions(quick):
    table = Table(title="binomial tail inversion, one thread")
    for column in (
        "n",
        "log(M/delta)",
        "method",
        "a second",
        "tlstat faster by",
        "error",
        "below",
    ):
        table.add_column(column, justify="left" if column == "method" else "right", no_wrap=True)
    for n, level in CASES:
        (k, levels), baseline = draw(n, level, 20_000, np.random.default_rng(0)), None
        for name, (method, size) in CONTESTANTS.items():
            if method is statsmodels_beta and proportion_confint is None:
                table.add_row("", "", name, "not installed", "", "", "")
                continue
            size = min(size, 2_000) if quick else size
            with np.errstate(all="ignore"):
                values = method(k[:size], n, levels[:size])
                call = partial(method, k[:size], n, levels[:size])
                speed = rate(call, size, 0.2 if quick else 1.5)
            baseline = baseline or speed
            error, below = accuracy(values, k, n, levels, 5 if quick else 15)
            head = (
                (f"{n:.0e}" if n > 1000 else str(n), f"{level:.3g}") if method is ours else ("", "")
            )
            table.add_row(*head, name, f"{speed:,.0f}", f"{baseline / speed:,.1f}", error, below)
        table.add_section()
    return table


def others(quick):
    """What else is called in bulk."""
    rng = np.random.default_rng(0)
    table = Table(title="other certificates, one thread")
    table.add_column("what")
    table.add_column("a second", justify="right")
    seconds = 0.2 if quick else 1.5
    k, size = rng.integers(0, 80, 1_000_000), 20_000
    rows = [
        (
            "binomial inversion of 1e6 candidates, n = 80",
            lambda: finite_class(k, 80, binomial_tail_inversion, delta=0.05, candidates=1e6),
            k.size,
        ),
        (
            "kl inverse of 1e6 candidates, n = 80",
            lambda: finite_class(k, 80, kl_inverse, delta=0.05, candidates=1e6),
            k.size,
        ),
    ]
    q, c = rng.random(size), rng.exponential(0.1, size)
    rows.append(("kl inverse, any rate and budget", lambda: kl_upper_inverse(q, c), size))
    n = rng.integers(1, 10**9, size)
    rows.append(("log I(n), n to 1e9", lambda: log_normaliser(n), size))
    for length in (100, 1000):
        x = rng.beta(1, 9, (100, length))
        rows.append((f"betting, {length} examples", lambda x=x: betting(x, delta=0.05), 100))
        path = (lambda x=x: betting.path(x, delta=0.05), 100)
        rows.append((f"betting, all {length} limits of the path", *path))
    for name, function, count in rows:
        function()
        table.add_row(name, f"{rate(function, count, seconds):,.0f}")
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="shorter runs, fewer checks")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # a peer that fails is shown as such
    console = Console(width=110)
    console.print(inversions(options.quick))
    console.print(others(options.quick))
