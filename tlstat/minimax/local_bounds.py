"""Exact local lower bounds for posterior drift and for singular marginals (covariate shift).

In both settings the target's regression function is smooth. Its sign is perturbed on balls of
radius ``r``; one ball is a two-point problem, and the two-sample vote's error gives the bound

    sup over r of  weight(r) * e(n_P, p(r), delta_P(r); n_Q, q(r), delta_Q(r)),

exact for that sub-family. Constants of the classes are 1. Letters follow each paper; the same
letter means other things in `tlstat.minimax.rates`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.minimax.scale_search import ScaleBound, largest_over_scales


def posterior_drift_bound(
    n_P: Any, n_Q: Any, *, smoothness: float, margin: float, signal: float, dim: int
) -> ScaleBound:
    """Lower bound under posterior drift (Cai & Wei).

    Parameters
    ----------
    n_P, n_Q : array_like
        Sample sizes.
    smoothness : float
        ``beta`` in (0, 1]: the target's regression function is ``beta``-Hölder.
    margin : float
        ``alpha`` of ``Q(0 < |eta - 1/2| <= t) <= t^alpha``, with ``alpha beta <= dim``.
    signal : float
        ``gamma > 0``: ``|eta_P - 1/2| >= |eta_Q - 1/2|^gamma``.
    dim : int
        Dimension of the inputs.

    Returns
    -------
    ScaleBound
        Bound on the excess risk (up to the class's constants): its weight is
        ``r^(beta (1 + alpha))``, ``p = q = r^dim``, ``delta_P = r^(gamma beta)``,
        ``delta_Q = r^beta``.

    Notes
    -----
    Cai & Wei (arXiv:1906.02903) prove the rate
    ``(n_P^((2 beta + d)/(2 gamma beta + d)) + n_Q)^(-beta (1 + alpha)/(2 beta + d))``; the exact
    two-point value is this package's own.
    """
    _require_smoothness("smoothness", smoothness)
    _require("margin", margin, margin >= 0 and margin * smoothness <= dim, "0 <= alpha <= dim/beta")
    _require("signal", signal, signal > 0, "positive")
    _require_dim(dim)

    def problem(r: np.ndarray) -> tuple[np.ndarray, ...]:
        mass, delta = r**dim, r**smoothness
        return r ** (smoothness * (1 + margin)), mass, delta**signal, mass, delta

    return largest_over_scales(n_P, n_Q, problem)


def marginal_singularity_bound(
    n_P: Any, n_Q: Any, *, smoothness: float, margin: float, singularity: float, dim: int
) -> ScaleBound:
    """Lower bound under covariate shift with a singular source (Kpotufe & Martinet).

    Parameters
    ----------
    n_P, n_Q : array_like
        Sample sizes.
    smoothness : float
        ``alpha`` in (0, 1]: the regression function is ``alpha``-Hölder.
    margin : float
        ``beta`` of ``Q(0 < |eta - 1/2| <= t) <= t^beta``.
    singularity : float
        ``gamma >= 0`` of ``P(B(x, r)) >= r^gamma Q(B(x, r))``; 0 is no shift.
    dim : int
        Dimension: ``Q(B(x, r)) >= r^dim``.

    Returns
    -------
    ScaleBound
        Its weight is ``r^(alpha (1 + beta))``, ``p = r^(dim + gamma)``, ``q = r^dim``,
        ``delta_P = delta_Q = r^alpha``.

    Notes
    -----
    Kpotufe & Martinet (arXiv:1803.01833); their rate under a doubling target is
    ``(n_P^(d0/(d0 + gamma/alpha)) + n_Q)^(-(1 + beta)/d0)`` with ``d0 = 2 + dim/alpha``. The exact
    two-point value is this package's own.
    """
    _require_smoothness("smoothness", smoothness)
    _require("margin", margin, margin >= 0, "0 or more")
    _require("singularity", singularity, singularity >= 0, "0 or more")
    _require_dim(dim)

    def problem(r: np.ndarray) -> tuple[np.ndarray, ...]:
        delta = r**smoothness
        weight = r ** (smoothness * (1 + margin))
        return weight, r ** (dim + singularity), delta, r**dim, delta

    return largest_over_scales(n_P, n_Q, problem)


def _require(name: str, value: Any, ok: bool, expected: str) -> None:
    if not ok:
        raise InputError(f"{name} must be {expected}, got {value!r}")


def _require_smoothness(name: str, value: float) -> None:
    _require(name, value, 0 < value <= 1, "in (0, 1]")


def _require_dim(dim: int) -> None:
    _require("dim", dim, dim >= 1, "1 or more")
