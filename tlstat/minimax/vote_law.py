"""Laws of signed sums: agreements minus disagreements of ``n`` points with a sign.

A point falls on the atom with probability ``p`` and then agrees with probability
``(1 + delta)/2``. The law is the inverse Fourier transform of the ``n``-th power of the step's
characteristic function, on a window outside which less than 1e-16 of the mass lies. All phases
are taken relative to the centre of the window, and no difference of nearly equal numbers is
formed, so the probabilities are good to about 1e-16 at every ``n``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tlstat.errors import InputError

_LOG_TAIL = 38.0  # mass left outside a window: exp(-38), below 1e-16
MAX_WINDOW = 1 << 26
_LOG_NEGLIGIBLE = 45.0
_SERIES = 0.1  # below this angle, differences of nearly equal numbers are summed as series


class SignedSums:
    """Signed sums of many samples at once, each on its own window.

    Signals may lie in [-1, 1] here; `vote_error` asks for [0, 1].
    """

    def __init__(
        self, n: np.ndarray, p: np.ndarray, delta: np.ndarray, *, poissonised: bool
    ) -> None:
        self.n, self.p, self.delta, self.poissonised = n, p, delta, poissonised
        mean = n * p * delta
        variance = n * p * (1.0 if poissonised else _one_minus_square(p, delta))
        bernstein = np.sqrt(2 * _LOG_TAIL * variance) + 4 * _LOG_TAIL / 3
        half = np.ceil(np.minimum(bernstein, _bennett(n * p))) + 1
        whole = (n <= half) & (not poissonised)
        self.length = _fast_length(2 * np.where(whole, n, half) + 1)
        if self.length.size and self.length.max() > MAX_WINDOW:
            worst = int(np.argmax(self.length))
            raise InputError(
                f"a sample with n * p = {n[worst] * p[worst]:.3g} needs a window of "
                f"{self.length[worst]:.3g} points; at most {MAX_WINDOW} are handled"
            )
        self.centre = np.where(whole, 0.0, np.round(mean))
        self.start = self.centre - self.length // 2
        self.shift = mean - self.centre
        self.reach = self._reach()

    def _reach(self) -> np.ndarray:
        """Angle beyond which the characteristic function is below ``exp(-45)``, or pi.

        In ``v = 1 - cos(theta)`` the squared modulus of a step is a convex parabola from 1 at
        ``v = 0`` to ``(2p - 1)^2`` at ``v = 2``, so below its chord from 0 to 1, and beyond 1 below
        the larger of its values there and at 2.
        """
        n, p, delta = self.n, self.p, self.delta
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if self.poissonised:
                v = _LOG_NEGLIGIBLE / (n * p)
                local = v < 1
            else:
                drop = p * (2 * _one_minus_square(p, delta) - p * (1 - delta) * (1 + delta))
                v = -np.expm1(-2 * _LOG_NEGLIGIBLE / n) / drop
                parity = np.log1p(-2 * (1 - np.maximum(p, 0.5)))
                local = (v < 1) & ((p <= 0.5) | (-n * parity > _LOG_NEGLIGIBLE))
        return np.where(local, 2 * np.arcsin(np.sqrt(np.where(local, v, 0.5) / 2)), np.pi)

    def pmf(self, rows: np.ndarray) -> np.ndarray:
        """Probabilities of rows with one window length, shape (rows, length)."""
        length = int(self.length[rows[0]])
        if length == 1:
            return np.ones((rows.size, 1))
        turn = 2 * np.pi / length
        used = min(length // 2, int(np.ceil(self.reach[rows].max() / turn)))
        angles = _Angles(turn * np.arange(used + 1), whole=used == length // 2)
        log_size, phase = self._characteristic(rows, angles)
        spectrum = np.exp(log_size - 1j * phase)
        spectrum[:, 1::2] *= -1  # moves the centre of the window from index 0 to length/2
        return np.fft.irfft(spectrum, n=length, axis=1)

    def _characteristic(self, rows: np.ndarray, angles: _Angles) -> tuple[Any, Any]:
        """Log-modulus and phase of ``E exp(i theta (S - centre))``."""
        n, p, delta = (a[rows, None] for a in (self.n, self.p, self.delta))
        shift = self.shift[rows, None]
        if self.poissonised:
            phase = n * p * delta * angles.sine_excess + shift * angles.theta
            return -n * p * angles.versine, phase
        log_size, excess = _step(p, delta, angles)
        phase = n * excess + shift * angles.theta
        log_size = n * log_size
        if angles.whole and (p > 0.5).any():
            self._parity(rows, angles, log_size, phase)
        return log_size, phase

    def _parity(self, rows: np.ndarray, angles: _Angles, log_size: Any, phase: Any) -> None:
        """Beyond a right angle, in place, for rows with ``p > 1/2``.

        At ``theta = pi`` the steps' modulus is ``2p - 1``: with ``p`` near 1 the sum keeps its
        parity. There ``phi(pi - t) = -(2p - 1) conj(phi'(t))``, where ``phi'`` has ``p/(2p - 1)``
        in place of ``p``, which is as accurate near ``pi`` as the other form is near 0.
        """
        odd = np.flatnonzero(self.p[rows] > 0.5)
        far = np.flatnonzero(angles.theta > 0.5 * np.pi)
        mirrored = _Angles(
            np.pi / (angles.theta.size - 1) * np.arange(far.size - 1, -1, -1), whole=False
        )
        n, p, delta = (a[rows[odd], None] for a in (self.n, self.p, self.delta))
        scaled = p / (2 * p - 1)
        size, excess = _step(scaled, delta, mirrored)
        drift = n * scaled * delta * 2 * (1 - p) + self.shift[rows[odd], None]
        turn = np.pi * np.mod(n + self.centre[rows[odd], None], 2)
        block = np.ix_(odd, far)
        log_size[block] = n * (size + np.log1p(-2 * (1 - p)))
        phase[block] = turn - (n * excess + drift * mirrored.theta)


class _Angles:
    """Angles with ``1 - cos`` and ``sin - theta`` free of cancellation; all up to pi if whole."""

    def __init__(self, theta: np.ndarray, *, whole: bool) -> None:
        self.theta, self.whole = theta, whole
        self.sine = np.sin(theta)
        self.versine = 2 * np.sin(theta / 2) ** 2
        self.small = theta < _SERIES
        t = theta[self.small] ** 2
        self.sine_excess = self.sine - theta
        series = t / 6 * (1 - t / 20 * (1 - t / 42 * (1 - t / 72)))
        self.sine_excess[self.small] = -theta[self.small] * series


def _step(p: np.ndarray, delta: np.ndarray, angles: _Angles) -> tuple[Any, Any]:
    """Log-modulus of one step's characteristic function, and its phase minus ``p delta theta``."""
    v, theta, mean = angles.versine, angles.theta, p * delta
    square = (1 - delta) * (1 + delta)
    # (1 - p v)^2 + (p delta sin)^2 - 1, factored
    change = -p * v * (2 * _one_minus_square(p, delta) - p * v * square)
    with np.errstate(divide="ignore"):
        log_size = 0.5 * np.log1p(np.maximum(change, -1.0))
    small = angles.small
    large = ~small
    excess = np.empty(np.broadcast_shapes(p.shape, theta.shape))
    excess[:, large] = np.arctan2(mean * angles.sine[large], 1 - p * v[large]) - mean * theta[large]
    cosine = 1 - p * v[small]
    x = mean * angles.sine[small] / cosine
    lag = mean * (angles.sine_excess[small] + theta[small] * p * v[small]) / cosine
    excess[:, small] = lag + _arctan_excess(x)
    return log_size, excess


def _arctan_excess(x: np.ndarray) -> np.ndarray:
    """``arctan(x) - x`` for small x."""
    z = x * x
    total = np.zeros_like(x)
    for k in range(9, 0, -1):
        total = z * ((-1) ** k / (2 * k + 1) + total)
    return x * total


def _bennett(mean: np.ndarray) -> np.ndarray:
    """Half-width ``t`` with ``mean h(t/mean) = 38``, ``h(u) = (1 + u) log(1 + u) - u``.

    The sum deviates from its mean by ``t`` with probability at most ``exp(-38)`` on either side.
    Newton's method from above stays above the root, ``h`` being convex: every iterate is valid.
    """
    scale = np.maximum(mean, 1e-280)
    level = _LOG_TAIL / scale
    u = np.sqrt(2 * level) + 2 * level / 3
    for _ in range(8):
        log = np.log1p(u)
        u = u - ((1 + u) * log - u - level) / log
    return np.where(mean > 0, u * scale, 0.0)


def _one_minus_square(p: np.ndarray, delta: np.ndarray) -> np.ndarray:
    """``1 - p delta^2``."""
    return (1 - p) + p * (1 - delta) * (1 + delta)


def _fast_length(minimum: np.ndarray) -> np.ndarray:
    """The smallest even length ``2^k`` or ``3 * 2^k`` from ``minimum`` on; 1 stays 1."""
    power = 2.0 ** np.ceil(np.log2(np.maximum(minimum, 2.0)))
    three_quarters = np.where(power >= 8, 0.75 * power, power)
    length = np.where(three_quarters >= minimum, three_quarters, power)
    return np.where(minimum <= 1, 1.0, length)
