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
# # What are soft labels worth on my data?
#
# A large model labels data for a small one. Should it hand over the sampled label, the label with
# its probability, or the whole vector of probabilities? Zhao and Zhu (arXiv:2310.07838) answer
# for finite inputs and labels, with no assumption on the teacher at all:
#
# | the student sees | minimax risk | attained by |
# | --- | --- | --- |
# | $a$ (hard) | $\sqrt{SA/n}$ | maximum likelihood |
# | $a$ and $\pi(a\mid s)$ (partial) | $SA/n$ | squared error of log-probabilities |
# | $a$ and $\pi(\cdot\mid s)$ (soft) | $S/n$ | cross-entropy |
#
# Here $S$ counts inputs, $A$ labels and $n$ samples; the risk is the total variation between
# student and teacher, averaged over inputs. That is the worst teacher. This notebook asks about
# *one* teacher: how much does each level save, how many samples does it need, what can be
# certified without knowing the teacher, and what does the wrong loss cost.

# %%
# %matplotlib inline
import numpy as np
import pandas as pd
from IPython.display import display

from tlstat import geometric, grid, inner, study, verify
from tlstat.errors import InputError
from tlstat.knowledge_transfer import (
    Teacher,
    digits,
    exact_risk,
    missing_mass_certificate,
    missing_mass_upper,
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
levels = ("hard", "weighted", "partial", "soft")
colour = dict(zip(levels, COLOURS, strict=False))

# %% [markdown]
# ## A teacher
#
# Logistic regression on the 8×8 digits of scikit-learn, its 1797 images quantised to 50 inputs by
# k-means. The teacher is the truth by definition: the question is how well it is *copied*, not
# whether it is right. For a classifier of your own, `Teacher(rho, pi)` takes the shares of the
# inputs and the predicted probabilities, one row an input.

# %%
teacher = digits(50)
confidence = teacher.pi.max(axis=1)
print(teacher)
print(f"confidence: median {np.median(confidence):.2f}, from {confidence.min():.2f}")
print(f"smallest probability of a label: {teacher.pi.min():.1e}")

# %% [markdown]
# Every student uses a sample through the counts of (input, label) alone, so that is what is drawn:
# a multinomial over inputs, then one over labels. A trillion samples cost as much as a thousand.

# %%
counts = sample_counts(teacher, 2_000, rng, size=1)[0]
laws = students(counts, teacher.pi, levels)
pd.Series({level: tv_risk(law, teacher) for level, law in laws.items()}, name="risk").round(6)

# %% [markdown]
# Soft labels leave next to no error: every input that matters has been seen. Partial ones pay only
# for labels that have not been seen, hard ones for the noise of a multinomial at every input.
# The *weighted* student has the information of the partial one in the wrong loss; more below.
#
# ## Risk against sample size
#
# Lines are exact expectations (no simulation), markers means of 200 simulated samples.

# %%
sizes = np.unique(np.round(np.geomspace(30, 1_000_000, 10)).astype(int))
fine = np.unique(np.round(np.geomspace(30, 1_000_000, 50)).astype(int))
simulated = np.array([simulate_risks(teacher, int(n), rng, 200, levels) for n in sizes])
means, errors = simulated.mean(axis=1), simulated.std(axis=1) / np.sqrt(200)

fig, ax = figure(7.5, 4.0)
for i, level in enumerate(levels):
    seen = means[:, i] > 1e-7
    ax.errorbar(
        sizes[seen],
        means[seen, i],
        yerr=2 * errors[seen, i],
        fmt="o",
        ms=4,
        color=colour[level],
        label=f"{level} labels",
    )
    if level != "weighted":
        exact = np.array([exact_risk(teacher, int(n), level) for n in fine])
        keep = exact > 1e-7
        ax.plot(fine[keep], exact[keep], color=colour[level])
ax.axhline(weighted_label_limit(teacher)[1], color=colour["weighted"], ls="--", lw=1)
bound = theory.HARD_LABEL_UPPER(S=50, A=10, n=sizes)
ax.plot(sizes, bound, color="0.5", ls=":", label="bound for hard labels,\nany teacher")
ax.set(
    xscale="log",
    yscale="log",
    xlabel="sample size $n$",
    ylabel="total-variation risk",
    ylim=(1e-6, 2),
)
ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
display(fig)

# %% [markdown]
# The hard-label student falls with slope $-1/2$. The others drop faster than any power of $n$: **a
# rate is a statement about the worst teacher for each $n$**, and this one teacher stays what it is
# while the sample grows.
#
# ## How many samples do I need?
#
# The exact risks, inverted. The last column is the answer to the title: how many hard labels one
# partial label replaces.


# %%
def samples_needed(risk, level):
    """The smallest n from which the exact expected risk is at most ``risk``."""
    low, high = 1, 2
    while exact_risk(teacher, high, level) > risk:
        low, high = high, 2 * high
    while high - low > max(1, low // 500):  # to 0.2 %
        middle = (low + high) // 2
        low, high = (low, middle) if exact_risk(teacher, middle, level) <= risk else (middle, high)
    return high


targets = [0.2, 0.1, 0.05, 0.02, 0.01, 0.005]
needed = pd.DataFrame(
    {
        level: [samples_needed(risk, level) for risk in targets]
        for level in ("hard", "partial", "soft")
    },
    index=pd.Index(targets, name="risk"),
)
needed.assign(hard_for_one_partial=(needed["hard"] / needed["partial"]).round(1))

# %% [markdown]
# ## A certificate, without the teacher
#
# Those numbers need the teacher's law, which nobody has. But the errors of the partial and of the
# soft student are at most a *missing mass*, the probability of what the sample has not shown, and
# Good and Turing estimate that by the share of the sample that was seen once. One sample is enough:

# %%
for level in ("partial", "soft"):
    certificate = missing_mass_certificate(counts, level)
    print(certificate)
    print(f"  the truth, on this sample: {tv_risk(laws[level], teacher):.4g}\n")

# %% [markdown]
# It holds with probability 0.95 whatever the teacher. Hard labels have no such certificate: they
# err on what they have seen, too. The library says so instead of returning a number.

# %%
try:
    missing_mass_certificate(counts, "hard")
except InputError as error:
    print(error)

# %% [markdown]
# The width of the Good-Turing certificate is $(1+\sqrt2)\sqrt{\ln(2/\delta)/n}$, which soon is most
# of it. Where little is missing, hiding half of the sample and counting the surprises in it is
# sharper, of order $1/n$. The risk itself is lower still: the student shares the missing mass, and
# guesses part of it right.

# %%
sizes = np.unique(np.round(np.geomspace(100, 1_000_000, 9)).astype(int))
methods = {"good-turing": ("--", "Good-Turing"), "held-out": ("-", "half held out")}
certified = {method: [] for method in methods}
truth, coverage = [], {method: [] for method in methods}
for n in sizes:
    many = sample_counts(teacher, int(n), rng, size=300)
    risk = tv_risk(students(many, teacher.pi, ("partial",))["partial"], teacher)
    truth.append(risk.mean())
    for method in methods:
        limit = missing_mass_upper(many, "partial", method=method, rng=rng)
        certified[method].append(np.quantile(limit, [0.1, 0.5, 0.9]))
        coverage[method].append(np.mean(risk <= limit))

fig, ax = figure(7.5, 4.0)
for shade, (method, (dash, name)) in zip((COLOURS[5], COLOURS[6]), methods.items(), strict=True):
    low, middle, high = np.array(certified[method]).T
    ax.fill_between(sizes, low, high, color=shade, alpha=0.2, lw=0)
    ax.plot(sizes, middle, dash, color=shade, label=f"certificate: {name}")
truth = np.array(truth)
ax.plot(sizes[truth > 1e-7], truth[truth > 1e-7], "o-", color=colour["partial"], label="true risk")
ax.set(
    xscale="log",
    yscale="log",
    xlabel="sample size $n$",
    ylabel="risk of the partial-label student",
    ylim=(1e-6, 2),
)
ax.legend(loc="lower left", frameon=False)
display(fig)
for method, shares in coverage.items():
    print(f"{method:>11}: held in at least {min(shares):.1%} of 300 samples at every n")

# %% [markdown]
# ## The wrong loss
#
# *Weighted* labels use the partial soft label as a weight in the cross-entropy, a natural thing to
# do. The student goes to $\pi^2/\sum\pi^2$: the teacher at half its temperature, in log-odds a line
# of slope two. No sample size mends it.

# %%
counts = sample_counts(teacher, 10**12, rng, size=1)[0]
endless = students(counts, teacher.pi, ("hard", "weighted"))


def log_odds(p):
    """Log-probabilities relative to the likeliest label of the row, without that label."""
    with np.errstate(divide="ignore"):
        logs = np.log(p / p.max(axis=1, keepdims=True))
    return logs[teacher.pi < teacher.pi.max(axis=1, keepdims=True)]


fig, ax = figure(5.2, 3.6)
for level, law in endless.items():
    ax.plot(
        log_odds(teacher.pi), log_odds(law), ".", ms=3, color=colour[level], label=f"{level} labels"
    )
ends = np.array([-8.5, 0])
for slope in (1, 2):
    ax.plot(ends, slope * ends, color="0.4", lw=0.8, zorder=0)
    ax.annotate(f"slope {slope}", (-8.4, -8.4 * slope - 0.5), va="top", color="0.4")
ax.set(xlabel="teacher's log-odds", ylabel="student's, after $10^{12}$ samples", ylim=(-19, 1))
ax.legend(loc="lower right", frameon=False)
display(fig)

limit = weighted_label_limit(teacher)[1]
print(f"risk after 10^12 samples: {tv_risk(endless['weighted'], teacher):.5f}, limit {limit:.5f}")
print(f"from {samples_needed(limit, 'hard'):,} samples on, hard labels alone are better")

# %% [markdown]
# ## From a picture to a verdict
#
# A picture convinces its author. A verdict says what was tested, at which level, and whether the
# test could have failed. Three claims about this teacher, and two negative controls: the weighted
# student against the hard-label bound, and the certificate abused for hard labels.


# %%
@study(
    model=Teacher.from_cell,
    design=grid(
        instance="digits",
        S=50,
        A=10,
        n=geometric(10**6, 10**10, 5),
        level=inner(["hard", "weighted", "partial"]),
    ),
    replicates=500,
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
        at_most(
            "of_certificate",
            1,
            delta=0.05,
            where={"level": "partial", "n": 10**6},
            name="partial labels: risk below the certificate, with probability 0.95",
        ),
        at_most(
            "of_certificate",
            1,
            delta=0.05,
            where={"level": "weighted"},
            expect="refuted",
            name="weighted labels: risk below the certificate (false)",
        ),
    ],
    name="digits tutorial",
)
def tutorial(cell, rng, size):
    teacher = Teacher.from_cell(cell)
    counts = sample_counts(teacher, cell.n, rng, size)
    laws = students(counts, teacher.pi, cell.level)
    tv = np.stack([tv_risk(laws[level], teacher) for level in cell.level], axis=-1)
    return {"tv": tv, "of_certificate": tv / missing_mass_upper(counts, "partial")[:, None]}


verdicts = verify(tutorial)
verdicts.to_frame()[["claim", "status", "estimate", "predicted", "expected"]]

# %% [markdown]
# Three practical lessons:
#
# 1. Probabilities of the sampled labels alone change the rate. On this teacher each of them
#    replaces five hard labels where a risk of 0.2 will do, and more than a hundred at 0.005. Store
#    them: one number a label, and they come with a certificate.
# 2. How they enter the loss matters more than that they enter: fit log-probabilities, do not weight
#    the likelihood.
# 3. Whole rows save a further factor: every input needs to be seen once, not every label.
