"""Laws of lower tails of quadratic forms, whatever computes them.

A subject is ``function(weights, eps, *, df, nc, shift) -> float``: minus the log-probability, in
nats, that ``shift + sum_j weights[j] chi^2_df[j](nc[j])`` is at most ``eps``, with positive
weights; ``math.inf`` where it is zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tlstat.testing.laws import BrokenLaw, Law, check_laws

_RELATIVE, _ABSOLUTE = 1e-8, 1e-7


def quadratic_forms(max_modes: int = 6, *, central: bool = False, shares: Any = None) -> Any:
    """Strategy for quadratic forms and a level: dicts of weights, df, nc, shift, eps.

    Parameters
    ----------
    max_modes : int
        Most weights.
    central : bool
        Whether all non-centralities are zero.
    shares : strategy, optional
        Of ``(eps - shift)`` as a share of the mean above ``shift``; from 1e-9 to .95 by default.
    """
    from hypothesis import strategies as st

    if shares is None:
        shares = st.one_of(st.floats(0.1, 0.95), st.floats(-9.0, -1.0).map(lambda e: 10**e))
    offset = st.just(0.0) if central else st.one_of(st.just(0.0), st.floats(0.1, 20.0))
    mode = st.tuples(st.floats(-2.5, 2.5).map(math.exp), st.integers(1, 12), offset)
    modes = st.lists(mode, min_size=1, max_size=max_modes)
    shift = st.one_of(st.just(0.0), st.floats(0.1, 3.0))

    def level(drawn: Any) -> dict[str, Any]:
        modes, shift, share = drawn
        w, df, nc = (np.array(column, float) for column in zip(*modes, strict=True))
        eps = shift + share * float(np.sum(w * (df + nc)))
        return {"weights": w, "df": df, "nc": nc, "shift": shift, "eps": eps}

    return st.tuples(modes, shift, shares).map(level)


def _central_forms() -> Any:
    return quadratic_forms(central=True)


def _pairs() -> Any:
    from hypothesis import strategies as st

    return st.tuples(quadratic_forms(), st.floats(0.1, 0.9))


def _bulk() -> Any:
    from hypothesis import strategies as st

    weights = st.lists(st.sampled_from([0.25, 0.5, 1.0, 2.0, 4.0]), min_size=1, unique=True)
    return st.tuples(weights, st.floats(0.3, 1.5))


def _nats(function: Any, case: Any, **changes: Any) -> float:
    at = {**case, **changes}
    names = ("df", "nc", "shift")
    return float(function(at["weights"], at["eps"], **{name: at[name] for name in names}))


def _same(found: float, expected: float, what: str, slack: float = 0.0) -> None:
    allowed = slack + _ABSOLUTE + _RELATIVE * abs(expected)
    assert abs(found - expected) <= allowed, f"{found} instead of {expected} nats: {what}"


def chernoff(case: dict[str, Any]) -> float:
    """The Chernoff bound ``sup_t (t eps - K(t))`` over ``t <= 0``, by golden section.

    Parameters
    ----------
    case : dict
        As `quadratic_forms` draws them.
    """
    from scipy.optimize import minimize_scalar

    w, df, nc, gap = case["weights"], case["df"], case["nc"], case["eps"] - case["shift"]

    def minus(log_t: float) -> float:
        t = math.exp(log_t)
        a = 1 + 2 * w * t
        return float(t * gap - np.sum(df / 2 * np.log(a) + nc * w * t / a))

    scale = math.log(np.sum(df) / gap)
    grid = np.linspace(scale - 12, scale + 8, 81)
    start = grid[np.argmin([minus(g) for g in grid])]
    found = minimize_scalar(minus, bounds=(start - 0.3, start + 0.3), method="bounded")
    return max(0.0, -float(found.fun))


def _monotone(function: Any, case: Any) -> None:
    value = _nats(function, case)
    wider = case["shift"] + 1.3 * (case["eps"] - case["shift"])
    after = _nats(function, case, eps=wider)
    assert after <= value + _ABSOLUTE, f"{value} nats at {case['eps']}, {after} at {wider}"


def _support(function: Any, case: Any) -> None:
    value = _nats(function, case)
    assert value >= 0, f"{value} nats"
    for below in (case["shift"], case["shift"] - 0.1):
        found = _nats(function, case, eps=below)
        assert found == math.inf, f"{found} nats at {below}, which no hypothesis reaches"
    w, df, nc = case["weights"], case["df"], case["nc"]
    sure = case["shift"] + 40 * float(np.sum(w * (df + nc)) + 10 * np.max(w))
    found = _nats(function, case, eps=sure)
    assert found <= 1e-4, f"{found} nats at {sure}, which nearly all reach"


def _scale(function: Any, case: Any) -> None:
    c = 37.5
    scaled = {name: c * case[name] for name in ("weights", "eps", "shift")}
    _same(_nats(function, case, **scaled), _nats(function, case), f"all errors times {c}")


def _order(function: Any, case: Any) -> None:
    """Order does not matter, nor whether equal weights are listed together."""
    value = _nats(function, case)
    turned = {name: case[name][::-1] for name in ("weights", "df", "nc")}
    _same(_nats(function, case, **turned), value, "the weights in reverse order")
    half = {
        "weights": np.repeat(case["weights"], 2),
        "df": np.repeat(case["df"] / 2, 2),
        "nc": np.repeat(case["nc"] / 2, 2),
    }
    _same(_nats(function, case, **half), value, "each mode as two of half the degrees of freedom")


def _one_scale(function: Any, case: Any) -> None:
    from tlstat.inductive_bias.theory.chi_squared import noncentral_log_cdf

    w = np.full_like(case["weights"], case["weights"][0])
    gap = 0.7 * (case["eps"] - case["shift"])
    exact = -noncentral_log_cdf(gap / w[0], float(case["df"].sum()), float(case["nc"].sum()))
    found = _nats(function, case, weights=w, eps=case["shift"] + gap)
    # a shift costs digits of the gap
    lost = 2e-16 * case["eps"] / gap * float(case["df"].sum() + case["nc"].sum())
    _same(found, exact, "equal weights: one non-central chi-squared law", lost)


def _exponentials(function: Any, case: Any) -> None:
    weights, share = np.array(case[0]), case[1]
    eps = 2 * share * float(weights.sum())
    others = [np.prod([w / (w - v) for v in weights if v != w]) for w in weights]
    exact = 1 - float(np.dot(others, np.exp(-eps / (2 * weights))))
    two, zero = np.full(len(weights), 2.0), np.zeros(len(weights))
    found = float(function(weights, eps, df=two, nc=zero, shift=0.0))
    error = 1e-13 * float(np.abs(others).sum()) / exact
    _same(found, -math.log(exact), "a sum of exponentials", error)


def _above_chernoff(function: Any, case: Any) -> None:
    value, least = _nats(function, case), chernoff(case)
    assert value >= least - _ABSOLUTE - _RELATIVE * least, f"{value} nats, Chernoff says {least}"


def _small_ball(function: Any, case: Any) -> None:
    from scipy.special import gammaln

    w, df = case["weights"], case["df"]
    gap, N = case["eps"] - case["shift"], float(df.sum())
    lower = float(np.dot(df, np.log(2 * w))) / 2 + gammaln(N / 2 + 1) - N / 2 * math.log(gap)
    upper = lower + gap / (2 * float(w.min()))
    value = _nats(function, case)
    # a shift costs digits of the gap
    slack = _ABSOLUTE + _RELATIVE * abs(lower) + N * 2e-16 * case["eps"] / gap
    assert lower - slack <= value <= upper + slack, f"{value} nats outside [{lower}, {upper}]"


def _dominance(function: Any, case: Any) -> None:
    value = _nats(function, case)
    more = {
        "another mode": {
            "weights": np.append(case["weights"], case["weights"][0]),
            "df": np.append(case["df"], 1.0),
            "nc": np.append(case["nc"], 0.0),
        },
        "a larger non-centrality": {"nc": case["nc"] + 0.5},
        "a larger weight": {"weights": 1.2 * case["weights"]},
    }
    for what, changes in more.items():
        after = _nats(function, case, **changes)
        assert after > value, f"{value} nats, and {after} with {what}"


def _sub_additive(function: Any, drawn: Any) -> None:
    case, split = drawn
    first = {name: case[name][:1] for name in ("weights", "df", "nc")}
    if len(case["weights"]) == 1:
        return
    rest = {name: case[name][1:] for name in ("weights", "df", "nc")}
    gap = case["eps"] - case["shift"]
    parts = _nats(function, case, **first, shift=0.0, eps=split * gap)
    parts += _nats(function, case, **rest, shift=0.0, eps=(1 - split) * gap)
    value = _nats(function, case, shift=0.0, eps=gap)
    slack = _ABSOLUTE + _RELATIVE * parts
    assert value <= parts + slack, f"{value} nats together, {parts} in two parts"


TAIL_LAWS = (
    Law("monotone", "A larger error needs no more nats.", _monotone, quadratic_forms),
    Law("support", "Nats are infinite below the smallest error, none at last.", _support,
        quadratic_forms),
    Law("scale", "Errors in other units need as many nats.", _scale, quadratic_forms),
    Law("order", "How the modes are listed does not matter.", _order, quadratic_forms),
    Law("one scale", "Equal weights are a non-central chi-squared law.", _one_scale,
        quadratic_forms),
    Law("exponentials", "Two degrees of freedom each: a sum of exponentials.", _exponentials,
        _bulk),
    Law("Chernoff", "Nats are at least the Chernoff bound.", _above_chernoff, quadratic_forms),
    Law("small ball", "Without offsets, nats lie between two volumes.", _small_ball,
        _central_forms),
    Law("dominance", "A stochastically larger error needs more nats.", _dominance,
        quadratic_forms),
    Law("parts", "Reaching both parts of a split suffices.", _sub_additive, _pairs),
)  # fmt: skip


def check_error_tail(
    function: Callable[..., Any],
    *,
    laws: Iterable[Law] = TAIL_LAWS,
    max_examples: int = 60,
    collect: bool = False,
) -> list[BrokenLaw]:
    """Look for a quadratic form whose lower tail a function gets wrong.

    Parameters
    ----------
    function : callable
        ``function(weights, eps, *, df, nc, shift)``, in nats; arrays of one entry a mode.
    laws : iterable of Law
    max_examples : int
        Number of cases for each law.
    collect : bool
        Return all broken laws instead of raising the first.

    Raises
    ------
    BrokenLaw

    Examples
    --------
    >>> from tlstat.inductive_bias import GeneralizedChiSquared
    >>> def nats(weights, eps, *, df, nc, shift):
    ...     return -GeneralizedChiSquared(weights, df, nc, shift).logcdf(eps)
    >>> check_error_tail(nats, max_examples=5)
    []
    """
    return check_laws(function, laws, max_examples=max_examples, collect=collect)
