"""`coldbond init`: the manifest of a folder from what its files say."""

import csv
import hashlib
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import impedance_exports
import renamed
from coldbond.bundle import manifest
from coldbond.cli import init, look, naming, report, requirements
from coldbond.cli.proposed import Proposed
from init_truth import REAL
from test_xps_samples import joined

RAW = Path(__file__).parent.parent / "raw"
#: What was seen of a file, by its contents: a file that lies under several names is read once in these tests.
SEEN: dict[str, list[look.Look]] = {}


@pytest.fixture(autouse=True)
def read_once(monkeypatch):
    read = look.look

    def remembered(folder: Path, file: str) -> list[look.Look]:
        digest = hashlib.sha256((folder / file).read_bytes()).hexdigest()
        if digest not in SEEN:
            SEEN[digest] = read(folder, file)
        return [replace(one, file=file, constants=dict(one.constants)) for one in SEEN[digest]]

    monkeypatch.setattr(look, "look", remembered)


def by_file(proposed: list[Proposed]) -> dict[str, Proposed]:
    return {one.file: one for one in proposed}


def put(folder: Path, *names: tuple[str, str]) -> None:
    """Copy recordings of raw/ into a folder: pairs of the path in raw/ and the new path."""
    for old, new in names:
        path = folder / new
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(renamed.blanked((RAW / old).read_bytes(), "", False))


@pytest.mark.parametrize("scheme", [*renamed.SCHEMES])
def test_a_folder_under_other_names(scheme: str, tmp_path: Path):
    truth = renamed.copy(tmp_path, scheme)
    found = by_file(init.proposal(tmp_path))
    right = dict.fromkeys(("technique", "role", "sample"), 0)
    for file, row in truth.items():
        for column in right:
            got, wanted = found[file].row.get(column, ""), row[column]
            right[column] += got == wanted or (column == "sample" and naming.key(got) == naming.key(wanted))
    assert min(right.values()) >= 0.9 * len(truth), right
    # The names stand for samples: the same sample is the same text under all techniques.
    spelled = {(naming.key(one.row["sample"]), one.row["sample"]) for one in found.values() if one.row}
    assert len(spelled) == len({key for key, _ in spelled})


def test_the_written_manifest_can_be_used(tmp_path: Path):
    renamed.copy(tmp_path, "deep")
    init.write(tmp_path, init.proposal(tmp_path))
    found = manifest.load(tmp_path)
    assert found.problems == []
    assert len(found.rows) == len(renamed.rows())


@pytest.mark.skipif("COLDBOND_REAL" not in os.environ, reason="COLDBOND_REAL names no collection with its notes")
def test_real_recordings():
    found = {}
    for one in init.proposal(Path(os.environ["COLDBOND_REAL"])):
        found.setdefault(one.file, one)
    wrong = {}
    for file, (technique, role) in REAL.items():
        one = found[file]
        got = (one.row.get("technique", "-"), one.row.get("role", "-"))
        if got != (technique, role):
            wrong[file] = got
    assert not wrong


def test_a_second_run_adds_what_is_new_and_changes_no_row(tmp_path: Path):
    put(tmp_path, ("raman/LLZ.jdx", "LLZ Raman.jdx"), ("xrd/LLZ.ras", "LLZ XRD.ras"))
    init.write(tmp_path, init.proposal(tmp_path))
    path = tmp_path / "manifest.csv"
    lines = path.read_bytes().splitlines(keepends=True)
    # The user corrects a row, adds a column, and writes Windows line ends; one file disappears.
    edited = b"".join([lines[0].rstrip() + b",mine\r\n", lines[1].replace(b"LLZ,", b"garnet,", 1).rstrip() + b",x\r\n"])
    edited += lines[2].rstrip() + b",\r\n" + lines[2].rstrip().replace(b"LLZ XRD.ras", b"gone.ras") + b",\r\n"
    path.write_bytes(edited)
    put(tmp_path, ("xrd/InN-LLZ.ras", "new/InN-LLZ XRD.ras"))
    proposed = by_file(init.proposal(tmp_path))
    assert {file: one.kind for file, one in proposed.items()} == {
        "LLZ Raman.jdx": "listed",
        "LLZ XRD.ras": "listed",
        "gone.ras": "gone",
        "new/InN-LLZ XRD.ras": "new",
        "manifest.csv": "left out",
    }
    assert "gone.ras" in report.table([*proposed.values()])
    init.write(tmp_path, [*proposed.values()])
    written = path.read_bytes()
    assert written.startswith(edited)
    assert written.count(b"\r\n") == written.count(b"\n") == 5
    init.write(tmp_path, init.proposal(tmp_path))
    assert path.read_bytes() == written


