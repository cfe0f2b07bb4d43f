import codecs
import os
import time
from pathlib import Path

import pytest

from coldbond import constants
from coldbond.bundle import manifest
from coldbond.bundle.manifest import COLUMNS, ManifestError, rows

HEADER = ",".join(COLUMNS)
LLZ = "cycling/ccd LLZ.csv,cycling,ccd,LLZ,pristine,synthetic,,0.785,0.1,,25,"
OTHER = LLZ.replace("ccd LLZ.csv", "ccd In.csv")


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    (tmp_path / "cycling").mkdir()
    for name in ("ccd LLZ.csv", "ccd In.csv"):
        (tmp_path / "cycling" / name).touch()
    return tmp_path


def write(raw: Path, *lines: str, encoding: str = "utf-8") -> Path:
    (raw / "manifest.csv").write_text("\n".join(lines) + "\n", encoding=encoding)
    return raw


def test_the_constants_are_those_of_the_analysis():
    """The manifest is read by make, before the package can be imported, and therefore has its own list."""
    assert tuple(constants.CONSTANTS) == manifest.CONSTANTS
    assert set(manifest.CONSTANTS) <= set(COLUMNS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_rows_contain_the_columns_as_text(raw, encoding, end):
    note = '"a note, with a comma in it, and µ"'
    (raw / "manifest.csv").write_bytes(
        end.join([HEADER, LLZ + note, "", "," * 11, LLZ.replace("LLZ", "In")]).encode(encoding)
    )

    first, second = rows(raw)

    assert list(first) == [*COLUMNS, manifest.REPLICATE, *manifest.STATED]
    assert first["file"] == "cycling/ccd LLZ.csv"
    assert float(first["area_cm2"]) == 0.785
    assert first["active_mass_mg"] == ""
    assert first["note"] == "a note, with a comma in it, and µ"
    assert second["sample"] == "In"


def test_a_european_spreadsheet_separates_by_semicolons_and_writes_decimal_commas(raw):
    line = LLZ.replace(",", ";").replace("0.785", "0,785") + "one, two"
    (row,) = rows(write(raw, HEADER.replace(",", ";"), line))
    assert (row["area_cm2"], row["note"]) == ("0.785", "one, two")


def test_what_a_file_does_not_say_stands_in_columns_that_may_be_absent(raw):
    assert rows(write(raw, HEADER, LLZ))[0]["wavelength_angstrom"] == ""
    (row,) = rows(write(raw, HEADER + ",wavelength_angstrom,sweep", LLZ + ",1.5406 1.5444,3"))
    assert (row["wavelength_angstrom"], row["sweep"], row["encoding"]) == ("1.5406 1.5444", "3", "")
    semicolons = f"{HEADER},excitation_nm".replace(",", ";"), LLZ.replace(",", ";") + ";632,8"
    assert rows(write(raw, *semicolons))[0]["excitation_nm"] == "632.8"


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("wavelength_angstrom", "Cu", "'Cu' is not a positive number: write 1.540593 1.544427"),
        ("wavelength_angstrom", "1.5 1.6 1.7", "is not a positive number"),
        ("excitation_nm", "532 nm", "'532 nm' is not a positive number: write 532"),
        ("photon_energy_eV", "-1486.6", "is not a positive number"),
        ("sweep", "2.5", "'2.5' is not a whole number: write 3"),
    ],
)
def test_a_wrong_statement_is_refused_with_line_and_column(raw, column, cell, message):
    with pytest.raises(ManifestError, match=f"line 2, column {column}: .*{message}"):
        rows(write(raw, f"{HEADER},{column}", f"{LLZ},{cell}"))


