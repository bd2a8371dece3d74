"""Laws of l1-transfer estimators, with regression problems whose source is known.

The laws speak of the minimiser of ``1/(2n)|y - Xb|^2 + l1 |b|_1 + l2 |b - b0|_1`` and know nothing
of how it is found: they compare objectives and fits, so that they also hold where the minimiser is
not unique, and columns are not standardised, which is where implementations go wrong::

    from tlstat.testing import check_transfer_estimator

    def my_solver(X, y, l1, l2, source_coef):
        '''Coefficients, shape (p,).'''
        ...

    def test_my_solver():
        check_transfer_estimator(my_solver)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.testing import transfer_lasso_checks as checks
from tlstat.testing.laws import BrokenLaw, Law, check_laws
from tlstat.testing.transfer_lasso_checks import Subject

__all__ = [
    "RegressionProblem",
    "check_transfer_estimator",
    "regression_problems",
    "transfer_laws",
]


@dataclass(frozen=True, eq=False)
class RegressionProblem:
    """Rows, levels and a source; ``beta`` is the truth that ``y`` was made from."""

    X: np.ndarray
    y: np.ndarray
    l1: float
    l2: float
    source_coef: np.ndarray
    beta: np.ndarray
    seed: int = 0

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}={np.asarray(getattr(self, name)).tolist()}"
            for name in ("X", "y", "l1", "l2", "source_coef", "beta", "seed")
        )
        return f"RegressionProblem({shown})"

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.X.shape[0])

    @property
    def p(self) -> int:
        """Number of columns."""
        return int(self.X.shape[1])

    @property
    def rng(self) -> np.random.Generator:
        """A fresh generator for what else a law draws: the same numbers at every call."""
        return np.random.default_rng(self.seed)

    def replace(self, **changes: Any) -> RegressionProblem:
        """A copy with other parts."""
        return replace(self, **changes)

    def objective(self, coef: np.ndarray) -> float:
        """The objective at ``coef``."""
        fit = np.sum((self.y - self.X @ coef) ** 2) / (2 * self.n)
        return float(
            fit + self.l1 * np.sum(np.abs(coef)) + self.l2 * np.sum(np.abs(coef - self.source_coef))
        )


def regression_problems(max_n: int = 8, max_p: int = 4, *, min_n: int = 1) -> Any:
    """A strategy for `RegressionProblem`, with columns of different lengths.

    Parameters
    ----------
    max_n, max_p : int
        Largest numbers of rows and columns.
    min_n : int
        Smallest number of rows.

    Returns
    -------
    hypothesis strategy
        Numbers are short decimals. No column is zero, ``l1 + l2 > 0``; one level may be 0, and
        source coefficients are zero, positive, negative, right or wrong.

    Raises
    ------
    InputError
        If the sizes are not positive, or ``min_n`` exceeds ``max_n``.
    """
    from hypothesis import strategies as st

    if not (1 <= min_n <= max_n and max_p >= 1):
        raise InputError(
            f"min_n is {min_n!r}, max_n {max_n!r} and max_p {max_p!r}; "
            "expected 1 <= min_n <= max_n and max_p >= 1"
        )

    def rows(draw: Any, size: int, limit: int, unit: float) -> np.ndarray:
        entries = st.lists(st.integers(-limit, limit), min_size=size, max_size=size)
        return np.array(draw(entries), dtype=float) * unit

    @st.composite
    def problems(draw: Any) -> RegressionProblem:
        n, p = draw(st.integers(min_n, max_n)), draw(st.integers(1, max_p))
        X = rows(draw, n * p, 8, 0.25).reshape(n, p)
        X[0, ~np.any(X != 0, axis=0)] = 1.0
        X = X * draw(st.lists(st.sampled_from([1.0, 0.4, 3.0]), min_size=p, max_size=p))
        beta = rows(draw, p, 4, 0.5) * draw(st.lists(st.booleans(), min_size=p, max_size=p))
        drift = rows(draw, p, 4, 0.3) * draw(st.lists(st.booleans(), min_size=p, max_size=p))
        y = X @ beta + rows(draw, n, 8, 0.13)
        scale = max(float(np.max(np.abs(X.T @ y))) / n, 0.1)
        level = st.sampled_from([0.0, 0.05, 0.2, 0.5, 1.2]) | st.floats(0.01, 1.5)
        l1, l2 = scale * draw(level), scale * draw(level)
        if l1 + l2 == 0:
            l2 = 0.1 * scale
        return RegressionProblem(X, y, l1, l2, beta + drift, beta, draw(st.integers(0, 2**32 - 1)))

    return problems()


def _law(
    name: str, statement: str, check: Callable[..., None], cases: Callable[[], Any] | None = None
) -> Law:
    return Law(name, statement, check, cases or regression_problems)


def _tall() -> Any:
    return regression_problems(max_n=8, max_p=2, min_n=4)


def _wide() -> Any:
    return regression_problems(max_n=10, max_p=8, min_n=4)


def transfer_laws() -> tuple[Law, ...]:
    """The laws of `check_transfer_estimator`, in the order in which they are tried."""
    return (
        _law("arguments", "The arguments are left as they were.", checks.arguments),
        _law("coordinates", "No coordinate alone can improve the objective.", checks.coordinates),
        _law("gap", "The duality gap is zero up to the tolerance.", checks.gap),
        _law("ends", "The objective is at most that of zero and of the source.", checks.ends),
        _law("permutation", "Permuting columns permutes coefficients.", checks.permutation, _wide),
        _law("sign flip", "Flipping a column and its source flips it.", checks.sign_flip),
        _law("negation", "Negating response and source negates all.", checks.negation),
        _law("scaling", "Response, source and levels times k: times k.", checks.scaling),
        _law("units", "Columns and levels times k, source over k: over k.", checks.units),
        _law("rotation", "An orthogonal map of the rows changes nothing.", checks.rotation),
        _law("duplication", "Every row twice changes nothing.", checks.duplication),
        _law(
            "reflection swap",
            "solution(y, b0, l1, l2) = b0 - solution(X b0 - y, b0, l2, l1).",
            checks.reflection,
        ),
        _law("zero source", "With b0 = 0 it is the lasso at l1 + l2.", checks.zero_source),
        _law("l1 = 0", "With l1 = 0 it is b0 plus the lasso of the residual.", checks.no_l1),
        _law("l2 = 0", "With l2 = 0 it is the lasso, whatever the source.", checks.no_l2),
        _law("large l1", "From its exact level on, the estimate is zero.", checks.large_l1),
        _law("large l2", "From its exact level on, it is the source.", checks.large_l2),
        _law("below l1", "Below that level it is not zero.", checks.below_l1),
        _law("below l2", "Below that level it is not the source.", checks.below_l2),
        _law("box", "With large l1 = l2 it is least squares between 0 and b0.", checks.box),
        _law("least squares", "Without penalty it is least squares.", checks.least_squares, _tall),
        _law(
            "own source",
            "The lasso at l0 as its own source stays if |l0 - l1| <= l2.",
            checks.own_source,
        ),
        _law("concave", "The optimal value is concave in the levels.", checks.concave),
        _law("Lipschitz", "The optimal value is l2-Lipschitz in b0.", checks.lipschitz),
        _law("monotone", "|b|_1 falls with l1, |b - b0|_1 with l2.", checks.monotone),
        _law("non-expansive", "The fit is firmly non-expansive in y.", checks.non_expansive),
        _law(
            "orthogonal response",
            "A source is used even where the response is orthogonal to the columns.",
            checks.orthogonal_response,
            _levels,
        ),
    )


def _levels() -> Any:
    """Levels and a source near its knot, for columns that the response does not see."""
    from hypothesis import strategies as st

    return st.tuples(
        st.floats(0.0, 0.4), st.floats(0.5, 1.0), st.floats(-0.3, 0.3), st.integers(1, 3)
    )


def as_solver(estimator: Any, tol: float) -> Callable[..., np.ndarray]:
    """A function ``(X, y, l1, l2, source_coef) -> coef`` from an estimator or a function.

    Raises
    ------
    InputError
        If it is neither callable nor an estimator with ``lam``, ``alpha`` and ``source_coef``.
    """
    if isinstance(estimator, type):
        estimator = estimator()
    if not hasattr(estimator, "get_params"):
        if not callable(estimator):
            raise InputError(
                f"estimator is {estimator!r}; expected a function (X, y, l1, l2, source_coef) or "
                "an estimator with the parameters lam, alpha and source_coef"
            )
        return lambda *args: np.asarray(estimator(*args), dtype=float)
    known = estimator.get_params()
    missing = [name for name in ("lam", "alpha", "source_coef") if name not in known]
    if missing:
        raise InputError(f"estimator {estimator!r} has no parameter {', '.join(missing)}")
    fixed = {"fit_intercept": False, "tol": tol}
    fixed = {name: value for name, value in fixed.items() if name in known}

    def fit(X: Any, y: Any, l1: float, l2: float, source_coef: Any) -> np.ndarray:
        from sklearn.base import clone

        lam = l1 + l2
        fresh = clone(estimator).set_params(
            lam=lam, alpha=l1 / lam if lam > 0 else 1.0, source_coef=source_coef, **fixed
        )
        return np.asarray(fresh.fit(X, y).coef_, dtype=float)

    return fit


def check_transfer_estimator(
    estimator: Any,
    *,
    laws: Iterable[str] | None = None,
    tol: float = 1e-9,
    max_examples: int = 100,
    collect: bool = False,
    shrink: bool = True,
) -> list[BrokenLaw]:
    """Run the laws of the l1 transfer lasso on an estimator or a function.

    Parameters
    ----------
    estimator : estimator or callable
        With parameters ``lam``, ``alpha``, ``source_coef`` (the estimator is cloned, its ``tol``
        and ``fit_intercept`` are set), or ``f(X, y, l1, l2, source_coef) -> coef``.
    laws : iterable of str, optional
        Names of some laws; all by default.
    tol : float
        The relative duality gap that is asked of the estimator; laws allow for it.
    max_examples, collect, shrink
        As in `check_laws`.

    Returns
    -------
    list of BrokenLaw
        Empty when every law holds.

    Raises
    ------
    BrokenLaw
        Naming the first broken law and a counterexample; not with ``collect``.
    InputError
        For an unknown law, or an estimator without the parameters needed.
    """
    every = transfer_laws()
    if laws is not None:
        wanted = list(laws)
        known = [law.name for law in every]
        unknown = [name for name in wanted if name not in known]
        if unknown:
            raise InputError(f"laws has {unknown[0]!r}; expected some of {', '.join(known)}")
        every = tuple(law for law in every if law.name in wanted)
    subject = Subject(as_solver(estimator, tol), tol)
    return check_laws(subject, every, max_examples=max_examples, collect=collect, shrink=shrink)
