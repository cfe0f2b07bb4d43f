"""The recording of `cycler_files` as the exports of other testers write it, by hand from their documentation."""

from datetime import datetime

from cycler_files import RECORDS, Record, duration, moment, step_time

START = datetime(2024, 4, 30, 14, 33, 19)
LETTERS = {"rest": "R", "charge": "C", "discharge": "D"}
COMMANDS = {"rest": "Pause", "charge": "Charge", "discharge": "Discharge"}
STEP_TYPES = {"rest": "Rest", "charge": "CC Chg", "discharge": "CC DChg"}
WORDS = {"rest": "搁置", "charge": "恒流充电", "discharge": "恒流放电"}


def counter(record: Record, state: str) -> float:
    """Counter of charge or of discharge, which starts anew with each step [Ah]."""
    return record.capacity if record.state == state else 0.0


def maccor_text(signed: bool = False, comma: bool = False, state: bool = True) -> str:
    """Maccor's text with tabs: days in the time, names of the units, the magnitude of the current."""
    header = "Rec#\tCyc#\tStep\tTestTime\tStepTime\tAmp-hr\tWatt-hr\tAmps\tVolts\t" + ("State\t" if state else "")
    lines = ["Today's Date:\t14 December 2020", "Tester Channel:\t1", header + "ES\tDPt Time"]
    for n, r in enumerate(RECORDS, start=1):
        times = "\t".join(f"{int(t // 86400):3d}d {duration(t % 86400, ' ')}" for t in (r.time, step_time(r)))
        current = r.current if signed else abs(r.current)
        values = f"{r.capacity:.6f}\t0\t{current:.6f}\t{r.voltage:.4f}"
        mark = f"{LETTERS[r.state]}\t" if state else ""
        row = f"{n}\t{r.cycle}\t{r.step}\t{times}\t{values}\t{mark}1\t{moment(START, r):%m/%d/%Y %H:%M:%S}"
        lines.append(row.replace(".", ",") if comma else row)
    return "\r\n".join([*lines, ""])


def maccor_csv(unit: str = "", scale: float = 1.0, date: str = "%d-%b-%y %I:%M:%S %p") -> str:
    """Maccor's text with commas, in which the test time may have no unit."""
    lines = [
        "Today's Date ,28-Nov-23",
        "",
        f"Rec,Cycle P,Cycle C,Step,TestTime{unit},Cap. [Ah],Current [A],Voltage [V],Md,DPT Time",
        "",
    ]
    lines += [
        f"{n},0,{r.cycle},{r.step},{r.time / scale:.6f},{r.capacity:.6f},{abs(r.current):.6f},{r.voltage:.4f},"
        f"{LETTERS[r.state]},{moment(START, r).strftime(date)}"
        for n, r in enumerate(RECORDS, start=1)
    ]
    return "\n".join([*lines, ""])


def neware_text(chinese: bool = False) -> str:
    """Neware's table of records."""
    header = (
        "DataPoint,Cycle Index,Step Index,Step Type,Time,Total Time,Current(mA),Voltage(V),Capacity(mAh),"
        "Spec. Cap.(mAh/g),Chg. Cap.(mAh),DChg. Cap.(mAh),Date"
    )
    if chinese:
        header = (
            "数据序号,循环号,工步号,工步类型,时间,总时间,电流(mA),电压(V),容量(mAh),比容量(mAh/g),充电容量(mAh),"
            "放电容量(mAh),绝对时间"
        )
    types = WORDS if chinese else STEP_TYPES
    rows = [
        f"{n},{r.cycle},{r.step},{types[r.state]},{duration(step_time(r))},{duration(r.time)},{r.current * 1e3:.3f},"
        f"{r.voltage:.4f},{r.capacity * 1e3:.3f},0,{counter(r, 'charge') * 1e3:.3f},"
        f"{counter(r, 'discharge') * 1e3:.3f},{moment(START, r):%Y-%m-%d %H:%M:%S}"
        for n, r in enumerate(RECORDS, start=1)
    ]
    return "\n".join([header, *rows, ""])


def neware_report(chinese: bool = False) -> str:
    """Neware's report: rows of cycles, steps and records below each other, the first two side by side."""
    names = ["Cycle Index,Chg. Cap.(Ah),DChg. Cap.(Ah)", ",Step Index,Step Number,Step Type,Step Time"]
    names += [",,DataPoint,Time,Total Time,Current(A),Voltage(V),Capacity(Ah),Date,Power(W)"]
    if chinese:
        names = ["循环序号,充电容量(Ah),放电容量(Ah)", ",工步号,工步序号,工步类型,工步时间"]
        names += [",,数据序号,时间,总时间,电流(A),电压(V),容量(Ah),绝对时间,功率(W)"]
    types, lines = WORDS if chinese else STEP_TYPES, list(names)
    before: Record | None = None
    for n, r in enumerate(RECORDS, start=1):
        cycle, step = f"{r.cycle},0.001,0.001", f"{r.step % 3},{r.step},{types[r.state]},0:00:10"
        if before is None:
            lines.append(f"{cycle},{step}")
        elif before.cycle != r.cycle:
            lines += [cycle, f",{step}"]
        elif before.step != r.step:
            lines.append(f",{step}")
        lines.append(
            f",,{n},{duration(step_time(r))},{duration(r.time)},{r.current:.6f},{r.voltage:.4f},{r.capacity:.6f},"
            f"{moment(START, r):%Y-%m-%d %H:%M:%S},0"
        )
        before = r
    return "\n".join([*lines, ""])


