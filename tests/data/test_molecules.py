"""The molecules are what their datasheet says, and their graphs are read as chemists do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.data import molecules
from mmcourse.data.molecules import Molecule, framework, neighbourhoods, scaffold


def make(atoms, bonds):
    return Molecule("made", tuple(atoms), np.array(bonds, dtype=np.int64).reshape(-1, 3), 0.0)


def ring(size, atom="C", first=0, alternating=True):
    bonds = [(first + one, first + (one + 1) % size, 1 + alternating * (one % 2)) for one in range(size)]
    return [atom] * size, bonds


def toluene():
    atoms, bonds = ring(6)
    return make([*atoms, "C"], [*bonds, (2, 6, 1)])


def test_the_whole_set():
    found = molecules.load()
    assert len(found) == 1274
    assert all(len(one.bonds) and "H" not in one.atoms for one in found)
    assert all(one.bonds[:, :2].max() < len(one.atoms) for one in found)
    values = np.array([one.solubility for one in found])
    assert -12 < values.min() and values.max() < 3 and values.std() > 1.5
    named = {one.name: one for one in found}
    assert named["benzene"].atoms == ("C",) * 6
    assert scaffold(named["benzene"]) == scaffold(named["toluene"]) != scaffold(named["cyclohexane"])
    assert scaffold(named["n-pentane"]) == ""


def test_a_framework_is_rings_and_what_joins_them():
    assert framework(toluene()) == list(range(6))
    one, bonds = ring(6)
    other, more = ring(6, first=6)
    joined = make([*one, *other, "O", "Cl"], [*bonds, *more, (0, 12, 1), (12, 6, 1), (3, 13, 1)])
    assert framework(joined) == list(range(13))  # the oxygen between the rings stays, the chlorine goes
    assert framework(make("CCCO", [(0, 1, 1), (1, 2, 1), (2, 3, 1)])) == []


def test_the_two_ways_to_write_a_ring_of_alternating_bonds_are_one():
    atoms, bonds = ring(6)
    shifted = [(first, second, 3 - order) for first, second, order in bonds]
    assert scaffold(make(atoms, bonds)) == scaffold(make(atoms, shifted))
    single = [(first, second, 1) for first, second, _ in bonds]
    assert scaffold(make(atoms, bonds)) != scaffold(make(atoms, single))


@given(st.integers(0, 2**32 - 1), st.integers(0, 3))
@settings(max_examples=25, deadline=None)
def test_the_order_of_atoms_does_not_matter(seed, radius):
    random = np.random.default_rng(seed)
    found = molecules.load()
    one = found[random.integers(len(found))]
    order = random.permutation(len(one.atoms))  # new number -> old
    place = np.argsort(order)
    bonds = one.bonds.copy()
    bonds[:, :2] = place[bonds[:, :2]]
    atoms = tuple(one.atoms[old] for old in order)
    other = Molecule("same", atoms, random.permutation(bonds), one.solubility)
    assert scaffold(one) == scaffold(other)
    assert neighbourhoods(one, radius) == neighbourhoods(other, radius)


def test_neighbourhoods_count_elements_first():
    ethanol = make("CCO", [(0, 1, 1), (1, 2, 1)])
    assert neighbourhoods(ethanol, 0) == {"C": 2, "O": 1}
    assert neighbourhoods(ethanol, 1) == {"C": 2, "O": 1, "C(C)": 1, "C(C,O)": 1, "O(C)": 1}
    ethanal = make("CCO", [(0, 1, 1), (1, 2, 2)])
    assert neighbourhoods(ethanal, 1) != neighbourhoods(ethanol, 1)


def test_a_record_is_read():
    lines = ["water and carbon", "", "", "  3  2  0"]
    lines += [f"{0:10.4f}{0:10.4f}{0:10.4f} {atom:3} 0" for atom in ("C", "O", "H")]
    lines += ["  1  2  2  0", "  2  3  1  0", "M  END", ">  <SOL>", "-1.25", ""]
    one = molecules.read_record("\n".join(lines))
    assert one.atoms == ("C", "O") and one.bonds.tolist() == [[0, 1, 2]]
    assert one.name == "water and carbon" and one.solubility == -1.25


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: molecules.read_record("no molecule"), "counts, atoms and bonds"),
        (lambda: molecules.read_record("x\n\n\n  0  0  0\nM  END"), "no property SOL"),
        (lambda: neighbourhoods(toluene(), -1), "radius"),
    ],
)
def test_errors_say_what_was_expected(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_statistics_are_counted():
    found = molecules.statistics()
    assert found["molecules"] == 1274 and found["molecules: without a ring"] == 336
