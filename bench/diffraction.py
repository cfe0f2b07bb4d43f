"""Diffraction: fit a whole garnet pattern without a structure model (Pawley, Le Bail).

The pattern is that of the independent forward model of the tests: 3251 points with counting noise, which differs in
each round, and a zero error, which both programs fit beside cell, widths and background. Each is left at its defaults.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from bench.timing import timed

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from independent import powder

CELL, START, ZERO = 12.955, 12.96, 0.03  # angstrom, angstrom, degree
WHAT = "fit a garnet pattern of 3251 points without a structure model"
#: What the table shows of a fit: deviation of the cell, the same over its standard error, weighted residual.
TASKS = (
    f"{WHAT}; cell [Å] less the true one, {CELL}",
    f"{WHAT}; deviation of the cell over its standard error",
    f"{WHAT}; Rwp [%]",
)
GARNET = powder.CRYSTALS["garnet"].of_cell(CELL)
DIFFRACTOMETER = powder.Diffractometer(zero=ZERO)


def pattern(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two theta [degree] and simulated counts."""
    return powder.counted(seed, [powder.Phase(GARNET)], DIFFRACTOMETER)


def with_coldbond(two_theta: np.ndarray, counts: np.ndarray) -> tuple[float, float, float]:
    """Return the cell [angstrom], its standard error, and Rwp [%]."""
    from coldbond.files.spectrum import spectrum
    from coldbond.xrd import pawley
    from coldbond.xrd.structures import STRUCTURES

    names = ("wavelength_kalpha1", "wavelength_kalpha2")
    attrs = dict(zip(names, powder.WAVELENGTHS["Cu"], strict=True)) | {"goniometer_radius": DIFFRACTOMETER.radius}
    made = spectrum(Path("garnet"), "xrd", two_theta, counts.astype(float), one_count=1.0, attrs=attrs)
    found = pawley.fit(made, STRUCTURES["LLZTO"], geometry="zero")
    difference = (found.curves.intensity - found.curves.fit) / np.sqrt(np.maximum(counts, 1))
    rwp = 100 * np.sqrt(float((difference**2).sum()) / counts.sum())
    return found.params["a"].value, found.params["a"].stderr, rwp


def with_rietx(two_theta: np.ndarray, counts: np.ndarray, mode: str) -> tuple[float, float, float]:
    """Return the cell [angstrom], its standard error, and Rwp [%]."""
    import rietx

    with tempfile.TemporaryDirectory() as folder:
        scan, structure = Path(folder) / "garnet.xy", Path(folder) / "garnet.cif"
        np.savetxt(scan, np.column_stack([two_theta, counts]))
        structure.write_text(powder.cif(GARNET.of_cell(START), "garnet"), encoding="utf-8")
        instrument = rietx.Instrument.bragg_brentano(goniometer_radius_mm=DIFFRACTOMETER.radius)
        refinement = rietx.Refinement(rietx.Structure.from_cif(str(structure)), instrument)
        found = refinement.fit(rietx.read_pattern(str(scan)), mode=mode, telemetry=False)
    (cell,) = [one for one in found.parameters if one.path == "phases.0.cell.a"]
    return cell.value, cell.stderr, 100 * found.statistics.rwp


def measured(fit, seed: int, *options: str) -> dict:
    """Return the duration of a fit, with each of the numbers that it found."""
    result = timed(fit, *pattern(seed), *options, first=(*pattern(0), *options))
    if "fails" in result:
        return dict.fromkeys(TASKS, result)
    cell, error, rwp = result["found"]
    return {
        task: result | {"found": found}
        for task, found in zip(TASKS, (cell - CELL, (cell - CELL) / error, rwp), strict=True)
    }


def measure_coldbond(seed: int) -> dict:
    return measured(with_coldbond, seed)


def measure_pawley(seed: int) -> dict:
    return measured(with_rietx, seed, "pawley")


def measure_le_bail(seed: int) -> dict:
    return measured(with_rietx, seed, "lebail")


CONTENDERS = {
    "coldbond, Pawley": (measure_coldbond, sys.maxsize),
    "rietx, Pawley": (measure_pawley, sys.maxsize),
    "rietx, Le Bail": (measure_le_bail, sys.maxsize),
}
