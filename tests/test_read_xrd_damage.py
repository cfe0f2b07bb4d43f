"""Damaged files of diffractometers: each is refused with what is wrong, or read whole."""

import contextlib
import io
import re
import zipfile

import pytest

from coldbond.files import ReadError, read
from diffractometer_files import (
    ANGLES,
    COUNTS,
    FILES,
    LATER,
    archive,
    asc,
    brml,
    powder_cif,
    ras,
    rasx,
    reading,
    refused,
    xrdml,
    xrdml_scan,
)

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
    "ras no attenuation": (swapped(ras(), (ROW, b"20.0600 6.0000 0.0000")), RAS_ROW, "not positive"),
    "ras lost row": (swapped(ras(), (ROW + b"\r\n", b"")), 2, "7 points where the header says 8"),
    "ras lost row, no number of points": (
        swapped(ras(), (ROW + b"\r\n", b""), (b'*MEAS_DATA_COUNT "8"\r\n', b"")),
        RAS_ROW - 1,
        "off the grid of the header's start and step",
    ),
    "ras lost end, no number of points": (
        swapped(
            ras(), (b"20.1000 1250.0000 1.0000\r\n20.1200 40.0000 1.0000\r\n20.1400 9.0000 1.0000\r\n", b"")
        ).replace(b'*MEAS_DATA_COUNT "8"\r\n', b""),
        RAS_ROW,
        "not at the header's stop",
    ),
    "ras digit of an angle": (
        swapped(ras(), (ROW, b"20.0900 6.0000 1.0000")),
        RAS_ROW,
        "off the grid of the header's start",
    ),
    "ras angles back": (swapped(ras(), (ROW, b"19.0600 6.0000 1.0000"), (KEY, b"")), RAS_ROW - 1, "not monotonic"),
    "ras no points": (ras({"angles": [20.0], "counts": [1]}), None, "1 values"),
    "ras empty data": (
        re.sub(rb"(?s)INT_START\r\n.*?\*RAS_INT_END", b"INT_START\r\n*RAS_INT_END", ras()),
        2,
        "0 points",
    ),
    "ras no wavelength": (ras({"HW_XG_WAVE_LENGTH_ALPHA1": None}), None, "states no wavelength"),
    "ras empty wavelength": (ras({"HW_XG_WAVE_LENGTH_ALPHA2": ""}), None, "states no wavelength"),
    "ras nought for a wavelength": (ras({"HW_XG_WAVE_LENGTH_ALPHA1": "0"}), None, "states no wavelength"),
    "ras wavelength in nm": (ras({"HW_XG_WAVE_LENGTH_UNIT": "nm"}), None, "states no wavelength"),
    "ras wavelengths exchanged": (
        ras({"HW_XG_WAVE_LENGTH_ALPHA1": "1.544414", "HW_XG_WAVE_LENGTH_ALPHA2": "1.540593"}),
        None,
        "not K-alpha1 and K-alpha2",
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
        "not text in utf-8 or Shift-JIS",
    ),
    "asc text in a number": (swapped(asc(), (b"13, 7", b"13, T")), 22, "'T', not a number"),
    "asc lost value": (swapped(asc(), (b"13, 7", b"13")), 15, "7 points where the header says 8"),
    "asc lost group": (swapped(asc(), (b"GROUP_COUNT\t=  1", b"GROUP_COUNT\t=  2")), None, "cut off"),
    "asc no wavelength": (swapped(asc(), (b"*WAVE_LENGTH1", b"*WAVE")), None, "states no wavelength"),
    "asc no step": (swapped(asc(), (b"*STEP", b"*STOP")), 15, "no *STEP"),
    "asc no start": (swapped(asc(), (b"*START", b"*STAR")), 15, "no *START"),
    "asc other stop": (swapped(asc(), (b"=  20.14", b"=  21.14")), 15, "not at the header's stop"),
    "asc phi scan": (swapped(asc(), (b"2theta/theta", b"phi")), 15, "'phi', not 2θ"),
    "asc no unit": (swapped(asc(), (b"*YUNIT", b"*UNIT")), 15, "None"),
    "asc no counts": (re.sub(rb"(?s)\*COUNT\b\t.*", b"*END\r\n*EOF\r\n", asc()), 23, "cut off"),
    "cif cell": (swapped(powder_cif(), (b"20.060 6", b"20.060 six")), None, "intensity of point 4 is not finite"),
    "cif unknown cell": (swapped(powder_cif(), (b"20.060 6", b"20.060 ?")), None, "intensity of point 4 is not finite"),
    "cif lost cell": (swapped(powder_cif(), (b"20.060 6", b"20.060")), 11, "not a complete CIF"),
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
    "cif wrong encoding": (
        swapped(powder_cif(), (b"data_radiation", b"# \xff\ndata_radiation")),
        None,
        "not a complete CIF",
    ),
    "xrdml text in a number": (swapped(xrdml(), (b"1250 40", b"125O 40")), None, "point 6 is '125O', not a number"),
    "xrdml no wavelength": (xrdml(wavelength=" "), None, "states no wavelength"),
    "xrdml no second wavelength": (
        re.sub(rb"<kAlpha2.*?</kAlpha2>", b"", xrdml()).replace(b'"K-Alpha 1"', b'"K-Alpha"'),
        None,
        "states no wavelength",
    ),
    "xrdml wavelength in nm": (swapped(xrdml(), (b'"Angstrom"', b'"nm"')), None, "states no wavelength"),
    "xrdml K-beta": (swapped(xrdml(), (b'"K-Alpha"', b'"K-Beta"')), None, "K-Beta, not K-Alpha"),
    "xrdml no data": (re.sub(rb"<dataPoints>.*</dataPoints>", b"", xrdml()), None, "without counts or intensities"),
    "xrdml no intensities": (
        re.sub(rb"<intensities.*</intensities>", b"", xrdml()),
        None,
        "without counts or intensities",
    ),
    "xrdml empty intensities": (xrdml(xrdml_scan([])), None, "0 points"),
    "xrdml no scan": (re.sub(rb"<scan .*</scan>", b"", xrdml()), None, "the file holds no scan"),
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
    "xrdml time of nought": (xrdml(xrdml_scan(time="0")), None, "not positive"),
    "xrdml factors": (
        xrdml(xrdml_scan(more="<beamAttenuationFactors>1 1</beamAttenuationFactors>")),
        None,
        "2 beamAttenuationFactors for 8 points",
    ),
    "xrdml divergence": (
        xrdml(xrdml_scan(kind="counts", more="<commonDivergenceCorrection>1.1</commonDivergenceCorrection>")),
        None,
        "divergence slit",
    ),
    "xrdml unit": (xrdml(xrdml_scan(unit="percent")), None, "'percent'"),
    "xrdml no unit": (swapped(xrdml(), (b'<intensities unit="counts">', b"<intensities>")), None, "None"),
    "xrdml phi scan": (xrdml(xrdml_scan(axis="Phi")), None, "along 'Phi', not 2θ"),
    "xrdml rocking curve": (xrdml(xrdml_scan(axis="Omega")), None, "along 'Omega', not 2θ"),
    "xrdml aborted": (swapped(xrdml(), (b'Gonio" status="Completed"', b'Gonio" status="Aborted"')), None, "'Aborted'"),
    "xrdml wrong encoding": (swapped(xrdml(), ("粉末".encode(), "粉末".encode("cp932"))), 3, "not a complete XML"),
    "xrdml unknown encoding": (swapped(xrdml(), (b"UTF-8", b"UTF-99")), None, "not a complete XML"),
    "xrdml lost tag": (swapped(xrdml(), (b"</dataPoints>", b"")), 8, "not a complete XML"),
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
    "rasx no profile": (without(rasx(), PROFILE), "a Rigaku .rasx without a profile"),
    "rasx cut conditions": (changed(rasx(), CONDITIONS, "</MeasurementConditions>", ""), "not a complete XML"),
    "rasx cut profile": (changed(rasx(), PROFILE, "20.1400\t9\t1\r\n", ""), "7 points where the header says 8"),
    "rasx half a row": (changed(rasx(), PROFILE, "20.1400\t9\t1", "20.1400\t9"), "2 columns"),
    "rasx text in a number": (changed(rasx(), PROFILE, "1250", "l250"), "'l250', not a number"),
    "rasx no wavelength": (changed(rasx(), CONDITIONS, "1.540593", ""), "states no wavelength"),
    "rasx chi scan": (rasx({"AxisName": "Chi"}), "along 'Chi', not 2θ"),
    "rasx unit": (rasx({"IntensityUnit": "%"}), "'%'"),
    "brml no raw data": (without(brml(), RAW), "a Bruker .brml without raw data"),
    "brml lost raw data": (without(brml({}, {"angles": LATER}), RAW), f"lacks {RAW}"),
    "brml cut": (changed(brml(), RAW, "</RawData>", ""), "not a complete XML"),
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
    "brml absorption of nought": (brml({"factors": [0] * 8}), "not positive"),
    "brml no wavelength": (brml({"replaced": {"WaveLengthAlpha1": "WaveLength"}}), "states no wavelength"),
    "brml wavelength in nm": (
        brml({"replaced": {'"Å" Value="1.5406"': '"nm" Value="0.15406"'}}),
        "states no wavelength",
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
