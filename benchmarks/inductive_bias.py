"""Speed and accuracy of the inductive-bias room: tails, hypotheses and networks a second.

Prints tables and asserts nothing. One thread; run it on an idle machine::

    OMP_NUM_THREADS=1 python benchmarks/inductive_bias.py [--quick]
"""

import argparse
import math
import time
import tracemalloc
import warnings
from functools import partial

import mpmath as mp
import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from scipy import integrate
from sklearn.datasets import load_digits

from tlstat.backend import Random
from tlstat.inductive_bias import GeneralizedChiSquared, KernelSpace, NetworkSpace, one_hot
from tlstat.inductive_bias.kernels import rbf
from tlstat.inductive_bias.tails import contour_batch, splitting, tilted

LAWS = {
    "40 modes 1/j^2": GeneralizedChiSquared(1 / np.arange(1, 41) ** 2),
    "200 modes x 10, nc": GeneralizedChiSquared(1 / np.arange(1, 201) ** 1.5, 10, 0.3),
    "1 mode": GeneralizedChiSquared([1.0]),
    "+ - and normal": GeneralizedChiSquared([1.0, -0.5, 0.2], [2, 1, 6], [1, 0, 3], 0, 0.1),
}


def seconds(function, repeats):
    """The fastest of several calls, after one that warms up."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


# --- the classical integrals, plainly -----------------------------------------------------------


def characteristic(law, u):
    """Log of the characteristic function, modes along the last axis."""
    z = 1j * np.asarray(u)[..., None] * law.weights
    terms = -law.df / 2 * np.log(1 - 2 * z) + law.nc * z / (1 - 2 * z)
    return terms.sum(axis=-1) + 1j * u * law.shift - (law.normal_sd * u) ** 2 / 2


def imhof(law, x):
    """P(X <= x) by adaptive quadrature of Imhof's integral (Biometrika 48 (1961) 419)."""

    def integrand(u):
        value = characteristic(law, np.array([u]))[0] - 1j * u * x
        return math.exp(value.real) * math.sin(value.imag) / u

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", integrate.IntegrationWarning)
        value, _ = integrate.quad(integrand, 0, np.inf, limit=2000, epsabs=1e-12, epsrel=1e-10)
    return 0.5 - value / math.pi


