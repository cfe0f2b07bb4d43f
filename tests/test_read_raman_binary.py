"""Raman spectra in binary files, written here byte by byte: OMNIC .spa, Renishaw .wdf, Galactic .spc; and damage."""

import struct
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from coldbond.files import ReadError, read

SHIFT = 100 + 1.5 * np.arange(16)
COUNTS = np.array([5.0, 7, 6, 8, 20, 90, 130, 60, 18, 9, 8, 7, 6, 7, 5, 6])
#: The same points over wavelength, for a laser of 785 nm.
LIGHT = 1 / (1 / 785.0 - SHIFT / 1e7)


def spa(on_axis: int = 32, ordinate: int = 31, x: np.ndarray = SHIFT, history: bytes = b"Laser: 780 nm\r\n") -> bytes:
    """An OMNIC file; 32 is a Raman shift and 31 a Raman intensity, 1 and 17 are wavenumbers and absorbance."""
    header = struct.pack("<IIB3xB3xff", 3, x.size, on_axis, ordinate, x[0], x[-1]).ljust(140, b"\0")
    blocks = {2: header, 27: history, 3: COUNTS.astype("<f4").tobytes()}
    keys, body, at = b"", b"", 304 + 16 * len(blocks) + 32
    for key, block in blocks.items():
        keys += struct.pack("<BxII", key, at + len(body), len(block)).ljust(16, b"\0")
        body += block
    start = b"Spectral Data File\r\n".ljust(30, b"\0") + b"LLZ, side A".ljust(264, b"\0")
    start += struct.pack("<H", len(blocks)) + struct.pack("<I", 3752637057)
    return start.ljust(304, b"\0") + keys + bytes(32) + body


def wdf(x: np.ndarray = SHIFT[::-1], unit: int = 1, spectra: int = 1, kind: int = 1, laser: float = 1e7 / 785) -> bytes:
    """A file of WiRE; the axis runs down, as WiRE writes it."""
    y = np.tile(COUNTS[::-1], spectra)
    header = bytearray(512)
    struct.pack_into("<4sIQ", header, 0, b"WDF1", 1, 512)
    struct.pack_into("<IQQIII", header, 60, x.size, spectra, spectra, 3, 1, x.size)
    struct.pack_into("<24s", header, 96, b"WiRE")
    struct.pack_into("<IIQQIf", header, 128, 1, kind, 133318163754153418, 0, 6, laser)
    struct.pack_into("<160s", header, 240, b"LLZ")

    def block(name: bytes, content: bytes) -> bytes:
        return struct.pack("<4sIQ", name, 0, 16 + len(content)) + content

    places = struct.pack("<II", 1, unit) + x.astype("<f4").tobytes()
    blocks = block(b"DATA", y.astype("<f4").tobytes()) + block(b"XLST", places) + block(b"TEXT", b"a note")
    return bytes(header) + blocks


def spc(
    x: np.ndarray = SHIFT,
    on_axis: int = 13,
    ordinate: int = 4,
    kind: int = 11,
    numbers: str = "float",
    even: bool = True,
    log: str = "",
    label: bytes = b"",
    spectra: int = 1,
    sub_exponent: int | None = None,
) -> bytes:
    """A file of Galactic's new structure, with intensities as floats or as integers times a power of two."""
    flags = (
        (0x01 if numbers == "16" else 0) | (0 if even else 0x80) | (0x20 if label else 0) | (0x04 if spectra > 1 else 0)
    )
    exponent = -128 if numbers == "float" else 9
    scaled = COUNTS * 2.0 ** ({"16": 16, "32": 32}.get(numbers, 0) - exponent)
    y = (COUNTS if numbers == "float" else scaled).astype({"float": "<f4", "16": "<i2", "32": "<i4"}[numbers]).tobytes()
    header = bytearray(512)
    struct.pack_into("<BBBbIddI", header, 0, flags, 0x4B, kind, exponent, x.size, x[0], x[-1], spectra)
    struct.pack_into("<BB2xI", header, 28, on_axis, ordinate, 2022 << 20 | 1 << 16 | 21 << 11 | 12 << 6 | 2)
    struct.pack_into("<9s", header, 45, b"i-Raman")
    struct.pack_into("<30s", header, 218, label)
    sub = struct.pack("<Bb", 0, exponent if sub_exponent is None else sub_exponent).ljust(32, b"\0")
    places = b"" if even else x.astype("<f4").tobytes()
    data = places + (sub + y) * spectra
    if log:
        struct.pack_into("<I", header, 248, 512 + len(data))
        text = log.encode() + b"\0"
        data += struct.pack("<IIIII", 64 + len(text), 4096, 64, 0, 0).ljust(64, b"\0") + text
    return bytes(header) + data


