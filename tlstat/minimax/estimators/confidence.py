"""Adaptive procedures: confidence sets of one sample, and the other's minimiser within them.

With ``A_n = (d/n) log(max(n, d)/d) + (1/n) log(1/delta)`` the confidence set of a sample holds
every hypothesis ``h`` whose error rate exceeds the smallest by at most
``c sqrt(P_n(h != h_ERM) A_n) + c A_n``. The theory needs a universal constant ``c`` that is not
known sharply; 1 works well, and what it costs is for the reader to see.
"""

from __future__ import annotations

import math
from typing import Any

from tlstat.backend import namespace
from tlstat.errors import InputError
from tlstat.minimax.estimators.erm import minimiser, source_erm, target_erm
from tlstat.minimax.models.checks import require, require_count
from tlstat.minimax.sampling.statistics import Sample, pick


def deviation(n: int, *, delta: float = 1.0, dimension: int = 1) -> float:
    """The paper's ``A_n(delta)``; infinite for an empty sample.

    Parameters
    ----------
    n : int
        Sample size.
    delta : float
        Probability of failure, in (0, 1]; 1 leaves ``log(n)/n`` in dimension 1.
    dimension : int
        VC dimension of the class.
    """
    require_count(0, n=n)
    require("delta", delta, 0 < delta <= 1, "a number in (0, 1]")
    require_count(1, dimension=dimension)
    if n == 0:
        return math.inf
    return (dimension * math.log(max(n, dimension) / dimension) + math.log(1 / delta)) / n


def confidence_set(
    sample: Sample,
    law: str = "Q",
    *,
    c: float = 1.0,
    delta: float = 1.0,
    dimension: int = 1,
) -> Any:
    """Which hypotheses a sample cannot tell from its empirical minimiser.

    Parameters
    ----------
    sample : Sample
    law : {"P", "Q"}
        Whose sample.
    c : float
        Factor of the radius, 0 or above; may be inf.
    delta, dimension
        As for `deviation`.

    Returns
    -------
    array of bool, shape (..., H)
        The minimiser itself is always in it; with an empty sample, every hypothesis.
    """
    if sample.separable:
        raise InputError(
            "sample is of a product class, one minimiser for each coordinate; confidence sets "
            "need a single list of hypotheses"
        )
    require("law", law, law in ("P", "Q"), '"P" or "Q"')
    require("c", c, c >= 0, "a factor of 0 or above")
    best = target_erm(sample) if law == "Q" else source_erm(sample)
    n = sample.n_Q if law == "Q" else sample.n_P
    errors = sample.errors_Q if law == "Q" else sample.errors_P
    xp = namespace(errors)
    exists = xp.ones_like(errors) > 0 if sample.valid is None else sample.valid
    capacity = deviation(n, delta=delta, dimension=dimension)
    if n == 0 or c == math.inf:
        return exists
    differs = sample.differs_Q(best) if law == "Q" else sample.differs_P(best)
    radius = _radius(differs, n * capacity, c, xp)
    return exists & (errors - pick(errors, best)[..., None] <= radius)


def confidence_set_erm(
    sample: Sample, *, c: float = 1.0, delta: float = 1.0, dimension: int = 1
) -> Any:
    """Algorithm I: the best on the source of what the target cannot tell from its best.

    Reaches the better of both rates, up to logarithms, without knowing any exponent, if both
    laws share their best hypothesis.

    Parameters
    ----------
    sample : Sample
    c, delta, dimension
        As for `confidence_set`.

    Returns
    -------
    array of int64, shape (...)
        With an empty source the target's minimiser, with an empty target the source's.
    """
    allowed = confidence_set(sample, "Q", c=c, delta=delta, dimension=dimension)
    if sample.n_P == 0:
        return target_erm(sample)
    return minimiser(sample.errors_P, sample.ties[..., 0], allowed)


def mirrored_erm(sample: Sample, *, c: float = 1.0, delta: float = 1.0, dimension: int = 1) -> Any:
    """Algorithm I with the roles exchanged: the target's best in the source's confidence set."""
    allowed = confidence_set(sample, "P", c=c, delta=delta, dimension=dimension)
    if sample.n_Q == 0:
        return source_erm(sample)
    return minimiser(sample.errors_Q, sample.ties[..., 1], allowed)


def select(sample: Sample, *, c: float = 1.0, delta: float = 1.0, dimension: int = 1) -> Any:
    """Algorithm II: the source's minimiser if the target sample accepts it, else the target's.

    Needs no shared best hypothesis: at most a constant worse than the source's minimiser, and
    than the target's rate.

    Parameters and result as for `confidence_set_erm`.
    """
    allowed = confidence_set(sample, "Q", c=c, delta=delta, dimension=dimension)
    of_P, of_Q = source_erm(sample), target_erm(sample)
    if sample.n_P == 0:
        return of_Q
    return namespace(of_P).where(pick(allowed, of_P), of_P, of_Q)


def _radius(differs: Any, capacity: float, c: float, xp: Any) -> Any:
    """The confidence radius in numbers of points (``capacity`` is ``n A_n``)."""
    return c * xp.sqrt(capacity * (1.0 * differs)) + c * capacity
