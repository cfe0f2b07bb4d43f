"""Column names of cyclers: the quantity and the unit that each stands for.

The names are those of the exports of Landt, LAND (LANDdt, LANHE), Neware, Maccor, Arbin, Novonix, Basytec and EC-Lab,
in English and Chinese, and of the Battery Data Format 1.3 (Battery Data Alliance,
https://w3id.org/battery-data-alliance/ontology/battery-data-format), both its machine-readable names and its labels.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

#: Names of each quantity, normalised as by `normalised`. Where a header has several, the first in this list is read:
#: the running number of a step is preferred to its number in the program, which repeats, and the time of the whole test
#: to `time`, which is that of a step in some exports.
NAMES = {
    "time": "testtime totaltime cumulativetime runtime test 测试时间 总时间 累计时间 elapsedtime time 时间 t",
    "voltage": "voltage volts 电压 ecell eweece potential ewe voltagepotential u e",
    "current": "current amps 电流 <i> i",
    "capacity": "capacity 容量 stepcumulativecapacity stepcapacity cap amphr ahstep ah",
    "charge_capacity": "chargecapacity chargingcapacity 充电容量 chgcap ahcyccharge",
    "discharge_capacity": "dischargecapacity dischargingcapacity 放电容量 dchgcap ahcycdischarge",
    "cycle": "cycleindex cycleno cyclecount cyclenumber cycle cyclec cyclep cyc# cyccount cycleid cycledimensionless "
    "循环序号 循环号 循环",
    "step": "stepcount stepnumber stepid stepindex stepno step line 步骤序号 工步序号 工步号 步次 工步",
    "state": "stepstate stepstatus steptype stepname command state status md mode 工作模式 步骤状态 工步状态 工步类型 "
    "状态",
    "record": "record recordindex datapoint index rec rec# dataset 记录序号 数据序号 记录 序号 channelindex",
    "systime": "systime unixtime datetime datetimeisostring dpttime dateandtime absolutetime realtime date 系统时间 "
    "绝对时间 日期",
    "steptime": "steptime tstep 步骤时间 工步时间 单步时间 relativetime 相对时间",
}
NEEDED = ("time", "voltage", "current")
COUNTERS = ("capacity", "charge_capacity", "discharge_capacity")
#: Quantities that tell the time beside the test time. They are only compared with it.
CLOCKS = ("systime", "steptime")

#: Units, normalised as by `scale`, in those of the data model: s, V, A, Ah.
_SECONDS = {("s", "sec", "secs", "second", "seconds", "秒"): 1, ("ms", "millisecond", "milliseconds"): 1e-3}
_SECONDS |= {("min", "minute", "minutes", "分"): 60, ("h", "hr", "hrs", "hour", "hours", "小时"): 3600}
_SECONDS |= {("d", "day", "days", "天"): 86400}
TIMES = {name: size for names, size in _SECONDS.items() for name in names}
UNITS: dict[str, dict[str, float]] = {
    "time": TIMES,
    "voltage": {"v": 1, "volt": 1, "volts": 1, "mv": 1e-3, "millivolt": 1e-3, "uv": 1e-6, "microvolt": 1e-6},
    "current": {"a": 1, "amp": 1, "amps": 1, "ampere": 1, "ma": 1e-3, "milliampere": 1e-3}
    | {"ua": 1e-6, "microampere": 1e-6, "na": 1e-9, "nanoampere": 1e-9},
    **{
        counter: {"ah": 1, "mah": 1e-3, "uah": 1e-6, "nah": 1e-9}
        | {"amperehour": 1, "milliamperehour": 1e-3, "as": 1 / 3600, "mas": 1 / 3.6e6}
        for counter in COUNTERS
    },
}
#: Names that hold their unit.
IMPLIED = {"volts": "V", "amps": "A", "amphr": "Ah", "ah": "Ah", "ahstep": "Ah", "ahcyccharge": "Ah"}
IMPLIED |= {"ahcycdischarge": "Ah"}
#: Units that say that cells are durations such as h:mm:ss.
CLOCK_FACE = re.compile(r"h+:m.*s.*", re.IGNORECASE)
#: Names of an impedance spectrum, which may have columns of time, voltage and current as well.
SPECTRUM = re.compile(r"\W*(freq|re\(z|im\(z|\|z\||z['′]|zreal|zimag|zmod)", re.IGNORECASE)

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
            if quantity == "step" and unit is not None and _plain(unit) in TIMES:  # Maccor's `Step (Sec)`
                quantity = "steptime"
            found.setdefault(quantity, []).append(Column(rank, index, cell.strip(), unit))
    found = {quantity: sorted(same, key=lambda column: column.rank) for quantity, same in found.items()}
    times = found.get("time", [])
    if len(times) > 1 and "steptime" not in found and _name_and_unit(times[1].header)[0] in ("time", "时间"):
        found["steptime"] = [times.pop(1)]  # Neware's `Time` beside `Total Time`
    return found


def missing(header: Sequence[str]) -> list[str]:
    """Return the quantities that a cycling recording needs and that this row does not name."""
    found = columns(header)
    return [quantity for quantity in NEEDED if quantity not in found]


def is_header(header: Sequence[str]) -> bool:
    """Return whether a row names test time, voltage and current, and no impedance."""
    return len(header) >= len(NEEDED) and not missing(header) and not any(map(SPECTRUM.match, header))


def scale(quantity: str, unit: str) -> float | None:
    """Return the size of a unit in the data model's unit of this quantity; None for an unknown unit."""
    return UNITS[quantity].get(_plain(unit))


def normalised(name: str) -> str:
    """Return a name in lower case without blanks, underscores, points and hyphens."""
    return re.sub(r"[\s_.-]", "", unicodedata.normalize("NFKC", name).casefold())


def _plain(unit: str) -> str:
    """Return a unit in lower case without blanks and points; NFKC turns the micro sign into a Greek mu."""
    plain = unicodedata.normalize("NFKC", unit).casefold().replace("μ", "u")
    return re.sub(r"[\s.·*-]", "", plain)


def _name_and_unit(cell: str) -> tuple[str, str | None]:
    """Split `Current/mA`, `Current / mA`, `Current(mA)` or `current_mA` into ("current", "mA")."""
    cell = cell.lstrip("~#% ")  # marks of a comment
    if (name := normalised(cell)) in _KNOWN:
        return name, IMPLIED.get(name)
    bracketed = re.fullmatch(r"(.+?)\s*[(\[](.*)[)\]]", unicodedata.normalize("NFKC", cell))
    if bracketed:
        name, unit = bracketed.groups()
    elif "/" in cell:
        name, unit = cell.split("/", 1)
    else:
        name, _, unit = cell.rpartition("_")
    if CLOCK_FACE.fullmatch(unit.strip()):
        unit = ""
    return normalised(name), unit.strip() or IMPLIED.get(normalised(name))
