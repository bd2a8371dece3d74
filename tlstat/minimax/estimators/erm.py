"""Empirical risk minimisers on one sample, on both, and on weighted ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tlstat.backend import namespace
from tlstat.errors import InputError
from tlstat.minimax.models.checks import require
from tlstat.minimax.sampling.statistics import CellSample, Sample, running


def minimiser(values: Any, tie: Any, allowed: Any = None) -> Any:
    """Index of the smallest entry of the last axis; of several, each with equal probability.

    Parameters
    ----------
    values : array, shape (..., H)
    tie : array, shape (...)
        Uniform variates that choose. The first minimiser would be biased towards one end.
    allowed : array of bool, shape (..., H), optional
        Entries that may be chosen; at least one in each row.
    """
    xp = namespace(values)
    if allowed is not None:
        inf = xp.full_like(tie, math.inf)[..., None]
        values = xp.where(allowed, 1.0 * values, inf)
    hit = 1 * (values == xp.min(values, axis=-1, keepdims=True))
    seen = xp.cumulative_sum(hit, axis=-1)
    number = seen[..., -1]
    rank = xp.astype(xp.floor(tie * number), number.dtype)
    rank = xp.minimum(rank, number - 1)
    return xp.sum(1 * (seen <= rank[..., None]), axis=-1)


def source_erm(sample: Sample) -> Any:
    """Minimiser of the source errors.

    Parameters
    ----------
    sample : Sample
        With an empty source every hypothesis is as good: a random one is returned.

    Returns
    -------
    array of int64, shape (...)
        Indices; ``sample.take`` makes hypotheses of them.
    """
    return minimiser(sample.errors_P, sample.ties[..., 0], sample.valid)


def target_erm(sample: Sample) -> Any:
    """Minimiser of the target errors; see `source_erm`."""
    return minimiser(sample.errors_Q, sample.ties[..., 1], sample.valid)


def pooled_erm(sample: Sample) -> Any:
    """Minimiser of the errors on both samples together, each point counting the same."""
    return weighted_erm(sample, 1.0)


def equal_erm(sample: Sample) -> Any:
    """Minimiser of the sum of both error rates, whatever the sample sizes.

    An empty sample has no error rate; then the other one decides alone.
    """
    if sample.n_P == 0 or sample.n_Q == 0:
        return target_erm(sample) if sample.n_P == 0 else source_erm(sample)
    return weighted_erm(sample, sample.n_Q / sample.n_P)


def weighted_erm(sample: Sample, weight: Any) -> Any:
    """Minimiser of ``weight * source errors + target errors``.

    Parameters
    ----------
    sample : Sample
    weight : float or array_like, shape (W,)
        Weight of one source point, in [0, inf]. Infinite: source errors first, ties by target
        errors. Several weights are tried on the same sample.

    Returns
    -------
    array of int64, shape (...) or (..., W)
    """
    weights = np.asarray(weight, dtype=float)
    require("weight", weight, weights.ndim <= 1, "a number or a vector of weights")
    require("weight", weight, bool((weights >= 0).all()), "weights of 0 or above")
    if weights.ndim == 1:
        columns = [_weighted(sample, float(w)) for w in weights]
        return namespace(columns[0]).stack(columns, axis=-1)
    return _weighted(sample, float(weights))


def _weighted(sample: Sample, weight: float) -> Any:
    if weight == 0 or sample.n_P == 0:
        return target_erm(sample)
    if sample.n_Q == 0:
        return source_erm(sample)
    tie = sample.ties[..., 1]
    if weight < math.inf:
        return minimiser(weight * sample.errors_P + sample.errors_Q, tie, sample.valid)
    return minimiser(sample.errors_Q, tie, source_minimisers(sample))


def source_minimisers(sample: Sample) -> Any:
    """Mask of all minimisers of the source errors, shape (..., H)."""
    xp = namespace(sample.errors_P)
    errors = 1.0 * sample.errors_P
    if sample.valid is not None:
        errors = xp.where(sample.valid, errors, xp.full_like(errors, math.inf))
    return errors == xp.min(errors, axis=-1, keepdims=True)


def admissible_weights(model: Any, n_P: int, n_Q: int) -> tuple[float, float]:
    """Weights of a source point by which `weighted_erm` keeps one sample's rate.

    Parameters
    ----------
    model : PowerThresholds
    n_P, n_Q : int
        Sample sizes above 0.

    Returns
    -------
    for_source, for_target : float
        Up to constants, at least the first keeps the source's rate, at most the second the
        target's. Only the better of the two rates is needed, but no single weight has it for
        all sample sizes.

    Notes
    -----
    Derived here from bias and variance at the scale that a sample resolves.
    """
    require("n_P", n_P, n_P > 0, "a sample size above 0")
    require("n_Q", n_Q, n_Q > 0, "a sample size above 0")
    scale_P, scale_Q = model.P.localisation(n_P), model.Q.localisation(n_Q)
    for_source = scale_P**model.a_P * math.sqrt(n_Q * scale_P**model.q)
    for_target = math.sqrt(n_Q * scale_Q**model.q / (n_P * scale_Q**model.gamma))
    return for_source, for_target


def truncated_weights(model: Any, thresholds: Any, truncation: float) -> np.ndarray:
    """Importance weights of the cells, the ratio of target to source mass cut at a bound.

    Parameters
    ----------
    model : model with ``cells_P`` and ``cells_Q``
    thresholds : array_like, shape (H,)
    truncation : float
        Largest ratio that is kept, above 0.

    Returns
    -------
    ndarray, shape (H - 1,)
        With mean 1 under the source; constant within a cell.
    """
    require("truncation", truncation, truncation > 0, "a number above 0")
    edges = np.asarray(thresholds, dtype=float)
    of_P, of_Q = model.cells_P(edges).sum(-1), model.cells_Q(edges).sum(-1)
    ratio = of_Q / np.where(of_P > 0, of_P, 1.0)
    weights = np.minimum(np.where(of_P > 0, ratio, truncation), truncation)
    return weights / (weights @ of_P)


def importance_weighted_erm(sample: CellSample, weights: Any) -> Any:
    """Minimiser of the weighted source errors, the weight being constant within a cell.

    Parameters
    ----------
    sample : CellSample
        One-sided thresholds.
    weights : array_like, shape (H - 1,)
        For example `truncated_weights`.
    """
    if not isinstance(sample, CellSample) or sample.two_sided:
        raise InputError("sample is not a CellSample of one-sided thresholds, which weights need")
    values = np.asarray(weights, dtype=float)
    cells = sample.cells_P.shape[-2]
    require("the shape of weights", values.shape, values.shape == (cells,), f"({cells},), one each")
    ok = bool(np.isfinite(values).all() and (values >= 0).all())
    require("weights", weights, ok, "finite weights of 0 or above")
    xp = namespace(sample.cells_P)
    if xp is not np:
        values = xp.asarray(values, device=sample.cells_P.device)
    steps = values * (sample.cells_P[..., 1] - sample.cells_P[..., 0])
    return minimiser(running(steps), sample.ties[..., 0], sample.valid)
