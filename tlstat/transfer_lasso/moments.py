"""Many small problems at once, each given by its second moments alone::

    minimise   1/2 b'Gb - g'b + sum_j (a_j |b_j| + c_j |b_j - b0_j|)

with ``G = X'X/n`` and ``g = X'y/n``: the cost depends on the number of columns, never on ``n``.
Meant for Monte Carlo with few columns and any number of rows; from data use `solver.solve`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from tlstat.errors import InputError
from tlstat.transfer_lasso.kernels import prox

__all__ = ["Folds", "cross_validated", "draw_folds", "moments_kkt", "solve_moments"]

Array = Any


@njit(cache=True)
def _descend(gram, moment, a, c, b0, coef, tol, max_iter):  # type: ignore[no-untyped-def]
    """Cyclic coordinate descent in place; the largest last move of each problem's gradient."""
    batch, p = moment.shape
    left = np.zeros(batch)
    for r in range(batch):
        G, b = gram[r], coef[r]
        w = moment[r].copy()
        scale = 0.0
        for j in range(p):
            scale = max(scale, abs(w[j]))
        for j in range(p):
            if b[j] != 0.0:
                for k in range(p):
                    w[k] -= G[k, j] * b[j]
        for _ in range(max_iter):
            left[r] = 0.0
            for j in range(p):
                h = G[j, j]
                if h <= 0.0:
                    continue  # a zero column: the start is its solution
                new = prox(w[j] + h * b[j], h, a[r, j], c[r, j], b0[r, j])
                step = new - b[j]
                if step != 0.0:
                    b[j] = new
                    for k in range(p):
                        w[k] -= G[k, j] * step
                    left[r] = max(left[r], h * abs(step))
                    scale = max(scale, h * abs(new))  # the moments may be 0
            if left[r] <= tol * scale:
                break
        if left[r] <= tol * scale:
            left[r] = 0.0
    return left


