"""Few-shot classifiers with a guarantee: sample candidates, evaluate them, certify the best.

The method of arXiv:2502.06970: PEFT vectors of upstream tasks train a generator, M candidates are
drawn from it before the support set is seen, the best one on the support set is selected, and the
union over the finite class certifies it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from torch import Tensor, nn

from tlstat.certificates.arguments import level_of
from tlstat.certificates.base import CountCertificate
from tlstat.certificates.catalog import CERTIFICATES
from tlstat.certificates.certifying import STRATIFIED, SUPPORTS, certify
from tlstat.certificates.peft.adapted import AdaptedModel
from tlstat.certificates.peft.adapters import Adapter
from tlstat.certificates.peft.candidates import CandidateSet
from tlstat.certificates.peft.checks import check_pointwise, n_classes
from tlstat.certificates.peft.evaluation import errors, prediction_matrix, predictions
from tlstat.certificates.peft.fits import fit_adapters
from tlstat.certificates.peft.generators import Generator, stream
from tlstat.certificates.peft.inputs import labels, stack_tasks, whole, within
from tlstat.certificates.peft.ledger import Ledger, input_digests, support_digest
from tlstat.certificates.peft.predictor import CertifiedPredictor
from tlstat.certificates.peft.search import Scored, cluster, exhaustive, hierarchical
from tlstat.certificates.weights import finite_class, rank, uniform
from tlstat.errors import InputError

PROBES = 64  # upstream inputs on which candidates are compared for the hierarchical search
POINTWISE = 8  # upstream inputs on which the network is checked to be a function of one input


class FewShotCertifier:
    """Learns from upstream tasks once, then certifies a classifier for every new small sample.

    Parameters
    ----------
    backbone : torch.nn.Module
        Any network from inputs (n, ...) to logits (n, classes). A frozen copy is used.
    peft : Adapter
        `LoRAXS`, `LoRA`, `BottleneckAdapter`, `LinearHead` or `Subspace`.
    generator : Generator
        Not fitted yet, such as ``Diffusion()``; or fitted to vectors of the same length, and then
        `fit_upstream` does not fit it again.
    n_candidates : int or None
        M. None with the generator ``Zoo()``: all of the zoo.
    weights : {"uniform", "rank"}
        How delta is shared: equally, or candidate ``j`` of the stream gets ``1 / (j (j + 1))``.
    selection : {"exhaustive", "hierarchical"}
        Whether all candidates are scored, or the medoids of ``n_clusters`` clusters and then the
        members of the ``top`` best ones. All M are paid for in either case.
    certificate : str
        Key in ``CERTIFICATES`` of a bound on counts, fixed here, before any support set.
    n_clusters, top : int
        For "hierarchical".
    budget : int
        Certificates that may be asked for on one support set; each is given at ``delta / budget``.
    memory : int, optional
        Bytes for evaluations; see `prediction_matrix`.
    seed : int
        Of fits, training, candidates and clusters. No randomness depends on a support set.

    Attributes
    ----------
    model : AdaptedModel
        The frozen network with the adapter.
    zoo_ : ndarray, shape (T, d)
        Vectors of the upstream tasks.
    upstream_error_rates_ : ndarray, shape (T,)
        Their errors on the tasks they were fitted to.
    candidates_ : CandidateSet
        Fixed by `fit_upstream`.
    fingerprint_ : str
        Of the candidates; publish it before the labels are read, if others shall believe it.

    Examples
    --------
    >>> import torch
    >>> from tlstat.certificates.peft import FewShotCertifier, Gaussian, LinearHead
    >>> _ = torch.manual_seed(0)
    >>> X = torch.randn(40, 60, 3)
    >>> y = (X[:, :, 0] > 0).long()
    >>> certifier = FewShotCertifier(
    ...     torch.nn.Linear(3, 2), LinearHead(), Gaussian(), n_candidates=100
    ... ).fit_upstream((X, y))
    >>> S = torch.randn(200, 3)
    >>> predictor = certifier.certify(S, (S[:, 0] > 0).long(), delta=0.05)
    >>> predictor.bound < 0.1
    True
    """

    def __init__(
        self,
        backbone: nn.Module,
        peft: Adapter,
        generator: Generator,
        *,
        n_candidates: int | None = 1000,
        weights: Literal["uniform", "rank"] = "uniform",
        selection: Literal["exhaustive", "hierarchical"] = "exhaustive",
        certificate: str = "binomial_tail_inversion",
        n_clusters: int = 64,
        top: int = 15,
        budget: int = 1,
        memory: int | None = None,
        seed: int = 0,
    ) -> None:
        if not isinstance(peft, Adapter):
            raise InputError(f"peft is {peft!r}; expected an adapter such as LoRAXS(rank=4)")
        if not isinstance(generator, Generator):
            raise InputError(f"generator is {generator!r}; expected one such as Diffusion()")
        if weights not in ("uniform", "rank"):
            raise InputError(f"weights is {weights!r}; expected uniform or rank")
        if selection not in ("exhaustive", "hierarchical"):
            raise InputError(f"selection is {selection!r}; expected exhaustive or hierarchical")
        self.n_candidates = None if n_candidates is None else whole(n_candidates, "n_candidates")
        self.bound = _count_bound(certificate)
        self.n_clusters, self.top = whole(n_clusters, "n_clusters"), whole(top, "top")
        self.weights, self.selection, self.generator = weights, selection, generator
        self.memory, self.seed = memory, whole(seed, "seed", 0)
        self.model: AdaptedModel = peft.attach(backbone)
        self._ledger = Ledger(whole(budget, "budget"))
        self._upstream: set[bytes] = set()

    # ------------------------------------------------------------------ upstream

    def fit_upstream(self, tasks: Any, *, progress: bool = False, **options: Any) -> Self:
        """Fit the upstream tasks, train the generator, draw and fix the candidates.

        Parameters
        ----------
        tasks : list of (X, y), or (X, y)
            As in `fit_adapters`. They must not contain the examples that will be certified.
        progress : bool
            Show bars.
        **options
            Of `fit_adapters`: ``steps``, ``learning_rate``, ``ridge``, ``batch``, ``memory``.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If the tasks do not fit the network, or the network's prediction for an input depends
            on chance or on the other inputs.
        """
        if hasattr(self, "candidates_"):
            raise InputError(
                "the candidates are fixed already; make a new FewShotCertifier to start again"
            )
        stack = stack_tasks(tasks, self.model.dtype, self.model.device)
        inputs = stack.inputs()
        check_pointwise(self.model, inputs[:POINTWISE])
        fits = fit_adapters(self.model, tasks, seed=self.seed, progress=progress, **options)
        self.zoo_ = fits.thetas.cpu().numpy()
        self.upstream_error_rates_ = fits.error_rates.cpu().numpy()
        if not self.generator.fitted:
            extra = {"progress": progress} if "iterations" in self.generator.settings else {}
            self.generator.fit(self.zoo_, self.seed, **extra)
        if self.generator.dim != self.model.dim:
            raise InputError(
                f"generator gives vectors of length {self.generator.dim}; the adapter takes "
                f"{self.model.dim}"
            )
        self._draw(inputs)
        return self

    def _draw(self, inputs: Tensor) -> None:
        # training and sampling have different streams, and no stream knows a support set
        sampling = int(stream(self.seed, 7).integers(2**62))
        self.candidates_ = CandidateSet.draw(
            self.generator, self.n_candidates, sampling, self.model.digest
        )
        self.fingerprint_ = self.candidates_.fingerprint
        self._upstream = input_digests(inputs)
        if self.selection == "hierarchical":
            some = stream(self.seed, 8).permutation(len(inputs))[:PROBES]
            probes = inputs[torch.as_tensor(np.sort(some), device=inputs.device)]
            predicted = prediction_matrix(
                self.model, self.candidates_.thetas, probes, memory=self.memory
            )
            self.clusters_ = cluster(predicted, self.n_clusters, self.seed)

    # ------------------------------------------------------------------ downstream

    def certify(
        self,
        X_support: Any,
        y_support: Any,
        delta: float = 0.05,
        *,
        support: Literal["iid", "stratified"] = "iid",
    ) -> CertifiedPredictor:
        """Select a candidate on a support set and certify its risk.

        Parameters
        ----------
        X_support : array_like, shape (n, ...)
        y_support : array_like of int, shape (n,)
            Labels 0, 1, ...
        delta : float
            With probability at least ``1 - delta`` the certificates on this support set hold.
        support : {"iid", "stratified"}
            "stratified": a fixed number of examples from each class (k-shot); the risk is then
            the average over classes as sampled.

        Returns
        -------
        CertifiedPredictor

        Raises
        ------
        InputError
            Without upstream tasks; for NaN, no examples, labels outside the classes; if support
            inputs are among the upstream inputs; if the support set was certified ``budget``
            times already.

        Notes
        -----
        A support set is known by its inputs and labels, in any order. What the ledger cannot see:
        other objects, and support sets that share only some examples.
        """
        if not hasattr(self, "candidates_"):
            raise InputError("there are no candidates yet; call fit_upstream(tasks) first")
        x = self.model.inputs(X_support, "X_support")
        y = labels(y_support, "y_support", x.shape[0])
        level_of(delta)
        if support not in SUPPORTS:
            raise InputError(f"support is {support!r}; expected one of {', '.join(SUPPORTS)}")
        within(y, n_classes(self.model, x), "y_support")
        self._check_fresh(x)
        account = support_digest(x, y)
        level = self._ledger.charge(account, delta)
        scored = self._search(x, y)
        j = self._select(scored, len(y), level)
        theta = self.candidates_.thetas[j]
        wrong = predictions(self.model, theta, x, memory=self.memory)[0] != y.numpy()
        result = self._certify(wrong, j, level, support)
        self._ledger.book(account, delta, self.fingerprint_)
        return CertifiedPredictor(
            theta=theta,
            index=j,
            certificate=result,
            fingerprint=self.fingerprint_,
            support=account,
            delta=delta,
            scored=len(scored.at),
            _adapted=self.model,
        )

    def _search(self, x: Tensor, y: Tensor) -> Scored:
        thetas = self.candidates_.thetas

        def score(index: np.ndarray) -> np.ndarray:
            return errors(self.model, thetas[index], x, y, memory=self.memory)

        if self.selection == "hierarchical":
            return hierarchical(score, self.clusters_, self.top)
        return exhaustive(score, len(thetas))

    def _select(self, scored: Scored, n: int, delta: float) -> int:
        """The scored candidate with the smallest certificate, then errors, then position."""
        limit = finite_class(
            scored.errors, n, self.bound, delta=delta, log_weights=self._log_weights[scored.at]
        )
        return int(scored.at[np.lexsort((scored.errors, limit))[0]])

    @property
    def _log_weights(self) -> np.ndarray:
        M = len(self.candidates_)
        if self.weights == "rank":
            return np.asarray(rank(np.arange(1, M + 1)))
        return np.full(M, uniform(M))

    def _certify(self, wrong: np.ndarray, j: int, delta: float, support: Any) -> Any:
        name = self.bound.name
        if support == "stratified" and name == "binomial_tail_inversion":
            name = STRATIFIED
        order: dict[str, Any] = {} if self.weights == "uniform" else {"ranks": [j + 1]}
        return certify(
            wrong[:, None],
            delta=delta,
            candidates=len(self.candidates_),
            weights=self.weights,
            primary=name,
            support=support,
            names=[f"candidate {j}"],
            **order,
        )

    def _check_fresh(self, x: Tensor) -> None:
        known = len(self._upstream & input_digests(x))
        if known:
            raise InputError(
                f"X_support has {known} input{'s' if known > 1 else ''} of the upstream tasks: the "
                "candidates depend on them, and the certificate would be void"
            )

    # ------------------------------------------------------------------ state

    def save_ledger(self, path: str | Path) -> None:
        """Write which support sets were certified."""
        state = {"allowed": self._ledger.allowed, "entries": self._ledger.entries}
        Path(path).write_text(json.dumps(state, indent=2), encoding="utf-8")

    def load_ledger(self, path: str | Path) -> Self:
        """Go on with the accounts of another session."""
        state = json.loads(Path(path).read_text(encoding="utf-8"))
        if state["allowed"] != self._ledger.allowed:
            raise InputError(f"{path} was kept with budget={state['allowed']}; this certifier has "
                             f"budget={self._ledger.allowed}")  # fmt: skip
        self._ledger.entries.update(state["entries"])
        return self


def _count_bound(name: str) -> CountCertificate:
    found = CERTIFICATES.get(name)
    if not isinstance(found, CountCertificate) or found.parameters:
        usable = [
            c.name for c in CERTIFICATES.values()
            if isinstance(c, CountCertificate) and not c.parameters
        ]  # fmt: skip
        raise InputError(f"certificate is {name!r}; expected one of {', '.join(usable)}")
    return found
