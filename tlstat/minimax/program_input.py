"""What `minimax_risk` accepts: losses, likelihoods, options, and sizes that fit in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from tlstat.errors import InputError
from tlstat.minimax.program_large import BLOCKS, is_sparse

METHODS = ("auto", "program", "cutting-planes")
ROW_SUM = 1e-8


def refuse_too_large(loss: np.ndarray, likelihood: Any, method: str, memory: float) -> None:
    parameters, outcomes = likelihood.shape
    actions = loss.shape[1]
    need = memory_needed(
        parameters,
        outcomes,
        actions,
        entries=likelihood.nnz if is_sparse(likelihood) else None,
        method=method,
    )
    if need > memory:
        raise InputError(
            f"{parameters} parameters x {outcomes} outcomes x {actions} actions by {method} need "
            f"about {need / 1e9:.3g} GB, memory allows {memory / 1e9:.3g} GB; merge outcomes, use "
            "a sufficient statistic or a sparse likelihood, or raise memory"
        )


def memory_needed(
    parameters: int, outcomes: int, actions: int, *, entries: int | None = None, method: str
) -> float:
    """Bytes that `minimax_risk` may take, its arguments included.

    Parameters
    ----------
    parameters, outcomes, actions : int
    entries : int, optional
        Stored entries of a sparse likelihood.
    method : {"program", "cutting-planes"}
    """
    table = 16.0 * entries if entries is not None else 8.0 * parameters * outcomes
    rule = 8.0 * outcomes * actions
    if method == "program":
        # dense and sparse copies, presolve and factorisation inside HiGHS
        return 2 * table + rule + 100.0 * parameters * outcomes * actions
    # argument and its transpose, the rule, remembered rules (int32), one chunk of scores, master
    remembered = 4.0 * outcomes * 40
    chunk = 8.0 * 8192 * (2 * actions + parameters)
    master = 8.0 * BLOCKS * (parameters * (actions + 2 * 400) + 8 * 40 * parameters)
    return 2 * table + 2 * rule + remembered + 24.0 * outcomes + chunk + master


def check_options(tol: float, memory: float, method: str, max_rounds: int) -> None:
    if not (np.isfinite(tol) and tol > 0):
        raise InputError(f"tol must be a positive number, got {tol!r}")
    if not memory > 0:
        raise InputError(f"memory must be a positive number of bytes, got {memory!r}")
    if method not in METHODS:
        raise InputError(f"method must be one of {', '.join(METHODS)}; got {method!r}")
    if max_rounds < 1:
        raise InputError(f"max_rounds must be 1 or more, got {max_rounds!r}")


def validated(loss: Any, likelihood: Any) -> tuple[np.ndarray, Any]:
    loss = _matrix("loss", "parameters x actions", loss)
    if is_sparse(likelihood):
        likelihood = sparse.csr_array(likelihood, dtype=float)
        entries, ndim = likelihood.data, likelihood.ndim
    else:
        likelihood = _matrix("likelihood", "parameters x outcomes", likelihood)
        entries, ndim = likelihood, likelihood.ndim
    if ndim != 2 or 0 in likelihood.shape:
        raise InputError(f"likelihood must be parameters x outcomes, got {likelihood.shape}")
    if loss.shape[0] != likelihood.shape[0]:
        raise InputError(
            f"loss has {loss.shape[0]} parameters (rows) and likelihood has {likelihood.shape[0]}"
        )
    _require_finite("loss", loss)
    _require_finite("likelihood", entries)
    if entries.size and entries.min() < 0:
        raise InputError(f"likelihood holds a negative entry, {entries.min():g}")
    sums = np.asarray(likelihood.sum(axis=1)).ravel()
    wrong = int(np.argmax(np.abs(sums - 1)))
    if abs(sums[wrong] - 1) > ROW_SUM:
        raise InputError(f"row {wrong} of likelihood sums to {sums[wrong]:.10g}, expected 1")
    return loss, likelihood


def _matrix(name: str, shape: str, value: Any) -> np.ndarray:
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be an array of numbers, {shape}") from None
    if array.ndim != 2 or 0 in array.shape:
        raise InputError(f"{name} must be a non-empty array, {shape}; got shape {array.shape}")
    return array


def _require_finite(name: str, values: np.ndarray) -> None:
    # the sum is NaN or inf if any entry is: no boolean copy of a large array
    with np.errstate(invalid="ignore", over="ignore"):
        total = values.sum()
    if not np.isfinite(total) and not np.isfinite(values).all():
        what = "NaN" if np.isnan(values).any() else "inf"
        raise InputError(f"{name} holds {what}; every entry must be finite")