def test_a_sample_that_the_user_named_is_known_in_the_next_run(tmp_path: Path):
    put(tmp_path, ("raman/LLZ.jdx", "garnet WL raman.jdx"))
    (tmp_path / "manifest.csv").write_text("file,role,sample\ngarnet WL raman.jdx,raman,garnet\n", encoding="utf-8")
    put(tmp_path, ("xps/surface-HT-MCL-LLZ.xlsx", "garnet KRATOS9 xps.xlsx"))
    found = by_file(init.proposal(tmp_path))["garnet KRATOS9 xps.xlsx"]
    assert found.row["sample"] == "garnet"


def test_two_cells_of_one_sample_are_replicates(tmp_path: Path):
    put(
        tmp_path,
        ("cycling/ccd-LLZ.csv", "LLZ_CCD_cell1.csv"),
        ("cycling/ccd-RT-MCL-LLZ.csv", "LLZ_CCD_cell2.csv"),
        ("cycling/ccd-In-LLZ.xlsx", "other/LLZ_CCD_0316.xlsx"),
        ("xrd/LLZ.ras", "LLZ_XRD.ras"),
    )
    found = by_file(init.proposal(tmp_path))
    rows = {file: (one.row["sample"], one.row["replicate"]) for file, one in found.items()}
    assert rows["LLZ_CCD_cell1.csv"] == ("LLZ", "1")
    assert rows["LLZ_CCD_cell2.csv"] == ("LLZ", "2")
    assert rows["other/LLZ_CCD_0316.xlsx"] == ("LLZ", "3")
    assert "replicates in the order of names, check them" in found["other/LLZ_CCD_0316.xlsx"].remarks
    assert rows["LLZ_XRD.ras"] == ("LLZ", "")


@pytest.mark.parametrize(
    ("names", "replicates"),
    [
        (("LLZ_CCD_A", "LLZ_CCD_B"), ("1", "2")),
        (("LLZ-A_CCD", "LLZ-B_CCD"), ("A", "B")),
        (("LLZ CCD #1", "LLZ CCD #3"), ("1", "3")),
        (("LLZ_CCD_rep1", "LLZ_CCD_rep2"), ("1", "2")),
        (("cell 1/LLZ CCD", "cell 2/LLZ CCD"), ("1", "2")),
        (("LLZ临界电流1号电池", "LLZ临界电流2号电池"), ("1", "2")),
        (("LLZ_CCD", "LLZ_CCD (2)"), ("1", "2")),
        (("20220301/LLZ_CCD", "20220304/LLZ_CCD"), ("1", "2")),
    ],
)
def test_how_laboratories_number_their_cells(names, replicates, tmp_path: Path):
    put(tmp_path, ("cycling/ccd-LLZ.csv", f"{names[0]}.csv"), ("cycling/ccd-RT-MCL-LLZ.csv", f"{names[1]}.csv"))
    put(tmp_path, ("xrd/LLZ.ras", "LLZ XRD.ras"), ("raman/InN-LLZ.jdx", "InN-LLZ Raman.jdx"))
    found = by_file(init.proposal(tmp_path))
    cells = [found[f"{name}.csv"].row for name in names]
    assert [row["sample"] for row in cells] == ["LLZ", "LLZ"]
    assert [row["replicate"] for row in cells] == [*replicates]


