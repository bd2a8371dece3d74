"""A shift of the tasks: certificates rise with the angle and go on holding.

Sign family, 64 examples, 1,000 diffusion samples: new tasks come from the law of the upstream ones
turned by an angle in random planes. Means with bands of two standard errors; shares of failures
with exact 99 percent intervals in the right panel.
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style
from tlstat.theory.intervals import clopper_pearson

STUDIES = {"shift": "../simulations/sim_peft_sign.py::shifted"}


@style()
def draw(results):
    """Risks on the left, failures on the right."""
    fig, (left, right) = figure(8.0, 3.2, columns=2)
    for metric, label, colour, marker in (
        ("certificate", "certificate", COLOURS[0], "o"),
        ("risk", "true risk of the selected", COLOURS[2], "^"),
    ):
        angle, values = pooled(results["shift"], metric)
        mean = np.array([v.mean() for v in values])
        error = np.array([2 * v.std(ddof=1) / np.sqrt(v.size) for v in values])
        left.errorbar(angle, mean, yerr=error, marker=marker, color=colour, label=label, capsize=2)
    left.set(ylim=(0, 0.6), ylabel="risk")
    left.legend()
    angle, values = pooled(results["shift"], "ratio")
    share = np.array([np.mean(v > 1) for v in values])
    low, high = np.array([clopper_pearson(int(np.sum(v > 1)), v.size, 0.005) for v in values]).T
    right.errorbar(
        angle, share, yerr=[share - low, high - share], fmt="o", capsize=2, clip_on=False
    )
    right.axhline(0.05, color="black", lw=1, ls="--")
    right.set(ylim=(0, 0.06), ylabel="probability of failure")
    for ax in (left, right):
        ax.set_xlabel("angle of the shift, degrees")
    return fig


def pooled(results, metric):
    """Angles in degrees, and values of all worlds."""
    groups = {}
    for s in results.samples(metric, {}):
        groups.setdefault(s.cell["turn"], []).append(np.asarray(s.values))
    turns = sorted(groups)
    return 90 * np.array(turns), [np.concatenate(groups[t]) for t in turns]
