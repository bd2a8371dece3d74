"""The transfer-lasso problem: checked input, objective, duality gap and KKT residual.

The problem is to minimise ::

    sum_i w_i loss(y_i, x_i'b + intercept) / sum_i w_i  +  sum_j g_j(b_j),
    g_j(b)  =  l1 u_j |b| + l2 v_j |b - b0_j| + nu/2 b^2 + mu/2 (b - b0_j)^2

with the squared loss ``(y - eta)^2 / 2`` or the logistic loss (``y`` in {0, 1}). Objective and
certificate are written in plain numpy and share nothing with the compiled solver but the check
of the input: they judge it.

Symbols of Takada and Fujisawa (NeurIPS 2020): ``l1 = lam alpha``, ``l2 = lam (1 - alpha)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import expit, xlogy

from tlstat.errors import InputError
from tlstat.transfer_lasso import penalty

__all__ = ["LOSSES", "Problem", "duality_gap", "kkt_residual", "objective", "prepare"]

Array = Any

LOSSES = ("squared", "logistic")
# the objective may be 0 (a perfect source, unpenalised): then the gap is measured against P(0)
_FLOOR = 1e-10


@dataclass(frozen=True)
class Problem:
    """A checked problem; ``a = l1 u``, ``c = l2 v`` and ``share`` the weights of rows, sum 1."""

    X: Array
    y: np.ndarray
    a: np.ndarray
    c: np.ndarray
    b0: np.ndarray
    nu: float
    mu: float
    loss: str
    share: np.ndarray
    fit_intercept: bool

    @property
    def unpenalised(self) -> np.ndarray:
        """Indices of coefficients without any penalty."""
        free = (self.a + self.c == 0) & (self.nu + self.mu == 0)
        return np.flatnonzero(free)

    def linear(self, coef: np.ndarray, intercept: float = 0.0) -> np.ndarray:
        """``X b + intercept``."""
        return np.asarray(self.X @ coef).ravel() + intercept

    def residual(self, eta: np.ndarray) -> np.ndarray:
        """Minus the gradient of the loss in ``eta``: the dual point before it is made feasible."""
        fitted = expit(eta) if self.loss == "logistic" else eta
        return self.share * (self.y - fitted)

    def data_fit(self, eta: np.ndarray) -> float:
        """The weighted mean loss."""
        if self.loss == "logistic":
            # log(1 + exp(eta)) - y eta, without overflow
            signed = np.where(self.y > 0.5, -eta, eta)
            return float(self.share @ np.logaddexp(0.0, signed))
        return float(self.share @ (self.y - eta) ** 2) / 2

    def primal(self, coef: np.ndarray, intercept: float = 0.0) -> float:
        """The objective."""
        terms = penalty.value(coef, self.a, self.c, self.b0, self.nu, self.mu)
        return self.data_fit(self.linear(coef, intercept)) + float(np.sum(terms))

    @property
    def floor(self) -> float:
        """The least number that a gap is measured against: a part of the objective at zero."""
        return _FLOOR * self.primal(np.zeros_like(self.b0))

    def dual(self, theta: np.ndarray) -> float:
        """The dual objective at a vector of one number a row; ``-inf`` where not feasible."""
        rows = self.share > 0
        share, theta_, y = self.share[rows], theta[rows], self.y[rows]
        if self.loss == "logistic":
            q = y - theta_ / share
            if np.any(q < -1e-12) or np.any(q > 1 + 1e-12):
                return -np.inf
            q = np.clip(q, 0, 1)
            fit = -float(share @ (xlogy(q, q) + xlogy(1 - q, 1 - q)))
        else:
            fit = float(y @ theta_ - np.sum(theta_**2 / share) / 2)
        w = np.asarray(self.X.T @ theta).ravel()
        w[self.unpenalised] = 0  # projected: zero but for rounding
        box = self.a + self.c
        w = np.where(np.abs(w) <= box * (1 + 1e-12), np.clip(w, -box, box), w)
        return fit - float(np.sum(penalty.conjugate(w, self.a, self.c, self.b0, self.nu, self.mu)))

    def feasible(self, theta: np.ndarray) -> list[np.ndarray]:
        """Dual points built from a residual: orthogonal to what is free, scaled into the box."""
        free = self.unpenalised
        columns = [np.ones((len(theta), 1))] if self.fit_intercept else []
        if len(free):
            columns.append(dense_columns(self.X, free))
        if columns:
            root = np.sqrt(self.share)
            basis = root[:, None] * np.hstack(columns)
            scaled = np.divide(theta, root, out=np.zeros_like(theta), where=root > 0)
            theta = root * (scaled - basis @ np.linalg.lstsq(basis, scaled, rcond=None)[0])
        w = np.abs(np.asarray(self.X.T @ theta).ravel())
        box = self.a + self.c
        w[free] = 0
        over = w > box
        kappa = float(np.min(box[over] / w[over])) if np.any(over) else 1.0
        if self.nu + self.mu > 0:
            return [theta, kappa * theta]
        return [kappa * theta]


def _check_real(value: Any, name: str) -> None:
    """What a conversion to float would drop without a word."""
    if np.iscomplexobj(value):
        raise InputError(f"{name} has complex entries; expected real numbers")
    if np.ma.is_masked(value):
        raise InputError(f"{name} has masked entries; expected numbers, fill or drop them")


def check_vector(value: Any, name: str, length: int, what: str) -> np.ndarray:
    """Finite real numbers, one a ``what``."""
    _check_real(value, name)
    try:
        x = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{name} has entries that are not real numbers") from None
    if x.shape != (length,):
        raise InputError(f"{name} has shape {x.shape}; expected ({length},), one number a {what}")
    if not np.all(np.isfinite(x)):
        at = int(np.flatnonzero(~np.isfinite(x))[0])
        raise InputError(f"{name} is {x[at]} at index {at}; expected finite numbers")
    return x


def check_level(value: Any, name: str) -> float:
    """A finite number, 0 or above."""
    ok = np.isscalar(value) or np.ndim(value) == 0
    try:
        number = float(value) if ok else np.nan
    except (TypeError, ValueError):
        number = np.nan
    if not (number >= 0 and np.isfinite(number)):
        raise InputError(f"{name} is {value!r}; expected a finite number, 0 or above")
    return number


def is_sparse(X: Any) -> bool:
    return bool(sparse.issparse(X))


def dense_columns(X: Any, cols: np.ndarray) -> np.ndarray:
    part = X[:, cols]
    return np.asarray(part.toarray() if is_sparse(X) else part)


def check_design(X: Any) -> Any:
    """A finite float64 design, dense or CSC; no copy where it is one already."""
    _check_real(X, "X")
    if is_sparse(X):
        X = X.tocsc().astype(float, copy=False)
        if not X.has_canonical_format:  # entries given twice: squares are of their sum
            X = X.copy()
            X.sum_duplicates()
        values = X.data
    else:
        try:
            X = values = np.asarray(X, dtype=float)
        except (TypeError, ValueError):
            raise InputError("X has entries that are not real numbers") from None
    if X.ndim != 2 or 0 in X.shape:
        raise InputError(f"X has shape {X.shape}; expected (n, p) with at least one row and column")
    # a sum is finite if all is, unless it overflows: then it is looked at again, with a mask of X
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(np.sum(values))
    if not np.isfinite(total) and not np.all(np.isfinite(values)):
        raise InputError("X has NaN or infinite entries; expected finite numbers")
    return X


def prepare(
    X: Any,
    y: Any,
    l1: float,
    l2: float,
    *,
    source_coef: Any = None,
    weights: Any = None,
    source_weights: Any = None,
    nu: float = 0.0,
    mu: float = 0.0,
    loss: str = "squared",
    sample_weight: Any = None,
    fit_intercept: bool = False,
) -> Problem:
    """Check the input and gather it.

    Parameters
    ----------
    X : array or scipy.sparse matrix, shape (n, p)
    y : array, shape (n,)
        In {0, 1} for the logistic loss.
    l1, l2 : float
        Penalty levels of ``|b|`` and ``|b - b0|``.
    source_coef : array, shape (p,), optional
        ``b0``; zero by default, which is the lasso at ``l1 + l2``.
    weights, source_weights : array, shape (p,), optional
        ``u`` and ``v``, non-negative; ones by default.
    nu, mu : float
        Ridge terms towards 0 and towards ``b0``.
    loss : {"squared", "logistic"}
    sample_weight : array, shape (n,), optional
        Non-negative, not all zero; only their proportions matter.
    fit_intercept : bool
        An intercept without penalty.

    Returns
    -------
    Problem

    Raises
    ------
    InputError
        Naming the argument that is wrong.
    """
    if loss not in LOSSES:
        raise InputError(f"loss is {loss!r}; expected one of {', '.join(LOSSES)}")
    levels = [check_level(v, k) for k, v in (("l1", l1), ("l2", l2), ("nu", nu), ("mu", mu))]
    X = check_design(X)
    n, p = X.shape
    y = check_vector(y, "y", n, "row of X")
    if loss == "logistic" and not np.all((y == 0) | (y == 1)):
        odd = y[(y != 0) & (y != 1)][0]
        raise InputError(f"y has the value {odd:g}; the logistic loss expects 0 and 1")
    b0 = np.zeros(p)
    if source_coef is not None:
        b0 = check_vector(source_coef, "source_coef", p, "column")
    per_column = []
    for name, given in (("weights", weights), ("source_weights", source_weights)):
        w = np.ones(p) if given is None else check_vector(given, name, p, "column")
        if np.any(w < 0):
            raise InputError(f"{name} is {w.min():g} at its lowest; expected 0 or above")
        per_column.append(w)
    share = np.full(n, 1 / n)
    if sample_weight is not None:
        share = check_vector(sample_weight, "sample_weight", n, "row of X")
        if np.any(share < 0) or not np.any(share > 0):
            raise InputError("sample_weight must be 0 or above, and not all 0")
        share = share / np.sum(share)
    return Problem(
        X,
        y,
        levels[0] * per_column[0],
        levels[1] * per_column[1],
        b0,
        levels[2],
        levels[3],
        loss,
        share,
        bool(fit_intercept),
    )


def objective(
    coef: Any, X: Any, y: Any, l1: float, l2: float, *, intercept: float = 0.0, **options: Any
) -> float:
    """The value of the objective; ``options`` are those of `prepare`."""
    problem = prepare(X, y, l1, l2, **options)
    return problem.primal(check_vector(coef, "coef", problem.X.shape[1], "column"), intercept)


def duality_gap(
    coef: Any,
    X: Any,
    y: Any,
    l1: float,
    l2: float,
    *,
    intercept: float = 0.0,
    relative: bool = False,
    **options: Any,
) -> float:
    """How far the objective at ``coef`` can be above its minimum: a certificate.

    Parameters
    ----------
    coef : array, shape (p,)
    intercept : float
    relative : bool
        Divide by the objective (or 1e-10 of the objective at zero, where that is larger).
    X, y, l1, l2, **options
        As in `prepare`.

    Returns
    -------
    float
        ``P - D >= 0`` up to rounding; the dual point is the residual, made orthogonal to
        unpenalised columns and scaled into the box ``|X_j'theta| <= a_j + c_j``.
    """
    problem = prepare(X, y, l1, l2, **options)
    coef = check_vector(coef, "coef", problem.X.shape[1], "column")
    theta = problem.residual(problem.linear(coef, intercept))
    dual = max(problem.dual(point) for point in problem.feasible(theta))
    primal = problem.primal(coef, intercept)
    if not relative:
        return primal - dual
    scale = max(primal, problem.floor)
    return (primal - dual) / scale if scale > 0 else 0.0


def kkt_residual(
    coef: Any, X: Any, y: Any, l1: float, l2: float, *, intercept: float = 0.0, **options: Any
) -> float:
    """Largest distance of ``X_j'residual`` to the subdifferential of the penalty at ``b_j``."""
    problem = prepare(X, y, l1, l2, **options)
    coef = check_vector(coef, "coef", problem.X.shape[1], "column")
    theta = problem.residual(problem.linear(coef, intercept))
    w = np.asarray(problem.X.T @ theta).ravel()
    away = penalty.subgradient_distance(
        w, coef, problem.a, problem.c, problem.b0, problem.nu, problem.mu
    )
    return float(max(np.max(away), abs(np.sum(theta)) if problem.fit_intercept else 0.0))
