"""What make rebuilds when an input changes: recordings, notebooks, modules, packages, parameters, claims."""

import os
import re
import sys
import time
from pathlib import Path

import pytest

from bundles import (
    FIGURES,
    NOTEBOOKS,
    RECORDINGS,
    ROOT,
    SAVE,
    as_if_built,
    make,
    runs,
    small_bundle,
    write_manifest,
    write_notebook,
)

bundle = pytest.fixture(small_bundle)

EVERY = ["lib/coldbond/bundle/raw.py", "lib/coldbond/files/__init__.py"]
ALWAYS = ["scripts/run_notebook.py", "lock/run.txt", "raw/manifest.csv", "style.toml"]
OF_CLAIMS = ["lib/coldbond/bundle/claims/verdicts.py", "lib/coldbond/bundle/claims/page.css"]


def inputs():
    yield from ((f"raw/{name}", figures) for name, (*_, figures) in RECORDINGS.items())
    yield from ((f"notebooks/{name}.ipynb", figures) for name, figures in NOTEBOOKS.items())
    yield from (
        (name, FIGURES)
        for name in (*EVERY, "scripts/run_notebook.py", "lock/run.txt", "raw/manifest.csv", "style.toml")
    )
    yield from ((name, {"claims"}) for name in (*OF_CLAIMS, "raw/claims.yml", "notebooks/claims.ipynb"))
    yield "lib/coldbond/cells/ccd.py", {"fig4b", "figS16"}
    unused = ("lib/twin/__init__.py", "lib/coldbond/explore/page.py", "lib/coldbond/xps/fit.py", "lock/lab.txt")
    yield from ((name, set()) for name in (*unused, "Makefile", "figures.toml", "scripts/make_rules.py"))


def rebuilt(bundle: Path, path: str, *goals: str) -> set[str]:
    """Return the figures that make would build if a file was edited."""
    before, later = (bundle / path).stat().st_mtime, time.time() + 100
    os.utime(bundle / path, (later, later))
    try:
        return set(runs(bundle, *goals))
    finally:
        os.utime(bundle / path, (before, before))


def test_touching_an_input_rebuilds_exactly_the_figures_that_depend_on_it(bundle):
    of_ccd = ["lib/coldbond/cells/ccd.py"]
    as_if_built(bundle, *EVERY, fig4b=of_ccd, figS16=of_ccd, claims=OF_CLAIMS)
    assert runs(bundle) == {}
    for name, figures in inputs():
        assert rebuilt(bundle, name) == (figures | {"claims"} if figures else set()), name


def test_a_changed_table_rebuilds_its_figure_and_the_claims(bundle):
    as_if_built(bundle)
    table = bundle / "figures.toml"
    before = table.read_text()
    for old, new in (
        ("parameters.windows = [0.76]", "parameters.windows = [0.8]"),
        ("parameters.windows = [0.76]", ""),
        ("parameters.windows = [0.76]", "parameters.windows = [0.76]\nparameters.retained = 0.5"),
    ):
        table.write_text(before.replace(old, new))
        assert set(runs(bundle)) == {"figS17", "claims"}
    table.write_text(before.replace('["LLZ", "In-LLZ", "RT-MCL-LLZ"]', '["LLZ", "In-LLZ"]'))
    assert set(runs(bundle)) == {"fig4b", "claims"}
    table.write_text(f"# a comment\n{before}")
    assert runs(bundle) == {}


def test_a_style_of_the_recordings_rebuilds_all_figures_when_it_comes_changes_or_goes(bundle):
    as_if_built(bundle)
    own = bundle / "raw" / "style.toml"
    own.touch()
    before = time.time() - 100
    os.utime(own, (before, before))  # older than the figures, as a copied file may be
    assert set(runs(bundle)) == FIGURES | {"claims"}
    assert make(bundle, "fig4gh").returncode == 0
    assert runs(bundle, "fig4gh") == {}
    assert rebuilt(bundle, "raw/style.toml", "fig4gh") == {"fig4gh"}
    own.unlink()
    assert set(runs(bundle, "fig4gh")) == {"fig4gh"}


