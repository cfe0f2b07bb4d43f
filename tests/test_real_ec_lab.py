"""Real files of EC-Lab and CH Instruments, and the cases kept beside them; the truth is a plain parse."""

import struct
from pathlib import Path

import numpy as np
import pytest

import of_others
from coldbond.files import ReadError, read

FORMATS = "formats-electrochemistry"
LPSCL = "lpscl-ionblocking-eis/PEIS_LPSCl_IonBlocking_-25C"
LNMO = "cycling-lnmo-sigr-empa/250116_kigr_gen6_01_02_GCPL_CD8.mpr"


def plain(path: Path) -> dict[str, np.ndarray]:
    """The columns of a text export."""
    lines = path.read_text(encoding="latin-1").split("\n")
    at = int(lines[1].split(":")[1])
    names = lines[at - 1].split("\t")
    rows = [line.replace(",", ".").split("\t") for line in lines[at:] if line.strip()]
    return {name: np.array(column, float) for name, column in zip(names, zip(*rows, strict=True), strict=False)}


def equal(recording, columns: dict[str, np.ndarray], rows=slice(None), **names: str) -> None:
    for name, column in names.items():
        scale = 1000 if column.endswith(("/mA", "/mA.h")) else 1
        np.testing.assert_array_equal(recording[name], columns[column][rows] / scale, err_msg=name)


CYCLING = {
    f"{FORMATS}/cp.mpt": ("<Ewe>/V", "I/mA", 121, "2021-03-02T16:17:59"),
    f"{FORMATS}/ca.issue_149.mpt": ("Ewe/V", "<I>/mA", 80, "2024-01-10T11:02:29"),
    f"{FORMATS}/gcpl.issue_149.mpt": ("Ewe/V", "<I>/mA", 132, "2024-01-10T11:02:29"),
    "ssb-ncm-lpscl-inli/CP_SSB.txt": ("Ewe/V", "I/mA", 30208, "2024-05-17T14:09:11"),
}


@pytest.mark.parametrize("file", CYCLING)
def test_cycling(file):
    voltage, current, size, start = CYCLING[file]
    recording, columns = read(of_others.file(file)), plain(of_others.file(file))
    assert recording.sizes["record"] == size and recording.attrs["start"] == start
    assert recording.attrs["technique"] == "cycling" and recording.current.attrs["sign"] == "recorded"
    equal(recording, columns, time="time/s", voltage=voltage, current=current, step="Ns")
    if "cycle number" in columns:
        equal(recording, columns, cycle="cycle number", charge_capacity="Q charge/mA.h")
        equal(recording, columns, discharge_capacity="Q discharge/mA.h")


def test_the_mean_current_is_that_of_ec_lab(tmp_path):
    """EC-Lab writes <I> of GCPL itself: without its column the charge gives the same."""
    text = of_others.file(FORMATS, "gcpl.issue_149.mpt").read_bytes()
    (tmp_path / "a.mpt").write_bytes(text.replace(b"\t<I>/mA\t", b"\tleft out\t"))
    whole, without = read(of_others.file(FORMATS, "gcpl.issue_149.mpt")), read(tmp_path / "a.mpt")
    np.testing.assert_allclose(without.current, whole.current, rtol=1e-9, atol=1e-18)
    (tmp_path / "b.mpt").write_bytes(text.replace(b"\t<I>/mA\t", b"\tleft out\t").replace(b"\tdq/mA.h", b"\tleft"))
    charge = read(tmp_path / "b.mpt")
    loops = [33, 66, 99]  # (Q-Qo) starts again
    np.testing.assert_allclose(np.delete(charge.current, loops), np.delete(whole.current, loops), rtol=1e-6, atol=1e-15)


@pytest.mark.parametrize("file", [f"{FORMATS}/mb.issue_223.mpt", "15"])
def test_modulo_bat(file):
    path = (
        of_others.case("files-electrochemistry", "15_eclab_modulo_bat_cycling_and_eis.mpt")
        if file == "15"
        else of_others.file(file)
    )
    columns = plain(path)
    measured = columns["freq/Hz"] > 0
    with pytest.raises(ReadError, match="of impedance and") as caught:
        read(path)
    assert "technique='eis'" in caught.value.remedy and "manifest.csv" in caught.value.remedy
    equal(
        read(path, technique="cycling"), columns, ~measured, time="time/s", voltage="Ewe/V", current="I/mA", step="Ns"
    )
    spectrum = read(path, technique="eis")
    np.testing.assert_array_equal(spectrum.frequency, columns["freq/Hz"][measured])
    np.testing.assert_array_equal(spectrum.impedance.real, columns["Re(Z)/Ohm"][measured])
    np.testing.assert_array_equal(spectrum.impedance.imag, -columns["-Im(Z)/Ohm"][measured])
    if file != "15":
        np.testing.assert_array_equal(spectrum.sweep, columns["z cycle"][measured] + 1)


def test_case_of_more_names_than_columns():
    path = of_others.case("files-electrochemistry", "13_eclab_header_longer_than_rows.mpt")
    spectrum, columns = read(path), plain(path)
    np.testing.assert_array_equal(spectrum.frequency, columns["freq/Hz"])
    np.testing.assert_array_equal(spectrum.impedance, columns["Re(Z)/Ohm"] - 1j * columns["-Im(Z)/Ohm"])
    assert "EC-Lab wrote 63 names over 61 columns" in spectrum.attrs["unread"]


