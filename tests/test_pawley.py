"""The whole-pattern fit against patterns simulated here, formulas of textbooks, and rays followed one by one."""

from types import SimpleNamespace

import gemmi
import lmfit
import numpy as np
import pytest
import xarray as xr
from scipy.special import voigt_profile

import independent
from coldbond.interval import NORMAL
from coldbond.xrd import design_matrix, geometry, pawley, profile, reflection_list, uncertainty
from coldbond.xrd.lattice import lattice_parameters, strong_correlations
from coldbond.xrd.pattern_model import PatternModel
from coldbond.xrd.structures import STRUCTURES, Site, Structure
from independent import powder

COBALT = 1.788965, 1.792850  # angstrom: K-alpha1 and 2 as two plain lines
RADIUS = 240.0
TETRAGONAL = Structure(
    "rutile", "P 42/m n m", (4.594, 4.594, 2.959, 90.0, 90.0, 90.0), (Site("Ti", {"Ti": 1.0}, 0, 0, 0),), ""
)

HEAVY = Structure("Tl", "I m -3 m", (3.51,) * 3 + (90.0,) * 3, (Site("Tl", {"Tl": 1.0}, 0, 0, 0),), "")


def observed(two_theta, intensity, one_count=1.0, **attrs) -> xr.Dataset:
    attrs = {"wavelength_kalpha1": COBALT[0], "wavelength_kalpha2": COBALT[1], "goniometer_radius": RADIUS} | attrs
    variables = {"intensity": ("two_theta", intensity, {"units": "count"})}
    if one_count:
        variables["one_count"] = ("two_theta", np.full(two_theta.size, one_count))
    return xr.Dataset(variables, coords={"two_theta": two_theta}, attrs={"technique": "xrd"} | attrs)


def cubic_lines(a, longest=COBALT[0], high=110.0):
    """Spacings of the lines of a body-centred cubic lattice: h^2 + k^2 + l^2 is even."""
    limit = int((2 * a * np.sin(np.radians(high / 2)) / longest) ** 2)
    squares = {i * i + j * j + k * k for i in range(12) for j in range(12) for k in range(12)}
    return a / np.sqrt(sorted(n for n in squares if 0 < n <= limit and n % 2 == 0))


def simulated(
    two_theta, spacings, areas, displacement=0.0, zero=0.0, size=0.05, strain=0.0, gaussian=0.05, ratio=0.5, wave=COBALT
):
    """A pattern by Voigt functions: Bragg's angles, displaced, of a doublet, without axial divergence."""
    total = np.zeros(two_theta.size)
    for d, area in zip(spacings, areas, strict=True):
        for wavelength, part in zip(wave, (1 / (1 + ratio), ratio / (1 + ratio)), strict=True):
            theta = np.arcsin(wavelength / (2 * d))
            at = np.degrees(2 * theta - 2 * displacement * np.cos(theta) / RADIUS) + zero
            lorentzian = size / np.cos(theta) + strain * np.tan(theta)
            total += area * part * voigt_profile(two_theta - at, gaussian / 2.3548200450309493, lorentzian / 2)
    return total


def instrument_of(gaussian=0.05, ratio=0.5, spread=0.0, **values) -> pawley.Instrument:
    values = {"u": 0.0, "v": 0.0, "w": gaussian**2, "x": 0.0, "y": 0.0, "axial": 0.0, "kalpha2_ratio": ratio} | values
    covariance = np.zeros((len(values), len(values)))
    covariance[2, 2] = spread**2
    return pawley.Instrument(tuple(values), np.array(list(values.values())), covariance)


@pytest.fixture(scope="module")
def opaque():
    """The plan of the tests needs no transparency: a metal that takes the beam in hardly any depth."""
    return Structure("W", "I m -3 m", (3.1652,) * 3 + (90.0,) * 3, (Site("W", {"W": 1.0}, 0, 0, 0),), "")


