"""Coordinate descent on a quadratic model, by residual updates: sparse designs, logistic loss.

The model of the data fit at ``eta`` is ``-u'd + d'diag(h)d / 2`` in the change ``d`` of ``eta``. An
intercept is profiled out: columns are centred under ``h`` (``total = sum h``; 0 without
intercept), implicitly, by one number ``shift``: the true ``u`` is ``u + shift h``.
"""

from __future__ import annotations

from numba import njit

from tlstat.transfer_lasso.kernels import FAST, dot, prox


@njit(fastmath=FAST)
def _weighted_axpy(design, j, step, h, u):
    if design.is_sparse:
        for k in range(design.indptr[j], design.indptr[j + 1]):
            i = design.indices[k]
            u[i] += step * h[i] * design.data[k]
    else:
        for i in range(design.n):
            u[i] += step * h[i] * design.dense[j, i]


@njit
def epochs(design, terms, cols, hess, means, total, h, b, u, shift, count, stop):
    """At most ``count`` passes over ``cols``; ends when no step changes the model by ``stop``.

    Returns the passes made and ``shift``; updates ``b`` and ``u``.
    """
    q = terms.nu + terms.mu
    for epoch in range(count):
        largest = 0.0
        for s in range(cols.size):
            j = cols[s]
            bottom = hess[s] + q
            w = dot(design, j, u) + shift * means[s] * total
            top = hess[s] * b[j] + w + terms.mu * terms.b0[j]
            if hess[s] == 0 and terms.a[j] + terms.c[j] == 0 and q == 0:
                continue
            new = prox(top, bottom, terms.a[j], terms.c[j], terms.b0[j])
            step = new - b[j]
            if step != 0:
                _weighted_axpy(design, j, -step, h, u)
                shift += step * means[s]
                b[j] = new
                largest = max(largest, bottom * step * step)
        if largest <= stop:
            return epoch + 1, shift
    return count, shift
