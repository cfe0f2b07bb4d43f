"""Writers of the export formats of LAND cyclers.

Column names, step states, dates and durations are written as in real exports: a Landt CSV among the examples of the
Battery Data Alliance, and files for which public parsers were made (navani, LANDT-py, echemistpy). The first three
arguments of every writer are the records, as `twin.tester.record` returns them, the path, and `start`, the system time
at which the test starts.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import polars as pl

from twin.recording import write_whole

#: A column of a workbook; None for an empty channel.
Column: TypeAlias = Sequence[Any] | np.ndarray | pd.Series | None

START = "2022-03-07 09:30:00"
#: In the properties of every workbook, so that its bytes do not depend on when it is written.
MADE = datetime(2022, 3, 7)

LANDT_PREAMBLE = """cell model:,,,,,,,,,,,,,,,,
cell id: ,,,,,,,,,,,,,,,,
test: ,,,,,,,,,,,,,,,,
checkpoint: ,,,,,,,,,,,,,,,,
Nominal capacity used to define the C rate:Ah,,,,,,,,,,,,,,,,
Nominal energy used to define the E rate: Wh,,,,,,,,,,,,,,,,
channel_index,cycle_index,step_index,date_time_iso_string,test_time_s,step_time_s,current_A,voltage_V,\
discharge_capacity_Ah,charge_capacity_Ah,discharge_energy_Wh,charge_energy_Wh,Pressure_Psi,temperature_1_C,\
temperature_2_C,temperature_3_C,step_name
"""
LANDT_STATES = {"rest": "rest", "charge": "charge CC", "discharge": "discharge CC"}
LANDT_DIGITS = {"time": 3, "step_time": 3, "current": 6, "voltage": 4}
LAND_STATES = {"rest": "R", "charge": "CCC", "discharge": "CCD"}
LANDDT_STATES = {"rest": "R", "charge": "RateC", "discharge": "RateD"}
CHINESE_STATES = {"rest": "静置", "charge": "恒流充电", "discharge": "恒流放电"}


def landt_csv(records: pd.DataFrame, path: Path, start: str = START) -> None:
    """Write a Landt CSV: six lines of preamble, SI units, and a trailing comma in each row but not in the header."""
    long_landt_csv([records], path, start)


def long_landt_csv(parts: Iterable[pd.DataFrame], path: Path, start: str = START) -> None:
    """Write a Landt CSV of records that come in parts, each of whole steps, so that they need not fit into memory."""
    partial = path.with_name(path.name + ".part")
    with partial.open("wb") as file:
        file.write(LANDT_PREAMBLE.encode("ascii"))
        for records in parts:
            _landt_rows(records, start).write_csv(file, include_header=False, quote_style="never")
    partial.replace(path)


def _landt_rows(records: pd.DataFrame, start: str) -> pl.DataFrame:
    """Return the rows of a Landt CSV, with the tester's digits; each step has counters of its direction."""
    table = _counted(records)
    states = pl.Series(table["state"].to_list())
    # Formatted by Python as in the other formats: polars would round the product of the number and 1e8.
    counters = {name: pl.Series([f"{x:.8f}" for x in table[name].tolist()]) for name in ("capacity", "energy")}
    numbers = pl.DataFrame({name: table[name].to_numpy() for name in ("record", "cycle", "step", *LANDT_DIGITS)})
    systime = pl.lit(datetime.fromisoformat(start)) + pl.duration(milliseconds=(pl.col("time") * 1000).round())
    return numbers.select(
        "record",
        "cycle",
        "step",
        systime.dt.strftime("%m/%d/%Y %H:%M:%S").alias("systime"),
        *(pl.col(name).cast(pl.Decimal(38, digits)) for name, digits in LANDT_DIGITS.items()),
        *(
            pl.when(states == direction).then(shown).otherwise(pl.lit("0")).alias(f"{direction} {name}")
            for name, shown in counters.items()
            for direction in ("discharge", "charge")
        ),
        *(pl.lit(0).alias(name) for name in ("pressure", "temperature_1", "temperature_2", "temperature_3")),
        states.replace_strict(LANDT_STATES).alias("state"),
        pl.lit("").alias("end"),
    )


