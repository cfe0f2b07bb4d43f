"""Real powder patterns in the text and binary formats: every point against a plain parse or another program."""

import re
from pathlib import Path

import geddes
import numpy as np
import pytest

import of_others
from coldbond.files import ReadError, read

LINES = (1.5405929, 1.5444274)
LAB6 = "formats-spectra/AdvancedPhotonSource__LaB6_Jan2018.raw"
TIO2 = "formats-spectra/datalab__TiO2.raw"
EVA = "formats-spectra/datalab__example_evadiffract.xy"
PANALYTICAL = "formats-spectra/yadg__210520step1_30min.csv"


@pytest.mark.parametrize(
    ("file", "ends", "points", "first", "attrs"),
    [
        (LAB6, (10, 70.0044472), 3040, 7393, {"count_time": 95, "goniometer_radius": 250, "anode": "Cu"}),
        (TIO2, (10, 70.041142), 1647, 557, {"sample_name": "TiO2", "anode": "Cu", "step": 0.036477}),
    ],
)
def test_bruker_raw_is_as_another_program_reads_it(file, ends, points, first, attrs):
    scan = read(of_others.file(file))
    other = geddes.read(str(of_others.file(file)))
    np.testing.assert_allclose(scan.two_theta, other.x, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(scan.intensity, other.y)
    np.testing.assert_array_equal(
        scan.intensity, np.frombuffer(of_others.file(file).read_bytes()[-4 * points :], "<f4")
    )
    assert (float(scan.two_theta[0]), float(scan.two_theta[-1])) == pytest.approx(ends)
    assert scan.sizes["two_theta"] == points and float(scan.intensity[0]) == first
    assert {name: scan.attrs[name] for name in attrs} == attrs
    assert (scan.wavelength_kalpha1, scan.wavelength_kalpha2, scan.kalpha2_ratio) == (1.5406, 1.54439, 0.5)
    assert scan.intensity.attrs["counting"] == "known"


@pytest.mark.parametrize("file", [LAB6, TIO2])
def test_bruker_raw_cut_anywhere_is_refused(tmp_path, file):
    data, cut = of_others.file(file).read_bytes(), tmp_path / "cut.raw"
    for size in [*range(8, 900, 7), *range(900, len(data), 501), len(data) - 1]:
        cut.write_bytes(data[:size])
        with pytest.raises(ReadError):
            read(cut)


def plain(path: Path, skip: int) -> np.ndarray:
    """The numbers of all rows behind the first lines."""
    lines = path.read_text("latin-1").splitlines()[skip:]
    return np.array([re.split(r"[,\s]+", line.strip()) for line in lines if line.strip()], float)


@pytest.mark.parametrize(
    ("file", "skip", "stated"),
    [
        (EVA, 1, {"wavelength": LINES}),
        (PANALYTICAL, 27, {}),
        ("formats-spectra/datalab__example_mac.xye", 0, {"technique": "xrd", "wavelength": 0.826}),
        ("formats-spectra/dkriegner__LaB6_d500_si_psd.xye", 0, {"technique": "xrd", "wavelength": LINES}),
        ("xrd-cpd-roundrobin/cpd-1e.prn", 0, {"technique": "xrd", "wavelength": LINES}),
        ("xrd-cpd-roundrobin/cpd-1g.prn", 0, {"technique": "xrd", "wavelength": LINES}),
        ("xrd-cpd-roundrobin/zincite.prn", 0, {"technique": "xrd", "wavelength": LINES}),
    ],
)
def test_text_is_as_a_plain_parse_reads_it(file, skip, stated):
    pattern, rows = read(of_others.file(file), **stated), plain(of_others.file(file), skip)
    np.testing.assert_array_equal(pattern.two_theta, rows[:, 0])
    np.testing.assert_array_equal(pattern.intensity, rows[:, 1])
    assert pattern.intensity.attrs["counting"].startswith("unknown")


def test_header_of_the_panalytical_table():
    """The file says that there is no K-alpha2, and where the scan ends."""
    pattern = read(of_others.file(PANALYTICAL))
    assert pattern.wavelength_kalpha1 == 1.540598 and "wavelength_kalpha2" not in pattern.attrs
    assert (pattern.anode, pattern.scan_axis, pattern.step, pattern.count_time) == ("Cu", "Gonio", 0.0167113, 50.165)
    assert pattern.sizes["two_theta"] == 4489


@pytest.mark.parametrize(
    ("file", "start", "step", "points"),
    [
        ("formats-spectra/AdvancedPhotonSource__NIST660CBI.gsas", 15.0066, 0.0131303, 8378),
        ("xrd-fluorapatite-gsas/FAP.XRA", 15, 0.02, 5753),
    ],
)
def test_gsas_is_as_a_plain_parse_reads_it(file, start, step, points):
    pattern = read(of_others.file(file), wavelength=LINES)
    counts = np.array(" ".join(of_others.file(file).read_text("latin-1").splitlines()[2:]).split(), float)
    np.testing.assert_array_equal(pattern.intensity, counts[:points])
    np.testing.assert_allclose(pattern.two_theta, start + step * np.arange(points), rtol=0, atol=1e-7)
    assert pattern.intensity.attrs["counting"] == "known" and pattern.sizes["two_theta"] == points


@pytest.mark.parametrize("file", [EVA, "formats-spectra/datalab__example_mac.xye", "xrd-fluorapatite-gsas/FAP.XRA"])
def test_what_a_file_lacks_is_asked_for(file):
    with pytest.raises(ReadError, match="wavelength"):
        read(of_others.file(file))


@pytest.mark.parametrize("lost", [1, 2, 3])
@pytest.mark.parametrize(
    "file",
    ["xrd-panalytical-xrdml/XRD-918-16_10.xrdml", "xrd-dara-mixtures/Li2CO3_0p9001-ZrO2_0p1000--8min.xrdml"],
)
def test_an_intensity_missing_from_an_xrdml_is_noticed(tmp_path, file, lost):
    """The file states both ends and no number of points: the others would be stretched over the range."""
    text = of_others.file(file).read_text("utf-8-sig")
    start = re.search(r"<(?:intensities|counts)[^>]*>", text).end()
    cells = text[start:].split(" ", lost)
    copy = tmp_path / "copy.xrdml"
    copy.write_text(re.sub(r"<beamAttenuationFactors>.*?</beamAttenuationFactors>", "", text[:start] + cells[-1]))
    with pytest.raises(ReadError, match="where the step of the instrument gives"):
        read(copy)


def test_the_lattice_of_zinc_oxide_from_stated_lines():
    """The round robin's zincite: 5 to 150 degree in 0.02, integer counts."""
    pattern = read(of_others.file("xrd-cpd-roundrobin/zincite.prn"), technique="xrd", wavelength=LINES)
    assert pattern.sizes["two_theta"] == 7251
    strongest = float(pattern.two_theta[int(pattern.intensity.to_numpy().argmax())])
    assert 1.5405929 / 2 / np.sin(np.radians(strongest / 2)) == pytest.approx(2.476, abs=0.005)  # 101
