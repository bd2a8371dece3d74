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
# # What does my architecture bring to my data?
#
# Take all functions of a hypothesis space that fit the training data, and draw one at random. Will
# it do well on the test data? Hardly ever; and *how* hardly is a number,
#
# $$I(\varepsilon) = -\log P(\text{test error} \le \varepsilon \mid \text{the hypothesis fits}),$$
#
# the *required inductive bias* of Boopathy et al. (arXiv:2406.15941): the information, in nats,
# that must come from elsewhere than the training data. For kernel spaces this number is exact
# here. The notebook computes it for handwritten digits, reads off what models bring, and says what
# not to make of it.

# %%
# %matplotlib inline
import numpy as np
from hypothesis import settings
from IPython.display import display
from sklearn.datasets import load_digits
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeRegressor

from tlstat import grid, inner, study, verify
from tlstat.inductive_bias import KernelSpace, NetworkSpace, bias_curve, inductive_bias, theory
from tlstat.inductive_bias.kernels import rbf
from tlstat.inductive_bias.tails import published_fit
from tlstat.plotting import COLOURS, figure
from tlstat.testing import check_error_tail
from tlstat.theory import ordered

digits = load_digits()
X, Y = digits.data / 16, np.eye(10)[digits.target]  # pixels in [0, 1], one-hot labels
order = np.random.default_rng(0).permutation(len(X))
train, test = order[:500], order[500:700]
data = X[train], Y[train], X[test], Y[test]

# %% [markdown]
# ## One number
#
# A Gaussian process with a squared-exponential kernel of width 2, conditioned on 500 digits. How
# much does a mean squared error of 0.01 on 200 others demand?

# %%
space = KernelSpace(rbf(2.0))
bias = inductive_bias(space, *data, 0.01)
print(f"{bias.nats:,.1f} nats = {bias.bits:,.1f} bits, method {bias.method}, m = {bias.m}, "
      f"C = {bias.C}")  # fmt: skip
print(f"a random hypothesis that fits errs {bias.mean_error:.4f} on average")
print(f"effective dimension at 0.01: {bias.n_eff:,.0f} of {bias.m * bias.C:,} test outputs")
for note in bias.notes:
    print("note:", note)

# %% [markdown]
# The probability is about $e^{-1200}$; no sampling finds it. That the interpolant nearest to the
# mean is good and a random one terrible is the point: what singles it out is the bias.
#
# ## The curve, and what the published estimator makes of it
#
# The paper samples hypotheses, fits a distribution to their errors and extrapolates. Here are the
# exact curve and that estimator on 300 samples.

# %%
law = space.condition(*data[:2]).error_law(*data[2:])
errors = law.mean() * np.geomspace(0.005, 0.97, 25)
exact = bias_curve(space, *data, errors)
fit = published_fit(law.rvs(300, random_state=0))
fig, ax = figure(5.6, 3.4)
ax.plot(errors, exact.nats, color=COLOURS[0], label="exact")
ax.plot(errors, fit.nats(errors), color=COLOURS[1], ls="--", label="published, 300 samples")
ax.axhline(np.log(300), color="0.6", lw=1)
ax.annotate("seen by 300 samples", (errors[0], np.log(300)), (2, 3), size=8,
            textcoords="offset points", color="0.4")  # fmt: skip
ax.set(xscale="log", yscale="log", xlabel="mean squared test error", ylabel="nats")
ax.legend()
display(fig)

# %% [markdown]
# ## What models bring
#
# A model that reaches the error $e$ brings $I(e)$ nats: what the kernel space would have needed.


# %%
def test_error(model):
    """Mean squared error on the one-hot test labels, and the share of mistakes."""
    found = model.fit(*data[:2]).predict(data[2])
    return np.mean((found - data[3]) ** 2), np.mean(found.argmax(1) != data[3].argmax(1))


def network_error(widths):
    """The same for a trained network: means of three random starts."""
    fitted = NetworkSpace(widths, epochs=300).condition(*data[:2])
    return tuple(
        float(np.mean(fitted.sample_errors(*data[2:], 0, 3, loss=loss)))
        for loss in ("squared", "zero_one")
    )


models = {
    "tree of depth 3": test_error(DecisionTreeRegressor(max_depth=3, random_state=0)),
    "linear": test_error(LinearRegression()),
    "full tree": test_error(DecisionTreeRegressor(random_state=0)),
    "MLP 16": network_error((16,)),
    "MLP 64": network_error((64,)),
    "MLP 64x64x64": network_error((64, 64, 64)),
    "1-NN": test_error(KNeighborsRegressor(1)),
}
print(f"{'model':>16} {'squared':>9} {'mistakes':>9} {'nats':>7}   (sigma = 0.3, 1, 2)")
for name, (squared, wrong) in models.items():
    brought = [inductive_bias(KernelSpace(rbf(s)), *data, squared).nats for s in (0.3, 1.0, 2.0)]
    print(f"{name:>16} {squared:9.4f} {wrong:9.3f}   " + "  ".join(f"{v:6,.0f}" for v in brought))

