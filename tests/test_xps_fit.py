"""Fits of XPS regions: a forward model with known answers, exact cases, bounds and error messages."""

import numpy as np
import pytest
import xarray as xr

from coldbond.xps.components import COMPONENTS, LINES, Component, expected_components
from coldbond.xps.fit import bounded_step, curves, fit
from coldbond.xps.reference import referenced
from surfaces import counts

PAIR = [c for c in COMPONENTS["Li 1s"] if c.key in ("Li3N", "Li2O")]


def test_every_shape_and_background_recovers_two_lines():
    region = counts([(55.2, 1.0), (56.6, 0.5)], seed=1)
    pair = [Component("a", "a", 55.2, 0.3), Component("b", "b", 56.6, 0.3)]
    for shape in ("gl product", "gl sum", "voigt", "doniach"):
        for background in ("active shirley", "active tougaard", "shirley and tougaard"):
            result = fit(region, pair, background, shape)
            assert result.redchi < 1.3
            for key, position, area in (("a", 55.2, 2000), ("b", 56.6, 1000)):
                assert result.params[f"{key}_position"].value == pytest.approx(position, abs=0.06)
                assert result.params[f"{key}_area"].value == pytest.approx(area, rel=0.12)


@pytest.mark.parametrize("shape", ["gl product", "gl sum", "voigt", "doniach"])
def test_derivatives_are_those_of_the_residual(shape):
    """Of a doublet with a width of its own for one component, on both backgrounds."""
    region = counts([(443.5, 1.0), (444.6, 0.5)], seed=1)
    pair = [Component("a", "a", 443.5, 0.3), Component("b", "b", 444.6, 0.3, fwhm=(1.5, 0.3))]
    result = fit(region, pair, "shirley and tougaard", shape, line=LINES["In 3d"])
    values, names, model = result.params.valuesdict(), list(result.params), result.model
    found = model.derivatives(values, result.sigma, names).T
    for name, column in zip(names, found, strict=True):
        step = 1e-4 * max(abs(values[name]), 100 if name.endswith("_area") else 0.1)
        up, down = (model.residual(values | {name: values[name] + s}, result.sigma) for s in (step, -step))
        scale = np.abs(column).max() or 1.0
        np.testing.assert_allclose(column / scale, (up - down) / (2 * step) / scale, atol=1e-3, err_msg=name)


def test_an_exact_model_is_recovered():
    """No noise, the fit's own background: every parameter comes back."""
    clean = counts([(55.2, 1.0), (57.6, 0.5)], seed=1, loss=0)
    pair = [Component("a", "a", 55.0), Component("b", "b", 57.5)]
    first = fit(clean, pair, "active shirley", "voigt")
    exact = clean.drop_vars("one_count").assign(intensity=curves(first).envelope)
    again = fit(exact, pair, "active shirley", "voigt")
    for key in ("a", "b"):
        assert again.params[f"{key}_position"].value == pytest.approx(first.params[f"{key}_position"].value, abs=1e-3)
        assert again.params[f"{key}_area"].value == pytest.approx(first.params[f"{key}_area"].value, rel=0.01)


def test_the_curves_add_up():
    drawn = curves(fit(counts([(55.2, 1.0), (55.9, 0.5)], seed=2), PAIR))
    total = drawn.background + drawn.component.sum("key")
    np.testing.assert_allclose(total, drawn.envelope, rtol=1e-12)
    np.testing.assert_allclose((drawn.intensity - drawn.envelope) / drawn.uncertainty, drawn.residual)


def test_a_doublet_has_its_partner():
    region = counts([(182.0, 1.5)], (175, 189), seed=3, splitting=2.4, ratio=2 / 3)
    zirconium = [c for c in COMPONENTS["Zr 3d"] if c.key == "Zr4"]
    result = fit(region, zirconium, line=LINES["Zr 3d"])
    assert result.params["Zr4_area"].value == pytest.approx(3000, rel=0.06)  # of the main line alone
    line = curves(result).component.sel(key="Zr4")
    main, partner = (float(line.sel(binding_energy=at, method="nearest")) for at in (182.0, 184.4))
    assert partner / main == pytest.approx(2 / 3, rel=0.05)


def test_weights_from_the_expectation_do_not_pull_the_fit_down():
    """Weights from the counts themselves lower every area by about one count a point."""
    areas = [
        fit(counts([(55.5, 1.0)], seed=seed, peak=100, level=20, loss=0), PAIR[:1]).params["level"].value
        for seed in range(12)
    ]
    assert np.mean(areas) == pytest.approx(20.5, abs=1.0)


