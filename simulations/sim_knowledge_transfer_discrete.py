"""Hard labels at one input: the classical problem of estimating a law of k symbols (Section 13).

Total variation, L1 and squared L2 distance, chi-squared and Kullback-Leibler divergence, each with
its classical constant. Where a risk has a closed form it is exact; samplers check the forms.
"""

import numpy as np

from tlstat import Exact, geometric, grid, inner, study
from tlstat.knowledge_transfer import Teacher, exact_risk, theory
from tlstat.knowledge_transfer.discrete import (
    BRAESS_SAUER,
    add_constant_student,
    braess_sauer_student,
    chi2_risk,
    kl_risk,
    l2_minimax_student,
)
from tlstat.theory import at_most, between, equals, ordered, rate

LAWS = ["uniform", "zipf", "sparse"]


def law_of(cell):
    """One of three laws of ``k`` symbols; the last leaves half of them without mass."""
    rank = np.arange(1, cell["k"] + 1)
    weight = {
        "uniform": rank**0.0,
        "zipf": 1.0 / rank,
        "sparse": 1.0 * (rank <= (cell["k"] + 1) // 2),
    }[cell["law"]]
    return weight / weight.sum()


N = geometric(100, 1_000_000, 5)


@study(
    design=grid(law=LAWS, k=[3, 10, 100], n=N),
    replicates=0,
    claims=[
        at_most("tv", theory.EMPIRICAL_TV_UPPER),
        at_most("tv", theory.EMPIRICAL_TV_UPPER_PAPER),
        between(
            "l1",
            lambda cell, model: 0.99 * theory.L1_MINIMAX_LIMIT(k=cell["k"], n=cell["n"]),
            lambda cell, model: 1.01 * theory.L1_MINIMAX_LIMIT(k=cell["k"], n=cell["n"]),
            tolerance=0,
            where={"law": "uniform", "n": [n for n in N if n >= 10_000]},
            name="on the uniform law the frequencies attain the minimax L1 risk to 1 %",
        ),
        at_most(
            "l1",
            lambda cell, model: theory.L1_MINIMAX_LIMIT(k=cell["k"], n=cell["n"]),
            where={"law": ["zipf", "sparse"]},
            tolerance=0.02,
            name="and other laws are easier",
        ),
        rate("l1", along="n", bound=theory.L1_MINIMAX_LIMIT, tolerance=0.02),
    ],
)
def distances(cell, rng, size):
    """Exact total variation and L1 risk of the frequencies."""
    p = law_of(cell)
    tv = exact_risk(Teacher(np.ones(1), p[None]), cell.n, "hard")
    return {"tv": Exact(tv, 1e-12), "l1": Exact(2 * tv, 2e-12)}


RULES = ["frequencies", "minimax"]


@study(
    design=grid(law=LAWS, k=[3, 10], n=[10, 100, 1_000], rule=inner(RULES)),
    replicates=240_000,
    block=20_000,
    profiles={"paper": {"replicates": 480_000}, "full": {"replicates": 4_800_000}},
    claims=[
        equals(
            "l2",
            theory.L2_MINIMAX,
            where={"rule": "minimax"},
            name="the minimax estimator has the same squared L2 risk on every law",
        ),
        equals(
            "l2",
            lambda cell, model: (1 - np.sum(law_of(cell) ** 2)) / cell["n"],
            where={"rule": "frequencies"},
            name="that of the frequencies is (1 - sum p^2)/n",
        ),
        ordered(
            "l2",
            along="rule",
            increasing=["minimax", "frequencies"],
            where={"law": "uniform"},
            name="on the uniform law the minimax estimator is better",
        ),
        at_most(
            "l2",
            theory.L2_MINIMAX,
            where={"rule": "frequencies", "law": "uniform"},
            expect="refuted",
            name="the frequencies are minimax in squared L2 distance (false)",
        ),
        at_most(
            "tv",
            theory.EMPIRICAL_TV_PROBABILITY,
            delta=0.05,
            at={"delta": 0.05},
            where={"rule": "frequencies"},
        ),
    ],
)
def squared_distance(cell, rng, size):
    """Squared L2 distance, and total variation, of two estimators on the same samples."""
    xp = rng.xp
    p = law_of(cell)
    counts = rng.multinomial(cell.n, p, size=size)[:, None]
    laws = xp.stack([counts / cell.n, l2_minimax_student(counts)], axis=-1)[:, 0]
    error = laws - rng.asarray(p)[:, None]
    return {"l2": xp.sum(error**2, axis=1), "tv": 0.5 * xp.sum(xp.abs(error), axis=1)}


# ------------------------------------------------------------------- divergences, exactly

ADDED = {
    "Krichevsky-Trofimov": (0.5, 0.5, 0.5),
    "three quarters": (0.75, 0.75, 0.75),
    "Laplace": (1.0, 1.0, 1.0),
    "Braess-Sauer": BRAESS_SAUER,
}


@study(
    design=grid(law=LAWS, k=[3, 10, 100], n=[0, 10, 100, 1_000]),
    replicates=0,
    claims=[
        at_most("chi2", theory.CHI2_LAPLACE_UPPER),
        equals(
            "chi2",
            lambda cell, model: laplace_chi2(law_of(cell), cell["n"]),
            rtol=1e-6,
            where={"n": [10, 100, 1_000]},
            name="chi-squared risk of Laplace's rule in closed form",
        ),
        at_most("kl", theory.KL_LAPLACE_UPPER),
    ],
)
def laplace(cell, rng, size):
    """Exact divergences of Laplace's rule."""
    p = law_of(cell)
    chi2, kl = chi2_risk(p, cell.n), kl_risk(p, cell.n, 1.0)
    return {"chi2": Exact(chi2, 1e-10), "kl": Exact(kl, 1e-10)}


def laplace_chi2(p, n):
    """``(n+k)/(n+1) (1 - sum p (1-p)^(n+1)) - 1``."""
    return (n + p.size) / (n + 1) * (1 - p @ (1 - p) ** (n + 1)) - 1


@study(
    design=grid(k=2, n=[100, 300, 1_000, 3_000], rule=inner(list(ADDED))),
    replicates=0,
    claims=[
        equals(
            "scaled",
            lambda cell, model: 2 * cell["n"] * np.log1p(0.5 / (cell["n"] + 0.75)),
            rtol=1e-3,
            where={"rule": "Braess-Sauer"},
            name="Braess and Sauer's rule is worst on a point mass: 2n log(1 + 1/(2n + 3/2)) < 1",
        ),
        between(
            "scaled",
            1.95,
            2,
            tolerance=0,
            where={"rule": "Laplace"},
            name="Laplace's rule is twice as bad",
        ),
        rate(
            "worst",
            along="n",
            bound=theory.KL_MINIMAX_LIMIT,
            tolerance=0.02,
            where={"rule": ["Braess-Sauer", "Krichevsky-Trofimov"]},
        ),
        ordered(
            "worst",
            along="rule",
            increasing=["Braess-Sauer", "Krichevsky-Trofimov", "three quarters", "Laplace"],
            tolerance=0,
            name="Braess and Sauer beat every constant that is added to all counts",
        ),
    ],
)
def divergence(cell, rng, size):
    """Largest Kullback-Leibler risk over the laws of two symbols, on a fine grid."""
    rare = np.concatenate([np.geomspace(1e-3, 8, 60) / cell.n, np.linspace(8 / cell.n, 0.5, 40)])
    laws = [np.array([x, 1 - x]) for x in [0.0, *rare]]
    worst = [max(kl_risk(p, cell.n, added) for p in laws) for added in ADDED.values()]
    worst = np.array(worst)
    return {"worst": Exact(worst, 1e-5 * worst), "scaled": Exact(2 * cell.n * worst, 1e-4)}


@study(
    design=grid(law=LAWS[:2], k=10, n=[10, 100], rule=inner(["Laplace", "Braess-Sauer"])),
    replicates=40_000,
    block=4_000,
    profiles={"paper": {"replicates": 200_000}, "full": {"replicates": 2_000_000}},
    claims=[
        equals(
            "kl",
            lambda cell, model: kl_risk(law_of(cell), cell["n"], ADDED[cell["rule"]]),
            name="simulated divergences have the exact means",
        ),
        equals(
            "chi2",
            lambda cell, model: chi2_risk(law_of(cell), cell["n"]),
            where={"rule": "Laplace"},
        ),
    ],
)
def simulated_divergence(cell, rng, size):
    """Divergences of two rules on the same samples."""
    xp = rng.xp
    p = rng.asarray(law_of(cell))
    counts = rng.multinomial(cell.n, law_of(cell), size=size)[:, None]
    laws = [add_constant_student(counts)[:, 0], braess_sauer_student(counts)[:, 0]]
    return {
        "kl": xp.stack([xp.sum(p * xp.log(p / q), axis=-1) for q in laws], axis=-1),
        "chi2": xp.stack([xp.sum(p**2 / q, axis=-1) - 1 for q in laws], axis=-1),
    }
