"""Many spectra at many points at once: the same values as one law at a time, on every back end."""

import math

import numpy as np
import pytest

from tlstat.errors import InputError
from tlstat.inductive_bias import contour
from tlstat.inductive_bias.chi_squared import GeneralizedChiSquared
from tlstat.inductive_bias.tails import contour_batch

torch = pytest.importorskip("torch")

POINTS = np.array([-30, -5, -1e-3, 0.1, 0.1 + 1e-6, 0.3, 5, 30, 100.0])


def spectra():
    rng = np.random.default_rng(0)
    weights = rng.exponential(size=(5, 30))
    weights[0, 10:] = 0  # padding
    weights[3] *= -1
    weights[4, ::2] *= -1
    return weights, rng.uniform(0.5, 4, (5, 30)), rng.uniform(0, 3, (5, 30))


def reference(weights, df, nc, tail):
    laws = (GeneralizedChiSquared(*row, shift=0.1) for row in zip(weights, df, nc, strict=True))
    return np.array([getattr(law, tail)(POINTS) for law in laws])


def same(a, b, atol=1e-10):
    finite = np.isfinite(b)
    assert (np.asarray(a)[~finite] == b[~finite]).all()
    assert np.abs(np.asarray(a)[finite] - b[finite]).max() < atol


@pytest.mark.parametrize("tail", ["lower", "upper"])
@pytest.mark.parametrize("array", ["numpy", "torch"])
def test_a_batch_is_what_its_rows_are(tail, array):
    weights, df, nc = spectra()
    expected = reference(weights, df, nc, {"lower": "logcdf", "upper": "logsf"}[tail])
    give = torch.as_tensor if array == "torch" else np.asarray
    value, error = contour_batch(
        give(weights), give(POINTS), df=give(df), nc=give(nc), shift=0.1, tail=tail
    )
    assert value.shape == (5, POINTS.size) and isinstance(value, type(give(weights)))
    same(value, expected)
    assert float(error.max()) < 1e-10


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_batch_on_cuda():
    weights, df, nc = spectra()

    def give(a):
        return torch.as_tensor(a, device="cuda")

    value, _ = contour_batch(
        give(weights), give(POINTS), df=give(df), nc=give(nc), shift=0.1, tail="lower"
    )
    assert value.device.type == "cuda"
    same(value.cpu(), reference(weights, df, nc, "logcdf"))


def test_chunks_do_not_show(monkeypatch):
    weights, df, nc = spectra()
    whole, _ = contour_batch(weights, POINTS, df=df, nc=nc)
    monkeypatch.setattr(contour, "_CHUNK", 500)
    parts, _ = contour_batch(weights, POINTS, df=df, nc=nc)
    same(parts, whole, atol=1e-11)


def test_points_of_their_own_and_one_spectrum():
    weights, df, nc = spectra()
    points = np.random.default_rng(1).uniform(1, 40, (5, 3))
    value, _ = contour_batch(weights, points, df=df, nc=nc)
    for row in range(5):
        law = GeneralizedChiSquared(weights[row], df[row], nc[row])
        same(value[row], law.logcdf(points[row]))
    one, _ = contour_batch(weights[:1], 3.0)
    same(one[0], np.array([GeneralizedChiSquared(weights[0]).logcdf(3.0)]))


def test_depth():
    w = 1 / np.arange(1.0, 501)[None]
    law = GeneralizedChiSquared(w[0], 2)
    x = law.mean() * np.array([1e-40, 1e-10, 0.1])
    value, error = contour_batch(w, x, df=2)
    assert value[0] == pytest.approx(law.logcdf(x), rel=1e-12) and value[0, 0] < -4e4
    assert (error[0] <= 1e-10 * np.abs(value[0]) + 1e-10).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(weights=np.ones(3)), "weights has shape"),
        (dict(weights=np.zeros((1, 3))), "row of zeros"),
        (dict(weights=np.array([[1.0, math.nan]])), "weights has the value nan"),
        (dict(df=0.0), "df has the value 0.0"),
        (dict(nc=-1.0), "nc has the value -1.0"),
        (dict(x=math.inf), "x has entries"),
        (dict(tail="both"), "tail is 'both'"),
    ],
)
def test_bad_input_is_named(options, message):
    with pytest.raises(InputError, match=message):
        contour_batch(**(dict(weights=np.ones((2, 3)), x=1.0) | options))
