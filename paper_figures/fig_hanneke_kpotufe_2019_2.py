"""Hanneke and Kpotufe (2019): plateaus, and all curves on one.

Noise-free power thresholds with gamma = 2; every value is a quadrature, no simulation. Left: the
risk falls as n_P^(-1/2) until the target sample takes over at the height 1/n_Q. Right: risk times
n_Q against n_P / n_Q^2 is one curve; its two asymptotes cross at the boundary's exact constant.
"""

import numpy as np

from tlstat.minimax import theory
from tlstat.minimax.models import PowerThresholds
from tlstat.minimax.risk import exact_risk
from tlstat.plotting import COLOURS, figure, style

STUDIES = {"smaller_of_two": "../simulations/sim_minimax_boundary.py::smaller_of_two"}

MODEL = PowerThresholds(2.0, 1.0, c_P=1.0, c_Q=1.0)


@style()
def draw(results):
    """Risk against n_P at several n_Q, and the same data collapsed."""
    samples = results["smaller_of_two"].samples("risk", {"gamma": 2.0})
    sizes = sorted({s.cell["n_Q"] for s in samples})
    fig, (left, right) = figure(9.0, 3.6, columns=2)
    fine = np.geomspace(100, 1e8, 80).round()
    for colour, n_Q in zip(COLOURS, sizes, strict=False):
        points = [s for s in samples if s.cell["n_Q"] == n_Q]
        x = np.array([s.cell["n_P"] for s in points])
        y = np.array([s.exact.value for s in points])
        left.plot(fine, exact_risk(MODEL, fine, n_Q), color=colour)
        left.plot(x, y, "o", color=colour, ms=4, label=f"$10^{{{np.log10(n_Q):.0f}}}$")
        right.plot(x / n_Q**2, y * n_Q, "o", color=colour, ms=4)
    alone = theory.NOISE_FREE_SOURCE(gamma=2.0, q=1.0, n_P=fine)
    left.plot(fine, alone, color="0.4", ls="--", label="source alone")
    left.set(xscale="log", yscale="log", xlabel="$n_P$", ylabel="excess risk")
    left.legend(title="$n_Q$", ncols=2)
    u = np.geomspace(1e-9, 1e5, 200)
    right.plot(u, np.ones_like(u), color="0.4", ls=":", label="target alone: $1/n_Q$")
    right.plot(u, np.sqrt(np.pi / 8 / u), color="0.4", ls="--", label="source alone")
    kappa = float(theory.NOISE_FREE_CROSSOVER(gamma=2.0, q=1.0, n_P=1.0))
    right.axvline(kappa**-2, color="0.7", lw=0.8)
    right.annotate(
        f"$n_Q = {kappa:.3f}\\,n_P^{{1/2}}$",
        (kappa**-2, 0.02),
        xytext=(-6, 0),
        textcoords="offset points",
        ha="right",
    )
    right.set(
        xscale="log",
        yscale="log",
        ylim=(1e-3, 5),
        xlim=(1e-9, 1e5),
        xlabel="$n_P / n_Q^2$",
        ylabel="excess risk times $n_Q$",
    )
    right.legend(loc="lower left")
    return fig
