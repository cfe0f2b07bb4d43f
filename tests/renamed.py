"""The recordings of raw/ under other names: how laboratories name files and folders.

A scheme turns a row of raw/manifest.csv into another path. What the headers say of the sample is blanked where a scheme
asks for it, and the file name that CHI writes into its header always, so that the names alone are tested.
"""

import csv
import re
from collections.abc import Callable
from pathlib import Path

RAW = Path(__file__).parent.parent / "raw"
Row = dict[str, str]

#: What the schemes call a recording: short words, as people use them.
SHORT = {
    "ccd": "CCD",
    "long-cycling": "long cycling",
    "full-cell": "full cell",
    "rate": "rate",
    "interface": "EIS sym",
    "full-cell-interface": "EIS full cell",
    "conductivity": "EIS",
    "arrhenius": "EIS",
    "electronic": "DC",
    "phase": "XRD",
    "cycled-phase": "XRD cycled",
    "lithium": "XRD",
    "instrument": "XRD",
    "surface": "XPS",
    "cycled-surface": "XPS cycled",
    "raman": "Raman",
    "energies": "DFT",
}
CHINESE = {
    "ccd": "临界电流密度",
    "long-cycling": "长循环",
    "full-cell": "全电池循环",
    "rate": "全电池倍率",
    "interface": "对称电池阻抗",
    "full-cell-interface": "全电池阻抗",
    "conductivity": "阻抗",
    "arrhenius": "变温阻抗",
    "electronic": "直流极化",
    "phase": "XRD",
    "cycled-phase": "循环后XRD",
    "lithium": "XRD",
    "instrument": "XRD标样",
    "surface": "XPS",
    "cycled-surface": "循环后XPS",
    "raman": "拉曼",
    "energies": "计算",
}
#: Roles that are measured with the same cell or pellet.
CELL = {
    "interface": "long-cycling",
    "full-cell-interface": "full-cell",
    "arrhenius": "conductivity",
    "raman": "phase",
    "surface": "phase",
    "cycled-surface": "cycled-phase",
}
DATES = ("20220307", "20220310", "20220316", "20220321", "20220402", "20220505", "20220624", "20220712", "20220816")


