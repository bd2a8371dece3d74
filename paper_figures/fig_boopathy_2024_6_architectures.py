"""What architectures bring to the digits: the bias a kernel space would need for their error.

250 training digits; 200 test digits (left) or 100 (right). Left: trained networks between linear
regression and one nearest neighbour; dots are splits, bars their medians. The bias is a monotone
function of the squared error, and one nearest neighbour comes first. Right: bias against the share
of mistakes, a marker a split, for models without training noise.
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style

SIMULATION = "../simulations/sim_inductive_bias_architectures.py"
STUDIES = {name: f"{SIMULATION}::{name}" for name in ("networks", "squares_or_errors")}
ORDER = ["linear", "MLP 8", "MLP 64", "MLP 64x64x64", "1-NN"]
CLASSICAL = ["tree of depth 3", "full tree", "linear", "1-NN"]


@style()
def draw(results):
    """Two panels."""
    fig, (left, right) = figure(8.6, 3.6, columns=2)
    for row, name in enumerate(ORDER):
        (sample,) = results["networks"].samples("nats", {"model": name})
        left.plot(sample.values, np.full(len(sample.values), row), "o", color=COLOURS[0], alpha=0.5)
        left.plot(np.median(sample.values), row, "|", color="black", ms=18, mew=1.6)
    left.set_yticks(range(len(ORDER)), ORDER)
    left.set(xlabel="nats, RBF of width 2", xlim=(0, None), title="networks")
    for i, name in enumerate(CLASSICAL):
        where = {"model": name, "sigma": 2.0}
        (nats,) = results["squares_or_errors"].samples("nats", where)
        (wrong,) = results["squares_or_errors"].samples("wrong", where)
        right.plot(wrong.values, nats.values, "os^D"[i], color=COLOURS[i], label=name, alpha=0.8)
    right.set(xlabel="share of mistakes", ylabel="nats, RBF of width 2", title="two measures")
    right.legend(loc="upper right")
    return fig