def land_csv(
    records: pd.DataFrame,
    path: Path,
    start: str = START,
    *,
    encoding: str = "utf-8-sig",
    chinese: bool = False,
    milliseconds: bool = True,
    current_decimals: int = 3,
) -> None:
    """Write a LAND CSV: a table of cycles, one of steps and one of records, one below the other.

    Parameters
    ----------
    encoding : str
        "utf-8-sig" and "utf-16" write a byte-order mark; "gb18030" is what a Chinese Windows writes.
    chinese : bool
        Whether the states of the steps are in Chinese.
    milliseconds : bool
        Whether times have milliseconds or whole seconds.
    current_decimals : int
        Decimals of the current in mA.
    """
    table = _derived(records, start)
    states = CHINESE_STATES if chinese else LAND_STATES
    text = io.StringIO()
    text.write("Cycle,ChgCap/mAh,DchCap/mAh,Efficiency/%\n")
    for cycle, charge, discharge in zip(*_cycles(table), strict=True):
        efficiency = 100 * discharge / charge if charge else 0.0
        text.write(f"{cycle},{charge:.5f},{discharge:.5f},{efficiency:.2f}\n")
    text.write("Step,CycleNo,StepStatus,StepTime,Capacity/mAh,StartVolt/V,EndVolt/V\n")
    for step, rows in table.groupby("step"):
        last = rows.iloc[-1]
        text.write(
            f"{step},{last.cycle},{states[last.state]},{_duration(last.step_time, milliseconds)},"
            f"{last.step_capacity * 1e3:.5f},{rows.voltage.iloc[0]:.4f},{last.voltage:.4f}\n"
        )
    text.write("Record,TestTime,Current/mA,Capacity/mAh,Voltage/V,SysTime,CycleNo,StepNo,StepStatus\n")
    for r in table.itertuples():
        day = f"{r.systime.year}/{r.systime.month}/{r.systime.day}" if chinese else f"{r.systime:%Y-%m-%d}"
        text.write(
            f"{r.record},{_duration(r.time, milliseconds)},{r.current * 1e3:.{current_decimals}f},"
            f"{r.capacity * 1e3:.5f},{r.voltage:.4f},{day} {r.systime:%H:%M:%S},{r.cycle},{r.step},{states[r.state]}\n"
        )
    # The byte order is stated: that of the encoding "utf-16" depends on the machine.
    encoded = text.getvalue().replace("\n", "\r\n")
    data = b"\xff\xfe" + encoded.encode("utf-16-le") if encoding == "utf-16" else encoded.encode(encoding)
    write_whole(path, data)


def landdt_xlsx(records: pd.DataFrame, path: Path, start: str = START, *, mass: float | None = None) -> None:
    """Write a LANDdt workbook in English; specific capacities are per gram of the active mass [mg]."""
    table = _derived(records, start)
    milligram = mass or np.nan
    columns = {
        "Record": table["record"],
        "TestTime/h": np.round(table["time"] / 3600, 6),
        "StepTime/h": np.round(table["step_time"] / 3600, 6),
        "Current/mA": np.round(table["current"] * 1e3, 4),
        "Capacity/mAh": np.round(table["capacity"] * 1e3, 5),
        "SpeCap/mAh/g": np.round(table["capacity"] * 1e6 / milligram, 2),
        "SOC|DOD/%": None,
        "Voltage/V": table["voltage"],
        "Energy/mWh": np.round(table["energy"] * 1e3, 5),
        "SpeEnergy/Wh/kg": np.round(table["energy"] * 1e6 / milligram, 2),
        "AuxTemp/dC.": None,
        "AuxVolt/V": None,
        "SysTime": table["systime"].dt.to_pydatetime(),
        "Cycle-Index": table["cycle"],
        "Step-Index": table["step"],
        "Step-State": table["state"].map(LANDDT_STATES),
    }
    _workbook(path, {"Record": columns})


def lanhe_xlsx(records: pd.DataFrame, path: Path, start: str = START, *, name: str = "test") -> None:
    """Write a LANHE workbook: a sheet about the test, then the records, with currents in uA and durations as text."""
    table = _derived(records, start)
    end = table["systime"].iloc[-1]
    information = {
        "Test name": [name],
        "Start time": [start],
        "Finish time": [f"{end:%Y-%m-%d %H:%M:%S}"],
        "Active material": ["Nominal specific capacity:0 mAh/g,Active material:0 mg"],
        "Operator": [""],
    }
    columns = {
        "Record": table["record"],
        "Cycle": table["cycle"],
        "Step": table["step"],
        "SysTime": [f"{t:%Y-%m-%d %H:%M:%S}.{t.microsecond // 1000:03d}" for t in table["systime"]],
        "TestTime": [_duration(t, days=" ", always=True) for t in table["time"]],
        "StepTime": [_duration(t, days=" ", always=True) for t in table["step_time"]],
        "Voltage/V": table["voltage"],
        "Current/uA": np.round(table["current"] * 1e6, 1),
        "Capacity/uAh": np.round(table["capacity"] * 1e6, 3),
        "SpeCap/mAh/g": None,
    }
    _workbook(path, {"Test information": information, "Ch1_DefaultGroup": columns})


