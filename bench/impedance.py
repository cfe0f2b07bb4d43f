"""Impedance: fit a circuit to a spectrum of a cable, an electrolyte and two arcs, and test it by Kramers-Kronig.

The spectrum has 73 points and 0.2 % noise of the modulus, which differs in each round.
"""

import sys
from collections.abc import Callable

import numpy as np

from bench.timing import timed

FIT = "fit a circuit to 73 points; slow arc [ohm], true 700"
TEST = "Kramers-Kronig test of 73 points; noise [%], true 0.2"
FREQUENCY = np.logspace(6, -1, 73)  # Hz
NOISE = 0.002  # standard deviation, share of the modulus
#: Starting values for the programs that need them, about twice or half of the true ones.
START = {"L": 1e-6, "R": 30.0, "R1": 400.0, "Q1": 3e-7, "n1": 0.8, "R2": 400.0, "Q2": 7e-5, "n2": 0.9}


def impedance(seed: int) -> np.ndarray:
    """Return a simulated spectrum [ohm] over FREQUENCY."""
    s = 2j * np.pi * FREQUENCY
    z = 0.5e-6 * s + 50 + 200 / (1 + (1e-5 * s) ** 0.9) + 700 / (1 + (1e-2 * s) ** 0.8)
    rng = np.random.default_rng(seed)
    return z + NOISE * np.abs(z) * (rng.normal(size=z.size) + 1j * rng.normal(size=z.size))


def coldbond_fit(z: np.ndarray) -> float:
    from coldbond.impedance import fit

    return fit.fitted(_dataset(z), "L-R-RQ-RQ").params["R3"].value


def coldbond_intervals(z: np.ndarray) -> float:
    from coldbond.impedance import fit, intervals

    result = fit.fitted(_dataset(z), "L-R-RQ-RQ")
    return {name: intervals.profile(result, name) for name in result.params}["R3"].value


def coldbond_circuits(z: np.ndarray) -> float:
    from coldbond.impedance import fit, intervals

    results = fit.candidates(_dataset(z), ["L-R-RQ", "L-R-RQ-RQ", "L-R-RQ-RQ-RQ"])
    return intervals.of_part(results, "interface", 1e-3).value


def coldbond_test(z: np.ndarray) -> float:
    from coldbond.impedance import kramers_kronig

    return kramers_kronig.test(_dataset(z)).noise


def impedance_fit(z: np.ndarray) -> float:
    from impedance.models.circuits import CustomCircuit

    circuit = CustomCircuit("L0-R0-p(R1,CPE1)-p(R2,CPE2)", initial_guess=[*START.values()])
    return circuit.fit(FREQUENCY, z, weight_by_modulus=True).parameters_[5]


def impedance_test(z: np.ndarray) -> float:
    from impedance.validation import linKK

    _, _, _, real, imaginary = linKK(FREQUENCY, z, c=0.85, max_M=50, add_cap=True)
    return 100 * float(np.std([real, imaginary]))


def pyimpspec_fit(z: np.ndarray, **how) -> float:
    import pyimpspec

    circuit = pyimpspec.parse_cdc(
        "L{{L={L}}}R{{R={R}}}(R{{R={R1}}}Q{{Y={Q1},n={n1}}})(R{{R={R2}}}Q{{Y={Q2},n={n2}}})".format(**START)
    )
    data = pyimpspec.DataSet(frequencies=FREQUENCY, impedances=z)
    return pyimpspec.fit_circuit(circuit, data, **how).parameters["R_3"]["R"].value


def pyimpspec_leastsq(z: np.ndarray) -> float:
    return pyimpspec_fit(z, method="leastsq", weight="modulus", num_procs=1)


def pyimpspec_test(z: np.ndarray) -> float:
    import pyimpspec

    found = pyimpspec.perform_kramers_kronig_test(pyimpspec.DataSet(frequencies=FREQUENCY, impedances=z))
    return 100 * float(np.std((found.impedances - z) / np.abs(z)) / 2**0.5)


def _dataset(z: np.ndarray):
    import xarray as xr

    return xr.Dataset({"impedance": ("frequency", z)}, {"frequency": FREQUENCY})


def contender(**runs: Callable[[np.ndarray], float]) -> Callable[[int], dict]:
    tasks = {"fit": FIT, "test": TEST}

    def measure(seed: int) -> dict:
        return {tasks[name]: timed(run, impedance(seed), first=(impedance(0),)) for name, run in runs.items()}

    return measure


CONTENDERS = {
    "coldbond, automatic start, standard errors": (contender(fit=coldbond_fit), sys.maxsize),
    "coldbond, with profile intervals of 8 parameters": (contender(fit=coldbond_intervals), sys.maxsize),
    "coldbond, 3 circuits, interval over all of them": (contender(fit=coldbond_circuits), sys.maxsize),
    "impedance.py, start given, standard errors": (contender(fit=impedance_fit), sys.maxsize),
    "pyimpspec, start given, all methods, all cores": (contender(fit=pyimpspec_fit), 2),
    "pyimpspec, start given, leastsq": (contender(fit=pyimpspec_leastsq), sys.maxsize),
    "coldbond": (contender(test=coldbond_test), sys.maxsize),
    "impedance.py": (contender(test=impedance_test), 1),
    "pyimpspec, all cores": (contender(test=pyimpspec_test), 2),
}
