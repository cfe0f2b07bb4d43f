"""The energy scale, held against garnet surfaces that charge (tests/independent/xps_scale.py), and components.toml."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from coldbond.bundle import paths
from coldbond.xps import carbon, components, findings, plots, reference, surface
from coldbond.xps.differential_charging import is_copied
from coldbond.xps.fit import fit
from coldbond.xps.free_lines import Found, free_lines
from independent import photoelectrons, xps_scale
from surfaces import counts

QUICK = {"shapes": ["voigt"], "backgrounds": ["active tougaard"]}  # where shares are not the point
ADVENTITIOUS = [(284.8, 1.0, 1.2), (286.3, 0.25, 1.2), (288.8, 0.08, 1.2), (289.9, 0.4, 1.2)]
ZIRCONIUM = [(182.0, 1.0, 1.3)]
LITHIUM = [(55.0, 1.0, 1.4)]


def surface_of(patches, seed=1, **lines) -> xr.DataTree:
    """Return a recording of a surface whose parts are shifted [eV], each with its share of the signal."""
    random = np.random.default_rng(seed)
    held = {name.replace("_", " "): some for name, some in lines.items()}
    tree = photoelectrons({name: xps_scale.region(name, some, 1e4, patches, random) for name, some in held.items()})
    tree.attrs |= {"sample": "S", "state": ""}
    return tree


def lines(*pairs: tuple[float, float]) -> list[Found]:
    return [Found(position, 0.01, area, 0.002, 1.1) for position, area in pairs]


def rows(analysed: surface.Surface) -> dict[str, dict]:
    values = findings.composition_findings({"S": analysed.recording}, {"S": analysed.regions})
    return {row["quantity"]: row for row in values}


@pytest.mark.parametrize("shift", [-5.3, 6.0])
def test_a_shift_of_volts_is_found(shift):
    tree = surface_of([(shift, 1.0)], C_1s=ADVENTITIOUS, Zr_3d=ZIRCONIUM)
    scale = reference.referenced(tree).attrs
    assert scale["energy_shift"] == pytest.approx(-shift, abs=0.15) and not scale["energy_unknown"]


@pytest.mark.parametrize(
    ("carbon_lines", "expected", "shift"),
    [
        ([*ADVENTITIOUS, (282.0, 0.7, 0.9)], "C–C", -1.5),
        ([*ADVENTITIOUS, (281.6, 3.0, 0.9)], "C–C", 3.0),
        ([(289.8, 1.0, 1.2)], "carbonate", -1.5),
        (ADVENTITIOUS[:1], "C–C", 3.0),
    ],
)
def test_c_1s_is_read_as_it_is(carbon_lines, expected, shift):
    scale = reference.referenced(surface_of([(shift, 1.0)], C_1s=carbon_lines, Zr_3d=ZIRCONIUM)).attrs
    assert scale["energy_reference"].startswith(expected)
    assert scale["energy_shift"] == pytest.approx(-shift, abs=2 * scale["energy_uncertainty"])


def test_a_lone_line_that_may_be_carbonate_or_c_c_gives_no_scale():
    tree = surface_of([(0.0, 1.0)], C_1s=[(289.8, 1.0, 1.2)], N_1s=[(401.0, 1.0, 1.3)])
    assert (
        "several ways (C–C at 289.8 eV, a shift of -5.0 eV, carbonate"
        in reference.referenced(tree).attrs["energy_unknown"]
    )


def test_pure_zr4_without_a_reference_is_not_reduced():
    """Charged by -1.5 eV it lies where reduced Zr would."""
    found = rows(surface.analyse(surface_of([(-1.5, 1.0)], Zr_3d=ZIRCONIUM), ["Zr 3d"], **QUICK))
    for key in ("Zr4", "ZrReduced"):
        row = found[f"Zr_3d_{key}_present"]
        assert row["value"] is None and "the energy scale is unknown: there is no C 1s region" in row["note"]
        assert f"Zr_3d_{key}_binding_energy" not in found and found[f"Zr_3d_{key}_share"]["value"] is None
    recorded = found["Zr_3d_unassigned1_recorded_energy"]
    assert recorded["value"] == pytest.approx(180.5, abs=0.1) and "as recorded" in recorded["note"]


def test_differences_within_a_region_remain_without_a_reference():
    tree = surface_of([(-1.5, 1.0)], Zr_3d=[*ZIRCONIUM, (180.2, 0.5, 1.3)])
    found = rows(surface.analyse(tree, ["Zr 3d"], **QUICK))
    distance = found["Zr_3d_unassigned2_above_unassigned1"]
    assert distance["low"] < 1.8 < distance["high"] and distance["high"] - distance["low"] < 0.4
    assert found["Zr_3d_ZrReduced_present"]["value"] is None


@pytest.mark.parametrize(("distance", "share"), [(1.6, 0.3), (1.7, 0.7)])
def test_a_surface_that_charges_unevenly_gives_no_verdict_on_reduction(distance, share):
    patches = [(0.5, 1 - share), (0.5 + distance, share)]
    tree = surface_of(patches, C_1s=ADVENTITIOUS, Zr_3d=ZIRCONIUM, Li_1s=LITHIUM)
    row = rows(surface.analyse(tree, ["Zr 3d"], **QUICK))["Zr_3d_ZrReduced_present"]
    assert row["value"] is None and "differential charging" in row["note"]


def test_another_reference_sets_the_scale():
    tree = surface_of([(3.0, 1.0)], Au_4f=[(83.96, 1.0, 0.9)], Zr_3d=ZIRCONIUM)
    on_gold = reference.referenced(tree, 83.96, region="Au 4f").attrs
    assert on_gold["energy_shift"] == pytest.approx(-3.0, abs=0.1)
    stated = reference.referenced(tree, None).attrs
    assert stated["energy_shift"] == 0 and not stated["energy_unknown"] and stated["energy_uncertainty"] == 0.1


def test_a_shift_between_samples_is_null_where_a_scale_is_unknown():
    tree = surface_of([(0.0, 1.0)], Zr_3d=ZIRCONIUM)
    tree.attrs["sample"] = "A"
    one = surface.analyse(tree, ["Zr 3d"], **QUICK)
    analysed = {"A": one, "B": surface.Surface(one.recording.copy(), one.regions)}
    analysed["B"].recording.attrs = one.recording.attrs | {"sample": "B"}
    trees, found = ({name: getattr(one, part) for name, one in analysed.items()} for part in ("recording", "regions"))
    values = findings.composition_findings(trees, found, "A", "Zr 3d")
    shift = {row["quantity"]: row for row in values if row["sample"] == "B"}["Zr_3d_at_lower_binding_energy"]
    assert shift["value"] is None and "unknown" in shift["note"]
    assert findings.scale_table(trees)["standard uncertainty / eV"].tolist() == ["unknown", "unknown"]


def test_readings_of_c_1s():
    def of(*pairs):
        return [(one.name, round(one.shift, 1)) for one in carbon.readings(lines(*pairs), 284.8)]

    assert of((285.3, 1.0), (286.8, 0.3), (290.3, 0.9)) == [("C–C", -0.5)]
    assert of((282.0, 1.0), (284.8, 0.8)) == [("C–C", 0.0)]
    assert of((285.0, 1.0), (286.5, 0.9)) == []  # too much C-O for adventitious carbon
    assert of((285.0, 1.0), (286.5, 0.3), (288.0, 0.05)) == [("C–C", -0.2)]  # a weak line needs no explanation
    assert of((289.8, 1.0)) == [("C–C", -5.0), ("carbonate", 0.0), ("carbide", -7.8)]


def test_every_strong_line_has_a_copy_or_is_one():
    twice = lines((285.0, 1.0), (287.0, 0.5), (289.8, 0.6), (291.8, 0.3))
    assert is_copied(twice, 2.0, 0.5) and is_copied(twice, 2.0, 0.3)
    assert not is_copied(twice, 1.2, 0.5) and not is_copied(twice[:3], 2.0, 0.5)
    assert not is_copied(lines((285.0, 1.0), (286.5, 0.3), (290.0, 0.5)), 1.5, 3.0)  # adventitious carbon


def test_a_free_number_of_lines():
    platinum = surface_of([(0.0, 1.0)], Pt_4f=[(71.0, 1.0, 1.1), (74.0, 0.4, 1.4)])["Pt 4f"].to_dataset()
    found = free_lines(platinum, components.BUNDLED.line("Pt 4f"))
    assert [round(c.position) for c in found] == [71, 74]
    assert free_lines(counts([], (391, 404), seed=3)) == ()


def test_a_region_without_components_is_shown_with_unassigned_lines():
    tree = surface_of([(0.5, 1.0)], C_1s=ADVENTITIOUS, Pt_4f=[(71.0, 1.0, 1.1)])
    analysed = surface.analyse(tree, ["Pt 4f"], **QUICK)
    found = rows(analysed)
    energy = found["Pt_4f_unassigned1_binding_energy"]
    assert energy["low"] < 71.0 < energy["high"]
    assert analysed.regions["Pt 4f"].withheld == {}
    assert "unassigned" in findings.reference_table(["Pt 4f"]).loc["Pt 4f", ""]["source"]
    assert found["Pt_4f_unassigned1_present"]["note"] == "no components of this core level are known"
    (line,) = analysed.regions["Pt 4f"].components.values()
    undecided = replace(line, present=False, decided=False)
    told = surface.Surface(
        analysed.recording, {"Pt 4f": replace(analysed.regions["Pt 4f"], components={"unassigned1": undecided})}
    )
    assert "cannot be told: the region has no line" in rows(told)["Pt_4f_unassigned1_present"]["note"]


OWN = """
["Pt 4f"]
splitting = 3.33
ratio = 0.75
sensitivity = 8.6

