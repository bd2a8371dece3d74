"""How much other certificates exceed binomial tail inversion, in points of risk.

Rows are certificates, columns sizes of the class; each panel runs over examples and error rates.
PAC-Bayes has a point mass as posterior and a uniform prior. Errors are rounded to whole numbers
(2 percent of 16 is none) and certificates clipped at 1. All values are exact.
"""

import numpy as np

from tlstat.plotting import figure, style

STUDIES = {"map": "../simulations/sim_certificates_tightness.py::tightness_map"}

BEST = "binomial_tail_inversion"
ROWS = {
    "kl_inverse": "Chernoff (kl)",
    "hoeffding": "Hoeffding (Eq. 3)",
    "empirical_bernstein": "empirical Bernstein",
    "pac_bayes_kl": "PAC-Bayes kl",
    "mcallester": "McAllester",
}
CLASSES = [1, 100, 1_000_000]
DELTA = 0.05


@style()
def draw(results):
    """A grid of small heat maps with one colour scale."""
    values = {
        tuple(s.cell[name] for name in ("certificate", "M", "n", "rate")): float(s.exact.value)
        for s in results["map"].samples("limit", {"delta": DELTA})
    }
    sizes = sorted({key[2] for key in values})
    rates = sorted({key[3] for key in values})
    fig, axes = figure(7.2, 8.6, rows=len(ROWS), columns=len(CLASSES), sharex=True, sharey=True)
    image = None
    for row, (name, title) in enumerate(ROWS.items()):
        for column, M in enumerate(CLASSES):
            table = np.array(
                [[values[name, M, n, r] - values[BEST, M, n, r] for n in sizes] for r in rates]
            )
            image = panel(axes[row, column], 100 * table)
        axes[row, 0].set_ylabel(f"{title}\nerror rate")
        axes[row, 0].set_yticks(range(len(rates)), [f"{100 * r:.0f} %" for r in rates])
    for column, M in enumerate(CLASSES):
        axes[0, column].set_title("one candidate" if M == 1 else f"M = {M:,}")
        axes[-1, column].set_xlabel("examples $n$")
        axes[-1, column].set_xticks(range(len(sizes)), [f"{n:,}" for n in sizes])
    bar = fig.colorbar(image, ax=axes, location="bottom", shrink=0.6, aspect=40, pad=0.02)
    bar.set_label("certificate minus binomial tail inversion, in points of risk")
    return fig


def panel(ax, points):
    """Excess in points, printed in every cell."""
    image = ax.imshow(points, vmin=0, vmax=40, origin="lower", aspect="auto", cmap="cividis_r")
    for (i, j), value in np.ndenumerate(points):
        text = f"{value:.0f}" if value >= 9.95 else f"{value:.1f}"
        ax.text(j, i, text, ha="center", va="center", size=7.5,
                color="white" if value > 22 else "black")  # fmt: skip
    ax.grid(False)
    return image
