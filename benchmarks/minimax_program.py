"""How fast is minimax risk as a number? The vote kernel, and decision problems against HiGHS.

    python benchmarks/minimax_program.py [--quick]

The peer for the kernel builds the law of the signed sum by repeated convolution; the peer for the
decision problem is HiGHS (scipy) on the whole linear program. Run on a quiet machine.
"""

import argparse
import resource
import time

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy import sparse, stats
from scipy.optimize import linprog

from tlstat.minimax.cube import bayes_lower_bound
from tlstat.minimax.program import minimax_risk
from tlstat.minimax.program_input import memory_needed
from tlstat.minimax.vote import vote_error


def seconds(function, repeats=3):
    """Seconds of the fastest of several calls."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def convolved_error(n_P, p, delta_P, n_Q, q, delta_Q):
    """Bayes error from laws built step by step: the obvious implementation."""
    laws = []
    for n, mass, delta in ((n_P, p, delta_P), (n_Q, q, delta_Q)):
        step = np.array([mass * (1 - delta) / 2, 1 - mass, mass * (1 + delta) / 2])
        law = np.ones(1)
        for _ in range(n):
            law = np.convolve(law, step)
        laws.append(law)
    joint = np.outer(*laws)
    return 0.5 * np.minimum(joint, joint[::-1, ::-1]).sum()


def kernel(quick):
    """Evaluations a second; atoms whose sign is neither clear nor hopeless."""
    table = Table(title="two-sample vote: kernel evaluations a second (one call, batched)")
    for column in ("n_P = 10 n_Q", "n p", "evaluations/s", "by convolution/s", "ratio"):
        table.add_column(column, justify="right")
    rng = np.random.default_rng(0)
    for exponent, mean in [(2, 20), (3, 20), (6, 20), (9, 20), (6, 10_000), (9, 10_000)]:
        size = 500 if quick else 20_000 if mean == 20 else 2_000
        n_P, n_Q = 10**exponent, 10 ** (exponent - 1)
        p = np.minimum(1, mean / n_P * rng.uniform(0.5, 2, size))
        delta = rng.uniform(0.3, 1.5, size) / np.sqrt(n_P * p)
        delta = np.minimum(delta, 0.99)
        arguments = (n_P, p, delta, n_Q, p, np.minimum(0.99, 2 * delta))
        rate = size / seconds(lambda a=arguments: vote_error(*a))
        slow = "-"
        ratio = "-"
        if exponent <= 3:
            single = [float(np.asarray(a).flat[0]) for a in arguments]
            single[0], single[3] = int(single[0]), int(single[3])
            peer = 1 / seconds(lambda a=single: convolved_error(*a))
            error = abs(convolved_error(*single) - vote_error(*single))
            assert error < 1e-13, error
            slow, ratio = f"{peer:,.0f}", f"{rate / peer:,.0f}"
        table.add_row(f"10^{exponent}", f"{mean:,}", f"{rate:,.0f}", slow, ratio)
    return table


def lower_bounds():
    """Optimised lower bounds a second."""
    table = Table(title="exact lower bound, optimised over cubes: 100 pairs of sample sizes, d = 9")
    table.add_column("bounds/s", justify="right")
    n_P, n_Q = np.geomspace(1e3, 1e9, 10)[:, None].round(), np.geomspace(10, 1e6, 10).round()
    took = seconds(lambda: bayes_lower_bound(n_P, n_Q, rho=2, beta_P=0.5, beta_Q=0.5, d=9), 1)
    table.add_row(f"{100 / took:,.0f}")
    return table


def game(kind, parameters, outcomes, actions):
    """A decision problem: loss and likelihood."""
    rng = np.random.default_rng(0)
    if kind == "unstructured":
        likelihood = rng.gamma(0.3, size=(parameters, outcomes))
        loss = rng.random((parameters, actions))
    elif kind == "normal mean, d = 2":
        side = int(np.sqrt(outcomes))
        edges = np.concatenate([[-np.inf], np.linspace(-4, 4, side - 1), [np.inf]])
        theta, action = rng.uniform(-2, 2, (parameters, 2)), rng.uniform(-2, 2, (actions, 2))
        first, second = (np.diff(stats.norm.cdf(edges - theta[:, [k]]), axis=1) for k in (0, 1))
        likelihood = (first[:, :, None] * second[:, None, :]).reshape(parameters, -1)
        loss = ((theta[:, None] - action) ** 2).sum(axis=2)
    else:  # trinomial counts, total variation
        n = int((np.sqrt(8 * outcomes + 1) - 3) / 2)
        i, j = (a.ravel() for a in np.indices((n + 1, n + 1)))
        counts = np.stack([i, j, n - i - j], axis=1)[i + j <= n]
        theta, action = rng.dirichlet(np.ones(3), parameters), rng.dirichlet(np.ones(3), actions)
        likelihood = np.stack([stats.multinomial.pmf(counts, n, row) for row in theta])
        loss = 0.5 * np.abs(theta[:, None] - action).sum(axis=2)
    return loss, likelihood / likelihood.sum(axis=1, keepdims=True)


KINDS = ("unstructured", "normal mean, d = 2", "trinomial")


def highs(loss, likelihood, method, limit):
    """The whole program as one would write it down; value, or None past the time limit."""
    (parameters, outcomes), actions = likelihood.shape, loss.shape[1]
    risk = np.einsum("ix,ia->ixa", likelihood, loss).reshape(parameters, -1)
    risk = sparse.hstack([sparse.csr_array(risk), -np.ones((parameters, 1))]).tocsc()
    total = sparse.kron(sparse.eye_array(outcomes), np.ones((1, actions)))
    total = sparse.hstack([total, sparse.csr_array((outcomes, 1))]).tocsc()
    result = linprog(
        np.r_[np.zeros(outcomes * actions), 1.0],
        A_ub=risk,
        b_ub=np.zeros(parameters),
        A_eq=total,
        b_eq=np.ones(outcomes),
        bounds=[(0, None)] * (outcomes * actions) + [(None, None)],
        method=method,
        options={"time_limit": limit},
    )
    return result.fun if result.status == 0 else None


def against_highs(quick):
    """Same problems, same machine, one after the other."""
    limit = 20 if quick else 300
    sizes = [(30, 600, 8), (40, 1_000, 12)]
    sizes += [] if quick else [(50, 2_000, 16), (80, 4_000, 24), (100, 8_000, 32)]
    table = Table(title=f"whole program by HiGHS (limit {limit} s) against minimax_risk")
    heads = ("parameters x outcomes x actions", "simplex [s]", "interior [s]")
    for column in (*heads, "gap 1e-3 [s]", "gap 1e-6 [s]", "faster (1e-3)", "faster (1e-6)"):
        table.add_column(column, justify="right")
    lost = {kind: set() for kind in KINDS}
    for kind in KINDS:
        for size in sizes:
            loss, likelihood = game(kind, *size)
            times = []
            for method in ("highs-ds", "highs-ipm"):
                if method in lost[kind]:
                    times.append(np.inf)
                    continue
                start = time.perf_counter()
                value = highs(loss, likelihood, method, limit)
                times.append(time.perf_counter() - start if value is not None else np.inf)
                if value is None:
                    lost[kind].add(method)
            mine = []
            for tol in (1e-3, 1e-6):
                start = time.perf_counter()
                result = minimax_risk(loss, likelihood, tol=tol, method="cutting-planes")
                mine.append(time.perf_counter() - start)
                mine[-1] = mine[-1] if result.converged else np.nan
            best = min(times)
            shown = [f"{t:.2f}" if np.isfinite(t) else f"> {limit}" for t in times]
            ratios = [
                f"{best / t:.1f}" if np.isfinite(best) else f"> {limit / t:.0f}" for t in mine
            ]
            label = f"{kind}: " + " x ".join(map(str, size))
            table.add_row(label, *shown, *(f"{t:.2f}" for t in mine), *ratios)
    return table


def alone(quick):
    """Sizes that no linear-programming solver holds here."""
    size = (60, 10_000, 24) if quick else (200, 100_000, 64)
    name = " x ".join(f"{s:,}" for s in size)
    table = Table(title=f"{name} to a relative gap of 1e-3")
    for column in ("problem", "seconds", "gap", "rounds", "estimate [GB]", "peak of process [GB]"):
        table.add_column(column, justify="right")
    for kind in KINDS:
        loss, likelihood = game(kind, *size)
        start = time.perf_counter()
        result = minimax_risk(loss, likelihood, tol=1e-3, memory=2e9)
        took = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
        need = memory_needed(*likelihood.shape, loss.shape[1], method="cutting-planes") / 1e9
        cells = (
            f"{took:.1f}",
            f"{result.gap:.1e}",
            str(result.rounds),
            f"{need:.2f}",
            f"{peak:.2f}",
        )
        table.add_row(kind, *cells)
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, about half a minute")
    quick = parser.parse_args().quick
    console = Console(width=140)
    # largest first: the peak of the process is then that of this table
    console.print(alone(quick))
    console.print(kernel(quick))
    console.print(lower_bounds())
    console.print(against_highs(quick))
