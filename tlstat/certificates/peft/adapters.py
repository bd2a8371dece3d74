"""PEFT: maps from one short vector to a model that shares a frozen network.

Notation of arXiv:2502.06970: ``theta`` is the vector of trainable parameters, ``d`` its length
(`AdaptedModel.dim`). LoRA-XS (arXiv:2405.17604): ``W = U S V^T`` and ``h = W x + A R B x`` with
``A = U_r S_r``, ``B = V_r^T`` fixed, so that only ``R`` (r x r) is trained.

>>> import torch
>>> from tlstat.certificates.peft import LoRAXS
>>> net = torch.nn.Sequential(torch.nn.Linear(20, 30), torch.nn.ReLU(), torch.nn.Linear(30, 5))
>>> LoRAXS(rank=4).attach(net).dim
32
"""

from tlstat.certificates.peft.adapter import Adapter
from tlstat.certificates.peft.layer_adapters import BottleneckAdapter, LinearHead
from tlstat.certificates.peft.weight_adapters import LoRA, LoRAXS, Subspace

__all__ = ["Adapter", "BottleneckAdapter", "LinearHead", "LoRA", "LoRAXS", "Subspace"]
