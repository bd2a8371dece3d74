"""The minimax risk between two numbers that meet, and what cheaper inequalities lose.

One atom with an unknown sign and parameters anywhere in the class (transfer and Bernstein
conditions with constants 1): the Bayes risk at the hardest atom is a lower bound, the worst risk
of the vote with that atom's weights an upper one. They agree; that they do is a numerical finding.
"""

from functools import lru_cache

import numpy as np

from tlstat import Exact, geometric, grid, inner, study
from tlstat.minimax.atom_class import AtomClass
from tlstat.minimax.fano import best_over_scales
from tlstat.minimax.sandwich import saddle_point, worst_atom
from tlstat.theory import at_least, at_most, between, equals, ordered

KEYS = ("n_P", "n_Q", "rho", "beta_P", "beta_Q")
METHODS = (
    "varshamov_gilbert",
    "fano_kl",
    "fano_information",
    "bretagnolle_huber",
    "quarter_affinity",
    "pinsker",
    "hellinger",
    "exact",
)


@study(
    design=grid(n_P=10_000, n_Q=100, rho=2.0, beta_P=0.5, beta_Q=0.5, m=8, method=inner(METHODS)),
    replicates=0,
    claims=[
        ordered("bound", along="method", increasing=METHODS, tolerance=0.0),
        between("bound", 0.0149, 0.0151, tolerance=0.0, where={"method": "exact"}),
        at_most(
            "bound",
            0.0150 / 200,
            where={"method": "varshamov_gilbert"},
            name="the textbook's packing loses a factor of 200",
        ),
    ],
)
def inequalities(cell, rng, size):
    """Each at the scale that is best for it; the exact value is the largest."""
    at = {"rho": cell.rho, "beta_P": cell.beta_P, "beta_Q": cell.beta_Q}
    found = dict(best_over_scales(cell.n_P, cell.n_Q, cell.m, **at).items())
    return {"bound": Exact(np.array([found[name] for name in cell.method]), 1e-12)}


@lru_cache(maxsize=64)
def saddle(n_P, n_Q, rho, beta_P, beta_Q):
    """Lower and upper bound at one pair of sizes."""
    return saddle_point(n_P, n_Q, AtomClass(rho=rho, beta_P=beta_P, beta_Q=beta_Q), starts=3)


SETTINGS = (
    grid(rho=2.0, beta_P=0.5, beta_Q=0.5, n_P=50, n_Q=20)
    + grid(rho=2.0, beta_P=0.5, beta_Q=0.5, n_P=2_000, n_Q=50)
    + grid(rho=1.0, beta_P=0.5, beta_Q=0.5, n_P=100, n_Q=100)
)


def single_votes(cell):
    """Worst risks over the class of voting by the target, and by the source, alone."""
    atoms = AtomClass(rho=cell.rho, beta_P=cell.beta_P, beta_Q=cell.beta_Q)
    return {
        name: worst_atom(cell.n_P, cell.n_Q, atoms, weights=weights, starts=3)[0]
        for name, weights in (("target_vote", (0.0, 1.0)), ("source_vote", (1.0, 0.0)))
    }


@study(
    design=SETTINGS,
    replicates=0,
    claims=[
        equals(
            "upper",
            lambda cell, model: saddle(*(cell[k] for k in KEYS)).lower,
            rtol=1e-3,
            name="lower and upper bound meet: a saddle point",
        ),
        at_least("target_vote", lambda cell, model: 1.05 * saddle(*(cell[k] for k in KEYS)).lower,
                 where={"rho": 2.0}, name="the target's votes alone are not minimax"),
        at_least("source_vote", lambda cell, model: 1.05 * saddle(*(cell[k] for k in KEYS)).lower,
                 where={"rho": 2.0}, name="nor are the source's"),
    ],
)  # fmt: skip
def saddle_points(cell, rng, size):
    """Worst risks over the class: of the least-favourable vote and of single-sample votes."""
    values = {"upper": saddle(*(cell[k] for k in KEYS)).upper, **single_votes(cell)}
    return {name: Exact(value, 1e-6 * value) for name, value in values.items()}


@study(
    design=grid(rho=2.0, beta_P=0.5, beta_Q=0.5, n_P=geometric(10, 10_000, 5), n_Q=20),
    replicates=0,
    claims=[
        equals(
            "upper",
            lambda cell, model: saddle(*(cell[k] for k in KEYS)).lower,
            rtol=1e-3,
            name="and they meet at every source size",
        ),
    ],
)
def curves(cell, rng, size):
    """The sandwich along n_P, with the worst risks of votes by one sample alone."""
    point, sides = saddle(*(cell[k] for k in KEYS)), single_votes(cell)
    values = {"lower": point.lower, "upper": point.upper, **sides}
    return {name: Exact(value, 1e-6 * value) for name, value in values.items()}
