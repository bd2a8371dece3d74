"""Collins, Hassani, Mokhtari and Shakkottai (ICML 2021): FedRep (after Figures 1, 3 and 4).

Steps are ours. Left: squared largest sine by round, a tenth of the clients in each, five samples a
client, d = 10, r = 2: medians and quartiles; the dashed line is the rate of contraction that is
derived for this package, and the plateau is noise of deviation 0.001. Middle: error of the clients'
own models after 300 rounds, d = 20: FedRep, least squares of each client alone, one model for all
by FedSGD. Right: error of a new client's model, with the representation of a hundred others or
alone (medians and quartiles; ridge 1e-5).
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style
from tlstat.task_diversity import theory

SIMULATION = "../simulations/sim_task_diversity_fedrep.py"
STUDIES = {name: f"{SIMULATION}::{name}" for name in ("rounds", "peers", "new_client")}
PEERS = {
    "fedrep": ("FedRep", COLOURS[0]),
    "local": ("each alone", COLOURS[2]),
    "global": ("one for all (FedSGD)", COLOURS[1]),
}


@style()
def draw(results):
    """Rounds on the left, peers in the middle, a new client on the right."""
    fig, (left, right, new) = figure(12.0, 3.7, columns=3)
    samples = results["rounds"].samples("squared_sine", {})
    for k, t in enumerate(sorted({s.cell["t"] for s in samples})):
        here = sorted((s for s in samples if s.cell["t"] == t), key=lambda s: s.cell["rounds"])
        x = [s.cell["rounds"] for s in here]
        low, middle, high = np.array([np.quantile(s.values, [0.25, 0.5, 0.75]) for s in here]).T
        left.fill_between(x, low, high, color=COLOURS[k], alpha=0.18, lw=0)
        left.plot(x, middle, "os^"[k] + "-", color=COLOURS[k], label=f"{t} clients", lw=1)
    cell = here[0].cell
    at = dict(eta=cell["eta"], n=cell["n"], r=cell["r"], nu=1 / cell["r"])
    steps = np.arange(0, 61, 5)
    line = [
        theory.CONTRACTION(start=middle[0] ** 0.5, rounds=max(s, 1e-9), **at) ** 2 for s in steps
    ]
    left.plot(steps, line, color="0.25", ls="--", label="$(1-\\eta(1-r/n)\\nu)^{2T}$")
    left.set(yscale="log", xlabel="round $T$", ylabel=r"$|\sin\Theta|_2^2$", ylim=(3e-9, 3))
    left.legend()
    samples = results["peers"].samples("error", {})
    for k, (peer, (label, colour)) in enumerate(PEERS.items()):
        here = sorted((s for s in samples if s.cell["peer"] == peer), key=lambda s: s.cell["n"])
        height = [np.median(s.values) for s in here]
        right.bar(np.arange(len(here)) + 0.27 * (k - 1), height, 0.25, color=colour, label=label)
    right.set_xticks(range(len(here)), [f"{s.cell['n']}" for s in here])
    right.set(
        yscale="log", xlabel="samples of each client $n$", ylabel="error of the clients' models"
    )
    right.set_ylim(top=40)
    right.grid(axis="x", visible=False)
    right.legend(ncols=3, loc="upper center", columnspacing=1, handlelength=1.2)
    samples = results["new_client"].samples("error", {})
    for method, colour in (("fedrep", COLOURS[0]), ("alone", COLOURS[2])):
        here = sorted((s for s in samples if s.cell["method"] == method), key=lambda s: s.cell["m"])
        x = [s.cell["m"] for s in here]
        low, middle, high = np.array([np.quantile(s.values, [0.25, 0.5, 0.75]) for s in here]).T
        new.fill_between(x, low, high, color=colour, alpha=0.18, lw=0)
        label = "with FedRep's representation" if method == "fedrep" else "alone"
        new.plot(x, middle, "o-", color=colour, label=label, lw=1)
    new.set(xscale="log", yscale="log", xlabel="samples of the new client $m$", ylabel="its error")
    new.set_xticks(x, [str(v) for v in x])
    new.set_xticks([], minor=True)
    new.legend()
    return fig
