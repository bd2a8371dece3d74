"""Laws of the inductive bias of kernel spaces on data, and of estimates with an interval.

A subject of `check_inductive_bias` is ``function(space, X_train, y_train, X_test, y_test,
target_error) -> object with nats``, as `tlstat.inductive_bias.inductive_bias`. A subject of
`check_bias_estimate` is ``function(weights, eps, *, df, nc, shift, seed) -> (nats, lower, upper)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tlstat.testing.inductive_bias.tails import chernoff, quadratic_forms
from tlstat.testing.laws import BrokenLaw, Law, check_laws

_SLACK = 1e-6
_SEEDS, _MOST_MISSES = 30, 11  # P(Binomial(30, .05) > 11) is 2e-8


def regression_tasks() -> Any:
    """Strategy for small tasks of a kernel space: dicts of X_train, ..., target_error, width."""
    from hypothesis import strategies as st

    def task(drawn: Any) -> dict[str, Any]:
        seed, n, m, C, share, width = drawn
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(n + m, 3))
        Y = np.stack([np.sin(X @ rng.normal(size=3)) for _ in range(C)], axis=1)
        return {
            "X_train": X[:n],
            "y_train": Y[:n],
            "X_test": X[n:],
            "y_test": Y[n:],
            "target_error": share,
            "width": width,
        }

    parts = (
        st.integers(0, 10_000),
        st.integers(2, 12),
        st.integers(1, 6),
        st.integers(1, 3),
        st.floats(0.01, 0.6),
        st.floats(0.5, 2.0),
    )
    return st.tuples(*parts).map(task)


def _nats(function: Any, case: Any, **changes: Any) -> float:
    from tlstat.inductive_bias import KernelSpace
    from tlstat.inductive_bias.kernels import rbf

    at = {"variance": 1.0, **case, **changes}
    space = KernelSpace(rbf(at.pop("width")), variance=at.pop("variance"))
    return float(function(space, **at).nats)


def _same(found: float, expected: float, what: str) -> None:
    if found == expected:
        return
    assert abs(found - expected) <= _SLACK * (1 + abs(expected)), (
        f"{found} instead of {expected} nats: {what}"
    )


def _rotation(function: Any, case: Any) -> None:
    C = case["y_train"].shape[1]
    turn, _ = np.linalg.qr(np.random.default_rng(C).normal(size=(C, C)))
    turned = {name: case[name] @ turn for name in ("y_train", "y_test")}
    _same(_nats(function, case, **turned), _nats(function, case), "outputs rotated")


def _order(function: Any, case: Any) -> None:
    turned = {name: case[name][::-1] for name in ("X_train", "y_train", "X_test", "y_test")}
    _same(_nats(function, case, **turned), _nats(function, case), "examples in another order")


def _units(function: Any, case: Any) -> None:
    c = 3.0
    changed = {name: c * case[name] for name in ("y_train", "y_test")}
    error = c**2 * case["target_error"]
    found = _nats(function, case, **changed, target_error=error, variance=c**2)
    _same(found, _nats(function, case), "labels and prior in other units")


def _twice(function: Any, case: Any) -> None:
    doubled = {name: np.repeat(case[name], 2, axis=0) for name in ("X_test", "y_test")}
    _same(_nats(function, case, **doubled), _nats(function, case), "each test point twice")


def _monotone(function: Any, case: Any) -> None:
    levels = case["target_error"] * np.array([0.25, 1.0, 4.0])
    values = [_nats(function, case, target_error=float(e)) for e in levels]
    assert values[0] >= values[1] - _SLACK and values[1] >= values[2] - _SLACK, f"{values}"
    assert values[2] >= 0, f"{values[2]} nats"


def _law(function: Any, case: Any) -> None:
    """Draws that fit and are tested: their share of successes, where it is not small."""
    from tlstat.inductive_bias import KernelSpace
    from tlstat.inductive_bias.kernels import rbf

    X, Z, width = case["X_train"], case["X_test"], case["width"]
    space = KernelSpace(rbf(width))

    def k(A: Any, B: Any) -> Any:
        squares = ((A[:, None] - B[None]) ** 2).sum(axis=-1)
        return np.exp(-squares / (2 * width**2))

    weights = np.linalg.solve(k(X, X) + 1e-12 * np.eye(len(X)), k(X, Z))
    mean, covariance = weights.T @ case["y_train"], k(Z, Z) - k(Z, X) @ weights
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    root = vectors * np.sqrt(np.maximum(values, 0))
    draws = np.random.default_rng(0).normal(size=(4_000, len(Z), mean.shape[1]))
    errors = ((mean + root @ draws - case["y_test"]) ** 2).mean(axis=(1, 2))
    eps = float(np.quantile(errors, 0.3))
    data = {name: case[name] for name in ("X_train", "y_train", "X_test", "y_test")}
    share = math.exp(-float(function(space, **data, target_error=eps).nats))
    # .3 with a standard deviation of .0073
    assert abs(share - 0.3) < 0.045, f"{share} of the hypotheses reach {eps}, .3 of the draws do"


BIAS_LAWS = (
    Law("rotation", "Outputs may be rotated.", _rotation, regression_tasks),
    Law("order", "The order of examples does not matter.", _order, regression_tasks),
    Law("units", "Labels in other units need as many nats.", _units, regression_tasks),
    Law("twice", "A repeated test point changes nothing.", _twice, regression_tasks),
    Law("target error", "A larger target error needs no more nats.", _monotone,
        regression_tasks),
    Law("draws", "The bias is that of hypotheses drawn given the data.", _law,
        regression_tasks),
)  # fmt: skip


def check_inductive_bias(
    function: Callable[..., Any],
    *,
    laws: Iterable[Law] = BIAS_LAWS,
    max_examples: int = 25,
    collect: bool = False,
) -> list[BrokenLaw]:
    """Look for data on which a function gets the bias of a kernel space wrong.

    Parameters
    ----------
    function : callable
        ``function(space, X_train, y_train, X_test, y_test, target_error)``; the data are given
        as keywords, the result has the attribute ``nats``.
    laws : iterable of Law
    max_examples : int
        Number of cases for each law.
    collect : bool
        Return all broken laws instead of raising the first.

    Raises
    ------
    BrokenLaw
    """
    return check_laws(function, laws, max_examples=max_examples, collect=collect)


# ----------------------------------------------------------------- estimates with intervals


def shallow_forms() -> Any:
    """Strategy for quadratic forms whose level is a few nats deep."""
    from hypothesis import assume
    from hypothesis import strategies as st

    def few_nats(case: Any) -> dict[str, Any]:
        assume(0.5 <= chernoff(case) <= 3.0)
        return dict(case)

    return quadratic_forms(3, shares=st.floats(0.1, 0.9)).map(few_nats)


def _triple(function: Any, case: Any, seed: int) -> tuple[float, float, float]:
    found = function(
        case["weights"],
        case["eps"],
        df=case["df"],
        nc=case["nc"],
        shift=case["shift"],
        seed=seed,
    )
    nats, lower, upper = (float(v) for v in found)
    return nats, lower, upper


def _interval(function: Any, case: Any) -> None:
    nats, lower, upper = _triple(function, case, 0)
    assert 0 <= lower <= nats <= upper, f"{nats} nats, interval [{lower}, {upper}]"


def _again(function: Any, case: Any) -> None:
    first, second = (_triple(function, case, 3) for _ in range(2))
    assert first == second, f"{first}, and with the same seed {second}"


def _covers(function: Any, case: Any) -> None:
    from tlstat.inductive_bias import GeneralizedChiSquared

    law = GeneralizedChiSquared(case["weights"], case["df"], case["nc"], case["shift"])
    exact = -float(law.logcdf(case["eps"]))
    found = [_triple(function, case, seed)[1:] for seed in range(_SEEDS)]
    misses = sum(not lower <= exact <= upper for lower, upper in found)
    assert misses <= _MOST_MISSES, (
        f"{misses} of {_SEEDS} intervals at level .95 miss {exact} nats; the first is {found[0]}"
    )


ESTIMATE_LAWS = (
    Law("interval", "The estimate lies in its interval, which is not negative.", _interval,
        shallow_forms),
    Law("again", "The same seed gives the same estimate.", _again, shallow_forms),
    Law("covers", "Intervals at level .95 contain the exact value.", _covers, shallow_forms),
)  # fmt: skip


def check_bias_estimate(
    function: Callable[..., Any],
    *,
    laws: Iterable[Law] = ESTIMATE_LAWS,
    max_examples: int = 15,
    collect: bool = False,
) -> list[BrokenLaw]:
    """Look for a quadratic form whose bias a randomised estimator misses too often.

    Parameters
    ----------
    function : callable
        ``function(weights, eps, *, df, nc, shift, seed) -> (nats, lower, upper)`` with an
        interval at level .95; asked for biases of a few nats.
    laws : iterable of Law
    max_examples : int
        Number of cases for each law; each takes up to 30 estimates.
    collect : bool
        Return all broken laws instead of raising the first.

    Raises
    ------
    BrokenLaw
    """
    return check_laws(function, laws, max_examples=max_examples, collect=collect)
