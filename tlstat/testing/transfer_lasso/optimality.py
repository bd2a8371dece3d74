"""Whether an answer is optimal: by single coordinates, by the dual, and by a conic solver."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np

from tlstat.testing.transfer_lasso.problems import RegressionProblem
from tlstat.testing.transfer_lasso.subjects import FLOOR, ROUNDING, Subject, best_move, require

Case = RegressionProblem


def arguments(subject: Subject, case: Case) -> None:
    X, y, b0 = case.X.copy(), case.y.copy(), case.source_coef.copy()
    options = {name: value.copy() for name, value in case.options.items()}
    given = {"X": X, "y": y, "source_coef": b0, **options}
    subject.solve(X, y, case.l1, case.l2, b0, **options)
    for name, now in given.items():
        require(np.array_equal(now, getattr(case, name)), f"{name} was changed")


def not_a_number(subject: Subject, case: Case) -> None:
    for name in ("X", "y", "source_coef"):
        wrong = getattr(case, name).copy()
        wrong.flat[case.seed % wrong.size] = np.nan
        try:
            found = subject.solve(
                *(wrong if name == part else getattr(case, part).copy() for part in ("X", "y")),
                case.l1,
                case.l2,
                wrong if name == "source_coef" else case.source_coef.copy(),
            )
        except Exception:  # of whatever kind: it is an answer that would be wrong
            continue
        raise AssertionError(f"a NaN in {name} is answered by {np.asarray(found).tolist()}")


def ends(subject: Subject, case: Case) -> None:
    coef = subject(case)
    found = case.objective(coef)
    for name, end in (("zero", case.zero), ("the source", case.source_coef)):
        value, slack = case.objective(end), subject.slack(case, coef, end)
        require(found <= value + slack, f"objective {found:.6g}, at {name} it is {value:.6g}")


def coordinates(subject: Subject, case: Case) -> None:
    """For a smooth fit and a separable penalty this is optimality itself."""
    coef = subject(case)
    best, j, value = best_move(case, coef)
    gain, slack = case.objective(coef) - best, subject.slack(case, coef)
    require(gain <= slack, f"coordinate {j} at {coef[j]:.6g}: {value:.6g} gains {gain:.3g}")


def _dual_rounding(case: Case, coef: np.ndarray) -> float:
    """What rounding of the residual costs the dual point.

    It moves ``|X_j'theta|`` over ``a_j + c_j`` by some units in the last place of what does not
    cancel, the point is scaled back by that share of the box, and the dual falls by at most the
    share of the penalty.
    """
    box = case.a + case.c
    penalised = box > 0
    over = case.correlation_size(coef)[penalised] / box[penalised]
    paid = box @ (np.abs(coef) + np.abs(case.source_coef))
    return ROUNDING * (case.magnitude(coef) + float(np.max(over, initial=0.0) * paid))


def gap(subject: Subject, case: Case) -> None:
    """The promise itself, by `tlstat.transfer_lasso.duality_gap`, which knows of no solver."""
    from tlstat.transfer_lasso.problem import duality_gap

    coef = subject(case)
    options: Any = {"source_coef": case.source_coef, **case.options}
    found = duality_gap(coef, case.X, case.y, case.l1, case.l2, **options)
    rounding = _dual_rounding(case, coef)
    allowed = subject.tol * max(case.objective(coef), FLOOR * case.objective(case.zero)) + rounding
    require(found >= -rounding, f"the duality gap is negative: {found:.3g}")
    require(found <= allowed, f"the duality gap is {found:.3g}, {allowed:.3g} allowed")


def has_conic_solver() -> bool:
    """Whether cvxpy is installed; it is imported only by the law itself."""
    return find_spec("cvxpy") is not None


def _conic(case: Case) -> np.ndarray | None:
    import cvxpy as cp

    root = np.sqrt(case.share)
    b = cp.Variable(case.p)
    fit = cp.sum_squares(root[:, None] * case.X @ b - root * case.y) / 2
    penalty = case.a @ cp.abs(b) + case.c @ cp.abs(b - case.source_coef)
    tight = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), 1e-12)
    try:
        cp.Problem(cp.Minimize(fit + penalty)).solve(solver=cp.CLARABEL, **tight)
    except cp.SolverError:
        return None
    return None if b.value is None else np.asarray(b.value)


def conic_solver(subject: Subject, case: Case) -> None:
    """Not above the conic solver's objective, and its fit.

    Coefficients are not compared, which need not be unique; where the conic solver is the worse
    of the two, its fit may differ by what that explains.
    """
    conic = _conic(case)
    if conic is None:  # it gave up, which says nothing about the subject
        return
    coef = subject(case)
    slack = subject.slack(case, coef, conic)
    above = case.objective(coef) - case.objective(conic)
    require(above <= slack, f"the objective is {above:.3g} above that of the conic solver")
    apart = case.norm(case.X @ (coef - conic))
    allowed = np.sqrt(2 * slack) + np.sqrt(2 * (slack + max(-above, 0.0)))
    require(apart <= allowed, f"the fit is {apart:.3g} from the conic one, {allowed:.3g} allowed")


def orthogonal_response(subject: Subject, case: tuple[float, float, float, int]) -> None:
    """``X'y = 0`` exactly, ``l2 > l1``: each coordinate goes towards its source."""
    l1, l2, b0, p = case
    n = 2 * p
    X = np.zeros((n, p))
    X[2 * np.arange(p), np.arange(p)] = X[2 * np.arange(p) + 1, np.arange(p)] = np.sqrt(n / 2)
    y: Any = np.tile([1.0, -1.0], p)
    coordinates(subject, RegressionProblem(X, y, l1, l2, np.full(p, b0), np.zeros(p)))