def test_numbered_samples_of_several_techniques_are_samples(tmp_path: Path):
    put(
        tmp_path,
        ("cycling/ccd-LLZ.csv", "LLZ-1 CCD.csv"),
        ("cycling/ccd-RT-MCL-LLZ.csv", "LLZ-2 CCD.csv"),
        ("xrd/LLZ.ras", "LLZ-1 XRD.ras"),
        ("xrd/InN-LLZ.ras", "LLZ-2 XRD.ras"),
    )
    found = by_file(init.proposal(tmp_path))
    assert {file: one.row["sample"] for file, one in found.items()} == {
        "LLZ-1 CCD.csv": "LLZ-1",
        "LLZ-2 CCD.csv": "LLZ-2",
        "LLZ-1 XRD.ras": "LLZ-1",
        "LLZ-2 XRD.ras": "LLZ-2",
    }


def test_no_constant_is_guessed(tmp_path: Path):
    truth = renamed.copy(tmp_path, "notebook")
    for one in init.proposal(tmp_path):
        row = one.row
        if not row:
            continue
        assert (row["area_cm2"], row["thickness_cm"], row["active_mass_mg"]) == ("", "", "")
        stated = truth[one.file]["temperature_C"] if row["role"] == "arrhenius" else ""
        assert row["temperature_C"] == stated
        assert {*requirements.columns(row["role"])} - {"temperature_C"} <= {*one.fill}


def test_constants_that_a_header_states_are_taken(tmp_path: Path):
    text = (RAW / "eis/conductivity-LLZ.txt").read_text(encoding="cp1252")
    stated = "Note: synthetic\nSample Area (cm2): 0,785\nThickness: 410 µm"
    (tmp_path / "LLZ.txt").write_text(text.replace("Note: synthetic", stated), encoding="cp1252")
    other = (RAW / "eis/arrhenius-LLZ-45C.txt").read_text(encoding="cp1252")
    (tmp_path / "LLZ 2.txt").write_text(
        other.replace("Note: synthetic", "Area (cm2): 1.000\nNote: x"), encoding="cp1252"
    )
    found = by_file(init.proposal(tmp_path))
    assert found["LLZ.txt"].row["area_cm2"] == "0.785"
    assert found["LLZ.txt"].row["thickness_cm"] == "0.041"
    assert found["LLZ.txt"].fill == ["temperature_C"]
    assert found["LLZ.txt"].row["origin"] == "synthetic"
    assert "area_cm2" in found["LLZ 2.txt"].fill  # 1.000 is what a program writes where nobody filled it in


def test_names_that_contradict_the_data_leave_the_role_open(tmp_path: Path):
    put(
        tmp_path,
        ("cycling/ccd-LLZ.csv", "LLZ full cell.csv"),
        ("eis/conductivity-LLZ.txt", "LLZ symmetric EIS cycle 5.txt"),
        ("xrd/LLZ.ras", "LLZ standard.ras"),
    )
    for one in init.proposal(tmp_path):
        assert one.row["role"] == ""
        assert "role" in one.fill
        assert any("its name says" in remark for remark in one.remarks)


def test_impedance_that_names_neither_cell_nor_cycle_is_left_open(tmp_path: Path):
    put(tmp_path, ("eis/interface-LLZ-cycle-050.txt", "LLZ.txt"), ("eis/interface-LLZ-cycle-010.txt", "LLZ cyc10.txt"))
    found = by_file(init.proposal(tmp_path))
    assert found["LLZ.txt"].row["role"] == found["LLZ cyc10.txt"].row["role"] == ""
    assert "cycle" in found["LLZ.txt"].remarks[0]
    assert found["LLZ cyc10.txt"].row["state"] == "cycle 10"


def test_the_cells_of_a_sample_tell_which_impedance_it_is(tmp_path: Path):
    put(
        tmp_path,
        ("eis/interface-LLZ-cycle-010.txt", "LLZ cyc10.txt"),
        ("cycling/ccd-LLZ.csv", "LLZ.csv"),
        ("eis/full-cell-RT-MCL-LLZ-cycle-010.txt", "RT-MCL cyc10.txt"),
        ("cycling/rate-RT-MCL-LLZ.csv", "RT-MCL.csv"),
    )
    found = by_file(init.proposal(tmp_path))
    assert found["LLZ cyc10.txt"].row["role"] == "interface"
    assert found["RT-MCL cyc10.txt"].row["role"] == "full-cell-interface"


