"""Cutting planes for the least-favourable prior: problems too large for one linear program.

The Bayes risk is concave in the prior, and the Bayes rule of a prior is explicit: each outcome
takes the action of least posterior loss. Outcomes are split into blocks; within a block, the rules
met so far are mixed by a linear program (the master), which returns the best mixture (an upper
bound: a rule) and the prior that is worst for it. The next rules are the Bayes rule of a prior
between the best one so far and that worst one ("in-out" separation: the master's own prior jumps
about). Priors are rows, rules are columns: the master never sees the loss of an outcome.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from tlstat.errors import InputError

BLOCKS = 24
LEAST_SCALE = 1e-6  # gaps are relative to the value, or to this share of the losses' range
_CHUNK = 8192  # outcomes scored at a time
_PATIENCE = 10  # rounds for which the master keeps a rule that it does not use
_FIRST_STEP = 0.1  # share of the worst prior in the next one


@dataclass(eq=False)
class Solution:
    """Prior, rule (outcomes x actions) and the rounds it took to find them."""

    prior: np.ndarray
    rule: np.ndarray
    rounds: int


def is_sparse(array: Any) -> bool:
    return bool(sparse.issparse(array))


def bayes_actions(weighted_loss: np.ndarray, outcomes: Any) -> tuple[float, np.ndarray]:
    """Bayes risk of a prior, and the action that attains it at each outcome.

    Parameters
    ----------
    weighted_loss : ndarray, shape (parameters, actions)
        Loss times prior.
    outcomes : array or csr_array, shape (outcomes, parameters)
        Likelihoods, one row an outcome.
    """
    actions = np.empty(outcomes.shape[0], dtype=np.int32)
    parts = []
    for start in range(0, outcomes.shape[0], _CHUNK):
        scores = outcomes[start : start + _CHUNK] @ weighted_loss
        best = scores.argmin(axis=1)
        actions[start : start + _CHUNK] = best
        parts.append(scores[np.arange(best.size), best].sum())
    return float(np.sum(parts)), actions


def block_risks(
    loss: np.ndarray, outcomes: Any, actions: np.ndarray, bounds: np.ndarray
) -> np.ndarray:
    """Risk of a deterministic rule within each block of outcomes, shape (blocks, parameters)."""
    blocks, (size, parameters) = bounds.size - 1, outcomes.shape
    n_actions = loss.shape[1]
    block = np.repeat(np.arange(blocks), np.diff(bounds))
    which = (block * n_actions + actions, np.arange(size))
    taken = sparse.csr_array((np.ones(size), which), shape=(blocks * n_actions, size))
    mass: Any = taken @ outcomes
    mass = mass.toarray() if is_sparse(mass) else mass
    return np.einsum("bai,ia->bi", mass.reshape(blocks, n_actions, parameters), loss)


@dataclass(eq=False)
class _Master:
    """Mixes rules within blocks: least value that no parameter's risk exceeds."""

    parameters: int
    blocks: int
    model: Any = None
    owner: list[int] = field(default_factory=list)  # block of each column
    actions: list[np.ndarray] = field(default_factory=list)
    idle: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        import highspy

        self.model = highspy.Highs()
        self.model.setOptionValue("output_flag", False)
        self.model.setOptionValue("threads", 1)
        for name in ("primal_feasibility_tolerance", "dual_feasibility_tolerance"):
            self.model.setOptionValue(name, 1e-9)
        infinity = highspy.kHighsInf
        self.model.addVar(-infinity, infinity)
        self.model.changeColCost(0, 1.0)
        none, one = np.array([], dtype=np.int32), np.array([0], dtype=np.int32)
        for _ in range(self.parameters):
            self.model.addRow(-infinity, 0.0, 1, one, np.array([-1.0]))
        for _ in range(self.blocks):
            self.model.addRow(1.0, 1.0, 0, none, np.array([]))

    def add(self, risks: np.ndarray, actions: np.ndarray, bounds: np.ndarray) -> None:
        """One column a block: the rule's risks there."""
        import highspy

        rows = np.empty((self.blocks, self.parameters + 1), dtype=np.int32)
        rows[:, :-1] = np.arange(self.parameters)
        rows[:, -1] = self.parameters + np.arange(self.blocks)
        values = np.column_stack([risks, np.ones(self.blocks)])
        starts = np.arange(self.blocks, dtype=np.int32) * (self.parameters + 1)
        zero, free = np.zeros(self.blocks), np.full(self.blocks, highspy.kHighsInf)
        self.model.addCols(
            self.blocks, zero, zero, free, values.size, starts, rows.ravel(), values.ravel()
        )
        self.owner += range(self.blocks)
        self.actions += [actions[a:b].copy() for a, b in zip(bounds[:-1], bounds[1:], strict=True)]
        self.idle += [0] * self.blocks

    def solve(self) -> tuple[np.ndarray, np.ndarray, float]:
        """Worst prior, weights of the columns, value."""
        self.model.run()
        require_optimal(self.model.modelStatusToString(self.model.getModelStatus()))
        solution = self.model.getSolution()
        prior = np.maximum(-np.asarray(solution.row_dual)[: self.parameters], 0.0)
        weights = np.maximum(np.asarray(solution.col_value)[1:], 0.0)
        self.idle = [0 if w > 1e-12 else k + 1 for w, k in zip(weights, self.idle, strict=True)]
        value = float(self.model.getInfo().objective_function_value)
        return prior / prior.sum(), weights, value

    def forget(self) -> None:
        """Drop columns that have not been used for a while."""
        stale = [j for j, k in enumerate(self.idle) if k > _PATIENCE]
        if not stale:
            return
        self.model.deleteCols(len(stale), np.array(stale, dtype=np.int32) + 1)
        kept = [j for j, k in enumerate(self.idle) if k <= _PATIENCE]
        self.owner = [self.owner[j] for j in kept]
        self.actions = [self.actions[j] for j in kept]
        self.idle = [self.idle[j] for j in kept]

    def rule(self, weights: np.ndarray, bounds: np.ndarray, n_actions: int) -> np.ndarray:
        """The mixture as a table of action probabilities, outcomes x actions."""
        rule = np.zeros((bounds[-1], n_actions))
        for block, actions, weight in zip(self.owner, self.actions, weights, strict=True):
            if weight > 0:
                rule[np.arange(bounds[block], bounds[block + 1]), actions] += weight
        return rule / rule.sum(axis=1, keepdims=True)


