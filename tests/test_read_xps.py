"""Photoelectron recordings: VAMAS against an independent reader and files written here, Avantage, text; and damage."""

import io

import numpy as np
import pytest
import vamas
import xarray as xr
import xlsxwriter

from coldbond.counting import standard_uncertainty
from coldbond.files import ReadError, read

COUNTS = {"C 1s": [120, 131, 405, 911, 388, 127], "In 3d": [1000, 1450, 3999, 1502, 996, 1003]}
STARTS = {"C 1s": 1200.5, "In 3d": 1040.0}  # eV, kinetic
STEP, PHOTONS, DWELL, SWEEPS = 0.1, 1486.6, 0.25, 8


def block(region: str, *, sample="LLZ", scan="REGULAR", kind="kinetic", unit="d", columns=1, mode="pulse counting"):
    """The lines of a block, by the number that ISO 14976 gives each parameter (0: never left out)."""
    species, transition = region.split()
    counts = np.array(COUNTS[region])
    energy = STARTS[region] + STEP * np.arange(counts.size)
    energy = energy if kind == "kinetic" else PHOTONS - energy
    values = {"Intensity": (unit, counts), "Transmission": ("d", 2 + 0.01 * np.arange(counts.size))}
    values = dict(list(values.items())[:columns])
    if scan == "IRREGULAR":
        values = {f"{kind.title()} Energy": ("eV", energy.round(3))} | values
    abscissa = [f"{kind.title()} Energy", "eV", f"{energy[0]:.3f}", f"{energy[1] - energy[0]:.3f}"]
    table = np.array([column for _, column in values.values()]).T
    return [
        *((0, region), (0, sample)),
        *zip(range(1, 8), (2022, 7, 12, 9, 41, 30, 8), strict=True),
        *((8, 2), (8, "Lens : Hybrid"), (8, "CASA comp (*C 1s*) (*GL(30)*) Area 12"), (9, "XPS")),
        *((12, "Al (mono)"), (14, PHOTONS), (15, 150), (16, "1E+37"), (16, "1E+37"), (19, "1E+37"), (20, "1E+37")),
        *((21, "FAT"), (22, 20), (24, "1E+37"), (25, -4.5), (26, 0), (27, "1E+37"), (27, "1E+37"), (28, 0), (28, 0)),
        *((29, species), (30, transition), (30, -1)),
        *((31, line) for line in abscissa if scan == "REGULAR"),
        (32, len(values)),
        *((32, line) for label, (unit_of, _) in values.items() for line in (label, unit_of)),
        *((33, mode), (34, DWELL), (35, SWEEPS), (36, 0), (38, 0), (38, 0), (39, 0)),
        *((40, 1), (40, "ESCAPE DEPTH TYPE"), (40, "d"), (40, 1)),
        *((0, table.size), *((0, bound) for column in table.T for bound in (column.min(), column.max()))),
        *((0, f"{number:.10g}") for number in table.ravel()),
    ]


def vamas_text(blocks: list[list], scan="REGULAR", listed: tuple[int, ...] = (), include=True) -> str:
    """A file of these blocks; of the later ones, only the listed parameters or all but these."""
    kept = [
        line
        for number, lines in enumerate(blocks)
        for parameter, line in lines
        if not listed or number == 0 or parameter == 0 or (parameter in listed) == include
    ]
    head = ["VAMAS Surface Chemical Analysis Standard Data Transfer Format 1988 May 4"]
    head += ["a laboratory", "a spectrometer", "an operator", "an experiment", 1, "a comment", "NORM", scan]
    head += [len(blocks), 0, len(listed) * (1 if include else -1), *listed, 0, 0, 0, len(blocks)]
    return "".join(f"{line}\r\n" for line in [*head, *kept, "end of experiment"])


def saved(path, text: str | bytes) -> xr.DataTree:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(path)


TWO = vamas_text([block("C 1s"), block("In 3d")])