# --- profile ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fwhm", "mixing"), [(0.1, 0.0), (0.07, 0.4), (0.2, 1.0)])
def test_a_profile_has_area_one_the_width_and_the_breadth_it_says(fwhm, mixing):
    x = np.arange(-2000, 2000, 0.001)
    y = profile.pseudo_voigt(x, fwhm, mixing)
    beyond = mixing * fwhm / (2000 * np.pi)  # of a Lorentzian's tails
    assert y.sum() * 0.001 + beyond == pytest.approx(1, abs=1e-6)
    assert np.ptp(x[y >= y.max() / 2]) == pytest.approx(fwhm, abs=0.0021)
    assert profile.integral_breadth(fwhm, mixing) == pytest.approx(1 / y.max(), rel=1e-6)


@pytest.mark.parametrize(("gaussian", "lorentzian"), [(0.1, 0.02), (0.1, 0.1), (0.03, 0.1)])
def test_a_pseudo_voigt_stands_for_a_voigt(gaussian, lorentzian):
    x = np.arange(-0.5, 0.5, 1e-4)
    true = voigt_profile(x, gaussian / 2.3548200450309493, lorentzian / 2)
    fwhm, mixing = profile.voigt_approximation(gaussian, lorentzian)
    assert fwhm == pytest.approx(np.ptp(x[true >= true.max() / 2]), rel=2e-3)
    assert profile.pseudo_voigt(x, fwhm, mixing) == pytest.approx(true, abs=0.013 * true.max())


@pytest.mark.parametrize("two_theta", [20.0, 60.0, 90.0, 140.0])
def test_axial_divergence_is_what_rays_do(two_theta):
    """A million rays through both Soller slits onto the cone that Bragg's law makes, by exact trigonometry."""
    divergence = 0.04
    b, c = np.random.default_rng(1).triangular(-divergence, 0, divergence, (2, 1_000_000))
    cosine = (np.cos(np.radians(two_theta)) - np.sin(b) * np.sin(c)) / (np.cos(b) * np.cos(c))
    true = np.degrees(np.arccos(cosine)) - two_theta
    shift, weight = profile.axial_divergence(two_theta, 12)
    found = np.degrees(shift * divergence**2)
    assert weight.sum() == pytest.approx(1)
    assert weight @ found == pytest.approx(true.mean(), rel=3e-3, abs=4e-5)  # to second order
    assert np.sqrt(weight @ found**2) == pytest.approx(
        np.sqrt((true**2).mean()), rel=0.06
    )  # less what a node stands for
    # each node stands for an equal part of the range between the extremes, where both angles are at their largest
    ends = np.degrees(
        (np.array([-1, 1]) - np.cos(np.radians(two_theta))) / np.sin(np.radians(two_theta)) * divergence**2
    )
    rays, _ = np.histogram(true, np.linspace(*ends, 13))
    assert weight == pytest.approx(
        rays[-weight.size :] / 1e6 if two_theta < 90 else rays[: weight.size] / 1e6, abs=0.013
    )


def test_copper_lines_peak_where_the_wavelengths_say():
    """Sums of Lorentzians of Hoelzer's widths have their peaks at his two wavelengths."""
    found = design_matrix.emission((1.5405929, 1.5444274))
    widths = (2.285, 3.358, 2.666, 3.571)  # eV
    energy = np.arange(8020, 8055, 1e-4)
    total = sum(
        (0.659, 0.341)[which] * share * width / ((energy - 12398.41984 / wavelength) ** 2 + width**2 / 4)
        for (wavelength, which, share), width in zip(found, widths, strict=True)
    )
    assert sum(share for _, which, share in found if which == 1) == pytest.approx(1)
    for wavelength, (low, high) in zip((1.5405929, 1.5444274), ((8040, 8055), (8020, 8036)), strict=True):
        inside = (energy > low) & (energy < high)
        # K-alpha2 on the foot of K-alpha1, as Hoelzer's table leaves open
        assert 12398.41984 / energy[inside][total[inside].argmax()] == pytest.approx(wavelength, rel=8e-6)
    assert design_matrix.emission(COBALT) == [(COBALT[0], 0, 1.0), (COBALT[1], 1, 1.0)]


