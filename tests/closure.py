"""Closure: the notebooks on new realisations of the synthetic recordings, held against the truths behind them.

    python tests/closure.py [realisations [first [figure ...]]]

prints for every quantity how often its 95 % interval covered the truth, and how often each decision was right.
"""

import csv
import os
import re
import sys
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from zlib import crc32

import nbformat
import numpy as np

from coldbond.build import figures_table
from coldbond.bundle import manifest, paths, raw
from twin import crystals, eis, pellets, photoemission, surfaces, vibrations
from twin.recordings import RECORDINGS

ROOT = Path(__file__).parents[1]

#: The figures whose findings have a known truth, as figures.toml describes them.
NAMES = ("fig4e", "figS19", "figS3", "fig2g", "fig2h", "figS2", "figS11", "fig5h", "fig3ghi", "figS24", "fig5i")
TABLE = figures_table.load()
FIGURES = {name: TABLE[name] for name in NAMES}


def truths() -> dict[tuple[str, str, str, str], float | bool]:
    """What each figure should find, by figure, sample, state and quantity."""
    pristine, cycled = "pristine", "after 200 cycles"
    cells = {
        ("fig2h", "LLZ", pristine): crystals.LLZ,
        ("fig2h", "InN-LLZ", pristine): crystals.INN_LLZ,
        ("figS2", "LLZ-powder", "before sintering"): crystals.POWDER,
        ("figS11", "Li", "before reaction"): crystals.LITHIUM,
        ("figS11", "Li", "after reaction"): crystals.LITHIUM_AFTER,
        ("fig5h", "LLZ", cycled): crystals.CYCLED_LLZ,
        ("fig5h", "RT-MCL-LLZ", cycled): crystals.CYCLED_RT_MCL_LLZ,
    }
    true = {
        (*of, "lattice_parameter_a"): specimen.layers[-1].phases[0].crystal.cell[0] for of, specimen in cells.items()
    }
    for figure, sample, state in cells:
        if figure != "figS11":
            true[figure, sample, state, "matches_reference"] = True
        for phase in ("InN", "In", "La2Zr2O7", "Li2O", "Li2CO3", "Li3N", "LiIn"):
            held = {("InN-LLZ", pristine): ["InN"], ("LLZ", cycled): ["La2Zr2O7", "Li2CO3"]}.get((sample, state), [])
            true[figure, sample, state, f"{phase}_present"] = phase in held
    true["fig5h", "RT-MCL-LLZ", cycled, "Li2CO3_present"] = True
    change = crystals.LI_AFTER_A - crystals.LI_A
    true |= {
        ("figS2", "LLZ", pristine, "same_phase_as_LLZ-powder"): True,
        ("figS11", "Li", "after reaction", "lattice_expanded"): True,
        ("figS11", "Li", "after reaction", "lattice_parameter_change"): change,
        ("fig5h", "LLZ", cycled, "broader_than_RT-MCL-LLZ"): True,
        ("fig5h", "LLZ", cycled, "more_stray_peaks_than_RT-MCL-LLZ"): True,
        ("fig2g", "LLZ", pristine, "InN_Raman_mode_present"): False,
        ("fig2g", "InN-LLZ", pristine, "InN_Raman_mode_present"): True,
    }
    true |= _of_pellets()
    for mode, band in vibrations.INN.items():
        true["fig2g", "InN-LLZ", pristine, f"InN {mode}_present"] = True
        true["fig2g", "InN-LLZ", pristine, f"raman_shift_of_InN {mode}"] = band.position
    return true | _of_surfaces()


def _of_pellets() -> dict[tuple[str, str, str, str], float | bool]:
    """Conductivities and courses; a resistance scatters from one measurement to the next: see `of_seed`."""
    course, electronic = "cycle 1 to cycle 200", pellets.ELECTRONIC
    settled = 1 + pellets.cells.RT_MCL_LLZ.settling * np.log(20)  # 95 % of the fall
    warm = f"{pellets.TEMPERATURES[0]} to {pellets.TEMPERATURES[-1]} °C"
    return {
        ("fig4e", "LLZ", course, "break_cycle"): 50.0,
        ("fig4e", "RT-MCL-LLZ", course, "break_cycle"): settled,
        ("fig4e", "RT-MCL-LLZ", course, "falls_then_stable"): True,
        ("fig4e", "LLZ", course, "falls_then_stable"): False,
        ("fig4e", "LLZ", course, "higher_than_RT-MCL-LLZ_falls_then_rises"): True,
        ("figS3", "LLZ", warm, "activation_energy_of_conductivity_times_temperature"): pellets.ACTIVATION,
        ("figS3", "LLZ", warm, "straight_over_inverse_temperature"): True,
        ("figS3", "LLZ", "25 °C", "ionic_conductivity_on_the_line"): pellets.CONDUCTIVITY,
        ("figS3", "RT-MCL-LLZ", "pristine", "electronic_conductivity_below_LLZ"): True,
    } | {("figS3", sample, "pristine", "electronic_conductivity"): value for sample, value in electronic.items()}


def of_seed(figure: str, seed: int) -> dict[tuple[str, str, str, str], float]:
    """The resistances behind the spectra of one realisation."""
    true = {}
    for recording in RECORDINGS:
        if recording.technique != "eis" or recording.role not in FIGURES[figure].roles:
            continue
        number = int(re.search(r"\d+", recording.state)[0]) if recording.role != "conductivity" else 25
        own = dict(seed=_seed(recording.file, seed))
        whose = figure, recording.sample, recording.state
        if recording.role == "conductivity":
            true[*whose, "total_ionic_resistance"] = eis.pellet(number, **own).total
        elif recording.role != "arrhenius":
            of_full = recording.role == "full-cell-interface"
            cell = eis.full_cell(number, **own) if of_full else eis.symmetric(recording.sample, number, **own)
            true[*whose, "total_resistance"], true[*whose, "interface_resistance"] = cell.total, cell.interface
    return true


