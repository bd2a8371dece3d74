"""What `FewShotCertifier.certify` returns: a classifier with a certificate on its risk."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from tlstat.certificates.certified import CertifyResult
from tlstat.certificates.peft.adapted import AdaptedModel
from tlstat.certificates.peft.evaluation import logits, predictions
from tlstat.certificates.peft.inputs import labels

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True, eq=False, repr=False)
class CertifiedPredictor:
    """The selected candidate and its certificate.

    Attributes
    ----------
    theta : ndarray, shape (d,)
        Its vector.
    index : int
        Its position in the candidate set, from 0.
    certificate : CertifyResult
        The bound, the bounds beside it and the assumptions.
    fingerprint : str
        sha256 of the candidate set, fixed before the support set was read.
    support : str
        sha256 of the support set, inputs and labels.
    delta : float
        What was asked for; `certificate.delta` is the part of it that this certificate has.
    scored : int
        How many candidates were evaluated on the support set.
    """

    theta: np.ndarray
    index: int
    certificate: CertifyResult
    fingerprint: str
    support: str
    delta: float
    scored: int
    _adapted: AdaptedModel

    def predict(self, X: Any) -> np.ndarray:
        """Labels of inputs (n, ...)."""
        return predictions(self._adapted, self.theta, X)[0].astype(np.int64)

    def predict_logits(self, X: Any) -> np.ndarray:
        """Logits (n, C) of inputs."""
        return logits(self._adapted, self.theta, X)[0]

    def score(self, X: Any, y: Any) -> float:
        """Accuracy on labelled examples."""
        predicted = self.predict(X)
        return float(np.mean(predicted == labels(y, "y", len(predicted)).numpy()))

    @property
    def model(self) -> nn.Module:
        """The selected model as a module of its own."""
        return self._adapted.apply(self.theta)

    @property
    def bound(self) -> float:
        """With probability at least ``1 - delta`` the risk is at most this."""
        return self.certificate.bound

    @property
    def errors(self) -> int:
        """Errors on the support set."""
        return int(self.certificate.errors)

    @property
    def statement(self) -> str:
        """The certificate in words."""
        return (
            f"{self.certificate.statement} The candidates (fingerprint {self.fingerprint[:12]}) "
            f"were fixed before the examples (fingerprint {self.support[:12]}) were read."
        )

    @property
    def table(self) -> Table:
        """The bounds as a table of `rich`."""
        return self.certificate.table

    def to_dict(self) -> dict[str, Any]:
        """The certificate with its fingerprints, as plain types; without the model."""
        return {
            "fingerprint": self.fingerprint,
            "support": self.support,
            "index": self.index,
            "theta": [float(v) for v in self.theta],
            "delta_asked_for": self.delta,
            "scored": self.scored,
            "adapter": self._adapted.settings,
            "backbone": self._adapted.digest,
            "statement_of_fingerprints": self.statement,
            **self.certificate.to_dict(),
        }

    def to_json(self, path: str | Path | None = None) -> str:
        """`to_dict` as JSON, written to a file if one is named."""
        text = json.dumps(self.to_dict(), indent=2, sort_keys=True)
        if path is not None:
            Path(path).write_text(text + "\n", encoding="utf-8")
        return text

    def __float__(self) -> float:
        return self.bound

    def __repr__(self) -> str:
        return f"<CertifiedPredictor of candidate {self.index}: {self.certificate!r}>"

    def __rich__(self) -> Table:
        return self.table

    def _repr_html_(self) -> str:
        return self.certificate._repr_html_()
