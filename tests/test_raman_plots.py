"""The figure of Raman spectra: what is drawn is what was found, and it can be read with one to eight samples."""

import json

import numpy as np
import pytest

from coldbond.bundle import figures, paths, raw
from coldbond.bundle.style import MM
from coldbond.raman import axis, plots
from coldbond.raman.decomposition import Decomposition, decompose
from coldbond.raman.findings import band_table, fit_table, mode_findings
from drawn import collisions, named, unnamed
from test_raman import BANDS, SHIFT, WINDOW, spectrum

MODES = {"InN E2(high)": 490.0, "InN A1(LO)": 560.0}
NAMES = (
    "LLZ",
    "InN-LLZ",
    "HT-MCL-LLZ",
    "RT-MCL-LLZ",
    "Li6.4La3Zr1.4Ta0.6O12 sintered at 1200 C",
    "Probe ß",
    "a_b",
    "x",
)


def sample(name: str, *modes, replicate: str = "", **named) -> Decomposition:
    attrs = {"sample": name, "replicate": replicate, "axis_uncertainty": 0.2}
    return decompose(spectrum(*modes, attrs=attrs, **named), BANDS, MODES, WINDOW)


def drawn(decomposed, values=()):
    with figures.new("double", plots.height(decomposed, None)) as fig:
        plots.draw(fig, decomposed, None, values)
    return fig


@pytest.fixture(scope="module")
def held() -> dict[str, Decomposition]:
    """Eight samples, every other one with InN."""
    inn = ((487.0, 18.0, 60.0), (555.0, 25.0, 60.0))
    return {name: sample(name, *(inn if i % 2 else ()), seed=i) for i, name in enumerate(NAMES)}


def test_artists_are_the_data(held):
    fig = drawn(dict(list(held.items())[:2]))
    artists, one = named(fig), held["InN-LLZ"]
    assert not unnamed(fig)
    (data,) = artists["_InN-LLZ, data"]
    np.testing.assert_array_equal(data.get_xdata(), one.curves.raman_shift)
    np.testing.assert_array_equal(data.get_ydata(), one.curves.intensity.where(~one.curves.struck))
    (fit,) = artists["_InN-LLZ, fit"]
    np.testing.assert_array_equal(fit.get_ydata(), one.curves.fit)
    (residual,) = artists["_InN-LLZ, residual"]
    np.testing.assert_allclose(residual.get_ydata() * one.noise, one.curves.intensity - one.curves.fit)
    rest = artists["_InN-LLZ, data less its own bands"][0].get_ydata()
    assert np.nanmax(rest) == pytest.approx(100 * 60 / 240, rel=0.4)  # % of a band that is 240 high


@pytest.mark.parametrize("n", [1, 3, 6, 8])
def test_texts_stand_clear_of_each_other_on_one_page(held, n):
    fig = drawn(dict(list(held.items())[:n]))
    assert fig.get_figheight() / MM <= 247
    assert not collisions(fig)


def test_a_limit_far_above_the_others_does_not_set_the_scale(held):
    """A spectrum without garnet: its limits are hundreds of per cent, written beside an arrow."""
    rng = np.random.default_rng(0)
    weak = spectrum().assign(intensity=("raman_shift", 300 + SHIFT + 9 * rng.standard_normal(SHIFT.size)))
    bad = decompose(weak.assign_attrs(sample="bad"), BANDS, MODES, WINDOW)
    limit = max(mode.height.high for mode in bad.modes.values())
    assert limit > 300
    few = {name: held[name] for name in NAMES[:2]}
    with_bad = drawn({**few, "bad": bad})
    tops = [{ax.get_ylim()[1] for ax in fig.axes if "Height" in ax.get_ylabel()} for fig in (drawn(few), with_bad)]
    assert tops[0] == tops[1] and max(tops[0]) < limit
    assert [text for ax in with_bad.axes for text in ax.texts if text.get_text() == f"< {limit:.0f} %"]
    assert sum(line.get_marker() == "^" for ax in with_bad.axes for line in ax.lines) == 2
    assert not collisions(with_bad)


