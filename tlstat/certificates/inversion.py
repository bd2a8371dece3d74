"""Inversion of the binomial tail and of the binary relative entropy, vectorised and conservative.

Every argument broadcasts; levels enter as ``log(1/delta)``, so that nothing is lost for
``delta = 1e-300`` or ``M = 1e300`` candidates. An upper limit is never below the exact value for
the floats that were passed: it is raised by the relative amount `MARGIN`, which exceeds the
rounding error (at most 5e-15, against 50 digits). All certificates use the same margin, so it
preserves their order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tlstat.certificates import kernels
from tlstat.errors import InputError

Floats = NDArray[np.float64]

MARGIN = 2.0**-46


def raised(x: Any) -> Any:
    """``x (1 + MARGIN)``: what was exact up to rounding is now an upper limit."""
    return x * (1 + MARGIN)


def kl_upper_inverse(q: ArrayLike, c: ArrayLike) -> Any:
    """``sup{p in [q, 1] : kl(q||p) <= c}``, rounded upwards.

    Parameters
    ----------
    q : array_like
        Empirical rate in [0, 1].
    c : array_like
        Budget in nats, 0 or above; infinity gives 1.

    Returns
    -------
    float or ndarray
        At most a relative 2e-14 above the exact value, never below.

    Raises
    ------
    InputError
        If q leaves [0, 1] or c is negative or NaN.
    """
    q, c = np.asarray(q, float), np.asarray(c, float)
    require((q >= 0) & (q <= 1), q, "q", "rates in [0, 1]")
    require(c >= 0, c, "c", "budgets of 0 or above")
    out = np.where(c > 0, raised(run(kernels.kl_upper_loop, q, c)), q)
    return scalar(np.minimum(out, 1.0))


def kl_divergence(q: ArrayLike, p: ArrayLike) -> Any:
    """``kl(q||p) = q log(q/p) + (1-q) log((1-q)/(1-p))`` in nats, with ``0 log 0 = 0``."""
    q, p = np.asarray(q, float), np.asarray(p, float)
    require((q >= 0) & (q <= 1), q, "q", "rates in [0, 1]")
    require((p >= 0) & (p <= 1), p, "p", "probabilities in [0, 1]")
    return scalar(run(kernels.kl_loop, q, p))


def log_binomial_cdf(k: ArrayLike, n: ArrayLike, p: ArrayLike) -> Any:
    """``log P(Bin(n, p) <= k)``, accurate in both tails and for ``n`` up to 1e9.

    Raises
    ------
    InputError
        If not 0 <= k <= n whole, n >= 1 and 0 <= p <= 1.
    """
    k, n = counts(k, n)
    p = np.asarray(p, float)
    require((p >= 0) & (p <= 1), p, "p", "probabilities in [0, 1]")
    return scalar(run(kernels.log_cdf_loop, k, n, p))


def binomial_upper(k: Floats, n: Floats, log_inv_delta: Floats) -> Floats:
    """``sup{p : P(Bin(n, p) <= k) >= delta}`` for checked arrays, rounded upwards."""
    return np.minimum(raised(run(kernels.binomial_upper_loop, k, n, log_inv_delta)), 1.0)


def hypergeometric_upper(k: Floats, n: Floats, log_inv_delta: Floats, pool: Floats) -> Floats:
    """The largest error rate of a pool that ``k`` errors in a subset of ``n`` do not reject."""
    top = run(kernels.hypergeometric_upper_loop, k, n, pool, log_inv_delta)
    return np.minimum(raised(top / pool), 1.0)


# --- shared checks -----------------------------------------------------------------------------


def require(ok: Any, value: Any, name: str, expected: str) -> None:
    """InputError that shows the first offending entry."""
    if np.all(ok):
        return
    bad = ~np.broadcast_to(ok, np.shape(value))
    at = np.argwhere(bad)[0] if bad.ndim else ()
    where = f" at index {', '.join(str(i) for i in at)}" if len(at) else ""
    raise InputError(f"{name} must be {expected}, got {np.asarray(value)[tuple(at)]!s}{where}")


def counts(k: ArrayLike, n: ArrayLike, whole: bool = True) -> tuple[Floats, Floats]:
    """Errors and examples as floats; ``whole=False`` admits sums of losses in [0, 1] as ``k``."""
    k, n = numbers(k, "k"), numbers(n, "n")
    require((n >= 1) & (n == np.floor(n)) & np.isfinite(n), n, "n", "a whole number of at least 1")
    require(n < 2.0**53, n, "n", "below 2**53")
    k, n = (np.asarray(v) for v in np.broadcast_arrays(k, n))
    what = "a count of errors" if whole else "a sum of losses"
    require((k >= 0) & (k <= n), k, "k", f"{what} between 0 and n")
    if whole:
        hint = " (not a rate, not a sum of soft losses)"
        require(k == np.floor(k), k, "k", "a whole count of errors" + hint)
    return k, n


def numbers(value: ArrayLike, name: str) -> Floats:
    """A float64 array; a float32 sum has been rounded already, so it is refused."""
    out = np.asarray(value)
    if out.dtype.kind not in "fiub":
        raise InputError(f"{name} must be numbers, got dtype {out.dtype}")
    if out.dtype.kind == "f" and out.dtype.itemsize < 8:
        raise InputError(
            f"{name} must be float64 or integers, got {out.dtype}: "
            "a sum in low precision may have been rounded down"
        )
    return out.astype(np.float64, copy=False)


def run(loop: Callable[..., None], *args: Any) -> Floats:
    """A compiled loop over broadcast arguments."""
    shape = np.broadcast_shapes(*(np.shape(a) for a in args))
    # a copy: the loops take contiguous, writeable arrays of one type
    flat = [np.array(np.broadcast_to(a, shape), dtype=np.float64).reshape(-1) for a in args]
    out = np.empty(shape)
    loop(*flat, out.reshape(-1))
    return out


def scalar(x: Any) -> Any:
    return float(x) if np.ndim(x) == 0 else x
