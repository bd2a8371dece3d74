"""The method end to end: what fixes the candidates, what is paid, what is refused."""

import json

import numpy as np
import pytest
import torch
from rich.console import Console
from scipy import stats
from torch import nn

from tlstat.certificates import binomial_tail_inversion, certify, stratified_support
from tlstat.certificates.peft import (
    CertifiedPredictor,
    Diffusion,
    FewShotCertifier,
    Gaussian,
    Isotropic,
    KernelDensity,
    LinearHead,
    LoRAXS,
    PredictionMatrix,
    SignFamily,
    Zoo,
    cluster,
    hierarchical,
)
from tlstat.errors import InputError

FAMILY = SignFamily(inputs=8, dim=4)


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 10), nn.Tanh(), nn.Linear(10, 2))


def certifier(generator=None, **options):
    options.setdefault("n_candidates", 60)
    made = FewShotCertifier(net(), LinearHead(), generator or Gaussian(), **options)
    return made.fit_upstream(upstream(), steps=20)


def upstream():
    episodes = FAMILY.episodes(FAMILY.tasks(12, 0), 40, 1)
    return episodes.X, episodes.y


def support(n=50, seed=5):
    episodes = FAMILY.episodes(FAMILY.tasks(1, seed), n, seed + 1)
    return episodes.X[0], episodes.y[0]


TINY = {"width": 8, "depth": 1, "iterations": 5, "batch": 8}
GENERATORS = {"gaussian": Gaussian, "zoo": Zoo, "kde": KernelDensity,
              "diffusion": lambda: Diffusion(10, **TINY)}  # fmt: skip


@pytest.mark.parametrize("name", GENERATORS)
def test_labels_leave_the_candidates_bit_identical(name):
    """The whole pipeline with the labels permuted: same candidates, same fingerprint."""
    X, y = support()
    M = None if name == "zoo" else 60
    made = [certifier(GENERATORS[name](), n_candidates=M) for _ in range(2)]
    before = made[0].fingerprint_
    results = [c.certify(X, labels) for c, labels in zip(made, (y, 1 - y), strict=True)]
    assert results[0].fingerprint == results[1].fingerprint == before
    assert results[0].support != results[1].support
    assert made[0].candidates_.thetas.tobytes() == made[1].candidates_.thetas.tobytes()
    assert json.loads(results[0].to_json())["fingerprint"] == before
    other = certifier(GENERATORS[name](), n_candidates=M, seed=1)
    assert other.fingerprint_ != before


@pytest.mark.parametrize("weights", ["uniform", "rank"])
def test_the_certificate_is_that_of_the_toolbox_on_all_candidates(weights):
    X, y = support()
    made = certifier(weights=weights)
    predictor = made.certify(X, y, 0.1)
    assert isinstance(predictor, CertifiedPredictor)
    losses = np.stack([made.model.apply(t)(torch.as_tensor(X)).argmax(1).numpy() != y
                       for t in made.candidates_.thetas], axis=1)  # fmt: skip
    expected = certify(losses, delta=0.1, candidates=60, weights=weights)
    assert predictor.index == expected.selected
    assert (predictor.bound, predictor.errors) == (expected.bound, expected.errors)
    assert predictor.scored == 60 and predictor.certificate.weights == weights
    wrong = predictor.predict(X) != y
    assert wrong.sum() == predictor.errors and predictor.score(X, y) == pytest.approx(
        1 - wrong.mean()
    )
    np.testing.assert_allclose(predictor.predict_logits(X), predictor.model(torch.as_tensor(X)),
                               atol=1e-5)  # fmt: skip


def test_the_search_in_clusters_pays_for_all_candidates():
    X, y = support(200)
    made = certifier(n_candidates=400, selection="hierarchical", n_clusters=20, top=3)
    predictor, whole = made.certify(X, y), certifier(n_candidates=400).certify(X, y)
    assert 20 < predictor.scored < 400 and whole.scored == 400
    assert predictor.certificate.candidates == 400
    assert predictor.bound == binomial_tail_inversion(predictor.errors, 200, delta=0.05 / 400)
    assert predictor.errors >= whole.errors and predictor.fingerprint == whole.fingerprint


