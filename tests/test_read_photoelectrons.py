"""Photoelectron spectra of SPECS, Scienta, CasaXPS and PHI: values, units, several scans, and damage."""

import re
from pathlib import Path

import numpy as np
import pytest

import photoelectron_files as files
from coldbond.files import ReadError, read
from photoelectron_files import COUNTS, DWELL, PHOTONS, binding

RATE = 1 / DWELL


def saved(path, text: str | bytes, **stated):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(path, **stated)


def holds(region, level="C 1s", factor=1.0, atol=1e-9):
    """Whether a region has the energies and intensities of the file."""
    np.testing.assert_allclose(region.binding_energy, binding(level)[::-1], rtol=0, atol=atol)
    np.testing.assert_allclose(region.intensity, COUNTS[::-1] * factor, rtol=1e-6)
    return True


@pytest.mark.parametrize("axis", ["Binding", "Kinetic"])
def test_the_energy_axis_of_specs_decides(tmp_path, axis):
    tree = saved(tmp_path / "a.xy", files.specs(axis))
    assert list(tree.children) == ["C 1s"] and holds(tree["C 1s"], factor=RATE)
    region = tree["C 1s"]
    assert region.attrs["energy_scale"] == axis.lower() and region.attrs["photon_energy"] == PHOTONS
    assert (region.attrs["pass_energy"], region.attrs["dwell_time"], region.attrs["sweeps"]) == (20, DWELL, 1)
    assert region.attrs["start"] == "2023-08-24T14:19:47" and region.attrs["sample_name"] == "LLZ"
    assert region.intensity.attrs["counting"] == "known" and float(region.one_count[0]) == RATE
    assert tree.attrs["format"] == "specs" and tree.attrs["sample_name"] == "LLZ"


@pytest.mark.parametrize(
    ("fields", "photons", "dwell"),
    [
        ({"photons": "1.2536 keV", "dwell": "250 ms"}, PHOTONS, DWELL),
        ({"photons": "1253.6eV", "dwell": "0.25 s"}, PHOTONS, DWELL),
        ({"Pass_Energy": "0.02 keV"}, PHOTONS, DWELL),
    ],
)
def test_units_of_header_fields_are_read(tmp_path, fields, photons, dwell):
    region = saved(tmp_path / "a.xy", files.specs("Kinetic", **fields))["C 1s"]
    assert holds(region, factor=RATE)
    attrs = region.attrs
    assert (attrs["photon_energy"], attrs["dwell_time"], attrs["pass_energy"]) == (photons, dwell, 20)


@pytest.mark.parametrize("fields", [{"photons": "1253.6 nm"}, {"photons": "1,253.6 eV"}, {"dwell": "4 Hz"}])
def test_a_unit_that_is_not_known_is_refused(tmp_path, fields):
    with pytest.raises(ReadError, match=r"not a number of (eV|s) or"):
        saved(tmp_path / "a.xy", files.specs("Kinetic", **fields))


def three_scans(label="counts/s", factor=RATE, separate=True) -> str:
    text = files.settings(scans="yes" if separate else "no", rate="Counts per Second" if "/" in label else "Counts")
    text += files.specs_region(scans=3)
    for scan in range(3 if separate else 1):
        at = f"Cycle: 0, Curve: 0, Scan: {scan}" if separate else "Cycle: 0, Curve: 0"
        text += files.specs_rows(at=at, label=label, factor=factor)
    return text


def test_scans_of_one_curve_are_combined(tmp_path):
    rates = saved(tmp_path / "a.xy", three_scans().replace(f"{COUNTS[0] * RATE:g}", f"{(COUNTS[0] + 1) * RATE:g}", 1))
    region = rates["C 1s"]
    assert float(region.intensity[-1]) == pytest.approx((COUNTS[0] + 1 / 3) * RATE)
    assert region.attrs["combined"] == "mean of 3 scans"
    assert region.attrs["sweeps"] == 3 and float(region.one_count[0]) == pytest.approx(RATE / 3)
    counts = saved(tmp_path / "b.xy", three_scans("counts", 1.0).replace(f"  {COUNTS[0]}", f"  {COUNTS[0] + 1}", 1))
    region = counts["C 1s"]
    assert float(region.intensity[-1]) == 3 * COUNTS[0] + 1 and region.attrs["combined"] == "sum of 3 scans"
    assert float(region.one_count[0]) == 1


