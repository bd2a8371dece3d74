"""Diffusion: the schedule and both samplers exactly, training bit for bit, and that it learns."""

import numpy as np
import pytest
import torch
from scipy import stats

from tlstat.certificates.peft import (
    Diffusion,
    Gaussian,
    Generator,
    Schedule,
    ancestral,
    ancestral_variance,
    energy_distance,
    gaussian_denoiser,
    multistep,
    multistep_variance,
)
from tlstat.errors import InputError

ALARM = 1e-8
SMALL = {"timesteps": 20, "width": 16, "depth": 2, "iterations": 150, "batch": 32}
LAMBDA = np.array([0.25, 1.0, 4.0])


def test_the_schedule_is_a_cosine():
    s = Schedule(50)
    f = (
        np.cos((np.arange(51) / 50 + 0.008) / 1.008 * np.pi / 2) ** 2
        / np.cos(0.008 / 1.008 * np.pi / 2) ** 2
    )
    np.testing.assert_allclose(s.abar[:50], f[:50], rtol=1e-12)
    assert s.beta[50] == 0.999 and s.beta.max() <= 0.999 and s.abar[0] == 1


@pytest.mark.parametrize("T, expected", [(100, [0.9310, 0.9546, 0.9588]),
                                         (1000, [0.9920, 0.9951, 0.9957])])  # fmt: skip
def test_variances_of_a_normal_law_at_published_steps(T, expected):
    np.testing.assert_allclose(
        ancestral_variance(LAMBDA, Schedule(T)) / LAMBDA, expected, atol=5e-5
    )


def test_one_step_is_the_posterior_of_x_before():
    """x_{t-1} given x_t and x_0 is normal with these moments: Bayes' rule on a joint normal law."""
    s = Schedule(20)
    for t in range(2, 21):
        a, before = s.abar[t], s.abar[t - 1]
        # given x_0: x_{t-1} = sqrt(before) x_0 + e, x_t = sqrt(1 - beta) x_{t-1} + e'
        v, cov = 1 - before, np.sqrt(1 - s.beta[t]) * (1 - before)
        gain = cov / (1 - a)
        w0, wt, sd = s.ancestral(t)
        assert wt == pytest.approx(gain) and sd**2 == pytest.approx(v - gain * cov)
        assert w0 == pytest.approx(np.sqrt(before) - gain * np.sqrt(a))
    assert s.ancestral(1) == pytest.approx((1.0, 0.0, 0.0))


def test_the_best_denoiser_of_a_normal_law_is_the_conditional_mean():
    """E[eps | x_t] by the joint covariance of (eps, x_t), in another order of operations."""
    s, rng = Schedule(30), np.random.default_rng(0)
    root = rng.standard_normal((3, 3))
    cov = root @ root.T
    eps, x = gaussian_denoiser(cov, s), rng.standard_normal((5, 3))
    for t in (1, 7, 30):
        a = s.abar[t]
        joint = a * cov + (1 - a) * np.eye(3)
        expected = np.sqrt(1 - a) * np.linalg.solve(joint, x.T).T
        np.testing.assert_allclose(eps(torch.as_tensor(x), t), expected, rtol=1e-9)


def test_the_ancestral_sampler_gives_the_exact_variance():
    s, n = Schedule(40), 40_000
    generator = torch.Generator().manual_seed(0)
    noise = lambda: torch.randn(n, 3, generator=generator, dtype=torch.float64)  # noqa: E731
    x = ancestral(gaussian_denoiser(np.diag(LAMBDA), s), s, noise(), noise, clip=None)
    v = ancestral_variance(LAMBDA, s)
    for j in range(3):
        assert stats.kstest(x[:, j].numpy(), stats.norm(0, v[j] ** 0.5).cdf).pvalue > ALARM
        # and has power: the law's own variance is refuted
        total = float((x[:, j] ** 2).sum())
        assert stats.chi2.sf(total / v[j], n) > ALARM and stats.chi2.cdf(total / v[j], n) > ALARM
        assert stats.chi2.cdf(total / LAMBDA[j], n) < 1e-6


