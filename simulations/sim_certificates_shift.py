"""Covariate shift with known density ratios: certificates for the target from source examples.

Inputs are uniform on [0, 1] in the source; the target has the density ``(a + 1) x^a``, so the
ratio is at most ``a + 1``. The loss grows with x, hence the target risk ``.6 (a+1)/(a+3)`` exceeds
the source risk .2, and a certificate that ignores the shift fails.
"""

import numpy as np

from tlstat import grid, inner, study
from tlstat.backend import to_numpy
from tlstat.certificates import CERTIFICATES
from tlstat.theory import at_most, ordered

WEIGHTED = ["weighted_betting", "weighted_empirical_bernstein"]
IGNORED = "shift ignored"


def losses_of(x, kind, rng):
    """Mean loss .6 x^2: as errors, or as soft losses without noise."""
    mean = 0.6 * x**2
    return mean if kind == "soft" else (to_numpy(rng.uniform(size=x.shape)) < mean) * 1.0


@study(
    design=grid(
        a=[1, 4],
        n=[64, 512],
        kind=["soft", "errors"],
        delta=0.05,
        certificate=inner([*WEIGHTED, IGNORED]),
    ),
    replicates=2_000,
    block=500,
    ranges={"ratio": (0, float("inf")), "limit": (0, 1)},
    profiles={"paper": {"replicates": 20_000}},
    claims=[
        at_most("ratio", 1.0, delta=0.05, where={"certificate": "weighted_betting"}),
        at_most("ratio", 1.0, delta=0.05, where={"certificate": "weighted_empirical_bernstein"}),
        at_most(
            "ratio",
            1.0,
            delta=0.05,
            where={"certificate": IGNORED},
            expect="refuted",
            name="the source certificate holds for the target (false)",
        ),
        ordered("limit", "certificate", WEIGHTED, name="betting is tighter than Bernstein"),
    ],
)
def covariate_shift(cell, rng, size):
    """Target risk over its certificate."""
    x = to_numpy(rng.uniform(size=(size, cell.n)))
    losses = losses_of(x, cell.kind, rng)
    ratios = (cell.a + 1.0) * x**cell.a
    risk = 0.6 * (cell.a + 1) / (cell.a + 3)
    limits = []
    for name in cell.certificate:
        if name == IGNORED:
            limits.append(CERTIFICATES["kl_inverse"](losses.sum(axis=1), cell.n, delta=cell.delta))
        else:
            limits.append(
                CERTIFICATES[name](losses, ratios, ratio_max=cell.a + 1.0, delta=cell.delta)
            )
    limit = np.stack(limits, axis=-1)
    return {"ratio": risk / limit, "limit": limit}
