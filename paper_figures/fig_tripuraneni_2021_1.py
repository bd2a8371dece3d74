"""Tripuraneni, Jin and Jordan (ICML 2021), Figures 1 to 3: angle and error, at printed settings.

d = 100, r = 5, sigma = 1. Open: the authors' stored means. Filled: ours, with two standard errors;
the quick profile has only some of the points. Lines: limit law, derived for this package and
without a fitted constant; it does not know of the breakdown of moments, and is low where a curve
leaves 1. At n = r (left) least squares fits every representation, and its line is a random
subspace. The last authors' sine of Figure 2 holds one bad optimum in thirty.
"""

import math

import numpy as np

from tlstat.plotting import COLOURS, figure, style
from tlstat.task_diversity import theory
from tlstat.task_diversity.published import SWEEPS, D, R

SIMULATION = "../simulations/sim_task_diversity_published.py"
STUDIES = {name: f"{SIMULATION}::{name}" for name in ("scarce", "few", "twenty_tasks")}
LOOK = {"LF-MoM": (COLOURS[1], "s", "moments"), "LF-FO": (COLOURS[0], "o", "erm")}
TITLES = {
    "scarce": "Figure 1: $n=5$, $m=2500$",
    "few": "Figure 2: $n=25$, $m=25$",
    "twenty tasks": "Figure 3: $t=20$, $m=50$",
}


@style()
def draw(results):
    """Angles above, errors below."""
    fig, axes = figure(9.6, 5.4, rows=2, columns=3, sharex="col", sharey="row")
    for column, (name, title) in enumerate(TITLES.items()):
        sweep = SWEEPS[name]
        for row, metric in enumerate(("largest_sine", "error")):
            ax = axes[row, column]
            for method, (colour, marker, law) in LOOK.items():
                stored = sweep.curves[metric, method]
                ax.plot(sweep.values, stored, marker, mfc="none", color=colour, ms=6.5, mew=1)
                x, y, error = measured(results[name.replace(" ", "_")], metric, method, sweep.along)
                ax.errorbar(x, y, yerr=2 * error, fmt=marker, color=colour, ms=3.5, lw=1)
                ax.plot(sweep.values, limit(sweep, law, metric), color=colour, lw=1, zorder=1)
            if metric == "error":
                ax.axhline(sweep.baseline, color=COLOURS[2], ls="-.", lw=1.2)
                ax.set_xlabel(
                    f"{'tasks $t$' if sweep.along == 't' else 'samples of each task $n$'}"
                )
            ax.set(xscale="log", yscale="log")
        axes[0, column].set_title(title)
    axes[0, 0].set_ylabel(r"$|\sin\Theta|_2$")
    axes[1, 0].set_ylabel(r"$|\hat B\hat\alpha - B\alpha_0|_2$")
    axes[0, 0].set_yticks([0.1, 0.2, 0.5, 1], ["0.1", "0.2", "0.5", "1"])
    axes[1, 0].set_yticks([0.2, 0.3, 0.5, 1], ["0.2", "0.3", "0.5", "1"])
    for ax in axes.flat:
        ax.minorticks_off()
    ax = axes[0, 0]
    for method, (colour, marker, _) in LOOK.items():
        ax.plot([], [], marker, color=colour, ms=4.5, label=method)
    ax.plot([], [], color=COLOURS[2], ls="-.", label="LR: target alone")
    ax.plot([], [], "o", mfc="none", color="0.35", ms=6.5, label="authors")
    ax.plot([], [], "o", color="0.35", ms=3.5, label="ours")
    ax.plot([], [], color="0.35", lw=1, label="limit law")
    handles, labels = ax.get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False)
    return fig


def measured(results, metric, method, along):
    """Values of the swept parameter, means and standard errors."""
    samples = results.samples(metric, {"method": method})
    samples.sort(key=lambda s: s.cell[along])
    values = [np.asarray(s.values) for s in samples]
    x = [s.cell[along] for s in samples]
    mean = np.array([v.mean() for v in values])
    return x, mean, np.array([v.std(ddof=1) / math.sqrt(len(v)) for v in values])


def limit(sweep, law, metric):
    """Mean of the largest sine, or of the error of a target, under the limit law."""
    rng = np.random.default_rng(0)
    out = []
    for value in sweep.values:
        at = {**sweep.fixed, sweep.along: value}
        if law == "erm" and at["n"] <= R + 1:
            Q = np.linalg.qr(rng.standard_normal((200, D, R)))[0]
            sines = 1 - np.linalg.svd(Q[:, :R], compute_uv=False) ** 2
        else:
            A = rng.standard_normal((max(10, min(200, 40_000 // at["t"])), at["t"], R))
            V = theory.row_covariance(law, A / math.sqrt(R), at["n"], 1.0)
            V = np.repeat(V, max(1, 200 // len(V)), axis=0)
            sines = theory.draw_squared_sines(V, D, rng)
        if metric == "largest_sine":
            out.append(np.sqrt(sines.max(axis=-1)).mean())
        else:
            alpha = rng.standard_normal((len(sines), 20, R)) / math.sqrt(R)
            bias = (sines[:, None] * alpha**2).sum(axis=-1)
            ratio = rng.chisquare(R, bias.shape) / rng.chisquare(at["m"] - R + 1, bias.shape)
            out.append(np.sqrt(bias + (1 + bias) * ratio).mean())
    return out