ARBIN = (
    "Data_Point,Date_Time,Test_Time(s),Step_Time(s),Cycle_Index,Step_Index,Current(A),Voltage(V),Charge_Capacity(Ah),"
    "Discharge_Capacity(Ah),Charge_Energy(Wh),dV/dt(V/s)"
)


def arbin_rows() -> list[list]:
    """Cells of Arbin's records."""
    return [
        [
            *(n, f"{moment(START, r):%m/%d/%Y %H:%M:%S}.{n:03d}", round(r.time, 3), round(step_time(r), 3)),
            *(r.cycle, r.step, r.current, r.voltage, counter(r, "charge"), counter(r, "discharge"), 0, 0),
        ]
        for n, r in enumerate(RECORDS, start=1)
    ]


def arbin_csv(blanks: bool = False) -> str:
    """Arbin's text, with underscores in its names, or with blanks and a tab before the date."""
    header = ARBIN.replace("_", " ").replace("(", " (") if blanks else ARBIN
    rows = [
        ",".join(f"\t{cell}" if blanks and place == 1 else f"{cell}" for place, cell in enumerate(row))
        for row in arbin_rows()
    ]
    return "\n".join([header, *rows, ""])


def novonix_csv() -> str:
    """Novonix's sections, with a protocol longer than the head of a file."""
    names = "Date and Time,Cycle Number,Step Type,Run Time (h),Step Time (h),Current (A),Potential (V),Capacity (Ah)"
    lines = [
        "[Summary]",
        "Novonix UHPC data file",
        "Cell: K7",
        "[End Summary]",
        "[Protocol]",
        '{"Version":"' + "x" * 70000,
    ]
    lines += ["[End Protocol]", "[Data]"]
    lines += [names + ",Step Number"]
    lines += [
        f"{moment(START, r):%Y-%m-%d %H:%M:%S},{r.cycle},7,{r.time / 3600:.9f},{step_time(r) / 3600:.9f},"
        f"{r.current:.6f},{r.voltage:.4f},{r.capacity:.6f},{r.step}"
        for r in RECORDS
    ]
    return "\n".join([*lines, ""])


def basytec_text() -> str:
    """Basytec's text with tabs, below lines with a tilde."""
    lines = ["~Resultfile from Basytec Battery Test System", "~Name of Test: K7", "~"]
    lines += ["~Time[s]\tDataSet\tt-Step[s]\tLine\tCommand\tU[V]\tI[A]\tAh-Step\tCyc-Count\tState"]
    lines += [
        f"{r.time:.3f}\t{n}\t{step_time(r):.3f}\t{r.step}\t{COMMANDS[r.state]}\t{r.voltage:.4f}\t{r.current:.6f}\t"
        f"{r.capacity:.6f}\t{r.cycle}\t1"
        for n, r in enumerate(RECORDS, start=1)
    ]
    return "\n".join([*lines, ""])


def ec_lab_csv() -> str:
    """A table with the names of EC-Lab."""
    rows = [f"{r.time:.3f},{r.voltage:.4f},{r.current * 1e3:.3f},{r.cycle}" for r in RECORDS]
    return "\n".join(["time/s,Ewe/V,<I>/mA,cycle number", *rows, ""])


#: What each file holds beside time, voltage and current, its format, and where its signs come from.
FILES = {
    "Maccor, tabs": (maccor_text(), "maccor-text", "step state", ["cycle", "step", "capacity"]),
    "Maccor, signed": (maccor_text(signed=True), "maccor-text", "recorded", ["cycle", "step", "capacity"]),
    "Maccor, decimal commas": (maccor_text(comma=True), "maccor-text", "step state", ["cycle", "step", "capacity"]),
    "Maccor, seconds": (maccor_csv(" (Sec)"), "maccor-text", "step state", ["cycle", "step", "capacity"]),
    "Neware": (
        neware_text(),
        "neware-text",
        "recorded",
        ["cycle", "step", "capacity", "charge_capacity", "discharge_capacity"],
    ),
    "Neware, Chinese": (
        neware_text(chinese=True),
        "neware-text",
        "recorded",
        ["cycle", "step", "capacity", "charge_capacity", "discharge_capacity"],
    ),
    "Neware report": (neware_report(), "neware-report", "recorded", ["cycle", "step", "capacity"]),
    "Neware report, Chinese": (neware_report(True), "neware-report", "recorded", ["cycle", "step", "capacity"]),
    "Arbin": (arbin_csv(), "arbin-csv", "recorded", ["cycle", "step", "charge_capacity", "discharge_capacity"]),
    "Arbin, blanks": (arbin_csv(True), "arbin-csv", "recorded", ["cycle", "step", "charge_capacity"]),
    "Novonix": (novonix_csv(), "novonix-csv", "recorded", ["cycle", "step", "capacity"]),
    "Basytec": (basytec_text(), "basytec-text", "recorded", ["cycle", "step", "capacity"]),
    "EC-Lab's names": (ec_lab_csv(), "cycling-text", "recorded", ["cycle"]),
}
