"""True values of the impedance spectra and current transients; those of the paper are marked P.

The paper is doi 10.1002/adma.202212096. The analysis must recover them and never reads this file.
"""

import numpy as np
from scipy.constants import e as ELEMENTARY_CHARGE
from scipy.constants import k as BOLTZMANN

from twin import cells
from twin.impedance import Cell, Process
from twin.symmetric import ROOM, arrhenius

AREA, THICKNESS = cells.LLZ.area, cells.LLZ.thickness  # cm2, cm
CONDUCTIVITY = cells.LLZ.conductivity  # S/cm at 25 C, bulk and grain boundaries together (P)
ACTIVATION = cells.LLZ.activation  # eV, of conductivity times temperature (P)
TEMPERATURES = (25, 35, 45, 55, 65, 75)  # as the thermostat shows, C
THERMOSTAT = 0.3  # standard deviation of the true temperature, K

BOUNDARY_SHARE, BOUNDARY_ACTIVATION = 0.18, 0.42  # of the resistance at 25 C; eV
BULK_CAPACITANCE, BOUNDARY_CAPACITANCE = 8e-11, 1.5e-8  # F

GOLD = ((2.6e-6, 0.93), (3.0e-7, 0.78))  # smooth and rough patches

ELECTRONIC = {"LLZ": 1.1e-8, "RT-MCL-LLZ": 2.6e-9}  # S/cm; the paper says that it falls but not by how much
DECAYS = {
    "LLZ": ((1.5e-6, 25.0, 0.7), (2.6e-7, 420.0, 0.75)),
    "RT-MCL-LLZ": ((9e-7, 30.0, 0.7), (9e-8, 380.0, 0.75)),
}

CYCLES = (1, 10, 25, 50, 75, 100, 150, 200)
FULL_CELL_CYCLES = (1, 10, 25, 50)
SCATTER = 0.01  # of an interface's resistance from one measurement to the next
SHAPES = 0.12  # of its time constants and their spread, as standard deviation of the logarithm
ARCS = {"LLZ": (0.62, 0.38), "RT-MCL-LLZ": (0.55, 0.45)}  # share of each interface: the two of a cell differ
CAPACITANCE = 2.5e-6  # F, of one interface
LAYER = 0.03, 0.35  # share of the interface, and time [s], of the diffusion in the adjacent lithium


def conductivity(celsius: float) -> float:
    """Return the conductivity [S/cm] of the pellet at a temperature [C]."""
    return float(CONDUCTIVITY / arrhenius(np.asarray(celsius + 273.15), ACTIVATION))


def pellet(celsius: float = 25.0) -> tuple[Process, Process]:
    """Return bulk and grain boundaries; the boundaries have their own activation energy, the sum has the paper's."""
    total = THICKNESS / (conductivity(celsius) * AREA)
    room = THICKNESS / (CONDUCTIVITY * AREA)
    kelvin = BOUNDARY_ACTIVATION * ELEMENTARY_CHARGE / BOLTZMANN
    boundary = BOUNDARY_SHARE * room * np.exp(kelvin * (1 / (celsius + 273.15) - 1 / ROOM))
    bulk = total - boundary
    return Process(bulk, bulk * BULK_CAPACITANCE, 0.1), Process(boundary, boundary * BOUNDARY_CAPACITANCE, 0.3)


def blocked(celsius: float = 25.0) -> Cell:
    """Return Au|LLZ|Au."""
    return Cell(pellet(celsius), blocking=GOLD)


def area_resistance(sample: str, cycle: int) -> float:
    """Return the area-specific resistance [ohm cm2] of both interfaces; bare LLZ degrades from cycle 50 (P)."""
    cell = {"LLZ": cells.LLZ, "RT-MCL-LLZ": cells.RT_MCL_LLZ}[sample]
    settling = (cell.fresh - cell.settled) * np.exp(-(cycle - 1) / cell.settling)
    return cell.settled + settling + (1.7 * max(cycle - 50, 0) if sample == "LLZ" else 0.0)


def symmetric(sample: str, cycle: int) -> Cell:
    """Return Li|sample|Li after a number of cycles."""
    interface = area_resistance(sample, cycle) / AREA
    layer, time = LAYER
    arcs = [
        Process(share * (1 - layer) * interface, share * interface * CAPACITANCE * 1.6**at, 0.9)
        for at, share in enumerate(ARCS[sample])
    ]
    return Cell((*pellet(), *arcs), layer=(layer * interface, time))


def full_cell(cycle: int) -> Cell:
    """Return Li|RT-MCL-LLZ|LiFePO4: 300 ohm after 50 cycles (P), and little less before."""
    anode = area_resistance("RT-MCL-LLZ", cycle) / AREA / 2
    cathode = 300.0 - pellet()[0].resistance - pellet()[1].resistance - area_resistance("RT-MCL-LLZ", 50) / AREA / 2
    cathode *= 1 - 0.05 * np.exp(-(cycle - 1) / 8)  # wetting and coating
    contact, transfer = 0.35 * cathode, 0.65 * cathode
    arcs = Process(anode, anode * CAPACITANCE, 0.9), Process(contact, 4e-4, 0.8), Process(transfer, 1.2e-2, 0.6)
    return Cell((*pellet(), *arcs), storage=18.0)
