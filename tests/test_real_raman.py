"""Real Raman files and the cases beside them; the truth is taken from them by other means."""

from pathlib import Path

import numpy as np
import pytest

import of_others
from coldbond.files import ReadError, read

SPECTRA = "formats-spectra"


def columns(name: str, skip: int, **options) -> np.ndarray:
    """Both columns of a text by NumPy, ascending."""
    x, y = np.loadtxt(of_others.file(name), skiprows=skip, encoding="latin-1", usecols=(0, 1), **options).T
    return np.array([x, y])[:, np.argsort(x)]


TEXTS = {
    "raman-labspec/labspec_raman_example.txt": ("labspec-text", 46),
    "raman-labspec/raman_example.txt": ("renishaw-text", 1),
    f"{SPECTRA}/h2020charisma__nCal_Qontor785_z005H12_100_1x3s.txt": ("renishaw-text", 1),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text(name):
    form, header = TEXTS[name]
    spectrum = read(of_others.file(name))
    assert spectrum.attrs["format"] == form
    np.testing.assert_array_equal([spectrum.raman_shift, spectrum.intensity], columns(name, header))


def test_the_header_of_labspec():
    attrs = read(of_others.file("raman-labspec/labspec_raman_example.txt")).attrs
    assert (attrs["excitation"], attrs["integration_time"], attrs["accumulations"]) == (532, 300, 12)
    assert (attrs["sample_name"], attrs["instrument"]) == ("ZnF2_1", "LabRAM HR Evol")
    assert attrs["start"] == "2023-10-23T16:11:12" and attrs["processed"] == "Base:Fit, Base:Sub"


@pytest.mark.parametrize("name", [f"{SPECTRA}/datalab__raman_example.wdf", "raman-labspec/raman_example.wdf"])
def test_wdf_is_the_text_that_the_vendor_made_of_it(name):
    spectrum = read(of_others.file(name))
    text = columns("raman-labspec/raman_example.txt", 1)
    np.testing.assert_allclose(spectrum.raman_shift, text[0], rtol=0, atol=5.1e-7)  # six decimals
    np.testing.assert_allclose(spectrum.intensity, text[1], rtol=0, atol=5.1e-7)
    assert spectrum.attrs["excitation"] == pytest.approx(632.8, abs=0.001)
    assert spectrum.intensity.attrs["units"] == "count"


def test_witec_over_wavelength_needs_the_laser():
    """The largest count stands at 547.430 nm, 529.8 /cm from 532.0 nm: the axis is off, see SOURCE.txt."""
    path = of_others.file("raman-si-witec/Si-wafer-Raman-Spectrum-1.txt")
    with pytest.raises(ReadError, match=r"in nm, and no excitation is stated.*read\(path, excitation=532\)"):
        read(path)
    spectrum = read(path, excitation=532.0)
    light, counts = columns("raman-si-witec/Si-wafer-Raman-Spectrum-1.txt", 17, delimiter=",")
    np.testing.assert_allclose(spectrum.raman_shift, 1e7 / 532 - 1e7 / light, rtol=0, atol=1e-8)
    np.testing.assert_array_equal(spectrum.intensity, counts)
    silicon = spectrum.intensity.sel(raman_shift=slice(400, 700))
    assert float(silicon.idxmax()) == pytest.approx(529.8, abs=0.1)


def test_spc():
    """Its bytes, parsed by hand: 3808 float32 behind 544 bytes, from 175 to 3982 /cm."""
    path = of_others.file(SPECTRA, "h2020charisma__PST10_iR532_Probe_100_3000msx7.spc")
    spectrum = read(path)
    np.testing.assert_array_equal(spectrum.intensity, np.frombuffer(path.read_bytes(), "<f4", 3808, 544))
    np.testing.assert_array_equal(spectrum.raman_shift, np.arange(175.0, 3983.0))
    styrene = spectrum.intensity.sel(raman_shift=slice(950, 1050))
    assert float(styrene.idxmax()) == pytest.approx(1001.4, abs=3)


def test_an_infrared_spectrum_of_omnic_is_named():
    with pytest.raises(ReadError, match=r"ordinate is absorbance, over 1/cm: infrared. Remedy: use the Raman spectrum"):
        read(of_others.file(SPECTRA, "spectrochempy__7_CZ0-100_Pd_101.SPA"))


@pytest.mark.parametrize(
    "name",
    [
        f"{SPECTRA}/datalab__raman_example.wdf",
        f"{SPECTRA}/h2020charisma__PST10_iR532_Probe_100_3000msx7.spc",
        f"{SPECTRA}/spectrochempy__7_CZ0-100_Pd_101.SPA",
        "raman-si-witec/Si-wafer-Raman-Spectrum-1.txt",
    ],
)
def test_a_real_file_cut_off_is_refused(tmp_path, name):
    data = of_others.file(name).read_bytes()
    for share in np.linspace(0.02, 0.999, 25):
        (tmp_path / "cut").write_bytes(data[: int(share * len(data))])
        with pytest.raises(ReadError):
            read(tmp_path / "cut", excitation=532.0)


STEP = 1.9285
#: Shifts and intensities of the cases: first, step, number.
CASES = {
    "labspec-latin1.txt": ((46.64, 1.84, 12), (37, 1)),
    "witec-table.txt": ((100, STEP, 12), (1000.5, 7)),
    "renishaw-wire.txt": ((1100 - 11 * STEP, STEP, 12), (1077.5, -7)),
    "thermo-omnic.csv": ((100, STEP, 12), (1000.5, 7)),
}
ORDINATES = np.array([1.0, 1.1, 1.2, 1.3, 1.25, 1.2, 1.1, 1.0]) * 0.95


@pytest.fixture
def cases() -> Path:
    return of_others.case("files-spectra")


@pytest.mark.parametrize("name", CASES)
def test_cases_of_text(cases, name):
    (first, step, size), (lowest, rise) = CASES[name]
    spectrum = read(cases / name)
    np.testing.assert_allclose(spectrum.raman_shift, first + step * np.arange(size), atol=1e-6)
    np.testing.assert_allclose(spectrum.intensity, lowest + rise * np.arange(size))


def test_the_case_without_titles_is_read_once_its_technique_is_stated(cases):
    spectrum = read(cases / "thermo-omnic-nohead.csv", technique="raman")
    assert spectrum.drop_attrs().equals(read(cases / "thermo-omnic.csv").drop_attrs())


@pytest.mark.parametrize("name", ["1E0", "label-twice", "maxy-1.235E0", "xunits-raman-shift"])
def test_cases_of_jcamp(cases, name):
    spectrum = read(cases / f"jcamp-{name}.jdx")
    np.testing.assert_allclose(spectrum.raman_shift, np.arange(100, 108))
    np.testing.assert_allclose(spectrum.intensity, ORDINATES)
    assert spectrum.attrs.get("unread", "") == ("##OWNER= of line 7" if name == "label-twice" else "")


def test_cases_of_bwtek(cases):
    spectrum = read(cases / "bwspec-header.txt")
    assert spectrum.drop_attrs().identical(read(cases / "bwram-same-reads.txt").drop_attrs())
    assert spectrum.attrs["excitation"] == 784.9 and spectrum.sizes["raman_shift"] == 8
    assert float(spectrum.raman_shift[0]) == -2.53 and float(spectrum.intensity[0]) == 10575.6667
