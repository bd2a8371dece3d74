"""PAC-Bayes against the union bound: a Gibbs posterior pays off once many candidates are good.

A share of 20,000 candidates has the risk .05, the others .5; they err independently, so the
numbers of candidates with k errors are multinomial and nothing else has to be drawn. The union
certifies the candidate with fewest errors, PAC-Bayes a draw from the Gibbs posterior.
"""

import numpy as np
from scipy.special import logsumexp

from tlstat import grid, inner, study
from tlstat.backend import to_numpy
from tlstat.certificates import CERTIFICATES
from tlstat.theory import at_most, ordered

GOOD, BAD = 0.05, 0.5
BETAS = np.linspace(0, 5, 51)
METHODS = ["union, best candidate", "Gibbs posterior", "point mass"]


def gibbs(good, bad, n, delta):
    """Certificate and true risk of the best Gibbs posterior, from counts of error counts."""
    k = np.arange(good.shape[1])
    both = good + bad
    with np.errstate(divide="ignore"):
        log_counts = np.log(both)
    best, risk = np.ones(len(good)), np.zeros(len(good))
    certificate = CERTIFICATES["pac_bayes_kl"]
    for beta in BETAS:
        log_z = logsumexp(log_counts - beta * k, axis=1)
        q = np.exp(-beta * k - log_z[:, None])  # of one candidate with k errors
        mean = np.sum(both * q * k, axis=1) / n
        kl = np.maximum(np.log(both.sum(axis=1)) - log_z - beta * mean * n, 0)
        limit = certificate(np.clip(mean, 0, 1), n, kl, delta=delta)
        true = np.sum(q * (GOOD * good + BAD * bad), axis=1)
        risk = np.where(limit < best, true, risk)
        best = np.minimum(best, limit)
    return best, risk


@study(
    design=grid(share=[0.001, 0.01, 0.05, 0.2], n=80, M=20_000, delta=0.05, method=inner(METHODS)),
    replicates=2_000,
    block=500,
    ranges={"certificate": (0, 1), "ratio": (0, float("inf"))},
    profiles={"paper": {"replicates": 20_000}},
    claims=[
        ordered(
            "certificate",
            "method",
            METHODS[:2],
            where={"share": [0.001, 0.01]},
            tolerance=0,
            name="while good candidates are rare the union is tighter",
        ),
        ordered(
            "certificate",
            "method",
            ["Gibbs posterior", "union, best candidate"],
            where={"share": 0.2},
            tolerance=0,
            name="where a fifth of the candidates is good, the Gibbs posterior is tighter",
        ),
        ordered(
            "certificate",
            "method",
            ["union, best candidate", "point mass"],
            tolerance=0,
            name="PAC-Bayes with a point mass is never tighter than the union",
        ),
        at_most("ratio", 1.0, delta=0.05, where={"method": "Gibbs posterior"}),
        at_most("ratio", 1.0, delta=0.05, where={"method": "union, best candidate"}),
    ],
)
def gibbs_or_best(cell, rng, size):
    """Certificates, and the true risk of what they certify over the certificate."""
    from scipy.stats import binom

    k = np.arange(cell.n + 1)
    many = round(cell.share * cell.M)
    laws = [binom.pmf(k, cell.n, p) for p in (GOOD, BAD)]
    good = to_numpy(rng.multinomial(many, laws[0] / laws[0].sum(), size=size)).astype(float)
    bad = to_numpy(rng.multinomial(cell.M - many, laws[1] / laws[1].sum(), size=size)).astype(float)
    fewest = np.argmax(good + bad > 0, axis=1)
    log_inv = np.log(cell.M / cell.delta)
    rows = np.arange(size)
    # of the candidates with fewest errors any may be meant: take the worst of them
    worst = np.where(bad[rows, fewest] > 0, BAD, GOOD)
    union = CERTIFICATES["binomial_tail_inversion"](fewest, cell.n, log_inv_delta=log_inv)
    point = CERTIFICATES["pac_bayes_kl"](fewest / cell.n, cell.n, np.log(cell.M), delta=cell.delta)
    mixed, risk = gibbs(good, bad, cell.n, cell.delta)
    certificate = np.stack([union, mixed, point], axis=-1)
    return {
        "certificate": certificate,
        "ratio": np.stack([worst, risk, worst], axis=-1) / certificate,
    }
