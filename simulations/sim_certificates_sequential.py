"""Looking after every example: betting certificates hold at every stopping time, others do not.

An adversary stops when the limit is smallest, a practitioner as soon as it falls below a target.
Certificates for a fixed number of examples fail under both.
"""

import numpy as np

from tlstat import grid, inner, study
from tlstat.backend import to_numpy
from tlstat.certificates import CERTIFICATES
from tlstat.theory import at_most, ordered

ANYTIME = ["betting_anytime", "betting", "binomial, union over looks"]
PEEKING = ["binomial, peeking", "Hoeffding, peeking"]
TARGET = 0.95  # of the true risk: just below it


def paths(name, losses, delta):
    """Limits after every example, shape (size, n)."""
    if name in CERTIFICATES:
        return CERTIFICATES[name].path(losses, delta=delta, resolution=1e-3)
    t = np.arange(1, losses.shape[1] + 1)
    k = np.cumsum(losses, axis=1)
    if name == "Hoeffding, peeking":
        return CERTIFICATES["hoeffding"](k, t, delta=delta)
    # the look at time t gets the share 1/(t (t + 1))
    cost = np.log(t * (t + 1.0)) if name == "binomial, union over looks" else np.zeros(len(t))
    inversion = CERTIFICATES["binomial_tail_inversion"]
    table = inversion(np.arange(len(t) + 1)[:, None].clip(max=t), t, log_inv_delta=cost
                      - np.log(delta))  # fmt: skip
    return table[k.astype(int), t - 1]


@study(
    design=grid(p=[0.1, 0.5], n=200, delta=0.05, certificate=inner(ANYTIME + PEEKING)),
    replicates=2_000,
    block=500,
    ranges={"ratio": (0, float("inf")), "practitioner": (0, float("inf")), "last": (0, 1)},
    profiles={"paper": {"replicates": 20_000, "where": {"n": 200}}},
    claims=[
        at_most(metric, 1.0, delta=0.05, where={"certificate": name})
        for name in ANYTIME
        for metric in ("ratio", "practitioner")
    ]
    + [
        at_most(
            metric,
            1.0,
            delta=0.05,
            where={"certificate": name},
            expect="refuted",
            name=f"{name}: {rule} may stop at any time (false)",
        )
        for name in PEEKING
        for metric, rule in (("ratio", "an adversary"), ("practitioner", "a practitioner"))
        # Hoeffding's bound is so wide that this practitioner does not notice
        if not (name.startswith("Hoeffding") and metric == "practitioner")
    ]
    + [
        ordered(
            "last",
            "certificate",
            ["betting", "betting_anytime"],
            name="a horizon fixed in advance makes betting tighter",
        ),
    ],
)
def stopping(cell, rng, size):
    """Risk over the limit where the stopping rule stops, on 0/1 losses."""
    losses = to_numpy(rng.binomial(1, cell.p, size=(size, cell.n))).astype(float)
    worst, first, last = [], [], []
    for name in cell.certificate:
        path = np.asarray(paths(name, losses, cell.delta))
        worst.append(cell.p / path.min(axis=1))
        below = path <= TARGET * cell.p
        at = np.where(below.any(axis=1), below.argmax(axis=1), cell.n - 1)
        first.append(cell.p / path[np.arange(size), at])
        last.append(path[:, -1])
    return {
        "ratio": np.stack(worst, axis=-1),
        "practitioner": np.stack(first, axis=-1),
        "last": np.stack(last, axis=-1),
    }
