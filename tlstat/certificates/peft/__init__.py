"""Few-shot transfer with a guarantee: certificates over finite, sampled sets of PEFT vectors.

A frozen network and an adapter (`LoRAXS`, `LoRA`, `BottleneckAdapter`, `LinearHead`, `Subspace`)
make a model of every vector. A generator (`Diffusion`, `Gaussian`, ...) learns the law of the
vectors of upstream tasks, and draws candidates before the support set of a new task is seen. So
the best candidate on the support set has a certificate: `FewShotCertifier` does all of it.

Method: arXiv:2502.06970. `SignFamily` and `DigitsFamily` have exact risks to judge it by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlstat._lazy import lazy_names

_MODULES = {
    ".adapted": ("AdaptedModel",),
    ".adapters": ("Adapter", "BottleneckAdapter", "LinearHead", "LoRA", "LoRAXS", "Subspace"),
    ".baselines": (
        "errors_of_each",
        "gradient_descent",
        "gradient_descent_split",
        "linear_pac_bayes",
    ),
    ".candidates": ("CandidateSet",),
    ".certifier": ("FewShotCertifier",),
    ".diffusion": ("Diffusion",),
    ".distance": ("energy_distance", "energy_test"),
    ".evaluation": ("PredictionMatrix", "errors", "logits", "prediction_matrix", "predictions"),
    ".families": ("DigitsEpisodes", "DigitsFamily", "SignEpisodes", "SignFamily"),
    ".fits": ("Fits", "fit_adapters"),
    ".generators": (
        "Gaussian",
        "GaussianMixture",
        "Generator",
        "Isotropic",
        "KernelDensity",
        "Mixup",
        "Zoo",
    ),
    ".predictor": ("CertifiedPredictor",),
    ".schedule": (
        "Schedule",
        "ancestral",
        "ancestral_variance",
        "gaussian_denoiser",
        "multistep",
        "multistep_variance",
    ),
    ".search": ("Clusters", "Scored", "cluster", "exhaustive", "hierarchical"),
}

__all__ = [
    "Adapter",
    "AdaptedModel",
    "BottleneckAdapter",
    "CandidateSet",
    "CertifiedPredictor",
    "Clusters",
    "Diffusion",
    "DigitsEpisodes",
    "DigitsFamily",
    "FewShotCertifier",
    "Fits",
    "Gaussian",
    "GaussianMixture",
    "Generator",
    "Isotropic",
    "KernelDensity",
    "LinearHead",
    "LoRA",
    "LoRAXS",
    "Mixup",
    "PredictionMatrix",
    "Schedule",
    "Scored",
    "SignEpisodes",
    "SignFamily",
    "Subspace",
    "Zoo",
    "ancestral",
    "ancestral_variance",
    "cluster",
    "energy_distance",
    "energy_test",
    "errors",
    "errors_of_each",
    "exhaustive",
    "fit_adapters",
    "gaussian_denoiser",
    "gradient_descent",
    "gradient_descent_split",
    "hierarchical",
    "linear_pac_bayes",
    "logits",
    "multistep",
    "multistep_variance",
    "prediction_matrix",
    "predictions",
]

if TYPE_CHECKING:
    from tlstat.certificates.peft.adapted import AdaptedModel
    from tlstat.certificates.peft.adapters import (
        Adapter,
        BottleneckAdapter,
        LinearHead,
        LoRA,
        LoRAXS,
        Subspace,
    )
    from tlstat.certificates.peft.baselines import (
        errors_of_each,
        gradient_descent,
        gradient_descent_split,
        linear_pac_bayes,
    )
    from tlstat.certificates.peft.candidates import CandidateSet
    from tlstat.certificates.peft.certifier import FewShotCertifier
    from tlstat.certificates.peft.diffusion import Diffusion
    from tlstat.certificates.peft.distance import energy_distance, energy_test
    from tlstat.certificates.peft.evaluation import (
        PredictionMatrix,
        errors,
        logits,
        prediction_matrix,
        predictions,
    )
    from tlstat.certificates.peft.families import (
        DigitsEpisodes,
        DigitsFamily,
        SignEpisodes,
        SignFamily,
    )
    from tlstat.certificates.peft.fits import Fits, fit_adapters
    from tlstat.certificates.peft.generators import (
        Gaussian,
        GaussianMixture,
        Generator,
        Isotropic,
        KernelDensity,
        Mixup,
        Zoo,
    )
    from tlstat.certificates.peft.predictor import CertifiedPredictor
    from tlstat.certificates.peft.schedule import (
        Schedule,
        ancestral,
        ancestral_variance,
        gaussian_denoiser,
        multistep,
        multistep_variance,
    )
    from tlstat.certificates.peft.search import (
        Clusters,
        Scored,
        cluster,
        exhaustive,
        hierarchical,
    )
else:
    __getattr__, __dir__ = lazy_names(__name__, _MODULES)
