"""Columns of text: which line names them, units of the header, rows that were lost, columns without names."""

import numpy as np
import pytest

import of_others
from coldbond.files import ReadError, read

X = 20 + 0.02 * np.arange(8)
ENERGY = 280 + 0.5 * np.arange(8)
Y = np.array([10, 12, 19, 45, 180, 41, 17, 11])
LINES = (1.5405929, 1.5444274)
STATED = {"technique": "xrd", "wavelength": LINES}


def rows(x=X, y=Y, form="{:.3f},{}\n") -> str:
    return "".join(form.format(*row) for row in zip(x, y, strict=True))


def saved(path, text: str, **stated):
    path.write_bytes(text.encode())
    return read(path, **stated)


def refused(path, text: str, **stated) -> ReadError:
    with pytest.raises(ReadError) as caught:
        saved(path, text, **stated)
    assert caught.value.remedy and "add a line" not in caught.value.remedy
    return caught.value


# The line that names the columns


@pytest.mark.parametrize(
    "header",
    [
        "scan 2theta\n# wavelength: 1.5406\n",  # words, which would swap the columns
        "2Theta (deg),Intensity\n# wavelength: 1.5406\n",
        '"2Theta (deg)","Intensity (counts)"\n# wavelength: 1.5406\n',
        "# wavelength: 1.5406\n2theta,counts\n(deg),(counts)\n",
        "# == pyFAI calibration ==\n# Wavelength: 1.5406e-10 m\n#      2th_deg,            I\n",
        "LLZ, sintered, Cu\n2θ/°,Int.\n# wavelength: 1.5406\n",
        "8\n# 2theta/deg, counts, wavelength: 1.5406 A\n",
    ],
)
def test_the_abscissa_is_where_a_line_names_it(tmp_path, header):
    pattern = saved(tmp_path / "a.xy", header + rows())
    np.testing.assert_allclose(pattern.two_theta, X)
    np.testing.assert_array_equal(pattern.intensity, Y)
    assert pattern.wavelength_kalpha1 == 1.5406


def test_the_abscissa_may_be_another_column(tmp_path):
    text = "# wavelength: 1.5406\ncounts;2theta/deg\n" + rows(Y, X, "{};{:.2f}\n")
    pattern = saved(tmp_path / "a.xy", text)
    np.testing.assert_allclose(pattern.two_theta, X)
    np.testing.assert_array_equal(pattern.intensity, Y)


NAMES = {
    "q with 2theta in a comment": ("# q_A^-1,I\n# 2theta max 80\n# Wavelength: 1.5406\n", X, "none is an abscissa"),
    "d with 2theta in a comment": ("d (Å),counts\n# from 2theta\n# wavelength: 1.5406\n", X, "none is an abscissa"),
    "theta": ("theta/deg,counts\n# 2theta scan\n# wavelength: 1.5406\n", X, "none is an abscissa"),
    "beyond 180 degrees": ("# wavelength: 1.5406\n2theta/deg,counts\n", 10 * X, "which cannot be 2theta"),
    "names the wrong way round": ("# wavelength: 1.5406\ncounts,2theta/deg\n", X, "which cannot be 2theta|monotonic"),
    "1/nm in the unit": ("# wavelength: 1.5406\n2theta (1/nm),counts\n", X, "is in 1/nm"),
    "mrad below the name": ("# wavelength: 1.5406\n2theta,counts\nmrad,counts\n", X, "is in mrad"),
    "radians or degrees": ("# wavelength: 1.5406\n2theta,counts\n", X / 20, "degrees or radians"),
    "keV below the name": ("binding energy,counts\nkeV,counts\n", X, "is in keV"),
    "above the photon energy": (
        "# photon energy: 21.2 eV\nbinding energy/eV,counts\n",
        10 * X,
        "above the photon energy",
    ),
    "kinetic above it": ("# photon energy: 100 eV\nkinetic energy/eV,counts\n", 10 * X, "above the photon energy"),
}


@pytest.mark.parametrize("what", NAMES)
def test_names_that_the_values_or_units_contradict_are_refused(tmp_path, what):
    header, x, reason = NAMES[what]
    error = refused(tmp_path / "a.xy", header + rows(x))
    assert any(part in error.reason for part in reason.split("|")), error


def test_a_cyclers_table_under_other_names_is_no_transient(tmp_path):
    text = "time/s,cell potential of A/V,current/mA\n" + "".join(f"{second},0.05,0.1\n" for second in range(8))
    assert "a cycler's table" in refused(tmp_path / "a.csv", text).reason


