"""The inputs that were read wrongly or refused with bad advice, each with the right result that its README states.

They lie beside the real recordings (`COLDBOND_REAL`), and are skipped where these are not. What only an analysis can
get wrong is tested with that analysis, and listed in `ANALYSED`.
"""

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import xarray as xr

from coldbond.files import FORMATS, ReadError, read

REAL = Path(os.environ.get("COLDBOND_REAL", "."))
CASES = REAL.parent / "cases"
pytestmark = pytest.mark.skipif(
    not os.environ.get("COLDBOND_REAL") or not CASES.is_dir(), reason="COLDBOND_REAL names no collection with cases"
)


class Refused(NamedTuple):
    """The error must match one of the patterns."""

    patterns: tuple[str, ...]
    stated: dict[str, Any] = {}  # noqa: RUF012  NamedTuple


class Reads(NamedTuple):
    """Values of the recording: of a variable or attr, "NAME" the whole, "NAME[0]" the first, "NAME[-1]" the last."""

    values: dict[str, Any]
    stated: dict[str, Any] = {}  # noqa: RUF012  NamedTuple


def cycling(first: float, last: float, currents: tuple[float, float], **values: Any) -> Reads:
    """A cycling recording with these times, and first and last currents."""
    expected = {"technique": "cycling", "time[0]": first, "time[-1]": last, "current[0]": currents[0]}
    return Reads(expected | {"current[-1]": currents[1]} | values)


def spectrum(axis: str, ends: tuple[float, float], intensities: tuple[float, float], **stated: Any) -> Reads:
    """A spectrum from and to these places of its axis, with these intensities there."""
    values = {f"{axis}[0]": ends[0], f"{axis}[-1]": ends[1], "intensity[0]": intensities[0]}
    return Reads(values | {"intensity[-1]": intensities[1]}, stated)


def eis(frequencies: tuple[float, float], z: complex, **values: Any) -> Reads:
    expected = {"technique": "eis", "frequency[0]": frequencies[0], "frequency[-1]": frequencies[1]}
    return Reads(expected | {"impedance[0]": z} | values)