def saved(path: Path, data: bytes, **stated) -> xr.Dataset:
    path.write_bytes(data)
    return read(path, **stated)


def refused(path: Path, data: bytes, **stated) -> ReadError:
    with pytest.raises(ReadError) as caught:
        saved(path, data, **stated)
    assert caught.value.remedy
    return caught.value


UNEVEN = SHIFT + np.linspace(0, 1, SHIFT.size) ** 2
FILES = {
    "spa": (spa(), SHIFT, "omnic-spa"),
    "spa over wavenumbers": (spa(1, 31), SHIFT, "omnic-spa"),
    "wdf": (wdf(), SHIFT, "renishaw-wdf"),
    "wdf, uneven": (wdf(UNEVEN[::-1]), UNEVEN, "renishaw-wdf"),
    "spc": (spc(), SHIFT, "galactic-spc"),
    "spc of 16 bits": (spc(numbers="16"), SHIFT, "galactic-spc"),
    "spc of 32 bits": (spc(numbers="32"), SHIFT, "galactic-spc"),
    "spc, uneven": (spc(UNEVEN, even=False), UNEVEN, "galactic-spc"),
    "spc with labels": (spc(on_axis=0, label=b"Raman Shift (cm-1)\0Counts\0"), SHIFT, "galactic-spc"),
    "spc with a log": (spc(log="LASER_WAVELENGTH = 785 nm\r\nPOWER = 20 mW\r\n"), SHIFT, "galactic-spc"),
}


@pytest.mark.parametrize("name", FILES)
def test_the_values(tmp_path, name, capsys):
    data, shift, form = FILES[name]
    spectrum = saved(tmp_path / "a", data)
    np.testing.assert_allclose(spectrum.raman_shift, shift, rtol=0, atol=2e-5)  # float32
    np.testing.assert_array_equal(spectrum.intensity, COUNTS)
    assert spectrum.attrs["technique"] == "raman" and spectrum.attrs["format"] == form
    assert capsys.readouterr().out == ""
    assert spectrum.intensity.attrs["counting"].startswith("unknown")


def test_header_fields(tmp_path):
    attrs = saved(tmp_path / "a", spa()).attrs
    assert (attrs["sample_name"], attrs["start"]) == ("LLZ, side A", "2018-11-30T07:10:57+00:00")
    assert attrs["excitation"] == 780
    assert "excitation" not in saved(tmp_path / "a", spa(history=b"Background on Fri 30 Nov, 532 scans")).attrs
    attrs = saved(tmp_path / "a", wdf()).attrs
    assert attrs["excitation"] == pytest.approx(785, abs=1e-3) and attrs["accumulations"] == 3
    assert (attrs["sample_name"], attrs["start"]) == ("LLZ", "2023-06-21T10:19:35+00:00")
    spectrum = saved(tmp_path / "a", FILES["spc with a log"][0])
    assert (spectrum.attrs["excitation"], spectrum.attrs["start"]) == (785, "2022-01-21T12:02:00")
    assert spectrum.attrs["instrument"] == "i-Raman" and spectrum.intensity.attrs["units"] == "count"
    assert "excitation" not in saved(tmp_path / "a", spc()).attrs


