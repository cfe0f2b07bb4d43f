"""Powder patterns in formats without a file to compare with: each is written here by hand, then damaged."""

import struct

import numpy as np
import pytest

from coldbond.files import ReadError, read
from diffractometer_files import ANGLES, COUNTS

LINES = (1.5405929, 1.5444274)
SIGMA = [f"{count**0.5:.4f}" for count in COUNTS]


def raw1(*starts: float, kind: int = 0, size: int = 4, lines=(1.5406, 1.54439), extra: bytes = b"") -> bytes:
    """A Bruker RAW1.01 with a range from each start."""
    header = bytearray(712)
    header[:8] = b"RAW1.01\0"
    struct.pack_into("<I", header, 12, len(starts or (20.0,)))
    header[326:330] = b"LLZ\0"
    struct.pack_into("<f", header, 564, 217.5)
    header[608:610] = b"Cu"
    struct.pack_into("<5d", header, 616, 1.54184, *lines, 1.39222, 0.5)
    header[656:657] = b"A"
    data = bytes(header)
    for start in starts or (20.0,):
        part = bytearray(304)
        struct.pack_into("<2I2d", part, 0, 304, 8, start / 2, start)
        struct.pack_into("<d", part, 176, 0.02)
        struct.pack_into("<fI", part, 192, 2.0, kind)
        struct.pack_into("<2I", part, 252, size, len(extra))
        data += bytes(part) + extra + struct.pack("<8f", *COUNTS)
    return data


def raw4(scan_type: bytes = b"Locked Coupled", planned: int = 8, tube: bool = True, size: int = 4) -> bytes:
    """A Bruker RAW4.00 of one range."""
    header = bytearray(61)
    header[:8] = b"RAW4.00\0"
    struct.pack_into("<I", header, 40, 1)
    text = struct.pack("<3I24s4s", 10, 40, 0, b"SAMPLEID", b"LLZ")
    lamp = bytearray(136)
    struct.pack_into("<2I", lamp, 0, 30, 136)
    struct.pack_into("<5d", lamp, 72, 1.54184, 1.5406, 1.54439, 1.39222, 0.5)
    lamp[116:118], lamp[120:121] = b"Cu", b"A"
    part, drive = bytearray(160), struct.pack("<2I8x", 50, 16)
    struct.pack_into("<3I", part, 0, 0, planned, 8)
    part[32 : 32 + len(scan_type)] = scan_type
    struct.pack_into("<2d", part, 72, 20.0, 0.02)
    struct.pack_into("<f", part, 92, 2.0)
    struct.pack_into("<2I", part, 136, size, len(drive))
    return bytes(header) + text + bytes(lamp) * tube + bytes(part) + drive + struct.pack("<8f", *COUNTS)


def rows(*columns, form="{:.4f} {}") -> str:
    return "".join(form.format(*row) + "\n" for row in zip(ANGLES, *columns, strict=True))


EVA = '\'Id: "LLZ" Comment: "" Operator: "A" Anode: "Cu" Scantype: "Coupled TwoTheta/Theta" TimePerStep: "192"\n'
UXD = (
    "; C:\\x.uxd\n_FILEVERSION=2\n_SAMPLE='LLZ'\n_ANODE='Cu'\n_WL_UNIT='A'\n_WL1=1.540600\n"
    "_WL2=1.544390\n_WLRATIO=0.5\n; Data for range 1\n_DRIVE='COUPLED'\n_STEPTIME=2.0\n_STEPSIZE=0.02\n_START=20.0\n"
)
CSV = (
    "[Measurement conditions]\nSample identification,LLZ\nComment,Goniometer Theta/2Theta\nAnode material,Cu\n"
    "K-Alpha1 wavelength,1.5405980\nK-Alpha2 wavelength,1.5444260\nRatio K-Alpha2/K-Alpha1,0.5\nScan axis,Gonio\n"
    "Scan range,20.0,20.14\nScan step size,0.02\nNo. of points,8\nTime per step,2\n[Scan points]\n"
)
UDF = (
    "SampleIdent,LLZ ,/\nTitle1,a, b,/\nDiffrType,PW1710,/\nAnode,Cu,/\nLabdaAlpha1, 1.54060,/\n"
    "LabdaAlpha2, 1.54439,/\nRatioAlpha21, 0.50000,/\nDataAngleRange,  20.0000,  20.1400,/\n"
    "ScanStepSize,   0.020,/\nScanType,CONTINUOUS,/\nScanStepTime,    2.00,/\nRawScan\n"
)


