"""What to buy: mixtures pay near the tie only, and nobody needs to know the exponents.

Exact part: the cheapest (n_P, n_Q) for a given risk, without noise, against the cheaper single
sample (the bang-bang oracle of arXiv:2002.04747). Sampled part: the adaptive procedure, which
doubles both budgets until one sample certifies its minimiser; its price is the logarithm, and large
constants.
"""

import math
from functools import lru_cache

from tlstat import Exact, geometric, grid, study
from tlstat.minimax import theory
from tlstat.minimax.cost import cost_optimal
from tlstat.minimax.estimators import adaptive_cost
from tlstat.minimax.models import PowerThresholds
from tlstat.minimax.risk import exact_risk
from tlstat.theory import at_least, at_most, between, rate

FREE = {"q": 1.0, "a_P": 0.0, "a_Q": 0.0, "c_P": 1.0, "c_Q": 1.0}
RTOL = 2e-4


@lru_cache(maxsize=256)
def optimum(gamma, eps, price_P, price_Q):
    """The certified cheapest purchase on noise-free power thresholds."""
    model = PowerThresholds(gamma, **FREE)
    risk = lru_cache(maxsize=None)(lambda n_P, n_Q: exact_risk(model, n_P, n_Q))
    return cost_optimal(risk, eps, price_P=price_P, price_Q=price_Q, rtol=RTOL)


@study(
    design=grid(
        gamma=[0.5, 2.0, 3.0],
        eps=1e-3,
        kappa=[1 / 4, 1 / 2, 2 / 3, 1.0, 1.5, 2.0, 4.0],
    ),
    replicates=0,
    claims=[
        between(
            "saving", 0.065, 0.085, tolerance=0.0,
            where={"gamma": [0.5, 2.0], "kappa": 1.0},
            name="at the tie a mixture saves 7 to 8 % where gamma is 1/2 or 2",
        ),
        between(
            "saving", 0.17, 0.18, tolerance=0.0,
            where={"gamma": 3.0, "kappa": 1.0},
            name="and 17 to 18 % where gamma is 3",
        ),
        at_most(
            "saving", 0.003,
            where={"gamma": [0.5, 2.0], "kappa": lambda kappa: kappa != 1},
            tolerance=0.0,
            name="a factor 1.5 away from the tie one kind of sample is enough",
        ),
        at_most(
            "saving", 0.003,
            where={"gamma": 3.0, "kappa": [1.5, 2.0]},
            expect="refuted",
            name="also for a very singular source (false: a little source still helps)",
        ),
        at_most("single_over_optimum", 2.0, name="bang-bang costs at most twice the optimum"),
    ],
)  # fmt: skip
def mixtures(cell, rng, size):
    """Source price kappa times the one at which both single purchases cost the same."""
    tie = optimum(cell.gamma, cell.eps, 1.0, 1.0).tie_ratio
    found = optimum(cell.gamma, cell.eps, cell.kappa, tie)
    return {
        "saving": Exact(found.saving, RTOL),
        "single_over_optimum": Exact(found.single_cost / found.cost, RTOL),
    }


@study(
    design=grid(gamma=[0.5, 2.0, 3.0], eps=geometric(1e-5, 1e-2, 7)),
    replicates=0,
    claims=[
        rate(
            "n_P",
            along="eps",
            bound=lambda cell, model: cell.eps**-cell.gamma,
            tolerance=0.02,
            name="source alone: eps^-(2 - beta_P) rho",
        ),
        rate(
            "n_Q",
            along="eps",
            bound=lambda cell, model: 1 / cell.eps,
            tolerance=0.01,
            name="target alone: eps^-(2 - beta_Q)",
        ),
        between(
            "n_Q",
            lambda cell, model: 0.98 * theory.ORACLE_COST(**oracle(cell)),
            lambda cell, model: 1.02 * theory.ORACLE_COST(**oracle(cell)),
            name="with exact constants the rates give the number of target labels",
        ),
    ],
)
def single_purchases(cell, rng, size):
    """How many labels of one kind, exactly."""
    found = optimum(cell.gamma, cell.eps, 1.0, 1.0)
    return {"n_P": Exact(found.source_only, 0.5), "n_Q": Exact(found.target_only, 0.5)}


def oracle(cell):
    """The target's half of the oracle's cost: its constant is 1, the source too dear."""
    exponents = {"rho": cell.gamma, "beta_P": 1.0, "beta_Q": 1.0}
    return {**exponents, "eps": cell.eps, "d": 1.0, "C_P": 1.0, "C_Q": 1.0,
            "price_P": 1e15, "price_Q": 1.0}  # fmt: skip


def needs(cell):
    """Costs of both certificates up to constants: gamma decides the source's."""
    effort = math.log(1 / (0.05 * cell.eps))
    return effort * cell.eps**-cell.gamma, effort * cell.price_Q / cell.eps


def times_smaller_need(factor):
    """`factor` times the smaller need."""

    def bound(cell, model):
        return factor * min(needs(cell))

    bound.__name__ = f"{factor:g} times the smaller need of both certificates"
    return bound


@study(
    model=PowerThresholds.from_cell,
    design=grid(gamma=1.0, eps=[0.1, 0.01], price_Q=[1.0, 100.0], **FREE)
    + grid(gamma=2.0, eps=[0.1, 0.01], price_Q=[1.0, 1e6], **FREE)
    + grid(gamma=0.5, eps=[0.1, 0.01], price_Q=[1.0, 100.0], **FREE),
    replicates=1_000,
    block=250,
    ranges={"excess": (0.0, 0.5), "cost": (0.0, float("inf")), "from_source": (0.0, 1.0)},
    profiles={"paper": {"replicates": 5_000}, "full": {"replicates": 50_000}},
    claims=[
        at_most("excess", lambda cell, model: cell.eps, delta=0.05),
        at_most("cost", times_smaller_need(3_000.0), statistic=0.9),
        at_most(
            "cost",
            lambda cell, model: 3_000 * needs(cell)[1],
            statistic=0.9,
            where={"price_Q": [100.0, 1e6]},
            name="never dearer than the target's certificate, up to the same constant",
        ),
        at_least(
            "cost",
            lambda cell, model: optimum(cell.gamma, cell.eps, 1.0, cell.price_Q).cost,
            name="never cheaper than the exact optimum",
        ),
        at_least(
            "from_source",
            0.9,
            where={"gamma": [1.0, 2.0], "price_Q": [100.0, 1e6]},
            name="where target labels are dear the source's certificate stops it",
        ),
        at_most(
            "cost",
            lambda cell, model: 3_000 * math.log(1 / (0.05 * cell.eps)) * cell.eps**-0.5,
            where={"gamma": 2.0, "price_Q": 1e6},
            expect="refuted",
            name="singular sources certify as fast as concentrated ones (false)",
        ),
    ],
)
def adaptive(cell, rng, size):
    """Doubling budgets until a certificate of excess eps holds, exponents unknown."""
    model = PowerThresholds.from_cell(cell)
    bought = adaptive_cost(model, rng, size, eps=cell.eps, cost_Q=cell.price_Q, delta=0.05)
    return {
        "excess": model.excess_Q(bought.hypothesis),
        "cost": bought.cost,
        "from_source": 1.0 * bought.from_source,
    }