#: What the twin calls a line and what the analysis calls the component.
KEYS = {"Li-In": "LiIn", "reduced Zr": "ZrReduced", "Zr4+": "Zr4", "Zr 4s": "Zr4s"}


def _of_surfaces() -> dict[tuple[str, str, str, str], float | bool]:
    """Presence, position and share of each line; carbonate and garnet in one line are no component of the paper."""
    true = {}
    for (sample, state), surface in surfaces.SURFACES.items():
        area = photoemission.areas(surface)
        for figure, described in FIGURES.items():
            if described.roles != (("surface",) if state == "pristine" else ("cycled-surface",)):
                continue
            for line in surface.lines:
                region = "Li 1s" if line.name == "Zr 4s" else line.level.name
                name = f"{region} {KEYS.get(line.name, line.name)}".replace(" ", "_")
                true[figure, sample, state, f"{name}_present"] = True
                true[figure, sample, state, f"{name}_binding_energy"] = line.position
                if (line.level.name, line.name) in area:
                    whole = sum(value for (level, _), value in area.items() if level == line.level.name)
                    true[figure, sample, state, f"{name}_share"] = area[line.level.name, line.name] / whole
            for name in ("Li_1s_Li0", "In_3d_InN", "In_3d_LiIn", "N_1s_InN", "N_1s_Li3N", "Zr_3d_ZrReduced"):
                true.setdefault((figure, sample, state, f"{name}_present"), False)
    shares = {("HT-MCL-LLZ", -0.35), ("RT-MCL-LLZ", -0.70)}
    true |= {("fig3ghi", sample, "pristine", "In_3d_shift"): value for sample, value in shares}
    return true


def found(figure: str, seed: int) -> list[dict]:
    """The findings of a figure's notebook on recordings with new noise."""
    described = FIGURES[figure]
    with TemporaryDirectory() as folder:
        rows = [r for r in RECORDINGS if r.role in described.roles]
        for recording in rows:
            path = Path(folder, recording.file)
            path.parent.mkdir(exist_ok=True)
            recording.export(recording.simulate(seed=_seed(recording.file, seed)), path)
        _write_manifest(Path(folder), rows)
        before, paths.RAW = paths.RAW, Path(folder)
        is_own, raw.is_own = raw.is_own, lambda: True  # an analysis that fails is an error, not left out
        try:
            return _run(described.notebook, described.all_parameters)
        finally:
            paths.RAW, raw.is_own = before, is_own


def _seed(file: str, seed: int) -> int:
    return crc32(f"{file} {seed}".encode())


def _write_manifest(folder: Path, recordings: list) -> None:
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, manifest.COLUMNS, restval="")
        table.writeheader()
        for recording in recordings:
            row = {key: getattr(recording, key) for key in ("file", "technique", "role", "sample", "state")}
            table.writerow(row | {"origin": "synthetic"} | dict(recording.constants))


def _run(notebook: str, changes: dict) -> list[dict]:
    """Run the cells of a notebook up to its figure."""
    cells = nbformat.read(ROOT / "notebooks" / f"{notebook}.ipynb", as_version=4).cells
    space: dict = {}
    for cell in cells:
        if cell.cell_type != "code":
            continue
        if "figures.new" in cell.source:
            break
        exec(compile(cell.source, notebook, "exec"), space)
        if "parameters" in cell.metadata.get("tags", []):
            space |= changes
    return space["values"]


def judged(figure: str, seed: int) -> list[tuple[tuple[str, str, str, str], bool | None]]:
    """Of every finding that has a truth, whether it covers it or decides right; None where it says nothing."""
    true, verdicts = truths() | of_seed(figure, seed), []
    for row in found(figure, seed):
        key = figure, row["sample"], row["state"], row["quantity"]
        if key not in true:
            continue
        if isinstance(true[key], bool):
            verdicts.append((key, None if row["value"] is None else row["value"] is true[key]))
        else:
            low, high = (float("nan") if x is None else x for x in (row["low"], row["high"]))
            verdicts.append((key, not (true[key] < low or true[key] > high)))
    return verdicts


def main(realisations: int, first: int, figures: list[str]) -> int:
    jobs = [(figure, seed) for seed in range(first, first + realisations) for figure in figures or FIGURES]
    counts: dict = defaultdict(lambda: [0, 0, 0])
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for done, verdicts in enumerate(pool.map(_judged, jobs), start=1):
            print(f"\r{done} of {len(jobs)}", end="", file=sys.stderr, flush=True)
            for key, good in verdicts:
                counts[key][0] += good is True
                counts[key][1] += good is False
                counts[key][2] += good is None
    true = {key: value for figure in FIGURES for key, value in of_seed(figure, 0).items()} | truths()
    print(file=sys.stderr)
    for kind, wanted in (("intervals", float), ("decisions", bool)):
        rows = {key: n for key, n in counts.items() if isinstance(true[key], wanted)}
        print(f"{kind:<76} right wrong silent")
        for key, n in rows.items():
            print(f"{' '.join(key):<76} {n[0]:5} {n[1]:5} {n[2]:6}")
        right, wrong = (sum(n[i] for n in rows.values()) for i in (0, 1))
        print(f"{'all ' + kind:<76} {right:5} {wrong:5}  {right / max(right + wrong, 1):.1%}\n")
    return 0


def _judged(job: tuple[str, int]) -> list:
    return judged(*job)


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:3]]
    sys.exit(main(*numbers, *(50, 0)[len(numbers) :], sys.argv[3:]))
