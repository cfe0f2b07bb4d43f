"""The recordings of raw/eis and raw/dc: the cell or pellet of each, its cycle or temperature."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import numpy as np

from twin import chi, impedance, pellets
from twin.recording import Recording

CELL = {"area_cm2": "0.785", "thickness_cm": "0.040", "temperature_C": "25"}
BEGUN = datetime(2022, 4, 28, 9, 14, 20)


def symmetric(sample: str, cycle: int, *, seed: int) -> impedance.Cell:
    """Return a symmetric cell when it is measured; its interfaces scatter from one measurement to the next."""
    return _scattered(pellets.symmetric(sample, cycle), seed)


def full_cell(cycle: int, *, seed: int) -> impedance.Cell:
    """Return a full cell when it is measured."""
    return _scattered(pellets.full_cell(cycle), seed)


def pellet(celsius: float, *, seed: int) -> impedance.Cell:
    """Return a pellet between gold electrodes; its temperature deviates from what the thermostat shows."""
    off = np.random.default_rng(seed + 1).normal(0, pellets.THERMOSTAT)
    return pellets.blocked(celsius + off)


def of_cell(sample: str, cycle: int, *, seed: int) -> impedance.Spectrum:
    """Return the spectrum of a symmetric cell."""
    return impedance.sweep(symmetric(sample, cycle, seed=seed), seed=seed)


def of_full_cell(cycle: int, *, seed: int) -> impedance.Spectrum:
    """Return the spectrum of a full cell."""
    return impedance.sweep(full_cell(cycle, seed=seed), seed=seed)


def of_pellet(celsius: float, *, seed: int) -> impedance.Spectrum:
    """Return the spectrum of a pellet between gold electrodes at the temperature [C] that the thermostat shows."""
    return impedance.sweep(pellet(celsius, seed=seed), seed=seed)


def of_electrons(sample: str, *, seed: int) -> impedance.Transient:
    """Return the current of a pellet at 1 V."""
    steady = pellets.ELECTRONIC[sample] * pellets.AREA / pellets.THICKNESS
    return impedance.transient(steady, pellets.DECAYS[sample], seed=seed)


def _scattered(cell: impedance.Cell, seed: int) -> impedance.Cell:
    """Return the cell with its interfaces scattered: one factor for all resistances, one for the time of each arc."""
    rng = np.random.default_rng(seed + 1)
    factor = 1 + rng.normal(0, pellets.SCATTER)
    arcs = []
    for resistance, time, spread in cell.processes[2:]:
        slower, wider = np.exp(rng.normal(0, pellets.SHAPES, 2))
        arcs.append(impedance.Process(resistance * factor, time * slower, spread * wider))
    resistance, time = cell.layer
    slower = np.exp(rng.normal(0, pellets.SHAPES))
    return replace(cell, processes=(*cell.processes[:2], *arcs), layer=(resistance * factor, time * slower))


def _spectrum(
    file: str,
    role: str,
    sample: str,
    state: str,
    simulate: partial[impedance.Spectrum],
    day: float,
    note: str,
    **other: str,
) -> Recording:
    """Return the recording of a spectrum, taken `day` days after `BEGUN`."""
    start = (BEGUN + timedelta(days=day)).isoformat(sep=" ", timespec="seconds")
    # The note has a degree sign, which in latin-1 is not valid utf-8: what readers of such files meet.
    export = partial(chi.impedance, start=start, note=f"synthetic, {state}" if role == "arrhenius" else "synthetic")
    return Recording(f"eis/{file}.txt", "eis", role, sample, state, simulate, export, note, CELL | other)


def _transient(sample: str, day: float) -> Recording:
    """Return the recording of a current at constant voltage, taken `day` days after `BEGUN`."""
    start = (BEGUN + timedelta(days=day)).isoformat(sep=" ", timespec="seconds")
    note = f"CHI 660D, Amperometric i-t Curve; Au|{sample}|Au at 1 V"
    simulate, export = partial(of_electrons, sample), partial(chi.transient, start=start)
    return Recording(
        f"dc/electronic-{sample}.txt", "dc", "electronic", sample, "pristine", simulate, export, note, CELL
    )


CHI = "CHI 660D, A.C. Impedance, 10 mV, 1 MHz to 0.1 Hz"

RECORDINGS = [
    *(
        _spectrum(
            f"interface-{sample}-cycle-{cycle:03d}",
            "interface",
            sample,
            f"cycle {cycle}",
            partial(of_cell, sample, cycle),
            cycle / 6,
            f"{CHI}; Li|{sample}|Li at 0.5 mA/cm2" if sample != "LLZ" else f"{CHI}; Li|LLZ|Li",
        )
        for sample in ("RT-MCL-LLZ", "LLZ")
        for cycle in pellets.CYCLES
    ),
    *(
        _spectrum(
            f"full-cell-RT-MCL-LLZ-cycle-{cycle:03d}",
            "full-cell-interface",
            "RT-MCL-LLZ",
            f"cycle {cycle}",
            partial(of_full_cell, cycle),
            cycle / 2.2,
            f"{CHI}; Li|RT-MCL-LLZ|LiFePO4",
        )
        for cycle in pellets.FULL_CELL_CYCLES
    ),
    _spectrum("conductivity-LLZ", "conductivity", "LLZ", "pristine", partial(of_pellet, 25), -9.0, f"{CHI}; Au|LLZ|Au"),
    *(
        _spectrum(
            f"arrhenius-LLZ-{celsius}C",
            "arrhenius",
            "LLZ",
            f"{celsius} °C",
            partial(of_pellet, celsius),
            -8.0 + celsius / 100,
            f"{CHI}; Au|LLZ|Au in a thermostat",
            temperature_C=f"{celsius}",
        )
        for celsius in pellets.TEMPERATURES
    ),
    _transient("LLZ", -7.0),
    _transient("RT-MCL-LLZ", -6.8),
]