# --- reflections of a cell ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "formula"),
    [
        ((4.6, 4.6, 2.95, 90, 90, 90), lambda h, k, m: 1 / np.sqrt((h * h + k * k) / 4.6**2 + m * m / 2.95**2)),
        (
            (3.54, 3.54, 5.7, 90, 90, 120),
            lambda h, k, m: 1 / np.sqrt(4 / 3 * (h * h + h * k + k * k) / 3.54**2 + m * m / 5.7**2),
        ),
    ],
)
def test_spacings_of_tetragonal_and_hexagonal_cells(cell, formula):
    hkl = np.array([(1, 0, 0), (0, 0, 2), (1, 1, 1), (2, -1, 3), (3, 0, 1)])
    assert design_matrix.spacings(hkl, cell) == pytest.approx(formula(*hkl.T.astype(float)), rel=1e-12)


def test_spacings_of_a_triclinic_cell():
    cell = (5.1, 6.3, 7.7, 81.0, 96.0, 104.0)
    hkl = np.array([(1, 0, 0), (1, -2, 3), (0, 2, -1)])
    expected = [gemmi.UnitCell(*cell).calculate_d(index) for index in hkl.tolist()]
    assert design_matrix.spacings(hkl, cell) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "free"),
    [("LLZTO", ["a"]), ("InN", ["a", "c"]), ("In", ["a", "c"]), ("Li2CO3", ["a", "b", "c", "beta"])],
)
def test_the_crystal_system_says_which_lattice_parameters_are_free(name, free):
    cell, params = reflection_list.free_lattice_parameters(STRUCTURES[name])
    assert list(params) == free
    assert cell(params.valuesdict()) == pytest.approx(STRUCTURES[name].cell)


def test_silicon_absorbs_as_the_tables_say():
    """63.7 cm2/g (International Tables C, 1992, Cu K-alpha) at 2.329 g/cm3; scattering is left out here."""
    assert reflection_list.absorption(STRUCTURES["Si"], 1.5418) == pytest.approx(6.37 * 2.329, rel=0.06)


# --- the fit ------------------------------------------------------------------------------------------------------


def test_without_noise_the_truth_comes_back(opaque):
    """The forward model of the fit itself, so nothing but its numerics is left."""
    two_theta = np.arange(35.0, 120.0, 0.02)
    cell, _ = reflection_list.free_lattice_parameters(opaque)
    values = {"a": 3.1712, "displacement": 0.08, "size": 0.06, "strain": 0.05, "flat": pawley.FLAT_PRIOR[0]}
    own = instrument_of()
    values |= dict(zip(own.names, own.values, strict=True))
    known = reflection_list.visible(opaque, observed(two_theta, two_theta), COBALT[0])
    main = reflection_list.main_phase(known, two_theta, known.two_theta.to_numpy())
    values["depth"] = 1 / (2 * reflection_list.absorption(opaque, COBALT[0]) * pawley.PACKING[0])
    design = design_matrix.DesignMatrix(two_theta, COBALT, RADIUS, [main], cell, values)(values)
    areas = np.linspace(900, 300, design.shape[1])
    pattern = observed(two_theta, design @ areas + 40 + two_theta / 10, one_count=None)
    fit = pawley.fit(pattern, opaque, instrument=own)
    for name in ("a", "displacement", "size", "strain"):
        assert fit.params[name].value == pytest.approx(values[name], rel=1e-5 if name != "a" else 1e-7), name
    assert fit.reflections.area.to_numpy() == pytest.approx(areas[main.column] * main.share, rel=1e-4)
    assert fit.curves.background.to_numpy() == pytest.approx(40 + two_theta / 10, rel=1e-3)


