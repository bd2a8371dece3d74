"""Laws of certificates that hold for all candidates of a finite class together.

A subject is ``function(k, n, *, delta, candidates=None, log_weights=None)``: counts of errors with
the scored candidates on the last axis, and either the size of the class or logarithms of weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from tlstat.testing.certificate_checks import ROUNDING, TINY, binomial
from tlstat.testing.certificates import cases_of, certificate_levels, integers, sampled
from tlstat.testing.laws import BrokenLaw, Law, check_laws


def _limits(function: Any, n: int, columns: int, delta: float, **size: Any) -> Any:
    """Limits of every count, shape (n + 1, columns)."""
    k = np.repeat(np.arange(n + 1)[:, None], columns, axis=1)
    return np.asarray(function(k, n, delta=delta, **size), dtype=float)


def _all_fail_together(limits: np.ndarray, n: int, delta: float, unscored: float = 0) -> None:
    """Independent candidates of one risk: the probability that any certificate fails."""
    for risk in np.unique(limits[limits < 1]):
        chances = binomial(n, float(risk))
        single = np.sum(chances[:, None] * (limits <= risk), axis=0)
        kept = np.sum(np.log1p(-np.minimum(single, 1 - 1e-16)))
        kept += unscored * math.log1p(-min(single[0], 1 - 1e-16))
        failed = -math.expm1(kept)
        assert failed <= delta * (1 + ROUNDING), (
            f"candidates that err independently, all of risk {risk:.6g}: some certificate fails "
            f"with probability {failed:.6g} > {delta:.6g}"
        )


def _union(function: Any, case: Any) -> None:
    n, M, delta = case["n"], case["M"], case["delta"]
    _all_fail_together(_limits(function, n, M, delta, candidates=M), n, delta)


def _unscored(function: Any, case: Any) -> None:
    """What was not scored might have been selected."""
    n, M, delta = case["n"], case["M"], case["delta"]
    limits = _limits(function, n, 1, delta, candidates=M)
    _all_fail_together(limits, n, delta, unscored=M - 1)


def _weighted(function: Any, case: Any) -> None:
    n, M, delta, power = case["n"], case["M"], case["delta"], case["power"]
    weights = np.arange(1.0, M + 1) ** -power
    log_weights = np.log(weights / weights.sum())
    limits = _limits(function, n, M, delta, log_weights=log_weights)
    _all_fail_together(limits, n, delta)
    falls = np.diff(limits, axis=1) < -TINY
    assert not falls.any(), f"a smaller weight gives a smaller limit: {limits[falls.any(axis=1)]}"


def _symmetric(function: Any, case: Any) -> None:
    n, M, delta = case["n"], case["M"], case["delta"]
    k = np.arange(M) * n // M
    there = np.asarray(function(k, n, delta=delta, candidates=M + 5), dtype=float)
    back = np.asarray(function(k[::-1], n, delta=delta, candidates=M + 5), dtype=float)
    assert np.array_equal(there, back[::-1]), f"{there} and reversed {back[::-1]}"


def _equal_weights(function: Any, case: Any) -> None:
    n, M, delta = case["n"], case["M"], case["delta"]
    by_size = _limits(function, n, M, delta, candidates=M)
    by_weight = _limits(function, n, M, delta, log_weights=np.full(M, -math.log(M)))
    assert np.allclose(by_size, by_weight, rtol=1e-10), f"{by_size} by size, {by_weight} by weight"


def _huge(function: Any, case: Any) -> None:
    """At M = 1e300 the logarithm is all that counts."""
    n = 5_000
    limits = [
        float(np.asarray(function([0], n, delta=0.05, candidates=M))[0]) for M in (1e290, 1e300)
    ]
    exact = [-math.expm1(-(math.log(M) - math.log(0.05)) / n) for M in (1e290, 1e300)]
    assert limits[0] < limits[1] < 1, f"limits at M = 1e290 and 1e300: {limits}"
    assert all(limit >= true * (1 - 1e-15) for limit, true in zip(limits, exact, strict=True)), (
        f"{limits} are below 1 - (delta/M)^(1/n) = {exact}"
    )


def _refuses(function: Any) -> None:
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("fewer candidates than columns", {"candidates": 2}),
        ("no candidate", {"candidates": 0}),
        ("weights that sum to more than 1", {"log_weights": np.log([0.5, 0.4, 0.2])}),
    ]
    for what, size in wrong:
        try:
            found = function(np.array([0, 1, 2]), 10, delta=0.05, **size)
        except ValueError:
            continue
        raise AssertionError(f"{what} gave {found} instead of a ValueError")


_LEVEL = partial(certificate_levels, 0.5)
_ANY = dict(n=integers(1, 40), M=integers(1, 60), delta=_LEVEL)

FINITE_CLASS_LAWS = (
    Law(
        "union",
        "The certificates of all scored candidates hold together.",
        _union,
        cases_of(**_ANY),
    ),
    Law(
        "unscored",
        "Candidates that were never scored are paid for.",
        _unscored,
        cases_of(n=integers(1, 40), M=sampled(2, 100, 20_000), delta=_LEVEL),
    ),
    Law(
        "weights",
        "Under weights the certificates hold together.",
        _weighted,
        cases_of(**_ANY, power=sampled(0.0, 1.0, 3.0)),
    ),
    Law("symmetry", "Candidates of equal weight are treated alike.", _symmetric, cases_of(**_ANY)),
    Law("equal weights", "Equal weights are the union bound.", _equal_weights, cases_of(**_ANY)),
    Law("huge classes", "The size may be as large as 1e300.", _huge, cases_of(n=sampled(1))),
    Law("refusals", "Too few candidates and too heavy weights are refused.", _refuses),
)


def check_finite_class(
    function: Callable[..., Any],
    *,
    laws: Iterable[Law] = FINITE_CLASS_LAWS,
    max_examples: int = 50,
    collect: bool = False,
) -> list[BrokenLaw]:
    """Look for a case in which certificates of a finite class do not hold together.

    Parameters
    ----------
    function : callable
        ``function(k, n, *, delta, candidates=None, log_weights=None)``, as
        ``functools.partial(finite_class, certificate=...)`` or your own; limits of 0/1 losses,
        vectorised over ``k``.
    laws, max_examples, collect
        As in `check_certificate`.

    Returns
    -------
    list of BrokenLaw
    """
    return check_laws(function, laws, max_examples=max_examples, collect=collect)
