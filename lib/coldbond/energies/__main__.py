"""`python -m coldbond.energies [folder]` relaxes all crystals with both models and writes their energies into raw/.

Another folder is written where it is named.

CHGNet (Deng et al. 2023, doi 10.1038/s42256-023-00716-3) in its two pretrained forms: 0.3.0, which learnt energies of
GGA and GGA+U mixed as in the Materials Project, and r2SCAN, which learnt those of that functional. Both ship with the
package.
"""

import sys
import warnings
from pathlib import Path

import torch
from chgnet import __version__
from chgnet.model import CHGNet, StructOptimizer
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from coldbond.energies.structures import CRYSTALS, Crystal
from coldbond.energies.tables import list_in_manifest, write

RAW = Path(__file__).resolve().parents[2] / "raw"
MODELS = {"CHGNet 0.3.0": "0.3.0", "CHGNet r2SCAN": "r2scan"}
FORCE = 0.005  # eV/angstrom, largest after relaxation
STEPS = 1000


def start(crystal: Crystal) -> Structure:
    """The primitive cell of a crystal."""
    kinds, places = [site[0] for site in crystal.sites], [site[1:] for site in crystal.sites]
    cell = Structure.from_spacegroup(crystal.group, Lattice.from_parameters(*crystal.cell), kinds, places)
    return cell.get_primitive_structure()


def relaxed(structure: Structure, optimizer: StructOptimizer) -> tuple[Structure, float, float, int]:
    """The relaxed cell, its energy [eV/atom], largest force [eV/angstrom], and the steps taken."""
    found = optimizer.relax(structure, fmax=FORCE, steps=STEPS, verbose=False)
    path = found["trajectory"]
    force = max(sum(x**2 for x in one) ** 0.5 for one in path.forces[-1])
    return found["final_structure"], path.energies[-1] / len(structure), float(force), len(path.energies)


def row(name: str, crystal: Crystal, optimizer: StructOptimizer, label: str) -> dict[str, str]:
    """One line of the table."""
    end, energy, force, steps = relaxed(start(crystal), optimizer)
    if steps >= STEPS:
        raise RuntimeError(f"{name} with {label} is not relaxed after {STEPS} steps: raise STEPS")
    conventional = SpacegroupAnalyzer(end, symprec=0.05).get_conventional_standard_structure()
    cell = dict(zip(("a", "b", "c"), (f"{x:.3f}" for x in conventional.lattice.abc), strict=True))
    cell |= dict(zip(("alpha", "beta", "gamma"), (f"{x:.2f}" for x in conventional.lattice.angles), strict=True))
    return {
        "structure": name,
        "formula": end.composition.reduced_formula,
        "prototype": crystal.prototype,
        "space_group": SpacegroupAnalyzer(end, symprec=0.05).get_space_group_symbol(),
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
    torch.set_num_threads(1)  # sums in another order differ in the last digit
    warnings.filterwarnings("ignore")  # of the packages' own code
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
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else RAW)
