"""What `make energies` starts from and writes: crystals as published, tables, rows of the manifest, one relaxation."""

import csv
from collections import Counter
from itertools import product

import gemmi
import numpy as np
import pytest

from coldbond import ReadError, read
from coldbond.bundle import manifest, paths
from coldbond.energies import structures, tables
from coldbond.reaction_energy.reactions import composition

FILES = ("energies/chgnet-0.3.0.csv", "energies/chgnet-r2scan.csv")
HEADER = "structure,formula,energy_eV_per_atom,volume_A3_per_atom,model"
LIIN = "LiIn,LiIn,-2.5809,20.730,CHGNet 0.3.0"


def atoms(name: str) -> list[tuple[str, np.ndarray]]:
    """All atoms of the cell, expanded by another program than the one that relaxes the crystal."""
    given = structures.CRYSTALS[name]
    group = gemmi.find_spacegroup_by_name(f"{given.group}:1") or gemmi.find_spacegroup_by_name(given.group)
    found = []
    for element, *place in given.sites:
        for operation in group.operations():
            image = np.array(operation.apply_to_xyz(place)) % 1
            if not any(other == element and near(image, there) for other, there in found):
                found.append((element, image))
    return found


def near(one: np.ndarray, other: np.ndarray) -> bool:
    apart = one - other
    return bool(np.all(np.abs(apart - np.round(apart)) < 1e-3))


def volume(name: str) -> float:
    """Of one atom, cubic angstrom."""
    return gemmi.UnitCell(*structures.CRYSTALS[name].cell).volume / len(atoms(name))


@pytest.mark.parametrize("name", structures.CRYSTALS)
def test_a_crystal_has_the_composition_of_its_name(name):
    counts = Counter(element for element, _ in atoms(name))
    expected = composition(name.split()[0])
    assert set(counts) == set(expected)
    assert len({counts[element] / expected[element] for element in expected}) == 1


@pytest.mark.parametrize("name", structures.CRYSTALS)
def test_no_atoms_of_a_crystal_touch(name):
    cell, found = gemmi.UnitCell(*structures.CRYSTALS[name].cell), atoms(name)
    steps = [np.array(step) for step in product((-1, 0, 1), repeat=3)]
    orthogonal = np.array(cell.orth.mat.tolist())
    places = np.array([place for _, place in found])
    apart = places[:, None, None] - places[None, :, None] + np.array(steps)
    distances = np.linalg.norm(apart @ orthogonal.T, axis=-1)
    assert distances[distances > 1e-3].min() > (1.8 if "N" in composition(name.split()[0]) else 2.2)


@pytest.mark.parametrize("file", FILES)
def test_relaxation_changed_no_volume_by_much(file):
    relaxed = read(paths.ROOT / "raw" / file)
    assert list(relaxed.structure.to_numpy()) == list(structures.CRYSTALS)
    start = np.array([volume(name) for name in structures.CRYSTALS])
    off = dict(zip(structures.CRYSTALS, np.abs(relaxed.volume.to_numpy() / start - 1), strict=True))
    assert 0.1 < off.pop("Sn beta") < 0.25, "the notebook says that white tin does not keep its volume"
    assert max(off.values()) < 0.11
    assert np.median(list(off.values())) < 0.032


@pytest.mark.parametrize("file", FILES)
def test_a_committed_table_names_model_version_and_source_of_every_crystal(file):
    table = read(paths.ROOT / "raw" / file)
    assert (table.attrs["technique"], table.attrs["format"]) == ("energies", "energies-csv")
    for column in ("prototype", "model", "version", "source_of_structure", "space_group"):
        assert all(table[column].to_numpy())
    (row,) = [row for row in manifest.rows(paths.ROOT / "raw") if row["file"] == file]
    assert (row["origin"], row["role"], row["sample"]) == ("computed", "energies", table.model.to_numpy()[0])


def test_a_table_reads_as_written(tmp_path):
    path = tmp_path / "energies.csv"
    path.write_text(f"{HEADER}\n{LIIN}\nLi,Li,-1.8803,19.719,CHGNet 0.3.0\n")
    table = read(path)
    assert list(table.structure.to_numpy()) == ["LiIn", "Li"]
    assert list(table.energy.to_numpy()) == [-2.5809, -1.8803]
    assert (table.energy.attrs["units"], table.volume.sel(structure="Li").item()) == ("eV", 19.719)
    assert list(table.model.to_numpy()) == ["CHGNet 0.3.0"] * 2


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (f"{HEADER}\n{LIIN}", 2, "may be cut off"),
        (f"{HEADER}\n{LIIN[:-14]}\n", 2, "4 fields under 5 column names"),
        (f"{HEADER}\n{LIIN.replace('-2.5809', 'nan')}\n", 2, "energy_eV_per_atom is 'nan'"),
        (f"{HEADER}\n{LIIN}\n{LIIN.replace('20.730', '')}\n".replace("LiIn,LiIn,-2.5809,,", "Li,Li,-2,,"), 3, "volume"),
        (f"{HEADER}\n{LIIN}\n{LIIN}\n", None, "one structure twice"),
        (f"{HEADER}\n", None, "no row"),
        (f"{HEADER.replace('volume_A3_per_atom', 'volume')}\n{LIIN}\n", 1, "no column named volume_A3_per_atom"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path, text, line, reason):
    path = tmp_path / "energies.csv"
    path.write_text(text)
    with pytest.raises(ReadError, match=reason) as caught:
        read(path)
    assert caught.value.line == line


def test_a_table_is_listed_once_and_other_rows_stay(tmp_path):
    (tmp_path / "manifest.csv").write_text(
        ",".join(manifest.COLUMNS) + '\nccd.csv,cycling,ccd,LLZ,,measured,,0.785,,,25,"a, note"\n', encoding="utf-8"
    )
    (tmp_path / "ccd.csv").touch()
    for energy in ("-2.5809", "-2.6000"):
        tables.write(tmp_path / FILES[0], [dict(zip(HEADER.split(","), LIIN.split(","), strict=True))])
        path = tmp_path / FILES[0]
        path.write_text(path.read_text().replace("-2.5809", energy))
        tables.list_in_manifest(tmp_path, FILES[0], "CHGNet 0.3.0")
        kept, listed = manifest.rows(tmp_path)
        assert (kept["file"], kept["note"], kept["area_cm2"]) == ("ccd.csv", "a, note", "0.785")
        assert (listed["file"], listed["origin"], listed["sample"]) == (FILES[0], "computed", "CHGNet 0.3.0")
    assert not [*tmp_path.rglob("*.part")]


@pytest.mark.filterwarnings("ignore")  # of torch and chgnet, about each other
def test_a_relaxation_gives_the_committed_energy():
    pytest.importorskip("torch", reason="torch is only in the environment of make energies")
    from chgnet.model import CHGNet, StructOptimizer

    from coldbond.energies.__main__ import row

    model = CHGNet.load(model_name="0.3.0", use_device="cpu", verbose=False)
    found = row("LiIn", structures.CRYSTALS["LiIn"], StructOptimizer(model, use_device="cpu"), "CHGNet 0.3.0")
    with (paths.ROOT / "raw" / FILES[0]).open(encoding="utf-8") as file:
        (committed,) = [line for line in csv.DictReader(file) if line["structure"] == "LiIn"]
    assert float(found["energy_eV_per_atom"]) == pytest.approx(float(committed["energy_eV_per_atom"]), abs=2e-4)
    assert found["space_group"] == committed["space_group"]
