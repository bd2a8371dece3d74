"""Control of a risk: Learn-then-Test, conformal risk control, and deploying what is certified.

Three statements that are easily mixed up: no certified candidate is bad (with high probability),
the loss on a new example is small (on average), and what was deployed is good (given that it was).
"""

import numpy as np

from tlstat import Exact, grid, inner, study
from tlstat.backend import to_numpy
from tlstat.certificates import CERTIFICATES, theory
from tlstat.certificates.inversion import log_binomial_cdf
from tlstat.certificates.selection import conformal_risk_control, learn_then_test
from tlstat.theory import at_most, equals, ordered

PROCEDURES = ["bonferroni", "holm", "fixed_sequence"]
UNCORRECTED = "no correction"
ALPHA = 0.25


@study(
    design=grid(M=20, n=[100, 400], delta=0.1, procedure=inner([*PROCEDURES, UNCORRECTED])),
    replicates=4_000,
    block=1_000,
    ranges={"worst": (0, 1), "number": (0, 20)},
    profiles={"paper": {"replicates": 40_000}},
    claims=[
        at_most(
            "worst", ALPHA, delta=0.1, where={"procedure": name}, name=f"{name} keeps its level"
        )
        for name in PROCEDURES
    ]
    + [
        at_most(
            "worst",
            ALPHA,
            delta=0.1,
            where={"procedure": UNCORRECTED},
            expect="refuted",
            name="twenty tests at the full level keep it together (false)",
        ),
        ordered(
            "number",
            "procedure",
            PROCEDURES,
            tolerance=0,
            name="a good order known in advance certifies most",
        ),
    ],
)
def learn_then_test_levels(cell, rng, size):
    """The largest risk among certified candidates, 0 where there is none, and their number.

    Most of the candidates are worse than the level by very little, the hardest case; they are
    tested in the order of their risks by the fixed sequence.
    """
    risks = np.concatenate([np.linspace(0.1, 0.2, 5), np.full(cell.M - 5, ALPHA + 1e-9)])
    k = to_numpy(rng.binomial(cell.n, risks, size=(size, cell.M)))
    worst, number = [], []
    for name in cell.procedure:
        if name == UNCORRECTED:
            limits = CERTIFICATES["binomial_tail_inversion"](k, cell.n, delta=cell.delta)
            passed = limits <= ALPHA
        else:
            passed = learn_then_test(k, cell.n, ALPHA, delta=cell.delta, procedure=name)
        worst.append(np.max(np.where(passed, risks, 0), axis=1))
        number.append(passed.sum(axis=1))
    return {"worst": np.stack(worst, axis=-1), "number": np.stack(number, axis=-1)}


def conformal_mean(cell, model):
    """Expected loss of the threshold for continuous scores: floor(alpha (n + 1)) / (n + 1)."""
    return np.floor(cell.alpha * (cell.n + 1)) / (cell.n + 1)


@study(
    design=grid(n=[20, 97], alpha=[0.1, 0.3], rule=inner(["conformal", "empirical"])),
    replicates=4_000,
    block=1_000,
    ranges={"risk": (0, 1)},
    profiles={"paper": {"replicates": 40_000}},
    claims=[
        at_most("risk", theory.CONTROLLED, tolerance=0.05, where={"rule": "conformal"}),
        equals("risk", conformal_mean, rtol=0.06, where={"rule": "conformal"}),
        at_most(
            "risk",
            theory.CONTROLLED,
            where={"rule": "empirical"},
            expect="refuted",
            name="the empirical threshold controls the risk (false)",
        ),
        at_most(
            "risk",
            lambda cell, model: cell.alpha,
            delta=0.1,
            where={"rule": "conformal"},
            expect="refuted",
            name="conformal risk control holds with high probability (false)",
        ),
    ],
)
def risk_control(cell, rng, size):
    """Loss: is the uniform score above the threshold? The risk of a threshold t is 1 - t."""
    scores = to_numpy(rng.uniform(size=(size, cell.n)))
    ordered_scores = np.sort(scores, axis=1)
    conformal = np.empty(size)
    for i in range(size):
        # between two scores no loss changes: the scores are all the thresholds there are
        thresholds = np.append(ordered_scores[i], 1.0)
        losses = (scores[i][:, None] > thresholds).astype(float)
        conformal[i] = conformal_risk_control(losses, thresholds, cell.alpha).threshold
    rank = int(np.ceil(cell.n * (1 - cell.alpha) - 1e-9))
    empirical = ordered_scores[:, rank - 1]
    return {"risk": 1 - np.stack([conformal, empirical], axis=-1)}


@study(
    design=grid(n=50, good=0.02, bad=0.15, limit=0.1, share=[0.5, 0.9, 0.99], delta=0.05),
    replicates=0,
    claims=[
        at_most("deployed_and_bad", theory.LEVEL),
        at_most(
            "bad_given_deployed",
            theory.LEVEL,
            expect="refuted",
            name="what was deployed is bad with probability at most delta (false)",
        ),
    ],
)
def deployed(cell, rng, size):
    """A share of the models is bad; those with a certificate below the limit are deployed."""
    limits = CERTIFICATES["binomial_tail_inversion"](
        np.arange(cell.n + 1), cell.n, delta=cell.delta
    )
    most = int(np.sum(limits <= cell.limit)) - 1
    good, bad = (float(np.exp(log_binomial_cdf(most, cell.n, p))) for p in (cell.good, cell.bad))
    both = cell.share * bad
    given = both / (both + (1 - cell.share) * good)
    return {"deployed_and_bad": Exact(both, 1e-13), "bad_given_deployed": Exact(given, 1e-12)}
