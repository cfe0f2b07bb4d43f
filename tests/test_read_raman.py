"""Raman spectra: JCAMP-DX in each of its forms, B&W Tek's text; and their damage."""

import itertools
import string

import numpy as np
import pytest
import xarray as xr

from coldbond.files import ReadError, read

#: The ordinates of table VI of McDonald and Wilks 1988 (doi 10.1366/0003702884428734), and the table itself in DIFDUP
#: as Baumbach and others print it, without the two misprints (2001, doi 10.1351/pac200173111765).
ORDINATES = [0, 0, 0, 0, 2, 4, 4, 4, 7, 5, 4, 4, 5, 5, 7, 10, 11, 11, 6, 5, 7, 6, 9, 9, 7, 10, 10, 9, 10, 11, 12, 15]
ORDINATES += [16, 16, 14, 17, 38, 38, 35, 38, 42, 47, 54, 59, 66, 75, 78, 88, 96, 104, 110, 121, 128]
DIFDUP = "599.860@VKT%TLkj%J%KLJ%njKjL%kL%jJULJ%kLK1%lLMNPNPRLJ0QTOJ1P\n700.158A28"
FIRST, LAST = 599.86, 700.158


def coded(number: int, digits: str) -> str:
    """A number with its sign and first digit as one letter: `digits` are those of 0 to 9, then of -1 to -9."""
    text = str(abs(number))
    return digits[int(text[0]) + (9 if number < 0 else 0)] + text[1:]


def packed(ordinates: list[int]) -> str:
    return "".join(f"{number:+d}" for number in ordinates)


def squeezed(ordinates: list[int]) -> str:
    return "".join(coded(number, "@" + string.ascii_letters[26:35] + "abcdefghi") for number in ordinates)


def differenced(ordinates: list[int]) -> str:
    steps = (b - a for a, b in itertools.pairwise(ordinates))
    return squeezed(ordinates[:1]) + "".join(coded(step, "%JKLMNOPQRjklmnopqr") for step in steps)


def even_table(form: str, ordinates: list[int] = ORDINATES, factor: float = 1) -> str:
    """The table in lines of 10 ordinates; in DIF each line starts at the last ordinate of the line before."""
    x = np.linspace(FIRST, LAST, len(ordinates)) / factor
    starts = range(0, len(ordinates), 9 if form == "DIF" else 10)
    write = {"FIX": lambda line: " " + " ".join(map(str, line)), "PAC": packed, "SQZ": squeezed, "DIF": differenced}
    return "\n".join(f"{x[at]:.3f}{write[form](ordinates[at : at + 10])}" for at in starts)


TABLES = {form: even_table(form) for form in ("FIX", "PAC", "SQZ", "DIF")} | {"DIFDUP": DIFDUP}


def jcamp(table: str, form: str = "(X++(Y..Y))", **changed: str) -> str:
    """A file; `changed` replaces header records, "" leaves one out."""
    header = {
        "TITLE": "LLZ $$ a pellet", "JCAMP-DX": "4.24", "DATA TYPE": "RAMAN SPECTRUM", "ORIGIN": "a laboratory",
        "OWNER": "nobody", "SPECTROMETER/DATA SYSTEM": "a spectrometer", "$LASER WAVELENGTH": "532.0 nm",
        "$EXPOSURE TIME": "500 ms", "$NUMBER OF EXPOSURES": "20",
        "XUNITS": "1/CM", "YUNITS": "ARBITRARY UNITS", "XFACTOR": "1.0", "YFACTOR": "0.5",
        "FIRSTX": str(FIRST), "LASTX": str(LAST), "NPOINTS": "53", "FIRSTY": "0", "MAXY": "64.0",
    }  # fmt: skip
    header |= {name.replace("_", " "): text for name, text in changed.items()}
    lines = [f"##{name}= {text}" for name, text in header.items() if text]
    return "\n".join([*lines, "$$ a comment", f"##XYDATA= {form}", table, "##END=", ""])


def pairs(separator: str = "\n") -> str:
    return separator.join(f"{x:.3f}, {y}" for x, y in zip(np.linspace(FIRST, LAST, 53), ORDINATES, strict=True))


def saved(path, text: str | bytes) -> xr.Dataset:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(path)


