"""Impedance spectra as instruments' programs export them: every value, each damage with its line, and refusals."""

import time

import numpy as np
import pytest

from coldbond.files import FORMATS, ReadError, read
from impedance_exports import (
    EXPORTS,
    MODULUS,
    PHASE,
    TIME,
    VARIANTS,
    F,
    Z,
    gamry,
    keysight,
    nova,
    novocontrol,
    palmsens,
    solartron,
    versastudio,
    zplot,
)
from impedance_files import saved, table
from test_read_damage import refused

#: Names of the formats that this module tests.
NAMES = {
    "gamry-dta": "Gamry .DTA",
    "autolab-nova": "Autolab NOVA text",
    "zplot": "ZPlot and ZView .z",
    "versastudio-par": "VersaStudio .par",
    "powersuite": "PowerSuite text",
    "novocontrol": "Novocontrol WinDETA text",
    "parstat": "PARSTAT text",
    "palmsens-pstrace": "PalmSens PSTrace .csv",
    "zahner-thales": "Zahner Thales text",
    "solartron-smart": "Solartron SMaRT .csv",
    "keysight-csv": "Keysight .csv",
}


def assert_read(recording) -> None:
    np.testing.assert_allclose(recording.impedance, Z, rtol=1e-6)
    np.testing.assert_array_equal(recording.frequency, F)


@pytest.mark.parametrize("form", EXPORTS)
def test_every_value_is_read(tmp_path, form):
    recording = saved(tmp_path / "a.txt", EXPORTS[form])
    assert_read(recording)
    assert recording.attrs["technique"] == "eis" and recording.attrs["format"] == form
    if "time" in recording and form != "zahner-thales":
        np.testing.assert_array_equal(recording.time, TIME)


@pytest.mark.parametrize("variant", VARIANTS)
def test_variants(tmp_path, variant):
    assert_read(saved(tmp_path / "a.txt", VARIANTS[variant]))


@pytest.mark.parametrize("form", EXPORTS)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["no mark", "mark"])
def test_line_ends_and_byte_order_mark(tmp_path, form, ends, mark):
    text = EXPORTS[form].replace("\r", "").replace("\n", ends)
    assert_read(saved(tmp_path / "a.txt", mark + text.encode()))


@pytest.mark.parametrize("form", EXPORTS)
def test_one_format_recognises_a_file(form):
    data = EXPORTS[form].encode()
    own = [one.name for one in FORMATS if one.recognise(data) and one.name != "text with named columns"]
    assert NAMES[form] in own and {*own} <= {NAMES[form], "LAND CSV"}  # LAND comes later, and is given no such file


@pytest.mark.parametrize("form", EXPORTS)
@pytest.mark.parametrize("text", ["OVLD", "overload", "nan", "1.#INF", "1e999", "", "--"])
def test_a_point_that_is_no_number_is_refused_with_its_line(tmp_path, form, text):
    """Also in the first row, which must not be taken for a part of the header."""
    lines = EXPORTS[form].replace("\r", "").split("\n")
    separator = {"solartron-smart": ";", "zahner-thales": "   ", "autolab-nova": ";"}.get(form, "\t")
    separator = "," if form in ("versastudio-par", "palmsens-pstrace", "keysight-csv") else separator
    first = next(n for n, line in enumerate(lines) if f"{F[0]:.7g}" in line.replace(" ", separator).split(separator))
    for at in (first, first + 20):
        cells = lines[at].split(separator)
        place = next(n for n, cell in enumerate(cells) if cell.strip().replace(",", ".") == f"{F[at - first]:.7g}")
        damaged = [*lines[:at], separator.join([*cells[:place], text or " ", *cells[place + 1 :]]), *lines[at + 1 :]]
        assert refused(tmp_path / "a.txt", "\n".join(damaged)).line == at + 1


