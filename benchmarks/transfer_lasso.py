"""The transfer lasso's solver beside its peers, at an equal or smaller duality gap.

Every answer is judged by the same formula, computed here: the relative gap ``(P - D)/P`` at the
worst point of the path. A peer's tolerance is tightened, half a decade at a time, until its worst
gap is at most ours, or until it has taken a minute; a gap that is still larger is marked. All
contestants run one after the other in one process, the best of a few repeats counts. Nothing
is asserted. On an idle machine::

    python benchmarks/transfer_lasso.py [--quick] [--rows plain,sparse,source,batch,compile,memory]

adelie's wheels ask for numpy below 2 but run with it: ``make bench`` installs them without their
dependencies. A peer that is not installed is left out.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
import warnings
from functools import partial

import numpy as np
from joblib import Parallel, delayed
from rich.console import Console
from rich.table import Table
from scipy import sparse
from sklearn.linear_model import Lasso, lasso_path

from tlstat.transfer_lasso import lambda_max, solve_batch, transfer_lasso_path

console = Console()
POINTS, RATIO, TOL = 50, 1e-2, 1e-6
PATIENCE = 60.0
HALF_DECADES = 10.0 ** -np.arange(4, 16.5, 0.5)


def timed(function, repeats):
    """The least time of ``repeats`` calls, and the last answer; one call where it is long."""
    best, answer = np.inf, None
    for _ in range(repeats):
        start = time.perf_counter()
        answer = function()
        best = min(best, time.perf_counter() - start)
        if best > 5:
            break
    return best, answer


def worst_gap(X, y, lams, alpha, b0, coefs):
    """The largest relative duality gap along a path: the one formula for all contestants."""
    n, worst = len(y), 0.0
    for lam, b in zip(lams, coefs, strict=True):
        a, c = lam * alpha, lam * (1 - alpha)
        r = y - X @ b
        primal = r @ r / (2 * n) + a * np.abs(b).sum() + c * np.abs(b - b0).sum()
        w = X.T @ r / n
        scale = min(1.0, lam / np.abs(w).max())
        conjugate = np.abs(b0) * (np.maximum(0, np.sign(b0) * scale * w - (a - c)) - c)
        dual = scale * (y @ r) / n - scale**2 * (r @ r) / (2 * n) - conjugate.sum()
        worst = max(worst, (primal - dual) / primal)
    return worst


def tightened(run, gap_of, goal, tolerances, repeats):
    """Time a peer at the first tolerance at which its gap is ``goal`` or less."""
    result = None
    start = time.perf_counter()
    for tol in tolerances:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                seconds, coefs = timed(lambda tol=tol: run(tol), 1)
                gap = gap_of(coefs)
                if gap <= goal and seconds < 5:
                    seconds = min(seconds, timed(lambda tol=tol: run(tol), repeats - 1)[0])
        except Exception as error:  # a peer that cannot do the row is reported, not fatal
            return np.nan, np.nan, f"{type(error).__name__}: {error}"[:60]
        result = seconds, gap, "" if gap <= goal else "gap too large"
        if gap <= goal or time.perf_counter() - start > PATIENCE:
            break
    return result


# --- designs ------------------------------------------------------------------------------------


def autoregressive(n, p, rng, rho=0.5):
    X = rng.normal(size=(n, p))
    X = np.asfortranarray(X)
    for j in range(1, p):
        X[:, j] = rho * X[:, j - 1] + np.sqrt(1 - rho**2) * X[:, j]
    return X


def response(X, rng):
    n, p = X.shape
    beta = np.zeros(p)
    support = rng.choice(p, max(5, n // 20), replace=False)
    beta[support] = rng.normal(size=len(support))
    signal = X @ beta
    return signal + rng.normal(size=n) * np.std(signal) / 3, beta


# --- peers: each returns coefficients, one row a point --------------------------------------------


def by_sklearn(X, y, lams, tol):
    return lasso_path(X, y, alphas=lams, tol=tol, max_iter=1_000_000)[1].T


def by_celer(X, y, lams, tol):
    import celer

    return celer.celer_path(X, y, "lasso", alphas=lams, tol=tol, max_iter=200)[1].T


def by_skglm(X, y, lams, tol, penalty=None):
    from skglm.datafits import Quadratic
    from skglm.penalties import L1
    from skglm.solvers import AndersonCD

    solver = AndersonCD(
        tol=tol, max_iter=500, max_epochs=100_000, warm_start=True, fit_intercept=False
    )
    datafit, penalty = Quadratic(), penalty or L1(1.0)
    coefs = np.zeros((len(lams), X.shape[1]))
    w, fitted = np.zeros(X.shape[1]), np.zeros(len(y))
    for k, lam in enumerate(lams):
        penalty.alpha = lam
        w = solver.solve(X, y, datafit, penalty, w, fitted)[0]
        coefs[k], fitted = w, np.asarray(X @ w)
    return coefs


def by_adelie(X, y, lams, tol):
    import adelie

    design = adelie.matrix.sparse(X) if sparse.issparse(X) else X
    state = adelie.grpnet(
        X=design,
        glm=adelie.glm.gaussian(y),
        lmda_path=lams,
        tol=tol,
        max_iters=10_000_000,
        intercept=False,
        progress_bar=False,
        early_exit=False,
    )
    return state.betas.toarray()


def peers():
    """The peers that are installed; loaded for the rows that need them, not beside the others."""
    optional = {"celer": by_celer, "skglm": by_skglm, "adelie": by_adelie}
    found = {name: run for name, run in optional.items() if importlib.util.find_spec(name)}
    return {"scikit-learn": by_sklearn, **found}


def transfer_penalty():
    """This penalty as a plug-in of skglm: prox and distance to the subdifferential."""
    from numba import float64
    from skglm.penalties.base import BasePenalty

    class Transfer(BasePenalty):
        def __init__(self, alpha, share, b0):
            self.alpha, self.share, self.b0 = alpha, share, b0

        def get_spec(self):
            return (("alpha", float64), ("share", float64), ("b0", float64[:]))

        def params_to_dict(self):
            return dict(alpha=self.alpha, share=self.share, b0=self.b0)

        def value(self, w):
            a, c = self.alpha * self.share, self.alpha * (1 - self.share)
            return a * np.sum(np.abs(w)) + c * np.sum(np.abs(w - self.b0))

        def prox_1d(self, value, stepsize, j):
            a = self.alpha * self.share * stepsize
            c = self.alpha * (1 - self.share) * stepsize
            k1, k2 = min(self.b0[j], 0.0), max(self.b0[j], 0.0)
            m = np.sign(self.b0[j]) * (a - c)
            if value + a + c < k1:
                return value + a + c
            if value - m <= k1:
                return k1
            if value - m < k2:
                return value - m
            if value - a - c <= k2:
                return k2
            return value - a - c

        def subdiff_distance(self, w, grad, ws):
            a, c = self.alpha * self.share, self.alpha * (1 - self.share)
            out = np.zeros(len(ws))
            for k, j in enumerate(ws):
                low, high = -a - c, a + c
                if w[j] > 0:
                    low += 2 * a
                if w[j] < 0:
                    high -= 2 * a
                if w[j] > self.b0[j]:
                    low += 2 * c
                if w[j] < self.b0[j]:
                    high -= 2 * c
                out[k] = max(0.0, low + grad[k], -grad[k] - high)
            return out

        def is_penalized(self, n_features):
            return np.ones(n_features, dtype=np.bool_)

        def generalized_support(self, w):
            # a coordinate at its source is at rest too, but skglm's extrapolation sets to zero
            # what is outside its working set: it has to hold everything that is not zero
            return w != 0

    return Transfer


# --- rows -----------------------------------------------------------------------------------------


def plain_rows(quick):
    sizes = [(200, 500), (500, 5000), (1000, 20_000)]
    rng = np.random.default_rng(0)
    for n, p in sizes[: 2 if quick else 3]:
        X = autoregressive(n, p, rng)
        yield f"AR(0.5), {n} x {p}", X, response(X, rng)[0]


def sparse_rows(quick):
    rng = np.random.default_rng(1)
    n, p = (2000, 20_000) if quick else (10_000, 100_000)
    X = sparse.random(n, p, 1e-3, "csc", random_state=rng, data_rvs=rng.standard_normal)
    X.sort_indices()
    yield f"sparse 1e-3, {n} x {p}", X, response(X, rng)[0]


def against_peers(title, rows, quick):
    table = Table(title=title)
    for head in ("design", "", "seconds", "worst gap", "times ours", "pass X'r", "passes"):
        table.add_column(head, justify="left" if head in ("design", "") else "right")
    repeats = 2 if quick else 5
    for name, X, y in rows:
        lams = lambda_max(X, y, 1.0) * np.geomspace(1, RATIO, POINTS)
        zero = np.zeros(X.shape[1])
        transfer_lasso_path(X, y, lams=lams[:2], alpha=1.0)  # compiled before the clock starts

        def gap_of(coefs, X=X, y=y, lams=lams, zero=zero):
            return worst_gap(X, y, lams, 1.0, zero, coefs)

        one_pass = timed(lambda X=X, y=y: X.T @ y, 20)[0]
        own, path = timed(
            lambda X=X, y=y, lams=lams: transfer_lasso_path(X, y, lams=lams, alpha=1.0, tol=TOL),
            repeats,
        )
        goal = max(gap_of(path.coefs), TOL)
        table.add_row(
            name, "tlstat", f"{own:.4f}", f"{gap_of(path.coefs):.1e}", "1",
            f"{1e3 * one_pass:.3f} ms", f"{own / one_pass:.0f}",
        )  # fmt: skip
        for peer, run in peers().items():
            seconds, gap, note = tightened(
                lambda tol, run=run, X=X, y=y, lams=lams: run(X, y, lams, tol),
                gap_of,
                goal,
                HALF_DECADES,
                repeats,
            )
            table.add_row("", peer, f"{seconds:.4f}", f"{gap:.1e}", f"{seconds / own:.2f}", note)
        console.print(f"done: {name}")
    console.print(table)


def source_row(quick):
    """A source with 80 % of the support right: the own lasso path, skglm's plug-in, cvxpy."""
    table = Table(title="with a source, alpha = 0.75")
    for head in ("design", "", "seconds", "worst gap", "times ours", "of its b0 = 0 path"):
        table.add_column(head, justify="left" if head in ("design", "") else "right")
    rng = np.random.default_rng(2)
    repeats = 2 if quick else 5
    for n, p in [(200, 500), (500, 5000), (1000, 20_000)][: 2 if quick else 3]:
        X = autoregressive(n, p, rng)
        y, beta = response(X, rng)
        b0 = beta * (rng.random(p) < 0.8)
        wrong = rng.choice(p, max(1, np.count_nonzero(beta) // 5), replace=False)
        b0[wrong] += rng.normal(size=len(wrong))
        alpha = 0.75
        lams = lambda_max(X, y, alpha, b0) * np.geomspace(1, RATIO, POINTS)
        plain = lambda_max(X, y, 1.0) * np.geomspace(1, RATIO, POINTS)

        def gap_of(coefs, X=X, y=y, lams=lams, b0=b0):
            return worst_gap(X, y, lams, 0.75, b0, coefs)

        own, path = timed(
            lambda X=X, y=y, lams=lams, b0=b0: transfer_lasso_path(
                X, y, lams=lams, alpha=0.75, source_coef=b0, tol=TOL
            ),
            repeats,
        )
        lasso = timed(
            lambda X=X, y=y, plain=plain: transfer_lasso_path(X, y, lams=plain, alpha=1.0), repeats
        )[0]
        gap = gap_of(path.coefs)
        table.add_row(
            f"AR(0.5), {n} x {p}", "tlstat", f"{own:.4f}", f"{gap:.1e}", "1", f"{own / lasso:.2f}"
        )
        table.add_row("", "tlstat, b0 = 0", f"{lasso:.4f}", "", f"{lasso / own:.2f}")
        if "skglm" in peers():
            penalty = transfer_penalty()(1.0, alpha, b0)
            by_skglm(X, y, lams[:2], 1e-3, penalty)
            seconds, theirs, note = tightened(
                lambda tol, X=X, y=y, lams=lams, penalty=penalty: by_skglm(
                    X, y, lams, tol, penalty
                ),
                gap_of,
                max(gap, TOL),
                HALF_DECADES,
                repeats,
            )
            table.add_row(
                "",
                "skglm plug-in",
                f"{seconds:.4f}",
                f"{theirs:.1e} {note}",
                f"{seconds / own:.2f}",
            )
        if p == 500:
            some = range(0, POINTS, 10)
            seconds, coefs = timed(partial(by_cvxpy, X, y, lams[some], alpha, b0), 1)
            theirs = worst_gap(X, y, lams[some], alpha, b0, coefs)
            seconds *= POINTS / len(some)
            table.add_row(
                "", "cvxpy (5 points, times 10)", f"{seconds:.4f}", f"{theirs:.1e}",
                f"{seconds / own:.0f}",
            )  # fmt: skip
    console.print(table)


def by_cvxpy(X, y, lams, alpha, b0):
    import cvxpy as cp

    b, level = cp.Variable(X.shape[1]), cp.Parameter(nonneg=True)
    fit = cp.sum_squares(y - X @ b) / (2 * len(y))
    terms = alpha * cp.norm1(b) + (1 - alpha) * cp.norm1(b - b0)
    problem = cp.Problem(cp.Minimize(fit + level * terms))
    coefs = []
    for lam in lams:
        level.value = lam
        problem.solve(solver=cp.CLARABEL)
        coefs.append(b.value.copy())
    return np.array(coefs)


def batch_row(quick):
    """Many small problems: threads and torch against scikit-learn through joblib."""
    size, n, p, ratio = (200 if quick else 1000), 100, 200, 0.1
    rng = np.random.default_rng(3)
    X = rng.normal(size=(size, n, p))
    X = np.swapaxes(np.ascontiguousarray(np.swapaxes(X, 1, 2)), 1, 2)  # each Fortran-ordered
    beta = np.zeros(p)
    beta[:10] = 1
    y = X @ beta + rng.normal(size=(size, n))
    largest = np.abs(np.einsum("bnp,bn->bp", X, y)).max(1) / n
    l1 = ratio * largest
    zero = np.zeros(p)
    repeats = 2 if quick else 5

    def gap_of(coefs):
        return max(worst_gap(X[k], y[k], [l1[k]], 1.0, zero, [coefs[k]]) for k in range(0, size, 5))

    title = f"{size} problems, n = {n}, p = {p}, lam = {ratio:g} lam_max, {os.cpu_count()} cores"
    table = Table(title=title)
    for head in ("", "seconds", "worst gap", "times ours"):
        table.add_column(head, justify="left" if head == "" else "right")
    solve_batch(X[:2], y[:2], l1[:2], 0.0)
    own, answer = timed(lambda: solve_batch(X, y, l1, 0.0, tol=TOL), repeats)
    goal = max(gap_of(answer.coef), TOL)
    table.add_row("tlstat, threads", f"{own:.4f}", f"{gap_of(answer.coef):.1e}", "1")

    def fit(k, tol):
        model = Lasso(alpha=l1[k], fit_intercept=False, tol=tol, max_iter=100_000)
        return model.fit(X[k], y[k]).coef_

    with Parallel(n_jobs=-1) as parallel:
        parallel(delayed(fit)(k, 1e-4) for k in range(8))  # workers started before the clock
        seconds, gap, note = tightened(
            lambda tol: parallel(delayed(fit)(k, tol) for k in range(size)),
            gap_of,
            goal,
            HALF_DECADES,
            repeats,
        )
    table.add_row(
        f"scikit-learn, joblib {note}", f"{seconds:.4f}", f"{gap:.1e}", f"{seconds / own:.2f}"
    )
    batch_torch(table, X, y, l1, own, gap_of, repeats)
    console.print(table)


def batch_torch(table, X, y, l1, own, gap_of, repeats):
    import torch

    for device in ("cpu", "cuda"):
        if device == "cuda" and not torch.cuda.is_available():
            continue
        given = [torch.from_numpy(np.ascontiguousarray(x)).to(device) for x in (X, y, l1)]

        def run(given=given, device=device):
            coefs = solve_batch(*given, 0.0, tol=TOL).coef
            if device == "cuda":
                torch.cuda.synchronize()
            return coefs

        run()
        seconds, coefs = timed(run, repeats)
        gap = gap_of(coefs.cpu().numpy())
        table.add_row(
            f"tlstat, torch {device}", f"{seconds:.4f}", f"{gap:.1e}", f"{seconds / own:.2f}"
        )


def compile_row(quick):
    """The first call in a fresh process: with an empty cache, and with a filled one."""
    code = (
        "import time; t = time.perf_counter(); import numpy as np;"
        "from tlstat.transfer_lasso import solve; u = time.perf_counter();"
        "solve(np.eye(3), np.ones(3), .1, .1); v = time.perf_counter();"
        "solve(np.eye(3), np.ones(3), .1, .1); w = time.perf_counter();"
        "print(u - t, v - u, w - v)"
    )
    table = Table(title="the first call, seconds")
    for head in ("numba cache", "import", "first call", "second call"):
        table.add_column(head, justify="left" if head == "numba cache" else "right")
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        for state in ("cold", "warm"):
            done = subprocess.run(
                [sys.executable, "-c", code], env=environment, capture_output=True, text=True,
                check=True,
            )  # fmt: skip
            table.add_row(state, *(f"{float(x):.4f}" for x in done.stdout.split()))
    console.print(table)


def memory_row(quick):
    """What a path adds to the resident memory at its peak, beside the size of X; Linux alone."""
    n, p = (500, 5000) if quick else (1000, 20_000)
    code = (
        "import numpy as np; from tlstat.transfer_lasso import transfer_lasso_path;"
        "status = lambda: open('/proc/self/status').read().split('VmHWM:')[1];"
        "peak = lambda: float(status().split()[0]) / 1024;"
        "rng = np.random.default_rng(0);"
        # drawn in its layout: a temporary copy would hide one made later
        f"X = rng.normal(size=({p}, {n})).T if {{order}} else rng.normal(size=({n}, {p}));"
        "y = X[:, :20].sum(1);"
        "small = np.asfortranarray(X[:20, :20]); transfer_lasso_path(small, y[:20], n_lams=2);"
        "open('/proc/self/clear_refs', 'w').write('5');"  # the peak starts anew
        "before = peak(); transfer_lasso_path(X, y, n_lams=50, alpha=1.0); print(peak() - before)"
    )
    table = Table(title=f"memory of a path, X of {n} x {p} is {8e-6 * n * p:.0f} MB")
    table.add_column("layout")
    table.add_column("added to the peak, MB", justify="right")
    for layout, order in (("Fortran", "True"), ("C", "False")):
        call = [sys.executable, "-c", code.replace("{order}", order)]
        done = subprocess.run(call, capture_output=True, text=True, check=True)
        table.add_row(layout, f"{float(done.stdout):.0f}")
    console.print(table)


ROWS = {
    "plain": lambda quick: against_peers("lasso paths, dense", plain_rows(quick), quick),
    "sparse": lambda quick: against_peers("lasso paths, sparse", sparse_rows(quick), quick),
    "source": source_row,
    "batch": batch_row,
    "compile": compile_row,
    "memory": memory_row,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="smaller rows, fewer repeats")
    parser.add_argument("--rows", default=",".join(ROWS), help="which, separated by commas")
    chosen = parser.parse_args()
    for row in chosen.rows.split(","):
        ROWS[row](chosen.quick)


if __name__ == "__main__":
    main()
