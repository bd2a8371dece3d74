"""An abrupt drift of the target, and a comparison of methods under shifts of the source.

Drift: batches arrive one by one; halfway two of the coefficients change. Transfer lasso starts
from the estimate of the batch before, the lasso from one batch or from all so far. The settings of
the NeurIPS 2020 paper are not public: these are ours. Comparison: source coefficients of
arXiv:2308.15838 (none, one or two shifted); each method at its best level on a validation sample
of the same size (ours, in place of cross-validation).
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


LEVELS = np.geomspace(0.003, 3, 16)
COMPARED = ["lasso", "adaptive", "transfer", "adaptive transfer", "source"]


def tuned(method, moments, validation, b0):
    """The level that predicts best on the validation sample, replicate by replicate."""
    gram, moment = moments
    share = 0.5 if "transfer" in method else 1.0
    weight = np.clip(np.abs(b0), 1e-3, 1e3) if "adaptive" in method else np.ones_like(b0)
    u, v = 1 / weight, weight if "transfer" in method else 0.0 * weight
    lam = LEVELS[:, None]
    a = share * lam * u[:, None]
    c = (1 - share) * lam * v[:, None]
    coef = solve_moments(gram[:, None], moment[:, None], a, c, b0[:, None], tol=1e-8)
    loss = np.einsum("rlj,rjk,rlk->rl", coef, validation.gram, coef)
    loss = loss - 2 * np.einsum("rlj,rj->rl", coef, validation.moment)
    best = loss.argmin(axis=1)
    return coef[np.arange(len(coef)), best]


@study(
    model=RegressionModel.from_cell,
    design=grid(
        p=20,
        rho=0.5,
        sigma=3.0,
        m=10_000.0,
        n=[40, 100, 200, 1_000, 5_000],
        shift=["none", "one", "two"],
        method=inner(COMPARED),
    ),
    replicates=300,
    block=100,
    ranges={"risk": (0, float("inf"))},
    profiles={"paper": {"replicates": 3_000}, "full": {"replicates": 30_000}},
    claims=[
        ordered(
            "risk",
            along="method",
            increasing=["transfer", "lasso"],
            where={"shift": ["none", "one"], "n": [40, 100, 200]},
            name="a good source helps while target rows are few",
        ),
        ordered(
            "risk",
            along="method",
            increasing=["adaptive transfer", "adaptive", "lasso"],
            where={"shift": "none", "n": [100, 200]},
            name="without a shift subtracting and dividing together is best",
        ),
        ordered(
            "risk",
            along="method",
            increasing=["transfer", "source"],
            where={"shift": ["one", "two"], "n": [200, 1_000, 5_000]},
            name="the transfer lasso mends a shifted source",
        ),
        ordered(
            "risk",
            along="method",
            increasing=["transfer", "lasso"],
            where={"shift": "two", "n": [100, 200]},
            name="with two shifts the transfer lasso is still better than the lasso",
        ),
    ],
)
def comparison(cell, rng, size):
    """Excess prediction risk of five ways to use a source."""
    model = RegressionModel.from_cell(cell)
    moments, validation = (model.draw_moments(cell.n, rng, size) for _ in range(2))
    b0 = model.draw_source(rng, size)
    fits = [b0 if m == "source" else tuned(m, moments, validation, b0) for m in cell.method]
    risks = [prediction_risk(fit, model.beta, model.covariance) for fit in fits]
    return {"risk": np.stack(risks, axis=-1)}
