"""The twin's impedance and currents: limits that are exact, causality, noise, truths as the paper has them, formats."""

import re
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from scipy import optimize, stats
from scipy.constants import e as ELEMENTARY_CHARGE
from scipy.constants import k as BOLTZMANN
from scipy.integrate import quad

import of_others
from twin import cells, chi, eis, impedance, pellets, symmetric
from twin.impedance import FREQUENCY, Cell, Process
from twin.manifest import write_manifest

CELLS = {
    **{f"{sample} {cycle}": pellets.symmetric(sample, cycle) for sample in pellets.ARCS for cycle in pellets.CYCLES},
    **{f"full {cycle}": pellets.full_cell(cycle) for cycle in pellets.FULL_CELL_CYCLES},
    **{f"Au {celsius}": pellets.blocked(celsius) for celsius in pellets.TEMPERATURES},
}
SYMMETRIC = [name for name in CELLS if "LLZ" in name]
SPECTRA = [recording for recording in eis.RECORDINGS if recording.technique == "eis"]
TRANSIENTS = [recording for recording in eis.RECORDINGS if recording.technique == "dc"]


def simulated(recording):
    return recording.simulate(seed=crc32(recording.file.encode()))


def plainly(path: Path) -> tuple[list[str], list[str], np.ndarray]:
    """Header, names and numbers of a file, without a reader."""
    *lines, end = path.read_bytes().decode("latin-1").split("\r\n")
    assert end == ""
    at = next(number for number, line in enumerate(lines) if ", " in line and "/" in line.split(",")[0])
    assert lines[at - 1] == lines[at + 1] == ""
    return lines[:at], lines[at].split(", "), np.array([line.split(", ") for line in lines[at + 2 :]], float)


# --- the physics -------------------------------------------------------------------------------------------------


def test_one_relaxation_time_is_debye():
    omega = 2 * np.pi * FREQUENCY
    found = impedance.impedance(Cell((Process(70.0, 3e-4, 0.0),)), FREQUENCY)
    np.testing.assert_allclose(found, 70.0 / (1 + 1j * omega * 3e-4), rtol=1e-12)


@pytest.mark.parametrize("spread", [0.3, 0.9])
@pytest.mark.parametrize("omega_tau", [1e-3, 0.3, 1.0, 20.0])
def test_sum_of_relaxations_is_the_integral_over_the_log_normal(spread, omega_tau):
    def element(x, part):
        return stats.norm.pdf(x) * part(1 / (1 + 1j * omega_tau * np.exp(spread * x)))

    whole = sum(quad(element, -12, 12, (part,), epsabs=1e-12)[0] * unit for part, unit in ((np.real, 1), (np.imag, 1j)))
    found = impedance.impedance(Cell((Process(1.0, 1e-3, spread),)), np.array([omega_tau / 1e-3 / 2 / np.pi]))[0]
    assert found == pytest.approx(whole, abs=2e-6)


def test_no_single_arc_fits_an_interface():
    """A constant phase element beside a resistance, free in all three parameters, misses by more than the noise."""
    process = Process(1.0, 1e-3, 0.9)
    found = impedance.impedance(Cell((process,)), FREQUENCY)

    def residual(x):
        arc = np.exp(x[0]) / (1 + (2j * np.pi * FREQUENCY * np.exp(x[1])) ** x[2])
        misfit = (arc - found) / np.abs(found)
        return np.concatenate([misfit.real, misfit.imag])

    best = optimize.least_squares(residual, [0.0, np.log(1e-3), 0.9])
    assert np.sqrt(np.mean(best.fun**2)) > 5 * impedance.NOISE


def test_finite_layer_has_its_two_limits():
    layer = Cell((), layer=(5.0, 0.2))
    omega = np.array([1e-4, 1e6])
    slow, fast = impedance.impedance(layer, omega / 2 / np.pi)
    assert slow == pytest.approx(5.0 * (1 - 1j * omega[0] * 0.2 / 3), rel=1e-9)
    assert fast == pytest.approx(5.0 / np.sqrt(1j * omega[1] * 0.2), rel=1e-9)