[["Pt 4f".component]]
key = "Pt0"
position = 71.0
tolerance = 0.3
source = "metal"

[["Zr 3d".component]]
key = "Zr4"
label = "zirconate"
position = 181.5
tolerance = 0.2
source = "own"

["C 1s"]
only = true

[["C 1s".component]]
key = "CF2"
position = 290.9
tolerance = 0.4
lines = [[-4.5, 1.0]]
fwhm = [1.3, 0.2]
width = "PVDF"
"""


def test_components_of_ones_own_are_added_or_replace(tmp_path):
    path = tmp_path / "components.toml"
    path.write_text(OWN, encoding="utf-8")
    table = components.load(path)
    (platinum,) = table.expected("Pt 4f", ["Pt 4f"])
    assert (platinum.label, platinum.tolerance, table.line("Pt 4f").sensitivity) == ("Pt0", 0.3, 8.6)
    zirconium = {c.key: c for c in table.components["Zr 3d"]}
    assert zirconium["Zr4"].position == 181.5 and zirconium["Zr4"].label == "zirconate"
    assert zirconium["ZrReduced"] == components.COMPONENTS["Zr 3d"][1]
    assert table.lines["Zr 3d"] == components.LINES["Zr 3d"]
    (pair,) = table.components["C 1s"]
    assert pair.partners(table.line("C 1s")) == [(0.0, 1.0), (-4.5, 1.0)] and pair.width_name == "PVDF_fwhm"


def test_a_component_of_ones_own_is_found(tmp_path):
    """The example of docs/your-own-data.md."""
    path = tmp_path / "components.toml"
    text = (paths.ROOT / "docs" / "your-own-data.md").read_text(encoding="utf-8")
    path.write_text(text.partition("<!-- components -->\n```toml\n")[2].partition("```")[0], encoding="utf-8")
    tree = surface_of([(0.5, 1.0)], C_1s=ADVENTITIOUS, Pt_4f=[(71.0, 1.0, 1.1)])
    found = surface.analyse(tree, ["Pt 4f"], **QUICK, table=components.load(path)).regions["Pt 4f"]
    assert found.components["Pt0"].present and not found.components["PtO2"].present
    ax = Figure().subplots()
    plots.references("Pt 4f", [ax], [found], [ax])
    assert [text.get_text() for text in ax.texts] == ["Pt metal", "PtO2"]
    assert [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == ":"] == [71.1, 74.2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("position = 1", "components.toml, position: no core level"),
        ('["Pt 4f"]\nfwmh = [1, 2]', "components.toml, Pt 4f: no key 'fwmh'; there are asymmetry"),
        ('["Pt 4f"]\nfwhm = 1.2', r"components.toml, Pt 4f: fwhm = 1.2 is no pair of numbers"),
        ('["Xe 3d"]\nsplitting = 12.6', "components.toml, Xe 3d: a doublet needs both splitting and ratio"),
        ('[["Pt 4f".component]]\nkey = "a"', "Pt 4f, component a: it lacks position, tolerance"),
        ('[["Pt 4f".component]]\nkey = "a b"\nposition = 1\ntolerance = 1', "component a b: the key may hold letters"),
        ('[["Pt 4f".component]]\nkey = "a"\nposition = "x"\ntolerance = 1', "position = 'x' is no number"),
        ('[["Pt 4f".component]]\nkey = "a"\nposition = 71\ntolerance = 0', "tolerance = 0 is not above 0 eV"),
        ("[", "components.toml: not a TOML file"),
    ],
)
def test_a_file_of_components_that_cannot_be_used_says_where_and_why(tmp_path, text, message):
    path = tmp_path / "components.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        components.load(path)


def test_tied_lines_and_shared_widths():
    """CF2 and CH2 of PVDF have one area; two states that share a width have one parameter for it."""
    region = counts([(290.9, 1.0), (286.4, 1.0)], (281.0, 296.0), seed=5)
    pair = components.Component("CF2", "PVDF", 290.7, 0.2, lines=((-4.5, 1.0),))
    result = fit(region, [pair])
    assert result.params["CF2_area"].value == pytest.approx(2000, rel=0.05)
    assert result.params["CF2_position"].value == pytest.approx(290.9, abs=0.05)
    two = [replace(pair, key=key, lines=(), width="both", position=at) for key, at in (("a", 286.4), ("b", 290.9))]
    names = [name for name in fit(region, two).params if name.endswith("fwhm")]
    assert names == ["both_fwhm"]


def test_a_line_of_another_level_has_no_partner_of_the_region():
    overlap = components.Component("Zr4s", "", 52.0, 0.4, level="Zr 4s")
    assert overlap.partners(components.LINES["Zr 3d"]) == [(0.0, 1.0)]
