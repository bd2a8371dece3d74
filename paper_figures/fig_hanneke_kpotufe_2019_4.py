"""Hanneke and Kpotufe (2019): rho against its bound gamma / beta_P, and source slopes.

Left: power thresholds on a grid of masses and noises; rho equals gamma beta_Q / beta_P, so it meets
its bound only where the target is without noise (beta_Q = 1). Right: the exponent of source ERM
against gamma; left of gamma = 1 a source sample is worth more than a target sample. Markers are
slopes fitted to exact risks (no noise) and to simulated ones (noisy rows of the table).
"""

import itertools

import numpy as np

from tlstat.minimax.models import PowerThresholds
from tlstat.plotting import COLOURS, figure, style

SIMULATION = "../simulations/sim_minimax_table.py"
STUDIES = {name: f"{SIMULATION}::{name}" for name in ("noise_free_source", "noisy_source")}


@style()
def draw(results):
    """A scatter over the family, and exponents against gamma."""
    fig, (left, right) = figure(9.0, 3.7, columns=2)
    scatter(left)
    gamma = np.geomspace(0.3, 4.5, 100)
    right.plot(gamma, 1 / gamma, color=COLOURS[0], label="no noise: $1/\\gamma$")
    right.plot(gamma, 1 / (gamma + 2), color=COLOURS[1], ls="--", label="$a_P=1$, $a_Q=0$")
    right.plot(gamma, 2 / (gamma + 2), color=COLOURS[2], ls="-.", label="$a_P=a_Q=1$")
    markers = (
        ("noise_free_source", {"q": 1.0}, COLOURS[0], "o"),
        ("noisy_source", {"a_P": 1.0, "a_Q": 0.0}, COLOURS[1], "s"),
        ("noisy_source", {"a_P": 1.0, "a_Q": 1.0}, COLOURS[2], "^"),
    )
    for study, where, colour, marker in markers:
        for x, slope in slopes(results[study], where):
            right.plot(x, slope, marker, color=colour, ms=5)
    right.axvspan(0.25, 1, color="0.93", zorder=0)
    right.text(0.5, 0.22, "super-transfer", ha="center", fontsize=8, color="0.35")
    right.axhline(1, color="0.6", lw=0.8)
    right.text(4.4, 1.05, "target, no noise", ha="right", fontsize=8, color="0.35")
    right.set(
        xscale="log",
        yscale="log",
        xlim=(0.28, 4.6),
        xlabel="power $\\gamma$ of the source's mass ($q = 1$)",
        ylabel="exponent of $n_P$",
    )
    ticks = [0.5, 1, 2, 3, 4]
    right.set_xticks(ticks, [f"{t:g}" for t in ticks])
    heights = [0.2, 0.25, 1 / 3, 0.5, 1, 2, 3]
    right.set_yticks(heights, ["1/5", "1/4", "1/3", "1/2", "1", "2", "3"])
    right.minorticks_off()
    right.legend(loc="upper right")
    return fig


def scatter(ax):
    """rho against gamma / beta_P, coloured by the target's noise exponent."""
    noises = (0.0, 0.5, 1.0, 2.0)
    for colour, marker, a_Q in zip(COLOURS, "os^D", noises, strict=False):
        models = [
            PowerThresholds(gamma, q, a_P, a_Q * q)
            for gamma, q, a_P in itertools.product((0.5, 1, 1.5, 2, 3), (1, 2), (0, 0.5, 1, 2))
        ]
        ax.plot(
            [m.gamma_marginal / m.beta_P for m in models],
            [m.rho for m in models],
            marker,
            color=colour,
            ms=4,
            alpha=0.8,
            label=f"$\\beta_Q = {1 / (1 + a_Q):.2g}$",
        )
    ax.plot([0.2, 6], [0.2, 6], color="0.4", lw=1)
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="bound $\\gamma/\\beta_P$ (from the marginals)",
        ylabel="transfer exponent $\\rho$",
    )
    ticks = [0.25, 0.5, 1, 2, 4]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.set_yticks([0.1, *ticks], [f"{t:g}" for t in (0.1, *ticks)])
    ax.minorticks_off()
    ax.legend(loc="upper left")


def slopes(results, where):
    """(gamma, fitted exponent) of every curve along n_P."""
    samples = results.samples("risk", where)
    for gamma in sorted({s.cell["gamma"] for s in samples}):
        curve = [s for s in samples if s.cell["gamma"] == gamma]
        x = np.log([s.cell["n_P"] for s in curve])
        y = [s.exact.value if s.exact is not None else s.values.mean() for s in curve]
        yield gamma, -np.polyfit(x, np.log(y), 1)[0]
