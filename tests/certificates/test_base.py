"""Certificates as objects: the catalogue, pickling, tensors, light imports."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch

import tlstat.certificates
from tlstat.certificates import (
    CERTIFICATES,
    Certificate,
    betting,
    binomial_tail_inversion,
    finite_class,
    hoeffding,
    hypergeometric_inversion,
    kl_inverse,
    pac_bayes_kl,
    weighted_betting,
)
from tlstat.errors import InputError

ALL = list(CERTIFICATES.values())
ids = list(CERTIFICATES)


@pytest.mark.parametrize("certificate", ALL, ids=ids)
def test_every_certificate_can_be_listed_and_cited(certificate):
    assert isinstance(certificate, Certificate)
    assert CERTIFICATES[certificate.name] is certificate
    assert getattr(tlstat.certificates, certificate.name) is certificate
    assert certificate.title and certificate.formula and str(certificate.source)
    assert certificate.losses in ("0/1", "[0,1]")
    assert certificate.input in ("count", "losses", "weighted", "gibbs")
    names = [a.name for a in certificate.assumptions]
    assert len(set(names)) == len(names) >= 3
    assert ("binary" in names) == (certificate.losses == "0/1")
    assert certificate.anytime == hasattr(certificate, "path")
    assert certificate.valid_for_independent == ("independent" in names)
    assert certificate.name in repr(certificate)


@pytest.mark.parametrize("certificate", ALL, ids=ids)
def test_certificates_travel_to_workers_as_themselves(certificate):
    assert pickle.loads(pickle.dumps(certificate)) is certificate


def test_certificates_are_frozen():
    with pytest.raises(AttributeError):
        hoeffding.name = "other"


def test_every_public_name_exists():
    for name in tlstat.certificates.__all__:
        assert getattr(tlstat.certificates, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = tlstat.certificates.nonsense


def test_the_package_loads_nothing_until_it_is_used():
    code = (
        "import sys, tlstat.certificates;"
        "heavy = {'torch', 'numba', 'scipy.stats', 'sympy', 'pandas', 'sklearn', 'matplotlib'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules);"
        "from tlstat.certificates import CERTIFICATES;"
        "heavy -= {'numba'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["hoeffding", "kl_inverse", "binomial_tail_inversion"])
def test_many_candidates_share_the_work_without_a_trace(name):
    certificate = CERTIFICATES[name]
    k = np.random.default_rng(0).integers(0, 81, (50, 100))
    out = certificate(k, 80, log_inv_delta=13.0)
    one_by_one = [certificate(row, 80, log_inv_delta=13.0) for row in k]
    np.testing.assert_array_equal(out, one_by_one)
    levels = np.linspace(1, 20, 100)
    grid = certificate(k, 80, log_inv_delta=levels)
    column = certificate(k[:, 7], 80, log_inv_delta=levels[7])
    np.testing.assert_array_equal(grid[:, 7], column)
    if certificate.losses == "[0,1]":
        soft = certificate(k * 0.5, 80, log_inv_delta=13.0)
        row = certificate(k[3] * 0.5, 80, log_inv_delta=13.0)
        np.testing.assert_array_equal(soft[3], row)


# --- arrays ------------------------------------------------------------------------------------


def test_scalars_give_floats_and_arrays_broadcast():
    assert type(binomial_tail_inversion(2, 80, delta=0.05)) is float
    out = binomial_tail_inversion(np.arange(3)[:, None], [80, 160], delta=0.05)
    assert out.shape == (3, 2)
    out = binomial_tail_inversion([], 80, delta=0.05)
    assert out.shape == (0,)


@pytest.mark.parametrize("certificate", [hoeffding, kl_inverse, binomial_tail_inversion])
def test_tensors_give_the_same_float64_tensors(certificate):
    k = torch.arange(0, 80, 3)
    out = certificate(k, 80, delta=0.05)
    assert isinstance(out, torch.Tensor) and out.dtype == torch.float64
    np.testing.assert_array_equal(out.numpy(), certificate(k.numpy(), 80, delta=0.05))
    level = torch.tensor([3.0, 9.0], dtype=torch.float64)
    assert isinstance(certificate(3, 80, log_inv_delta=level), torch.Tensor)


def test_other_inputs_take_tensors_too():
    x = torch.linspace(0, 0.5, 40)  # losses in float32 are exact values, only sums would round
    assert float(betting(x, delta=0.05)) == betting(x.double().numpy(), delta=0.05)
    w = torch.ones(40, dtype=torch.float64)
    assert isinstance(weighted_betting(x, w, ratio_max=1.0, delta=0.05), torch.Tensor)
    risk = torch.tensor([0.1, 0.2], dtype=torch.float64)
    assert isinstance(pac_bayes_kl(risk, 80, 1.0, delta=0.05), torch.Tensor)
    k = torch.tensor([1, 2])
    assert isinstance(hypergeometric_inversion(k, 5, 50, delta=0.05), torch.Tensor)
    limits = finite_class(k, 80, hoeffding, delta=0.05, candidates=10)
    assert isinstance(limits, torch.Tensor)


def test_sums_in_low_precision_are_refused():
    for k in (torch.tensor([2.5]), np.array([2.5], dtype=np.float16)):
        with pytest.raises(InputError, match="k must be float64 or integers, got float"):
            kl_inverse(k, 80, delta=0.05)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_results_stay_on_the_device():
    k = torch.arange(5, device="cuda")
    out = binomial_tail_inversion(k, 80, delta=0.05)
    assert out.device.type == "cuda"
    np.testing.assert_array_equal(
        out.cpu().numpy(), binomial_tail_inversion(np.arange(5), 80, delta=0.05)
    )
