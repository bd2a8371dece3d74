"""Takada and Fujisawa (2023): phase diagrams of rate, selection and invariance.

Rows: the rate as the slope between n = 500 and 5000, the share of coefficients with the right zero
status, the share of the support that equals the source. Columns: transfer and adaptive transfer
lasso, each with the constant as printed (k = 1) and as the scripts ran (k = 10: a loop overwrites
it). Dashed are the asymptotic boundaries for m = n^2.
"""

import numpy as np

from tlstat.plotting import figure, style

STUDIES = {"diagram": "../simulations/sim_transfer_lasso_phase.py::diagram"}
STEPS = np.linspace(-2, 2, 33)
ROWS = {
    "slope": ("rate", "viridis", (-1, 1.1)),
    "active": ("active", "cividis", (0, 1)),
    "invariant": ("invariant", "cividis", (0, 1)),
}
HALF = 0.5
# (eta, lambda) ends of the boundaries at M = 2, gamma = 1; within [-2, 2]
LINES = {
    "transfer": [[(HALF, -2), (HALF, HALF)], [(-2, HALF), (HALF, HALF)], [(HALF, HALF), (2, 2)]],
    "adaptive transfer": [
        [(HALF, -2), (HALF, HALF)],
        [(-2, HALF), (HALF, HALF)],
        [(HALF, HALF), (2, 2)],
        [(-2, -HALF), (1.5, -HALF)],
        [(1.5, -HALF), (1.5, -2)],
        [(1.5, -HALF), (2, 0)],
    ],
}


@style()
def draw(results):
    """Three rows, four columns."""
    fig, axes = figure(10.0, 7.2, rows=3, columns=4, sharex=True, sharey=True)
    columns = [(m, k) for m in LINES for k in (1, 10)]
    for row, (metric, (label, colours, limits)) in zip(axes, ROWS.items(), strict=True):
        for ax, (method, k) in zip(row, columns, strict=True):
            samples = results["diagram"].samples(metric, {"method": method, "k": k})
            at = np.array([s.cell["point"] for s in samples])
            values = np.empty(len(at))
            values[at] = [np.mean(s.values) for s in samples]
            image = ax.pcolormesh(
                STEPS,
                STEPS,
                values.reshape(33, 33),
                cmap=colours,
                vmin=limits[0],
                vmax=limits[1],
                rasterized=True,
            )
            for ends in LINES[method]:
                ax.plot(*np.array(ends).T, "w--", lw=1.2)
            ax.set(xlim=(-2, 2), ylim=(-2, 2))
            if metric == "slope":
                ax.set_title(f"{method}, $k={k}$")
        fig.colorbar(image, ax=row, label=label, shrink=0.9)
    for ax in axes[-1]:
        ax.set_xlabel("$\\log_n\\eta_n$")
    for ax in axes[:, 0]:
        ax.set_ylabel("$\\log_n\\lambda_n$")
    return fig
