"""Required inductive bias: how much information a task demands of a hypothesis space.

``I(eps) = -log P(test error <= eps | the hypothesis fits the training data)`` over a law on
hypotheses, in nats: exact where the law of the test error is known, counted where the space is
finite, and estimated with an interval otherwise. After arXiv:2406.15941 ("EIB"; A. Boopathy,
W. Yue, J. Hwang, A. Iyer, I. Fiete, "Towards exact computation of inductive bias", IJCAI 2024),
whose own estimator fits a distribution to sampled errors and reads off its tail.

Symbols
-------
========================  =========================================================================
here                      there
========================  =========================================================================
``space``                 base distribution p_h on hypotheses (section 3.1)
``target_error``          eps
``Bias.nats``             I(eps), Eq. 1; ``bits`` is I / log 2
``X_train``, ``y_train``  X, Y: n examples with C outputs
``X_test``, ``y_test``    X_*, Y_*: m examples
``KernelSpace``           h(x) = phi(x)'theta, Eq. 2; kernel k(x, x') = phi(x)'phi(x')
``Spectrum.weights``      w_j = lambda_j / (m C), lambda_j the eigenvalues of Sigma_*
``Spectrum.nc``           nu_j, non-centralities; ``df`` is C; ``shift`` is e_0
``NetworkSpace``          networks trained from random initialisation (section 4.2)
========================  =========================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlstat._lazy import lazy_names

_MODULES = {
    ".bias": ("bias_of", "inductive_bias"),
    ".choices": ("Sensitivity", "sensitivity"),
    ".chi_squared": ("GeneralizedChiSquared",),
    ".compare": ("Comparison", "compare_spaces"),
    ".curve": ("BiasCurve", "bias_curve"),
    ".data": ("one_hot",),
    ".result": ("Bias",),
    ".spaces.automata": ("AutomatonSpace",),
    ".spaces.boolean": ("BooleanSpace", "ConjunctionSpace", "MonotoneSpace"),
    ".spaces.finite": ("FiniteSpace",),
    ".spaces.finite_law": ("FiniteLaw",),
    ".spaces.halfspace": ("HalfspaceSpace",),
    ".spaces.kernel": ("KernelSpace",),
    ".spaces.linear": ("LinearSpace",),
    ".spaces.network": ("NetworkSpace",),
    ".spaces.parities": ("ParitySpace",),
    ".spaces.thresholds": ("ThresholdSpace",),
    ".spaces.trees": ("TreeSpace",),
    ".tails": ("LogProbability",),
}

__all__ = [
    "AutomatonSpace",
    "Bias",
    "BiasCurve",
    "BooleanSpace",
    "Comparison",
    "ConjunctionSpace",
    "FiniteLaw",
    "FiniteSpace",
    "GeneralizedChiSquared",
    "HalfspaceSpace",
    "KernelSpace",
    "LinearSpace",
    "LogProbability",
    "MonotoneSpace",
    "NetworkSpace",
    "ParitySpace",
    "Sensitivity",
    "ThresholdSpace",
    "TreeSpace",
    "bias_curve",
    "bias_of",
    "compare_spaces",
    "inductive_bias",
    "one_hot",
    "sensitivity",
]

if TYPE_CHECKING:
    from tlstat.inductive_bias.bias import bias_of, inductive_bias
    from tlstat.inductive_bias.chi_squared import GeneralizedChiSquared
    from tlstat.inductive_bias.choices import Sensitivity, sensitivity
    from tlstat.inductive_bias.compare import Comparison, compare_spaces
    from tlstat.inductive_bias.curve import BiasCurve, bias_curve
    from tlstat.inductive_bias.data import one_hot
    from tlstat.inductive_bias.result import Bias
    from tlstat.inductive_bias.spaces.automata import AutomatonSpace
    from tlstat.inductive_bias.spaces.boolean import BooleanSpace, ConjunctionSpace, MonotoneSpace
    from tlstat.inductive_bias.spaces.finite import FiniteSpace
    from tlstat.inductive_bias.spaces.finite_law import FiniteLaw
    from tlstat.inductive_bias.spaces.halfspace import HalfspaceSpace
    from tlstat.inductive_bias.spaces.kernel import KernelSpace
    from tlstat.inductive_bias.spaces.linear import LinearSpace
    from tlstat.inductive_bias.spaces.network import NetworkSpace
    from tlstat.inductive_bias.spaces.parities import ParitySpace
    from tlstat.inductive_bias.spaces.thresholds import ThresholdSpace
    from tlstat.inductive_bias.spaces.trees import TreeSpace
    from tlstat.inductive_bias.tails import LogProbability
else:
    __getattr__, __dir__ = lazy_names(__name__, _MODULES)
