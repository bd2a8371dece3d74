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
# # What do other tasks teach?
#
# Many regression tasks $y = x^\top B\alpha_j + \varepsilon$ share a representation: $B$ has $r$
# columns in $\mathbb R^d$, and each task its own head $\alpha_j$. Learned from $t$ source tasks
# with $n$ samples each, $B$ leaves a new task only $r$ numbers to learn instead of $d$. Whether it
# does depends on the *diversity* of the sources,
#
# $$\nu = \sigma_r\big(A^\top A/t\big), \qquad A = (\alpha_1, \ldots, \alpha_t)^\top$$
#
# (Tripuraneni, Jordan and Jin, NeurIPS 2020). This notebook computes what a representation is
# worth, where to spend source samples, and looks at both on handwritten digits.

# %%
# %matplotlib inline
import numpy as np
from IPython.display import display
from sklearn.datasets import load_digits

from tlstat import geometric, grid, study, verify
from tlstat.plotting import COLOURS, figure
from tlstat.task_diversity import (
    ExcessRiskLaw,
    FewShotRegressor,
    LinearRepresentation,
    LinearTasks,
    check_diversity,
    crossover,
    optimal_allocation,
    single_task_risk,
    squared_distance,
    target_diversity,
    theory,
    transfer_excess_risk,
)
from tlstat.task_diversity.allocation import allocation_value
from tlstat.task_diversity.diversity import diversity, tilted_representation
from tlstat.task_diversity.experiment import simulate_sines
from tlstat.theory import rate

rng = np.random.default_rng(1)

# %% [markdown]
# ## Diversity is what a wrong representation can hide
#
# A wrong representation $\hat B$ costs a task with head $\alpha$ exactly
# $\alpha^\top\Lambda\alpha$, where $\Lambda$ is the *gap* of the two. The sources see its average,
# a target may see its worst case. The ratio of the two is at most $1/\nu$, whatever $\hat B$, and
# one representation attains it: the one that is wrong in the direction the tasks care least about.

# %%
A = np.sqrt(3) * np.diag(np.sqrt([0.6, 0.3, 0.1]))  # A'A/3 = diag(.6, .3, .1)
B = np.eye(10)[:, :3]
print(f"nu = {diversity(A):.3f}; tasks of this size could have {np.sum(A**2) / 9:.3f}")
cases = {
    "random": np.linalg.qr(rng.normal(size=(10, 3)))[0],
    "weakest tilted": tilted_representation(B, np.array([0.0, 0, 1]), 0.3),
    "strongest tilted": tilted_representation(B, np.array([1.0, 0, 0]), 0.3),
}
for name, B_hat in cases.items():
    found = check_diversity(B_hat, B, A)
    print(
        f"{name:>16}: averaged {found.task_averaged:.4f}, worst {found.worst_case:.4f}, "
        f"nu x worst / averaged = {found.ratio:.3f}"
    )
for head in ([1.0, 0, 0], [0, 0, 1.0], [0.6, 0.6, 0.53]):
    print(f"for the target {head}: nu = {target_diversity(A, np.array(head)):.3f}")

# %% [markdown]
# ## When is transfer worth it?
#
# Given $\hat B$ the risk of least squares on $m$ target samples is known exactly: with the bias
# $b^2 = \alpha_0^\top\Lambda\alpha_0$ it is $b^2 + (\sigma^2 + b^2)\,r/(m-r-1)$, since what
# $\hat B$ misses acts as more noise. We learn $\hat B$ from 100 tasks with 40 samples each
# and look at a target, against learning it alone.

# %%
d, r, t, n, sigma = 50, 4, 100, 40, 1.0
B, alpha_0 = np.eye(d)[:, :r], np.array([0.5, 0.5, 0.5, 0.5])
heads = rng.normal(size=(t, r)) / np.sqrt(r)
X = [rng.normal(size=(n, d)) for _ in range(t)]
y = [x @ B @ a + sigma * rng.normal(size=n) for x, a in zip(X, heads, strict=True)]
learned = LinearRepresentation(r, fit_intercept=False).fit(X, y)
B_hat = learned.components_.T
print(f"squared distance {squared_distance(B_hat, B):.3f} of at most {r}")

m = np.unique(np.geomspace(1, 2000, 200).astype(int))
transfer = transfer_excess_risk(B_hat, B, alpha_0, sigma, m)
alone = single_task_risk(d, m, sigma, 1.0)
bias = float(np.sqrt(transfer_excess_risk(B_hat, B, alpha_0, 0.0, 10**12)))
tie = crossover(d, r, sigma, bias=bias)
print(f"bias b = {bias:.3f}: learning alone wins from m = {tie:.0f} samples on")
fig, ax = figure(6.0, 3.4)
ax.plot(m, np.where(np.isfinite(transfer), transfer, np.nan), color=COLOURS[0], label="transfer")
ax.plot(m, np.where(np.isfinite(alone), alone, np.nan), color=COLOURS[1], label="target alone")
ax.axhline(bias**2, color="0.5", lw=1, ls=":", label="squared bias")
ax.axvline(tie, color="0.7", lw=1)
ax.set(xscale="log", yscale="log", xlabel="target samples $m$", ylabel="excess risk")
ax.set_ylim(0.01, 20)
ax.legend()
display(fig)

# %% [markdown]
# Both curves have a peak where the number of samples equals that of the coefficients ($r$ or
# $d$): there the mean is infinite. The whole law is as explicit as the mean. With ten
# samples, for instance:

