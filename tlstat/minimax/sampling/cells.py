"""Samplers on a grid of thresholds: one multinomial draw of the cells' label counts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.minimax.models import (
    HalfPlanes,
    Intervals,
    ParallelThresholds,
    PowerThresholds,
    ShiftedCentre,
    Stumps,
)
from tlstat.minimax.models.checks import as_array, require_count
from tlstat.minimax.models.power import PowerLaw
from tlstat.minimax.sampling.classes import StumpSample
from tlstat.minimax.sampling.intervals import IntervalSample
from tlstat.minimax.sampling.statistics import CellSample

_MAX_BYTES = 2**32
_BELOW = 10  # octaves that the grid reaches below the scale that the sample resolves
_SMALLEST = 1e-300
_MAX_STEPS = 10**7


def threshold_grid(
    model: Any, n_P: int = 0, n_Q: int = 0, *, per_octave: int = 8, floor: float | None = None
) -> np.ndarray:
    """Thresholds on a logarithmic scale around the best one(s), fine enough for these sizes.

    Parameters
    ----------
    model : model with power laws
    n_P, n_Q : int
        Sample sizes. The grid goes down to a thousandth of the scale that they resolve, as a
        coarser one would let a procedure hit the best threshold exactly.
    per_octave : int
        Thresholds per factor of two; below 6 risks wiggle with the logarithm of n.
    floor : float, optional
        The smallest distance from the best threshold, instead.

    Returns
    -------
    ndarray, shape (H,)
        Increasing, with both ends of the inputs' range and the best threshold(s).
    """
    require_count(1, per_octave=per_octave)
    require_count(0, n_P=n_P, n_Q=n_Q)
    P, Q = _laws(model)
    if isinstance(model, ShiftedCentre):
        around_Q = _signed_scale(_floor(floor, (Q, n_Q)), per_octave)
        around_P = model.b + _signed_scale(_floor(floor, (P, n_P)), per_octave)
        grid = np.concatenate([around_Q, around_P])
    else:
        grid = _signed_scale(_floor(floor, (P, n_P), (Q, n_Q)), per_octave)
        if isinstance(model, Intervals):
            grid = np.concatenate([(grid - 1) / 2, (grid + 1) / 2])
    return np.unique(grid)


def sample_cells(
    model: Any,
    n_P: int,
    n_Q: int,
    rng: Any,
    size: int,
    *,
    thresholds: Any = None,
    per_octave: int = 8,
) -> Any:
    """Statistics of ``size`` replicates of both samples, at a cost that is the same for every n.

    Exact for the finite class of the given thresholds: only masses of cells and mean labels
    within them matter, and both are known in closed form. The class of all thresholds has a
    somewhat larger risk: in a gap between points, ties are broken uniformly over a grid that is
    finest around the best threshold. With few noisy points this is below 10 %; without noise
    use `sample_extremes` or `exact_risk`, under a constant margin `sample_nearest`.

    Parameters
    ----------
    model : PowerThresholds, ParallelThresholds, ShiftedCentre, Intervals, HalfPlanes or Stumps
    n_P, n_Q : int
        Sample sizes, 0 or more, below 2**53.
    rng : Random or numpy Generator
    size : int
        Number of replicates.
    thresholds : array_like, shape (H,), optional
        By default `threshold_grid` for these sizes.
    per_octave : int
        Resolution of the default grid.

    Returns
    -------
    CellSample, IntervalSample or StumpSample
        With leading shape (size,), for `ParallelThresholds` (size, d).

    Raises
    ------
    InputError
        Sizes out of range, thresholds that do not cover the inputs, or counts that would take
        more than 4 GiB (said before anything is allocated).
    """
    require_sizes(n_P, n_Q, size)
    if thresholds is None:
        thresholds = threshold_grid(model, n_P, n_Q, per_octave=per_octave)
    edges = _checked_edges(model, thresholds)
    lines = model.d if isinstance(model, (ParallelThresholds, Stumps)) else 1
    require_memory(size, 2 * lines * 2 * (edges.size - 1))
    n_P, n_Q = int(n_P), int(n_Q)
    grid = as_array(rng, edges)
    P, Q = _laws(model)
    if isinstance(model, Stumps):
        counts_P = _stump_counts(model, P, n_P, edges, rng, size)
        counts_Q = _stump_counts(model, Q, n_Q, edges, rng, size)
        ties = rng.uniform(0.0, 1.0, (size, 2))
        return StumpSample(grid, counts_P, counts_Q, n_P, n_Q, ties)
    separable = isinstance(model, ParallelThresholds)
    counts_P, counts_Q = (
        draw_table(rng, n, np.stack([table] * lines) / lines, size)
        for n, table in ((n_P, model.cells_P(edges)), (n_Q, model.cells_Q(edges)))
    )
    if not separable:
        counts_P, counts_Q = counts_P[:, 0], counts_Q[:, 0]
    ties = rng.uniform(0.0, 1.0, (*counts_P.shape[:-2], 2))
    if isinstance(model, Intervals):
        return IntervalSample(grid, counts_P, counts_Q, n_P, n_Q, ties)
    two_sided = isinstance(model, HalfPlanes)
    return CellSample(
        grid, counts_P, counts_Q, n_P, n_Q, ties, two_sided=two_sided, separable=separable
    )


def draw_table(rng: Any, n: Any, probabilities: np.ndarray, size: int) -> Any:
    """Multinomial counts of a table of probabilities, shape (size,) + its shape."""
    flat = probabilities.ravel()
    # small categories first: the probability of what is left then never suffers cancellation,
    # so cells of mass 1e-20 are drawn exactly even at n = 10**18
    order = np.argsort(flat, kind="stable")
    ordered = flat[order]
    drawn = rng.multinomial(n, ordered / ordered.sum(), size=(size,))
    back = np.argsort(order, kind="stable")
    if isinstance(drawn, np.ndarray):
        return drawn[:, back].reshape(size, *probabilities.shape)
    return drawn[:, as_array(rng, back)].reshape(size, *probabilities.shape)


def _stump_counts(
    model: Stumps, law: PowerLaw, n: int, edges: np.ndarray, rng: Any, size: int
) -> Any:
    """The first coordinate's cells with labels; given those the others are independent."""
    first = draw_table(rng, n, _stump_cells(model, law, edges), size)
    if model.d == 1:
        return first[:, None]
    uniform = np.diff(edges) / 2
    order = np.argsort(uniform, kind="stable")
    back = as_array(rng, np.argsort(order, kind="stable"))
    p = uniform[order] / uniform.sum()
    labels = first.sum(-2)
    columns = [
        rng.multinomial(labels[:, k, None], p, size=(size, model.d - 1))[..., back] for k in (0, 1)
    ]
    xp = np if isinstance(first, np.ndarray) else rng.xp
    return xp.concat([first[:, None], xp.stack(columns, axis=-1)], axis=1)