def test_derivatives_are_those_of_finite_differences(opaque):
    """Of residuals and amplitudes, with axial divergence, depth, a phase of fixed and one of refined cell."""
    two_theta = np.arange(35.0, 120.0, 0.02)
    cell, _ = reflection_list.free_lattice_parameters(opaque)
    values = {"a": 3.1712, "displacement": 0.08, "size": 0.06, "strain": 0.05, "depth": 0.1, "flat": 0.3}
    own = instrument_of()
    values |= dict(zip(own.names, own.values, strict=True))
    pattern = observed(two_theta, np.full(two_theta.size, 100.0))
    known = reflection_list.visible(opaque, pattern, COBALT[0])
    main = reflection_list.main_phase(known, two_theta, known.two_theta.to_numpy())
    beside, refined = reflection_list.other_phases(
        [STRUCTURES["Si"], STRUCTURES["InN"]],
        {"Si": 0.3, "InN": 0.2},
        ["InN"],
        pattern,
        COBALT[0],
        int(main.column.max()) + 1,
    )
    assert [*refined] == ["a_2", "c_2", "size_2"]
    phases, values = [main, *beside], values | refined.valuesdict()
    made = design_matrix.DesignMatrix(two_theta, COBALT, RADIUS, phases, cell, values)
    mean = made(values) @ np.linspace(900, 300, made.count) + 40
    polynomials = np.polynomial.chebyshev.chebvander(np.linspace(-1, 1, two_theta.size), 3)
    counts = np.random.default_rng(1).poisson(mean).astype(float)
    model = PatternModel(made, polynomials, counts, np.sqrt(mean), {"axial": pawley.AXIAL_PRIOR})
    of_residual, of_amplitudes = model.derivatives(values, list(values))
    for i, (name, value) in enumerate(values.items()):
        step = {"a": 1e-6, "a_2": 1e-6, "c_2": 1e-6, "axial": 1e-3}.get(name, 1e-5)
        above, below = (model.solution({**values, name: value + h}) for h in (step, -step))
        for part, exact in ((1, of_residual), (0, of_amplitudes)):
            expected = (above[part] - below[part]) / (2 * step)
            assert exact[:, i] == pytest.approx(expected, rel=1e-4, abs=1e-4 * np.abs(expected).max()), name


def patterns(count, two_theta, structure_a=3.1652, **truth):
    """Realisations of the counts of one pattern; the areas of the lines."""
    spacings = cubic_lines(structure_a, high=two_theta[-1] - 1)
    areas = np.linspace(600, 150, spacings.size)
    mean = simulated(two_theta, spacings, areas, **truth) + 60 - two_theta / 4
    random = np.random.default_rng(20221209)
    return areas, [observed(two_theta, random.poisson(mean).astype(float)) for _ in range(count)]


def test_a_fit_that_starts_from_another_ends_where_it_would(opaque):
    _, (pattern,) = patterns(1, np.arange(35.0, 110.0, 0.02), displacement=0.05)
    displaced = pawley.fit(pattern, opaque, instrument=instrument_of())
    alone = pawley.fit(pattern, opaque, instrument=instrument_of(), geometry="zero")
    led = pawley.fit(pattern, opaque, instrument=instrument_of(), geometry="zero", start=displaced)
    assert led.nfev < 8
    for name in led.var_names:
        assert abs(led.params[name].value - alone.params[name].value) < 0.05 * alone.params[name].stderr, name
    np.testing.assert_array_equal(led.curves.standard_uncertainty, displaced.curves.standard_uncertainty)


def test_intervals_cover_what_was_simulated(opaque):
    """Lattice, displacement, size and areas of 20 realisations; 40 standard errors each hold the truth near enough."""
    truth = {"a": 3.1652, "displacement": 0.06, "size": 0.08}
    areas, noisy = patterns(20, np.arange(35.0, 118.0, 0.04), displacement=0.06, size=0.08)
    fits = [pawley.fit(pattern, opaque, instrument=instrument_of()) for pattern in noisy]
    for name, value in truth.items():
        score = np.array([(fit.params[name].value - value) / fit.params[name].stderr for fit in fits])
        assert (np.abs(score) < NORMAL).sum() >= 17, name  # fewer than 17 of 20 happen once in 60 times at 95 %
        assert 0.5 < np.sqrt(np.mean(score**2)) < 1.5, name
    first = [fit.reflections.isel(reflection=0) for fit in fits]
    score = np.array([(float(line.area) - areas[0]) / float(line.area_error) for line in first])
    assert (np.abs(score) < NORMAL).sum() >= 17
    assert np.mean([fit.redchi for fit in fits]) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("geometry", ["displacement", "zero"])
