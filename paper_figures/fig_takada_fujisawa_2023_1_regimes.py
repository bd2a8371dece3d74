"""Takada and Fujisawa (2023): the fourteen regimes, l2 error against the number of target rows.

Markers are means of samples drawn as second moments; lines have the predicted slope and go through
the last marker used. Sources have m = n^2 rows. Points, truth and correlation are those of the
authors' scripts; n beyond 5,000 rows is ours. Region vi, the slowest to settle, starts at 1,000.
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style
from tlstat.transfer_lasso import theory

SIMULATION = "../simulations/sim_transfer_lasso_regimes.py"
STUDIES = {name: f"{SIMULATION}::{name}" for name in ("table", "crossover")}
MARKERS = "os^Dv*"


@style()
def draw(results):
    """A panel a method."""
    fig, axes = figure(10.0, 3.6, columns=4, sharex=True, sharey=True)
    for ax, method in zip(axes, theory.METHODS, strict=True):
        rows = [r for r in theory.REGIMES if r.method == method]
        for i, regime in enumerate(rows):
            draw_row(ax, results, regime, COLOURS[i], MARKERS[i])
        ax.set(title=method + (" lasso" if method != "lasso" else ""), xlabel="target rows $n$")
        ax.legend(loc="lower left", frameon=False, fontsize=8, title="region: exponent")
    axes[0].set(ylabel="mean $\\|b-\\beta\\|_2$", xscale="log", yscale="log", ylim=(1e-14, 5))
    return fig


def draw_row(ax, results, regime, colour, marker):
    slow = regime.name == "adaptive transfer vi"
    where = {} if slow else {"method": regime.method, "region": regime.region}
    samples = results["crossover" if slow else "table"].samples("error", where)
    n = np.array([s.cell["n"] for s in samples], dtype=float)
    mean = np.array([s.values.mean() for s in samples])
    given = {"M": 2, "lambda_exponent": regime.point[0]}
    given = {k: v for k, v in given.items() if k in regime.bound.symbols}
    exponent = float(regime.bound.exponent("n", at=given))
    # a source known to 12 digits is rounding
    keep = mean > 1e-13
    n, mean = n[keep], mean[keep]
    ax.plot(n, mean[-1] * (n / n[-1]) ** exponent, color=colour, lw=1)
    label = f"{regime.region}: \u2212{-exponent:g}"
    ax.plot(n, mean, marker, color=colour, ms=4, label=label)
