"""Hypothesis spaces: laws on functions that are conditioned on training data.

Every space has ``condition(X_train, y_train)``, which gives a `ConditionedSpace`; that one samples
test errors, and says their law or their latent variables where it knows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlstat._lazy import lazy_names

_MODULES = {
    ".automata": ("AutomatonSpace", "strings_up_to"),
    ".base": ("ConditionedSpace", "Draws", "HypothesisSpace", "Latent"),
    ".boolean": ("BooleanSpace", "ConjunctionSpace", "MonotoneSpace"),
    ".finite": ("CubeSpace", "FiniteSpace", "cube"),
    ".finite_law": ("FiniteLaw",),
    ".gaussian": ("ConditionedGaussian", "Spectrum"),
    ".halfspace": ("AngleLaw", "HalfspaceSpace"),
    ".kernel": ("KernelSpace",),
    ".linear": ("LinearSpace",),
    ".network": ("NetworkSpace",),
    ".parities": ("ParitySpace",),
    ".thresholds": ("ThresholdSpace",),
    ".trees": ("TreeSpace",),
}

__all__ = [
    "AngleLaw",
    "AutomatonSpace",
    "BooleanSpace",
    "ConditionedGaussian",
    "ConditionedSpace",
    "ConjunctionSpace",
    "CubeSpace",
    "Draws",
    "FiniteLaw",
    "FiniteSpace",
    "HalfspaceSpace",
    "HypothesisSpace",
    "KernelSpace",
    "Latent",
    "LinearSpace",
    "MonotoneSpace",
    "NetworkSpace",
    "ParitySpace",
    "Spectrum",
    "ThresholdSpace",
    "TreeSpace",
    "cube",
    "strings_up_to",
]

if TYPE_CHECKING:
    from tlstat.inductive_bias.spaces.automata import AutomatonSpace, strings_up_to
    from tlstat.inductive_bias.spaces.base import (
        ConditionedSpace,
        Draws,
        HypothesisSpace,
        Latent,
    )
    from tlstat.inductive_bias.spaces.boolean import BooleanSpace, ConjunctionSpace, MonotoneSpace
    from tlstat.inductive_bias.spaces.finite import CubeSpace, FiniteSpace, cube
    from tlstat.inductive_bias.spaces.finite_law import FiniteLaw
    from tlstat.inductive_bias.spaces.gaussian import ConditionedGaussian, Spectrum
    from tlstat.inductive_bias.spaces.halfspace import AngleLaw, HalfspaceSpace
    from tlstat.inductive_bias.spaces.kernel import KernelSpace
    from tlstat.inductive_bias.spaces.linear import LinearSpace
    from tlstat.inductive_bias.spaces.network import NetworkSpace
    from tlstat.inductive_bias.spaces.parities import ParitySpace
    from tlstat.inductive_bias.spaces.thresholds import ThresholdSpace
    from tlstat.inductive_bias.spaces.trees import TreeSpace
else:
    __getattr__, __dir__ = lazy_names(__name__, _MODULES)
