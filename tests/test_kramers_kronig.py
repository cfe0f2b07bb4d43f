"""The Kramers-Kronig test against spectra that obey or disobey the relations by construction."""

import numpy as np
import pytest
import xarray as xr

import of_others
from coldbond.bundle.findings import Whose
from coldbond.files import read
from coldbond.impedance import fit, kramers_kronig
from coldbond.impedance.findings import DESCRIBES, OBEYS, quality_findings
from independent import kramers_kronig as made

FREQUENCY = np.logspace(6, -1, 73)
S = 2j * np.pi * FREQUENCY


def arc(resistance: float, tau: float, n: float) -> np.ndarray:
    return resistance / (1 + (S * tau) ** n)


#: Impedances that are analytic in the right half plane, and so obey the relations.
OBEYING = {
    "resistor": np.full(S.shape, 100 + 0j),
    "arc": 100 + arc(500, 1e-3, 0.85),
    "steep arc": 0.1 + arc(1000, 1e-3, 0.98),
    "two arcs": 100 + arc(500, 1e-5, 0.85) + arc(900, 0.1, 0.8),
    "arc that goes on beyond": 10 + arc(500, 5.0, 0.7),
    "Warburg": 50 + 300 / np.sqrt(S),
    "finite diffusion": 100 + 500 * np.tanh(np.sqrt(S)) / np.sqrt(S),
    "blocking": 300 + arc(500, 1e-6, 0.9) + 1 / (1e-6 * S**0.9),
    "capacitor": 300 + 1 / (1e-6 * S),
    "cable": 1 + arc(5, 1e-3, 0.85) + 1e-6 * S,
    "inductive loop": 100 + arc(500, 1e-3, 0.9) - arc(100, 1.0, 1.0),
}


def spectrum(impedance: np.ndarray, noise: float = 0.0, seed: int = 0) -> xr.Dataset:
    rng = np.random.default_rng(seed)
    off = noise * np.abs(impedance) * (rng.normal(size=S.size) + 1j * rng.normal(size=S.size))
    return xr.Dataset({"impedance": ("frequency", impedance + off)}, {"frequency": FREQUENCY})


def measured(frequency: np.ndarray, impedance: np.ndarray) -> xr.Dataset:
    return xr.Dataset({"impedance": ("frequency", impedance)}, {"frequency": frequency})


@pytest.mark.parametrize("name", OBEYING)
def test_what_obeys_passes_and_is_fitted_exactly(name):
    found = kramers_kronig.test(spectrum(OBEYING[name]))
    assert not found.fails.any()
    assert max(np.abs(found.residual_real).max(), np.abs(found.residual_imag).max()) < 0.03  # per cent


def test_the_noise_is_found():
    found = [
        kramers_kronig.test(spectrum(impedance, noise, at)).noise / 100 / noise
        for at, impedance in enumerate(OBEYING.values())
        for noise in (0.003, 0.01)
    ]
    assert np.mean(found) == pytest.approx(1, abs=0.06) and np.std(found) < 0.15


@pytest.mark.parametrize("points", [10, 15, 20, 25, 73])
def test_few_clean_spectra_fail_whatever_their_length_and_noise(points):
    """Cells of five kinds with noise of five structures. 5 % may fail; 3 of 10 do so by chance once in ninety times."""
    failing = 0
    for seed in range(10):
        rng = np.random.default_rng([seed, points])
        cell, noise = [*made.CELLS][seed % len(made.CELLS)], [*made.NOISES][seed % len(made.NOISES)]
        z = made.noisy(rng, made.obeying(rng, points, cell), 10 ** rng.uniform(-3, -2), noise)
        failing += bool(kramers_kronig.test(measured(made.frequencies(points), z)).fails.any())
    assert failing <= 2


@pytest.mark.parametrize("noise", made.VARYING)
def test_noise_that_varies_over_the_frequency_is_no_failure(noise):
    """5 % may fail; 3 of 10 do so by chance once in ninety times. Taken for noise of one size, about half would."""
    failing, ratios = 0, []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        z = made.obeying(rng, 73, [*made.CELLS][seed % len(made.CELLS)])
        found = kramers_kronig.test(measured(made.frequencies(73), made.noisy(rng, z, 0.003, noise)))
        failing += bool(found.fails.any())
        ratios.append(found.noise_real[:4].mean() / found.noise_real[20:50].mean())
    assert failing <= 2
    if noise == "growing at both ends":
        assert np.nanmedian(ratios) > 1.5