@pytest.mark.parametrize("kind", ["kinetic", "binding"])
@pytest.mark.parametrize("scan", ["REGULAR", "IRREGULAR"])
def test_vamas_blocks_are_regions_over_binding_energy(tmp_path, scan, kind):
    text = vamas_text([block(region, scan=scan, kind=kind, columns=2) for region in COUNTS], scan)
    tree = saved(tmp_path / "a.vms", text)
    assert list(tree.children) == ["C 1s", "In 3d"]
    assert tree.attrs["technique"] == "xps" and tree.attrs["format"] == "vamas" and len(tree.attrs["sha256"]) == 64
    for name, region in tree.children.items():
        energy = PHOTONS - STARTS[name] - STEP * np.arange(6)
        np.testing.assert_allclose(region.binding_energy, energy[::-1], rtol=0, atol=1e-9)
        np.testing.assert_array_equal(region.intensity, COUNTS[name][::-1])
        np.testing.assert_allclose(region.transmission, [2.05, 2.04, 2.03, 2.02, 2.01, 2.0])
        assert region.intensity.attrs["units"] == "count" and region.intensity.attrs["counting"] == "known"
        assert region.binding_energy.attrs["units"] == "eV"
        np.testing.assert_allclose(standard_uncertainty(region.to_dataset()), np.sqrt(COUNTS[name][::-1]))
        attrs = region.attrs
        assert (attrs["photon_energy"], attrs["pass_energy"], attrs["work_function"]) == (PHOTONS, 20, -4.5)
        assert (attrs["dwell_time"], attrs["sweeps"], attrs["energy_scale"]) == (DWELL, SWEEPS, kind)
        assert (attrs["instrument"], attrs["sample_name"]) == ("a spectrometer", "LLZ")
        assert attrs["start"] == "2022-07-12T09:41:30" and attrs["unread"] == "fit by CasaXPS"


def test_another_reader_finds_the_same(tmp_path):
    path = tmp_path / "a.vms"
    tree = saved(path, TWO)
    for theirs, ours in zip(vamas.Vamas(path).blocks, tree.children.values(), strict=True):
        kinetic = theirs.x_start + theirs.x_step * np.arange(theirs.num_y_values)
        np.testing.assert_allclose(PHOTONS - kinetic[::-1], ours.binding_energy, rtol=0, atol=1e-9)
        np.testing.assert_array_equal(theirs.corresponding_variables[0].y_values[::-1], ours.intensity)


@pytest.mark.parametrize("include", [True, False])
def test_parameters_that_later_blocks_leave_out_are_those_of_the_first(tmp_path, include):
    listed = (29, 30, 31) if include else (*range(1, 9), 12, 14, 22, 34, 35)
    tree = saved(tmp_path / "a.vms", vamas_text([block("C 1s"), block("In 3d")], listed=listed, include=include))
    xr.testing.assert_identical(tree["In 3d"].to_dataset(), saved(tmp_path / "b.vms", TWO)["In 3d"].to_dataset())


def test_of_regions_called_alike_the_later_ones_are_numbered(tmp_path):
    tree = saved(tmp_path / "a.vms", vamas_text([block("C 1s"), block("In 3d"), block("C 1s")]))
    assert list(tree.children) == ["C 1s", "In 3d", "C 1s (2)"]


def test_regions_of_several_samples_are_told_apart(tmp_path):
    tree = saved(tmp_path / "a.vms", vamas_text([block("C 1s"), block("C 1s", sample="InN/LLZ")]))
    assert list(tree.children) == ["C 1s, LLZ", "C 1s, InN-LLZ"]


def test_a_vamas_file_over_kinetic_energy_without_photons_reads_once_they_are_stated(tmp_path):
    text = changed("1486.6", "1E+37", changed("1486.6", "1E+37"))
    with pytest.raises(ReadError, match=r"read\(path, photon_energy=.* column photon_energy_eV of manifest"):
        saved(tmp_path / "a.vms", text)
    whole = saved(tmp_path / "b.vms", TWO)
    for name, region in read(tmp_path / "a.vms", photon_energy=PHOTONS).children.items():
        np.testing.assert_array_equal(region.binding_energy, whole[name].binding_energy)
        assert region.attrs["photon_energy"] == PHOTONS and "stated" not in region.attrs


@pytest.mark.parametrize("kind", ["kinetic", "binding"])
def test_the_photon_energy_stated_counts_and_both_are_named(tmp_path, kind):
    path = tmp_path / "a.vms"
    path.write_text(vamas_text([block("C 1s", kind=kind)]))
    region, whole = read(path, photon_energy=1486.7)["C 1s"], read(path)["C 1s"]
    moved = 0.1 if kind == "kinetic" else 0.0
    np.testing.assert_allclose(region.binding_energy, whole.binding_energy + moved, rtol=0, atol=1e-9)
    assert region.attrs["stated"] == "photon_energy 1486.7 eV, the file says 1486.6 eV"