@pytest.mark.parametrize(
    "data",
    [spa(3, 31, np.linspace(LIGHT[0], LIGHT[-1], 16)), wdf(LIGHT[::-1], unit=3, laser=0.0), spc(LIGHT, 3, even=False)],
    ids=["spa", "wdf", "spc"],
)
def test_a_spectrum_over_wavelength_is_read_once_the_excitation_is_stated(tmp_path, data):
    data = data.replace(b"Laser: 780 nm", b"Laser: a line")
    error = refused(tmp_path / "a", data)
    assert "the axis is in nm, and no excitation" in error.reason and "read(path, excitation=532)" in error.remedy
    spectrum = saved(tmp_path / "a", data, excitation=785)
    np.testing.assert_allclose(spectrum.raman_shift, SHIFT, atol=0.02)  # the step of .spa is even in nm


def test_wavenumbers_without_a_word_about_light(tmp_path):
    """A .spc of an unknown experiment over wavenumbers may be infrared."""
    data = spc(on_axis=1, ordinate=0, kind=0)
    assert "technique='raman'" in refused(tmp_path / "a", data).remedy
    np.testing.assert_allclose(saved(tmp_path / "a", data, technique="raman").raman_shift, SHIFT)
    np.testing.assert_allclose(saved(tmp_path / "a", spc(on_axis=1, ordinate=0)).raman_shift, SHIFT)


REFUSED = {
    "infrared spa": (spa(1, 17), "ordinate is absorbance, over 1/cm: infrared"),
    "transmittance spa": (spa(32, 16), "ordinate is transmittance"),
    "spa in points": (spa(2, 31), "has no unit"),
    "group of spa": (b"Spectral Group File\r\n" + bytes(400), "an OMNIC file of several spectra"),
    "map of wdf": (wdf(spectra=4, kind=3), "a map of 4 spectra"),
    "series of wdf": (wdf(spectra=2, kind=2), "a series of 2 spectra"),
    "wdf in eV": (wdf(unit=4), "is in eV"),
    "wdf of another unit": (wdf(unit=16), "has no unit"),
    "infrared spc": (spc(on_axis=1, ordinate=2, kind=4), "intensity is absorbance, no Raman spectrum"),
    "several spc": (spc(spectra=3), "a Galactic .spc of 3 spectra"),
    "big-endian spc": (b"\0\x4c" + struct.pack(">BbIddI", 11, -128, 16, 1.0, 2.0, 1).ljust(600, b"\0"), "big-endian"),
    "old spc": (
        b"\0\x4d" + struct.pack("<hfffBB", -128, 16, 100.0, 200.0, 13, 4).ljust(600, b"\0"),
        "in the old structure",
    ),
    "spc in time": (spc(on_axis=4), "has no unit"),
    "two exponents": (spc(numbers="32", sub_exponent=4), "the exponent 9, that of the spectrum 4"),
    "longer spc": (spc() + b"1234", "more follows"),
    "longer spa": (spa() + b"1234", "cut off or changed"),
    "longer wdf": (wdf() + b"1234", "cut off"),
    "points of spa": (spa().replace(struct.pack("<I", 16), struct.pack("<I", 2**31), 1), "points are stated"),
    "points of wdf": (wdf().replace(struct.pack("<I", 16), struct.pack("<I", 2**31), 1), "points are stated"),
    "axis that is nan": (spa(x=np.full(16, np.nan)), "an axis from nan"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_by_name(tmp_path, name):
    data, reason = REFUSED[name]
    assert reason in refused(tmp_path / "a", data).reason


@pytest.mark.parametrize("name", FILES)
def test_no_byte_can_be_cut_off(tmp_path, name):
    data = FILES[name][0]
    for cut in range(0, len(data), 3):
        with pytest.raises(ReadError):
            saved(tmp_path / "a", data[:cut])


@pytest.mark.parametrize("name", ["spa", "wdf", "spc with a log", "spc of 16 bits"])
def test_damaged_bytes_give_a_spectrum_or_a_refusal(tmp_path, name):
    data, rng = FILES[name][0], np.random.default_rng(0)
    for _ in range(120):
        damaged = bytearray(data)
        for place in rng.integers(0, len(data), rng.integers(1, 6)):
            damaged[place] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.integers(256)])
        try:
            saved(tmp_path / "a", bytes(damaged))
        except ReadError as error:
            assert error.remedy
