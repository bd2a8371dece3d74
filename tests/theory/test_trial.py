"""The judge on trial: false verdicts are at most as frequent as promised, and power is there.

Every trial has a fixed seed.  A count of errors among N runs is accepted below the 0.9999
quantile of Bin(N, level): a judge that keeps its level fails a check with probability 1e-4.
The benchmark repeats this with thousands of runs a row.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from tlstat.montecarlo.design import geometric, grid, inner
from tlstat.montecarlo.results import Results
from tlstat.montecarlo.study import study
from tlstat.theory import intervals
from tlstat.theory.claims import at_least, at_most, equals, ordered, rate
from tlstat.theory.judge import judge
from tlstat.theory.verdict import Status

ALPHA = 0.05  # larger than the default, so that few runs show an error rate that is too large
S, R = Status.SUPPORTED, Status.REFUTED


def trial(claims, draw, *, axes, size, runs, seed=1, alpha=ALPHA, **options):
    """Verdicts of ``runs`` independent data sets: array (runs, claims) of statuses."""
    claims = [claims] if not isinstance(claims, list) else claims

    @study(design=grid(**axes), replicates=size, name="trial", claims=claims, **options)
    def example(cell, rng, size):
        raise AssertionError("not run")

    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(runs):
        arrays = {c: {"y": draw(c, rng, size)} for c in example.design.cells}
        results = Results.from_arrays(example, arrays)
        rows.append([v.status for v in judge(example, results, alpha=alpha, cards=False)])
    return np.array(rows, dtype=object)


def share(statuses, status):
    return float(np.mean(statuses == status))


def accept(errors, runs, level=ALPHA):
    return errors <= binom.ppf(0.9999, runs, level)


FIVE = {"n": geometric(100, 10_000, 5)}


def power_law(exponent):
    return lambda cell, rng, size: rng.gamma(4, size=size) * cell.n**exponent


def root(cell, model):
    return cell.n**-0.5


@pytest.mark.parametrize(("side", "sign"), [("both", 1), ("both", -1), ("upper", 1), ("lower", -1)])
def test_rate_at_its_edge(side, sign):
    """At the edge both errors are possible, each at its level."""
    edge = trial(rate("y", "n", root, side=side), power_law(-0.5 + sign * 0.05),
                 axes=FIVE, size=200, runs=200)  # fmt: skip
    assert accept(np.sum(edge == S), 200) and accept(np.sum(edge == R), 200)


def test_rate_has_power():
    claim = rate("y", "n", root)
    assert share(trial(claim, power_law(-0.5), axes=FIVE, size=400, runs=60), S) > 0.8
    for wrong in (-0.4, -0.6):
        statuses = trial(claim, power_law(wrong), axes=FIVE, size=400, runs=60)
        assert share(statuses, R) > 0.8 and not np.any(statuses == S)


def test_rate_with_common_random_numbers_keeps_its_level():
    axes = {"n": inner([100, 316, 1000, 3162, 10_000])}

    def draw(cell, rng, size):
        shared = rng.gamma(2, size=(size, 1))
        return (shared + rng.gamma(2, size=(size, 5))) * np.asarray(cell.n, float) ** -0.45

    edge = trial(rate("y", "n", root), draw, axes=axes, size=200, runs=200)
    assert accept(np.sum(edge == S), 200) and accept(np.sum(edge == R), 200)
    assert share(edge, Status.INCONCLUSIVE) > 0.8


BETA = {"ranges": {"y": (0, 1)}}


def beta(factor, first=None):
    def draw(cell, rng, size):
        times = first if first is not None and cell.n == 100 else factor
        return rng.beta(2, 8, size=size) * times

    return draw


@pytest.mark.parametrize("options", [BETA, {"ranges": {"y": (0, np.inf)}}, {}])
def test_at_most_errors(options):
    """REFUTED of a tight true bound; SUPPORTED where one cell is 2 % above (least favourable)."""
    claim = at_most("y", 0.2)
    tight = trial(claim, beta(1.0), axes=FIVE, size=200, runs=100, **options)
    assert accept(np.sum(tight == R), 100)
    worst = trial(claim, beta(0.5, first=1.02), axes=FIVE, size=200, runs=100, **options)
    assert accept(np.sum(worst == S), 100)


@pytest.mark.parametrize("make", [at_most, at_least])
def test_bounds_have_power(make):
    good, bad = (0.8, 1.3) if make is at_most else (1.25, 0.7)
    claim = make("y", 0.2)
    assert share(trial(claim, beta(good), axes=FIVE, size=800, runs=20, **BETA), S) > 0.8
    assert share(trial(claim, beta(1.0, bad), axes=FIVE, size=800, runs=20, **BETA), R) > 0.8


def test_equality_errors_and_power():
    def draw(factor):
        return lambda cell, rng, size: factor * rng.gamma(25, size=size) / 25

    claim = equals("y", 1.0, rtol=0.05)
    true = trial(claim, draw(1.0), axes=FIVE, size=1000, runs=100)
    assert accept(np.sum(true == R), 100) and share(true, S) > 0.8
    edge = trial(claim, draw(1.05), axes=FIVE, size=1000, runs=100)
    assert accept(np.sum(edge == S), 100)
    assert share(trial(claim, draw(1.1), axes=FIVE, size=1000, runs=20), R) > 0.95


@pytest.mark.parametrize("paired", [True, False])
def test_ordering_errors(paired):
    axes = {"n": [100], "level": inner(["a", "b"]) if paired else ["a", "b"]}

    def draw(cell, rng, size):
        if not paired:
            return rng.gamma(4, size=size)
        return rng.gamma(4, size=(size, 1)) + rng.normal(size=(size, 2)) * 0.3

    claim = ordered("y", "level", ["a", "b"])
    ties = trial(claim, draw, axes=axes, size=200, runs=300)
    assert accept(np.sum(ties == R), 300)

    def edge(cell, rng, size):  # the mean of "a" is larger by exactly 2 % of it
        if not paired:
            return rng.gamma(4, size=size) * (1 if cell.level == "a" else 0.98)
        return draw(cell, rng, size) * np.array([1, 0.98])

    assert accept(np.sum(trial(claim, edge, axes=axes, size=200, runs=300) == S), 300)


@pytest.mark.parametrize("size", [50, 200, 1000])
@pytest.mark.parametrize("delta", [0.01, 0.05, 0.3])
def test_probability_errors_by_enumeration(size, delta):
    """A proof, not a simulation: the exact chance of either error over all counts."""
    k = np.arange(size + 1)
    refuted = intervals.binomial_p_greater(k, size, delta) <= 0.01
    assert np.sum(binom.pmf(k, size, delta)[refuted]) <= 0.01 + 1e-12
    edge = delta * 1.1
    supported = intervals.binomial_p_less(k, size, edge) <= 0.01
    assert np.sum(binom.pmf(k, size, edge)[supported]) <= 0.01 + 1e-12


@pytest.mark.parametrize("control", ["bonferroni", "holm"])
def test_family_of_claims(control):
    """Ten claims, half true and half false, all at their least favourable point."""
    claims = [at_most("y", 0.2, where={"n": v}) for v in FIVE["n"]]
    claims += [rate("y", "n", root, name=f"rate {k}") for k in range(5)]

    def draw(cell, rng, size):
        return rng.beta(2, 8, size=size) * (cell.n / 100) ** -0.45

    @study(design=grid(**FIVE), replicates=200, name="family", claims=claims)
    def example(cell, rng, size):
        raise AssertionError("not run")

    rng, wrong = np.random.default_rng(5), 0
    for _ in range(100):
        arrays = {c: {"y": draw(c, rng, 200)} for c in example.design.cells}
        results = Results.from_arrays(example, arrays)
        verdicts = judge(example, results, alpha=ALPHA, control=control, cards=False)
        # n = 100 is tight and true; the rates sit on the edge, where either answer is an error
        errors = [verdicts[0].status is R] + [v.status is S for v in verdicts[5:]]
        wrong += any(errors)
    assert accept(wrong, 100)


def test_every_verdict_is_the_same_twice():
    one, two = (trial(at_most("y", 0.21), beta(1.0), axes=FIVE, size=200, runs=5, **BETA)
                for _ in range(2))  # fmt: skip
    assert np.array_equal(one, two)