@pytest.mark.parametrize("violation", made.VIOLATIONS)
@pytest.mark.parametrize("points", [40, 73])
def test_what_is_wrong_with_a_spectrum_is_seen(violation, points):
    frequency = made.frequencies(points)
    for seed in range(3):
        found = kramers_kronig.test(measured(frequency, made.violating(np.random.default_rng(seed), points, violation)))
        failing = frequency[found.fails]
        assert failing.size and found.probability < 0.05
        if violation == "mains":
            assert set(failing) <= {frequency[np.abs(np.log(frequency / at)).argmin()] for at in (50, 100, 150)}
        if violation == "drift":
            assert failing.max() < 10


def test_what_a_short_spectrum_does_not_show_is_said():
    """10 points over seven decades leave a point open by some per cent, 73 points do not."""
    short, long = (
        kramers_kronig.test(measured(made.frequencies(n), made.obeying(np.random.default_rng(1), n, "steep arc")))
        for n in (10, 73)
    )
    assert short.seen > 5 > 0.5 > long.seen


def test_a_circuit_that_lacks_an_arc_is_found():
    z = OBEYING["two arcs"]
    tested = kramers_kronig.test(spectrum(z, 0.002))
    off = (z - spectrum(z, 0.002).impedance.to_numpy()) / np.abs(z)
    lacking = kramers_kronig.excess(tested, off + 0.01 * arc(900, 1e-3, 1) / np.abs(z), 8)
    right = kramers_kronig.excess(tested, off, 0)
    assert lacking[0] > 1.5 and lacking[1] < 1e-4
    assert right[0] == pytest.approx(1, abs=0.15) and right[1] > 0.05


@pytest.mark.parametrize("at", [0, 5, 30, 50, 72])
@pytest.mark.parametrize("off", [0.03, -0.2, 0.05j])
def test_a_wrong_point_fails_and_its_neighbours_do_not(at, off):
    impedance = OBEYING["two arcs"].copy()
    impedance[at] *= 1 + off
    found = kramers_kronig.test(spectrum(impedance, 0.001, seed=at))
    assert found.fails[at] and found.fails.sum() <= (2 if at in (0, 72) else 1)  # which of the last two, nobody can say
    assert found.noise == pytest.approx(0.1, rel=0.35)


@pytest.mark.parametrize("end", [0, 72])
def test_an_end_that_deviates_a_little_is_doubtful_and_the_finding_is_null(end):
    """Nobody can say whether the last point is wrong or the noise grows there; a point further inside is wrong."""
    found = {}
    for at in (end, 30):
        impedance = OBEYING["two arcs"].copy()
        impedance[at] *= 1.0 + 0.02j
        found[at] = [kramers_kronig.test(spectrum(impedance, 0.001, seed=seed)) for seed in range(6)]
    told = [bool(one.doubtful[end] or one.fails[end]) for one in found[end]]
    assert sum(told) >= 5 and any(one.doubtful[end] for one in found[end])
    assert all(one.fails[30] and not one.doubtful.any() for one in found[30])
    doubtful = next(one for one in found[end] if one.doubtful.any())
    row = quality_findings(doubtful, fit.fitted(spectrum(impedance), "R-RQ-RQ"), Whose(sample="cell", state="cycle 1"))[
        0
    ]
    assert row["value"] is None and f"cannot be told: at {FREQUENCY[end]:.3g} Hz, an end of the sweep" in row["note"]


def test_a_drift_fails_at_the_slow_end():
    """The arc grows by a tenth while the last decade, which takes nearly all of the time, is recorded."""
    elapsed = np.cumsum(3 / FREQUENCY)
    drifting = 100 + (OBEYING["two arcs"] - 100) * (1 + 0.1 * elapsed / elapsed[-1])
    failing = FREQUENCY[kramers_kronig.test(spectrum(drifting, 0.001)).fails]
    assert failing.size >= 3
    assert np.median(failing) < 100


