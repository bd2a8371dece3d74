"""Laws of the diversity of heads, and of the gap between two representations.

A diversity measure is ``function(A) -> nu``, as `tlstat.task_diversity.diversity.diversity`; a gap
is ``function(B_hat, B, covariance) -> (r, r)``, as `tlstat.task_diversity.representation_gap`.
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

__all__ = ["DIVERSITY_LAWS", "GAP_LAWS", "check_diversity_measure", "check_representation_gap"]


def _close(found: Any, expected: Any, what: str, scale: float = 1.0) -> None:
    apart = float(np.max(np.abs(np.asarray(found) - np.asarray(expected))))
    require(apart <= 1e-9 * scale, f"{what}: {found} instead of {expected}")


# ------------------------------------------------------------------ diversity


def _nu(subject: Any, A: np.ndarray) -> float:
    return float(subject(A.copy()))


def _scale(A: np.ndarray) -> float:
    return float(np.sum(A**2))


def _range(subject: Any, case: Any) -> None:
    nu, most = _nu(subject, case.A), float(np.trace(case.C)) / case.A.shape[1]
    require(0 <= nu <= most * (1 + 1e-9), f"nu = {nu} outside [0, tr(C)/r = {most}]")


def _order(subject: Any, case: Any) -> None:
    expected = _nu(subject, case.A)
    shuffled = case.A[case.rng.permutation(len(case.A))]
    _close(_nu(subject, shuffled), expected, "tasks permuted", _scale(case.A))


def _twice(subject: Any, case: Any) -> None:
    expected = _nu(subject, case.A)
    _close(_nu(subject, np.vstack([case.A, case.A])), expected, "every task twice", _scale(case.A))


def _rotated(subject: Any, case: Any) -> None:
    R = rotation(case.rng, case.A.shape[1])
    _close(_nu(subject, case.A @ R), _nu(subject, case.A), "heads rotated", _scale(case.A))


def _homogeneous(subject: Any, case: Any) -> None:
    _close(_nu(subject, 3 * case.A), 9 * _nu(subject, case.A), "heads times 3", _scale(case.A))


def _more(subject: Any, case: Any) -> None:
    t, new = len(case.A), case.rng.normal(size=(1, case.A.shape[1]))
    before, after = t * _nu(subject, case.A), (t + 1) * _nu(subject, np.vstack([case.A, new]))
    require(after >= before - 1e-9 * _scale(case.A), f"t nu falls from {before} to {after}")


def _few(subject: Any, case: Any) -> None:
    r = case.A.shape[1]
    if r > 1:
        _close(_nu(subject, case.A[: r - 1]), 0.0, "fewer tasks than dimensions", _scale(case.A))


def _perfect(subject: Any, case: Any) -> None:
    """Unit heads in all directions alike: 1/r, not 1."""
    r = case.A.shape[1]
    _close(_nu(subject, rotation(case.rng, r)), 1 / r, "an orthonormal frame")
    spectrum = np.sort(case.rng.dirichlet(np.ones(r)))[::-1]
    signs = np.array(
        [[1 - 2 * (bin(i & (1 << k)).count("1") % 2) for k in range(r)] for i in range(2**r)]
    )  # columns of a Hadamard design
    _close(_nu(subject, signs * np.sqrt(spectrum)), spectrum[-1], "signs times scales")


def _valid(subject: Any, case: Any) -> None:
    """The inequality it is for, at random gaps and at the worst one."""
    nu, C, r, rng = _nu(subject, case.A), case.C, case.A.shape[1], case.rng
    roots = [rng.normal(size=(r, rng.integers(1, r + 1))) for _ in range(5)]
    gaps = [root @ root.T for root in roots]
    values, vectors = np.linalg.eigh(C)
    gaps.append(np.outer(vectors[:, 0], vectors[:, 0]))
    for gap in gaps:
        worst, averaged = float(np.linalg.eigvalsh(gap)[-1]), float(np.sum(gap * C))
        require(
            nu * worst <= averaged + 1e-9 * (averaged + worst * _scale(case.A)),
            f"nu = {nu}: a gap has worst-case difference {worst}, averaged {averaged}",
        )
    sharp = float(np.sum(gaps[-1] * C))
    require(nu >= sharp - 1e-9 * _scale(case.A), f"nu = {nu} is not the best, {sharp}")


def _of_heads(name: str, statement: str, check: Callable[..., None]) -> Law:
    return Law(name, statement, check, task_heads)


DIVERSITY_LAWS = (
    _of_heads("range", "nu is in [0, tr(C)/r].", _range),
    _of_heads("order", "The order of tasks does not matter.", _order),
    _of_heads("duplication", "Every task twice changes nothing.", _twice),
    _of_heads("rotation", "Rotating all heads changes nothing.", _rotated),
    _of_heads("scaling", "Heads times c: nu times c^2.", _homogeneous),
    _of_heads("more tasks", "One more task never lowers t nu.", _more),
    _of_heads("few tasks", "Fewer tasks than dimensions: 0.", _few),
    _of_heads("known designs", "Orthonormal heads have 1/r, designs their least.", _perfect),
    _of_heads("inequality", "It is the best nu of the diversity inequality.", _valid),
)


def check_diversity_measure(
    function: Callable[..., Any],
    *,
    laws: Iterable[Law] = DIVERSITY_LAWS,
    max_examples: int = 100,
    collect: bool = False,
) -> list[BrokenLaw]:
    """Look for heads whose diversity is wrong.

    Parameters
    ----------
    function : callable
        ``function(A) -> nu`` with heads A (t, r).
    laws, max_examples, collect
        As in `check_laws`.

    Returns
    -------
    list of BrokenLaw
    """
    return check_laws(function, laws, max_examples=max_examples, collect=collect)


# ------------------------------------------------------------------ gaps


def _covariance(case: Any) -> np.ndarray:
    d = len(case.B)
    K = case.rng.normal(size=(d, d))
    return K @ K.T / d + 0.1 * np.eye(d)


def _gap(subject: Any, B_hat: np.ndarray, B: np.ndarray, Sigma: np.ndarray | None) -> np.ndarray:
    found = np.asarray(subject(B_hat.copy(), B.copy(), Sigma), dtype=float)
    r = B.shape[1]
    require(found.shape == (r, r), f"shape {found.shape}, not {(r, r)}")
    return found


def _between(subject: Any, case: Any) -> None:
    for Sigma in (None, _covariance(case)):
        gap = _gap(subject, case.B_hat, case.B, Sigma)
        _close(gap, gap.T, "transposed")
        most = case.B.T @ case.B if Sigma is None else case.B.T @ Sigma @ case.B
        low = float(np.linalg.eigvalsh((gap + gap.T) / 2)[0])
        room = float(np.linalg.eigvalsh(most - (gap + gap.T) / 2)[0])
        require(low >= -1e-9 and room >= -1e-9, f"eigenvalue {low}, or {room} below E hh'")


def _spans(subject: Any, case: Any) -> None:
    rng, r = case.rng, case.B.shape[1]
    Sigma = _covariance(case)
    expected = _gap(subject, case.B_hat, case.B, Sigma)
    other = case.B_hat @ (rng.normal(size=(r, r)) + 3 * np.eye(r))
    if np.linalg.cond(other) < 1e3:
        _close(_gap(subject, other, case.B, Sigma), expected, "another basis of B_hat", 100.0)
    _close(_gap(subject, case.B, case.B, Sigma), np.zeros((r, r)), "no gap")


def _heads(subject: Any, case: Any) -> None:
    R = case.rng.normal(size=(case.B.shape[1],) * 2)
    Sigma = _covariance(case)
    expected = R.T @ _gap(subject, case.B_hat, case.B, Sigma) @ R
    _close(_gap(subject, case.B_hat, case.B @ R, Sigma), expected, "B R", 100.0)


def _sines(subject: Any, case: Any) -> None:
    values = np.linalg.eigvalsh(_gap(subject, case.B_hat, case.B, None))[::-1]
    _close(values, np.sin(case.angles) ** 2, "squared sines")


def _refitted(subject: Any, case: Any) -> None:
    """``alpha'Lambda alpha`` is the risk of the best head."""
    Sigma, alpha = _covariance(case), case.rng.normal(size=case.B.shape[1])
    root = np.linalg.cholesky(Sigma).T
    design, goal = root @ case.B_hat, root @ (case.B @ alpha)
    rest = goal - design @ np.linalg.lstsq(design, goal, rcond=None)[0]
    found = alpha @ _gap(subject, case.B_hat, case.B, Sigma) @ alpha
    _close(found, float(rest @ rest), "risk of the best head", 10.0)


def _of_pairs(name: str, statement: str, check: Callable[..., None]) -> Law:
    return Law(name, statement, check, subspace_pairs)


GAP_LAWS = (
    _of_pairs("order", "The gap is between 0 and E hh'.", _between),
    _of_pairs("spans", "Only the span of B_hat counts; none for one span.", _spans),
    _of_pairs("heads", "B R has the gap R' Lambda R.", _heads),
    _of_pairs("sines", "For isotropic x its eigenvalues are squared sines.", _sines),
    _of_pairs("re-fitting", "alpha' Lambda alpha is the risk of the best head.", _refitted),
)


def check_representation_gap(
    function: Callable[..., Any],
    *,
    laws: Iterable[Law] = GAP_LAWS,
    max_examples: int = 100,
    collect: bool = False,
) -> list[BrokenLaw]:
    """Look for representations whose gap is wrong.

    Parameters
    ----------
    function : callable
        ``function(B_hat, B, covariance) -> (r, r)``; a covariance of None is I.
    laws, max_examples, collect
        As in `check_laws`.

    Returns
    -------
    list of BrokenLaw
    """
    return check_laws(function, laws, max_examples=max_examples, collect=collect)
