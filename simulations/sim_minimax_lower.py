"""The lower bound as a number: exact minimax risk over the hardest hypercube (arXiv:2002.04747).

The paper's construction puts m signs on a cube whose masses and margins are powers of a scale eps.
Over that cube the likelihood-ratio vote is minimax, and its risk is computed to 13 digits; the
largest risk over eps bounds every procedure from below. No constant is left unspecified: the bound
is at least 0.12 times the smaller of the two rates on the grids below.
"""

import numpy as np

from tlstat import Exact, geometric, grid, study
from tlstat.minimax import theory
from tlstat.minimax.models import Hypercube
from tlstat.theory import at_least, between, equals, rate

LONG = geometric(10_000, 100_000_000, 5)


def lower_bound(cell):
    """The exact bound; its numerical error is that of the kernel."""
    at = {name: cell.get(name, 0) for name in ("rho", "beta_P", "beta_Q", "m", "n_P", "n_Q")}
    return {"bound": Exact(theory.CUBE_LOWER(**at), 1e-13)}


@study(
    design=grid(n_P=LONG, rho=2.0, beta_P=0.5, m=8)
    + grid(n_P=LONG, rho=2.0, beta_P=0.75, m=8)
    + grid(n_P=LONG, rho=1.5, beta_P=2 / 3, m=8)
    + grid(n_P=LONG, rho=1.0, beta_P=0.0, m=8),
    replicates=0,
    claims=[
        rate("bound", along="n_P", bound=theory.SOURCE_RATE, at={"d": 8}, tolerance=0.01),
        rate(
            "bound",
            along="n_P",
            bound=theory.TARGET_RATE,
            at={"d": 8, "beta_Q": 0.5, "n_Q": lambda cell, model: cell.n_P},
            where={"rho": 2.0},
            expect="refuted",
            name="source data are worth as much as target data (false)",
        ),
    ],
)
def source_alone(cell, rng, size):
    """Lower bound from source data alone."""
    return lower_bound(cell)


@study(
    design=grid(n_Q=LONG, beta_Q=[0.0, 0.25, 0.5, 0.75], rho=1.0, m=8),
    replicates=0,
    claims=[rate("bound", along="n_Q", bound=theory.TARGET_RATE, at={"d": 8}, tolerance=0.01)],
)
def target_alone(cell, rng, size):
    """Lower bound from target data alone."""
    return lower_bound(cell)


def smaller_rate(factor):
    """`factor` times the smaller rate, as a function of the cell."""

    def edge(cell, model):
        at = {s: cell[s] for s in ("n_P", "n_Q", "rho", "beta_P", "beta_Q")}
        return factor * theory.MINIMAX_RATE.shape(**at, d=cell.m)

    edge.__name__ = f"{factor:g} times the smaller rate"
    return edge


@study(
    design=grid(
        n_P=geometric(1_000, 10_000_000, 9),
        n_Q=geometric(100, 100_000, 7),
        rho=2.0,
        beta_P=0.5,
        beta_Q=0.5,
        m=8,
    ),
    replicates=0,
    claims=[
        between(
            "bound",
            smaller_rate(0.12),
            smaller_rate(0.2),
            name="the bound is the smaller of two rates up to constants 0.12 and 0.2",
        ),
        at_least("bound", smaller_rate(0.12), name="the lower bound's constant is 0.12"),
        at_least(
            "bound",
            smaller_rate(0.19),
            expect="refuted",
            name="no dip at the crossover (false)",
        ),
    ],
)
def both_samples(cell, rng, size):
    """Both samples: the bound dips where the rates cross, as there both samples help."""
    return lower_bound(cell)


@study(
    design=grid(m=geometric(2, 512, 5), per_cell=[100, 10_000], rho=2.0, beta_P=0.5, beta_Q=0.5),
    replicates=0,
    claims=[
        rate(
            "scaled",
            along="m",
            bound=1.0,
            tolerance=0.01,
            name="the bound depends on m / n_P alone",
        )
    ],
)
def dimension(cell, rng, size):
    """More atoms, as many samples for each: the risk stays."""
    at = {s: cell[s] for s in ("rho", "beta_P", "beta_Q", "m")}
    value = theory.CUBE_LOWER(**at, n_P=cell.m * cell.per_cell, n_Q=0)
    return {"scaled": Exact(value, 1e-13)}


@study(
    model=Hypercube.from_cell,
    design=grid(
        eps=[0.05, 0.1], n_P=[0, 2_000], n_Q=[0, 100], rho=2.0, beta_P=0.5, beta_Q=0.5, m=8
    ),
    replicates=50_000,
    block=1_000,
    ranges={"risk": (0.0, 0.5)},
    profiles={"paper": {"replicates": 200_000}, "full": {"replicates": 2_000_000}},
    claims=[
        equals("risk", theory.CUBE_MINIMAX, where={"n_Q": 100}),
        at_least(
            "risk",
            theory.CUBE_MINIMAX,
            over="prior",
            where={"eps": 0.1},
            name="the vote does not beat the minimax risk",
        ),
    ],
)
def votes(cell, rng, size):
    """The likelihood-ratio vote: its risk is the same for all signs, so all are positive here."""
    cube = Hypercube.from_cell(cell)
    total = 0.0
    for n, mass, margin in (
        (cell.n_P, cube.p, cube.delta_P),
        (cell.n_Q, cube.q, cube.delta_Q),
    ):
        masses = np.append(np.full(cube.m, mass), 1 - cube.m * mass)
        points = rng.multinomial(n, masses, size=size)[:, :-1]
        agreeing = rng.binomial(points, (1 + margin) / 2)
        total = total + 2 * np.arctanh(margin) * (2 * agreeing - points)
    wrong = (total < 0) + 0.5 * (total == 0)
    return {"risk": cube.excess_Q(wrong.sum(axis=1))}
