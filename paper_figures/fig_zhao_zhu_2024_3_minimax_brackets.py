"""Minimax risks between bounds, level by level (ours, sharpening Zhao and Zhu, 2024).

Bands reach from the largest lower bound for all procedures to the smallest upper bound for one,
each a number with all its constants. Markers are exact risks of the student of the level on its
hardest teacher: no simulation. Dashed are the paper's lower bounds, dotted its upper ones. On the
third level the band has no width, because the minimax risk is known.
"""

import numpy as np

from tlstat.knowledge_transfer import theory
from tlstat.plotting import COLOURS, figure, style

SIMULATION = "../simulations/sim_knowledge_transfer_minimax.py"
STUDIES = {
    name: f"{SIMULATION}::{name}" for name in ("hard_bracket", "partial_bracket", "soft_bracket")
}

# study: title, look, curves (paper's lower, best lower, attained, best upper), who attains, upper
PANELS = {
    "hard_bracket": (
        "(a)  hard labels: $\\sqrt{SA/n}$",
        (COLOURS[0], "o"),
        ("theorem 3.1", "Dirichlet", "attained", "upper"),
        "maximum likelihood, uniform teacher",
        theory.HARD_LABEL_UPPER_PAPER,
    ),
    "partial_bracket": (
        "(b)  partial soft labels: $SA/n$",
        (COLOURS[2], "^"),
        ("theorem 4.1", "subsets", "attained", "largest missing mass"),
        "partial-label student, Instance 2*",
        None,
    ),
    "soft_bracket": (
        "(c)  soft labels: $S/n$",
        (COLOURS[3], "D"),
        ("theorem 5.1", "minimax", "attained", "minimax"),
        "soft-label student, worst inputs",
        theory.SOFT_LABEL_UPPER,
    ),
}


@style()
def draw(results):
    """Three log-log panels with one scale."""
    fig, axes = figure(10.0, 3.9, columns=3, sharex=True, sharey=True)
    for ax, (study, panel) in zip(axes, PANELS.items(), strict=True):
        draw_panel(ax, results[study], *panel)
    axes[0].set_ylabel("total-variation risk")
    axes[0].set(xscale="log", yscale="log", ylim=(1.5e-6, 1.5))
    return fig


def draw_panel(ax, results, title, look, curves, who, upper):
    """One level: band, what is attained, what the paper has."""
    colour, marker = look
    n, paper = curve(results, curves[0])
    low, attained, high = (curve(results, name)[1] for name in curves[1:])
    known = np.array_equal(low, high)
    band = {} if known else {"label": "between our bounds"}
    ax.fill_between(n, low, high, color=colour, alpha=0.25, lw=0, **band)
    ax.plot(n, low, color=colour, lw=1, label="the minimax risk, exactly" if known else None)
    ax.plot(n, high, color=colour, lw=1)
    ax.plot(n, attained, marker, color=colour, ms=4.5, label=who)
    ax.plot(n, paper, "--", color="0.25", lw=1, label="the paper's lower bound")
    if upper is not None:
        cells = [dict(c) for c in results.cells]
        values = [upper(**{k: c[k] for k in upper.symbols}) for c in cells]
        ax.plot(n, values, ":", color="0.25", lw=1.2, label="the paper's upper bound")
    S, A = results.cells[0]["S"], results.cells[0]["A"]
    ax.set(title=title, xlabel="sample size $n$")
    ax.text(0.97, 0.95, f"S = {S}, A = {A}", transform=ax.transAxes, ha="right", va="top")
    ax.legend(loc="lower left", frameon=False)


def curve(results, name):
    """Sample sizes and exact values."""
    samples = results.samples("risk", {"curve": name})
    return np.array([s.cell["n"] for s in samples]), np.array([s.exact.value for s in samples])
