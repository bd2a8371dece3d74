"""An abrupt drift of the target: settings are ours, those of the NeurIPS 2020 paper not public.

Batches arrive one by one; halfway two of the coefficients change. Transfer lasso starts from the
estimate of the batch before, the lasso from one batch or from all so far.
"""

import numpy as np

from tlstat import grid, inner, study
from tlstat.theory import ordered
from tlstat.transfer_lasso.models import RegressionModel, autoregressive
from tlstat.transfer_lasso.moments import solve_moments
from tlstat.transfer_lasso.risk import prediction_risk

STEPS = 12
CHANGE = 6
DRIFTING = {"p": 20, "n": 40, "rho": 0.5, "sigma": 1.0}
METHODS = ["single", "all", "transfer"]


def truth(step, p):
    beta = np.zeros(p)
    beta[:5] = [1.0, -1.0, 0.8, 0.6, -0.5]
    if step >= CHANGE:
        beta[[0, 5]] = [-1.0, 1.0]
    return beta


@study(
    design=sum(
        (grid(**DRIFTING, step=t, method=inner(METHODS)) for t in range(1, STEPS)),
        grid(**DRIFTING, step=0, method=inner(METHODS)),
    ),
    replicates=400,
    block=100,
    ranges={"risk": (0, float("inf"))},
    profiles={"paper": {"replicates": 4_000}, "full": {"replicates": 40_000}},
    claims=[
        ordered(
            "risk",
            along="method",
            increasing=["all", "transfer", "single"],
            where={"step": CHANGE - 1},
            name="before the change all batches together are best, then the transfer lasso",
        ),
        ordered(
            "risk",
            along="method",
            increasing=["transfer", "single", "all"],
            where={"step": STEPS - 1},
            name="long after the change the transfer lasso is best, all batches worst",
        ),
        ordered(
            "risk",
            along="method",
            increasing=["transfer", "single"],
            where={"step": CHANGE},
            name="even at the change the transfer lasso is no worse than one batch",
        ),
    ],
)
def abrupt(cell, rng, size):
    """Excess prediction risk after each batch; batches are drawn as second moments."""
    covariance = autoregressive(cell.p, cell.rho)
    lam = cell.sigma * np.sqrt(2 * np.log(2 * cell.p) / cell.n)
    pooled = lam / np.sqrt(cell.step + 1)
    grams, products, previous = 0.0, 0.0, None
    for t in range(cell.step + 1):
        model = RegressionModel(truth(t, cell.p), covariance, cell.sigma)
        gram, moment = model.draw_moments(cell.n, rng, size)
        single = solve_moments(gram, moment, lam, 0.0, tol=1e-9)
        if previous is None:
            previous = single
        else:
            previous = solve_moments(gram, moment, lam / 2, lam / 2, previous, tol=1e-9)
        grams, products = grams + gram, products + moment
    parts = cell.step + 1
    together = solve_moments(grams / parts, products / parts, pooled, 0.0, tol=1e-9)
    fits = {"single": single, "all": together, "transfer": previous}
    risks = [prediction_risk(fits[m], model.beta, covariance) for m in cell.method]
    return {"risk": np.stack(risks, axis=-1)}
