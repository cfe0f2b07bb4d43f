"""A recording of known values, and its text in each of the formats that cyclers export, written out here by hand."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np


@dataclass
class Record:
    time: float  # s
    voltage: float  # V
    current: float  # A
    cycle: int
    step: int
    state: str
    capacity: float  # Ah, of the step


#: A Li|Li cell: rest, charge, discharge, and again; the voltage changes its sign, two records share a time, and the
#: test outlasts a day.
RECORDS = [
    Record(0.020, 0.0001, 0.0, 1, 1, "rest", 0.0),
    Record(10.020, -0.0002, 0.0, 1, 1, "rest", 0.0),
    Record(10.020, 0.0521, 0.000312, 1, 2, "charge", 0.0),
    Record(3610.020, 0.0634, 0.000311, 1, 2, "charge", 0.000312),
    Record(7210.125, 0.0657, 0.000312, 1, 2, "charge", 0.000624),
    Record(7210.125, -0.0518, -0.000312, 1, 3, "discharge", 0.0),
    Record(14410.250, -0.0671, -0.000312, 1, 3, "discharge", 0.000624),
    Record(14410.250, 0.0519, 0.000312, 2, 4, "charge", 0.0),
    Record(93610.500, 1.0005, 0.000312, 2, 4, "charge", 0.006864),
]

LANDT_HEADER = (
    "channel_index,cycle_index,step_index,date_time_iso_string,test_time_s,step_time_s,current_A,voltage_V,"
    "discharge_capacity_Ah,charge_capacity_Ah,discharge_energy_Wh,charge_energy_Wh,Pressure_Psi,temperature_1_C,"
    "temperature_2_C,temperature_3_C,step_name"
)
LAND_HEADER = "Record,TestTime,Current/mA,Voltage/V,Capacity/mAh,SysTime,CycleNo,StepNo,StepStatus"
BDF_HEADER = "test_time_second,voltage_volt,current_ampere,cycle_count,step_count,charging_capacity_ah,power_watt"


def variable(name: str) -> np.ndarray:
    """A variable of the recording, as `read` is to give it."""
    if name in ("charge_capacity", "discharge_capacity"):
        state = name.removesuffix("_capacity")
        return np.array([record.capacity if record.state == state else 0.0 for record in RECORDS])
    return np.array([getattr(record, name) for record in RECORDS])


def duration(seconds: float, days: str = "-") -> str:
    """`3:04:05.678`, and behind the days and their sign from the first day on."""
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    hours = whole // 3600
    front = f"{hours // 24}{days}" if hours >= 24 else ""
    return f"{front}{hours % 24:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{milliseconds:03d}"


def moment(start: datetime, record: Record) -> datetime:
    """Date of a record, to the second, in a test whose first record has the date `start`."""
    return start + timedelta(seconds=int(record.time - RECORDS[0].time + 1e-6))


def step_time(record: Record) -> float:
    """Time of a record in its step [s]."""
    return record.time - next(other.time for other in RECORDS if other.step == record.step)


def land_date(when: datetime) -> str:
    """A date as LAND writes it: 2023/1/5 9:05:01."""
    return f"{when:%Y}/{when.month}/{when.day} {when.hour}:{when:%M:%S}"


def landt_rows() -> list[str]:
    """Rows of a Landt CSV, with the comma at their ends."""
    dates = [f"{moment(datetime(2024, 4, 30, 14, 33, 19), record):%m/%d/%Y %H:%M:%S}" for record in RECORDS]
    return [
        f"{n},{r.cycle},{r.step},{dates[n - 1]},{r.time:.3f},{step_time(r):.3f},{r.current:.6f},{r.voltage:.4f},"
        f"{r.capacity if r.state == 'discharge' else 0:.6f},{r.capacity if r.state == 'charge' else 0:.6f},"
        f"0,0,0,0,0,0,{r.state if r.state == 'rest' else r.state + ' CC'},"
        for n, r in enumerate(RECORDS, start=1)
    ]


def landt_csv() -> str:
    """A Landt CSV: six lines, the header, rows with a field more than it."""
    preamble = ["cell model:" + "," * 16, "cell id: K7" + "," * 16, *["test: " + "," * 16] * 4]
    return "\n".join([*preamble, LANDT_HEADER, *landt_rows(), ""])


def land_rows(unsigned: bool = False, rest: str = "R", charge: str = "CCC", discharge: str = "CCD") -> list[str]:
    """Rows of the records in a LAND CSV."""
    states = {"rest": rest, "charge": charge, "discharge": discharge}
    return [
        f"{n},{duration(r.time)},{(abs(r.current) if unsigned else r.current) * 1e3:.3f},{r.voltage:.4f},"
        f"{r.capacity * 1e3:.3f},{land_date(moment(datetime(2023, 1, 5, 9, 5, 1), r))},{r.cycle},{r.step},"
        f"{states[r.state]}"
        for n, r in enumerate(RECORDS, start=1)
    ]


def land_csv(rows: list[str] | None = None, header: str = LAND_HEADER) -> str:
    """A LAND CSV: a table of cycles, one of steps, one of records."""
    cycles = ["Cycle,CapC/mAh,CapD/mAh", "1,0.624,0.624", "2,6.864,0"]
    steps = ["Step,CycleNo,StepStatus", "1,1,R", "2,1,CCC", "3,1,CCD", "4,2,CCC"]
    return "\r\n".join([*cycles, *steps, header, *(rows or land_rows()), ""])


def bdf_csv() -> str:
    """A Battery Data Format CSV with the machine-readable names."""
    rows = [
        f"{r.time:.3f},{r.voltage:.4f},{r.current:.6f},{r.cycle},{r.step},"
        f"{r.capacity if r.state == 'charge' else 0:.6f},{r.voltage * r.current:.4f}"
        for r in RECORDS
    ]
    return "\n".join([BDF_HEADER, *rows, ""])
