r"""PAC-Bayes certificates: the risk of a predictor drawn from a posterior ``Q``.

Symbols: ``risk`` is ``r_Q``, the mean empirical risk under ``Q``; ``kl`` is ``K = KL(Q||P)`` for a
prior ``P`` fixed before the examples; ``I(n)`` the exact normaliser of Maurer's theorem. They hold
for all ``Q`` together, so ``Q`` may be chosen after the data. What is certified is the
randomised (Gibbs) predictor, not a majority vote.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
