"""Required bias of the digits against the error to reach: exact, and what other formulas say.

A noise-free RBF space of width sigma on 500 training and 200 test points. The exact curve is a
contour integral; gamma and normal laws have the error's mean and variance; the three-moment law
(Liu, Tang and Zhang) cannot reach small errors at all. Counting hypotheses ends in the shaded
strip: 10,000 of them see no more than 9.2 nats.
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style

STUDIES = {"tail": "../simulations/sim_inductive_bias_published.py::from_spectrum"}

LINES = {
    "exact": ("exact", COLOURS[0], "o", "-"),
    "moments": ("three moments", COLOURS[3], "v", ":"),
    "gamma": ("gamma law", COLOURS[1], "s", "--"),
    "normal": ("normal law", COLOURS[2], "^", "-."),
}


@style()
def draw(results):
    """A panel a width."""
    widths = sorted({s.cell["sigma"] for s in results["tail"].samples("nats")})
    fig, axes = figure(9.6, 3.2, columns=len(widths), sharey=True, sharex=True)
    for ax, sigma in zip(axes, widths, strict=True):
        for method, (label, colour, marker, dash) in LINES.items():
            samples = results["tail"].samples("nats", {"sigma": sigma, "method": method})
            share = np.array([s.cell["share"] for s in samples])
            nats = np.array([float(s.exact.value) for s in samples])
            nats[nats > 9e5] = np.nan  # beyond the law's support
            ax.plot(share, nats, marker=marker, ls=dash, color=colour, ms=4, label=label)
        ax.axhspan(0, np.log(10_000), color="0.85", lw=0)
        ax.set(title=f"$\\sigma = {sigma:g}$", xscale="log", yscale="log", ylim=(2, 8_000))
        ax.set_xlabel("error / mean error")
    axes[0].invert_xaxis()  # shared
    axes[0].set_ylabel("nats")
    axes[0].legend(loc="lower right", bbox_to_anchor=(1, 0.17))
    return fig
