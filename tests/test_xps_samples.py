"""A VAMAS file of several samples, from the file to the findings of the notebook."""

import numpy as np
import pytest

from coldbond import ReadError, read
from coldbond.bundle import paths, raw
from coldbond.files.photoelectrons import vamas
from coldbond.xps import findings, quantification, reference, surface

COLUMNS = "file,technique,role,sample,state,origin,sha256,area_cm2,thickness_cm,active_mass_mg,temperature_C,note"
#: Recordings of the bundle, of which the file of several samples is made.
FIRST, SECOND = (paths.ROOT / "raw" / "xps" / f"surface-{name}.vms" for name in ("LLZ", "RT-MCL-LLZ"))


def joined(*files) -> str:
    """The blocks of several VAMAS files in one."""
    head, blocks, number = [], [], 0
    for file in files:
        lines = vamas.Lines(file, file.read_text())
        header = vamas._header(lines)
        head = head or lines.lines[: lines.at - 1]
        blocks += lines.lines[lines.at : -1]
        number += header.blocks
    return "\n".join([*head, str(number), *blocks, "end of experiment"]) + "\n"


@pytest.fixture
def two(tmp_path, monkeypatch):
    """A folder like raw/, its one file of two samples, and a function that reads it with these rows of the manifest."""
    monkeypatch.setattr(paths, "RAW", tmp_path)
    (tmp_path / "two.vms").write_text(joined(FIRST, SECOND))

    def recordings(*samples_in_file):
        rows = [f"two.vms,xps,surface,S{n},,measured,,,,,25,,{name}" for n, name in enumerate(samples_in_file)]
        (tmp_path / "manifest.csv").write_text("\n".join([f"{COLUMNS},sample_in_file", *rows]) + "\n")
        return raw.recordings("surface")

    return recordings


def test_regions_of_several_samples_are_told_apart_and_each_can_be_had(two, tmp_path):
    tree = read(tmp_path / "two.vms")
    assert {"C 1s, LLZ", "C 1s, RT-MCL-LLZ"} < set(tree.children)
    assert tree.attrs["sample_name"] == "LLZ, RT-MCL-LLZ"
    for name, file in (("LLZ", FIRST), ("rt-mcl-llz", SECOND)):
        chosen, alone = read(tmp_path / "two.vms", sample=name), read(file)
        assert list(chosen.children) == list(alone.children)
        assert chosen.attrs["sample_name"].lower() == name.lower()
        for region in alone.children:
            np.testing.assert_array_equal(chosen[region].binding_energy, alone[region].binding_energy)
            np.testing.assert_array_equal(chosen[region].intensity, alone[region].intensity)


def test_a_sample_that_the_file_does_not_hold_is_refused_with_those_that_it_does(two, tmp_path):
    with pytest.raises(ReadError, match=r"no sample 'InN': its samples are 'LLZ', 'RT-MCL-LLZ'.*sample_in_file"):
        read(tmp_path / "two.vms", sample="InN")
    with pytest.raises(ReadError, match="no sample 'InN': its samples are 'LLZ'"):
        read(FIRST, sample="InN")


def test_the_notebook_shows_both_samples_of_a_file(two):
    """As fig3ghi does it, one region for speed; each sample has the findings of its own file."""
    surfaces = {label: reference.referenced(one) for label, one in two("LLZ", "RT-MCL-LLZ").items()}
    assert list(surfaces) == ["S0", "S1"]
    regions = ["N 1s", "O 1s"]
    found = {
        label: surface.compositions(one, regions, backgrounds=["active shirley"]) for label, one in surfaces.items()
    }
    assert all(set(held) <= {"N 1s", "O 1s"} for held in found.values()) and "N 1s" in found["S1"]
    values = findings.composition_findings(surfaces, found)
    assert {row["sample"] for row in values} == {"S0", "S1"}
    alone = reference.referenced(read(SECOND))
    assert surfaces["S1"].attrs["energy_shift"] == alone.attrs["energy_shift"]
    assert quantification.atomic_fractions(surfaces, found).keys() == {"S1"}


def test_the_notebook_refuses_several_samples_and_names_both_ways_to_state_one(two):
    (recording,) = two("").values()
    with pytest.raises(ValueError, match=r"two.vms has the samples 'LLZ', 'RT-MCL-LLZ'.*read\(path, sample='LLZ'\)"):
        reference.referenced(recording)
    with pytest.raises(ValueError, match=r"two.vms has the samples .* column sample_in_file of manifest.csv"):
        surface.compositions(reference.referenced(recording, None), ["N 1s"])


def test_a_region_of_a_sample_can_be_named_where_the_energies_are_left_as_recorded(two):
    (recording,) = two("").values()
    as_recorded, alone = (reference.referenced(one, None) for one in (recording, read(SECOND)))
    name = "N 1s, RT-MCL-LLZ"
    found = surface.compositions(as_recorded, [name], backgrounds=["active shirley"])[name]
    expected = surface.compositions(alone, ["N 1s"], backgrounds=["active shirley"])["N 1s"]
    assert found.components.keys() == expected.components.keys()
    for key, one in found.components.items():
        assert one.position.value == pytest.approx(expected.components[key].position.value, abs=1e-6)


def test_a_region_that_was_measured_again_is_said_to_be_the_first(tmp_path):
    (tmp_path / "a.vms").write_text(joined(SECOND, SECOND))
    tree = read(tmp_path / "a.vms")
    assert "N 1s (2)" in tree.children
    tree.attrs |= {"sample": "A", "state": ""}
    surfaces = {"A": reference.referenced(tree)}
    for name, notes in (("N 1s", {"the first of 2 regions of this name in the file"}), ("N 1s (2)", {""})):
        found = {"A": surface.compositions(surfaces["A"], [name], backgrounds=["active shirley"])}
        values = findings.composition_findings(surfaces, found)
        assert {row.get("note", "") for row in values if row["quantity"].endswith("present")} == notes


def test_a_sample_is_listed_once(two):
    assert "is listed twice with the role surface" in two("LLZ", "LLZ").left_out["S1"]


def test_names_that_a_tree_does_not_allow_are_changed(tmp_path):
    text = joined(FIRST, SECOND).replace("\nRT-MCL-LLZ\n", "\nInN/LLZ (2)\n").replace("\nLLZ\n", "\n..\n")
    (tmp_path / "a.vms").write_text(text)
    tree = read(tmp_path / "a.vms")
    assert {"C 1s, unnamed", "C 1s, InN-LLZ (2)"} < set(tree.children)
    chosen = read(tmp_path / "a.vms", sample="InN/LLZ (2)")
    assert list(chosen.children) == list(read(SECOND).children)
