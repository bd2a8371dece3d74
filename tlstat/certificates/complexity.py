"""Certificates of other kinds of classes, for comparison: bits, Rademacher, VC, compression.

Unlike a finite class they need no list of candidates. Most are vacuous on a few dozen examples.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from tlstat.certificates.base import (
    BINARY,
    BOUNDED,
    IID,
    INDEPENDENT,
    Assumption,
    CountCertificate,
    Source,
    bounded_losses,
    log_level,
)
from tlstat.certificates.inversion import Floats, binomial_upper, raised, require
from tlstat.errors import InputError

LOG_2 = float(np.log(2.0))

CLASS = Assumption("class", "the class was fixed before these examples were seen")
DELTA = r"\log(1/\delta)"


def _quantised(
    k: Floats, n: Floats, level: Floats, dimension: Floats, *, unit: str = "nats"
) -> Floats:
    if unit not in ("nats", "bits"):
        raise InputError(f"unit must be 'nats' or 'bits', got {unit!r}")
    require(dimension >= 1, dimension, "dimension", "at least 1")
    length = dimension * (LOG_2 if unit == "bits" else 1.0) + 2 * np.log(dimension)
    return raised(k / n + np.sqrt((length + level) / (2 * n)))


quantised_class = CountCertificate(
    name="quantised_class",
    title="quantised continuous class",
    losses="[0,1]",
    formula=r"r + \sqrt{(d + 2 \log d + \log(1/\delta)) / (2n)}",
    source=Source("arXiv:2502.06970", "Eq. 7", "as transcribed by its readers"),
    value=_quantised,
    assumptions=(CLASS, INDEPENDENT, BOUNDED),
    parameters=("dimension",),
    note=(
        "one bit a parameter is log 2 nats: unit='bits' counts d log 2, unit='nats' (the default) "
        "counts d, which gives the published numbers"
    ),
)


def _rademacher(k: Floats, n: Floats, level: Floats, complexity: Floats) -> Floats:
    require(complexity >= 0, complexity, "complexity", "at least 0")
    return raised(k / n + 2 * complexity + np.sqrt(level / (2 * n)))


rademacher = CountCertificate(
    name="rademacher",
    title="Rademacher",
    losses="[0,1]",
    formula=r"r + 2 \mathfrak{R}_n + \sqrt{\log(1/\delta) / (2n)}",
    source=Source(
        "Bartlett and Mendelson, JMLR 3 (2002)", "risk bounds by Rademacher complexity, one-sided"
    ),
    value=_rademacher,
    assumptions=(CLASS, IID, BOUNDED),
    parameters=("complexity",),
    note="complexity is the expected Rademacher complexity of the losses, as massart(M, n)",
)


def _empirical_rademacher(k: Floats, n: Floats, level: Floats, complexity: Floats) -> Floats:
    require(complexity >= 0, complexity, "complexity", "at least 0")
    return raised(k / n + 2 * complexity + 3 * np.sqrt((level + LOG_2) / (2 * n)))


rademacher_empirical = CountCertificate(
    name="rademacher_empirical",
    title="empirical Rademacher",
    losses="[0,1]",
    formula=r"r + 2 \hat{\mathfrak{R}}_n + 3 \sqrt{\log(2/\delta) / (2n)}",
    source=Source(
        "Bartlett and Mendelson, JMLR 3 (2002)", "risk bounds by empirical Rademacher complexity"
    ),
    value=_empirical_rademacher,
    assumptions=(CLASS, IID, BOUNDED),
    parameters=("complexity",),
    note="complexity is that of these examples, as empirical_rademacher(losses, ...)",
)


def massart(M: ArrayLike, n: ArrayLike) -> Any:
    """Massart's bound ``sqrt(log M / (2n))`` on the Rademacher complexity of M 0/1 losses.

    0/1 losses are centred at 1/2, which does not change the complexity but halves their norm.
    """
    M, n = np.asarray(M, float), np.asarray(n, float)
    require(M >= 1, M, "M", "a number of candidates of at least 1")
    require(n >= 1, n, "n", "at least 1")
    out = raised(np.sqrt(np.log(M) / (2 * n)))
    return float(out) if np.ndim(out) == 0 else out


def empirical_rademacher(
    losses: ArrayLike,
    draws: int,
    rng: np.random.Generator,
    *,
    delta: float | None = None,
    log_inv_delta: float | None = None,
) -> float:
    """Upper limit for the Rademacher complexity of a finite class on these examples.

    ``E max_j (1/n) sum_i s_i loss_ij`` over signs ``s``: the mean over ``draws`` of them, exact in
    the maximum, plus Hoeffding's term for the number of draws (each lies in an interval of
    length 1 once the losses are centred). Its failure probability adds to the certificate's.

    Parameters
    ----------
    losses : array_like, shape (M, n)
    draws : int
    rng : numpy Generator
    delta, log_inv_delta : float
        Exactly one of the two: that the limit is too small.
    """
    x, level = bounded_losses(losses), log_level(delta, log_inv_delta)
    if x.ndim != 2 or draws < 1:
        raise InputError(f"losses must have shape (M, n) and draws be 1 or more, got {x.shape}")
    n = x.shape[1]
    signs = rng.integers(0, 2, (n, draws)) * 2.0 - 1
    suprema = ((x - 0.5) @ signs).max(axis=0) / n
    return float(raised(max(0.0, suprema.mean()) + np.sqrt(level / (2 * draws))))


def log_growth(points: ArrayLike, dimension: ArrayLike) -> Any:
    """``log sum_{i <= h} C(m, i)``: Sauer's bound on the growth function, for whole ``m, h``."""
    m, h = np.broadcast_arrays(np.asarray(points, float), np.asarray(dimension, float))
    require((m >= 1) & (m == np.floor(m)), m, "points", "a whole number of at least 1")
    require((h >= 0) & (h == np.floor(h)), h, "dimension", "a whole number of at least 0")
    out = np.array([_log_growth(int(a), int(b)) for a, b in zip(m.flat, h.flat, strict=True)])
    return float(out[0]) if m.ndim == 0 else out.reshape(m.shape)


