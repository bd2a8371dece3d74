"""Laws of Gaussian complexities of linear heads, and of the chain rule.

Subjects are ``function(Z, radius) -> float``, as `tlstat.task_diversity.complexity` has with
``head_complexity(Z, radius).value``, and ``function(of_representations, of_heads, n, t, lipschitz,
bound) -> float``: a right-hand side of the chain rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tlstat.testing.laws import BrokenLaw, Law, check_laws
from tlstat.testing.task_diversity.strategies import require, rotation, task_heads

__all__ = ["CHAIN_LAWS", "COMPLEXITY_LAWS", "check_chain_rule", "check_head_complexity"]


def _close(found: float, expected: float, what: str) -> None:
    require(abs(found - expected) <= 1e-6 * abs(expected), f"{what}: {found}, not {expected}")


def _head(subject: Any, Z: np.ndarray, radius: float = 1.0) -> float:
    return float(subject(Z.copy(), radius))


def _bounds(subject: Any, case: Any) -> None:
    size = float(np.sqrt(np.sum(case.A**2))) / len(case.A)
    found = _head(subject, case.A)
    low = np.sqrt(2 / np.pi) * size
    require(low * (1 - 1e-6) <= found <= size * (1 + 1e-6), f"{found} outside [{low}, {size}]")


def _monotone(subject: Any, case: Any) -> None:
    found = _head(subject, case.A)
    more = np.hstack([case.A, case.rng.normal(size=(len(case.A), 1))])
    require(_head(subject, more) >= found * (1 - 1e-6), "one more feature lowers it")
    require(_head(subject, case.A, 2.0) >= found, "a larger class has a smaller complexity")


def _linear(subject: Any, case: Any) -> None:
    _close(_head(subject, 3 * case.A, 2.0), 6 * _head(subject, case.A), "scaled")


def _isometric(subject: Any, case: Any) -> None:
    rng, (n, r) = case.rng, case.A.shape
    other = rotation(rng, n) @ case.A @ rotation(rng, r)
    _close(_head(subject, other), _head(subject, case.A), "rows and features rotated")


def _simple(subject: Any, case: Any) -> None:
    """One feature: a half-normal mean; an orthonormal frame in the plane: a Rayleigh mean."""
    column, n = case.A[:, :1], len(case.A)
    expected = np.sqrt(2 / np.pi) * float(np.linalg.norm(column)) / n
    _close(_head(subject, column), expected, "one feature")
    _close(_head(subject, np.eye(2)), np.sqrt(np.pi / 2) / 2, "the plane")


def _features() -> Any:
    return task_heads(spanning=True)


def _of_features(name: str, statement: str, check: Callable[..., None]) -> Law:
    return Law(name, statement, check, _features)


COMPLEXITY_LAWS = (
    _of_features("bounds", "Between sqrt(2/pi) and 1 times |Z|_F/n.", _bounds),
    _of_features("inclusion", "Larger classes are more complex.", _monotone),
    _of_features("scaling", "Homogeneous in features and radius.", _linear),
    _of_features("isometry", "Rotations change nothing.", _isometric),
    _of_features("known values", "Half-normal and Rayleigh means.", _simple),
)


def check_head_complexity(
    function: Callable[..., Any],
    *,
    laws: Iterable[Law] = COMPLEXITY_LAWS,
    max_examples: int = 100,
    collect: bool = False,
) -> list[BrokenLaw]:
    """Look for features at which a Gaussian complexity of linear heads is wrong.

    Parameters
    ----------
    function : callable
        ``function(Z, radius) -> float`` with features Z (n, r).
    laws, max_examples, collect
        As in `check_laws`.

    Returns
    -------
    list of BrokenLaw
    """
    return check_laws(function, laws, max_examples=max_examples, collect=collect)


def _chains() -> Any:
    from hypothesis import strategies as st

    return st.fixed_dictionaries(
        {
            "of_representations": st.floats(1e-3, 1.0),
            "of_heads": st.floats(1e-3, 1.0),
            "n": st.integers(2, 200),
            "t": st.integers(2, 200),
            "lipschitz": st.floats(0.5, 3.0),
            "bound": st.floats(0.5, 3.0),
        }
    )


def _chain(subject: Any, case: Any, **changes: Any) -> float:
    return float(subject(**{**case, **changes}))


def _grows(subject: Any, case: Any) -> None:
    here = _chain(subject, case)
    for name in ("of_representations", "of_heads", "lipschitz", "bound"):
        there = _chain(subject, case, **{name: 1.5 * case[name]})
        require(there >= here * (1 - 1e-12), f"{name} times 1.5: {here} falls to {there}")


def _covers(subject: Any, case: Any) -> None:
    """At least what every scale delta allows cannot be undercut, and at most any of them."""
    total = case["lipschitz"] * case["of_representations"] + case["of_heads"]
    deltas = case["bound"] * np.geomspace(1e-6, 1.0, 400)
    infimum = float(np.min(4 * deltas + 64 * total * np.log(case["bound"] / deltas)))
    found = _chain(subject, case)
    require(found >= infimum * (1 - 1e-3), f"{found} below the infimum over scales, {infimum}")
    stated = 4 * case["bound"] / (case["n"] * case["t"]) ** 2
    stated += 128 * total * np.log(case["n"] * case["t"])
    require(found <= stated * (1 + 1e-9), f"{found} above the stated form, {stated}")


CHAIN_LAWS = (
    Law("monotone", "It grows with both complexities and constants.", _grows, _chains),
    Law("scales", "It is between the infimum over scales and the stated form.", _covers, _chains),
)


def check_chain_rule(
    function: Callable[..., Any],
    *,
    laws: Iterable[Law] = CHAIN_LAWS,
    max_examples: int = 100,
    collect: bool = False,
) -> list[BrokenLaw]:
    """Look for complexities at which a right-hand side of the chain rule is wrong.

    Parameters
    ----------
    function : callable
        ``function(of_representations, of_heads, n, t, lipschitz, bound) -> float``, called with
        keywords.
    laws, max_examples, collect
        As in `check_laws`.

    Returns
    -------
    list of BrokenLaw
    """
    return check_laws(function, laws, max_examples=max_examples, collect=collect)
