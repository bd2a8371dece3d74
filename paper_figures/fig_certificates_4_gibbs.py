"""PAC-Bayes for a Gibbs posterior against the union bound for the best candidate.

Of 20,000 candidates a share has the risk .05 and the others .5; 80 examples, delta = .05. The
Gibbs posterior spreads over the good candidates, and pays less the more there are; the union pays
for all 20,000 whatever they are. Means over simulated samples; bars (smaller than the markers)
are two standard errors.
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style

STUDIES = {"gibbs": "../simulations/sim_certificates_pac_bayes.py::gibbs_or_best"}

LINES = {
    "union, best candidate": (COLOURS[0], "o", "-"),
    "Gibbs posterior": (COLOURS[1], "s", "--"),
    "point mass": (COLOURS[2], "^", ":"),
}


@style()
def draw(results):
    """One panel, log scale in the share of good candidates."""
    fig, ax = figure(5.4, 3.6)
    for method, (colour, marker, dash) in LINES.items():
        samples = results["gibbs"].samples("certificate", {"method": method})
        share = [s.cell["share"] for s in samples]
        mean = [np.mean(s.values) for s in samples]
        error = [2 * np.std(s.values) / np.sqrt(len(s.values)) for s in samples]
        label = "PAC-Bayes, point mass" if method == "point mass" else method
        ax.errorbar(share, mean, yerr=error, color=colour, marker=marker, ls=dash, label=label,
                    capsize=2)  # fmt: skip
    ax.axhline(0.05, color="0.5", lw=1)
    ax.annotate("risk of the good candidates", (0.001, 0.05), (0, 3), textcoords="offset points",
                size=8, color="0.35")  # fmt: skip
    ax.set(xscale="log", xlabel="share of good candidates", ylabel="mean certificate",
           ylim=(0, 0.25))  # fmt: skip
    ax.legend(loc="upper right")
    return fig
