"""Digits pairs: errors of classifiers from few images, and which pixels moved away from the source.

Left: shares of wrong labels over draws of the training images (quartiles; 5 % and 95 %). Right, one
row a task: coefficients of the source and, for one draw of the images, of the transfer lasso, whose
level and alpha are cross-validated as in the study (red speaks for the second digit); what became
of each pixel's coefficient; and in how many draws it moved or was set to zero.
"""

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

from tlstat.plotting import COLOURS, figure, style

SIMULATION = "../simulations/sim_transfer_lasso_real_data.py"
STUDIES = {
    "pairs": f"{SIMULATION}::digit_pairs",
    "coefficients": f"{SIMULATION}::digit_coefficients",
}
METHODS = ["target", "pooled", "source", "transfer"]
FATES = {
    "zero in both": "white",
    "source's value kept": "0.72",
    "set to zero": COLOURS[4],
    "moved": COLOURS[1],
}


@style()
def draw(results):
    """Columns: errors, source, transfer, the fate of each pixel, and how often it changed."""
    tasks = [s.cell["task"] for s in results["pairs"].samples("error", {"method": "target"})]
    fig, axes = figure(9.6, 6.6, rows=3, columns=5, width_ratios=[1.5, 1, 1, 1, 1])
    for row, task in zip(axes, tasks, strict=True):
        errors(row[0], results["pairs"], task)
        source, transfer = (pixels(results, name, task) for name in ("source", "transfer"))
        largest = max(np.abs(image[0]).max() for image in (source, transfer))
        for ax, image in zip(row[1:], (source, transfer), strict=False):
            picture(ax, image[0], cmap="RdBu_r", vmin=-largest, vmax=largest)
        fates(row[3], source[0], transfer[0])
        changed = np.mean(transfer != source, axis=0)
        often = picture(row[4], changed, cmap="cividis", vmin=0, vmax=1)
        row[4].set_xlabel(f"of {len(source)} draws", fontsize=8)
        alpha, lam = (pixels(results, name, task)[0, 0, 0] for name in ("alpha", "lam"))
        row[2].set_xlabel(rf"$\alpha={alpha:g}$, $\lambda={lam:.2g}$", fontsize=8)
    titles = ("source", "transfer, one draw", "what became of it", "how often changed")
    for ax, title in zip(axes[0, 1:], titles, strict=True):
        ax.set_title(title)
    fig.colorbar(often, ax=axes[:, 4], shrink=0.5, ticks=[0, 0.5, 1], label="share of draws")
    patches = [Patch(fc=colour, ec="0.6", label=fate) for fate, colour in FATES.items()]
    fig.legend(handles=patches, ncols=4, loc="outside lower right")
    return fig


def pixels(results, metric, task):
    """A metric as an image a draw, shape (draws, 8, 8)."""
    samples = results["coefficients"].samples(metric, {"task": task})
    values = {s.cell["pixel"]: s.values for s in samples}
    return np.stack([values[pixel] for pixel in range(64)], axis=1).reshape(-1, 8, 8)


def picture(ax, image, **options):
    """An image with a thin grid between its pixels."""
    drawn = ax.imshow(image, **options)
    ax.set(xticks=[], yticks=[])
    ax.set_xticks(np.arange(0.5, 7), minor=True)
    ax.set_yticks(np.arange(0.5, 7), minor=True)
    ax.grid(visible=False)
    ax.grid(which="minor", color="0.9", lw=0.5)
    ax.tick_params(which="minor", length=0)
    ax.spines[:].set(visible=True, color="0.7")
    return drawn


def fates(ax, source, transfer):
    """What became of each coefficient; a sign says where those that moved went."""
    kept, zero = transfer == source, transfer == 0
    fate = np.select([kept & zero, kept, zero], [0, 1, 2], 3)
    picture(ax, fate, cmap=ListedColormap(list(FATES.values())), vmin=-0.5, vmax=3.5)
    for i, j in np.argwhere(fate == 3):
        sign = "+" if transfer[i, j] > source[i, j] else "\N{MINUS SIGN}"
        ax.text(j, i, sign, ha="center", va="center", fontsize=8, color="white")
    count = [f"{np.sum(fate == k)} {word}" for k, word in ((1, "kept"), (3, "moved"))]
    ax.set_xlabel(f"{', '.join(count)}, {np.sum(zero)} zero", fontsize=8)


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