def test_the_interval_of_the_lattice_includes_the_choice_of_geometry(opaque, geometry):
    """Two models fit alike over a short range; the truth lies in the joint interval whichever of them it follows."""
    truth = {"displacement": 0.12} if geometry == "displacement" else {"zero": 0.05}
    _, (pattern,) = patterns(1, np.arange(45.0, 105.0, 0.04), **truth)
    fits = pawley.fit_geometries(pattern, opaque, instrument=instrument_of())
    lattice = lattice_parameters(fits)
    value, low, high = lattice.intervals["a"]
    found = lattice.by_geometry
    assert low < 3.1652 < high and low <= value <= high
    alone = np.ptp(found.estimate.sel(parameter="a", geometry=["displacement", "zero"]).to_numpy())
    if (found.weight.sel(geometry=["displacement", "zero"]) > 0).all():
        assert high - low > alone
    assert found[geometry].sel(geometry=geometry).item() == pytest.approx(next(iter(truth.values())), rel=0.2)
    assert abs(found.correlation.sel(geometry="displacement", parameter="a").item()) > 0.8
    assert any({"a", "displacement"} == {*pair[:2]} for pair in strong_correlations(fits["displacement"], above=0.8))
    assert strong_correlations(fits["displacement"], above=1.0) == []


def test_a_wide_range_tells_the_geometries_apart(opaque):
    _, (pattern,) = patterns(1, np.arange(35.0, 150.0, 0.03), displacement=0.3)
    found = lattice_parameters(pawley.fit_geometries(pattern, opaque, instrument=instrument_of()))
    assert found.by_geometry.weight.sel(geometry="zero").item() < 1e-6
    displaced = found.by_geometry.estimate.sel(geometry="displacement").item()
    assert found.intervals["a"].value == pytest.approx(displaced, rel=1e-9)


def test_an_instrument_known_badly_is_carried_on(opaque):
    _, (pattern,) = patterns(1, np.arange(35.0, 118.0, 0.04))
    sharp, vague = (pawley.fit(pattern, opaque, instrument=instrument_of(spread=spread)) for spread in (0.0, 1e-3))
    assert vague.params["size"].value == pytest.approx(sharp.params["size"].value)
    assert vague.params["size"].stderr > 1.5 * sharp.params["size"].stderr
    assert vague.params["a"].stderr < 1.2 * sharp.params["a"].stderr


def test_the_instrument_comes_from_a_standard(opaque):
    """Breadths of the standard go to the instrument; a sample's own are what is left beyond them."""
    two_theta = np.arange(35.0, 150.0, 0.03)
    _, (standard,) = patterns(1, two_theta, size=0.02, strain=0.03)
    _, (sample,) = patterns(1, two_theta, size=0.09, strain=0.03)
    own = pawley.instrument_profile(standard, opaque)
    values = dict(zip(own.names, own.values, strict=True))
    assert set(values) == set(pawley.INSTRUMENT_START)
    assert np.linalg.eigvalsh(own.covariance).min() > -1e-12
    fit = pawley.fit(sample, opaque, instrument=own)
    size, strain = fit.params["size"], fit.params["strain"]
    assert abs(size.value - 0.07) < 3 * size.stderr < 0.06
    assert strain.value < 3 * strain.stderr
    assert not fit.params["w"].vary


def test_another_phase_has_a_scale_or_none(opaque):
    """Tetragonal lines beside the main phase: found to within their error, and none where there are none."""
    two_theta = np.arange(30.0, 110.0, 0.04)
    spacings = cubic_lines(3.1652, high=109)
    there = reflection_list.visible(TETRAGONAL, observed(two_theta, two_theta), COBALT[0])
    inside = there.two_theta.to_numpy() < 112
    random = np.random.default_rng(5)
    base = simulated(two_theta, spacings, np.full(spacings.size, 400.0)) + 50
    extra = simulated(
        two_theta, there.d.to_numpy()[inside], 0.2 * there.relative_intensity.to_numpy()[inside], size=0.2
    )
    for amount in (1.0, 0.0):
        pattern = observed(two_theta, random.poisson(base + amount * extra).astype(float))
        fit = pawley.fit(
            pattern, opaque, instrument=instrument_of(), others=[TETRAGONAL], breadths={TETRAGONAL.name: 0.2}
        )
        scale, error = fit.scales.scale.to_numpy()[1], fit.scales.scale_error.to_numpy()[1]
        assert abs(scale - 20 * amount) < 3 * error < 6
        assert list(fit.scales.phase) == ["W", "rutile"]
        total = fit.curves.phases.sum("phase") + fit.curves.background
        assert total.to_numpy() == pytest.approx(fit.curves.fit.to_numpy())