def test_replicates_of_an_impedance_series_keep_their_number(tmp_path: Path):
    for cycle in ("001", "010", "025", "050"):
        put(
            tmp_path,
            (f"eis/interface-LLZ-cycle-{cycle}.txt", f"sym LLZ/first/cycle {cycle}.txt"),
            (f"eis/interface-RT-MCL-LLZ-cycle-{cycle}.txt", f"sym LLZ/second/cycle {cycle}.txt"),
        )
    (tmp_path / "sym LLZ/first/cycle 025.txt").unlink()
    found = init.proposal(tmp_path)
    assert {(one.file.split("/")[1], one.row["replicate"]) for one in found} == {("first", "1"), ("second", "2")}
    assert {one.row["sample"] for one in found} == {"LLZ"}
    assert {one.row["state"] for one in found} == {"cycle 1", "cycle 10", "cycle 25", "cycle 50"}


def test_two_exports_of_one_measurement_are_one_row(tmp_path: Path):
    put(tmp_path, ("raman/LLZ.jdx", "LLZ.jdx"), ("raman/LLZ.jdx", "backup/LLZ copy.jdx"))
    lines = (RAW / "raman/LLZ.jdx").read_text(encoding="utf-8").splitlines()
    pairs = [line.split(",") for line in lines if line[:1].isdigit()]
    rows = "\n".join(f"{float(x):.2f}\t{float(y):.2f}" for x, y in (pair[:2] for pair in pairs))
    (tmp_path / "LLZ.txt").write_text(f"Raman shift (1/cm)\tIntensity (counts)\n{rows}\n", encoding="utf-8")
    found = by_file(init.proposal(tmp_path))
    kinds = {file: one.kind for file, one in found.items()}
    assert kinds == {"LLZ.jdx": "left out", "backup/LLZ copy.jdx": "new", "LLZ.txt": "left out"} or kinds == {
        "LLZ.jdx": "new",
        "backup/LLZ copy.jdx": "left out",
        "LLZ.txt": "left out",
    }
    assert "same measurement" in found["LLZ.txt"].what


def test_what_lies_beside_recordings_is_passed_over_with_a_reason(tmp_path: Path):
    put(tmp_path, ("raman/LLZ.jdx", "LLZ.jdx"))
    beside = {
        "SOURCE.txt": "notes",
        "README": "notes",
        ".DS_Store": "system",
        "~$LLZ.xlsx": "system",
        "photo.JPG": "picture",
        "paper.pdf": "document",
        "style.toml": "bundle",
        "claims.yml": "bundle",
        "all.zip": "archive",
        "empty.txt": "empty",
        "letter.txt": "no recording",
    }
    for name in beside:
        (tmp_path / name).write_text("" if name == "empty.txt" else "Dear all,\nhere are the files.\n")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "LLZ.jdx").write_bytes((RAW / "raman/LLZ.jdx").read_bytes())
    (tmp_path / "link.jdx").symlink_to(RAW / "raman/Ne.jdx")
    found = by_file(init.proposal(tmp_path))
    assert [file for file, one in found.items() if one.kind == "new"] == ["LLZ.jdx"]
    assert found["link.jdx"].what.startswith("a link out of the folder")
    assert {*found} == {"LLZ.jdx", "link.jdx", *beside}
    for name, word in beside.items():
        assert word in found[name].what


