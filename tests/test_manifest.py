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


def test_a_row_without_a_role_is_not_used_and_a_note_says_so(raw):
    found = manifest.load(write(raw, HEADER, LLZ, LLZ.replace(",ccd", ",")))
    assert [row["role"] for row in found.rows] == ["ccd"]
    assert [row["role"] for row in found.listed] == ["ccd", ""]
    assert found.problems == []
    (note,) = found.notes
    assert "line 3, column role: empty, so cycling/ccd LLZ.csv is not used: use one of phase" in note


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
        ([HEADER.replace(",role", "")], "line 1: exactly one column must be named role"),
        ([HEADER + ",role"], "line 1: exactly one column must be named role"),
        ([HEADER, LLZ + "a, b"], "line 2: 13 fields in 12 columns: put a text that contains ',' in double quotes"),
        ([HEADER, LLZ[:-1]], "line 2: 11 fields in 12 columns: write a ',' for an empty field too"),
        ([HEADER, LLZ, LLZ], "line 3, column file: cycling/ccd LLZ.csv is listed twice with the role ccd: "),
        ([HEADER, LLZ, OTHER], "line 3, column state: LLZ, pristine has another ccd recording above: number the two"),
        (
            [HEADER, LLZ.replace(",cycling", ",cyling")],
            "line 2, column technique: 'cyling' is unknown (did you mean cycling?): use one of xrd",
        ),
        (
            [HEADER, LLZ.replace(",ccd", ",ccds")],
            "line 2, column role: 'ccds' is unknown (did you mean ccd?): use one of phase",
        ),
        (
            [HEADER, LLZ.replace(",ccd", ",interface")],
            "line 2, column technique: cycling is not that of the role interface: write eis, or another role",
        ),
        ([HEADER, LLZ.replace("0.785", "1_0")], "line 2, column area_cm2: '1_0' is not a positive number"),
        ([HEADER, LLZ.replace("0.785", '"0,785"')], "line 2, column area_cm2: '0,785' is not a positive number"),
        ([HEADER, LLZ.replace("synthetic", "made")], "line 2, column origin: 'made' is unknown: use one of synthetic"),
        ([HEADER, LLZ.replace(",LLZ", ",")], "line 2, column sample: empty"),
        ([HEADER, LLZ.replace("0.785", "0.785 cm2")], "line 2, column area_cm2: '0.785 cm2' is not a positive number"),
        ([HEADER, LLZ.replace("0.785", "0")], "line 2, column area_cm2: '0' is not a positive number"),
        ([HEADER, LLZ.replace("25", "nan")], "line 2, column temperature_C: 'nan' is not a number"),
        ([HEADER, LLZ.replace("synthetic,", "synthetic,abc")], "line 2, column sha256: not 64 hexadecimal digits"),
        ([HEADER, LLZ.replace("ccd LLZ", "lost")], "line 2, column file: 'cycling/lost.csv' is no file in "),
        ([HEADER, LLZ.replace("cycling/ccd LLZ.csv", "")], "line 2, column file: empty: write the path"),
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


def test_only_file_role_and_sample_are_needed_in_any_order_and_case(raw):
    (row,) = rows(write(raw, " Sample ,FILE,Role", r"LLZ,Cycling\CCD llz.CSV, Ccd "))
    assert list(row) == list(manifest.KEYS)
    assert {name: value for name, value in row.items() if value} == {
        "file": "cycling/ccd LLZ.csv",
        "technique": "cycling",
        "role": "ccd",
        "sample": "LLZ",
        "origin": "measured",
    }


def test_every_role_has_a_technique():
    assert set(manifest.TECHNIQUES.values()) == set(manifest.KNOWN["technique"])


