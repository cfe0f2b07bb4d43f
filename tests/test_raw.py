"""Recordings are found by role and sample, and are checked against the manifest."""

import hashlib
import shutil

import numpy as np
import pytest

from coldbond import ReadError, constants
from coldbond.bundle import manifest, paths, raw

COLUMNS = "file,technique,role,sample,state,origin,sha256,area_cm2,thickness_cm,active_mass_mg,temperature_C,note"
RECORDING = "Test Time / s,Voltage / V,Current / A\n0.0,0.0000,0.0000\n1.0,0.0500,0.0010\n2.0,0.0510,0.0010\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a function that creates a folder of recordings from (file, role, sample, state, sha256) rows."""
    monkeypatch.setattr(paths, "RAW", tmp_path)

    def lay_out(*rows, technique="cycling"):
        lines = [
            f"{file},{technique},{role},{sample},{state},measured,{sha},0.5,,,25,"
            for file, role, sample, state, sha in rows
        ]
        (tmp_path / "manifest.csv").write_text("\n".join([COLUMNS, *lines]) + "\n")
        for row in rows:
            (tmp_path / row[0]).write_text(RECORDING)
        return tmp_path

    return lay_out


def test_samples_are_in_the_requested_order_with_the_constants_of_the_manifest(folder):
    folder(("a.csv", "ccd", "A", "", ""), ("b.csv", "ccd", "B", "", ""), ("c.csv", "rate", "C", "", ""))
    assert list(raw.recordings("ccd", ["B", "A"])) == ["B", "A"]
    cells = raw.recordings("ccd")
    assert list(cells) == ["A", "B"]
    attrs = cells["A"].attrs
    assert (attrs["sample"], attrs["file"], attrs["origin"], attrs["area_cm2"]) == ("A", "a.csv", "measured", 0.5)
    assert np.isnan(attrs["active_mass_mg"])
    assert cells["A"].attrs["sha256"] == hashlib.sha256(RECORDING.encode()).hexdigest()


def test_several_recordings_of_a_sample_are_distinguished_by_state(folder):
    folder(
        ("a.csv", "rate", "A", "0.5 mA/cm2", ""),
        ("b.csv", "rate", "A", "0.7 mA/cm2", ""),
        ("c.csv", "rate", "B", "x", ""),
    )
    assert list(raw.recordings("rate")) == ["A, 0.5 mA/cm2", "A, 0.7 mA/cm2", "B"]


@pytest.mark.parametrize(
    ("role", "samples", "message"), [("rate", [], "role 'rate'"), ("ccd", ["X"], "for X; it holds A")]
)
def test_a_missing_role_or_sample_is_named(folder, role, samples, message):
    folder(("a.csv", "ccd", "A", "", ""))
    with pytest.raises(LookupError, match=message):
        raw.recordings(role, samples)


def test_a_changed_recording_is_refused(folder):
    sha = hashlib.sha256(RECORDING.encode()).hexdigest()
    where = folder(("a.csv", "ccd", "A", "", sha))
    assert list(raw.recordings("ccd")) == ["A"]
    (where / "a.csv").write_text(RECORDING + "3.0,0.0520,0.0010\n")
    with pytest.raises(raw.NoRecordings, match=r"A \(a\.csv\): its sha256 is .* the manifest states"):
        raw.recordings("ccd")


def test_a_recording_of_another_technique_is_refused(folder):
    folder(("a.csv", "interface", "A", "", ""), technique="")
    with pytest.raises(raw.NoRecordings, match="recording of cycling, not of eis as stated"):
        raw.recordings("interface")


@pytest.fixture
def three(folder):
    """Cells A, B and C, the second of which is cut off."""
    where = folder(*((f"{sample}.csv", "ccd", sample, "new", "") for sample in "ABC"))
    (where / "B.csv").write_text(RECORDING[:-5])
    return where


def duration(cell, start=0.0, factor=1.0):
    return float(cell.time[-1]) * factor - start


def test_a_recording_that_cannot_be_read_is_left_out_with_the_reason(three, capsys):
    cells = raw.recordings("ccd")
    assert list(cells) == ["A", "C"]
    assert cells.rows_left_out() == [
        {"file": "B.csv", "sample": "B", "state": "new", "replicate": "", "reason": cells.left_out["B"]}
    ]
    assert "line 4: the last row has no line break, so it may be cut off. Remedy: " in cells.left_out["B"]
    assert str(three) not in cells.left_out["B"]  # the numbers do not depend on the folder
    assert capsys.readouterr().err.startswith("left out: B (B.csv): line 4: ")