@pytest.mark.parametrize("form", EXPORTS)
def test_a_file_that_is_cut_off_never_gives_other_values(tmp_path, form):
    """A cut between two rows goes unseen where the format has no mark of its end; the rows before it are right."""
    text = EXPORTS[form]
    path = tmp_path / "a.txt"
    for size in range(len(text) // 3, len(text), 41):
        path.write_text(text[:size], newline="")
        try:
            recording = read(path)
        except ReadError:
            continue
        count = recording.sizes["frequency"]
        np.testing.assert_allclose(recording.impedance, Z[:count], rtol=1e-6)
        assert text[size - 1] == "\n" or text[size] in "\r\n"
        if form in ("gamry-dta", "zplot") and count < F.size - 4:
            assert "unfinished" in recording.attrs


@pytest.mark.parametrize("form", EXPORTS)
def test_a_second_header_in_the_middle_is_refused(tmp_path, form):
    """Two exports that were joined: the second header is no row."""
    text = EXPORTS[form]
    refused(tmp_path / "a.txt", text + text)


@pytest.mark.parametrize(
    ("tag", "what"), [("CV", "cyclic voltammetry"), ("CHRONOA", "chronoamperometry"), ("X1", "X1")]
)
def test_another_experiment_of_gamry_is_named(tmp_path, tag, what):
    error = refused(tmp_path / "a.dta", gamry(tag=tag))
    assert what in error.reason and "a Gamry file" in error.reason and error.line == 2


def test_what_gamry_states(tmp_path):
    recording = saved(tmp_path / "a.dta", gamry())
    stated = {"experiment": "potentiostatic", "instrument": "REF3000", "amplitude": 0.01, "low_frequency": 0.1}
    stated["start"] = "2018-04-23T16:43:15"
    assert {name: recording.attrs[name] for name in stated} == stated and "unfinished" not in recording.attrs
    assert "start" not in saved(tmp_path / "b.dta", gamry().replace("4/23/2018", "4/3/2018")).attrs  # April or March
    aborted = saved(tmp_path / "c.dta", VARIANTS["Gamry, aborted"])
    assert aborted.attrs["unfinished"] == "the experiment was aborted at 0.1 Hz"
    drift = saved(tmp_path / "d.dta", VARIANTS["Gamry, drift correction"])
    assert "ZrealDrCor" in drift.attrs["unread"]


def test_damage_of_gamry(tmp_path):
    path = tmp_path / "a.dta"
    assert "37 rows below a table of 36" in refused(path, gamry(count="\t36")).reason
    assert "Zreal is in 'kohm'" in refused(path, gamry().replace("\tHz\tohm", "\tHz\tkohm")).reason
    assert "without its table ZCURVE" in refused(path, gamry().replace("ZCURVE", "CURVE")).reason
    mixed = gamry(",").replace("1000,", "1000.").replace(",5\t", ".5\t", 1)
    assert "decimal points and decimal commas" in refused(path, mixed).reason
    flipped = gamry().replace("\tZreal\tZimag\t", "\tZimag\tZreal\t")
    assert "modulus or phase contradict" in refused(path, flipped).reason


def test_points_that_zplot_lacks_are_said(tmp_path):
    rows = zplot().split("\n")
    recording = saved(tmp_path / "a.z", "\n".join([*rows[:-9], ""]))
    assert recording.attrs["unfinished"] == "29 points, the header states 37"
    more = zplot().replace("Data Points:                37", "Data Points:                36")
    assert "37 rows, the header states 36 points" in refused(tmp_path / "b.z", more).reason
    other = zplot().replace("Sweep Frequency, Control", "Monitor Potential, Control")
    assert "Monitor Potential" in refused(tmp_path / "c.z", other).reason


def test_another_experiment_of_versastudio_is_named(tmp_path):
    path = tmp_path / "a.par"
    assert "Cyclic Voltammetry" in refused(path, versastudio("Cyclic Voltammetry")).reason
    assert "ends before </Segment1>" in refused(path, versastudio().split("</Segment1>")[0]).reason
    stated = saved(path, versastudio()).attrs
    assert stated["amplitude"] == 0.01 and stated["start"] == "2018-07-19T09:40:30"


@pytest.mark.parametrize(
    ("text", "reason", "remedy"),
    [
        (nova().replace("Z' (Ω)", "Z' (kΩ)", 1), 'the unit of "Z\' (kΩ)"', "from NOVA"),
        (
            "Index;Time (s);WE(1).Potential (V);WE(1).Current (A)\n1;0;3.1;1e-6\n",
            "from Autolab NOVA",
            "FRA measurement",
        ),
        (novocontrol(names="Freq.[Hz]\tEps'\tEps''"), "a Novocontrol file of Freq.[Hz], Eps', Eps''", "Zs' and Zs''"),
        (palmsens().replace("freq / Hz,", "freq / Hz,freq / Hz,"), "several spectra", "one curve at a time"),
        (keysight("Frequency(Hz),S11(REAL),S11(IMAG)"), "which is no impedance", "save R and X"),
        (keysight().replace("END\n", ""), "the file ends before END", "from the analyser"),
        (solartron().replace("Impedance Phase", "Phase of"), "without magnitude and phase", "from SMaRT"),
    ],
)
def test_a_refusal_names_the_format_and_what_to_export(tmp_path, text, reason, remedy):
    error = refused(tmp_path / "a.txt", text)
    assert reason in error.reason and remedy in error.remedy


@pytest.mark.parametrize("text", [novocontrol(temperatures=(25.0, 60.0)), solartron((25.0, 60.0))])
def test_sweeps_at_several_temperatures_need_a_choice(tmp_path, text):
    """The advice is followed: each sweep by itself is read."""
    path = tmp_path / "a.txt"
    error = refused(path, text)
    assert "2 sweeps at temperatures from 25 to 60 °C" in error.reason and "read(path, sweep=1)" in error.remedy
    first, second = read(path, sweep=1), read(path, sweep=2)
    np.testing.assert_allclose(first.impedance, Z, rtol=1e-6)
    assert (first.temperature == 25).all() and (second.temperature == 60).all()
    assert second.attrs["sweep"] == 2 and second.attrs["sweeps"] == 2


def test_sweeps_at_one_temperature_are_read_together(tmp_path):
    recording = saved(tmp_path / "a.txt", novocontrol(temperatures=(25.0, 25.8)))
    assert int(recording.sweep.max()) == 2


@pytest.mark.parametrize("form", ["gamry-dta", "autolab-nova", "versastudio-par", "zahner-thales"])
def test_a_row_that_is_missing_from_the_count_is_refused(tmp_path, form):
    lines = EXPORTS[form].split("\n")
    at = next(n for n, line in enumerate(lines) if f"{F[9]:.7g}" in line)
    error = refused(tmp_path / "a.txt", "\n".join([*lines[:at], *lines[at + 1 :]]))
    assert error.line == at + 1 and "follows point" in error.reason


def test_spectra_of_nova_that_count_anew_are_sweeps(tmp_path):
    text = nova()
    recording = saved(tmp_path / "a.txt", text + text.split("\n", 1)[1])
    assert int(recording.sweep.max()) == 2
    np.testing.assert_allclose(recording.impedance, np.tile(Z, 2), rtol=1e-6)


def inductive(text: str, form: str) -> str:
    """The export with every Im(Z) and every phase of the other sign."""
    wanted = {f"{x:.7g}" for x in np.concatenate([Z.imag, -Z.imag, np.degrees(np.angle(Z))])}
    wanted |= {f"{x:.7g}" for x in [*PHASE, *-PHASE]}
    separator = "\t" if form in ("gamry-dta", "powersuite", "parstat", "zplot") else ","
    flipped = []
    for line in text.split("\n"):
        cells = line.split(separator)
        flipped.append(separator.join(f"{-float(cell):.7g}" if cell.strip() in wanted else cell for cell in cells))
    return "\n".join(flipped)


@pytest.mark.parametrize("form", ["gamry-dta", "versastudio-par", "parstat"])
def test_the_sign_that_a_program_fixes_counts(tmp_path, form):
    """An inductive loop is no passive cell's, but these programs write Im(Z) itself."""
    recording = saved(tmp_path / "a.txt", inductive(EXPORTS[form], form))
    np.testing.assert_allclose(recording.impedance, Z.conj(), rtol=1e-6)
    assert "which this format fixes; it is not that of a passive cell" in recording.attrs["sign"]


def test_the_sign_of_a_file_that_other_programs_write_too(tmp_path):
    """Converters to ZPlot's format write -Z'' under Z''(b)."""
    recording = saved(tmp_path / "a.z", inductive(zplot(), "zplot"))
    assert_read(recording)
    assert "the opposite of what the column Im(Z)/ohm says" in recording.attrs["sign"]


def test_the_advice_for_modulus_and_phase_is_followed(tmp_path):
    columns = {"f/Hz": F, "Z'/ohm": MODULUS, "Z''/ohm": PHASE}
    error = refused(tmp_path / "a.csv", table(columns))
    names = error.remedy.split("'")[1].split(", ")
    assert_read(saved(tmp_path / "b.csv", table(dict(zip(names, columns.values(), strict=True)))))


@pytest.mark.parametrize("name", sorted(NAMES.values()))
@pytest.mark.parametrize("start", [",", " ", "(", "[", "Z'", "freq (Hz)", ",time", "re("])
def test_recognising_a_long_line_takes_no_time(name, start):
    """A regular expression that tries every start of a run of characters would take minutes."""
    (form,) = [one for one in FORMATS if one.name == name]
    began = time.perf_counter()
    assert not form.recognise((start * 60000)[:60000].encode() + b"!\n1 2\n")
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    "text",
    [
        zplot().replace("\n", "\x0b"),
        solartron().replace("\n", "\x1c", 3),
        "EXPLAIN\x0bTAG\tEISPOT\n",
        "BEGIN CH1_DATA\x0bEND\n",
        "x\x0bFrequency/Hz Impedance/Ohm Phase/deg Significance\n1 2 3 4\n",
    ],
)
def test_characters_that_end_no_line_are_refused(tmp_path, text):
    refused(tmp_path / "a.txt", text)