def test_case_of_galvanostatic_cycling():
    path = of_others.case("files-electrochemistry", "14_eclab_gcpl.mpt")
    equal(read(path), plain(path), time="time/s", voltage="Ewe/V", current="<I>/mA", cycle="cycle number", step="Ns")


def test_a_binary_spectrum_equals_the_text_that_ec_lab_exported():
    binary, text = read(of_others.file(f"{LPSCL}.mpr")), read(of_others.file(f"{LPSCL}.txt"))
    np.testing.assert_array_equal(binary.frequency, text.frequency)
    np.testing.assert_array_equal(binary.impedance, text.impedance)
    np.testing.assert_allclose(binary.time, text.time, rtol=1e-15)  # written with 16 digits
    assert binary.attrs["start"].startswith(text.attrs["start"])
    for name in ("amplitude", "low_frequency"):
        assert binary.attrs[name] == text.attrs[name]
    assert binary.impedance.attrs["significant_digits"] == text.impedance.attrs["significant_digits"] == 8


@pytest.mark.parametrize(
    ("file", "at", "fields"),
    [
        ("ssb-ncm-lpscl-inli/PEIS_SSB.mpr", 1007, "<5f4, <f8, <4f4, <f8, <u2, <2f4, <u2, <f8"),
        ("ssb-eis/Sample1_PEIS_EndOfDischarge.mpr", 1007, "<5f4, <f8, <4f4, <f8, <u2, <2f4, <u2, <f8"),
        (f"{FORMATS}/PEIS-0.mpr", 406, "<5f4, <f8, <4f4, <f8, <u2, <2f4, <u2"),
    ],
)
def test_binary_spectra(file, at, fields):
    data = of_others.file(file).read_bytes()
    start = data.index(b"VMP data", data.index(b"MODULE", 60)) - 6 + (65 if at == 1007 else 57)
    size = struct.unpack_from("<I", data, start)[0]
    types = np.dtype([(f"f{k}", *part) for k, part in enumerate(_parts(fields))])
    rows = np.frombuffer(data, types, size, start + at)
    spectrum = read(of_others.file(file))
    np.testing.assert_allclose(spectrum.frequency, rows["f0"][:, 0], rtol=6e-8)
    np.testing.assert_allclose(spectrum.impedance.real, rows["f0"][:, 1], rtol=6e-8)
    np.testing.assert_allclose(spectrum.impedance.imag, -rows["f0"][:, 2], rtol=6e-8)
    np.testing.assert_array_equal(spectrum.time, rows["f1"])


def _parts(fields: str):
    for field in fields.split(", "):
        kind = field.replace("<", "")
        repeated = kind[0].isdigit()
        yield (f"<{kind[1:]}", (int(kind[0]),)) if repeated else (f"<{kind}",)


def test_binary_cycling():
    """0.5 C of a 2.413 mAh cell: 1.2065 mA was set."""
    data = of_others.file(LNMO).read_bytes()
    start = data.index(b"VMP data", data.index(b"MODULE", 60)) - 6 + 57
    size = struct.unpack_from("<I", data, start)[0]
    names = ("flags", "Ns", "time", "dq", "charge", "control", "voltage", "range", "q", "half")
    kinds = ("u1", "<u2", "<f8", "<f8", "<f8", "<f4", "<f4", "<u2", "<f8", "<u4")
    rows = np.frombuffer(data, np.dtype(list(zip(names, kinds, strict=True))), size, start + 406)
    recording = read(of_others.file(LNMO))
    assert recording.sizes["record"] == size == 3791 and recording.attrs["start"] == "2025-01-16T14:05:54.213"
    np.testing.assert_array_equal(recording.time, rows["time"])
    np.testing.assert_allclose(recording.voltage, rows["voltage"], rtol=6e-8)
    np.testing.assert_array_equal(recording.step, rows["Ns"])
    np.testing.assert_array_equal(recording.cycle, rows["half"] // 2)
    galvanostatic = (rows["flags"] & 3 == 1) & (np.diff(rows["flags"] & 3, prepend=3) == 0)
    np.testing.assert_allclose(1e3 * recording.current[galvanostatic], rows["control"][galvanostatic], rtol=2e-3)
    passed = np.sum(recording.current.to_numpy()[1:] * np.diff(rows["time"])) / 3.6
    assert passed == pytest.approx(rows["charge"][-1] - rows["charge"][0], rel=1e-9)


def test_chi_spectrum_and_its_cases():
    spectrum = read(of_others.file("chi660e-eis/exampleDataCHInstruments.txt"))
    assert spectrum.sizes["frequency"] == 73 and spectrum.impedance.to_numpy()[0] == 98.91 - 2.748j
    tabs = read(of_others.case("files-electrochemistry", "12_chi_tab_rows.txt"))
    assert tabs.sizes["frequency"] == 50 and tabs.impedance.to_numpy()[-1] == 1050 - 5.961j
    with pytest.raises(ReadError, match="is not 5 numbers") as caught:
        read(of_others.case("hostile", "chi-eis-1c.txt"))
    assert caught.value.line == 24
