"""PAC-Bayes bounds: the risk of a predictor drawn from a posterior."""

from __future__ import annotations

from typing import Any

import numpy as np
from sympy import And, Ge, Gt, Le, Lt, Rational, exp, log, pi, sqrt

from tlstat.certificates import pac_bayes
from tlstat.certificates.base import IID
from tlstat.certificates.inversion import kl_upper_inverse
from tlstat.certificates.theory.common import LEVELS, MEMORY, OURS, C, K, delta, lam, n, r
from tlstat.theory.bound import Assumption, Bound, Source

# ---------------------------------------------------------------------- PAC-Bayes

_PRIOR = (
    Assumption("prior", "the prior was fixed before the examples were seen; the posterior is free"),
    IID,
)
_POSTERIOR = And(LEVELS, Ge(n, 1), Ge(r, 0), Le(r, 1), Ge(K, 0))
_B = K + log(2 * sqrt(n) / delta)


def _pac_bayes(name: str, source: Source, valid: Any = _POSTERIOR, **form: Any) -> Bound:
    return Bound(
        name=name, sense="probability", assumptions=_PRIOR, source=source, valid=valid, **form
    )


def _normaliser(n: Any) -> Any:
    return np.exp(np.asarray(pac_bayes.log_normaliser(n), dtype=float))


def _pac_bayes_kl(r: Any, n: Any, K: Any, delta: Any) -> Any:
    log_i = np.log(_normaliser(n))
    n = np.asarray(n, dtype=float)
    return kl_upper_inverse(r, (K + log_i - np.log(delta)) / n)


NORMALISER = Bound(
    name="normaliser of the PAC-Bayes-kl bound",
    value=_normaliser,
    symbols=("n",),
    kind="exact",
    scope="every instance",
    source=Source("arXiv:cs/0411099", "Theorem 1", "the sum itself, not its bound"),
    valid=Ge(n, 1),
)
NORMALISER_UPPER = Bound(
    name="normaliser of the PAC-Bayes-kl bound, 2 sqrt(n)",
    expr=2 * sqrt(n),
    source=Source("arXiv:cs/0411099", "Lemma 3", "checked for n < 8 too"),
    valid=Ge(n, 1),
)
NORMALISER_LOWER = Bound(
    name="normaliser of the PAC-Bayes-kl bound, sqrt(n)",
    expr=sqrt(n),
    kind="lower",
    source=Source("arXiv:cs/0411099", "Lemma 3"),
    valid=Ge(n, 1),
)
NORMALISER_LIMIT = Bound(
    name="normaliser of the PAC-Bayes-kl bound, two terms",
    expr=sqrt(pi * n / 2) + Rational(2, 3),
    kind="rate",
    source=Source("arXiv:cs/0411099", "Lemma 3", f"its limit {OURS} (Ramanujan's Q function)"),
    valid=Ge(n, 1),
)
PAC_BAYES_KL = _pac_bayes(
    "PAC-Bayes-kl with its exact normaliser",
    pac_bayes.pac_bayes_kl.source,
    value=_pac_bayes_kl,
    symbols=("r", "n", "K", "delta"),
)
PAC_BAYES_KL_ROOT = _pac_bayes(
    "PAC-Bayes-kl with 2 sqrt(n)",
    pac_bayes.pac_bayes_kl_simple.source,
    value=lambda r, n, K, delta: kl_upper_inverse(
        r, (K + np.log(2 * np.sqrt(n) / np.asarray(delta, float))) / np.asarray(n, float)
    ),
    symbols=("r", "n", "K", "delta"),
)
MCALLESTER = _pac_bayes(
    "PAC-Bayes, McAllester's form",
    pac_bayes.mcallester.source,
    expr=r + sqrt(_B / (2 * n)),
)
QUADRATIC = _pac_bayes(
    "PAC-Bayes, quadratic form",
    pac_bayes.quadratic.source,
    expr=(sqrt(r + _B / (2 * n)) + sqrt(_B / (2 * n))) ** 2,
)
PAC_BAYES_LAMBDA = _pac_bayes(
    "PAC-Bayes-lambda",
    pac_bayes.pac_bayes_lambda.source,
    expr=r / (1 - lam / 2) + _B / (n * lam * (1 - lam / 2)),
    valid=And(_POSTERIOR, Gt(lam, 0), Lt(lam, 2)),
)
CATONI = _pac_bayes(
    "PAC-Bayes, Catoni's form at a fixed C",
    pac_bayes.catoni.source,
    expr=(1 - exp(-C * r - (K + log(1 / delta)) / n)) / (1 - exp(-C)),
    valid=And(_POSTERIOR, Gt(C, 0)),
)
CATONI_BEST = Bound(
    name="smallest Catoni bound over C: no certificate, as that C depends on the data",
    value=lambda r, n, K, delta: kl_upper_inverse(
        r, (K - np.log(np.asarray(delta, float))) / np.asarray(n, float)
    ),
    symbols=("r", "n", "K", "delta"),
    kind="exact",
    scope="every instance",
    source=Source("arXiv:2106.03542", "Corollary 6", f"number {MEMORY}; the identity re-derived"),
    valid=_POSTERIOR,
)