def test_a_pattern_without_its_wavelength_is_listed_with_what_to_fill_in(tmp_path: Path):
    rows = "\n".join(f"{10 + n / 50:.2f} {100 + 900 * (n % 321 < 5)}" for n in range(3000))
    (tmp_path / "LLZ powder.xy").write_text(f"2theta (deg) intensity (counts)\n{rows}\n")
    (tmp_path / "xrd").mkdir()
    (tmp_path / "xrd" / "InN-LLZ.xy").write_text(rows.replace("1000", "900") + "\n")
    found = by_file(init.proposal(tmp_path))
    for one in found.values():
        assert one.row["role"] == "phase"
        assert one.row["wavelength_angstrom"] == ""
        assert "wavelength_angstrom" in one.fill
    assert "technique from its name" in " ".join(found["xrd/InN-LLZ.xy"].remarks)
    init.write(tmp_path, [*found.values()])
    with (tmp_path / "manifest.csv").open(encoding="utf-8-sig", newline="") as file:
        assert "wavelength_angstrom" in next(csv.reader(file))


def test_chinese_names(tmp_path: Path):
    put(
        tmp_path,
        ("eis/interface-LLZ-cycle-050.txt", "张三/对称电池/ＬＬＺ－石榴石_循环５０圈_２号电池.txt"),
        ("eis/arrhenius-LLZ-45C.txt", "张三/变温/石榴石LLZ 45℃.txt"),
        ("cycling/long-cycling-HT-MCL-LLZ-0.1.xlsx", "李四/长循环/LLZ（0.1mA每平方厘米）.xlsx"),
        ("xrd/LLZ-cycled.ras", "李四/LLZ循环200圈后XRD.ras"),
    )
    found = by_file(init.proposal(tmp_path))
    rows = {Path(file).stem[-6:]: one.row for file, one in found.items()}
    assert {row["sample"] for row in rows.values()} == {"LLZ"}
    assert [(row["role"], row["state"], row["replicate"]) for row in rows.values()] == [
        ("arrhenius", "45 °C", ""),
        ("interface", "cycle 50", "2"),
        ("cycled-phase", "after 200 cycles", ""),
        ("long-cycling", "0.1 mA/cm2", ""),
    ]
    table = report.table([*found.values()])
    assert max(report.width(line) for line in table.splitlines()) <= report.WIDTH


def test_the_table_is_at_most_100_columns_wide_and_says_all(tmp_path: Path):
    renamed.copy(tmp_path, "chinese")
    (tmp_path / ("长" * 80 + ".txt")).write_text("no recording\n", encoding="utf-8")
    proposed = init.proposal(tmp_path)
    table = report.table(proposed)
    assert max(report.width(line) for line in table.splitlines()) <= report.WIDTH
    assert "58 new rows, 0 as listed, 1 files left out" in table
    assert "fill in active_mass_mg in 2 rows" in table


def test_nothing_depends_on_the_order_of_the_files(tmp_path: Path, monkeypatch):
    renamed.copy(tmp_path, "per_cell")
    first = report.table(init.proposal(tmp_path))
    walk = os.walk

    def backwards(top, **named):
        for folder, folders, names in walk(top, **named):
            folders.reverse()
            yield folder, folders, names[::-1]

    monkeypatch.setattr(os, "walk", backwards)
    assert report.table(init.proposal(tmp_path)) == first


def test_a_file_of_several_samples_has_a_row_for_each(tmp_path: Path):
    (tmp_path / "two.vms").write_text(joined(RAW / "xps/surface-LLZ.vms", RAW / "xps/surface-RT-MCL-LLZ.vms"))
    found = init.proposal(tmp_path)
    assert [(one.row["sample"], one.row["sample_in_file"]) for one in found] == [
        ("LLZ", "LLZ"),
        ("RT-MCL-LLZ", "RT-MCL-LLZ"),
    ]
    init.write(tmp_path, found)
    assert [row["sample_in_file"] for row in manifest.rows(tmp_path)] == ["LLZ", "RT-MCL-LLZ"]
    assert {one.kind for one in init.proposal(tmp_path)} == {"listed", "left out"}


def test_sweeps_at_several_temperatures_have_a_row_each(tmp_path: Path):
    (tmp_path / "LLZ.csv").write_text(impedance_exports.solartron((25.0, 40.0, 60.0)))
    found = init.proposal(tmp_path)
    assert [(one.row["sweep"], one.row["temperature_C"]) for one in found] == [("1", "25"), ("2", "40"), ("3", "60")]
    assert len({one.row["role"] for one in found}) == 1


