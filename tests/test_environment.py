"""The lists of packages, held together: pyproject.toml, the locks, environment.yml and the hook of pre-commit."""

import re
import tomllib
from pathlib import Path

import pytest
import rattler
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
GROUPS = PYPROJECT["dependency-groups"]  # each with a lock of its own, of nothing that the project needs
LOCKS = {"run": "test"} | {
    name: name for name in ("lab", "bench", "energies", "multiverse", "publish")
}  # lock: its extra
BY_PIP = {"torch"}  # in no lock: pip chooses its build
ON_CONDA = {"matplotlib": "matplotlib-base"}


def pinned(lock: str) -> list[Requirement]:
    text = (ROOT / "lock" / f"{lock}.txt").read_text(encoding="utf-8")
    return [Requirement(line.rstrip(" \\")) for line in text.splitlines() if re.match(r"\w", line)]


def wanted(lock: str) -> list[Requirement]:
    texts = GROUPS.get(lock) or [*PROJECT["dependencies"], *EXTRAS[LOCKS[lock]]]
    return [requirement for requirement in map(Requirement, texts) if requirement.name not in BY_PIP]


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("platform", ["linux", "darwin"])
@pytest.mark.parametrize("lock", [*LOCKS, *GROUPS])
def test_a_lock_pins_one_version_in_range_of_every_dependency(lock, platform, python):
    place = {"python_version": python, "python_full_version": f"{python}.9", "sys_platform": platform}
    pins = [pin for pin in pinned(lock) if pin.marker is None or pin.marker.evaluate(place)]
    versions = {pin.name: str(pin.specifier).removeprefix("==") for pin in pins}
    assert len(versions) == len(pins)
    for requirement in wanted(lock):
        assert requirement.specifier.contains(versions[requirement.name]), requirement


@pytest.mark.parametrize("lock", [*LOCKS, *GROUPS, "uv"])
def test_a_lock_has_hashes_and_no_addresses(lock):
    text = (ROOT / "lock" / f"{lock}.txt").read_text(encoding="utf-8")
    for entry in re.split(r"\n(?=\w)", text.strip()):
        first, *hashes = entry.replace(" \\", "").split("\n")
        assert re.match(r"[a-z0-9-]+==\d", first)
        assert hashes and all(re.fullmatch(r" +--hash=sha256:[0-9a-f]{64}", line) for line in hashes), first


def test_what_runs_and_tests_is_lean():
    heavy = {"jupyterlab", "rfc3987-syntax", "ipywidgets", "ipympl", "voila", "playwright", "chgnet", "pymatgen"}
    assert not heavy & {pin.name for pin in pinned("run")}


def test_what_pip_alone_installs_is_pinned_in_the_project_and_drags_no_gpu_into_a_lock():
    (torch,) = (Requirement(text) for text in EXTRAS["energies"] if Requirement(text).name in BY_PIP)
    assert str(torch.specifier).startswith("==")
    names = {pin.name for lock in LOCKS for pin in pinned(lock)}
    assert not {name for name in names if name in BY_PIP or re.match(r"nvidia-(?!ml-py)|cuda|triton", name)}


def dependencies() -> list:
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]


def conda_specs() -> list[str]:
    return [spec for spec in dependencies() if isinstance(spec, str)]


def test_conda_gets_the_same_packages_in_the_same_ranges():
    specs = [rattler.MatchSpec(spec, strict=True) for spec in conda_specs()]
    found = {spec.name.normalized: str(spec.version) for spec in specs}
    python = found.pop("python").removeprefix("=").removesuffix(".*")
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(python)
    assert found.pop("pip") == "None"
    requirements = {Requirement(text) for text in [*PROJECT["dependencies"], *EXTRAS["test"], *EXTRAS["lab"]]}
    assert len(found) == len(conda_specs()) - 2
    (by_pip,) = (entry["pip"] for entry in dependencies() if isinstance(entry, dict))
    assert by_pip[-1] == "-e ."
    found |= {r.name: str(r.specifier) for r in map(Requirement, by_pip[:-1])}
    assert found == {ON_CONDA.get(r.name, r.name): str(r.specifier) for r in requirements}


def test_the_pinned_versions_are_in_the_ranges_for_conda():
    specs = [rattler.MatchSpec(spec, strict=True) for spec in conda_specs()]
    ranges = {spec.name.normalized: rattler.VersionSpec(spec.version) for spec in specs if spec.version}
    for pin in (*pinned("run"), *pinned("lab")):
        name = ON_CONDA.get(pin.name, pin.name)
        assert name not in ranges or ranges[name].matches(rattler.Version(str(pin.specifier)[2:])), pin


def test_pre_commit_has_the_ruff_that_tests_have():
    (hooks,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    (ruff,) = (pin for pin in pinned("run") if pin.name == "ruff")
    assert hooks["rev"] == f"v{str(ruff.specifier)[2:]}"