def test_unknown_counting_scales_by_the_residuals():
    region = counts([(55.2, 1.0), (55.9, 0.5)], seed=4)
    unknown = region.drop_vars("one_count")
    rate = unknown.assign(intensity=unknown.intensity / 40)
    known, scaled = (fit(r, PAIR).params["Li3N_position"].stderr for r in (region, rate))
    assert scaled == pytest.approx(known, rel=0.3)


def test_a_model_that_does_not_fit_has_wider_intervals():
    """Two narrow lines 3 eV apart fitted by one: the residuals, not counting statistics, give the uncertainty."""
    region = counts([(54.0, 1.0), (57.0, 1.0)], seed=5)
    result = fit(region, [Component("one", "one", 55.5)])
    assert result.redchi > 5
    # Counting alone: width / 2.35 / sqrt(counts), about 0.02 eV for a line 4 eV wide of 40 000 counts.
    assert result.params["one_position"].stderr > 0.03


def test_a_parameter_at_a_bound_is_reported():
    """A line without tails leaves a Lorentzian no room."""
    region = counts([], seed=6)
    box = 20000 * np.maximum(0, 1 - (region.binding_energy - 55.5) ** 2)
    result = fit(region.assign(intensity=region.intensity + box), [Component("one", "one", 55.5)], "linear", "voigt")
    assert result.at_bound == ["lorentzian"]
    assert result.params["lorentzian"].value == 0 and not result.params["lorentzian"].vary
    assert result.errorbars


@pytest.mark.parametrize("shift", [-3.1, 0.4, 2.7])
def test_carbon_corrects_the_charging(shift):
    carbon = counts([(284.8 + shift, 1.0), (286.3 + shift, 0.2), (289.6 + shift, 0.3)], (279, 296), seed=7)
    lithium = counts([(55.2 + shift, 1.0)], seed=8)
    recording = xr.DataTree.from_dict({"C 1s": carbon, "Li 1s": lithium})
    moved = referenced(recording, 284.8, 0.1)
    assert moved.attrs["energy_shift"] == pytest.approx(-shift, abs=0.02)
    assert 0.1 <= moved.attrs["energy_uncertainty"] < 0.11
    np.testing.assert_allclose(
        moved["Li 1s"].binding_energy, recording["Li 1s"].binding_energy + moved.attrs["energy_shift"]
    )
    assert moved.attrs["energy_reference"].endswith("to 284.80 eV")


def test_without_carbon_the_scale_is_as_recorded_and_the_file_is_quoted():
    tree = xr.DataTree.from_dict({"Li 1s": counts([(55.2, 1.0)], seed=9)})
    tree.attrs["charge_reference"] = "Carbon BE 284.83"
    for energy in (284.8, None):
        moved = referenced(tree, energy)
        assert moved.attrs["energy_shift"] == 0
        assert moved.attrs["energy_reference"].startswith("as recorded")
        assert "Carbon BE 284.83" in moved.attrs["energy_reference"]


def test_li3n_is_fitted_only_where_there_is_nitrogen():
    with_nitrogen, without = (
        {c.key for c in expected_components("Li 1s", regions)} for regions in (("Li 1s", "N 1s"), ("Li 1s",))
    )
    assert "Li3N" in with_nitrogen and "LiO" not in with_nitrogen
    assert "LiO" in without and "Li3N" not in without


def test_the_components_are_complete():
    for region, components in COMPONENTS.items():
        assert region in LINES
        keys = [c.key for c in components]
        assert len(set(keys)) == len(keys) and all(key.isidentifier() for key in keys)
        assert all(c.source and np.isfinite(c.position + c.uncertainty) for c in components)


def test_error_messages():
    region = counts([(55.2, 1.0)], seed=1)
    with pytest.raises(ValueError, match="nothing to fit: the iterative Shirley"):
        fit(region, [], "iterative shirley")
    with pytest.raises(ValueError, match="no line shape 'gauss'; there are gl product"):
        fit(region, PAIR, shape="gauss")
    with pytest.raises(ValueError, match="no background 'shirley'; there are active shirley"):
        fit(region, PAIR, "shirley")
    with pytest.raises(ValueError, match="6 points do not determine"):
        fit(region.isel(binding_energy=slice(6)), PAIR)


def test_parameters_that_do_the_same_share_a_step():
    curvature, slope, bound = np.ones((2, 2)), np.array([-2.0, -2.0]), np.full(2, 9.0)
    assert bounded_step(curvature, slope, -bound, bound) == pytest.approx([1.0, 1.0])
    assert bounded_step(curvature, slope, -bound, bound / 18) == pytest.approx([0.5, 0.5])


def test_a_name_of_parameters_is_no_key_of_a_component():
    with pytest.raises(ValueError, match=r"component partner: .* give it another"):
        Component("partner", "Fe 2p1/2", 722.0)
