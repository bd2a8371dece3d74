"""Hanneke and Kpotufe (2019): the minimax risk between two numbers.

Worst case over all one-atom problems with rho = 2, beta_P = beta_Q = 1/2 and constants 1, with
n_Q = 20 target points. The Bayes risk at the hardest atom (lower) and the worst risk of the vote
with that atom's weights (upper) cannot be told apart; votes by one sample alone lie above. Right:
what each classical inequality leaves of the lower bound, for eight atoms.
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style

SIMULATION = "../simulations/sim_minimax_sandwich.py"
STUDIES = {name: f"{SIMULATION}::{name}" for name in ("curves", "inequalities")}

LOOK = {
    "upper": ("upper: vote with the hardest atom's weights", COLOURS[1], "s-"),
    "lower": ("lower: Bayes risk at the hardest atom", COLOURS[0], "o--"),
    "target_vote": ("target votes alone", COLOURS[2], "^:"),
    "source_vote": ("source votes alone", COLOURS[3], "D-."),
}
NAMES = {
    "exact": "exact",
    "hellinger": "Hellinger",
    "pinsker": "Pinsker",
    "quarter_affinity": "affinity squared / 4",
    "bretagnolle_huber": "Bretagnolle-Huber",
    "fano_information": "Fano, exact information",
    "fano_kl": "Fano, divergence",
    "varshamov_gilbert": "Varshamov-Gilbert",
}


@style()
def draw(results):
    """The sandwich along n_P, and bars of inequalities."""
    fig, (left, right) = figure(9.6, 3.7, columns=2, width_ratios=(1.15, 1))
    curves = {name: curve(results["curves"], name) for name in LOOK}
    for name, (label, colour, line) in LOOK.items():
        n, value = curves[name]
        size = 7 if name == "upper" else 4.5
        fill = "none" if name == "upper" else colour
        left.plot(n, value, line, color=colour, label=label, ms=size, mfc=fill)
    gap = max(np.max(curves["upper"][1] / curves["lower"][1] - 1), 1e-6)
    left.set(xscale="log", yscale="log", xlabel="$n_P$", ylabel="worst excess risk")
    left.set(ylim=(2e-3, 0.15), title=f"upper and lower bound differ by less than {gap:.0e}")
    left.legend(loc="lower left")
    samples = results["inequalities"].samples("bound")
    found = {s.cell["method"]: s.exact.value for s in samples}
    names = list(NAMES)
    rows = np.arange(len(names))[::-1]
    values = np.array([found[name] for name in names])
    right.barh(rows, values, color=[COLOURS[0]] + [COLOURS[4]] * (len(names) - 1), height=0.65)
    right.set_yticks(rows, [NAMES[name] for name in names])
    right.set(xscale="log", xlim=(2e-5, 0.06), xlabel="lower bound, $n_P = 10^4$, $n_Q = 100$")
    for row, value in zip(rows, values, strict=True):
        right.text(value * 1.08, row, f"{value:.2g}", va="center", fontsize=7.5)
    right.grid(axis="y", visible=False)
    return fig


def curve(results, metric):
    """Source sizes and values."""
    samples = results.samples(metric)
    return [s.cell["n_P"] for s in samples], np.array([s.exact.value for s in samples])
