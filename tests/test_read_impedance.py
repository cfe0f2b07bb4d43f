"""Impedance spectra and current transients under named columns: units, sweeps, the sign of Im(Z); and damage."""

import random

import numpy as np
import pytest

from coldbond.bundle import paths, raw
from coldbond.files import ReadError
from coldbond.files.electrochemistry.impedance import last_digit, passive_sign, significant_digits
from cycler_files import bdf_csv
from impedance_files import FREQUENCY, IMPEDANCE, TRANSIENT, WHOLE, named, saved, table
from test_read_damage import refused


@pytest.mark.parametrize(
    "columns",
    [
        named("frequency/Hz", "Re(Z)/ohm", "-Im(Z)/ohm", sign=-1),
        named("frequency/Hz", "Z_real/ohm", "Z_imag/ohm"),
        named("frequency/Hz", "Z_real/ohm", "Z_imag/ohm", sign=-1),
        named("freq/Hz", "Zreal (ohm)", "-Zimag (ohm)", sign=-1),
        named("Frequency (Hz)", "Z' (Ω)", "-Z'' (Ω)", sign=-1),
        named("Frequency (Hz)", "Z' (Ω)", "Z'' (Ω)"),
        named("Frequency (Hz)", "Z' (\u2126)", "Z'' (\u2126)", sign=-1),
        named("f/Hz", "Z'/Ohm", 'Z"/Ohm'),
        named("Freq [Hz]", "Z′ [Ohm]", "−Z″ [Ohm]", sign=-1),
        named("frequency_Hz", "Z_re_ohm", "Z_im_ohm"),
        named("Frequency (Hz)", "Real (Ohm)", "Imag (Ohm)"),
        named("freq/Hz", "Zre/kohm", "-Zim/kohm", sign=-1, scale=1e3),
        named("freq/Hz", "Zre/kΩ", "-Zim/kΩ", sign=-1, scale=1e3),
        named("freq/Hz", "Zre/mohm", "Zim/mohm", scale=1e-3),
        named("freq/Hz", "Zre/Mohm", "Zim/MOhm", scale=1e6),
        named("Freq [Hz]", "Zs'[ohm]", "Zs''[ohm]"),
        named('"Frequency (Hz)"', '"Z\' (Ohm)"', "\"Z'' (Ohm)\""),
        named("freq/Hz", "Re{Z}/Ohm", "Im{Z}/Ohm"),
        named("Frequency/Hz", "ReZ/Ohm", "neg. ImZ/Ohm", sign=-1),
        named("Freq(Hz)", "Rs(ohm)", "X(ohm)"),
        named("Fréquence/Hz", "Z'/Ohm", "Z''/Ohm"),
        named("频率/Hz", "Z'/Ohm", "Z''/Ohm"),
        {"omega (rad/s)": 2 * np.pi * FREQUENCY, "Z'/ohm": IMPEDANCE.real, "Z''/ohm": IMPEDANCE.imag},
        {"f/Hz": FREQUENCY, "Zmag (Ohm)": np.abs(IMPEDANCE), "neg. Phase / Degrees": -np.degrees(np.angle(IMPEDANCE))},
        {"freq/kHz": FREQUENCY / 1e3, "ReZ/ohm": IMPEDANCE.real, "ImZ/ohm": IMPEDANCE.imag},
        {"freq/Hz": FREQUENCY, "|Z|/Ohm": np.abs(IMPEDANCE), "Phase(Z)/deg": np.degrees(np.angle(IMPEDANCE))},
        {"freq/Hz": FREQUENCY, "|Z|/Ohm": np.abs(IMPEDANCE), "-Phase (°)": -np.degrees(np.angle(IMPEDANCE))},
        {"freq/Hz": FREQUENCY, "Zmod/Ohm": np.abs(IMPEDANCE), "theta/rad": np.angle(IMPEDANCE)},
    ],
    ids=",".join,
)
def test_named_columns(tmp_path, columns):
    read_as = saved(tmp_path / "a.csv", table(columns))
    np.testing.assert_allclose(read_as.impedance, IMPEDANCE, rtol=1e-8)
    np.testing.assert_allclose(read_as.frequency, FREQUENCY, rtol=1e-8)
    assert read_as.attrs["technique"] == "eis" and read_as.attrs["format"] == "eis-text"
    assert read_as.impedance.attrs["significant_digits"] == 9


