"""Which tester or program wrote a table of records: told by its column names, which differ between vendors."""

import re
from collections.abc import Callable, Sequence

from coldbond.files.electrochemistry.vocabulary import columns, normalised

#: Names of the formats of tables, as errors call them.
NAMES = {
    "landt-csv": "Landt CSV",
    "bdf-csv": "Battery Data Format",
    "bdf-parquet": "Battery Data Format",
    "land-csv": "LAND export",
    "landdt-xlsx": "LANDdt workbook",
    "lanhe-xlsx": "LANHE workbook",
    "maccor-text": "Maccor export",
    "neware-text": "Neware export",
    "neware-report": "Neware report",
    "neware-binary": "Neware binary file",
    "neware-xlsx": "Neware workbook",
    "neware-parquet": "Neware export",
    "arbin-csv": "Arbin export",
    "arbin-xlsx": "Arbin workbook",
    "novonix-csv": "Novonix export",
    "basytec-text": "Basytec export",
    "ec-lab-mpt": "EC-Lab export",
    "ec-lab-mpr": "EC-Lab binary file",
    "chi-cp": "CH Instruments chronopotentiogram",
    "chi-ocp": "CH Instruments open circuit potential",
    "cycling-text": "table of cycling records",
}
#: Formats that define the sign of the current: positive during charge. A recording that only charges needs no other
#: evidence in them. In all others signs, step states or counters of both directions must show it.
SIGNED = ("landt-csv", "bdf-csv", "bdf-parquet", "novonix-csv", "basytec-text", "ec-lab-mpt", "ec-lab-mpr")
#: Formats whose step states are numbers that only the tester's program explains.
CODED_STATES = ("novonix-csv",)
#: A machine-readable name and a label of the Battery Data Format, whose unit is written out or stands behind " / ".
BDF = re.compile(
    r"(test_time_(milli)?second|voltage_(milli|micro)?volt|current_(milli|micro|nano)?ampere)"
    r"|(Test Time|Voltage|Current) / [a-zA-Zµμ]+"
)


def _has(names: Sequence[str], *words: str) -> bool:
    return all(word in names for word in words)


def _is_maccor(names: Sequence[str], header: Sequence[str]) -> bool:
    return names[0] in ("rec", "rec#", "cyc#") and any(name.startswith(("cyc", "step")) for name in names)


def _is_arbin(names: Sequence[str], header: Sequence[str]) -> bool:
    bare = [name.partition("(")[0] for name in names]
    return _has(bare, "datapoint", "testtime", "stepindex", "cycleindex")


def _is_neware(names: Sequence[str], header: Sequence[str]) -> bool:
    bare = [name.partition("(")[0] for name in names]
    first = bare[0] in ("datapoint", "数据序号", "recordid", "recordindex", "记录序号")
    return (first and any(name in bare for name in ("totaltime", "cumulativetime", "总时间", "累计时间"))) or _has(
        bare, "steptype", "totaltime"
    )


def _is_novonix(names: Sequence[str], header: Sequence[str]) -> bool:
    bare = [name.partition("(")[0] for name in names]
    return _has(bare, "runtime", "potential", "cyclenumber")


def _is_report(names: Sequence[str], header: Sequence[str]) -> bool:
    return not any(names[:2])  # the layers of cycles and steps have the first fields


def _is_basytec(names: Sequence[str], header: Sequence[str]) -> bool:
    return header[0].startswith("~Time") or (names[0].startswith("time[") and "command" in names)


def _is_landt(names: Sequence[str], header: Sequence[str]) -> bool:
    return "test_time_s" in header


def _is_bdf(names: Sequence[str], header: Sequence[str]) -> bool:
    return sum(bool(BDF.fullmatch(cell)) for cell in header) >= 3


def _is_land(names: Sequence[str], header: Sequence[str]) -> bool:
    return re.match(r"TestTime|测试时间", columns(header)["time"][0].header) is not None


#: The formats of tables of text; the first whose names are found is the format.
_TABLES: dict[str, Callable[[Sequence[str], Sequence[str]], bool]] = {
    "neware-report": _is_report,
    "basytec-text": _is_basytec,
    "novonix-csv": _is_novonix,
    "maccor-text": _is_maccor,
    "arbin-csv": _is_arbin,
    "neware-text": _is_neware,
    "landt-csv": _is_landt,
    "bdf-csv": _is_bdf,
    "land-csv": _is_land,
}


def tester(header: Sequence[str]) -> str:
    """Return the format, a key of `NAMES`, of a table of text with these column names."""
    names = [normalised(cell) for cell in header]
    return next((name for name, is_it in _TABLES.items() if is_it(names, header)), "cycling-text")