def test_rates_that_may_be_sums_have_unknown_statistics(tmp_path):
    """By dwell time and 3 scans every rate is a multiple of 3 counts: the program added the scans up."""
    region = saved(tmp_path / "a.xy", three_scans(separate=False))["C 1s"]
    assert "multiples of 3 counts" in region.intensity.attrs["counting"] and "one_count" not in region
    averaged = three_scans("counts", 1 / 3, separate=False)
    assert "not whole numbers" in saved(tmp_path / "b.xy", averaged)["C 1s"].intensity.attrs["counting"]


def test_regions_cycles_and_groups_of_specs_are_named(tmp_path):
    text = files.settings() + "# Group:   LLZ\n" + files.specs_region() + files.specs_rows()
    text += files.specs_rows(at="Cycle: 1, Curve: 0")
    text += files.specs_region("Survey", Analysis_Method="AES") + files.specs_rows()
    text += "# External Channel Data Cycle: 0, Ring [mA] (Remote Out Device)\n# ColumnLabels: time mA\n1 2\n2 3\n"
    text += (
        "# Group:   InN\n"
        + files.specs_region("O1s", level="O 1s")
        + files.specs_rows(level="O 1s", more="transmission 32.5")
    )
    tree = saved(tmp_path / "a.xy", text)
    assert list(tree.children) == ["C 1s, LLZ", "C 1s, LLZ (2)", "O 1s, InN"]
    assert tree["C 1s, LLZ (2)"].attrs["cycle"] == 1
    assert "region Survey (AES)" in tree.attrs["unread"] and "external channel Ring [mA]" in tree.attrs["unread"]
    assert holds(tree["O 1s, InN"], "O 1s", RATE)
    assert float(tree["O 1s, InN"].transmission[0]) == 32.5 and "unread" not in tree["O 1s, InN"].attrs


def test_specslab2_names_the_scale_in_a_comment(tmp_path):
    text = files.specs("Kinetic").replace("SpecsLab Prodigy, Version 4.100.1", "SpecsLab2, Version 2.78")
    text = text.replace("#   Energy Axis:              Kinetic Energy\n", "#   values in kinetic energy\n")
    assert holds(saved(tmp_path / "a.xy", text)["C 1s"], factor=RATE)


@pytest.mark.parametrize("axis", ["Binding", "Kinetic"])
def test_the_axis_name_of_scienta_decides(tmp_path, axis):
    tree = saved(tmp_path / "a.txt", files.scienta(axis, ("C 1s", "O 1s")))
    assert list(tree.children) == ["C 1s", "O 1s"]
    for level, region in tree.children.items():
        assert holds(region, level, 1 / 7)
        assert region.attrs["energy_scale"] == axis.lower() and region.attrs["photon_energy"] == PHOTONS
        assert region.intensity.attrs["counting"] == "unknown: the file gives the intensity no unit"
        assert (region.attrs["pass_energy"], region.attrs["sweeps"], region.attrs["sample_name"]) == (50, 2, "LLZ")


def test_a_comment_before_the_rows_of_scienta_is_named(tmp_path):
    region = saved(tmp_path / "a.txt", files.scienta().replace("[Data 1]\n", "[Data 1]\n# photon_energy_eV: 520\n"))
    assert holds(region["C 1s"], factor=1 / 7) and "520" in region["C 1s"].attrs["unread"]