@pytest.mark.parametrize("name", SYMMETRIC)
def test_direct_current_sees_the_total_resistance(name):
    cell = CELLS[name]
    (found,) = impedance.impedance(cell, np.array([1e-6]))
    assert found == pytest.approx(cell.total, rel=1e-5)
    assert cell.total == pytest.approx(cell.electrolyte + cell.interface, rel=1e-12)
    # The slowest process closes within reach: what the sweep's last point lacks is under a per mille.
    assert impedance.impedance(cell, FREQUENCY)[-1].real == pytest.approx(cell.total, rel=1e-3)


@pytest.mark.parametrize("cycle", pellets.FULL_CELL_CYCLES)
def test_full_cell_ends_in_a_tail_of_45_degrees_above_its_resistance(cycle):
    cell = pellets.full_cell(cycle)
    tail = impedance.impedance(cell, np.array([1e-6, 1e-5])) - cell.total
    np.testing.assert_allclose(np.degrees(np.angle(tail)), -45, atol=0.02)
    assert abs(tail[0]) / abs(tail[1]) == pytest.approx(10**0.5, rel=1e-4)


@pytest.mark.parametrize("name", CELLS)
def test_fastest_fields_see_the_capacitance_of_the_pellet(name):
    (found,) = impedance.impedance(CELLS[name], np.array([1e10]))
    bulk, boundary = pellets.pellet()[:2]
    elastance = sum(
        np.exp(process.spread**2 / 2) / capacitance
        for process, capacitance in ((bulk, pellets.BULK_CAPACITANCE), (boundary, pellets.BOUNDARY_CAPACITANCE))
    )
    assert -found.imag * 2 * np.pi * 1e10 == pytest.approx(elastance, rel=2e-3)
    assert 1e-11 < pellets.BULK_CAPACITANCE < 1e-10 and 1e-9 < pellets.BOUNDARY_CAPACITANCE < 1e-7
    assert 1 / (2 * np.pi * bulk.time) > 10 * FREQUENCY[0], "the arc of the bulk lies out of reach"


@pytest.mark.parametrize("name", CELLS)
def test_cells_are_passive_and_capacitive(name):
    found = impedance.impedance(CELLS[name], np.logspace(-3, 9, 200))
    assert (found.real > 0).all() and (found.imag < 0).all()


@pytest.mark.parametrize("name", ["RT-MCL-LLZ 1", "LLZ 200", "full 50"])
def test_imaginary_part_follows_from_the_real_one(name):
    """Kramers and Kronig by quadrature over 26 decades, half a step away from the singularity on both sides."""
    cell = CELLS[name]
    step = np.log(10) / 400
    fine = 2 * np.pi * 1e-10 * np.exp(step * (np.arange(26 * 400) + 0.5))
    real = impedance.impedance(cell, fine / 2 / np.pi).real
    for omega in 2 * np.pi * 1e-10 * np.exp(step * np.array([9.4, 11.0, 13.0, 15.0]) * 400):
        (found,) = impedance.impedance(cell, np.array([omega / 2 / np.pi]))
        integral = 2 * omega / np.pi * np.sum((real - found.real) / (fine**2 - omega**2) * fine) * step
        assert integral == pytest.approx(found.imag, abs=2e-4 * abs(found))


# --- the instrument ----------------------------------------------------------------------------------------------


def test_sweep_is_that_of_the_paper():
    assert FREQUENCY[0] == pytest.approx(1e6) and FREQUENCY[-1] == pytest.approx(0.1)
    np.testing.assert_allclose(np.diff(np.log10(FREQUENCY)), -1 / 12, atol=1e-12)


