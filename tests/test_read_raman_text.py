"""Raman spectra as text: Horiba, WITec, Renishaw, Thermo, Ocean Optics; what their headers leave out, and damage."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from coldbond.bundle import paths, raw
from coldbond.files import ReadError, read
from coldbond.files.raman import axis

SHIFT = 100 + 1.9285 * np.arange(12)
COUNTS = 1000.5 + 7 * np.arange(12)
#: The same points over wavelength, for a laser of 532 nm.
LIGHT = 1 / (1 / 532.0 - SHIFT / 1e7)


def rows(x: np.ndarray = SHIFT, separator: str = "\t", end: str = "") -> str:
    return "".join(f"{a:.6f}{separator}{b:.4f}{end}\n" for a, b in zip(x, COUNTS, strict=True))


LABSPEC = (
    "#Acq. time (s)=\t30\n#Accumulations=\t4\n#Range (cm-¹)=\t100...120\n#Detector temperature (°C)=\t-60.1\n"
    "#Instrument=\tLabRAM\n#Laser=\t532nm_Edge\n#X (µm)=\t0\n#Full time(hh:mm)=\t1:00\n#Title=\tLLZ\n"
    "#Acquired=\t23.10.2023 16:11:12\n#Base:Sub=\t23.10.2023 17:07:17\n"
)
WITEC = (
    "//Exported ASCII-File\n[Header]\nGraphName = Spectrum--000\nSizeGraph = 12\nXAxisUnit = rel. 1/cm\n"
    "DataUnit = CCD cts\n\n[Data]\nX-Axis,Spectrum--000\nrel. 1/cm,CCD cts\n"
)
OCEAN = (
    "Data from LLZ_1.txt Node\n\nDate: Mon Mar 07 10:11:12 CET 2022\nSpectrometer: QEP01234\n"
    "Integration Time (sec): 2.500000E0\nScans to average: 3\nXAxis mode: Raman Shifts\n"
    "Number of Pixels in Spectrum: 12\n>>>>>Begin Spectral Data<<<<<\n"
)
SUITE = (
    "SpectraSuite Data File\n++++++++++++++++\nDate: Fri May 01 10:11:12 EDT 2009\n"
    "Integration Time (usec): 100000 (USB2G1234)\nSpectra Averaged: 5 (USB2G1234)\n"
    ">>>>>Begin Processed Spectral Data<<<<<\n"
)
FILES = {
    "labspec-text": LABSPEC + rows(),
    "witec-text": WITEC + rows(separator=", "),
    "renishaw-text": "#Wave\t\t#Intensity\n" + rows(SHIFT[::-1]),
    "omnic-csv": "cm-1,Raman intensity\n" + rows(separator=","),
    "ocean-optics": OCEAN + rows(),
}


def saved(path: Path, text: str | bytes, **stated) -> xr.Dataset:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(path, **stated)


def refused(path: Path, text: str | bytes, **stated) -> ReadError:
    with pytest.raises(ReadError) as caught:
        saved(path, text, **stated)
    assert caught.value.remedy
    return caught.value


def is_right(spectrum: xr.Dataset, atol: float = 1e-6) -> None:
    np.testing.assert_allclose(spectrum.raman_shift, SHIFT, rtol=0, atol=atol)
    first = spectrum.intensity.to_numpy()
    np.testing.assert_allclose(first if first[0] < first[-1] else first[::-1], COUNTS)
    assert spectrum.attrs["technique"] == "raman" and spectrum.raman_shift.attrs["units"] == "1/cm"
    assert spectrum.intensity.attrs["counting"].startswith("unknown")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("change", ["none", "crlf", "utf-8-sig", "utf-16", "latin-1"])
def test_a_spectrum_with_its_header(tmp_path, name, change):
    text = FILES[name].replace("\n", "\r\n") if change == "crlf" else FILES[name]
    encoding = change if "-" in change else "utf-8"
    spectrum = saved(tmp_path / "a.txt", text.encode(encoding))
    is_right(spectrum)
    assert spectrum.attrs["format"] == name


@pytest.mark.parametrize("name", ["labspec-text", "renishaw-text", "ocean-optics"])
def test_decimal_commas(tmp_path, name):
    head, numbers = FILES[name][: -len(rows())], FILES[name][-len(rows()) :]
    is_right(saved(tmp_path / "a.txt", head + numbers.replace(".", ",")))


def test_header_fields_of_labspec(tmp_path):
    attrs = saved(tmp_path / "a.txt", FILES["labspec-text"].encode("latin-1")).attrs
    assert (attrs["excitation"], attrs["integration_time"], attrs["accumulations"]) == (532.0, 30, 4)
    assert (attrs["instrument"], attrs["sample_name"], attrs["start"]) == ("LabRAM", "LLZ", "2023-10-23T16:11:12")
    assert attrs["processed"] == "Base:Sub"
    unit = LABSPEC.replace(
        "#Range (cm-¹)=\t100...120\n", "#AxisType[0]=\tIntens\n#AxisUnit[0]=\tCnt/sec\n#AxisUnit[1]=\t1/cm\n"
    )
    spectrum = saved(tmp_path / "b.txt", unit + rows())
    is_right(spectrum)
    assert spectrum.intensity.attrs["units"] == "count/s"


def test_header_fields_of_ocean_optics(tmp_path):
    attrs = saved(tmp_path / "a.txt", FILES["ocean-optics"]).attrs
    assert (attrs["integration_time"], attrs["accumulations"], attrs["instrument"]) == (2.5, 3, "QEP01234")
    text = SUITE + rows(LIGHT) + ">>>>>End Processed Spectral Data<<<<<\n"
    attrs = saved(tmp_path / "b.txt", text, excitation=532).attrs
    assert (attrs["integration_time"], attrs["accumulations"]) == (0.1, 5)


#: Files over wavelength or absolute wavenumbers, whose header does not state the laser.
WITHOUT_LASER = {
    "witec": WITEC.replace("rel. 1/cm", "nm") + rows(LIGHT, ", "),
    "witec, um": WITEC.replace("rel. 1/cm", "µm")
    + "".join(f"{x / 1e3:.9f}, {y}\n" for x, y in zip(LIGHT, COUNTS, strict=True)),
    "witec table": "X-Axis\tSpectrum\nnm\tCCD cts\n" + rows(LIGHT),
    "ocean": OCEAN.replace("Raman Shifts", "Wavelengths") + rows(LIGHT),
    "suite": SUITE + rows(LIGHT) + ">>>>>End Processed Spectral Data<<<<<\n",
    "labspec": LABSPEC.replace("cm-¹", "nm").replace("#Laser=\t532nm_Edge\n", "") + rows(LIGHT),
    "columns": "Wavelength (nm),Counts\n" + rows(LIGHT, ","),
    "columns, commented out": "# Wavelength / nm\tIntensity (a.u.)\n" + rows(LIGHT),
    "absolute": "cm-1,Raman intensity\n" + rows(1e7 / LIGHT, ","),
}


@pytest.mark.parametrize("name", WITHOUT_LASER)
def test_a_spectrum_over_wavelength_is_read_once_the_excitation_is_stated(tmp_path, name):
    """The refusal names both ways to state it; the first is followed here, the manifest in the next test."""
    error = refused(tmp_path / "a.txt", WITHOUT_LASER[name])
    assert "no excitation is stated" in error.reason
    assert "read(path, excitation=532)" in error.remedy and "excitation_nm of manifest.csv" in error.remedy
    spectrum = saved(tmp_path / "a.txt", WITHOUT_LASER[name], excitation=532)
    is_right(spectrum, atol=0.06)  # six decimals of the wavelength are 4e-5 /cm, nine of a micrometre too
    assert spectrum.attrs["excitation"] == 532
    assert "do not occur" in refused(tmp_path / "a.txt", WITHOUT_LASER[name], excitation=1064).reason


def test_the_manifest_states_the_excitation(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RAW", tmp_path)
    (tmp_path / "Si.txt").write_text(WITHOUT_LASER["witec"])
    digest = hashlib.sha256((tmp_path / "Si.txt").read_bytes()).hexdigest()
    names = "file,technique,role,sample,state,origin,sha256,area_cm2,thickness_cm,active_mass_mg,temperature_C,note"
    row = f"Si.txt,raman,raman,Si,,measured,{digest},,,,25,,532\n"
    (tmp_path / "manifest.csv").write_text(f"{names},excitation_nm\n{row}")
    (spectrum,) = raw.recordings("raman").values()
    is_right(spectrum, atol=1e-3)


def test_the_laser_of_the_file_serves_and_what_is_stated_counts(tmp_path):
    text = LABSPEC.replace("cm-¹", "nm") + rows(LIGHT)
    is_right(saved(tmp_path / "a.txt", text), atol=1e-3)
    stated = saved(tmp_path / "a.txt", text, excitation=532.5)
    assert float(stated.raman_shift[0]) == pytest.approx(100 - 1e7 / 532 + 1e7 / 532.5, abs=1e-3)
    assert "the file says 532 nm" in stated.attrs["stated"]


def test_both_sides_of_the_laser(tmp_path):
    """Anti-Stokes lines have negative shifts."""
    light = np.linspace(515, 550, 12)
    spectrum = saved(tmp_path / "a.txt", WITEC.replace("rel. 1/cm", "nm") + rows(light, ", "), excitation=532)
    np.testing.assert_allclose(spectrum.raman_shift, 1e7 / 532 - 1e7 / light, atol=1e-3)
    is_negative = saved(tmp_path / "b.txt", "#Wave\t\t#Intensity\n" + rows(SHIFT - 110))
    assert float(is_negative.raman_shift[0]) == pytest.approx(-10)


def test_an_impossible_excitation_is_an_error_of_the_call(tmp_path):
    with pytest.raises(ValueError, match="wavelength of the laser in nm"):
        saved(tmp_path / "a.txt", WITHOUT_LASER["witec"], excitation=18797)


@pytest.mark.parametrize(
    ("text", "nm"),
    [
        ("532nm_Edge", 532),
        ("HeNe 632.8", 632.8),
        ("0.785 um", 785),
        ("18796.99 cm-1", 532),
        ("5.32e-7 m", 532),
        ("532,02 nm", 532.02),
        ("785 nm, 20 mW", 785),
        ("20 mW", None),
        ("1064 mW", None),
        ("HeNe", None),
        ("532 or 785", None),
        ("15802.8", 632.799),
    ],
)
def test_how_lasers_are_written(text, nm):
    assert axis.laser(text) == (nm if nm is None else pytest.approx(nm, abs=1e-3))


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("1/CM", "1/cm"),
        ("Raman Shift (cm-1)", "1/cm"),
        ("rel. 1/cm", "1/cm"),
        ("Wavenumber / cm⁻¹", "1/cm"),
        ("cm^-1", "1/cm"),
        ("Raman shift (nm)", "nm"),
        ("NANOMETERS", "nm"),
        ("µm", "um"),
        ("MICROMETERS", "um"),
        ("eV", "eV"),
        ("Energy", None),
        ("SECONDS", None),
        ("Columns", None),
    ],
)
def test_how_units_are_written(text, unit):
    assert axis.unit(text) == unit


def test_a_renishaw_file_is_read_only_where_its_numbers_can_be_nothing_but_shifts(tmp_path):
    """From 560 to 568 in steps of 0.1 is a wavelength in nm or a shift in 1/cm: nothing in the file tells."""
    fine = np.linspace(560, 568, 12)
    error = refused(tmp_path / "a.txt", "#Wave\t\t#Intensity\n" + rows(0.05 * (fine - 560) + 560))
    assert "may be a Raman shift in 1/cm or a wavelength in nm" in error.reason and ".wdf" in error.remedy
    for shift in (fine - 500, np.linspace(1000, 1020, 12), np.linspace(1690, 1701, 12)):
        np.testing.assert_allclose(saved(tmp_path / "a.txt", "#Wave\t\t#Intensity\n" + rows(shift)).raman_shift, shift)


def test_a_point_of_a_renishaw_map(tmp_path):
    one = "#X\t\t#Y\t\t#Wave\t\t#Intensity\n" + "".join(f"1.5\t-2\t{line}\n" for line in rows().splitlines())
    is_right(saved(tmp_path / "a.txt", one))
    error = refused(tmp_path / "a.txt", one + one[one.index("\n") + 1 :].replace("1.5\t", "2.5\t"))
    assert error.reason == "a map or series: X changes" and error.line == 14


INFRARED = {
    "absorbance": "cm-1,Absorbance\n" + rows(separator=","),
    "transmittance": "Wavenumbers (cm-1),%Transmittance\n" + rows(separator=","),
    "optical": "Wavelength (nm);Absorbance\n" + rows(LIGHT, ";"),
    "reflectance": '"cm-1","Log(1/R)"\n' + rows(separator=","),
}


@pytest.mark.parametrize("name", INFRARED)
def test_an_infrared_spectrum_is_named_and_refused(tmp_path, name):
    for stated in ({}, {"technique": "raman"}):
        error = refused(tmp_path / "a.csv", INFRARED[name], **stated)
        assert error.line == 1 and re.search("infrared|absorption", error.reason) and "Raman" in error.remedy


def test_an_intensity_over_wavenumbers_is_raman_once_this_is_stated(tmp_path):
    text = "cm-1,Intensity\n" + rows(separator=",")
    assert "technique='raman'" in refused(tmp_path / "a.csv", text).remedy
    is_right(saved(tmp_path / "a.csv", text, technique="raman"))


DAMAGE = {
    "cut within a row": (LABSPEC + rows()[:-3], 23, "no line break"),
    "a word": (LABSPEC + rows().replace("1021.5000", "OVLD"), 15, "'OVLD', not a number"),
    "one column": (LABSPEC + "".join(f"{x}\n" for x in SHIFT), 12, "1 fields where 2"),
    "map of labspec": (
        LABSPEC + "\t\t" + "\t".join(map(str, SHIFT)) + "\n0\t0\t" + "\t".join("1" * 12) + "\n",
        12,
        "a map",
    ),
    "two units": (LABSPEC + "#AxisUnit[1]=\tnm\n" + rows(), None, "names 1/cm and nm for the axis"),
    "no unit": (LABSPEC.replace("#Range (cm-¹)", "#Range") + rows(), None, "no unit for the axis"),
    "electron volts": (LABSPEC.replace("cm-¹", "eV") + rows(), None, "is in eV"),
    "header only": (LABSPEC, 11, "no rows below it"),
    "header of witec": (WITEC, 11, "no rows below it"),
    "size of witec": (WITEC.replace("= 12", "= 13") + rows(separator=", "), 22, "12 points where SizeGraph states 13"),
    "units of witec": (
        WITEC.replace("XAxisUnit = rel. 1/cm", "XAxisUnit = nm") + rows(separator=", "),
        11,
        "names nm and",
    ),
    "two of witec": ((WITEC + rows(separator=", ")) * 2, 30, "2 spectra in one file"),
    "side by side": (WITEC + rows(separator=", ").replace("\n", ", 5\n"), 11, "several spectra side by side"),
    "no data of witec": (WITEC.partition("[Data]")[0], 8, "no [Data]"),
    "pixels of ocean": (OCEAN.replace(": 12", ": 13") + rows(), 21, "12 rows where the header states 13 pixels"),
    "suite cut off": (SUITE + rows(LIGHT), 19, "it was cut off"),
    "two of suite": ((SUITE + rows(LIGHT) + ">>>>>End Processed Spectral Data<<<<<\n") * 2, 20, "more follows"),
    "second header": (FILES["omnic-csv"] * 2, 14, "not a number"),
    "blank line": (LABSPEC + rows().replace("105.785500\t1021.5000", ""), 15, "one may be lost"),
    "thousands": (
        "#Wave\t\t#Intensity\n100\t1,234\n" + "".join(f"{x}\t2,345\n" for x in range(101, 109)),
        2,
        "thousands",
    ),
    "points and commas": (
        "cm-1;Raman intensity\n" + rows(separator=";").replace("1000.5", "1000,5"),
        2,
        "decimal commas",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_refused(tmp_path, damage):
    text, line, reason = DAMAGE[damage]
    error = refused(tmp_path / "a.txt", text)
    assert reason in error.reason and error.line == line


@pytest.mark.parametrize("name", FILES)
def test_no_row_can_be_cut_unnoticed(tmp_path, name):
    """Cut at any byte: refused, or complete rows with the same values."""
    data = FILES[name].encode()
    whole = saved(tmp_path / "a.txt", data)
    for cut in range(1, len(data), 7):
        try:
            spectrum = saved(tmp_path / "b.txt", data[:cut])
        except (ReadError, ValueError) as error:
            assert isinstance(error, ReadError)
            continue
        assert spectrum.equals(whole.sel(raman_shift=spectrum.raman_shift))
