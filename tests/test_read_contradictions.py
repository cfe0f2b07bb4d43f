"""Cycling recordings whose columns contradict each other: clocks, counters, signs and step numbers.

Each is refused with both columns named, or read as the second column says; nothing is taken silently.
"""

import numpy as np
import pytest

from coldbond.files import ReadError, read

SECOND = 1700000000


def refused(path, text: str, encoding: str = "utf-8") -> ReadError:
    path.write_bytes(text.encode(encoding))
    with pytest.raises(ReadError) as caught:
        read(path)
    return caught.value


def square_wave(
    header: str,
    row: str,
    every: float = 30.0,
    steps: int = 6,
    records: int = 20,
    current: float = 1e-4,
    **scales: float,
) -> str:
    """A symmetric cell under steps of alternating current; `row` formats the fields of a record."""
    lines = [header]
    for number in range(steps * records):
        step, within = divmod(number, records)
        sign = 1 if step % 2 == 0 else -1
        fields = {
            "time": number * every * scales.get("time", 1),
            "step_time": within * every * scales.get("step_time", 1),
            "unix": SECOND + number * every,
            "voltage": 0.05 * sign,
            "current": current * sign,
            "size": current,
            "charge": within * every * current / 3600 * (sign > 0) * scales.get("counter", 1),
            "discharge": within * every * current / 3600 * (sign < 0) * scales.get("counter", 1),
            "step": step + 1,
            "program": step % 2 + 1,
            "within": within + 1,
            "state": "charge" if sign > 0 else "discharge",
        }
        lines.append(row.format(**fields))
    return "\n".join([*lines, ""])


BDF = "Test Time / s,Voltage / V,Current / A"


@pytest.mark.parametrize("scale", [1000, 1e-3, 60, 1 / 60, 3600, 1 / 3600])
@pytest.mark.parametrize(
    ("clock", "row"), [("Unix Time / s", "{unix:.3f}"), ("Step Time / s", "{step_time:.3f}")], ids=["date", "step"]
)
def test_a_test_time_in_another_unit_than_its_name_says(tmp_path, scale, clock, row):
    text = square_wave(f"{BDF},{clock}", "{time:.6f},{voltage},{current}," + row, time=scale)
    error = refused(tmp_path / "a.csv", text)
    assert "Test Time / s" in error.reason and clock in error.reason
    unit = {1000: "ms", 1 / 60: "min", 1 / 3600: "h"}.get(scale)
    if unit:  # the advice: the true unit
        (tmp_path / "b.csv").write_text(text.replace("Test Time / s", f"Test Time / {unit}"))
        np.testing.assert_allclose(read(tmp_path / "b.csv").time, np.arange(120) * 30.0, atol=1e-2)


def test_milliseconds_under_seconds_beside_a_date(tmp_path):
    error = refused(
        tmp_path / "a.csv", square_wave(f"{BDF},Unix Time / s", "{time:.0f},{voltage},{current},{unix:.3f}", time=1000)
    )
    assert "spans 3570000 s" in error.reason and "(1700000000.000 to 1700003570.000) 3570 s" in error.reason


def test_a_pause_of_the_test_is_no_contradiction(tmp_path):
    lines = square_wave(f"{BDF},Unix Time / s", "{time},{voltage},{current},{unix}").split("\n")
    later = [line.rsplit(",", 1)[0] + f",{float(line.rsplit(',', 1)[1]) + 86400}" for line in lines[60:-1]]
    (tmp_path / "a.csv").write_text("\n".join([*lines[:60], *later, ""]))
    assert read(tmp_path / "a.csv").sizes["record"] == 120


@pytest.mark.parametrize("scale", [60, 1 / 60, 1000, 1 / 1000, 3600])
def test_the_testers_counters_against_the_current(tmp_path, scale):
    header = f"{BDF},Charging Capacity / Ah,Discharging Capacity / Ah"
    row = "{time},{voltage},{current},{charge:.9e},{discharge:.9e}"
    (tmp_path / "a.csv").write_text(square_wave(header, row))
    assert read(tmp_path / "a.csv").charge_capacity.attrs["resets"] == "step"
    error = refused(tmp_path / "b.csv", square_wave(header, row, counter=scale))
    assert "count" in error.reason and "the current passes 9.5e-05 Ah" in error.reason


