r"""The noise schedule of a diffusion, its samplers, and what they give for a normal law.

Symbols of Ho, Jain, Abbeel (arXiv:2006.11239): ``x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) eps``,
``alpha_t = 1 - beta_t``, ``abar_t = alpha_1 ... alpha_t``; arrays are indexed by t with
``abar_0 = 1``. Schedule: cosine of Nichol and Dhariwal (arXiv:2102.09672).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tlstat.certificates.peft.inputs import whole

Denoiser = Callable[[Tensor, int], Tensor]  # (x_t, t) -> estimate of eps
Noise = Callable[[], Tensor]


@dataclass(frozen=True)
class Schedule:
    """The cosine schedule with T steps; ``offset`` and the largest ``beta`` as published."""

    T: int = 100
    offset: float = 0.008
    largest: float = 0.999

    def __post_init__(self) -> None:
        whole(self.T, "T", 2)

    @cached_property
    def beta(self) -> np.ndarray:
        """beta_0 = 0 (never used), beta_1, ..., beta_T."""
        t = np.arange(self.T + 1) / self.T
        f = np.cos((t + self.offset) / (1 + self.offset) * np.pi / 2) ** 2
        return np.concatenate([[0.0], np.minimum(1 - f[1:] / f[:-1], self.largest)])

    @cached_property
    def abar(self) -> np.ndarray:
        """abar_0 = 1, ..., abar_T."""
        return np.cumprod(1 - self.beta)

    def ancestral(self, t: int, to: int | None = None) -> tuple[float, float, float]:
        """Weights of x0 and x_t in the mean of x_to, and its standard deviation (0 at to = 0).

        ``to`` is t - 1 by default; with a longer step the ones between are passed by.
        """
        to = t - 1 if to is None else to
        a, before = self.abar[t], self.abar[to]
        beta = 1 - a / before
        sd = 0.0 if to == 0 else np.sqrt(beta * (1 - before) / (1 - a))
        mean = np.sqrt(before) * beta / (1 - a), np.sqrt(1 - beta) * (1 - before) / (1 - a)
        return float(mean[0]), float(mean[1]), float(sd)

    def times(self, steps: int) -> np.ndarray:
        """Decreasing times T = t_1 > ... > t_K = 1, evenly spaced, and 0."""
        even = np.linspace(1, self.T, min(whole(steps, "steps", 2), self.T))
        return np.append(np.unique(even.round().astype(int))[::-1], 0)

    def nodes(self, steps: int) -> np.ndarray:
        """Decreasing times T = t_1 > ... > t_K >= 1, about evenly spaced in log(signal/noise)."""
        steps = min(whole(steps, "steps", 2), self.T)
        snr = np.log(self.abar[1:] / (1 - self.abar[1:]))
        wanted = np.linspace(snr[-1], snr[0], steps)
        t = np.interp(wanted, snr[::-1], np.arange(self.T, 0, -1.0)).round().astype(int)
        return np.unique(t)[::-1]


def ancestral(
    eps: Denoiser,
    schedule: Schedule,
    x: Tensor,
    noise: Noise,
    clip: float | None = 4.0,
    steps: int | None = None,
) -> Tensor:
    """The sampler of DDPM from ``x = x_T``, in place: T calls of the denoiser, or ``steps``.

    With fewer steps: the strided sampler of Nichol and Dhariwal (arXiv:2102.09672).
    """
    times = [int(t) for t in schedule.times(schedule.T if steps is None else steps)]
    for t, to in zip(times, times[1:], strict=False):
        x0 = _predicted(eps, schedule, x, t, clip)
        w0, wt, sd = schedule.ancestral(t, to)
        x.mul_(wt).add_(x0, alpha=w0)
        if sd:
            x.add_(noise(), alpha=sd)
    return x


def multistep(
    eps: Denoiser, schedule: Schedule, x: Tensor, steps: int, clip: float | None = 4.0
) -> Tensor:
    """DPM-Solver++ (2M) of Lu et al. (arXiv:2211.01095), in place: a few calls, no noise."""
    nodes = schedule.nodes(steps)
    a, s = np.sqrt(schedule.abar), np.sqrt(1 - schedule.abar)
    before, h_before = None, 0.0
    for t, to in zip(nodes, nodes[1:], strict=False):
        x0 = _predicted(eps, schedule, x, int(t), clip)
        h = float(np.log(a[to] / s[to]) - np.log(a[t] / s[t]))
        target = x0
        if before is not None:
            r = h / (2 * h_before)
            target = x0 * (1 + r) - before * r
        x.mul_(float(s[to] / s[t])).add_(target, alpha=float(-a[to] * np.expm1(-h)))
        before, h_before = x0, h
    return x.copy_(_predicted(eps, schedule, x, int(nodes[-1]), clip))


def _predicted(eps: Denoiser, schedule: Schedule, x: Tensor, t: int, clip: float | None) -> Tensor:
    """The estimate of x_0 from x_t."""
    a = schedule.abar[t]
    x0 = x.sub(eps(x, t), alpha=float(np.sqrt(1 - a))).mul_(float(1 / np.sqrt(a)))
    return x0 if clip is None else x0.clamp_(-clip, clip)


# ------------------------------------------------------------------ exact for normal laws


def gaussian_denoiser(covariance: Any, schedule: Schedule) -> Denoiser:
    """The best denoiser for ``N(0, Sigma)``: ``sqrt(1-abar) (abar Sigma + (1-abar) I)^-1 x_t``."""
    values, vectors = torch.linalg.eigh(torch.as_tensor(np.asarray(covariance, dtype=float)))

    def eps(x: Tensor, t: int) -> Tensor:
        a = float(schedule.abar[t])
        gain = np.sqrt(1 - a) / (a * values + 1 - a)
        V = vectors.to(x)
        return (x @ V) * gain.to(x) @ V.T

    return eps


def ancestral_variance(
    eigenvalues: Any, schedule: Schedule, steps: int | None = None
) -> np.ndarray:
    """Variance that `ancestral` gives in place of each eigenvalue, without the clip.

    ``v_{t-1} = g_t^2 v_t + sigma_t^2`` with ``g_t = sqrt(alpha_t) (abar_{t-1} lam + 1 -
    abar_{t-1}) / (abar_t lam + 1 - abar_t)``: below ``lam``, since ``sigma_t`` leaves out the
    posterior variance of ``x_0``.
    """
    lam = np.asarray(eigenvalues, dtype=float)
    v = np.ones_like(lam)
    times = schedule.times(schedule.T if steps is None else steps)
    for t, to in zip(times, times[1:], strict=False):
        a, before = schedule.abar[t], schedule.abar[to]
        g = np.sqrt(a / before) * (before * lam + 1 - before) / (a * lam + 1 - a)
        v = g**2 * v + schedule.ancestral(int(t), int(to))[2] ** 2
    return v


def multistep_variance(eigenvalues: Any, schedule: Schedule, steps: int) -> np.ndarray:
    """Variance that `multistep` gives in place of each eigenvalue, without the clip."""
    lam = np.atleast_1d(np.asarray(eigenvalues, dtype=float))
    eps = gaussian_denoiser(np.diag(lam), schedule)
    # the map is linear and diagonal: its image of ones is its diagonal
    gain = multistep(eps, schedule, torch.ones(1, len(lam), dtype=torch.float64), steps, None)
    return gain[0].numpy() ** 2
