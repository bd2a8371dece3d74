"""Regression problems whose source is known, plain and degenerate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from tlstat.errors import InputError

__all__ = ["RegressionProblem", "regression_problems"]

WEIGHTS = ("weights", "source_weights", "sample_weight")
_ARRAYS = ("X", "y", "source_coef", "beta", *WEIGHTS)


@dataclass(frozen=True, eq=False)
class RegressionProblem:
    """Rows, levels and a source; ``beta`` is the truth that ``y`` was made from.

    The objective is ``sum_i w_i (y_i - x_i'b)^2 / (2 sum_i w_i) + l1 sum_j u_j |b_j| +
    l2 sum_j v_j |b_j - b0_j|`` with ``sample_weight`` w, ``weights`` u and ``source_weights`` v,
    all one where they are None.
    """

    X: np.ndarray
    y: np.ndarray
    l1: float
    l2: float
    source_coef: np.ndarray
    beta: np.ndarray
    seed: int = 0
    weights: np.ndarray | None = None
    source_weights: np.ndarray | None = None
    sample_weight: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, np.asarray(value, dtype=float))

    def __repr__(self) -> str:
        names = ("X", "y", "l1", "l2", "source_coef", "beta", "seed", *self.options)
        shown = (f"{name}={np.asarray(getattr(self, name)).tolist()}" for name in names)
        return f"RegressionProblem({', '.join(shown)})"

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

    @property
    def options(self) -> dict[str, np.ndarray]:
        """The weights that there are, by name."""
        given = {name: getattr(self, name) for name in WEIGHTS}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def share(self) -> np.ndarray:
        """Weights of rows, with sum one."""
        w = np.ones(self.n) if self.sample_weight is None else self.sample_weight
        return w / np.sum(w)

    @property
    def u(self) -> np.ndarray:
        """Weights of ``|b_j|``."""
        return np.ones(self.p) if self.weights is None else self.weights

    @property
    def v(self) -> np.ndarray:
        """Weights of ``|b_j - b0_j|``."""
        return np.ones(self.p) if self.source_weights is None else self.source_weights

    @property
    def a(self) -> np.ndarray:
        """Levels of ``|b_j|``."""
        return self.l1 * self.u

    @property
    def c(self) -> np.ndarray:
        """Levels of ``|b_j - b0_j|``."""
        return self.l2 * self.v

    @property
    def curvature(self) -> np.ndarray:
        """``H_j``: the weighted mean square of each column."""
        return self.share @ self.X**2

    @property
    def zero(self) -> np.ndarray:
        """No coefficients."""
        return np.zeros(self.p)

    def replace(self, **changes: Any) -> RegressionProblem:
        """A copy with other parts."""
        return replace(self, **changes)

    def unweighted(self) -> RegressionProblem:
        """The problem with all weights one."""
        return self.replace(weights=None, source_weights=None, sample_weight=None)

    def objective(self, coef: np.ndarray) -> float:
        """The objective at ``coef``."""
        fit = self.share @ (self.y - self.X @ coef) ** 2 / 2
        return float(fit + self.a @ np.abs(coef) + self.c @ np.abs(coef - self.source_coef))

    def magnitude(self, coef: np.ndarray) -> float:
        """The objective at ``coef`` if nothing cancelled: rounding is a small part of it."""
        size, source = np.abs(coef), np.abs(self.source_coef)
        fit = self.share @ (np.abs(self.y) + np.abs(self.X) @ size) ** 2 / 2
        return float(fit + self.a @ size + self.c @ (size + source))

    def correlations(self, coef: np.ndarray) -> np.ndarray:
        """``X_j'r/n`` at ``coef``: minus the gradient of the fit."""
        return np.asarray(self.X.T @ (self.share * (self.y - self.X @ coef)))

    def correlation_size(self, coef: np.ndarray) -> np.ndarray:
        """The same if nothing cancelled."""
        bound = np.abs(self.y) + np.abs(self.X) @ np.abs(coef)
        return np.asarray(np.abs(self.X).T @ (self.share * bound))

    def norm(self, fit: np.ndarray) -> float:
        """Root of the weighted mean square over the rows."""
        return float(np.sqrt(self.share @ fit**2))


def _bytes(draw: Any, size: int) -> np.ndarray:
    """Whole numbers in [0, 256): one draw, which is fast and shrinks to zeros."""
    return np.frombuffer(draw(_binary(size)), dtype=np.uint8).astype(int)


@lru_cache
def _binary(size: int) -> Any:
    from hypothesis import strategies as st

    return st.binary(min_size=size, max_size=size)


def _entries(draw: Any, size: int, limit: int, unit: float) -> np.ndarray:
    """Short decimals, 0 the simplest."""
    span = 2 * limit + 1
    return ((_bytes(draw, size) + limit) % span - limit) * unit


def _picks(draw: Any, size: int, values: Sequence[Any]) -> list[Any]:
    """Some of the values, the first the simplest."""
    return [values[k % len(values)] for k in _bytes(draw, size)]


def _columns(draw: Any, n: int, p: int, degenerate: bool) -> np.ndarray:
    X = _entries(draw, n * p, 8, 0.25).reshape(n, p)
    X[0, ~np.any(X != 0, axis=0)] = 1.0
    X = X * _picks(draw, p, [1.0, 0.4, 3.0, *([1e-3, 1e3] if degenerate else [])])
    kinds = ["own"] * 5 + ["zero", "constant", "copy", "opposite"]
    for j, kind in enumerate(_picks(draw, p, kinds) if degenerate else []):
        if kind != "own":
            X[:, j] = {"zero": 0.0, "constant": 1.0, "copy": X[:, 0], "opposite": -X[:, 0]}[kind]
    return X


def _source(draw: Any, beta: np.ndarray, degenerate: bool) -> np.ndarray:
    """Right, wrong, zero, of either sign; zeros of either sign, and numbers next to them."""
    p = len(beta)
    source = beta + _entries(draw, p, 4, 0.3) * _picks(draw, p, [0.0, 1.0])
    if not degenerate:
        return source
    special = _picks(draw, p, [None] * 6 + [0.0, -0.0, 5e-324, -1e-310])
    return np.array([b if s is None else s for b, s in zip(source, special, strict=True)])


def _levels(draw: Any, scale: float) -> tuple[float, float]:
    shares, alphas = _level_strategies()
    lam, alpha = scale * draw(shares), draw(alphas)
    return lam * alpha, lam * (1 - alpha)


@lru_cache
def _level_strategies() -> tuple[Any, Any]:
    from hypothesis import strategies as st

    return (
        st.sampled_from([0.5, 0.05, 0.2, 1.2, 2.5]) | st.floats(0.01, 3.0),
        st.sampled_from([0.75, 0.25, 0.0, 0.5, 1.0]) | st.floats(0.001, 0.999),
    )


def regression_problems(
    max_n: int = 8,
    max_p: int = 4,
    *,
    min_n: int = 1,
    min_p: int = 1,
    degenerate: bool = True,
    options: tuple[str, ...] = (),
) -> Any:
    """A strategy for `RegressionProblem`, with columns of different lengths.

    Parameters
    ----------
    max_n, max_p, min_n, min_p : int
        Numbers of rows and columns.
    degenerate : bool
        Whether there are also zero, constant, repeated and opposite columns, units of columns
        that are 10^6 apart, responses and designs that are tiny or huge as a whole, and sources
        with ``-0.0`` and subnormal numbers.
    options : tuple of str
        Which of ``weights``, ``source_weights`` (of columns; some are 0) and ``sample_weight``
        (whole numbers, some 0) a problem has.

    Returns
    -------
    hypothesis strategy
        Numbers are short decimals. ``l1 + l2 > 0``; one level may be 0, and both may be equal.
        Source coefficients are zero, positive, negative, right or wrong.

    Raises
    ------
    InputError
        If the sizes are not positive or not in order, or an option is unknown.
    """
    from hypothesis import strategies as st

    if not (1 <= min_n <= max_n and 1 <= min_p <= max_p):
        raise InputError(
            f"min_n is {min_n!r}, max_n {max_n!r}, min_p {min_p!r} and max_p {max_p!r}; "
            "expected 1 <= min_n <= max_n and 1 <= min_p <= max_p"
        )
    unknown = [name for name in options if name not in WEIGHTS]
    if unknown:
        raise InputError(f"options has {unknown[0]!r}; expected some of {', '.join(WEIGHTS)}")

    def weights(draw: Any, name: str, size: int, values: Sequence[float]) -> Any:
        if name not in options or not _bytes(draw, 1)[0] % 2:
            return None
        drawn = _picks(draw, size, values)
        return drawn if any(drawn) or name != "sample_weight" else None

    seeds = st.integers(0, 2**32 - 1)

    @st.composite
    def problems(draw: Any) -> RegressionProblem:
        n, p = draw(st.integers(min_n, max_n)), draw(st.integers(min_p, max_p))
        X = _columns(draw, n, p, degenerate)
        beta = _entries(draw, p, 4, 0.5) * _picks(draw, p, [0.0, 1.0])
        source = _source(draw, beta, degenerate)
        y = X @ beta + _entries(draw, n, 8, 0.13)
        l1, l2 = _levels(draw, float(np.max(np.abs(X.T @ y))) / n or 0.1)
        k = _picks(draw, 1, [1.0, 1.0, 1e-8, 1e8])[0] if degenerate else 1.0
        h = _picks(draw, 1, [1.0, 1.0, 1e-6, 1e6])[0] if degenerate else 1.0
        of_columns = [1.0, 2.0, 0.5, 10.0, 0.0]
        return RegressionProblem(
            h * X,
            k * y,
            h * k * l1,
            h * k * l2,
            source * (k / h),
            beta * (k / h),
            draw(seeds),
            weights(draw, "weights", p, of_columns),
            weights(draw, "source_weights", p, of_columns),
            weights(draw, "sample_weight", n, [1, 2, 3, 0]),
        )

    return problems()
