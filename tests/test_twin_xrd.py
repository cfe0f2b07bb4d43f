"""The twin's diffractometer: lines where Bragg puts them, moved and broadened as optics and crystals do, counted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import of_others
from twin import crystals, diffraction, diffractometer, rigaku
from twin.diffraction import HC, Crystal, Phase
from twin.diffractometer import Diffractometer, Layer, Specimen
from twin.xrd import RECORDINGS

WAVELENGTH = 1.540593  # angstrom
RADIUS = 285.0  # mm
SHARP = {"size": 5000.0, "spread": 0.2}  # no broadening to speak of
QUIET = {"fluorescence": 0.0, "air": 0.0}


def sharp(crystal: Crystal, thickness: float = 1e-4, **mount) -> Specimen:
    """A specimen that adds nothing to the instrument's line: a thin layer, in focus, without background."""
    return Specimen((Layer((Phase(crystal, **SHARP),), thickness=thickness),), **{**QUIET, "stop": 60.0, **mount})


def around(specimen: Specimen, two_theta: float, half: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """The expectation of a specimen within `half` of an angle."""
    angle, expected = diffractometer.expectation(specimen)
    near = np.abs(angle - two_theta) <= half
    return angle[near], expected[near]


def centroid(specimen: Specimen, two_theta: float) -> float:
    angle, expected = around(specimen, two_theta)
    return float((angle * expected).sum() / expected.sum())


def breadth(specimen: Specimen, two_theta: float, half: float = 1.0) -> float:
    """Integral breadth [degree] of a lone peak, K-alpha2 included."""
    angle, expected = around(specimen, two_theta, half)
    return float(np.trapezoid(expected, angle) / expected.max())


def bragg(d: float) -> float:
    return float(2 * np.degrees(np.arcsin(WAVELENGTH / (2 * d))))


# --- positions and intensities -----------------------------------------------------------------------------------

# 2theta at 1.5405929 angstrom and relative intensity, by another program.
PUBLISHED = {
    "garnet": (
        crystals.garnet(12.96),
        "16.74 79 19.36 23 25.70 59 27.51 57 30.83 84 33.86 100 38.00 45 42.99 44 50.76 31 52.82 82",
    ),
    "InN": (
        replace(crystals.NITRIDE, cell=(3.538, 3.538, 5.703, 90, 90, 120)),
        "29.12 35 31.34 31 33.16 100 43.31 19",
    ),
    "La2Zr2O7": (replace(crystals.ZIRCONATE, cell=(10.805,) * 3 + (90,) * 3), "28.60 100 47.57 49"),
    # Rounded from the powder data of zabuyelite.
    "Li2CO3": (crystals.CARBONATE, "21.35 80 30.6 80 31.8 100 36.95 40"),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_lines_are_those_of_published_patterns(name):
    crystal, text = PUBLISHED[name]
    d, power = diffraction.reflections(Phase(crystal), 1.2)
    theta = np.arcsin(1.5405929 / (2 * d))
    strength = power * diffraction.lorentz_polarisation(theta)
    for angle, relative in np.array(text.split(), float).reshape(-1, 2):
        near = np.abs(np.degrees(2 * theta) - angle) < 0.06
        assert 100 * strength[near].sum() / strength.max() == pytest.approx(relative, abs=10 if name == "Li2CO3" else 4)
    strongest = np.degrees(2 * theta[strength.argmax()])
    assert strongest == pytest.approx(float(text.split()[text.split().index("100") - 1]), abs=0.03)


def test_diamond_lattice_extinguishes_what_it_must():
    hkl = np.array([[1, 1, 1], [2, 2, 0], [2, 0, 0], [2, 2, 2], [1, 0, 0]])
    first, second, *extinct = np.abs(diffraction.structure_factors(crystals.SILICON, hkl))
    # Form factors of Si by hand: 10.53 and 8.71 electrons at 111 and 220, f' about 0.25, exp(-B s2) at B 0.46.
    assert first == pytest.approx(4 * np.sqrt(2) * (10.53 + 0.25) * np.exp(-0.46 * 0.0254), rel=0.01)
    assert second == pytest.approx(8 * (8.71 + 0.25) * np.exp(-0.46 * 0.0678), rel=0.01)
    assert extinct == pytest.approx([0, 0, 0], abs=1e-9)


def test_texture_moves_intensity_and_makes_none():
    cosine = (np.arange(20000) + 0.5) / 20000  # equal areas of the hemisphere
    for march in (0.5, 0.8, 1.0, 1.3):
        assert diffraction.march_dollase(cosine, march).mean() == pytest.approx(1, abs=1e-6)
    assert diffraction.march_dollase(np.array([1.0]), 0.5) == pytest.approx(8)
    (d, plain), (_, upright) = (
        diffraction.reflections(Phase(crystals.NITRIDE, march=march), 2.0) for march in (1.0, 0.8)
    )
    gain = dict(zip(d.round(3), upright / plain, strict=True))
    assert gain[2.861] == pytest.approx(0.8**-3)  # 002
    assert gain[3.070] == pytest.approx(0.8**1.5)  # 100, in the plane
    # Every equivalent of a cubic reflection has its own angle to the axis: 200 along [110] is the mean of 45, 45, 90.
    (_, plain), (_, rolled) = (
        diffraction.reflections(Phase(crystals.lithium(3.51, 0), preferred=(1, 1, 0), march=march), 1.7)
        for march in (1.0, 0.7)
    )
    expected = (2 * diffraction.march_dollase(np.sqrt(0.5), 0.7) + diffraction.march_dollase(0.0, 0.7)) / 3
    assert (rolled / plain)[0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("crystal", "per_mm"),
    # Mass absorption coefficients of the elements in International Tables C: Si 63.7, In 242, N 7.1 cm2/g.
    [(crystals.SILICON, 14.8), (crystals.NITRIDE, 147.0)],
)
def test_absorption_is_that_of_the_tables(crystal, per_mm):
    assert diffraction.absorption(crystal) == pytest.approx(per_mm, rel=0.06)


# --- the tube ----------------------------------------------------------------------------------------------------


def test_emission_has_the_wavelengths_of_the_header_and_two_to_one_doublet():
    d = 0.82  # K-alpha1 near 139.9 degree: the doublet lies wide apart
    edges = np.radians(np.arange(120, 179, 0.0005))
    share = diffractometer.emitted(Diffractometer().emission, d, edges)
    wavelength = 2 * d * np.sin((edges[:-1] + edges[1:]) / 4)
    assert wavelength[share.argmax()] == pytest.approx(1.540593, abs=4e-6)
    second = np.where(wavelength > 1.5435, share, 0)
    assert wavelength[second.argmax()] == pytest.approx(1.544414, abs=1e-5)
    valley = np.abs(wavelength - 1.5425) < 0.0005
    between = wavelength[valley][share[valley].argmin()]
    ratio = (
        share[(wavelength > between) & (wavelength < 1.56)].sum()
        / share[(wavelength > 1.537) & (wavelength < between)].sum()
    )
    assert ratio == pytest.approx((0.236 + 0.105) / (0.579 + 0.080), abs=0.03), "but for the tails across the valley"


def test_filter_leaves_a_little_k_beta_and_the_filament_its_tungsten():
    specimen = sharp(crystals.SILICON, thickness=0.2, instrument=Diffractometer(k_beta=0.01, tungsten=0.004))
    main = around(specimen, bragg(5.43118 / np.sqrt(3)), 0.5)[1].sum()
    for wavelength, share in ((1.39225, 0.01), (HC / 8397.6, 0.004)):
        angle = 2 * np.degrees(np.arcsin(wavelength * np.sqrt(3) / (2 * 5.43118)))
        position, expected = around(specimen, angle, 0.3)
        excess = expected - np.interp(position, position[[0, -1]], expected[[0, -1]])
        assert excess.sum() / main == pytest.approx(share, rel=0.15)


# --- aberrations -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("displacement", [-0.12, 0.05, 0.2])
def test_displacement_moves_lines_by_its_formula(displacement):
    still, moved = (sharp(crystals.SILICON, displacement=s) for s in (0.0, displacement))
    for spacing in (3.1357, 1.9202, 1.6375):
        angle = bragg(spacing)
        expected = np.degrees(-2 * displacement * np.cos(np.radians(angle / 2)) / RADIUS)
        assert centroid(moved, angle) - centroid(still, angle) == pytest.approx(expected, rel=0.01)


def test_zero_error_moves_all_lines_alike():
    moved = sharp(crystals.SILICON, instrument=Diffractometer(zero=0.03))
    for spacing in (3.1357, 1.6375):
        shift = centroid(moved, bragg(spacing)) - centroid(sharp(crystals.SILICON), bragg(spacing))
        assert shift == pytest.approx(0.03, rel=0.01)


def test_fine_optics_leave_the_line_at_braggs_angle():
    optics = Diffractometer(soller=0.3, divergence=0.05, pixel=0.01, focus=0.001)
    for squares in (3, 8, 11):
        expected = bragg(5.43118 / np.sqrt(squares))
        start = round(expected - 0.3, 1)
        specimen = sharp(crystals.SILICON, start=start, stop=start + 0.6, step=0.002, instrument=optics)
        angle, rate = diffractometer.expectation(specimen)
        top = slice(rate.argmax() - 2, rate.argmax() + 3)
        curve = np.polyfit(angle[top] - angle[rate.argmax()], rate[top], 2)
        assert angle[rate.argmax()] - curve[1] / curve[0] / 2 == pytest.approx(expected, abs=6e-4)


def mean(distribution, *of) -> float:
    """Mean of the shift [rad] whose distribution function is given."""
    edges = np.linspace(-0.02, 0.001, 400001)
    return float(((edges[1:] + edges[:-1]) / 2 * np.diff(distribution(edges, *of))).sum())


@pytest.mark.parametrize("theta", np.radians([9, 17, 35]))
def test_flat_surface_and_depth_have_the_means_of_the_textbook(theta):
    divergence = np.radians(0.5)
    assert mean(diffractometer.flat_surface, theta, divergence) == pytest.approx(
        -(divergence**2) / 12 / np.tan(theta), rel=1e-3
    )
    thick, mu = 20.0, 4.0
    depth = mean(diffractometer.transparency, theta, 2 * mu, thick, RADIUS)
    assert depth == pytest.approx(-np.sin(2 * theta) / (2 * mu * RADIUS), rel=1e-3)
    thin = mean(diffractometer.transparency, theta, 2e-5, 0.45, RADIUS)
    assert thin == pytest.approx(-0.45 * np.cos(theta) / RADIUS, rel=1e-3)


@pytest.mark.parametrize("theta", np.radians([8, 20, 40, 60]))
def test_axial_divergence_sums_all_rays(theta):
    instrument = Diffractometer(soller=1e4)  # as good as open
    fine = np.radians(0.002)
    half = 800
    share = diffractometer.axial(instrument, theta, fine, half)
    shift = (np.arange(share.size) - half) * fine
    # Second moments of a = (sample - source) / R, b = (detector - sample) / R for uniform source, sample, detector.
    before = after = (12.0**2 + 10.0**2) / 12 / RADIUS**2
    both = -(10.0**2) / 12 / RADIUS**2
    expected = (both - (before + after) / 2 * np.cos(2 * theta)) / np.sin(2 * theta)
    assert share.sum() == pytest.approx(1)
    assert (share * shift).sum() == pytest.approx(expected, rel=0.01)


def test_low_line_has_its_tail_on_the_low_side():
    crystal = crystals.garnet(12.94)
    angle, expected = around(sharp(crystal, instrument=Diffractometer(divergence=0.05)), bragg(12.94 / np.sqrt(6)), 0.5)
    excess = np.interp([-0.12, 0.12], angle - angle[expected.argmax()], expected) / expected.max()
    assert excess[0] > 1.5 * excess[1]


# --- breadth -----------------------------------------------------------------------------------------------------


def test_size_broadening_goes_with_its_inverse_and_strain_with_tangent():
    omega = np.linspace(0, 4e4, 400001)
    for size in (20.0, 60.0):
        for theta in np.radians([10, 30]):
            length = omega * WAVELENGTH / 10 / (2 * np.pi * np.cos(theta))
            integral = np.trapezoid(diffractometer.column_lengths(length, size, 0.01), omega)
            # Spheres of one size: Scherrer's constant of the integral breadth is 4/3.
            assert np.pi / integral == pytest.approx(4 / 3 * WAVELENGTH / 10 / (size * np.cos(theta)), rel=3e-3)
    assert diffractometer.column_lengths(np.array([0.0, 1e3]), 30.0, 0.4) == pytest.approx([1, 0], abs=1e-6)

    def measured(spacing: float, **broadening) -> float:
        layer = Layer((Phase(crystals.SILICON, **broadening),), thickness=1e-4)
        return breadth(replace(sharp(crystals.SILICON, stop=80.0), layers=(layer,)), bragg(spacing), 4.0)

    fine, coarse = (measured(3.1357, size=size, spread=0.01) for size in (5.0, 10.0))
    assert fine / coarse == pytest.approx(2, rel=0.08)
    scherrer = np.degrees(4 / 3 * WAVELENGTH / 10 / (5.0 * np.cos(np.radians(bragg(3.1357) / 2))))
    assert fine == pytest.approx(scherrer, rel=0.06)
    low, high = (measured(spacing, size=2000.0, strain=8e-3) for spacing in (3.1357, 1.2459))
    tangents = [np.tan(np.radians(bragg(spacing) / 2)) for spacing in (3.1357, 1.2459)]
    assert high / low == pytest.approx(tangents[1] / tangents[0], rel=0.08)
    assert high == pytest.approx(np.degrees(np.sqrt(2 * np.pi) * 2 * 8e-3 * tangents[1]), rel=0.06)


def test_broadening_keeps_the_area():
    def total(size: float) -> float:
        specimen = sharp(crystals.SILICON)
        layer = Layer((Phase(crystals.SILICON, size=size),), thickness=1e-4)
        return float(around(replace(specimen, layers=(layer,)), 28.44, 4)[1].sum())

    assert total(15.0) == pytest.approx(total(500.0), rel=0.03)
    areas = [line[0] for line in diffractometer.lines(sharp(crystals.SILICON)) if abs(bragg(line[1]) - 28.44) < 0.1]
    rate = total(500.0) / 0.24 * 0.02
    assert rate == pytest.approx(areas[0], rel=0.03)


# --- layers ------------------------------------------------------------------------------------------------------


def area(specimen: Specimen, layer: int, d: float) -> float:
    return sum(line[0] for line in diffractometer.lines(specimen) if line[2] == layer and abs(line[1] - d) < 2e-3)


def test_film_diffracts_by_its_thickness_and_shades_what_is_below():
    film, pellet = crystals.INN_LLZ.layers
    thin, twice = (replace(crystals.INN_LLZ, layers=(replace(film, thickness=t), pellet)) for t in (130e-6, 260e-6))
    a, _, c = crystals.NITRIDE.cell[:3]
    d = (4 / 3 / a**2 + 1 / c**2) ** -0.5  # 101
    assert area(twice, 0, d) / area(thin, 0, d) == pytest.approx(2, rel=0.08)
    d = 12.9385 / np.sqrt(24)
    way = 2 * diffractometer.layer_absorption(film) * 130e-6 / (WAVELENGTH / 2 / d)
    assert area(twice, 1, d) / area(thin, 1, d) == pytest.approx(np.exp(-way), rel=1e-6)


def test_short_sample_loses_at_low_angles():
    full, short = (replace(crystals.LLZ, extent=extent) for extent in (40.0, 11.5))
    for squares in (6, 24):
        d = 12.9385 / np.sqrt(squares)
        beam = RADIUS * np.radians(0.5) / (WAVELENGTH / 2 / d)
        assert area(short, 0, d) / area(full, 0, d) == pytest.approx(min(1, 11.5 / beam), rel=1e-5)


# --- counts ------------------------------------------------------------------------------------------------------


def test_counts_are_whole_and_scatter_as_poisson_has_it():
    _, expected = diffractometer.expectation(crystals.LLZ)
    scans = [diffractometer.simulate(crystals.LLZ, seed=seed).counts for seed in range(40)]
    assert all(scan.dtype.kind == "i" for scan in scans)
    pull = (np.array(scans) - expected) / np.sqrt(expected)
    assert pull.mean() == pytest.approx(0, abs=0.015)
    assert pull.var() == pytest.approx(1, abs=0.02)
    assert abs((pull[:, 1:] * pull[:, :-1]).mean()) < 0.015, "neighbours do not know each other"
    assert (scans[0] == diffractometer.simulate(crystals.LLZ, seed=0).counts).all()
    assert (scans[0] != scans[1]).any()


def test_slower_scan_counts_more():
    fast, slow = (diffractometer.expectation(replace(crystals.LLZ, speed=speed))[1] for speed in (10.0, 2.0))
    assert slow == pytest.approx(5 * fast)


# --- the samples, as the paper has them --------------------------------------------------------------------------


def excess(specimen: Specimen, two_theta: float, shoulder: float = 0.25) -> float:
    """Height above the line between two shoulders, in standard deviations of a point."""
    angle, expected = diffractometer.expectation(specimen)
    left, middle, right = np.interp([two_theta - shoulder, two_theta, two_theta + shoulder], angle, expected)
    return float((middle - (left + right) / 2) / np.sqrt(middle))


def test_film_shows_and_stray_phases_are_where_they_should_be():
    assert excess(crystals.INN_LLZ, 33.09, 0.35) > 4
    assert abs(excess(crystals.LLZ, 33.09, 0.35)) < 2
    for angle in (21.2, 28.55, 31.7):
        assert excess(crystals.CYCLED_LLZ, angle, 0.4) > 8
    weak = [excess(crystals.CYCLED_RT_MCL_LLZ, angle, 0.3) for angle in (21.36, 31.83)]
    assert 0.5 < weak[0] < 5
    assert 3 < weak[1] < 10


def test_cycled_bare_pellet_is_nearly_twice_as_broad():
    def observed(specimen: Specimen, phase: Phase, squares: int) -> float:
        alone = replace(specimen, layers=(Layer((phase,)),), unknown=(), **QUIET)
        return breadth(alone, bragg(phase.crystal.cell[0] / np.sqrt(squares)))

    for squares in (14, 30):
        bare, kept, pristine = (
            observed(specimen, phase, squares)
            for specimen, phase in (
                (crystals.CYCLED_LLZ, crystals.DAMAGED),
                (crystals.CYCLED_RT_MCL_LLZ, crystals.KEPT),
                (crystals.LLZ, crystals.PELLET),
            )
        )
        assert 1.6 < bare / kept < 2.0
        assert kept / pristine < 1.15


def test_shift_of_lithium_as_seen_is_not_that_of_its_lattice():
    before, after = (replace(specimen, humps=(), **QUIET) for specimen in (crystals.LITHIUM, crystals.LITHIUM_AFTER))
    assert crystals.LI_AFTER_A > crystals.LI_A
    for squares in (2, 6):
        angle = bragg(crystals.LI_A / np.sqrt(squares))
        seen = centroid(after, angle) - centroid(before, angle)
        lattice = bragg(crystals.LI_AFTER_A / np.sqrt(squares)) - angle
        assert seen < lattice < 0
        assert seen / lattice > 1.2


# --- the format --------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path) -> Path:
    scan = diffractometer.simulate(crystals.STANDARD, seed=1)
    rigaku.ras(scan, tmp_path / "a.ras", sample="Si", start="2022-12-31T23:55:00", comment="5 ℃")
    return tmp_path / "a.ras"


def test_ras_holds_the_scan(file):
    data = file.read_bytes()
    assert data.count(b"\r\n") == data.count(b"\n")
    lines = data.decode("shift_jis").split("\r\n")
    first, last = lines.index("*RAS_INT_START") + 1, lines.index("*RAS_INT_END")
    table = np.array([line.split() for line in lines[first:last]], float)
    scan = diffractometer.simulate(crystals.STANDARD, seed=1)
    np.testing.assert_allclose(table[:, 0], scan.two_theta, atol=1e-9)
    np.testing.assert_array_equal(table[:, 1], scan.counts)
    assert (table[:, 2] == 1).all()
    header = dict(line[1:].split(" ", 1) for line in lines[2 : lines.index("*RAS_HEADER_END")])
    assert int(header["MEAS_DATA_COUNT"].strip('"')) == len(table)
    assert "synthetic" in header["FILE_COMMENT"]
    assert header["MEAS_SCAN_END_TIME"] == '"01/01/2023 00:09:48"'
    with pytest.raises(UnicodeDecodeError):
        data.decode("utf-8")


def test_ras_has_keys_of_a_real_one_in_its_order(file):
    real = of_others.file("xrd-rigaku-ras-nims/XRD_RIGAKU.ras")

    def keys(path: Path) -> list[str]:
        lines = path.read_bytes().decode("shift_jis").split("\r\n")
        return list(dict.fromkeys(line.split(" ")[0].rstrip("0123456789") for line in lines if line.startswith("*")))

    theirs = keys(real)
    places = [theirs.index(key) for key in keys(file)]
    assert places == sorted(places)


def test_nothing_half_written_stays(file):
    before = file.read_bytes()
    scan = diffractometer.simulate(crystals.STANDARD, seed=1)
    with pytest.raises(UnicodeEncodeError):
        rigaku.ras(scan, file, sample="€", start="2022-12-31T23:55:00")
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["a.ras"]


def test_recordings_are_small_and_their_notes_hold_no_truth():
    root = Path(__file__).parents[1] / "raw"
    truths = ("inn ", "nitride", "la2zr2o7", "li2co3", "carbonate", "broad ", "shift", "lattice", "5.43")
    for recording in RECORDINGS:
        assert (root / recording.file).stat().st_size < 150e3
        assert not any(word in recording.note.lower() for word in truths)