def davies(law, x, accuracy=1e-12):
    """P(X <= x) by Davies' trapezoidal sum (Applied Statistics 29 (1980) 323).

    The step is set by Chernoff bounds on both tails, the cut by the modulus of the characteristic
    function.
    """
    spread, tail = law.std(), math.log(accuracy / 4)
    low, high = (
        pick((law.cgf(t) - tail) / t)
        for pick, t in ((max, -np.geomspace(1e-3, 1e3, 200)), (min, np.geomspace(1e-3, 1e3, 200)))
    )
    step = math.pi / max(high - x, x - low)
    cut = 1 / spread
    while characteristic(law, np.array([cut]))[0].real > math.log(accuracy) and cut < 1e9 * step:
        cut *= 1.3
    u = step * (np.arange(min(int(cut / step), 10**6)) + 0.5)
    value = 0.0
    for part in np.array_split(u, max(1, u.size * law.weights.size // 10**6)):
        terms = characteristic(law, part) - 1j * part * x
        value += float((np.exp(terms.real) * np.sin(terms.imag) / (part / step)).sum())
    return 0.5 - value / math.pi


def by_mpmath(law, x, digits=25):
    """``log P(X <= x)`` by quadrature along a bent line that crosses left of 0."""
    with mp.workdps(digits):
        w, df, nc = ([mp.mpf(float(v)) for v in row] for row in (law.weights, law.df, law.nc))
        rows, x = list(zip(w, df, nc, strict=True)), mp.mpf(float(x) - law.shift)
        variance = mp.mpf(law.normal_sd) ** 2

        def exponent(s):
            total = variance * s * s / 2 - s * x
            for a, d, v in rows:
                c = 1 - 2 * a * s
                total += -d / 2 * mp.log(c) + v * a * s / c
            return total

        low = max([1 / (2 * a) for a in w if a < 0], default=None)
        t = _minimum(lambda t: exponent(t) - mp.log(-t), low)
        curve = 1 / t**2 + variance
        curve += mp.fsum(
            (2 * d + 4 * v / (1 - 2 * a * t)) * (a / (1 - 2 * a * t)) ** 2 for a, d, v in rows
        )
        top = exponent(t)

        width = 1 / mp.sqrt(curve)
        side = mp.sign(x) / 2

        def integrand(y):
            v = width * mp.sinh(y)
            root = mp.sqrt(16 * width**2 + v**2)
            s = t + 1j * v + side * (root - 4 * width)
            slope = width * mp.cosh(y) * (1j + side * v / root)
            return (mp.exp(exponent(s) - top) * slope / -s).imag

        value = mp.quad(integrand, mp.linspace(0, 8, 13)) / mp.pi
        return float(top + mp.log(value))


def _minimum(function, low):
    """Minimum of a convex function on (low, 0), by golden section in a logarithm."""

    def point(u):
        return -mp.exp(u) if low is None else low * mp.exp(u) / (1 + mp.exp(u))

    a, b = mp.mpf(-40), mp.mpf(1500 if low is None else 40)
    ratio = (mp.sqrt(5) - 1) / 2
    while b - a > 1e-4:
        c, d = b - ratio * (b - a), a + ratio * (b - a)
        a, b = (a, d) if function(point(c)) < function(point(d)) else (c, b)
    return point((a + b) / 2)


# --- tables -------------------------------------------------------------------------------------


def accuracy(quick):
    """One point at a time: value, error against mpmath, evaluations a second of every method."""
    table = Table(title="one lower tail: errors against 25 digits, and evaluations a second")
    for column in ("law", "nats", "error", "a second", "mpmath", "Imhof P", "a second", "Davies P"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("a second", justify="right", no_wrap=True)
    for name, law in LAWS.items():
        if quick and name.startswith("200"):
            continue
        for nats in (1.0, 14.0, 28.0, 1000.0):
            if law.weights.size == 1 and nats == 1000.0:
                nats = 300.0
            x = law.ilogcdf(-nats)
            ours = seconds(lambda law=law, x=x: law.logcdf(x), 5)
            row = [name, f"{nats:g}", "", f"{1 / ours:,.0f}", ""]
            start = time.perf_counter()
            reference = by_mpmath(law, x)
            row[4] = f"{1 / (time.perf_counter() - start):.2f}"
            row[2] = f"{abs(law.logcdf(x) - reference):.0e}"
            for method in (imhof, davies):
                if nats > 30:
                    row += ["underflow", ""]
                    continue
                took = seconds(lambda law=law, x=x, m=method: m(law, x), 1)
                relative = method(law, x) / math.exp(-nats) - 1
                row += [f"{relative:+.0e}", f"{1 / took:,.1f}"]
            table.add_row(*row)
    return table


def throughput(quick):
    """Many points, many spectra."""
    table = Table(title="evaluations a second in batches (points x spectra)")
    available = {"numpy": "cpu", "torch": "cpu"} | (
        {"cuda": "cuda"} if torch.cuda.is_available() else {}
    )
    for column in ("modes", "spectra", "points", *available):
        table.add_column(column, justify="right", no_wrap=True)
    shapes = [(40, 1, 200), (40, 200, 1), (500, 8, 8)]
    if not quick:
        shapes += [(40, 1000, 10), (2000, 16, 16)]
    for modes, spectra, points in shapes:
        rng = np.random.default_rng(0)
        weights = np.sort(rng.exponential(size=(spectra, modes)) ** 2)
        x = weights.sum(axis=1, keepdims=True) * np.geomspace(1e-3, 1, points)
        row = [f"{modes}", f"{spectra}", f"{points}"]
        for name, device in available.items():
            w, at = weights, x
            if name != "numpy":
                w, at = (torch.as_tensor(a, device=device) for a in (weights, x))

            def once(w=w, at=at):
                value, _ = contour_batch(w, at, df=2)
                return float(value.sum())

            row.append(f"{spectra * points / seconds(once, 1 if quick else 3):,.0f}")
        table.add_row(*row)
    return table


def against_monte_carlo(quick):
    """Time for an error of 10 % of P: draws cost 100/P, a contour gives 1e-12 for its price."""
    table = Table(title="seconds for P within 10 % (plain draws: extrapolated from 1e6)")
    for column in ("law", "P", "contour", "tilted", "splitting", "plain draws", "draws/contour"):
        table.add_column(column, justify="right", no_wrap=True)
    law = LAWS["40 modes 1/j^2"]
    size = 10**5 if quick else 10**6
    a_draw = seconds(lambda: law.rvs(size, 1), 1) / size
    for p in (1e-3, 1e-6, 1e-9, 1e-100):
        x = law.ppf(p)
        exact = seconds(lambda x=x: law.logcdf(x), 5)
        tilt = seconds(lambda x=x: tilted(law, x, 1, 1000), 3)
        start = time.perf_counter()
        if p > 1e-10:
            found = splitting(lambda z: z**2 @ law.weights, 40, x, 1, 200, 10)
            took, width = time.perf_counter() - start, (found.upper - found.lower) / 4
            split = f"{took * (width / 0.1) ** 2:,.1f}"  # variance falls with the time spent
        else:
            split = ""
        plain = a_draw * 100 / p
        table.add_row(
            "40 modes", f"{p:.0e}", f"{exact:.1e}", f"{tilt:.1e}", split, f"{plain:.1e}",
            f"{plain / exact:.1e}",
        )  # fmt: skip
    return table


def memory(quick):
    """Peak of the host's memory: chunks against the whole array of points x nodes x modes."""
    table = Table(title="peak memory of a batch, MB")
    for column in ("modes", "points", "peak", "points x 48 nodes x modes x 8 bytes"):
        table.add_column(column, justify="right", no_wrap=True)
    for modes, points in ((500, 100), (500, 400 if quick else 2000)):
        weights = 1 / np.arange(1.0, modes + 1)[None]
        x = np.linspace(0.1, 1, points) * weights.sum()
        tracemalloc.start()
        contour_batch(weights, x)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        table.add_row(
            f"{modes}", f"{points}", f"{peak / 1e6:,.0f}", f"{modes * points * 48 * 8 / 1e6:,.0f}"
        )
    return table


def digits(n, m):
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))[: n + m]
    X, y = X[order] / 16, y[order]
    Y, Y_test, _ = one_hot(y[:n], y[n:])
    return X[:n], Y, X[n:], Y_test


def hypotheses(quick):
    """Test errors of interpolants drawn from a kernel space."""
    table = Table(title="hypotheses of a kernel space a second (digits, 500 + 200 points)")
    available = {"numpy": {}, "torch": {"array": "torch"}}
    if torch.cuda.is_available():
        available["cuda"] = {"array": "torch", "device": "cuda"}
    for column in ("hypotheses", *available, "functions themselves (numpy)"):
        table.add_column(column, justify="right", no_wrap=True)
    X, Y, X_test, Y_test = digits(500, 200)
    space = KernelSpace(rbf(1.0)).condition(X, Y)
    size = 10**4 if quick else 10**5
    row = [f"{size:,}"]
    for options in available.values():

        def once(options=options):
            errors = space.sample_errors(X_test, Y_test, Random(1, **options), size)
            return float(errors.sum())

        row.append(f"{size / seconds(once, 1):,.0f}")
    whole = seconds(lambda: space.sample_functions(X_test, Random(1), 500), 1)
    table.add_row(*row, f"{500 / whole:,.0f}")
    return table


def loop_of_networks(widths, X, Y, X_test, Y_test, number, epochs):
    """The usual way: one module, one optimiser, one network after the other."""
    X, Y, X_test, Y_test = (torch.as_tensor(a, dtype=torch.float32) for a in (X, Y, X_test, Y_test))
    errors = []
    for seed in range(number):
        torch.manual_seed(seed)
        sizes = [X.shape[1], *widths]
        layers = []
        for a, b in zip(sizes[:-1], sizes[1:], strict=True):
            layers += [torch.nn.Linear(a, b), torch.nn.ReLU()]
        net = torch.nn.Sequential(*layers, torch.nn.Linear(sizes[-1], Y.shape[1]))
        optimiser = torch.optim.Adam(net.parameters(), lr=3e-3)
        for _ in range(epochs):
            optimiser.zero_grad()
            ((net(X) - Y) ** 2).mean().backward()
            optimiser.step()
        with torch.no_grad():
            errors.append(float(((net(X_test) - Y_test) ** 2).mean()))
    return np.array(errors)


def networks(quick):
    """Trained networks a second, batched against a loop."""
    table = Table(title="trained networks a second (full-batch Adam, 100 steps)")
    devices = ["cpu"] + (["cuda"] if torch.cuda.is_available() else [])
    for column in ("network", "n", "loop", *(f"batched {d}" for d in devices), "ratio (cpu)"):
        table.add_column(column, justify="right", no_wrap=True)
    rng = np.random.default_rng(0)
    cases = [((8,), 20, 4), ((16,), 50, 10), ((16, 16), 100, 64)]
    for widths, n, d in cases:
        X, X_test = rng.normal(size=(n, d)), rng.normal(size=(50, d))
        Y, Y_test = (np.tanh(a[:, :1]) for a in (X, X_test))
        few, many = (3, 200) if quick else (20, 2000)
        data = (X, Y, X_test, Y_test)
        loop = seconds(partial(loop_of_networks, widths, *data, few, 100), 1) / few
        row = [f"MLP {'x'.join(map(str, widths))}", f"{n}", f"{1 / loop:,.1f}"]
        speeds = []
        for device in devices:
            space = NetworkSpace(widths, epochs=100, device=device).condition(X, Y)
            took = seconds(partial(space.sample_errors, X_test, Y_test, 1, many), 1)
            speeds.append(many / took)
            row.append(f"{many / took:,.1f}")
        table.add_row(*row, f"{speeds[0] * loop:.1f}")
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer repeats, smaller sizes")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    console = Console(width=140)
    for make in (
        accuracy, throughput, against_monte_carlo, memory, hypotheses, networks
    ):  # fmt: skip
        console.print(make(quick))


if __name__ == "__main__":
    main()
