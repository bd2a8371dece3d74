"""Lower and upper tails of many spectra at many points at once, on numpy or torch (CUDA too)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tlstat.backend import namespace
from tlstat.errors import InputError
from tlstat.inductive_bias.contour import Modes, log_tail

Array = Any

_SMALLEST = 1e-60


def contour_batch(
    weights: Array,
    x: Array,
    *,
    df: Array = 1.0,
    nc: Array = 0.0,
    shift: Array = 0.0,
    tail: str = "lower",
) -> tuple[Array, Array]:
    """Exact ``log P(e <= x)`` or ``log P(e > x)`` for rows of weights.

    The same integral as `GeneralizedChiSquared`'s, in chunks that bound the memory: about 50 MB
    on the host, 2 GB on a device.

    Parameters
    ----------
    weights : array, shape (spectra, modes)
        numpy or torch (any device), any sign; zeros are padding.
    x : array, shape (spectra, points), (points,) or ()
        Where the tails are taken, in the spectra's own order; a single row serves all.
    df, nc : array or float, broadcast to ``weights``
    shift : array or float, shape (spectra,)
    tail : {"lower", "upper"}

    Returns
    -------
    log_value, error : array, shape (spectra, points)
        Nats; outside the support 0 or ``-inf``. The error is an estimate; check that it is small
        (no warning is given here).

    Raises
    ------
    InputError
        If a shape is wrong, or an entry is not finite or out of range; if the weights of a row
        differ by more than a factor of 1e60 or are all 0.
    """
    if tail not in ("lower", "upper"):
        raise InputError(f"tail is {tail!r}; expected 'lower' or 'upper'")
    xp = namespace(weights)
    device = None if xp is np else weights.device
    w = xp.asarray(weights, dtype=xp.float64)
    if w.ndim != 2 or 0 in tuple(w.shape):
        raise InputError(f"weights has shape {tuple(w.shape)}; expected (spectra, modes)")

    def like(value: Any) -> Array:
        return xp.asarray(value, dtype=xp.float64, device=device)

    df, nc = (xp.broadcast_to(like(v), w.shape) for v in (df, nc))
    size = xp.max(xp.abs(w), axis=1)
    _check(xp, w, df, nc, size)
    points = like(x)
    points = points if points.ndim else points[None]
    points = xp.broadcast_to(points, (w.shape[0], points.shape[-1]))
    if not bool(xp.all(xp.isfinite(points))):
        raise InputError("x has entries that are not finite; expected finite numbers")
    q = (points - xp.broadcast_to(like(shift), (w.shape[0],))[:, None]) / size[:, None]
    w = w / size[:, None]
    positive, negative = xp.any(w > 0, axis=1)[:, None], xp.any(w < 0, axis=1)[:, None]
    below, above = (q <= 0) & ~negative, (q >= 0) & ~positive
    lower = q < xp.sum(w * (df + nc), axis=1)[:, None]
    small, error = xp.zeros_like(q), xp.zeros_like(q)
    one_sided = bool(xp.all(positive ^ negative))
    any_nc = bool(xp.any(nc > 0))
    for side, sign in ((lower & ~below, -1.0), (~lower & ~above, 1.0)):
        row, column = xp.nonzero(side)
        if not row.shape[0]:
            continue
        pick = row if w.shape[0] > 1 else row[:1]
        modes = Modes(
            sign * w[pick], df[pick], nc[pick], xp.zeros_like(q[0, :1]), any_nc, one_sided
        )
        with np.errstate(all="ignore"):
            small[row, column], error[row, column] = log_tail(modes, sign * q[row, column])
    small = xp.where(lower & below, -float("inf") + 0 * q, small)
    small = xp.where(~lower & above, -float("inf") + 0 * q, small)
    wanted = lower if tail == "lower" else ~lower
    p = xp.exp(xp.clip(small, None, 0.0))
    rest = xp.clip(-xp.expm1(xp.clip(small, None, 0.0)), 1e-300, None)
    return xp.where(wanted, small, xp.log(rest)), xp.where(wanted, error, error * p / rest)


def _check(xp: Any, w: Array, df: Array, nc: Array, size: Array) -> None:
    for name, value, ok, expected in (
        ("weights", w, xp.isfinite(w), "finite numbers"),
        ("df", df, xp.isfinite(df) & (df > 0), "finite numbers above 0"),
        ("nc", nc, xp.isfinite(nc) & (nc >= 0), "finite numbers, 0 or above"),
    ):
        if not bool(xp.all(ok)):
            bad = float(value[~ok][0])
            raise InputError(f"{name} has the value {bad}; expected {expected}")
    tiny = (w != 0) & (xp.abs(w) < _SMALLEST * size[:, None])
    if bool(xp.any(size == 0)) or bool(xp.any(tiny)):
        raise InputError(
            "weights has a row of zeros, or one whose entries differ by more than a factor of "
            f"{1 / _SMALLEST:.0e}; expected a positive largest size and comparable entries"
        )
