"""Real diffractometers' files; the truth is their text and geddes's reading."""

import re
import zipfile

import geddes
import numpy as np
import pytest

import of_others
from coldbond.counting import standard_uncertainty
from coldbond.files import ReadError, read

RAS = "xrd-rigaku-ras-nims/XRD_RIGAKU.ras"
RASX = "xrd-rigaku-rasx-powder/TwoTheta_scan_powder.rasx"
XRDML = "xrd-panalytical-xrdml/XRD-918-16_10.xrdml"
BRML = "xrd-bruker-brml/23-012-AG.brml"
CIF = "xrd-nist-lab6-660c/nist_srm660c_100a.cif"


@pytest.mark.parametrize("file", [RAS, RASX, XRDML, BRML, CIF])
def test_every_point_is_that_of_another_program(file):
    scan, other = (
        read(of_others.file(file)),
        geddes.read(str(of_others.file(file)), block="_meas" if file == CIF else None),
    )
    np.testing.assert_allclose(scan.two_theta, other.x, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(scan.intensity, other.y)


@pytest.mark.parametrize("file", [RAS, RASX, XRDML, BRML, CIF])
def test_the_content_tells_the_format(tmp_path, file):
    copy = tmp_path / "unnamed"
    copy.write_bytes(of_others.file(file).read_bytes())
    assert read(copy).identical(read(of_others.file(file)).assign_attrs(source="unnamed"))


def stated(text: str, **patterns: str) -> dict[str, str]:
    """What the file's own text says, by a pattern for each field."""
    return {name: re.search(pattern, text)[1] for name, pattern in patterns.items()}


def held_against(scan, fields: dict[str, str]) -> None:
    for name, text in fields.items():
        value = scan.attrs[name]
        assert value == (float(text) if isinstance(value, float) else text), name


def test_header_of_the_ras():
    text = of_others.file(RAS).read_bytes().decode("cp932")
    fields = stated(
        text,
        wavelength_kalpha1=r'\*HW_XG_WAVE_LENGTH_ALPHA1 "(.*?)"',
        wavelength_kalpha2=r'\*HW_XG_WAVE_LENGTH_ALPHA2 "(.*?)"',
        anode=r'\*HW_XG_TARGET_NAME "(.*?)"',
        detector=r'\*HW_COUNTER_SELECT_NAME "(.*?)"',
        sample_name=r'\*FILE_SAMPLE "(.*?)"',
        scan_axis=r'\*MEAS_SCAN_AXIS_X_INTERNAL "(.*?)"',
        scan_mode=r'\*MEAS_SCAN_MODE "(.*?)"',
        scan_speed=r'\*MEAS_SCAN_SPEED "(.*?)"',
        step=r'\*MEAS_SCAN_STEP "(.*?)"',
        goniometer_radius=r'\*HW_GONIOMETER_RADIUS-3 "(.*?)"',
    )
    scan = read(of_others.file(RAS))
    held_against(scan, fields)
    assert (scan.wavelength_kalpha1, scan.wavelength_kalpha2) == (1.540593, 1.544414)
    assert scan.sizes["two_theta"] == 3501
    # A strip of channels: how long an angle was seen is not in the file, but whole counts are counts.
    assert "count_time" not in scan.attrs
    assert scan.intensity.attrs["counting"] == "known"
    np.testing.assert_array_equal(scan.one_count, 1)
    # The table that came with the file, made by its publisher's program.
    rows = [line.split(",") for line in of_others.file(RAS).with_suffix(".csv").read_text().splitlines()[11:]]
    np.testing.assert_array_equal(np.array(rows, float).T, [scan.two_theta, scan.intensity])


def test_header_of_the_rasx():
    with zipfile.ZipFile(of_others.file(RASX)) as archive:
        text = archive.read("Data0/MesurementConditions0.xml").decode("utf-8-sig")
    fields = stated(
        text,
        wavelength_kalpha1="<WavelengthKalpha1>(.*?)<",
        anode="<TargetName>(.*?)<",
        detector=r"\*HW_COUNTER_SELECT_NAME</string>\s*<string>(.*?)<",
        scan_axis="<AxisName>(.*?)<",
        scan_mode="<Mode>(.*?)<",
        scan_speed="<Speed>(.*?)<",
        step="<Step>(.*?)<",
        goniometer_radius=r'To="AttachmentStage"\s*From="XrayGenerator"\s*Unit="mm"\s*Value="(.*?)"',
    )
    scan = read(of_others.file(RASX))
    held_against(scan, fields)
    assert scan.instrument == "Rigaku " + re.search("<SystemName>(.*?)<", text)[1] == "Rigaku SmartLabXE"
    # Behind its monochromator there is K-alpha1 alone, and what the file calls counts are not whole.
    assert re.search("<WaveType>(.*?)<", text)[1] == "Ka1" and "wavelength_kalpha2" not in scan.attrs
    assert "<IntensityUnit>counts<" in text
    assert "one_count" not in scan and standard_uncertainty(scan) is None
    assert scan.intensity.attrs["counting"] == "unknown: the file's counts are not whole numbers"


def test_header_of_the_xrdml():
    text = of_others.file(XRDML).read_text()
    fields = stated(
        text,
        wavelength_kalpha1="<kAlpha1.*?>(.*?)<",
        wavelength_kalpha2="<kAlpha2.*?>(.*?)<",
        kalpha2_ratio="<ratioKAlpha2KAlpha1>(.*?)<",
        anode="<anodeMaterial>(.*?)<",
        detector='<detector id=".*?" name="(.*?)"',
        scan_axis='scanAxis="(.*?)"',
        scan_mode='<scan .*mode="(.*?)"',
        goniometer_radius='<incidentBeamPath>\\s*<radius unit="mm">(.*?)<',
        count_time='<commonCountingTime unit="seconds">(.*?)<',
    )
    scan = read(of_others.file(XRDML))
    held_against(scan, fields)
    assert scan.instrument == "PANalytical EMPYREAN" and "sample_name" not in scan.attrs  # the file's is empty
    assert (scan.count_time, scan.wavelength_kalpha1) == (39.27, 1.540598)
    ends = stated(text, start="<startPosition>(.*?)<", end="<endPosition>(.*?)<")
    assert (float(scan.two_theta[0]), float(scan.two_theta[-1])) == (float(ends["start"]), float(ends["end"]))
    assert scan.step == pytest.approx(0.0131303, abs=1e-6)
    counts = re.search('<intensities unit="counts">(.*?)<', text)[1].split()
    np.testing.assert_array_equal(scan.intensity, np.array(counts, float))
    np.testing.assert_array_equal(scan.one_count, 1)


def test_header_of_the_brml():
    with zipfile.ZipFile(of_others.file(BRML)) as archive:
        text = archive.read("Experiment0/RawData0.xml").decode()
    fields = stated(
        text,
        wavelength_kalpha1='<WaveLengthAlpha1 .*Value="(.*?)"',
        wavelength_kalpha2='<WaveLengthAlpha2 .*Value="(.*?)"',
        kalpha2_ratio='<WaveLengthRatio .*Value="(.*?)"',
        anode="<TubeMaterial>(.*?)<",
        detector='<InfoData xsi:type="ScintiInfoData".*VisibleName="(.*?)"',
        sample_name='Name="SampleName" Value="(.*?)"',
        scan_mode="<ScanMode>(.*?)<",
        step="<Increment>(.*?)<",
        goniometer_radius='<TrackInfoData LogicName="PrimaryTrack".*?>\\s*<Radius Unit="mm" Value="(.*?)"',
        count_time="<TimePerStepEffective>(.*?)<",
    )
    scan = read(of_others.file(BRML))
    held_against(scan, fields)
    assert scan.scan_axis == "TwoTheta-Theta"
    # The absorber came in for 29 points: their counts are whole multiples of its factor.
    rows = np.array([row.split(",") for row in re.findall("<Datum>(.*?)</Datum>", text)], float)
    assert (rows[:, 1] != 1).sum() == 29
    np.testing.assert_array_equal(scan.one_count, rows[:, 1])
    np.testing.assert_allclose(scan.intensity / scan.one_count, np.rint(rows[:, -1] / rows[:, 1]), rtol=1e-9)


def test_header_and_statistics_of_the_cif():
    """Weights t^2 / (N + 1), says the file; its 24 regions were counted for 1 s to 47 s a point."""
    text = of_others.file(CIF).read_text()
    scan = read(of_others.file(CIF))
    held_against(
        scan,
        stated(text, sample_name="_pd_phase_name +'(.*?)'", goniometer_radius="_pd_instr_dist_spec/detc +(.*)"),
    )
    assert r"'Cu K\a'" in text and "_diffrn_radiation_wavelength" not in text
    assert (scan.wavelength_kalpha1, scan.wavelength_kalpha2) == (1.5405929, 1.5444274)
    assert scan.wavelength_source.startswith("Hoelzer 1997") and scan.instrument == "NIST DBD"
    body = text[text.index("_pd_proc_ls_weight") : text.index("_meas_calc") if "_meas_calc" in text else None]
    rows = np.array([line.split() for line in body.splitlines()[1 : 1 + scan.sizes["two_theta"]]], float)
    assert scan.sizes["two_theta"] == len(rows) == 5332
    np.testing.assert_array_equal(rows[:, :2].T, [scan.two_theta, scan.intensity])
    counts = scan.intensity / scan.one_count
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-6)
    # The file's weights come from uncertainties of two decimals, and are of three digits.
    uncertainty = np.sqrt(counts + 1) * scan.one_count
    np.testing.assert_allclose(uncertainty, rows[:, 2] ** -0.5, rtol=0.004, atol=0.0051)
    regions = np.split(1 / scan.one_count.to_numpy(), np.flatnonzero(np.diff(rows[:, 0]) > 0.1) + 1)
    times = [2, 1, 3, 5, 2, 5, 11, 4, 6, 9, 47, 15, 8, 42, 9, 12, 27, 20, 10, 19, 32, 27, 7, 15]
    assert [round(float(np.median(region))) for region in regions] == times
    for region, time in zip(regions, times, strict=True):
        np.testing.assert_allclose(region, time, rtol=2e-3)


@pytest.mark.parametrize("file", [RAS, RASX, XRDML, BRML, CIF])
def test_a_real_file_cut_off_is_refused(tmp_path, file):
    data = of_others.file(file).read_bytes()
    whole = read(of_others.file(file))
    cut = tmp_path / "cut"
    for size in np.random.default_rng(3).integers(1, len(data) - 30, 40):
        cut.write_bytes(data[:size])
        if file == CIF and size > data.index(b"_calc") - 200:
            continue  # the measured pattern stands whole before the calculated one
        with pytest.raises(ReadError):
            read(cut)
    assert whole.sizes["two_theta"] > 2000
