"""Branch and bound: its bounds hold on every box, and it never undercuts the true maximum."""

import numpy as np
import pytest

from tlstat.errors import InputError
from tlstat.minimax import branch
from tlstat.minimax.atom_class import Atom, AtomClass
from tlstat.minimax.branch import certified_worst_case
from tlstat.minimax.sandwich import worst_atom
from tlstat.minimax.vote import vote_error


def random_members(atoms, rng, number):
    u = rng.random((number, 4))
    u[:, 0] = 1 - 0.06 * u[:, 0]
    return atoms.from_chart(u)


@pytest.mark.parametrize(
    "atoms", [AtomClass(2, 0.5, 0.5), AtomClass(0.7, 0, 1, 1.3), AtomClass(1.5, 0.9, 0.2, 1, 3)]
)
@pytest.mark.parametrize("weight", [0.0, 0.4, 1.0, 3.2])
def test_no_member_of_a_box_exceeds_its_bound(atoms, weight):
    """Boxes of every width around random members, with other members inside them."""
    rng = np.random.default_rng(1)
    members = random_members(atoms, rng, 400)
    mass_Q, mass_P = atoms.m * members.q, atoms.m * members.p
    centre = np.log(np.stack([mass_Q * members.delta_Q, mass_Q, mass_P], axis=1))
    width = rng.choice([0.01, 0.1, 1.0, 4.0], size=(400, 1)) * rng.random((400, 3))
    share = rng.random((400, 3))
    boxes = np.stack([centre - share * width, np.minimum(0, centre + (1 - share) * width)], axis=2)
    bounds = branch._bounds(boxes, 30, 12, atoms, weight)
    risk = (
        mass_Q
        * members.delta_Q
        * vote_error(
            30, members.p, members.delta_P, 12, members.q, members.delta_Q, weights=(1.0, weight)
        )
    )
    assert (risk <= bounds + 1e-13).all()
    for axis in range(3):  # a box is bounded by its parts
        halves = branch._split(boxes[axis::7])
        parts = branch._bounds(halves, 30, 12, atoms, weight).reshape(2, -1).max(axis=0)
        assert (parts <= bounds[axis::7] + 1e-12).all()


@pytest.mark.parametrize(("n_P", "n_Q", "weight"), [(6, 4, 2.0), (30, 10, 1.0), (20, 0, 1.0)])
def test_the_certified_maximum_is_above_what_a_search_finds(n_P, n_Q, weight):
    atoms = AtomClass(1.5, 0.5, 0.5)
    found, _ = worst_atom(n_P, n_Q, atoms, weights=(1.0, weight))
    certified = certified_worst_case(n_P, n_Q, atoms, weight, target=1.1 * found)
    assert found <= certified <= 1.1 * found * (1 + 1e-12)


def test_a_target_below_the_maximum_is_never_certified():
    atoms = AtomClass(2, 0.5, 0.5)
    found, _ = worst_atom(10, 5, atoms, weights=(1.0, 2.0))
    bound = certified_worst_case(10, 5, atoms, 2.0, target=0.9 * found, max_boxes=20_000)
    assert bound >= found


def test_the_work_limit_leaves_a_valid_bound():
    atoms = AtomClass(2, 0.5, 0.5)
    loose = certified_worst_case(50, 20, atoms, 3.222, target=0.0202, max_boxes=300)
    assert 0.0202 < loose <= 0.5
    with pytest.raises(InputError, match="target must be positive"):
        certified_worst_case(50, 20, atoms, 3.222, target=0.0)


def test_the_error_falls_in_agreements_and_grows_in_disagreements():
    """What the bound rests on, for the kernel itself."""
    rng = np.random.default_rng(2)
    for _ in range(60):
        a, b = np.sort(rng.dirichlet([1, 1, 2])[:2])[::-1]
        n, m, weight = int(rng.integers(1, 40)), int(rng.integers(0, 20)), rng.choice([0.5, 1, 3])
        more_a, less_b = a + 0.3 * (1 - a - b), 0.6 * b

        def error(a, b, n=n, m=m, weight=weight):
            atom = Atom(a + b, (a - b) / (a + b), 0.4, 0.3)
            return vote_error(n, atom.p, atom.delta_P, m, 0.4, 0.3, weights=(1.0, weight))

        assert error(more_a, b) <= error(a, b) + 1e-13
        assert error(a, less_b) <= error(a, b) + 1e-13
