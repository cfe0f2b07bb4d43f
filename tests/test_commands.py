"""The command `coldbond`: what it prints, its exit status, and the files that it writes."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import polars
import pytest
import xarray as xr
from PIL import Image

import coldbond
from coldbond.bundle import manifest, paths
from coldbond.cli import export, main

RAW = paths.ROOT / "raw"
ROWS = manifest.rows(RAW)
#: One recording of each role.
SHOWN = sorted({row["role"]: row["file"] for row in ROWS}.values())
#: One recording of each technique, and the columns of its table.
TABLES = {
    "cycling/ccd-LLZ.csv": ["time / s", "voltage / V", "current / A", "cycle", "step", "capacity / Ah"],
    "eis/conductivity-LLZ.txt": ["frequency / Hz", "Re(Z) / ohm", "Im(Z) / ohm"],
    "dc/electronic-LLZ.txt": ["time / s", "current / A"],
    "xrd/Si.ras": ["two_theta / degree", "intensity / count", "one_count / count"],
    "raman/Ne.jdx": ["raman_shift / 1/cm", "intensity / arbitrary units"],
    "xps/surface-LLZ.vms": [
        "region",
        "binding_energy / eV",
        "intensity / count",
        "one_count / count",
        "transmission",
    ],
}
IMPORTS = "import sys\nfrom coldbond.cli import main\nprint(*sys.modules)"


class Ran(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def coldbond_(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run a command line in this process."""

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["coldbond", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main.main()
        assert isinstance(ended.value.code, int)
        shown = capsys.readouterr()
        return Ran(ended.value.code, shown.out, shown.err)

    return run


def folder_of(tmp_path: Path, header: str, *rows: str, files: dict[str, str]) -> Path:
    """A folder with a manifest and with copies of recordings of raw/ under other names."""
    for name, source in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(RAW / source, tmp_path / name)
    (tmp_path / "manifest.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return tmp_path


# ---- the command line ------------------------------------------------------------------------------------------------
def test_help_names_every_command(coldbond_):
    ran = coldbond_("--help")
    assert ran.status == 0
    for command in ("init", "check", "show", "export"):
        assert re.search(rf"^  {command} ", ran.out, re.MULTILINE)
        assert coldbond_(command, "-h").status == 0
    assert coldbond_("--version").out == f"coldbond {coldbond.__version__}\n"


def test_help_imports_nothing_slow():
    loaded = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=True).stdout.split()
    assert "click" in loaded
    assert not {"numpy", "pandas", "xarray", "matplotlib", "polars", "lmfit", "scipy"} & {*loaded}


def test_python_m_coldbond_is_the_same_command():
    ran = subprocess.run([sys.executable, "-m", "coldbond", "--version"], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"coldbond {coldbond.__version__}\n", "")
    scripts = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == {"coldbond": "coldbond.cli.main:main"}


@pytest.mark.parametrize(
    "arguments, status, message",
    [
        (["draw"], 2, "coldbond: No such command 'draw'. (coldbond --help)"),
        (["show"], 2, "coldbond: Missing argument 'FILE'. (coldbond show --help)"),
        (["show", "nowhere.csv"], 2, "'nowhere.csv' does not exist"),
        (["check", RAW / "LICENSE"], 2, "is a file"),
        (["show", RAW / "LICENSE"], 1, "no recording in a format that this version reads. Remedy: export it as text"),
        (["show", RAW / "xrd/Si.ras", "--area", "-1"], 2, "-1.0 is not in the range x>0"),
        (["show", RAW / "xrd/Si.ras", "--wavelength", "Cu"], 2, "write 1.540593,1.544427"),
        (["show", RAW / "xrd/Si.ras", "-o", "x.gif"], 1, "end the name with .png, .pdf, .svg"),
        (["export", RAW / "xrd/Si.ras"], 2, "Missing option '-o'"),
        (["export", RAW / "xrd/Si.ras", "-o", "x.xlsx"], 1, "end the name with .csv, .parquet, .nc"),
        (["export", RAW / "xrd/Si.ras", "-o", "no-folder/x.csv"], 1, "there is no folder no-folder: make it first"),
        (["export", RAW / "xrd/Si.ras", "-o", "x.csv", "--technique", "eis"], 1, "this is a recording of xrd"),
    ],
)
def test_an_error_is_one_line_with_a_remedy(coldbond_, tmp_path, monkeypatch, arguments, status, message):
    monkeypatch.chdir(tmp_path)
    ran = coldbond_(*arguments)
    assert (ran.status, ran.out, ran.err.count("\n")) == (status, "", 1)
    assert message in ran.err and ran.err.startswith("coldbond: ")
    assert not list(tmp_path.iterdir())


def test_a_message_names_the_option_in_place_of_the_call_in_python(coldbond_, tmp_path):
    (tmp_path / "scan.xy").write_text("".join(f"{10 + 0.02 * i:.2f} {100 + i % 7}\n" for i in range(500)))
    ran = coldbond_("export", tmp_path / "scan.xy", "-o", tmp_path / "scan.csv")
    assert ran.status == 1 and "--technique xrd --wavelength 1.540593,1.544427" in ran.err
    options = ["--technique", "xrd", "--wavelength", "1.540593,1.544427"]
    assert coldbond_("export", tmp_path / "scan.xy", "-o", tmp_path / "scan.csv", *options).status == 0
    assert len(pd.read_csv(tmp_path / "scan.csv", comment="#")) == 500


def test_a_fault_of_the_program_is_one_line_too(coldbond_, monkeypatch, tmp_path):
    def fails(*_: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(export, "export", fails)
    ran = coldbond_("export", RAW / "xrd/Si.ras", "-o", tmp_path / "x.csv")
    assert (ran.status, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert "RuntimeError: two lines (in test_commands.py, line" in ran.err and "report it with the file" in ran.err


def test_an_interrupt_is_quiet(coldbond_, monkeypatch, tmp_path):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(export, "export", interrupted)
    ran = coldbond_("export", RAW / "xrd/Si.ras", "-o", tmp_path / "x.csv")
    assert (ran.status, ran.out, ran.err.strip()) == (130, "", "")


def test_a_closed_pipe_is_quiet():
    command = [sys.executable, "-m", "coldbond", "show", str(RAW / "energies/chgnet-0.3.0.csv")]
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (1, "")


# ---- show ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("file", SHOWN)
def test_every_recording_is_shown(coldbond_, tmp_path, file):
    is_table = file.startswith("energies/")
    output = [] if is_table else ["-o", tmp_path / "shown.png"]
    ran = coldbond_("show", RAW / file, *output)
    assert (ran.status, ran.err) == (0, "")
    assert "not analysed" not in ran.out and "Traceback" not in ran.out
    if not is_table:
        with Image.open(tmp_path / "shown.png") as picture:
            assert len(picture.convert("L").getcolors()) > 10
            assert "Software" not in picture.info  # nor a time: the same bytes each time


def test_show_takes_the_manifest_that_lists_the_file(coldbond_):
    ran = coldbond_("show", RAW / "cycling/ccd-LLZ.csv")
    assert "ccd, LLZ, pristine in" in ran.out
    assert re.search(r"critical current density +0\.2 mA/cm²", ran.out)
    # Twice the area is half of the current density.
    doubled = coldbond_("show", RAW / "cycling/ccd-LLZ.csv", "--area", 1.57)
    assert re.search(r"critical current density +0\.1 mA/cm²", doubled.out)


def test_show_says_what_a_symmetric_cell_ended_with(coldbond_):
    ran = coldbond_("show", RAW / "cycling/long-cycling-HT-MCL-LLZ-0.1.xlsx")
    assert re.search(r"failure +\w+ short after 26\.\d+ h", ran.out)


def test_show_states_the_conductivity_of_a_pellet(coldbond_):
    ran = coldbond_("show", RAW / "eis/conductivity-LLZ.txt")
    value = re.search(r"ionic conductivity +(\S+) S/cm", ran.out)
    spectrum = coldbond.read(RAW / "eis/conductivity-LLZ.txt")
    expected = coldbond.ionic_conductivity(spectrum, area_cm2=0.785, thickness_cm=0.04, temperature_C=25)
    assert value and float(value[1]) == pytest.approx(expected.value, rel=5e-3)


def test_what_cannot_be_analysed_is_drawn_and_said(coldbond_, tmp_path):
    shutil.copy(RAW / "cycling/ccd-LLZ.csv", tmp_path / "cell 7.csv")
    ran = coldbond_("show", tmp_path / "cell 7.csv", "-o", tmp_path / "a.png", "--role", "ccd")
    assert ran.status == 1 and (tmp_path / "a.png").is_file()
    assert "not analysed: cell 7.csv: the electrode area is not known" in ran.out and "--area" in ran.out
    ran = coldbond_("show", tmp_path / "cell 7.csv", "-o", tmp_path / "a.png", "--role", "ccd", "--area", 0.785)
    assert ran.status == 0 and re.search(r"critical current density +0\.2 mA/cm²", ran.out)


def test_the_main_phase_of_a_pattern_is_stated_or_that_of_a_standard(coldbond_, tmp_path):
    shutil.copy(RAW / "xrd/Si.ras", tmp_path / "scan.ras")
    ran = coldbond_("show", tmp_path / "scan.ras", "-o", tmp_path / "a.pdf")
    assert ran.status == 0 and "main phase Si, whose lines alone it shows" in ran.out
    assert re.search(r"a +5\.43\d+ ± ", ran.out)
    ran = coldbond_("show", tmp_path / "scan.ras", "--phase", "InN")
    assert ran.status == 1 and "not analysed: the strongest line" in ran.out
    ran = coldbond_("show", tmp_path / "scan.ras", "--phase", "silicon")
    assert ran.status == 1 and "unknown: use one of LLZTO" in ran.out
    shutil.copy(RAW / "xrd/LLZ.ras", tmp_path / "sample.ras")
    ran = coldbond_("show", tmp_path / "sample.ras", "-o", tmp_path / "b.png")
    assert ran.status == 1 and "main phase is not known: state it with --phase, one of LLZTO" in ran.out
    assert (tmp_path / "b.png").is_file()


def test_bands_of_a_garnet_are_not_fitted_to_anything(coldbond_, tmp_path):
    shutil.copy(RAW / "raman/InN-LLZ.jdx", tmp_path / "x.jdx")
    ran = coldbond_("show", tmp_path / "x.jdx", "-o", tmp_path / "x.png")
    assert ran.status == 1 and "its bands are not known: write --role raman" in ran.out
    ran = coldbond_("show", tmp_path / "x.jdx", "--role", "raman")
    assert ran.status == 0 and "InN A1(LO)" in ran.out
    shutil.copy(RAW / "raman/Ne.jdx", tmp_path / "lamp.jdx")
    ran = coldbond_("show", tmp_path / "lamp.jdx")
    assert ran.status == 0 and "a neon lamp, by its lines" in ran.out


def test_a_file_without_a_manifest_gets_the_role_that_its_data_show(coldbond_, tmp_path):
    roles = {
        "cycling/ccd-LLZ.csv": "ccd",
        "cycling/long-cycling-HT-MCL-LLZ-0.1.xlsx": "long-cycling",
        "eis/conductivity-LLZ.txt": "conductivity",
        "eis/interface-LLZ-cycle-001.txt": "interface",
        "dc/electronic-LLZ.txt": "electronic",
    }
    for file, role in roles.items():
        shutil.copy(RAW / file, tmp_path / f"x{Path(file).suffix}")
        ran = coldbond_("show", tmp_path / f"x{Path(file).suffix}", "--area", 0.785, "--thickness", 0.04)
        assert ran.status == 0 and f"taken as {role}: " in ran.out


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_a_picture_has_the_same_bytes_each_time(coldbond_, tmp_path, suffix, monkeypatch):
    for name, rc in (("a", "lines.linewidth: 9\n"), ("b", "")):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "matplotlibrc").write_text(rc)
        assert coldbond_("show", RAW / "dc/electronic-LLZ.txt", "-o", tmp_path / f"{name}.{suffix}").status == 0
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


# ---- export ----------------------------------------------------------------------------------------------------------
def tables(recording: xr.Dataset | xr.DataTree) -> list[tuple[str, xr.Dataset]]:
    if isinstance(recording, xr.Dataset):
        return [("", recording)]
    return [(name, region.to_dataset()) for name, region in recording.children.items()]


def same(one: object, other: object) -> bool:
    """Whether two columns have exactly the same values."""
    first, second = np.asarray(one), np.asarray(other)
    if first.dtype.kind == "O":
        return first.tolist() == second.tolist()
    return first.shape == second.shape and bool(np.all((first == second) | ((first != first) & (second != second))))


@pytest.mark.parametrize("file", sorted({row["file"] for row in ROWS}))
def test_every_recording_is_exported_without_a_loss(tmp_path, file):
    recording = coldbond.read(RAW / file)
    expected = export.table(recording)
    assert len(expected) == sum(next(iter(part.sizes.values())) for _, part in tables(recording))
    for suffix in (".csv", ".parquet", ".nc"):
        export.export(recording, tmp_path / f"out{suffix}")
    lines = (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()
    comments = int(re.search(r"skiprows=(\d+)", lines[0])[1])
    assert all(line.startswith("# ") for line in lines[:comments]) and not lines[comments].startswith("#")
    texts = {name: str for name in expected if expected[name].dtype.kind not in "fi"}
    csv = pd.read_csv(tmp_path / "out.csv", skiprows=comments, dtype=texts, keep_default_na=not texts)
    parquet = polars.read_parquet(tmp_path / "out.parquet")
    for found in (csv, parquet):
        assert list(found.columns) == list(expected.columns)
        assert all(same(found[name], expected[name]) for name in expected.columns)
    with xr.open_datatree(tmp_path / "out.nc", engine="h5netcdf") as found:
        assert found.attrs["sha256"] == recording.attrs["sha256"]
        for name, part in tables(recording):
            own = (found[name] if name else found).to_dataset()
            for variable in part.variables:
                values = part[variable].to_numpy()
                if values.dtype.kind == "c":
                    read = own[f"{variable}_real"].to_numpy() + 1j * own[f"{variable}_imag"].to_numpy()
                else:
                    read = own[variable].to_numpy()
                    assert own[variable].attrs.get("units") == part[variable].attrs.get("units")
                assert same(read, values), variable


@pytest.mark.parametrize("file", TABLES)
def test_columns_name_their_units(tmp_path, file):
    assert list(export.table(coldbond.read(RAW / file)).columns) == TABLES[file]


def test_an_export_says_where_it_comes_from(coldbond_, tmp_path):
    output = tmp_path / "out.csv"
    assert coldbond_("export", RAW / "cycling/ccd-LLZ.csv", "-o", output) == (0, f"{output} is written\n", "")
    text = output.read_text(encoding="utf-8")
    assert "# source: ccd-LLZ.csv\n" in text and "# voltage.resolution: 0.0001\n" in text
    assert coldbond_("export", RAW / "cycling/ccd-LLZ.csv", "-o", tmp_path / "out.parquet").status == 0
    attrs = json.loads(polars.read_parquet_metadata(tmp_path / "out.parquet")["coldbond"])
    assert attrs["voltage.units"] == "V" and attrs["technique"] == "cycling"
    again = coldbond.read(output)
    assert same(again.voltage, coldbond.read(RAW / "cycling/ccd-LLZ.csv").voltage)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".nc"])
def test_an_export_has_the_same_bytes_each_time(tmp_path, suffix):
    recording = coldbond.read(RAW / "xps/surface-LLZ.vms")
    for name in ("a", "b"):
        export.export(recording, tmp_path / (name + suffix))
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_an_export_never_writes_over_a_file(coldbond_, tmp_path):
    cell = tmp_path / "cell.csv"
    shutil.copy(RAW / "cycling/ccd-LLZ.csv", cell)
    before = cell.read_bytes()
    ran = coldbond_("export", cell, "-o", cell)
    assert ran.status == 1 and "exists already" in ran.err
    assert cell.read_bytes() == before and list(tmp_path.iterdir()) == [cell]


def test_an_export_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def fails(recording: xr.Dataset, path: Path) -> None:
        path.write_text("half")
        raise OSError("disk full")

    monkeypatch.setitem(export.WRITERS, ".csv", fails)
    with pytest.raises(OSError, match="disk full"):
        export.export(coldbond.read(RAW / "raman/Ne.jdx"), tmp_path / "out.csv")
    assert not list(tmp_path.iterdir())


# ---- check -----------------------------------------------------------------------------------------------------------
def test_the_recordings_of_the_bundle_have_no_problem(coldbond_):
    ran = coldbond_("check", RAW)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.splitlines()[0].endswith("58 recordings, 0 problems, 1 note")
    assert "full-cell-interface, RT-MCL-LLZ: 4 recordings, 6 are needed" in ran.out
    assert "fig4b" in ran.out.splitlines()[-1]


def test_all_problems_come_at_once_the_worst_first(coldbond_, tmp_path):
    files = {
        "a.csv": "cycling/ccd-LLZ.csv",
        "copy of a.csv": "cycling/ccd-LLZ.csv",
        "pellet.txt": "eis/conductivity-LLZ.txt",
        "eis.txt": "eis/interface-LLZ-cycle-001.txt",
        "Si.ras": "xrd/Si.ras",
        "rate.csv": "cycling/rate-RT-MCL-LLZ.csv",
        "new.csv": "cycling/ccd-RT-MCL-LLZ.csv",
    }
    rows = [
        "a.csv,ccd,LLZ,,,",
        "copy of a.csv,ccd,A,,0.785,",
        "copy of a.csv,long-cycling,A,,0.785,",
        "pellet.txt,conductivity,LLZ,,0.785,",
        "eis.txt,interface,LLZ,first,0.785,",
        "Si.ras,ccd,Si,,0.785,",
        f"Si.ras,instrument,Si,,,{64 * '0'}",
        "cut.csv,ccd,cut,,0.785,",
        "rate.csv,rate,LLZ,,,",
        "gone.csv,ccd,X,,0.785,",
    ]
    folder = folder_of(tmp_path, "file,role,sample,state,area_cm2,sha256", *rows, files=files)
    whole = (RAW / "cycling/ccd-RT-MCL-LLZ.csv").read_bytes()
    (folder / "cut.csv").write_bytes(whole[:3000])
    ran = coldbond_("check", folder)
    assert (ran.status, ran.err) == (1, "")
    expected = [
        "line 11, column file: 'gone.csv' is no file",
        "Si.ras (ccd, Si): a recording of xrd, but its role is one of cycling: write another role (phase, instrument",
        "Si.ras (instrument, Si): its sha256 is 8c6878bdf2ff",
        "cut.csv (ccd, cut), line 33: cut off",
        "a.csv (ccd, LLZ): electrode area is not known: there is no current density, and no figure: fill area_cm2",
        "pellet.txt (conductivity, LLZ): thickness of the electrolyte is not known",
        "eis.txt (interface, LLZ, first): the state 'first' does not name one cycle: write a state such as 'cycle 50'",
        "copy of a.csv (long-cycling, A): cannot be analysed: fewer than two cycles were sustained",
        "copy of a.csv (ccd, A): the same as a.csv",
        "rate.csv (rate, LLZ): mass of active material is not known: capacities are in mAh",
        "interface, LLZ: 1 recording, 6 are needed",
        "no row lists new.csv: coldbond init",
    ]
    lines = ran.out.splitlines()
    for text in expected:
        assert any(text in line for line in lines), text
    kinds = [line.split()[0] for line in lines[1:] if line.startswith(("problem", "note"))]
    assert kinds == sorted(kinds, reverse=True) and kinds.count("problem") == 9
    assert lines[0].endswith("10 recordings, 9 problems, 4 notes")
    # The cell that can be analysed keeps fig4b; the figures of the paper's own samples are not spoken of.
    assert lines[-2] == "can be drawn: figS3, fig4b, fig4e, figS23, fig4gh"
    assert "fig5h (cycled-phase)" in lines[-1] and "figS16" not in ran.out


def test_every_remedy_works(coldbond_, tmp_path):
    files = {"a.csv": "cycling/ccd-LLZ.csv", "eis.txt": "eis/interface-LLZ-cycle-001.txt"}
    header = "file,role,sample,state,area_cm2"
    folder = folder_of(tmp_path, header, "a.csv,ccd,LLZ,,", "eis.txt,interface,LLZ,,0.785", files=files)
    assert coldbond_("check", folder).status == 1
    for state in ("cycle 50", "after 50 cycles", "第50圈"):  # all that the analysis takes for a cycle
        folder_of(tmp_path, header, "a.csv,ccd,LLZ,,0.785", f"eis.txt,interface,LLZ,{state},0.785", files={})
        assert coldbond_("check", folder).status == 0


@pytest.mark.parametrize(
    "names, found",
    [
        (["A,cell 1", "A,cell 2"], "cell 1, cell 2 look like cells of one condition: if so, write the sample A,"),
        (["A-1,", "A-2,"], "A-1, A-2 look like cells of one condition: if so, write the sample A,"),
        (["A,0.5 mA/cm2 rep1", "A,0.5 mA/cm2 rep2"], "write the sample A and the state 0.5 mA/cm2"),
        (["A,0.5 mA/cm2", "A,0.7 mA/cm2"], ""),
        (["In-LLZ,", "RT-LLZ,"], ""),
    ],
)
def test_cells_that_are_not_numbered_are_noticed(coldbond_, tmp_path, names, found):
    files = {f"{place}.csv": file for place, file in enumerate(("cycling/ccd-LLZ.csv", "cycling/ccd-RT-MCL-LLZ.csv"))}
    rows = [f"{place}.csv,ccd,{name},0.785" for place, name in enumerate(names)]
    ran = coldbond_("check", folder_of(tmp_path, "file,role,sample,state,area_cm2", *rows, files=files))
    assert ran.status == 0
    assert (found in ran.out) if found else ("look like" not in ran.out)


def test_a_folder_without_a_manifest_is_a_problem(coldbond_, tmp_path):
    ran = coldbond_("check", tmp_path)
    assert ran.status == 1 and "there is no such file" in ran.out and "Traceback" not in ran.err
