"""Writer of scans as Rigaku's measurement program saves them (.ras, Shift-JIS)."""

from datetime import datetime, timedelta
from pathlib import Path

from twin.diffractometer import Diffractometer, Scan
from twin.recording import write_whole

OVERHEAD = 48  # s, for the arm to move to the start and back

AXES = (  # name, unit and position
    ("Theta", "deg", "5.0000"),
    ("TwoTheta", "deg", "10.0000"),
    ("TwoThetaTheta", "deg", "10.0000"),
    ("Zs", "mm", "0.0000000"),
    ("IncidentSollerSlit", "", "Soller_slit_5.0deg"),
    ("SlitDS", "", "1/2deg"),
    ("IncidentAxdSlit", "", "10mm"),
    ("KBetaFilter", "", "Ni"),
    ("ReceivingSollerSlit", "", "Soller_slit_5.0deg"),
    ("SlitSS", "", "Open"),
    ("SlitRS", "", "Open"),
    ("Attenuator", "", "Open"),
    ("PHA", "div", "50"),
)


def ras(scan: Scan, path: Path, *, sample: str, start: str, comment: str = "", operator: str = "") -> None:
    """Write a scan. `start` is an ISO time; the comments of the file say that it is synthetic."""
    begun = datetime.fromisoformat(start)
    lines = ["*RAS_DATA_START", "*RAS_HEADER_START"]
    lines += [f'*{key} "{value}"' for key, value in header(scan, begun, sample, comment, operator).items()]
    lines += ["*RAS_HEADER_END", "*RAS_INT_START"]
    points = zip(scan.two_theta.tolist(), scan.counts.tolist(), strict=True)
    lines += [f"{angle:.4f} {count:.4f} 1.0000" for angle, count in points]
    lines += ["*RAS_INT_END", "*RAS_DATA_END", "*DSC_DATA_END", ""]
    write_whole(path, "\r\n".join(lines).encode("shift_jis"))


def header(scan: Scan, begun: datetime, sample: str, comment: str, operator: str) -> dict[str, str]:
    """Return the keys and values of the header in the order of the program, with the axes that matter."""
    step = scan.two_theta[1] - scan.two_theta[0]
    first, last = scan.two_theta[0], scan.two_theta[-1]
    ended = begun + timedelta(seconds=round((last - first) / scan.speed * 60) + OVERHEAD)
    return {
        "DISP_LINE_COLOR": "4294901760",
        "FILE_COMMENT": f"合成データ (synthetic, not a measurement) {comment}".rstrip(),
        "FILE_MD5": "",
        "FILE_MEMO": "Cu Kα, 2θ/θ, 25 ℃; written by a forward model",
        "FILE_OPERATOR": operator,
        "FILE_PACKAGE_NAME": "",
        "FILE_PART_ID": "GeneralMeasurement(BB)",
        "FILE_SAMPLE": sample,
        "FILE_TYPE": "RAS_RAW",
        "FILE_USERGROUP": "",
        "FILE_VERSION": "1",
        **hardware(scan.instrument),
        **axes(),
        "MEAS_COND_OPT_ATTR": "BB",
        "MEAS_COND_OPT_NAME": "",
        "MEAS_COND_XG_CURRENT": "40",
        "MEAS_COND_XG_VOLTAGE": "40",
        "MEAS_COND_XG_WAVE_TYPE": "Ka",
        "MEAS_DATA_COUNT": f"{scan.two_theta.size}",
        "MEAS_SCAN_AXIS_X": "TwoThetaTheta",
        "MEAS_SCAN_AXIS_X_INTERNAL": "TwoThetaTheta",
        "MEAS_SCAN_END_TIME": f"{ended:%m/%d/%Y %H:%M:%S}",
        "MEAS_SCAN_MODE": "CONTINUOUS",
        "MEAS_SCAN_RESOLUTION_X": "0.0002",
        "MEAS_SCAN_SPEED": f"{scan.speed:.4f}",
        "MEAS_SCAN_SPEED_UNIT": "deg/min",
        "MEAS_SCAN_START": f"{first:.4f}",
        "MEAS_SCAN_START_TIME": f"{begun:%m/%d/%Y %H:%M:%S}",
        "MEAS_SCAN_STEP": f"{step:.4f}",
        "MEAS_SCAN_STOP": f"{last:.4f}",
        "MEAS_SCAN_UNEQUALY_SPACED": "False",
        "MEAS_SCAN_UNIT_X": "deg",
        "MEAS_SCAN_UNIT_Y": "counts",
    }


def hardware(instrument: Diffractometer) -> dict[str, str]:
    """Return the header's description of the instrument, with the wavelengths of the program."""
    radius = f"{instrument.radius:.1f}"
    return {
        "HW_ATTACHMENT_ID": "ATT0001",
        "HW_ATTACHMENT_NAME": "Standard",
        "HW_COUNTER_ID-0": "CUT0023",
        "HW_COUNTER_ID-2": "CMC0020",
        "HW_COUNTER_NAME-0": "D/teX Ultra",
        "HW_COUNTER_NAME-2": "None",
        "HW_COUNTER_PIXEL_SIZE": f"{instrument.pixel:.3f}",
        "HW_COUNTER_SELECT_NAME": "D/teX Ultra",
        "HW_GONIOMETER_ID": "GON0011",
        "HW_GONIOMETER_NAME": "Ultima IV-185",
        # To the slits before and behind the sample, the source (3) and the detector (5).
        "HW_GONIOMETER_RADIUS-0": "90.0",
        "HW_GONIOMETER_RADIUS-1": "114.0",
        "HW_GONIOMETER_RADIUS-2": "185.0",
        "HW_GONIOMETER_RADIUS-3": radius,
        "HW_GONIOMETER_RADIUS-4": "187.0",
        "HW_GONIOMETER_RADIUS-5": radius,
        "HW_R_ATTENUATER_AUTOMODE": "0",
        "HW_SAMPLE_HOLDER_ID": "SMP0001",
        "HW_SAMPLE_HOLDER_NAME": "Standard",
        "HW_XG_CURRENT_UNIT": "mA",
        "HW_XG_FOCUS": f"0.4mm x {instrument.source_length:.0f}mm",
        "HW_XG_FOCUS_TYPE": "Long Fine",
        "HW_XG_TARGET_ATOMIC_NUMBER": "29",
        "HW_XG_TARGET_NAME": "Cu",
        "HW_XG_TYPE": "Sealed",
        "HW_XG_VOLTAGE_UNIT": "kV",
        "HW_XG_WAVE_LENGTH_ALPHA1": "1.540593",
        "HW_XG_WAVE_LENGTH_ALPHA2": "1.544414",
        "HW_XG_WAVE_LENGTH_BETA": "1.392246",
        "HW_XG_WAVE_LENGTH_UNIT": "Angstrom",
    }


def axes() -> dict[str, str]:
    """Return the lists of axes: names (twice), offsets, positions and units."""
    columns = {
        "NAME_INTERNAL": [name for name, _, _ in AXES],
        "NAME": [name for name, _, _ in AXES],
        "OFFSET": ["0"] * len(AXES),
        "POSITION": [position for _, _, position in AXES],
        "UNIT": [unit for _, unit, _ in AXES],
    }
    return {
        f"MEAS_COND_AXIS_{column}-{number}": value
        for column, values in columns.items()
        for number, value in enumerate(values)
    }