def test_the_multistep_sampler_is_exact_in_the_limit_and_keeps_rotations():
    s = Schedule(1000)
    errors = [abs(multistep_variance(LAMBDA, s, k) / LAMBDA - 1).max() for k in (25, 50, 100, 400)]
    assert errors[0] < 0.06 and errors[-1] < 0.003 and np.all(np.diff(errors) < 0)
    root = np.random.default_rng(1).standard_normal((3, 3))
    cov = root @ root.T
    x = torch.randn(50, 3, dtype=torch.float64)
    values, V = np.linalg.eigh(cov)
    out = multistep(gaussian_denoiser(cov, s), s, x.clone(), 20, clip=None).numpy() @ V
    gain = np.sqrt(multistep_variance(values, s, 20))
    np.testing.assert_allclose(np.abs(out), np.abs(x.numpy() @ V) * gain, rtol=1e-8)


def test_the_clip_bounds_the_samples():
    s = Schedule(20)
    wild = lambda x, t: -100 * torch.ones_like(x)  # noqa: E731
    for out in (ancestral(wild, s, torch.zeros(4, 2), lambda: torch.zeros(4, 2), clip=1.5),
                multistep(wild, s, torch.zeros(4, 2), 5, clip=1.5)):  # fmt: skip
        assert torch.all(out == 1.5)


# ------------------------------------------------------------------------ training


def bimodal(n=300):
    rng = np.random.default_rng(0)
    centre = np.where(rng.random(n) < 0.5, -2.0, 2.0)
    return np.stack([centre, 10 + 3 * centre], axis=1) + 0.3 * rng.standard_normal((n, 2))


def test_it_learns_what_a_normal_law_cannot():
    zoo, fresh = bimodal(), bimodal(1500)[300:]
    model = Diffusion(40, width=64, depth=2, iterations=800, batch=128).fit(zoo)
    ours = energy_distance(model.sample(1000, 1), fresh)
    model.sampler, model.sampling_steps = "dpm", 15
    fast = energy_distance(model.sample(1000, 1), fresh)
    normal = energy_distance(Gaussian().fit(zoo).sample(1000, 1), fresh)
    assert ours < normal / 8 and fast < normal / 4 and model.eps_loss_ < 0.3


def test_training_is_reproducible_and_resumes_bit_for_bit(tmp_path):
    zoo = bimodal(40)
    whole = Diffusion(**SMALL).fit(zoo, seed=4)
    np.testing.assert_array_equal(
        whole.sample(50, 1), Diffusion(**SMALL).fit(zoo, seed=4).sample(50, 1)
    )
    assert not np.array_equal(
        whole.sample(50, 1), Diffusion(**SMALL).fit(zoo, seed=5).sample(50, 1)
    )
    path = tmp_path / "run.npz"

    class Stopped(Exception):
        pass

    import tlstat.certificates.peft.training as training

    store = training._store

    def stop(run, state, done):
        store(run, state, done)
        if done == 100:
            raise Stopped

    training._store = stop
    try:
        with pytest.raises(Stopped):
            Diffusion(**SMALL).fit(zoo, seed=4, checkpoint=path, every=50)
    finally:
        training._store = store
    resumed = Diffusion(**SMALL).fit(zoo, seed=4, checkpoint=path, every=50)
    np.testing.assert_array_equal(resumed.sample(50, 1), whole.sample(50, 1))
    assert resumed.describe() == whole.describe() and resumed.eps_loss_ == whole.eps_loss_
    for other in (lambda: Diffusion(**{**SMALL, "width": 8}).fit(zoo, seed=4, checkpoint=path),
                  lambda: Diffusion(**SMALL).fit(zoo, seed=5, checkpoint=path),
                  lambda: Diffusion(**SMALL).fit(zoo[::-1], seed=4, checkpoint=path)):  # fmt: skip
        with pytest.raises(InputError, match="belongs to another run"):
            other()
    path.write_bytes(b"no archive")
    with pytest.raises(InputError, match="cannot be read"):
        Diffusion(**SMALL).fit(zoo, seed=4, checkpoint=path)


def test_progress_goes_to_standard_error(capsys):
    Diffusion(**SMALL).fit(bimodal(20), progress=True)
    out = capsys.readouterr()
    assert out.out == "" and "diffusion" in out.err


def plain_network(tensors, x):
    """The network as autograd sees it."""
    h = torch.nn.functional.silu(x @ tensors[0] + tensors[1])
    for W, b in zip(tensors[2:-2:2], tensors[3:-2:2], strict=True):
        h = h + torch.nn.functional.silu(h @ W + b)
    return h @ tensors[-2] + tensors[-1]


