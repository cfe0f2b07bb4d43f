"""Structures of one's own: a CIF or a table beside the manifest is what its author meant, or an error with a remedy."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from coldbond.bundle import paths
from coldbond.xrd import structure_files
from coldbond.xrd.reflection_list import absorption
from coldbond.xrd.reflections import reflections
from coldbond.xrd.structure_files import StructureError, Structures
from coldbond.xrd.structures import STRUCTURES, find

CORUNDUM = """data_corundum
_cell_length_a 4.7589(1)
_cell_length_b 4.7589(1)
_cell_length_c 12.9910(3)
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
_symmetry_space_group_name_H-M 'R -3 c'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
_atom_site_U_iso_or_equiv
Al1 Al3+ 0 0 0.35216(1) 1 0.0033
O1 O2- 0.30624(4) 0 0.25 1 ?
"""
TABLE = """space_group = "R -3 c:H"
cell = [4.7589, 4.7589, 12.991, 90, 90, 120]
atoms = [["Al", 0, 0, 0.35216], ["O", 0.30624, 0, 0.25]]
displacement = 0.0033
"""


def written(folder: Path, **files: str) -> Structures:
    """Return the structures of a folder of files such as corundum_cif."""
    (folder / "structures").mkdir(exist_ok=True)
    for name, text in files.items():
        stem, suffix = name.rsplit("_", 1)
        (folder / "structures" / f"{stem}.{suffix}").write_text(text, encoding="utf-8")
    return Structures(folder)


def test_a_cif_gives_the_tabulated_powder_pattern(tmp_path):
    corundum = written(tmp_path, corundum_cif=CORUNDUM)["corundum"]
    assert corundum.space_group == "R -3 c:H" and corundum.uncertainty == structure_files.CELL_TOLERANCE
    assert corundum.sites[0].displacement == 0.0033 and corundum.sites[1].displacement is None
    found = reflections(corundum, 1.540593)
    # Density, and the lines of PDF 46-1212: angle at K-alpha1 of synthetic corundum.
    assert found.attrs["mass"] / found.attrs["volume"] * 1.66054 == pytest.approx(3.987, abs=0.003)
    strong = found.two_theta.to_numpy()[found.relative_intensity.to_numpy() > 20]
    listed = [25.578, 35.152, 37.776, 43.355, 52.549, 57.496, 66.519, 68.212]
    np.testing.assert_allclose(strong, listed, atol=0.01)
    assert absorption(corundum, 1.5418) == pytest.approx(12.6, rel=0.06)  # International Tables C, 31.7 cm^2/g


def test_a_table_is_the_same_structure(tmp_path):
    known = written(tmp_path, corundum_cif=CORUNDUM.replace("?", "0.0033"), table_toml=TABLE)
    own, other = (reflections(known[name]) for name in ("corundum", "table"))
    np.testing.assert_allclose(own.structure_factor_squared, other.structure_factor_squared)


def test_a_table_beside_a_cif_states_what_it_lacks(tmp_path):
    stated = "cell_tolerance = 0.01\ntexture_axis = [0, 0, 1]\ndisplacement = 0.004\nsource = 'mine'\n"
    known = written(tmp_path, corundum_cif=CORUNDUM, corundum_toml=stated)
    corundum = known["corundum"]
    assert (corundum.uncertainty, corundum.texture_axis, corundum.displacement) == (0.01, (0, 0, 1), 0.004)
    assert corundum.source == "mine"
    hashes = {
        f"structures/corundum.{suffix}": hashlib.sha256(text.encode()).hexdigest()
        for suffix, text in (("cif", CORUNDUM), ("toml", stated))
    }
    assert known.inputs("corundum", "InN", "corundum") == hashes


def test_the_cif_of_every_built_in_structure_gives_its_lines(tmp_path):
    for name, one in STRUCTURES.items():
        rows = [
            f"{element}{i} {element} {site.x:.4f} {site.y:.4f} {site.z:.4f} {occupancy} {one.displacement}"
            for i, site in enumerate(one.sites)
            for element, occupancy in site.elements.items()
        ]
        head = CORUNDUM[: CORUNDUM.index("Al1 Al3+")].splitlines()
        cell = [f"{row.split()[0]} {value}" for row, value in zip(head[1:7], one.cell, strict=True)]
        text = "\n".join([head[0], *cell, f"_symmetry_space_group_name_H-M '{one.space_group}'", *head[8:], *rows])
        known = written(tmp_path, **{f"own-{name}_cif": text + "\n"})
        own, built_in = (reflections(each, two_theta=(10, 80)) for each in (known[f"own-{name}"], one))
        strong = built_in.relative_intensity.to_numpy() > 5
        # Coordinates of four decimals: 0.3333 for 1/3 is the same place.
        places = np.searchsorted(own.two_theta.to_numpy(), built_in.two_theta.to_numpy()[strong] - 1e-6)
        np.testing.assert_allclose(
            own.absolute_intensity.to_numpy()[places].sum(),
            built_in.absolute_intensity.to_numpy()[strong].sum(),
            rtol=0.02,
        )
        assert absorption(known[f"own-{name}"], 1.5406) == pytest.approx(absorption(one, 1.5406), rel=1e-6)


def test_a_name_is_found_or_the_error_says_how_to_add_it(tmp_path):
    known = written(tmp_path, corundum_cif=CORUNDUM, InN_cif=CORUNDUM)
    assert known["InN"].space_group == "R -3 c:H"  # a file takes the place of a built-in structure
    assert "zincite" not in known and {"corundum", "LLZTO"} <= set(known) and len(known) == len(STRUCTURES) + 1
    assert known["LLZTO"] is STRUCTURES["LLZTO"] and find(known["corundum"]) is known["corundum"]
    with pytest.raises(
        ValueError, match=r"no structure of zincite; there are InN, corundum, LLZTO.*structures/NAME\.cif"
    ):
        known["zincite"]
    with pytest.raises(ValueError, match=r"no structure of corundum; there are LLZTO.*structures/NAME\.cif beside"):
        find("corundum")


def test_the_tables_of_the_page_are_read(tmp_path):
    page = (paths.ROOT / "docs" / "your-own-data.md").read_text(encoding="utf-8")
    beside, whole = (
        re.search(rf"<!-- {name} -->\n```toml\n(.*?)```", page, re.DOTALL)[1] for name in ("beside", "structure")
    )
    known = written(tmp_path, corundum_cif=CORUNDUM, corundum_toml=beside, whole_toml=whole)
    assert known["corundum"].texture_axis == (0, 0, 1) and known["corundum"].uncertainty == 0.005
    np.testing.assert_allclose(
        reflections(known["whole"]).two_theta, reflections(known["corundum"]).two_theta, atol=1e-9
    )


ROW = "O1 O2- 0.30624(4) 0 0.25 1 ?\n"
TWO_ORIGINS = [("R -3 c", "F d -3 m"), ("4.7589(1)", "8"), ("12.9910(3)", "8"), ("gamma 120", "gamma 90")]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([("_cell_length_a 4.7589(1)\n", "")], "states no cell"),
        ([(CORUNDUM[CORUNDUM.index("loop_") :], "")], "has no atoms"),
        ([("R -3 c", "Q 4 2")], "the space group Q 4 2 is unknown"),
        ([("_symmetry_space_group_name_H-M 'R -3 c'\n", "")], "states no space group"),
        (TWO_ORIGINS, "has two origins"),
        ([("_gamma 120", "_gamma 90")], "the cell .* is not that of R -3 c"),
        ([("R -3 c", "R -3 c:R")], "the cell .* is not that of R -3 c:R"),
        ([("0.25 1 ?", "0.25 1.7 ?")], "atom O1 has the occupancy 1.7"),
        ([(ROW, f"{ROW}N1 N 0.30 0 0.25 0.5 ?\n")], "the atoms O1, N1 share one place .* add up to 1.5"),
        ([("0.35216(1)", "?")], "atom Al1 has no coordinates"),
        ([("Al1 Al3+", "Xx1 Xx")], "atom Xx1 is of no element"),
        ([("data_corundum", "data_one\n_cell_length_a 3\n")], "line .*is no CIF"),
        (
            [(CORUNDUM, CORUNDUM + CORUNDUM.replace("data_corundum", "data_second"))],
            "holds 2 structures .corundum, second",
        ),
        ([("loop_", "loop_\n_atom_site_")], "is no CIF|holds"),
    ],
)
def test_a_bad_cif_is_refused_with_a_remedy(tmp_path, changes, message):
    text = CORUNDUM
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    with pytest.raises(StructureError, match=rf"structures/corundum\.cif.*({message}).*: "):
        written(tmp_path, corundum_cif=text)["corundum"]


OPERATIONS = "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-x,-y,-z\nloop_\n_atom"


def test_symmetry_operations_decide_over_the_symbol(tmp_path):
    cubic = [("4.7589(1)", "4.7589"), ("R -3 c", "P n -3 m")]
    text = CORUNDUM
    for old, new in [*cubic, ("loop_\n_atom", OPERATIONS)]:
        text = text.replace(old, new, 1)
    assert written(tmp_path, corundum_cif=text)["corundum"].space_group == "P -1"
    with pytest.raises(StructureError, match="3 symmetry operations are those of no known setting"):
        written(tmp_path, corundum_cif=text.replace("-x,-y,-z\n", "-x,-y,-z\nx+1/7,y,z\n"))["corundum"]


def test_blocks_without_atoms_and_a_byte_order_mark_do_no_harm(tmp_path):
    known = written(tmp_path, corundum_cif=f"\ufeffdata_global\n_journal_name_full 'A'\n{CORUNDUM}")
    assert known["corundum"].cell[2] == 12.991


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cell = [", "structures/own.toml: "),
        ("texture = 1\n", "texture is unknown: write one of space_group"),
        ('space_group = "P 1"\n', "cell and atoms are missing"),
        (TABLE.replace("12.991, 90", "12.991"), "cell = .*write six numbers"),
        (TABLE.replace('"Al", 0,', '"Al",'), r"atom 1: \['Al', 0, 0.35216\]: write element, x, y, z"),
        (TABLE.replace('"Al"', '"Aluminium"'), "atom 1: 'Aluminium' is no element"),
        (TABLE.replace("R -3 c:H", "R -3 k"), "the space group 'R -3 k' is unknown"),
        (TABLE + "texture_axis = [0, 0, 0]\n", "texture_axis = .*write three integers"),
        (TABLE + "cell_tolerance = 0.5\n", "cell_tolerance = 0.5: write a number between 0 and 0.05"),
    ],
)
def test_a_bad_table_is_refused_with_a_remedy(tmp_path, text, message):
    with pytest.raises(StructureError, match=message):
        written(tmp_path, own_toml=text)["own"]