# Fields and their units


@pytest.mark.parametrize(
    ("field", "lines"),
    [
        ("# Wavelength: 0.15406 nm", (1.5406,)),
        ("# wavelength (nm): 0.15406", (1.5406,)),
        ("# wavelength/nm = 0.15406", (1.5406,)),
        ("# wavelength: 154.06 pm", (1.5406,)),
        ("# wavelength = 1.5406e-10 m", (1.5406,)),
        ("# lambda: 0.7093 Å", (0.7093,)),
        ("# wavelength: 0.154056 0.154439 nm", (1.54056, 1.54439)),
        ("# wavelength: 1.54056 A, 1.54439 A", (1.54056, 1.54439)),
        ("K-Alpha1 wavelength,1.540598\nK-Alpha2 wavelength,1.544426", (1.540598, 1.544426)),
        ("# wavelength1: 1.54056\n# wavelength2: 1.54439", (1.54056, 1.54439)),
        ("wavelength: 1.5406\n2.00 s per step", (1.5406,)),
        ("# wavelength: 1.5406 2theta from 10", (1.5406,)),
        ("# wavelength: 1,5406", (1.5406,)),
    ],
)
def test_wavelengths_in_any_unit(tmp_path, field, lines):
    pattern = saved(tmp_path / "a.xy", f"{field}\n2theta/deg,counts\n{rows()}")
    found = [pattern.attrs[name] for name in ("wavelength_kalpha1", "wavelength_kalpha2") if name in pattern.attrs]
    assert found == pytest.approx(lines, abs=1e-12)


@pytest.mark.parametrize(
    ("field", "energy"),
    [
        ("# photon_energy: 1.4866 keV", 1486.6),
        ("# photon energy (keV): 1.4866", 1486.6),
        ("# photon_energy_eV: 1486.6", 1486.6),
        ("# hv = 1486.6 eV", 1486.6),
        ("# Excitation Energy: 1486,6", 1486.6),
    ],
)
def test_photon_energies_in_any_unit(tmp_path, field, energy):
    tree = saved(tmp_path / "C1s.xy", f"{field}\nkinetic_energy/eV,counts\n{rows(1486.6 - ENERGY[::-1])}")
    np.testing.assert_allclose(tree["C 1s"].binding_energy, ENERGY, atol=1e-6)
    assert tree["C 1s"].attrs["photon_energy"] == pytest.approx(energy)


@pytest.mark.parametrize(
    ("field", "attrs"),
    [
        ("# excitation: 18797 cm-1", {"excitation": 1e7 / 18797}),
        ("# excitation (1/cm): 18797", {"excitation": 1e7 / 18797}),
        ("# laser wavelength: 0.532 um", {"excitation": 532}),
        ("# Laser wavelength: 5320 Å", {"excitation": 532}),
        ("# exposure time: 500 ms", {"integration_time": 0.5}),
        ("# integration time (min) = 2", {"integration_time": 120}),
    ],
)
def test_fields_of_raman_spectra_in_any_unit(tmp_path, field, attrs):
    spectrum = saved(tmp_path / "a.txt", f"{field}\nRaman shift/cm-1,intensity\n{rows()}")
    assert {name: spectrum.attrs[name] for name in attrs} == pytest.approx(attrs)


def test_dwell_time_in_ms_gives_the_counts(tmp_path):
    header = "# dwell time: 500 ms\n# sweeps: 4\nbinding energy/eV,counts/s\n"
    (region,) = saved(tmp_path / "a.txt", header + rows(ENERGY)).children.values()
    np.testing.assert_array_equal(region.one_count, 0.5)


FIELDS = {
    "wavelength in an unknown unit": ("# wavelength: 1.5406 mm\n2theta/deg,counts\n", "'mm' is no unit of wavelength"),
    "wavelength without its unit": ("# wavelength: 0.15406\n2theta/deg,counts\n", "or Cu K-alpha in nm"),
    "the mean": ("# wavelength: 1.5418\n2theta/deg,counts\n", "is the mean of Cu"),
    "the mean of Mo": ("# wavelength: 0.7107\n2theta/deg,counts\n", "is the mean of Mo"),
    "a damaged second wavelength": ("# wavelength: 1.5406 1.5444-4\n2theta/deg,counts\n", "not one wavelength or two"),
    "two wavelengths": ("# wavelength: 1.5406\n# wavelength: 1.7890\n2theta/deg,counts\n", "two values"),
    "photon energy in J": ("# photon energy: 2.4 J\nkinetic energy/eV,counts\n", "'J' is no unit of photon energy"),
    "photon energy without its unit": ("# photon energy: 1.4866\nkinetic energy/eV,counts\n", "is no photon energy"),
    "excitation in THz": ("# excitation: 563 THz\nRaman shift/cm-1,counts\n", "'THz' is no unit of excitation"),
    "excitation in um without it": ("# excitation: 0.532\nRaman shift/cm-1,counts\n", "is no excitation"),
}


