"""The generalised restricted eigenvalue (GRE) of the error bound, with what is known about it::

    phi^2 = inf v'Gv / |v|_2^2  over v != 0 in B,   G = X'X/n
    B = { (alpha-c)|v_N|_1 + (1-alpha)|v-Delta|_1 <= (alpha+c)|v_S|_1 + (1-alpha)|Delta|_1 }

with ``N`` the complement of ``S``. Derived here: the quotient does not change when ``v`` shrinks,
and ``|v-Delta|_1 - |Delta|_1`` is smallest relative to ``v`` when it does, so ``B`` may be replaced
by the cone ``k(v) <= 0`` with ::

    k(v) = sum_j (A_j |v_j| + B_j v_j),   B_j = -(1-alpha) sign(Delta_j),
    A_j = -(alpha+c) on S, alpha-c on N, plus 1-alpha where Delta_j = 0.

Hence ``phi`` depends on ``Delta`` through its signs only. The infimum is not convex (NP-hard in
general): it is exact by enumeration for small ``p``, bounded from below by a semidefinite program
for moderate ``p``, and by the smallest eigenvalue of ``G`` always. A local search gives an upper
estimate, which is never a bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tlstat.errors import InputError
from tlstat.transfer_lasso.enumeration import inside, least_quotient

__all__ = ["RestrictedEigenvalue", "cone_coefficients", "restricted_eigenvalue"]

Array = Any
Method = Literal["auto", "exact", "sdp", "smallest", "heuristic"]

EXACT_UP_TO = 15
SDP_UP_TO = 60


@dataclass(frozen=True)
class RestrictedEigenvalue:
    """What is known of ``phi^2``.

    Attributes
    ----------
    value : float
        ``phi^2`` itself, a lower bound or an upper estimate, as ``kind`` says.
    kind : {"exact", "lower bound", "heuristic upper estimate"}
    method : str
    vector : array, shape (p,), or None
        Where the value is attained, for "exact" and "heuristic upper estimate".
    """

    value: float
    kind: str
    method: str
    vector: np.ndarray | None = None

    @property
    def lower(self) -> float:
        """What an error bound may use: 0 where nothing is certified."""
        return 0.0 if self.kind == "heuristic upper estimate" else self.value


def cone_coefficients(
    support: Array, alpha: float, c: float, drift: Array | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """``A`` and ``B`` of the cone ``sum_j (A_j |v_j| + B_j v_j) <= 0``.

    Parameters
    ----------
    support : array of bool, shape (p,)
        ``S``.
    alpha, c : float
        Share of the l1 penalty, and of the level that bounds the noise; ``0 <= c <= alpha <= 1``.
    drift : array, shape (p,), optional
        ``Delta``; zero by default. Only its signs matter.

    Raises
    ------
    InputError
        If an argument is not as described.
    """
    S = np.asarray(support)
    if S.dtype != bool or S.ndim != 1:
        raise InputError(f"support has dtype {S.dtype}, shape {S.shape}; expected a mask (p,)")
    if not 0 <= c <= alpha <= 1:
        raise InputError(f"alpha is {alpha!r} and c {c!r}; expected 0 <= c <= alpha <= 1")
    signs = np.zeros(S.size) if drift is None else np.sign(np.asarray(drift, dtype=float))
    if signs.shape != S.shape:
        raise InputError(f"drift has shape {signs.shape}; expected {S.shape}")
    A = np.where(S, -(alpha + c), alpha - c) + np.where(signs == 0, 1 - alpha, 0.0)
    return A, -(1 - alpha) * signs


def restricted_eigenvalue(
    gram: Array,
    support: Array,
    *,
    alpha: float,
    c: float,
    drift: Array | None = None,
    method: Method = "auto",
) -> RestrictedEigenvalue:
    """``phi^2``, or the best that is certified about it.

    Parameters
    ----------
    gram : array, shape (p, p)
        ``X'X/n``.
    support, alpha, c, drift
        As in `cone_coefficients`.
    method : {"auto", "exact", "sdp", "smallest", "heuristic"}
        "auto": exact for ``p <= 15``, else the semidefinite bound for ``p <= 60``, else the
        smallest eigenvalue where it is positive, else the heuristic.

    Returns
    -------
    RestrictedEigenvalue
        Infinite where the cone holds nothing but 0.

    Notes
    -----
    Times on two cores: enumeration takes less than a second at ``p = 10``, up to half a minute at
    15; the semidefinite program takes about 2 s at ``p = 30``, 7 s at
    40 and a minute at 60. Its bound may be trivial: then the smallest eigenvalue is returned.

    Raises
    ------
    InputError
        For arguments that do not fit, or "exact" and "sdp" beyond their sizes.
    """
    A, B = cone_coefficients(support, alpha, c, drift)
    G = np.asarray(gram, dtype=float)
    p = A.size
    if G.shape != (p, p) or not np.all(np.isfinite(G)) or not np.allclose(G, G.T):
        raise InputError(f"gram has shape {G.shape}; expected a finite symmetric matrix, {p, p}")
    if method == "auto":
        smallest = _smallest(G, A, B)
        if p <= EXACT_UP_TO:
            method = "exact"
        elif p <= SDP_UP_TO:
            method = "sdp"
        else:
            method = "smallest" if smallest.value > 1e-12 * np.trace(G) / p else "heuristic"
    solvers = {"exact": _exact, "sdp": _sdp, "smallest": _smallest, "heuristic": _heuristic}
    if method not in solvers:
        raise InputError(f"method is {method!r}; expected auto or one of {', '.join(solvers)}")
    limit = {"exact": EXACT_UP_TO, "sdp": SDP_UP_TO}.get(method, p)
    if p > limit:
        raise InputError(f"method {method!r} is for p <= {limit}, got p = {p}")
    if np.all(np.abs(B) < A):  # k(v) > 0 for every v but 0
        return RestrictedEigenvalue(np.inf, "exact", "empty cone")
    return solvers[method](G, A, B)


def _smallest(G: np.ndarray, A: np.ndarray, B: np.ndarray) -> RestrictedEigenvalue:
    values, vectors = np.linalg.eigh(G)
    value, v = max(float(values[0]), 0.0), vectors[:, 0]
    for u in (v, -v):
        if inside(u, A, B):
            return RestrictedEigenvalue(value, "exact", "smallest eigenvalue", u)
    return RestrictedEigenvalue(value, "lower bound", "smallest eigenvalue")


def _exact(G: np.ndarray, A: np.ndarray, B: np.ndarray) -> RestrictedEigenvalue:
    start = _heuristic(G, A, B)
    value, vector = least_quotient(G, A, B, start.vector)
    return RestrictedEigenvalue(value, "exact", "enumeration", vector)


def _heuristic(G: np.ndarray, A: np.ndarray, B: np.ndarray) -> RestrictedEigenvalue:
    """Projected descent from many starts: an upper estimate, attained inside the cone."""
    p = A.size
    anchor = np.zeros(p)  # the deepest axis of the cone
    inner = int(np.argmin(A - np.abs(B)))
    anchor[inner] = -1.0 if B[inner] > 0 else 1.0
    random = np.random.default_rng(0).normal(size=(32, p))
    eigenvectors = np.linalg.eigh(G)[1].T
    starts = np.concatenate([np.eye(p), -np.eye(p), eigenvectors, -eigenvectors, random])
    v = _into_cone(starts, anchor, A, B)
    value = np.einsum("ij,jk,ik->i", v, G, v)
    step = 1 / np.linalg.eigvalsh(G)[-1]
    for _ in range(60):
        moved = _into_cone(v - step * (v @ G - value[:, None] * v), anchor, A, B)
        new = np.einsum("ij,jk,ik->i", moved, G, moved)
        better = new < value
        if not np.any(new < value * (1 - 1e-9)):
            break
        v, value = np.where(better[:, None], moved, v), np.where(better, new, value)
    i = int(np.argmin(value))
    return RestrictedEigenvalue(float(value[i]), "heuristic upper estimate", "local search", v[i])


def _into_cone(v: Array, anchor: Array, A: Array, B: Array) -> Array:
    """Unit vectors (rows), moved towards an axis inside the cone until they are in it."""
    v = v / np.linalg.norm(v, axis=1, keepdims=True)
    low, high = np.zeros((len(v), 1)), np.ones((len(v), 1))
    for _ in range(25):
        middle = (low + high) / 2
        reached = inside((1 - middle) * v + middle * anchor, A, B)[:, None]
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    share = np.where(inside(v, A, B)[:, None], 0.0, high)
    w = (1 - share) * v + share * anchor
    norm = np.linalg.norm(w, axis=1, keepdims=True)
    return np.where(norm > 1e-9, w, anchor) / np.where(norm > 1e-9, norm, 1.0)


def _sdp(G: np.ndarray, A: np.ndarray, B: np.ndarray) -> RestrictedEigenvalue:
    """A lower bound with a certificate that does not trust the solver.

    Lift ``v = z+ - z-``, ``z >= 0``, ``z+_j z-_j = 0`` and ``k'z <= 0``. For any entrywise
    non-negative ``M``, any ``w >= 0`` and any diagonal ``d``,

        phi^2 >= lambda_min( [G, -G; -G, G] - M + (w k' + k w')/2 + [0, diag d; diag d, 0] ).

    The solver proposes ``M, w, d``; they are clipped, and the eigenvalue is computed here.
    """
    import cvxpy as cp

    p = A.size
    k = np.concatenate([A + B, A - B])
    lifted = np.block([[G, -G], [-G, G]])
    scale = np.trace(G) / p
    t = cp.Variable()
    M = cp.Variable((2 * p, 2 * p), symmetric=True)
    w, d = cp.Variable(2 * p), cp.Variable(p)
    cross = cp.bmat([[np.zeros((p, p)), cp.diag(d)], [cp.diag(d), np.zeros((p, p))]])
    bent = cp.reshape(w, (2 * p, 1), order="C") @ k[None, :]
    matrix = lifted / scale - M + (bent + bent.T) / 2 + cross
    problem = cp.Problem(cp.Maximize(t), [matrix - t * np.eye(2 * p) >> 0, M >= 0, w >= 0])
    problem.solve(solver=cp.SCS, eps=1e-5, max_iters=5_000)
    fallback = _smallest(G, A, B)
    if M.value is None:
        return fallback
    N, u = np.maximum(M.value, 0), np.maximum(w.value, 0)
    D = np.diag(d.value)
    zero = np.zeros((p, p))
    certificate = lifted / scale - (N + N.T) / 2 + (np.outer(u, k) + np.outer(k, u)) / 2
    certificate += np.block([[zero, D], [D, zero]])
    values = np.linalg.eigvalsh(certificate)
    # eigenvalues are computed up to rounding of the matrix's norm
    rounding = 8 * np.finfo(float).eps * p * np.max(np.abs(values))
    bound = float(scale * (values[0] - rounding))
    if bound <= fallback.value or fallback.kind == "exact":
        return fallback
    return RestrictedEigenvalue(bound, "lower bound", "semidefinite program, certified")
