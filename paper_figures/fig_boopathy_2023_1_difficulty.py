"""Generalisation difficulty in bits: published tasks, and what it depends on (formula only).

Left: the authors' constants. Right: MNIST's difficulty when the intrinsic dimension, the number of
training points or the target error is multiplied.
"""

from tlstat.plotting import COLOURS, figure, style

SIMULATION = "../simulations/sim_inductive_bias_difficulty.py"
STUDIES = {name: f"{SIMULATION}::{name}" for name in ("tasks", "dependence")}
CHANGED = {"m": "intrinsic dimension", "n": "training points", "eps": "target error"}


@style()
def draw(results):
    """Two panels."""
    fig, (left, right) = figure(7.6, 3.2, columns=2)
    samples = results["tasks"].samples("bits")
    names = [s.cell["task"] for s in samples]
    left.barh(names, [float(s.exact.value) for s in samples], color=COLOURS[0], left=1)
    left.set(xscale="log", xlabel="bits", xlim=(1, 1e45))
    left.grid(False, axis="y")
    for i, (name, label) in enumerate(CHANGED.items()):
        found = results["dependence"].samples("over_published", {"changed": name})
        right.plot([s.cell["factor"] for s in found], [float(s.exact.value) for s in found],
                   marker="os^"[i], color=COLOURS[i], label=label)  # fmt: skip
    right.set(xscale="log", yscale="log", xlabel="factor", ylabel="difficulty / published")
    right.legend(loc="lower right")
    return fig
