"""Recordings are found by role and sample, and are checked against the manifest."""

import hashlib

import numpy as np
import pytest

from coldbond import ReadError
from coldbond.bundle import paths, raw

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
    with pytest.raises(ReadError, match=r"a\.csv.*sha256"):
        raw.recordings("ccd")


def test_a_recording_of_another_technique_is_refused(folder):
    folder(("a.csv", "ccd", "A", "", ""), technique="eis")
    with pytest.raises(ReadError, match="recording of cycling, not of eis as stated"):
        raw.recordings("ccd")


def test_table_shows_what_the_recordings_are(folder):
    folder(("a.csv", "ccd", "A", "", ""))
    table = raw.table(raw.recordings("ccd"))
    assert table.loc["A", "records"] == 3
    assert table.loc["A", "area / cm2"] == "0.5"
    assert "active mass / mg" not in table  # no recording has one
