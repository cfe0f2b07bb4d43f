"""Diffractometers' files, written here in each format: what they hold is read, and nothing that was damaged."""

import contextlib
import io
import re
import zipfile
from xml.etree import ElementTree

import geddes
import numpy as np
import pytest

from coldbond.reading import ReadError, read

ANGLES = [20.0, 20.02, 20.04, 20.06, 20.08, 20.1, 20.12, 20.14]
COUNTS = [13, 7, 0, 6, 3, 1250, 40, 9]
LATER = [20.16, 20.18, 20.2, 20.22, 20.24, 20.26, 20.28, 20.3]


def ras(*scans: dict) -> bytes:
    """A .ras of scans, each with `angles`, `counts`, `factors` and keys that replace those of the header."""
    lines = ["*RAS_DATA_START"]
    for scan in scans or ({},):
        angles, counts = scan.get("angles", ANGLES), scan.get("counts", COUNTS)
        factors = scan.get("factors", [1] * len(angles))
        header = {
            "FILE_SAMPLE": "粉末 LLZ",
            "FILE_MEMO": "two\r\nlines",
            "HW_COUNTER_SELECT_NAME": "SC-70",
            "HW_GONIOMETER_RADIUS-3": "285.0",
            "HW_GONIOMETER_RADIUS-5": "285.0",
            "HW_XG_TARGET_NAME": "Cu",
            "HW_XG_WAVE_LENGTH_ALPHA1": "1.540593",
            "HW_XG_WAVE_LENGTH_ALPHA2": "1.544414",
            "HW_XG_WAVE_LENGTH_UNIT": "Angstrom",
            "MEAS_COND_XG_WAVE_TYPE": "Ka",
            "MEAS_DATA_COUNT": str(len(angles)),
            "MEAS_SCAN_AXIS_X_INTERNAL": "TwoThetaTheta",
            "MEAS_SCAN_MODE": "CONTINUOUS",
            "MEAS_SCAN_SPEED": "2.0000",
            "MEAS_SCAN_SPEED_UNIT": "deg/min",
            "MEAS_SCAN_START": f"{angles[0]:.4f}",
            "MEAS_SCAN_STEP": "0.0200",
            "MEAS_SCAN_STOP": f"{angles[-1]:.4f}",
            "MEAS_SCAN_UNIT_X": "deg",
            "MEAS_SCAN_UNIT_Y": "counts",
        } | {key: value for key, value in scan.items() if key.isupper()}
        lines += ["*RAS_HEADER_START", *(f'*{key} "{value}"' for key, value in header.items() if value is not None)]
        lines += ["*RAS_HEADER_END", "*RAS_INT_START"]
        lines += [f"{x:.4f} {y:.4f} {f:.4f}" for x, y, f in zip(angles, counts, factors, strict=True)]
        lines += ["*RAS_INT_END"]
    return "\r\n".join([*lines, "*RAS_DATA_END", "*DSC_DATA_END", ""]).encode("cp932")


def asc(*groups: tuple[float, list[float]], unit="counts", speed="2", dim="deg./min.") -> bytes:
    """A .asc of groups, each of a first angle and intensities."""
    groups = groups or ((20.0, COUNTS),)
    lines = [
        *(
            "*TYPE\t\t=  Raw",
            "*SAMPLE\t\t=  LLZ",
            f"*GROUP_COUNT\t=  {len(groups)}",
            "*COUNTER\t=  Scintillation counter",
        ),
        *("*SCAN_AXIS\t=  2theta/theta", "*MEAS_MODE\t=  Continuous Scanning", "*TARGET\t\t=  29"),
        *("*WAVE_LENGTH1\t=  1.54059", "*WAVE_LENGTH2\t=  1.54441", f"*SPEED_DIM\t=  {dim}", "*XUNIT\t\t=  deg."),
        *(f"*YUNIT\t\t=  {unit}", "*MEMO\t\t=  ", ""),
    ]
    for start, intensities in groups:
        stop = start + 0.02 * (len(intensities) - 1)
        lines += ["*BEGIN", "*GROUP\t\t=  0", f"*START\t\t=  {start:g}", f"*STOP\t\t=  {stop:g}", "*STEP\t\t=  0.02"]
        lines += [f"*SPEED\t\t=  {speed}", f"*COUNT\t\t=  {len(intensities)}"]
        cells = [f"{value:g}" for value in intensities]
        lines += [", ".join(cells[at : at + 4]) for at in range(0, len(cells), 4)] + ["*END", ""]
    return "\r\n".join([*lines, "*EOF", ""]).encode("cp932")


