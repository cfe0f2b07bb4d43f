"""Column names of cyclers: the quantity and the unit that each stands for.

The names are those of Landt CSV, LAND CSV, LANDdt and LANHE exports in English and Chinese, and of the Battery Data
Format 1.2 (Battery Data Alliance, https://w3id.org/battery-data-alliance/ontology/battery-data-format), both its
machine-readable names and its labels.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

#: Names of each quantity, normalised as by `_normalised`. Where a header has several, the first in this list is read:
#: the running number of a step is preferred to its number in the program, which repeats.
NAMES = {
    "time": "testtime 测试时间 总时间",
    "voltage": "voltage 电压",
    "current": "current 电流",
    "capacity": "capacity 容量 stepcumulativecapacity stepcapacity",
    "charge_capacity": "chargecapacity chargingcapacity 充电容量",
    "discharge_capacity": "dischargecapacity dischargingcapacity 放电容量",
    "cycle": "cycleindex cycleno cyclecount cycle 循环序号 循环号 循环",
    "step": "stepcount stepindex stepno stepid step 步骤序号 工步序号 工步号 步次 工步",
    "state": "stepstate stepstatus steptype stepname state mode 工作模式 步骤状态 工步状态 工步类型 状态",
    "record": "record recordindex index 记录序号 数据序号 记录 序号 channelindex",
    "systime": "systime 系统时间 datetimeisostring unixtime",
}
NEEDED = ("time", "voltage", "current")
COUNTERS = ("capacity", "charge_capacity", "discharge_capacity")

#: Units, normalised as by `scale`, in those of the data model: s, V, A, Ah.
_SECONDS = {("s", "sec", "second", "seconds", "秒"): 1, ("ms", "millisecond"): 1e-3, ("min", "minute"): 60}
_SECONDS |= {("h", "hr", "hour", "hours", "小时"): 3600, ("d", "day"): 86400}
UNITS: dict[str, dict[str, float]] = {
    "time": {name: size for names, size in _SECONDS.items() for name in names},
    "voltage": {"v": 1, "volt": 1, "mv": 1e-3, "uv": 1e-6},
    "current": {"a": 1, "amp": 1, "ampere": 1, "ma": 1e-3, "ua": 1e-6, "na": 1e-9},
    **{counter: {"ah": 1, "mah": 1e-3, "uah": 1e-6, "nah": 1e-9} for counter in COUNTERS},
}

_KNOWN = {name: (quantity, rank) for quantity, names in NAMES.items() for rank, name in enumerate(names.split())}


@dataclass(frozen=True, order=True)
class Column:
    """A column of one quantity.

    Attributes
    ----------
    rank : int
        Position of its name in `NAMES`; the lowest is read.
    index : int
        Position in the table.
    header : str
    unit : str or None
    """

    rank: int
    index: int
    header: str
    unit: str | None


def columns(header: Sequence[str]) -> dict[str, list[Column]]:
    """Return the columns of a header by quantity (the keys of `NAMES`), the preferred name first."""
    found: dict[str, list[Column]] = {}
    for index, cell in enumerate(header):
        name, unit = _name_and_unit(cell.strip())
        if name in _KNOWN:
            quantity, rank = _KNOWN[name]
            found.setdefault(quantity, []).append(Column(rank, index, cell.strip(), unit))
    return {quantity: sorted(same, key=lambda column: column.rank) for quantity, same in found.items()}


def missing(header: Sequence[str]) -> list[str]:
    """Return the quantities that a cycling recording needs and that this row does not name."""
    found = columns(header)
    return [quantity for quantity in NEEDED if quantity not in found]


def is_header(header: Sequence[str]) -> bool:
    """Return whether a row names test time, voltage and current."""
    return len(header) >= len(NEEDED) and not missing(header)


def scale(quantity: str, unit: str) -> float | None:
    """Return the size of a unit in the data model's unit of this quantity; None for an unknown unit."""
    # NFKC turns the micro sign into a Greek mu.
    plain = unicodedata.normalize("NFKC", unit).casefold().replace("μ", "u")
    return UNITS[quantity].get(re.sub(r"[\s.·*]", "", plain))


def _name_and_unit(cell: str) -> tuple[str, str | None]:
    """Split `Current/mA`, `Current / mA`, `Current(mA)` or `current_mA` into ("current", "mA")."""
    if _normalised(cell) in _KNOWN:
        return _normalised(cell), None
    bracketed = re.fullmatch(r"(.+?)\s*[(\[](.*)[)\]]", unicodedata.normalize("NFKC", cell))
    if bracketed:
        name, unit = bracketed.groups()
    elif "/" in cell:
        name, unit = cell.split("/", 1)
    else:
        name, _, unit = cell.rpartition("_")
    return _normalised(name), unit.strip() or None


def _normalised(name: str) -> str:
    """Return a name in lower case without blanks, underscores, points and hyphens."""
    return re.sub(r"[\s_.-]", "", unicodedata.normalize("NFKC", name).casefold())
