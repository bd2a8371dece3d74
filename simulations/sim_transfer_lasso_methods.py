"""Comparison of methods under shifts of the source: arXiv:2308.15838, section on experiments.

Settings of the authors' scripts: AR(0.5), coefficients (3, 1.5, 0, 0, 2), source with none, one
or two of them shifted, from m = 10,000 rows or from as many as the target has; sigma; exponents
1/2, 1 and 2, the same for both weights, within [1e-3, 1e3]; alpha in {1/4, 1/2, 3/4}; ten folds
that choose level, alpha and exponent together. Ours: p and n are fewer (no p = 10 and 100, no
n = 10 and 20); least squares is the only initial estimate (theirs: lasso and ridge too); a fixed
grid of levels in units of sigma, no intercept, pooling and Trans-Lasso (Li, Cai and Li), and the
excess prediction risk in closed form. Folds are drawn as second moments, which is exact, so that
the cost does not depend on the number of rows. Claims about risks are about means of logarithms
(of the risk plus 0.3 % of the noise's variance, so that a lucky sample does not decide): risks are
skewed, and differ by orders of magnitude.
"""

import numpy as np

from tlstat import grid, inner, study
from tlstat.theory import at_least, ordered
from tlstat.transfer_lasso.aggregation import q_aggregate
from tlstat.transfer_lasso.models import RegressionModel
from tlstat.transfer_lasso.moments import Folds, cross_validated, draw_folds, solve_moments
from tlstat.transfer_lasso.risk import (
    Selection,
    prediction_risk,
    selection,
    unchanged_share,
)

METHODS = [
    "target",
    "pooled",
    "source",
    "trans-lasso oracle",
    "trans-lasso",
    "adaptive lasso",
    "transfer",
    "adaptive transfer",
]
FOLDS, HELD = 10, 3
LEVELS = np.geomspace(3e-3, 1, 7)
ALPHAS = (0.25, 0.5, 0.75)
GAMMAS = (0.5, 1, 2)
TOL = 1e-6
N = [50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000]
AXES = {
    "rho": 0.5,
    "sigma": [1.0, 3.0, 6.0, 10.0],
    "source": ["large", "medium"],
    "shift": ["none", "one", "two"],
    "method": inner(METHODS),
}
# risks far below this share of the noise's variance all count as none
NEGLIGIBLE = 3e-3
SELECTION = (*Selection._fields, "unchanged")


def penalties(lams, alphas, sizes):
    """Penalties for all triples of a level, a share and a weight, shape (size, triples, p).

    ``sizes`` (size, weights, p) divide the pull towards zero and multiply that towards the source.
    """
    lam, alpha, k = (x.ravel() for x in np.meshgrid(lams, alphas, range(sizes.shape[1])))
    lam, alpha, size = lam[:, None], alpha[:, None], sizes[:, k]
    return lam * alpha / size, lam * (1 - alpha) * size


def two_steps(folds, lams, gram, moment, m):
    """The target's own lasso and the oracle step of Trans-Lasso, which has the same constant."""
    zero = np.zeros_like(moment)
    alone, chosen = cross_validated(
        folds, *penalties(lams, [1.0], np.ones_like(moment)[:, None]), zero, tol=TOL
    )
    (G, g), n = folds.whole, np.sum(folds.n)
    lam = lams[chosen][:, None]
    pooled = ((n * G + m * gram) / (n + m), (n * g + m * moment) / (n + m))
    w = solve_moments(*pooled, lam * np.sqrt(n / (n + m)), 0.0, tol=TOL)
    return alone, solve_moments(G, g, 0.0, lam, w, tol=TOL)


def aggregated(folds, lams, *source):
    """Trans-Lasso with one source: on some folds with and without it, combined on the others."""
    fitting, held = (
        Folds(folds.gram[:, part], folds.moment[:, part], folds.n[part])
        for part in (slice(HELD, None), slice(HELD))
    )
    candidates = np.stack(two_steps(fitting, lams, *source), axis=1)
    return np.stack([combine(*one) for one in zip(candidates, *held.whole, strict=True)])


def combine(coefs, gram, moment):
    """Q-aggregation by rows that have these moments: all rows do, up to a constant."""
    values, vectors = np.linalg.eigh(gram)
    kept = values > 1e-12 * values[-1]
    root, vectors = np.sqrt(values[kept]), vectors[:, kept]
    weights, _ = q_aggregate((coefs @ vectors * root).T, moment @ vectors / root)
    return weights @ coefs