def test_reflections_that_coincide_share_an_area():
    """411 and 330 of a body-centred lattice are one line; neither explodes."""
    two_theta = np.arange(30.0, 80.0, 0.02)
    structure = Structure("Nb3", "I m -3 m", (7.0,) * 3 + (90.0,) * 3, (Site("W", {"W": 1.0}, 0, 0, 0),), "")
    spacings = cubic_lines(7.0, high=79.5)
    pattern = observed(two_theta, simulated(two_theta, spacings, np.full(spacings.size, 50.0)) + 20, one_count=None)
    found = pawley.fit(pattern, structure, instrument=instrument_of()).reflections
    names = [tuple(int(found[n][i]) for n in "hkl") for i in range(found.reflection.size)]
    pair = [i for i, index in enumerate(names) if sum(n * n for n in index) == 18]
    assert len(pair) == 2
    area, covariance = found.area.to_numpy(), found.area_covariance.to_numpy()
    assert area[pair].sum() == pytest.approx(50, rel=0.02)
    one, other = pair
    assert covariance[one, other] == pytest.approx(np.sqrt(covariance[one, one] * covariance[other, other]))


def test_one_reflection_determines_no_lattice(opaque):
    """A shift and a lattice parameter from one angle: nothing small is printed beside them."""
    _, (pattern,) = patterns(1, np.arange(42.0, 55.0, 0.02))
    found = lattice_parameters(pawley.fit_geometries(pattern, opaque, instrument=instrument_of())).intervals["a"]
    assert not found.is_bounded or found.half_width > 0.0025


def test_a_light_sample_diffracts_from_within():
    """Lithium whose beam fades over a tenth of a millimetre: layer by layer, each displaced by its depth."""
    two_theta = np.arange(35.0, 130.0, 0.03)
    lithium = STRUCTURES["Li"]
    spacings = cubic_lines(3.512, high=129)
    mean = np.full(two_theta.size, 40.0)
    for d, area in zip(spacings, np.linspace(900, 400, spacings.size), strict=True):
        mean_depth = 0.12 * COBALT[0] / (2 * d)
        for share in (np.arange(40) + 0.5) / 40:
            layer = 0.05 - mean_depth * np.log(1 - share)
            mean += simulated(two_theta, [d], [area / 40], displacement=layer)
    pattern = observed(two_theta, np.random.default_rng(8).poisson(mean).astype(float))
    fit = pawley.fit(pattern, lithium, instrument=instrument_of())
    assert abs(fit.params["a"].value - 3.512) < NORMAL * fit.params["a"].stderr < 2e-3
    assert abs(fit.params["displacement"].value - 0.05) < NORMAL * fit.params["displacement"].stderr
    # more than counting alone would leave: how deep the beam goes is not known
    assert fit.params["a"].stderr > 2 * pawley.fit(pattern, HEAVY, instrument=instrument_of()).params["a"].stderr


def test_one_wavelength_is_one_line(opaque):
    two_theta = np.arange(35.0, 118.0, 0.04)
    spacings = cubic_lines(3.1652, high=117)
    mean = simulated(two_theta, spacings, np.full(spacings.size, 300.0), ratio=0.0) + 30
    counts = np.random.default_rng(3).poisson(mean).astype(float)
    fit = pawley.fit(observed(two_theta, counts, wavelength_kalpha2=None), opaque)
    assert not fit.params["kalpha2_ratio"].vary
    assert abs(fit.params["a"].value - 3.1652) < 4 * fit.params["a"].stderr < 4e-3
    assert fit.redchi < 1.2


def test_the_cell_is_found_from_afar(opaque):
    """0.8 % off: further than a reflection is wide."""
    _, (pattern,) = patterns(1, np.arange(35.0, 118.0, 0.04), structure_a=3.1652 * 1.008)
    assert pawley.fit(pattern, opaque, instrument=instrument_of()).params["a"].value == pytest.approx(3.19052, abs=3e-3)