def test_a_file_is_found_in_other_case_or_accents_where_there_is_one_only(raw):
    for name in ("Ümlaut.csv", "a.csv", "A.csv"):
        (raw / name).touch()
    header = "file,role,sample"
    assert rows(write(raw, header, "u\u0308mlaut.csv,ccd,A"))[0]["file"] == "Ümlaut.csv"
    assert rows(write(raw, header, "./a.csv,ccd,A", "A.csv,ccd,B"))[1]["file"] == "A.csv"
    with pytest.raises(ManifestError, match=r"'a\.CSV' may be A\.csv or a\.csv: write it as one of them"):
        rows(write(raw, header, "a.CSV,ccd,A"))


def test_a_file_of_that_very_name_with_a_backslash_is_no_excuse_to_leave_the_folder(raw):
    with pytest.raises(ManifestError, match="is outside of the folder"):
        rows(write(raw, "file,role,sample", r"..\x.csv,ccd,A"))


def test_all_problems_come_in_one_run_in_the_order_of_the_lines(raw):
    lines = ["lost.csv,cdc,", "cycling/ccd LLZ.csv,ccd,A", "cycling/ccd LLZ.csv,ccd,A", "cycling/ccd In.csv,ccd,A"]
    write(raw, "file,role,sample", *lines)
    found = manifest.problems(raw)
    assert [problem.removeprefix(f"{raw}/manifest.csv, ").split(":")[0] for problem in found] == [
        "line 2, column role",
        "line 2, column sample",
        "line 2, column file",
        "line 4, column file",
        "line 5, column state",
    ]
    with pytest.raises(ManifestError) as error:
        rows(raw)
    assert (error.value.problems, str(error.value)) == (found, "\n".join(found))
    assert [row["sample"] for row in manifest.load(raw).rows] == ["A"]
    assert [one.line for one in manifest.load(raw).unusable] == [2, 4, 5]
    assert len(manifest.load(raw).listed) == 4
    assert manifest.problems(write(raw, "role,area_cm2")) == [
        f"{raw}/manifest.csv, line 1: exactly one column must be named {name}; needed are file, role, sample"
        for name in ("file", "sample")
    ]
    (raw / "manifest.csv").unlink()
    assert len(manifest.problems(raw)) == 1
    assert manifest.problems(write(raw, "file,role,sample", "cycling/ccd LLZ.csv,ccd,A")) == []


@pytest.mark.parametrize(
    ("column", "note"),
    [
        ("Area (cm2)", "; name it area_cm2 if it is that"),
        ("area / cm²", "; name it area_cm2 if it is that"),
        ("Thickness (µm)", "; name it thickness_cm if it is that"),
        ("temperature", "; name it temperature_C if it is that"),
        ("active mass", "; name it active_mass_mg if it is that"),
        ("electrolyte", ""),
        ("Datum", ""),
    ],
)
def test_an_unknown_column_is_ignored_with_a_note_that_says_which_it_resembles(raw, column, note):
    found = manifest.load(write(raw, f"file,role,sample,{column}", "cycling/ccd LLZ.csv,ccd,A,0.785"))
    assert found.notes == [f"{raw}/manifest.csv: the column {column!r} is ignored{note}"]
    assert not found.rows[0]["area_cm2"]


def test_a_needed_column_under_another_name_is_recognised_in_the_message(raw):
    with pytest.raises(ManifestError, match="must be named sample: rename the column 'Samples'; needed are file"):
        rows(write(raw, "file,role,Samples", "cycling/ccd LLZ.csv,ccd,A"))


def test_samples_that_differ_in_case_only_are_noted(raw):
    write(raw, "file,role,sample", "cycling/ccd LLZ.csv,ccd,LLZ", "cycling/ccd In.csv,ccd,llz")
    (note,) = manifest.load(raw).notes
    assert note.endswith("manifest.csv: the samples LLZ and llz differ in case only; they are shown as several")


def test_ten_thousand_rows_are_checked_in_under_a_second(raw):
    for number in range(10_000):
        (raw / "cycling" / f"{number}.csv").touch()
    lines = [LLZ.replace("ccd LLZ", str(number)).replace(",LLZ,", f",cell {number},") for number in range(10_000)]
    write(raw, HEADER, *lines)
    start = time.process_time()
    assert len(rows(raw)) == len(lines)
    assert time.process_time() - start < 1
