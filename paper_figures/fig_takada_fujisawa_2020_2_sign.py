"""When does transfer hurt? Exact risk ratios over the drift of the source and n (ours).

Orthonormal columns, ten coefficients of size one among a hundred, source off by the drift in each
and in five others, both methods at the universal level. Blue: the transfer lasso is better than the
lasso; the line is break-even, which falls as one over the root of n.
"""

import numpy as np
from matplotlib.colors import TwoSlopeNorm

from tlstat.plotting import figure, style

SIMULATION = "../simulations/sim_transfer_lasso_sign.py"
STUDIES = {name: f"{SIMULATION}::{name}" for name in ("sign", "afforded")}
TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1, 1.1, 1.2]
TITLES = {-1: "source too low", 1: "source too high"}


@style()
def draw(results):
    """Rows: direction of the drift. Columns: share of the penalty on zero."""
    samples = results["sign"].samples("ratio", {})
    alphas = sorted({s.cell["alpha"] for s in samples})
    fig, axes = figure(9.0, 5.4, rows=2, columns=len(alphas), sharex=True, sharey=True)
    norm = TwoSlopeNorm(1.0, 0.0, 1.2)
    for row, direction in zip(axes, TITLES, strict=True):
        for ax, alpha in zip(row, alphas, strict=True):
            here = [
                s
                for s in results["sign"].samples("ratio", {"alpha": alpha, "direction": direction})
                if s.cell["drift"] > 0
            ]
            n = sorted({s.cell["n"] for s in here})
            drift = sorted({s.cell["drift"] for s in here})
            value = {(s.cell["n"], s.cell["drift"]): s.exact.value for s in here}
            Z = np.array([[value[m, d] for m in n] for d in drift])
            image = ax.pcolormesh(n, drift, Z, cmap="RdBu_r", norm=norm, rasterized=True)
            if direction < 0:
                exact = results["afforded"].samples("drift", {"alpha": alpha})[0]
                line = exact.exact.value * np.sqrt(exact.cell["n"] / np.array(n))
                ax.plot(n, line, "k", lw=1)
            ax.set(xscale="log", yscale="log", ylim=(drift[0], drift[-1]), xlim=(n[0], n[-1]))
            ax.set_title(f"{TITLES[direction]}, $\\alpha={alpha:g}$")
    for ax in axes[-1]:
        ax.set_xlabel("rows $n$")
    for ax in axes[:, 0]:
        ax.set_ylabel("drift a coefficient")
    fig.colorbar(image, ax=axes, label="risk of transfer lasso / lasso", shrink=0.8, ticks=TICKS)
    return fig
