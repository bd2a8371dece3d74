"""Transfer on real data: few rows of one group, a source from the other group.

The data are bundled with scikit-learn. A replicate draws the target's training rows without
replacement and tests on all other rows of the target group, so the claims speak of these data sets
under resampling, not of a population. Penalties are chosen by cross-validation on training rows
only. All methods see the same draws.
"""

from functools import cache

import numpy as np
from sklearn.datasets import load_diabetes

from tlstat import grid, inner, study
from tlstat.theory import ordered
from tlstat.transfer_lasso import TransferLasso, TransferLassoCV

METHODS = ["target", "pooled", "source", "transfer"]
CHOICE = {"lams": 12, "lam_ratio": 1e-2}
ALPHAS = (0.0, 0.5, 1.0)


@cache
def diabetes(split):
    """Standardised columns, response, and which rows are the target."""
    X, y = load_diabetes(return_X_y=True, scaled=False)
    if split == "sex":
        target = X[:, 1] == 2
        X = np.delete(X, 1, axis=1)
    else:
        target = X[:, 0] >= 50
    return (X - X.mean(axis=0)) / X.std(axis=0), y, target


@cache
def source_model(split):
    """The cross-validated lasso of the source group."""
    X, y, target = diabetes(split)
    return TransferLassoCV().fit(X[~target], y[~target])


def fit_regressions(split, rows):
    """Coefficients and intercepts of all methods from the target's rows ``rows``."""
    X, y, target = diabetes(split)
    source = source_model(split)
    chosen = TransferLassoCV(source.coef_, alphas=ALPHAS, **CHOICE).fit(X[rows], y[rows])
    # the target's own lasso is the last row of the same table of errors
    alone = int(np.argmin(chosen.mse_path_[-1].mean(axis=1)))
    lasso = TransferLasso(chosen.lams_[-1, alone], 1.0).fit(X[rows], y[rows])
    both = np.concatenate([np.flatnonzero(~target), rows])
    pooled = TransferLassoCV(**CHOICE).fit(X[both], y[both])
    return dict(zip(METHODS, (lasso, pooled, source, chosen), strict=True))


@study(
    design=grid(split=["sex", "age"], n=[20, 80], method=inner(METHODS)),
    replicates=48,
    block=8,
    ranges={"error": (0, float("inf"))},
    profiles={"paper": {"replicates": 400}},
    claims=[
        ordered(
            "error",
            along="method",
            increasing=["transfer", "source"],
            where={"n": 80, "method": ["transfer", "source"]},
            name="with 80 rows the transfer lasso beats the source's model",
        ),
        ordered(
            "error",
            along="method",
            increasing=["pooled", "transfer"],
            where={"n": 20, "method": ["pooled", "transfer"]},
            name="with 20 rows pooling both groups beats the transfer lasso",
        ),
        ordered(
            "error",
            along="method",
            increasing=["pooled", "transfer"],
            where={"n": 80, "split": "sex", "method": ["pooled", "transfer"]},
            expect="refuted",
            name="with 80 rows of one sex it still does (false)",
        ),
    ],
)
def diabetes_groups(cell, rng, size):
    """Mean squared error on the target's other rows, as a share of the target's variance.

    Target: one sex, or patients of 50 years and more; source: the other group. Nine or ten
    standardised columns. The source's model keeps its own intercept.
    """
    X, y, target = diabetes(cell.split)
    group = np.flatnonzero(target)
    out = np.empty((size, len(METHODS)))
    for i in range(size):
        order = np.argsort(np.asarray(rng.uniform(0.0, 1.0, size=len(group))))
        rows, held = group[order[: cell.n]], group[order[cell.n :]]
        models = fit_regressions(cell.split, rows)
        for j, method in enumerate(cell.method):
            out[i, j] = np.mean((y[held] - models[method].predict(X[held])) ** 2)
    return {"error": out / np.var(y[group])}