def test_of_the_bundles_own_recordings_every_error_is_an_error(three, monkeypatch):
    three.rename(three.parent / "raw")
    shutil.copy(paths.ROOT / "style.toml", three.parent)
    monkeypatch.setattr(paths, "ROOT", three.parent)
    monkeypatch.setattr(paths, "RAW", three.parent / "raw")
    with pytest.raises(ReadError, match=r"B\.csv, line 4: the last row has no line break"):
        raw.recordings("ccd")
    with pytest.raises(
        raw.AnalysisError, match=r"the analysis of A \(A\.csv\) failed: ZeroDivisionError: .*zero"
    ) as error:
        raw.recordings("ccd", ["A"]).analysed(lambda cell: 1 / 0)
    assert isinstance(error.value.__cause__, ZeroDivisionError)
    (three.parent / "raw" / "C.csv").unlink()
    with pytest.raises(manifest.ManifestError, match=r"line 4, column file: 'C\.csv' is no file"):
        raw.recordings("ccd", ["A"])


def test_a_recording_that_cannot_be_analysed_is_left_out_and_the_others_have_their_results(three, capsys):
    def dead(cell, *rest):
        if cell.attrs["sample"] == "C":
            raise ValueError("the function value at x=0.0 is NaN;\nsolver cannot continue")
        return duration(cell, *rest)

    cells = raw.recordings("ccd")
    ends = cells.analysed(duration)
    assert cells.analysed(dead, 0.5) == {"A": 1.5}
    assert list(cells) == ["A"]
    assert cells.left_out["C"] == (
        "its analysis failed: ValueError: the function value at x=0.0 is NaN; solver cannot continue"
    )
    assert [row["file"] for row in cells.rows_left_out()] == ["B.csv", "C.csv"]
    assert "in dead\n" in capsys.readouterr().err  # the traceback stays in the executed notebook
    # Each recording is analysed with its own result of an earlier analysis, which may hold more of them.
    assert cells.analysed(duration, ends, factor=ends) == {"A": 2.0}


def test_an_error_of_our_own_is_told_in_its_own_words(three):
    def without_mass(cell):
        if cell.attrs["sample"] == "A":
            constants.required(cell, "active_mass_mg")

    cells = raw.recordings("ccd")
    cells.analysed(without_mass)
    assert cells.left_out["A"].startswith(
        "its analysis failed: the mass of active material is not known: fill the column"
    )


def test_where_no_recording_is_left_all_reasons_are_named_in_one_line(three):
    message = r"no recording is left: B \(B\.csv\): line 4.*; A \(A\.csv\): its analysis failed: KeyError: 'x'; C "
    with pytest.raises(raw.NoRecordings, match=message) as error:
        raw.recordings("ccd").analysed(lambda cell: cell["time"].attrs["x"])
    assert "\n" not in str(error.value)


def test_an_interrupt_is_not_taken_for_a_failure(three):
    def interrupted(cell):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        raw.recordings("ccd").analysed(interrupted)


def test_optional_recordings_may_all_be_left_out_but_are_named(three):
    assert raw.recordings("electronic", optional=True) == {}
    assert list(raw.recordings("ccd", ["A", "Z"], optional=True)) == ["A"]
    standards = raw.recordings("ccd", ["B"], optional=True)
    assert standards == {} and standards.analysed(duration) == {}
    for both in (raw.recordings("ccd", ["A"]) | standards, standards | raw.recordings("ccd", ["A"]), {} | standards):
        assert [row["sample"] for row in both.rows_left_out()] == ["B"]
    with pytest.raises(raw.NoRecordings):
        (raw.recordings("ccd", ["A"]) | standards).analysed(lambda cell: 1 / 0)


def test_a_row_that_cannot_be_used_is_left_out_with_the_reason(folder):
    where = folder(
        ("a.csv", "ccd", "A", "", ""),
        ("b.csv", "ccd", "A", "", ""),
        ("c.csv", "ccd", "C", "", "abc"),
        ("d.csv", "ccd", "D", "", ""),
    )
    (where / "d.csv").unlink()
    cells = raw.recordings("ccd")
    assert list(cells) == ["A"]
    assert {label: why.split(":")[0] for label, why in cells.left_out.items()} == {
        "A, b.csv": "manifest.csv, line 3, column state",
        "C": "manifest.csv, line 4, column sha256",
        "D": "manifest.csv, line 5, column file",
    }
    with pytest.raises(
        raw.NoRecordings, match=r"D \(d\.csv\): manifest\.csv, line 5, column file: 'd\.csv' is no file"
    ):
        raw.recordings("ccd", ["D"])


def test_table_shows_what_the_recordings_are(folder):
    folder(("a.csv", "ccd", "A", "", ""))
    table = raw.table(raw.recordings("ccd"))
    assert table.loc["A", "records"] == 3
    assert table.loc["A", "area / cm2"] == "0.5"
    assert "active mass / mg" not in table  # no recording has one
