"""Critical current density of a lithium symmetric cell under a current that rises step by step."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from coldbond.bundle import figures
from coldbond.bundle.findings import finding
from coldbond.cells import shorts

#: Thresholds over which a critical current density must hold to be more than a choice.
SENSIBLE = np.arange(0.3, 0.91, 0.05)


def steps(recording: xr.Dataset, retained: float = 0.6, metallic: float = 10.0) -> xr.Dataset:
    """Judge every step of a critical-current-density run.

    Parameters
    ----------
    recording : xarray.Dataset
        `time` [s], `voltage` [V], `current` [A] over `record`; attrs `area_cm2`.
    retained, metallic : float
        As for `shorts.judged`.

    Returns
    -------
    xarray.Dataset
        Over `step`, consecutive segments of the same current density (within 0.5 % and a digit) whatever their
        direction: `current_density` [mA/cm2], `resistance` [ohm cm2], `begin`, `end`, `last_good`, `onset` [s] and
        `kind`, that of the first of its segments that was not sustained; a last step that lacks segments which the one
        before it had is "unfinished".

    Raises
    ------
    ValueError
        As `shorts.judged`.
    """
    segments = shorts.judged(recording, retained, metallic)
    density = segments.current_density.to_numpy()
    digit = recording.current.attrs["resolution"] * 1e3 / recording.attrs["area_cm2"]
    starts = [0]
    for i, value in enumerate(density):  # held against the step's first: neighbours a digit apart would chain up
        if abs(value - density[starts[-1]]) > 0.005 * value + 1.01 * digit:
            starts.append(i)
    groups = np.split(np.arange(density.size), starts[1:])
    kinds = segments.kind.to_numpy()
    firsts = [next((i for i in group if kinds[i] != "sustained"), group[-1]) for group in groups]
    kind = kinds[firsts].astype(object)
    if len(groups) > 1 and kind[-1] == "sustained" and groups[-1].size < groups[-2].size:
        kind[-1] = "unfinished"
    picked = segments.isel(segment=firsts)
    return xr.Dataset(
        {
            "current_density": ("step", [np.median(density[g]) for g in groups], segments.current_density.attrs),
            "resistance": ("step", [np.median(segments.resistance[g]) for g in groups], segments.resistance.attrs),
            "begin": ("step", segments.begin.to_numpy()[[g[0] for g in groups]], segments.begin.attrs),
            "end": ("step", segments.end.to_numpy()[[g[-1] for g in groups]], segments.end.attrs),
            "last_good": ("step", picked.last_good.to_numpy(), {"units": "s"}),
            "onset": ("step", picked.onset.to_numpy(), {"units": "s"}),
            "kind": ("step", kind.astype(str)),
        },
        attrs=recording.attrs,
    )


def critical_current_density(steps: xr.Dataset) -> tuple[float | None, float, float | None]:
    """Return the highest current density sustained through its whole step, and the interval that the steps leave.

    Parameters
    ----------
    steps : xarray.Dataset
        From `steps`.

    Returns
    -------
    value, low, high : float or None
        In mA/cm2, rounded to a tenth of the steps' spacing: the tester's digits and the cell's area support no more.
        The critical current density is at least `low`, the last sustained step, and below `high`, the first that
        failed; `high` is None for a cell that never failed, `value` is None for one that failed in its first step.
    """
    kind = steps.kind.to_numpy()
    spacing = np.median(np.abs(np.diff(steps.current_density, prepend=0.0)))
    density = np.round(steps.current_density.to_numpy(), round(1 - float(np.log10(spacing))))
    failed = np.flatnonzero((kind != "sustained") & (kind != "unfinished"))
    held = density[: failed[0]] if failed.size else density[kind == "sustained"]
    value = float(held.max()) if held.size else None
    return value, value or 0.0, float(density[failed[0]]) if failed.size else None


def findings(
    recordings: Mapping[str, xr.Dataset], retained: float = 0.6, metallic: float = 10.0, area_uncertainty: float = 0.02
) -> list[dict]:
    """Return what the runs say: critical current density, how and when the cell failed, and after how much charge.

    Parameters
    ----------
    recordings : mapping of str to xarray.Dataset
        As `raw.recordings` gives them.
    retained, metallic : float
        As for `shorts.judged`.
    area_uncertainty : float
        Relative standard uncertainty of the cell's area, which every charge per area carries.

    Returns
    -------
    list of dict
        As `findings.finding` gives them.
    """
    found = []
    for recording in recordings.values():
        judged = steps(recording, retained, metallic)
        whose = {key: recording.attrs[key] for key in ("sample", "state")}
        begin = float(recording.time[0])
        value, low, high = critical_current_density(judged)
        found.append(
            finding(
                "critical_current_density",
                value,
                low,
                high,
                "mA/cm2",
                **whose,
                note=f"{_how(judged)}{_coarse(recording, judged)}; {_robustness(recording, retained, metallic, value)}",
            )
        )
        failed = judged.isel(step=~judged.kind.isin(["sustained", "unfinished"]))
        if failed.step.size:
            last_good, onset = (float(failed[name][0]) for name in ("last_good", "onset"))
            hours = (np.array([onset, last_good, onset]) - begin) / 3600
            found.append(finding("time_of_failure", *hours, "h", **whose))
        else:
            onset = float(recording.time[-1])
            lasted = (onset - begin) / 3600
            found.append(finding("time_of_failure", None, lasted, None, "h", **whose, note="it did not fail"))
        charge, uncertainty = shorts.charge_passed(recording, onset)
        half = 1.96 * np.hypot(uncertainty, area_uncertainty * charge)
        note = "both directions added up" + ("" if failed.step.size else ", until the end of the test")
        found.append(
            finding("charge_passed_until_failure", charge, charge - half, charge + half, "mAh/cm2", **whose, note=note)
        )
    return found


def _how(judged: xr.Dataset) -> str:
    failed = judged.isel(step=~judged.kind.isin(["sustained", "unfinished"]))
    if not failed.step.size:
        held = judged.current_density.to_numpy()[judged.kind == "sustained"]
        return f"no short up to {held.max(initial=0):.3g} mA/cm2, so there is no upper bound"
    later = [str(kind) for kind in failed.kind.to_numpy()[1:] if kind != failed.kind.to_numpy()[0]]
    return f"{failed.kind.item(0)} at {failed.current_density.item(0):.3g} mA/cm2" + (
        f", then {later[0]}" if later else ""
    )


def _coarse(recording: xr.Dataset, judged: xr.Dataset) -> str:
    digit = recording.current.attrs["resolution"] * 1e3 / recording.attrs["area_cm2"]
    spacing = float(np.median(np.abs(np.diff(judged.current_density, prepend=0.0))))
    return f"; the current's last digit is {digit:.2g} mA/cm2, which hides finer steps" if digit > spacing / 4 else ""


def _robustness(recording: xr.Dataset, retained: float, metallic: float, value: float | None) -> str:
    """In words, over which thresholds the critical current density stays what it is."""
    found = [critical_current_density(steps(recording, threshold, metallic))[0] for threshold in SENSIBLE]
    same = np.array([f == value for f in found])
    if same.all():
        note = f"the same for every threshold from {SENSIBLE[0]:.2f} to {SENSIBLE[-1]:.2f}"
    else:
        others = sorted({"none" if f is None else f"{f:.3g}" for f, s in zip(found, same, strict=True) if not s})
        held = SENSIBLE[same]
        span = f"from {held[0]:.2f} to {held[-1]:.2f}" if held.size else "nowhere"
        note = f"the same for thresholds {span} of {SENSIBLE[0]:.2f} to {SENSIBLE[-1]:.2f}, else {' or '.join(others)}"
    for other in (metallic / 3, 3 * metallic):
        changed = critical_current_density(steps(recording, retained, other))[0]
        if changed != value:
            note += f"; {'none' if changed is None else f'{changed:.3g}'} if a metal is below {other:.2g} ohm cm2"
    return note


def table(judged: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """Return resistance and verdict of every step: a row for each current density, a column for each cell."""
    columns = {
        label: pd.Series(
            [
                f"{ohms:.0f} Ω cm², {kind}"
                for ohms, kind in zip(steps.resistance.to_numpy(), steps.kind.to_numpy(), strict=True)
            ],
            index=[f"{density:.2f}" for density in steps.current_density.to_numpy()],
        )
        for label, steps in judged.items()
    }
    return pd.DataFrame(columns).fillna("").rename_axis("mA/cm2")


def plot(recording: xr.Dataset, judged: xr.Dataset, label: str, ax: Axes) -> None:
    """Draw voltage and current density against time, shaded from the failure on.

    Parameters
    ----------
    recording : xarray.Dataset
        As for `steps`.
    judged : xarray.Dataset
        From `steps`.
    label : str
        What the panel shows, written into it with the critical current density.
    ax : matplotlib.axes.Axes
        Of the voltage; the current density gets axes of its own on the right.
    """
    hours = recording.time / 3600
    density = recording.current * 1e3 / recording.attrs["area_cm2"]
    value, _, high = critical_current_density(judged)
    right = ax.twinx()
    ax.set_zorder(right.get_zorder() + 1)
    ax.patch.set_visible(False)
    right.plot(hours, density, color="0.7", linewidth=0.5)
    right.tick_params(colors="0.45")
    right.set_ylabel("Current density\n/ mA cm⁻²", color="0.45")
    ax.plot(hours, recording.voltage, color=figures.color(recording.attrs["sample"]))
    ax.set_ylabel("Voltage / V")
    ax.margins(x=0)
    for axes, channel in ((ax, recording.voltage), (right, density)):
        largest = 1.1 * float(np.abs(channel).quantile(0.9995))
        axes.set_ylim(-largest, 1.5 * largest)  # zero at the same height, and room for the text above
        axes.yaxis.set_major_locator(MaxNLocator(4))
    held = "no step sustained" if value is None else f"CCD {value} mA cm⁻²"
    failed = judged.isel(step=~judged.kind.isin(["sustained", "unfinished"]))
    how = " or more" if high is None else f", {failed.kind.item(0)} at {high} mA cm⁻²"
    ax.text(0.01, 0.96, f"{figures.label(label)}: {held}{how}", transform=ax.transAxes, va="top")
    if failed.step.size:
        right.axvspan(float(failed.onset[0]) / 3600, float(hours[-1]), color="0.94", linewidth=0)
