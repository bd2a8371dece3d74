"""What is target data worth? Minimax rates, and minimax risk as a number (arXiv:2002.04747).

A classifier for a target law ``Q`` is learnt from ``n_P`` points of a source ``P`` and ``n_Q`` of
``Q`` itself. The transfer exponent ``rho`` says how a small excess risk under ``P`` bounds that
under ``Q``; the Bernstein exponents ``beta_P`` and ``beta_Q`` how noisy each is.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_LAZY = {
    "CellSample": "sampling",
    "ClassSample": "sampling",
    "ConfidenceSetClassifier": "classifiers",
    "ExcessTable": "models",
    "ExponentCheck": "exponents",
    "FiniteClass": "models",
    "GaussianHalfSpaces": "models",
    "GaussianTransfer": "models",
    "HalfPlanes": "models",
    "Hypercube": "models",
    "Intervals": "models",
    "MarginalSingularity": "models",
    "MinimaxRisk": "program",
    "ParallelThresholds": "models",
    "PosteriorDrift": "models",
    "PowerThresholds": "models",
    "SelectionClassifier": "classifiers",
    "ShiftedCentre": "models",
    "Stumps": "models",
    "adaptive_cost": "estimators",
    "admissible_weights": "estimators",
    "bayes_lower_bound": "cube",
    "check_bernstein": "exponents",
    "check_exponents": "exponents",
    "check_marginal_exponent": "exponents",
    "check_transfer_exponent": "exponents",
    "confidence_set": "estimators",
    "confidence_set_erm": "estimators",
    "cost_optimal": "cost",
    "cube_minimax": "cube",
    "deviation": "estimators",
    "equal_erm": "estimators",
    "exact_risk": "risk",
    "exact_slope": "risk",
    "excess_risk": "risk",
    "importance_weighted_erm": "estimators",
    "interval_erm": "estimators",
    "least_favourable_cube": "cube",
    "minimax_risk": "program",
    "mirrored_erm": "estimators",
    "pooled_erm": "estimators",
    "rate_optimal": "cost",
    "saddle_point": "sandwich",
    "sample_atoms": "sampling",
    "sample_cells": "sampling",
    "sample_extremes": "sampling",
    "sample_nearest": "sampling",
    "sample_raw": "sampling",
    "select": "estimators",
    "simulate_risks": "risk",
    "smallest_transfer_exponent": "exponents",
    "source_erm": "estimators",
    "target_erm": "estimators",
    "threshold_grid": "sampling",
    "truncated_weights": "estimators",
    "vote_bounds": "vote",
    "vote_error": "vote",
    "weighted_erm": "estimators",
}

__all__ = [
    "CellSample",
    "ClassSample",
    "ConfidenceSetClassifier",
    "ExcessTable",
    "ExponentCheck",
    "FiniteClass",
    "GaussianHalfSpaces",
    "GaussianTransfer",
    "HalfPlanes",
    "Hypercube",
    "Intervals",
    "MarginalSingularity",
    "MinimaxRisk",
    "ParallelThresholds",
    "PosteriorDrift",
    "PowerThresholds",
    "SelectionClassifier",
    "ShiftedCentre",
    "Stumps",
    "adaptive_cost",
    "admissible_weights",
    "bayes_lower_bound",
    "check_bernstein",
    "check_exponents",
    "check_marginal_exponent",
    "check_transfer_exponent",
    "confidence_set",
    "confidence_set_erm",
    "cost_optimal",
    "cube_minimax",
    "deviation",
    "equal_erm",
    "exact_risk",
    "exact_slope",
    "excess_risk",
    "importance_weighted_erm",
    "interval_erm",
    "least_favourable_cube",
    "minimax_risk",
    "mirrored_erm",
    "pooled_erm",
    "rate_optimal",
    "saddle_point",
    "sample_atoms",
    "sample_cells",
    "sample_extremes",
    "sample_nearest",
    "sample_raw",
    "select",
    "simulate_risks",
    "smallest_transfer_exponent",
    "source_erm",
    "target_erm",
    "threshold_grid",
    "truncated_weights",
    "vote_bounds",
    "vote_error",
    "weighted_erm",
]

if TYPE_CHECKING:
    from tlstat.minimax.classifiers import (
        ConfidenceSetClassifier,
        SelectionClassifier,
    )
    from tlstat.minimax.cost import (
        cost_optimal,
        rate_optimal,
    )
    from tlstat.minimax.cube import (
        bayes_lower_bound,
        cube_minimax,
        least_favourable_cube,
    )
    from tlstat.minimax.estimators import (
        adaptive_cost,
        admissible_weights,
        confidence_set,
        confidence_set_erm,
        deviation,
        equal_erm,
        importance_weighted_erm,
        interval_erm,
        mirrored_erm,
        pooled_erm,
        select,
        source_erm,
        target_erm,
        truncated_weights,
        weighted_erm,
    )
    from tlstat.minimax.exponents import (
        ExponentCheck,
        check_bernstein,
        check_exponents,
        check_marginal_exponent,
        check_transfer_exponent,
        smallest_transfer_exponent,
    )
    from tlstat.minimax.models import (
        ExcessTable,
        FiniteClass,
        GaussianHalfSpaces,
        GaussianTransfer,
        HalfPlanes,
        Hypercube,
        Intervals,
        MarginalSingularity,
        ParallelThresholds,
        PosteriorDrift,
        PowerThresholds,
        ShiftedCentre,
        Stumps,
    )
    from tlstat.minimax.program import (
        MinimaxRisk,
        minimax_risk,
    )
    from tlstat.minimax.risk import (
        exact_risk,
        exact_slope,
        excess_risk,
        simulate_risks,
    )
    from tlstat.minimax.sampling import (
        CellSample,
        ClassSample,
        sample_atoms,
        sample_cells,
        sample_extremes,
        sample_nearest,
        sample_raw,
        threshold_grid,
    )
    from tlstat.minimax.sandwich import saddle_point
    from tlstat.minimax.vote import (
        vote_bounds,
        vote_error,
    )
else:

    def __getattr__(name: str) -> Any:
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LAZY})
