"""One function for each kind of recording: `coldbond.NAME(recording, constants)`."""

import doctest
import subprocess
import sys
from inspect import isfunction

import pytest

import coldbond
from coldbond import analyses
from coldbond.bundle import paths

RAW = paths.ROOT / "raw"
FUNCTIONS = [name for name in analyses.__all__ if isfunction(getattr(analyses, name))]
FILES = {
    "cycling": "cycling/ccd-LLZ.csv",
    "eis": "eis/conductivity-LLZ.txt",
    "dc": "dc/electronic-LLZ.txt",
    "xrd": "xrd/Si.ras",
    "raman": "raman/LLZ.jdx",
    "xps": "xps/surface-LLZ.vms",
}
TECHNIQUES = {
    "capacities": "cycling",
    "composition": "xps",
    "critical_current_density": "cycling",
    "electronic_conductivity": "dc",
    "ionic_conductivity": "eis",
    "long_cycling": "cycling",
    "phases": "xrd",
    "raman_bands": "raman",
    "rate_capability": "cycling",
    "resistances": "eis",
}


def test_every_function_is_at_the_top_of_the_package():
    assert {*FUNCTIONS} == {*TECHNIQUES} == {*coldbond.__all__} - {"ReadError", "read"}
    for name in FUNCTIONS:
        assert getattr(coldbond, name) is getattr(analyses, name)
    assert {*coldbond.__all__} <= {*dir(coldbond)}
    with pytest.raises(AttributeError, match="no attribute 'ccd'"):
        coldbond.ccd  # noqa: B018


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_example_of_the_docstring_is_right(name, monkeypatch):
    monkeypatch.chdir(paths.ROOT)
    (example,) = doctest.DocTestFinder(recurse=False).find(getattr(analyses, name), name, globs={})
    assert len(example.examples) >= 2
    report: list[str] = []
    assert doctest.DocTestRunner().run(example, out=report.append).failed == 0, "".join(report)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_recording_of_another_technique_is_refused(name):
    for technique, file in FILES.items():
        if technique != TECHNIQUES[name]:
            with pytest.raises(ValueError, match=f"of {technique}, this analysis is of {TECHNIQUES[name]}"):
                getattr(coldbond, name)(coldbond.read(RAW / file))


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_a_constant_must_be_a_positive_number(value):
    cell = coldbond.read(RAW / FILES["cycling"])
    with pytest.raises(ValueError, match=r"area_cm2=.*: write a positive number"):
        coldbond.critical_current_density(cell, area_cm2=value)


@pytest.mark.parametrize(
    "name, given, missing",
    [
        ("critical_current_density", {}, "electrode area"),
        ("long_cycling", {}, "electrode area"),
        ("ionic_conductivity", {"area_cm2": 0.785}, "thickness"),
        ("electronic_conductivity", {"thickness_cm": 0.04}, "electrode area"),
    ],
)
def test_a_constant_that_is_needed_is_named(name, given, missing):
    with pytest.raises(ValueError, match=f"{missing}.* is not known"):
        getattr(coldbond, name)(coldbond.read(RAW / FILES[TECHNIQUES[name]]), **given)


def test_an_argument_counts_before_the_attr_and_the_recording_stays_as_it_is():
    cell = coldbond.read(RAW / FILES["cycling"]).assign_attrs(area_cm2=0.785)
    whole = coldbond.critical_current_density(cell)
    half = coldbond.critical_current_density(cell, area_cm2=2 * 0.785)
    assert (half.value, half.high) == (whole.value / 2, whole.high / 2)
    assert cell.attrs["area_cm2"] == 0.785


def test_the_package_is_imported_without_any_other_package():
    """Make reads the manifest before the environment exists."""
    code = f"import sys; sys.path.insert(0, {str(paths.ROOT / 'lib')!r}); import coldbond.bundle.manifest, coldbond"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)
