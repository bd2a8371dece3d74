"""Risk without a test set: of one hypothesis, and exactly in expectation where a formula exists.

Without noise the expected risk is a one-dimensional integral, for votes on a hypercube it comes
from the two-sample kernel; both at any sample size, so that local slopes are exact too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tlstat.backend import namespace
from tlstat.errors import InputError
from tlstat.minimax import estimators
from tlstat.minimax.models import FiniteClass, Hypercube, ParallelThresholds, PowerThresholds
from tlstat.minimax.models.checks import require, require_count
from tlstat.minimax.sampling import sample_atoms, sample_cells

PROCEDURES = {
    "source": estimators.source_erm,
    "target": estimators.target_erm,
    "pooled": estimators.pooled_erm,
    "equal": estimators.equal_erm,
    "select": estimators.select,
    "confidence-set": estimators.confidence_set_erm,
    "mirrored": estimators.mirrored_erm,
}

_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(24)
_DECAY = 40.0  # the integral is cut where its integrand has fallen by exp(-40)


def excess_risk(model: Any, hypothesis: Any) -> Any:
    """Exact target excess risk of hypotheses: the model's ``excess_Q``.

    Parameters
    ----------
    model : any classification model of this room
    hypothesis : array
        As the model takes them: thresholds, angles, pairs of ends, stumps, numbers of wrong
        atoms, indices.
    """
    return model.excess_Q(hypothesis)


def simulate_risks(
    model: Any,
    n_P: int,
    n_Q: int,
    rng: Any,
    size: int,
    procedures: Sequence[str] = tuple(PROCEDURES),
    **options: Any,
) -> Any:
    """Target excess risks of several procedures on the same simulated samples.

    Parameters
    ----------
    model : PowerThresholds, ParallelThresholds, ShiftedCentre, HalfPlanes, Stumps or FiniteClass
    n_P, n_Q : int
        Sample sizes.
    rng : Random or numpy Generator
    size : int
        Number of replicates.
    procedures : sequence of str
        Out of "source", "target", "pooled", "equal", "select", "confidence-set", "mirrored".
        For `ParallelThresholds` and `Stumps` the first four only: the others need confidence
        sets, which counts of single coordinates do not determine.
    **options
        For `sample_cells`: ``thresholds`` or ``per_octave``.

    Returns
    -------
    array, shape (size, len(procedures))
    """
    for name in procedures:
        require("procedures", name, name in PROCEDURES, f"names out of {', '.join(PROCEDURES)}")
    sampler = sample_atoms if isinstance(model, FiniteClass) else sample_cells
    sample = sampler(model, n_P, n_Q, rng, size, **options)
    risks = [model.excess_Q(sample.take(PROCEDURES[name](sample))) for name in procedures]
    return namespace(risks[0]).stack(risks, axis=-1)


def exact_risk(
    model: PowerThresholds | ParallelThresholds | Hypercube,
    n_P: Any,
    n_Q: Any,
    *,
    rule: str = "right",
    weights: tuple[float, float] | None = None,
) -> Any:
    """Expected target excess risk of a procedure, by its closed form: no simulation.

    Parameters
    ----------
    model : PowerThresholds or ParallelThresholds without noise, or Hypercube
        Thresholds: the empirical minimiser (of the pooled or any weighted sample, as there is
        no noise). Hypercube: the vote at each atom.
    n_P, n_Q : array_like of int
        Sample sizes, 0 or more, broadcast against each other.
    rule : {"right", "middle"}
        Which minimiser: the right end of the gap between the nearest points on both sides of
        the best threshold, or its middle (for ``q = 1`` only).
    weights : (float, float), optional
        Weights of source and target labels in the vote; by default those of the likelihood
        ratio, which make this the minimax risk over the cube.

    Returns
    -------
    float or ndarray
        Accurate to about 1e-12 relative (thresholds), 1e-13 of the cube's mass (votes).

    Raises
    ------
    InputError
        For a model with noise, which has no closed form: simulate.
    """
    if isinstance(model, Hypercube):
        from tlstat.minimax.vote import vote_error

        atom = vote_error(n_P, model.p, model.delta_P, n_Q, model.q, model.delta_Q, weights=weights)
        return model.excess_Q(model.m * atom)
    _require_noise_free(model, rule)
    value = np.vectorize(lambda a, b: _integral(model, float(a), float(b), rule)[0], otypes="d")
    risk = value(*_sizes(n_P, n_Q))
    return float(risk) if risk.ndim == 0 else risk


def exact_slope(
    model: PowerThresholds | ParallelThresholds | Hypercube,
    n_P: Any,
    n_Q: Any,
    *,
    along: str = "n_P",
    rule: str = "right",
    weights: tuple[float, float] | None = None,
    ratio: float = 1.1,
) -> Any:
    """Exact local slope of the logarithm of the risk against that of a sample size.

    Parameters
    ----------
    model, n_P, n_Q, rule, weights
        As for `exact_risk`.
    along : {"n_P", "n_Q"}
        The sample size that grows.
    ratio : float
        For votes, whose sample sizes are whole: the slope is that between ``n`` and
        ``ratio * n``, rounded. Without noise it is the derivative.

    Returns
    -------
    float or ndarray
    """
    require("along", along, along in ("n_P", "n_Q"), '"n_P" or "n_Q"')
    if isinstance(model, Hypercube):
        require("ratio", ratio, ratio > 1, "a number above 1")
        return _vote_slope(model, *_sizes(n_P, n_Q), along, weights, ratio)
    _require_noise_free(model, rule)
    which = 1 if along == "n_P" else 2

    def slope(a: float, b: float) -> float:
        values = _integral(model, float(a), float(b), rule)
        return (a, b)[which - 1] * values[which] / values[0]

    value = np.vectorize(slope, otypes="d")(*_sizes(n_P, n_Q))
    return float(value) if value.ndim == 0 else value


def _vote_slope(
    model: Hypercube,
    n_P: np.ndarray,
    n_Q: np.ndarray,
    along: str,
    weights: tuple[float, float] | None,
    ratio: float,
) -> Any:
    n = n_P if along == "n_P" else n_Q
    more = np.maximum(np.rint(ratio * n), n + 1)
    later = (more, n_Q) if along == "n_P" else (n_P, more)
    before, after = (exact_risk(model, *sizes, weights=weights) for sizes in ((n_P, n_Q), later))
    require("n", n, bool(np.all(n > 0)), "sample sizes above 0 for a slope")
    value = (np.log(after) - np.log(before)) / (np.log(more) - np.log(n))
    return float(value) if np.ndim(value) == 0 else value


def _sizes(n_P: Any, n_Q: Any) -> tuple[np.ndarray, np.ndarray]:
    sizes = []
    for name, n in (("n_P", n_P), ("n_Q", n_Q)):
        array = np.asarray(n)
        for entry in array.ravel()[:1] if array.size == 1 else (array.min(), array.max()):
            require_count(0, **{name: entry.item()})
        sizes.append(array.astype(float))
    return sizes[0], sizes[1]


def _require_noise_free(model: Any, rule: str) -> None:
    require("rule", rule, rule in ("right", "middle"), '"right" or "middle"')
    if not isinstance(model, (PowerThresholds, ParallelThresholds)) or not model.noise_free:
        raise InputError(
            f"model is {model!r}; the risk has a closed form for PowerThresholds and "
            "ParallelThresholds without noise (a_P = a_Q = 0, c_P = c_Q = 1) and for Hypercube: "
            "simulate the others"
        )
    if rule == "middle" and model.q != 1:
        raise InputError(f'rule is "middle" with q = {model.q!r}; its closed form needs q = 1')


def _integral(
    model: PowerThresholds | ParallelThresholds, n_P: float, n_Q: float, rule: str
) -> tuple[float, float, float]:
    """Expected risk and its derivatives by both sample sizes.

    Right end R: ``A_Q E R**q = A_Q int q r**(q-1) P(R > r) dr``. Middle, q = 1:
    ``A_Q E|R - L| / 2 = A_Q int (P(R > r) - P(R > r, L > r)) dr``. In ``s = log r``.
    """
    lines = model.d if isinstance(model, ParallelThresholds) else 1
    s, weight = _panels(model, n_P / lines, n_Q / lines)
    base = model.A_Q * model.q * np.exp(model.q * s) * weight
    value = np.zeros(3)
    sides = ((1.0, 1.0),) if rule == "right" else ((1.0, 1.0), (2.0, -1.0))
    for points, sign in sides:
        log_P = _log_missed(points, model.gamma, s, lines)
        log_Q = _log_missed(points, model.q, s, lines)
        with np.errstate(invalid="ignore"):
            survival = np.exp(_times(n_P, log_P) + _times(n_Q, log_Q))
        kept = survival > 0
        terms = np.where(kept, base * survival, 0.0) * sign
        finite_P, finite_Q = (np.where(kept, x, 0.0) for x in (log_P, log_Q))
        value += [terms.sum(), terms @ finite_P, terms @ finite_Q]
    return float(value[0]), float(value[1]), float(value[2])


def _times(n: float, log_missed: np.ndarray) -> np.ndarray:
    return n * log_missed if n > 0 else np.zeros_like(log_missed)


def _log_missed(points: float, power: float, s: np.ndarray, lines: int) -> np.ndarray:
    """Log probability that one point misses the ``points`` intervals up to ``exp(s)``."""
    mass = points * np.exp(power * s) / (2 * lines)
    # both sides of a single line have mass 1 at r = 1: nothing is missed there
    return np.log1p(-np.minimum(mass, 1 - 1e-16))


def _panels(model: Any, n_P: float, n_Q: float) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights in s on panels over all that matters of (-inf, 0]."""
    scale = 0.0
    for n, power in ((n_P, model.gamma), (n_Q, model.q)):
        if n > 1:
            scale = min(scale, -math.log(n) / power)
    low = scale - _DECAY / model.q
    width = 1 / max(model.gamma, model.q, 1.0)
    edges = np.linspace(low, 0.0, math.ceil(-low / width) + 1)
    half = np.diff(edges)[:, None] / 2
    s = edges[:-1, None] + half * (_NODES + 1)
    return s.ravel(), (half * _NODE_WEIGHTS).ravel()
