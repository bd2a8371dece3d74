"""Laws of the two-sample vote's error probability.

A subject is ``function(n_P, p, delta_P, n_Q, q, delta_Q, *, weights=None) -> float``, the error of
the likelihood-ratio vote, or of the vote with the given weights, as `tlstat.minimax.vote_error`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from tlstat.testing.laws import BrokenLaw, Law, check_laws

_SLACK = 1e-10
NAMES = ("n_P", "p", "delta_P", "n_Q", "q", "delta_Q")


def vote_settings(max_n: int = 300) -> Any:
    """Strategy for the six arguments of the vote, as dicts.

    Parameters
    ----------
    max_n : int
        Largest sample size.
    """
    from hypothesis import strategies as st

    size = st.one_of(st.integers(0, min(8, max_n)), st.integers(0, max_n))
    mass = st.floats(1e-3, 1.0)
    margin = st.one_of(st.just(0.0), st.floats(0.01, 0.99))
    parts = (size, mass, margin, size, mass, margin)
    return st.fixed_dictionaries(dict(zip(NAMES, parts, strict=True)))


def _small() -> Any:
    return vote_settings(max_n=6)


def _weighted_cases() -> Any:
    from hypothesis import strategies as st

    return st.tuples(vote_settings(120), st.floats(0.05, 20.0), st.floats(0.1, 10.0))


def _bumped_cases() -> Any:
    from hypothesis import strategies as st

    return st.tuples(vote_settings(), st.sampled_from(NAMES), st.floats(0.05, 1.0))


def enumerated_error(case: dict[str, Any], weights: tuple[float, float] | None = None) -> float:
    """The vote's error by summing over all numbers of agreeing and disagreeing labels.

    Parameters
    ----------
    case : dict
        The six arguments, with small sample sizes: the work grows as their fourth power.
    weights : (w_P, w_Q), optional
    """
    if weights is None:
        w_P, w_Q = 2 * math.atanh(case["delta_P"]), 2 * math.atanh(case["delta_Q"])
    else:
        w_P, w_Q = weights
    laws = (
        _law(case["n_P"], case["p"], case["delta_P"]),
        _law(case["n_Q"], case["q"], case["delta_Q"]),
    )
    error = 0.0
    for s, chance in laws[0].items():
        for t, other in laws[1].items():
            vote = w_P * s + w_Q * t
            tied = abs(vote) <= 1e-12 * (abs(w_P * s) + abs(w_Q * t))
            error += chance * other * (0.5 if tied else float(vote < 0))
    return error


def _law(n: int, mass: float, margin: float) -> dict[int, float]:
    """Agreements minus disagreements in one sample, by the multinomial formula."""
    chances = (mass * (1 + margin) / 2, mass * (1 - margin) / 2, 1 - mass)
    law: dict[int, float] = {}
    for plus in range(n + 1):
        for minus in range(n - plus + 1):
            rest = n - plus - minus
            ways = math.factorial(n) / math.prod(map(math.factorial, (plus, minus, rest)))
            weight = ways * math.prod(
                c**k for c, k in zip(chances, (plus, minus, rest), strict=True)
            )
            law[plus - minus] = law.get(plus - minus, 0.0) + weight
    return law


def _range(function: Any, case: Any) -> None:
    value = float(function(**case))
    assert -_SLACK <= value <= 0.5 + _SLACK, f"error {value} is not in [0, 1/2]"


def _ignorance(function: Any, case: Any) -> None:
    for blind in ({"n_P": 0, "n_Q": 0}, {"delta_P": 0.0, "delta_Q": 0.0}):
        value = float(function(**{**case, **blind}))
        assert abs(value - 0.5) <= _SLACK, f"with {blind} the error is {value}, not 1/2"


def _enumeration(function: Any, case: Any) -> None:
    value, exact = float(function(**case)), enumerated_error(case)
    assert abs(value - exact) <= 1e-9, f"error {value}, by enumeration {exact}"


def _symmetry(function: Any, case: Any) -> None:
    swapped = dict(zip(NAMES, [case[k] for k in (*NAMES[3:], *NAMES[:3])], strict=True))
    values = float(function(**case)), float(function(**swapped))
    assert abs(values[0] - values[1]) <= 1e-9, f"{values[0]}, and {values[1]} with samples swapped"


def _monotone(function: Any, case: Any) -> None:
    setting, name, share = case
    more = dict(setting)
    if name.startswith("n_"):
        more[name] = setting[name] + 1 + int(10 * share)
    else:
        more[name] = setting[name] + share * (1 - setting[name]) * 0.9
    before, after = float(function(**setting)), float(function(**more))
    assert after <= before + 1e-9, (
        f"more information makes the error larger: {before} at {name} = {setting[name]}, "
        f"{after} at {more[name]}"
    )


def _classical(function: Any, case: Any) -> None:
    affinity = 1.0
    for n, mass, margin in ((NAMES[0], *NAMES[1:3]), (NAMES[3], *NAMES[4:])):
        affinity *= (1 - case[mass] * (1 - math.sqrt(1 - case[margin] ** 2))) ** case[n]
    value = float(function(**case))
    low, high = (1 - math.sqrt(max(0.0, 1 - affinity**2))) / 2, affinity / 2
    assert low - 1e-9 <= value <= high + 1e-9, (
        f"error {value} is outside Hellinger's [{low}, {high}]"
    )


def _weights(function: Any, case: Any) -> None:
    setting, ratio, scale = case
    bayes = float(function(**setting))
    fixed = float(function(**setting, weights=(1.0, ratio)))
    assert fixed >= bayes - 1e-9, (
        f"weights (1, {ratio}) have error {fixed}, below the likelihood ratio's {bayes}"
    )
    scaled = float(function(**setting, weights=(scale, scale * ratio)))
    assert abs(scaled - fixed) <= 1e-9, f"scaling both weights by {scale}: {fixed}, then {scaled}"
    natural = tuple(2 * math.atanh(setting[d]) for d in ("delta_P", "delta_Q"))
    if max(natural) > 0:
        same = float(function(**setting, weights=natural))
        assert abs(same - bayes) <= 1e-9, f"at the likelihood-ratio weights {same}, not {bayes}"


def _alone(function: Any, case: Any) -> None:
    setting, ratio, _ = case
    alone = {**setting, "n_Q": 0}
    majority = float(function(**alone, weights=(1.0, 0.0)))
    weighted = float(function(**alone, weights=(1.0, ratio)))
    assert abs(majority - weighted) <= 1e-9, (
        f"an empty target sample has a vote: {majority} without its weight, {weighted} with it"
    )


VOTE_LAWS = (
    Law("range", "An error probability lies between 0 and 1/2.", _range, vote_settings),
    Law("ignorance", "Without points or signal the error is 1/2.", _ignorance, vote_settings),
    Law("enumeration", "For small samples it is the sum over all counts.", _enumeration, _small),
    Law("symmetry", "Source and target can be exchanged.", _symmetry, vote_settings),
    Law("monotone", "More points, mass or signal never hurt.", _monotone, _bumped_cases),
    Law("Hellinger", "The error lies between Hellinger's bounds.", _classical, vote_settings),
    Law("weights", "No fixed weights beat the likelihood ratio.", _weights, _weighted_cases),
    Law("alone", "An empty sample has no vote.", _alone, _weighted_cases),
)


def check_vote_error(
    function: Callable[..., Any],
    *,
    laws: Iterable[Law] = VOTE_LAWS,
    max_examples: int = 60,
    collect: bool = False,
) -> list[BrokenLaw]:
    """Look for a setting in which a vote's error probability is wrong.

    Parameters
    ----------
    function : callable
        ``function(n_P, p, delta_P, n_Q, q, delta_Q, *, weights=None)``, called with keywords.
    laws : iterable of Law
    max_examples : int
        For each law.
    collect : bool
        Return all broken laws instead of raising the first.

    Returns
    -------
    list of BrokenLaw

    Raises
    ------
    BrokenLaw
        Names the law and the counterexample.
    """
    return check_laws(function, laws, max_examples=max_examples, collect=collect)
