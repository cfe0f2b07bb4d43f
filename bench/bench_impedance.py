"""How fast a spectrum is fitted and tested, beside impedance.py and pyimpspec.

One spectrum of 73 points, of a cable, an electrolyte and two arcs, with 0.2 % noise that is new in each repeat. Every
program runs in a process of its own, which first does all of it once so that imports are not counted. Prints one table.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np

FREQUENCY = np.logspace(6, -1, 73)  # Hz
NOISE = 0.002  # of the modulus
SLOW_ARC = 700.0  # ohm
#: The start that programs need which find none of their own: about twice or half of the truth.
START = {"L": 1e-6, "R": 30.0, "R1": 400.0, "Q1": 3e-7, "n1": 0.8, "R2": 400.0, "Q2": 7e-5, "n2": 0.9}


def impedance(seed: int) -> np.ndarray:
    s = 2j * np.pi * FREQUENCY
    z = 0.5e-6 * s + 50 + 200 / (1 + (1e-5 * s) ** 0.9) + SLOW_ARC / (1 + (1e-2 * s) ** 0.8)
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


def impedance_fit(z: np.ndarray) -> float:
    from impedance.models.circuits import CustomCircuit

    circuit = CustomCircuit("L0-R0-p(R1,CPE1)-p(R2,CPE2)", initial_guess=[*START.values()])
    return circuit.fit(FREQUENCY, z, weight_by_modulus=True).parameters_[5]


def pyimpspec_fit(z: np.ndarray, **how) -> float:
    import pyimpspec

    circuit = pyimpspec.parse_cdc(
        "L{{L={L}}}R{{R={R}}}(R{{R={R1}}}Q{{Y={Q1},n={n1}}})(R{{R={R2}}}Q{{Y={Q2},n={n2}}})".format(**START)
    )
    data = pyimpspec.DataSet(frequencies=FREQUENCY, impedances=z)
    found = pyimpspec.fit_circuit(circuit, data, **how)
    return found.parameters["R_3"]["R"].value


def pyimpspec_once(z: np.ndarray) -> float:
    return pyimpspec_fit(z, method="leastsq", weight="modulus", num_procs=1)


def coldbond_test(z: np.ndarray) -> float:
    from coldbond.impedance import kramers_kronig

    return kramers_kronig.test(_dataset(z)).noise


def impedance_test(z: np.ndarray) -> float:
    from impedance.validation import linKK

    _, _, _, real, imaginary = linKK(FREQUENCY, z, c=0.85, max_M=50, add_cap=True)
    return 100 * float(np.std([real, imaginary]))


def pyimpspec_test(z: np.ndarray) -> float:
    import pyimpspec

    found = pyimpspec.perform_kramers_kronig_test(pyimpspec.DataSet(frequencies=FREQUENCY, impedances=z))
    return 100 * float(np.std((found.impedances - z) / np.abs(z)) / 2**0.5)


#: Under each heading the programs: what is run, what it delivers, and the most repeats that it gets.
TASKS: dict[str, dict[str, tuple[Callable[..., float], str, int]]] = {
    "circuit fit; slow arc [ohm], true 700": {
        "coldbond fit": (coldbond_fit, "start by itself; standard errors", 99),
        "coldbond fit + intervals": (coldbond_intervals, "start by itself; profile intervals of 8 parameters", 99),
        "coldbond, 3 circuits": (coldbond_circuits, "choice of circuit; interval of a part over circuits", 99),
        "impedance.py": (impedance_fit, "start given; standard errors", 99),
        "pyimpspec": (pyimpspec_fit, "start given; all methods on all cores; standard errors", 2),
        "pyimpspec, leastsq": (pyimpspec_once, "start given, and not left far behind; standard errors", 99),
    },
    "Kramers-Kronig; noise [%], true 0.2": {
        "coldbond": (coldbond_test, "residuals, noise, points that fail", 99),
        "impedance.py": (impedance_test, "residuals", 99),
        "pyimpspec": (pyimpspec_test, "residuals; all cores; range of time constants searched", 2),
    },
}


def _dataset(z: np.ndarray):
    import xarray as xr

    return xr.Dataset({"impedance": ("frequency", z)}, {"frequency": FREQUENCY})


def measure(task: str, program: str, seed: int) -> None:
    run = TASKS[task][program][0]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run(impedance(0))
            z = impedance(seed)
            start = time.perf_counter()
            found = run(z)
            print(json.dumps({"seconds": time.perf_counter() - start, "found": float(found)}))
    except Exception as error:  # of whatever kind: the table says it
        print(json.dumps({"fails": f"{type(error).__name__}: {error}"}))


def measured(*arguments: str) -> dict[str, float | str]:
    run = subprocess.run([sys.executable, __file__, "--one", *arguments], capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{run.stderr}")
    return json.loads(run.stdout.splitlines()[-1])


def compare(repeats: int) -> None:
    """Measure all, round by round so that what else the machine does hits all alike, and print the table."""
    runs: dict[tuple[str, str], list[dict]] = {}
    for repeat in range(repeats):
        for task, programs in TASKS.items():
            for program, (_, _, most) in programs.items():
                if repeat < most:
                    runs.setdefault((task, program), []).append(measured(task, program, str(repeat + 1)))
    print("A spectrum of 73 points; median (least to most) of the repeats")
    for task, programs in TASKS.items():
        print(f"\n{task:38} {'repeats':>7}  {'ms':28} {'found':22} delivers")
        for program, (_, delivers, _) in programs.items():
            own = runs[task, program]
            if failed := [run["fails"] for run in own if "fails" in run]:
                print(f"{program:38} {len(own):7}  {failed[0]}")
                continue
            milliseconds = spread([1e3 * run["seconds"] for run in own], ",.0f")
            found = spread([run["found"] for run in own], ".4g")
            print(f"{program:38} {len(own):7}  {milliseconds:28} {found:22} {delivers}")


def spread(values: list[float], form: str) -> str:
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--one", nargs=3, metavar=("TASK", "PROGRAM", "SEED"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measure(*options.one[:2], int(options.one[2]))
    else:
        compare(options.repeats)
