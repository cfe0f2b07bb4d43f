"""The figure of XPS regions: what is drawn is what was found, and it can be read with one to eight samples."""

import numpy as np
import pytest
import xarray as xr

from coldbond.bundle import figures
from coldbond.bundle.style import MM
from coldbond.interval import Interval
from coldbond.xps import findings, fit, plots, surface
from drawn import collisions, named, unnamed
from surfaces import counts

REGIONS = ["In 3d", "N 1s"]
NAMES = ("LLZ", "InN-LLZ", "HT-MCL-LLZ", "RT-MCL-LLZ", "Li6.4La3Zr1.4Ta0.6O12 sintered at 1200 C", "Probe ß",
         "sample_with_underscores_and_a_long_name_2026-11", "x")  # fmt: skip
INDIUM = {"window": (438.0, 457.0), "splitting": 7.55, "ratio": 2 / 3, "gaussian": 0.8, "lorentzian": 0.4}


def recording(sample: str, inn: float, *, replicate: str = "", seed: int = 0, peak: float = 2000.0) -> xr.DataTree:
    """Return a surface with so much of its nitrogen and indium in InN."""
    regions = {
        "C 1s": counts([(284.8, 1.0), (286.3, 0.2)], (279.0, 295.0), seed=seed + 1),
        "In 3d": counts([(443.5, inn), (442.8, 1 - inn)], seed=seed + 2, peak=10 * peak, **INDIUM),
        "N 1s": counts([(396.4, inn), (398.5, 1 - inn)], (391.0, 404.0), seed=seed + 3, peak=peak),
    }
    tree = xr.DataTree.from_dict(regions)
    tree.attrs = {"sample": sample, "state": "pristine", "replicate": replicate, "role": "surface"}
    return tree


@pytest.fixture(scope="module")
def analysed() -> list[surface.Surface]:
    return [surface.analyse(recording("S", inn, seed=10 * i), REGIONS) for i, inn in enumerate((0.9, 0.3))]


def eight(analysed) -> dict[str, surface.Surface]:
    """Return both surfaces under eight names, which saves six fits."""
    found = {}
    for i, name in enumerate(NAMES):
        one = analysed[i % 2]
        tree = one.recording.copy()
        tree.attrs = one.recording.attrs | {"sample": name}
        found[name] = one._replace(recording=tree)
    return found


def drawn(surfaces, values=(), regions=REGIONS, width="double"):
    found = {label: one.regions for label, one in surfaces.items()}
    recordings = {label: one.recording for label, one in surfaces.items()}
    with figures.new(width, plots.height(found, recordings, regions)) as fig:
        plots.draw(fig, found, recordings, regions, values)
    return fig


def test_artists_are_the_data(analysed):
    fig = drawn(dict(list(eight(analysed).items())[:2]))
    artists, curves = named(fig), fit.curves(analysed[1].regions["N 1s"].best)
    assert not unnamed(fig)
    data, envelope = artists["_InN-LLZ, data"][-1], artists["_InN-LLZ, fit"][-1]
    np.testing.assert_array_equal(data.get_ydata(), curves.intensity)
    np.testing.assert_array_equal(data.get_xdata(), curves.binding_energy)
    np.testing.assert_array_equal(envelope.get_ydata(), curves.envelope)
    component = artists["_InN-LLZ, Li3N"][-1].get_ydata() - artists["_InN-LLZ, background"][-1].get_ydata()
    np.testing.assert_allclose(component, curves.component.sel(key="Li3N"), atol=1e-9 * float(curves.envelope.max()))


@pytest.mark.parametrize("n", [1, 3, 6, 8])
@pytest.mark.parametrize("width", ["single", "double"])
def test_texts_stand_clear_of_each_other_on_one_page(analysed, n, width):
    regions = REGIONS if width == "double" else ["N 1s"]
    fig = drawn(dict(list(eight(analysed).items())[:n]), regions=regions, width=width)
    assert fig.get_figheight() / MM <= 247
    assert not collisions(fig)