def test_cable_shows_above_300_khz(monkeypatch):
    monkeypatch.setattr(impedance, "NOISE", 0.0)
    monkeypatch.setattr(impedance, "DRIFT", 0.0)
    cell = pellets.blocked(75)
    added = impedance.sweep(cell, seed=1).impedance - impedance.impedance(cell, FREQUENCY)
    np.testing.assert_allclose(added, 2j * np.pi * FREQUENCY * impedance.CABLE, atol=1e-9 * abs(added).max())
    hot = impedance.sweep(cell, seed=1).impedance.imag
    assert (hot[FREQUENCY > 3e5] > 0).all() and (hot[FREQUENCY < 1.9e5] < 0).all()


def test_interface_drifts_while_the_slow_points_are_taken(monkeypatch):
    monkeypatch.setattr(impedance, "NOISE", 0.0)
    monkeypatch.setattr(impedance, "CABLE", 0.0)
    cell = pellets.symmetric("LLZ", 100)
    ends = []
    for seed in range(200):
        grown = impedance.sweep(cell, seed=seed).impedance - impedance.impedance(cell, FREQUENCY)
        assert abs(grown[FREQUENCY > 1e5]).max() < 0.1 * abs(grown[-1])
        ends.append(grown[-1].real / cell.interface)
    assert np.std(ends) == pytest.approx(impedance.DRIFT, rel=0.15)
    assert abs(np.mean(ends)) < 3 * impedance.DRIFT / np.sqrt(200)
    assert np.max(np.abs(ends)) < 0.01
    # No linear cell that stays the same has it: the real part at direct current is not what the imaginary part asks.
    omega = np.log(FREQUENCY)
    swept = impedance.sweep(cell, seed=int(np.argmax(np.abs(ends)))).impedance
    still = impedance.impedance(cell, FREQUENCY)

    def excess(z):
        return z.real[-1] - z.real[0] - 2 / np.pi * np.trapezoid(z.imag, omega)

    assert abs(excess(swept) - excess(still)) > 1e-3 * cell.interface


def test_noise_is_a_share_of_the_modulus_and_larger_at_both_ends(monkeypatch):
    monkeypatch.setattr(impedance, "DRIFT", 0.0)
    cell = pellets.symmetric("RT-MCL-LLZ", 50)
    sweeps = np.array([impedance.sweep(cell, seed=seed).impedance for seed in range(600)])
    still = impedance.impedance(cell, FREQUENCY) + 2j * np.pi * FREQUENCY * impedance.CABLE
    error = (sweeps - still) / abs(still)
    expected = impedance.NOISE * (1 + 2 * FREQUENCY / 1e6 + 1 / (1 + FREQUENCY / 0.3))
    for part in (error.real, error.imag):
        np.testing.assert_allclose(part.std(axis=0), expected, rtol=0.12)
        assert abs(part.mean()) < 4 * impedance.NOISE / np.sqrt(part.size)
    neighbours = np.mean(error.real[:, 1:] * error.real[:, :-1])
    assert abs(neighbours) < 0.03 * impedance.NOISE**2
    assert 0.001 < expected.min() < 0.002 and expected[[0, -1]].min() > 1.5 * expected.min()


def test_current_decays_to_the_steady_one(monkeypatch):
    monkeypatch.setattr(impedance, "HUM", 0.0)
    monkeypatch.setattr(impedance, "OFFSET", 0.0)
    for sample, sigma in pellets.ELECTRONIC.items():
        steady = sigma * pellets.AREA / pellets.THICKNESS * 1.0  # V
        found = eis.of_electrons(sample, seed=1)
        assert found.voltage == 1.0 and found.time[0] == 1 and found.time[-1] == 3600
        assert (np.diff(found.current) < 0).all()
        assert 1e-3 < found.current[-1] / steady - 1 < 2e-2, "the tail has not quite settled"
        assert found.current[0] > 5 * steady, "ions polarise first"