def test_clusters_hold_similar_candidates_and_medoids_are_members():
    rng = np.random.default_rng(0)
    for classes in (2, 4):
        kinds = rng.integers(0, classes, (40, 5))
        which = rng.permutation(np.repeat(np.arange(5), 30))
        flips = rng.random((40, 150)) < 0.03
        labels = np.where(flips, 0, kinds[:, which]).astype(np.int8)
        found = cluster(PredictionMatrix(labels, classes), 5, seed=1)
        assert len(found.medoids) == 5
        np.testing.assert_array_equal(found.assignment[found.medoids], np.arange(5))
        for c in range(5):
            assert len(set(which[found.assignment == c])) == 1
    errors = rng.integers(0, 50, 150)
    scored = hierarchical(lambda at: errors[at], found, top=2)
    best = np.argsort(errors[found.medoids], kind="stable")[:2]
    expected = set(found.medoids) | set(np.flatnonzero(np.isin(found.assignment, best)))
    assert set(scored.at) == expected
    np.testing.assert_array_equal(scored.errors, errors[scored.at])


def test_identical_candidates_make_one_cluster():
    found = cluster(PredictionMatrix(np.zeros((5, 30), np.int8), 3), 8)
    assert len(found.medoids) == 1 and (found.assignment == 0).all()


def test_the_risk_is_below_the_certificate():
    """Violations over 160 tasks, at a false alarm of 1e-6; and far more without the union."""
    family = SignFamily()
    made = FewShotCertifier(
        _linear(family), LinearHead(bias=False), Isotropic(0.5), n_candidates=300,
    ).fit_upstream((np.ones((2, 3, 32)), np.ones((2, 3), int)), steps=1)  # fmt: skip
    tasks = family.tasks(160, 3)
    episodes = family.episodes(tasks, 40, 4)
    W = family.frame[:, 0] + made.candidates_.thetas
    risks = family.weight_risks(W, tasks)
    violated, alone = 0, 0
    for X, y, risk in zip(episodes.X, episodes.y, risks, strict=True):
        found = made.certify(X, y)
        violated += risk[found.index] > found.bound
        alone += risk[found.index] > binomial_tail_inversion(found.errors, 40, delta=0.05)
    assert violated <= stats.binom.isf(1e-6, 160, 0.05)
    assert alone > stats.binom.isf(1e-6, 160, 0.05)


def _linear(family):
    layer = nn.Linear(32, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.as_tensor(family.frame[:, 0]))
    return layer


# ------------------------------------------------------------------------ ledger


def test_a_second_certificate_on_the_same_support_set_is_refused():
    X, y = support()
    made = certifier()
    first = made.certify(X, y)
    order = np.random.default_rng(0).permutation(len(y))
    for again in ((X, y), (X[order], y[order]), (X.astype(float), y.tolist())):
        with pytest.raises(InputError, match="was planned for one certificate.*budget=k"):
            made.certify(*again)
    assert made.certify(X, 1 - y).support != first.support  # other labels: another sample
    made.certify(X[1:], y[1:])
    with pytest.raises(InputError, match="the candidates are fixed already"):
        made.fit_upstream(upstream())


def test_planned_certificates_share_delta():
    X, y = support()
    made = certifier(budget=2)
    first, second = made.certify(X, y, 0.1), made.certify(X, y, 0.1)
    once = certifier().certify(X, y, 0.05)
    assert first.bound == second.bound == once.bound
    assert first.certificate.delta == 0.05 and first.delta == 0.1
    with pytest.raises(InputError, match="planned for 2 certificates, and all were given"):
        made.certify(X, y, 0.1)
    made = certifier(budget=3)
    made.certify(X, y, 0.1)
    with pytest.raises(InputError, match="opened with 0.1"):
        made.certify(X, y, 0.2)


def test_the_ledger_outlives_the_session(tmp_path):
    X, y = support()
    made = certifier()
    made.certify(X, y)
    made.save_ledger(tmp_path / "ledger.json")
    later = certifier().load_ledger(tmp_path / "ledger.json")
    with pytest.raises(InputError, match="was planned for one certificate"):
        later.certify(X, y)
    with pytest.raises(InputError, match="kept with budget=1"):
        certifier(budget=2).load_ledger(tmp_path / "ledger.json")


def test_a_refused_call_is_not_booked():
    X, y = support()
    made = certifier()
    with pytest.raises(InputError):
        made.certify(X, np.full(len(y), 2))
    made.certify(X, y)


# -------------------------------------------------------------------------- other


def test_a_stratified_support_has_its_own_bound():
    X, y = support(60)
    found = certifier().certify(X, y, support="stratified")
    assert found.certificate.bounds[0].name == "stratified_support"
    assert found.bound == stratified_support(found.errors, 60, delta=0.05 / 60)