def archive(files: dict[str, str], compression=zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as file:
        for name, text in files.items():
            file.writestr(name, text)
    return data.getvalue()


def rasx(*scans: dict, **archived) -> bytes:
    """A .rasx of scans, each with `angles`, `counts`, `factors` and elements that replace those of the conditions."""
    files = {}
    for number, scan in enumerate(scans or ({},)):
        angles, counts = scan.get("angles", ANGLES), scan.get("counts", COUNTS)
        tags = {
            "AxisName": "TwoThetaTheta",
            "Mode": "CONTINUOUS",
            "Start": angles[0],
            "Stop": angles[-1],
            "Step": 0.02,
            "Speed": 2,
            "SpeedUnit": "deg/min",
            "PositionUnit": "deg",
            "IntensityUnit": "counts",
            "UnequalySpaced": "false",
            "DataCount": len(angles),
        } | {key: value for key, value in scan.items() if key[0].isupper()}
        conditions = (
            "\ufeff<?xml version='1.0' encoding='utf-8'?><MeasurementConditions><GeneralInformation>"
            "<SampleName>粉末</SampleName><SystemName>SmartLabXE</SystemName></GeneralInformation><HWConfigurations>"
            "<Distances><Distance To='AttachmentStage' From='XrayGenerator' Unit='mm' Value='300'/></Distances>"
            "<XrayGenerator><TargetName>Cu</TargetName>"
            f"<WaveType>{scan.get('line', 'Ka')}</WaveType><WavelengthKalpha1>1.540593</WavelengthKalpha1>"
            "<WavelengthKalpha2>1.544414</WavelengthKalpha2></XrayGenerator></HWConfigurations><ScanInformation>"
            + "".join(f"<{tag}>{value}</{tag}>" for tag, value in tags.items())
            + "</ScanInformation><RASHeader><Pair><string>*HW_COUNTER_SELECT_NAME</string><string>HyPix3000(H)</string>"
            "</Pair></RASHeader></MeasurementConditions>"
        )
        rows = zip(angles, counts, scan.get("factors", [1] * len(angles)), strict=True)
        profile = "".join(f"{x:.4f}\t{y}\t{factor}\r\n" for x, y, factor in rows)
        files |= {f"Data{number}/Profile0.txt": "\ufeff" + profile}
        files |= {f"Data{number}/MesurementConditions0.xml": conditions}
    numbers = range(len(scans or [0]))
    listed = (f'<Data{at} Type="Profile"><ContentHashList Name="Profile0.txt"/></Data{at}>' for at in numbers)
    return archive({"root.xml": f"<Root>{''.join(listed)}</Root>"} | files, **archived)


def xrdml(*scans: str, wavelength=None) -> bytes:
    """An .xrdml of scans as `xrdml_scan` writes them."""
    wavelength = wavelength or (
        '<usedWavelength intended="K-Alpha"><kAlpha1 unit="Angstrom">1.5405980</kAlpha1>'
        '<kAlpha2 unit="Angstrom">1.5444260</kAlpha2><ratioKAlpha2KAlpha1>0.5000</ratioKAlpha2KAlpha1></usedWavelength>'
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\r\n'
        '<xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/2.0" status="Completed">\r\n'
        "<sample><name>粉末</name></sample>\r\n"
        f'<xrdMeasurement status="Completed">\r\n{wavelength}\r\n'
        '<incidentBeamPath><radius unit="mm">240.00</radius><xRayTube><anodeMaterial>Cu</anodeMaterial></xRayTube>'
        '</incidentBeamPath>\r\n<diffractedBeamPath><detector name="PIXcel1D"/></diffractedBeamPath>\r\n'
        + "\r\n".join(scans or [xrdml_scan()])
        + "\r\n</xrdMeasurement>\r\n</xrdMeasurements>\r\n"
    ).encode()


def xrdml_scan(
    counts=COUNTS, angles=ANGLES, *, kind="intensities", unit="counts", time="10", more="", axis="Gonio", listed=False
) -> str:
    ends = f"<startPosition>{angles[0]}</startPosition><endPosition>{angles[-1]}</endPosition>"
    where = f"<listPositions>{' '.join(map(str, angles))}</listPositions>" if listed else ends
    times = (
        f"<countingTimes>{time}</countingTimes>" if " " in time else f"<commonCountingTime>{time}</commonCountingTime>"
    )
    source = "<source><instrumentControlSoftware>EMPYREAN</instrumentControlSoftware></source>"
    omega = "<startPosition>10</startPosition><endPosition>10.07</endPosition>"
    return (
        f'<scan mode="Continuous" scanAxis="{axis}" status="Completed"><header>{source}</header><dataPoints>'
        f'<positions axis="2Theta" unit="deg">{where}</positions><positions axis="Omega" unit="deg">{omega}</positions>'
        f'{times if time else ""}{more}<{kind} unit="{unit}">{" ".join(map(str, counts))}</{kind}></dataPoints></scan>'
    )


def brml(*scans: dict, **archived) -> bytes:
    """A .brml of scans, each with `angles`, `counts`, `factors`, `times`, `axes`, and replacements of text."""
    files = {}
    for number, scan in enumerate(scans or ({},)):
        angles, counts = scan.get("angles", ANGLES), scan.get("counts", COUNTS)
        times, factors = (scan.get(key, [1] * len(angles)) for key in ("times", "factors"))
        axes = scan.get("axes", ("TwoTheta", "Theta"))
        data = "".join(
            f"<Datum>{t},{a},{x},{x / 2},{y}</Datum>" for t, a, x, y in zip(times, factors, angles, counts, strict=True)
        )
        text = (
            '<?xml version="1.0"?><RawData xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><DataRoutes>'
            f'<DataRoute RouteFlag="Measured"><ScanInformation><MeasurementPoints>{len(angles)}</MeasurementPoints>'
            f"<TimePerStepEffective>{times[0]}</TimePerStepEffective><ScanMode>ContinuousScan</ScanMode><ScanAxes>"
            + "".join(f'<ScanAxisInfo AxisId="{axis}"/>' for axis in axes)
            + f"</ScanAxes></ScanInformation>{data}<DataViews>"
            '<RawDataView xsi:type="FixedRawDataView" Start="0" Length="1" LogicName="MeasuredTime"/>'
            '<RawDataView xsi:type="FixedRawDataView" Start="1" Length="1" LogicName="AbsorptionFactor"/>'
            '<RawDataView xsi:type="VaryingRawDataView" Start="2" Length="2"><Varying>'
            + "".join(f'<FieldDefinitions AxisId="{axis}"/>' for axis in axes)
            + '</Varying></RawDataView><RawDataView xsi:type="RecordedRawDataView" Start="4" Length="1"><Recording>'
            '<Unit Base="Counts"/></Recording></RawDataView></DataViews></DataRoute></DataRoutes><FixedInformation>'
            '<Detectors><InfoData VisibleName="Scinti"/></Detectors><InfoItem Name="SampleName" Value="粉末"/>'
            '<PrimaryTracks><TrackInfoData><Radius Unit="mm" Value="280"/></TrackInfoData></PrimaryTracks><Tube>'
            '<WaveLengthAlpha1 Unit="Å" Value="1.5406"/><WaveLengthAlpha2 Unit="Å" Value="1.54439"/><WaveLengthRatio '
            'Unit="" Value="0.5"/><TubeMaterial>Cu</TubeMaterial></Tube><GoniometerType>Theta_Theta</GoniometerType>'
            "</FixedInformation></RawData>"
        )
        for old, new in scan.get("replaced", {}).items():
            assert old in text
            text = text.replace(old, new)
        files[f"Experiment0/RawData{number}.xml"] = text
    names = "".join(f"<string>{name}</string>" for name in files)
    listing = f"<DataContainer><RawDataReferenceList>{names}</RawDataReferenceList></DataContainer>"
    return archive({"Experiment0/DataContainer.xml": listing} | files, **archived)


def powder_cif(
    rows: list[str] | None = None, *, keys=("_pd_meas_2theta_scan", "_pd_meas_counts_total"), head=""
) -> bytes:
    rows = rows or [f"{x:.3f} {y}" for x, y in zip(ANGLES, COUNTS, strict=True)]
    return (
        "data_radiation\nloop_\n_diffrn_radiation_wavelength\n_diffrn_radiation_wavelength_wt\n1.540593 1.0\n"
        f"1.544427 0.5\ndata_pattern_meas\n_pd_meas_number_of_points {len(rows)}\n{head}\n"
        "_pd_instr_dist_spec/detc 217.5\nloop_\n" + "\n".join([*keys, *rows]) + "\n"
        "data_pattern_calc\nloop_\n_pd_proc_2theta_corrected\n_pd_proc_intensity_total\n20.0 5\n20.1 6\n"
    ).encode()


FILES = {"ras": ras, "asc": asc, "rasx": rasx, "xrdml": xrdml, "brml": brml, "cif": powder_cif}


def reading(tmp_path, data: bytes, name="scan.dat"):
    path = tmp_path / name
    path.write_bytes(data)
    return read(path)


def refused(tmp_path, data: bytes) -> ReadError:
    with pytest.raises(ReadError) as caught:
        reading(tmp_path, data)
    error = caught.value
    assert error.reason and error.mend and "\n" not in str(error)
    return error


@pytest.mark.parametrize("kind", FILES)
def test_points_and_wavelengths_of_every_format(tmp_path, kind):
    scan = reading(tmp_path, FILES[kind]())
    np.testing.assert_allclose(scan.two_theta, ANGLES, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(scan.intensity, COUNTS)
    np.testing.assert_array_equal(scan.one_count, 1)
    assert scan.two_theta.attrs["units"] == "degree"
    assert scan.intensity.attrs["units"] == "count" and scan.intensity.attrs["counting"] == "known"
    assert scan.technique == "xrd" and scan.source == "scan.dat" and len(scan.sha256) == 64
    assert 1.54059 <= scan.wavelength_kalpha1 <= 1.5406 and 1.54439 <= scan.wavelength_kalpha2 <= 1.54443


@pytest.mark.parametrize("kind", sorted(FILES.keys() - {"asc"}))
def test_points_are_those_of_another_program(tmp_path, kind):
    data = FILES[kind]()
    scan = reading(tmp_path, data)
    other = geddes.read_bytes(data, f"scan.{kind}", block="_meas" if kind == "cif" else None)
    np.testing.assert_allclose(scan.two_theta, other.x, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(scan.intensity, other.y)


HEADERS = {
    "ras": {
        "format": "rigaku-ras",
        "instrument": "Rigaku",
        "anode": "Cu",
        "detector": "SC-70",
        "scan_mode": "CONTINUOUS",
        "scan_axis": "TwoThetaTheta",
        "sample_name": "粉末 LLZ",
        "goniometer_radius": 285.0,
        "scan_speed": 2.0,
        "step": 0.02,
        "count_time": 0.6,
    },
    "asc": {
        "format": "rigaku-asc",
        "instrument": "Rigaku",
        "anode": "Cu",
        "detector": "Scintillation counter",
        "scan_mode": "Continuous Scanning",
        "scan_axis": "2theta/theta",
        "sample_name": "LLZ",
        "scan_speed": 2.0,
        "step": 0.02,
        "count_time": 0.6,
    },
    "rasx": {
        "format": "rigaku-rasx",
        "instrument": "Rigaku SmartLabXE",
        "anode": "Cu",
        "detector": "HyPix3000(H)",
        "scan_mode": "CONTINUOUS",
        "scan_axis": "TwoThetaTheta",
        "sample_name": "粉末",
        "goniometer_radius": 300.0,
        "scan_speed": 2.0,
        "step": 0.02,
    },
    "xrdml": {
        "format": "panalytical-xrdml",
        "instrument": "PANalytical EMPYREAN",
        "anode": "Cu",
        "detector": "PIXcel1D",
        "scan_mode": "Continuous",
        "scan_axis": "Gonio",
        "sample_name": "粉末",
        "goniometer_radius": 240.0,
        "kalpha2_ratio": 0.5,
        "step": 0.02,
        "count_time": 10.0,
    },
    "brml": {
        "format": "bruker-brml",
        "instrument": "Bruker Theta_Theta",
        "anode": "Cu",
        "detector": "Scinti",
        "scan_mode": "ContinuousScan",
        "scan_axis": "TwoTheta-Theta",
        "sample_name": "粉末",
        "goniometer_radius": 280.0,
        "kalpha2_ratio": 0.5,
        "step": 0.02,
        "count_time": 1.0,
    },
    "cif": {"format": "powder-cif", "goniometer_radius": 217.5, "kalpha2_ratio": 0.5},
}


@pytest.mark.parametrize("kind", FILES)
def test_header(tmp_path, kind):
    attrs = reading(tmp_path, FILES[kind]()).attrs
    always = {"technique", "source", "sha256", "wavelength_kalpha1", "wavelength_kalpha2"}
    assert {key: value for key, value in attrs.items() if key not in always} == pytest.approx(HEADERS[kind])


# What is counted


def test_attenuated_counts_of_a_ras_stand_for_more_of_them(tmp_path):
    factors = [1, 1, 1, 1, 1, 8.3, 8.3, 1]
    for data in (ras({"factors": factors}), rasx({"factors": factors})):
        scan = reading(tmp_path, data)
        np.testing.assert_allclose(scan.intensity, np.multiply(COUNTS, factors))
        np.testing.assert_array_equal(scan.one_count, factors)


def test_attenuated_counts_of_the_others_are_stored_corrected_unless_raw(tmp_path):
    factors = [1, 1, 1, 1, 1, 8.3, 8.3, 1]
    more = f"<beamAttenuationFactors>{' '.join(map(str, factors))}</beamAttenuationFactors>"
    corrected = [round(count * factor, 4) for count, factor in zip(COUNTS, factors, strict=True)]
    for data in (
        xrdml(xrdml_scan(kind="counts", more=more)),
        xrdml(xrdml_scan(corrected, more=more)),
        brml({"counts": corrected, "factors": factors}),
    ):
        scan = reading(tmp_path, data)
        np.testing.assert_allclose(scan.intensity, corrected)
        np.testing.assert_array_equal(scan.one_count, factors)
        assert scan.intensity.attrs["counting"] == "known"
    common = xrdml(xrdml_scan(kind="counts", more="<commonBeamAttenuationFactor>10</commonBeamAttenuationFactor>"))
    np.testing.assert_array_equal(reading(tmp_path, common).intensity, np.multiply(COUNTS, 10))


def test_rates_carry_the_rate_of_one_count(tmp_path):
    point_counter = {"counts": np.divide(COUNTS, 0.6), "MEAS_SCAN_UNIT_Y": "cps"}
    for data, time in (
        (ras(point_counter), 0.6),
        (ras({"counts": np.divide(COUNTS, 2), "MEAS_SCAN_UNIT_Y": "cps", "MEAS_SCAN_SPEED_UNIT": "sec."}), 2.0),
        (asc((20.0, np.divide(COUNTS, 0.5)), unit="cps", speed="0.5", dim="sec./step"), 0.5),
        (xrdml(xrdml_scan(np.divide(COUNTS, 10), unit="cps")), 10.0),
    ):
        scan = reading(tmp_path, data)
        assert scan.intensity.attrs["units"] == "count/s" and scan.intensity.attrs["counting"] == "known"
        np.testing.assert_allclose(scan.one_count, 1 / time)


def test_nothing_is_claimed_of_intensities_that_are_no_counts(tmp_path):
    strip = {"counts": np.divide(COUNTS, 0.6), "MEAS_SCAN_UNIT_Y": "cps", "HW_COUNTER_SELECT_NAME": "D/teX Ultra"}
    for data, reason in (
        (ras(strip), "for how long"),
        (rasx({"counts": [170.55354309082] * 8}), "not whole numbers"),
        (asc((20.0, [948, 952.8, 990, 962.8, 994.8, 948]), unit="cps", speed="0.7", dim="sec./step"), "not whole"),
        (xrdml(xrdml_scan([1.25] * 8)), "not whole numbers"),
        (xrdml(xrdml_scan(np.divide(COUNTS, 10), unit="cps", time="")), "count time"),
        (powder_cif(keys=("_pd_meas_2theta_scan", "_pd_meas_intensity_total")), "not known to be counts"),
    ):
        scan = reading(tmp_path, data)
        assert "one_count" not in scan
        assert reason in scan.intensity.attrs["counting"]


def test_a_count_time_is_claimed_for_a_point_counter_only(tmp_path):
    """A strip of channels sees an angle for longer than the arm takes for a step; .ras does not say for how long."""
    assert "count_time" not in reading(tmp_path, ras({"HW_COUNTER_SELECT_NAME": "DteX250(H)"})).attrs
    assert "count_time" not in reading(tmp_path, rasx()).attrs
    assert reading(tmp_path, ras({"HW_COUNTER_SELECT_NAME": "Scintillation counter"})).count_time == pytest.approx(0.6)


def test_times_that_differ_from_point_to_point_make_rates(tmp_path):
    times = [10, 10, 10, 10, 20, 20, 20, 20]
    for data in (xrdml(xrdml_scan(time=" ".join(map(str, times)), listed=True)), brml({"times": times})):
        scan = reading(tmp_path, data)
        np.testing.assert_allclose(scan.intensity, np.divide(COUNTS, times))
        np.testing.assert_allclose(scan.one_count, np.divide(1, times))
        assert scan.intensity.attrs["units"] == "count/s" and "count_time" not in scan.attrs
    assert "scaled to one" in refused(tmp_path, brml({"times": times, "counts": [1.5] * 8})).reason


@pytest.mark.parametrize("surplus", [0, 1])
def test_weights_of_a_cif_give_the_count_times_of_its_regions(tmp_path, surplus):
    """Weights of three digits, as the file of NIST SRM 660c has them: t^2 / (N + 1), or t^2 / N."""
    rng = np.random.default_rng(1)
    times = np.repeat([2, 30, 5], 60)
    angles = np.concatenate([start + 0.01 * np.arange(60) for start in (20, 20.6, 40)])
    counts = 1 + rng.poisson(20 * times)
    rows = [
        f"{angle:.3f} {count / time:.2f} {time**2 / (count + surplus):.2e}"
        for angle, count, time in zip(angles, counts, times, strict=True)
    ]
    keys = ("_pd_proc_2theta_corrected", "_pd_proc_intensity_total", "_pd_proc_ls_weight")
    scan = reading(tmp_path, powder_cif(rows, keys=keys))
    assert scan.intensity.attrs["units"] == "count/s" and scan.intensity.attrs["counting"] == "known"
    np.testing.assert_allclose(scan.one_count, 1 / times, rtol=1e-3)
    np.testing.assert_allclose(scan.intensity / scan.one_count, counts, rtol=1e-12)


def test_uncertainties_in_brackets_do_as_well_as_weights(tmp_path):
    rows = [f"{x:.3f} {y / 4:.3f}({round(1000 * np.sqrt(y) / 4)})" for x, y in zip(ANGLES, [400, 81] * 4, strict=True)]
    keys = ("_pd_proc_2theta_corrected", "_pd_proc_intensity_total")
    scan = reading(tmp_path, powder_cif(rows, keys=keys))
    np.testing.assert_allclose(scan.one_count, 0.25)
    np.testing.assert_allclose(scan.intensity, np.divide([400, 81] * 4, 4))


def test_weights_of_something_else_are_not_taken_for_counting(tmp_path):
    rng = np.random.default_rng(2)
    rows = [f"{x:.3f} {y:.2f} {1 / y:.3e}" for x, y in zip(ANGLES, rng.uniform(10, 90, 8), strict=True)]
    keys = ("_pd_proc_2theta_corrected", "_pd_proc_intensity_total", "_pd_proc_ls_weight")
    scan = reading(tmp_path, powder_cif(rows, keys=keys))
    assert "one_count" not in scan and scan.intensity.attrs["units"] == "arbitrary"


# Radiation


def test_one_line_where_the_file_says_that_there_is_one(tmp_path):
    ratio_of_none = xrdml().replace(b"0.5000</ratio", b"0.0000</ratio")
    one_in_cif = powder_cif().replace(b"1.544427 0.5\n", b"")
    alone = (ras({"MEAS_COND_XG_WAVE_TYPE": "Ka1"}), rasx({"line": "Ka1"}), ratio_of_none, one_in_cif)
    for data in alone:
        scan = reading(tmp_path, data)
        assert scan.wavelength_kalpha1 < 1.5407 and "wavelength_kalpha2" not in scan.attrs


def test_a_cif_that_names_its_line_alone_gets_the_published_wavelengths_and_says_so(tmp_path):
    data = re.sub(
        rb"loop_\n_diffrn.*?data_pattern_meas",
        rb"_diffrn_radiation_type 'Cu K\\a'\ndata_pattern_meas",
        powder_cif(),
        flags=re.DOTALL,
    )
    scan = reading(tmp_path, data)
    assert (scan.wavelength_kalpha1, scan.wavelength_kalpha2) == (1.5405929, 1.5444274)
    assert scan.wavelength_source.startswith("Hoelzer 1997")
    error = refused(tmp_path, data.replace(b"Cu K", b"Xx K"))
    assert error.reason == "the file states no _diffrn_radiation_wavelength"


def test_angles_of_a_cif_may_be_its_range_and_step(tmp_path):
    for kind in ("meas", "proc"):
        stem = f"_pd_{kind}_2theta_range"
        ranged = f"{stem}_min 20.0\n{stem}_max 20.14\n{stem}_inc 0.02"
        data = powder_cif([f"{count}" for count in COUNTS], keys=("_pd_meas_counts_total",), head=ranged)
        np.testing.assert_allclose(reading(tmp_path, data).two_theta, ANGLES, rtol=0, atol=1e-12)
        assert f"no {stem}_min" in refused(tmp_path, data.replace(b"_min 20.0", b"_other 20.0")).reason
        assert "not at the stated 20.14" in refused(tmp_path, data.replace(b"_inc 0.02", b"_inc 0.05")).reason


# Order and several scans


def test_a_scan_that_runs_down_is_turned(tmp_path):
    down = {"angles": ANGLES[::-1], "counts": COUNTS[::-1]}
    for data in (ras(down), rasx(down), brml(down), xrdml(xrdml_scan(COUNTS[::-1], ANGLES[::-1]))):
        scan = reading(tmp_path, data)
        np.testing.assert_allclose(scan.two_theta, ANGLES)
        np.testing.assert_array_equal(scan.intensity, COUNTS)


def several(kind: str, *parts: tuple[list[float], list[int]]) -> bytes:
    if kind == "asc":
        return asc(*((angles[0], counts) for angles, counts in parts))
    if kind == "xrdml":
        return xrdml(*(xrdml_scan(counts, angles) for angles, counts in parts))
    return FILES[kind](*({"angles": angles, "counts": counts} for angles, counts in parts))


@pytest.mark.parametrize("kind", ["ras", "asc", "rasx", "xrdml", "brml"])
def test_scans_that_continue_each_other_are_joined_in_their_order(tmp_path, kind):
    apart = [angle + 5 for angle in ANGLES]
    scan = reading(tmp_path, several(kind, (LATER, COUNTS[::-1]), (ANGLES, COUNTS), (apart, COUNTS)))
    np.testing.assert_allclose(scan.two_theta, [*ANGLES, *LATER, *apart])
    np.testing.assert_array_equal(scan.intensity, [*COUNTS, *COUNTS[::-1], *COUNTS])
    np.testing.assert_array_equal(scan.one_count, 1)
    expected = HEADERS[kind]
    assert {key: scan.attrs[key] for key in expected} == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["ras", "asc", "rasx", "xrdml", "brml"])
def test_scans_that_overlap_are_refused(tmp_path, kind):
    for shift in (0, 0.02, 0.1):
        error = refused(tmp_path, several(kind, (ANGLES, COUNTS), ([angle + shift for angle in ANGLES], COUNTS)))
        assert "two of its scans overlap" in error.reason and "file of its own" in error.mend


def test_a_shared_end_point_counts_for_both_scans(tmp_path):
    onward = [angle + 0.14 for angle in ANGLES]
    for kind in ("ras", "xrdml", "brml"):
        scan = reading(tmp_path, several(kind, (ANGLES, COUNTS), (onward, COUNTS)))
        assert scan.sizes["two_theta"] == 15
        assert float(scan.two_theta[7]) == pytest.approx(20.14)
        assert float(scan.intensity[7]) == (COUNTS[7] + COUNTS[0]) / 2 and float(scan.one_count[7]) == 0.5


def test_scans_counted_for_different_times_are_joined_as_rates(tmp_path):
    slower = {"angles": LATER, "times": [4] * 8}
    onward = [angle + 0.14 for angle in ANGLES]
    for data, times in (
        (xrdml(xrdml_scan(), xrdml_scan(angles=LATER, time="40")), (10, 40)),
        (brml({}, slower), (1, 4)),
        (ras({}, {"angles": LATER, "MEAS_SCAN_SPEED": "0.5"}), (0.6, 2.4)),
    ):
        scan = reading(tmp_path, data)
        assert scan.intensity.attrs["units"] == scan.one_count.attrs["units"] == "count/s"
        assert "count_time" not in scan.attrs
        np.testing.assert_allclose(scan.intensity, np.concatenate([np.divide(COUNTS, time) for time in times]))
        np.testing.assert_allclose(scan.one_count, np.repeat(np.divide(1, times), 8))
    shared = reading(tmp_path, xrdml(xrdml_scan(), xrdml_scan(angles=onward, time="40")))
    assert float(shared.intensity[7]) == pytest.approx((COUNTS[7] + COUNTS[0]) / 50)
    assert float(shared.one_count[7]) == pytest.approx(1 / 50)


STRIP = {"HW_COUNTER_SELECT_NAME": "D/teX Ultra"}
UNLIKE = {
    "speed of a strip detector": (
        ras(STRIP, STRIP | {"angles": LATER, "MEAS_SCAN_SPEED": "1"}),
        "do not|does not state",
    ),
    "wavelength": (ras({}, {"angles": LATER, "HW_XG_WAVE_LENGTH_ALPHA1": "1.5406"}), "differ in wavelength_kalpha1"),
    "line": (ras({}, {"angles": LATER, "MEAS_COND_XG_WAVE_TYPE": "Ka1"}), "differ in wavelength_kalpha2"),
    "sample": (ras({}, {"angles": LATER, "FILE_SAMPLE": "LLZ"}), "differ in sample_name"),
    "axis": (ras({}, {"angles": LATER, "MEAS_SCAN_AXIS_X_INTERNAL": "TwoTheta"}), "differ in scan_axis"),
    "unit": (ras({}, {"angles": LATER, "MEAS_SCAN_UNIT_Y": "cps"}), "in count and count/s"),
    "axis of .xrdml": (xrdml(xrdml_scan(), xrdml_scan(angles=LATER, axis="2Theta")), "differ in scan_axis"),
}


@pytest.mark.parametrize("what", UNLIKE)
def test_scans_under_other_conditions_are_not_joined(tmp_path, what):
    data, reason = UNLIKE[what]
    assert re.search(reason, refused(tmp_path, data).reason)


def test_the_joined_scans_of_counts_and_of_no_counts_claim_nothing(tmp_path):
    scan = reading(tmp_path, rasx({}, {"angles": LATER, "counts": [1.5] * 8}))
    assert "one_count" not in scan and "not whole numbers" in scan.intensity.attrs["counting"]
    np.testing.assert_array_equal(scan.intensity, [*COUNTS, *[1.5] * 8])


# Damage

ROW = b"20.0600 6.0000 1.0000"
KEY = b'*MEAS_SCAN_STEP "0.0200"\r\n'
RAS_ROW = ras()[: ras().index(ROW)].count(b"\n") + 1


def swapped(data: bytes, *pairs: tuple[bytes, bytes]) -> bytes:
    for old, new in pairs:
        assert old in data
        data = data.replace(old, new, 1)
    return data


TEXT_DAMAGE = {
    "ras text in a number": (swapped(ras(), (ROW, b"20.0600 6.O000 1.0000")), RAS_ROW, "'6.O000', not a number"),
    "ras nan": (swapped(ras(), (ROW, b"20.0600 nan 1.0000")), RAS_ROW, "'nan', not a number"),
    "ras underscore": (swapped(ras(), (ROW, b"20.0600 1_0 1.0000")), RAS_ROW, "'1_0', not a number"),
    "ras negative": (swapped(ras(), (ROW, b"20.0600 -6.0000 1.0000")), RAS_ROW, "negative"),
    "ras overflow": (swapped(ras(), (ROW, b"20.0600 1e999 1.0000")), RAS_ROW, "not finite"),
    "ras two columns": (swapped(ras(), (ROW, b"20.0600 6.0000")), RAS_ROW, "2 columns"),
    "ras two rows in one": (swapped(ras(), (ROW + b"\r\n", ROW)), RAS_ROW, "5 columns"),
    "ras no attenuation": (swapped(ras(), (ROW, b"20.0600 6.0000 0.0000")), RAS_ROW, "not above 0"),
    "ras lost row": (swapped(ras(), (ROW + b"\r\n", b"")), 2, "7 points where the header says 8"),
    "ras lost row, no number of points": (
        swapped(ras(), (ROW + b"\r\n", b""), (b'*MEAS_DATA_COUNT "8"\r\n', b"")),
        RAS_ROW - 1,
        "off the header's start and step",
    ),
    "ras lost end, no number of points": (
        swapped(
            ras(), (b"20.1000 1250.0000 1.0000\r\n20.1200 40.0000 1.0000\r\n20.1400 9.0000 1.0000\r\n", b"")
        ).replace(b'*MEAS_DATA_COUNT "8"\r\n', b""),
        RAS_ROW,
        "not at the header's stop",
    ),
    "ras digit of an angle": (swapped(ras(), (ROW, b"20.0900 6.0000 1.0000")), RAS_ROW, "off the header's start"),
    "ras angles back": (swapped(ras(), (ROW, b"19.0600 6.0000 1.0000"), (KEY, b"")), RAS_ROW - 1, "not run one way"),
    "ras no points": (ras({"angles": [20.0], "counts": [1]}), None, "1 values"),
    "ras empty data": (
        re.sub(rb"(?s)INT_START\r\n.*?\*RAS_INT_END", b"INT_START\r\n*RAS_INT_END", ras()),
        2,
        "0 points",
    ),
    "ras no wavelength": (ras({"HW_XG_WAVE_LENGTH_ALPHA1": None}), 2, "no *HW_XG_WAVE_LENGTH_ALPHA1"),
    "ras empty wavelength": (ras({"HW_XG_WAVE_LENGTH_ALPHA2": ""}), 2, "no *HW_XG_WAVE_LENGTH_ALPHA2"),
    "ras nought for a wavelength": (ras({"HW_XG_WAVE_LENGTH_ALPHA1": "0"}), None, "no K-alpha1 and K-alpha2"),
    "ras wavelength in nm": (ras({"HW_XG_WAVE_LENGTH_UNIT": "nm"}), 2, "not in angstrom"),
    "ras wavelengths exchanged": (
        ras({"HW_XG_WAVE_LENGTH_ALPHA1": "1.544414", "HW_XG_WAVE_LENGTH_ALPHA2": "1.540593"}),
        None,
        "no K-alpha1 and K-alpha2",
    ),
    "ras K-beta": (ras({"MEAS_COND_XG_WAVE_TYPE": "Kb"}), 2, "'Kb', not K-alpha"),
    "ras phi scan": (ras({"MEAS_SCAN_AXIS_X_INTERNAL": "Phi"}), 2, "along 'Phi', not 2θ"),
    "ras chi scan": (ras({"MEAS_SCAN_AXIS_X_INTERNAL": "Chi"}), 2, "along 'Chi', not 2θ"),
    "ras rocking curve": (ras({"MEAS_SCAN_AXIS_X_INTERNAL": "Omega"}), 2, "along 'Omega', not 2θ"),
    "ras in-plane scan": (ras({"MEAS_SCAN_AXIS_X_INTERNAL": "TwoThetaChi"}), 2, "along 'TwoThetaChi', not 2θ"),
    "ras scale of omega": (ras({"MEAS_SCAN_AXIS_X_INTERNAL": "OmegaTwoTheta"}), 2, "not 2θ"),
    "ras no axis": (ras({"MEAS_SCAN_AXIS_X_INTERNAL": None}), 2, "does not state the scan axis"),
    "ras radians": (ras({"MEAS_SCAN_UNIT_X": "rad"}), 2, "'rad'"),
    "ras unit": (ras({"MEAS_SCAN_UNIT_Y": "mA"}), 2, "'mA'"),
    "ras no unit": (ras({"MEAS_SCAN_UNIT_Y": None}), 2, "None"),
    "ras step of text": (ras({"MEAS_SCAN_STEP": "auto"}), 2, "*MEAS_SCAN_STEP is 'auto'"),
    "ras no data section": (re.sub(rb"(?s)\*RAS_INT_START.*RAS_INT_END\r\n", b"", ras()), 25, "*RAS_DATA_END where"),
    "ras no header": (re.sub(rb"(?s)\*RAS_HEADER_START.*RAS_HEADER_END\r\n", b"", ras()), 2, "*RAS_INT_START where"),
    "ras no end of data": (swapped(ras(), (b"*RAS_INT_END\r\n", b"")), RAS_ROW + 5, "*RAS_DATA_END where *RAS_INT_END"),
    "ras no end": (swapped(ras(), (b"*RAS_DATA_END\r\n", b"")), RAS_ROW + 7, "no line *RAS_DATA_END"),
    "ras second scan lost": (
        ras({}, {"angles": LATER}).rpartition(b"*RAS_HEADER_START")[0],
        RAS_ROW + 6,
        "no line *RAS_DATA_END",
    ),
    "ras unknown bytes": (
        swapped(ras(), ("粉末".encode("cp932"), b"\x81\xff\xff")),
        3,
        "no text in utf-8 or Shift-JIS",
    ),
    "asc text in a number": (swapped(asc(), (b"13, 7", b"13, T")), 22, "'T', not a number"),
    "asc lost value": (swapped(asc(), (b"13, 7", b"13")), 15, "7 points where the header says 8"),
    "asc lost group": (swapped(asc(), (b"GROUP_COUNT\t=  1", b"GROUP_COUNT\t=  2")), None, "cut off"),
    "asc no wavelength": (swapped(asc(), (b"*WAVE_LENGTH1", b"*WAVE")), 15, "no *WAVE_LENGTH1"),
    "asc no step": (swapped(asc(), (b"*STEP", b"*STOP")), 15, "no *STEP"),
    "asc no start": (swapped(asc(), (b"*START", b"*STAR")), 15, "no *START"),
    "asc other stop": (swapped(asc(), (b"=  20.14", b"=  21.14")), 15, "not at the header's stop"),
    "asc phi scan": (swapped(asc(), (b"2theta/theta", b"phi")), 15, "'phi', not 2θ"),
    "asc no unit": (swapped(asc(), (b"*YUNIT", b"*UNIT")), 15, "None"),
    "asc no counts": (re.sub(rb"(?s)\*COUNT\b\t.*", b"*END\r\n*EOF\r\n", asc()), 23, "cut off"),
    "cif cell": (swapped(powder_cif(), (b"20.060 6", b"20.060 six")), None, "intensity of point 4 is not finite"),
    "cif unknown cell": (swapped(powder_cif(), (b"20.060 6", b"20.060 ?")), None, "intensity of point 4 is not finite"),
    "cif lost cell": (swapped(powder_cif(), (b"20.060 6", b"20.060")), 11, "no whole CIF"),
    "cif lost row": (
        swapped(powder_cif(), (b"20.060 6\n", b"")),
        None,
        "7 points where _pd_proc_number_of_points is 8",
    ),
    "cif no number of points": (swapped(powder_cif(), (b"_pd_meas_number_of_points 8", b"")), None, "neither"),
    "cif other end": (powder_cif(head="_pd_meas_2theta_range_max 21.0"), None, "not at the stated 21"),
    "cif two patterns": (powder_cif() + powder_cif().replace(b"data_", b"data_2"), None, "2 measured patterns"),
    "cif calculated alone": (swapped(powder_cif(), (b"pattern_meas", b"other_calc")), None, "0 measured patterns"),
    "cif three wavelengths": (swapped(powder_cif(), (b"1.544427 0.5", b"1.544427 0.5 1.39 0.1")), None, "1.39"),
    "cif wrong encoding": (swapped(powder_cif(), (b"data_radiation", b"# \xff\ndata_radiation")), None, "no whole CIF"),
    "xrdml text in a number": (swapped(xrdml(), (b"1250 40", b"125O 40")), None, "point 6 is '125O', not a number"),
    "xrdml no wavelength": (xrdml(wavelength=" "), None, "states no kAlpha1"),
    "xrdml no second wavelength": (re.sub(rb"<kAlpha2.*?</kAlpha2>", b"", xrdml()), None, "states no kAlpha2"),
    "xrdml no ratio": (re.sub(rb"<ratio.*</ratioKAlpha2KAlpha1>", b"", xrdml()), None, "states no ratioKAlpha2KAlpha1"),
    "xrdml wavelength in nm": (swapped(xrdml(), (b'"Angstrom"', b'"nm"')), None, "a wavelength in nm"),
    "xrdml K-beta": (swapped(xrdml(), (b'"K-Alpha"', b'"K-Beta"')), None, "K-Beta, not K-Alpha"),
    "xrdml no data": (re.sub(rb"<dataPoints>.*</dataPoints>", b"", xrdml()), None, "without counts or intensities"),
    "xrdml no intensities": (
        re.sub(rb"<intensities.*</intensities>", b"", xrdml()),
        None,
        "without counts or intensities",
    ),
    "xrdml empty intensities": (xrdml(xrdml_scan([])), None, "0 points"),
    "xrdml no scan": (re.sub(rb"<scan .*</scan>", b"", xrdml()), None, "no scan in it"),
    "xrdml no positions": (
        re.sub(rb'<positions axis="2Theta".*?</positions>', b"", xrdml()),
        None,
        "positions of 2Theta",
    ),
    "xrdml no end": (re.sub(rb"<endPosition>20.14</endPosition>", b"", xrdml()), None, "no endPosition of 2Theta"),
    "xrdml fixed 2Theta": (
        re.sub(rb"<startPosition>20.0<.*?20.14</endPosition>", b"<commonPosition>20</commonPosition>", xrdml()),
        None,
        "no startPosition of 2Theta",
    ),
    "xrdml radians": (swapped(xrdml(), (b'"2Theta" unit="deg"', b'"2Theta" unit="rad"')), None, "2Theta in 'rad'"),
    "xrdml listed positions": (xrdml(xrdml_scan(COUNTS[1:], listed=True)), None, "8 listed positions for 7 points"),
    "xrdml listed times": (xrdml(xrdml_scan(time="1 2 3")), None, "3 countingTimes for 8 points"),
    "xrdml time of nought": (xrdml(xrdml_scan(time="0")), None, "not above 0"),
    "xrdml factors": (
        xrdml(xrdml_scan(more="<beamAttenuationFactors>1 1</beamAttenuationFactors>")),
        None,
        "2 beamAttenuationFactors for 8 points",
    ),
    "xrdml divergence": (
        xrdml(xrdml_scan(kind="counts", more="<commonDivergenceCorrection>1.1</commonDivergenceCorrection>")),
        None,
        "divergence correction",
    ),
    "xrdml unit": (xrdml(xrdml_scan(unit="percent")), None, "'percent'"),
    "xrdml no unit": (swapped(xrdml(), (b'<intensities unit="counts">', b"<intensities>")), None, "None"),
    "xrdml phi scan": (xrdml(xrdml_scan(axis="Phi")), None, "along 'Phi', not 2θ"),
    "xrdml rocking curve": (xrdml(xrdml_scan(axis="Omega")), None, "along 'Omega', not 2θ"),
    "xrdml aborted": (swapped(xrdml(), (b'Gonio" status="Completed"', b'Gonio" status="Aborted"')), None, "'Aborted'"),
    "xrdml wrong encoding": (swapped(xrdml(), ("粉末".encode(), "粉末".encode("cp932"))), 3, "no whole XML"),
    "xrdml unknown encoding": (swapped(xrdml(), (b"UTF-8", b"UTF-99")), None, "no whole XML"),
    "xrdml lost tag": (swapped(xrdml(), (b"</dataPoints>", b"")), 8, "no whole XML"),
}


@pytest.mark.parametrize("damage", TEXT_DAMAGE)
def test_damaged_text(tmp_path, damage):
    data, line, reason = TEXT_DAMAGE[damage]
    error = refused(tmp_path, data)
    assert reason in error.reason
    if line is not None:
        assert error.line == line
        assert f", line {line}: " in str(error)


def without(data: bytes, member: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return archive({name: file.read(name).decode() for name in file.namelist() if name != member})


def changed(data: bytes, member: str, old: str, new: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        files = {name: file.read(name).decode() for name in file.namelist()}
    assert old in files[member]
    return archive(files | {member: files[member].replace(old, new, 1)})


PROFILE, CONDITIONS, RAW = "Data0/Profile0.txt", "Data0/MesurementConditions0.xml", "Experiment0/RawData0.xml"
ARCHIVE_DAMAGE = {
    "rasx no conditions": (without(rasx(), CONDITIONS), f"lacks {CONDITIONS}"),
    "rasx no profile": (without(rasx(), PROFILE), "a zip archive"),
    "rasx cut conditions": (changed(rasx(), CONDITIONS, "</MeasurementConditions>", ""), "no whole XML"),
    "rasx cut profile": (changed(rasx(), PROFILE, "20.1400\t9\t1\r\n", ""), "7 points where the header says 8"),
    "rasx half a row": (changed(rasx(), PROFILE, "20.1400\t9\t1", "20.1400\t9"), "2 columns"),
    "rasx text in a number": (changed(rasx(), PROFILE, "1250", "l250"), "'l250', not a number"),
    "rasx no wavelength": (changed(rasx(), CONDITIONS, "1.540593", ""), "no WavelengthKalpha1"),
    "rasx chi scan": (rasx({"AxisName": "Chi"}), "along 'Chi', not 2θ"),
    "rasx unit": (rasx({"IntensityUnit": "%"}), "'%'"),
    "brml no raw data": (without(brml(), RAW), "a zip archive"),
    "brml lost raw data": (without(brml({}, {"angles": LATER}), RAW), f"lacks {RAW}"),
    "brml cut": (changed(brml(), RAW, "</RawData>", ""), "no whole XML"),
    "brml lost point": (changed(brml(), RAW, "<Datum>1,1,20.06,10.03,6</Datum>", ""), "7 points"),
    "brml lost number": (changed(brml(), RAW, "20.06,10.03,6<", "20.06,6<"), "points of [4, 5] numbers"),
    "brml one more number each": (brml({"replaced": {"</Datum>": ",0</Datum>"}}), "points of [6] numbers"),
    "brml text in a number": (changed(brml(), RAW, "10.03,6<", "10.03,six<"), "'six', not a number"),
    "brml no points": (
        brml({"angles": ANGLES[:1], "counts": [1], "replaced": {"<Datum>1,1,20.0,10.0,1</Datum>": ""}}),
        "points of [] numbers",
    ),
    "brml no description": (brml({"replaced": {"DataViews>": "Views>"}}), "records 0 counters"),
    "brml many channels": (brml({"replaced": {'Start="4" Length="1"': 'Start="4" Length="192"'}}), "of [192] channels"),
    "brml no column of 2θ": (brml({"replaced": {'<FieldDefinitions AxisId="TwoTheta"/>': ""}}), "no column TwoTheta"),
    "brml no axes": (
        brml({"replaced": {'<ScanAxisInfo AxisId="TwoTheta"/><ScanAxisInfo AxisId="Theta"/>': ""}}),
        "does not state",
    ),
    "brml no absorption": (brml({"replaced": {"AbsorptionFactor": "Other"}}), "no column AbsorptionFactor"),
    "brml absorption of nought": (brml({"factors": [0] * 8}), "not above 0"),
    "brml no wavelength": (brml({"replaced": {"WaveLengthAlpha1": "WaveLength"}}), "states no WaveLengthAlpha1"),
    "brml wavelength in nm": (
        brml({"replaced": {'"Å" Value="1.5406"': '"nm" Value="0.15406"'}}),
        "WaveLengthAlpha1 in 'nm'",
    ),
    "brml rocking curve": (brml({"axes": ("Theta", "Z")}), "along 'Theta', not 2θ"),
    "brml phi scan": (brml({"axes": ("Phi", "Z")}), "along 'Phi', not 2θ"),
    "brml unit": (brml({"replaced": {'Base="Counts"': 'Base="Volt"'}}), "'Volt'"),
    "brml no measured data": (brml({"replaced": {'"Measured"': '"Simulated"'}}), "no measured data"),
}


@pytest.mark.parametrize("damage", ARCHIVE_DAMAGE)
def test_damaged_archive(tmp_path, damage):
    data, reason = ARCHIVE_DAMAGE[damage]
    assert reason in refused(tmp_path, data).reason


def same(one, other) -> bool:
    keys = ["two_theta", "intensity", "one_count"]
    lines = ["wavelength_kalpha1", "wavelength_kalpha2"]
    return all(one[key].equals(other[key]) for key in keys) and all(one.attrs[k] == other.attrs[k] for k in lines)


TWO = {
    "ras": ras({}, {"angles": LATER, "factors": [1] * 7 + [8.3]}),
    "asc": asc((20.0, COUNTS), (20.16, COUNTS)),
    "xrdml": xrdml(xrdml_scan(), xrdml_scan(angles=LATER, listed=True)),
    "cif": powder_cif(),
}


@pytest.mark.parametrize("kind", TWO)
def test_text_cut_anywhere_is_refused_or_whole(tmp_path, kind):
    """Behind every byte, so at the boundary of every section too; what reads lacks nothing that was measured."""
    data, path = TWO[kind], tmp_path / "cut.dat"
    whole, read_from = reading(tmp_path, data), []
    for size in range(len(data)):
        path.write_bytes(data[:size])
        try:
            scan = read(path)
        except ReadError:
            continue
        assert same(scan, whole), size
        read_from.append(size)
    # The shortest that reads ends with the mark that the format ends its measured data with.
    last = {"ras": b"*RAS_DATA_END", "asc": b"*EOF", "xrdml": b"</xrdMeasurements>", "cif": b"20.140 9\n"}[kind]
    assert min(read_from, default=len(data)) >= data.rindex(last) + len(last)


@pytest.mark.parametrize("kind", ["rasx", "brml"])
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_archive_cut_or_changed_in_any_byte_is_refused_or_whole(tmp_path, kind, compression):
    data, path = FILES[kind](compression=compression), tmp_path / "cut.dat"
    whole = reading(tmp_path, data)
    for size in range(0, len(data), 7):
        refused(tmp_path, data[:size])
    for at in range(0, len(data), 3):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x15]) + data[at + 1 :])
        with contextlib.suppress(ReadError):
            assert same(read(path), whole), at


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_rigaku_text_of_newer_programs(tmp_path, encoding):
    scan = reading(tmp_path, ras().decode("cp932").encode(encoding))
    assert scan.sample_name == "粉末 LLZ"
    assert "utf-16" in encoding or scan.sizes["two_theta"] == 8


@pytest.mark.parametrize("kind", ["ras", "asc", "xrdml"])
def test_utf_16_is_refused(tmp_path, kind):
    text = FILES[kind]().decode("utf-8" if kind == "xrdml" else "cp932")
    refused(tmp_path, text.encode("utf-16"))
    refused(tmp_path, text.encode("utf-16-le"))


def test_line_breaks_may_be_of_any_system(tmp_path):
    for data in (ras(), asc()):
        for newline in (b"\n", b"\r"):
            assert reading(tmp_path, data.replace(b"\r\n", newline)).sizes["two_theta"] == 8


def test_unequal_steps_are_read_where_the_header_says_so(tmp_path):
    uneven = [*ANGLES[:4], 20.1, 20.2, 20.3, 20.5]
    scan = reading(tmp_path, ras({"angles": uneven, "MEAS_SCAN_UNEQUALY_SPACED": "True"}))
    np.testing.assert_allclose(scan.two_theta, uneven)
    assert "off the header's start and step" in refused(tmp_path, ras({"angles": uneven})).reason


def test_the_versions_of_xrdml_differ_in_their_namespace_only(tmp_path):
    for version in ("1.0", "1.6", "2.1"):
        data = xrdml().replace(b"XRDMeasurement/2.0", b"XRDMeasurement/" + version.encode())
        assert ElementTree.fromstring(data).tag.endswith(f"{version}}}xrdMeasurements")
        assert reading(tmp_path, data).sizes["two_theta"] == 8
