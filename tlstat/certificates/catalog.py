"""All certificates of the room, by name."""

from __future__ import annotations

from types import MappingProxyType

from tlstat.certificates import point

CERTIFICATES = MappingProxyType(
    {
        c.name: c
        for c in (
            point.binomial_tail_inversion,
            point.kl_inverse,
            point.hoeffding,
            point.bernstein_relaxation,
            point.hoeffding_bentkus,
            point.stratified_support,
        )
    }
)
