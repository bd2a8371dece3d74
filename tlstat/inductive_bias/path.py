"""The path of the contour integral in `tlstat.inductive_bias.contour`, and the sum along it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Array = Any

SLOPE = 0.6  # of the path at infinity: 59 degrees from the real axis
FIRST, MOST = 24, 24 << 9  # nodes
_NEGLIGIBLE = 39.0  # the path ends where the modulus is below exp(-39) of the largest
_PEAK = 2.0  # a path whose largest modulus exceeds another's by exp(2) is not taken
_FARTHEST = 150.0  # y at which a path that has not ended is given up
_AGREED = 1e-13  # relative change at which doubling the nodes stops
_EPS = 2.0**-52


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


@dataclass(frozen=True)
class Path:
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
    def through(cls, xp: Any, modes: Modes, q: Array, t: Array, a: Array, *, pole: bool) -> Path:
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


def _best(paths: list[Path]) -> Path:
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


def _reach(path: Path) -> tuple[Array, Array]:
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


def integrate(xp: Any, path: Path, budget: int) -> tuple[Array, Array]:
    """Trapezoidal rule along the path, its nodes doubled until two results agree."""
    points = path.t.shape[0]
    fractions = np.arange(FIRST + 1) / FIRST
    total, absolute, drift = _sums(path, fractions, budget, ends=True)
    value, n = total / FIRST, FIRST
    error = xp.full_like(value, float("inf"))
    size = absolute / FIRST
    rounding = drift
    active = np.arange(points)
    while n < MOST and active.size:
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


def _sums(path: Path, fractions: np.ndarray, budget: int, ends: bool = False) -> Any:
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


def _rows(path: Path, pick: np.ndarray) -> Path:
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
