"""Splitting in two phases: down the training error until hypotheses fit, then down the test error.

``I = log P(fits) - log P(fits and error <= eps)``. Both come from the same populations, so that
what the first phase leaves to chance cancels in the difference.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logsumexp, stdtrit

from tlstat.errors import InputError
from tlstat.inductive_bias.spaces.base import Latent
from tlstat.inductive_bias.tails.multilevel import _Groups

# scores below 1 are those of hypotheses that fit
FITS = float(np.nextafter(1.0, 0.0))
KILLED = 0.9


@dataclass(frozen=True)
class TwoPhases:
    """What both phases found, in nats.

    Parameters
    ----------
    nats : float
        I, given that the hypothesis fits; ``inf`` where it was given up.
    interval : (float, float)
        Student's, over the populations.
    train_nats : float
        ``-log P(fits)``.
    statement : str
    """

    nats: float
    interval: tuple[float, float]
    train_nats: float
    statement: str


def two_phase_splitting(
    latent: Latent,
    x: float,
    rng: Any,
    n_particles: int = 250,
    moves: int = 20,
    *,
    replicates: int = 8,
    level: float = 0.95,
    max_nats: float = 2000.0,
) -> TwoPhases:
    """``-log P(score <= x | fit_score <= fit_level)`` over standard normals.

    Parameters
    ----------
    latent : Latent
        With a training error.
    x : float
        Target error.
    rng : Random
    n_particles, moves, replicates, level, max_nats
        As in `tlstat.inductive_bias.tails.splitting`.

    Raises
    ------
    InputError
        If no population reaches hypotheses that fit.
    """
    for name, value, least in (("n_particles", n_particles, 10), ("replicates", replicates, 2)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise InputError(f"{name} is {value!r}; expected a whole number of at least {least}")
    groups = _Groups(joined(latent), latent.dim, rng, replicates, n_particles)
    killed = min(max(round(KILLED * n_particles), 1), n_particles - 1)
    groups.run(FITS, killed, moves, move_all=True, floor=-max_nats)
    if not groups.reached.all():
        raise InputError(
            f"{int((~groups.reached).sum())} of {replicates} populations found no hypothesis that "
            "fits the training data; expected more particles or moves, or a larger fit tolerance"
        )
    fits = groups.log_p.copy()
    # the share that fits is part of P(fits); the second phase goes on from all particles
    groups.log_p -= np.log((groups.e <= FITS).mean(axis=1))
    groups.reached[:] = False
    groups.run(x / (1 + x), killed, moves, move_all=True, floor=float(fits.min()) - max_nats)
    train = math.log(replicates) - float(logsumexp(fits))
    if not groups.reached.all():
        low = max(0.0, float(np.min(fits - groups.log_p)))
        statement = f"populations gave up after {low:.4g} nats"
        return TwoPhases(math.inf, (low, math.inf), train, statement)
    nats = max(0.0, float(logsumexp(fits) - logsumexp(groups.log_p)))
    apart = fits - groups.log_p
    levels = float(apart.mean()) / -math.log1p(-killed / n_particles)
    # an ideal sampler's variance is a floor: populations may agree by chance
    ideal = max(levels, 0.0) * killed / ((n_particles - killed) * n_particles)
    spread = math.sqrt(max(float(apart.var(ddof=1)), ideal) / replicates)
    slack = float(stdtrit(replicates - 1, (1 + level) / 2)) * spread
    statement = (
        f"{replicates} populations of {n_particles} particles in two phases; Student interval "
        f"over them at level {level:g}, right if the moves mix at every level"
    )
    return TwoPhases(nats, (max(0.0, nats - slack), nats + slack), train, statement)


def joined(latent: Latent) -> Callable[[np.ndarray], np.ndarray]:
    """One score for both phases: in [1, 2) until the hypothesis fits, then in [0, 1)."""

    def score(z: np.ndarray) -> np.ndarray:
        assert latent.fit_score is not None
        fit = np.asarray(latent.fit_score(z), dtype=float)
        out = 1 + fit / (1 + fit)
        inside = fit <= latent.fit_level
        if inside.any():
            # of all rows at once: the networks behind both errors are then trained once
            errors = latent.score(z)[inside]
            out[inside] = np.minimum(errors / (1 + errors), FITS)
        return out

    return score
