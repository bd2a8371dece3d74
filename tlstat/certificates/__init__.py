"""From a count of errors to a guarantee: risk certificates for selected models.

A certificate is an object (`Certificate`) that is called with the errors of a candidate on fresh
examples and returns an upper limit for its risk; it fails with probability at most ``delta``.
``CERTIFICATES`` lists them all. The union over a finite class is `finite_class`; on data,
`certify` and `CertifiedSelector` choose, certify and say what they relied on.

Motivated by arXiv:2502.06970, which certifies the best of M sampled adapters by the finite-class
Hoeffding bound.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_MODULES = {
    "base": ("Certificate",),
    "catalog": ("CERTIFICATES",),
    "certified": ("CertifyResult",),
    "certifying": ("certify",),
    "inversion": ("kl_divergence", "kl_upper_inverse", "log_binomial_cdf"),
    "point": (
        "bernstein_relaxation",
        "binomial_tail_inversion",
        "hoeffding",
        "hoeffding_bentkus",
        "kl_inverse",
    ),
    "selector": ("CertifiedSelector",),
    "weights": ("finite_class",),
}
_LAZY = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "CERTIFICATES",
    "Certificate",
    "CertifiedSelector",
    "CertifyResult",
    "bernstein_relaxation",
    "binomial_tail_inversion",
    "certify",
    "finite_class",
    "hoeffding",
    "hoeffding_bentkus",
    "kl_divergence",
    "kl_inverse",
    "kl_upper_inverse",
    "log_binomial_cdf",
]

if TYPE_CHECKING:
    from tlstat.certificates.base import Certificate
    from tlstat.certificates.catalog import CERTIFICATES
    from tlstat.certificates.certified import CertifyResult
    from tlstat.certificates.certifying import certify
    from tlstat.certificates.inversion import kl_divergence, kl_upper_inverse, log_binomial_cdf
    from tlstat.certificates.point import (
        bernstein_relaxation,
        binomial_tail_inversion,
        hoeffding,
        hoeffding_bentkus,
        kl_inverse,
    )
    from tlstat.certificates.selector import CertifiedSelector
    from tlstat.certificates.weights import finite_class
else:

    def __getattr__(name: str) -> Any:
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LAZY})
