"""Laws of minimax lower bounds over transfer classes, and of purchases.

A lower bound is ``function(n_P, n_Q, *, rho, beta_P, beta_Q, d) -> float``, as
`tlstat.minimax.cube.bayes_lower_bound`; an optimiser is
``function(risk, eps, *, price_P, price_Q) -> purchase`` with ``n_P`` and ``n_Q``, as
`tlstat.minimax.cost.cost_optimal`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tlstat.testing.laws import BrokenLaw, Law, check_laws

_SCALES = np.geomspace(1e-6, 0.5, 60)


def transfer_classes() -> Any:
    """Strategy for classes and sample sizes: dicts of n_P, n_Q, rho, beta_P, beta_Q, d."""
    from hypothesis import strategies as st

    return st.fixed_dictionaries(
        {
            "n_P": st.integers(0, 3_000),
            "n_Q": st.integers(0, 1_000),
            "rho": st.floats(1.0, 3.0),
            "beta_P": st.sampled_from([0.0, 0.25, 0.5, 2 / 3, 0.9]),
            "beta_Q": st.sampled_from([0.0, 0.25, 0.5, 2 / 3, 0.9]),
            "d": st.integers(2, 4),
        }
    )


def _changed(function: Any, case: Any, **changes: Any) -> float:
    return float(function(**{**case, **changes}))


def _atoms(case: Any, m: int) -> tuple[np.ndarray, ...]:
    """Masses and margins of the paper's cube with m atoms, at many scales."""
    rho, beta_P, beta_Q = case["rho"], case["beta_P"], case["beta_Q"]
    p, delta_P = _SCALES ** (rho * beta_P) / m, _SCALES ** (rho * (1 - beta_P))
    q, delta_Q = _SCALES**beta_Q / m, _SCALES ** (1 - beta_Q)
    return p, delta_P, q, delta_Q


def _data(bound: Any, case: Any) -> None:
    value = _changed(bound, case)
    for name, more in (("n_P", 2 * case["n_P"] + 10), ("n_Q", 2 * case["n_Q"] + 10)):
        after = _changed(bound, case, **{name: more})
        assert after <= value * (1 + 1e-6), (
            f"more data raise the bound: {value} at {name} = {case[name]}, {after} at {more}"
        )


def _class(bound: Any, case: Any) -> None:
    """A larger rho or a smaller beta enlarges the class, a larger d has more cubes."""
    value = _changed(bound, case)
    larger = {
        "rho": case["rho"] + 0.5,
        "beta_P": case["beta_P"] / 2,
        "beta_Q": case["beta_Q"] / 2,
        "d": case["d"] + 1,
    }
    for name, wider in larger.items():
        after = _changed(bound, case, **{name: wider})
        assert after >= value * (1 - 1e-4), (
            f"a larger class has a smaller bound: {value} at {name} = {case[name]}, "
            f"{after} at {wider}"
        )


def _cubes(bound: Any, case: Any) -> None:
    """The exact minimax risk of any cube in the class is a lower bound."""
    from tlstat.minimax.vote import vote_error

    m = case["d"] - 1
    p, delta_P, q, delta_Q = _atoms(case, m)
    risks = _SCALES * vote_error(case["n_P"], p, delta_P, case["n_Q"], q, delta_Q)
    value, best = _changed(bound, case), int(np.argmax(risks))
    assert value >= risks[best] * (1 - 1e-4), (
        f"the bound {value} is below {risks[best]}, the minimax risk of the cube of {m} atoms at "
        f"eps = {_SCALES[best]:.3g}"
    )


def _attainable(bound: Any, case: Any) -> None:
    """Votes on m atoms attain half of an affinity; no bound on cubes is above that."""
    most = 0.0
    for m in range(1, case["d"]):
        p, delta_P, q, delta_Q = _atoms(case, m)
        log_affinity = case["n_P"] * np.log1p(-p * (1 - np.sqrt(1 - delta_P**2)))
        log_affinity += case["n_Q"] * np.log1p(-q * (1 - np.sqrt(1 - delta_Q**2)))
        most = max(most, float(np.max(_SCALES * np.exp(log_affinity) / 2)))
    value = _changed(bound, case)
    assert value <= most * 1.05, f"the bound {value} is above {most}, which votes attain"


def _empty(bound: Any, case: Any) -> None:
    value = _changed(bound, case, n_P=0, n_Q=0)
    assert abs(value - 0.25) <= 1e-6, f"without data the bound is {value}, not 1/4 (eps = 1/2)"


