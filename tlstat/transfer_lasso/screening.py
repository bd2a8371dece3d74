"""Which coefficients are certainly zero, unchanged, or on one side of a knot.

The optimal dual point lies in a ball around any feasible one, of radius ``sqrt(2 gap)`` in the
metric of the loss, so the correlation of each column with it is known up to an interval; where
the interval is inside the subdifferential of the penalty at a knot, the coefficient is there
(Ndiaye et al. 2017 for the lasso; the two knots are ours). The solver uses the same
certificates, and the strong rule, which is none, to choose its working sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.transfer_lasso.problem import check_vector, prepare

__all__ = ["Certified", "gap_safe"]

# at convergence the computed gap is rounding: without this, certificates would be false
_INFLATION = 1e-13


@dataclass(frozen=True)
class Certified:
    """What holds for every minimiser, one flag a coefficient.

    ``k1 = min(0, b0)`` and ``k2 = max(0, b0)`` are the knots.

    Attributes
    ----------
    at_lower, at_upper : array of bool, shape (p,)
        ``b = k1``; ``b = k2``.
    between : array of bool, shape (p,)
        ``k1 <= b <= k2``.
    below, above : array of bool, shape (p,)
        ``b <= k1``; ``b >= k2``.
    gap : float
        The absolute duality gap that was used, inflated for rounding.
    zero, unchanged : array of bool, shape (p,)
        ``b = 0``; ``b = b0``: what the first two say.
    """

    at_lower: np.ndarray
    at_upper: np.ndarray
    between: np.ndarray
    below: np.ndarray
    above: np.ndarray
    gap: float
    zero: np.ndarray
    unchanged: np.ndarray


def gap_safe(
    coef: Any, X: Any, y: Any, l1: float, l2: float, *, intercept: float = 0.0, **options: Any
) -> Certified:
    """Certificates on the minimisers from any approximate solution.

    Parameters
    ----------
    coef : array, shape (p,)
        Anything; the closer to a minimiser, the more is certified.
    intercept : float
    X, y, l1, l2, **options
        As in `tlstat.transfer_lasso.problem.prepare`, without ridge terms.

    Returns
    -------
    Certified

    Raises
    ------
    InputError
        Bad input.
    """
    problem = prepare(X, y, l1, l2, **options)
    coef = check_vector(coef, "coef", problem.X.shape[1], "column")
    theta = problem.residual(problem.linear(coef, intercept))
    points = problem.feasible(theta)
    duals = [problem.dual(point) for point in points]
    best = int(np.argmax(duals))
    primal = problem.primal(coef, intercept)
    gap = max(primal - duals[best], 0.0) + _INFLATION * max(primal, abs(duals[best]))
    # the rows' conjugates are strongly concave with modulus 1/share (4/share: logistic)
    curve = 4.0 if problem.loss == "logistic" else 1.0
    squares = problem.X.multiply(problem.X) if hasattr(problem.X, "multiply") else problem.X**2
    norms = np.sqrt(np.asarray(squares.T @ problem.share).ravel())
    about = np.asarray(problem.X.T @ points[best]).ravel()
    reach = np.sqrt(2 * gap / curve) * norms * (1 + 1e-12)
    low, high = about - reach, about + reach
    # with ridge terms the certificate is about w less their gradient, which is not known
    known = problem.nu + problem.mu == 0
    outer = problem.a + problem.c
    split = problem.b0 != 0
    middle = np.where(split, np.sign(problem.b0) * (problem.a - problem.c), outer)
    inner_low = np.where(split, middle, -outer)
    inside = known & (low > -outer) & (high < outer)
    at_lower = known & (low > -outer) & (high < middle)
    at_upper = known & (low > inner_low) & (high < outer)
    below, above = known & split & (high < middle), known & split & (low > middle)
    positive = problem.b0 >= 0
    zero = np.where(positive, at_lower, at_upper)
    unchanged = np.where(positive & split, at_upper, at_lower)
    return Certified(at_lower, at_upper, inside, below, above, gap, zero, unchanged)
