"""Transfer on real data: few rows of one group, a source from the other group.

The data are bundled with scikit-learn. A replicate draws the target's training rows without
replacement and tests on all other rows of the target group, so the claims speak of these data sets
under resampling, not of a population. Penalties are chosen by cross-validation on training rows
only. All methods see the same draws. Claims are about means of logarithms: some training samples of
20 rows are very bad, so that mean errors would need thousands of draws.
"""

import warnings
from functools import cache

import numpy as np
from sklearn.datasets import load_diabetes, load_digits
from sklearn.model_selection import StratifiedKFold

from tlstat import grid, inner, study
from tlstat.theory import ordered
from tlstat.transfer_lasso import (
    TransferLasso,
    TransferLassoCV,
    TransferLogisticRegression,
    transfer_lasso_path,
)

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


def beats(better, worse, where, name, **options):
    """The claim that one method has the smaller mean of log errors, on the same draws."""
    pair = [better, worse]
    where = {**where, "method": pair}
    return ordered("log_error", along="method", increasing=pair, where=where, name=name, **options)


@study(
    design=grid(split=["sex", "age"], n=20, method=inner(METHODS))
    + grid(split="sex", n=80, method=inner(METHODS)),
    replicates=64,
    block=8,
    ranges={"error": (0, float("inf"))},
    profiles={"paper": {"replicates": 400}, "full": {"replicates": 2_000}},
    claims=[
        beats(
            "transfer",
            "target",
            {"n": 20},
            "with 20 rows the transfer lasso beats the target's own lasso",
        ),
        beats(
            "pooled",
            "target",
            {"n": 80},
            "with 80 rows of one sex pooling beats it too (false: it hurts)",
            expect="refuted",
        ),
        beats(
            "transfer",
            "pooled",
            {"n": 80},
            "with 80 rows of one sex the transfer lasso beats pooling",
        ),
        beats(
            "transfer", "source", {"n": 80}, "with 80 rows of one sex it beats the source's model"
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
    out /= np.var(y[group])
    return {"error": out, "log_error": np.log(out)}


# --- digits ---------------------------------------------------------------------------------------

# target and source: labels 0 and 1 are the digits in this order
PAIRS = {
    "7 or 9, from 4 or 9": ((7, 9), (4, 9)),
    "1 or 8, from 1 or 9": ((1, 8), (1, 9)),
    "1 or 2, from 7 or 2": ((1, 2), (7, 2)),
}
LEVELS = np.geomspace(0.2, 0.004, 8)
SOURCE_LEVEL = 0.005
LOGISTIC = {"loss": "logistic", "fit_intercept": True, "tol": 1e-4}


@cache
def digit_pair(pair):
    """Pixels in [0, 1] and labels of two digits."""
    X, y = load_digits(return_X_y=True)
    keep = np.isin(y, pair)
    return np.asfortranarray(X[keep] / 16), (y[keep] == pair[1]).astype(int)


@cache
def source_digits(pair):
    """The source's classifier."""
    return TransferLogisticRegression(SOURCE_LEVEL, 1.0).fit(*digit_pair(pair))


def held_out_losses(X, y, source):
    """Log-losses of every (alpha, lam), summed over four stratified folds."""
    table = np.zeros((len(ALPHAS), len(LEVELS)))
    for train, test in StratifiedKFold(4).split(X, y):
        for i, alpha in enumerate(ALPHAS):
            path = transfer_lasso_path(
                X[train], y[train], lams=LEVELS, alpha=alpha, source_coef=source, **LOGISTIC
            )
            odds = X[test] @ path.coefs.T + path.intercepts
            table[i] += np.sum(np.logaddexp(0, np.where(y[test, None] == 1, -odds, odds)), axis=0)
    return table


def fit_transfer(task, rows):
    """The cross-validated transfer lasso of the target's rows ``rows``; and the lasso's level."""
    target, origin = PAIRS[task]
    X, y = digit_pair(target)
    b0 = source_digits(origin).coef_
    table = held_out_losses(X[rows], y[rows], b0[0])
    i, j = np.unravel_index(np.argmin(table), table.shape)
    with warnings.catch_warnings():
        # a pixel that is equal in all rows keeps the source's coefficient: as it should here
        warnings.simplefilter("ignore", UserWarning)
        model = TransferLogisticRegression(LEVELS[j], ALPHAS[i], b0, tol=1e-4).fit(X[rows], y[rows])
    # the target's own lasso is the last row of the same table
    return model, LEVELS[int(np.argmin(table[-1]))]


def fit_digits(task, rows):
    """All classifiers from the target's rows ``rows``; penalties by cross-validation."""
    target, origin = PAIRS[task]
    X, y = digit_pair(target)
    transfer, alone = fit_transfer(task, rows)
    both = [
        np.concatenate(parts) for parts in zip(digit_pair(origin), (X[rows], y[rows]), strict=True)
    ]
    return {
        "target": TransferLogisticRegression(alone, 1.0, tol=1e-4).fit(X[rows], y[rows]),
        "pooled": TransferLogisticRegression(SOURCE_LEVEL, 1.0, tol=1e-4).fit(*both),
        "source": source_digits(origin),
        "transfer": transfer,
    }


def balanced_rows(y, n, rng):
    """``n`` rows, half of each label."""
    order = np.argsort(np.asarray(rng.uniform(0.0, 1.0, size=len(y))))
    return np.concatenate([order[y[order] == label][: n // 2] for label in (0, 1)])


@study(
    design=grid(task="7 or 9, from 4 or 9", n=20, method=inner(METHODS))
    + grid(task="1 or 8, from 1 or 9", n=10, method=inner(METHODS))
    + grid(task="1 or 2, from 7 or 2", n=40, method=inner(METHODS)),
    replicates=64,
    block=8,
    ranges={"error": (0, 1)},
    profiles={"paper": {"replicates": 400}, "full": {"replicates": 2_000}},
    claims=[
        beats(
            "transfer",
            "target",
            {"n": 10},
            "with ten images of 1 and 8 the transfer lasso beats the target alone",
        ),
        beats(
            "pooled",
            "target",
            {"n": 40},
            "with 40 images of 1 and 2 pooling beats the target alone (false: it hurts)",
            expect="refuted",
        ),
        beats("transfer", "source", {}, "a few images mend the source's classifier"),
        beats("transfer", "pooled", {"n": [20, 40]}, "the transfer lasso beats pooling both pairs"),
    ],
)
def digit_pairs(cell, rng, size):
    """Share of wrong labels among the target's other images.

    Handwritten digits of 8 x 8 pixels; target and source share one digit, with the same label.
    """
    X, y = digit_pair(PAIRS[cell.task][0])
    out = np.empty((size, len(METHODS)))
    for i in range(size):
        rows = balanced_rows(y, cell.n, rng)
        held = np.setdiff1d(np.arange(len(y)), rows)
        models = fit_digits(cell.task, rows)
        for j, method in enumerate(cell.method):
            out[i, j] = np.mean(models[method].predict(X[held]) != y[held])
    return {"error": out, "log_error": np.log(out + 0.5 / len(held))}


@study(
    design=grid(task="7 or 9, from 4 or 9", n=20, pixel=inner(list(range(64))))
    + grid(task="1 or 8, from 1 or 9", n=10, pixel=inner(list(range(64))))
    + grid(task="1 or 2, from 7 or 2", n=40, pixel=inner(list(range(64)))),
    replicates=16,
    block=16,
    profiles={"paper": {"replicates": 96}, "full": {"replicates": 400}},
    claims=[],
)
def digit_coefficients(cell, rng, size):
    """Coefficients of the source and of the transfer lasso of `digit_pairs`, for the figure.

    ``alpha`` and ``lam`` are what cross-validation chose, the same for all pixels.
    """
    target, origin = PAIRS[cell.task]
    y = digit_pair(target)[1]
    out = {
        name: np.empty((size, len(cell.pixel))) for name in ("source", "transfer", "alpha", "lam")
    }
    for i in range(size):
        chosen, _ = fit_transfer(cell.task, balanced_rows(y, cell.n, rng))
        out["source"][i] = source_digits(origin).coef_[0]
        out["transfer"][i] = chosen.coef_[0]
        out["alpha"][i], out["lam"][i] = chosen.alpha, chosen.lam
    return out