# %%
law = ExcessRiskLaw(r, 10, sigma, bias=bias)
print(f"mean {law.mean:.3f}, median {law.quantile(0.5):.3f}, 95 % {law.quantile(0.95):.3f}")
print(f"mean of the norm {law.mean_norm:.3f}; root of the mean square {law.mean**0.5:.3f}")

# %% [markdown]
# ## Which tasks should get the samples?
#
# To first order the bias that multi-task least squares leaves at a target is
# $\sigma^2(d-r)\,\alpha_0^\top\big(\sum_j (n_j-r)\,\alpha_j\alpha_j^\top\big)^{-1}\alpha_0$. The
# best $n_j$ for one target are an optimal design: few tasks get everything. The dual certifies it.

# %%
A = rng.normal(size=(8, 2))
target = rng.normal(size=2)
best = optimal_allocation(A, 3200, target=target)
worst = optimal_allocation(A, 3200, criterion="E")
least = np.linalg.pinv(A.T) @ target
plans = {
    "uniform": np.full(8, 400),
    "squares of least squares": 3200 * least**2 / np.sum(least**2),
    "best for this target": best.counts,
    "best for the worst target": worst.counts,
}
for name, counts in plans.items():
    values = [allocation_value(A, counts, target=goal, cost=2) for goal in (target, None)]
    print(f"{name:>26}: bias {18 * values[0]:.5f}, worst of norm 1 {18 * values[1]:.5f}")
print(f"samples {best.counts.tolist()}; certified within {abs(best.gap):.1e}")

# %% [markdown]
# The design for one target uses two tasks, one of them little, and leaves other targets to
# themselves.
#
# ## Digits
#
# Nine tasks, "is it a 0", "is it a 1", ... on 900 images, and a new one: "is it an 8?", from few
# other images. Ten indicators sum to one, so that the nine span the tenth.

# %%
images, labels = load_digits(return_X_y=True)
images = images / 16
order = rng.permutation(len(labels))
source, others = order[:900], order[900:]
centre = images[source].mean(axis=0)
axes_30 = np.linalg.svd(images[source] - centre, full_matrices=False)[2][:30]
Z = (images - centre) @ axes_30.T
Y = np.stack([np.where(labels == k, 1.0, -1.0) for k in range(10) if k != 8], axis=1)
model = LinearRepresentation(9, tol=1e-3).fit(Z[source], Y[source])
is_8 = np.where(labels == 8, 1.0, -1.0)

print("  m   transfer  estimated (leave one out)   alone   ridge alone")
for m in (40, 80, 160, 320):
    train, test = others[:m], others[m:]
    fits = [
        model.fit_target(Z[train], is_8[train]),
        FewShotRegressor().fit(Z[train], is_8[train]),
        FewShotRegressor(ridge="loo").fit(Z[train], is_8[train]),
    ]
    errors = [np.mean((fit.predict(Z[test]) - is_8[test]) ** 2) for fit in fits]
    print(
        f"{m:>4} {errors[0]:>9.3f} {fits[0].loo_risk_:>16.3f} {errors[1]:>18.3f} {errors[2]:>11.3f}"
    )

# %%
fig, panels = figure(8.5, 2.2, rows=2, columns=9)
for k, ax in enumerate(panels.flat):
    image = model.components_[k] @ axes_30 if k < 9 else model.task_coef_[k - 9] @ axes_30
    limit = np.max(np.abs(image))
    ax.imshow(image.reshape(8, 8), cmap="PuOr", vmin=-limit, vmax=limit)
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
panels[0, 0].set_ylabel("components", fontsize=7)
panels[1, 0].set_ylabel("tasks", fontsize=7)
display(fig)

# %% [markdown]
# Transfer wins while images are few. Tasks that do *not* span the target (telling 1 from 7 by what
# tells other digits apart) are worse than ridge regression on the target alone: the studies in
# `simulations/sim_task_diversity_real_data.py` judge both.
#
# How many components? Left to itself the class takes the number that predicts best on tasks that
# it has not learned from. On pairs of digits the error still falls at the limit that we set: they
# are of low rank only nearly.

# %%
X, y = [], []
for a in range(9):
    for b in range(a + 1, 9):
        rows = source[(labels[source] == a) | (labels[source] == b)]
        X.append(Z[rows])
        y.append(np.where(labels[rows] == a, 1.0, -1.0))
auto = LinearRepresentation(tol=1e-2, max_components=10).fit(X, y)
choice = auto.rank_choice_
for k, error in zip(choice.ranks, choice.errors, strict=True):
    print(f"{k:>3} components: {error:.3f} of the variance is left on tasks held out")
print(f"chosen: {auto.n_components_}; diversity {auto.diversity_:.3f} of the fitted heads")

# %% [markdown]
# ## A verdict
#
# The squared distance of multi-task least squares falls like $1/n$ or a little faster, since
# heads cost samples: the claim below would be refuted were the exponent off by 0.1.


# %%
@study(
    model=LinearTasks.from_cell,
    design=grid(d=16, r=2, t=32, n=geometric(20, 320, 5), sigma=1.0),
    replicates=200,
    block=50,
    ranges={"distance": (0, float("inf"))},
    claims=[rate("distance", along="n", bound=theory.ERM_ERROR_EQUAL)],
    name="task diversity tutorial",
)
def tutorial(cell, rng, size):
    model = LinearTasks.from_cell(cell)
    sines = simulate_sines(model, cell.n, rng, size, ["erm"])
    return {"distance": sines.reshape(size, -1).sum(axis=1)}


verdicts = verify(tutorial)
verdicts.to_frame()[["claim", "status", "estimate", "predicted", "validity", "expected"]]
