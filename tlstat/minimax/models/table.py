"""A finite class of which only excess risks and disagreements are known."""

from __future__ import annotations

from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.minimax.models.checks import require


class ExcessTable:
    """A finite class of which only excess risks and disagreements are known.

    Parameters
    ----------
    excess_P, excess_Q : array_like, shape (H,)
        Excess risks of the hypotheses, 0 or above; the source's has a 0, at its best hypothesis.
    disagreement_P, disagreement_Q : array_like, shape (H,), optional
        Masses on which hypotheses differ from the best of the same law.
    disagreement_Q_from_source : array_like, shape (H,), optional
        Target masses on which they differ from the source's best; by default ``disagreement_Q``,
        which is right where both laws have the same best hypothesis.

    Raises
    ------
    InputError
        Vectors of different lengths, or entries that are negative, NaN or infinite.
    """

    def __init__(
        self,
        excess_P: Any,
        excess_Q: Any,
        disagreement_P: Any = None,
        disagreement_Q: Any = None,
        disagreement_Q_from_source: Any = None,
    ) -> None:
        if disagreement_Q_from_source is None:
            disagreement_Q_from_source = disagreement_Q
        given = {
            "excess_P": excess_P,
            "excess_Q": excess_Q,
            "disagreement_P": disagreement_P,
            "disagreement_Q": disagreement_Q,
            "disagreement_Q_from_source": disagreement_Q_from_source,
        }
        self._table = {k: np.asarray(v, dtype=float) for k, v in given.items() if v is not None}
        shape = np.shape(excess_P)
        for name, value in self._table.items():
            if value.ndim != 1 or value.size == 0 or value.shape != shape:
                raise InputError(
                    f"{name} has shape {value.shape}; expected one number per hypothesis, "
                    f"as excess_P of shape {shape}"
                )
            if not (np.isfinite(value) & (value >= 0)).all():
                raise InputError(f"{name} has an entry that is negative, NaN or infinite")
        smallest = float(self._table["excess_P"].min())
        require("the smallest excess_P", smallest, smallest == 0, "0, at the best hypothesis")

    def _column(self, name: str, index: Any) -> np.ndarray:
        if name not in self._table:
            raise InputError(f"this check needs {name}, which the table was not given")
        return self._table[name][index]

    @property
    def floor(self) -> float:
        """Target excess risk of the source's best hypothesis (of several, the best)."""
        return float(self._table["excess_Q"][self._table["excess_P"] == 0].min())

    def hypotheses(self) -> np.ndarray:
        """Indices of all hypotheses."""
        return np.arange(self._table["excess_P"].size)

    def excess_P(self, index: Any) -> np.ndarray:
        """Source excess risk of hypotheses."""
        return self._column("excess_P", index)

    def excess_Q(self, index: Any) -> np.ndarray:
        """Target excess risk of hypotheses."""
        return self._column("excess_Q", index)

    def disagreement_P(self, index: Any) -> np.ndarray:
        """Source mass on which hypotheses differ from the source's best."""
        return self._column("disagreement_P", index)

    def disagreement_Q(self, index: Any) -> np.ndarray:
        """Target mass on which hypotheses differ from the target's best."""
        return self._column("disagreement_Q", index)

    def disagreement_Q_from_source(self, index: Any) -> np.ndarray:
        """Target mass on which hypotheses differ from the source's best."""
        return self._column("disagreement_Q_from_source", index)
