"""Saddle points over a class of atoms, and sandwiches of any procedure."""

import numpy as np
import pytest
from scipy import stats

from tlstat.errors import InputError
from tlstat.minimax.atom_class import Atom, AtomClass
from tlstat.minimax.cube import least_favourable_cube
from tlstat.minimax.program import minimax_risk
from tlstat.minimax.sandwich import saddle_point, sandwich, worst_atom
from tlstat.minimax.vote import vote_error

CASES = [
    # rho, n_P, n_Q, lower, upper, weight, p, q
    (2, 50, 20, 0.020104, 0.020104, 3.222, 0.1028, 0.3206),
    (2, 2000, 50, 0.009351, 0.009351, 4.903, None, None),
    (1, 100, 100, 0.004675, 0.004675, 1.0, None, None),
]


@pytest.mark.parametrize(("rho", "n_P", "n_Q", "lower", "upper", "weight", "p", "q"), CASES)
def test_the_measured_saddle_points(rho, n_P, n_Q, lower, upper, weight, p, q):
    found = saddle_point(n_P, n_Q, AtomClass(rho, 0.5, 0.5), starts=4)
    assert found.lower == pytest.approx(lower, abs=5.5e-7)
    assert found.upper == pytest.approx(upper, abs=5.5e-7)
    assert found.weight == pytest.approx(weight, abs=6e-4)
    assert found.gap < 1e-6
    assert found.upper_status == "numerical"
    if p is not None:
        assert (found.atom.p, found.atom.delta_P) == pytest.approx((p, p), abs=6e-5)
        assert (found.atom.q, found.atom.delta_Q) == pytest.approx((q, q), abs=6e-5)


def test_the_upper_end_can_be_certified():
    found = saddle_point(50, 20, AtomClass(2, 0.5, 0.5), certified=True, ratio=1.1, starts=4)
    assert found.upper_status == "certified"
    assert found.lower <= 0.020104 <= found.upper <= 1.1001 * 0.020104
    assert "(certified)" in repr(found).split("\n")[0]


def test_single_sample_votes_are_worse():
    """Worst cases over the class: the target alone .0215, the source alone .0533."""
    atoms = AtomClass(2, 0.5, 0.5)
    target, _ = worst_atom(50, 20, atoms, weights=(0, 1))
    assert target == pytest.approx(0.0215, abs=5e-5)
    source, at = worst_atom(50, 20, atoms, weights=(1, 0))
    assert source == pytest.approx(0.0533, abs=5e-5)
    # the source-only vote does not see q: its worst risk is max over E of E e(50, E, E)
    excess = np.linspace(0.01, 1, 400)
    curve = excess * vote_error(50, excess, excess, 0, 0, 0)
    assert source == pytest.approx(curve.max(), rel=1e-4)
    assert atoms.contains(at)


@pytest.mark.parametrize("rho", [0.6, 1.0, 2.5])
@pytest.mark.parametrize("m", [1, 4])
def test_charts_stay_in_the_class_and_reach_its_walls(rho, m):
    atoms = AtomClass(rho, 0.3, 0.7, constant=1.5, m=m)
    u = np.random.default_rng(0).random((4_000, 4))
    u[:500] = u[:500].round()
    u[:, 0] = np.maximum(u[:, 0], 0.5)
    atom = atoms.from_chart(u)
    assert atoms.contains(atom).all()
    cube = least_favourable_cube(
        300, 30, rho=rho, beta_P=0.3, beta_Q=0.7, d=m + 1, m=m, constant=1.5
    )
    assert atoms.contains(Atom(cube.p, cube.delta_P, cube.q, cube.delta_Q, m))


def test_members_are_told_from_strangers():
    atoms = AtomClass(2, 0.5, 0.5)
    good = Atom(0.1028, 0.1028, 0.3206, 0.3206)
    assert atoms.contains(good)
    assert not atoms.contains(Atom(0.1028, 0.05, 0.3206, 0.3206))  # transfer
    assert not atoms.contains(Atom(0.1028, 0.1028, 0.5, 0.2056))  # target noise
    assert not atoms.contains(Atom(0.5, 0.03, 0.3206, 0.3206))  # source noise


def test_the_search_finds_at_least_the_hardest_cube():
    for n_P, n_Q in [(10, 0), (0, 10), (500, 5), (10**5, 10**3)]:
        atoms = AtomClass(1.5, 0.6, 0.2)
        value, atom = worst_atom(n_P, n_Q, atoms, starts=4)
        cube = least_favourable_cube(n_P, n_Q, rho=1.5, beta_P=0.6, beta_Q=0.2, d=2)
        assert value >= cube.value * (1 - 1e-6)
        again = vote_error(n_P, atom.p, atom.delta_P, n_Q, atom.q, atom.delta_Q)
        assert value == pytest.approx(atom.q * atom.delta_Q * again, rel=1e-12)


