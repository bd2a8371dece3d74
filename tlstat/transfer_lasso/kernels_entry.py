"""The compiled functions that Python calls, cached on disk.

numba's cache looks at the file of the cached function alone. So that an edit of another kernel
module is noticed, the entries close over a digest of all of them, which is part of the key.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from tlstat.transfer_lasso import kernels_engine
from tlstat.transfer_lasso.kernels import Design
from tlstat.transfer_lasso.kernels_certify import Data, column_norms

_walk, _centre = kernels_engine.walk, kernels_engine.centre


def _digest() -> int:
    sources = sorted(Path(__file__).parent.glob("kernels*.py"))
    return zlib.crc32(b"".join(source.read_bytes() for source in sources))


def _entries(digest: int) -> tuple[Callable[..., Any], ...]:
    @njit(cache=True, nogil=True, error_model="numpy")
    def walk(
        designs: Any,
        logistic: Any,
        ys: Any,
        share: Any,
        basis: Any,
        intercept: Any,
        us: Any,
        vs: Any,
        sources: Any,
        nu: Any,
        mu: Any,
        l1s: Any,
        l2s: Any,
        starts: Any,
        tol: Any,
        floors: Any,
        most: Any,
        coefs: Any,
        report: Any,
    ) -> bool:
        """Paths of a stack of problems, the first axis; a design of length 1 is shared.

        False where a column's norm is not finite: its problem and those after it are not solved.
        """
        digest  # noqa: B018
        for k in range(ys.shape[0]):
            if k == 0 or designs.dense.shape[0] > 1:
                one = Design(
                    designs.dense[k],
                    designs.data,
                    designs.indices,
                    designs.indptr,
                    designs.is_sparse,
                    designs.n,
                    designs.p,
                )
                norms = column_norms(one, intercept)
                if not np.isfinite(np.sum(norms)):
                    return False
            data = Data(logistic, ys[k], share, basis, intercept, norms, share.max())
            _walk(
                one,
                data,
                us[k],
                vs[k],
                sources[k],
                nu,
                mu,
                l1s,
                l2s,
                starts[k],
                tol,
                floors[k],
                most,
                coefs[k],
                report[k],
            )
        return True

    @njit(cache=True, nogil=True, error_model="numpy")
    def centre(logistic: Any, y: Any, share: Any, eta: Any) -> float:
        digest  # noqa: B018
        return _centre(logistic, y, share, eta)

    return walk, centre


walk, centre = _entries(_digest())
