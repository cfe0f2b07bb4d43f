"""What a file does not say is stated beside it, in `read` or in the manifest, and counts."""

import hashlib

import numpy as np
import pytest

from coldbond import ReadError, read
from coldbond.bundle import paths, raw
from coldbond.files.stated import KALPHA

ANGLES = np.arange(10, 11, 0.1)
PATTERN = "two_theta/degree, intensity/counts\n" + "".join(f"{angle:.1f}, {7 + i}\n" for i, angle in enumerate(ANGLES))
FREQUENCY = np.geomspace(1e5, 1, 11)
SWEEPS = "freq/Hz, Re(Z)/ohm, -Im(Z)/ohm\n" + "".join(
    f"{f:.6g}, {z.real:.6g}, {-z.imag:.6g}\n"
    for scale in (1, 2, 3)
    for f, z in zip(FREQUENCY, scale * (10 + 100 / (1 + 1j * FREQUENCY / 500)), strict=True)
)
SHIFTS = "raman_shift/cm-1, intensity\n" + "".join(f"{500 + i}, {7 + i}\n" for i in range(9))


def saved(tmp_path, text):
    (tmp_path / "a.txt").write_text(text)
    return tmp_path / "a.txt"


@pytest.mark.parametrize("lines", [(1.540593, 1.544427), (0.7093,)])
def test_wavelengths_are_stated(tmp_path, lines):
    path = saved(tmp_path, PATTERN)
    with pytest.raises(ReadError, match=r"no wavelength.*read\(path, wavelength=.*wavelength_angstrom of manifest"):
        read(path)
    pattern = read(path, wavelength=lines if len(lines) > 1 else lines[0])
    names = ("wavelength_kalpha1", "wavelength_kalpha2")
    assert tuple(pattern.attrs[name] for name in names if name in pattern.attrs) == lines
    assert "stated" not in pattern.attrs


@pytest.mark.parametrize("anode", KALPHA)
@pytest.mark.parametrize("decimals", [4, 5, 6])
def test_the_mean_of_a_doublet_is_no_wavelength(tmp_path, anode, decimals):
    first, second = KALPHA[anode]
    mean = round((2 * first + second) / 3, decimals)
    with pytest.raises(ReadError, match=f"mean of {anode} K-alpha1 and K-alpha2.*{first}"):
        read(saved(tmp_path, f"# wavelength: {mean}\n" + PATTERN))
    with pytest.raises(ReadError, match="mean of"):
        read(saved(tmp_path, PATTERN), wavelength=mean)
    read(saved(tmp_path, f"# wavelength: {mean}\n" + PATTERN), wavelength=KALPHA[anode])  # as the remedy says
    assert read(saved(tmp_path, f"# wavelength: {first}\n" + PATTERN)).attrs["wavelength_kalpha1"] == first


def test_what_is_stated_counts_and_both_are_named(tmp_path):
    pattern = read(saved(tmp_path, "# wavelength: 1.540593 1.544427\n" + PATTERN), wavelength=0.5)
    assert pattern.attrs["wavelength_kalpha1"] == 0.5
    assert "wavelength_kalpha2" not in pattern.attrs
    assert "0.5 angstrom, the file says 1.540593 angstrom" in pattern.attrs["stated"]
    spectrum = read(saved(tmp_path, "# excitation: 785\n" + SHIFTS), excitation=532.1)
    assert spectrum.attrs["excitation"] == 532.1
    assert "the file says 785 nm" in spectrum.attrs["stated"]


def test_one_sweep_is_chosen(tmp_path):
    path = saved(tmp_path, SWEEPS)
    assert read(path).sweep.max() == 3
    second = read(path, sweep=2)
    assert "sweep" not in second
    assert second.attrs["sweep"] == 2
    assert second.attrs["sweeps"] == 3
    assert np.allclose(second.impedance.real, 2 * (10 + 100 / (1 + (FREQUENCY / 500) ** 2)), rtol=1e-5)
    with pytest.raises(ReadError, match="no sweep 4, only 1 to 3"):
        read(path, sweep=4)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"technique": "XRD"}, "technique='XRD': use one of cycling"),
        ({"wavelength": 15406}, "K-alpha1 and K-alpha2, or one line, in angstrom"),
        ({"wavelength": (1.5444, 1.5406)}, "K-alpha1 and K-alpha2"),
        ({"wavelength": (1.1, 1.2, 1.3)}, "K-alpha1 and K-alpha2"),
        ({"excitation": 0}, "excitation=0: use a positive number"),
        ({"photon_energy": float("nan")}, "photon_energy=nan"),
        ({"encoding": "utf-9"}, "encoding='utf-9' is unknown"),
    ],
)
def test_an_argument_of_the_wrong_kind_is_named(tmp_path, wrong, message):
    with pytest.raises(ValueError, match=message):
        read(saved(tmp_path, PATTERN), **wrong)


@pytest.mark.parametrize(
    ("text", "wrong", "message"),
    [
        (SHIFTS, {"wavelength": 1.5}, "wavelength is stated, which a recording of raman does not have"),
        (SHIFTS, {"technique": "xps"}, "recording of raman, not of xps as stated"),
        (SHIFTS, {"sample": "A"}, "sample is stated"),
        (SHIFTS + "ü", {"encoding": "ascii"}, "line 11: holds bytes that are not text in ascii, the encoding stated"),
    ],
)
def test_what_does_not_fit_the_file_is_refused(tmp_path, text, wrong, message):
    with pytest.raises(ReadError, match=message):
        read(saved(tmp_path, text), **wrong)


def test_the_manifest_states_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RAW", tmp_path)
    path = saved(tmp_path, "# Stöhr\n" + PATTERN)
    path.write_bytes(path.read_text().encode("cp1252"))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    columns = "file,technique,role,sample,state,origin,sha256,area_cm2,thickness_cm,active_mass_mg,temperature_C,note"
    row = f"a.txt,xrd,phase,A,,measured,{digest},,,,,,1.540593 1.544427,cp1252"
    (tmp_path / "manifest.csv").write_text(f"{columns},wavelength_angstrom,encoding\n{row}\n")
    attrs = raw.recordings("phase")["A"].attrs
    assert (attrs["wavelength_kalpha1"], attrs["wavelength_kalpha2"]) == (1.540593, 1.544427)
    assert attrs["sha256"] == digest
