# ---
# jupyter:
#   jupytext:
#     formats: py:percent,ipynb
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What are soft labels worth?
#
# A large model labels data for a small one. Should it hand over the sampled label, the label with
# its probability, or the whole vector of probabilities? Zhao and Zhu (arXiv:2310.07838) answer
# for finite inputs and labels, with no assumption on the teacher at all:
#
# | the student sees | minimax risk | attained by |
# | --- | --- | --- |
# | $a$ | $\sqrt{SA/n}$ | maximum likelihood |
# | $a$ and $\pi(a\mid s)$ | $SA/n$ | squared error of log-probabilities |
# | $a$ and $\pi(\cdot\mid s)$ | $S/n$ | cross-entropy |
#
# Here $S$ counts inputs, $A$ labels and $n$ samples; the risk is the total variation between
# student and teacher, averaged over inputs. This notebook looks at the three levels on a real
# teacher, then at what the rates do and do not say.

# %%
# %matplotlib inline
import numpy as np
from IPython.display import display

from tlstat import geometric, grid, inner, study, verify
from tlstat.knowledge_transfer import (
    Teacher,
    digits,
    exact_risk,
    sample_counts,
    simulate_risks,
    students,
    theory,
    tv_risk,
    weighted_label_limit,
)
from tlstat.plotting import COLOURS, figure
from tlstat.theory import at_most, rate

rng = np.random.default_rng(1)

# %% [markdown]
# ## A real teacher
#
# Logistic regression on the 8×8 digits of scikit-learn, its 1797 images quantised to 50 inputs by
# k-means. The teacher is the truth by definition: the question is how well it is *copied*, not
# whether it is right.

# %%
teacher = digits(50)
confidence = teacher.pi.max(axis=1)
print(teacher)
print(
    f"confidence: median {np.median(confidence):.2f}, "
    f"from {confidence.min():.2f} to {confidence.max():.2f}"
)
print(f"smallest probability of a label: {teacher.pi.min():.1e}")

# %% [markdown]
# A sample enters every student through the counts of (input, label), so that is what is drawn: a
# multinomial over inputs, then one over labels. A trillion samples cost as much as a thousand.

# %%
counts = sample_counts(teacher, 2_000, rng, size=1)[0]
for level, law in students(counts, teacher.pi).items():
    print(f"{level:>9}: risk {tv_risk(law, teacher):.4f}")

# %% [markdown]
# Soft labels leave next to no error: every input that matters has been seen. Partial ones pay only
# for labels that have not been seen, hard ones for the noise of a multinomial in every input,
# several times as much.
#
# And one student is much worse than its information deserves. *Weighted* labels use the partial
# soft label as a weight in the cross-entropy, a natural thing to do; it converges to the wrong
# limit.
#
# ## Risk against sample size
#
# Lines are exact expectations (no simulation), markers means of 400 simulated samples. No closed
# form is used for partial labels of this teacher, whose rows have ten different probabilities, at
# the price of a sum over 1,024 subsets.

# %%
sizes = np.unique(np.round(np.geomspace(30, 1_000_000, 10)).astype(int))
fine = np.unique(np.round(np.geomspace(30, 1_000_000, 60)).astype(int))
levels = ("hard", "weighted", "partial", "soft")
simulated = np.array([simulate_risks(teacher, int(n), rng, 400, levels) for n in sizes])
means, errors = simulated.mean(axis=1), simulated.std(axis=1) / 20

fig, ax = figure(7.5, 4.0)
for i, level in enumerate(levels):
    seen = means[:, i] > 1e-7
    ax.errorbar(
        sizes[seen],
        means[seen, i],
        yerr=2 * errors[seen, i],
        fmt="o",
        ms=4,
        color=COLOURS[i],
        label=f"{level} labels",
    )
    if level != "weighted":
        exact = np.array([exact_risk(teacher, int(n), level) for n in fine])
        keep = exact > 1e-7
        ax.plot(fine[keep], exact[keep], color=COLOURS[i])
