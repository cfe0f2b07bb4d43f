"""What the figures of spectra should find in recordings of lib/twin, by figure, sample, state and quantity."""

import re

import numpy as np
from scipy.constants import e as ELEMENTARY_CHARGE
from scipy.constants import k as BOLTZMANN

from coldbond.build import figures_table
from twin import crystals, eis, pellets, photoemission, surfaces, vibrations
from twin.recording import Recording

Truths = dict[tuple[str, str, str, str], float | bool]
FIGURES = figures_table.load()


def constant() -> Truths:
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


def _of_pellets() -> Truths:
    """Conductivities and courses; a resistance scatters from one measurement to the next: see `of_seed`."""
    course = "cycle 1 to cycle 200"
    settled = 1 + pellets.cells.RT_MCL_LLZ.settling * np.log(20)  # 95 % of the fall
    true = {
        ("fig4e", "RT-MCL-LLZ", course, "break_cycle"): None,  # a fall without a kink
        ("fig4e", "RT-MCL-LLZ", course, "settling_cycle"): settled,
        ("fig4e", "RT-MCL-LLZ", course, "falls_then_stable"): True,
        ("fig4e", "RT-MCL-LLZ", course, "falls_then_rises"): False,
        ("fig4e", "LLZ", course, "always_higher_than_RT-MCL-LLZ"): True,
        ("fig4e", "LLZ", course, "higher_than_RT-MCL-LLZ_falls_then_rises"): True,
        ("figS23", "LLZ", course, "falls_then_rises"): True,
    }
    for figure in ("fig4e", "figS23"):
        true |= {
            (figure, "LLZ", course, "break_cycle"): 50.0,
            (figure, "LLZ", course, "cycle_of_minimum"): 50.0,
            (figure, "LLZ", course, "falls_then_stable"): False,
        }
    return true | {("figS3", *of): value for of, value in _conductivities().items()}


def _conductivities() -> dict[tuple[str, str, str], float | bool]:
    warm = f"{pellets.TEMPERATURES[0]} to {pellets.TEMPERATURES[-1]} °C"
    kelvin = np.array(pellets.TEMPERATURES) + 273.15
    slope = np.polyfit(1 / kelvin, np.log([pellets.conductivity(celsius) for celsius in pellets.TEMPERATURES]), 1)[0]
    true: dict[tuple[str, str, str], float | bool] = {
        ("LLZ", "pristine", "ionic_conductivity"): pellets.CONDUCTIVITY,
        ("LLZ", warm, "activation_energy_of_conductivity_times_temperature"): pellets.ACTIVATION,
        ("LLZ", warm, "activation_energy_of_conductivity"): -slope * BOLTZMANN / ELEMENTARY_CHARGE,
        ("LLZ", warm, "straight_over_inverse_temperature"): True,
        ("LLZ", "25 °C", "ionic_conductivity_on_the_line"): pellets.CONDUCTIVITY,
        ("RT-MCL-LLZ", "pristine", "electronic_conductivity_below_LLZ"): True,
    }
    electronic = pellets.ELECTRONIC
    true["RT-MCL-LLZ", "pristine", "electronic_conductivity_over_LLZ"] = electronic["RT-MCL-LLZ"] / electronic["LLZ"]
    for sample, value in electronic.items():
        true[sample, "pristine", "electronic_conductivity"] = value
        true[sample, "pristine", "steady_current"] = value * pellets.AREA / pellets.THICKNESS
    return true


def of_spectrum(recording: Recording, seed: int) -> dict[str, float | bool]:
    """Return the resistances behind a spectrum that was simulated with a seed, by quantity."""
    if recording.role == "conductivity":
        # The electrodes drift during the sweep by as much as its noise: the first number that `twin.impedance.sweep`
        # draws. A larger drift does not obey the Kramers-Kronig relations, though the spectrum may not show it.
        steady = abs(np.random.default_rng(seed).normal(0, 1)) < 1
        total = {"total_ionic_resistance": eis.pellet(25, seed=seed).total}
        return total | ({"obeys_kramers_kronig": True} if steady else {})
    if recording.role not in ("interface", "full-cell-interface"):
        return {}
    cycle = int(re.search(r"\d+", recording.state)[0])
    if recording.role == "full-cell-interface":
        cell = eis.full_cell(cycle, seed=seed)
        return {"total_resistance": cell.total, "interface_resistance": cell.interface}
    cell = eis.symmetric(recording.sample, cycle, seed=seed)
    of_one = cell.interface * pellets.AREA / 2
    return {
        "total_resistance": cell.total,
        "interface_resistance": cell.interface,
        "area_specific_resistance": of_one,
    }


#: What the twin calls a line and what the analysis calls the component.
KEYS = {"Li-In": "LiIn", "reduced Zr": "ZrReduced", "Zr4+": "Zr4", "Zr 4s": "Zr4s"}


def _of_surfaces() -> Truths:
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