@pytest.mark.parametrize(
    ("separator", "decimal"), [(",", "."), (";", "."), (";", ","), ("\t", ","), ("\t", "."), ("  ", ".")]
)
@pytest.mark.parametrize("before", ["", "# sample: LLZ\n# time: 12:00\n", "Cell 3;;\n\n"])
def test_separators_decimals_and_comments(tmp_path, separator, decimal, before):
    text = table(named("freq/Hz", "Zre/ohm", "-Zim/ohm", sign=-1), separator, decimal)
    read_as = saved(tmp_path / "a.txt", before + text.replace("\n", "\n# a remark\n", 4))
    np.testing.assert_allclose(read_as.impedance, IMPEDANCE, rtol=1e-8)
    assert read_as.attrs.get("sample_name") == ("LLZ" if "LLZ" in before else None)


def test_time_and_other_columns(tmp_path):
    columns = {"time/min": np.arange(37.0), **named("f/Hz", "Zre/ohm", "Zim/ohm"), "Ewe/V": np.full(37, 3.1)}
    read_as = saved(tmp_path / "a.csv", table(columns))
    np.testing.assert_array_equal(read_as.time, 60 * np.arange(37.0))
    assert read_as.attrs["unread"] == "Ewe/V"


def polar(modulus: str, phase: str, angle: np.ndarray) -> dict[str, np.ndarray]:
    return {"f/Hz": FREQUENCY, modulus: np.abs(IMPEDANCE), phase: angle}


def loops(
    count: int, down_and_up: bool = False, numbered: bool = False, last: int | None = None
) -> dict[str, np.ndarray]:
    order = [np.arange(37)[:: -1 if down_and_up and loop % 2 else 1] for loop in range(count)]
    order[-1] = order[-1][:last]
    points = np.concatenate(order)
    columns = {name: column[points] for name, column in named("f/Hz", "Zre/ohm", "-Zim/ohm", sign=-1).items()}
    number = np.repeat(np.arange(count), [part.size for part in order])
    return columns | ({"loop_index": number} if numbered else {})


@pytest.mark.parametrize(
    ("columns", "sizes"),
    [
        (loops(3), [37, 37, 37]),
        (loops(3, last=9), [37, 37, 9]),
        (loops(2, down_and_up=True), [37, 37]),
        (loops(3, numbered=True, last=2), [37, 37, 2]),
    ],
)
def test_sweeps(tmp_path, columns, sizes):
    read_as = saved(tmp_path / "a.csv", table(columns))
    np.testing.assert_array_equal(read_as.sweep, np.repeat(1 + np.arange(len(sizes)), sizes))
    assert read_as.sweep.dtype.kind == "i"


def test_columns_that_are_not_needed_may_lack_a_unit(tmp_path):
    """They are left unread, and so is the second of two times."""
    columns = named("f/Hz", "Zre/ohm", "Zim/ohm") | {"Phase": np.degrees(np.angle(IMPEDANCE)), "|Z|": np.abs(IMPEDANCE)}
    columns |= {
        "time/s": np.arange(37.0),
        "time/h": np.arange(37.0),
        "Temp": np.arange(37.0),
        "T/K": 298 + 0 * FREQUENCY,
    }
    read_as = saved(tmp_path / "a.csv", table(columns))
    assert {"Phase", "|Z|", "time/s", "time/h"} <= {*read_as.attrs["unread"].split(", ")} and "time" not in read_as
    np.testing.assert_allclose(read_as.impedance, IMPEDANCE, rtol=1e-8)
    celsius = saved(tmp_path / "b.csv", table(named("f/Hz", "Zre/ohm", "Zim/ohm") | {"T/K": 298.15 + 0 * FREQUENCY}))
    np.testing.assert_allclose(celsius.temperature, 25)


def test_rows_of_zeros_are_left_out_and_counted(tmp_path):
    lines = table(loops(2, numbered=True)).split("\n")
    text = "\n".join([*lines[:38], "0,0.0,0,0", *lines[38:]])
    read_as = saved(tmp_path / "a.csv", text)
    assert read_as.sizes["frequency"] == 74 and read_as.attrs["unread"] == "1 rows of zeros"
    error = refused(tmp_path / "b.csv", text.replace("0,0.0,0,0", "0,0.1,0,0"))
    assert error.line == 39 and error.reason == "the frequency is not a positive number"
    assert "all rows are zero" in refused(tmp_path / "c.csv", "freq/Hz,Zre/ohm,Zim/ohm\n" + "0,0,0\n" * 9).reason


