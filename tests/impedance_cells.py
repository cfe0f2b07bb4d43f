"""Impedance of cells whose resistances are known, written without coldbond and without the twin."""

import numpy as np
import xarray as xr

FREQUENCY = np.logspace(6, -1, 85)
S = 2j * np.pi * FREQUENCY
CABLE, NOISE = 7e-7, 2e-3


def arc(resistance, tau, n):
    return resistance / (1 + (S * tau) ** n)


def spread(resistance, tau, width):
    """Debye elements whose time constants are distributed log-normally."""
    x = np.linspace(-5, 5, 241)
    share = np.exp(-(x**2) / 2)
    return resistance * ((share / share.sum()) / (1 + S[:, None] * tau * np.exp(width * x))).sum(axis=1)


def spectrum(z, rng=None, noise=NOISE, frequency=FREQUENCY):
    """As recorded: noise of real and imaginary part as a share of the modulus, and four digits."""
    if rng is not None:
        z = z + noise * np.abs(z) * (rng.normal(size=z.size) + 1j * rng.normal(size=z.size))
        z = np.array([complex(float(f"{one.real:.3e}"), float(f"{one.imag:.3e}")) for one in z])
    return xr.Dataset({"impedance": ("frequency", z)}, {"frequency": frequency}, {"technique": "eis"})


def three_arcs(seed):
    """A cell that is a circuit: grain boundaries and two arcs of an interface."""
    rng = np.random.default_rng(seed)
    interface = np.exp(rng.uniform(np.log(50), np.log(900)))
    z = CABLE * S + 60 + arc(12, 3e-7, 0.9) + arc(0.6 * interface, 1.2e-4, 0.85) + arc(0.4 * interface, 2.5e-3, 0.8)
    truth = {"R1": 60.0, "R2": 12.0, "R3": 0.6 * interface, "R4": 0.4 * interface}
    return spectrum(z, rng), truth


def cell(seed, arcs=1, tail=None):
    """An electrolyte of 70 ohm and one of two distributed interfaces, which drift in the slowest decade, by 0.3 %."""
    rng = np.random.default_rng(1000 * arcs + seed)
    interface = np.exp(rng.uniform(np.log(50), np.log(900)))
    boundary = rng.uniform(5, 20)
    if arcs == 1:
        z = spread(interface, np.exp(rng.normal(0, 0.5)) / (2e3 * np.pi), rng.uniform(0.6, 1.4))
    else:
        first = rng.uniform(0.5, 0.65) * interface
        z = spread(first, first * 2.5e-6, 0.9) + spread(interface - first, (interface - first) * 4e-6, 0.9)
    drift = 1 + 3e-3 * np.clip(-np.log10(FREQUENCY), 0, 1) * rng.choice([-1, 1])
    z = CABLE * S + 70 - boundary + spread(boundary, boundary * 1.5e-8, 0.3) + z * drift + (0 if tail is None else tail)
    return spectrum(z, rng), {"electrolyte": 70.0, "interface": interface, "total": 70 + interface}


def pellet(seed):
    """Bulk and grain boundaries between electrodes that block, in patches that are not alike."""
    rng = np.random.default_rng(5000 + seed)
    whole = np.exp(rng.uniform(np.log(15), np.log(150)))
    boundary = rng.uniform(0.1, 0.4) * whole
    z = CABLE * S + spread(whole - boundary, (whole - boundary) * 8e-11, 0.1)
    z = z + spread(boundary, boundary * 1.5e-8, 0.3) + 1 / (2.6e-6 * S**0.93 + 3e-7 * S**0.78)
    return spectrum(z, rng), whole
