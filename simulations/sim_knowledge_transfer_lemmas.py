"""Lemmas that the proofs rest on: a divergence, one unseen symbol, binomial counts (Appendix E).

Small statements with explicit constants. Those without randomness are exact; the binomial ones are
sums over the binomial law, not simulations.
"""

import numpy as np

from tlstat import Exact, geometric, grid, inner, study
from tlstat.knowledge_transfer import theory
from tlstat.knowledge_transfer.binomial import average
from tlstat.theory import at_least, at_most, equals


@study(
    design=grid(k=[2, 10, 100], concentration=[0.05, 0.3, 1.0, 10.0]),
    replicates=2_000,
    block=500,
    profiles={"paper": {"replicates": 20_000}, "full": {"replicates": 200_000}},
    claims=[
        at_most(
            "share",
            1,
            surely=True,
            name="Bretagnolle and Huber: TV at most 1 - exp(-KL)/2",
        ),
        at_most(
            "share",
            0.8,
            surely=True,
            where={"k": [10, 100], "concentration": 0.05},
            expect="refuted",
            name="four fifths of it are enough (false)",
        ),
    ],
)
def divergences(cell, rng, size):
    """Total variation of two random laws as a share of its bound by their divergence."""
    xp = rng.xp
    alpha = np.full(cell.k, cell.concentration)
    p, q = rng.dirichlet(alpha, size=size), rng.dirichlet(alpha, size=size)
    tiny = 1e-300
    logs = xp.log(xp.where(p > tiny, p, xp.full_like(p, tiny)))
    logs = logs - xp.log(xp.where(q > tiny, q, xp.full_like(q, tiny)))
    divergence = xp.sum(p * logs, axis=-1)
    # rounding can leave a divergence of about -1e-16
    divergence = xp.where(divergence > 0, divergence, xp.zeros_like(divergence))
    bound = theory.BRETAGNOLLE_HUBER(KL=divergence)
    return {"share": 0.5 * xp.sum(xp.abs(p - q), axis=-1) / bound}


@study(
    design=grid(n=[1, 2, 3, 10, 100, 10_000], step=inner([-0.5, -0.1, 0.0, 0.1, 0.5])),
    replicates=0,
    claims=[
        at_most("unseen", theory.UNSEEN_TERM, tolerance=1e-9),
        at_most("unseen", theory.UNSEEN_TERM_SIMPLE),
        at_most("unseen", theory.UNSEEN_TERM_PAPER),
        at_least(
            "unseen",
            lambda cell, model: 0.999999999 * theory.UNSEEN_TERM(n=cell["n"]),
            tolerance=0,
            where={"step": 0.0},
            name="the maximum is attained at x = 1/(n+1)",
        ),
        at_least(
            "unseen",
            lambda cell, model: theory.UNSEEN_TERM_PAPER(n=cell["n"]),
            where={"step": 0.0},
            expect="refuted",
            name="Lemma E.5 as printed, with >= 4/(9n) (false: a slip of the pen)",
        ),
    ],
)
def unseen_term(cell, rng, size):
    """``x (1-x)^n`` near its maximum."""
    x = (1 + np.array(cell.step)) / (cell.n + 1)
    return {"unseen": Exact(x * (1 - x) ** cell.n, 1e-16)}


@study(
    design=grid(n=geometric(10, 10_000, 4), p=[0.003, 0.03, 0.3, 0.9]),
    replicates=0,
    claims=[
        equals("inverse", theory.INVERSE_COUNT, rtol=1e-8),
        at_most("inverse", theory.INVERSE_COUNT_UPPER, tolerance=1e-8),
    ],
)
def inverse_count(cell, rng, size):
    """``E 1/(X+1)`` of a binomial ``X``, by its sum."""
    value = float(average(lambda m: 1 / (m + 1), cell.n, cell.p))
    return {"inverse": Exact(value, 1e-11 * value)}


@study(
    design=grid(n=[100, 1_000], p=[0.1, 0.5], eta=[0.1, 0.3, 0.6], delta=0.05),
    replicates=20_000,
    block=5_000,
    profiles={"paper": {"replicates": 100_000}, "full": {"replicates": 1_000_000}},
    claims=[
        at_most("few", theory.BINOMIAL_LOWER_TAIL, where={"eta": [0.1, 0.3], "n": 100}),
        at_most("inverse", theory.INVERSE_COUNT_PROBABILITY, at={"delta": 0.05}, delta=0.05),
    ],
)
def lower_tail(cell, rng, size):
    """Whether a binomial count is small, and its inverse."""
    count = rng.binomial(cell.n, cell.p, size=size)
    return {"few": count <= (1 - cell.eta) * cell.n * cell.p, "inverse": 1 / (count + 1)}