LOWER_BOUND_LAWS = (
    Law("data", "More data never raise the bound.", _data, transfer_classes),
    Law("class", "A larger class never has a smaller bound.", _class, transfer_classes),
    Law("cubes", "It is at least the risk of every cube.", _cubes, transfer_classes),
    Law("attainable", "It is at most what votes attain.", _attainable, transfer_classes),
    Law("no data", "Without data it is 1/4.", _empty, transfer_classes),
)


def check_lower_bound(
    function: Callable[..., Any],
    *,
    laws: Iterable[Law] = LOWER_BOUND_LAWS,
    max_examples: int = 25,
    collect: bool = False,
) -> list[BrokenLaw]:
    """Look for a class in which a lower bound over cubes is not one.

    Parameters
    ----------
    function : callable
        ``function(n_P, n_Q, *, rho, beta_P, beta_Q, d)``, called with keywords; cubes with at most
        ``d - 1`` atoms, constants 1 and ``eps <= 1/2``.
    laws, max_examples, collect
        As in `check_vote_error`.

    Returns
    -------
    list of BrokenLaw
    """
    return check_laws(function, laws, max_examples=max_examples, collect=collect)


# ------------------------------------------------------------------------------ purchases


def price_settings() -> Any:
    """Strategy for risks that fall in both sample sizes, with prices: dicts."""
    from hypothesis import strategies as st

    return st.fixed_dictionaries(
        {
            "s": st.floats(0.4, 2.0),
            "t": st.floats(0.4, 2.0),
            "mixed": st.booleans(),
            "eps": st.floats(0.06, 0.6),
            "price_P": st.floats(0.1, 10.0),
            "price_Q": st.floats(0.1, 10.0),
        }
    )


def _risk(case: Any) -> Callable[[int, int], float]:
    """A product of two powers, or the smaller of both."""

    def risk(n_P: int, n_Q: int) -> float:
        a, b = (1 + n_P) ** -case["s"], (1 + n_Q) ** -case["t"]
        return float(a * b if case["mixed"] else min(a, b))

    return risk


def _bought(optimiser: Any, case: Any, **changes: Any) -> tuple[int, int, float]:
    case = {**case, **changes}
    found = optimiser(_risk(case), case["eps"], price_P=case["price_P"], price_Q=case["price_Q"])
    return found.n_P, found.n_Q, case["price_P"] * found.n_P + case["price_Q"] * found.n_Q


def _feasible(optimiser: Any, case: Any) -> None:
    n_P, n_Q, _ = _bought(optimiser, case)
    risk = _risk(case)(n_P, n_Q)
    assert risk <= case["eps"], f"({n_P}, {n_Q}) has risk {risk}, above {case['eps']}"


def _cheapest(optimiser: Any, case: Any) -> None:
    n_P, n_Q, cost = _bought(optimiser, case)
    risk = _risk(case)
    for a, b in itertools.product(range(40), repeat=2):
        other = case["price_P"] * a + case["price_Q"] * b
        if other < cost * 0.995 and risk(a, b) <= case["eps"]:
            raise AssertionError(f"({n_P}, {n_Q}) costs {cost}, ({a}, {b}) only {other}")


def _looser(optimiser: Any, case: Any) -> None:
    cost, looser = _bought(optimiser, case)[2], _bought(optimiser, case, eps=1.2 * case["eps"])[2]
    assert looser <= cost * 1.005, f"a larger eps costs more: {cost}, then {looser}"


PURCHASE_LAWS = (
    Law("feasible", "What is bought reaches the risk.", _feasible, price_settings),
    Law("cheapest", "Nothing cheaper reaches it.", _cheapest, price_settings),
    Law("looser", "A looser goal costs no more.", _looser, price_settings),
)


def check_purchase(
    function: Callable[..., Any],
    *,
    laws: Iterable[Law] = PURCHASE_LAWS,
    max_examples: int = 40,
    collect: bool = False,
) -> list[BrokenLaw]:
    """Look for prices at which an optimiser of purchases is wrong (by more than 0.5 %).

    Parameters
    ----------
    function : callable
        ``function(risk, eps, *, price_P, price_Q)``; the result has ``n_P`` and ``n_Q``.
    laws, max_examples, collect
        As in `check_vote_error`.

    Returns
    -------
    list of BrokenLaw
    """
    return check_laws(function, laws, max_examples=max_examples, collect=collect)