def test_the_certificate_can_be_stored_and_shown(tmp_path):
    X, y = support()
    made = certifier()
    found = made.certify(X, y)
    text = found.to_json(tmp_path / "certificate.json")
    stored = json.loads((tmp_path / "certificate.json").read_text())
    assert stored == json.loads(text)
    assert stored["fingerprint"] == made.fingerprint_ and stored["bound"] == found.bound
    assert stored["backbone"] == made.model.digest and len(stored["theta"]) == made.model.dim
    assert found.fingerprint[:12] in found.statement and float(found) == found.bound
    console = Console(width=120, record=True, file=open(tmp_path / "out", "w"))  # noqa: SIM115
    console.print(found)
    assert "binomial tail" in console.export_text()
    assert "<table>" in found._repr_html_() and "candidate" in repr(found)


def test_a_fitted_generator_is_kept():
    fitted = Gaussian().fit(np.random.default_rng(0).standard_normal((9, 22)))
    made = certifier(fitted)
    assert made.candidates_.generator == fitted.describe()
    with pytest.raises(InputError, match="vectors of length 5; the adapter takes 22"):
        certifier(Gaussian().fit(np.ones((3, 5)) * np.arange(3.0)[:, None]))


def test_dropout_and_batch_statistics_are_frozen():
    torch.manual_seed(0)
    layers = (nn.Linear(8, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.5), nn.Linear(6, 2))
    noisy = nn.Sequential(*layers)
    assert noisy.training
    made = FewShotCertifier(noisy, LoRAXS(rank=2), Gaussian(), n_candidates=20)
    found = made.fit_upstream(upstream(), steps=3).certify(*support())
    X, _ = support()
    np.testing.assert_array_equal(found.predict(X), found.predict(X))
    assert noisy.training


class Batchwise(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 2)

    def forward(self, x):
        return self.layer(x - x.mean(0))


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda: certifier(n_candidates=0), "n_candidates is 0"),
        (lambda: certifier(weights="dyadic"), "expected uniform or rank"),
        (lambda: certifier(selection="greedy"), "expected exhaustive or hierarchical"),
        (lambda: certifier(certificate="betting"), "certificate is 'betting'; expected one of"),
        (lambda: certifier(certificate="vc"), "certificate is 'vc'; expected one of"),
        (lambda: certifier(budget=0), "budget is 0"),
        (lambda: FewShotCertifier(net(), "lora", Gaussian()), "peft is 'lora'"),
        (lambda: FewShotCertifier(net(), LinearHead(), "ddpm"), "generator is 'ddpm'"),
        (lambda: FewShotCertifier(net(), LinearHead(), Gaussian()).certify(*support()),
         "call fit_upstream(tasks) first"),
        (lambda: FewShotCertifier(Batchwise(), LinearHead(), Gaussian()).fit_upstream(upstream()),
         "depends on the other inputs of its batch"),
        (lambda: certifier().certify(np.ones((0, 8)), []), "at least one example"),
        (lambda: certifier().certify(np.full((3, 8), np.nan), [0, 1, 0]), "X_support has a NaN"),
        (lambda: certifier().certify(np.ones((3, 8)), [0, 1, 2]), "labels 0 to 1"),
        (lambda: certifier().certify(np.ones((3, 8)), [0, 1]), "expected (3,)"),
        (lambda: certifier().certify(np.ones((3, 8)), [-1, 1, 1]), "write -1 and 1 as 0 and 1"),
        (lambda: certifier().certify(*support(), delta=1.0), "delta is 1.0"),
        (lambda: certifier().certify(*support(), support="kshot"), "support is 'kshot'"),
        (lambda: certifier().certify(upstream()[0][0], upstream()[1][0]),
         "40 inputs of the upstream tasks"),
        (lambda: certifier(Zoo(), n_candidates=13), "M is 13; the zoo has only 12 vectors"),
    ],
    ids=range(19),
)  # fmt: skip
def test_bad_input(call, text):
    with pytest.raises(InputError) as error:
        call()
    assert text in str(error.value)


def test_the_names_are_public():
    import tlstat.certificates as room
    import tlstat.certificates.peft as peft

    for name in peft.__all__:
        assert getattr(peft, name) is not None
    assert room.FewShotCertifier is FewShotCertifier and room.Diffusion is Diffusion
