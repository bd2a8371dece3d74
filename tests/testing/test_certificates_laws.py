"""The certificates of the room obey the laws, and the laws say what is wrong."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from scipy.stats import beta

from tlstat.certificates import CERTIFICATES, finite_class
from tlstat.errors import InputError
from tlstat.testing import (
    BrokenLaw,
    bounded_losses,
    certificate_levels,
    check_certificate,
    check_finite_class,
    error_counts,
)
from tlstat.testing.certificates import COUNT_LAWS, as_subject, certificate_laws

# those that need nothing but losses, or a posterior
PLAIN = {
    name: certificate
    for name, certificate in CERTIFICATES.items()
    if not certificate.parameters and name != "catoni"
}


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_every_certificate_of_the_room_obeys_the_laws(name):
    check_certificate(PLAIN[name], max_examples=12)


def test_binomial_inversion_obeys_them_in_many_cases_and_is_sharp():
    check_certificate(CERTIFICATES["binomial_tail_inversion"], exact=True, max_examples=100)


@pytest.mark.parametrize("C", [0.1, 1.0, 5.0])
def test_catoni_at_a_fixed_parameter(C):
    catoni = CERTIFICATES["catoni"]

    def fixed(risk, n, kl, *, delta):
        return catoni(risk, n, kl, delta=delta, C=C)

    # at a fixed C it is no tail inversion: it need not be informative at tiny levels
    laws = [law for law in certificate_laws("gibbs", "[0,1]") if law.name != "informative"]
    check_certificate(fixed, kind="gibbs", losses="[0,1]", laws=laws, max_examples=15)


@pytest.mark.parametrize("name", ["binomial_tail_inversion", "kl_inverse", "hoeffding"])
def test_the_union_over_a_finite_class_obeys_its_laws(name):
    check_finite_class(partial(finite_class, certificate=PLAIN[name]), max_examples=20)


def test_a_plain_function_can_be_checked():
    def clopper_pearson(k, n, *, delta):
        k = np.asarray(k)
        limit = beta.isf(delta, k + 1, np.maximum(n - k, 1)) * (1 + 1e-10)
        return np.where(k < n, np.minimum(limit, 1), 1.0)

    check_certificate(clopper_pearson, max_examples=30)


def test_a_broken_law_is_named_with_a_small_counterexample():
    with pytest.raises(BrokenLaw, match="coverage|never too small") as caught:
        check_certificate(lambda k, n, *, delta: np.asarray(k) / n)
    assert "counterexample" in str(caught.value)
    broken = check_certificate(lambda k, n, *, delta: np.asarray(k) / n, collect=True)
    assert {"coverage", "never too small"} <= {found.law.name for found in broken}


def test_laws_can_be_picked():
    check_certificate(lambda k, n, *, delta: np.asarray(k) / n, laws=COUNT_LAWS[:1])


def test_bad_arguments_are_refused():
    with pytest.raises(InputError, match="kind must be"):
        check_certificate(CERTIFICATES["hoeffding"], kind="counts")
    with pytest.raises(InputError, match="losses must be"):
        certificate_laws(losses="soft")
    with pytest.raises(InputError, match="kind must be"):
        as_subject(CERTIFICATES["hoeffding"], "sums")


@given(error_counts(20), certificate_levels(0.5), bounded_losses(10))
def test_strategies_give_what_they_say(counts, delta, losses):
    k, n = counts
    assert 0 <= k <= n <= 20
    assert 1e-13 < delta <= 0.5
    assert losses.ndim == 1 and 2 <= len(losses) <= 10
    assert np.all((losses >= 0) & (losses <= 1))
