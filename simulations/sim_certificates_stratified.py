"""A support with fixed numbers from every class is no i.i.d. sample: what remains valid, exactly.

The errors of a k-shot n-way support are independent Bernoullis with the risks of their classes.
Their sum has a Poisson-binomial law, which is computed by convolution, so every probability here
is exact. Samples without replacement from a finite pool are the other departure from i.i.d.
"""

import numpy as np

from tlstat import Exact, grid, inner, study
from tlstat.certificates import CERTIFICATES, theory
from tlstat.theory import at_most, ordered

FAMILIES = {
    "one bad class": (0.0, 0.0, 0.0, 0.0, 0.5),
    "equal": (0.1, 0.1, 0.1, 0.1, 0.1),
    "increasing": (0.02, 0.05, 0.1, 0.2, 0.4),
    "all or nothing": (0.0, 0.0, 0.0, 1.0, 1.0),
    "hopeless but one": (0.36, 1.0, 1.0, 1.0, 1.0),
    "hopeless": (0.52, 1.0, 1.0, 1.0, 1.0),
}
VALID = ["stratified_support", "kl_inverse", "hoeffding"]


def poisson_binomial(risks):
    """Law of a sum of independent Bernoullis."""
    law = np.ones(1)
    for risk in risks:
        law = np.convolve(law, [1 - risk, risk])
    return law


def class_risks(cell):
    """Risks of all examples: ``shots`` of each of five classes."""
    return np.repeat(FAMILIES[cell.family], cell.shots)


@study(
    design=grid(
        family=list(FAMILIES),
        shots=[1, 5, 16],
        delta=[0.01, 0.05, 0.25, 0.4, 0.5],
        certificate=inner([*VALID, "binomial_tail_inversion"]),
    ),
    replicates=0,
    claims=[at_most("failed", theory.LEVEL, where={"certificate": name}) for name in VALID]
    + [
        at_most(
            "failed",
            theory.LEVEL,
            where={"certificate": "binomial_tail_inversion", "delta": [0.01, 0.05]},
            name="binomial inversion keeps small levels on strata",
        ),
        at_most(
            "failed",
            theory.LEVEL,
            where={"certificate": "binomial_tail_inversion", "delta": [0.4, 0.5]},
            expect="refuted",
            name="binomial inversion keeps every level on strata (false)",
        ),
    ],
)
def strata(cell, rng, size):
    """Probability that the limit lies below the average risk over classes."""
    risks = class_risks(cell)
    n, law, risk = len(risks), poisson_binomial(risks), risks.mean()
    k = np.arange(n + 1)
    failed = [
        law[CERTIFICATES[name](k, n, delta=cell.delta) < risk * (1 - 1e-12)].sum()
        for name in cell.certificate
    ]
    return {"failed": Exact(np.array(failed), 1e-12)}


def smooth_families(seed, n):
    """Risks of n independent examples, of any shape."""
    rng = np.random.default_rng(seed)
    return rng.beta(*rng.choice([0.2, 1.0, 5.0], size=2), size=n)


@study(
    design=grid(seed=list(range(40)), n=[5, 20, 60]),
    replicates=0,
    claims=[at_most("ratio", 1.0, tolerance=1e-9, name="Hoeffding's domination by the binomial")],
)
def domination(cell, rng, size):
    """The largest ratio of P(S <= k) to its binomial counterpart over k <= n p - 1."""
    risks = smooth_families(cell.seed, cell.n)
    p = float(risks.mean())
    k = np.arange(max(int(np.floor(cell.n * p - 1)), -1) + 1)
    if len(k) == 0:
        return {"ratio": Exact(0.0, 0.0)}
    tails = np.cumsum(poisson_binomial(risks))[k]
    bounds = theory.STRATIFIED_TAIL(k=k, n=cell.n, p=p)
    return {"ratio": Exact(float(np.max(tails / bounds)), 1e-9)}


@study(
    design=grid(
        pool=[50, 200],
        n=[10, 40],
        bad=[0.02, 0.1, 0.3],
        delta=[0.05, 0.2],
        certificate=inner(["hypergeometric_inversion", "binomial_tail_inversion", "hoeffding"]),
    ),
    replicates=0,
    claims=[
        at_most("failed", theory.LEVEL, where={"certificate": "hypergeometric_inversion"}),
        at_most("failed", theory.LEVEL, where={"certificate": "hoeffding"}),
        ordered(
            "mean_limit",
            along="certificate",
            increasing=["hypergeometric_inversion", "binomial_tail_inversion", "hoeffding"],
            tolerance=1e-9,
        ),
    ],
)
def finite_pool(cell, rng, size):
    """A sample without replacement certifies the error on the pool it came from."""
    from scipy.stats import hypergeom

    k = np.arange(cell.n + 1)
    bad = round(cell.bad * cell.pool)
    law = hypergeom.pmf(k, cell.pool, bad, cell.n)
    failed, means = [], []
    for name in cell.certificate:
        more = [cell.pool] if name == "hypergeometric_inversion" else []
        limits = CERTIFICATES[name](k, cell.n, *more, delta=cell.delta)
        failed.append(law[limits < bad / cell.pool * (1 - 1e-12)].sum())
        means.append(float(law @ limits))
    return {"failed": Exact(np.array(failed), 1e-12), "mean_limit": Exact(np.array(means), 1e-12)}
