"""Scans of known points, and their file in each format of a diffractometer, written out here by hand."""

import io
import zipfile

import pytest

from coldbond.files import ReadError, read

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
#: What the header of each says.
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


def reading(tmp_path, data: bytes, name="scan.dat"):
    path = tmp_path / name
    path.write_bytes(data)
    return read(path)


def refused(tmp_path, data: bytes) -> ReadError:
    with pytest.raises(ReadError) as caught:
        reading(tmp_path, data)
    error = caught.value
    assert error.reason and error.remedy and "\n" not in str(error)
    return error
