"""The environment that make sets up: when, with which programs, and what it does not replace."""

import shutil
import subprocess

import pytest

from bundles import as_if_built, make, small_bundle

bundle = pytest.fixture(small_bundle)


@pytest.mark.parametrize("name", ["lock/run.txt", "pyproject.toml"])
def test_touching_lock_or_project_sets_the_environment_up_again(bundle, name):
    as_if_built(bundle)
    assert "set_up.sh" not in make(bundle, "--dry-run").stdout
    (bundle / name).touch()
    assert "scripts/set_up.sh .venv lock/run.txt" in make(bundle, "--dry-run").stdout


def test_an_old_make_and_an_old_python_are_refused_with_what_to_do(bundle):
    assert "*** this is GNU Make 3.81, 4.2 is needed; on a Mac: brew install make" in (
        make(bundle, "MAKE_VERSION=3.81").stderr
    )
    (bundle / ".venv" / "bin" / "python").unlink()
    (bundle / ".venv" / "bin" / "python").symlink_to("gone")
    programs = bundle / "programs"
    programs.mkdir()
    for name in ("sh", "make", "getconf", "test"):
        (programs / name).symlink_to(shutil.which(name))
    old = programs / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    nothing = subprocess.run(["make"], cwd=bundle, env={"PATH": str(programs)}, capture_output=True, text=True)
    assert "*** no Python 3.11 or later is found: install one, or name it with make PYTHON=..." in nothing.stderr
    assert "*** the rules could not be written with 'lost' -I " in make(bundle, "PYTHON=lost").stderr
    named = subprocess.run(
        [bundle / "scripts" / "set_up.sh", ".venv", "lock/run.txt", old], capture_output=True, text=True
    )
    assert named.returncode == 1
    assert named.stderr == f".venv: {old} is no Python 3.11 or later: name one with make PYTHON=...\n"


def test_an_environment_that_make_did_not_make_is_not_replaced(bundle):
    result = make(bundle, "--always-make", "fig4b")
    assert result.returncode == 2
    assert ".venv: make did not make this folder and would replace it: move it away" in result.stderr
    assert (bundle / ".venv" / "bin" / "python").exists()
