"""What the laws of certificates check; each raises AssertionError with what was found."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

TINY = 1e-12
# a probability that was summed in floats
ROUNDING = 1e-9
SHARP = 1e-9


@dataclass(frozen=True)
class Subject:
    """A certificate as the laws call it.

    Attributes
    ----------
    limit : callable
        ``limit(k, n, delta)`` for counts, ``limit(losses, delta)`` for rows of losses.
    log_limit : callable, optional
        The same with ``log(1/delta)``.
    path : callable, optional
        ``path(losses, delta)``: limits after every example.
    """

    limit: Callable[..., Any]
    log_limit: Callable[..., Any] | None = None
    path: Callable[..., Any] | None = None


# ---------------------------------------------------------- laws about counts


def in_range(subject: Subject, case: Any) -> None:
    k, n = case["counts"]
    limit = float(subject.limit(k, n, case["delta"]))
    assert math.isfinite(limit), f"the limit is {limit}"
    assert limit <= 1, f"the limit {limit!r} exceeds 1"
    assert limit >= (k / n) * (1 - TINY) or case["delta"] > 0.5, (
        f"the limit {limit!r} is below the empirical risk {k / n!r}"
    )


def all_lost(subject: Subject, case: Any) -> None:
    limit = float(subject.limit(case["n"], case["n"], case["delta"]))
    assert limit == 1, f"after {case['n']} errors in {case['n']} the limit is {limit!r}"


def increases_with_errors(subject: Subject, case: Any) -> None:
    n = case["n"]
    limits = subject.limit(np.arange(n + 1), n, case["delta"])
    falls = np.flatnonzero(np.diff(limits) < -TINY)
    assert not len(falls), f"from k = {falls[0]} to {falls[0] + 1} the limit falls: {limits}"


def falls_with_examples(subject: Subject, case: Any) -> None:
    (k, n), delta = case["counts"], case["delta"]
    before = float(subject.limit(k, n, delta))
    for what, more in (("one more correct", (k, n + 1)), ("twice as many", (2 * k, 2 * n))):
        after = float(subject.limit(*more, delta))
        assert after <= before * (1 + TINY), f"{before!r} rises to {after!r} with {what} examples"


def rises_with_confidence(subject: Subject, case: Any) -> None:
    (k, n), deltas = case["counts"], sorted([case["delta"], case["other"]])
    strict, loose = (float(subject.limit(k, n, delta)) for delta in deltas)
    assert strict >= loose * (1 - TINY), (
        f"{strict!r} at delta {deltas[0]}, {loose!r} at {deltas[1]}"
    )


def informative(subject: Subject, case: Any) -> None:
    delta = case["delta"]
    n = math.ceil(5 * math.log(1 / delta)) + 12
    limit = float(subject.limit(0, n, delta))
    assert limit < 1, f"no error in {n} examples at delta = {delta}, and the limit is {limit!r}"


def covers(subject: Subject, case: Any) -> None:
    """The probability that the limit lies below the risk, at the risks just above each limit."""
    n, delta = case["n"], case["delta"]
    limits = subject.limit(np.arange(n + 1), n, delta)
    for risk in np.unique(limits[limits < 1]):
        if not risk > 0:
            continue
        failed = float(binomial(n, float(risk))[limits <= risk].sum())
        assert failed <= delta * (1 + ROUNDING), (
            f"just above the risk {risk!r} it fails with probability {failed:.6g} > {delta:.6g}"
        )


def never_too_small(subject: Subject, case: Any) -> None:
    """No certificate that grows with k may be below binomial inversion: P(K <= k) <= delta."""
    (k, n), delta = case["counts"], case["delta"]
    limit = float(subject.limit(k, n, delta))
    if limit >= 1:
        return
    tail = tail_probability(k, n, Fraction(limit))
    assert tail <= Fraction(delta), (
        f"P(Bin({n}, {limit!r}) <= {k}) exceeds {delta!r} by a relative "
        f"{float(tail / Fraction(delta) - 1):.2g}"
    )


def sharp(subject: Subject, case: Any) -> None:
    (k, n), delta = case["counts"], case["delta"]
    limit = float(subject.limit(k, n, delta))
    tail = tail_probability(k, n, Fraction(limit) * (1 - Fraction(SHARP)))
    assert tail >= Fraction(delta), (
        f"the limit {limit!r} is too large: P(Bin({n}, limit) <= {k}) is "
        f"{float(tail):.6g}, not {delta:.6g}"
    )


def element_by_element(subject: Subject, case: Any) -> None:
    n, delta = case["n"], case["delta"]
    together = subject.limit(np.arange(n + 1), n, delta)
    alone = [float(subject.limit(k, n, delta)) for k in range(n + 1)]
    assert np.allclose(together, alone, rtol=1e-12, atol=0), (
        f"all counts together give {together}, one by one {alone}"
    )


def soft_counts_cover(subject: Subject, case: Any) -> None:
    """Losses with the values 0, a, 1: every distribution on a grid, every outcome."""
    n, a, delta = case["n"], case["a"], case["delta"]
    outcomes = np.array([(i, j) for i in range(n + 1) for j in range(n + 1 - i)])
    limits = subject.limit(outcomes @ np.array([a, 1.0]), n, delta)
    _grid_covers(outcomes, limits, n, a, delta, multinomial_ways(n))


def _grid_covers(
    outcomes: np.ndarray, limits: np.ndarray, n: int, a: float, delta: float, ways: np.ndarray
) -> None:
    for middle, one in GRID:
        none = 1 - middle - one
        chances = ways * middle ** outcomes[:, 0] * one ** outcomes[:, 1]
        chances = chances * max(none, 0.0) ** (n - outcomes.sum(axis=1))
        risk = a * middle + one
        failed = float(chances[limits < risk * (1 - TINY)].sum())
        assert failed <= delta * (1 + ROUNDING), (
            f"losses are 1 with probability {one:g} and {a} with {middle:g}: at the risk "
            f"{risk:.6g} it fails with probability {failed:.6g} > {delta:.6g}"
        )


def logarithms(subject: Subject, case: Any) -> None:
    assert subject.log_limit is not None
    (k, n), level = case["counts"], case["log_inv_delta"]
    if level < 700:
        by_delta = float(subject.limit(k, n, math.exp(-level)))
        by_log = float(subject.log_limit(k, n, level))
        assert math.isclose(by_delta, by_log, rel_tol=1e-10), (
            f"{by_delta!r} from delta, {by_log!r} from its logarithm"
        )
    without = float(subject.log_limit(0, n, level))
    assert without >= -math.expm1(-level / n) * (1 - 1e-15), (
        f"without errors the limit {without!r} is below 1 - delta^(1/n)"
    )


# ------------------------------------------------------- laws about rows of losses


def rows_in_range(subject: Subject, case: Any) -> None:
    limit = float(subject.limit(case["losses"], case["delta"]))
    assert 0 <= limit <= 1, f"the limit is {limit!r}"


def rows_rise_with_confidence(subject: Subject, case: Any) -> None:
    deltas = sorted([case["delta"], case["other"]])
    strict, loose = (float(subject.limit(case["losses"], delta)) for delta in deltas)
    assert strict >= loose - 1e-9, f"{strict!r} at delta {deltas[0]}, {loose!r} at {deltas[1]}"


def rows_informative(subject: Subject, case: Any) -> None:
    delta = case["delta"]
    n = math.ceil(8 * math.log(1 / delta)) + 16
    limit = float(subject.limit(np.zeros(n), delta))
    assert limit < 1, f"no loss in {n} examples at delta = {delta}, and the limit is {limit!r}"


def rows_cover(subject: Subject, case: Any) -> None:
    """Every sequence of the values 0, a, 1 in every order."""
    n, a, delta = case["n"], case["a"], case["delta"]
    values = (0.0, 1.0) if n > 6 else (0.0, a, 1.0)
    rows = np.array(list(product(values, repeat=n)))
    limits = subject.limit(rows, delta)
    middle = np.sum((rows == a) & (a < 1), axis=1)
    outcomes = np.stack([middle, np.sum(rows == 1, axis=1)], axis=1)
    if n > 6:
        for one in np.linspace(0.05, 0.95, 19):
            chances = one ** outcomes[:, 1] * (1 - one) ** (n - outcomes[:, 1])
            failed = float(chances[limits < one * (1 - TINY)].sum())
            assert failed <= delta * (1 + ROUNDING), (
                f"at the risk {one:.6g} of 0/1 losses it fails with probability {failed:.6g} > "
                f"{delta:.6g}"
            )
        return
    _grid_covers(outcomes, limits, n, a, delta, np.ones(len(rows)))


def path_agrees(subject: Subject, case: Any) -> None:
    assert subject.path is not None
    losses, delta = case["losses"], case["delta"]
    path = subject.path(losses, delta)
    assert path.shape == losses.shape, f"{path.shape} limits for {losses.shape} losses"
    assert np.all(np.diff(path) <= TINY), f"a running limit rises: {path}"
    last = float(subject.limit(losses, delta))
    assert math.isclose(path[-1], last, abs_tol=3e-4), f"it ends at {path[-1]!r}, not at {last!r}"
    short = subject.path(losses[: len(losses) // 2], delta)
    assert case["fixed"] or np.allclose(path[: len(short)], short, atol=3e-4), (
        "what was said about the first examples changes with later ones"
    )


# ------------------------------------------------------------------ arithmetic

# probabilities of the middle value and of 1
GRID = tuple(
    (i / 10, j / 10) for i in range(11) for j in range(11 - i) if i + j > 0
)  # fmt: skip


@lru_cache(maxsize=256)
def _ways(n: int) -> np.ndarray:
    return np.array([math.comb(n, k) for k in range(n + 1)], dtype=float)


def binomial(n: int, p: float) -> np.ndarray:
    k = np.arange(n + 1)
    return _ways(n) * p**k * (1 - p) ** (n - k)


def tail_probability(k: int, n: int, p: Fraction) -> Fraction:
    """``P(Bin(n, p) <= k)`` in exact fractions."""
    return sum(
        (math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k + 1)), start=Fraction(0)
    )


@lru_cache(maxsize=32)
def multinomial_ways(n: int) -> np.ndarray:
    ways = [math.comb(n, i) * math.comb(n - i, j) for i in range(n + 1) for j in range(n + 1 - i)]
    return np.array(ways, dtype=float)