@pytest.mark.parametrize("at", [3, 20, 35])
@pytest.mark.parametrize("factor", [0.01, 0.3, 1.0, 30.0])
def test_a_frequency_out_of_order_is_no_new_sweep(tmp_path, at, factor):
    columns = named("f/Hz", "Zre/ohm", "-Zim/ohm", sign=-1)
    frequency = FREQUENCY.copy()
    frequency[at] = factor * frequency[at - 1]
    error = refused(tmp_path / "a.csv", table(columns | {"f/Hz": frequency}))
    assert "neither one sweep nor several" in error.reason and error.line in range(at + 2, at + 4)


def test_the_sign_where_the_spectrum_does_not_tell(tmp_path):
    """A cable: the inductance stands for one sign, but so little of it is seen beside noise that it settles nothing."""
    noise = np.random.default_rng(5).normal(0, 0.05, (2, 37))
    parts = FREQUENCY, 12 + noise[0], noise[1]
    with pytest.raises(ReadError, match=r"it is unknown whether Z''/ohm is Im\(Z\) or -Im\(Z\)") as caught:
        saved(tmp_path / "a.csv", table(dict(zip(("f/Hz", "Z'/ohm", "Z''/ohm"), parts, strict=True))))
    for name, sign in (("-Im(Z)/ohm", -1), ("Im(Z)/ohm", 1), ("Zimag/ohm", 1)):
        read_as = saved(tmp_path / "a.csv", table(dict(zip(("f/Hz", "Z'/ohm", name), parts, strict=True))))
        np.testing.assert_allclose(read_as.impedance.imag, sign * noise[1], rtol=1e-7)
        assert read_as.attrs["sign"] == f"as the column {name} says; the spectrum does not decide"
    mended = table(dict(zip(caught.value.remedy.split("'")[1].split(", "), parts, strict=True)))
    assert saved(tmp_path / "a.csv", mended).sizes["frequency"] == 37


def test_a_minus_that_no_passive_cell_has(tmp_path):
    error = refused(tmp_path / "a.csv", table(named("f/Hz", "Zre/ohm", "-Zim/ohm")))
    assert "not that of a passive cell" in error.reason and "'Zim/ohm'" in error.remedy
    columns = named("f/Hz", "Zre/ohm", "-Zim/ohm") | {"phase/deg": -np.degrees(np.angle(IMPEDANCE))}
    read_as = saved(tmp_path / "a.csv", table(columns))  # two columns that agree are believed
    np.testing.assert_allclose(read_as.impedance, IMPEDANCE.conj(), rtol=1e-7)
    assert read_as.attrs["sign"] == "as the column -Zim/ohm and the phase say; the spectrum does not decide"