ax.axhline(weighted_label_limit(teacher)[1], color=COLOURS[1], ls="--", lw=1)
ax.plot(
    sizes,
    theory.HARD_LABEL_UPPER(S=50, A=10, n=sizes),
    color="0.5",
    ls=":",
    label="upper bound, hard labels",
)
ax.set(
    xscale="log",
    yscale="log",
    xlabel="sample size $n$",
    ylabel="total-variation risk",
    ylim=(1e-6, 2),
)
ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
display(fig)

# %% [markdown]
# The hard-label student falls with slope $-1/2$ and stays below its bound, which knows nothing of
# this teacher but $S$ and $A$. The soft curve drops faster than any power of $n$: **a rate is a
# statement about the worst teacher for each $n$**, and this one teacher stays what it is while the
# sample grows. To see $S/n$ one must let the inputs become rarer as $n$ grows:

# %%
for n in (1_000, 10_000, 100_000, 1_000_000):
    hardest = Teacher.instance3(50, 11, n)
    soft = exact_risk(hardest, n, "soft")
    bound = float(theory.SOFT_LABEL_MINIMAX(S=50, A=11, n=n))
    print(f"n = {n:>9,}: risk {soft:.3e}, minimax risk {bound:.3e}, ratio {soft / bound:.3f}")

# %% [markdown]
# The last column is the share of the minimax risk that this one teacher attains. The minimax risk
# of level three is known exactly, $(1-1/A)\,\max_p\sum_x p_x(1-p_x)^n$: the upper and the lower
# bound meet (ours; the paper has them up to constants).
#
# ## Where the weighted student goes
#
# To $\pi^2/\sum\pi^2$: the teacher at half its temperature. In log-odds, a line of slope two.

# %%
counts = sample_counts(teacher, 10**12, rng, size=1)[0]
law = students(counts, teacher.pi, ("weighted",))["weighted"]


def relative(p):
    """Log-probabilities relative to the likeliest label of the row."""
    return np.log(p / p.max(axis=1, keepdims=True))


kept = (law > 1e-8) & (teacher.pi < teacher.pi.max(axis=1, keepdims=True))
slope = np.polyfit(relative(teacher.pi)[kept], relative(np.maximum(law, 1e-300))[kept], 1)[0]
print(f"slope of the log-odds against the likeliest label, student on teacher: {slope:.4f}")
print(
    f"risk after 10^12 samples {tv_risk(law, teacher):.5f}, "
    f"limit {weighted_label_limit(teacher)[1]:.5f}"
)

# %% [markdown]
# ## From a picture to a verdict
#
# A picture convinces its author. A verdict says what was tested, at which level, and whether the
# test could have failed. This study claims the rate of hard labels, and as a negative control that
# the weighted student obeys the same bound:


# %%
@study(
    model=Teacher.from_cell,
    design=grid(
        instance="digits",
        S=50,
        A=10,
        n=geometric(10**6, 10**10, 5),
        level=inner(["hard", "weighted"]),
    ),
    replicates=400,
    ranges={"tv": (0, float("inf"))},
    claims=[
        rate("tv", along="n", bound=theory.HARD_LABEL_RATE, where={"level": "hard"}),
        at_most("tv", theory.HARD_LABEL_UPPER, where={"level": "hard"}),
        at_most(
            "tv",
            theory.HARD_LABEL_UPPER,
            where={"level": "weighted"},
            expect="refuted",
            name="the weighted student obeys the hard-label bound (false)",
        ),
    ],
    name="digits tutorial",
)
def tutorial(cell, rng, size):
    return {"tv": simulate_risks(Teacher.from_cell(cell), cell.n, rng, size, cell.level)}


verdicts = verify(tutorial)
verdicts.to_frame()[["claim", "status", "estimate", "predicted", "validity", "expected"]]

# %% [markdown]
# Three practical lessons:
#
# 1. Probabilities of the sampled labels alone already change the rate from $n^{-1/2}$ to $n^{-1}$:
#    store them next to the labels, they cost one number each.
# 2. How they enter the loss matters more than that they enter: fit log-probabilities, do not weight
#    the likelihood.
# 3. Whole rows save a further factor $A$, and only in the worst case.