@pytest.mark.parametrize("mark", ["\t", ","])
@pytest.mark.parametrize("fit", [False, True])
def test_casaxps_in_columns_of_tables(tmp_path, mark, fit):
    text = files.casa_columns(("Cycle 3:LLZ:C1s", "Cycle 3:LLZ:O1s"), mark=mark, fit=fit)
    tree = saved(tmp_path / "a.txt", text)
    assert list(tree.children) == ["C 1s", "O 1s"]
    for level, region in tree.children.items():
        assert holds(region, level, atol=1e-3) and region.attrs["cycle"] == 3 and region.attrs["sample_name"] == "LLZ"
        assert region.intensity.attrs["counting"] == "known" and region.intensity.attrs["units"] == "count"
        assert region.attrs["dwell_time"] == DWELL and "charge_reference" not in region.attrs
        assert region.attrs.get("unread", "") == ("A, Background, Background CPS" if fit else "")


def test_a_charge_correction_of_casaxps_is_named_and_not_applied(tmp_path):
    region = saved(tmp_path / "a.txt", files.casa_columns(shift=-2.5))["C 1s"]
    assert holds(region, atol=1e-3)
    assert region.attrs["charge_reference"] == "CasaXPS, not applied here: shifted by -2.500 eV"


@pytest.mark.parametrize("comma", [False, True])
def test_casaxps_in_rows_of_tables(tmp_path, comma):
    text = files.casa_rows()
    tree = saved(tmp_path / "a.txt", text.replace(".", ",").replace("B,E,", "B.E.") if comma else text)
    assert list(tree.children) == ["C 1s", "O 1s"] and holds(tree["C 1s"], factor=RATE, atol=1e-4)
    assert tree["C 1s"].attrs["unread"] == "C1s:A" and "shows them" in tree["C 1s"].attrs["charge_reference"]
    np.testing.assert_allclose(tree["O 1s"].binding_energy, binding("O 1s")[-3::-1], rtol=0, atol=1e-4)
    assert tree["O 1s"].intensity.attrs["counting"] == "known"


def test_a_dump_of_avantage(tmp_path):
    tree = saved(tmp_path / "a.avg", files.avantage_dump())
    assert list(tree.children) == ["C 1s"] and tree.attrs["sample_name"] == "LLZ" and holds(tree["C 1s"])
    region = tree["C 1s"]
    assert region.intensity.attrs["units"] == "count" and region.intensity.attrs["counting"] == "known"
    assert (region.attrs["photon_energy"], region.attrs["pass_energy"]) == (PHOTONS, 20)
    assert (region.attrs["dwell_time"], region.attrs["sweeps"], region.attrs["energy_scale"]) == (DWELL, 2, "kinetic")
    rates = saved(tmp_path / "b.avg", files.avantage_dump(label="Counts / s"))["C 1s"]
    assert rates.intensity.attrs["units"] == "count/s"


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("old", [False, True])
def test_phi(tmp_path, kind, end, old):
    tree = saved(tmp_path / "a.spe", files.phi(("C 1s", "O 1s"), kind, end, old))
    assert list(tree.children) == ["C 1s", "O 1s"] and tree.attrs["instrument"] == "VersaProbe 4"
    for level, region in tree.children.items():
        assert holds(region, level, RATE) and float(region.one_count[0]) == RATE
        assert (region.attrs["photon_energy"], region.attrs["pass_energy"]) == (PHOTONS, 23.5)
        assert (region.attrs["work_function"], region.attrs["start"]) == (4.506, "2024-01-22")


def test_intensities_that_phi_recalibrated_are_no_counts(tmp_path):
    region = saved(tmp_path / "a.spe", files.phi(IntensityRecal="yes", EnergyReference="C1s 284.8"))["C 1s"]
    assert region.intensity.attrs["counting"].startswith("unknown: ") and "one_count" not in region
    assert region.attrs["charge_reference"] == "PHI, EnergyReference C1s 284.8"


