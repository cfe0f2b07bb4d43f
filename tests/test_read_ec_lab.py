"""Impedance spectra of EC-Lab: every value as written, its sweeps, and what is refused."""

import numpy as np
import pytest

from impedance_files import EC_LAB_NAMES, FREQUENCY, IMPEDANCE, digits, ec_lab, saved
from test_read_damage import refused


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_ec_lab(tmp_path, decimal, ending):
    text = ec_lab(decimal=decimal) + ending
    read_as = saved(tmp_path / "a.mpt", text.replace("\n", ending or "\n").encode("latin-1"))
    np.testing.assert_array_equal(read_as.impedance, digits(IMPEDANCE.real, 8) + 1j * digits(IMPEDANCE.imag, 8))
    np.testing.assert_array_equal(read_as.frequency, digits(FREQUENCY, 8))
    np.testing.assert_array_equal(read_as.time, 3.0 + 7.0 * np.arange(FREQUENCY.size))
    expected = {
        "technique": "eis",
        "format": "ec-lab-mpt",
        "amplitude": 0.01,
        "low_frequency": 0.1,
        "instrument": "SP-150 (SN 10791079)",
        "start": "2018-02-04T10:02:46",
        "unread": "I Range",
        "sign": "as the column -Im(Z)/Ohm and the phase say, and as in a passive cell",
    }
    assert {name: read_as.attrs.get(name) for name in expected} == expected
    assert read_as.impedance.attrs["significant_digits"] == 8 and read_as.time.attrs["units"] == "s"
    assert "sweep" not in read_as and "unfinished" not in read_as.attrs


def test_cycles_of_ec_lab_are_sweeps(tmp_path):
    read_as = saved(tmp_path / "a.mpt", ec_lab(sweeps=3).encode("latin-1"))
    np.testing.assert_array_equal(read_as.sweep, np.repeat([1, 2, 3], FREQUENCY.size))
    np.testing.assert_allclose(read_as.impedance[read_as.sweep == 3], IMPEDANCE * 1.02, rtol=1e-7)


@pytest.mark.parametrize(
    ("stated", "start"),
    [
        ("12-31-2020 10:32:02", "2020-12-31T10:32:02"),
        ("12/31/2020 10.32.02.5", "2020-12-31T10:32:02"),
        ("31/12/2020 10:32:02", None),
    ],
)
def test_start_of_ec_lab(tmp_path, stated, start):
    text = ec_lab().replace("02/04/2018 10:02:46.125", stated)
    assert saved(tmp_path / "a.mpt", text.encode("latin-1")).attrs.get("start") == start


EC_LAB_DAMAGE = {
    "wrong count of header lines": (ec_lab().replace(" 19  ", " 18  "), 18, "does not name columns"),
    "more header lines than lines": (ec_lab().replace(" 19  ", " 999 "), 2, "no number of header lines"),
    "a row as header": (ec_lab().replace(" 19  ", " 20  "), 20, "no column of time and voltage"),
    "no count": (ec_lab().replace("Nb header", "Header"), 2, "no number of header lines"),
    "not impedance": (
        ec_lab().replace("-Im(Z)", "Im(Y)").replace("Phase(Z)", "Phase(Y)"),
        19,
        "no columns named Re(Z)/Ohm and -Im(Z)/Ohm",
    ),
    "no rows": (ec_lab()[: ec_lab().index("I Range") + 9], 19, "a header, but no rows below it"),
    "fields lost": (ec_lab() + "\n1.0\t2.0\n", 57, "cut off, or not a row: 2 fields, other rows have 8"),
    "no number": (ec_lab().replace("1.0000000E+05", "XXX"), 20, "freq/Hz is 'XXX', not a number"),
    "a control character": (ec_lab().replace("1.0000000E+05", "\x1c1.0000000E+05"), 20, "not a number"),
    "not finite": (ec_lab().replace("1.0000000E+05", "1.0000000E+999"), 20, "not a number"),
    "a column twice": (ec_lab().replace("\tI Range", "\ttime/s"), 19, "two columns are named time/s"),
    "last column cut off": (ec_lab(names=EC_LAB_NAMES[:-1])[:-1], 56, "no line break"),
    "imaginary part of another sign than the phase": (
        ec_lab().replace(f"\t{-IMPEDANCE[9].imag:.7E}", f"\t{IMPEDANCE[9].imag:.7E}"),
        29,
        "modulus or phase contradict",
    ),
}


@pytest.mark.parametrize("damage", EC_LAB_DAMAGE)
def test_ec_lab_damaged(tmp_path, damage):
    text, line, reason = EC_LAB_DAMAGE[damage]
    error = refused(tmp_path / "a.mpt", text.encode("latin-1"))
    assert reason in error.reason and error.line == line