def chinese_xlsx(records: pd.DataFrame, path: Path, start: str = START) -> None:
    """Write a LAND workbook in Chinese: a sheet of cycles and one of records."""
    table = _derived(records, start)
    cycles = dict(zip(("循环序号", "充电容量/mAh", "放电容量/mAh"), _cycles(table), strict=True))
    columns = {
        "记录序号": table["record"],
        "测试时间/Sec": table["time"],
        "步骤时间/Sec": table["step_time"],
        "电流/mA": np.round(table["current"] * 1e3, 4),
        "容量/mAh": np.round(table["capacity"] * 1e3, 5),
        "比容量/mAh/g": None,
        "电压/V": table["voltage"],
        "系统时间": [f"{t:%Y-%m-%d %H:%M:%S}" for t in table["systime"]],
        "循环序号": table["cycle"],
        "步骤序号": table["step"],
        "工作模式": table["state"].map(CHINESE_STATES),
    }
    _workbook(path, {"循环": cycles, "记录表": columns})


def _derived(records: pd.DataFrame, start: str) -> pd.DataFrame:
    """Return the records with system time, charge and energy of the step, and charge of the cycle."""
    table = _counted(records)
    increments = table["step_capacity"].groupby(table["step"]).diff().fillna(0.0)
    table["charge"] = increments.groupby([table["cycle"], table["state"]]).cumsum()
    begun = datetime.fromisoformat(start)
    table["systime"] = [begun + timedelta(milliseconds=round(t * 1000)) for t in table["time"].tolist()]
    return table


def _counted(records: pd.DataFrame) -> pd.DataFrame:
    """Return the records with the charge and the energy of the step."""
    table = records.copy()
    table["step_capacity"] = table["capacity"] - table.groupby("step")["capacity"].transform("first")
    increments = table["step_capacity"].groupby(table["step"]).diff().fillna(0.0)
    table["energy"] = (increments * table["voltage"].abs()).groupby(table["step"]).cumsum()
    return table


def _cycles(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return number, charge and discharge capacity [mAh] of each cycle."""
    passed = table.pivot_table(index="cycle", columns="state", values="charge", aggfunc="max", fill_value=0.0) * 1e3
    return passed.index.to_numpy(), *(np.round(passed[state].to_numpy(), 5) for state in ("charge", "discharge"))


def _duration(seconds: float, milliseconds: bool = True, days: str = "-", always: bool = False) -> str:
    """Return `3-04:05:06.789`; without the days where there are none, unless `always`."""
    total = round(seconds * 1000) if milliseconds else round(seconds) * 1000
    rest, ms = divmod(total, 1000)
    minutes, s = divmod(rest, 60)
    hours, m = divmod(minutes, 60)
    d, h = divmod(hours, 24)
    front = f"{d}{days}" if d or always else ""
    return f"{front}{h:02d}:{m:02d}:{s:02d}" + (f".{ms:03d}" if milliseconds else "")


def _workbook(path: Path, sheets: Mapping[str, Mapping[str, Column]]) -> None:
    """Write sheets of columns."""
    import xlsxwriter  # not in the environment of `make scale`, which writes no workbook

    data = io.BytesIO()
    with xlsxwriter.Workbook(data, {"in_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"}) as book:
        book.set_properties({"created": MADE})
        for name, columns in sheets.items():
            sheet = book.add_worksheet(name)
            rows = max(len(values) for values in columns.values() if values is not None)
            for c, (header, values) in enumerate(columns.items()):
                sheet.write_string(0, c, header)
                sheet.write_column(1, c, _cells(values, rows))
    write_whole(path, data.getvalue())


def _cells(values: Column, rows: int) -> Sequence[Any]:
    """Return the cells of a column; LAND writes `-` for a missing value."""
    if values is None:
        return ["-"] * rows
    plain = list(values) if isinstance(values, Sequence) else values.tolist()
    return ["-" if isinstance(value, float) and np.isnan(value) else value for value in plain]