@pytest.mark.parametrize("wrong", ["1.4866", "1253.6", "14866"])
def test_a_wrong_photon_energy_is_refused_or_put_right_by_the_user(tmp_path, wrong):
    survey = changed("1200.500", "1380.500", vamas_text([block("C 1s")]))
    text = changed("1486.6", wrong, survey)
    if wrong != "14866":  # binding energies of 13 keV exist
        with pytest.raises(ReadError, match=r"C 1s has binding energies from .*photon_energy_eV of manifest"):
            saved(tmp_path / "a.vms", text)
    (tmp_path / "a.vms").write_text(text)
    region = read(tmp_path / "a.vms", photon_energy=PHOTONS)["C 1s"]
    np.testing.assert_allclose(region.binding_energy, saved(tmp_path / "b.vms", survey)["C 1s"].binding_energy)


def test_nul_bytes_at_the_ends_of_lines_are_let_pass(tmp_path):
    """MultiPak writes "1s" with one. Within a line they are damage."""
    text = TWO.replace("\r\n1s\r\n", "\r\n1s\0\r\n")
    xr.testing.assert_equal(saved(tmp_path / "a.vms", text), saved(tmp_path / "b.vms", TWO))
    with pytest.raises(ReadError, match="NUL"):
        saved(tmp_path / "c.vms", TWO.replace("\r\n911\r\n", "\r\n9\0001\r\n"))


def test_levels_of_a_depth_profile_have_their_etch_time(tmp_path):
    blocks = []
    for seconds in (0, 30):
        lines = block("C 1s")
        at = next(index for index, (number, _) in enumerate(lines) if number == 12)
        blocks.append([*lines[:at], (11, seconds), *lines[at:]])
    text = vamas_text(blocks).replace("REGULAR\r\n2\r\n0\r\n", "REGULAR\r\n2\r\n1\r\nEtch Time\r\ns\r\n")
    tree = saved(tmp_path / "a.vms", text)
    assert {name: one.attrs["experimental_variables"] for name, one in tree.children.items()} == {
        "C 1s": "Etch Time 0 s",
        "C 1s (2)": "Etch Time 30 s",
    }


def test_blank_lines_before_the_identifier_are_let_pass(tmp_path):
    xr.testing.assert_equal(saved(tmp_path / "a.vms", "\r\n\r\n" + TWO), saved(tmp_path / "b.vms", TWO))


def test_a_rate_knows_what_one_count_is(tmp_path):
    region = saved(tmp_path / "a.vms", vamas_text([block("C 1s", unit="c/s")]))["C 1s"]
    assert region.intensity.attrs["units"] == "count/s" and region.intensity.attrs["counting"] == "known"
    assert float(region.one_count[0]) == pytest.approx(1 / (DWELL * SWEEPS))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (vamas_text([block("C 1s", mode="analogue")]), "analogue"),
        (vamas_text([block("C 1s", unit="c/s")]).replace("\r\n0.25\r\n", "\r\n1E+37\r\n"), "without dwell time"),
        (vamas_text([block("C 1s")]).replace("\r\n911\r\n", "\r\n910.6\r\n"), "not whole numbers"),
        (vamas_text([block("C 1s", unit="V")]), "the intensity 'V', not counts"),
    ],
)
def test_counting_that_is_not_known_is_said_to_be(tmp_path, text, reason):
    region = saved(tmp_path / "a.vms", text)["C 1s"]
    assert region.intensity.attrs["counting"].startswith("unknown: ") and reason in region.intensity.attrs["counting"]
    assert standard_uncertainty(region.to_dataset()) is None


@pytest.mark.parametrize("scan", ["REGULAR", "IRREGULAR"])
def test_no_line_of_a_vamas_file_can_be_lost_or_doubled_unnoticed(tmp_path, scan):
    """Cut after each line, each line left out, each line twice: refused, or the same spectra."""
    text = vamas_text([block("C 1s", scan=scan, columns=2), block("In 3d", scan=scan, columns=2)], scan)
    whole, lines = saved(tmp_path / "a.vms", text), text.splitlines(keepends=True)
    damaged = [lines[:cut] for cut in range(1, len(lines))]
    damaged += [lines[:at] + lines[at + 1 :] for at in range(len(lines))]
    damaged += [lines[:at] + lines[at : at + 1] + lines[at:] for at in range(len(lines))]
    path, read_all_the_same = tmp_path / "b.vms", 0
    for number, kept in enumerate(damaged):
        try:
            tree = saved(path, "".join(kept))
        except ReadError as error:
            assert error.remedy and (error.line is None or 0 < error.line <= len(kept)), number
        else:
            read_all_the_same += 1
            for name in COUNTS:
                xr.testing.assert_equal(tree[name].to_dataset(), whole[name].to_dataset())
    assert read_all_the_same == 0