def cutting_planes(
    loss: np.ndarray, outcomes: Any, *, tol: float, offset: float, max_rounds: int
) -> Solution:
    """Solve the decision problem to a relative gap.

    Parameters
    ----------
    loss : ndarray, shape (parameters, actions)
        Non-negative.
    outcomes : array or csr_array, shape (outcomes, parameters)
        Likelihoods, one row an outcome.
    tol : float
        Stop when upper minus lower is at most ``tol`` times ``|upper + offset|``.
    offset : float
        What was taken off the losses, in their present unit.
    max_rounds : int
    """
    size, parameters = outcomes.shape
    bounds = np.linspace(0, size, min(BLOCKS, size) + 1).astype(int)
    master = _Master(parameters, bounds.size - 1)
    prior = np.full(parameters, 1.0 / parameters)
    best, lower, step = prior, -np.inf, _FIRST_STEP
    worst = prior
    for rounds in range(1, max_rounds + 1):
        bayes, actions = bayes_actions(prior[:, None] * loss, outcomes)
        risks = block_risks(loss, outcomes, actions, bounds)
        if rounds > 1:
            step = _adapted(step, risks.sum(axis=0) @ (worst - best))
        if bayes > lower:
            best, lower = prior, bayes
        master.add(risks, actions, bounds)
        worst, weights, upper = master.solve()
        if upper - lower <= tol * max(abs(upper + offset), LEAST_SCALE) or rounds == max_rounds:
            break
        if rounds % 5 == 0:
            master.forget()
        prior = (1 - step) * best + step * worst
    return Solution(best, master.rule(weights, bounds, loss.shape[1]), rounds)


def _adapted(step: float, slope: float) -> float:
    """Go further if the Bayes risk still rises towards the worst prior, less far if it falls."""
    return min(1.0, 1.3 * step) if slope > 0 else max(0.02, 0.9 * step)


def require_optimal(status: str) -> None:
    """Refuse to go on from a program that was not solved."""
    if status != "Optimal":
        raise InputError(
            f"the linear program ended as {status!r} instead of 'Optimal': the losses or "
            "likelihoods are badly scaled"
        )