@pytest.mark.parametrize("what", FIELDS)
def test_a_field_that_cannot_be_is_refused_and_can_be_stated(tmp_path, what):
    header, reason = FIELDS[what]
    text = header + rows()
    assert reason in refused(tmp_path / "a.xy", text).reason
    if "2theta" in header:
        assert saved(tmp_path / "a.xy", text, wavelength=LINES).wavelength_kalpha2 == LINES[1]
    elif "kinetic" in header:
        (region,) = saved(tmp_path / "a.xy", text, photon_energy=100).children.values()
        assert region.attrs["photon_energy"] == 100
    else:
        assert saved(tmp_path / "a.xy", text, excitation=532).excitation == 532


@pytest.mark.parametrize(
    "name", ["counts/min", "counts per 2 s", "kcounts", "log(counts)", "counts x 1000", "norm. counts"]
)
def test_what_is_no_count_is_not_called_one(tmp_path, name):
    pattern = saved(tmp_path / "a.xy", f"# wavelength: 1.5406\n2theta/deg;{name}\n{rows(form='{:.3f};{}' + chr(10))}")
    assert "one_count" not in pattern and pattern.intensity.attrs["units"] == "arbitrary units"


# Rows


LOST = [
    "20.0,overload",
    "overload,overload",
    "20.0,OVLD",
    "20.0,nan",
    "20.0,---",
    "20.0,",
    "20.0",
    "20.0,#N/A",
    "nan,5",
]


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("stated", [False, True])
def test_a_row_without_its_value_is_refused_above_and_between_the_rows(tmp_path, lost, stated):
    header = "" if stated else "# wavelength: 1.5406\n2theta/deg,counts\n"
    kwargs = STATED if stated else {}
    assert refused(tmp_path / "a.xy", f"{header}{lost}\n{rows()}", **kwargs).line == (1 if stated else 3)
    body = rows().splitlines()
    assert refused(tmp_path / "a.xy", header + "\n".join([*body[:4], lost, *body[4:], ""]), **kwargs).line


@pytest.mark.parametrize(
    "second", ["# 2theta/deg, counts", "2theta/deg,counts", "# wavelength: 0.7093", "#kinetic energy, cps"]
)
def test_a_second_header_between_the_rows_is_refused(tmp_path, second):
    later = rows(X + 1)
    header = "# wavelength: 1.5406\n# 2theta/deg, counts\n"
    assert refused(tmp_path / "a.xy", f"{header}{rows()}{second}\n{later}").line == 11


def test_other_comments_between_the_rows_are_said(tmp_path):
    header = "# wavelength: 1.5406\n# 2theta/deg, counts\n"
    pattern = saved(tmp_path / "a.xy", f"{header}{rows()}#\n# beam back\n{rows(X + 1)}")
    assert pattern.unread == "line 12: # beam back" and pattern.sizes["two_theta"] == 16


