"""Kernels of Gaussian-process hypothesis spaces: h ~ GP(0, k).

Every factory returns a `Kernel`, a frozen function of two sets of inputs. scikit-learn kernels
and plain functions are taken by `as_kernel`.

Symbols: x, x' inputs (rows), ``r = |x - x'|``, theta the angle between x and x'.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist, pdist

from tlstat.errors import InputError

Matrix = np.ndarray


@dataclass(frozen=True)
class Kernel:
    """A positive semi-definite function of two inputs, with its name and parameters.

    Parameters
    ----------
    name : str
    function : callable
        ``function(X, Z)`` for X (n, d) and Z (m, d) gives the (n, m) matrix.
    parameters : mapping
        What is printed beside the name.
    """

    name: str
    function: Callable[[Matrix, Matrix], Matrix]
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, X: Matrix, Z: Matrix | None = None) -> Matrix:
        return np.asarray(self.function(X, X if Z is None else Z), dtype=float)

    def __str__(self) -> str:
        inside = ", ".join(f"{k}={_shown(v)}" for k, v in self.parameters.items())
        return f"{self.name}({inside})"


def rbf(sigma: float = 1.0) -> Kernel:
    """``exp(-r^2 / (2 sigma^2))``; the published experiments use sigma = 1 throughout."""
    sigma = _positive(sigma, "sigma")
    return Kernel(
        "rbf",
        lambda X, Z: np.exp(-cdist(X, Z, "sqeuclidean") / (2 * sigma * sigma)),
        {"sigma": sigma},
    )


def matern(length: float = 1.0, nu: float = 1.5) -> Kernel:
    """Matern kernel, ``2^(1-nu) / Gamma(nu) s^nu K_nu(s)`` with ``s = sqrt(2 nu) r / length``."""
    length, nu = _positive(length, "length"), _positive(nu, "nu")
    if math.isinf(nu):
        return rbf(length)
    return Kernel(
        "matern",
        lambda X, Z: _matern(math.sqrt(2 * nu) / length * cdist(X, Z), nu),
        {"length": length, "nu": nu},
    )


def _matern(s: Matrix, nu: float) -> Matrix:
    if nu == 0.5:
        return np.exp(-s)
    if nu == 1.5:
        return (1 + s) * np.exp(-s)
    if nu == 2.5:
        return (1 + s + s * s / 3) * np.exp(-s)
    from scipy.special import gammaln, kve

    out = np.ones_like(s)
    far = s > 1e-10
    t = s[far]
    # kve = K exp(t) stays finite where K underflows
    with np.errstate(divide="ignore", over="ignore"):
        log_k = np.log(kve(nu, t)) - t
    out[far] = np.exp(np.minimum((1 - nu) * math.log(2) - gammaln(nu) + nu * np.log(t) + log_k, 0))
    return out


def polynomial(degree: int = 2, offset: float = 1.0, scale: float = 1.0) -> Kernel:
    """``(offset + scale x.x')^degree``: finite rank, so few points can determine all."""
    if isinstance(degree, bool) or not isinstance(degree, int | np.integer) or degree < 1:
        raise InputError(f"degree is {degree!r}; expected a whole number of at least 1")
    scale = _positive(scale, "scale")
    if not (math.isfinite(offset) and offset >= 0):
        raise InputError(f"offset is {offset!r}; expected a finite number of at least 0")
    return Kernel(
        "polynomial",
        lambda X, Z: (offset + scale * (X @ Z.T)) ** degree,
        {"degree": int(degree), "offset": float(offset), "scale": scale},
    )


def arc_cosine(order: int = 1, depth: int = 1, bias: float = 0.0) -> Kernel:
    """Arc-cosine kernel: an infinitely wide network of `depth` random hidden layers.

    ``k(x, x') = 2 E[(w.x)_+^q (w.x')_+^q]`` over ``w ~ N(0, I)``, composed `depth` times; q = 0
    (steps), 1 (ReLU) or 2.

    Parameters
    ----------
    order : {0, 1, 2}
        The power q.
    depth : int
        Number of hidden layers.
    bias : float
        Variance of the biases, added to ``x.x'`` before every layer.

    Notes
    -----
    Y. Cho, L. K. Saul, "Kernel methods for deep learning", NIPS 2009, Eqs. 1-8.
    """
    if order not in (0, 1, 2):
        raise InputError(f"order is {order!r}; expected 0, 1 or 2")
    depth, bias = _layers(depth), _variance(bias)

    def function(X: Matrix, Z: Matrix) -> Matrix:
        pair = _start(X, Z, bias)
        for layer in range(depth):
            pair = _layer(_biased(pair, bias) if layer else pair, order)
        return pair.inner()

    return Kernel("arc_cosine", function, {"order": order, "depth": depth, "bias": bias})


def ntk(depth: int = 1, bias: float = 0.0) -> Kernel:
    """Neural tangent kernel of an infinitely wide ReLU network with `depth` hidden layers.

    Weights have variance 2 / fan-in, so that ``Sigma^l`` is the arc-cosine kernel of order 1, and
    ``Theta^l = Sigma^l + Theta^(l-1) (pi - theta) / pi``.

    Notes
    -----
    A. Jacot, F. Gabriel, C. Hongler, "Neural tangent kernel", NeurIPS 2018, Theorem 1. The space
    GP(0, Theta) is that of functions linear in the network's parameters; the law of *trained*
    networks of infinite width has another covariance (Lee et al., NeurIPS 2019).
    """
    depth, bias = _layers(depth), _variance(bias)

    def function(X: Matrix, Z: Matrix) -> Matrix:
        pair = _start(X, Z, bias)
        tangent = pair.inner()
        for _ in range(depth):
            slope = (np.pi - pair.angle()) / np.pi
            pair = _biased(_layer(pair, 1), bias)
            tangent = pair.inner() + tangent * slope
        return tangent

    return Kernel("ntk", function, {"depth": depth, "bias": bias})


def random_features(
    width: int = 100, activation: str = "relu", sigma: float = 1.0, seed: int = 0
) -> Kernel:
    """Kernel of `width` fixed random features, of rank at most `width` (times 2 for "cos").

    Parameters
    ----------
    width : int
    activation : {"relu", "step", "cos"}
        "relu" and "step" approach the arc-cosine kernels of order 1 and 0, "cos" (random Fourier
        features, sine and cosine of each frequency) approaches ``rbf(sigma)``.
    sigma : float
        Bandwidth of "cos".
    seed : int
        The features are a function of it, of `width` and of the dimension.
    """
    if isinstance(width, bool) or not isinstance(width, int | np.integer) or width < 1:
        raise InputError(f"width is {width!r}; expected a whole number of at least 1")
    if activation not in ("relu", "step", "cos"):
        raise InputError(f"activation is {activation!r}; expected relu, step or cos")
    sigma = _positive(sigma, "sigma")

    def features(X: Matrix) -> Matrix:
        Z = X @ _frequencies(int(seed), X.shape[1], int(width))
        if activation == "cos":
            return np.hstack([np.cos(Z / sigma), np.sin(Z / sigma)]) / math.sqrt(width)
        mapped = np.maximum(Z, 0) if activation == "relu" else (Z > 0).astype(float)
        return mapped * math.sqrt(2 / width)

    return Kernel(
        "random_features",
        lambda X, Z: features(X) @ features(Z).T,
        {"width": int(width), "activation": activation, "sigma": sigma, "seed": int(seed)},
    )


def as_kernel(kernel: Any) -> Kernel:
    """A `Kernel` from a name, a scikit-learn kernel, or a function of (X, Z).

    Raises
    ------
    InputError
        For an unknown name or something that cannot be called.
    """
    if isinstance(kernel, Kernel):
        return kernel
    if isinstance(kernel, str):
        if kernel not in NAMED:
            raise InputError(f"kernel is {kernel!r}; expected one of {', '.join(NAMED)}")
        return NAMED[kernel]()
    if not callable(kernel):
        raise InputError(
            f"kernel is {kernel!r}; expected a name, a Kernel, a scikit-learn kernel, or a "
            "function of (X, Z)"
        )
    if hasattr(kernel, "get_params") and hasattr(kernel, "diag"):
        return Kernel(str(kernel), lambda X, Z: _without_white(kernel, X, Z), {})
    return Kernel(getattr(kernel, "__name__", type(kernel).__name__), kernel, {})


def median_distance(X: Matrix, most: int = 1000) -> float:
    """Median distance between different inputs (of the first `most` of them)."""
    apart = pdist(np.asarray(X, dtype=float)[:most])
    apart = apart[apart > 0]
    return float(np.median(apart)) if apart.size else float("nan")


def _without_white(kernel: Any, X: Matrix, Z: Matrix) -> Matrix:
    """The matrix; a white-noise term, which ``kernel(X, Z)`` drops in silence, is refused."""
    probe = X[:1]
    hidden = float(kernel.diag(probe)[0] - kernel(probe, probe)[0, 0])
    if hidden > 1e-12 * abs(kernel.diag(probe)[0]):
        raise InputError(
            f"kernel {kernel} has a white-noise term of variance {hidden:g}; leave it out and "
            f"give the space noise={hidden:g}"
        )
    return np.asarray(kernel(X, Z))


@lru_cache(maxsize=32)
def _frequencies(seed: int, d: int, width: int) -> Matrix:
    generator = np.random.Generator(np.random.Philox(key=[seed & (2**64 - 1), 0x5EED]))
    return generator.standard_normal((d, width))


@dataclass(frozen=True)
class _Pair:
    """Covariances of two sets of inputs, by norms (n,), (m,) and ``1 - cos theta`` (n, m).

    The angle of nearly parallel inputs is lost in their cosine, but not in its distance from 1.
    """

    left: Matrix
    right: Matrix
    gap: Matrix

    def size(self) -> Matrix:
        return np.multiply.outer(self.left, self.right)

    def inner(self) -> Matrix:
        return self.size() * (1 - self.gap)

    def angle(self) -> Matrix:
        return 2 * np.arcsin(np.sqrt(np.clip(self.gap / 2, 0, 1)))


def _start(X: Matrix, Z: Matrix, bias: float) -> _Pair:
    left, right = (np.column_stack([A, np.full(len(A), math.sqrt(bias))]) for A in (X, Z))
    norms = [np.linalg.norm(A, axis=1) for A in (left, right)]
    unit = [
        np.divide(A, norm[:, None], out=np.zeros_like(A), where=norm[:, None] > 0)
        for A, norm in zip((left, right), norms, strict=True)
    ]
    return _Pair(norms[0], norms[1], cdist(unit[0], unit[1], "sqeuclidean") / 2)


def _layer(pair: _Pair, order: int) -> _Pair:
    """Twice the mean product of activations; J_order of Cho and Saul, as ``J(0) - J(theta)``."""
    t = pair.angle()
    if order == 0:
        return _Pair(np.ones_like(pair.left), np.ones_like(pair.right), t / np.pi)
    if order == 1:
        gap = 2 * np.sin(t / 2) ** 2 - (np.sin(t) - t * np.cos(t)) / np.pi
        return _Pair(pair.left, pair.right, gap)
    rest = 3 * (t - np.sin(t) * np.cos(t)) + 2 * (np.pi - t) * np.sin(t) ** 2
    top = math.sqrt(3.0)
    return _Pair(top * pair.left**2, top * pair.right**2, rest / (3 * np.pi))


def _biased(pair: _Pair, bias: float) -> _Pair:
    """``bias`` added to all covariances."""
    if bias == 0:
        return pair
    left, right = np.sqrt(pair.left**2 + bias), np.sqrt(pair.right**2 + bias)
    before, after = pair.size(), np.multiply.outer(left, right)
    apart = bias * np.subtract.outer(pair.left, pair.right) ** 2 / (after + before + bias)
    return _Pair(left, right, (apart + before * pair.gap) / after)


def _positive(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not value > 0:
        raise InputError(f"{name} is {value!r}; expected a number above 0")
    return float(value)


def _variance(value: Any) -> float:
    if not isinstance(value, int | float | np.number) or not 0 <= value < math.inf:
        raise InputError(f"bias is {value!r}; expected a variance of at least 0")
    return float(value)


def _layers(depth: Any) -> int:
    if isinstance(depth, bool) or not isinstance(depth, int | np.integer) or depth < 1:
        raise InputError(f"depth is {depth!r}; expected a whole number of at least 1")
    return int(depth)


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


NAMED: dict[str, Callable[[], Kernel]] = {
    "rbf": rbf,
    "matern": matern,
    "polynomial": polynomial,
    "arc_cosine": arc_cosine,
    "ntk": ntk,
    "random_features": random_features,
}
