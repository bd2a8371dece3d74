"""Lower tails ``log P(e <= x)`` at any depth, by every route, behind one result.

From a `GeneralizedChiSquared` law: `contour` (exact), `saddlepoint`, `chernoff`, `small_ball`
(bounds), `tilted` (unbiased draws), `moment_matched`, `gamma_matched`, `normal_matched`. From
draws of the error: `monte_carlo`, `published_fit`, `profile_fit`. From any score of latent
standard normals: `splitting`. All but the fits return a `LogProbability`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlstat._lazy import lazy_names

_MODULES = {
    ".base": ("LogProbability",),
    ".batch": ("contour_batch",),
    ".fits": ("ProfileFit", "PublishedFit", "profile_fit", "published_fit", "sankaran"),
    ".matched": ("gamma_matched", "moment_matched", "normal_matched"),
    ".noncentral": ("noncentral_logcdf", "noncentral_logpdf"),
    ".multilevel": ("splitting",),
    ".sampled": ("monte_carlo", "tilted"),
    ".spectral": ("chernoff", "contour", "effective_dimension", "saddlepoint", "small_ball"),
}

__all__ = [
    "LogProbability",
    "ProfileFit",
    "PublishedFit",
    "chernoff",
    "contour",
    "contour_batch",
    "effective_dimension",
    "gamma_matched",
    "moment_matched",
    "monte_carlo",
    "noncentral_logcdf",
    "noncentral_logpdf",
    "normal_matched",
    "profile_fit",
    "published_fit",
    "saddlepoint",
    "sankaran",
    "small_ball",
    "splitting",
    "tilted",
]

if TYPE_CHECKING:
    from tlstat.inductive_bias.tails.base import LogProbability
    from tlstat.inductive_bias.tails.batch import contour_batch
    from tlstat.inductive_bias.tails.fits import (
        ProfileFit,
        PublishedFit,
        profile_fit,
        published_fit,
        sankaran,
    )
    from tlstat.inductive_bias.tails.matched import (
        gamma_matched,
        moment_matched,
        normal_matched,
    )
    from tlstat.inductive_bias.tails.multilevel import splitting
    from tlstat.inductive_bias.tails.noncentral import noncentral_logcdf, noncentral_logpdf
    from tlstat.inductive_bias.tails.sampled import monte_carlo, tilted
    from tlstat.inductive_bias.tails.spectral import (
        chernoff,
        contour,
        effective_dimension,
        saddlepoint,
        small_ball,
    )
else:
    __getattr__, __dir__ = lazy_names(__name__, _MODULES)
