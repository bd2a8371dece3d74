"""Small deterministic finite automata, weighted by automata or by behaviours."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.inductive_bias.spaces.finite import FiniteSpace


class AutomatonSpace(FiniteSpace):
    """Automata with `q` states on strings of 0 and 1, up to a length, starting in state 0.

    Parameters
    ----------
    q : int
        Number of states, from 1 to 4: 2, 64, 5832 and 1,048,576 automata.
    max_length : int
        Strings of at most this length are told apart (at most 8).
    prior : {"automata", "behaviours"}
        Every automaton alike, so that simple behaviours weigh more, or every distinct behaviour.

    Notes
    -----
    Inputs are strings such as ``"0110"``; ``""`` is the empty one.
    """

    def __init__(self, q: int, max_length: int = 6, prior: str = "automata") -> None:
        if isinstance(q, bool) or q not in (1, 2, 3, 4):
            raise InputError(f"q is {q!r}; expected a number of states from 1 to 4")
        if isinstance(max_length, bool) or max_length not in range(1, 9):
            raise InputError(f"max_length is {max_length!r}; expected a length from 1 to 8")
        if prior not in ("automata", "behaviours"):
            raise InputError(f"prior is {prior!r}; expected automata or behaviours")
        strings = strings_up_to(max_length)
        table, counts = _behaviours(q, strings)
        super().__init__(
            strings,
            table,
            counts=counts if prior == "automata" else None,
            name=f"automata with {q} states, weighted by {prior}",
        )


def strings_up_to(length: int) -> list[str]:
    """All strings of 0 and 1 of at most this length, short ones first."""
    return ["".join(s) for k in range(length + 1) for s in product("01", repeat=k)]


def _behaviours(q: int, strings: list[str]) -> tuple[np.ndarray, list[int]]:
    """Distinct behaviours on the strings, and the number of automata of each."""
    transitions = np.array(list(product(range(q), repeat=2 * q))).reshape(-1, q, 2)
    every = np.arange(len(transitions))
    states: dict[str, np.ndarray] = {"": np.zeros(len(transitions), dtype=np.int64)}
    for s in strings[1:]:
        states[s] = transitions[every, states[s[:-1]], int(s[-1])]
    reached = np.stack([states[s] for s in strings], axis=1)
    packed = []
    for accepting in product((False, True), repeat=q):
        packed.append(np.packbits(np.array(accepting)[reached], axis=1))
    rows, counts = _unique_rows(packed)
    table = np.unpackbits(rows, axis=1, count=len(strings)).astype(bool)
    return table, counts


def _unique_rows(parts: Iterable[np.ndarray]) -> tuple[np.ndarray, list[int]]:
    merged: dict[Any, int] = {}
    for part in parts:
        rows, counts = np.unique(part, axis=0, return_counts=True)
        for row, count in zip(rows, counts.tolist(), strict=True):
            key = row.tobytes()
            merged[key] = merged.get(key, 0) + count
    keys = sorted(merged)
    rows = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(len(keys), -1)
    return rows, [merged[key] for key in keys]