def test_what_the_user_states_counts_for_kinetic_axes_and_is_noted(tmp_path):
    for name, text in (
        ("a.xy", files.specs("Kinetic")),
        ("a.txt", files.scienta("Kinetic")),
        ("b.txt", files.casa_columns()),
    ):
        tree = saved(tmp_path / name, text, photon_energy=1253.7)
        region = tree["C 1s"]
        np.testing.assert_allclose(region.binding_energy, binding("C 1s")[::-1] + 0.1, rtol=0, atol=1e-3)
        assert region.attrs["stated"] == f"photon_energy 1253.7 eV, the file says {PHOTONS} eV" == tree.attrs["stated"]
    region = saved(tmp_path / "a.xy", files.specs("Binding"), photon_energy=1486.6)["C 1s"]
    assert holds(region, factor=RATE) and region.attrs["photon_energy"] == 1486.6 and "stated" in region.attrs


@pytest.mark.parametrize(
    "text",
    [
        files.specs("Kinetic", photons=""),
        files.specs("Kinetic", photons="0"),
        files.scienta("Kinetic", photons=None),
        files.avantage_dump(SOPROPID_ENERGY=""),
    ],
)
def test_a_kinetic_axis_without_photons_reads_once_they_are_stated(tmp_path, text):
    with pytest.raises(ReadError, match=r"read\(path, photon_energy=.* column photon_energy_eV of manifest"):
        saved(tmp_path / "a.txt", text)
    region = saved(tmp_path / "a.txt", text, photon_energy=PHOTONS)["C 1s"]
    np.testing.assert_allclose(region.binding_energy, binding("C 1s")[::-1], rtol=0, atol=1e-9)
    assert "stated" not in region.attrs


@pytest.mark.parametrize("photons", ["1.2536", "8047.8", "120"])
def test_binding_energies_lie_within_the_photon_energy(tmp_path, photons):
    text = files.specs("Kinetic", photons=photons).replace("# Kinetic Energy:", "# Kinetic:")
    if float(photons) > PHOTONS:  # 7 keV of binding energy, which is possible
        return
    with pytest.raises(ReadError, match=r"C 1s has binding energies from .* at a photon energy of"):
        saved(tmp_path / "a.xy", text)
    assert holds(saved(tmp_path / "a.xy", text, photon_energy=PHOTONS)["C 1s"], factor=RATE)  # as the remedy says