def test_repeated_measurements_are_no_copies(tmp_path: Path):
    put(tmp_path, ("eis/interface-LLZ-cycle-100.txt", "LLZ.txt"))
    (one,) = look.look(tmp_path, "LLZ.txt")
    again = replace(one, sha256="0" * 64, values=one.values * 1.0004)
    assert look.same(one, replace(one, sha256="0" * 64))
    assert not look.same(one, again)
    assert look.same(one, replace(again, format="ec-lab-mpr"))  # rounded otherwise
    assert not look.same(one, replace(again, format="ec-lab-mpr", start="2031-01-01T10:00:00"))


def test_conditions_that_are_not_known_are_no_replicates(tmp_path: Path):
    put(
        tmp_path,
        ("cycling/ccd-LLZ.csv", "LLZ CCD polished.csv"),
        ("cycling/ccd-RT-MCL-LLZ.csv", "LLZ CCD heated.csv"),
        ("xrd/LLZ.ras", "LLZ XRD.ras"),
    )
    found = by_file(init.proposal(tmp_path))
    row = found["LLZ CCD polished.csv"].row
    assert (row["sample"], row["state"], row["replicate"]) in (("LLZ", "polished", ""), ("LLZ-polished", "", ""))
    assert row["sample"] + row["state"] != (other := found["LLZ CCD heated.csv"].row)["sample"] + other["state"]


def test_names_that_a_manifest_cannot_hold(tmp_path: Path):
    put(tmp_path, ("raman/LLZ.jdx", "LLZ .jdx"), ("raman/InN-LLZ.jdx", " InN-LLZ.jdx"), ("raman/Ne.jdx", "N\ne.jdx"))
    with open(os.fsencode(tmp_path) + b"/\xff.jdx", "wb") as file:
        file.write((RAW / "raman/LLZ.jdx").read_bytes())
    (tmp_path / "folder").mkdir()
    (tmp_path / "again").symlink_to(tmp_path / "folder")
    found = by_file(init.proposal(tmp_path))
    assert [file for file, one in found.items() if one.kind == "new"] == ["LLZ .jdx"]
    assert sum("rename it" in one.what for one in found.values()) == 3
    assert "a link to a folder" in found["again"].what
    report.table([*found.values()]).encode()


def test_capitals_of_a_listed_file_may_differ(tmp_path: Path):
    put(tmp_path, ("raman/LLZ.jdx", "Raman/LLZ.jdx"), ("raman/InN-LLZ.jdx", "Raman/llz.jdx"))
    (tmp_path / "manifest.csv").write_text("file,role,sample\nraman\\LLZ.JDX,raman,LLZ\n", encoding="utf-8")
    kinds = [one.kind for one in init.proposal(tmp_path) if one.file != "manifest.csv"]
    assert sorted(kinds) == ["listed", "new"]


def test_a_folder_that_is_not_there(tmp_path: Path):
    with pytest.raises(NotADirectoryError, match="give the folder of the recordings"):
        init.proposal(tmp_path / "nowhere")


def test_an_unreadable_file_is_listed_with_the_reason(tmp_path: Path):
    shutil.copy(RAW / "cycling/ccd-LLZ.csv", tmp_path / "LLZ.csv")
    data = (tmp_path / "LLZ.csv").read_bytes()
    (tmp_path / "LLZ.csv").write_bytes(data[: len(data) // 2])
    (one,) = init.proposal(tmp_path)
    assert one.kind == "left out"
    assert "export" in one.what


def test_run_prints_the_table_and_writes_the_manifest(tmp_path: Path):
    put(tmp_path, ("raman/LLZ.jdx", "LLZ.jdx"))
    said: list[str] = []
    assert init.run(tmp_path, said.append) == 0
    assert "LLZ.jdx" in said[0]
    assert "manifest.csv is written" in said[1]
    assert [row["sample"] for row in manifest.rows(tmp_path)] == ["LLZ"]