def test_a_current_that_is_positive_in_discharge(tmp_path):
    header = f"{BDF},Discharging Capacity / Ah,Charging Capacity / Ah"
    text = square_wave(header, "{time},{voltage},{current},{charge:.9e},{discharge:.9e}")
    error = refused(tmp_path / "a.csv", text)
    assert "the charge capacity counter grows while the current is negative" in error.reason


@pytest.mark.parametrize("hours", [17.0, 150000.0])
def test_a_charge_of_years(tmp_path, hours):
    """An hour in seconds that was multiplied by 3600, and by more."""
    rows = [f"{n * hours * 36:.3f},3.{n:03d},0.001" for n in range(100 * 6)]
    (tmp_path / "a.csv").write_text("\n".join(["test_time_second,voltage_volt,current_ampere", *rows, ""]))
    if hours < 100:
        assert read(tmp_path / "a.csv").sizes["record"] == 600
        text = "\n".join(["test_time_hour,voltage_volt,current_ampere", *rows, ""])
        error = refused(tmp_path / "b.csv", text.replace("test_time_hour", "TestTime/h").replace("volt,", "volt,"))
        assert "more than" in error.reason
    else:
        error = refused(tmp_path / "a.csv", (tmp_path / "a.csv").read_text())
        assert "more than" in error.reason and "five years" in error.reason


def test_one_charge_longer_than_a_year(tmp_path):
    rows = [f"{n * 36000.0},3.{n:04d},0.001" for n in range(2000)]
    error = refused(tmp_path / "a.csv", "\n".join([BDF, *rows, ""]))
    assert "one charge or discharge lasts 19990 h, more than a year" in error.reason


UNSIGNED = {
    "plain names": ("time/s,voltage/V,current/A", "{time},{voltage},{size}"),
    "Maccor": ("Rec,Step,Test Time (sec),Current (A),Voltage (V)", "1,{step},{time},{size},{voltage}"),
    "Neware": ("DataPoint,Total Time(s),Current(A),Voltage(V)", "1,{time},{size},{voltage}"),
    "LAND": ("TestTime/Sec,Current/A,Voltage/V", "{time},{size},{voltage}"),
    "Arbin": (
        "Data_Point,Test_Time(s),Cycle_Index,Step_Index,Current(A),Voltage(V)",
        "1,{time},1,{step},{size},{voltage}",
    ),
    "Battery Data Format": (BDF, "{time},{voltage},{size}"),
    "Landt": ("test_time_s,current_A,voltage_V", "{time},{size},{voltage}"),
    "Novonix": ("Run Time (h),Cycle Number,Current (A),Potential (V)", "{time},1,{size},{voltage}"),
    "names of EC-Lab": ("time/s,Ewe/V,<I>/mA,cycle number", "{time},{voltage},{size},1"),
}


@pytest.mark.parametrize("name", UNSIGNED)
def test_a_current_without_sign_is_refused_in_every_format(tmp_path, name):
    header, row = UNSIGNED[name]
    error = refused(tmp_path / "a.csv", square_wave(header, row, time=1 / 3600 if name == "Novonix" else 1))
    assert "has no sign" in error.reason or "is never negative" in error.reason
    signed = square_wave(header, row.replace("{size}", "{current}"), time=1 / 3600 if name == "Novonix" else 1)
    (tmp_path / "b.csv").write_text(signed)  # the advice: signed currents
    assert float(read(tmp_path / "b.csv").current.min()) < 0
    header, row = f"{header},State", row + ",{state}"  # or step states
    (tmp_path / "c.csv").write_text(square_wave(header, row, time=1 / 3600 if name == "Novonix" else 1))
    if name != "Novonix":
        assert float(read(tmp_path / "c.csv").current.min()) < 0