def test_replicates_lie_over_each_other_with_the_mean_of_their_shares(analysed):
    cells = {
        f"S, pristine, replicate {i}": surface.analyse(
            recording("S", 0.2 + 0.1 * i, replicate=str(i), seed=30 * i, peak=1000.0 * i), REGIONS
        )
        for i in (1, 2)
    }
    recordings = {"before": analysed[0].recording} | {label: one.recording for label, one in cells.items()}
    recordings["before"].attrs["sample"] = "before"
    found = {"before": analysed[0].regions} | {label: one.regions for label, one in cells.items()}
    values = findings.composition_findings(recordings, found, "before")
    assert {row.get("replicate") for row in values} == {None, "1", "2"}
    shifts = [row for row in values if row["quantity"] == "In_3d_shift"]
    assert [row["replicate"] for row in shifts] == ["1", "2"] and all(row["high"] < 0 for row in shifts)
    mean = {"quantity": "N_1s_Li3N_share", "sample": "S", "state": "pristine", "n": 2}
    fig = drawn(cells, [*values, mean | {"value": 0.65, "low": 0.5, "high": 0.8}])
    assert sum(text.get_text() == "S, pristine (n = 2)" for ax in fig.axes for text in ax.texts) == len(REGIONS)
    artists = named(fig)
    for label in cells:
        data = artists[f"_{label}, data"][-1].get_ydata()
        assert (data.min(), data.max()) == (0, 1)  # the second was counted twice as long
    (bars,) = artists["_S, pristine, Li3N, mean"]
    assert bars.lines[0].get_ydata() == pytest.approx([65])
    points = np.concatenate([line.get_ydata() for line in artists["_S, pristine, each"]])
    shares = [100 * one.regions["N 1s"].components["Li3N"].share.value for one in cells.values()]
    assert all(np.isclose(points, share).any() for share in shares)
    assert not collisions(fig)


def test_the_shift_is_taken_from_the_mean_of_replicates_before():
    """Three recordings of one surface: the shift of the third relative to the mean of the others."""
    trees = {f"b{i}": recording("b", 1.0, replicate=str(i), seed=i) for i in (1, 2)} | {
        "a": recording("a", 0.0, seed=7)
    }
    surfaces = {label: surface.analyse(tree, ["In 3d"]) for label, tree in trees.items()}
    recordings = {label: one.recording for label, one in surfaces.items()}
    found = {label: one.regions for label, one in surfaces.items()}
    alone = surface.shifts(recordings, found, "In 3d", "a", {"one": ["b1"]})["one"]
    both = surface.shifts(recordings, found, "In 3d", "a", {"both": ["b1", "b2"]})["both"]
    assert alone.low < -0.7 < alone.high and both.low < -0.7 < both.high
    assert both.half_width < 0.95 * alone.half_width  # the scale of "a" itself remains
    (row,) = [r for r in findings.composition_findings(recordings, found, "b") if r["quantity"] == "In_3d_shift"]
    assert row["sample"] == "a" and row["note"].startswith("mean position relative to b")


def changed(region: str, **values) -> xr.DataTree:
    tree = recording("S", 0.5)
    parts = {name: one.to_dataset() for name, one in tree.children.items()}
    data = parts[region]
    if "shift" in values:
        energy = data.binding_energy.to_numpy() + values["shift"]
        data = data.assign_coords(binding_energy=("binding_energy", energy, data.binding_energy.attrs))
    if "intensity" in values:
        data = data.assign(intensity=("binding_energy", values["intensity"] + 0 * data.intensity.to_numpy()))
    parts[region] = data.isel(binding_energy=slice(values.get("points")))
    made = xr.DataTree.from_dict(parts)
    made.attrs = tree.attrs
    return made


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"intensity": 0.0}, "region N 1s: its intensity is 0 at every point"),
        ({"points": 10}, "region N 1s: its energies, 391.0 to 391.9 eV, hold none of its lines"),
        ({"shift": 40.0}, "region N 1s: its energies, 431.0 to 444.0 eV, hold none of its lines .*InN 396.4"),
        ({"shift": 5.0, "points": 10}, r"region N 1s: 10 points do not determine \d+ parameters; widen the region"),
    ],
)
def test_a_region_of_nothing_is_refused_by_name(values, message):
    with pytest.raises(ValueError, match=message):
        surface.analyse(changed("N 1s", **values), ["N 1s"])


def test_table_for_the_journal(analysed):
    recordings, found = {"A": analysed[1].recording}, {"A": analysed[1].regions}
    table = findings.component_table(recordings, found).set_index(["region", "component"])
    row, one = table.loc[("N 1s", "Li3N")], found["A"]["N 1s"].components["Li3N"]
    ends = ("", ", low", ", high")
    assert Interval(*(row[f"position{end} / eV"] for end in ends)) == one.position
    assert row["share of the core level, low / %"] < 70 < row["share of the core level, high / %"]
    assert Interval(*(row[f"area{end} / count eV"] for end in ends)) == one.area
    assert row["full width at half maximum / eV"] == pytest.approx(1.25, abs=0.1)  # the Voigt of the forward model
    assert row["chi square"] == found["A"]["N 1s"].best.chisqr and "free losses" in row["fits and their weights"]
