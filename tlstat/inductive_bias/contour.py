r"""The integral that gives tails and densities of weighted sums of chi-squares, at any depth.

For ``Q = sum_j w_j chi'^2_{df_j}(nc_j) + sd N(0, 1)`` with cumulant generating function ``K``,

.. math:: P(Q > q) = \frac{1}{2\pi i} \int e^{K(s) - s q} \, \frac{ds}{s},

along any path from ``-i inf`` to ``+i inf`` that crosses the real axis in ``(0, 1/(2 max w))``.
Imhof's formula takes the path through 0 and so has absolute accuracy. Here the path crosses at
the minimum of ``K(t) - t q - log t``, where the modulus is largest on the path: nothing cancels,
and the value has relative accuracy however small it is. From there it bends like a hyperbola
towards the side on which ``exp(-s q)`` falls, around the singularities ``1/(2 w_j)``, so that the
integrand falls exponentially even for a single degree of freedom. With the nodes spaced as a
hyperbolic sine, the trapezoidal rule converges geometrically.

If all singularities lie on one side of the crossing, the modulus at any point that is seen from
there at 45 to 90 degrees towards that side is below the one at the crossing (each term of the
exponent is ``-log(1 - z) - z`` or ``z^2/(1 - z)``, whose real parts are negative there); the bend
of 59 degrees keeps to this. With weights of both signs three paths are tried.

All functions take one row a point and work on numpy and torch alike. The densities use the same
path without ``1/s``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log, pi
from typing import Any

import numpy as np

from tlstat.backend import namespace

Array = Any

SLOPE = 0.6  # of the path at infinity: 59 degrees from the real axis
_NEGLIGIBLE = 39.0  # the path ends where the modulus is below exp(-39) of the largest
_PEAK = 2.0  # a path whose largest modulus exceeds another's by exp(2) is not taken
_FARTHEST = 150.0  # y at which a path that has not ended is given up
_FIRST, _MOST = 24, 24 << 9  # nodes
_AGREED = 1e-13  # relative change at which doubling the nodes stops
_EPS = 2.0**-52
_CHUNK = 1 << 18  # points x nodes x modes at once: what fits into a cache
_DEVICE_CHUNK = 1 << 25


@dataclass(frozen=True)
class Modes:
    """Weights, degrees of freedom, non-centralities: each (1 or points, modes); sd: (1 or points,).

    A weight of 0 is padding.
    """

    w: Array
    df: Array
    nc: Array
    sd: Array
    any_nc: bool
    one_sided: bool  # no weights of both signs and no normal part

    def rows(self, pick: Array) -> Modes:
        w, df, nc, sd = (
            a if a.shape[0] == 1 else a[pick] for a in (self.w, self.df, self.nc, self.sd)
        )
        return Modes(w, df, nc, sd, self.any_nc, self.one_sided)

    def reflected(self) -> Modes:
        return Modes(-self.w, self.df, self.nc, self.sd, self.any_nc, self.one_sided)


def log_tail(modes: Modes, q: Array, *, density: bool = False) -> tuple[Array, Array]:
    """``log P(Q > q)``, or the log density at ``q``, and a bound on its error, each (points,).

    ``q`` must lie inside the support; a density is asked for at or above the mean. Weights should
    be of order one. The error is the last change under doubling of the nodes plus the rounding of
    all sums involved; where it is not small the caller decides.
    """
    xp = namespace(q)
    on_device = xp is not np and q.device.type != "cpu"
    budget = _DEVICE_CHUNK if on_device else _CHUNK
    step = max(1, budget // (2 * _FIRST * modes.w.shape[-1]))
    values, errors = [], []
    for first in range(0, q.shape[0], step):
        part = slice(first, first + step)
        value, error = _log_tail(xp, modes.rows(part), q[part], density, budget)
        values.append(value)
        errors.append(error)
    return xp.concat(values), xp.concat(errors)


def _log_tail(xp: Any, modes: Modes, q: Array, density: bool, budget: int) -> tuple[Array, Array]:
    t, a = crossing(xp, modes, q, pole=not density)
    path = _Path.through(xp, modes, q, t, a, pole=not density)
    exponent, rounding = exponent_at(xp, modes, q, t, a)
    integral, error = _integrate(xp, path, budget)
    tiny = xp.full_like(integral, 1e-300)
    value = exponent + xp.log(xp.where(integral > 0, integral, tiny)) - log(pi)
    relative = error / xp.where(integral > 0, integral, tiny)
    return value, relative + rounding


# --- where the path crosses the real axis ------------------------------------------------------


def crossing(
    xp: Any, modes: Modes, q: Array, *, pole: bool, tolerance: float = 0.1
) -> tuple[Array, Array]:
    """The minimum over ``t > 0`` of ``K(t) - t q [- log t]``, and ``a = 1 - 2 w t`` there.

    Newton's method on ``log(P/N)`` where the derivative is ``P - N`` with ``P, N > 0`` sums of
    positive terms, in a coordinate ``u`` of ``(0, 1/(2 max w))`` that resolves both ends; its
    slope is near 1 at both, and a bracket guards it. The tolerance is in units of the path's width;
    the path itself needs no more than a tenth.
    """
    w, df, nc = modes.w, modes.df, modes.nc
    top = xp.max(w, axis=-1)
    variance = xp.sum(2 * w * w * (df + 2 * nc), axis=-1) + modes.sd**2
    gap = q - xp.sum(w * (df + nc), axis=-1)
    bulk = 2 / (xp.sqrt(gap * gap + 4 * variance) - gap)  # the root, were K quadratic
    u = xp.log(xp.where(top > 0, 2 * top * bulk, bulk))
    low, high = xp.full_like(u, -700.0), xp.full_like(u, 700.0)
    u = xp.clip(u, low + 1, high - 1)
    up, down = xp.clip(-q, 0.0, None), xp.clip(q, 0.0, None)
    positive = xp.clip(w, 0.0, None)
    negative = xp.clip(-w, 0.0, None)
    for _ in range(100):
        t, a, dt = from_coordinate(xp, w, top, u)
        first, second = df / a + nc / a**2, 2 * df / a**2 + 4 * nc / a**3
        rising = xp.sum(positive * first, axis=-1) + modes.sd**2 * t + up
        falling = xp.sum(negative * first, axis=-1) + down
        slope_up = xp.sum(positive**2 * second, axis=-1) + modes.sd**2
        slope_down = xp.sum(negative**2 * second, axis=-1)
        if pole:
            falling = falling + 1 / t
            slope_down = slope_down + 1 / t**2
        excess = rising - falling
        if bool(xp.all(xp.abs(excess) <= tolerance * xp.sqrt(slope_up + slope_down))):
            break
        low, high = xp.where(excess < 0, u, low), xp.where(excess < 0, high, u)
        falling = xp.clip(falling, 1e-300, None)
        rising = xp.clip(rising, 1e-300, None)
        slope = (slope_up / rising + slope_down / falling) * dt
        new = u - (xp.log(rising) - xp.log(falling)) / xp.clip(slope, 1e-300, None)
        u = xp.where((new > low) & (new < high), new, (low + high) / 2)
    return t, a


def from_coordinate(xp: Any, w: Array, top: Array, u: Array) -> tuple[Array, Array, Array]:
    """``t``, ``1 - 2 w t`` free of cancellation, and ``dt/du``."""
    e = xp.exp(u)
    bounded = top > 0
    end = xp.where(bounded, 0.5 / xp.where(bounded, top, 1.0), 1.0)
    t = xp.where(bounded, end * (e / (1 + e)), e)
    dt = xp.where(bounded, t / (1 + e), e)
    share = w / xp.where(bounded, top, 1.0)[..., None]
    near = (1 + e[..., None] * (1 - share)) / (1 + e[..., None])
    return t, xp.where(bounded[..., None], near, 1 - 2 * w * t[..., None]), dt


def exponent_at(xp: Any, modes: Modes, q: Array, t: Array, a: Array) -> tuple[Array, Array]:
    """``K(t) - t q`` and its rounding error.

    Modes with ``|2 w t| < 1/2`` are centred: their means are taken off ``q``, so that the large
    terms of the bulk never arise; the others dominate ``q`` themselves.
    """
    w, df, nc = modes.w, modes.df, modes.nc
    y = 2 * w * t[..., None]
    centred = xp.abs(y) < 0.5
    inside = xp.where(centred, y, 0.0)
    logs = xp.where(centred, _log_excess(xp, inside), -xp.log(a))
    shifts = xp.where(centred, y * y, y) / a
    terms = df / 2 * logs + nc / 2 * shifts
    linear = t * (q - xp.sum(xp.where(centred, w * (df + nc), 0.0), axis=-1))
    normal = modes.sd**2 * t**2 / 2
    size = xp.sum(xp.abs(terms), axis=-1) + xp.abs(linear) + normal
    return xp.sum(terms, axis=-1) - linear + normal, 4 * _EPS * (size + 1)


def _log_excess(xp: Any, y: Array) -> Array:
    """``-log(1 - y) - y`` for ``|y| < 1/2``: it is ``2 artanh(r) - y`` with ``r = y/(2 - y)``."""
    r = y / (2 - y)
    square = r * r
    total = xp.zeros_like(y)
    for k in range(16, 0, -1):
        total = square * (1 / (2 * k + 1) + total)
    return y * r + 2 * r * total


# --- the path and what is integrated along it ---------------------------------------------------


@dataclass(frozen=True)
class _Path:
    """``s(y) = t + i v + c (sqrt(B^2 + v^2) - B)`` with ``v = A sinh(y)``, one row a point.

    The exponent along it, relative to the crossing, is ``-sum df/2 log(1 - b d) + sum nc/(2a)
    b d/(1 - b d) - linear d + sd^2 d^2/2`` with ``d = s - t`` and ``b = 2w/a``.
    """

    xp: Any
    modes: Modes
    b: Array
    tilted_nc: Array  # nc/(2a)
    linear: Array
    t: Array
    pole: bool
    scale: Array  # A
    bend: Array  # B
    slope: Array  # c
    end: Array  # y at which the path ends

    @classmethod
    def through(cls, xp: Any, modes: Modes, q: Array, t: Array, a: Array, *, pole: bool) -> _Path:
        w, df = modes.w, modes.df
        b = 2 * w / a
        tilted_nc = modes.nc / (2 * a)
        linear = q - modes.sd**2 * t
        second = xp.sum(b**2 * (df / 2 + 2 * tilted_nc), axis=-1) + modes.sd**2
        third = xp.sum(b**3 * (df + 6 * tilted_nc), axis=-1)
        nearest = xp.max(xp.abs(b), axis=-1)
        if pole:
            second, third = second + 1 / t**2, third - 2 / t**3
            nearest = xp.maximum(nearest, 1 / t)
        width = 1 / xp.sqrt(second)
        scale = 1 / xp.maximum(nearest, 1e-3 / width)
        curvature = third / (6 * second)
        side = xp.sign(q)
        late = xp.maximum(4 / xp.clip(xp.abs(q), 1e-300, None), 5 * width)
        early = SLOPE / (2 * xp.clip(xp.abs(curvature), 1e-300, None))
        bend = xp.where(curvature * side > 0, xp.minimum(early, late), late)
        options = [(side, xp.maximum(bend, scale))]
        natural = q >= xp.sum(w * (df + modes.nc), axis=-1)
        if not (modes.one_sided and bool(xp.all(natural))):
            options += [
                (xp.sign(curvature), xp.maximum(early, scale)),
                (xp.zeros_like(side), scale),
            ]
        start = xp.asinh(2 * width / scale)
        paths = [
            cls(xp, modes, b, tilted_nc, linear, t, pole, scale, bend, SLOPE * side, start)
            for side, bend in options
        ]
        return _best(paths)

    def at(self, y: Array) -> tuple[Array, Array, Array]:
        """Real and imaginary part of the exponent (kernel and ``ds/dy`` included) at (points, n).

        Returns the log-modulus, the phase, and the phase of the weighted terms alone summed in
        modulus, from which their rounding is estimated.
        """
        xp = self.xp
        col = lambda x: x[..., None]  # noqa: E731
        v = col(self.scale) * xp.sinh(y)
        root = xp.sqrt(col(self.bend) ** 2 + v * v)
        # sqrt(B^2 + v^2) - B without cancellation
        re, im = col(self.slope) * v * (v / (root + col(self.bend))), v
        zr, zi = re[..., None] * self.b[:, None, :], im[..., None] * self.b[:, None, :]
        change = zr * (zr - 2) + zi * zi
        half = self.modes.df[..., None] / 2
        log_size = -0.5 * _dot(xp.log1p(change), half)
        turn = _dot(xp.atan2(zi, 1 - zr), half)
        if self.modes.any_nc:
            # z/(1 - z), not less its linear part: that would cancel far out
            over = 1 / (1 + change)
            nc = self.tilted_nc[..., None]
            log_size = log_size + _dot((zr * (1 - zr) - zi * zi) * over, nc)
            turn = turn + _dot(zi * over, nc)
        variance = col(self.modes.sd) ** 2
        log_size = log_size - col(self.linear) * re + variance * (re - im) * (re + im) / 2
        turn = turn - col(self.linear) * im + variance * re * im
        # ds/dy = A cosh(y) (i + c v/root)
        lean = col(self.slope) * v / root
        log_size = log_size + xp.log(xp.cosh(y)) + 0.5 * xp.log1p(lean * lean)
        turn = turn + xp.atan2(xp.ones_like(lean), lean)
        if self.pole:
            # scale/t kept together: both may be 1e40
            ratio_r, ratio_i = re / col(self.t), im / col(self.t)
            log_size = log_size - 0.5 * xp.log1p(ratio_r * (2 + ratio_r) + ratio_i * ratio_i)
            turn = turn - xp.atan2(ratio_i, 1 + ratio_r)
        return log_size, turn, xp.abs(col(self.linear) * im) + xp.abs(turn)

    @property
    def factor(self) -> Array:
        """What the integrand is multiplied by: ``A/t``, or ``A`` without the kernel."""
        return self.scale / self.t if self.pole else self.scale


def _dot(terms: Array, factors: Array) -> Array:
    """Sum over modes: (points, nodes, modes) with (1 or points, modes, 1)."""
    return (terms @ factors)[..., 0]


def _best(paths: list[_Path]) -> _Path:
    """The path that ends first among those on which the modulus stays low, row by row."""
    found = [_reach(path) for path in paths]
    if len(paths) == 1:
        return replace(paths[0], end=found[0][0])
    xp, first = paths[0].xp, paths[0]
    lowest = found[0][1]
    for _, peak in found[1:]:
        lowest = xp.minimum(lowest, peak)
    end, bend, slope = xp.full_like(lowest, float("inf")), first.bend, first.slope
    for path, (other, peak) in zip(paths, found, strict=True):
        better = (peak <= lowest + _PEAK) & (other < end)
        end = xp.where(better, other, end)
        bend, slope = xp.where(better, path.bend, bend), xp.where(better, path.slope, slope)
    return replace(first, bend=bend, slope=slope, end=end)


def _reach(path: _Path) -> tuple[Array, Array]:
    """Where the modulus has become negligible, and its maximum so far."""
    xp = path.xp
    y = xp.ones_like(path.t) * path.end
    peak = xp.zeros_like(y)
    for _ in range(60):
        size = path.at(y[:, None])[0][:, 0]
        peak = xp.maximum(peak, size)
        going = (size > -_NEGLIGIBLE) & (y < _FARTHEST)
        if not bool(xp.any(going)):
            break
        y = xp.where(going, y * 1.2, y)
    # a path that does not end is worse than any that does
    ended = size <= -_NEGLIGIBLE
    return y, xp.where(ended & (peak < 1e3), peak, xp.full_like(peak, 1e3))


def _integrate(xp: Any, path: _Path, budget: int) -> tuple[Array, Array]:
    """Trapezoidal rule along the path, its nodes doubled until two results agree."""
    points = path.t.shape[0]
    fractions = np.arange(_FIRST + 1) / _FIRST
    total, absolute, drift = _sums(path, fractions, budget, ends=True)
    value, n = total / _FIRST, _FIRST
    error = xp.full_like(value, float("inf"))
    size = absolute / _FIRST
    rounding = drift
    active = np.arange(points)
    while n < _MOST and active.size:
        part = path if active.size == points else _rows(path, active)
        extra, more, drift = _sums(part, (np.arange(n) + 0.5) / n, budget)
        n *= 2
        old = value[active]
        new = (old + extra / (n / 2)) / 2
        change = xp.abs(new - old)
        value, size, error, rounding = (
            _put(xp, target, active, source)
            for target, source in (
                (value, new),
                (size, (size[active] + more / (n / 2)) / 2),
                (error, change),
                (rounding, xp.maximum(rounding[active], drift)),
            )
        )
        floor = 8 * _EPS * (1 + rounding[active])
        done = change <= xp.clip(floor, _AGREED, None) * size[active]
        active = active[~np.asarray(_host(done))]
    scale = path.factor * path.end
    return value * scale, (error + _EPS * (2 + rounding) * size) * scale


def _sums(path: _Path, fractions: np.ndarray, budget: int, ends: bool = False) -> Any:
    """Sum of the integrand and of its modulus over nodes, and the largest phase that mattered."""
    xp = path.xp
    step = max(1, budget // (path.t.shape[0] * path.b.shape[-1]))
    total = absolute = drift = 0.0 * path.t
    for first in range(0, fractions.size, step):
        part = fractions[first : first + step]
        weight = np.ones(part.size)
        if ends:
            weight[part == 0] = weight[part == 1] = 0.5
        y = path.end[:, None] * xp.asarray(part, dtype=path.t.dtype, device=path.t.device)
        log_size, turn, phase = path.at(y)
        size = xp.exp(log_size) * xp.asarray(weight, dtype=y.dtype, device=y.device)
        total = total + xp.sum(size * xp.sin(turn), axis=-1)
        absolute = absolute + xp.sum(size, axis=-1)
        drift = xp.maximum(drift, xp.max(xp.where(size > 1e-4, phase, 0.0), axis=-1))
    return total, absolute, drift


def _rows(path: _Path, pick: np.ndarray) -> _Path:
    modes = path.modes.rows(pick)
    fields = ("b", "tilted_nc", "linear", "t", "scale", "bend", "slope", "end")
    changes = {name: getattr(path, name)[pick] for name in fields}
    return replace(path, modes=modes, **changes)


def _put(xp: Any, target: Array, rows: np.ndarray, source: Array) -> Array:
    if rows.size == target.shape[0]:
        return source
    target = xp.asarray(target, copy=True)
    target[rows] = source
    return target


def _host(x: Array) -> Any:
    return x if isinstance(x, np.ndarray) else x.cpu().numpy()