def test_errors_grow_where_nothing_is_known_of_the_counting(opaque):
    """Intensities a hundred times the counts, said to be of unknown counting: the scatter gives the errors."""
    _, (pattern,) = patterns(1, np.arange(35.0, 118.0, 0.04))
    scaled = (100 * pattern.drop_vars("one_count")).assign_attrs(pattern.attrs)
    counted, unknown = (pawley.fit(p, opaque, instrument=instrument_of()) for p in (pattern, scaled))
    assert 0.6 < unknown.params["a"].stderr / counted.params["a"].stderr < 3
    assert abs(unknown.params["a"].value - 3.1652) < 4 * unknown.params["a"].stderr


def test_correlated_residuals_widen_the_errors():
    """A mean of 4000 numbers: independent, and each four times over, which halves what they tell."""
    random = np.random.default_rng(2)
    influence = np.full((1, 4000), 1 / 4000)
    independent = uncertainty.inflation(influence, random.normal(size=4000), 40, 0.0)[0]
    repeated = uncertainty.inflation(influence, np.repeat(random.normal(size=1000), 4), 40, 0.0)[0]
    assert independent == pytest.approx(1, abs=0.3)
    assert repeated == pytest.approx(4, abs=1.2)
    assert uncertainty.inflation(influence, np.zeros(4000), 40, 1.5)[0] == 1.5


# --- refusals -----------------------------------------------------------------------------------------------------


def test_what_cannot_be_fitted_is_refused(opaque):
    two_theta = np.arange(35.0, 60.0, 0.05)
    flat = observed(two_theta, np.full(two_theta.size, 10.0))
    with pytest.raises(ValueError, match="no wavelength: state it"):
        pawley.fit(flat.assign_attrs(wavelength_kalpha1=None), opaque)
    with pytest.raises(ValueError, match="no counts"):
        pawley.fit(flat * 0, opaque)
    with pytest.raises(ValueError, match="W has no reflection"):
        pawley.fit(flat.sel(two_theta=slice(36, 42)), opaque)
    with pytest.raises(ValueError, match="one of displacement, zero, both"):
        pawley.fit(flat, opaque, geometry="neither")
    with pytest.raises(ValueError, match="no diffraction pattern"):
        pawley.fit(flat.rename(two_theta="raman_shift"), opaque)


# --- flat specimens -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("divergence", [0.0, 0.5, 1.0])
def test_a_flat_specimen_does_not_move_the_cell(divergence):
    """Without the shift of -b^2 / 6 cot(theta) in the model, 1 degree makes the cell 0.0026 angstrom too small."""
    optics = powder.Diffractometer(radius=RADIUS, divergence=divergence, slit=0.1, axial=(0.015, 0.015))
    garnet = powder.Phase(powder.CRYSTALS["garnet"], size=150.0)
    made = independent.pattern(*powder.expected([garnet], optics, low=12.0)).assign_attrs(goniometer_radius=RADIUS)
    found = lattice_parameters(pawley.fit_geometries(made, STRUCTURES["LLZTO"]))
    alone = found.by_geometry.estimate.sel(geometry="displacement").item()
    assert alone == pytest.approx(12.955, abs=4.5e-4)  # which is the range of the effective wavelength
    _, low, high = found.intervals["a"]
    assert low < 12.955 < high < low + 0.004


def test_a_standard_whose_cell_comes_out_wrong_says_less_of_the_zero():
    """What moved its lattice parameter by more than its error moved the zero as well."""
    standard = STRUCTURES["Si"]
    stated = {"a": 1e-4, "zero": 5e-3}
    covariance = np.array([[1e-8, 3e-7], [3e-7, 2.5e-5]])

    def found(edge: float) -> tuple[float, float]:
        params = lmfit.Parameters()
        for name, value in {"a": edge, "zero": 0.01}.items():
            params.add(name, value)
            params[name].stderr = stated[name]
        fitted = SimpleNamespace(params=params, var_names=["a", "zero"], covar=covariance)
        return geometry.at_known_cell(fitted, standard, "zero")

    right, wrong = found(standard.cell[0]), found(standard.cell[0] - 1e-3)
    assert right[0] == pytest.approx(0.01)
    assert right[1] < stated["zero"]
    assert wrong[0] - 0.01 == pytest.approx(1e-3 * 3e-7 / 1e-8, rel=0.15)  # the known cell is uncertain too
    assert wrong[1] > 3 * right[1]