def fits(cell, rng, size):
    """The population, the initial estimates, and coefficients of all methods, (size, p) each."""
    model = RegressionModel.from_cell(cell)
    origin = RegressionModel(model.source, model.covariance, model.sigma)
    target = draw_folds(model, cell.n, FOLDS, rng, size)
    m = 10_000 if cell.source == "large" else cell.n
    gram, moment = origin.draw_moments(m, rng, size)
    b0 = np.linalg.solve(gram, moment[..., None])[..., 0]
    lams, zero, one = cell.sigma * LEVELS, np.zeros_like(b0), np.ones_like(b0)[:, None]
    powers = np.stack([np.clip(np.abs(b0) ** gamma, 1e-3, 1e3) for gamma in GAMMAS], axis=1)
    ways = {
        "pooled": ([1.0], one, zero, (gram, moment, m)),
        "adaptive lasso": ([1.0], powers, zero, None),
        "transfer": (ALPHAS, one, b0, None),
        "adaptive transfer": (ALPHAS, powers, b0, None),
    }
    out = {"source": b0}
    out["target"], out["trans-lasso oracle"] = two_steps(target, lams, gram, moment, m)
    out["trans-lasso"] = aggregated(target, lams, gram, moment, m)
    for method, (alphas, sizes, towards, beside) in ways.items():
        penalty = penalties(lams, alphas, sizes)
        out[method], _ = cross_validated(target, *penalty, towards, beside=beside, tol=TOL)
    return model, b0, out


def better(methods, where, name, metric="log_risk", **options):
    """The claim that means of a metric increase in the order of the methods, on the same draws."""
    where = {**where, "method": methods}
    return ordered(metric, along="method", increasing=methods, where=where, name=name, **options)


@study(
    model=RegressionModel.from_cell,
    # a medium source of 50 rows has no least squares for 50 columns
    design=grid(p=20, n=N, **AXES) + grid(p=50, n=N[1:], **AXES),
    replicates=96,
    block=16,
    ranges={"risk": (0, float("inf")), **dict.fromkeys(SELECTION, (0, 1))},
    profiles={
        "quick": {"where": {"p": 20, "sigma": 3.0, "n": [50, 200, 1_000]}},
        "paper": {"replicates": 192, "where": {"p": 20, "sigma": [1.0, 3.0, 10.0]}},
        "full": {"replicates": 1_000},
    },
    claims=[
        better(
            ["adaptive transfer", "transfer"],
            {"shift": "none", "n": 1_000},
            "without a shift dividing and subtracting together beats subtracting alone",
        ),
        better(
            ["adaptive transfer", "adaptive lasso"],
            {"shift": "none", "source": "large"},
            "and beats dividing alone (the adaptive lasso), if the source is large",
        ),
        better(
            ["transfer", "adaptive lasso", "target"],
            {"shift": "none", "source": "large", "n": [50, 200]},
            "with a large source subtracting beats dividing, and that the lasso",
        ),
        better(
            ["adaptive lasso", "transfer"],
            {"shift": "none", "source": "medium", "n": [200, 1_000]},
            "with a source as small as the target dividing beats subtracting",
        ),
        better(
            ["transfer", "trans-lasso oracle", "target"],
            {"shift": "one", "source": "large", "n": [50, 200]},
            "with one shift the transfer lasso is best, then Trans-Lasso's oracle step",
        ),
        better(
            ["transfer", "trans-lasso"],
            {"shift": "two", "source": "large", "n": [200, 1_000]},
            "with two shifts the transfer lasso beats Trans-Lasso",
        ),
        better(
            ["trans-lasso oracle", "target"],
            {"shift": "two", "source": "medium", "n": [200, 1_000]},
            "with two shifts the oracle step still helps (false: it does not doubt its source)",
            expect="refuted",
        ),
        better(
            ["target", "pooled"],
            {"shift": ["one", "two"], "n": [200, 1_000]},
            "with a shift pooling hurts",
        ),
        better(
            ["transfer", "target", "adaptive transfer"],
            {"shift": "none", "source": "large"},
            "subtracting least squares selects worse than the lasso, with weights better",
            metric="f1",
        ),
        better(
            ["target", "adaptive lasso"],
            {"shift": "none"},
            "so does dividing alone, whatever the size of the source",
            metric="f1",
        ),
        better(
            ["adaptive lasso", "transfer", "adaptive transfer"],
            {"shift": "none", "source": "medium", "n": [50, 200]},
            "dividing alone keeps no coefficient of the source, subtracting some, both most",
            metric="unchanged",
        ),
        at_least(
            "unchanged",
            0.5,
            where={"shift": "none", "source": "large", "method": "adaptive transfer"},
            name="of a large source the adaptive transfer lasso keeps half and more",
        ),
    ],
)
def methods(cell, rng, size):
    """Excess prediction risk, selection, and kept coefficients of eight ways to use a source."""
    model, b0, out = fits(cell, rng, size)
    coef = np.stack([out[method] for method in cell.method], axis=1)
    risk = prediction_risk(coef, model.beta, model.covariance)
    return {
        "risk": risk,
        "log_risk": np.log(risk + NEGLIGIBLE * cell.sigma**2),
        **selection(coef, model.beta)._asdict(),
        "unchanged": unchanged_share(coef, b0[:, None], model.beta),
    }