def test_one_recording_may_have_two_roles(raw):
    assert [row["role"] for row in rows(write(raw, HEADER, LLZ, LLZ.replace("ccd,", "rate,")))] == ["ccd", "rate"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "line 1: exactly one column must be named file"),
        ([HEADER.replace(",role", "")], "line 1: exactly one column must be named role"),
        ([HEADER + ",role"], "line 1: exactly one column must be named role"),
        ([HEADER, LLZ + "a, b"], "line 2: 13 fields in 12 columns: put a text that contains ',' in double quotes"),
        ([HEADER, LLZ[:-1]], "line 2: 11 fields in 12 columns: write a ',' for an empty field too"),
        ([HEADER, LLZ, LLZ], "line 3, column file: cycling/ccd LLZ.csv is listed twice with the role ccd: "),
        ([HEADER, LLZ, OTHER], "line 3, column state: LLZ, pristine has another ccd recording above: number the two"),
        (
            [HEADER, LLZ.replace(",cycling", ",cyling")],
            "line 2, column technique: 'cyling' is unknown: use one of xrd",
        ),
        ([HEADER, LLZ.replace(",ccd", ",CCD")], "line 2, column role: 'CCD' is unknown: use one of phase"),
        (
            [HEADER, LLZ.replace("synthetic", "")],
            "line 2, column origin: '' is unknown: use one of synthetic",
        ),
        ([HEADER, LLZ.replace(",LLZ", ",")], "line 2, column sample: empty"),
        ([HEADER, LLZ.replace("0.785", "0.785 cm2")], "line 2, column area_cm2: '0.785 cm2' is not a positive number"),
        ([HEADER, LLZ.replace("0.785", "0")], "line 2, column area_cm2: '0' is not a positive number"),
        ([HEADER, LLZ.replace("25", "nan")], "line 2, column temperature_C: 'nan' is not a number"),
        ([HEADER, LLZ.replace("synthetic,", "synthetic,abc")], "line 2, column sha256: not 64 hexadecimal digits"),
        ([HEADER, LLZ.replace("ccd LLZ", "lost")], "line 2, column file: 'cycling/lost.csv' is no file in "),
        ([HEADER, LLZ.replace("cycling/ccd LLZ.csv", "")], "line 2, column file: '' is no file in "),
        ([HEADER, LLZ.replace("cycling/", "../cycling/")], "line 2, column file: ../cycling/ccd LLZ.csv is outside "),
        ([HEADER, LLZ.replace("cycling/", "/cycling/")], "line 2, column file: /cycling/ccd LLZ.csv is outside "),
        ([HEADER, LLZ + '"never closed'], "line 2: unexpected end of data"),
    ],
)
def test_an_unusable_row_is_refused_with_line_and_column(raw, lines, message):
    with pytest.raises(ManifestError) as error:
        rows(write(raw, *lines))
    assert f"{raw / 'manifest.csv'}, {message}" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_folder_without_a_manifest_is_refused(tmp_path):
    with pytest.raises(ManifestError, match=r"manifest\.csv: there is no such file; raw/README\.md describes"):
        rows(tmp_path)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_another_encoding_is_refused(raw, encoding):
    with pytest.raises(ManifestError, match=r"not UTF-8 at byte [0-9]+: save it as 'CSV UTF-8'"):
        rows(write(raw, HEADER, LLZ + "1 µm", encoding=encoding))


def test_utf_16_without_a_mark_is_refused(raw):
    (raw / "manifest.csv").write_bytes((HEADER + "\n").encode("utf-16").removeprefix(codecs.BOM_UTF16))
    with pytest.raises(ManifestError, match=r"manifest\.csv, line 1: .*save it as 'CSV UTF-8'|exactly one column"):
        rows(raw)


def test_a_link_out_of_the_folder_is_refused_and_one_within_it_is_not(tmp_path, raw):
    outside = tmp_path.parent / f"{tmp_path.name} outside"
    outside.mkdir()
    (outside / "secret.csv").touch()
    (raw / "cycling" / "linked").symlink_to(raw / "cycling")
    (raw / "cycling" / "ccd out.csv").symlink_to(outside / "secret.csv")
    (raw / "cycling" / "out").symlink_to(outside)
    assert rows(write(raw, HEADER, LLZ.replace("cycling/", "cycling/linked/")))
    for file in ("cycling/ccd out.csv", "cycling/out/secret.csv"):
        with pytest.raises(ManifestError, match=f"{file} is a link out of .*: copy the recording into that"):
            rows(write(raw, HEADER, LLZ.replace("cycling/ccd LLZ.csv", file)))


def test_what_is_no_regular_file_is_not_opened(raw):
    os.mkfifo(raw / "cycling" / "pipe.csv")
    with pytest.raises(ManifestError, match=r"'cycling/pipe\.csv' is no file in"):
        rows(write(raw, HEADER, LLZ.replace("ccd LLZ", "pipe")))
    (raw / "manifest.csv").unlink()
    for make in (os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)):
        make(raw / "manifest.csv")
        with pytest.raises(ManifestError, match=r"manifest\.csv: no regular file"):
            rows(raw)
        (raw / "manifest.csv").rename(raw / f"was {make}".replace("/", ""))
    with (raw / "manifest.csv").open("wb") as file:
        file.truncate(1 << 36)
    with pytest.raises(ManifestError, match="larger than 64 MB"):
        rows(raw)


def test_ten_thousand_rows_are_checked_in_under_a_second(raw):
    for number in range(10_000):
        (raw / "cycling" / f"{number}.csv").touch()
    lines = [LLZ.replace("ccd LLZ", str(number)).replace(",LLZ,", f",cell {number},") for number in range(10_000)]
    write(raw, HEADER, *lines)
    start = time.process_time()
    assert len(rows(raw)) == len(lines)
    assert time.process_time() - start < 1