def gsas(kind: str) -> str:
    """A bank of each type; STD and ESD in columns of fixed width."""
    body, records = "", 1
    if kind == "STD":
        body = "".join(f"  {count:6d}" for count in COUNTS) + f"{0:8d}" * 2 + "\n"
    elif kind == "ESD":
        cells = [f"{count:8.1f}{float(sigma):8.4f}" for count, sigma in zip(COUNTS, SIGMA, strict=True)]
        body, records = "".join(cells[:5]) + "\n" + "".join(cells[5:]) + "\n", 2
    elif kind == "FXYE":
        centidegrees = [f"{100 * angle:.2f}" for angle in ANGLES]
        body = "".join(f"{x} {y} {s}\n" for x, y, s in zip(centidegrees, COUNTS, SIGMA, strict=True))
        records = 8
    return f"{'LLZ':80}\n# a comment\n{f'BANK 1 8 {records} CONST 2000.0 2.0 0 0 {kind}':80}\n{body}"


PLAIN = " ".join(map(str, COUNTS[:5])) + "\n" + " ".join(map(str, COUNTS[5:])) + "\n"
#: A file of each kind; the attrs that it states; and what is stated beside it.
FILES = {
    "raw1": (raw1(), {"format": "bruker-raw-1", "sample_name": "LLZ", "goniometer_radius": 217.5, "count_time": 2}, {}),
    "raw4": (raw4(), {"format": "bruker-raw-4", "sample_name": "LLZ", "anode": "Cu", "step": 0.02}, {}),
    "eva": (EVA + rows(COUNTS), {"format": "bruker-xy", "anode": "Cu", "sample_name": "LLZ"}, {"wavelength": LINES}),
    "uxd": (UXD + "_2THETACOUNTS\n" + rows(COUNTS), {"format": "bruker-uxd", "anode": "Cu", "count_time": 2}, {}),
    "uxd counts": (UXD + "_COUNTS\n" + PLAIN, {"sample_name": "LLZ", "step": 0.02, "kalpha2_ratio": 0.5}, {}),
    "csv": (CSV + "Angle,Intensity\n" + rows(COUNTS, form="{:.4f},{}"), {"sample_name": "LLZ", "count_time": 2}, {}),
    "csv semicolons": (
        CSV.replace(",", ";").replace(".", ",").replace("No,", "No.")
        + "Angle;Intensity\n"
        + rows(COUNTS, form="{:.4f};{}").replace(".", ","),
        {"format": "panalytical-csv", "kalpha2_ratio": 0.5},
        {},
    ),
    "csv esd": (
        CSV + "Angle,TimePerStep,Intensity,ESD\n" + rows([2] * 8, COUNTS, SIGMA, form="{:.4f},{},{},{}"),
        {"unread": "timeperstep"},
        {},
    ),
    "udf": (UDF + PLAIN.replace(" ", ",   ") + "/\n", {"instrument": "Philips PW1710", "sample_name": "LLZ"}, {}),
    "gsas std": (gsas("STD"), {"format": "gsas", "title": "LLZ", "step": 0.02}, {"wavelength": LINES}),
    "gsas esd": (gsas("ESD"), {"format": "gsas"}, {"wavelength": LINES}),
    "gsas fxye": (gsas("FXYE"), {"format": "gsas"}, {"wavelength": LINES}),
    "chi": ("LLZ\n2-Theta Angle (Degrees)\nIntensity\n   8\n" + rows(COUNTS), {"title": "LLZ"}, {"wavelength": LINES}),
    "fullprof": ("! LLZ\n20.0 0.02 20.14 LLZ\n" + PLAIN, {"format": "fullprof-dat"}, {"wavelength": LINES}),
    "xydata": (
        "XYDATA\nINTER  1.0 1.0 0\nTEMP 300\n! a\n! b\n! c\n" + rows(COUNTS, SIGMA, form="{:.4f} {} {}"),
        {"format": "fullprof-xydata"},
        {"wavelength": LINES},
    ),
    "xye": (rows(COUNTS, SIGMA, form=" {:.4f}  {}  {}"), {"format": "text"}, {"technique": "xrd", "wavelength": LINES}),
    "prn": (rows(COUNTS, form=" {:.4f}   {:d} "), {"format": "text"}, {"technique": "xrd", "wavelength": LINES}),
}
COUNTED = {"raw1", "raw4", "uxd", "uxd counts", "csv esd", "gsas std", "gsas esd", "gsas fxye", "xydata", "xye"}


