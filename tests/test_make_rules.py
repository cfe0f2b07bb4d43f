"""scripts/make_rules.py, which writes the rules of the figures for make, on a small copy of the bundle."""

import subprocess
import sys
from pathlib import Path

import pytest

from bundles import RECORDINGS, listing, make, small_bundle, write_manifest
from coldbond.build import figures_table
from coldbond.bundle import manifest

bundle = pytest.fixture(small_bundle)


def make_rules(bundle: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run the script without any installed package, as make does before there is an environment."""
    command = [sys.executable, "-I", "-S", "-B", "scripts/make_rules.py", *arguments]
    return subprocess.run(command, cwd=bundle, capture_output=True, text=True)


def test_it_needs_the_standard_library_only(bundle):
    before = listing(bundle)
    done = make_rules(bundle, "write", "raw", "my figures", "")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    written = {str(path.relative_to(bundle)) for path in set(listing(bundle)) - set(before)}
    assert written == {"my figures", "my figures/executed", "my figures/executed/rules.mk"}
    rules = (bundle / "my figures" / "executed" / "rules.mk").read_text()
    assert r"notebooks/fig4cd_long_cycling.ipynb raw/manifest.csv raw/long\ RT\ \#1\ (50%).csv $(always)" in rules
    assert not {"$(eval", "$(call"} & set(rules.split())


def test_what_a_user_states_beside_the_manifest_is_a_prerequisite(tmp_path):
    roles = {"phase": "fig2h", "surface": "fig3ghi", "raman": "fig2g", "ccd": "fig4b"}
    stated = {"fig2h": "structures/ZnO.cif", "fig3ghi": "components.toml", "fig2g": "raman.toml"}
    raw = tmp_path / "raw"
    (raw / "structures").mkdir(parents=True)
    write_manifest(raw, {f"{role}.csv": (role, "A") for role in roles})
    for name in (*stated.values(), *(f"{role}.csv" for role in roles)):
        (raw / name).write_text("")
    done = subprocess.run(
        [sys.executable, "-B", "scripts/make_rules.py", "write", str(raw), str(tmp_path / "out"), ""],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    rules = (tmp_path / "out" / "executed" / "rules.mk").read_text().splitlines()
    for figure in roles.values():
        (rule,) = (line for line in rules if line.startswith(f"$(out)/{figure}.pdf: style"))
        held = [name for name in stated.values() if f"{raw}/{name}" in rule]
        assert held == [name for of, name in stated.items() if of == figure], figure


@pytest.mark.parametrize(
    ("recordings", "raw", "out", "said"),
    [
        (RECORDINGS, "r:aw", "out", "r:aw: make cannot handle a RAW with any of"),
        ({"a.csv": ("ccd", "")}, "raw", "out", "raw/manifest.csv, line 2, column sample: empty: name the sample"),
        (RECORDINGS, "lost", "out", "lost/manifest.csv: there is no such file"),
        (RECORDINGS, "raw", "50%", "50%: make cannot handle an OUT with any of"),
        ({"a.csv": ("instrument", "Si")}, "raw", "out", "none of the figures can be built from raw"),
    ],
)
def test_why_there_are_no_rules_is_one_line(bundle, recordings, raw, out, said):
    write_manifest(bundle / "raw", recordings)
    done = make_rules(bundle, "write", raw, out, "")
    assert done.returncode == 1
    assert done.stdout.startswith(said) and done.stdout.count("\n") == 1 and not done.stderr
    assert not (bundle / out).exists()
    assert f"*** {said}" in make(bundle, f"RAW={raw}", f"OUT={out}").stderr


def test_rules_are_written_as_a_whole(bundle):
    """Two that run at once write the same, and leave nothing else."""
    command = [sys.executable, "-I", "-S", "-B", "scripts/make_rules.py", "write", "raw", "out", ""]
    both = [subprocess.Popen(command, cwd=bundle) for _ in range(2)]
    assert [one.wait() for one in both] == [0, 0]
    assert [path.name for path in (bundle / "out" / "executed").iterdir()] == ["rules.mk"]


def test_the_roles_of_the_table_are_those_of_manifests():
    used = {role for figure in figures_table.load().values() for role in figure.roles}
    assert used == set(manifest.KNOWN["role"])
