"""Symmetric cells with known answers: an ohmic electrolyte, an interface that charges, a short on demand."""

import numpy as np
import xarray as xr


def dataset(time, voltage, current, *, voltage_digit=1e-4, current_digit=1e-6, area=0.785, **attrs) -> xr.Dataset:
    """A cycler's recording as `coldbond.read` and `raw.recordings` give it."""
    variables = {
        "time": (np.asarray(time, dtype=float), "s", 1e-3),
        "voltage": (np.round(np.asarray(voltage) / voltage_digit) * voltage_digit, "V", voltage_digit),
        "current": (np.round(np.asarray(current) / current_digit) * current_digit, "A", current_digit),
    }
    return xr.Dataset(
        {name: ("record", v, {"units": unit, "resolution": digit}) for name, (v, unit, digit) in variables.items()},
        attrs=dict(
            source="test",
            file="test.csv",
            sha256="0" * 64,
            technique="cycling",
            sample="LLZ",
            state="",
            origin="measured",
            area_cm2=area,
            thickness_cm=0.04,
            active_mass_mg=np.nan,
            temperature_C=25.0,
        )
        | attrs,
    )


def galvanostatic(
    densities,
    *,
    half_cycle=600.0,
    every=5.0,
    rest=0.0,
    resistance=100.0,
    noise=2e-4,
    drift=0.0,
    offset=0.0,
    soft=None,
    hard=None,
    limit=None,
    lost=0.0,
    begins=0.3,
    area=0.785,
    current_digit=1e-6,
    seed=0,
    **attrs,
) -> xr.Dataset:
    """One half cycle each way at every areal current density (mA/cm2).

    half_cycle [s] may differ from density to density; resistance [ohm cm2] drifts by the share `drift` per half cycle.
    `soft` and `hard` are the densities where shorts begin, after the share `begins` of a half cycle: a soft one leaves
    30 to 70 % of the voltage, at random from moment to moment, a hard one 2 ohm cm2. At `limit` [V] the tester ends the
    half cycle. `lost` is the share of records that are lost.
    """
    rng = np.random.default_rng(seed)
    time, voltage, current, clock = [], [], [], 0.0
    shorted_soft = shorted_hard = False
    whole = np.broadcast_to(half_cycle, np.shape(densities))
    for i, (density, half_cycle) in enumerate(zip(np.repeat(densities, 2), np.repeat(whole, 2), strict=True)):
        sign = 1 - 2 * (i % 2)
        t = np.arange(0.1, half_cycle, every)
        ohms = resistance * (1 + drift * i) * (1 - 0.3 * np.exp(-t / 10)) * (1 + 0.1 * (t / half_cycle) ** 3)
        failing = t > begins * half_cycle
        if soft is not None and (shorted_soft or density >= soft - 1e-9):
            leak = rng.uniform(0.3, 0.7, t.size)
            ohms = np.where(failing | shorted_soft, ohms * leak, ohms)
            shorted_soft = True
        if hard is not None and (shorted_hard or density >= hard - 1e-9):
            ohms = np.where(failing | shorted_hard, 2.0, ohms)
            shorted_hard = True
        v = density * 1e-3 * ohms
        stop = np.argmax(v > limit) if limit is not None and (v > limit).any() else t.size
        time += [clock + t[:stop]]
        voltage += [sign * v[:stop] + offset]
        current += [np.full(stop, sign * density * 1e-3 * area)]
        clock += half_cycle if stop == t.size else t[stop]
        if stop < t.size:
            break
        if rest:
            pause = np.arange(0.1, rest, every)
            time, voltage, current = [*time, clock + pause], [*voltage, 0 * pause + offset], [*current, 0 * pause]
            clock += rest
    time, voltage, current = (np.concatenate(x) for x in (time, voltage, current))
    kept = rng.random(time.size) >= lost
    voltage = voltage + rng.normal(0, noise, time.size)
    return dataset(time[kept], voltage[kept], current[kept], area=area, current_digit=current_digit, **attrs)