def saved(path, data: str | bytes):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@pytest.mark.parametrize("kind", FILES)
def test_points_lines_and_header(tmp_path, kind):
    data, attrs, stated = FILES[kind]
    scan = read(saved(tmp_path / "scan.dat", data), **stated)
    np.testing.assert_allclose(scan.two_theta, ANGLES, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(scan.intensity, COUNTS)
    assert (scan.intensity.attrs["counting"] == "known") == (kind in COUNTED), scan.intensity.attrs["counting"]
    assert {name: scan.attrs[name] for name in attrs} == pytest.approx(attrs)
    assert scan.wavelength_kalpha1 == pytest.approx(1.5406, abs=1e-5)
    assert scan.wavelength_kalpha2 == pytest.approx(1.54441, abs=3e-5)


@pytest.mark.parametrize("kind", [kind for kind, (_, _, stated) in FILES.items() if stated])
def test_what_the_file_lacks_is_asked_for(tmp_path, kind):
    data, _, stated = FILES[kind]
    with pytest.raises(ReadError) as caught:
        read(saved(tmp_path / "scan.dat", data))
    assert "wavelength" in caught.value.remedy and "manifest.csv" in caught.value.remedy
    assert ("technique" in caught.value.remedy) == ("technique" in stated)


@pytest.mark.parametrize(
    "kind", sorted(FILES.keys() - {"eva", "prn", "xye", "xydata", "uxd", "uxd counts", "gsas fxye"})
)
def test_cut_anywhere_is_refused_or_whole(tmp_path, kind):
    """These formats state how many points there are."""
    data, _, stated = FILES[kind]
    data = data.encode() if isinstance(data, str) else data
    whole, path = read(saved(tmp_path / "scan.dat", data), **stated), tmp_path / "cut.dat"
    for size in [*range(0, len(data) - 30, 5), *range(len(data) - 30, len(data))]:
        try:
            scan = read(saved(path, data[:size]), **stated)
        except ReadError:
            continue
        assert scan.two_theta.equals(whole.two_theta) and scan.intensity.equals(whole.intensity), size
        assert size >= len(data) - 20


@pytest.mark.parametrize("kind", ["eva", "prn", "xye", "xydata", "uxd", "uxd counts", "gsas fxye"])
def test_cut_within_a_number_is_refused(tmp_path, kind):
    data, _, stated = FILES[kind]
    for less in (2, 3):
        with pytest.raises(ReadError):
            read(saved(tmp_path / "cut.dat", data[:-less]), **stated)


def test_ranges_are_joined_and_said(tmp_path):
    for data in (
        raw1(20.0, 20.16),
        UXD + "_COUNTS\n" + PLAIN + "_DRIVE='COUPLED'\n_START=20.16\n_COUNTS\n" + PLAIN,
    ):
        scan = read(saved(tmp_path / "scan.raw", data))
        assert scan.sizes["two_theta"] == 16 and scan.joined_scans == "20 to 20.14, 20.16 to 20.3 degree"


def test_a_range_that_ended_early_is_said(tmp_path):
    assert read(saved(tmp_path / "scan.raw", raw4(planned=9))).unfinished == "8 points of 9"


def test_rates_are_counts_divided_by_the_time_of_a_step(tmp_path):
    rates = [count / 2 for count in COUNTS]
    scan = read(saved(tmp_path / "scan.uxd", UXD + "_2THETACPS\n" + rows(rates)))
    np.testing.assert_array_equal(scan.one_count, 0.5)
    assert scan.intensity.attrs["units"] == "count/s"
    untimed = UXD.replace("_STEPTIME=2.0\n", "")
    scan = read(saved(tmp_path / "scan.uxd", untimed + "_CPS\n" + PLAIN))
    assert scan.intensity.attrs["counting"] == "unknown: the file does not state the time of a step"


def test_counters_of_gsas_are_averaged(tmp_path):
    scan = read(saved(tmp_path / "scan.gsas", gsas("STD").replace("      13", " 2    13")), wavelength=LINES)
    assert float(scan.one_count[0]) == 0.5 and float(scan.intensity[0]) == 13


def test_uncertainties_that_are_not_those_of_counts_claim_nothing(tmp_path):
    sigma = [1 + 0.1 * number for number in range(8)]
    scan = read(
        saved(tmp_path / "a.xye", rows(COUNTS, sigma, form="{:.3f} {} {:.3f}")), technique="xrd", wavelength=LINES
    )
    assert "one_count" not in scan and "not those of counts" in scan.intensity.attrs["counting"]
    scaled = rows([count / 4 for count in COUNTS], [count**0.5 / 4 for count in COUNTS], form="{:.3f} {} {:.5f}")
    scan = read(saved(tmp_path / "a.xye", scaled), technique="xrd", wavelength=LINES)
    np.testing.assert_allclose(scan.one_count, 0.25, rtol=1e-3)


DAMAGE = {
    "raw1 rocking curve": (raw1(kind=3), "along 'Theta', not 2θ"),
    "raw1 two numbers a point": (raw1(size=8), "8 bytes for each point"),
    "raw1 more bytes": (raw1() + b"\0" * 4, "its header says 1 ranges that end at"),
    "raw1 no wavelengths": (raw1(lines=(0.0, 0.0)), "states no wavelength"),
    "raw4 phi scan": (raw4(b"Phi"), "along 'Phi', not 2θ"),
    "raw4 two numbers a point": (raw4(size=8), "8 bytes for each point"),
    "raw4 no tube": (raw4(tube=False), "states no wavelength"),
    "raw4 huge count": (raw4().replace(struct.pack("<2I", 8, 8), struct.pack("<2I", 8, 2**31)), "that end at byte"),
    "an older raw": (b"RAW2" + bytes(600), "of another version"),
    "stoe raw": (b"RAW_1.06Powdat" + bytes(600), "STOE"),
    "philips rd": (b"V3RD" + bytes(600), "Philips or PANalytical .rd"),
    "eva rocking curve": (EVA.replace("Coupled TwoTheta/Theta", "Rocking Curve") + rows(COUNTS), "not 2θ"),
    "eva overload": (EVA + "20.0 overload\n" + rows(COUNTS), "is not 2 numbers"),
    "uxd rocking curve": (UXD.replace("COUPLED", "THETA") + "_2THETACOUNTS\n" + rows(COUNTS), "along 'THETA', not 2θ"),
    "uxd with times": (UXD + "_2THETACOUNTSTIME\n" + rows(COUNTS), "time for each point"),
    "uxd angles lost": (UXD + "_2THETACOUNTS\n" + rows(COUNTS).replace("20.0600", "20.0900"), "off the grid"),
    "uxd no start": (UXD.replace("_START=20.0\n", "") + "_COUNTS\n" + PLAIN, "without _START"),
    "csv one lost": (CSV + "Angle,Intensity\n" + rows(COUNTS, form="{:.4f},{}")[11:], "the header says 8"),
    "csv omega": (CSV.replace("Gonio\n", "Omega\n") + "Angle,Intensity\n" + rows(COUNTS, form="{:.4f},{}"), "not 2θ"),
    "csv other columns": (CSV + "Intensity,Angle\n" + rows(COUNTS, form="{:.4f},{}"), "not Angle and Intensity"),
    "udf one lost": (UDF + PLAIN.replace(" 1250", "").replace("1250 ", "").replace(" ", ", ") + "/\n", "7 intensities"),
    "gsas tof": (gsas("STD").replace("CONST", "RALF "), "RALF STD"),
    "gsas two banks": (gsas("STD") * 2, "2 banks"),
    "gsas short": (gsas("STD").replace("BANK 1 8 1", "BANK 1 8 2"), "1 records where the BANK says 2"),
    "gsas long counts": (gsas("STD").replace("      13", "12345678"), "more than six digits"),
    "gsas degrees": (gsas("FXYE").replace("2000.00 ", "20.0000 "), "monotonic|in hundredths|where the BANK"),
    "chi over q": ("a\nQ (Inverse Nanometres)\nI\n  8\n" + rows(COUNTS), "over 'Q (Inverse Nanometres)'"),
    "chi lost row": ("a\n2-Theta Angle (Degrees)\nI\n  9\n" + rows(COUNTS), "8 points"),
    "fullprof lost": ("20.0 0.02 20.16 LLZ\n" + PLAIN, "8 intensities"),
    "xydata factors": ("XYDATA\nINTER  1.0 2.0 0\n" + rows(COUNTS, SIGMA, form="{:.4f} {} {}"), "that are not 1"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_refused(tmp_path, damage):
    data, reason = DAMAGE[damage]
    with pytest.raises(ReadError, match=reason.replace("(", r"\(").replace(")", r"\)")):
        read(saved(tmp_path / "scan.dat", data))