@pytest.mark.parametrize(
    ("z", "frequency"),
    [
        (IMPEDANCE, FREQUENCY),
        (IMPEDANCE[20:], FREQUENCY[20:]),
        (20 + 100 / np.sqrt(1j * FREQUENCY), FREQUENCY),
        (30 + 1e-6 * 2j * np.pi * FREQUENCY + 5 / (1 + 2j * np.pi * FREQUENCY * 1e-2), FREQUENCY),
        (50 + 1 / (2j * np.pi * FREQUENCY * 1e-6), FREQUENCY),
    ],
    ids=["cell", "its lower half", "Warburg", "cable and interface", "capacitor"],
)
@pytest.mark.parametrize("noise", [0.0, 0.003, 0.02])
def test_passive_sign(z, frequency, noise):
    """Whatever the noise, the sign is never settled wrongly, and nearly always settled where the phase is clear."""
    generator = np.random.default_rng(7)
    found = [
        passive_sign(frequency, z * (1 + noise * (generator.normal(size=z.size) + 1j * generator.normal(size=z.size))))
        for _ in range(20)
    ]
    assert min(found) >= 0
    assert np.mean(found) > (0.9 if noise < 0.01 else 0.5)
    assert passive_sign(frequency, z) == 1 and passive_sign(frequency, z.conj()) == -1


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        (named("f/Hz", "Zre", "Zim/ohm"), "the unit of 'Zre' is missing"),
        (named("f/mhz", "Zre/ohm", "Zim/ohm"), "the unit of 'f/mhz'"),
        (named("frequency", "Zre/ohm", "Zim/ohm"), "the unit of 'frequency' is missing"),
        (named("f/Hz", "Zre/ohm.cm2", "Zim/ohm"), "the unit of 'Zre/ohm.cm2'"),
        (named("f/Hz", "Z' (ohm cm2)", "Z'' (ohm cm2)"), "an impedance times an area or a length"),
        (named("f/Hz", "Z'/Ω·cm²", "Z''/Ω·cm²"), "an impedance times an area or a length"),
        (named("f/Hz", "Z'/ohm cm", "Z''/ohm cm"), "an impedance times an area or a length"),
        (named("f/Hz", "Y'/S", "Y''/S"), '"Y\'/S" is another quantity'),
        (named("f/Hz", "Re(Y)/mS", "Im(Y)/mS"), "'Re(Y)/mS' is another quantity"),
        (named("f/Hz", "|Z|/ohm", "Phase(Y)/deg"), "'Phase(Y)/deg' is another quantity"),
        (named("log(f/Hz)", "Zre/ohm", "Zim/ohm"), "'log(f/Hz)' holds a logarithm"),
        (polar("|Z|/ohm", "phase/deg", np.angle(IMPEDANCE)), "it is in radians"),
        (polar("|Z|/ohm", "phase/rad", np.degrees(np.angle(IMPEDANCE))), "larger than half a turn"),
        (polar("Z'/ohm", "Z''/ohm", np.degrees(np.angle(IMPEDANCE))), "as |Z| and phase they are"),
        (named("f/Hz", "Zre/ohm", "Ewe/V"), "no columns are named as Re(Z) and Im(Z) or as |Z| and phase"),
        (
            named("f/Hz", "Zre/ohm", "Zim/ohm") | {"Im(Z)/ohm": FREQUENCY},
            "'Zim/ohm' and 'Im(Z)/ohm' hold the same quantity",
        ),
        (named("f/Hz", "Zre/ohm", "Zim/ohm") | {"|Z|/ohm": FREQUENCY}, "modulus or phase contradict"),
        (
            {name: column[:4] for name, column in named("f/Hz", "Zre/ohm", "Zim/ohm").items()},
            "4 points are not a spectrum",
        ),
        (named("f/Hz", "Zre/ohm", "Zim/ohm") | {"f/Hz": -FREQUENCY}, "the frequency is not a positive number"),
        ({name: 0 * c if "Z" in name else c for name, c in named("f/Hz", "Zre/ohm", "Zim/ohm").items()}, "is zero"),
    ],
)
def test_columns_that_do_not_say_enough(tmp_path, columns, reason):
    assert reason in refused(tmp_path / "a.csv", table(columns)).reason


def test_a_number_that_no_float_holds(tmp_path):
    text = table(named("f/Hz", "Zre/ohm", "Zim/ohm"), form=".4e")
    error = refused(tmp_path / "a.csv", text.replace("e+02", "e+999", 1))
    assert error.reason == "a number is not finite"


@pytest.mark.parametrize(
    ("line", "voltage"),
    [
        ("# applied_voltage: 1.0 V", 1.0),
        ("# voltage: -50 mV", -0.05),
        ("# Potential (V) = 0,5", 0.5),
        ("# applied_voltage_V: 1e-2", 0.01),
        ("sample: LLZ\nvoltage = 2 V; 25 °C", 2.0),
    ],
)
@pytest.mark.parametrize(
    "names", [("time/s", "current/A"), ("Elapsed time (h)", "I/µA"), ("Test Time [min]", "Current [nA]")]
)
def test_a_named_transient(tmp_path, line, voltage, names):
    read_as = saved(tmp_path / "a.csv", f"{line}\n" + table(dict(zip(names, TRANSIENT.values(), strict=True)), "\t"))
    unit = {"s": 1, "h": 3600, "n": 60}[names[0].strip("])")[-1]]
    ampere = {"t/A": 1, "µA": 1e-6, "nA": 1e-9}[names[1].strip("]")[-3:].lstrip("/[")]
    np.testing.assert_allclose(read_as.time, TRANSIENT["time/s"] * unit)
    np.testing.assert_allclose(read_as.current, TRANSIENT["current/A"] * ampere, rtol=1e-7)
    assert read_as.attrs["applied_voltage"] == pytest.approx(voltage, rel=1e-12)
    assert read_as.attrs["technique"] == "dc" and read_as.attrs["format"] == "dc-text"


@pytest.mark.parametrize("line", ["", "# voltage: 1 kV\n", "# voltage: 1\n", "# voltage range: 10 V 20 V\n"])
def test_the_line_that_a_transient_lacks_is_printed(tmp_path, line):
    error = refused(tmp_path / "a.csv", line + table(TRANSIENT))
    assert "states no voltage in V or mV" in error.reason
    added = saved(tmp_path / "a.csv", error.remedy.split("'")[1] + "\n" + table(TRANSIENT))
    assert added.attrs["applied_voltage"] == 1.0


