"""The prior decides: bias of exact learning on classes that are counted.

Every function alike (circles) or every machine alike: automata, trees, normal weights (squares). A
simple target (full lines) needs fewer nats under the induced prior, the complex one (dashed) more
while examples are few. Values are exact; those of normal weights by quasi-Monte Carlo.
"""

from tlstat.plotting import COLOURS, figure, style

STUDIES = {"priors": "../simulations/sim_inductive_bias_counted.py::priors"}


@style()
def draw(results):
    """A panel a class."""
    families = list(dict.fromkeys(s.cell["family"] for s in results["priors"].samples("nats")))
    fig, axes = figure(9.2, 3.2, columns=3, sharey=True)
    for ax, family in zip(axes, families, strict=True):
        for i, prior in enumerate(("plain", "induced")):
            for target, dash in (("simple", "-"), ("complex", "--")):
                where = {"family": family, "prior": prior, "target": target}
                samples = results["priors"].samples("nats", where)
                label = f"{'functions' if prior == 'plain' else 'machines'} alike, {target}"
                ax.plot([s.cell["number"] for s in samples],
                        [float(s.exact.value) for s in samples], ls=dash, marker="os"[i],
                        color=COLOURS[i], label=label)  # fmt: skip
        ax.set(title=family, xlabel="training examples", ylim=(-0.25, 9.4))
    axes[0].set_ylabel("nats for no error on the rest")
    axes[2].legend(loc="upper right")
    return fig