def rows() -> list[Row]:
    """Return the rows of raw/manifest.csv."""
    with (RAW / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def extra(row: Row) -> str:
    """Return what distinguishes recordings of one sample and role: cycle, temperature, current, before or after."""
    if match := re.fullmatch(r"cycle (\d+)", row["state"]):
        return f"cycle {match[1]}"
    if row["role"] == "arrhenius":
        return row["temperature_C"] + "C"
    if row["role"] in ("long-cycling", "lithium"):
        return row["state"].replace("/", " ")
    return ""


def notebook(row: Row, at: int) -> str:
    """Number of a notebook's page, then words: "WL-017 RT-MCL-LLZ CCD cell 2.csv"."""
    words = [f"WL-{at + 11:03d}", row["sample"], SHORT[row["role"]], extra(row)]
    return " ".join(filter(None, words))


def dated(row: Row, at: int) -> str:
    """Date, operator, sample, measurement, channel: "20220316_zhangwei_RT-MCL-LLZ_CCD_CH3"."""
    operator = ("zhangwei", "liming")[at % 2]
    words = [DATES[at % len(DATES)], operator, row["sample"], SHORT[row["role"]], extra(row)]
    channel = [f"CH{at % 8 + 1}"] if row["technique"] == "cycling" else []
    return "_".join(word.replace(" ", "-") for word in [*filter(None, words), *channel])


def chinese(row: Row, at: int) -> str:
    """Folders by month, Chinese words without blanks: "2022年3月/RT-MCL-LLZ临界电流密度"."""
    state = re.sub(r"cycle (\d+)", r"第\1圈", extra(row)).replace("before reaction", "反应前")
    state = state.replace("after reaction", "反应后")
    return f"{row['technique']}数据/2022年{at % 6 + 3}月/{row['sample']}{CHINESE[row['role']]}{state}"


def flat(row: Row, at: int) -> str:
    """Everything in one folder, underscores only: "RT_MCL_LLZ_CCD_01"."""
    words = [row["sample"].replace("-", "_"), SHORT[row["role"]], extra(row)]
    return "_".join(filter(None, words)).replace(" ", "_").replace("cycle_", "cyc")


def deep(row: Row, at: int) -> str:
    """Techniques, roles and dates as folders: "Project LLZ/Electrochemistry/CCD/2022-03-16/RT-MCL-LLZ.csv"."""
    top = {"cycling": "Electrochemistry", "eis": "Electrochemistry", "dc": "Electrochemistry"}.get(
        row["technique"], "Characterisation"
    )
    date = DATES[at % len(DATES)]
    name = "-".join(filter(None, (row["sample"], extra(row).replace(" ", ""))))
    return f"Garnet project/{top}/{SHORT[row['role']]}/{date[:4]}-{date[4:6]}-{date[6:]}/{name}"


def per_sample(row: Row, at: int) -> str:
    """A folder a sample: "RT-MCL-LLZ/EIS sym/cycle 50_C07.txt"."""
    return f"{row['sample']}/{SHORT[row['role']]}/{' '.join(filter(None, ('data', extra(row))))}_C{at % 16 + 1:02d}"


def per_cell(row: Row, at: int) -> str:
    """A folder a cell or pellet, numbered: "B07 (RT-MCL-LLZ)/ccd export.csv"."""
    cells = list(dict.fromkeys((one["sample"], CELL.get(one["role"], one["role"])) for one in rows()))
    number = cells.index((row["sample"], CELL.get(row["role"], row["role"]))) + 1
    return f"B{number:02d} ({row['sample']})/{SHORT[row['role']].lower()} {extra(row)} export".replace("  ", " ")


def station(row: Row, at: int) -> str:
    """As the computers beside the instruments have them: "LAND/127_3-7_RT MCL LLZ_0.5mA_0316"."""
    sample, state = row["sample"].replace("-", " "), extra(row)
    place = {"cycling": f"LAND/127_{at % 4 + 1}-{at % 8 + 1}_", "eis": "CHI660D/", "dc": "CHI660D/", "xrd": "XRD 2022/"}
    cell = {"interface": "SC ", "full-cell-interface": "FC ", "full-cell": "FC ", "rate": "FC "}.get(row["role"], "")
    end = {"cycling": f"_{DATES[at % 9][4:]}", "xrd": " 10-80 5deg", "xps": "-XPS", "raman": "_532nm_3s_x20"}
    if row["role"].startswith("cycled"):
        sample += " after 200cyc"
    if state.startswith("cycle"):
        state = f"{state.removeprefix('cycle ')}th"
    folder = place.get(row["technique"], f"{row['technique']}/")
    return f"{folder}{cell}{sample}{' ' * bool(state)}{state}{end.get(row['technique'], '')}"


def thesis(row: Row, at: int) -> str:
    """By chapters and figures of a thesis, with what it is in words: "Chapter 4/Fig4.3b RT-MCL@LLZ Li plating"."""
    words = {
        "ccd": "step current",
        "long-cycling": "Li plating and stripping",
        "full-cell": "LFP cell cycling",
        "rate": "LFP cell C-rates",
        "interface": "Li symmetric cell impedance",
        "full-cell-interface": "LFP cell impedance",
        "conductivity": "Au blocking impedance",
        "arrhenius": "Au blocking impedance",
        "electronic": "chronoamperometry",
        "cycled-phase": "diffractogram post mortem",
        "phase": "diffractogram",
        "lithium": "diffractogram",
        "instrument": "diffractogram",
        "surface": "photoelectron spectra",
        "cycled-surface": "photoelectron spectra post mortem",
        "raman": "Raman spectrum",
        "energies": "reaction energies",
    }[row["role"]]
    sample = row["sample"].replace("MCL-", "MCL@").replace("In-", "In@").replace("InN-", "InN@")
    state = f"{273 + int(row['temperature_C'])}K" if row["role"] == "arrhenius" else extra(row).replace("cycle ", "cyc")
    figure = f"Fig{at % 5 + 2}.{at % 7 + 1}{'abcd'[at % 4]}"
    return f"Thesis/Chapter {at % 5 + 2}/{figure} {sample} {words} {state}".strip()


def squeezed(row: Row, at: int) -> str:
    """Lower case, no signs, folders by week: "2022w12/rtmclllz_longcycle_0.5ma_kw"."""
    words = {
        "ccd": "ccd",
        "long-cycling": "longcycle",
        "full-cell": "fullcell",
        "rate": "fullcell_rate",
        "interface": "symcell_eis",
        "full-cell-interface": "fullcell_eis",
        "conductivity": "eis_au",
        "arrhenius": "eis_au",
        "electronic": "dc_au",
        "cycled-phase": "xrd_aftercycling",
        "cycled-surface": "xps_aftercycling",
    }.get(row["role"], row["technique"])
    state = extra(row).replace(" mA cm2", "ma").replace("cycle ", "c").replace(" reaction", "").lower()
    sample = row["sample"].replace("-", "").lower()
    return f"2022w{10 + at // 6}/{'_'.join(filter(None, (sample, words, state, 'kw')))}"


def coded(row: Row, at: int) -> str:
    """A sample has a number and a name: "S03 RT-MCL-LLZ/Electrochem/20220316 S03 CCD run2"."""
    samples = list(dict.fromkeys(one["sample"] for one in rows()))
    code = f"S{samples.index(row['sample']) + 1:02d}"
    kind = "Electrochem" if row["technique"] in ("cycling", "eis", "dc") else "Analysis"
    name = " ".join(filter(None, (DATES[at % 9], code, SHORT[row["role"]], extra(row), f"run{at % 3 + 1}")))
    return f"{code} {row['sample']}/{kind}/{name}"


def drive(row: Row, at: int) -> str:
    """A shared drive: the instrument's own names under a folder a sample and a day: "RT-MCL-LLZ/CCD test 3.21/Ch-5"."""
    date = DATES[at % 9]
    day = f"{int(date[4:6])}.{int(date[6:])}"
    state = extra(row)
    if row["role"] in ("interface", "full-cell-interface"):
        cell = "symmetric" if row["role"] == "interface" else "full"
        return f"{row['sample']}/{cell} cell EIS/after_{state.removeprefix('cycle ')}_cycles"
    if row["technique"] == "cycling":
        kind = {"ccd": "CCD test", "long-cycling": f"Long-term {state}", "full-cell": "full cell", "rate": "Rate"}
        return f"{row['sample']}/{kind[row['role']]} {day}/{date[:4]}-{date[4:6]}-{date[6:]}_18-30-55_Ch-{at % 8 + 1}"
    if row["technique"] in ("xrd", "xps"):
        cycled = "cycled " * row["role"].startswith("cycled")
        return f"{row['technique'].upper()}/{date[4:]}_{cycled}{row['sample']} {state.replace(' ', '_')}_exported"
    return f"{row['sample']}/{SHORT[row['role']]} {day}/{'_'.join(filter(None, (state, 'measurement')))}"


def mailed(row: Row, at: int) -> str:
    """Attachments of a mail, with conditions in brackets: "new data final v2/RT-MCL-LLZ(EIS,sym.,50 cycles)"."""
    role, state = row["role"], extra(row)
    words = {"interface": "EIS,sym.", "full-cell-interface": "EIS,full cell", "ccd": "ccd,25°C,0.1 step"}
    words |= {"arrhenius": "EIS,Au", "conductivity": "EIS,Au", "full-cell": "LFP,0.2C", "rate": "LFP,rate"}
    if state.startswith("cycle"):
        state = f"{state.removeprefix('cycle ')} cycles"
    if role == "arrhenius":
        state = f"{row['temperature_C']} °C"
    inside = ",".join(filter(None, (words.get(role, SHORT[role]), state)))
    who = ("Xiaoming", "Dr. Wang", "Anna")[at % 3]
    return f"data from {who}/new data final v{at % 2 + 1}/{row['sample']}({inside})"


SCHEMES: dict[str, Callable[[Row, int], str]] = {
    one.__name__: one
    for one in (
        notebook,
        dated,
        chinese,
        flat,
        deep,
        per_sample,
        per_cell,
        station,
        thesis,
        squeezed,
        coded,
        drive,
        mailed,
    )
}
#: Schemes whose recordings do not say in their headers what the sample is.
WITHOUT_HEADERS = ("flat", "chinese", "per_sample")


def blanked(data: bytes, sample: str, headers: bool) -> bytes:
    """Return a recording without the file name that CHI writes, and without the sample in its header where asked."""
    data = re.sub(rb"(?m)^File: .*?(\r?)$", rb"File: c:\\chi\\export.bin\1", data)
    if headers:
        data = re.sub(rb'(?m)^\*FILE_SAMPLE ".*?"', b'*FILE_SAMPLE "Sample"', data)
        data = re.sub(rb"(?m)^##TITLE=.*?(\r?)$", rb"##TITLE=spectrum\1", data)
        if data.startswith(b"VAMAS"):
            data = re.sub(rb"(?m)^" + re.escape(sample.encode()) + rb"(\r?)$", rb"Sample\1", data)
    return data


def copy(folder: Path, scheme: str) -> dict[str, Row]:
    """Write the recordings of raw/ into a folder under the names of a scheme; return the rows by new path."""
    written: dict[str, Row] = {}
    for at, row in enumerate(rows()):
        old = RAW / row["file"]
        file = f"{SCHEMES[scheme](row, at)}{old.suffix}"
        while file in written:
            file = file.removesuffix(old.suffix) + f" ({at}){old.suffix}"
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(blanked(old.read_bytes(), row["sample"], scheme in WITHOUT_HEADERS))
        written[file] = row
    return written
