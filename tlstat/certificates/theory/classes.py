"""Bounds for the candidates of a finite class, and for classes of other complexity."""

from __future__ import annotations

from typing import Any

import numpy as np
from sympy import And, Ge, Gt, Le, Lt, log, sqrt

from tlstat.certificates import weights
from tlstat.certificates.base import FIXED, IID, INDEPENDENT
from tlstat.certificates.complexity import sample_compression
from tlstat.certificates.finite_pool import hypergeometric_inversion
from tlstat.certificates.point import (
    bernstein_relaxation,
    binomial_tail_inversion,
    hoeffding_bentkus,
    kl_inverse,
)
from tlstat.certificates.shift import weighted_empirical_bernstein
from tlstat.certificates.theory.common import (
    BUDGET,
    CLASS,
    COUNTS,
    LEVELS,
    MEMORY,
    OURS,
    PAPER,
    READ,
    UNSCORED,
    M,
    N,
    V,
    W,
    d,
    delta,
    h,
    j,
    k,
    log_inv,
    n,
    r,
    w,
)
from tlstat.theory.bound import Assumption, Bound, Source


def _of_class(name: str, certificate: Any, **more: Any) -> Bound:
    """A certificate of ``(k, n)`` over a finite class."""
    source = certificate.source
    note = "; ".join(part for part in (source.note, "union over the class") if part)
    return Bound(
        name=name,
        symbols=("k", "n", "M", "delta"),
        kind="upper",
        sense="probability",
        assumptions=(*certificate.assumptions, UNSCORED),
        source=Source(source.ref, source.where, note),
        valid=COUNTS,
        **more,
    )


# ---------------------------------------------------------- the paper's two bounds

FINITE_CLASS = Bound(
    name="finite class, Hoeffding (Eq. 3)",
    expr=k / n + sqrt(BUDGET / (2 * n)),
    sense="probability",
    assumptions=CLASS,
    source=Source(PAPER, "Eq. 3", READ),
    valid=COUNTS,
)
FINITE_CLASS_COMPLEXITY = Bound(
    name="complexity of a finite class",
    expr=sqrt(BUDGET / (2 * n)),
    kind="exact",
    scope="every instance",
    source=Source(PAPER, "Eq. 3", READ),
    valid=And(LEVELS, Ge(n, 1), Ge(M, 1)),
)
CONTINUOUS_CLASS = Bound(
    name="quantised continuous class (Eq. 7), d counted in nats",
    expr=k / n + sqrt((d + 2 * log(d) + log(1 / delta)) / (2 * n)),
    sense="probability",
    assumptions=(FIXED, INDEPENDENT),
    source=Source(
        PAPER, "Eq. 7", f"{READ}; one bit a parameter would be d log 2, see the next bound"
    ),
    valid=And(LEVELS, Ge(n, 1), Ge(k, 0), Le(k, n), Ge(d, 1)),
)
CONTINUOUS_CLASS_BITS = Bound(
    name="quantised continuous class, one bit a parameter",
    expr=k / n + sqrt((d * log(2) + 2 * log(d) + log(1 / delta)) / (2 * n)),
    sense="probability",
    assumptions=(FIXED, INDEPENDENT),
    source=Source(PAPER, "Eq. 7", f"d bits converted to nats: {OURS}"),
    valid=And(LEVELS, Ge(n, 1), Ge(k, 0), Le(k, n), Ge(d, 1)),
)

# ---------------------------------------------------------------- counts of errors

KL_INVERSE = _of_class(
    "finite class, Chernoff (kl inverse)",
    kl_inverse,
    value=lambda k, n, M, delta: kl_inverse(k, n, log_inv_delta=log_inv(M, delta)),
)
BINOMIAL = _of_class(
    "finite class, binomial tail inversion",
    binomial_tail_inversion,
    value=lambda k, n, M, delta: binomial_tail_inversion(k, n, log_inv_delta=log_inv(M, delta)),
)
BERNSTEIN = _of_class(
    "finite class, Bernstein relaxation of kl",
    bernstein_relaxation,
    expr=k / n + sqrt(2 * k * BUDGET) / n + 2 * BUDGET / n,
)
HOEFFDING_BENTKUS = _of_class(
    "finite class, Hoeffding-Bentkus",
    hoeffding_bentkus,
    value=lambda k, n, M, delta: hoeffding_bentkus(k, n, log_inv_delta=log_inv(M, delta)),
)
EMPIRICAL_BERNSTEIN = Bound(
    name="finite class, empirical Bernstein for 0/1 losses",
    expr=k / n
    + sqrt(2 * k * (n - k) / (n * (n - 1)) * log(2 * M / delta) / n)
    + 7 * log(2 * M / delta) / (3 * (n - 1)),
    sense="probability",
    assumptions=(FIXED, UNSCORED, IID),
    source=Source("arXiv:0907.3740", "Theorem 4", f"number {MEMORY}; union over the class"),
    valid=And(LEVELS, Ge(n, 2), Ge(k, 0), Le(k, n), Ge(M, 1)),
)
ZERO_ERRORS = Bound(
    name="certificate of a candidate without errors",
    expr=1 - (delta / M) ** (1 / n),
    kind="exact",
    scope="no errors",
    sense="expectation",
    source=Source("Langford, JMLR 6 (2005)", "test set bound", "binomial inversion at k = 0"),
    valid=And(LEVELS, Ge(n, 1), Ge(M, 1)),
)
OCCAM = Bound(
    name="Occam's razor with Hoeffding's bound, candidate of weight w",
    expr=k / n + sqrt(log(1 / (w * delta)) / (2 * n)),
    sense="probability",
    assumptions=(*CLASS, Assumption("weights", "the weights were fixed and sum to at most 1")),
    source=Source("Langford, JMLR 6 (2005)", "Theorem 4.6", MEMORY),
    valid=And(LEVELS, Ge(n, 1), Ge(k, 0), Le(k, n), Gt(w, 0), Le(w, 1)),
)

