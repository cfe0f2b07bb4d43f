"""Delimited text of spectra: what its header must say, and what is refused instead of guessed."""

import re

import numpy as np
import pytest

from coldbond.files import ReadError, read

X = {"xrd": 20 + 0.02 * np.arange(8), "xps": 280 + 0.05 * np.arange(8), "raman": 200 + 1.5 * np.arange(8)}
Y = np.array([10, 12, 19, 45, 80, 41, 17, 11])
WAVELENGTH = "# wavelength: 1.540593 1.544414\n"


def rows(technique: str, separator: str = ",", decimal: str = ".") -> str:
    return "".join(f"{x:.3f}{separator}{y:.1f}\n".replace(".", decimal) for x, y in zip(X[technique], Y, strict=True))


def saved(path, text: str | bytes):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(path)


@pytest.mark.parametrize(("separator", "decimal"), [(",", "."), (";", "."), ("\t", "."), ("  ", "."), (", ", ".")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_separators_and_encodings(tmp_path, separator, decimal, encoding):
    text = f"# 试样: LLZ\n{WAVELENGTH}2theta (deg){separator}counts\n" + rows("xrd", separator, decimal)
    pattern = saved(tmp_path / "a.xy", text.replace("\n", "\r\n").encode(encoding))
    np.testing.assert_allclose(pattern.two_theta, X["xrd"])
    np.testing.assert_array_equal(pattern.intensity, Y)


@pytest.mark.parametrize("separator", [";", "\t", " "])
def test_decimal_commas(tmp_path, separator):
    text = "# Raman shift/cm-1, intensity; laser wavelength: 532,02 nm\n" + rows("raman", separator, ",")
    spectrum = saved(tmp_path / "a.txt", text)
    np.testing.assert_allclose(spectrum.raman_shift, X["raman"])
    np.testing.assert_array_equal(spectrum.intensity, Y)
    assert spectrum.attrs["technique"] == "raman" and spectrum.attrs["excitation"] == 532.02


@pytest.mark.parametrize(
    ("header", "wavelengths"),
    [
        (WAVELENGTH + "two_theta,intensity\n", (1.540593, 1.544414)),
        ("# two_theta/degree, intensity/counts, wavelength: 1.540593 1.544414\n", (1.540593, 1.544414)),
        ("; Wavelength = 1.5406, 1.5444\n; 2-theta intensity\n", (1.5406, 1.5444)),
        ("# LLZ, 2theta, counts\n# wavelength: 0.7093 A\n", (0.7093,)),
        ("# 2Theta-Theta scan of a pellet\n# wavelength (angstrom): 0.7093\n", (0.7093,)),
        ("#x,2Theta-Theta,deg\n#y,Intensity,counts\n# wavelengths: 1.540593/1.544414\n", (1.540593, 1.544414)),
        (
            '\'Id: "a" Anode: "Cu" Scantype: "Coupled TwoTheta/Theta" TimePerStep: "96"\n' + WAVELENGTH,
            (1.540593, 1.544414),
        ),
    ],
)
def test_a_diffraction_pattern_states_its_wavelengths(tmp_path, header, wavelengths):
    pattern = saved(tmp_path / "a.xy", header + rows("xrd"))
    found = [pattern.attrs.get(name) for name in ("wavelength_kalpha1", "wavelength_kalpha2")]
    assert tuple(wavelength for wavelength in found if wavelength) == wavelengths
    np.testing.assert_allclose(pattern.two_theta, X["xrd"])
    assert pattern.attrs["technique"] == "xrd" and pattern.two_theta.attrs["units"] == "degree"


def advised(error: ReadError) -> dict:
    """Return the arguments of the first `read(path, ...)` that the remedy names."""
    call = re.search(r"read\(path, (.*?)\)(?=[ ,;.]|$)", error.remedy)[1]
    return eval(f"dict({call})")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (rows("xrd", " "), "numbers without a header"),
        ("LLZ pellet\n" + rows("xrd", "\t"), "numbers without a header"),
        ("# two_theta, counts\n" + rows("xrd"), "states no wavelength"),
        ("# wavelength: 1.5418\n# two_theta, counts\n" + rows("xrd"), "mean of Cu K-alpha1 and K-alpha2"),
        ("# wavelength: 0.15406\n# two_theta, counts\n" + rows("xrd"), "or Cu K-alpha in nm"),
        ("# wavelength: 1.5444 1.5406\n# two_theta, counts\n" + rows("xrd"), "are not K-alpha1 and K-alpha2"),
    ],
)
def test_what_the_refusal_of_a_pattern_asks_for_is_stated_beside_the_file(tmp_path, text, reason):
    """The advice is followed to the letter, and the file stays as it is."""
    (tmp_path / "a.xy").write_text(text)
    with pytest.raises(ReadError, match=reason) as caught:
        read(tmp_path / "a.xy")
    assert "manifest" in caught.value.remedy and "add a line" not in caught.value.remedy
    pattern = read(tmp_path / "a.xy", **advised(caught.value))
    np.testing.assert_allclose(pattern.two_theta, X["xrd"])
    np.testing.assert_array_equal(pattern.intensity, Y)
    assert pattern.attrs["wavelength_kalpha1"] == pytest.approx(1.540593, abs=1e-6)
    assert pattern.attrs["wavelength_kalpha2"] == pytest.approx(1.544427, abs=1e-6)


