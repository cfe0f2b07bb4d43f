"""Ionic conductivity and activation energy held against pellets whose resistance and temperature are known."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure
from scipy.constants import e, k

import of_others
from coldbond import read
from coldbond.bundle import paths, raw
from coldbond.impedance.conductivity import arrhenius, electronic, ionic, pellet, plots
from coldbond.impedance.conductivity.findings import (
    arrhenius_findings,
    electronic_findings,
    ionic_findings,
    labelled,
    recordings,
)
from coldbond.interval import NORMAL, Interval
from twin import pellets

CIRCUITS = ("L-R-Q", "L-R-RQ-Q", "L-R-RQ-RQ-Q")
FREQUENCY = np.logspace(6, -1, 71)
KELVIN = np.array([298.15, 308.15, 318.15, 328.15, 338.15, 348.15])


def spectrum(resistance, *, seed=0, thickness=0.04, area=0.785, celsius=25.0, noise=2e-3):
    """Bulk and a depressed grain-boundary arc on rough gold, as `coldbond.read` and the manifest would give it."""
    rng = np.random.default_rng(seed)
    s = 2j * np.pi * FREQUENCY
    boundary = 0.25 * resistance
    z = resistance - boundary + boundary / (1 + (s * boundary * 3e-8) ** 0.92) + 1 / (2.5e-6 * s**0.94) + s * 4e-7
    z = z * (1 + noise * (rng.normal(size=s.size) + 1j * rng.normal(size=s.size)))
    attrs = dict(sample="LLZ", state="pristine", thickness_cm=thickness, area_cm2=area, temperature_C=celsius)
    return xr.Dataset({"impedance": ("frequency", z)}, {"frequency": FREQUENCY}, attrs | {"technique": "eis"})


def points(energy, rng, *, stated=0.3, true=0.3, own=0.004, power=1, bend=0.0):
    """Resistances at temperatures that are off by some kelvin, for `arrhenius.line`."""
    real = KELVIN + true * rng.normal(size=KELVIN.size)
    x = e / (k * real)
    resistance = real**power * np.exp(energy * (x - 36) - bend * (x - 36) ** 2)
    measured = resistance * np.exp(own * rng.normal(size=real.size))
    half = 1.96 * own
    intervals = [Interval(r, r * np.exp(-half), r * np.exp(half)) for r in measured]
    return arrhenius.line(KELVIN, intervals, stated, power)


def covers(interval, truth):
    return interval.low <= truth <= interval.high


def test_conductivity_covers_the_truth_with_the_dimensions_uncertainty():
    """20 pellets of 0.75 mS/cm, measured with a micrometer, a mask and a thermostat that are off."""
    covered = 0
    for seed in range(20):
        rng = np.random.default_rng(100 + seed)
        factor = np.exp(-0.33 * e / (k * 298.15**2) * 0.3 * rng.normal())  # of the resistance, by the thermostat
        resistance = 0.04 / (7.5e-4 * 0.785) * factor
        thickness, area = 0.04 + 5e-4 * rng.normal(), 0.785 * (1 + 0.01 * rng.normal())
        one = ionic.measure(spectrum(resistance, seed=seed, thickness=thickness, area=area), CIRCUITS, 1e-4, 0.002)
        assert covers(one.resistance, resistance)
        found = ionic.conductivity(one, 5e-4, 0.01, 0.3, 0.33)
        assert found.high / found.low < 1.2
        covered += covers(found, 7.5e-4)
    assert covered >= 18


def test_without_dimensions_only_the_resistance_is_given():
    one = ionic.measure(spectrum(70.0, thickness=np.nan), CIRCUITS, 1e-4, 0.002)
    resistance, _, _, sigma = ionic_findings({"LLZ": one}, {}, 5e-4, 0.01, 0.3)
    assert resistance["low"] < 70 < resistance["high"]
    assert (sigma["value"], sigma["low"], sigma["high"]) == (None, None, None)
    assert "thickness or area" in sigma["note"]


def test_product_adds_relative_uncertainties_in_quadrature():
    found = pellet.product(Interval(2.0, 2 * np.exp(-0.03), 2 * np.exp(0.06)), 10.0, 0.04 / NORMAL)
    assert tuple(found) == pytest.approx((20.0, 20 * np.exp(-0.05), 20 * np.exp(0.052**0.5 * 0.1**0.5)), rel=1e-9)
    assert pellet.product(Interval(2.0, None, 2.1), 10.0, 0.01).low is None
    assert pellet.inverse(Interval(2.0, None, 4.0)) == Interval(0.5, 0.25, None)


@pytest.mark.parametrize("power", [0, 1])
def test_exact_points_give_the_activation_energy_of_either_form(power):
    line = points(0.36, np.random.default_rng(0), true=0.0, own=1e-9, power=power)
    assert line.energy.value == pytest.approx(0.36, abs=1e-7)
    assert line.conductance_at(298.15).value == pytest.approx(np.exp(-0.36 * (e / k / 298.15 - 36)) / 298.15**power)


def test_the_two_forms_differ_by_kt():
    resistances = [Interval(r, r * 0.99, r * 1.01) for r in KELVIN * np.exp(0.36 * e / (k * KELVIN)) * 1e-5]
    with_t, without = (arrhenius.line(KELVIN, resistances, 0.3, power).energy for power in (1, 0))
    assert with_t.value - without.value == pytest.approx(k * KELVIN.mean() / e, rel=0.01)
    assert with_t.high - with_t.low == pytest.approx(without.high - without.low, rel=0.01)


@pytest.mark.parametrize(("stated", "true"), [(0.3, 0.3), (0.05, 0.6)])
def test_energy_covers_the_truth(stated, true):
    """300 sets of six temperatures, by a thermostat as good as is stated or much worse."""
    rng = np.random.default_rng(1)
    lines = [points(0.36, rng, stated=stated, true=true) for _ in range(300)]
    assert 0.92 <= np.mean([covers(line.energy, 0.36) for line in lines]) <= 0.995
    assert 0.92 <= np.mean([covers(line.bend, 0.0) for line in lines]) <= 0.995
    truth = np.exp(-0.36 * (e / k / 298.15 - 36)) / 298.15
    assert 0.92 <= np.mean([covers(line.conductance_at(298.15), truth) for line in lines]) <= 0.995


def test_a_bent_line_is_no_arrhenius_line():
    line = points(0.36, np.random.default_rng(2), true=0.02, stated=0.02, own=1e-3, bend=0.01)
    change = 2 * 0.01 * np.ptp(e / (k * KELVIN))  # of minus the slope of the logarithm of the conductance
    assert covers(line.bend, -change) or covers(line.bend, change)
    assert not line.bend.low <= 0 <= line.bend.high


def test_a_point_without_a_bound_is_left_out():
    resistances = [Interval(r, r * 0.99, r * 1.01) for r in (70.0, 45.0, 30.0)] + [Interval(9.0, None, 30.0)]
    line = arrhenius.line(KELVIN[:4], resistances, 0.3, 1)
    assert (line.kelvin.size, line.left_out, line.bend) == (3, 1, None)
    with pytest.raises(ValueError, match="fewer than two temperatures"):
        arrhenius.line(KELVIN[:1], resistances[:1], 0.3, 1)


def test_the_dimensions_do_not_enter_the_energy():
    heated = {}
    for factor in (1.0, 1.3):
        spectra = {
            t: spectrum(
                t / 298.15 * 68 * np.exp(0.36 * e / k * (1 / t - 1 / 298.15)), thickness=0.04 * factor, celsius=c
            )
            for t, c in zip(KELVIN[::2], KELVIN[::2] - 273.15, strict=True)
        }
        measured = {f"LLZ, {t}": ionic.measure(one, CIRCUITS, 1e-4, 0.002) for t, one in spectra.items()}
        heated[factor] = measured, arrhenius.lines(measured, 0.3)
    energies = [lines["LLZ"]["conductivity_times_temperature"].energy for _, lines in heated.values()]
    assert energies[0] == energies[1]
    assert covers(energies[0], 0.36)
    measured, lines = heated[1.0]
    rows = {row["quantity"]: row for row in arrhenius_findings(lines, measured, 0.36, 5e-4, 0.01)}
    assert "0.36 eV agrees" in rows["activation_energy_of_conductivity_times_temperature"]["note"]
    assert "does not agree" in rows["activation_energy_of_conductivity"]["note"]
    room = rows["ionic_conductivity_on_the_line"]
    assert room["low"] < 0.04 / 68 / 0.785 < room["high"]


def test_real_blocking_electrodes():
    """Li6PS5Cl between steel: the minimum of -Im Z lies at a real part of 1440 ohm."""
    found = read(of_others.file("lpscl-ionblocking-eis", "PEIS_LPSCl_IonBlocking_-25C.txt"))
    resistance = ionic.measure(found, CIRCUITS, 1e-4, 0.002).resistance
    assert resistance.value == pytest.approx(1400, rel=0.05)
    assert covers(resistance, 1440)


def test_shipped_recordings_hold_the_truths_behind_them():
    held = recordings(["LLZ", "RT-MCL-LLZ"])
    spectra, heated = (
        {label: ionic.measure(one, CIRCUITS, 1e-4, 0.002) for label, one in held[role].items()}
        for role in ("conductivity", "arrhenius")
    )
    lines = arrhenius.lines(heated, 0.3)
    rows = ionic_findings(spectra, arrhenius.energies(lines), 5e-4, 0.01, 0.3)
    rows += arrhenius_findings(lines, heated, 0.36, 5e-4, 0.01)
    transients = {label: electronic.steady(one, 1e-10) for label, one in held["electronic"].items()}
    rows += electronic_findings(transients, 5e-4, 0.01)
    truths = {
        ("ionic_conductivity", "LLZ"): pellets.CONDUCTIVITY,
        ("ionic_conductivity_on_the_line", "LLZ"): pellets.CONDUCTIVITY,
        ("activation_energy_of_conductivity_times_temperature", "LLZ"): pellets.ACTIVATION,
        ("electronic_conductivity", "LLZ"): pellets.ELECTRONIC["LLZ"],
        ("electronic_conductivity", "RT-MCL-LLZ"): pellets.ELECTRONIC["RT-MCL-LLZ"],
    }
    found = {(row["quantity"], row["sample"]): row for row in rows}
    for key, truth in truths.items():
        assert found[key]["low"] <= truth <= found[key]["high"], key
    assert found["straight_over_inverse_temperature", "LLZ"]["value"] is True
    assert found["electronic_conductivity_below_LLZ", "RT-MCL-LLZ"]["value"] is True
    fig = Figure(layout="constrained")
    plots.draw(fig, spectra, lines, transients)
    assert [ax.get_title(loc="left") for ax in fig.axes if ax.get_title(loc="left")] == ["i", "ii", "iii"]
    fig.draw_without_rendering()


def test_a_lab_may_hold_one_of_the_roles(tmp_path, monkeypatch):
    file = next(iter(raw.recordings("electronic").values())).attrs["file"]
    header, *rows = (paths.RAW / "manifest.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "dc").mkdir()
    (tmp_path / file).write_bytes((paths.RAW / file).read_bytes())
    own = next(row for row in rows if row.startswith(file))
    (tmp_path / "manifest.csv").write_text(f"{header}\n{own}\n", encoding="utf-8")
    monkeypatch.setattr(paths, "RAW", tmp_path)
    held = recordings([])
    assert {role: list(found) for role, found in held.items()} == {
        "conductivity": [],
        "arrhenius": [],
        "electronic": ["LLZ"],
    }
    assert list(labelled(held)) == ["electronic: LLZ"]
    with pytest.raises(LookupError, match="for LLX; it holds LLZ"):
        recordings(["LLX"])
    fig = Figure(layout="constrained")
    plots.draw(fig, {}, {}, {label: electronic.steady(one, 1e-10) for label, one in held["electronic"].items()})
    assert len(fig.axes) == 1
