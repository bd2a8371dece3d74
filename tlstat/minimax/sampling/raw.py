"""Raw samples, point by point: what the fast samplers are checked against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tlstat.errors import InputError
from tlstat.minimax.sampling.cells import require_sizes

_MAX_BYTES = 2**32


@dataclass(frozen=True, eq=False)
class RawSample:
    """Points and labels of ``size`` replicates.

    Attributes
    ----------
    X_P, X_Q : array, shape (size, n) or (size, n, d), or a tuple of such
        As the model draws them.
    y_P, y_Q : array of int64, shape (size, n)
    """

    X_P: Any
    y_P: Any
    X_Q: Any
    y_Q: Any


def sample_raw(model: Any, n_P: int, n_Q: int, rng: Any, size: int) -> RawSample:
    """Every point of both samples: cost and memory proportional to n.

    Parameters
    ----------
    model : any classification model of this room
    n_P, n_Q : int
        Sample sizes, 0 or more.
    rng : Random or numpy Generator
    size : int
        Number of replicates.

    Raises
    ------
    InputError
        If the points would take more than 4 GiB (said before anything is allocated).
    """
    require_sizes(n_P, n_Q, size)
    if not hasattr(model, "draw_P"):
        raise InputError(f"model is a {type(model).__name__}; expected one with points and labels")
    width = getattr(model, "d", 1) + 4
    needed = 8 * int(size) * (int(n_P) + int(n_Q)) * width
    if needed > _MAX_BYTES:
        raise InputError(
            f"n_P + n_Q is {int(n_P) + int(n_Q)} with {size} replicates, about "
            f"{needed / 2**30:.1f} GiB of points; expected at most {_MAX_BYTES / 2**30:.0f} GiB: "
            "sample_cells draws what estimators need at any sample size"
        )
    X_P, y_P = model.draw_P(rng, (int(size), int(n_P)))
    X_Q, y_Q = model.draw_Q(rng, (int(size), int(n_Q)))
    return RawSample(X_P, y_P, X_Q, y_Q)
