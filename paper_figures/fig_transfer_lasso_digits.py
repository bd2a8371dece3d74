"""Digits pairs: errors of classifiers from few images, and which pixels moved away from the source.

Left: shares of wrong labels over draws of the training images (quartiles; 5 % and 95 %). Right, one
row a task: images of the source's coefficients, of the transfer lasso's from 40 images, and of
what moved (white: exactly the source's coefficient). Red speaks for the second digit.
"""

import numpy as np
from sklearn.datasets import load_digits

from tlstat.plotting import COLOURS, figure, style
from tlstat.transfer_lasso import TransferLogisticRegression

STUDIES = {"pairs": "../simulations/sim_transfer_lasso_real_data.py::digit_pairs"}
METHODS = ["target", "pooled", "source", "transfer"]
# target and source, in the order of the labels
PAIRS = [((7, 9), (4, 9)), ((1, 8), (1, 9)), ((1, 2), (7, 2))]
SOURCE_LEVEL, LEVEL, SHARE, IMAGES = 0.005, 0.02, 0.25, 40


def pair(digits):
    X, y = load_digits(return_X_y=True)
    keep = np.isin(y, digits)
    return X[keep] / 16, (y[keep] == digits[1]).astype(int)


def coefficients(target, source):
    """The source's and the transferred coefficients, 8 x 8 each."""
    first = TransferLogisticRegression(SOURCE_LEVEL, 1.0).fit(*pair(source))
    X, y = pair(target)
    used = X[:IMAGES].std(axis=0) > 0  # a pixel without ink in these images keeps the source's
    b0 = first.coef_[0]
    second = TransferLogisticRegression(LEVEL, SHARE, b0[used]).fit(X[:IMAGES, used], y[:IMAGES])
    now = b0.copy()
    now[used] = second.coef_[0]
    return b0.reshape(8, 8), now.reshape(8, 8)


@style()
def draw(results):
    """A column of errors and a column each of source, target and difference."""
    fig, axes = figure(8.0, 6.2, rows=3, columns=4, width_ratios=[1.6, 1, 1, 1])
    titles = ("source", "transfer", "moved")
    for k, (row, (target, source)) in enumerate(zip(axes, PAIRS, strict=True)):
        task = f"{target[0]} or {target[1]}, from {source[0]} or {source[1]}"
        errors(row[0], results["pairs"], task)
        b0, now = coefficients(target, source)
        for ax, image, title in zip(row[1:], (b0, now, now - b0), titles, strict=True):
            largest = np.abs(b0).max()
            ax.imshow(image, cmap="RdBu_r", vmin=-largest, vmax=largest)
            ax.set(xticks=[], yticks=[], title=title if k == 0 else None)
            ax.spines[:].set_visible(False)
            ax.grid(visible=False)
        moved = np.sum(now != b0)
        row[3].set_xlabel(f"{moved} of 64 pixels", fontsize=8)
    return fig


def errors(ax, pairs, task):
    """Quartiles of the errors of one task."""
    for j, method in enumerate(METHODS):
        sample = pairs.samples("error", {"task": task, "method": method})[0]
        low, q1, middle, q3, high = np.quantile(sample.values, [0.05, 0.25, 0.5, 0.75, 0.95])
        ax.hlines(j, low, high, color=COLOURS[j], lw=1)
        ax.hlines(j, q1, q3, color=COLOURS[j], lw=7, alpha=0.5)
        ax.plot(middle, j, "o", color=COLOURS[j], ms=4)
    ax.set(yticks=range(4), yticklabels=METHODS, xlim=(0, None), ylim=(3.6, -0.6))
    ax.set_title(f"{task}: {sample.cell['n']} images", fontsize=9)
    ax.set_xlabel("share of wrong labels", fontsize=8)
