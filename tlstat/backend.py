"""One source of randomness and one array namespace for numpy, torch on the CPU and CUDA.

A study draws from ``rng`` and computes with ``rng.xp``, so the same code runs everywhere.
Everything is drawn in float64 and int64. On the CPU numpy draws for torch as well (torch's
own samplers lose integers above 2**24 and take no 128-bit key), so numpy and torch see the
same draws bit for bit; on CUDA the continuous laws come from a device generator.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from tlstat.errors import InputError

__all__ = [
    "Random",
    "betainc",
    "digamma",
    "erf",
    "gammainc",
    "gammaln",
    "log_ndtr",
    "logsumexp",
    "namespace",
    "ndtr",
    "ndtri",
    "to_numpy",
    "xlogy",
]

Array = Any
Size = int | tuple[int, ...] | None

_ARRAYS = ("numpy", "torch")
_SUM_TOLERANCE = 1e-9
_POISSON_MAX = 1e15  # numpy's (and torch's) samplers are visibly wrong above it


def _is_torch(x: object) -> bool:
    torch = sys.modules.get("torch")  # a tensor cannot exist before torch was imported
    return torch is not None and isinstance(x, torch.Tensor)


def namespace(x: Array) -> Any:
    """Array namespace of an array.

    Parameters
    ----------
    x : array or number
        A torch tensor gives ``array_api_compat.torch``; anything else gives numpy, whose
        own namespace follows the standard and is lighter to import than a wrapper.

    Returns
    -------
    module
    """
    if _is_torch(x):
        import array_api_compat.torch as xp

        return xp
    return np


def to_numpy(x: Array) -> Any:
    """The same values as a numpy array (a copy only where the array lives on a device)."""
    if _is_torch(x):
        return x.detach().cpu().numpy()
    return np.asarray(x)


def _shape(size: Size, *params: Any) -> tuple[int, ...]:
    if size is None:
        return np.broadcast_shapes(*(np.shape(p) for p in params))
    return (size,) if isinstance(size, (int, np.integer)) else tuple(size)


def _where(bad: Any) -> str:
    """The first offending position, for a message; nothing for a scalar."""
    if np.ndim(bad) == 0:
        return ""
    at = tuple(int(i) for i in np.argwhere(bad)[0])
    return f" at index {at[0] if len(at) == 1 else at}"


def _require(ok: Any, value: Any, argument: str, expected: str) -> None:
    if np.all(ok):
        return
    bad = ~np.broadcast_to(ok, np.shape(value))
    first = np.asarray(value)[bad].flat[0] if np.ndim(value) else value
    raise InputError(f"{argument} is {first!s}{_where(bad)}; expected {expected}")


def _real(value: Any, argument: str) -> Any:
    x = np.asarray(to_numpy(value))
    if x.dtype.kind not in "fiub":
        raise InputError(f"{argument} has dtype {x.dtype}; expected real numbers")
    return x.astype(np.float64, copy=False)


def _positive(value: Any, argument: str) -> Any:
    x = _real(value, argument)
    _require((x > 0) & np.isfinite(x), x, argument, "a finite number above 0")
    return x


def _non_negative(value: Any, argument: str) -> Any:
    x = _real(value, argument)
    _require((x >= 0) & np.isfinite(x), x, argument, "a finite number, 0 or above")
    return x


def _probability(value: Any, argument: str) -> Any:
    x = _real(value, argument)
    _require((x >= 0) & (x <= 1), x, argument, "a probability in [0, 1]")
    return x


def _count(value: Any, argument: str) -> Any:
    x = np.asarray(to_numpy(value))
    if x.dtype.kind not in "fiu":
        raise InputError(f"{argument} has dtype {x.dtype}; expected non-negative integers")
    whole = (x == np.floor(x)) if x.dtype.kind == "f" else True
    ok = (x >= 0) & whole & (x < 2**63)
    _require(ok, x, argument, "a non-negative integer below 2**63")
    return x.astype(np.int64, copy=False)


def _rows(pvals: Any, argument: str) -> Any:
    """Probabilities along the last axis, checked and renormalised in float64."""
    p = np.atleast_1d(_probability(pvals, argument))
    if p.shape[-1] == 0:
        raise InputError(f"{argument} has shape {p.shape}; expected at least one category")
    total = p.sum(axis=-1)
    off = np.abs(total - 1) > _SUM_TOLERANCE
    if np.any(off):
        row = "" if p.ndim == 1 else f" in row {tuple(int(i) for i in np.argwhere(off)[0])}"
        got = float(np.atleast_1d(total)[np.atleast_1d(off)][0])
        raise InputError(f"{argument} sums to {got!r}{row}; expected 1 within {_SUM_TOLERANCE:g}")
    return p / total[..., None]


class Random:
    """Random numbers of one block: a pure function of a 128-bit key.

    Parameters are broadcast against each other as in numpy's ``Generator``; ``size`` is the
    shape of the output (without the axis of categories for vector-valued laws).

    Parameters
    ----------
    key : int
        In ``[0, 2**128)``; distinct keys are distinct Philox streams by construction.
    array : {"numpy", "torch"}
        What draws are returned as. torch is imported only when asked for.
    device : str
        ``"cpu"``, or a torch device such as ``"cuda"``. On a device ``normal``, ``uniform``
        and ``exponential`` come from a generator of that device seeded by the low 64 bits
        of the key; all other laws are drawn on the host and copied.

    Raises
    ------
    InputError
        A key out of range, an unknown ``array``, a device without torch; in every method, a
        parameter outside the law's domain, naming the parameter and the first bad entry.

    Notes
    -----
    Philox: J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
    """

    def __init__(self, key: int, array: str = "numpy", device: str = "cpu") -> None:
        if not 0 <= key < 1 << 128:
            raise InputError(f"key is {key!r}; expected an integer in [0, 2**128)")
        if array not in _ARRAYS:
            raise InputError(f"array is {array!r}; expected one of {', '.join(_ARRAYS)}")
        if array == "numpy" and str(device) != "cpu":
            raise InputError(f"device is {device!r} with array='numpy'; expected array='torch'")
        self.key, self.array, self.device = int(key), array, str(device)
        self._host = np.random.Generator(np.random.Philox(key=self.key))

    def __repr__(self) -> str:
        return f"Random(key={self.key:#034x}, array={self.array!r}, device={self.device!r})"

    # ------------------------------------------------------------------ plumbing

    @cached_property
    def xp(self) -> Any:
        """The array namespace to compute in: numpy, or ``array_api_compat.torch``."""
        if self.array == "numpy":
            return np
        import array_api_compat.torch as xp

        return xp

    @cached_property
    def _device_generator(self) -> Any:
        import torch

        generator = torch.Generator(device=self.device)
        generator.manual_seed(self.key & ((1 << 64) - 1))
        return generator

    @property
    def _on_device(self) -> bool:
        return self.device != "cpu"

    def asarray(self, values: Any) -> Array:
        """Values in this back end, on this device; floats as float64, integers as int64."""
        x = np.asarray(to_numpy(values))
        if x.dtype.kind in "iu":
            x = x.astype(np.int64, copy=False)
        elif x.dtype.kind == "f":
            x = x.astype(np.float64, copy=False)
        return self._give(x)

    def _give(self, x: Any) -> Array:
        if self.array == "numpy":
            return x
        import torch

        x = np.ascontiguousarray(x) if np.ndim(x) else np.asarray(x)
        tensor = torch.from_numpy(x)
        return tensor.to(self.device) if self._on_device else tensor

    def _draw_on_device(self, method: str, shape: tuple[int, ...]) -> Array:
        import torch

        out = torch.empty(shape, dtype=torch.float64, device=self.device)
        return getattr(out, method)(generator=self._device_generator)

    def spawn(self, label: str | int) -> Random:
        """An independent source named by ``label``: a function of the key and the label only.

        It keeps two uses of randomness apart, so that what one draws never shifts the other.
        """
        text = f"{type(label).__name__}:{label}"
        parts = ("tlstat-spawn-1", f"{self.key:032x}", text)
        message = b"".join(len(p.encode()).to_bytes(8, "little") + p.encode() for p in parts)
        digest = hashlib.blake2b(message, digest_size=16).digest()
        return Random(int.from_bytes(digest, "little"), self.array, self.device)

    # ------------------------------------------------------------------ continuous laws

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Size = None) -> Array:
        """Normal law with mean ``loc`` and standard deviation ``scale`` (0 or above)."""
        loc, scale = _real(loc, "loc"), _non_negative(scale, "scale")
        if self._on_device:
            z = self._draw_on_device("normal_", _shape(size, loc, scale))
            return self._give(loc) + self._give(scale) * z
        return self._give(self._host.normal(loc, scale, size))

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Size = None) -> Array:
        """Uniform law on ``[low, high)``."""
        low, high = _real(low, "low"), _real(high, "high")
        width = high - low
        _require((width >= 0) & np.isfinite(width), width, "high - low", "a finite number >= 0")
        if self._on_device:
            u = self._draw_on_device("uniform_", _shape(size, low, high))
            return self._give(low) + self._give(width) * u
        return self._give(self._host.uniform(low, high, size))

    def exponential(self, scale: Any = 1.0, size: Size = None) -> Array:
        """Exponential law with mean ``scale``."""
        scale = _non_negative(scale, "scale")
        if self._on_device:
            return self._give(scale) * self._draw_on_device("exponential_", _shape(size, scale))
        return self._give(self._host.exponential(scale, size))

    def gamma(self, shape: Any, scale: Any = 1.0, size: Size = None) -> Array:
        """Gamma law. Draws underflow to 0 at shapes below about 0.01: see `log_gamma`."""
        shape, scale = _positive(shape, "shape"), _non_negative(scale, "scale")
        return self._give(self._host.gamma(shape, scale, size))

    def log_gamma(self, shape: Any, size: Size = None) -> Array:
        """Logarithm of a standard gamma draw, exact at any shape.

        By ``G(a) = G(a + 1) U**(1/a)`` in law, which never underflows in logarithms.
        """
        return self._give(self._log_gamma(_positive(shape, "shape"), size))

    def _log_gamma(self, shape: Any, size: Size) -> Any:
        g = np.log(self._host.standard_gamma(shape + 1.0, _shape(size, shape)))
        return g - self._host.standard_exponential(np.shape(g)) / shape

    def beta(self, a: Any, b: Any, size: Size = None) -> Array:
        """Beta law with parameters ``a`` and ``b`` above 0."""
        return self._give(self._host.beta(_positive(a, "a"), _positive(b, "b"), size))

    def chi2(self, df: Any, size: Size = None) -> Array:
        """Chi-square law with ``df`` degrees of freedom (any real above 0)."""
        return self._give(self._host.chisquare(_positive(df, "df"), size))

    def dirichlet(self, alpha: Any, size: Size = None) -> Array:
        """Dirichlet law; ``alpha`` is (..., K), its leading axes are broadcast.

        Returns
        -------
        array, shape size + (K,)
            With ``size=None`` the shape of ``alpha``.
        """
        alpha = np.atleast_1d(_positive(alpha, "alpha"))
        if alpha.ndim == 1:
            return self._give(self._host.dirichlet(alpha, size))
        batch = alpha.shape[:-1] if size is None else _shape(size)
        log_g = self._log_gamma(np.broadcast_to(alpha, batch + alpha.shape[-1:]), None)
        g = np.exp(log_g - log_g.max(axis=-1, keepdims=True))
        return self._give(g / g.sum(axis=-1, keepdims=True))

    # ------------------------------------------------------------------ counts

    def binomial(self, n: Any, p: Any, size: Size = None) -> Array:
        """Binomial law, exact for counts up to 2**63."""
        return self._give(self._host.binomial(_count(n, "n"), _probability(p, "p"), size))

    def poisson(self, lam: Any = 1.0, size: Size = None) -> Array:
        """Poisson law with mean ``lam`` in [0, 1e15] (samplers are wrong above)."""
        lam = _real(lam, "lam")
        _require((lam >= 0) & (lam <= _POISSON_MAX), lam, "lam", "a mean in [0, 1e15]")
        return self._give(self._host.poisson(lam, size))

    def multinomial(self, n: Any, p: Any, size: Size = None) -> Array:
        """Multinomial counts: ``n`` broadcasts over the rows of ``p`` (..., K).

        Parameters
        ----------
        n : int or array of int
            Numbers of trials, up to 2**63.
        p : array, shape (..., K)
            Rows of probabilities; each must sum to 1 within 1e-9 and is renormalised.
        size : int or tuple, optional
            Leading shape of the output; by default the broadcast of ``n`` and ``p``'s rows.

        Returns
        -------
        array of int64, shape size + (K,)
        """
        n, p = _count(n, "n"), _rows(p, "p")
        # numpy gives the mass lost to rounding to the last category. With the likeliest one
        # there the error is below K * 1e-16 of its share; otherwise a category of
        # probability 0 can get counts once n is large.
        top = p.argmax(axis=-1)
        counts = self._host.multinomial(n, _swap_last(p, top), size)
        return self._give(_swap_last(counts, top))

    def hypergeometric(self, ngood: Any, nbad: Any, nsample: Any, size: Size = None) -> Array:
        """Good items among ``nsample`` drawn without replacement (populations below 1e9)."""
        good, bad = _count(ngood, "ngood"), _count(nbad, "nbad")
        sample = _count(nsample, "nsample")
        for value, name in ((good, "ngood"), (bad, "nbad")):
            _require(value < 10**9, value, name, "a count below 10**9")
        total = good + bad
        enough = sample <= total
        _require(enough, np.broadcast_to(sample, enough.shape), "nsample", "at most ngood + nbad")
        return self._give(self._host.hypergeometric(good, bad, sample, size))

    # ------------------------------------------------------------------ discrete choices

    def integers(
        self, low: Any, high: Any = None, size: Size = None, *, endpoint: bool = False
    ) -> Array:
        """Uniform int64 on ``[low, high)``, or ``[0, low)`` with one argument."""
        low = to_numpy(low)
        high = None if high is None else to_numpy(high)
        start, stop = (0, low) if high is None else (low, high)
        room = np.asarray(stop) - np.asarray(start) + bool(endpoint)
        _require(room > 0, room, "high - low", "a range that holds at least one integer")
        return self._give(np.asarray(self._host.integers(low, high, size, endpoint=endpoint)))

    def choice(
        self, a: Any, size: Size = None, *, replace: bool = True, p: Any = None, axis: int = 0
    ) -> Array:
        """Entries of ``a`` (or of ``range(a)``), with probabilities ``p`` if given."""
        a = to_numpy(a)
        p = None if p is None else _rows(p, "p")
        return self._give(np.asarray(self._host.choice(a, size, replace=replace, p=p, axis=axis)))

    def permutation(self, x: Any, axis: int = 0) -> Array:
        """A shuffled copy of ``x`` along ``axis``, or of ``range(x)`` for an integer."""
        x = to_numpy(x)
        return self._give(self._host.permutation(int(x) if x.ndim == 0 else x, axis=axis))

    # ------------------------------------------------------------------ matrices

    def orthogonal(self, n: int, k: int | None = None, size: Size = None) -> Array:
        """Haar-distributed ``n`` x ``k`` matrices with orthonormal columns (k = n: O(n)).

        QR of a Gaussian matrix with the signs of R's diagonal fixed; F. Mezzadri, "How to
        generate random matrices from the classical compact groups", Notices AMS 54 (2007).
        """
        k = n if k is None else k
        if not 1 <= k <= n:
            raise InputError(f"k is {k!r} with n {n!r}; expected 1 <= k <= n")
        q, r = np.linalg.qr(self._host.standard_normal((*_shape(size or ()), n, k)))
        return self._give(q * np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :])

    def wishart(self, df: float, scale: Any, size: Size = None) -> Array:
        """Wishart matrices with ``df`` > p - 1 degrees of freedom and mean ``df * scale``.

        Bartlett's decomposition: a triangular factor with chi variables on its diagonal, so
        the cost does not depend on ``df``.
        """
        scale = np.atleast_2d(_real(scale, "scale"))
        p = scale.shape[-1]
        if scale.shape != (p, p) or not np.allclose(scale, scale.T):
            raise InputError(f"scale has shape {scale.shape}; expected a symmetric p x p matrix")
        if not df > p - 1:
            raise InputError(f"df is {df!r}; expected more than p - 1 = {p - 1}")
        try:
            factor = np.linalg.cholesky(scale)
        except np.linalg.LinAlgError:
            raise InputError("scale is not positive definite; expected a covariance") from None
        batch = _shape(size or ())
        a = np.tril(self._host.standard_normal((*batch, p, p)), -1)
        diagonal = np.sqrt(self._host.chisquare(df - np.arange(p), (*batch, p)))
        a[..., np.arange(p), np.arange(p)] = diagonal
        half = factor @ a
        return self._give(half @ np.swapaxes(half, -1, -2))


def _swap_last(x: Any, index: Any) -> Any:
    """A copy of ``x`` with category ``index`` and the last one exchanged (its own inverse)."""
    last = x.shape[-1] - 1
    if np.all(index == last):
        return x
    at = np.broadcast_to(index, x.shape[:-1])[..., None]
    out = x.copy()
    np.put_along_axis(out, at, x[..., -1:], axis=-1)
    out[..., -1:] = np.take_along_axis(x, at, axis=-1)
    return out


# ---------------------------------------------------------------------- special functions


def _special(name: str, *args: Any, host: bool = False) -> Array:
    """scipy's or torch's function of one name; ``host`` where torch has none."""
    tensors = [a for a in args if _is_torch(a)]
    if not tensors:
        import scipy.special

        return getattr(scipy.special, name)(*args)
    import torch

    like = tensors[0]
    if host:
        import scipy.special

        value = np.asarray(getattr(scipy.special, name)(*(to_numpy(a) for a in args)))
        return torch.from_numpy(value).to(like.device)
    values = [a if _is_torch(a) else torch.as_tensor(a, device=like.device) for a in args]
    return getattr(torch.special, name)(*values)


def logsumexp(x: Array, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Array:
    """``log(sum(exp(x)))`` along ``axis`` without overflow."""
    if _is_torch(x):
        import torch

        dim = tuple(range(x.ndim)) if axis is None else axis
        return torch.logsumexp(x, dim=dim, keepdim=keepdims)
    import scipy.special

    return scipy.special.logsumexp(x, axis=axis, keepdims=keepdims)


def _unary(name: str, doc: str) -> Callable[[Array], Array]:
    def function(x: Array) -> Array:
        return _special(name, x)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


gammaln = _unary("gammaln", "Logarithm of the absolute value of the gamma function.")
digamma = _unary("digamma", "Derivative of `gammaln`.")
erf = _unary("erf", "Error function.")
ndtr = _unary("ndtr", "Distribution function of the standard normal law.")
log_ndtr = _unary("log_ndtr", "Logarithm of `ndtr`, accurate far in the lower tail.")
ndtri = _unary("ndtri", "Quantile function of the standard normal law.")


def xlogy(x: Array, y: Array) -> Array:
    """``x * log(y)``, 0 where x is 0."""
    return _special("xlogy", x, y)


def gammainc(a: Array, x: Array) -> Array:
    """Regularised lower incomplete gamma function: the gamma(a) law's cdf at x."""
    return _special("gammainc", a, x)


def betainc(a: Array, b: Array, x: Array) -> Array:
    """Regularised incomplete beta function; torch has none, so tensors go by the host."""
    return _special("betainc", a, b, x, host=True)