def test_current_has_noise_and_an_offset(monkeypatch):
    many = np.array([eis.of_electrons("RT-MCL-LLZ", seed=seed).current for seed in range(60)])
    monkeypatch.setattr(impedance, "HUM", 0.0)
    still = np.array([eis.of_electrons("RT-MCL-LLZ", seed=seed).current for seed in range(60)])
    size = (many - still).std(axis=0) / still.mean(axis=0) / 2e-3
    assert size[600:].mean() == pytest.approx(np.hypot(1, 0.6), rel=0.05)
    assert still[:, -1].std() == pytest.approx(impedance.OFFSET, rel=0.25)


# --- the truths --------------------------------------------------------------------------------------------------


def test_conductivity_and_activation_energy_are_those_of_the_paper():
    kelvin = np.array(pellets.TEMPERATURES) + 273.15
    resistance = np.array([pellets.blocked(celsius).electrolyte for celsius in pellets.TEMPERATURES])
    sigma = pellets.THICKNESS / (pellets.AREA * resistance)
    np.testing.assert_allclose(sigma, [pellets.conductivity(celsius) for celsius in pellets.TEMPERATURES], rtol=1e-12)
    assert sigma[0] == pytest.approx(7.51e-4, rel=1e-12)
    inverse = ELEMENTARY_CHARGE / (BOLTZMANN * kelvin)
    times, alone = (-np.polyfit(inverse, np.log(of), 1)[0] for of in (sigma * kelvin, sigma))
    assert times == pytest.approx(0.36, abs=1e-10)
    assert alone == pytest.approx(0.36 - BOLTZMANN * 323 / ELEMENTARY_CHARGE, abs=1e-3)
    assert cells.RT_MCL_LLZ.bulk == pytest.approx(pellets.THICKNESS / pellets.CONDUCTIVITY)


def test_bulk_and_boundaries_have_their_own_activation_energies():
    kelvin = np.array([298.15, 348.15])
    for which, energy in ((1, pellets.BOUNDARY_ACTIVATION), (0, 0.345)):
        cold, hot = (pellets.pellet(t - 273.15)[which].resistance for t in kelvin)
        found = np.log(cold / hot) * BOLTZMANN / ELEMENTARY_CHARGE / (1 / kelvin[0] - 1 / kelvin[1])
        assert found == pytest.approx(energy, abs=0.03)


def test_thermostat_is_off_by_a_third_of_a_kelvin():
    """The temperature follows from the resistance; the recordings' own seeds are among those of the test."""
    real = []
    for seed in range(400):
        sigma = pellets.THICKNESS / (pellets.AREA * eis.pellet(45, seed=seed).electrolyte)
        real.append(optimize.brentq(lambda celsius, of=sigma: pellets.conductivity(celsius) - of, 40, 50))
    assert np.mean(real) == pytest.approx(45, abs=0.06)
    assert np.std(real) == pytest.approx(pellets.THERMOSTAT, rel=0.12)


def test_resistance_of_coated_cells_falls_and_stays_and_that_of_bare_ones_rises():
    coated, bare = (
        {cycle: pellets.symmetric(sample, cycle).interface for cycle in pellets.CYCLES}
        for sample in ("RT-MCL-LLZ", "LLZ")
    )
    for of in (coated, bare):
        falling = [of[cycle] for cycle in (1, 10, 25, 50)]
        assert falling == sorted(falling, reverse=True) and falling[0] > 1.25 * falling[-1]
    assert max(abs(coated[cycle] / coated[50] - 1) for cycle in (75, 100, 150, 200)) < 0.08
    rising = [bare[cycle] for cycle in (50, 75, 100, 150, 200)]
    assert rising == sorted(rising) and rising[-1] > 1.3 * rising[0]
    assert min(bare[cycle] / coated[cycle] for cycle in pellets.CYCLES) > 5
    assert np.argmin(list(bare.values())) == pellets.CYCLES.index(50)


def test_resistance_is_that_which_cycling_shows():
    """Half cycles of an hour, at their end, against the impedance of the same cell at direct current."""
    records = symmetric.long_cycling(0.5, 250, cells.RT_MCL_LLZ, seed=7)
    ends = records[records["state"] != "rest"].groupby("step").last()
    found = (ends["voltage"].abs() / ends["current"].abs()).groupby(ends["cycle"]).mean()
    for cycle in (1, 10, 25, 50, 100):
        near = found[(found.index - cycle).map(abs) <= 1].mean()
        assert near == pytest.approx(pellets.symmetric("RT-MCL-LLZ", cycle).total, rel=0.10)


