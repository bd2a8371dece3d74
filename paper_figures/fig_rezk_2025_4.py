"""The union over candidates against its rivals: certificates (full) and true risks (hollow).

Left: the sign family, 1,000 diffusion samples and 16 parameters. Right: the digits, random
pairings, 64 parameters. Means over new tasks and worlds; bars of two standard errors. The rivals
select on one half and certify on the other, or descend from the support set itself. Values above
1, where nothing is said, are drawn at 1.
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style

STUDIES = {
    "sign": "../simulations/sim_peft_sign.py::rivals",
    "digits": "../simulations/sim_peft_digits.py::methods",
}
SIGN = {
    "union": ("candidates, union", COLOURS[0], "o"),
    "split": ("candidates, split", COLOURS[2], "^"),
    "shortlist of 10": ("shortlist of 10, split", COLOURS[4], "v"),
    "descent, split": ("descent, split", COLOURS[1], "s"),
    "descent, Eq. 7": ("descent, Eq. 7", COLOURS[3], "D"),
    "PAC-Bayes from scratch": ("PAC-Bayes from scratch", "0.5", "P"),
}
DIGITS = {
    "zoo": ("zoo, union", COLOURS[5], "h"),
    "diffusion": SIGN["union"],
    "zoo, split": ("zoo, split", COLOURS[6], "X"),
    "descent, split": SIGN["descent, split"],
    "descent, Eq. 7": SIGN["descent, Eq. 7"],
}


@style()
def draw(results):
    """Two panels over the number of examples."""
    fig, (left, right) = figure(9.0, 4.2, columns=2, sharey=True)
    panel(left, results["sign"], SIGN, {}, 0.5)
    panel(right, results["digits"], DIGITS, {"tasks": "rand"}, 0.8)
    left.set(title="sign family", ylabel="risk")
    right.set_title("digits")
    entries = {}
    for ax in (left, right):
        entries |= dict(zip(*ax.get_legend_handles_labels()[::-1], strict=True))
    fig.legend(entries.values(), entries, loc="outside lower center", ncols=4)
    return fig


def panel(ax, results, methods, where, chance):
    """Curves of the methods, slightly apart."""
    for i, (method, (label, colour, marker)) in enumerate(methods.items()):
        for metric, fill in (("certificate", colour), ("risk", "none")):
            groups = {}
            for s in results.samples(metric, {**where, "method": method}):
                groups.setdefault(s.cell["n"], []).append(np.asarray(s.values))
            n = np.array(sorted(groups))
            values = [np.concatenate(groups[k]) for k in n]
            mean = np.minimum([v.mean() for v in values], 1)
            error = [2 * v.std(ddof=1) / np.sqrt(v.size) for v in values]
            main = metric == "certificate"
            ax.errorbar(
                n * 1.03 ** (i - 2),
                mean,
                yerr=error,
                color=colour,
                marker=marker,
                mfc=fill,
                ms=5,
                ls="-" if main else ":",
                label=label if main else None,
            )
    ax.axhline(chance, color="black", lw=0.8, ls="--")
    ax.set(xscale="log", ylim=(0, 1.02), xlabel="examples $n$")
    ax.set_xticks(n, [str(k) for k in n])
    ax.minorticks_off()