ONE = files.specs("Kinetic")
DAMAGE = {
    "SPECS, no axis": (
        ONE.replace("Energy Axis:              Kinetic", "Energy Axis: "),
        "the energy axis is 'Energy'",
    ),
    "SPECS, other axis": (ONE.replace("Axis:              Kinetic", "Axis:              Binding"), "start at"),
    "SPECS, a row lost": (ONE.replace(f"  {COUNTS[2] * RATE:g}\n", "\n"), "1 numbers under the labels"),
    "SPECS, a row left out": ("\n".join([*ONE.split("\n")[:30], *ONE.split("\n")[31:]]), "11 rows where Values/Curve"),
    "SPECS, overload": (ONE.replace(f"{COUNTS[2] * RATE:g}\n", "OVL\n"), "'OVL', not a number"),
    "SPECS, comma": (ONE.replace(f"{COUNTS[2] * RATE:g}\n", "1,5\n"), "decimal commas and decimal points"),
    "SPECS, channels": (ONE.replace("Curve: 0", "Curve: 0, Channel: 0"), "channels of the detector"),
    "SPECS, unit": (
        ONE.replace("energy counts/s", "energy counts"),
        "labelled 'counts', and Count Rate is 'Counts per",
    ),
    "SPECS, no energy": (ONE.replace("energy counts/s", "index counts/s"), "region C1s (over index)"),
    "SPECS, Auger": (ONE.replace("          XPS", "          AES"), "region C1s (AES)"),
    "SPECS, two of three scans": (three_scans().rpartition("# Cycle")[0], "2 of the 3 scans"),
    "SPECS, head only": (files.settings(), "without a photoelectron spectrum"),
    "SPECS, region begun": (ONE + "# Region:    O1s\n", "no data below it"),
    "Scienta, slices": (
        files.scienta().replace("[Info 1]", "Dimension 2 name=Y [deg]\nDimension 2 size=3\n[Info 1]"),
        "3 spectra over Y",
    ),
    "Scienta, other axis": (
        files.scienta("Kinetic").replace("name=Kinetic", "name=Binding"),
        "the region's limits say otherwise",
    ),
    "Scienta, no axis": (
        files.scienta().replace("Binding Energy [eV]", "Time [s]"),
        "Time [s], not binding or kinetic",
    ),
    "Scienta, keV": (
        files.scienta().replace("Energy [eV]", "Energy [keV]"),
        "[keV], not binding or kinetic energy in eV",
    ),
    "Scienta, a row left out": (files.scienta().replace(f" {289.5:.14E}  {COUNTS[1] / 7:.14E}\n", ""), "11 rows"),
    "Scienta, an energy": (files.scienta().replace(f" {289.5:.14E}", f" {289.4:.14E}"), "is not that of the scale"),
    "Scienta, a region lost": (
        files.scienta().replace("=0001", "=0002"),
        "data of 1 regions where the head of the file states 2",
    ),
    "Scienta, overload": (files.scienta().replace(f"{COUNTS[1] / 7:.14E}", "NaN"), "'NaN', not a number"),
    "Scienta, twice": (files.scienta() * 2, "a second section [Info]"),
    "CasaXPS, rates": (
        files.casa_columns().replace(f"{COUNTS[3]:.6e}", f"{COUNTS[3] + 9:.6e}"),
        "do not agree with 0.25 s",
    ),
    "CasaXPS, energies": (files.casa_columns().replace(f"{290:.6e}", f"{291:.6e}"), "do not add up"),
    "CasaXPS, a cell lost": (files.casa_columns().replace(f"{COUNTS[3]:.6e}", ""), "an empty field under K.E., Counts"),
    "CasaXPS, side by side, a cell lost": (
        files.casa_rows().replace(f"{binding('O 1s')[3]:.6e}", ""),
        "an empty field",
    ),
    "CasaXPS, both marks": (
        files.casa_columns().replace(f"{COUNTS[3]:.6e}", "6,55e+002"),
        "decimal commas and decimal",
    ),
    "Avantage, profile": (files.avantage_dump(axes=2), "a dump of Avantage with 2 axes"),
    "Avantage, a row lost": (
        files.avantage_dump().replace("LIST@   4", "LIST@   8"),
        "where intensity 4 should",
    ),
    "Avantage, cut off": (
        files.avantage_dump().rpartition("LIST@")[0],
        "8 intensities where the axis",
    ),
    "Avantage, a gap": (files.avantage_dump().replace("655.000000", "#empty#"), "'#empty#', not a number"),
    "PHI, AES": (files.phi(Technique="AES"), "technique AES"),
    "PHI, profile": (files.phi(FileType="PROFILE"), "type PROFILE"),
    "PHI, a region more": (files.phi(NoSpectralReg=2), "1 regions where the header states 2"),
    "PHI, other end": (files.phi().replace(b"284.5000", b"280.5000"), "do not end at 280.5 eV"),
    "PHI, points": (
        files.phi().replace(b" 12 -0.5", b" 11 -0.5").replace(b" 284.5000", b" 285.0000"),
        "12 points of type 'f4'",
    ),
    "PHI, a byte more": (files.phi() + b"\0", "belong to no spectrum"),
    "PHI, header only": (files.phi()[:100], "header does not end"),
    "PHI, keV": (files.phi(XraySource="Mg 1.25 keV"), None),
}


@pytest.mark.parametrize("damage", [name for name in DAMAGE if DAMAGE[name][1]])
def test_damage_is_refused(tmp_path, damage):
    text, reason = DAMAGE[damage]
    with pytest.raises(ReadError) as caught:
        saved(tmp_path / "a.txt", text)
    assert reason in caught.value.reason and caught.value.remedy


def test_the_energy_of_a_phi_source_has_a_unit(tmp_path):
    assert saved(tmp_path / "a.spe", DAMAGE["PHI, keV"][0])["C 1s"].attrs["photon_energy"] == 1250