def test_parts_that_do_not_belong_together_fail_though_both_are_smooth():
    mixed = OBEYING["arc"].real + 1j * OBEYING["two arcs"].imag
    found = kramers_kronig.test(spectrum(mixed, 0.001))
    assert found.fails.mean() > 0.8
    assert found.noise < 0.3  # not what the common fit leaves


def test_a_sign_turned_round_fails():
    assert kramers_kronig.test(spectrum(OBEYING["two arcs"].conj(), 0.001)).fails.mean() > 0.5


def test_order_of_the_points_is_kept_and_does_not_matter():
    one = spectrum(OBEYING["blocking"], 0.002, seed=3)
    one.impedance[40] *= 1.1
    turned = one.isel(frequency=slice(None, None, -1))
    a, b = kramers_kronig.test(one), kramers_kronig.test(turned)
    assert (a.frequency == one.frequency).all() and a.fails[40]
    np.testing.assert_allclose(a.residual_real, b.residual_real[::-1], atol=1e-5)


def test_too_few_points():
    with pytest.raises(ValueError, match="9 points are too few"):
        kramers_kronig.test(spectrum(OBEYING["arc"]).isel(frequency=slice(9)))
    assert kramers_kronig.test(spectrum(OBEYING["arc"]).isel(frequency=slice(0, 73, 7))).sizes["frequency"] == 11


def test_measured_spectra():
    """A cell at rest obeys; one between blocking electrodes is off by little; the example of CH Instruments drifts."""
    quiet = kramers_kronig.test(read(of_others.file("lpscl-ionblocking-eis/PEIS_LPSCl_IonBlocking_-25C.txt")))
    sweeps = read(of_others.file("ssb-eis/Sample2_PEIS_AtRest.csv"))
    cell = kramers_kronig.test(sweeps.isel(frequency=(sweeps.sweep == 1).to_numpy()))
    for found in (quiet, cell):
        slow = found.frequency.to_numpy() < 4e6
        assert max(np.abs(found.residual_real[slow]).max(), np.abs(found.residual_imag[slow]).max()) < 0.5
        assert found.noise < 0.3
    example = kramers_kronig.test(read(of_others.file("chi660e-eis/exampleDataCHInstruments.txt")))
    slow = example.frequency.to_numpy() < 10
    assert example.fails[slow].mean() > 0.5 and example.fails[~slow].mean() < 0.5


def test_lack_of_fit_and_failing_points_are_findings():
    """One arc fitted to two; and a wrong point, which does not count as lack of fit."""
    one = spectrum(OBEYING["two arcs"], 0.002, seed=1)
    one.impedance[40] *= 1.02
    tested, labels = kramers_kronig.test(one), Whose(sample="cell", state="cycle 1")
    found = {
        circuit: {row["quantity"]: row for row in quality_findings(tested, fit.fitted(one, circuit), labels)}
        for circuit in ("R-RQ", "R-RQ-RQ")
    }
    lacking, right = found["R-RQ"][DESCRIBES], found["R-RQ-RQ"][DESCRIBES]
    assert (lacking["value"], right["value"]) == (False, True)
    assert (
        "% noise: the circuit does not describe" in lacking["note"] and "residual 0.18 % beside 0.18 %" in right["note"]
    )
    obeys = found["R-RQ"][OBEYS]
    assert obeys["value"] is False and obeys["note"].startswith(f"1 of 73 points fail, at {FREQUENCY[40]:.3g} Hz")


def test_too_few_points_are_no_verdict():
    short = measured(FREQUENCY[::8], spectrum(OBEYING["steep arc"], 0.005).impedance.to_numpy()[::8])
    labels = Whose(sample="cell", state="cycle 1")
    rows = quality_findings(kramers_kronig.test(short), fit.fitted(short, "R-RQ"), labels)
    assert rows[0]["value"] is None and "cannot be told: too few points, a point off by less than" in rows[0]["note"]
    rows = quality_findings(None, fit.fitted(short.isel(frequency=slice(9)), "R-RQ"), labels)
    assert [row["value"] for row in rows] == [None, None] and "9 points, 10 are needed" in rows[0]["note"]