@pytest.mark.parametrize(
    ("text", "x", "y"),
    [
        (rows(form="{:.3f} ,{}\n"), X, Y),
        (rows(form='"{:.3f}","{}"\n'), X, Y),
        (rows(form="{:.3f}\t{}\t\n"), X, Y),
        (rows(form="  {:.3f}    {}   \n"), X, Y),
        (rows(form="{:.3f};{}.5\n").replace(".", ","), X, Y + 0.5),
        (rows(form='"{:.3f}","{}.5"\n').replace(".", ","), X, Y + 0.5),
        (rows(form="{:.3f} {:.2e}\n"), X, Y),
        (rows(form="{:.3f},{}.25\n")[:-1], X, Y + 0.25),  # without a line break at its end, but whole
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_separators_of_columns_without_names(tmp_path, text, x, y, newline):
    pattern = saved(tmp_path / "a.txt", text.replace("\n", newline), **STATED)
    np.testing.assert_allclose(pattern.two_theta, x)
    np.testing.assert_allclose(pattern.intensity, y)


@pytest.mark.parametrize(
    "text",
    [
        rows(y=Y + 1000, form="{:.3f};{:,}\n"),  # commas between thousands beside decimal points
        rows(20 + np.arange(8), 100 * Y, "{:.0f};{:,}\n"),  # 1,000 beside 12: a thousand or one
        rows(form="{:.3f},{}\n").replace(".", ","),  # three fields
    ],
)
def test_commas_that_may_mean_two_things_are_refused(tmp_path, text):
    refused(tmp_path / "a.txt", text, **STATED)


def test_missing_rows_of_equal_steps_are_said_and_a_row_off_the_grid_is_refused(tmp_path):
    body = rows(20 + 0.02 * np.arange(40), np.arange(40)).splitlines()
    assert "gaps" not in saved(tmp_path / "a.xy", "\n".join([*body, ""]), **STATED).attrs
    pattern = saved(tmp_path / "a.xy", "\n".join([*body[:7], *body[9:], ""]), **STATED)
    assert pattern.gaps == "steps of 0.02, but 20.12 to 20.18"
    text = "\n".join([*body[:7], body[7].replace("20.14", "20.15"), *body[8:], ""])
    assert refused(tmp_path / "a.xy", text, **STATED).line == 8


def test_a_text_larger_than_any_spectrum_is_refused_before_it_is_parsed(tmp_path):
    assert "24 MB" in refused(tmp_path / "a.xy", "20.0 1\n" * 3_500_000, **STATED).remedy


# Columns without names


def test_columns_without_names_of_each_technique(tmp_path):
    np.testing.assert_allclose(saved(tmp_path / "a", rows(), technique="raman").raman_shift, X)
    (region,) = saved(tmp_path / "a", rows(ENERGY), technique="xps").children.values()
    np.testing.assert_allclose(region.binding_energy, ENERGY)
    (region,) = saved(tmp_path / "a", rows(ENERGY), technique="xps", photon_energy=1486.6).children.values()
    np.testing.assert_allclose(region.binding_energy, 1486.6 - ENERGY[::-1])
    assert region.attrs["energy_scale"] == "kinetic"
    frequency = np.geomspace(1e5, 1, 12)
    impedance = 50 + 100 / (1 + 1j * frequency / 100)
    text = "".join(f"{f:.6g} {z.real:.6g} {z.imag:.6g}\n" for f, z in zip(frequency, impedance, strict=True))
    np.testing.assert_allclose(saved(tmp_path / "a", text, technique="eis").impedance, impedance, rtol=1e-4)


@pytest.mark.parametrize(
    ("text", "stated", "reason"),
    [
        (rows(), {"technique": "xrd"}, "states no wavelength"),
        (rows(), STATED | {"wavelength": (1.5418,)}, "is the mean of Cu"),
        (rows(10 * X), STATED, "cannot be 2theta"),
        (rows(X[::-1] % 0.06), STATED, "in one scan"),
        (rows(form="{:.3f},{},1,2\n"), STATED, "4 columns without names"),
        (rows(form="{:.3f},{},1\n"), {"technique": "raman"}, "3 columns without names"),
        (rows(), {"technique": "dc"}, "cannot be read as dc"),
        ("q/A-1,counts\n" + rows(), STATED, "none is an abscissa"),
        ("# Raman shift/cm-1, counts\n" + rows(), STATED, "not of xrd as stated"),
    ],
)
def test_columns_that_are_not_those_of_the_technique_are_refused(tmp_path, text, stated, reason):
    assert reason in refused(tmp_path / "a.txt", text, **stated).reason


def test_what_contradicts_the_file_is_noted(tmp_path):
    text = "# wavelength: 0.7093\n2theta/deg,counts\n" + rows()
    pattern = saved(tmp_path / "a.xy", text, wavelength=LINES)
    assert pattern.stated == (
        "wavelength_kalpha2 1.5444274 angstrom, the file says one wavelength; "
        "wavelength_kalpha1 1.5405929 angstrom, the file says 0.7093 angstrom"
    )
    text = "# photon energy: 1486.6\nkinetic energy/eV,counts\n" + rows(ENERGY)
    (region,) = saved(tmp_path / "a.xy", text, photon_energy=1253.6).children.values()
    assert region.attrs["stated"] == "photon_energy 1253.6 eV, the file says 1486.6 eV"
    np.testing.assert_allclose(region.binding_energy, 1253.6 - ENERGY[::-1])


# Cases that others found


READ = {
    "files-spectra/xrd-scan-2theta.txt": (10, 10.5, (1.5406,)),
    "files-spectra/xrd-wavelength-nm.txt": (10, 10.22, (1.5406,)),
    "files-spectra/panalytical.csv": (0.5, 0.6, (1.540598, 1.544426)),
    "files-spectra/panalytical-mended-as-told.csv": (0.5, 0.6, (1.540598, 1.544426)),
    "files-spectra/xrdml-no-ratio.xrdml": (10, 10.1, (1.54056,)),
    "files-spectra/bruker.uxd": (10, 10.04, (1.5406, 1.54439)),
    "hostile/wavelength-from-next-line.xy": (10, 10.38, (1.5406,)),
}
REFUSED = {
    "files-spectra/xrd-q.txt": "none is an abscissa",
    "files-spectra/xrd-mean-wavelength.txt": "the mean of Cu",
    "files-spectra/bruker-diffrac.xy": "states no wavelength",
    "hostile/first-rows-lost.csv": "'1e7, overload, 4'",
    "hostile/first-rows-lost-xps.csv": "'60, err'",
    "files-electrochemistry/07_eis_first_rows_overload.csv": "'1e6,overload,overload'",
}


@pytest.mark.parametrize("case", READ)
def test_cases_that_are_read(case):
    pattern = read(of_others.case(case))
    low, high, lines = READ[case]
    assert (float(pattern.two_theta[0]), float(pattern.two_theta[-1])) == pytest.approx((low, high))
    found = [pattern.attrs[name] for name in ("wavelength_kalpha1", "wavelength_kalpha2") if name in pattern.attrs]
    assert found == pytest.approx(lines)


@pytest.mark.parametrize("case", REFUSED)
def test_cases_that_are_refused(case):
    with pytest.raises(ReadError) as caught:
        read(of_others.case(case))
    assert REFUSED[case] in caught.value.reason


def test_the_other_cases():
    (region,) = read(of_others.case("files-spectra/xps-photon-energy-kev.txt")).children.values()
    assert region.attrs["photon_energy"] == 1486.6
    assert (float(region.binding_energy[0]), float(region.binding_energy[-1])) == pytest.approx((289.5, 290.6))
    assert float(read(of_others.case("files-electrochemistry/10_quoted_header_eis.csv")).impedance[0].real) == 50
    assert read(of_others.case("files-spectra/bruker-diffrac.xy"), wavelength=LINES).sizes["two_theta"] == 4


@pytest.mark.parametrize(
    "header",
    [
        "# Theta (deg) Intensity (counts)\n",
        "# Omega, Intensity (counts), 2Theta fixed\n",
        "d (A),Intensity (counts),wavelength=1.5406 2theta converted\n",
        "Wavelength (nm) at 25 C,Intensity\n",
    ],
)
def test_a_header_that_names_another_abscissa_counts_against_the_stated_technique(tmp_path, header):
    """The technique was stated, as an earlier refusal advised, and an omega scan was read as 2θ."""
    error = refused(tmp_path / "a.xy", header + rows(), **STATED)
    assert "xrd is stated" in error.reason or "abscissa" in error.reason


@pytest.mark.parametrize("header", ["", "some words of the operator\n", "Omega: 12\n# exported by hand\n"])
def test_other_headers_do_not(tmp_path, header):
    pattern = saved(tmp_path / "a.xy", header + rows(), **STATED)
    np.testing.assert_allclose(pattern.two_theta, X)


@pytest.mark.parametrize("above", ["", "# laser: 532.0 nm\n# operator: A\n"])
def test_a_wavelength_of_light_gives_raman_shifts_once_the_laser_is_stated(tmp_path, above):
    shifts = np.linspace(100, 1000, 19)
    spectrum = rows(1 / (1 / 532 - shifts * 1e-7), 10 + shifts, "{:.6f}\t{:.0f}\n")
    path = tmp_path / "a.txt"
    for stated in ({}, {"technique": "raman"}):  # the laser may be that of a luminescence spectrum
        error = refused(path, f"{above}Wavelength (nm)\tIntensity\n{spectrum}", **stated)
        assert "excitation=532" in error.remedy
    np.testing.assert_allclose(read(path, excitation=532).raman_shift, shifts, atol=0.01)
    with pytest.raises(ReadError, match="do not occur"):
        read(path, technique="raman", excitation=1064)
