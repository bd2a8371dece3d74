"""Strategies: subspaces at chosen angles, heads of tasks, and multi-task regression problems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "Heads",
    "MultiTask",
    "Subspaces",
    "basis",
    "multitask_problems",
    "require",
    "rotation",
    "subspace_pairs",
    "task_heads",
]


def require(ok: Any, message: str) -> None:
    """An assertion that survives ``python -O``."""
    if not ok:
        raise AssertionError(message)


def rotation(rng: np.random.Generator, d: int) -> np.ndarray:
    """A random orthogonal matrix, shape (d, d)."""
    return np.asarray(np.linalg.qr(rng.normal(size=(d, d)))[0])


def basis(rng: np.random.Generator, d: int, r: int) -> np.ndarray:
    """A random matrix with orthonormal columns, shape (d, r)."""
    return rotation(rng, d)[:, :r]


@dataclass(frozen=True, eq=False)
class Subspaces:
    """Two r-dimensional subspaces of R^d with known principal angles.

    ``B_hat`` and ``B`` (d, r) have orthonormal columns; ``angles`` (r,) are largest first.
    """

    B_hat: np.ndarray
    B: np.ndarray
    angles: np.ndarray
    seed: int

    def __repr__(self) -> str:
        d, r = self.B.shape
        return f"Subspaces(d={d}, r={r}, angles={self.angles.tolist()}, seed={self.seed})"

    @property
    def rng(self) -> np.random.Generator:
        """A fresh generator for what else a law draws."""
        return np.random.default_rng(self.seed)


def subspace_pairs(max_d: int = 7) -> Any:
    """A strategy for `Subspaces`; angles are 0, tiny, of any size or right ones."""
    from hypothesis import strategies as st

    angle = st.sampled_from([0.0, 1e-9, 1e-5, np.pi / 2]) | st.floats(0.01, 1.5)

    @st.composite
    def pairs(draw: Any) -> Subspaces:
        d = draw(st.integers(2, max_d))
        r = draw(st.integers(1, d // 2))
        angles = np.sort(draw(st.lists(angle, min_size=r, max_size=r)))[::-1]
        seed = draw(st.integers(0, 2**32 - 1))
        rng = np.random.default_rng(seed)
        frame = rotation(rng, d)
        B, away = frame[:, :r], frame[:, r : 2 * r]
        B_hat = (B * np.cos(angles) + away * np.sin(angles)) @ rotation(rng, r)
        return Subspaces(B_hat, B @ rotation(rng, r), angles, seed)

    return pairs()


@dataclass(frozen=True, eq=False)
class Heads:
    """Heads ``A`` (t, r) of source tasks, one a row."""

    A: np.ndarray
    seed: int

    def __repr__(self) -> str:
        return f"Heads(A={self.A.tolist()}, seed={self.seed})"

    @property
    def C(self) -> np.ndarray:
        """``A'A/t``."""
        return self.A.T @ self.A / len(self.A)

    @property
    def rng(self) -> np.random.Generator:
        """A fresh generator for what else a law draws."""
        return np.random.default_rng(self.seed)


def task_heads(max_t: int = 8, max_r: int = 4, *, spanning: bool = False) -> Any:
    """A strategy for `Heads`, with uneven directions; ``spanning`` asks for ``t >= r``."""
    from hypothesis import strategies as st

    @st.composite
    def heads(draw: Any) -> Heads:
        r = draw(st.integers(1, max_r))
        t = draw(st.integers(r if spanning else 1, max(max_t, r)))
        seed = draw(st.integers(0, 2**32 - 1))
        scale = draw(st.lists(st.sampled_from([1.0, 0.3, 2.0]), min_size=r, max_size=r))
        rng = np.random.default_rng(seed)
        return Heads(rng.normal(size=(t, r)) * scale @ rotation(rng, r), seed)

    return heads()


class MultiTask:
    """Tasks ``y_j = X_j B alpha_j + noise`` with Gaussian covariates of covariance I.

    ``X`` and ``y`` are lists, ``B`` (d, r) is the truth.
    """

    # no dataclass: hypothesis would print every entry of those
    def __init__(
        self, X: list[np.ndarray], y: list[np.ndarray], B: np.ndarray, sigma: float, seed: int
    ) -> None:
        self.X, self.y, self.B, self.sigma, self.seed = X, y, B, sigma, seed

    def __repr__(self) -> str:
        sizes = [len(out) for out in self.y]
        d, r = self.B.shape
        return f"MultiTask(d={d}, r={r}, n={sizes}, sigma={self.sigma}, seed={self.seed})"

    @property
    def r(self) -> int:
        """Rank of the truth."""
        return int(self.B.shape[1])

    @property
    def rng(self) -> np.random.Generator:
        """A fresh generator for what else a law draws."""
        return np.random.default_rng(self.seed)


def multitask_problems(*, noise: float | None = None, large: bool = False) -> Any:
    """A strategy for `MultiTask`, with tasks of different sizes.

    Parameters
    ----------
    noise : float, optional
        Standard deviation; one of several by default.
    large : bool
        Samples enough for any consistent learner.
    """
    from hypothesis import strategies as st

    @st.composite
    def problems(draw: Any) -> MultiTask:
        r = draw(st.integers(1, 2))
        d = draw(st.integers(r + 2, 5))
        seed = draw(st.integers(0, 2**32 - 1))
        sigma = draw(st.sampled_from([0.0, 0.1, 1.0])) if noise is None else noise
        rng = np.random.default_rng(seed)
        t = 40 if large else draw(st.integers(3 * r, 8))
        sizes = rng.integers(200, 300, t) if large else rng.integers(6 + 3 * r, 25, t)
        B = basis(rng, d, r)
        # signs times scales: no direction is weak, and heads differ in norm
        heads = rng.choice([-1.0, 1.0], (t, r)) * rng.uniform(0.7, 1.3, (t, 1))
        heads[:r] = np.eye(r)
        X = [rng.normal(size=(n, d)) for n in sizes]
        y = [x @ (B @ a) + sigma * rng.normal(size=len(x)) for x, a in zip(X, heads, strict=True)]
        return MultiTask(X, y, B, sigma, seed)

    return problems()