# ----------------------------------------------------------------- price of a rank

RANK_PRICE = Bound(
    name="price of rank j, log(j (j + 1)), in nats",
    expr=log(j * (j + 1)),
    kind="exact",
    scope="every instance",
    source=Source("Langford, JMLR 6 (2005)", "Theorem 4.6", f"the weights are {OURS}"),
    valid=Ge(j, 1),
)
DYADIC_PRICE = Bound(
    name="price of rank j under dyadic weights, in nats",
    value=lambda j: -np.asarray(weights.dyadic(j), dtype=float),
    symbols=("j",),
    kind="exact",
    scope="every instance",
    source=Source("Elias, IEEE Trans. Inf. Theory 21 (1975)", "universal codes", OURS),
    valid=Ge(j, 1),
)
DYADIC_PRICE_UPPER = Bound(
    name="price of rank j under dyadic weights, closed upper bound",
    expr=log(j) + log((log(j) / log(2) + 1) * (log(j) / log(2) + 2)),
    kind="upper",
    source=Source("Elias, IEEE Trans. Inf. Theory 21 (1975)", "universal codes", OURS),
    valid=Ge(j, 1),
)

# -------------------------------------------------------------- other complexities

RADEMACHER = Bound(
    name="finite class, Rademacher complexity by Massart's lemma",
    expr=k / n + sqrt(2 * log(M) / n) + sqrt(log(1 / delta) / (2 * n)),
    sense="probability",
    assumptions=CLASS,
    source=Source("Bartlett and Mendelson, JMLR 3 (2002)", "Theorem 8", f"constants {MEMORY}"),
    valid=And(COUNTS, Gt(M, 1)),
)
VC = Bound(
    name="class of Vapnik-Chervonenkis dimension h",
    expr=k / n + sqrt(8 * (h * log(2 * n / h) + h + log(4 / delta)) / n),
    sense="probability",
    assumptions=(FIXED, IID),
    source=Source("Vapnik and Chervonenkis 1971", "growth function", "constants from memory"),
    valid=And(LEVELS, Ge(n, 1), Ge(h, 1), Le(h, 2 * n), Ge(k, 0), Le(k, n)),
)
SAMPLE_COMPRESSION = Bound(
    name="sample compression to h of n examples, k errors on the others",
    value=lambda k, n, h, delta: sample_compression(k, n, h, delta=delta),
    symbols=("k", "n", "h", "delta"),
    sense="probability",
    assumptions=sample_compression.assumptions,
    source=sample_compression.source,
    valid=And(LEVELS, Ge(n, 1), Ge(h, 0), Lt(h, n), Ge(k, 0), Le(k, n - h)),
)
FINITE_POOL = Bound(
    name="finite class, error rate on a pool of N of which n were drawn",
    value=lambda k, n, N, M, delta: hypergeometric_inversion(
        k, n, N, log_inv_delta=log_inv(M, delta)
    ),
    symbols=("k", "n", "N", "M", "delta"),
    sense="probability",
    assumptions=(*hypergeometric_inversion.assumptions, UNSCORED),
    source=hypergeometric_inversion.source,
    valid=And(COUNTS, Ge(N, n)),
)

# ------------------------------------------------------------------- covariate shift

WEIGHTED_BERNSTEIN = Bound(
    name="target risk under covariate shift, empirical Bernstein",
    expr=r + sqrt(2 * V * log(2 * M / delta) / n) + 7 * W * log(2 * M / delta) / (3 * (n - 1)),
    sense="probability",
    assumptions=(*weighted_empirical_bernstein.assumptions, UNSCORED),
    source=weighted_empirical_bernstein.source,
    valid=And(LEVELS, Ge(n, 2), Ge(r, 0), Ge(V, 0), Ge(W, 1), Ge(M, 1)),
)