def test_the_photon_energy_is_stated_beside_the_file(tmp_path):
    (tmp_path / "a.xy").write_text("# E_kin, intensity\n" + rows("xps"))
    with pytest.raises(ReadError, match="no photon energy") as caught:
        read(tmp_path / "a.xy")
    (region,) = read(tmp_path / "a.xy", **advised(caught.value)).children.values()
    np.testing.assert_allclose(region.binding_energy, 1486.6 - X["xps"][::-1], rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "counting", "units", "one"),
    [
        ("counts", "known", "count", 1),
        ("Intensity (counts)", "known", "count", 1),
        ("counts/s", "known", "count/s", 1 / (0.5 * 4)),
        ("cps", "known", "count/s", 1 / (0.5 * 4)),
        ("intensity", "unknown: the file calls the intensity 'intensity', not counts", "arbitrary units", None),
    ],
)
def test_counting_of_photoelectrons(tmp_path, name, counting, units, one):
    text = f"# dwell time: 0.5 s\n# sweeps: 4\n# pass_energy: 20\nBinding Energy (eV);{name}\n" + rows("xps", ";")
    tree = saved(tmp_path / "Zr3d.txt", text)
    region = tree["Zr 3d"]
    np.testing.assert_allclose(region.binding_energy, X["xps"])
    assert region.intensity.attrs["counting"] == counting and region.intensity.attrs["units"] == units
    assert ("one_count" in region) == (one is not None)
    if one:
        np.testing.assert_allclose(region.one_count, one)
    assert region.attrs["energy_scale"] == "binding" and region.attrs["pass_energy"] == 20


def test_kinetic_energies_become_binding_energies(tmp_path):
    text = "# hv = 1486.6 eV\n# region: C 1s of the pellet\n# sample: LLZ\nKE/eV\tcounts\n" + rows("xps", "\t")
    tree = saved(tmp_path / "a.txt", text)
    region = tree["C 1s"]
    np.testing.assert_allclose(region.binding_energy, 1486.6 - X["xps"][::-1], rtol=0, atol=1e-9)
    np.testing.assert_array_equal(region.intensity, Y[::-1])
    assert region.attrs["photon_energy"] == 1486.6 and region.attrs["energy_scale"] == "kinetic"
    assert tree.attrs["sample_name"] == "LLZ"


def test_of_several_columns_the_named_ones_are_read(tmp_path):
    text = "Binding energy/eV,background,counts\n"
    text += "".join(f"{x:.2f},{y / 2},{y}\n" for x, y in zip(X["xps"], Y, strict=True))
    region = saved(tmp_path / "O1s.csv", text)["O 1s"]
    np.testing.assert_array_equal(region.intensity, Y)
    assert region.attrs["unread"] == "background"


BINDING = "Binding energy/eV,counts\n"
DAMAGE = {
    "no wavelength": ("# two_theta, counts\n" + rows("xrd"), None, "states no wavelength"),
    "wavelength in nm": (
        "# wavelength: 0.0154\n# two_theta, counts\n" + rows("xrd"),
        None,
        "0.0154 is not a wavelength",
    ),
    "swapped": ("# wavelength: 1.5444 1.5406\n# two_theta, counts\n" + rows("xrd"), None, "are not K-alpha1"),
    "no photon energy": ("E_kin,counts\n" + rows("xps"), 2, "no photon energy is stated"),
    "both energies": (
        "BE/eV,KE/eV,counts\n1,2,3\n2,1,3\n",
        2,
        "2 of the columns BE/eV, KE/eV, counts can be the abscissa",
    ),
    "keV": ("Binding energy/keV,counts\n" + rows("xps"), None, "is in keV"),
    "radian": (WAVELENGTH + "2theta/rad,counts\n" + rows("xrd"), None, "is in rad"),
    "two intensities": (
        "BE/eV,counts,counts 2\n1,2,3\n2,1,3\n",
        2,
        "2 of the columns BE/eV, counts, counts 2 can be the intensity",
    ),
    "unnamed columns": ("# binding energy\n1,2,3\n2,1,3\n", 2, "without a line that names their columns"),
    "text": (BINDING + rows("xps").replace("45.0", "4s.0"), 5, "is not 2 numbers"),
    "gap": (BINDING + rows("xps").replace("45.0", ""), 5, "is not 2 numbers"),
    "nan": (BINDING + rows("xps").replace("45.0", "nan"), 5, "is not 2 numbers"),
    "infinite": (BINDING + rows("xps").replace("45.0", "1e999"), 5, "is not finite"),
    "more fields": (BINDING + rows("xps").replace("45.0", "45.0,1"), 5, "is not 2 numbers"),
    "two kinds of decimals": (
        BINDING.replace(",", ";") + rows("xps", ";").replace("45.0", "45,0"),
        2,
        "commas and decimal points",
    ),
    "commas between and within": (BINDING + rows("xps", ",", ","), 2, "without a line that names their columns"),
    "twice": (BINDING + rows("xps") * 2, 10, "is not monotonic"),
    "back and forth": (BINDING + rows("xps").replace("280.150", "280.950"), 6, "is not monotonic"),
    "another table below": (BINDING + rows("xps") + "a,b\n" + rows("xps"), 10, "is not 2 numbers"),
    "negative count": (BINDING + rows("xps").replace("45.0", "-45.0"), 5, "negative"),
    "cut within a row": ((BINDING + rows("xps"))[:-2], 9, "no line break"),
    "cut before the last number": ((BINDING + rows("xps"))[:-5], 9, "is not 2 numbers"),
    "hardly any rows": (BINDING + rows("xps")[:26], None, "2 values of binding_energy"),
    "header alone": (BINDING, None, "no recording in a format"),
    "encoding": (b"# \xff\n" + (BINDING + rows("xps")).encode(), 1, "not text in utf-8"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_would_have_to_be_guessed_is_refused(tmp_path, damage):
    text, line, reason = DAMAGE[damage]
    with pytest.raises(ReadError) as caught:
        saved(tmp_path / "a.csv", text)
    assert reason in caught.value.reason and caught.value.remedy
    assert caught.value.line == line
