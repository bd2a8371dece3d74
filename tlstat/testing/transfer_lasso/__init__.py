"""Laws of l1-transfer estimators, with regression problems whose source is known.

The laws speak of the minimiser of ``1/(2n)|y - Xb|^2 + l1 |b|_1 + l2 |b - b0|_1``, also with
weights, and know nothing of how it is found: they compare objectives and fits, so that they hold
where the minimiser is not unique, and columns are not standardised, which is where
implementations go wrong. Problems are plain and degenerate (see `regression_problems`).

* `symmetries`: what changes a problem and moves its solution in a known way;
* `shape`: values, norms and fits as functions of levels, source and response;
* `reductions`: where it is a lasso, least squares, or a fit in a box;
* `levels`: from which exact level on it is zero, the source, or its limit;
* `optimality`: single coordinates (KKT), the duality gap, a conic solver.

To test your own, put this into a test file::

    from tlstat.testing import check_transfer_estimator

    def my_solver(X, y, l1, l2, source_coef):
        '''Coefficients, shape (p,).'''
        ...

    def test_my_solver():
        check_transfer_estimator(my_solver)

A solver that takes ``weights``, ``source_weights``, ``sample_weight`` or ``fit_intercept`` is
tested with them. The law ``conic solver`` needs cvxpy and is left out where it is not installed.
Laws named after a ``level`` ask for zeros and source coefficients bit for bit: leave them out, by
``laws=``, for interior-point methods.
"""

from tlstat.testing.transfer_lasso.estimators import check_transfer_estimator, transfer_laws
from tlstat.testing.transfer_lasso.problems import RegressionProblem, regression_problems

__all__ = [
    "RegressionProblem",
    "check_transfer_estimator",
    "regression_problems",
    "transfer_laws",
]
