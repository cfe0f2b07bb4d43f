"""The views of explore.ipynb without a browser; tests/browser.py runs them in one."""

import subprocess
import sys

import pytest
from matplotlib.figure import Figure

from coldbond.bundle import manifest, paths, raw
from coldbond.cells import ccd
from coldbond.explore.controls import Choice, Several, defaults
from coldbond.explore.views import opened, views

ROWS = manifest.rows(paths.RAW)
SOME = {row["role"]: row for row in ROWS}.values()  # one recording for each role


def drawn(view, **settings):
    fig = Figure()
    tables = view.draw(fig, **defaults(view) | settings)
    assert fig.axes or fig.texts
    return tables


def text(tables) -> str:
    return " ".join(table.to_string() for table in tables)


@pytest.mark.parametrize("row", SOME, ids=lambda row: row["file"])
def test_every_recording_has_views_and_every_choice_can_be_drawn(row):
    recording = raw.recording(row)
    for make in views(recording).values():
        view = make()
        assert text(drawn(view))
        for name, control in view.controls.items():
            if isinstance(control, Choice) and name != "main":
                for option in control.options:
                    assert text(drawn(view, **{name: option}))
            if isinstance(control, Several):
                assert drawn(view, **{name: ()})


def test_the_numbers_are_those_of_the_analysis():
    (recording,) = raw.recordings("ccd", ["RT-MCL-LLZ"]).values()
    view = views(recording)["critical current density"]()
    value, low, high = ccd.critical_current_density(ccd.steps(recording))
    assert f"{value:g} mA/cm²" in text(drawn(view))
    assert f"{low:g} to {high:g} mA/cm²" in text(drawn(view))
    failures = {text(drawn(view, conductivity=conductivity)) for conductivity in (0.1, 2.0)}
    assert len(failures) == 2


def test_the_whole_pattern_is_fitted_once_for_each_main_phase():
    (recording,) = raw.recordings("phase", ["InN-LLZ"]).values()
    view = views(recording)["xrd"]()
    (found,) = drawn(view, fitted=True, phases=("LLZTO", "InN"))
    assert "wt%" in found.loc["InN", ""] and not found.loc["InN", ""].startswith("below")
    first = view.analyses["LLZTO"]
    assert "In" in drawn(view, fitted=True, phases=("In",))[0].index
    assert view.analyses["LLZTO"] is first


def test_a_displaced_sample_has_reflections_at_lower_angles():
    (recording,) = raw.recordings("phase", ["LLZ"]).values()
    view = views(recording)["xrd"]()
    straight, low = (drawn(view, displacement=shift)[0]["2θ / °"].astype(float) for shift in (0.0, 0.2))
    assert (low < straight).all()


def test_parameters_that_the_data_do_not_determine_are_marked():
    (recording, *_) = raw.recordings("interface", ["LLZ"]).values()
    assert "not determined" in text(drawn(views(recording)["eis"](), circuit="L-R-RQ-RQ-RQ", decades=(3.0, 5.0)))


def test_a_file_without_a_manifest_needs_its_area():
    path = paths.RAW / "cycling" / "ccd-LLZ.csv"
    names = list(views(opened(path)))
    assert names[0] == "critical current density"
    with pytest.raises(ValueError, match=r"the electrode area is not known.*area_cm2"):
        drawn(views(opened(path))[names[0]]())
    assert "0.2 mA/cm²" in text(drawn(views(opened(path, area_cm2=0.785))[names[0]]()))


def test_what_a_file_does_not_say_is_stated_beside_it(tmp_path):
    path = tmp_path / "a.xy"
    path.write_text(
        "two_theta/degree, intensity/counts\n" + "".join(f"{20 + i / 50}, {100 + i % 7}\n" for i in range(50))
    )
    pattern = opened(path, stated="technique=xrd; wavelength_angstrom=1.540593 1.544427")
    assert pattern.attrs["wavelength_kalpha2"] == 1.544427
    with pytest.raises(ValueError, match=r"'Cu': write one of technique, wavelength_angstrom.*as in"):
        opened(path, stated="Cu")


def test_settings_that_cannot_be_drawn_raise_an_error_with_the_reason():
    (recording,) = raw.recordings("raman", ["LLZ"]).values()
    view = views(recording)["raman"]()
    with pytest.raises(ValueError, match="outside the range shown"):
        drawn(view, bands=(2000.0,))
    with pytest.raises(ValueError, match="too few"):
        drawn(view, window=(725.0, 735.0), bands=(730.0,), modes=())


def test_only_the_page_imports_widgets():
    code = "import sys, coldbond, coldbond.explore.views; print({'ipywidgets', 'ipympl', 'voila'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"