@pytest.mark.parametrize("form", TABLES)
def test_every_form_of_the_standard_holds_the_same_ordinates(tmp_path, form):
    spectrum = saved(tmp_path / "a.jdx", jcamp(TABLES[form]))
    np.testing.assert_allclose(spectrum.intensity, 0.5 * np.array(ORDINATES))
    np.testing.assert_allclose(spectrum.raman_shift, np.linspace(FIRST, LAST, 53))


@pytest.mark.parametrize("separator", ["\n", "; ", "  "])
def test_pairs(tmp_path, separator):
    spectrum = saved(tmp_path / "a.jdx", jcamp(pairs(separator), "(XY..XY)"))
    np.testing.assert_allclose(spectrum.intensity, 0.5 * np.array(ORDINATES))
    np.testing.assert_allclose(spectrum.raman_shift, np.linspace(FIRST, LAST, 53), atol=5e-4)


def test_the_factor_of_the_abscissa(tmp_path):
    text = jcamp(even_table("SQZ", factor=0.01), XFACTOR="0.01")
    np.testing.assert_allclose(saved(tmp_path / "a.jdx", text).raman_shift, np.linspace(FIRST, LAST, 53))


def test_a_table_that_runs_down_is_turned(tmp_path):
    table = even_table("FIX", ORDINATES[::-1]).split("\n")
    x = np.linspace(LAST, FIRST, 53)[::10]
    table = [f"{at:.3f}{row[row.index(' ') :]}" for at, row in zip(x, table, strict=True)]
    text = jcamp("\n".join(table), FIRSTX=str(LAST), LASTX=str(FIRST), FIRSTY="64.0")
    xr.testing.assert_allclose(saved(tmp_path / "a.jdx", text), saved(tmp_path / "b.jdx", jcamp(DIFDUP)))


@pytest.mark.parametrize("number", ["1E0", "10e-1", "1.0E+00"])
def test_an_exponent_without_a_sign(tmp_path, number):
    header = {"XFACTOR": number, "MAXY": "6.4E1", "YFACTOR": "5E-1", "NPOINTS": "53"}
    np.testing.assert_allclose(saved(tmp_path / "a.jdx", jcamp(DIFDUP, **header)).intensity, 0.5 * np.array(ORDINATES))
    rows = "\n".join(f"{x:.3f}, {y / 10}E1" for x, y in zip(np.linspace(FIRST, LAST, 53), ORDINATES, strict=True))
    spectrum = saved(tmp_path / "a.jdx", jcamp(rows, "(XY..XY)"))
    np.testing.assert_allclose(spectrum.intensity, 0.5 * np.array(ORDINATES))


@pytest.mark.parametrize("unit", ["Raman Shift (cm-1)", "CM-1", "cm^-1", "WAVENUMBERS (1/CM)", "Raman shift / cm⁻¹"])
def test_how_the_unit_of_the_abscissa_is_written(tmp_path, unit):
    spectrum = saved(tmp_path / "a.jdx", jcamp(DIFDUP, XUNITS=unit))
    np.testing.assert_allclose(spectrum.raman_shift, np.linspace(FIRST, LAST, 53))


def test_an_abscissa_in_nm_is_converted_with_the_laser_of_the_file_or_of_the_user(tmp_path):
    light = np.linspace(FIRST, LAST, 53)
    text = jcamp(DIFDUP, XUNITS="NANOMETERS")
    np.testing.assert_allclose(saved(tmp_path / "a.jdx", text).raman_shift, 1e7 / 532 - 1e7 / light)
    (tmp_path / "a.jdx").write_text(text)
    stated = read(tmp_path / "a.jdx", excitation=590)
    np.testing.assert_allclose(stated.raman_shift, 1e7 / 590 - 1e7 / light)
    assert stated.attrs["stated"] == "excitation 590 nm, the file says 532 nm"


def test_a_label_that_occurs_twice(tmp_path):
    text = jcamp(DIFDUP).replace("##XUNITS", "##OWNER= somebody\n##XUNITS")
    spectrum = saved(tmp_path / "a.jdx", text)
    assert spectrum.attrs["unread"].startswith("##OWNER= of line") and spectrum.sizes["raman_shift"] == 53
    assert "unread" not in saved(tmp_path / "a.jdx", text.replace("somebody", "nobody")).attrs


