"""What `pip install .` puts into another environment, and that it works there, away from the bundle."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from bundles import environment
from coldbond.bundle import paths


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
    subprocess.run(command, cwd=paths.ROOT, capture_output=True, check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment with the package, and with what this one has installed for it."""
    folder = tmp_path_factory.mktemp("theirs") / "venv"
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps", wheel]
    subprocess.run(pip, capture_output=True, check=True)
    return python


def site_packages(python: Path) -> Path:
    (found,) = python.parents[1].glob("lib/python3*/site-packages")
    return found


def test_it_installs_two_packages_and_nothing_of_a_general_name(installed):
    names = {path.name for path in site_packages(installed).iterdir()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"coldbond", "warm_kernel"}


def test_it_holds_every_file_of_the_packages(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    lib = paths.ROOT / "lib"
    listed = subprocess.run(["git", "ls-files", "lib"], cwd=paths.ROOT, capture_output=True, text=True, check=True)
    files = {str((paths.ROOT / line).relative_to(lib)) for line in listed.stdout.splitlines()}
    files = {file for file in files if not file.startswith("twin/") and (lib / file).is_file()}
    assert held == files | {"coldbond/bundle/style.toml"}


def test_it_looks_for_recordings_in_the_current_folder(installed, tmp_path):
    code = "from coldbond.bundle import paths; print(paths.ROOT, paths.RAW, paths.BUILT, sep='\\n')"
    shown = subprocess.run(
        [installed, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True
    )
    folder = tmp_path.resolve()
    assert shown.stdout.split("\n")[:3] == [str(folder), str(folder / "raw"), str(folder / "figures")]


def test_it_has_the_style_of_the_bundle(installed, tmp_path):
    code = "from coldbond.bundle import style_file; print(style_file.__file__, style_file.current().colors['LLZ'])"
    others = environment() | {"PYTHONPATH": str(site_packages(Path(sys.prefix, "bin", "python")))}
    shown = subprocess.run([installed, "-c", code], cwd=tmp_path, env=others, capture_output=True, text=True)
    assert shown.stdout.split() == [str(site_packages(installed) / "coldbond/bundle/style_file.py"), "#000000"]


def test_it_reads_a_recording_there(installed, tmp_path):
    """With the packages that this environment has, but not its editable installation of the bundle."""
    (recording,) = paths.ROOT.glob("raw/cycling/ccd-LLZ.csv")
    (tmp_path / "mine.csv").write_bytes(recording.read_bytes())
    code = "import coldbond; print(coldbond.__file__, coldbond.read('mine.csv').attrs['technique'])"
    others = environment() | {"PYTHONPATH": str(site_packages(Path(sys.prefix, "bin", "python")))}
    shown = subprocess.run([installed, "-c", code], cwd=tmp_path, env=others, capture_output=True, text=True)
    assert shown.stdout.split() == [str(site_packages(installed) / "coldbond" / "__init__.py"), "cycling"], shown.stderr


def test_it_installs_the_command(installed, tmp_path):
    others = environment() | {"PYTHONPATH": str(site_packages(Path(sys.prefix, "bin", "python")))}
    file = paths.ROOT / "raw" / "cycling" / "ccd-LLZ.csv"
    command = [installed.parent / "coldbond", "show", file, "--area", "0.785"]
    shown = subprocess.run(command, cwd=tmp_path, env=others, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    assert "0.2 mA/cm²" in shown.stdout
