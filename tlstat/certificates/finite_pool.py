"""A sample without replacement from a finite pool, and candidates that agree on a pool.

Where the risk is the error rate on a pool of inputs known in advance (transductive), the
hypergeometric law is exact; and candidates with the same predictions on the pool are one candidate.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tlstat.backend import to_numpy
from tlstat.certificates.base import BINARY, FIXED, Assumption, CountCertificate, Source, log_level
from tlstat.certificates.inversion import (
    Floats,
    binomial_upper,
    counts,
    hypergeometric_upper,
    raised,
    require,
)
from tlstat.errors import InputError

WITHOUT_REPLACEMENT = Assumption(
    "without replacement", "the examples are a uniform random subset of the pool"
)


def _hypergeometric(k: Floats, n: Floats, level: Floats, pool: Floats) -> Floats:
    whole = (pool == np.floor(pool)) & (pool >= n) & (pool < 2.0**53)
    require(whole, pool, "pool", "a whole number of at least n")
    return hypergeometric_upper(k, n, level, pool)


hypergeometric_inversion = CountCertificate(
    name="hypergeometric_inversion",
    title="hypergeometric inversion",
    losses="0/1",
    formula=r"\max\{D : P(\mathrm{Hyp}(N, D, n) \le k) \ge \delta\} / N",
    source=Source("Vapnik, The Nature of Statistical Learning Theory", "transductive bounds"),
    value=_hypergeometric,
    assumptions=(FIXED, WITHOUT_REPLACEMENT, BINARY),
    parameters=("pool",),
    note="exact for the error rate of the whole pool of N, the n labelled ones included",
)


class Distinct(NamedTuple):
    """Candidates merged by identical predictions."""

    first: Any  # index of the first candidate of each group, in order of generation
    group: Any  # group of every candidate


def distinct(predictions: ArrayLike) -> Distinct:
    """Merge candidates whose predictions agree on a whole pool fixed in advance.

    The union bound for the risk on that pool counts functions, not parameters: ``len(first)``
    candidates instead of all. Agreement on the labelled examples alone is no licence to merge.

    Parameters
    ----------
    predictions : array_like, shape (M, pool)
        Predictions of every candidate on every input of the pool; no labels enter.
    """
    table = np.asarray(to_numpy(predictions))
    if table.ndim != 2 or 0 in table.shape:
        raise InputError(
            f"predictions must have shape (candidates, pool), neither empty, got {table.shape}"
        )
    _, first, group = np.unique(table, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    return Distinct(first[order], rank[group.reshape(-1)])


def through_cover(
    limit: ArrayLike,
    disagreements: ArrayLike,
    unlabelled: ArrayLike,
    *,
    delta: ArrayLike | None = None,
    log_inv_delta: ArrayLike | None = None,
) -> Any:
    """Certificate of a near-duplicate from that of its cover centre.

    ``R(g) <= R(f) + P(f != g)``: the union bound counts the centres ``f`` only, and the
    disagreement is certified by binomial inversion on independent unlabelled inputs.

    Parameters
    ----------
    limit : array_like
        Certificate of the centre.
    disagreements, unlabelled : array_like
        Disagreements among so many unlabelled inputs, independent of the labelled examples and
        of how the centres were found.
    delta, log_inv_delta : array_like
        For the disagreement (shared among all pairs, if there are several); it adds to the
        probability that the centres' certificates fail.
    """
    d, m = counts(to_numpy(disagreements), to_numpy(unlabelled))
    level = log_level(delta, log_inv_delta)
    out = np.minimum(raised(np.asarray(limit) + binomial_upper(d, m, level)), 1.0)
    return float(out) if out.ndim == 0 else out