# %% [markdown]
# Linear, shallow, deep: the published order. But **one nearest neighbour brings more than every
# network**: the measure is a monotone function of the squared error, and hard 0/1 outputs are
# rewarded by it. By mistakes the full tree falls behind linear regression; by nats it is ahead.
# And the *size* of the number is the kernel's, not the model's: compare the columns.
#
# ## What the number counts
#
# Deep in the tail $I$ grows like $\frac{mC}{2}\log\frac1\varepsilon$: it counts test outputs. Twice
# the test set, twice the nats. Compare tasks per output, or at equal $mC$.

# %%
print("   m    nats  per output   slope 2 dI/dlog(1/eps)")
for m in (25, 50, 100, 200):
    part = X[train], Y[train], X[test[:m]], Y[test[:m]]
    one = inductive_bias(space, *part, 0.001)
    print(f"{m:4} {one.nats:7,.0f} {one.per_output:11.3f} {one.n_eff:11,.0f} of {one.m * one.C:,}")
deep = law.shift + (law.mean() - law.shift) * 1e-8
slope = float(-law.logcdf(deep) + law.logcdf(deep * np.e))
print(f"at 1e-8 of the mean: {slope:,.4f} nats a factor e, "
      f"theory {theory.SMALL_BALL_SLOPE(m=200, C=10):,.0f}")  # fmt: skip

# %% [markdown]
# ## What one chooses oneself
#
# The width of the kernel and the prior's variance are not in the data. Both move the answer by
# factors:

# %%
for sigma in (1.0, 2.0, 4.0):
    row = [
        inductive_bias(KernelSpace(rbf(sigma), variance=v), *data, 0.01).nats for v in (0.25, 1, 4)
    ]
    print(f"sigma {sigma:g}: " + ", ".join(f"{nats:7,.0f} nats" for nats in row),
          "for prior variance 1/4, 1, 4")  # fmt: skip

# %% [markdown]
# ## A verdict, and a check of your own tail
#
# Does a wider network bring more? As a claim that could fail, over random splits (small networks,
# so that it takes seconds):


# %%
@study(
    design=grid(n=200, m=100, model=inner(["MLP 4", "MLP 32"])),
    replicates=12,
    claims=[ordered("rms", along="model", increasing=["MLP 32", "MLP 4"])],
    name="wider networks bring more",
)
def wider(cell, rng, size):
    """Root mean square test errors: nats are a decreasing function of them."""
    out = np.empty((size, 2))
    for i in range(size):
        rows = np.argsort(np.asarray(rng.uniform(0.0, 1.0, size=len(X))))
        a, b = rows[: cell.n], rows[cell.n : cell.n + cell.m]
        for j, name in enumerate(cell.model):
            fitted = NetworkSpace((int(name.split()[1]),), epochs=100).condition(X[a], Y[a])
            seed = int(rng.integers(0, 2**31))
            out[i, j] = np.sqrt(fitted.sample_errors(X[b], Y[b], seed, 1)[0])
    return {"rms": out}


verdicts = verify(wider)
verdicts.to_frame()[["claim", "status", "estimate", "validity", "expected"]]

# %% [markdown]
# An own routine for such tails? Laws look for a case that breaks it. A gamma law with the right
# mean and variance is good in the bulk and fails at once:


# %%
def gamma_nats(weights, eps, *, df, nc, shift):
    """Two moments."""
    from scipy.stats import chi2

    mean = np.sum(weights * (df + nc))
    freedom = mean**2 / np.sum(weights**2 * (df + 2 * nc))
    return -chi2.logcdf(max(eps - shift, 0.0) * freedom / mean, freedom)


settings.register_profile("tutorial", derandomize=True, database=None)
settings.load_profile("tutorial")  # the same cases every time, and none stored
for broken in check_error_tail(gamma_nats, max_examples=30, collect=True)[:2]:
    print(str(broken).splitlines()[0])
    print("   ", broken.reason)

# %% [markdown]
# Three things to keep:
#
# 1. A bias is about a space, a training set, a test set and an error. Report all four; $m C$ and
#    the effective dimension are in the result.
# 2. Extrapolated fits miss half of the nats and more where the weights are spread, whatever the
#    number of samples. Where the law is known, nothing has to be fitted.
# 3. As a ranking of models on one data set it ranks squared errors, no more.