def exact_game(n_P, n_Q, atoms, points):
    """Every rule on (counts, signed sums) against a list of atoms and both signs."""

    def law(n, mass, delta):
        plus, minus = mass * (1 + delta) / 2, mass * (1 - delta) / 2
        cells = [(i, j) for i in range(n + 1) for j in range(n - i + 1)]
        pmf = [
            stats.multinomial.pmf([i, j, n - i - j], n, [plus, minus, 1 - mass]) for i, j in cells
        ]
        mirrored = [
            stats.multinomial.pmf([j, i, n - i - j], n, [plus, minus, 1 - mass]) for i, j in cells
        ]
        return np.array(pmf), np.array(mirrored)

    rows, loss = [], []
    for p, delta_P, q, delta_Q in points:
        P, P_minus = law(n_P, p, delta_P)
        Q, Q_minus = law(n_Q, q, delta_Q)
        rows += [np.outer(P, Q).ravel(), np.outer(P_minus, Q_minus).ravel()]
        loss += [[0, q * delta_Q], [q * delta_Q, 0]]
    rows = np.array(rows)
    return np.array(loss), rows / rows.sum(axis=1, keepdims=True)


def test_the_exact_game_over_many_atoms_has_the_value_of_the_saddle_point():
    """Randomised rules over a grid of atoms and the hardest one: no rule beats the lower bound."""
    atoms = AtomClass(2, 0.5, 0.5)
    found = saddle_point(4, 3, atoms)
    u = np.random.default_rng(0).random((60, 4))
    u[:, 0] = 1 - 0.05 * u[:, 0]
    grid = atoms.from_chart(u)
    points = list(zip(grid.p, grid.delta_P, grid.q, grid.delta_Q, strict=True))
    hardest = found.atom
    points.append((hardest.p, hardest.delta_P, hardest.q, hardest.delta_Q))
    game = minimax_risk(*exact_game(4, 3, atoms, points), tol=1e-6)
    assert game.upper >= found.lower - 1e-9
    # the vote is one of the rules, and its worst case is the saddle point's upper end
    assert game.lower <= found.upper + 1e-9
    assert game.value == pytest.approx(found.upper, rel=1e-5)


def test_a_sandwich_of_an_exact_procedure():
    sizes = [(50, 20)]
    found = saddle_point(*sizes[0], AtomClass(2, 0.5, 0.5), starts=4)
    a = found.atom
    populations = [a, Atom(0.2, 0.3, 0.4, 0.4), Atom(0.1, 0.2, 0.3, 0.3)]

    def equal_votes(atom):
        return (
            atom.q
            * atom.delta_Q
            * vote_error(50, atom.p, atom.delta_P, 20, atom.q, atom.delta_Q, weights=(1, 1))
        )

    result = sandwich(equal_votes, populations, found.lower)
    risks = [equal_votes(atom) for atom in populations]
    assert result.upper == max(risks)
    assert result.worst == int(np.argmax(risks))
    assert result.ratio >= 1
    assert "exact, over the 3 listed populations only" in repr(result)


def test_simulated_risks_get_upper_limits_that_hold():
    """Bernoulli(.3) risks: the limit fails with probability at most delta."""
    rng = np.random.default_rng(0)
    below = 0
    for _ in range(300):
        draws = rng.binomial(1, 0.3, 400)
        result = sandwich(lambda _, draws=draws: draws, ["only"], 0.0, delta=0.1)
        below += result.upper < 0.3
        assert result.upper > draws.mean()
    # binomial(300, 0.1) exceeds 57 with probability below 1e-6
    assert below <= 57
    assert "simulated" in result.status
    assert result.ratio == np.inf


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((lambda _: 0.1, [], 0.1), "populations is empty"),
        ((lambda _: 0.1, [1], -1), "lower must be a finite number"),
        ((lambda _: np.nan, [1], 0.1), "risk at population 0"),
        ((lambda _: [[0.1]], [1], 0.1), "risk at population 0"),
        ((lambda _: 1.5, [1], 0.1), "risk at population 0"),
    ],
)
def test_bad_sandwiches_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        sandwich(*arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 0.5, 0.5), "rho must be a positive number"),
        ((1, 1.5, 0.5), "beta_P must lie"),
        ((1, 0.5, -1), "beta_Q must lie"),
        ((1, 0.5, 0.5, 0.5), "constant must be 1 or more"),
        ((1, 0.5, 0.5, 1, 0), "m must be a whole number"),
    ],
)
def test_bad_classes_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        AtomClass(*arguments)
