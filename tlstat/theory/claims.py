"""Claims: what a study should show.

Each function here makes a frozen claim.  A claim fixes a parameter (over cells) and two nested
sets: T, "the claim is true", and a larger one, "true up to the tolerance".  SUPPORTED rejects
"outside the larger set"; REFUTED rejects "inside T"; so one truth can make only one kind of error.

``bound`` is a :class:`~tlstat.theory.bound.Bound`, a number, or a function of (cell, model).
Common arguments: ``where`` keeps cells (name to value, collection of values or predicate), ``at``
gives symbols that are neither in the cell nor on the model, ``expect="refuted"`` marks a negative
control, ``name`` replaces the default name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from tlstat.errors import InputError
from tlstat.theory.claim_base import BaseClaim
from tlstat.theory.claim_bound import BoundClaim
from tlstat.theory.claim_order import Ordered
from tlstat.theory.claim_rate import Rate
from tlstat.theory.verdict import Outcome

Where = Mapping[str, Any] | None
BoundLike = Any  # Bound | float | Callable[[cell, model], float]
CellFunction = Callable[[Any, Any], float]

__all__ = [
    "BaseClaim",
    "BoundClaim",
    "Claim",
    "Ordered",
    "Outcome",
    "Rate",
    "at_least",
    "at_most",
    "between",
    "equals",
    "ordered",
    "rate",
]


@runtime_checkable
class Claim(Protocol):
    """What the judge needs of a claim; write a class with these members to add a kind.

    ``test`` returns an :class:`~tlstat.theory.verdict.Outcome`.  Its two p-values must be valid:
    ``p_supported`` under every truth in which the claim is false by more than its tolerance,
    ``p_refuted`` under every truth in which it holds.  The judge compares both with ``level`` and
    does the rest.
    """

    metric: str
    name: str
    kind: str
    expect: str

    def check(self, study: Any) -> None:
        """Raise InputError, before any work, where the study cannot answer the claim."""
        ...

    def sentence(self, study: Any, cells: Sequence[Any]) -> str:
        """The sentence that is judged; ``cells`` are those that were evidence."""
        ...

    def test(self, study: Any, results: Any, level: float) -> Outcome:
        """Judge the results at the claim's own level."""
        ...


def rate(
    metric: str,
    along: str,
    bound: BoundLike,
    *,
    tolerance: float = 0.05,
    side: str = "both",
    where: Where = None,
    at: Where = None,
    asymptotic: bool = True,
    expect: str = "supported",
    name: str | None = None,
) -> Rate:
    """Along ``along``, the mean of ``metric`` follows the bound up to a constant.

    Judged is the slope of log mean minus that of log bound on the same grid, so logarithms and
    lower-order terms in the bound count and its constants do not.

    Parameters
    ----------
    metric, along : str
        What is measured, and the swept parameter (at least three positive values).
    bound : Bound, function of (cell, model), or positive number
        A number claims a plateau.
    tolerance : float
        Exponents that differ by at most this agree.
    side : {"both", "upper", "lower"}
        "upper": the mean falls at least as fast as the bound; "lower": at most as fast.
    asymptotic : bool
        The exponent is one for large values: a slope that drifts along the grid is then neither
        supported nor refuted.  False judges the grid as it is.

    Raises
    ------
    InputError
        If an argument is not as described.
    """
    return Rate(
        metric=metric,
        along=along,
        bound=bound,
        tolerance=tolerance,
        side=side,
        where=where,
        at=at,
        asymptotic=asymptotic,
        expect=expect,
        name=name or "",
    )


def at_most(
    metric: str,
    bound: BoundLike,
    *,
    tolerance: float | None = None,
    delta: float | None = None,
    surely: bool = False,
    statistic: str | float = "mean",
    where: Where = None,
    at: Where = None,
    expect: str = "supported",
    name: str | None = None,
) -> BoundClaim:
    """The metric is at most the bound in every cell, with the bound's own constants.

    Parameters
    ----------
    tolerance : float, optional
        "True up to": relative to the bound (default .02), or to delta (default .1).
    delta : float, optional
        Claim P(metric > bound) <= delta instead of a mean; implied by a bound whose sense is
        "probability" (delta is then also looked up in ``at`` and in the cell).
    surely : bool
        Claim that no replicate ever exceeds the bound; one that does refutes.
    statistic : "mean", "median" or a number in (0, 1)
        A quantile is judged by order statistics, whatever the tail.

    Raises
    ------
    InputError
        Among others, if the bound has unspecified constants: claim ``rate(side="upper")``.
    """
    return _sided(
        "at_most", metric, bound, tolerance, delta, surely, statistic, where, at, expect, name
    )


