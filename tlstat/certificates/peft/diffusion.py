"""A diffusion model of PEFT vectors (DDPM on standardised raw vectors).

Every vector of a zoo belongs to the same frozen network, so there is no permutation symmetry to
break and a small residual network on the raw vector suffices. Training and sampling are the same
bit for bit on the CPU with the same version of torch and number of threads.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from tlstat.certificates.peft.generators import Generator
from tlstat.certificates.peft.inputs import positive, whole
from tlstat.certificates.peft.schedule import Schedule, ancestral, multistep
from tlstat.certificates.peft.training import Training, shapes, train
from tlstat.errors import InputError

ROWS = 1024  # rows that share a stream of noise
CHUNK = 2048  # rows that are sampled together: their activations fit into the cache


class Diffusion(Generator):
    """DDPM: a network learns to take noise off standardised vectors, step by step.

    Parameters
    ----------
    timesteps : int
        T of the cosine schedule.
    width, depth : int
        Units of a layer, and number of residual layers ``h + silu(L h)`` behind the first one.
    time_features : int
        Sinusoidal features of t; an even number.
    iterations, batch : int
        Training steps, and vectors (with repetition) in each.
    learning_rate : float
        Adam's, at the start; it falls to 0 as a cosine.
    decay : float
        Of the exponential moving average of the weights, which is what samples.
    clip : float
        The estimate of ``x_0`` is kept within these limits, in standard deviations.
    sampler : {"ddpm", "dpm"}
        "ddpm": steps with fresh noise (arXiv:2006.11239). "dpm": the deterministic
        DPM-Solver++ (2M) (arXiv:2211.01095).
    sampling_steps : int, optional
        By default all T for "ddpm", 25 for "dpm". With T = 100, 50 steps of "ddpm" were as good
        as 100 in certificate and energy distance.
    device : str
        Where to train and sample. Not part of the description.

    Notes
    -----
    The network and its training follow the settings of the offline reproduction, not the paper
    (arXiv:2502.06970), which does not describe them. ``eps_loss_`` has the mean training loss of
    the last tenth of the iterations.
    """

    settings = (
        "timesteps", "width", "depth", "time_features", "iterations", "batch", "learning_rate",
        "decay", "clip", "sampler", "sampling_steps",
    )  # fmt: skip

    def __init__(
        self,
        timesteps: int = 100,
        *,
        width: int = 128,
        depth: int = 3,
        time_features: int = 16,
        iterations: int = 4000,
        batch: int = 256,
        learning_rate: float = 2e-3,
        decay: float = 0.995,
        clip: float = 4.0,
        sampler: Literal["ddpm", "dpm"] = "ddpm",
        sampling_steps: int | None = None,
        device: str = "cpu",
    ) -> None:
        self.schedule = Schedule(timesteps)
        self.timesteps, self.width = timesteps, whole(width, "width")
        self.depth, self.time_features = whole(depth, "depth", 0), whole(time_features, "", 2)
        self.iterations, self.batch = whole(iterations, "iterations"), whole(batch, "batch")
        self.learning_rate = positive(learning_rate, "learning_rate")
        self.decay, self.clip = positive(decay, "decay"), positive(clip, "clip")
        self.sampler, self.sampling_steps = sampler, sampling_steps
        if sampling_steps is not None:
            whole(sampling_steps, "sampling_steps", 2)
        self.device = device
        if time_features % 2:
            raise InputError(f"time_features is {time_features}; expected an even number")
        if decay >= 1:
            raise InputError(f"decay is {decay}; expected a number in (0, 1)")
        if sampler not in ("ddpm", "dpm"):
            raise InputError(f"sampler is {sampler!r}; expected ddpm or dpm")

    def _fit(
        self,
        zoo: np.ndarray,
        seed: int,
        progress: bool = False,
        checkpoint: str | Path | None = None,
        every: int = 1000,
    ) -> dict[str, np.ndarray]:
        """Train; ``progress`` shows a bar, and a ``checkpoint`` is written and resumed from."""
        mean, sd = zoo.mean(axis=0), zoo.std(axis=0)
        sd = np.where(sd > 0, sd, 1.0)  # a coordinate that never varies stays as it is
        data = torch.as_tensor((zoo - mean) / sd, dtype=torch.float32, device=self.device)
        run = Training(self, data, seed, None if checkpoint is None else Path(checkpoint), every)
        weights, self.eps_loss_ = train(run, progress)
        return {"mean": mean, "sd": sd, "weights": weights.cpu().numpy()}

    def _sample(self, M: int, seed: int) -> Any:
        net = Network(self)
        mean, sd = (torch.from_numpy(np.array(self._state[k])) for k in ("mean", "sd"))
        out = np.empty((M, self.dim), dtype=np.float32)
        with torch.no_grad():
            for start in range(0, M, CHUNK):
                m = min(CHUNK, M - start)
                noise = Noise(seed, start // ROWS, m, self.dim, self.device)
                x = noise().clone()
                if self.sampler == "ddpm":
                    ancestral(net, self.schedule, x, noise, self.clip, self.sampling_steps)
                else:
                    multistep(net, self.schedule, x, self.sampling_steps or 25, self.clip)
                out[start : start + m] = (x.cpu().double() * sd + mean).numpy()
        return out


class Noise:
    """Normal draws for a chunk of rows; a row's draws do not depend on how many rows there are."""

    def __init__(self, seed: int, first: int, m: int, dim: int, device: str) -> None:
        blocks = range(first, first + -(-m // ROWS))
        self._streams = [seeded(seed, b) for b in blocks]
        self._full, self._m = torch.empty(len(blocks) * ROWS, dim), m
        self._device = device

    def __call__(self) -> Tensor:
        for i, generator in enumerate(self._streams):
            self._full[i * ROWS : (i + 1) * ROWS].normal_(generator=generator)
        return self._full[: self._m].to(self._device)


class Network:
    """The trained network, without gradients: buffers are reused and the time is a table."""

    def __init__(self, model: Diffusion) -> None:
        flat = torch.as_tensor(np.array(model._state["weights"]), device=model.device)
        layout = shapes(model, model.dim)
        parts = flat.split([np.prod(s) for s in layout])
        tensors = [p.view(s) for p, s in zip(parts, layout, strict=True)]
        self._first = tensors[0][: model.dim].contiguous()
        self._time = time_table(model).to(flat) @ tensors[0][model.dim :] + tensors[1]
        self._rest = list(zip(tensors[2::2], tensors[3::2], strict=True))
        self._buffers: dict[int, tuple[Tensor, Tensor, Tensor]] = {}

    def __call__(self, x: Tensor, t: int) -> Tensor:
        m, d = x.shape
        if m not in self._buffers:
            h = x.new_empty(m, self._first.shape[1])
            self._buffers = {m: (h, torch.empty_like(h), x.new_empty(m, d))}
        h, a, out = self._buffers[m]
        torch.addmm(self._time[t], x, self._first, out=h)
        F.silu(h, inplace=True)
        for W, b in self._rest[:-1]:
            torch.addmm(b, h, W, out=a)
            h += F.silu(a, inplace=True)
        W, b = self._rest[-1]
        return torch.addmm(b, h, W, out=out)


def time_table(model: Diffusion) -> Tensor:
    """Sinusoidal features of t = 0, ..., T, one row each."""
    half = model.time_features // 2
    frequency = torch.exp(-np.log(10_000.0) * torch.arange(half) / half)
    angle = torch.arange(model.timesteps + 1)[:, None] * (1000 / model.timesteps) * frequency
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def seeded(seed: int, number: int) -> torch.Generator:
    """Random stream ``number`` of a seed, on the CPU."""
    text = hashlib.sha256(f"tlstat-diffusion-1|{seed}|{number}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(text[:8], "little") >> 1)
