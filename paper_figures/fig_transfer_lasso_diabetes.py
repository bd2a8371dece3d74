"""Diabetes data: what a source group is worth, and which coefficients moved away from it.

Left: squared error on held-out target rows over draws of the training rows (boxes: quartiles;
whiskers: 5 % and 95 %). Right: coefficients of the source's lasso and of the transfer lasso
(alpha = 1/4, level by cross-validation) on the first 80 rows of the target group.
"""

import numpy as np
from sklearn.datasets import load_diabetes

from tlstat.plotting import COLOURS, figure, style
from tlstat.transfer_lasso import TransferLassoCV

STUDIES = {"groups": "../simulations/sim_transfer_lasso_real_data.py::diabetes_groups"}
METHODS = ["target", "pooled", "source", "transfer"]
CELLS = [{"split": "sex", "n": 20}, {"split": "sex", "n": 80}, {"split": "age", "n": 20}]


def coefficients(split):
    """Names, the source's coefficients and those moved by the target, on standardised columns."""
    data = load_diabetes(scaled=False)
    X, y, names = data.data, data.target, list(data.feature_names)
    target = X[:, 1] == 2 if split == "sex" else X[:, 0] >= 50
    if split == "sex":
        X, names = np.delete(X, 1, axis=1), [name for name in names if name != "sex"]
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    source = TransferLassoCV().fit(X[~target], y[~target])
    rows = np.flatnonzero(target)[:80]
    moved = TransferLassoCV(source.coef_, alphas=(0.25,)).fit(X[rows], y[rows])
    return names, source.coef_, moved.coef_, moved.unchanged_


@style()
def draw(results):
    """Errors, and two panels of coefficients."""
    fig, axes = figure(10.5, 3.8, columns=3, width_ratios=[1.5, 1, 1])
    boxes(axes[0], results["groups"])
    titles = {"sex": "sex", "age": "age, 50 and over"}
    for ax, split in zip(axes[1:], titles, strict=True):
        names, source, now, unchanged = coefficients(split)
        at = np.arange(len(names))
        ax.hlines(at, source, now, color="0.75", lw=2)
        ax.plot(source, at, "|", color="0.3", ms=10, mew=1.6, label="source")
        ax.plot(now[~unchanged], at[~unchanged], "o", color=COLOURS[3], label="moved")
        ax.plot(
            now[unchanged], at[unchanged], "o", mfc="white", color=COLOURS[0], label="unchanged"
        )
        ax.axvline(0, color="0.85", lw=1, zorder=0)
        ax.set(yticks=at, yticklabels=names, xlabel="coefficient", title=titles[split])
        ax.invert_yaxis()
    axes[1].legend(frameon=False, fontsize=8, loc="upper left")
    return fig


def boxes(ax, groups):
    """Quartiles of the errors, cells side by side."""
    for i, where in enumerate(CELLS):
        for j, method in enumerate(METHODS):
            values = groups.samples("error", {**where, "method": method})[0].values
            colour = COLOURS[j]
            low, q1, middle, q3, high = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
            x = i + 0.2 * (j - 1.5)
            ax.vlines(x, low, high, color=colour, lw=1)
            ax.vlines(x, q1, q3, color=colour, lw=7, alpha=0.5)
            ax.plot(x, middle, "o", color=colour, ms=4, label=method if i == 0 else None)
    labels = ["sex\n20 rows", "sex\n80 rows", "age\n20 rows"]
    ax.set(xticks=range(len(CELLS)), xticklabels=labels, ylabel="error / variance")
    ax.set(yscale="log", yticks=[0.4, 0.6, 1, 1.5], yticklabels=["0.4", "0.6", "1", "1.5"])
    ax.minorticks_off()
    ax.legend(frameon=False, fontsize=8, ncols=2)