def test_a_cycler_keeps_its_files(tmp_path):
    assert saved(tmp_path / "a.csv", bdf_csv()).attrs["technique"] == "cycling"
    named = {"test_time_s": np.arange(9.0), "current_A": np.full(9, 1e-3), "voltage_V": np.linspace(0, 1, 9)}
    assert saved(tmp_path / "a.csv", table(named)).attrs["technique"] == "cycling"
    assert (
        "no single column of time and of current"
        in refused(tmp_path / "a.csv", table({"time/s": np.arange(9.0), "voltage/V": np.arange(9.0)})).reason
    )


@pytest.mark.parametrize(
    ("numbers", "digits_", "last"),
    [
        ([9.891e1, 1.603, 7.538e-1], 4, [1e-2, 1e-3, 1e-4]),
        ([1234.56, 0.12, 7.0], 6, [1e-2, 1e-2, 1e-2]),
        ([99610.0, 8252.0], 4, [10, 1]),
        ([0.0, 2.5], 2, [0.1, 0.1]),
    ],
)
def test_digits(numbers, digits_, last):
    assert significant_digits(numbers) == digits_
    np.testing.assert_allclose(last_digit(np.array(numbers)), last)


def test_recordings_as_a_table(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RAW", tmp_path)
    (tmp_path / "a.txt").write_text(WHOLE["chi"])
    (tmp_path / "b.txt").write_text(WHOLE["chi-it"])
    columns = "file,technique,role,sample,state,origin,sha256,area_cm2,thickness_cm,active_mass_mg,temperature_C,note"
    rows = "a.txt,eis,full-cell-interface,LLZ,cycle 1,measured,,0.5,,,25,\nb.txt,dc,electronic,LLZ,,measured,,0.5,,,,\n"
    (tmp_path / "manifest.csv").write_text(f"{columns}\n{rows}")
    spectra, transients = raw.recordings("full-cell-interface"), raw.recordings("electronic")
    shown = raw.table(spectra)
    assert shown.loc["LLZ", ["format", "points", "frequency / Hz"]].tolist() == ["chi-eis", 10, "100000 to 0.1"]
    shown = raw.table(transients)
    assert shown.loc["LLZ", ["format", "points", "time / s"]].tolist() == ["chi-it", 12, "0.4 to 4.8"]


# Damage


@pytest.mark.parametrize("kind", WHOLE)
def test_a_file_cut_anywhere_is_refused_or_gives_whole_rows(tmp_path, kind):
    data = WHOLE[kind].encode("latin-1")
    whole, lengths = saved(tmp_path / "whole.txt", data), set()
    (variable,) = (name for name in whole.data_vars if name in ("impedance", "current"))
    (axis,) = whole.sizes
    body = data.rindex(b"/")  # where the names of the columns are still whole
    for size in [*range(0, body, 7), *range(body, len(data) + 1)]:
        try:
            cut = saved(tmp_path / "cut.txt", data[:size])
        except ReadError:
            continue
        points = cut.sizes[axis]
        lengths.add(points)
        for name in (axis, variable):
            np.testing.assert_array_equal(cut[name], whole[name][:points], err_msg=f"{name}, cut at byte {size}")
    assert {whole.sizes[axis], whole.sizes[axis] - 1} <= lengths


@pytest.mark.parametrize(("kind", "tolerance"), [("chi", 3e-3), ("ec-lab", 1e-5)])
def test_a_wrong_byte_is_refused_or_harms_no_impedance(tmp_path, kind, tolerance):
    """Modulus and phase tell; of a frequency, which stands in the file but once, only the order does."""
    data, generator = WHOLE[kind].encode("latin-1"), random.Random(11)
    whole, read_on = saved(tmp_path / "whole.txt", data), 0
    for _ in range(600):
        at, byte = generator.randrange(len(data)), generator.choice(b"0123456789.,-+eE xZ\n\t\"'")
        try:
            read_as = saved(tmp_path / "damaged.txt", data[:at] + bytes([byte]) + data[at + 1 :])
        except ReadError:
            continue
        assert read_as.sizes["frequency"] == whole.sizes["frequency"], (at, byte)
        off = np.abs(read_as.impedance.to_numpy() - whole.impedance.to_numpy()) / np.abs(whole.impedance.to_numpy())
        assert off.max() < tolerance, (at, byte)
        assert np.sum(read_as.frequency.to_numpy() != whole.frequency.to_numpy()) <= 1
        read_on += 1
    assert read_on > 50
