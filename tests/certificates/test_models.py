"""Populations with known risks."""

import numpy as np
import pytest
from scipy.stats import binom

from tlstat.backend import Random
from tlstat.certificates.models import Directions, direction_risks, fresh_directions
from tlstat.errors import InputError

CELL = {"M": 6, "d": 5, "noise": 0.1, "spread": 1.0, "seed": 3}


def test_known_risks():
    truth = np.array([1.0, 0.0, 0.0])
    candidates = np.array([[2.0, 0, 0], [-1, 0, 0], [0, 3, 0], [1, 1, 0]])
    model = Directions(truth, candidates, 0.1)
    assert model.M == 4
    np.testing.assert_allclose(model.risks, [0.1, 0.9, 0.5, 0.1 + 0.8 / 4], atol=1e-12)


def test_opposite_candidates_have_complementary_risks():
    model = Directions.from_cell(CELL)
    opposite = Directions(model.truth, -model.candidates, model.noise)
    np.testing.assert_allclose(model.risks + opposite.risks, 1, atol=1e-12)


def test_simulated_errors_have_the_closed_form_risk():
    """Twelve two-sided exact tests at false-alarm level 1e-6 in all."""
    size, n, level = 400, 100, 1e-6 / 24
    model = Directions.from_cell(CELL)
    k = np.asarray(model.losses(n, Random(1), size)).sum(axis=(0, 1))
    assert np.all(binom.cdf(k, size * n, model.risks) > level)
    assert np.all(binom.sf(k - 1, size * n, model.risks) > level)


def test_fresh_candidates_have_the_closed_form_risk():
    """Errors minus risks average zero over examples, candidates and replicates."""
    losses, risks = fresh_directions(CELL, 200, Random(2), 300)
    assert losses.shape == (300, 200, 6) and risks.shape == (300, 6)
    gaps = (losses.mean(axis=1) - risks).mean(axis=1)
    # Hoeffding: replicates are independent and lie in an interval of length 2
    assert abs(gaps.mean()) < 2 * np.sqrt(np.log(2 / 1e-6) / (2 * 300))
    z = gaps.mean() / (gaps.std() / np.sqrt(300))
    assert abs(z) < 5.3  # asymptotically 1e-7
    assert np.ptp(risks[:, 0]) > 0.05
    truth = np.eye(5)[0]
    assert direction_risks(truth, truth[None], 0.1) == pytest.approx(0.1)


def test_candidates_are_fixed_by_the_cell_and_not_by_the_examples():
    one, two = Directions.from_cell(CELL), Directions.from_cell(CELL)
    np.testing.assert_array_equal(one.candidates, two.candidates)
    other = Directions.from_cell(CELL | {"seed": 4})
    assert not np.array_equal(one.candidates, other.candidates)
    # more candidates continue the same stream
    longer = Directions.from_cell(CELL | {"M": 9})
    np.testing.assert_array_equal(longer.candidates[:6], one.candidates)


def test_numpy_and_torch_see_the_same_losses():
    model = Directions.from_cell(CELL)
    there = model.losses(20, Random(5), 3)
    here = model.losses(20, Random(5, array="torch"), 3)
    np.testing.assert_array_equal(np.asarray(here), there)


@pytest.mark.parametrize(
    ("candidates", "noise", "message"),
    [(np.ones((2, 3)), 0.1, "shape"), (np.ones(2), 0.1, "shape"), (np.ones((2, 2)), 0.5, "noise")],
)
def test_bad_models_are_refused(candidates, noise, message):
    with pytest.raises(InputError, match=message):
        Directions(np.ones(2), candidates, noise)
