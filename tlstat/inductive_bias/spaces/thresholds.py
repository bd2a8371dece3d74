"""Linear threshold functions of n bits, under a uniform or a Gaussian-weight prior."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.inductive_bias.spaces.boolean import bits
from tlstat.inductive_bias.spaces.finite import CubeSpace, cube

# integer weights of this size, with half-integer biases, give every function of n bits
LARGEST_WEIGHT = {1: 1, 2: 1, 3: 2, 4: 3}
REPLICATES, LOG2_POINTS = 16, 17


class ThresholdSpace(CubeSpace):
    """Functions ``x -> 1{w.x + b > 0}`` of n <= 4 bits: 4, 14, 104, 1882 of them.

    Parameters
    ----------
    n : int
    prior : {"uniform", "gaussian"}
        Every function alike, or the law of the function of weights and bias drawn as independent
        standard normals on inputs -1/1.

    Notes
    -----
    Permuting or flipping the ``n + 1`` weights (bias included) leaves the Gaussian law alone, so
    a function's probability depends only on its sorted absolute Chow parameters (C. K. Chow,
    "On the characterization of threshold functions", 1961). The probabilities of these few
    classes come from randomised quasi-Monte Carlo; their error enters ``log_error``.
    """

    def __init__(self, n: int, prior: str = "uniform") -> None:
        bits(n, 4)
        X, table = cube(n), _functions(n)
        name = f"linear thresholds of {n} bits"
        if prior == "uniform":
            super().__init__(X, table, name=name)
        elif prior == "gaussian":
            log_weights, log_error = _gaussian_prior(n)
            super().__init__(
                X,
                table,
                log_weights=log_weights,
                name=f"{name}, Gaussian weights",
                log_error=log_error,
            )
        else:
            raise InputError(f"prior is {prior!r}; expected uniform or gaussian")


@lru_cache(maxsize=8)
def _functions(n: int) -> np.ndarray:
    signs = 2 * cube(n) - 1
    top = LARGEST_WEIGHT[n]
    weights = np.array(list(product(range(-top, top + 1), repeat=n)))
    reach = int(np.abs(weights).sum(axis=1).max())
    biases = np.arange(-reach - 0.5, reach + 1)
    values = (weights @ signs.T)[:, None, :] + biases[None, :, None] > 0
    return np.unique(values.reshape(-1, 1 << n), axis=0)


@lru_cache(maxsize=8)
def _gaussian_prior(n: int) -> tuple[np.ndarray, float]:
    """Log-weight of every function, and a bound on their errors."""
    from scipy.stats import qmc

    table = _functions(n)
    extended = np.hstack([2 * cube(n) - 1, np.ones((1 << n, 1), dtype=int)])
    chow = np.sort(np.abs((2 * table.astype(int) - 1) @ extended), axis=1)
    _, orbit = np.unique(chow, axis=0, return_inverse=True)
    orbit = orbit.ravel()
    powers = 1 << np.arange(1 << n)
    orbit_of = np.full(1 << (1 << n), -1)
    orbit_of[table @ powers] = orbit
    shares = []
    for replicate in range(REPLICATES):
        w = _normals(qmc.Sobol(n + 1, rng=np.random.default_rng([replicate, n])))
        found = orbit_of[(w @ extended.T > 0) @ powers]
        shares.append(np.bincount(found, minlength=orbit.max() + 1) / len(w))
    mean = np.mean(shares, axis=0)
    error = np.std(shares, axis=0, ddof=1) / np.sqrt(REPLICATES)
    size = np.bincount(orbit)
    # 4 standard errors of the worst class bound the error of every weight
    return np.log(mean / size)[orbit], float(4 * np.max(error / mean))


def _normals(engine: Any) -> np.ndarray:
    from scipy.special import ndtri

    return np.asarray(ndtri(np.clip(engine.random_base2(LOG2_POINTS), 1e-12, 1 - 1e-12)))
