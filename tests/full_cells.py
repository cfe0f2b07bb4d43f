"""Full cells with known answers, for the tests: a flat plateau between two cut-offs, and a tester with counters."""

import numpy as np
import xarray as xr

from cells import dataset

MASS = 1.57  # mg
UPPER, LOWER, PLATEAU = 4.2, 2.4, 3.43  # V


def full_cell(
    capacities,
    *,
    c_rate=0.2,
    polarization=0.05,
    mass=MASS,
    points=60,
    rest=300.0,
    counter="step",
    counter_digit=1e-8,
    current_digit=1e-7,
    voltage_digit=1e-4,
    starts="charge",
    until=1.0,
    pause=None,
    dwell=3600.0,
    restarts=False,
    **attrs,
) -> xr.Dataset:
    """Half cycles of given capacities (mAh/g), alternating, at `c_rate` of 170 mAh/g (one, or one for each).

    polarization [V] : between charge and discharge, likewise. counter : when the tester sets its counter back ("step",
    "cycle", "never", "signed": counts down in discharge; "two" counters; None: there is none). The last half cycle is
    broken off after the share `until`. pause : the half cycles that rest for `dwell` seconds half way; restarts :
    whether a step's counter is set back for that. points : records a half cycle, more of them towards its end.
    """
    halves = len(capacities)
    rates, gaps = np.broadcast_to(c_rate, halves), np.broadcast_to(polarization, halves)
    signs = np.where(np.arange(halves) % 2 == 0, 1, -1) * (1 if starts == "charge" else -1)
    # time, voltage, current, counters
    rows, clock, net = [(t, PLATEAU, 0.0, 0.0, 0.0) for t in (0.0, rest - 1e-3)], rest, np.zeros(2)
    before = np.zeros(2)
    for i, (whole, rate, gap, sign) in enumerate(zip(capacities, rates, gaps, signs, strict=True)):
        current = sign * rate * 170 * (mass or 1.0) * 1e-6
        share = np.unique(np.append(np.linspace(0, 1, points), 1 - np.geomspace(1e-3, 0.3, points // 3)))
        share = share[share <= until] if i == halves - 1 else share
        end = (UPPER if sign > 0 else LOWER) - PLATEAU - sign * gap / 2
        voltage = PLATEAU + sign * gap / 2 + end * np.exp((share - 1) / 0.03)
        charge = share * whole * (mass or 1.0) * 1e-6
        time = clock + charge / abs(current) * 3600
        side = 0 if sign > 0 else 1
        halfway = share > 0.5 if pause and i in pause else np.zeros(share.size, dtype=bool)
        time = time + dwell * halfway
        counters = np.repeat(before[None], share.size, axis=0)
        counters[:, side] += charge
        if restarts:
            counters[halfway, side] -= charge[np.count_nonzero(~halfway) - 1] if halfway.any() else 0
        half = np.column_stack([time, voltage, np.full(share.size, current), counters])
        if halfway.any():
            cut = np.count_nonzero(~halfway)
            stop = half[cut - 1]
            said = before if restarts else stop[3:]
            idle = [[stop[0] + s, PLATEAU, 0.0, *said] for s in (1e-3, dwell / 2, dwell - 2e-3)]
            half = np.vstack([half[:cut], idle, [stop[0] + dwell - 1e-3, *stop[1:3], *said], half[cut:]])
        rows += half.tolist()
        clock = half[-1, 0] + rest
        if rest:
            rows += [(half[-1, 0] + s, PLATEAU, 0.0, *half[-1, 3:]) for s in (1e-3, rest - 1e-3)]
        net = half[-1, 3:]
        keep = {"step": 0.0, "two": 0.0, "never": 1.0, "signed": 1.0, "cycle": float(side == 0), None: 0.0}[counter]
        before = net * keep
    time, voltage, current, charged, discharged = np.array(rows).T
    recording = dataset(
        time, voltage, current, voltage_digit=voltage_digit, current_digit=current_digit, **({"sample": "A"} | attrs)
    ).assign_attrs(active_mass_mg=mass or np.nan)
    columns = {
        "two": {"charge_capacity": charged, "discharge_capacity": discharged},
        "signed": {"capacity": charged - discharged},
        None: {},
    }.get(counter, {"capacity": charged + discharged})
    for name, column in columns.items():
        rounded = np.round(column / counter_digit) * counter_digit
        recording[name] = ("record", rounded, {"units": "Ah", "resolution": counter_digit})
    return recording


def fading(cycles, retention, *, first=165.0, efficiency=0.998) -> np.ndarray:
    """Capacities of a charge and a discharge for each cycle, fading straight to `retention` of the first."""
    discharge = first * np.linspace(1, retention, cycles)
    return np.column_stack([discharge / efficiency, discharge]).ravel()
