"""Comparison of methods under shifts of the source: arXiv:2308.15838, section on experiments.

Settings of the authors' scripts: AR(0.5), coefficients (3, 1.5, 0, 0, 2), source with none, one
or two of them shifted, from m = 10,000 rows or from as many as the target has; exponents of the
weights 1, weights within [1e-3, 1e3], alpha in {1/4, 1/2, 3/4}, ten folds. Ours: least squares as
the initial estimate, a fixed grid of levels in units of sigma, no intercept, the two-step method
of Li, Cai and Li, and the excess prediction risk in closed form. Folds are drawn as second
moments, which is exact, so that the cost does not depend on the number of rows. Claims are about
means of logarithms: risks are skewed, and differ by orders of magnitude.
"""

import numpy as np

from tlstat import grid, inner, study
from tlstat.theory import ordered
from tlstat.transfer_lasso.models import RegressionModel
from tlstat.transfer_lasso.moments import cross_validated, draw_folds, solve_moments
from tlstat.transfer_lasso.risk import prediction_risk

METHODS = ["target", "pooled", "source", "trans-lasso", "transfer", "adaptive transfer"]
FOLDS = 10
LEVELS = np.geomspace(1e-3, 1, 8)
ALPHAS = (0.25, 0.5, 0.75)
TOL = 1e-6


def penalties(lams, alphas, u, v):
    """Weights of the penalty for all pairs of a level and a share, shape (size, pairs, p)."""
    lam, alpha = (x.ravel()[:, None] for x in np.meshgrid(lams, alphas))
    return lam * alpha * u[:, None], lam * (1 - alpha) * v[:, None]


def fits(cell, rng, size):
    """Coefficients of all methods, shape (size, p) each."""
    model = RegressionModel.from_cell(cell)
    origin = RegressionModel(model.source, model.covariance, model.sigma)
    target = draw_folds(model, cell.n, FOLDS, rng, size)
    m = 10_000 if cell.source == "large" else cell.n
    gram, moment = origin.draw_moments(m, rng, size)
    b0 = np.linalg.solve(gram, moment[..., None])[..., 0]
    one, zero, lams = np.ones_like(b0), np.zeros_like(b0), cell.sigma * LEVELS
    plain = penalties(lams, [1.0], one, one)
    out = {"source": b0}
    out["target"], level = cross_validated(target, *plain, zero, tol=TOL)
    out["pooled"], _ = cross_validated(target, *plain, zero, beside=(gram, moment, m), tol=TOL)
    # the level of the target's own lasso, rescaled to the rows of the pooled step
    G, g = target.whole
    total, n = cell.n + m, cell.n
    pooled = ((n * G + m * gram) / total, (n * g + m * moment) / total)
    lam = lams[level][:, None]
    w = solve_moments(*pooled, lam * np.sqrt(n / total), 0.0, tol=TOL)
    out["trans-lasso"] = solve_moments(G, g, 0.0, lam, w, tol=TOL)
    out["transfer"], _ = cross_validated(target, *penalties(lams, ALPHAS, one, one), b0, tol=TOL)
    weight = np.clip(np.abs(b0), 1e-3, 1e3)
    adaptive = penalties(lams, ALPHAS, 1 / weight, weight)
    out["adaptive transfer"], _ = cross_validated(target, *adaptive, b0, tol=TOL)
    return model, out


@study(
    model=RegressionModel.from_cell,
    design=grid(
        p=[20, 50],
        rho=0.5,
        sigma=[1.0, 3.0, 6.0, 10.0],
        source=["large", "medium"],
        n=[50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000],
        shift=["none", "one", "two"],
        method=inner(METHODS),
    ),
    replicates=96,
    block=32,
    ranges={"risk": (0, float("inf"))},
    profiles={
        "quick": {"where": {"p": 20, "sigma": 3.0, "source": "large", "n": [50, 200, 1_000]}},
        "paper": {"replicates": 64, "where": {"p": 20, "sigma": [1.0, 3.0, 10.0]}},
        "full": {"replicates": 1_000},
    },
    claims=[
        ordered(
            "log_risk",
            along="method",
            increasing=["adaptive transfer", "transfer", "target"],
            where={"shift": "none", "method": ["adaptive transfer", "transfer", "target"]},
            name="without a shift dividing and subtracting together beats subtracting alone",
        ),
        ordered(
            "log_risk",
            along="method",
            increasing=["transfer", "trans-lasso", "target"],
            where={
                "shift": "one",
                "n": [50, 200],
                "method": ["transfer", "trans-lasso", "target"],
            },
            name="with one shift the transfer lasso is best, then Trans-Lasso",
        ),
        ordered(
            "log_risk",
            along="method",
            increasing=["transfer", "trans-lasso"],
            where={"shift": "two", "n": [200, 1_000], "method": ["transfer", "trans-lasso"]},
            name="with two shifts the transfer lasso beats Trans-Lasso",
        ),
        ordered(
            "log_risk",
            along="method",
            increasing=["target", "pooled"],
            where={"shift": ["one", "two"], "n": [200, 1_000], "method": ["target", "pooled"]},
            name="with a shift pooling hurts",
        ),
        ordered(
            "log_risk",
            along="method",
            increasing=["adaptive transfer", "transfer"],
            where={"shift": "two", "n": 50, "method": ["adaptive transfer", "transfer"]},
            expect="refuted",
            name="with two shifts and few rows weights help (false: they hold the wrong support)",
        ),
    ],
)
def methods(cell, rng, size):
    """Excess prediction risk of six ways to use a source."""
    model, out = fits(cell, rng, size)
    risks = [prediction_risk(out[method], model.beta, model.covariance) for method in cell.method]
    risk = np.stack(risks, axis=-1)
    return {"risk": risk, "log_risk": np.log(risk)}