def solve_moments(
    gram: Array,
    moment: Array,
    a: Array,
    c: Array,
    source_coef: Array = 0.0,
    *,
    tol: float = 1e-14,
    max_iter: int = 100_000,
) -> Array:
    """Transfer lassos of a batch of problems by coordinate descent.

    Parameters
    ----------
    gram : array, shape (..., p, p)
        ``X'X/n``, positive semi-definite.
    moment : array, shape (..., p)
        ``X'y/n``.
    a, c, source_coef : array, broadcast to (..., p)
        ``l1 u``, ``l2 v`` and ``b0``.
    tol : float
        A sweep that moves the gradient by no more than this share of its largest parts, the
        moments and those of the coefficients, is the last.
    max_iter : int
        Largest number of sweeps.

    Returns
    -------
    array, shape (..., p)
        Exactly 0 or exactly ``source_coef`` where the penalty holds a coordinate there.

    Raises
    ------
    InputError
        For shapes that do not fit, a negative or non-finite input, a zero column whose moment is
        above its penalty (then there is no minimiser), or sweeps that do not suffice.
    """
    gram, moment = np.asarray(gram, dtype=float), np.asarray(moment, dtype=float)
    p = moment.shape[-1] if moment.ndim else 0
    if p == 0 or gram.shape[-2:] != (p, p):
        raise InputError(
            f"gram has shape {gram.shape} and moment {moment.shape}; expected (..., p, p), (..., p)"
        )
    given = {"a": a, "c": c, "source_coef": source_coef, "moment": moment}
    try:
        shape = np.broadcast_shapes(gram.shape[:-1], *(np.shape(v) for v in given.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {np.shape(value)}" for name, value in given.items())
        raise InputError(
            f"gram has shape {gram.shape} with {shapes}; expected shapes that broadcast"
        ) from None
    full = {k: np.broadcast_to(np.asarray(v, float), shape) for k, v in given.items()}
    for name, value in {**full, "gram": gram}.items():
        if not np.all(np.isfinite(value)):
            raise InputError(f"{name} has NaN or infinite entries; expected finite numbers")
        if name in ("a", "c") and np.any(value < 0):
            raise InputError(f"{name} is {value.min():g} at its lowest; expected 0 or above")
    flat = {k: np.ascontiguousarray(v.reshape(-1, p)) for k, v in full.items()}
    grams = np.ascontiguousarray(np.broadcast_to(gram, (*shape, p)).reshape(-1, p, p))
    coef = _at_zero_columns(grams, **flat)
    left = _descend(
        grams, flat["moment"], flat["a"], flat["c"], flat["source_coef"], coef, tol, max_iter
    )
    if np.any(left > 0):
        raise InputError(
            f"{int(np.sum(left > 0))} of {len(left)} problems did not converge in {max_iter} "
            "sweeps; raise max_iter or tol"
        )
    return coef.reshape(shape)


def _at_zero_columns(
    grams: Array, moment: Array, a: Array, c: Array, source_coef: Array
) -> np.ndarray:
    """Where descent starts: at 0, but where a column is zero at the knot that costs less."""
    zero = np.diagonal(grams, axis1=1, axis2=2) <= 0
    free = zero & (np.abs(moment) > a + c)
    if np.any(free):
        r, j = np.argwhere(free)[0]
        raise InputError(
            f"moment is {moment[r, j]:g} at a column whose gram is {grams[r, j, j]:g}, above its "
            f"penalty a + c = {a[r, j] + c[r, j]:g}: nothing bounds that coefficient"
        )
    cheaper = (a - c) * np.abs(source_coef) < moment * source_coef
    return np.where(zero & cheaper, source_coef, 0.0)


def moments_kkt(
    coef: Array, gram: Array, moment: Array, a: Array, c: Array, source_coef: Array = 0.0
) -> Array:
    """Euclidean distance of the gradient to the subdifferential, shape (...): a certificate.

    The minimiser lies within this distance over the smallest eigenvalue of ``gram``.
    """
    from tlstat.transfer_lasso.penalty import subgradient_distance

    coef = np.asarray(coef, dtype=float)
    w = np.asarray(moment) - np.einsum("...jk,...k->...j", np.asarray(gram), coef)
    return np.linalg.norm(subgradient_distance(w, coef, a, c, source_coef), axis=-1)


class Folds(NamedTuple):
    """Second moments of the parts of samples: shapes (size, k, p, p), (size, k, p) and (k,)."""

    gram: Array
    moment: Array
    n: Array

    @property
    def whole(self) -> tuple[Array, Array]:
        """The moments of all parts together."""
        share = self.n / np.sum(self.n)
        gram = np.einsum("k,rkij->rij", share, self.gram)
        return gram, np.einsum("k,rki->ri", share, self.moment)

    def without_one(self) -> tuple[Array, Array]:
        """The moments without each part, shapes as those of the parts."""
        left = np.sum(self.n) - self.n
        gram, moment = (np.sum(self.n) * x[:, None] for x in self.whole)
        gram = gram - self.n[:, None, None] * self.gram
        moment = moment - self.n[:, None] * self.moment
        return gram / left[:, None, None], moment / left[:, None]


def draw_folds(model: Any, n: int, k: int, rng: Any, size: int) -> Folds:
    """``size`` samples of ``n`` rows in ``k`` parts that are as equal as can be (``k <= n``)."""
    if not 1 < k <= n:
        raise InputError(f"k is {k!r}; expected 2 or more parts and no more than n = {n} rows")
    rows = np.full(k, n // k)
    rows[: n % k] += 1
    parts = [model.draw_moments(int(part), rng, size) for part in rows]
    return Folds(
        np.stack([part[0] for part in parts], axis=1),
        np.stack([part[1] for part in parts], axis=1),
        rows,
    )


def cross_validated(
    folds: Folds,
    a: Array,
    c: Array,
    source_coef: Array,
    *,
    beside: tuple[Array, Array, float] | None = None,
    tol: float = 1e-8,
) -> tuple[Array, Array]:
    """Choose one of several penalties by cross-validation, sample by sample.

    Parameters
    ----------
    folds : Folds
    a, c : array, broadcast to (size, penalties, p)
    source_coef : array, shape (size, p)
    beside : (gram, moment, m), optional
        Moments of ``m`` rows, (size, p, p) and (size, p), that are in every training sample and
        never held out: rows of a source.
    tol : float
        As for `solve_moments`.

    Returns
    -------
    coef : array, shape (size, p)
        Fitted on the whole sample with the penalty chosen.
    chosen : array of int, shape (size,)
        The penalty with the least squared error, summed over the rows held out.
    """
    size, k, p = folds.moment.shape
    a, c = (np.broadcast_to(x, (size, np.shape(x)[-2], p)) for x in (a, c))
    gram, moment = folds.without_one()
    whole_gram, whole = folds.whole
    if beside is not None:
        G, g, m = beside
        left = (np.sum(folds.n) - folds.n)[:, None]
        gram = (left[:, :, None] * gram + m * G[:, None]) / (left[:, :, None] + m)
        moment = (left * moment + m * g[:, None]) / (left + m)
        n = np.sum(folds.n)
        whole_gram, whole = (n * whole_gram + m * G) / (n + m), (n * whole + m * g) / (n + m)
    b0 = np.asarray(source_coef)
    coef = solve_moments(
        gram[:, :, None], moment[:, :, None], a[:, None], c[:, None], b0[:, None, None], tol=tol
    )
    error = np.einsum("rkli,rkij,rklj->rkl", coef, folds.gram, coef, optimize=True)
    error = error - 2 * np.einsum("rkli,rki->rkl", coef, folds.moment)
    chosen = np.argmin(np.einsum("k,rkl->rl", folds.n, error), axis=1)
    rows = np.arange(size)
    return solve_moments(whole_gram, whole, a[rows, chosen], c[rows, chosen], b0, tol=tol), chosen
