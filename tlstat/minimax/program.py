"""Minimax risk of a finite decision problem, with a certificate.

Parameters ``i``, outcomes ``x`` with likelihood ``P_i(x)``, actions ``a`` with loss ``L_ia``. A
randomised rule ``phi(a | x)`` has risk ``R_i = sum_x P_i(x) sum_a phi(a | x) L_ia``. By Wald's
theorem

    min over rules of max_i R_i  =  max over priors of the Bayes risk.

Both sides are linear programs. Whatever the solver returns, the Bayes risk of its prior is a lower
bound and the largest risk of its rule an upper bound; both are computed from the prior and the
rule alone, and widened by what rounding can do. That interval is the certificate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from tlstat.errors import InputError
from tlstat.minimax.program_input import ROW_SUM, check_options, refuse_too_large, validated
from tlstat.minimax.program_large import (
    LEAST_SCALE,
    bayes_actions,
    cutting_planes,
    is_sparse,
    require_optimal,
)

_DIRECT = 200_000  # entries of the program below which it is solved as it stands
_EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class MinimaxRisk:
    """Solution of a finite decision problem; see `minimax_risk`.

    Attributes
    ----------
    lower, upper : float
        Certified: Bayes risk of ``prior``, largest risk of ``rule``.
    prior : ndarray, shape (parameters,)
        (Nearly) least-favourable prior.
    rule : ndarray, shape (outcomes, actions)
        (Nearly) minimax rule: probability of each action at each outcome.
    risks : ndarray, shape (parameters,)
        Risk of the rule at each parameter.
    loss_range : float
        Largest minus smallest loss.
    tol : float
        The relative gap that was asked for.
    method : str
        "program" or "cutting-planes".
    rounds : int
        Rounds of cutting planes; 1 for the whole program.
    """

    lower: float
    upper: float
    prior: np.ndarray
    rule: np.ndarray
    risks: np.ndarray
    loss_range: float
    tol: float
    method: str
    rounds: int

    @property
    def value(self) -> float:
        """Middle of the certified interval."""
        return 0.5 * (self.lower + self.upper)

    @property
    def gap(self) -> float:
        """Width of the interval over its larger end (at least a millionth of the losses' range)."""
        scale = max(abs(self.upper), abs(self.lower), LEAST_SCALE * self.loss_range)
        return (self.upper - self.lower) / scale if self.upper > self.lower else 0.0

    @property
    def converged(self) -> bool:
        """Whether the certified gap is what was asked for."""
        return self.gap <= self.tol

    def __repr__(self) -> str:
        support = int((self.prior > 1e-9).sum())
        mixed = int((self.rule.max(axis=1) < 1 - 1e-9).sum())
        rounds = f", {self.rounds} rounds" if self.method == "cutting-planes" else ""
        lines = [
            f"minimax risk {self.value:.8g}, certified in [{self.lower:.8g}, {self.upper:.8g}]",
            f"  relative gap {self.gap:.1e} ({self._target()}), by {self.method}{rounds}",
            f"  least-favourable prior on {support} of {self.prior.size} parameters",
            f"  rule randomised at {mixed} of {self.rule.shape[0]} outcomes "
            f"({self.rule.shape[1]} actions)",
        ]
        return "\n".join(lines)

    def _target(self) -> str:
        return f"{'' if self.converged else 'NOT '}{self.tol:.0e} as asked for"


def minimax_risk(
    loss: Any,
    likelihood: Any,
    *,
    tol: float = 1e-4,
    memory: float = 2e9,
    method: str = "auto",
    max_rounds: int = 500,
) -> MinimaxRisk:
    """Minimax risk, least-favourable prior and minimax rule of a finite decision problem.

    Parameters
    ----------
    loss : array_like, shape (parameters, actions)
        Finite losses, of any sign.
    likelihood : array_like or scipy sparse, shape (parameters, outcomes)
        Law of the outcome (or of a sufficient statistic) under each parameter; rows sum to 1.
    tol : float
        Stop at this gap, relative to the upper bound. Small problems are solved to rounding.
    memory : float
        Bytes that arguments and work may take together; more is refused before it is allocated.
    method : {"auto", "program", "cutting-planes"}
        The whole linear program (HiGHS), or cutting planes over the prior. By default the program
        if it has at most 200,000 entries.
    max_rounds : int
        Rounds of cutting planes after which the interval reached is returned as it is.

    Returns
    -------
    MinimaxRisk
        With ``lower <= minimax risk <= upper`` and what attains both ends. Its ``converged`` says
        whether ``tol`` was met.

    Raises
    ------
    InputError
        Losses that are not finite; likelihoods that are negative, not finite or do not sum to 1;
        shapes that do not fit; a problem that needs more than ``memory``; a program that the
        solver could not finish.

    Notes
    -----
    Wald (1950), *Statistical Decision Functions*; Kempthorne (1987) computes least-favourable
    priors by such programs. The block-wise mixing of rules is this package's own.

    Examples
    --------
    One fair or two-headed coin, one toss, guess which:

    >>> from tlstat.minimax.program import minimax_risk
    >>> game = minimax_risk([[0, 1], [1, 0]], [[0.5, 0.5], [1, 0]])
    >>> round(game.value, 6)
    0.333333
    >>> game.prior.round(6).tolist()
    [0.666667, 0.333333]
    """
    loss, likelihood = validated(loss, likelihood)
    check_options(tol, memory, method, max_rounds)
    if method == "auto":
        entries = loss.size * likelihood.shape[1]
        method = "program" if entries <= _DIRECT else "cutting-planes"
    refuse_too_large(loss, likelihood, method, memory)
    least, spread = float(loss.min()), float(np.ptp(loss))
    if spread == 0:
        return _constant(loss, likelihood, tol, method)
    # non-negative losses in units of their range; rows are made to sum to exactly 1 through them
    row_sums = np.asarray(likelihood.sum(axis=1)).ravel()
    unit = (loss - least) / spread / row_sums[:, None]
    outcomes = _by_outcome(likelihood)
    if method == "program":
        prior, rule = _whole_program(unit, outcomes)
        rounds = 1
    else:
        solution = cutting_planes(
            unit, outcomes, tol=tol, offset=least / spread, max_rounds=max_rounds
        )
        prior, rule, rounds = solution.prior, solution.rule, solution.rounds
    risks = _risks(unit, outcomes.T, rule)
    bayes = bayes_actions(prior[:, None] * unit, outcomes)[0] / prior.sum()
    error, shift_error = _rounding(unit, outcomes), 4 * _EPS * (abs(least) + spread)
    return MinimaxRisk(
        lower=float(least + spread * bayes * (1 - error) - shift_error),
        upper=float(least + spread * risks.max() * (1 + error) + shift_error),
        prior=prior,
        rule=rule,
        risks=least + spread * risks,
        loss_range=spread,
        tol=tol,
        method=method,
        rounds=rounds,
    )


def bayes_risk(loss: Any, likelihood: Any, prior: Any) -> float:
    """Least expected loss under a prior: a lower bound on the minimax risk.

    Parameters
    ----------
    loss, likelihood
        As in `minimax_risk`.
    prior : array_like, shape (parameters,)
        Non-negative, sums to 1.
    """
    loss, likelihood = validated(loss, likelihood)
    prior = np.asarray(prior, dtype=float)
    if prior.shape != (loss.shape[0],) or not (prior >= 0).all() or abs(prior.sum() - 1) > ROW_SUM:
        raise InputError(
            f"prior must hold {loss.shape[0]} non-negative numbers that sum to 1; "
            f"got shape {prior.shape}, sum {prior.sum():g}"
        )
    return bayes_actions(prior[:, None] * loss, _by_outcome(likelihood))[0]


def rule_risks(loss: Any, likelihood: Any, rule: Any) -> np.ndarray:
    """Risk of a (randomised) rule at each parameter; the largest is an upper bound.

    Parameters
    ----------
    loss, likelihood
        As in `minimax_risk`.
    rule : array_like, shape (outcomes, actions)
        Rows are non-negative and sum to 1.
    """
    loss, likelihood = validated(loss, likelihood)
    rule = np.asarray(rule, dtype=float)
    shape = (likelihood.shape[1], loss.shape[1])
    if rule.shape != shape:
        raise InputError(f"rule has shape {rule.shape}, expected (outcomes, actions) = {shape}")
    if not (rule >= 0).all() or np.abs(rule.sum(axis=1) - 1).max() > ROW_SUM:
        raise InputError("the rows of rule must be non-negative and sum to 1")
    return _risks(loss, likelihood, rule)


def _risks(loss: np.ndarray, likelihood: Any, rule: np.ndarray) -> np.ndarray:
    risks: np.ndarray = ((likelihood @ rule) * loss).sum(axis=1)
    return risks


def _rounding(loss: np.ndarray, outcomes: Any) -> float:
    """Bound on the relative error of the sums of non-negative terms behind both bounds."""
    return (sum(outcomes.shape) + sum(loss.shape) + 64) * _EPS


def _whole_program(loss: np.ndarray, outcomes: Any) -> tuple[np.ndarray, np.ndarray]:
    """Rule and prior as the primal and dual solution of one linear program."""
    from scipy.optimize import linprog

    size, parameters = outcomes.shape
    n_actions = loss.shape[1]
    dense = outcomes.toarray() if is_sparse(outcomes) else outcomes
    # rows: risk of parameter i minus the value; columns: (outcome, action), then the value
    risk: Any = np.einsum("xi,ia->ixa", dense, loss).reshape(parameters, size * n_actions)
    worst: Any = -np.ones((parameters, 1))
    risk = sparse.hstack([sparse.csr_array(risk), worst]).tocsc()
    total: Any = sparse.kron(sparse.eye_array(size), np.ones((1, n_actions)))
    total = sparse.hstack([total, sparse.csr_array((size, 1))]).tocsc()
    cost = np.zeros(size * n_actions + 1)
    cost[-1] = 1
    limits: Any = [(0, None)] * (size * n_actions) + [(None, None)]
    result: Any = linprog(
        cost,
        A_ub=risk,
        b_ub=np.zeros(parameters),
        A_eq=total,
        b_eq=np.ones(size),
        bounds=limits,
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    require_optimal("Optimal" if result.status == 0 else str(result.message))
    prior = np.maximum(-result.ineqlin.marginals, 0.0)
    rule = np.maximum(result.x[:-1].reshape(size, n_actions), 0.0)
    return prior / prior.sum(), rule / rule.sum(axis=1, keepdims=True)


def _constant(loss: np.ndarray, likelihood: Any, tol: float, method: str) -> MinimaxRisk:
    """All losses equal: any prior and any rule will do."""
    value, parameters = float(loss[0, 0]), loss.shape[0]
    rule = np.full((likelihood.shape[1], loss.shape[1]), 1 / loss.shape[1])
    prior, risks = np.full(parameters, 1 / parameters), np.full(parameters, value)
    return MinimaxRisk(value, value, prior, rule, risks, 0.0, tol, method, 1)


def _by_outcome(likelihood: Any) -> Any:
    """One row an outcome, in row-major order."""
    if is_sparse(likelihood):
        return sparse.csr_array(likelihood.T)
    return np.ascontiguousarray(likelihood.T)
