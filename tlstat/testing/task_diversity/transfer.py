"""Laws of the excess risk at a target, and of allocations of source samples.

Subjects are functions like those of `tlstat.task_diversity`:
``transfer_excess_risk(B_hat, B, alpha_0, sigma, m)``, and ``optimal_allocation(A, N, target=...)``
that gives an object with ``shares`` and ``counts``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tlstat.testing.laws import BrokenLaw, Law, check_laws
from tlstat.testing.task_diversity.strategies import (
    require,
    rotation,
    subspace_pairs,
    task_heads,
)

__all__ = [
    "ALLOCATION_LAWS",
    "RISK_LAWS",
    "check_allocation",
    "check_transfer_risk",
]


def _close(found: float, expected: float, what: str, rtol: float = 1e-9) -> None:
    require(
        abs(found - expected) <= rtol * abs(expected) + 1e-14,
        f"{what}: {found!r} instead of {expected!r}",
    )


# ------------------------------------------------------------------ risk at the target


def _setting(case: Any) -> tuple[np.ndarray, float, int]:
    rng, r = case.rng, case.B.shape[1]
    return rng.normal(size=r), float(rng.uniform(0.2, 2)), int(r + 2 + rng.integers(0, 20))


def _oracle(subject: Any, case: Any) -> None:
    alpha, sigma, m = _setting(case)
    r = case.B.shape[1]
    least = sigma**2 * r / (m - r - 1)
    _close(float(subject(case.B, case.B, alpha, sigma, m)), least, "at the truth")
    found = float(subject(case.B_hat, case.B, alpha, sigma, m))
    require(found >= least * (1 - 1e-9), f"risk {found} below the oracle's {least}")


def _many(subject: Any, case: Any) -> None:
    """Samples take the risk down to the squared bias, never below."""
    alpha, sigma, m = _setting(case)
    theta = case.B @ alpha
    bias = float(np.sum((theta - case.B_hat @ (case.B_hat.T @ theta)) ** 2))
    risks = [float(subject(case.B_hat, case.B, alpha, sigma, m + k)) for k in (0, 1, 10**9)]
    require(risks[0] > risks[1] > risks[2], f"risks {risks} do not fall with m")
    require(abs(risks[2] - bias) <= 1e-6 * (bias + 1), f"limit {risks[2]}, not b^2 = {bias}")


def _noise(subject: Any, case: Any) -> None:
    """Linear in ``sigma^2 + b^2``: what is missed acts as noise."""
    alpha, sigma, m = _setting(case)
    r, theta = case.B.shape[1], case.B @ alpha
    bias = float(np.sum((theta - case.B_hat @ (case.B_hat.T @ theta)) ** 2))
    loud = float(np.sqrt(sigma**2 + bias))
    found = float(subject(case.B_hat, case.B, alpha, sigma, m)) - bias
    _close(found, loud**2 * r / (m - r - 1), "risk of the head", 1e-6)


def _units(subject: Any, case: Any) -> None:
    alpha, sigma, m = _setting(case)
    expected = 9 * float(subject(case.B_hat, case.B, alpha, sigma, m))
    found = float(subject(case.B_hat, case.B, 3 * alpha, 3 * sigma, m))
    _close(found, expected, "responses times 3")


def _turned(subject: Any, case: Any) -> None:
    alpha, sigma, m = _setting(case)
    rng, (d, r) = case.rng, case.B.shape
    Q, R = rotation(rng, d), rotation(rng, r)
    expected = float(subject(case.B_hat, case.B, alpha, sigma, m))
    found = float(subject(Q @ case.B_hat @ R, Q @ case.B, alpha, sigma, m))
    _close(found, expected, "covariates and basis rotated", 1e-7)


def _of_pairs(name: str, statement: str, check: Callable[..., None]) -> Law:
    return Law(name, statement, check, subspace_pairs)


RISK_LAWS = (
    _of_pairs("oracle", "At the truth it is s^2 r/(m - r - 1), elsewhere no less.", _oracle),
    _of_pairs("samples", "It falls with m, to the squared bias.", _many),
    _of_pairs("noise", "What is missed acts as noise.", _noise),
    _of_pairs("scaling", "Responses times c: times c^2.", _units),
    _of_pairs("rotation", "Rotating covariates and basis changes nothing.", _turned),
)


def check_transfer_risk(
    function: Callable[..., Any],
    *,
    laws: Iterable[Law] = RISK_LAWS,
    max_examples: int = 100,
    collect: bool = False,
) -> list[BrokenLaw]:
    """Look for a case in which an expected excess risk given the representation is wrong.

    Parameters
    ----------
    function : callable
        ``function(B_hat, B, alpha_0, sigma, m) -> float`` for isotropic Gaussian covariates,
        orthonormal columns and ``m > r + 1``.
    laws, max_examples, collect
        As in `check_laws`.

    Returns
    -------
    list of BrokenLaw
    """
    return check_laws(function, laws, max_examples=max_examples, collect=collect)


# ------------------------------------------------------------------ allocation


def _design(subject: Any, case: Any, N: int) -> tuple[Any, np.ndarray]:
    target = case.A.T @ case.rng.normal(size=len(case.A))
    return subject(case.A.copy(), N, target=target), target


def _value(A: np.ndarray, shares: np.ndarray, target: np.ndarray) -> float:
    root = np.sqrt(shares)[:, None] * A
    s, Vt = np.linalg.svd(root, full_matrices=False)[1:]
    seen = s > 1e-9 * s[0]
    along = Vt @ target
    missed = np.linalg.norm(target - Vt[seen].T @ along[seen])
    if missed > 1e-6 * np.linalg.norm(target):
        return float("inf")
    return float(np.sum((along[seen] / s[seen]) ** 2))


def _proper(subject: Any, case: Any) -> None:
    N = 100 + 10 * len(case.A)
    found, _ = _design(subject, case, N)
    shares, counts = np.asarray(found.shares), np.asarray(found.counts)
    require(np.all(shares >= 0) and abs(shares.sum() - 1) < 1e-9, f"shares {shares}")
    whole = np.all(counts >= 0) and np.all(counts == np.floor(counts))
    require(whole and counts.sum() == N, f"counts {counts}, N = {N}")


def _elfving(subject: Any, case: Any) -> None:
    """The value is the square of the smallest L1 norm, by a linear program of our own."""
    from scipy.optimize import linprog

    found, target = _design(subject, case, 500)
    t = len(case.A)
    scale = float(np.linalg.norm(target))
    both = np.hstack([case.A.T, -case.A.T])
    program = linprog(np.ones(2 * t), A_eq=both, b_eq=target / scale, method="highs")
    value = _value(case.A, np.asarray(found.shares), target)
    least = scale * float(program.fun or 0.0)
    _close(value, least**2, "value of the shares", 1e-5)


def _others(subject: Any, case: Any) -> None:
    found, target = _design(subject, case, 500)
    value = _value(case.A, np.asarray(found.shares), target)
    for _ in range(5):
        other = _value(case.A, case.rng.dirichlet(np.ones(len(case.A))), target)
        require(value <= other * (1 + 1e-6), f"value {value}, and {other} for random shares")


def _rounded(subject: Any, case: Any) -> None:
    found, _ = _design(subject, case, 100_000)
    off = np.max(np.abs(np.asarray(found.counts) / 100_000 - np.asarray(found.shares)))
    require(off <= 1e-3, f"counts are {off:.3g} from the shares, with 100,000 samples")


def _spanning() -> Any:
    return task_heads(spanning=True)


def _of_heads(name: str, statement: str, check: Callable[..., None]) -> Law:
    return Law(name, statement, check, _spanning)


ALLOCATION_LAWS = (
    _of_heads("proper", "Shares are a law, counts whole numbers with the sum N.", _proper),
    _of_heads("Elfving", "The value is the smallest L1 norm, squared.", _elfving),
    _of_heads("others", "No other shares are better.", _others),
    _of_heads("rounding", "Counts approach the shares.", _rounded),
)


def check_allocation(
    function: Callable[..., Any],
    *,
    laws: Iterable[Law] = ALLOCATION_LAWS,
    max_examples: int = 25,
    collect: bool = False,
) -> list[BrokenLaw]:
    """Look for heads and a target for which an allocation is not optimal.

    Parameters
    ----------
    function : callable
        ``function(A, N, target=alpha_0)`` with ``shares`` and ``counts`` in what it returns.
    laws, max_examples, collect
        As in `check_laws`.

    Returns
    -------
    list of BrokenLaw
    """
    return check_laws(function, laws, max_examples=max_examples, collect=collect)
