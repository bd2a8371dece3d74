"""What is target data worth? Minimax rates, and minimax risk as a number (arXiv:2002.04747).

A classifier for a target law ``Q`` is learnt from ``n_P`` points of a source ``P`` and ``n_Q`` of
``Q`` itself. The transfer exponent ``rho`` says how a small excess risk under ``P`` bounds that
under ``Q``; the Bernstein exponents ``beta_P`` and ``beta_Q`` how noisy each is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlstat._lazy import lazy_names

_MODULES = {
    ".classifiers": ("ConfidenceSetClassifier", "SelectionClassifier"),
    ".cost": ("cost_optimal", "rate_optimal"),
    ".cube": ("bayes_lower_bound", "cube_minimax", "least_favourable_cube"),
    ".estimators": (
        "adaptive_cost",
        "admissible_weights",
        "confidence_set",
        "confidence_set_erm",
        "deviation",
        "equal_erm",
        "importance_weighted_erm",
        "interval_erm",
        "mirrored_erm",
        "pooled_erm",
        "select",
        "source_erm",
        "target_erm",
        "truncated_weights",
        "weighted_erm",
    ),
    ".exponents": (
        "ExponentCheck",
        "check_bernstein",
        "check_exponents",
        "check_marginal_exponent",
        "check_transfer_exponent",
        "smallest_transfer_exponent",
    ),
    ".models": (
        "ExcessTable",
        "FiniteClass",
        "GaussianHalfSpaces",
        "GaussianTransfer",
        "HalfPlanes",
        "Hypercube",
        "Intervals",
        "MarginalSingularity",
        "ParallelThresholds",
        "PosteriorDrift",
        "PowerThresholds",
        "ShiftedCentre",
        "Stumps",
    ),
    ".program": ("MinimaxRisk", "minimax_risk"),
    ".risk": ("exact_risk", "exact_slope", "excess_risk", "simulate_risks"),
    ".sampling": (
        "CellSample",
        "ClassSample",
        "sample_atoms",
        "sample_cells",
        "sample_extremes",
        "sample_nearest",
        "sample_raw",
        "threshold_grid",
    ),
    ".sandwich": ("saddle_point",),
    ".vote": ("vote_bounds", "vote_error"),
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
    __getattr__, __dir__ = lazy_names(__name__, _MODULES)
