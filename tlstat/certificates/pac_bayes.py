r"""PAC-Bayes certificates: the risk of a predictor drawn from a posterior ``Q``.

Symbols: ``risk`` is ``r_Q``, the mean empirical risk under ``Q``; ``kl`` is ``K = KL(Q||P)`` for a
prior ``P`` fixed before the examples; ``I(n)`` the exact normaliser of Maurer's theorem. They hold
for all ``Q`` together, so ``Q`` may be chosen after the data. What is certified is the
randomised (Gibbs) predictor, not a majority vote.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from tlstat.backend import to_numpy
from tlstat.certificates.base import (
    BOUNDED,
    IID,
    Assumption,
    Certificate,
    Source,
    giver,
    log_level,
)
from tlstat.certificates.inversion import Floats, counts, kl_upper_inverse, numbers, raised, require
from tlstat.errors import InputError

PRIOR = Assumption("prior", "the prior was fixed before these examples were seen")


def log_normaliser(n: ArrayLike) -> Any:
    """``log I(n)``, ``I(n) = sum_k C(n,k) (k/n)^k (1 - k/n)^(n-k)``, in closed form.

    ``sqrt(n) <= I(n) <= 2 sqrt(n)`` (Maurer 2004). By Abel's binomial theorem
    ``I(n) = sum_j n!/((n-j)! n^j) = e^n n^{-n} Gamma(n+1, n)``, one incomplete gamma function.

    Parameters
    ----------
    n : array_like
        Whole numbers of at least 1.

    Returns
    -------
    float or ndarray
        Relative accuracy 1e-13, for every n.
    """
    n = numbers(n, "n")
    require((n >= 1) & (n == np.floor(n)) & np.isfinite(n), n, "n", "a whole number of at least 1")
    out = _stirling_error(n) + 0.5 * np.log(2 * np.pi * n) + np.log(special.gammaincc(n + 1, n))
    return float(out) if out.ndim == 0 else out


def _stirling_error(n: Floats) -> Floats:
    """``log n! - log(sqrt(2 pi n) (n/e)^n)``."""
    u = 1 / (n * n)
    series = (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - u / 1188) * u) * u) * u) / n
    small = np.minimum(n, 20)
    direct = special.gammaln(small + 1) - 0.5 * np.log(2 * np.pi * small)
    return np.where(n > 20, series, direct - small * np.log(small) + small)


class GibbsCertificate(Certificate):
    """A certificate for the randomised predictor of a posterior."""

    input = "gibbs"

    def __call__(
        self,
        risk: ArrayLike,
        n: ArrayLike,
        kl: ArrayLike,
        *,
        delta: ArrayLike | None = None,
        log_inv_delta: ArrayLike | None = None,
        clip: bool = True,
        **options: Any,
    ) -> Any:
        """The upper limit for ``R_Q``; every argument broadcasts.

        Parameters
        ----------
        risk : array_like
            Mean empirical risk under the posterior, in [0, 1].
        n : array_like
            Number of examples.
        kl : array_like
            ``KL(Q||P)`` in nats.
        delta, log_inv_delta : array_like
            Exactly one of the two.
        clip : bool
            Return at most 1.
        **options
            What the note of this certificate names.

        Returns
        -------
        float, ndarray or tensor
        """
        give = giver(risk, n, kl, delta, log_inv_delta)
        risk, kl = numbers(to_numpy(risk), "risk"), numbers(to_numpy(kl), "kl")
        require((risk >= 0) & (risk <= 1), risk, "risk", "a mean loss in [0, 1]")
        require(kl >= 0, kl, "kl", "a divergence of at least 0")
        _, n = counts(0, to_numpy(n))
        arrays = np.broadcast_arrays(risk, n, kl, log_level(delta, log_inv_delta))
        limit = self.value(*arrays, **options)
        return give(np.minimum(limit, 1.0) if clip else limit)


def _kl(risk: Floats, n: Floats, kl: Floats, level: Floats) -> Floats:
    return np.asarray(kl_upper_inverse(risk, raised(kl + log_normaliser(n) + level) / n))


def _budget(n: Floats, kl: Floats, level: Floats) -> Floats:
    """``K + log(2 sqrt(n)/delta)``."""
    return kl + np.log(2 * np.sqrt(n)) + level


def _kl_simple(risk: Floats, n: Floats, kl: Floats, level: Floats) -> Floats:
    return np.asarray(kl_upper_inverse(risk, raised(_budget(n, kl, level)) / n))


def _mcallester(risk: Floats, n: Floats, kl: Floats, level: Floats) -> Floats:
    return raised(risk + np.sqrt(_budget(n, kl, level) / (2 * n)))


def _quadratic(risk: Floats, n: Floats, kl: Floats, level: Floats) -> Floats:
    b = _budget(n, kl, level) / (2 * n)
    return raised((np.sqrt(risk + b) + np.sqrt(b)) ** 2)


def _lambda(
    risk: Floats, n: Floats, kl: Floats, level: Floats, *, lam: ArrayLike | None = None
) -> Floats:
    budget = _budget(n, kl, level)
    if lam is None:
        lam = 2 / (np.sqrt(2 * n * risk / budget + 1) + 1)
    lam = numbers(lam, "lam")
    require((lam > 0) & (lam < 2), lam, "lam", "strictly between 0 and 2")
    return raised(risk / (1 - lam / 2) + budget / (n * lam * (1 - lam / 2)))


def _catoni(risk: Floats, n: Floats, kl: Floats, level: Floats, *, C: ArrayLike) -> Floats:
    C = numbers(C, "C")
    require((C > 0) & np.isfinite(C), C, "C", "positive and finite")
    return raised(np.expm1(-C * risk - (kl + level) / n) / np.expm1(-C))


def _gibbs(
    name: str, title: str, value: Callable[..., Any], formula: str, source: Source, note: str = ""
) -> GibbsCertificate:
    return GibbsCertificate(
        name=name,
        title=title,
        losses="[0,1]",
        formula=formula,
        source=source,
        value=value,
        assumptions=(PRIOR, IID, BOUNDED),
        note=note,
    )


pac_bayes_kl = _gibbs(
    "pac_bayes_kl",
    "PAC-Bayes kl, exact normaliser",
    _kl,
    r"\mathrm{kl}^{-1}(r_Q, (K + \log(I(n)/\delta)) / n)",
    Source("Maurer, arXiv:cs/0411099", "Theorem 5", "with the exact normaliser of its proof"),
)
pac_bayes_kl_simple = _gibbs(
    "pac_bayes_kl_simple",
    "PAC-Bayes kl, 2 sqrt(n)",
    _kl_simple,
    r"\mathrm{kl}^{-1}(r_Q, (K + \log(2\sqrt{n}/\delta)) / n)",
    Source("Maurer, arXiv:cs/0411099", "Theorem 5"),
    "looser than pac_bayes_kl, which costs nothing more",
)
mcallester = _gibbs(
    "mcallester",
    "McAllester",
    _mcallester,
    r"r_Q + \sqrt{(K + \log(2\sqrt{n}/\delta)) / (2n)}",
    Source("McAllester, Machine Learning 37 (1999)", "by Pinsker from Maurer's theorem"),
)
quadratic = _gibbs(
    "quadratic",
    "PAC-Bayes quadratic",
    _quadratic,
    r"(\sqrt{r_Q + b} + \sqrt{b})^2,\ b = (K + \log(2\sqrt{n}/\delta)) / (2n)",
    Source("Rivasplata et al., arXiv:1908.07380", "f_quad"),
)
pac_bayes_lambda = _gibbs(
    "pac_bayes_lambda",
    "PAC-Bayes lambda",
    _lambda,
    r"\frac{r_Q}{1 - \lambda/2} + \frac{K + \log(2\sqrt{n}/\delta)}{n \lambda (1 - \lambda/2)}",
    Source("Thiemann et al., ALT 2017", "PAC-Bayes-lambda inequality"),
    "lam= in (0, 2) may depend on the data; by default the best one, which gives quadratic",
)
catoni = _gibbs(
    "catoni",
    "Catoni",
    _catoni,
    r"\frac{1 - \exp(-C r_Q - (K + \log(1/\delta)) / n)}{1 - e^{-C}}",
    Source("Catoni, IMS Lecture Notes 56 (2007)", "Theorem 1.2.6"),
    "C= must be fixed before the data; over a grid of G values use delta / G",
)


class GibbsResult(NamedTuple):
    """A certified Gibbs posterior; arrays over the leading axes."""

    limit: Any
    beta: Any
    risk: Any
    kl: Any


def gibbs_certificate(
    k: ArrayLike,
    n: int,
    betas: ArrayLike,
    *,
    delta: ArrayLike | None = None,
    log_inv_delta: ArrayLike | None = None,
    candidates: float | None = None,
    log_prior: ArrayLike | None = None,
) -> GibbsResult:
    """The best Gibbs posterior ``Q_j ~ P_j exp(-beta k_j)`` on a finite class, certified.

    The bound of `pac_bayes_kl` holds for all posteriors together, hence ``beta`` is chosen after
    the data at no cost. It certifies the predictor that draws a candidate from ``Q`` each time.

    Parameters
    ----------
    k : array_like, shape (..., M)
        Errors, or sums of losses, of the candidates.
    n : int
        Number of examples.
    betas : array_like
        Inverse temperatures to try, at least 0.
    delta, log_inv_delta : array_like
        Exactly one of the two; broadcast against the leading axes.
    candidates : float, optional
        Size of the class if not all were scored; the others get posterior weight 0.
    log_prior : array_like, shape (M,), optional
        Logarithms of prior weights with sum at most 1 (`tlstat.certificates.weights`); uniform
        by default.

    Returns
    -------
    GibbsResult
        ``limit``, the best ``beta``, and ``risk`` and ``kl`` of its posterior.
    """
    from tlstat.certificates.weights import checked_log_weights, uniform

    k, _ = counts(to_numpy(k), n, whole=False)
    betas = np.atleast_1d(numbers(betas, "betas"))
    require((betas >= 0) & np.isfinite(betas), betas, "betas", "finite and at least 0")
    if k.ndim == 0 or (candidates is not None and log_prior is not None):
        raise InputError("k needs the candidates on its last axis, and one prior at most")
    size = k.shape[-1]
    if candidates is not None and candidates < size:
        raise InputError(f"candidates must be at least the {size} scored ones, got {candidates}")
    if log_prior is None:
        prior = np.full(size, uniform(size if candidates is None else candidates))
    else:
        prior = checked_log_weights(log_prior, size)
    risks, kls = [], []
    for beta in betas:
        log_q = prior - beta * k
        log_q = log_q - special.logsumexp(log_q, axis=-1, keepdims=True)
        q = np.exp(log_q)
        risks.append(np.sum(q * k, axis=-1) / n)
        # 0 log 0 = 0, for candidates outside the prior
        kls.append(np.sum(np.where(q > 0, q * (log_q - np.where(q > 0, prior, 0.0)), 0.0), axis=-1))
    risk, kl = np.clip(raised(np.array(risks)), 0, 1), raised(np.maximum(np.array(kls), 0.0))
    level = log_level(delta, log_inv_delta)
    limit = pac_bayes_kl(risk, n, kl, log_inv_delta=np.broadcast_to(level, risk.shape))
    best = np.expand_dims(np.argmin(limit, axis=0), 0)
    picked = [np.take_along_axis(np.asarray(v), best, 0)[0] for v in (limit, risk, kl)]
    limit, risk, kl = (float(v) if v.ndim == 0 else v for v in picked)
    return GibbsResult(limit, betas[best[0]] if np.ndim(limit) else float(betas[best[0]]), risk, kl)


def sampled_risk(
    mean: ArrayLike, draws: ArrayLike, *, delta: ArrayLike | None = None,
    log_inv_delta: ArrayLike | None = None,
) -> Any:  # fmt: skip
    """Upper limit of ``r_Q`` from the mean loss of ``draws`` independent draws from ``Q``.

    Use it as ``risk`` of a PAC-Bayes certificate; the two probabilities of failure add. One-sided,
    so ``log(1/delta)`` suffices where Langford and Caruana (2001) spend ``log(2/delta)``.
    """
    _, draws = counts(0, draws)
    return kl_upper_inverse(mean, log_level(delta, log_inv_delta) / draws)
