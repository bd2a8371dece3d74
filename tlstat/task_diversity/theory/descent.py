"""Alternating head fits and gradient steps on the representation: how fast, and where to.

A round of FedRep (arXiv:2102.07078; AltMinGD is the same with another step) fits the heads exactly
and takes one step of size ``eta`` on ``B``. Near the truth and without noise a tilt ``Delta`` of
the representation leaves in task ``j`` the residual ``-P_j W_j Delta alpha_j``, with ``P_j`` the
projection off the ``r`` fitted features and ``W_j`` the other covariates. So the mean step is

    Delta  ->  Delta (I - eta (1 - r/n) C),

and the slowest direction shrinks by ``1 - eta (1 - r/n) nu`` a round: `CONTRACTION` (ours, for
many tasks). The published rate has ``eta E_0/2`` in a squared distance instead. Heads here have
``C = A'A/t``; the paper's ``sigma_min,*`` is the root of ``nu``, its ``n`` clients are our ``t``
tasks and its ``m`` samples our ``n``.
"""

from __future__ import annotations

from sympy import And, Gt, Le, symbols

from tlstat.task_diversity.theory.base import FROM_MEMORY, GAUSSIAN, OURS, n, nu, r
from tlstat.theory.bound import Assumption, Bound, Source

__all__ = ["CONTRACTION", "PUBLISHED_CONTRACTION"]

eta, rounds, start = symbols("eta rounds start", positive=True)
_PAPER = "arXiv:2102.07078"
NOISELESS = Assumption("no noise", "sigma = 0", check=lambda model, cell: model.sigma == 0)
_CLOSE = Assumption("close and many", "leading term for start -> 0, then t -> infinity")
_ENOUGH = Assumption("enough data", "t and n above the thresholds of the paper")
_STEP = And(Gt(n, r), Le(eta, 1))

CONTRACTION = Bound(
    name="largest sine after some rounds, close to the truth",
    expr=start * (1 - eta * (1 - r / n) * nu) ** rounds,
    kind="exact",
    assumptions=(GAUSSIAN, NOISELESS, _CLOSE),
    source=Source(_PAPER, "linear convergence", note=OURS),
    valid=_STEP,
)
PUBLISHED_CONTRACTION = Bound(
    name="largest sine after some rounds",
    expr=start * (1 - eta * (1 - start**2) * nu / 2) ** (rounds / 2),
    kind="upper",
    assumptions=(GAUSSIAN, NOISELESS, _ENOUGH),
    source=Source(_PAPER, "linear convergence", note=FROM_MEMORY),
    valid=_STEP,
)
