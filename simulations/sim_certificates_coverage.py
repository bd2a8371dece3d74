"""How often certificates fail: one candidate exactly, many candidates by simulation.

For one fixed candidate the probability of failure is computed at the worst risk, by enumeration
of the error count. For many candidates it is simulated on independent candidates of one risk,
where the union bound is nearly sharp; without the union bound the same certificates fail.
"""

import numpy as np

from tlstat import Exact, grid, inner, study
from tlstat.backend import to_numpy
from tlstat.certificates import CERTIFICATES, theory
from tlstat.theory import at_most, equals, ordered

COUNTS = ["binomial_tail_inversion", "kl_inverse", "hoeffding_bentkus", "hoeffding"]
COUNTS += ["bernstein_relaxation"]
WALD = "normal approximation"


def limits(name, n, delta):
    """The limit for every number of errors."""
    k = np.arange(n + 1)
    if name == WALD:
        from scipy.special import ndtri

        r = k / n
        return np.minimum(r - ndtri(delta) * np.sqrt(r * (1 - r) / n), 1)
    certificate = CERTIFICATES[name]
    if certificate.input == "losses":  # the order of 0/1 losses is immaterial here
        return certificate((np.arange(n) < k[:, None]).astype(float), delta=delta)
    return certificate(k, n, delta=delta)


@study(
    design=grid(
        n=[5, 16, 64, 256],
        delta=[0.01, 0.05, 0.2],
        certificate=inner([*COUNTS, "empirical_bernstein", WALD]),
    ),
    replicates=0,
    claims=[
        equals("worst", theory.LEVEL, where={"certificate": "binomial_tail_inversion"}),
        equals("worst", theory.LEVEL, where={"certificate": "kl_inverse"}),
        at_most("worst", theory.LEVEL, where={"certificate": "hoeffding"}),
        at_most("worst", theory.LEVEL, where={"certificate": "hoeffding_bentkus"}),
        at_most("worst", theory.LEVEL, where={"certificate": "bernstein_relaxation"}),
        at_most(
            "worst", theory.LEVEL, where={"certificate": "empirical_bernstein", "n": [64, 256]}
        ),
        ordered(
            "average",
            along="certificate",
            increasing=["hoeffding", "kl_inverse", "binomial_tail_inversion"],
            tolerance=0,
        ),
        at_most(
            "worst",
            theory.LEVEL,
            where={"certificate": WALD},
            expect="refuted",
            name="the normal approximation keeps its level (false)",
        ),
    ],
)
def one_candidate(cell, rng, size):
    """Probability of failure at the worst risk, and averaged over all risks, for 0/1 losses."""
    found = [theory.failure(limits(name, cell.n, cell.delta)) for name in cell.certificate]
    worst, average = np.array(found).T
    return {"worst": Exact(worst, 1e-12), "average": Exact(average, 1e-12)}


@study(
    design=grid(p=0.3, n=64, M=[10, 100], delta=0.05, union=inner([True, False])),
    replicates=150_000,
    block=2_500,
    ranges={"failed": (0, 1), "ratio": (0, float("inf"))},
    profiles={"paper": {"replicates": 1_000_000}},
    claims=[
        at_most("ratio", 1.0, delta=0.05, where={"union": True}),
        equals("failed", theory.UNION_FAILURE, rtol=0.1, where={"union": True}),
        equals("failed", theory.NO_UNION_FAILURE, where={"union": False}),
        at_most(
            "ratio",
            1.0,
            delta=0.05,
            where={"union": False},
            expect="refuted",
            name="the best of M is certified without the union bound (false)",
        ),
    ],
)
def many_candidates(cell, rng, size):
    """Independent candidates of equal risk: the best is the one whose certificate is smallest."""
    xp = rng.xp
    k = xp.min(rng.binomial(cell.n, cell.p, size=(size, cell.M)), axis=1)
    certificate = CERTIFICATES["binomial_tail_inversion"]
    ratios = []
    for union in cell.union:
        level = cell.delta / (cell.M if union else 1)
        table = rng.asarray(certificate(np.arange(cell.n + 1), cell.n, delta=level))
        ratios.append(cell.p / table[k])
    ratio = xp.stack(ratios, axis=-1)
    return {"ratio": ratio, "failed": xp.where(ratio > 1, 1.0, 0.0)}


SOFT = ["kl_inverse", "hoeffding", "hoeffding_bentkus", "empirical_bernstein", "betting"]
LAWS = {"rare": (1.0, 9.0), "middling": (2.0, 2.0), "extreme": (0.1, 0.3)}


@study(
    design=grid(law=list(LAWS), M=5, n=[32, 128], delta=0.1, certificate=inner(SOFT)),
    replicates=2_000,
    block=500,
    ranges={"ratio": (0, float("inf"))},
    profiles={"paper": {"replicates": 20_000}},
    claims=[at_most("ratio", 1.0, delta=0.1, where={"certificate": name}) for name in SOFT],
)
def soft_losses(cell, rng, size):
    """Beta-distributed losses: the candidate with the smallest certificate of each kind."""
    a, b = LAWS[cell.law]
    losses = to_numpy(rng.beta(a, b, size=(size, cell.M, cell.n)))
    ratios = []
    for name in cell.certificate:
        certificate, level = CERTIFICATES[name], {"delta": cell.delta / cell.M}
        if certificate.input == "count":
            found = certificate(losses.sum(axis=-1), cell.n, **level)
        else:
            found = certificate(losses, **level)
        ratios.append(a / (a + b) / found.min(axis=-1))
    return {"ratio": np.stack(ratios, axis=-1)}
