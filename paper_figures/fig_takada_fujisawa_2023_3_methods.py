"""Takada and Fujisawa (2023), method comparison: excess risk and selection under shifts.

Twenty columns, noise 3, sources of 10,000 rows (large) and of as many as the target has (medium);
penalties by ten folds. Risks: means on a logarithmic scale. F1: harmonic mean of the share of the
nonzero coefficients that are found and the share of those found that are nonzero. Intervals: two
standard errors. Settings are those of the authors' scripts where the study says so; their numbers
are not shown here.
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style

STUDIES = {"methods": "../simulations/sim_transfer_lasso_methods.py::methods"}
LOOK = {
    "target": ("lasso, target", COLOURS[0], "o"),
    "pooled": ("lasso, pooled", COLOURS[1], "s"),
    "source": ("source", "0.5", "x"),
    "trans-lasso oracle": ("Trans-Lasso, oracle step", COLOURS[4], "v"),
    "trans-lasso": ("Trans-Lasso", COLOURS[6], "<"),
    "adaptive lasso": ("adaptive lasso", COLOURS[5], "P"),
    "transfer": ("transfer lasso", COLOURS[2], "^"),
    "adaptive transfer": ("adaptive transfer", COLOURS[3], "D"),
}
SHOWN = {"p": 20, "sigma": 3.0}
SHIFTS = {"none": "no shift", "one": "shift of one", "two": "shift of two"}
LABELS = {"risk": "excess prediction risk", "f1": "F1 of the support"}
PANELS = [(source, metric) for source in ("large", "medium") for metric in LABELS]


@style()
def draw(results):
    """Rows: shifts. Columns: risk and selection beside each other, for both sizes of the source."""
    fig, axes = figure(11.0, 8.0, rows=3, columns=4, sharex=True)
    for row, shift in zip(axes, SHIFTS, strict=True):
        for ax, (source, metric) in zip(row, PANELS, strict=True):
            for method in LOOK:
                where = {**SHOWN, "source": source, "shift": shift, "method": method}
                curve(ax, results["methods"], metric, where)
            ax.set(xscale="log", ylabel=LABELS[metric], title=f"{SHIFTS[shift]}, {source} source")
            if metric == "risk":
                ax.set(yscale="log", ylim=(0.003, 15))
            else:
                ax.set(ylim=(0.2, 1))
    for ax in axes[-1]:
        ax.set_xlabel("target rows $n$")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, ncols=8, loc="outside lower center", columnspacing=1.2)
    return fig


def curve(ax, study, metric, where):
    """Means of one method over the rows of the target."""
    label, colour, marker = LOOK[where["method"]]
    samples = sorted(study.samples(metric, where), key=lambda s: s.cell["n"])
    there, back = (np.log, np.exp) if metric == "risk" else (np.asarray, np.asarray)
    values = [there(s.values) for s in samples]
    mean = np.array([v.mean() for v in values])
    error = np.array([2 * v.std() / np.sqrt(len(v)) for v in values])
    low, middle, high = back([mean - error, mean, mean + error])
    n, bars = [s.cell["n"] for s in samples], [middle - low, high - middle]
    ax.errorbar(n, middle, bars, color=colour, marker=marker, ms=4, lw=1.2, label=label)