@pytest.mark.parametrize(
    ("label", "nm"),
    [("$LASER WAVELENGTH", ("785 nm", 785)), ("$EXCITATION (NM)", ("785", 785)), ("$LASER", ("18796.99 cm-1", 532)),
     ("$LASER POWER", ("600", None)), ("$LASER INTENSITY", ("600", None)), ("$EXCITATION", ("0.633 um", 633))],
)  # fmt: skip
def test_the_laser_and_its_unit(tmp_path, label, nm):
    text = jcamp(DIFDUP).replace("##$LASER WAVELENGTH= 532.0 nm", f"##{label}= {nm[0]}")
    assert saved(tmp_path / "a.jdx", text).attrs.get("excitation") == (nm[1] and pytest.approx(nm[1], abs=1e-3))


def test_header_fields(tmp_path):
    spectrum = saved(tmp_path / "a.jdx", jcamp(DIFDUP))
    attrs = spectrum.attrs
    assert (attrs["technique"], attrs["format"], attrs["sample_name"]) == ("raman", "jcamp-dx", "LLZ")
    assert (attrs["excitation"], attrs["integration_time"], attrs["instrument"]) == (532.0, 0.5, "a spectrometer")
    assert attrs["accumulations"] == 20
    assert spectrum.intensity.attrs["units"] == "arbitrary units" and "one_count" not in spectrum
    assert spectrum.intensity.attrs["counting"] == "unknown: the file gives arbitrary units"
    counts = saved(tmp_path / "b.jdx", jcamp(DIFDUP, YUNITS="COUNTS")).intensity.attrs
    assert counts["units"] == "count" and counts["counting"] == "unknown: a camera's counts are not single photons"


#: Lines without which the numbers still are what they are; the last is the check value after a table in DIF.
UNNEEDED = ("##TITLE", "##JCAMP", "##ORIGIN", "##OWNER", "##SPECTROMETER", "##$", "$$", "##FIRSTY", "##MAXY")
UNNEEDED = (*UNNEEDED, "700.158A28")


@pytest.mark.parametrize(
    "text",
    [*(jcamp(TABLES[form]) for form in TABLES), jcamp(pairs(), "(XY..XY)")],
    ids=[*TABLES, "pairs"],
)
def test_no_line_of_a_jcamp_file_can_be_lost_or_doubled_unnoticed(tmp_path, text):
    """Cut after each line, each line left out, each line twice: refused, or the same spectrum."""
    whole, lines = saved(tmp_path / "a.jdx", text), text.splitlines(keepends=True)
    damaged = [(lines[:cut], "") for cut in range(1, len(lines))]
    damaged += [(lines[:at] + lines[at + 1 :], line) for at, line in enumerate(lines)]
    damaged += [([*lines[:at], line, *lines[at:]], "twice") for at, line in enumerate(lines) if line[:2] != "$$"]
    for number, (kept, lost) in enumerate(damaged):
        try:
            spectrum = saved(tmp_path / "b.jdx", "".join(kept))
        except ReadError as error:
            assert error.remedy, number
        else:
            assert lost.startswith(("twice", *UNNEEDED)) or (
                lost.startswith(("##FIRSTX", "##LASTX")) and "(XY..XY)" in text
            )
            xr.testing.assert_equal(spectrum, whole)


