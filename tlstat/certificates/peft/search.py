"""Which candidates are scored on a support set. All of them are paid for in any case.

Exhaustive: all. Hierarchical: candidates are clustered by their predictions on upstream inputs,
the medoid of every cluster is scored, and then the members of the best clusters. The search decides
only who is selected; the certificate is a union over the whole set (arXiv:2502.06970, section on
hierarchical search, as told by its reviews: k-means, medoids, the best 15 clusters).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tlstat.certificates.peft.evaluation import PredictionMatrix
from tlstat.certificates.peft.inputs import whole
from tlstat.errors import InputError

Scorer = Callable[[np.ndarray], np.ndarray]  # positions of candidates -> their errors
FITTED = 20_000  # candidates on which the centres are fitted


class Scored(NamedTuple):
    """Positions of the candidates that were scored, increasing, and their errors."""

    at: np.ndarray
    errors: np.ndarray


class Clusters(NamedTuple):
    """A clustering of the candidates, made without any label.

    Attributes
    ----------
    assignment : ndarray of int, shape (M,)
        The cluster of every candidate.
    medoids : ndarray of int, shape (K,)
        The candidate next to each centre.
    """

    assignment: np.ndarray
    medoids: np.ndarray


def cluster(predicted: PredictionMatrix, n_clusters: int = 64, seed: int = 0) -> Clusters:
    """Clusters of candidates with similar predictions (k-means on one-hot labels).

    Parameters
    ----------
    predicted : PredictionMatrix
        On upstream inputs: nothing of the support set may enter.
    n_clusters : int
    seed : int

    Returns
    -------
    Clusters
        At most ``n_clusters``; none is empty.
    """
    from sklearn.cluster import KMeans

    M = len(predicted)
    whole(n_clusters, "n_clusters")
    points = _one_hot(predicted)
    rng = np.random.default_rng(seed)
    some = points[np.sort(rng.permutation(M)[:FITTED])]
    distinct = len(np.unique(some, axis=0))
    fit = KMeans(min(n_clusters, distinct), n_init=1, random_state=seed % 2**32).fit(some)
    centres = fit.cluster_centers_.astype(np.float32)
    # |x - c|^2 up to |x|^2, which is the same for all one-hot rows
    cost = (centres**2).sum(1) - 2 * points @ centres.T
    used, assignment = np.unique(cost.argmin(1), return_inverse=True)
    order = np.argsort(cost[np.arange(M), used[assignment]], kind="stable")
    _, first = np.unique(assignment[order], return_index=True)
    return Clusters(assignment, order[first])


def exhaustive(score: Scorer, M: int) -> Scored:
    """Every candidate."""
    index = np.arange(M)
    return Scored(index, np.asarray(score(index)))


def hierarchical(score: Scorer, clusters: Clusters, top: int = 15) -> Scored:
    """The medoids, then all members of the ``top`` clusters with the best medoids.

    Ties between medoids go to the earlier cluster.
    """
    whole(top, "top")
    if len(clusters.medoids) == 0:
        raise InputError("clusters has no cluster")
    at_medoids = np.asarray(score(clusters.medoids))
    best = np.argsort(at_medoids, kind="stable")[:top]
    members = np.flatnonzero(np.isin(clusters.assignment, best))
    new = np.setdiff1d(members, clusters.medoids)
    found = dict(zip(clusters.medoids.tolist(), at_medoids.tolist(), strict=True))
    if new.size:
        found.update(zip(new.tolist(), np.asarray(score(new)).tolist(), strict=True))
    index = np.array(sorted(found))
    return Scored(index, np.array([found[i] for i in index.tolist()]))


def _one_hot(predicted: PredictionMatrix) -> Any:
    """Predictions as points (M, n (C-1)) with squared distance 2 a disagreement (1 if C = 2)."""
    labels, C = predicted.labels, predicted.n_classes
    if C == 2:
        return np.ascontiguousarray(labels.T, dtype=np.float32) * 2 - 1
    hot = labels.T[:, :, None] == np.arange(C, dtype=np.int8)
    return hot.reshape(len(predicted), -1).astype(np.float32)
