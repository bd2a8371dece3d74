"""The laws of `check_transfer_estimator`, weak ones first: a failure names what is least."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tlstat.errors import InputError
from tlstat.testing.laws import BrokenLaw, Law, check_laws
from tlstat.testing.transfer_lasso import (
    levels,
    optimality,
    reductions,
    shape,
    symmetries,
)
from tlstat.testing.transfer_lasso.problems import WEIGHTS, regression_problems
from tlstat.testing.transfer_lasso.subjects import Subject, as_solver

__all__ = ["check_transfer_estimator", "transfer_laws"]

# what a subject must take for these to be asked
_NEEDS = {
    "column units": ("weights", "source_weights"),
    "row weights": ("sample_weight",),
    "intercept": ("fit_intercept",),
}

_SIZES: dict[str, dict[str, Any]] = {
    "small": {},
    "wide": {"max_n": 10, "max_p": 8, "min_n": 4, "min_p": 2},
    "tall": {"max_n": 8, "max_p": 2, "min_n": 4},
    "rows": {"min_n": 2},
    "large": {"max_n": 20, "max_p": 20, "min_n": 5, "min_p": 10, "degenerate": False},
}

# name, statement, check, sizes of the problems
_TABLE: tuple[tuple[str, str, Callable[..., None], str], ...] = (
    ("arguments", "The arguments are left as they were.", optimality.arguments, "small"),
    ("NaN", "A NaN is an error, not an answer.", optimality.not_a_number, "small"),
    ("zero source", "With b0 = 0 it is the lasso at l1 + l2.", reductions.zero_source, "small"),
    ("signed zeros", "A source of -0.0 or 5e-324 is none.", symmetries.signed_zeros, "small"),
    (
        "permutation",
        "Permuting columns permutes coefficients.",
        symmetries.permutation,
        "wide",
    ),
    ("sign flip", "Flipping a column and its source flips it.", symmetries.sign_flip, "small"),
    ("negation", "Negating response and source negates all.", symmetries.negation, "small"),
    ("scaling", "Response, source and levels times k: times k.", symmetries.scaling, "small"),
    ("units", "Columns and levels times k, source over k: over k.", symmetries.units, "small"),
    ("rotation", "An orthogonal map of the rows changes nothing.", symmetries.rotation, "small"),
    ("duplication", "Every row twice changes nothing.", symmetries.duplication, "small"),
    (
        "column units",
        "A column and its weights times k, its source over k: over k.",
        symmetries.column_units,
        "small",
    ),
    ("row weights", "A row of weight k is k rows.", symmetries.row_weights, "small"),
    ("intercept", "An intercept is what centring does.", symmetries.intercept, "rows"),
    (
        "unseen column",
        "The penalty alone decides about a column of zeros.",
        reductions.unseen_column,
        "small",
    ),
    (
        "ends",
        "The objective is at most that of zero and of the source.",
        optimality.ends,
        "small",
    ),
    ("concave", "The optimal value is concave in the levels.", shape.concave, "small"),
    ("Lipschitz", "The optimal value is l2-Lipschitz in b0.", shape.lipschitz, "small"),
    ("monotone", "|b|_1 falls with l1, |b - b0|_1 with l2.", shape.monotone, "small"),
    ("non-expansive", "The fit is firmly non-expansive in y.", shape.non_expansive, "small"),
    ("l1 = 0", "With l1 = 0: b0 plus the lasso of the residual.", reductions.no_l1, "small"),
    ("l2 = 0", "With l2 = 0: the lasso, whatever the source.", reductions.no_l2, "small"),
    (
        "reflection swap",
        "solution(y, b0, l1, l2) = b0 - solution(X b0 - y, b0, l2, l1).",
        symmetries.reflection,
        "small",
    ),
    ("large l1", "From its exact level on, the estimate is zero.", levels.large_l1, "small"),
    ("large l2", "From its exact level on, it is the source.", levels.large_l2, "small"),
    ("KKT", "No coordinate alone can improve the objective.", optimality.coordinates, "small"),
    ("box", "With large l1 = l2: least squares between 0 and b0.", reductions.box, "small"),
    (
        "least squares",
        "Without penalty it is least squares.",
        reductions.least_squares,
        "tall",
    ),
    (
        "lam level",
        "It is its limit just above the exact lam, and not just below.",
        levels.at_lam_level,
        "small",
    ),
    (
        "middle interval",
        "For alpha < 1/2 and sources of the wrong sign it is zero on an interval of lam.",
        levels.middle_interval,
        "small",
    ),
    (
        "zero level",
        "The estimate is zero just above the exact l1, and not just below.",
        levels.at_zero_level,
        "small",
    ),
    (
        "source level",
        "It is the source just above the exact l2, and not just below.",
        levels.at_source_level,
        "small",
    ),
    ("own source", "The lasso at l0 stays iff |l0 - l1| <= l2.", levels.own_source, "small"),
    ("gap", "The relative duality gap is at most tol.", optimality.gap, "small"),
    ("conic solver", "A conic solver finds nothing better.", optimality.conic_solver, "large"),
)


def _orthogonal_levels() -> Any:
    """Levels and a source near its knot, for columns that the response does not see."""
    from hypothesis import strategies as st

    return st.tuples(
        st.floats(0.0, 0.4), st.floats(0.5, 1.0), st.floats(-0.3, 0.3), st.integers(1, 3)
    )


_ORTHOGONAL = Law(
    "orthogonal response",
    "A source is used even where the response is orthogonal to the columns.",
    optimality.orthogonal_response,
    _orthogonal_levels,
)


def transfer_laws(options: Iterable[str] = ()) -> tuple[Law, ...]:
    """The laws of `check_transfer_estimator`, in the order in which they are tried.

    Parameters
    ----------
    options : iterable of str
        What the subject takes: of ``weights``, ``source_weights``, ``sample_weight`` and
        ``fit_intercept``. Problems then have such weights, and there are laws about them.

    Returns
    -------
    tuple of Law
        Without the law of the conic solver where cvxpy is not installed.
    """
    options = tuple(options)
    weights = tuple(name for name in WEIGHTS if name in options)
    left_out = {name for name, needs in _NEEDS.items() if not set(needs) <= set(options)}
    if not optimality.has_conic_solver():
        left_out.add("conic solver")

    def law(name: str, statement: str, check: Callable[..., None], size: str) -> Law:
        sizes = _SIZES[size]
        return Law(name, statement, check, lambda: regression_problems(options=weights, **sizes))

    laws = (*(law(*row) for row in _TABLE), _ORTHOGONAL)
    return tuple(law for law in laws if law.name not in left_out)


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
        and ``fit_intercept`` are set), or ``f(X, y, l1, l2, source_coef) -> coef``. Where a
        function, or ``fit``, also takes ``weights``, ``source_weights``, ``sample_weight`` or
        ``fit_intercept``, problems with them are drawn too.
    laws : iterable of str, optional
        Names of some laws; all by default.
    tol : float
        The relative duality gap that the estimator promises, in (0, 1/2], at the dual point made
        from its residual (`tlstat.transfer_lasso.duality_gap`). The law ``gap`` asks for it, and
        for rounding: 1e-13 of an objective in which nothing cancels. All other laws allow for it.
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
        For a law that is unknown or cannot be asked, or an estimator without the parameters
        needed.
    """
    if not 0 < tol <= 0.5:
        raise InputError(f"tol is {tol!r}; expected a number above 0, at most 1/2")
    solver, options = as_solver(estimator, tol)
    every = transfer_laws(options)
    if laws is not None:
        wanted = list(laws)
        _check_names(wanted, [law.name for law in every], options)
        every = tuple(law for law in every if law.name in wanted)
    return check_laws(
        Subject(solver, tol), every, max_examples=max_examples, collect=collect, shrink=shrink
    )


def _check_names(wanted: list[str], known: list[str], options: tuple[str, ...]) -> None:
    unknown = [name for name in wanted if name not in known]
    if not unknown:
        return
    name = unknown[0]
    lacking = [option for option in _NEEDS.get(name, ()) if option not in options]
    if lacking:
        raise InputError(f"laws has {name!r}; it needs an estimator that takes {lacking[0]}")
    if name == "conic solver":
        raise InputError(f"laws has {name!r}; it needs cvxpy, which is not installed")
    raise InputError(f"laws has {name!r}; expected some of {', '.join(known)}")