def _stump_cells(model: Stumps, law: PowerLaw, edges: np.ndarray) -> np.ndarray:
    cells = law.cells(edges)
    below = (edges[:-1] < 0)[:, None]
    return cells * np.where(below, 2 * model.split, 2 * (1 - model.split))


def _laws(model: Any) -> tuple[PowerLaw, PowerLaw]:
    if isinstance(model, Stumps):
        return PowerLaw(model.gamma, 0.0, model.c_P), PowerLaw(model.q, 0.0, model.c_Q)
    known = (PowerThresholds, ParallelThresholds, ShiftedCentre, Intervals, HalfPlanes)
    if not isinstance(model, known):
        raise InputError(
            f"model is a {type(model).__name__}; expected one of "
            f"{', '.join(k.__name__ for k in known)}, Stumps (sample_atoms takes finite classes)"
        )
    return model.P, model.Q


def _floor(given: float | None, *samples: tuple[PowerLaw, int]) -> float:
    if given is not None:
        if not _SMALLEST < given < 1:
            raise InputError(f"floor is {given!r}; expected a number in (1e-300, 1)")
        return float(given)
    scale = min(law.localisation(int(n)) for law, n in samples) / 2**_BELOW
    if not scale > _SMALLEST:
        raise InputError(
            f"samples of {[int(n) for _, n in samples]} points resolve thresholds below 1e-300 in "
            "this model; expected a larger power gamma (or q) or smaller samples"
        )
    return scale


def _signed_scale(floor: float, per_octave: int) -> np.ndarray:
    steps = math.ceil(-math.log2(floor) * per_octave)
    if steps > _MAX_STEPS:
        raise InputError(
            f"per_octave is {per_octave!r}, which makes {2 * steps + 3} thresholds; expected fewer "
            f"than {2 * _MAX_STEPS}"
        )
    positive = 2.0 ** (-np.arange(steps + 1) / per_octave)
    return np.concatenate([-positive, [0.0], positive[::-1]])


def _checked_edges(model: Any, thresholds: Any) -> np.ndarray:
    edges = np.asarray(thresholds, dtype=float)
    if edges.ndim != 1 or edges.size < 2 or not (np.diff(edges) > 0).all():
        raise InputError("thresholds is not an increasing vector of at least two numbers")
    low, high = -1.0, 1.0
    if isinstance(model, ShiftedCentre):
        low, high = min(low, model.b - 1), max(high, model.b + 1)
    if edges[0] > low or edges[-1] < high:
        raise InputError(
            f"thresholds cover [{edges[0]:.6g}, {edges[-1]:.6g}]; expected all of [{low:g}, "
            f"{high:g}], where the inputs are"
        )
    split_at = 0.0 if isinstance(model, (Intervals, Stumps)) else None
    if split_at is not None and split_at not in edges:
        raise InputError("thresholds lack 0, at which this model's laws change; add it")
    return edges


def require_sizes(n_P: Any, n_Q: Any, size: Any) -> None:
    """Sample sizes and a number of replicates that can be counted exactly."""
    require_count(0, n_P=n_P, n_Q=n_Q, size=size)
    for name, n in (("n_P", n_P), ("n_Q", n_Q)):
        if n >= 2**53:
            raise InputError(f"{name} is {n!r}; expected a sample size below 2**53")


def require_memory(size: int, numbers: int) -> None:
    """Refuse what would not fit: ``numbers`` for each replicate, and a few copies of them."""
    needed = 6 * 8 * int(size) * int(numbers)
    if needed > _MAX_BYTES:
        raise InputError(
            f"size is {size!r} with {numbers} counts each, about {needed / 2**30:.1f} GiB in all; "
            f"expected at most {_MAX_BYTES / 2**30:.0f} GiB: draw fewer replicates at a time"
        )
