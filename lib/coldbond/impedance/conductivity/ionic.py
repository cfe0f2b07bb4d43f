"""Ionic conductivity of a pellet between ion-blocking electrodes: sigma = L / (R S), equation 3 of the paper.

The resistance R of bulk and grain boundaries is that of the fast arcs of an equivalent circuit. Its interval covers all
circuits and distributions of relaxation times that the spectrum does not exclude (`impedance.intervals`). Thickness L,
area S and temperature enter with their own uncertainties.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult
from scipy.constants import e, k

from coldbond.impedance import fit, intervals, kramers_kronig, sweeps
from coldbond.impedance.conductivity.pellet import inverse, kelvin, product, shape
from coldbond.interval import Interval

#: Activation energy, eV, where none was measured: a little above those of garnets (Murugan, Thangadurai and Weppner
#: 2007, doi 10.1002/anie.200701144). It enters only the share of the thermostat in the uncertainty.
TYPICAL_ENERGY = 0.4


@dataclass(frozen=True)
class Ionic:
    """A spectrum between blocking electrodes with its fits and the resistance of the pellet.

    Attributes
    ----------
    spectrum : xarray.Dataset
    test : xarray.Dataset or None
        From `kramers_kronig.test`; points that fail are fitted nevertheless. None where the spectrum has fewer points
        than the test needs.
    results : dict of str to lmfit.minimizer.MinimizerResult
        By circuit, the lowest Bayesian information criterion first, without circuits of more parameters than that.
    resistance : Interval
        Of the pellet, bulk and grain boundaries together, ohm.
    """

    spectrum: xr.Dataset
    test: xr.Dataset | None
    results: dict[str, MinimizerResult]
    resistance: Interval

    @property
    def best(self) -> MinimizerResult:
        """The fit that is drawn."""
        return next(iter(self.results.values()))

    @property
    def fails(self) -> np.ndarray:
        """Which points fail the Kramers-Kronig test, shape (n,)."""
        return np.zeros(self.best.frequency.size, bool) if self.test is None else self.test.fails.to_numpy()


def measure(spectrum: xr.Dataset, circuits: Sequence[str], boundary: float, model_uncertainty: float) -> Ionic:
    """Return the resistance of a pellet between blocking electrodes.

    Parameters
    ----------
    spectrum : xarray.Dataset
        `impedance` [ohm] over `frequency` [Hz]; of several sweeps the last is fitted, see `sweeps`.
    circuits : sequence of str
        Nested candidates; the interval covers the choice between them.
    boundary : float
        Time constant [s] above which an arc belongs to the electrodes.
    model_uncertainty : float
        Relative standard uncertainty of the resistance from a drift during the sweep.

    Raises
    ------
    ValueError
        The spectrum has too few points for each of the circuits, or its temperature lies below absolute zero.
    """
    spectrum = sweeps.one(spectrum)
    kelvin(spectrum)
    results = fit.candidates(spectrum, circuits)
    most = len(next(iter(results.values())).params)
    # A larger circuit than the best contains it, with one more arc that is fitted to the noise.
    results = {circuit: result for circuit, result in results.items() if len(result.params) <= most}
    resistance = intervals.of_part(results, "electrolyte", boundary, model_uncertainty)
    return Ionic(spectrum, kramers_kronig.test_if_long_enough(spectrum), results, resistance)


def conductivity(
    measured: Ionic,
    thickness_uncertainty: float,
    area_uncertainty: float,
    temperature_uncertainty: float,
    energy: float = TYPICAL_ENERGY,
) -> Interval | None:
    """Return the ionic conductivity L / (R S) at the temperature of the recording.

    Parameters
    ----------
    measured : Ionic
        From `measure`.
    thickness_uncertainty, area_uncertainty : float
        As for `pellet.shape`.
    temperature_uncertainty : float
        Standard uncertainty of the temperature, K.
    energy : float
        Activation energy [eV], which converts the uncertainty of the temperature.

    Returns
    -------
    Interval or None
        In S/cm; None where thickness or area is not known.
    """
    pellet = shape(measured.spectrum, thickness_uncertainty, area_uncertainty)
    if pellet is None:
        return None
    temperature = kelvin(measured.spectrum)
    thermal = energy * e / (k * temperature**2) * temperature_uncertainty if isfinite(temperature) else 0.0
    return product(inverse(measured.resistance), pellet.factor, (pellet.uncertainty**2 + thermal**2) ** 0.5)