def test_a_full_cell_whose_discharge_is_positive_is_refused(tmp_path):
    voltage = [*np.linspace(3, 4.2, 50), *np.linspace(4.15, 2.9, 50)]
    rows = [f"{n * 60},{v:.4f},0.001" for n, v in enumerate(voltage)]
    error = refused(tmp_path / "a.csv", "\n".join([BDF, *rows, ""]))
    assert "falls by more than 1 V while it is constant" in error.reason
    (tmp_path / "b.csv").write_text("\n".join([BDF, *rows[:50], ""]))
    assert read(tmp_path / "b.csv").current.attrs["sign"] == "recorded"


def test_counters_of_both_directions_show_the_sign_of_a_charge(tmp_path):
    header = "time/s,voltage/V,current/A,charge capacity/Ah,discharge capacity/Ah"
    text = square_wave(header, "{time},{voltage},{size},{charge:.9e},{discharge:.9e}", steps=1)
    (tmp_path / "a.csv").write_text(text)
    assert read(tmp_path / "a.csv").current.attrs["sign"] == "recorded"
    text = square_wave(header, "{time},{voltage},{size},{charge:.9e},{discharge:.9e}", steps=2)
    assert "has no sign" in refused(tmp_path / "b.csv", text).reason


@pytest.mark.parametrize("names", ["Step Index / 1,Step ID", "step_index,step_id", "Step ID,Step Index / 1"])
def test_the_step_is_the_step_id_of_the_battery_data_format(tmp_path, names):
    fields = {"Step Index / 1": "{within}", "step_index": "{within}", "Step ID": "{program}", "step_id": "{program}"}
    header = BDF if " " in names else "test_time_second,voltage_volt,current_ampere"
    row = ",".join(fields[name] for name in names.split(","))
    (tmp_path / "a.csv").write_text(square_wave(f"{header},{names}", "{time},{voltage},{current}," + row))
    recording = read(tmp_path / "a.csv")
    np.testing.assert_array_equal(recording.step, np.repeat([1, 2, 1, 2, 1, 2], 20))
    assert recording.attrs["unread"].lower().startswith("step")


def test_a_step_index_alone_is_the_step_unless_it_counts_records(tmp_path):
    header, row = f"{BDF},Step Index / 1", "{time},{voltage},{current},"
    (tmp_path / "a.csv").write_text(square_wave(header, row + "{within}"))
    assert "step" not in read(tmp_path / "a.csv") and "Step Index" in read(tmp_path / "a.csv").attrs["unread"]
    (tmp_path / "b.csv").write_text(square_wave(header, row + "{step}"))
    np.testing.assert_array_equal(read(tmp_path / "b.csv").step, np.repeat(np.arange(1, 7), 20))


@pytest.mark.parametrize("second", ["{header}", "Test Time / ms,Voltage / V,Current / A", "# current in mA,,"])
def test_files_that_were_joined_are_refused(tmp_path, second):
    lines = square_wave(BDF, "{time},{voltage},{current}").split("\n")
    lines.insert(40, second.format(header=BDF))
    error = refused(tmp_path / "a.csv", "\n".join(lines))
    assert error.line == 41
    if not second.startswith("#"):
        assert "a second line of column names" in error.reason and "split" in error.remedy


def test_decimal_commas_between_semicolons_or_tabs(tmp_path):
    text = square_wave(BDF, "{time:.3f},{voltage:.4f},{current:.6f}")
    for separator in ";\t":
        (tmp_path / "a.csv").write_text(text.replace(",", separator).replace(".", ","))
        recording = read(tmp_path / "a.csv")
        np.testing.assert_allclose(recording.current, np.repeat([1e-4, -1e-4] * 3, 20))
        assert recording.voltage.attrs["resolution"] == 1e-4


def test_a_table_with_frequencies_is_no_cycling(tmp_path):
    rows = [f"{n},{10.0**-n},{100 + n},{5 + n},0.1,0.001" for n in range(5)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["time/s,freq/Hz,Re(Z)/Ohm,-Im(Z)/Ohm,Ewe/V,I/A", *rows, ""]))
    assert read(path).attrs["technique"] == "eis"
