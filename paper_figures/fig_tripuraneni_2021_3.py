"""Tripuraneni, Jin and Jordan (ICML 2021): what few target samples are worth (settings ours).

Left: risk of an average target against its samples after ERM, the U-statistic and moments on the
same 32 tasks, d = 12; markers are means over representations, lines leading terms derived for this
package. Dashes: least squares on the target alone; dots: with the true representation. Right: up
to how many target samples ERM's transfer beats the target alone, d = 40, r = 2 (quartiles).
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style
from tlstat.task_diversity import theory

SIMULATION = "../simulations/sim_task_diversity_transfer.py"
STUDIES = {name: f"{SIMULATION}::{name}" for name in ("few_shots", "break_even")}
LOOK = {
    "moments": (COLOURS[1], "s", theory.MOMENTS_TRANSFER_RISK, "method of moments"),
    "u-statistic": (COLOURS[2], "^", theory.U_STATISTIC_TRANSFER_RISK, "U-statistic"),
    "erm": (COLOURS[0], "o", theory.ERM_TRANSFER_RISK, "ERM"),
}


@style()
def draw(results):
    """Risks with their floors; break-even points."""
    fig, (left, right) = figure(9.0, 3.9, columns=2)
    for method, (colour, marker, law, label) in LOOK.items():
        samples = results["few_shots"].samples("risk", {"method": method})
        cell = samples[0].cell
        m = np.array([s.cell["m"] for s in samples])
        left.plot(
            m, [s.values.mean() for s in samples], marker, color=colour, label=label, zorder=3
        )
        grid = np.geomspace(m.min(), m.max(), 100)
        at = {k: cell[k] for k in ("d", "r", "t", "n", "sigma")}
        left.plot(grid, law(m=grid, **at), color=colour)
    d, r, sigma = cell["d"], cell["r"], cell["sigma"]
    alone = np.geomspace(d + 2.5, m.max(), 200)
    left.plot(alone, theory.SINGLE_TASK_RISK(d=d, m=alone, sigma=sigma), color="0.2", ls="--",
              label="target alone")  # fmt: skip
    left.plot(grid, theory.ORACLE_RISK(r=r, m=grid, sigma=sigma), color="0.45", ls=":",
              label="true representation")  # fmt: skip
    left.set(
        xscale="log",
        yscale="log",
        xlabel="samples of the target $m$",
        ylabel="excess risk",
        title="transfer has a floor, and a price",
        ylim=(3e-5, 1.5),
    )
    left.legend(loc="lower left")
    samples = results["break_even"].samples("break_even", {})
    n = np.array([s.cell["n"] for s in samples])
    quartiles = np.array([np.quantile(s.values, [0.25, 0.5, 0.75]) for s in samples]).T
    cell = samples[0].cell
    right.fill_between(n, quartiles[0], quartiles[2], color=COLOURS[0], alpha=0.2, lw=0)
    right.plot(n, quartiles[1], "o-", color=COLOURS[0], lw=1)
    effective = cell["t"] * (n - cell["r"]) / cell["r"]
    right.plot(n, effective, color="0.2", ls="--", lw=1)
    right.text(n[2] * 1.15, 0.72 * effective[2], "$t\\,(n-r)/r$", color="0.2", fontsize=8.5)
    for x, y, colour, words in (
        (0.3, 0.8, "0.35", "the target alone is better"),
        (0.7, 0.2, COLOURS[0], "transfer is better"),
    ):
        right.text(x, y, words, color=colour, fontsize=9, ha="center", transform=right.transAxes)
    right.set(
        xscale="log",
        yscale="log",
        xlabel="samples of each source task $n$",
        ylabel="break-even target samples",
        title=f"$d={cell['d']}$, $r={cell['r']}$, $t={cell['t']}$, $\\sigma=1$",
    )
    return fig