DAMAGE = {
    "infrared": (jcamp(DIFDUP, DATA_TYPE="INFRARED SPECTRUM"), "its data type is 'INFRARED SPECTRUM'"),
    "several": (jcamp(DIFDUP, DATA_TYPE="LINK"), "its data type is 'LINK'"),
    "another after it": (jcamp(DIFDUP) * 2, "more follows after ##END=: 2 spectra in one file"),
    "another within it": (jcamp(DIFDUP).replace("##END=", "##TITLE=b\n##END="), "the label 'TITLE' occurs twice"),
    "seconds": (jcamp(DIFDUP, XUNITS="SECONDS"), "the abscissa is in 'SECONDS'"),
    "wavelength": (jcamp(DIFDUP, XUNITS="NANOMETERS", **{"$LASER_WAVELENGTH": ""}), "no excitation is stated"),
    "absorbance": (jcamp(DIFDUP, YUNITS="ABSORBANCE"), "the ordinate is in 'ABSORBANCE'"),
    "factor twice": (jcamp(DIFDUP).replace("##NPOINTS", "##YFACTOR= 2\n##NPOINTS"), "the label 'YFACTOR' occurs twice"),
    "laser twice": (jcamp(DIFDUP).replace("##NPOINTS", "##$LASER WAVELENGTH= 785 nm\n##NPOINTS"), "occurs twice"),
    "peaks": (jcamp(DIFDUP).replace("##XYDATA= (X++(Y..Y))", "##PEAK TABLE= (XY..XY)"), "no ##XYDATA="),
    "form": (jcamp(DIFDUP, "(XYW..XYW)"), "its table has the form '(XYW..XYW)'"),
    "points": (jcamp(DIFDUP, NPOINTS="54"), "53 ordinates where ##NPOINTS= states 54"),
    "points of pairs": (jcamp(pairs(), "(XY..XY)", NPOINTS="54"), "53 points where ##NPOINTS= states 54"),
    "points in words": (jcamp(DIFDUP, NPOINTS="many"), "##NPOINTS= is 'many', not a number"),
    "first": (jcamp(pairs(), "(XY..XY)", FIRSTX="590.0"), "##FIRSTX= states 590, but the table has 599.86"),
    "last": (jcamp(pairs(), "(XY..XY)", LASTX="710.0"), "##LASTX= states 710, but the table has 700.158"),
    "greatest": (jcamp(DIFDUP, MAXY="70.0"), "##MAXY= states 70, but the table has 64"),
    "factor": (jcamp(DIFDUP, YFACTOR=""), "no ##YFACTOR="),
    "check value": (jcamp(DIFDUP.replace("A28", "A29")), "the check value is 129, but the line before ends at 128"),
    "difference": (jcamp(TABLES["DIF"].replace("M", "N", 1)), "the check value is"),
    "abscissa": (jcamp(TABLES["SQZ"].replace("619.148", "629.148")), "the line starts at 629.148"),
    "missing ordinate": (jcamp(TABLES["FIX"].replace(" 38 38", " ? 38")), "'?' is not an ordinate"),
    "letter": (jcamp(TABLES["FIX"].replace(" 38 38", " 3x 38")), "'x' is not an ordinate"),
    "repeats": (jcamp(DIFDUP.replace("@V", "@V99999999")), "499999999 repeats of one ordinate"),
    "starts with a difference": (jcamp(DIFDUP.replace("@V", "K")), "before any ordinate"),
    "no ordinates": (jcamp(DIFDUP + "\n720.0"), "no ordinate in"),
    "odd pairs": (jcamp(pairs() + "\n710.0", "(XY..XY)"), "is not a list of pairs of numbers"),
    "decimal commas": (
        jcamp(pairs().replace(", ", " ").replace(".", ","), "(XY..XY)"),
        "is not a list of pairs of numbers",
    ),
    "not one way": (jcamp(pairs().replace("603.718", "599.718"), "(XY..XY)"), "is not monotonic"),
    "empty": (jcamp("", "(XY..XY)"), "0 points where ##NPOINTS= states 53"),
    "no label": (jcamp(DIFDUP).replace("##OWNER=", "##OWNER"), "is not a labelled record"),
    "encoding": (jcamp(DIFDUP).replace("nobody", "\xff").encode("latin-1"), "not text in utf-8"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_jcamp_file_is_refused(tmp_path, damage):
    text, reason = DAMAGE[damage]
    with pytest.raises(ReadError) as caught:
        saved(tmp_path / "a.jdx", text)
    assert reason in caught.value.reason and caught.value.remedy


LASER = 532.02


def bwtek(comma: bool = True, subtracted: bool = True) -> str:
    """A file of ten pixels, of which six are calibrated; dark counts of 1000."""
    header = (
        "File Version;BWRam4.11_11\nDate;2022-01-24 13:44:33\nmodel;BTC162E-532S-SYS\nintigration times(ms);60000\n"
    )
    header += f"average number;2\npixel_num;10\nlaser_wavelength;{LASER}\nlaser_powerlevel;70\n"
    names = "Pixel;Wavelength;Wavenumber;Raman Shift;Dark;Reference;Raw data #1" + ";Dark Subtracted #1" * subtracted
    rows = []
    for pixel in range(10):
        shift = 500 + 2.97 * pixel
        place = f"540.0;{1e7 / LASER - shift:.2f};{shift:.2f}" if 2 <= pixel < 8 else "   ;   ;   "
        counts = f"1000.0000;65535.0000;{1000 + 10.5 * pixel:.4f}" + f";{10.5 * pixel:.4f}" * subtracted
        rows.append(f"{pixel};{place};{counts};")
    text = "\n".join([header + names + ";", *rows, ""])
    return text.replace(".", ",").replace("BWRam4,11", "BWRam4.11") if comma else text


@pytest.mark.parametrize("comma", [True, False])
def test_bwtek(tmp_path, comma):
    spectrum = saved(tmp_path / "a.txt", bwtek(comma))
    np.testing.assert_allclose(spectrum.raman_shift, 500 + 2.97 * np.arange(2, 8))
    np.testing.assert_allclose(spectrum.intensity, 10.5 * np.arange(2, 8))
    attrs = spectrum.attrs
    assert (attrs["excitation"], attrs["integration_time"], attrs["accumulations"]) == (LASER, 60, 2)
    assert attrs["format"] == "bwtek" and attrs["start"] == "2022-01-24T13:44:33" and "Raw data #1" in attrs["unread"]
    assert spectrum.intensity.attrs["column"] == "Dark Subtracted #1"
    assert spectrum.intensity.attrs["counting"].startswith("unknown")


@pytest.mark.parametrize("program", ["BWRam4.11_11", "BWSpec4.11_1", "BWID 3"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_programs_and_separators_of_bwtek(tmp_path, program, separator):
    text = bwtek(comma=False).replace("BWRam4.11_11", program).replace(";", separator)
    spectrum = saved(tmp_path / "a.txt", text.replace("intigration times", "integration time"))
    np.testing.assert_allclose(spectrum.intensity, 10.5 * np.arange(2, 8))
    assert (spectrum.attrs["excitation"], spectrum.attrs["integration_time"]) == (LASER, 60)


def test_a_bwtek_file_without_its_laser_is_read_once_it_is_stated(tmp_path):
    text = bwtek().replace("laser_wavelength;532,02\n", "")
    with pytest.raises(ReadError, match=r"read\(path, excitation=785\)"):
        saved(tmp_path / "a.txt", text)
    spectrum = read(tmp_path / "a.txt", excitation=LASER)
    np.testing.assert_allclose(spectrum.raman_shift, 500 + 2.97 * np.arange(2, 8))
    assert spectrum.attrs["excitation"] == LASER


def test_bwtek_without_dark_counts(tmp_path):
    spectrum = saved(tmp_path / "a.txt", bwtek(subtracted=False))
    np.testing.assert_allclose(spectrum.intensity, 1000 + 10.5 * np.arange(2, 8))
    assert spectrum.intensity.attrs["column"] == "Raw data #1"


BWTEK_DAMAGE = {
    "text": (bwtek().replace("1031,5000", "1o31,5000"), 13, "Raw data #1 is '1o31.5000', not a number"),
    "gap": (bwtek().replace("508,91", "   "), 13, "Raman Shift is '', not a number"),
    "shift": (bwtek().replace("508,91", "518,91"), 13, "do not add up"),
    "laser": (bwtek().replace(";532,02", ";785,0"), 12, "do not add up"),
    "no laser": (bwtek().replace("laser_wavelength;532,02\n", ""), None, "states nothing for 'laser_wavelength'"),
    "dark": (bwtek().replace("1000,0000;65535,0000;1031", "990,0000;65535,0000;1031"), 13, "minus Dark is not"),
    "short row": (bwtek().replace("1031,5000;", ""), 13, "7 fields under 8 column names"),
    "no shift": (bwtek().replace("Raman Shift", "Shift"), 9, "no column named Raman Shift"),
    "two spectra": (bwtek().replace("Reference", "Raw data #2"), 9, "several spectra (Raw data #2)"),
    "outside the range": (bwtek().replace(";2", ";2", 1).replace("pixel_num;10", "pixel_num;11"), 19, "10 rows"),
    "encoding": (bwtek().encode() + b"\xff", 20, "not text in utf-8"),
    "a column twice": (bwtek().replace("Reference", "Dark"), 9, "several columns named Dark"),
}


@pytest.mark.parametrize("damage", BWTEK_DAMAGE)
def test_a_damaged_bwtek_file_is_refused(tmp_path, damage):
    text, line, reason = BWTEK_DAMAGE[damage]
    with pytest.raises(ReadError) as caught:
        saved(tmp_path / "a.txt", text)
    assert reason in caught.value.reason and caught.value.line == line


def test_no_line_of_a_bwtek_file_can_be_cut_off_unnoticed(tmp_path):
    lines = bwtek().splitlines(keepends=True)
    for cut in range(1, len(lines)):
        with pytest.raises(ReadError):
            saved(tmp_path / "a.txt", "".join(lines[:cut]))