def test_full_cell_has_300_ohm_and_keeps_them():
    totals = {cycle: pellets.full_cell(cycle).total for cycle in pellets.FULL_CELL_CYCLES}
    assert totals[50] == pytest.approx(300, abs=0.1)
    assert all(abs(total - 300) < 12 for total in totals.values())


def test_electronic_conductivity_falls_and_is_far_below_that_of_ions():
    assert pellets.ELECTRONIC["RT-MCL-LLZ"] < 0.5 * pellets.ELECTRONIC["LLZ"]
    assert 1e-9 < pellets.ELECTRONIC["RT-MCL-LLZ"] < pellets.ELECTRONIC["LLZ"] < 1e-7 < 1e-3 * pellets.CONDUCTIVITY


@pytest.mark.parametrize("seed", [3, 4])
def test_cell_behind_a_sweep_is_told_by_its_seed(monkeypatch, seed):
    """With neither noise nor drift the sweep is that of the cell that the seed names, and of no other."""
    monkeypatch.setattr(impedance, "NOISE", 0.0)
    monkeypatch.setattr(impedance, "DRIFT", 0.0)
    monkeypatch.setattr(impedance, "CABLE", 0.0)
    for sweep, cell in (
        (eis.of_cell("LLZ", 75, seed=seed), eis.symmetric("LLZ", 75, seed=seed)),
        (eis.of_full_cell(10, seed=seed), eis.full_cell(10, seed=seed)),
        (eis.of_pellet(55, seed=seed), eis.pellet(55, seed=seed)),
    ):
        np.testing.assert_allclose(sweep.impedance, impedance.impedance(cell, FREQUENCY), rtol=1e-12)
    many = [eis.symmetric("LLZ", 75, seed=n).interface / pellets.symmetric("LLZ", 75).interface for n in range(400)]
    assert np.std(many) == pytest.approx(pellets.SCATTER, rel=0.12) and np.mean(many) == pytest.approx(1, abs=2e-3)
    assert eis.symmetric("LLZ", 75, seed=1).electrolyte == pellets.symmetric("LLZ", 75).electrolyte
    shapes = np.log([eis.symmetric("LLZ", 75, seed=n).processes[2][1:] for n in range(400)])
    np.testing.assert_allclose(shapes.std(axis=0), pellets.SHAPES, rtol=0.12)


# --- the files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recording", SPECTRA, ids=lambda recording: recording.file)
def test_spectra_say_what_was_simulated(tmp_path, recording):
    (tmp_path / "eis").mkdir()
    recording.write(tmp_path)
    spectrum = simulated(recording)
    header, names, numbers = plainly(tmp_path / recording.file)
    assert names == ["Freq/Hz", "Z'/ohm", 'Z"/ohm', "Z/ohm", "Phase/deg"]
    assert header[1] == "A.C. Impedance" and "Amplitude (V) = 0.01" in header
    z = spectrum.impedance
    for column, expected in zip(numbers.T, (spectrum.frequency, z.real, z.imag, abs(z)), strict=False):
        np.testing.assert_allclose(column, expected, rtol=5.01e-4)
        assert all(float(f"{number:.3e}") == number for number in column)
    np.testing.assert_allclose(numbers[:, 4], np.degrees(np.angle(z)), atol=0.0501)
    capacitive = (numbers[:, 0] > 100) & (numbers[:, 0] < 1e5)
    assert (numbers[capacitive, 2] < 0).all() and (numbers[capacitive, 4] < 0).all()


