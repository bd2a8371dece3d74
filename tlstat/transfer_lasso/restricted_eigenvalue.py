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
    Times on two cores: the semidefinite program takes about 2 s at ``p = 30``, 7 s at
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


def _inside(v: np.ndarray, A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Whether directions (..., p) lie in the cone, up to rounding."""
    size = np.sum(np.abs(v), axis=-1)
    return np.asarray(np.abs(v) @ A + v @ B <= 1e-12 * size)


def _smallest(G: np.ndarray, A: np.ndarray, B: np.ndarray) -> RestrictedEigenvalue:
    values, vectors = np.linalg.eigh(G)
    v = vectors[:, 0]
    for u in (v, -v):
        if _inside(u, A, B):
            return RestrictedEigenvalue(float(values[0]), "exact", "smallest eigenvalue", u)
    return RestrictedEigenvalue(max(float(values[0]), 0.0), "lower bound", "smallest eigenvalue")


# --------------------------------------------------------------------------- enumeration


def _exact(G: np.ndarray, A: np.ndarray, B: np.ndarray) -> RestrictedEigenvalue:
    """The least over the faces of the cone whose smallest eigenvector lies inside.

    In the relative interior of a face the quotient is one of a subspace, whose local minima are
    global: so a minimiser is the smallest eigenvector of the subspace that its face spans (where
    that eigenvalue is multiple, a smaller face attains it as well). A face is a set of coordinates,
    without the constraint or with it active (then with signs). Sets whose own smallest eigenvalue
    is no better than the best value by more than rounding are passed over.
    """
    p = A.size
    start = _heuristic(G, A, B)
    best, where = start.value, start.vector
    rounding = 1e-11 * np.trace(G) / p
    masks = (np.arange(1, 2**p)[:, None] >> np.arange(p)) & 1
    sizes = masks.sum(axis=1)
    spectra = []
    for k in range(1, p + 1):
        sets = np.nonzero(masks[sizes == k])[1].reshape(-1, k)
        values, vectors = np.linalg.eigh(G[sets[:, :, None], sets[:, None, :]])
        spectra.append((sets, values, vectors))
        for sign in (1.0, -1.0):
            u = sign * vectors[:, :, 0]
            size = np.sum(np.abs(u), axis=1)
            k_of_u = np.sum(A[sets] * np.abs(u) + B[sets] * u, axis=1)
            reached = np.where(k_of_u <= 1e-12 * size, values[:, 0], np.inf)
            at = int(np.argmin(reached))
            if reached[at] < best:
                best, where = float(reached[at]), np.zeros(p)
                where[sets[at]] = u[at]
    for sets, values, vectors in spectra[1:]:
        for i in np.flatnonzero(values[:, 0] < best - rounding):
            if values[i, 0] >= best - rounding:
                continue
            J = sets[i]
            found = _active_face(values[i], vectors[i], A[J], B[J], best, rounding)
            if found is not None:
                best, where = found[0], np.zeros(p)
                where[J] = found[1]
    return RestrictedEigenvalue(max(float(best), 0.0), "exact", "enumeration", where)


def _active_face(
    values: Array, vectors: Array, A: Array, B: Array, best: float, rounding: float
) -> tuple[float, Array] | None:
    """The least over sign patterns of the subspace ``sum_j (A_j s_j + B_j) v_j = 0``.

    Nothing where the best value is not improved.
    """
    k = A.size
    multiple = int(np.sum(values <= values[0] + rounding))
    if multiple > 2:
        return None
    signs = 1 - 2.0 * ((np.arange(2**k)[:, None] >> np.arange(k)) & 1)
    if not np.any(B):  # v and -v are one
        signs = signs[signs[:, 0] > 0]
    slopes = A + B * signs
    # the constraint cannot bind where all slopes have one sign
    keep = (slopes.min(axis=1) <= 0) & (slopes.max(axis=1) >= 0)
    signs, normals = signs[keep], (slopes * signs)[keep]
    along = normals @ vectors
    if multiple == 2:
        root = np.full(len(signs), values[0])
        u = along[:, 1:2] * vectors[:, 0] - along[:, 0:1] * vectors[:, 1]
    else:
        root = _secular(values, along**2, best)
        kept = root < best
        root, signs, along = root[kept], signs[kept], along[kept]
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = along / (values - root[:, None])
        u = np.where(np.isfinite(parts), parts, 0.0) @ vectors.T
    norm = np.linalg.norm(u, axis=1, keepdims=True)
    u = u / np.where(norm > 0, norm, 1.0)
    for v in (u, -u):
        fits = (norm[:, 0] > 0) & np.all(v * signs >= -1e-9, axis=1) & (root < best)
        if np.any(fits):
            i = int(np.argmin(np.where(fits, root, np.inf)))
            return float(root[i]), v[i]
    return None


def _secular(values: Array, weights: Array, best: float) -> Array:
    """The smallest eigenvalue on hyperplanes, infinite where it is not below ``best``.

    With a normal ``a``, ``sum_i (a'q_i)^2 / (lambda_i - x) = 0`` between the two smallest
    eigenvalues ``lambda_i``; rows of ``weights`` hold ``(a'q_i)^2``.
    """
    low = np.full(len(weights), values[0])
    high = np.full(len(weights), min(values[1], best))
    rows = np.arange(len(weights))
    if best < values[1]:
        rows = np.flatnonzero(np.sum(weights / (values - best), axis=1) > 0)
    out = np.full(len(weights), np.inf)
    low, high, weights = low[rows], high[rows], weights[rows]
    for _ in range(60):
        middle = (low + high) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            above = np.nansum(weights / (values - middle[:, None]), axis=1) > 0
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    out[rows] = (low + high) / 2
    return out


# --------------------------------------------------------------------------- other values


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
        inside = _inside((1 - middle) * v + middle * anchor, A, B)[:, None]
        low, high = np.where(inside, low, middle), np.where(inside, middle, high)
    share = np.where(_inside(v, A, B)[:, None], 0.0, high)
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
    bound = scale * (float(values[0]) - rounding)
    if bound <= fallback.value or fallback.kind == "exact":
        return fallback
    return RestrictedEigenvalue(bound, "lower bound", "semidefinite program, certified")