def at_least(
    metric: str,
    bound: BoundLike,
    *,
    tolerance: float | None = None,
    delta: float | None = None,
    surely: bool = False,
    statistic: str | float = "mean",
    over: str | None = None,
    along: str | None = None,
    where: Where = None,
    at: Where = None,
    expect: str = "supported",
    name: str | None = None,
) -> BoundClaim:
    """The metric is at least the bound in every cell (see :func:`at_most`).

    Parameters
    ----------
    over : {"prior", "family"}, optional
        Needed for a lower bound over all procedures or over a class, which says nothing about one
        learner on one instance: "prior" if the metric averages over the prior that the bound is
        about, "family" if the largest mean over a family is meant.
    along : str, optional
        With over="family": the axis that runs through the family; the claim is then about the
        largest mean along it.
    """
    if along is not None and over != "family":
        raise InputError(f"along={along!r} needs over='family': the axis runs through the family")
    claim = _sided(
        "at_least", metric, bound, tolerance, delta, surely, statistic, where, at, expect, name,
        over=over, along=along,
    )  # fmt: skip
    return claim


def equals(
    metric: str,
    bound: BoundLike,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    statistic: str | float = "mean",
    where: Where = None,
    at: Where = None,
    expect: str = "supported",
    name: str | None = None,
) -> BoundClaim:
    """The metric's mean equals the closed form in every cell.

    Parameters
    ----------
    rtol : float, optional
        "Equal up to": relative, .02 by default; 1e-8 by default for exact results.
    atol : float, optional
        Absolute instead; needed where the closed form is 0.
    """
    for label, value in (("rtol", rtol), ("atol", atol)):
        if value is not None and not 0 <= value < float("inf"):
            raise InputError(f"{label} must be non-negative and finite, got {value!r}")
    return BoundClaim(
        metric=metric,
        kind="equals",
        bound=bound,
        tolerance=0.02 if rtol is None else rtol,
        rtol=rtol,
        atol=atol,
        statistic=statistic,
        where=where,
        at=at,
        expect=expect,
        name=name or "",
    )


def between(
    metric: str,
    lower: BoundLike,
    upper: BoundLike,
    *,
    tolerance: float = 0.02,
    statistic: str | float = "mean",
    over: str | None = None,
    where: Where = None,
    at: Where = None,
    expect: str = "supported",
    name: str | None = None,
) -> BoundClaim:
    """The metric's mean lies between two bounds in every cell (``over`` as in at_least)."""
    return BoundClaim(
        metric=metric,
        kind="between",
        lower=lower,
        upper=upper,
        tolerance=tolerance,
        statistic=statistic,
        over=over,
        where=where,
        at=at,
        expect=expect,
        name=name or "",
    )


def ordered(
    metric: str,
    along: str,
    increasing: Sequence[Any],
    *,
    tolerance: float = 0.02,
    margin: float | None = None,
    where: Where = None,
    expect: str = "supported",
    name: str | None = None,
) -> Ordered:
    """The metric's mean increases along ``along`` in the order of ``increasing``.

    Values that share their draws (an inner or paired axis) are compared replicate by replicate.

    Parameters
    ----------
    tolerance : float
        A step down of at most this share of the larger mean is tolerated.
    margin : float, optional
        The same in the metric's units, instead of ``tolerance``.
    """
    return Ordered(
        metric=metric,
        along=along,
        increasing=tuple(increasing),
        tolerance=tolerance,
        margin=margin,
        where=where,
        expect=expect,
        name=name or "",
    )


def _sided(
    kind: str,
    metric: str,
    bound: BoundLike,
    tolerance: float | None,
    delta: float | None,
    surely: bool,
    statistic: str | float,
    where: Where,
    at: Where,
    expect: str,
    name: str | None,
    **extra: Any,
) -> BoundClaim:
    if surely and delta is not None:
        raise InputError(f"surely=True and delta={delta!r} exclude each other")
    if tolerance is None:
        sense = getattr(bound, "sense", "expectation")
        counted = delta is not None or (sense == "probability" and not surely)
        tolerance = 0.1 if counted else 0.02
    return BoundClaim(
        metric=metric,
        kind=kind,
        bound=bound,
        tolerance=tolerance,
        delta=delta,
        surely=surely,
        statistic=statistic,
        where=where,
        at=at,
        expect=expect,
        name=name or "",
        **extra,
    )