@pytest.mark.parametrize("recording", TRANSIENTS, ids=lambda recording: recording.sample)
def test_transients_say_what_was_simulated(tmp_path, recording):
    (tmp_path / "dc").mkdir()
    recording.write(tmp_path)
    transient = simulated(recording)
    header, names, numbers = plainly(tmp_path / recording.file)
    assert names == ["Time/sec", "Current/A"]
    assert header[1] == "Amperometric i-t Curve" and {"Init E (V) = 1", "Run Time (sec) = 3600"} <= set(header)
    np.testing.assert_array_equal(numbers[:, 0], transient.time)
    np.testing.assert_allclose(numbers[:, 1], transient.current, rtol=5.01e-4)
    assert 50 < np.unique(numbers[1800:, 1]).size < 1000, "four digits are seen"


def test_header_is_that_of_a_real_file(tmp_path):
    real = of_others.file("chi660e-eis/exampleDataCHInstruments.txt")
    theirs = real.read_text(encoding="latin-1").splitlines()
    chi.impedance(impedance.sweep(pellets.blocked(), seed=1), tmp_path / "a.txt", start="2022-02-20 15:55:08")
    ours = (tmp_path / "a.txt").read_text(encoding="latin-1").splitlines()
    assert ours[0] == "Feb. 20, 2022   15:55:08" and theirs[0] == "Feb. 20, 2020   15:55:08"
    end = theirs.index("") + 11  # the settings and the names of the columns stand below the first empty line
    names = [[re.split(" = |:", line)[0] for line in lines[1:end]] for lines in (ours, theirs)]
    assert names[0] == names[1] and names[0][-2].startswith("Freq/Hz")
    rows = [[field for line in lines[end:] for field in line.split(", ")] for lines in (ours, theirs)]
    form = re.compile(r"-?\d\.\d{3}e[+-]\d|-?\d+\.\d")
    assert all(form.fullmatch(field) for fields in rows for field in fields)


@pytest.mark.parametrize(("month", "written"), [(4, "April"), (5, "May"), (6, "June"), (9, "Sept."), (12, "Dec.")])
def test_months_are_written_as_the_program_does(tmp_path, month, written):
    spectrum = impedance.sweep(pellets.blocked(), seed=1)
    chi.impedance(spectrum, tmp_path / "a.txt", start=f"2022-{month:02d}-03 07:08:09", note="35 °C")
    assert (tmp_path / "a.txt").read_bytes().startswith(f"{written} 3, 2022   07:08:09\r\n".encode())
    assert b"Note: 35 \xb0C\r\n" in (tmp_path / "a.txt").read_bytes()


def test_nothing_half_written_stays(tmp_path):
    spectrum = impedance.sweep(pellets.blocked(), seed=1)
    chi.impedance(spectrum, tmp_path / "a.txt", start="2022-05-03 07:08:09")
    before = (tmp_path / "a.txt").read_bytes()
    with pytest.raises(UnicodeEncodeError):
        chi.impedance(spectrum, tmp_path / "a.txt", start="2022-05-03 07:08:09", note="合成")
    assert (tmp_path / "a.txt").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_other_seeds_give_other_files():
    spectrum = SPECTRA[0]
    one, same, other = (spectrum.simulate(seed=seed).impedance for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).all()
    assert len({crc32(recording.file.encode()) for recording in eis.RECORDINGS}) == len(eis.RECORDINGS)


def test_manifest_keeps_what_is_not_synthetic(tmp_path, monkeypatch):
    (tmp_path / "dc").mkdir()
    for recording in TRANSIENTS:
        recording.write(tmp_path)
    write_manifest(tmp_path, TRANSIENTS)
    synthetic = (tmp_path / "manifest.csv").read_text(encoding="utf-8")
    computed = 'energies/a.csv,energies,energies,CHGNet 0.3.0,all,computed,,,,,,"of crystals, by a potential"\n'
    (tmp_path / "manifest.csv").write_text(synthetic.replace("dc/electronic-LLZ", "dc/old") + computed, "utf-8")
    write_manifest(tmp_path, TRANSIENTS)
    assert (tmp_path / "manifest.csv").read_text(encoding="utf-8") == synthetic + computed