@pytest.mark.parametrize("warm", ["WARM=1", "WARM=0"])
def test_a_run_records_the_modules_that_it_imported(bundle, warm):
    """Those that import each other, that a function imports late, in a package that the notebook alone knows."""
    library = bundle / "lib" / "mine"
    library.mkdir()
    (library / "__init__.py").write_text("")
    (library / "used.py").write_text("from mine import inner\n\n\ndef late():\n    from mine import lazy\n")
    for name in ("inner", "lazy", "unused"):
        (library / f"{name}.py").write_text("")
    (library / "page.html").write_text("read by the code of the package")
    add = f"import sys\nsys.path.insert(0, {str(bundle / 'lib')!r})\nfrom mine import used\nused.late()"
    write_notebook(bundle / "notebooks" / "fig4gh_rate.ipynb", add, SAVE)
    assert make(bundle, "fig4gh", warm).returncode == 0
    assert runs(bundle, "fig4gh") == {}

    used = {f"lib/mine/{name}" for name in ("__init__.py", "used.py", "inner.py", "lazy.py", "page.html")}
    record = (bundle / "figures" / "executed" / "fig4gh.d").read_text()
    assert set(re.findall(r"^(\S+):$", record, re.MULTILINE)) == used
    for path in used:
        assert rebuilt(bundle, path, "fig4gh") == {"fig4gh"}, path
    assert rebuilt(bundle, "lib/mine/unused.py", "fig4gh") == set()

    # A module that is newly imported by another is an input from then on; one that is deleted does not stop make.
    (library / "inner.py").write_text("from mine import unused")
    assert make(bundle, "fig4gh", warm).returncode == 0
    assert rebuilt(bundle, "lib/mine/unused.py", "fig4gh") == {"fig4gh"}
    (library / "inner.py").write_text("")
    (library / "unused.py").unlink()
    assert make(bundle, "fig4gh", warm).returncode == 0
    assert runs(bundle, "fig4gh") == {}


def test_a_run_records_the_recordings_that_it_read(bundle):
    """Whatever their names; and those that are gone from folder and manifest do not stop make."""
    name = "long RT #1 (50%) $x.csv"
    write_manifest(bundle / "raw", RECORDINGS | {name: ("instrument", "another")})
    save = SAVE.replace('"inputs": {}', f'"inputs": {{{name!r}: "its sha256"}}')
    write_notebook(bundle / "notebooks" / "fig4gh_rate.ipynb", save)
    assert make(bundle, "fig4gh").returncode == 0
    assert rebuilt(bundle, f"raw/{name}", "fig4gh") == {"fig4gh"}
    (bundle / "raw" / name).unlink()
    write_manifest(bundle / "raw", RECORDINGS)
    later = time.time() + 100
    os.utime(bundle / "figures" / "fig4gh.pdf", (later, later))
    assert set(runs(bundle, "fig4gh")) == {"fig4gh"}


def test_a_figure_without_its_record_is_built_again(bundle):
    as_if_built(bundle)
    (bundle / "figures" / "executed" / "fig4f.d").unlink()
    assert set(runs(bundle)) == {"fig4f", "claims"}


def test_a_real_figure_depends_on_the_modules_of_its_technique_alone(tmp_path):
    inputs = ("figures.toml", "style.toml", "pyproject.toml", "lib", "lock", "notebooks", "raw")
    for name in ("Makefile", "scripts", *inputs):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    goals = ("fig5i", "fig4b", "--assume-old=.venv/.installed")
    built = make(tmp_path, *goals)
    assert built.returncode == 0, built.stderr
    assert runs(tmp_path, *goals) == {}
    for module, figures in {
        "lib/coldbond/xps/fit.py": {"fig5i"},
        "lib/coldbond/cells/ccd.py": {"fig4b"},
        "lib/coldbond/bundle/raw.py": {"fig5i", "fig4b"},
        "lib/coldbond/bundle/claims/verdicts.py": set(),
        "lib/coldbond/xrd/pawley.py": set(),
        "lib/coldbond/multiverse/grid.py": set(),
        "lib/twin/xps.py": set(),
    }.items():
        assert (ROOT / module).is_file()
        assert set(runs(tmp_path, *goals, f"--what-if={module}")) == figures, module