def test_the_gradient_by_hand_is_that_of_autograd():
    from tlstat.certificates.peft.training import Loss, shapes

    model = Diffusion(width=7, depth=3, time_features=4)
    layout = shapes(model, 3)
    sizes = [int(np.prod(s)) for s in layout]
    flat = torch.randn(sum(sizes), dtype=torch.float64, requires_grad=True)
    x, eps = torch.randn(9, 7, dtype=torch.float64), torch.randn(9, 3, dtype=torch.float64)
    tensors = [p.view(s) for p, s in zip(flat.split(sizes), layout, strict=True)]
    expected = ((plain_network(tensors, x) - eps) ** 2).mean()
    expected.backward()
    loss = Loss(flat.detach(), layout, 9)
    for _ in range(2):  # the buffers are clean the second time too
        torch.testing.assert_close(loss(x, eps), expected.detach())
        torch.testing.assert_close(loss.gradient, flat.grad)


def test_a_step_is_adams():
    from tlstat.certificates.peft.training import _step

    model, n = Diffusion(iterations=20, learning_rate=0.1), 6
    weights = torch.randn(n)
    theirs = torch.nn.Parameter(weights.clone())
    adam = torch.optim.Adam([theirs], lr=0.1)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(adam, 20)
    state = {"first": torch.zeros(n), "second": torch.zeros(n), "average": weights.clone()}
    average = weights.clone()
    for i in range(20):
        gradient = torch.randn(n)
        theirs.grad = gradient.clone()
        adam.step()
        cosine.step()
        _step(state, weights, gradient, i, model)
        average = 0.995 * average + 0.005 * theirs.detach()
        torch.testing.assert_close(weights, theirs.detach(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(state["average"], average, rtol=1e-5, atol=1e-6)


def test_the_network_that_samples_is_the_network_that_was_trained():
    """The sampler's table and buffers against the plain forward pass."""
    from tlstat.certificates.peft.diffusion import Network, time_table
    from tlstat.certificates.peft.training import shapes

    model = Diffusion(**SMALL).fit(bimodal(30))
    flat = torch.tensor(model._state["weights"])
    layout = shapes(model, 2)
    parts = flat.split([int(np.prod(s)) for s in layout])
    tensors = [p.view(s) for p, s in zip(parts, layout, strict=True)]
    x, net = torch.randn(7, 2), Network(model)
    for t in (1, 20):
        inputs = torch.cat([x, time_table(model)[t].expand(7, -1)], 1)
        torch.testing.assert_close(net(x, t).clone(), plain_network(tensors, inputs),
                                   rtol=1e-4, atol=1e-5)  # fmt: skip


def test_longer_steps_of_the_ancestral_sampler():
    s, n = Schedule(40), 30_000
    np.testing.assert_array_equal(s.times(40), np.arange(40, -1, -1))
    times = s.times(8)
    assert times[0] == 40 and tuple(times[-2:]) == (1, 0) and len(times) == 9
    generator = torch.Generator().manual_seed(0)
    noise = lambda: torch.randn(n, 3, generator=generator, dtype=torch.float64)  # noqa: E731
    x = ancestral(gaussian_denoiser(np.diag(LAMBDA), s), s, noise(), noise, None, steps=8)
    v = ancestral_variance(LAMBDA, s, 8)
    assert np.all(v < ancestral_variance(LAMBDA, s))
    for j in range(3):
        assert stats.kstest(x[:, j].numpy(), stats.norm(0, v[j] ** 0.5).cdf).pvalue > ALARM


def test_a_constant_coordinate_stays_constant():
    zoo = np.column_stack([bimodal(40), np.full(40, 7.0)])
    out = Diffusion(**SMALL).fit(zoo).sample(30)
    assert np.all(np.abs(out[:, 2] - 7) <= 4.0) and np.isfinite(out).all()


def test_a_stored_model_is_weights_only(tmp_path):
    model = Diffusion(**SMALL).fit(bimodal(20))
    model.save(tmp_path / "m.npz")
    with np.load(tmp_path / "m.npz", allow_pickle=False) as stored:
        assert set(stored.files) == {"head", "mean", "sd", "weights"}
    back = Generator.load(tmp_path / "m.npz")
    np.testing.assert_array_equal(back.sample(9, 2), model.sample(9, 2))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_device():
    zoo = bimodal()
    settings = {"timesteps": 40, "width": 32, "depth": 2, "iterations": 800, "batch": 128}
    ours = Diffusion(**settings, device="cuda").fit(zoo).sample(1000, 1)
    theirs = Diffusion(**settings).fit(zoo).sample(1000, 1)
    assert abs(energy_distance(ours, theirs)) < 0.02
