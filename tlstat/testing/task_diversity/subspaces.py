"""Laws of the angles between column spaces.

A subject is ``function(B_hat, B) -> (r,)``: the squared sines of the principal angles between
the spans of two (d, r) matrices with orthonormal columns, largest first, as
`tlstat.task_diversity.squared_sines`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tlstat.testing.laws import BrokenLaw, Law, check_laws
from tlstat.testing.task_diversity.strategies import require, rotation, subspace_pairs

__all__ = ["SUBSPACE_LAWS", "check_subspace_distance"]


def _sines(subject: Any, B_hat: np.ndarray, B: np.ndarray) -> np.ndarray:
    found = np.asarray(subject(B_hat.copy(), B.copy()), dtype=float)
    require(found.shape == (B.shape[1],), f"shape {found.shape}, not {(B.shape[1],)}")
    return found


def _same(found: np.ndarray, expected: np.ndarray, what: str) -> None:
    apart = float(np.max(np.abs(found - expected)))
    require(apart <= 1e-10, f"{what}: {found.tolist()} instead of {expected.tolist()}")


def _range(subject: Any, case: Any) -> None:
    found = _sines(subject, case.B_hat, case.B)
    require(np.all((found >= 0) & (found <= 1)), f"{found.tolist()} is outside [0, 1]")
    require(np.all(np.diff(found) <= 0), f"{found.tolist()} is not sorted, largest first")


def _angles(subject: Any, case: Any) -> None:
    _same(_sines(subject, case.B_hat, case.B), np.sin(case.angles) ** 2, "known angles")


def _tiny(subject: Any, case: Any) -> None:
    """Where an angle is tiny, its sine keeps three digits: 1 - cos^2 would lose all."""
    expected = np.sin(case.angles * 1e-6)
    wanted = expected > 0
    frame = np.linalg.qr(np.hstack([case.B, case.B_hat, rotation(case.rng, len(case.B))]))[0]
    r = case.B.shape[1]
    B, away = frame[:, :r], frame[:, r : 2 * r]
    turned = B * np.cos(case.angles * 1e-6) + away * expected
    found = np.sqrt(_sines(subject, turned, B))
    off = np.abs(found - expected)[wanted]
    require(np.all(off <= 1e-3 * expected[wanted] + 1e-14), f"sines {found} of {expected}")


def _bases(subject: Any, case: Any) -> None:
    r, rng = case.B.shape[1], case.rng
    expected = _sines(subject, case.B_hat, case.B)
    _same(_sines(subject, case.B_hat @ rotation(rng, r), case.B), expected, "another B_hat")
    _same(_sines(subject, case.B_hat, case.B @ rotation(rng, r)), expected, "another B")


def _turned(subject: Any, case: Any) -> None:
    Q = rotation(case.rng, len(case.B))
    expected = _sines(subject, case.B_hat, case.B)
    _same(_sines(subject, Q @ case.B_hat, Q @ case.B), expected, "both rotated")


def _symmetric(subject: Any, case: Any) -> None:
    expected = _sines(subject, case.B_hat, case.B)
    _same(_sines(subject, case.B, case.B_hat), expected, "exchanged")


def _projections(subject: Any, case: Any) -> None:
    found = _sines(subject, case.B_hat, case.B)
    apart = case.B_hat @ case.B_hat.T - case.B @ case.B.T
    half = float(np.sum(apart**2)) / 2
    require(abs(np.sum(found) - half) <= 1e-10, f"sum {np.sum(found)}, not |P - P'|_F^2/2 = {half}")
    norm = float(np.linalg.norm(apart, 2)) ** 2
    require(abs(found[0] - norm) <= 1e-10, f"largest {found[0]}, not |P - P'|^2 = {norm}")


def _triangle(subject: Any, case: Any) -> None:
    """By way of the midpoint, where the inequality is tightest."""
    both = case.B_hat @ case.B_hat.T + case.B @ case.B.T
    third = np.linalg.eigh(both)[1][:, -case.B.shape[1] :]
    whole, first, second = (
        np.sqrt(_sines(subject, left, right)[0])
        for left, right in ((case.B_hat, case.B), (case.B_hat, third), (third, case.B))
    )
    require(whole <= first + second + 1e-10, f"largest sines {whole} > {first} + {second}")


def _law(name: str, statement: str, check: Callable[..., None]) -> Law:
    return Law(name, statement, check, subspace_pairs)


SUBSPACE_LAWS = (
    _law("range", "Squared sines are in [0, 1], largest first.", _range),
    _law("angles", "They are those of known angles; 0 only for one span.", _angles),
    _law("tiny", "Tiny angles keep their digits.", _tiny),
    _law("bases", "Only the spans count, not the bases.", _bases),
    _law("rotation", "Rotating both changes nothing.", _turned),
    _law("symmetry", "Exchanging the two changes nothing.", _symmetric),
    _law("projections", "Sum and largest are distances of projections.", _projections),
    _law("triangle", "The largest sine obeys the triangle inequality.", _triangle),
)


def check_subspace_distance(
    function: Callable[..., Any],
    *,
    laws: Iterable[Law] = SUBSPACE_LAWS,
    max_examples: int = 100,
    collect: bool = False,
) -> list[BrokenLaw]:
    """Look for a pair of subspaces at which squared sines are wrong.

    Parameters
    ----------
    function : callable
        ``function(B_hat, B) -> (r,)``.
    laws, max_examples, collect
        As in `check_laws`.

    Returns
    -------
    list of BrokenLaw

    Raises
    ------
    BrokenLaw
        Naming the first broken law and a counterexample; not with ``collect``.
    """
    return check_laws(function, laws, max_examples=max_examples, collect=collect)