def test_replicates_lie_over_each_other_with_the_mean_of_their_positions():
    cells = {
        f"S, replicate {i}": sample("S", (486.0 + i, 18.0, 60.0), replicate=str(i), seed=i, noise=2.0)
        for i in (1, 2, 3)
    }
    values = mode_findings(cells)
    assert {row["replicate"] for row in values} == {"1", "2", "3"}
    mean = {"quantity": "raman_shift_of_InN E2(high)", "sample": "S", "state": "", "n": 3}
    fig = drawn(cells, [*values, mean | {"value": 488.0, "low": 485.5, "high": 490.5}])
    assert sum("Intensity" in ax.get_ylabel() for ax in fig.axes) == 1
    artists = named(fig)
    for label, one in cells.items():
        (data,) = artists[f"_S, replicate {label[-1]}, data"]
        highest = one.curves.component.sel(band=one.relative_to).max()
        expected = (one.curves.intensity - one.curves.baseline).where(~one.curves.struck) / highest * 100
        np.testing.assert_allclose(data.get_ydata(), expected)
    assert "488.0 ± 2.5\nn = 3 of 3" in {text.get_text() for ax in fig.axes for text in ax.texts}


def test_a_narrow_recording_loses_the_bands_that_it_does_not_hold():
    narrow = spectrum((487.0, 18.0, 60.0), shift=np.arange(430.0, 700.0, 1.0))
    found = decompose(narrow, BANDS, {"A": 490.0, "far": 750.0}, WINDOW)
    assert found.outside == ["400", "far"] and set(found.bands) == {"640", "A"}
    row = next(
        row
        for row in mode_findings({"S": found})
        if row["quantity"] == "a_looked_for_mode_present" or "A_R" in row["quantity"]
    )
    assert "outside the recorded range, not fitted: 400, far" in row["note"]


def test_bands_that_point_down_are_no_measure():
    down = spectrum()
    found = decompose(down.assign(intensity=-down.intensity), BANDS, MODES, WINDOW)
    assert found.relative_to == "" and found.height_unit == "x"
    assert all(mode.height.high > 0 for mode in found.modes.values() if not mode.found)
    assert mode_findings({"S": found}) and not collisions(drawn({"S": found}))


@pytest.mark.parametrize("dead", [0.0, 65535.0, None], ids=["nothing", "saturated", "a straight line"])
def test_a_spectrum_of_nothing_is_refused_by_name(dead):
    values = SHIFT if dead is None else np.full(SHIFT.size, dead)
    one = spectrum(attrs={"file": "raman/dead.txt"}).assign(intensity=("raman_shift", values))
    with pytest.raises(ValueError, match=r"raman/dead\.txt: from 300 to 800 1/cm the intensity is the same"):
        decompose(one, BANDS, MODES, WINDOW)
    with pytest.raises(ValueError, match="no spectrum of a sample can be decomposed"):
        mode_findings({})


def test_tables_for_the_journal(held):
    few = {name: held[name] for name in NAMES[:2]}
    bands, fits = band_table(few), fit_table(few)
    assert len(bands) == 2 * (len(BANDS) + len(MODES)) and list(fits.spectrum) == list(NAMES[:2])
    row = bands.set_index(["spectrum", "band"]).loc[("InN-LLZ", "InN E2(high)")]
    mode = few["InN-LLZ"].bands["InN E2(high)"]
    assert [row[f"position{end} / cm⁻¹"] for end in ("", ", low", ", high")] == list(mode.position)
    assert row["present"] and row["position, low / cm⁻¹"] < 487 < row["position, high / cm⁻¹"]
    assert fits["degrees of the baselines"].iloc[0] == ", ".join(map(str, few["LLZ"].degrees))


def test_one_bad_spectrum_of_three_is_left_out_and_named(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RAW", tmp_path)
    monkeypatch.setattr(paths, "FIGURES", tmp_path)
    cells = {}
    for name in ("LLZ", "In-LLZ", "InN-LLZ"):  # whose colours need no manifest
        attrs = {"sample": name, "file": f"raman/{name}.txt", "sha256": "0", "origin": "measured", "replicate": ""}
        cells[name] = spectrum(attrs=attrs)
    cells["In-LLZ"] = cells["In-LLZ"].assign(intensity=0 * cells["In-LLZ"].intensity)
    recordings = raw.Recordings(cells)
    decomposed = recordings.analysed(axis.decomposed, recordings, "Ne", None, 0.005, 0.5, BANDS, MODES, WINDOW)
    assert list(decomposed) == ["LLZ", "InN-LLZ"]
    assert "intensity is the same at most points" in recordings.left_out["In-LLZ"]
    fig = drawn(decomposed)
    values = mode_findings(decomposed)
    figures.save(fig, "fig2g", notebook="fig2g_raman", parameters={}, values=values, recordings=recordings)
    found = json.loads((tmp_path / "fig2g.json").read_text())
    assert {row["sample"] for row in found["values"]} == {"LLZ", "InN-LLZ"} and found["left_out"][0][
        "sample"
    ] == "In-LLZ"
    assert [text for text in fig.texts if "In-LLZ (raman/In-LLZ.txt)" in text.get_text()]
