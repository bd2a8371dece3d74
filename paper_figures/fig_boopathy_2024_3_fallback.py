"""The published fallback saturates where the truth diverges: nats against depth.

Non-central chi-squared laws with (df, nc) in the titles; x is the error over its mean. Where the
CDF underflows the published code takes z^2/2 of a normal approximation, which tends to about 9/4
of the degrees of freedom; the exact bias grows like df/2 log(1/x).
"""

from tlstat.plotting import COLOURS, figure, style

STUDIES = {"fallback": "../simulations/sim_inductive_bias_published.py::fallback"}
LINES = {"exact": (COLOURS[0], "o", "-"), "fallback": (COLOURS[1], "s", "--")}


@style()
def draw(results):
    """A panel a law."""
    laws = ["10, 0", "1000, 0", "1000, 500"]
    fig, axes = figure(8.6, 3.0, columns=3, sharex=True)
    for ax, law in zip(axes, laws, strict=True):
        for method, (colour, marker, dash) in LINES.items():
            samples = results["fallback"].samples("nats", {"law": law, "method": method})
            x = [s.cell["x"] for s in samples if s.cell["x"] > 1e-20]
            nats = [float(s.exact.value) for s in samples if s.cell["x"] > 1e-20]
            ax.plot(x, nats, color=colour, marker=marker, ls=dash, label=method)
        ax.set(title=f"df, nc = {law}", xscale="log", xlabel="error / mean error")
        ax.set_ylim(bottom=0)
    axes[0].invert_xaxis()  # shared
    axes[0].set_ylabel("nats")
    axes[0].legend(loc="upper left")
    return fig
