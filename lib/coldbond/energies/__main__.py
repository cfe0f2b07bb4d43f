"""Relax all crystals with two pretrained potentials and write their energies into a folder of recordings.

    python -m coldbond.energies [FOLDER]

The potentials are the two versions of CHGNet (Deng et al. 2023, doi 10.1038/s42256-023-00716-3): 0.3.0, trained on GGA
and GGA+U energies mixed as in the Materials Project, and r2SCAN, trained on energies of that functional. Both are part
of the package chgnet. Cell and atomic positions are relaxed from the published structure; the energy is that of the
relaxed cell at 0 K.
"""

import sys
import warnings
from pathlib import Path

import torch
from chgnet import __version__
from chgnet.model import CHGNet, StructOptimizer
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from coldbond.bundle import paths
from coldbond.energies.structures import CRYSTALS, Crystal
from coldbond.energies.tables import list_in_manifest, write

#: Name in the tables: name in chgnet.
MODELS = {"CHGNet 0.3.0": "0.3.0", "CHGNet r2SCAN": "r2scan"}
FORCE = 0.005  # eV/angstrom, largest force on an atom at which a cell counts as relaxed
STEPS = 1000  # of the optimizer, at most
SYMMETRY_TOLERANCE = 0.05  # angstrom, for the space group of the relaxed cell


def primitive_cell(crystal: Crystal) -> Structure:
    """Return the primitive cell of a crystal before relaxation."""
    elements, positions = [site[0] for site in crystal.sites], [site[1:] for site in crystal.sites]
    cell = Structure.from_spacegroup(crystal.group, Lattice.from_parameters(*crystal.cell), elements, positions)
    return cell.get_primitive_structure()


def relaxed(structure: Structure, optimizer: StructOptimizer) -> tuple[Structure, float, float, int]:
    """Return the relaxed cell, its energy [eV/atom], the largest force [eV/angstrom] and the number of steps."""
    found = optimizer.relax(structure, fmax=FORCE, steps=STEPS, verbose=False)
    path = found["trajectory"]
    force = max(sum(x**2 for x in one) ** 0.5 for one in path.forces[-1])
    return found["final_structure"], path.energies[-1] / len(structure), float(force), len(path.energies)


def row(name: str, crystal: Crystal, optimizer: StructOptimizer, label: str) -> dict[str, str]:
    """Relax a crystal and return its row of the table."""
    end, energy, force, steps = relaxed(primitive_cell(crystal), optimizer)
    if steps >= STEPS:
        raise RuntimeError(f"{name} with {label} is not relaxed after {STEPS} steps: increase STEPS")
    symmetry = SpacegroupAnalyzer(end, symprec=SYMMETRY_TOLERANCE)
    conventional = symmetry.get_conventional_standard_structure()
    cell = dict(zip(("a", "b", "c"), (f"{x:.3f}" for x in conventional.lattice.abc), strict=True))
    cell |= dict(zip(("alpha", "beta", "gamma"), (f"{x:.2f}" for x in conventional.lattice.angles), strict=True))
    return {
        "structure": name,
        "formula": end.composition.reduced_formula,
        "prototype": crystal.prototype,
        "space_group": symmetry.get_space_group_symbol(),
        "energy_eV_per_atom": f"{energy:.4f}",
        "volume_A3_per_atom": f"{end.volume / len(end):.3f}",
        **cell,
        "atoms": str(len(end)),
        "largest_force_eV_per_A": f"{force:.3f}",
        "model": label,
        "version": f"chgnet {__version__}",
        "source_of_structure": crystal.source,
    }


def main(raw: Path) -> None:
    """Write the tables of both potentials into a folder of recordings and list them in its manifest."""
    torch.set_num_threads(1)  # several threads sum in varying order, which changes the last digit
    warnings.filterwarnings("ignore")  # chgnet and pymatgen warn about their own code
    for label, model in MODELS.items():
        optimizer = StructOptimizer(CHGNet.load(model_name=model, use_device="cpu", verbose=False), use_device="cpu")
        rows = []
        for number, (name, crystal) in enumerate(CRYSTALS.items(), start=1):
            rows.append(row(name, crystal, optimizer, label))
            done = f"{label}, {number} of {len(CRYSTALS)}: {name}"
            print(f"{done:<40} {rows[-1]['energy_eV_per_atom']} eV/atom  {rows[-1]['space_group']}", flush=True)
        file = f"energies/{label.lower().replace(' ', '-')}.csv"
        write(raw / file, rows)
        list_in_manifest(raw, file, label)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else paths.RAW)