CU = 1.54059
RAMAN_ROWS = spectrum("raman_shift", (100, 121.2135), (1000.5, 1077.5))
RESULTS: dict[str, Refused | Reads] = {
    # ---- electrochemistry
    "01_unsigned_current_no_state.csv": Refused(("signed currents, or with step states",)),
    "03_bdf_step_index_is_record_counter.bdf.csv": Reads({"step": "Step ID"}),
    "04_bdf_time_ms_labelled_s.bdf.csv": Refused(("(?i)unix|clock|date",)),
    "07_eis_first_rows_overload.csv": Refused(("line [23]",)),
    "09_autolab_nova.txt": eis((1e6, 0.1), 50 - 0.160746j),
    "10_quoted_header_eis.csv": eis((1e6, 0.1), 50 - 0.160746j),
    "12_chi_tab_rows.txt": eis((1e6, 0.1), 50.0 - 0.1607j),
    "13_eclab_header_longer_than_rows.mpt": eis((199998.14, 3011.5552), 1.2273843 - 0.11151811j),
    "14_eclab_gcpl.mpt": cycling(30.15299923827115, 236.5735984, (0, 0), **{"voltage[-1]": 3.4303179}),
    "15_eclab_modulo_bat_cycling_and_eis.mpt": Reads({"technique": "cycling"}, {"technique": "cycling"}),
    "16_neware_cumulative_time.csv": cycling(0, 38 * 60, (0, 0), **{"voltage[-1]": 2.9264}),
    "18_neware_layered.csv": cycling(0, 251, (0, 0), **{"voltage[-1]": 4.4302}),
    "19_maccor.txt": cycling(0, 660.88, (0, -0.49989), **{"voltage[-1]": 3.36225}),
    "20_maccor_state_C_D.csv": cycling(0, 3570, (1e-4, -1e-4)),
    "21_gamry_galveis.DTA": Reads({"technique": "eis"}),
    "22_novocontrol.txt": eis((1e6, 0.03), 2.21423e4 - 5.43115e4j),
    "23_zplot.z": Reads({"technique": "eis", "frequency[-1]": 300, "impedance[-1]": 1305.3 - 195.01j}),
    "24_columns_of_eclab_csv.csv": Reads({"technique": "cycling", "current[0]": 1e-4, "voltage[0]": 0.05}),
    "25_latin1_micro.csv": cycling(0, 59, (1e-4, -1e-4), encoding="cp1252"),
    # ---- spectra
    "xrd-scan-2theta.txt": spectrum("two_theta", (10, 10.5), (900, 550)),
    "panalytical-mended-as-told.csv": Reads({"two_theta[0]": 0.5, "two_theta[-1]": 0.6}),
    "scienta-binding-mended-as-told.txt": Reads({"binding_energy[0]": 368, "binding_energy[-1]": 370}),
    "specs-kinetic-axis.xy": Reads({"binding_energy[0]": 284, "binding_energy[-1]": 290, "peak": 285}),
    "xrd-wavelength-nm.txt": Reads({"wavelength_kalpha1": 1.5406}),
    "xrd-mean-wavelength.txt": Refused(("mean of Cu K-alpha1 and K-alpha2.*1.54059.*1.5444",)),
    "xps-photon-energy-kev.txt": Reads({"binding_energy[0]": 289.5, "binding_energy[-1]": 290.6}),
    "xrd-q.txt": Refused(("(?i)degree|2theta|q",)),
    "scienta-binding.txt": Reads({"binding_energy[0]": 368, "binding_energy[-1]": 370}),
    "specs-binding-axis.xy": Reads({"binding_energy[0]": 284, "binding_energy[-1]": 290}),
    "panalytical.csv": Reads({"wavelength_kalpha1": 1.540598, "wavelength_kalpha2": 1.544426, "two_theta[0]": 0.5}),
    "jcamp-1E0.jdx": Reads({"technique": "raman", "raman_shift[0]": 100, "raman_shift[-1]": 107}),
    "jcamp-maxy-1.235E0.jdx": Reads({"technique": "raman", "raman_shift[-1]": 107, "intensity[0]": 0.95}),
    "jcamp-label-twice.jdx": Reads({"technique": "raman", "raman_shift[-1]": 107}),
    "jcamp-xunits-raman-shift.jdx": Reads({"technique": "raman", "raman_shift[-1]": 107}),
    "bwspec-header.txt": Reads({"technique": "raman"}),
    "bwram-same-reads.txt": Reads({"technique": "raman"}),
    "vamas-two-samples.vms": Reads({"technique": "xps"}, {"sample": "Pt #002"}),
    "xrdml-no-ratio.xrdml": Reads({"wavelength_kalpha1": 1.54056, "two_theta[-1]": 10.1, "intensity[-1]": 110}),
    "labspec-latin1.txt": spectrum("raman_shift", (46.64, 66.88), (37, 48)),
    "witec-table.txt": RAMAN_ROWS,
    "renishaw-wire.txt": spectrum("raman_shift", (1078.7865, 1100), (1077.5, 1000.5)),
    "thermo-omnic.csv": RAMAN_ROWS,
    "thermo-omnic-nohead.csv": RAMAN_ROWS._replace(stated={"technique": "raman"}),
    "bruker.uxd": Reads({"two_theta[0]": 10, "wavelength_kalpha1": 1.5406, "wavelength_kalpha2": 1.54439}),
    "bruker-diffrac.xy": spectrum("two_theta", (10, 10.06), (1200, 1230), wavelength=CU),
    # ---- hostile
    "sstcount.xlsx": Refused(("states a size of 4000000000",)),
    "farcell.xlsx": Refused(("row 1048576 and column 16384",)),
    "avantage-farcell.xlsx": Refused(("row 1048576 and column 16384",)),
    "digits-name.brml": Refused(("a member whose name has more than 255 characters",)),
    "chi-eis-1c.txt": Refused(("line 2[0-9]",)),
    "first-rows-lost.csv": Refused(("line [234]",)),
    "first-rows-lost-xps.csv": Refused(("line [23]",)),
    "wavelength-from-next-line.xy": Reads({"wavelength_kalpha1": 1.5406, "wavelength_kalpha2": None}),
    "cp1252-umlaut.csv": Reads({"encoding": "cp1252", "technique": "energies"}),
}
#: Inputs whose right result is one of an analysis, by the module that tests it.
ANALYSED = {
    "06_pulse_before_first_charge.bdf.csv": "test_full_cell",
    "26_total_resistance_rounds_to_zero.csv": "the tests of the interfaces",
    "27_ten_sweeps.csv": "the tests of the interfaces",
    "raman-si-4-200.txt": "the tests of Raman bands",
}
FILES = [path for path in sorted(CASES.glob("*/*")) if path.name != "README.md"] if CASES.is_dir() else []


