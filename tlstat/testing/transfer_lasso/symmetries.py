"""What changes a problem and leaves its solution, or moves it in a known way."""

from __future__ import annotations

from typing import Any

import numpy as np

from tlstat.testing.transfer_lasso.problems import RegressionProblem
from tlstat.testing.transfer_lasso.subjects import Subject, at_columns, require, same

Case = RegressionProblem


def permutation(subject: Subject, case: Case) -> None:
    order = case.rng.permutation(case.p)
    moved = case.replace(
        X=case.X[:, order],
        source_coef=case.source_coef[order],
        **at_columns(case, order),
    )
    back = np.empty(case.p)
    back[order] = subject(moved)
    same(subject, case, back, subject(case), "columns permuted")


def sign_flip(subject: Subject, case: Case) -> None:
    flip = case.rng.choice([-1.0, 1.0], size=case.p)
    flip[0] = -1.0
    moved = case.replace(X=case.X * flip, source_coef=case.source_coef * flip)
    same(subject, case, flip * subject(moved), subject(case), "columns flipped")


def negation(subject: Subject, case: Case) -> None:
    moved = case.replace(y=-case.y, source_coef=-case.source_coef)
    same(subject, case, -subject(moved), subject(case), "response and source negated")


def scaling(subject: Subject, case: Case) -> None:
    for k in (2.5, 1e-9, 1e9):
        moved = case.replace(
            y=k * case.y, source_coef=k * case.source_coef, l1=k * case.l1, l2=k * case.l2
        )
        same(subject, case, subject(moved) / k, subject(case), f"all times {k:g}")


def units(subject: Subject, case: Case) -> None:
    for k in (2.5, 1e-6, 1e6):
        moved = case.replace(
            X=k * case.X, source_coef=case.source_coef / k, l1=k * case.l1, l2=k * case.l2
        )
        same(subject, case, k * subject(moved), subject(case), f"columns times {k:g}")


def column_units(subject: Subject, case: Case) -> None:
    """Every column in a unit of its own; its weights take the unit, its source gives it back."""
    k = case.rng.choice([0.1, 0.4, 1.0, 3.0, 20.0], size=case.p)
    moved = case.replace(
        X=k * case.X,
        source_coef=case.source_coef / k,
        weights=k * case.u,
        source_weights=k * case.v,
    )
    same(subject, case, k * subject(moved), subject(case), f"columns times {k.tolist()}")


def rotation(subject: Subject, case: Case) -> None:
    case = case.replace(sample_weight=None)
    Q = np.linalg.qr(case.rng.normal(size=(case.n, case.n)))[0]
    moved = case.replace(X=Q @ case.X, y=Q @ case.y)
    same(subject, case, subject(moved), subject(case), "rows rotated")


def _twice(x: Any) -> Any:
    return None if x is None else np.repeat(x, 2, axis=0)


def duplication(subject: Subject, case: Case) -> None:
    moved = case.replace(
        X=_twice(case.X), y=_twice(case.y), sample_weight=_twice(case.sample_weight)
    )
    same(subject, case, subject(moved), subject(case), "rows doubled")


def row_weights(subject: Subject, case: Case) -> None:
    """A row of weight k counts as k rows, and one of weight 0 as none."""
    times = case.rng.integers(0, 4, size=case.n)
    times[case.seed % case.n] = 2
    weighted = case.replace(sample_weight=times)
    repeated = case.replace(
        X=np.repeat(case.X, times, axis=0), y=np.repeat(case.y, times), sample_weight=None
    )
    same(subject, weighted, subject(repeated), subject(weighted), f"rows {times.tolist()} times")


def intercept(subject: Subject, case: Case) -> None:
    """An intercept is what centring does; it is neither penalised nor part of the source."""
    centred = case.replace(X=case.X - case.share @ case.X, y=case.y - case.share @ case.y)
    shifted = case.replace(
        X=case.X + case.norm(case.X[:, 0]) * case.rng.choice([-1.0, 0.0, 2.0], size=case.p),
        y=case.y + 3 * case.norm(case.y),
    )
    plain = subject(centred, fit_intercept=False)
    for name, moved in (("as it is", case), ("shifted", shifted)):
        slack = subject.slack(moved, plain, case.source_coef)
        found = subject(moved, fit_intercept=True)
        gap = centred.objective(found) - centred.objective(plain)
        require(gap <= slack, f"{name}: {gap:.3g} above the objective of centred data")


def reflection(subject: Subject, case: Case) -> None:
    b0 = case.source_coef
    mirrored = case.replace(
        y=case.X @ b0 - case.y,
        l1=case.l2,
        l2=case.l1,
        weights=case.source_weights,
        source_weights=case.weights,
    )
    same(subject, case, b0 - subject(mirrored), subject(case), "reflected at the source")


def signed_zeros(subject: Subject, case: Case) -> None:
    """The least numbers are no source, and their sign says nothing."""
    b0 = case.source_coef * case.rng.choice([0.0, 1.0], size=case.p)
    b0[0] = 0.0
    case = case.replace(source_coef=b0)
    expected = subject(case)
    for tiny in (-0.0, 5e-324, -5e-324):
        moved = case.replace(source_coef=np.where(b0 == 0, tiny, b0))
        same(subject, case, subject(moved), expected, f"a source of {tiny!r} for 0")
