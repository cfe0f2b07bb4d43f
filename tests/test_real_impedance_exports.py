"""Impedance spectra from instruments and the cases of issue 14."""

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.constants import zero_Celsius

import of_others
from coldbond import ReadError, read
from coldbond.files import FORMATS
from coldbond.impedance import findings, fit, intervals, resistance, sweeps

#: File, first line of its numbers, separator, columns of frequency, Re(Z) and Im(Z), points.
FILES = {
    "eis-lib-impedancepy/exampleDataGamry.DTA": ("ZCURVE", 3, "\t", (3, 4, 5), 72),
    "formats-electrochemistry/EISGALV_EISTest3.DTA": ("ZCURVE", 3, "\t", (3, 4, 5), 71),
    "formats-electrochemistry/exampleDataZPlot.z": ("End Comments", 1, "\t", (0, 4, 5), 21),
    "eis-lib-impedancepy/exampleDataAutolab.txt": ("Freq (Hz)", 1, ",", (0, 4, 5), 41),
    "formats-electrochemistry/exampleDataVersaStudio.par": ("Definition=", 1, ",", (9, 14, 15), 61),
    "formats-electrochemistry/exampleDataPowersuite.txt": ("Frequency", 1, "\t", (0, 1, 2), 30),
    "eis-lib-impedancepy/exampleDataParstat.txt": ("Potential", 1, "\t", (3, 4, 5), 31),
    "eis-ion-conductor-arrhenius/s04147-140deg.txt": ("Freq.", 1, "\t", (0, 1, 2), 42),
}


def plain(file: str) -> np.ndarray:
    """The columns of a file, taken from it without coldbond; points without an alternating current are left out."""
    text, after, separator, columns, _ = FILES[file]
    lines = of_others.file(file).read_bytes().decode("latin-1").replace("\r", "").split("\n")
    start = next(n for n, line in enumerate(lines) if text in line) + after
    table = []
    for line in lines[start:]:
        cells = line.split(separator)
        if not re.match(r"\s*[-\d]", line) or len(cells) <= max(columns):
            break
        table.append([float(cells[column]) for column in columns])
    return np.array([row for row in table if row[0]])


@pytest.mark.parametrize("file", FILES)
def test_every_value_of_an_export(file):
    recording, (frequency, real, imaginary) = read(of_others.file(file)), plain(file).T
    assert recording.sizes["frequency"] == FILES[file][-1]
    np.testing.assert_array_equal(recording.frequency, frequency)
    np.testing.assert_array_equal(recording.impedance, real + 1j * imaginary)


def test_each_of_these_files_is_named_by_the_format_that_reads_it():
    named = {checked.recording for one in FORMATS for checked in one.checked}
    assert {*FILES} <= named


@pytest.mark.parametrize(("file", "what"), [("chronoa_data.dta", "chronoamperometry"), ("cv_data.dta", "voltammetry")])
def test_other_experiments_of_gamry_are_named(file, what):
    with pytest.raises(ReadError, match=f"a Gamry file of .*{what}"):
        read(of_others.file("formats-electrochemistry", file))


def test_the_authors_activation_energy_from_novocontrol_files():
    """Total resistance of an ion conductor at seven temperatures; the authors give 0.8555(6) eV for sigma T."""
    conductance, temperature = [], []
    for celsius in range(140, 201, 10):
        spectrum = read(of_others.file(f"eis-ion-conductor-arrhenius/s04147-{celsius}deg.txt"))
        results = fit.candidates(spectrum, ("RQ-RQ-Q",))
        conductance.append(1 / intervals.of_part(results, "electrolyte", 1.0).value)
        temperature.append(celsius + zero_Celsius)
    kelvin = np.array(temperature)
    slope = np.polyfit(1 / (8.617333e-5 * kelvin), np.log(np.array(conductance) * kelvin), 1)[0]
    assert -slope == pytest.approx(0.8555, abs=0.003)


# ---- the cases ------------------------------------------------------------------------------------------------------


def in_cases(name: str) -> Path:
    return of_others.case("files-electrochemistry", name)


@pytest.mark.parametrize(
    ("name", "form", "points", "first"),
    [
        ("09_autolab_nova.txt", "autolab-nova", 50, (1e6, 50 - 0.160746j)),
        ("10_quoted_header_eis.csv", "eis-text", 50, (1e6, 50 - 0.160746j)),
        ("21_gamry_galveis.DTA", "gamry-dta", 71, (1000078, 0.04711733 + 0.1695821j)),
        ("22_novocontrol.txt", "novocontrol", 42, (1e6, 2.21423e4 - 5.43115e4j)),
        ("23_zplot.z", "zplot", 31, (3e5, 642.62 - 85.821j)),
    ],
)
def test_a_case_that_was_refused_is_read(name, form, points, first):
    recording = read(in_cases(name))
    assert recording.attrs["format"] == form and recording.sizes["frequency"] == points
    assert (float(recording.frequency[0]), complex(recording.impedance[0])) == first


def test_a_resistance_with_a_distant_bound_is_not_rounded_away():
    """Case 26: Re(Z) is 24 to 36 ohm, and the spectrum gives no lower bound."""
    cell = read(in_cases("26_total_resistance_rounds_to_zero.csv"))
    cell.attrs |= dict(sample="cell", state="cycle 1", role="interface", area_cm2=1.0)
    circuits = ["L-R-RQ-RQ", "L-R-RQ-RQ-RQ", "L-R-RQ-RQ-RQ-RQ"]
    measured = {"cell": resistance.measure(cell, circuits, "modulus")}
    total, *_ = findings.findings(measured, resistance.resistances(measured), "interface", 0.02)
    assert total["quantity"] == "total_resistance" and 24 < total["value"] < 36


def test_one_of_ten_sweeps_is_named():
    """Case 27."""
    cell = read(in_cases("27_ten_sweeps.csv"))
    assert sweeps.name(cell) == "sweep 10 of 10"
    assert sweeps.name(read(in_cases("27_ten_sweeps.csv"), sweep=4)) == "sweep 4 of 10"
