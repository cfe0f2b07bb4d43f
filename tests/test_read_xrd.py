"""Diffractometers' files in each format: points, header, radiation and text, as the file states them."""

import re
from xml.etree import ElementTree

import geddes
import numpy as np
import pytest

from diffractometer_files import ANGLES, COUNTS, FILES, HEADERS, asc, powder_cif, ras, rasx, reading, refused, xrdml


@pytest.mark.parametrize("kind", FILES)
def test_points_and_wavelengths_of_every_format(tmp_path, kind):
    scan = reading(tmp_path, FILES[kind]())
    np.testing.assert_allclose(scan.two_theta, ANGLES, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(scan.intensity, COUNTS)
    np.testing.assert_array_equal(scan.one_count, 1)
    assert scan.two_theta.attrs["units"] == "degree"
    assert scan.intensity.attrs["units"] == "count" and scan.intensity.attrs["counting"] == "known"
    assert scan.technique == "xrd" and scan.source == "scan.dat" and len(scan.sha256) == 64
    assert 1.54059 <= scan.wavelength_kalpha1 <= 1.5406 and 1.54439 <= scan.wavelength_kalpha2 <= 1.54443


@pytest.mark.parametrize("kind", sorted(FILES.keys() - {"asc"}))
def test_points_are_those_of_another_program(tmp_path, kind):
    data = FILES[kind]()
    scan = reading(tmp_path, data)
    other = geddes.read_bytes(data, f"scan.{kind}", block="_meas" if kind == "cif" else None)
    np.testing.assert_allclose(scan.two_theta, other.x, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(scan.intensity, other.y)


@pytest.mark.parametrize("kind", FILES)
def test_header(tmp_path, kind):
    attrs = reading(tmp_path, FILES[kind]()).attrs
    always = {"technique", "source", "sha256", "wavelength_kalpha1", "wavelength_kalpha2"}
    assert {key: value for key, value in attrs.items() if key not in always} == pytest.approx(HEADERS[kind])


# Radiation


def test_one_line_where_the_file_says_that_there_is_one(tmp_path):
    ratio_of_none = xrdml().replace(b"0.5000</ratio", b"0.0000</ratio")
    one_in_cif = powder_cif().replace(b"1.544427 0.5\n", b"")
    alone = (ras({"MEAS_COND_XG_WAVE_TYPE": "Ka1"}), rasx({"line": "Ka1"}), ratio_of_none, one_in_cif)
    for data in alone:
        scan = reading(tmp_path, data)
        assert scan.wavelength_kalpha1 < 1.5407 and "wavelength_kalpha2" not in scan.attrs


def test_a_cif_that_names_its_line_alone_gets_the_published_wavelengths_and_says_so(tmp_path):
    data = re.sub(
        rb"loop_\n_diffrn.*?data_pattern_meas",
        rb"_diffrn_radiation_type 'Cu K\\a'\ndata_pattern_meas",
        powder_cif(),
        flags=re.DOTALL,
    )
    scan = reading(tmp_path, data)
    assert (scan.wavelength_kalpha1, scan.wavelength_kalpha2) == (1.5405929, 1.5444274)
    assert scan.wavelength_source.startswith("Hoelzer 1997")
    error = refused(tmp_path, data.replace(b"Cu K", b"Xx K"))
    assert error.reason == "a diffraction pattern whose file states no wavelength"


def test_angles_of_a_cif_may_be_its_range_and_step(tmp_path):
    for kind in ("meas", "proc"):
        stem = f"_pd_{kind}_2theta_range"
        ranged = f"{stem}_min 20.0\n{stem}_max 20.14\n{stem}_inc 0.02"
        data = powder_cif([f"{count}" for count in COUNTS], keys=("_pd_meas_counts_total",), head=ranged)
        np.testing.assert_allclose(reading(tmp_path, data).two_theta, ANGLES, rtol=0, atol=1e-12)
        assert f"no {stem}_min" in refused(tmp_path, data.replace(b"_min 20.0", b"_other 20.0")).reason
        assert "not at the stated 20.14" in refused(tmp_path, data.replace(b"_inc 0.02", b"_inc 0.05")).reason


# Text and steps


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_rigaku_text_of_newer_programs(tmp_path, encoding):
    scan = reading(tmp_path, ras().decode("cp932").encode(encoding))
    assert scan.sample_name == "粉末 LLZ"
    assert "utf-16" in encoding or scan.sizes["two_theta"] == 8


@pytest.mark.parametrize("kind", ["ras", "asc", "xrdml"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_read_as_any_text(tmp_path, kind, encoding):
    text = FILES[kind]().decode("utf-8" if kind == "xrdml" else "cp932")
    text = text.replace('encoding="UTF-8"', 'encoding="UTF-16"')
    scan = reading(tmp_path, text.encode(encoding))
    assert scan.attrs["encoding"] == "utf-16"
    assert scan.equals(reading(tmp_path, FILES[kind]()))


def test_line_breaks_may_be_of_any_system(tmp_path):
    for data in (ras(), asc()):
        for newline in (b"\n", b"\r"):
            assert reading(tmp_path, data.replace(b"\r\n", newline)).sizes["two_theta"] == 8


def test_unequal_steps_are_read_where_the_header_says_so(tmp_path):
    uneven = [*ANGLES[:4], 20.1, 20.2, 20.3, 20.5]
    scan = reading(tmp_path, ras({"angles": uneven, "MEAS_SCAN_UNEQUALY_SPACED": "True"}))
    np.testing.assert_allclose(scan.two_theta, uneven)
    assert "off the grid of the header's start and step" in refused(tmp_path, ras({"angles": uneven})).reason


def test_the_versions_of_xrdml_differ_in_their_namespace_only(tmp_path):
    for version in ("1.0", "1.6", "2.1"):
        data = xrdml().replace(b"XRDMeasurement/2.0", b"XRDMeasurement/" + version.encode())
        assert ElementTree.fromstring(data).tag.endswith(f"{version}}}xrdMeasurements")
        assert reading(tmp_path, data).sizes["two_theta"] == 8
