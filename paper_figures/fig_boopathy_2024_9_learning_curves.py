"""Learning curves from masses of version spaces: 1,882 threshold functions of four signs, exact.

Left: Bayes error, Gibbs error (one hypothesis that fits), and half the bits of the next label,
under the two priors. Middle: share of the version space that errs more often than 0.15, and the
guess-and-check bounds for the target 3 x1 + 2 x2 + x3 + x4. Right: Gibbs error and three bounds
from the marginal likelihood (delta = 0.05), means over training sets.
"""

import numpy as np

from tlstat.inductive_bias import theory
from tlstat.plotting import COLOURS, figure, style

SIMULATION = "../simulations/sim_inductive_bias_learning_curves.py"
NAMES = ("learning_curve", "guess_and_check", "marginal_likelihood")
STUDIES = {name: f"{SIMULATION}::{name}" for name in NAMES}
CHAIN = {"bayes": "Bayes", "gibbs": "Gibbs", "half the bits": "half the bits"}
LIMITS = {
    "Valle-Perez": "Valle-P\u00e9rez et al.",
    "Maurer": "Maurer's constant",
    "marginal likelihood": "without a union",
    "gibbs error": "Gibbs error",
}


@style()
def draw(results):
    """Three panels."""
    fig, (left, middle, right) = figure(9.8, 3.4, columns=3)
    for i, (name, label) in enumerate(CHAIN.items()):
        for prior, dash in (("functions", "-"), ("weights", "--")):
            samples = results["learning_curve"].samples("value", {"prior": prior, "quantity": name})
            left.plot(*points(samples, "n"), color=COLOURS[i], ls=dash,
                      label=label if prior == "functions" else None)  # fmt: skip
    left.set(xlabel="examples", ylabel="error of the next label", ylim=(0, 0.52), xlim=(0, 30))
    left.legend(title="full: functions alike\ndashed: weights alike")
    draw_guess(middle, results["guess_and_check"])
    where = {"prior": "functions", "target": "3, 2, 1, 1", "delta": 0.05}
    for i, (name, label) in enumerate(LIMITS.items()):
        samples = results["marginal_likelihood"].samples("value", {**where, "bound": name})
        right.plot(*points(samples, "n"), color=COLOURS[i], marker="Ds^o"[i], label=label)
    right.set(xscale="log", xlabel="examples", ylabel="population error", ylim=(0, 1.05))
    right.set_xticks([2, 4, 8, 16, 32, 64], ["2", "4", "8", "16", "32", "64"])
    right.set_xticks([], minor=True)
    right.legend(loc="upper right")
    return fig


def points(samples, name):
    return [s.cell[name] for s in samples], [float(s.exact.value) for s in samples]


def draw_guess(ax, results):
    n = np.linspace(0, 60, 121)
    for i, prior in enumerate(("functions", "weights")):
        where = {"prior": prior, "target": "3, 2, 1, 1", "eps": 0.15}
        samples = results.samples("share", where)
        ax.plot(*points(samples, "n"), "os"[i], color=COLOURS[i], label=f"exact, {prior} alike")
    at = {"eps": 0.15, "n": n, "p_tilde": 1 / 1882}
    ax.plot(n, theory.GUESS_AND_CHECK(**at), color="black", ls=":", label="$(1-\\epsilon)^n/p$")
    ax.plot(n, theory.GUESS_AND_CHECK_SHARP(**at), color="black", lw=1, label="sharper")
    ax.set(xlabel="examples", ylabel="share that errs above 0.15", yscale="log", ylim=(1e-6, 3))
    ax.legend(loc="lower left", title="bounds: functions alike")