def found(recording: xr.Dataset | xr.DataTree, name: str) -> Any:
    """Return a value of a recording by the name that `Reads` gives it."""
    held = next(iter(recording.children.values())).to_dataset() if isinstance(recording, xr.DataTree) else recording
    if name == "peak":
        return float(held.binding_energy[int(held.intensity.to_numpy().argmax())])
    variable, _, place = name.partition("[")
    if variable in held.variables:
        return held[variable].to_numpy()[int(place.rstrip("]"))] if place else held[variable].to_numpy()
    return {**recording.attrs, **held.attrs}.get(name)


def test_every_case_is_listed():
    assert {path.name for path in FILES} == set(RESULTS) | set(ANALYSED)


@pytest.mark.parametrize("path", [p for p in FILES if p.name in RESULTS], ids=lambda path: path.name)
def test_a_case_has_the_right_result(path):
    expected = RESULTS[path.name]
    if isinstance(expected, Refused):
        with pytest.raises(ReadError) as caught:
            read(path, **expected.stated)
        assert any(re.search(pattern, str(caught.value)) for pattern in expected.patterns), caught.value
        return
    recording = read(path, **expected.stated)
    for name, value in expected.values.items():
        actual = found(recording, name)
        if value == "Step ID":
            lines = [line.split(",") for line in path.read_text().splitlines()]
            np.testing.assert_array_equal(actual, [int(line[lines[0].index(value)]) for line in lines[1:]])
        elif isinstance(value, str | None):
            assert actual == value, name
        else:
            assert actual == pytest.approx(value, rel=1e-5, abs=1e-9), name


def test_the_impedance_beside_cycling_is_read_too():
    recording = read(CASES / "files-electrochemistry" / "15_eclab_modulo_bat_cycling_and_eis.mpt", technique="eis")
    assert recording.attrs["technique"] == "eis"


def test_each_sample_of_a_vamas_file_can_be_named():
    path = CASES / "files-spectra" / "vamas-two-samples.vms"
    for sample in ("Pt #002", "Pt #003"):
        assert not any(sample in region for region in read(path, sample=sample).children)


def test_the_names_in_western_text_are_right():
    recording = read(CASES / "hostile" / "cp1252-umlaut.csv")
    assert any("Stöhr" in source for source in recording.source_of_structure.to_numpy())


#: What lies beside the recordings: programs, texts, and the reports of other programs.
BESIDE = {".py", ".md", ".ipynb", ".yml", ".yaml", ".toml", ".json", ".pdf", ".png", ".svg"}
REPORTS = ("SOURCE.txt", "Batch_EISfit_Report.txt", "sample_info.txt", "FeO_analyzed_results.csv")


def test_every_real_file_is_read_or_refused_by_name(capsys):
    """A refusal names a format, a vendor, or what the file lacks. No remedy is to save a binary file as utf-8."""
    outcomes, unnamed = {}, []
    for path in sorted(REAL.rglob("*")):
        if not path.is_file() or path.name in REPORTS or path.suffix.lower() in BESIDE:
            continue
        try:
            outcomes[path] = f"read as {read(path).attrs['format']}"
        except ReadError as error:
            outcomes[path] = f"refused: {str(error).removeprefix(path.name + ': ')}"
            if re.search("no recording in a format|not known here|its reader failed|as utf-8", str(error)):
                unnamed.append(str(error)[:300])
    with capsys.disabled():
        print()
        for path, outcome in outcomes.items():
            print(f"{path.relative_to(REAL)!s:70.70} {outcome[:170]}")
    assert not unnamed
    assert sum(outcome.startswith("read") for outcome in outcomes.values()) > len(FORMATS)