def _log_growth(m: int, h: int) -> float:
    if h >= m:
        return m * LOG_2
    i = np.arange(h + 1.0)
    return float(special.logsumexp(_log_choose(np.asarray(float(m)), i)))


def _log_choose(n: Floats, m: Floats) -> Floats:
    return special.gammaln(n + 1) - special.gammaln(m + 1) - special.gammaln(n - m + 1)


def _vc(k: Floats, n: Floats, level: Floats, dimension: Floats) -> Floats:
    growth = np.asarray(log_growth(2 * n, dimension))
    return raised(k / n + np.sqrt(8 * (growth + np.log(4.0) + level) / n) * (1 + 1e-13))


vc = CountCertificate(
    name="vc",
    title="VC dimension",
    losses="0/1",
    formula=r"r + \sqrt{8 (\log S(2n) + \log(4/\delta)) / n},\ S(m) = \sum_{i \le h} \binom{m}{i}",
    source=Source("Vapnik and Chervonenkis 1971", "uniform convergence", "growth by Sauer's sum"),
    value=_vc,
    assumptions=(CLASS, IID, BINARY),
    parameters=("dimension",),
)


def _compression(k: Floats, n: Floats, level: Floats, size: Floats) -> Floats:
    require((size >= 0) & (size == np.floor(size)), size, "size", "a whole number of at least 0")
    require(size < n, size, "size", "below n")
    rest = n - size
    require(k <= rest, k, "k", "at most the n - size examples that were not kept")
    # log n for the choice of the size, log C(n, size) for the choice of the examples
    message = (np.log(n) + _log_choose(n, size)) * (1 + 1e-13)
    return binomial_upper(k, rest, level + message)


sample_compression = CountCertificate(
    name="sample_compression",
    title="sample compression",
    losses="0/1",
    formula=r"\mathrm{BTI}(k, n - m, \delta / (n \binom{n}{m}))",
    source=Source("Langford, JMLR 6 (2005)", "sample compression; Littlestone and Warmuth 1986"),
    value=_compression,
    assumptions=(
        Assumption("reconstruction", "the predictor is a fixed function of the m kept examples"),
        IID,
        BINARY,
    ),
    parameters=("size",),
    note="k counts the errors on the n - m examples that were not kept",
)
