"""The l1 transfer lasso: shrink towards zero and towards a source, with a certificate::

    minimise  1/(2n) |y - Xb|^2 + lam ( alpha |b|_1 + (1 - alpha) |b - b0|_1 )

`TransferLasso` and its relatives are scikit-learn estimators; `solve`, `transfer_lasso_path` and
`solve_batch` are the solver they use, which stops on the duality gap and returns it.

Motivated by Takada and Fujisawa, "Transfer Learning via l1 Regularization" (NeurIPS 2020).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlstat._lazy import lazy_names

_MODULES = {
    ".adaptive": ("AdaptiveTransferLasso",),
    ".aggregation": ("q_aggregate",),
    ".batch": ("BatchSolution", "solve_batch"),
    ".cv": ("TransferLassoCV",),
    ".degrees": ("InformationCriteria", "degrees_of_freedom", "information_criteria"),
    ".estimators": ("TransferLasso",),
    ".logistic_estimator": ("TransferLogisticRegression",),
    ".path": ("Path", "alpha_path", "l1_max", "l2_max", "lambda_max", "transfer_lasso_path"),
    ".problem": ("duality_gap", "kkt_residual", "objective"),
    ".screening": ("Certified", "gap_safe"),
    ".solver": ("Solution", "solve"),
    ".trans_lasso": ("TransLasso",),
}

__all__ = [
    "AdaptiveTransferLasso",
    "BatchSolution",
    "Certified",
    "InformationCriteria",
    "Path",
    "Solution",
    "TransLasso",
    "TransferLasso",
    "TransferLassoCV",
    "TransferLogisticRegression",
    "alpha_path",
    "degrees_of_freedom",
    "duality_gap",
    "gap_safe",
    "information_criteria",
    "kkt_residual",
    "l1_max",
    "l2_max",
    "lambda_max",
    "objective",
    "q_aggregate",
    "solve",
    "solve_batch",
    "transfer_lasso_path",
]

if TYPE_CHECKING:
    from tlstat.transfer_lasso.adaptive import AdaptiveTransferLasso
    from tlstat.transfer_lasso.aggregation import q_aggregate
    from tlstat.transfer_lasso.batch import BatchSolution, solve_batch
    from tlstat.transfer_lasso.cv import TransferLassoCV
    from tlstat.transfer_lasso.degrees import (
        InformationCriteria,
        degrees_of_freedom,
        information_criteria,
    )
    from tlstat.transfer_lasso.estimators import TransferLasso
    from tlstat.transfer_lasso.logistic_estimator import TransferLogisticRegression
    from tlstat.transfer_lasso.path import (
        Path,
        alpha_path,
        l1_max,
        l2_max,
        lambda_max,
        transfer_lasso_path,
    )
    from tlstat.transfer_lasso.problem import duality_gap, kkt_residual, objective
    from tlstat.transfer_lasso.screening import Certified, gap_safe
    from tlstat.transfer_lasso.solver import Solution, solve
    from tlstat.transfer_lasso.trans_lasso import TransLasso
else:
    __getattr__, __dir__ = lazy_names(__name__, _MODULES)