CLOSED = {
    "a Thermo Avantage .vgd file": b"\xd0\xcf\x11\xe0" + bytes(4096) + "VGData".encode("utf-16-le"),
    "an experiment of SPECS SpecsLab Prodigy (.sle)": b"SQLite format 3\0" + bytes(99) + b"Schedule",
    "an experiment of SPECS SpecsLab2 (.xml)": b'<?xml version="1.0"?>\n<sequence type_name="RegionGroupSeq"/>\n',
    "a binary file of Scienta SES (.ibw, .pxt)": b"\5\0" + bytes(99) + b"[SES]\rExcitation Energy=520\r",
    "a PHI file of the technique XPS and the type DEPTHPROFILE": files.phi(FileType="DEPTHPROFILE"),
}


@pytest.mark.parametrize("name", CLOSED)
def test_what_is_not_read_is_refused_by_name_with_what_to_export(tmp_path, name):
    with pytest.raises(ReadError) as caught:
        saved(tmp_path / "a.dat", CLOSED[name])
    assert caught.value.reason.startswith(name) and caught.value.remedy.startswith("export it")


WHOLE = {
    "specs": files.specs("Kinetic").rstrip("\n"),
    "scienta": files.scienta("Kinetic"),
    "avantage": files.avantage_dump(),
    "phi": files.phi(("C 1s", "O 1s")),
}


@pytest.mark.parametrize("name", WHOLE)
def test_every_truncation_is_refused_or_gives_the_same(tmp_path, name):
    data = WHOLE[name] if isinstance(WHOLE[name], bytes) else WHOLE[name].encode()
    whole = saved(tmp_path / "a.txt", data)
    refused = 0
    for cut in range(20, len(data), 7 if name != "specs" else 5):
        try:
            tree = saved(tmp_path / "b.txt", data[:cut])
        except ReadError:
            refused += 1
        else:
            for level in tree.children:
                np.testing.assert_array_equal(tree[level].intensity, whole[level].intensity)
    assert refused > 100


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_texts_read_in_any_encoding_and_with_any_line_end(tmp_path, encoding, newline):
    for text in (
        files.specs("Kinetic", Comment="50 µm, Stöhr"),
        files.scienta("Kinetic", User="Stöhr"),
        files.casa_columns(),
    ):
        data = text.replace("\n", newline).encode(encoding)
        stated = {"encoding": "cp1252"} if encoding == "cp1252" else {}
        region = saved(tmp_path / "a.txt", data, **stated)["C 1s"]
        np.testing.assert_allclose(region.binding_energy, binding("C 1s")[::-1], rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", ["specs", "scienta", "casaxps"])
def test_decimal_commas_are_read(tmp_path, name):
    """As computers in many European countries write them."""
    text = {"specs": files.specs("Kinetic"), "scienta": files.scienta("Kinetic"), "casaxps": files.casa_columns()}[name]
    plain = saved(tmp_path / "a.txt", text)["C 1s"]
    region = saved(tmp_path / "b.txt", re.sub(r"(\d)\.(\d)", r"\1,\2", text))["C 1s"]
    np.testing.assert_array_equal(region.binding_energy, plain.binding_energy)
    np.testing.assert_array_equal(region.intensity, plain.intensity)
    assert region.attrs["photon_energy"] == PHOTONS and region.attrs.get("dwell_time", DWELL) == DWELL


def test_ascending_energies_give_the_same(tmp_path):
    head, _, rows = files.specs("Kinetic").rpartition("#\n")
    turned = "\n".join(reversed(rows.strip().split("\n")))
    text = head.replace("# Kinetic Energy:", "# Kinetic:") + "#\n" + turned + "\n"
    assert holds(saved(tmp_path / "a.xy", text)["C 1s"], factor=RATE)


def test_a_region_without_a_name_has_that_of_the_file(tmp_path):
    text = files.specs("Binding", name="")
    assert list(saved(tmp_path / "LLZ_C1s.xy", text).children) == ["C 1s"]
    assert Path(tmp_path, "LLZ_C1s.xy").exists()
