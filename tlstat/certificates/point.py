"""Certificates of one fixed hypothesis from the number of its errors.

For many candidates the same functions are called with ``log_inv_delta = log(M/delta)``; see
`tlstat.certificates.weights`.
"""

from __future__ import annotations

import numpy as np

from tlstat.certificates.base import BINARY, FIXED, IID, INDEPENDENT, CountCertificate, Source
from tlstat.certificates.inversion import Floats, binomial_upper, kl_upper_inverse, raised


def _hoeffding(k: Floats, n: Floats, level: Floats) -> Floats:
    return raised(k / n + np.sqrt(level / (2 * n)))


def _kl_inverse(k: Floats, n: Floats, level: Floats) -> Floats:
    return np.asarray(kl_upper_inverse(k / n, level / n))


def _bernstein_relaxation(k: Floats, n: Floats, level: Floats) -> Floats:
    return raised(k / n + np.sqrt(2 * (k / n) * level / n) + 2 * level / n)


def _hoeffding_bentkus(k: Floats, n: Floats, level: Floats) -> Floats:
    # a p-value of the form min(p1, p2) is inverted by the smaller of the two limits
    return np.minimum(_kl_inverse(k, n, level), binomial_upper(np.ceil(k), n, level + 1))


def _stratified(k: Floats, n: Floats, level: Floats) -> Floats:
    binomial = np.maximum(binomial_upper(k, n, level), raised((k + 1) / n))
    return np.minimum(_kl_inverse(k, n, level), binomial)


hoeffding = CountCertificate(
    name="hoeffding",
    title="Hoeffding",
    losses="[0,1]",
    formula=r"r + \sqrt{\log(1/\delta) / (2n)}",
    source=Source("Hoeffding, JASA 1963", "Theorem 1"),
    value=_hoeffding,
)

kl_inverse = CountCertificate(
    name="kl_inverse",
    title="Chernoff (kl inverse)",
    losses="[0,1]",
    formula=r"\sup\{p : \mathrm{kl}(r \| p) \le \log(1/\delta) / n\}",
    source=Source("Hoeffding, JASA 1963", "Theorem 1, first inequality"),
    value=_kl_inverse,
)

binomial_tail_inversion = CountCertificate(
    name="binomial_tail_inversion",
    title="binomial tail inversion",
    losses="0/1",
    formula=r"\sup\{p : P(\mathrm{Bin}(n, p) \le k) \ge \delta\}",
    source=Source("Langford, JMLR 6 (2005)", "test set bound; Clopper and Pearson 1934"),
    value=binomial_upper,
    assumptions=(FIXED, IID, BINARY),
    note="exact; for a stratified support use stratified_support",
)

bernstein_relaxation = CountCertificate(
    name="bernstein_relaxation",
    title="Bernstein relaxation of kl",
    losses="[0,1]",
    formula=r"r + \sqrt{2 r L / n} + 2 L / n,\quad L = \log(1/\delta)",
    source=Source("McAllester, COLT 2003", "relaxation of kl; never below kl_inverse"),
    value=_bernstein_relaxation,
)

hoeffding_bentkus = CountCertificate(
    name="hoeffding_bentkus",
    title="Hoeffding-Bentkus",
    losses="[0,1]",
    formula=(
        r"\sup\{p : \min(e^{-n\,\mathrm{kl}(\min(r, p) \| p)},"
        r"\ e\,P(\mathrm{Bin}(n, p) \le \lceil k \rceil)) > \delta\}"
    ),
    source=Source("Bates et al., J. ACM 68 (2021)", "Hoeffding-Bentkus inequality"),
    value=_hoeffding_bentkus,
)

stratified_support = CountCertificate(
    name="stratified_support",
    title="binomial tail inversion, stratified support",
    losses="0/1",
    formula=(
        r"\min\{\mathrm{kl}^{-1}(r, \log(1/\delta)/n),"
        r"\ \max(\mathrm{BTI}(k, n, \delta), (k+1)/n)\}"
    ),
    source=Source(
        "Hoeffding, Ann. Math. Statist. 27 (1956)",
        "tail of a sum of unequal Bernoullis",
        "its inversion is derived here",
    ),
    value=_stratified,
    assumptions=(FIXED, INDEPENDENT, BINARY),
    note=(
        "for delta <= 1/4 and k <= n - 2 it is binomial tail inversion; above that level the "
        "binomial does not dominate a sum of unequal Bernoullis near its mean, hence (k+1)/n"
    ),
)
