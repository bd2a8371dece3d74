"""Handwritten digits as tasks: errors over m, and the learned components as images.

Top: geometric means over splits of the squared error on held-out images (labels 1 and -1; bars: one
standard error). "8 or not" is learned from nine tasks of the same kind, which span it; "1 or 7"
from other pairs of digits, which span it in part if they share a digit with it and hardly if they
share none. Bottom: the components learned from the nine tasks, in the order of the heads' second
moments, and the coefficients for the 8 fitted on 40 other images: with them, and alone by ridge
regression.
"""

import numpy as np
from sklearn.datasets import load_digits

from tlstat.plotting import COLOURS, figure, style
from tlstat.task_diversity import FewShotRegressor, LinearRepresentation

STUDIES = {
    "digit": "../simulations/sim_task_diversity_real_data.py::one_digit",
    "pair": "../simulations/sim_task_diversity_real_data.py::two_digits",
}
LABELS = {
    "transfer": ("transfer", COLOURS[0], "o"),
    "sharing": ("pairs sharing a digit", COLOURS[0], "o"),
    "apart": ("pairs sharing none", COLOURS[1], "D"),
    "alone": ("least squares alone", COLOURS[2], "s"),
    "ridge": ("ridge alone", COLOURS[3], "^"),
}


@style()
def draw(results):
    """Two panels of curves above a row of images."""
    fig, axes = figure(9.0, 5.2, rows=2, columns=11, height_ratios=[4, 1])
    grid = axes[0, 0].get_gridspec()
    for ax in axes[0]:
        ax.remove()
    left, right = fig.add_subplot(grid[0, :6]), fig.add_subplot(grid[0, 6:])
    curves(left, results["digit"], {"digit": 8}, "8 or not, from nine other digits or not")
    curves(right, results["pair"], {"pair": lambda p: tuple(p) == (1, 7)}, "1 or 7, from pairs")
    left.set_ylabel("mean squared error")
    for ax, (title, image) in zip(axes[1], images(), strict=True):
        limit = np.max(np.abs(image))
        ax.imshow(image.reshape(8, 8), cmap="PuOr", vmin=-limit, vmax=limit)
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
        ax.spines[:].set_visible(False)
        ax.set_title(title, fontsize=8)
    axes[1, 0].set_ylabel("components", fontsize=8)
    return fig


def curves(ax, results, cell, title):
    """Errors of the methods over the number of target images."""
    sizes = sorted(int(name.removeprefix("log_mse_")) for name in results.metrics)
    known = {s.cell["method"] for s in results.samples(f"log_mse_{sizes[0]}")}
    for method in [name for name in LABELS if name in known]:
        label, colour, marker = LABELS[method]
        logs = [
            results.samples(f"log_mse_{m}", {**cell, "method": method})[0].values for m in sizes
        ]
        centre = np.array([np.mean(values) for values in logs])
        error = np.array([np.std(values) / np.sqrt(len(values)) for values in logs])
        low, middle, high = np.exp([centre - error, centre, centre + error])
        bars = [middle - low, high - middle]
        ax.errorbar(sizes, middle, bars, marker=marker, color=colour, label=label, capsize=2)
    ax.set(xscale="log", yscale="log", xlabel="target images $m$", title=title)
    ax.set_xticks(sizes, [str(m) for m in sizes])
    ticks = [0.1, 0.2, 0.5, 1.0]
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.legend(fontsize=8)


def images():
    """Titles and images: nine components, and two sets of coefficients."""
    X, y = load_digits(return_X_y=True)
    X = X / 16
    order = np.random.default_rng(0).permutation(len(y))
    source, target = order[:900], order[900:940]
    centre = X[source].mean(axis=0)
    axes = np.linalg.svd(X[source] - centre, full_matrices=False)[2][:30]
    Z = (X - centre) @ axes.T
    labels = np.stack([np.where(y[source] == k, 1.0, -1.0) for k in range(10) if k != 8], axis=1)
    learned = LinearRepresentation(9, tol=1e-3).fit(Z[source], labels)
    is_8 = np.where(y[target] == 8, 1.0, -1.0)
    transfer = learned.fit_target(Z[target], is_8)
    ridge = FewShotRegressor(ridge="loo").fit(Z[target], is_8)
    found = [(f"{k + 1}", row @ axes) for k, row in enumerate(learned.components_)]
    return [*found, ("an 8: transfer", transfer.coef_ @ axes), ("an 8: ridge", ridge.coef_ @ axes)]