def changed(old: str, new: str, text: str = TWO, nth: int = 1) -> str:
    parts = text.split(f"\r\n{old}\r\n")
    assert len(parts) > nth
    return f"\r\n{old}\r\n".join(parts[:nth]) + f"\r\n{new}\r\n" + f"\r\n{old}\r\n".join(parts[nth:])


IRREGULAR = vamas_text([block("C 1s", scan="IRREGULAR")], "IRREGULAR")
DAMAGE = {
    "gap": (changed("3999", "1e+037", nth=2), "Intensity of point 3 of block 2 (In 3d) is 1e+37, which means missing"),
    "infinite": (changed("405", "1e999"), "Intensity of point 3 of block 1 (C 1s) is 1e+37"),
    "no number": (changed("405", "4O5"), "ordinate of block 1 (C 1s) is '4O5', not a number"),
    "decimal comma": (changed("405", "405,0"), "'405,0', not a number"),
    "nan": (changed("405", "nan"), "'nan', not a number"),
    "count of ordinates": (changed("6", "5"), "not a number"),
    "more ordinates": (changed("6", "7", nth=2), "not a number"),
    "no photon energy": (changed("1486.6", "1E+37"), "its photon energy is missing"),
    "photon energy of nothing": (changed("1486.6", "0"), "its photon energy is missing"),
    "negative count": (changed("405", "-405"), "negative"),
    "Auger": (changed("XPS", "AES dir"), "technique 'AES dir'"),
    "energy loss": (changed("XPS", "ELS"), "technique 'ELS'"),
    "energy loss as XPS": (changed("Kinetic Energy", "Energy Loss"), "the abscissa of block 1 (C 1s) is 'Energy Loss'"),
    "map": (changed("NORM", "MAP"), "an experiment of mode MAP"),
    "mapping scan": (changed("REGULAR", "MAPPING"), "a scan of mode MAPPING"),
    "abscissa": (changed("Kinetic Energy", "Mass"), "the abscissa of block 1 (C 1s) is 'Mass'"),
    "unit": (changed("eV", "keV"), "in 'keV'"),
    "signal mode": (changed("pulse counting", "guessing"), "the signal mode of block 1 (C 1s) is 'guessing'"),
    "no blocks": (changed("2", "0", nth=2), "holds no block"),
    "fewer blocks": (changed("2", "1", nth=2), "should close the file after 1 blocks"),
    "half a block": (changed("2", "1.5", nth=2), "1.5, not a whole number"),
    "another file after it": (TWO + TWO, "should close the file"),
    "other identifier": (TWO.replace("1988 May 4", "2031 May 4"), "the identifier is not"),
    "no step": (changed("0.100", "0"), "binding_energy is not monotonic"),
    "not one way": (changed("1200.7", "1200.5", IRREGULAR), "binding_energy is not monotonic"),
    "no energy": (IRREGULAR.replace("Kinetic Energy", "Time"), "the abscissa of block 1 (C 1s) is ''"),
    "nothing but energy": (IRREGULAR.replace("Intensity", "Transmission"), "no ordinates but"),
    "another encoding": (TWO.replace("Lens", "\xff").encode("latin-1"), "not text in utf-8"),
    "utf-16 that was cut off": (TWO.encode("utf-16")[2:-1], "not text in utf-16"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_vamas_file_is_refused(tmp_path, damage):
    text, reason = DAMAGE[damage]
    with pytest.raises(ReadError) as caught:
        saved(tmp_path / "a.vms", text)
    assert reason in caught.value.reason and caught.value.remedy


def test_the_line_of_a_gap_is_true(tmp_path):
    text = changed("911", "1E+37", nth=2)  # before it stands the greatest ordinate
    with pytest.raises(ReadError) as caught:
        saved(tmp_path / "a.vms", text)
    assert text.split("\r\n")[caught.value.line - 1] == "1E+37" and "point 4" in caught.value.reason


def avantage(rows: int = 6, **cells) -> bytes:
    """A workbook of one scan at 20 scans and 50 ms, and the sheets that Avantage writes beside it."""
    fields = {
        "A7": "Axis", "B7": "Energy", "C7": "Elements=", "D7": 6, "A15": "Binding Energy (E)", "A16": "eV",
        "C16": "Counts / s", "E15": "Backgnd.", "E16": "Counts / s", "F15": "C 1s A", "F16": "Counts / s",
        "H1": "Acquisition Parameters :",
        "H4": "Total acquisition time", "I4": "0 mins 6.0 secs", "H5": "Number of Scans", "I5": 20,
        "H6": "Analyser Mode", "I6": "CAE : Pass Energy 30.0 eV",
    }  # fmt: skip
    for row, counts in enumerate(COUNTS["C 1s"][:rows]):
        fields |= {f"A{row + 17}": round(286.1 - STEP * row, 3), f"C{row + 17}": float(counts), f"E{row + 17}": 100.0}
    data = io.BytesIO()
    with xlsxwriter.Workbook(data) as book:
        book.add_worksheet("Titles").write_row("A3", ["Carbon BE", 284.83])
        sheet = book.add_worksheet("C1s Scan")
        for place, cell in (fields | cells).items():
            if cell != "":
                sheet.write(place, cell)
        book.add_worksheet("Peak Table").write_row("A1", ["Name", "Peak BE"])
    return data.getvalue()


def test_avantage_workbook(tmp_path):
    tree = saved(tmp_path / "a.xlsx", avantage())
    assert list(tree.children) == ["C 1s"]
    region = tree["C 1s"]
    np.testing.assert_allclose(region.binding_energy, 285.6 + STEP * np.arange(6), rtol=0, atol=1e-9)
    np.testing.assert_array_equal(region.intensity, COUNTS["C 1s"][::-1])
    assert region.intensity.attrs["units"] == "count/s" and region.intensity.attrs["counting"] == "known"
    np.testing.assert_allclose(region.one_count, 1 / (20 * 0.05))
    assert (region.attrs["pass_energy"], region.attrs["sweeps"], region.attrs["dwell_time"]) == (30, 20, 0.05)
    assert region.attrs["charge_reference"] == tree.attrs["charge_reference"] == "Carbon BE 284.83"
    assert region.attrs["unread"] == "Backgnd., C 1s A"
    assert tree.attrs["unread"] == "sheet Titles, sheet Peak Table" and tree.attrs["format"] == "avantage"


def test_an_avantage_workbook_over_kinetic_energy_reads_once_the_photon_energy_is_stated(tmp_path):
    fields = {"A15": "Kinetic Energy (E)"} | {f"A{row + 17}": round(1200.5 + STEP * row, 3) for row in range(6)}
    (tmp_path / "a.xlsx").write_bytes(avantage(**fields))
    with pytest.raises(ReadError, match=r"sheet 'C1s Scan', row 15.*read\(path, photon_energy"):
        read(tmp_path / "a.xlsx")
    region = read(tmp_path / "a.xlsx", photon_energy=1486.6)["C 1s"]
    np.testing.assert_allclose(region.binding_energy, 285.6 + STEP * np.arange(6), rtol=0, atol=1e-9)
    np.testing.assert_array_equal(region.intensity, COUNTS["C 1s"][::-1])
    assert region.attrs["energy_scale"] == "kinetic"


@pytest.mark.parametrize(
    "cells", [{"I5": ""}, {"I4": ""}, {"I4": "0 mins 6.5 secs"}, {"C16": "a.u.", "E16": "", "F16": ""}]
)
def test_avantage_counting_that_is_not_known_is_said_to_be(tmp_path, cells):
    region = saved(tmp_path / "a.xlsx", avantage(**cells))["C 1s"]
    assert region.intensity.attrs["counting"].startswith("unknown: ")


@pytest.mark.parametrize(
    ("data", "row", "reason"),
    [
        (avantage(rows=5), 21, "5 points where the head of the sheet states 6"),
        (avantage(D7=""), 22, "6 points where the head of the sheet states no number"),
        (avantage(C19="n/a"), 19, "not an energy and an intensity"),
        (avantage(C19=""), 19, "not an energy and an intensity"),
        (avantage(A19="", C19=""), 18, "2 points"),
        (avantage(A16=""), 16, "the columns have the units"),
        (avantage(C16=""), 16, "the columns have the units"),
        (avantage(A15="Kinetic Energy (E)"), 15, "kinetic"),
        (avantage(A19=286.4), 19, "is not monotonic"),
        (avantage()[:-40], None, "damaged zip"),
    ],
)
def test_a_damaged_avantage_workbook_is_refused(tmp_path, data, row, reason):
    with pytest.raises(ReadError) as caught:
        saved(tmp_path / "a.xlsx", data)
    assert reason in caught.value.reason and caught.value.line == row


def test_a_workbook_with_a_wrong_byte_is_refused_or_reads_the_same(tmp_path):
    whole, data = saved(tmp_path / "a.xlsx", avantage())["C 1s"].to_dataset(), avantage()
    refused = 0
    for at in range(0, len(data), 61):
        try:
            tree = saved(tmp_path / "b.xlsx", data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
        except ReadError:
            refused += 1
        else:
            xr.testing.assert_equal(tree["C 1s"].to_dataset(), whole)
    assert refused
