"""Decision trees of bounded depth on n bits, weighted by trees or by functions."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from tlstat.errors import InputError
from tlstat.inductive_bias.spaces.boolean import bits
from tlstat.inductive_bias.spaces.finite import CubeSpace, cube

# pairs of subtrees that are joined one by one
PAIRS_MAX = 4_000_000


class TreeSpace(CubeSpace):
    """Decision trees on `n` bits with at most `depth` tests on any path.

    Parameters
    ----------
    n : int
        Number of bits, at most 5.
    depth : int
        At least 0; a leaf is a tree of depth 0.
    prior : {"trees", "functions"}
        Every tree alike (``T_0 = 2``, ``T_d = 2 + n T_{d-1}^2`` of them; a test may be repeated
        along a path), or every distinct function.
    """

    def __init__(self, n: int, depth: int, prior: str = "trees") -> None:
        bits(n, 5)
        if isinstance(depth, bool) or not isinstance(depth, int | np.integer) or depth < 0:
            raise InputError(f"depth is {depth!r}; expected a whole number of at least 0")
        if prior not in ("trees", "functions"):
            raise InputError(f"prior is {prior!r}; expected trees or functions")
        counted = _count(n, int(depth))
        codes = sorted(counted)
        places = np.arange((1 << n) - 1, -1, -1)
        table = ((np.array(codes)[:, None] >> places) & 1).astype(bool)
        super().__init__(
            cube(n),
            table,
            counts=[counted[c] for c in codes] if prior == "trees" else None,
            name=f"decision trees of depth {depth} on {n} bits, weighted by {prior}",
        )


def _count(n: int, depth: int) -> dict[int, int]:
    """Number of trees of every function; a function is its truth table as an integer."""
    size = 1 << n
    full = (1 << size) - 1
    X = cube(n)
    ones = [sum(1 << (size - 1 - p) for p in range(size) if X[p, i]) for i in range(n)]
    leaves = {0: 1, full: 1}
    trees = dict(leaves)
    for _ in range(depth):
        grown: dict[int, int] = defaultdict(int, leaves)
        for mask in ones:
            low, high = _halves(trees, full ^ mask), _halves(trees, mask)
            if len(low) * len(high) > PAIRS_MAX:
                raise InputError(
                    f"n is {n} with depth {depth}: too many functions to count; expected a "
                    "smaller depth or number of bits"
                )
            for f, a in low.items():
                for g, b in high.items():
                    grown[f | g] += a * b
        trees = dict(grown)
    return trees


def _halves(trees: dict[int, int], mask: int) -> dict[int, int]:
    """Trees by what they do on half of the cube."""
    out: dict[int, int] = defaultdict(int)
    for code, count in trees.items():
        out[code & mask] += count
    return out
