"""The RO-Crate: what its metadata say is true of its files, and follows RO-Crate 1.1 and the Workflow Run profile."""

import csv
import hashlib
import json
import os
import re
import shutil
import zipfile
from pathlib import Path
from urllib.parse import unquote

import pytest

pytest.importorskip("rocrate", reason="make test-publish runs these")

from rocrate import vocabs
from rocrate.rocrate import ROCrate

import coldbond
from built_figures import HOSTILE, PYTHON, built, one_figure
from coldbond.publish import crate

ROOT = Path(__file__).parents[1]
METADATA = "ro-crate-metadata.json"


def written(raw: Path, out: Path) -> Path:
    crate.write(crate.build(raw, out), out / "ro-crate.zip")
    return out / "ro-crate.zip"


@pytest.fixture(scope="module")
def of_the_bundle(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("figures")
    built(ROOT / "raw", out)
    return written(ROOT / "raw", out)


@pytest.fixture(scope="module")
def of_a_group(tmp_path_factory) -> Path:
    """A crate of recordings whose names have all signs that an address may not have, two left out, one not drawn."""
    return written(*one_figure(tmp_path_factory.mktemp("their data #1")))


@pytest.fixture
def little_code(monkeypatch) -> None:
    """Leave the package out, where it is only ballast."""
    monkeypatch.setattr(crate, "FOLDERS", ("notebooks",))


@pytest.fixture(params=["of_the_bundle", "of_a_group"])
def path(request) -> Path:
    return request.getfixturevalue(request.param)


def graph(path: Path) -> dict[str, dict]:
    with zipfile.ZipFile(path) as archive:
        entities = json.loads(archive.read(METADATA))["@graph"]
    by_id = {entity["@id"]: entity for entity in entities}
    assert len(by_id) == len(entities)
    return by_id


def listed(value) -> list:
    return value if isinstance(value, list) else [value]


def refers(entity: dict, name: str) -> list[str]:
    return [one["@id"] for one in listed(entity.get(name, []))]


def of_type(entities: dict[str, dict], kind: str) -> list[dict]:
    return [entity for entity in entities.values() if kind in listed(entity["@type"])]


def test_the_descriptor_and_the_root_have_what_ro_crate_requires(path):
    entities = graph(path)
    assert entities[METADATA]["@type"] == "CreativeWork"
    assert entities[METADATA]["about"] == {"@id": "./"}
    assert set(refers(entities[METADATA], "conformsTo")) == {crate.RO_CRATE, crate.WORKFLOW_RO_CRATE}
    root = entities["./"]
    assert root["@type"] == "Dataset" and root["name"] and root["description"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", root["datePublished"])
    assert all(entities[licence]["name"] for licence in refers(root, "license"))


def test_every_reference_resolves_and_every_term_is_defined(path):
    entities = graph(path)
    known = set(vocabs.RO_CRATE["@context"])
    for entity in entities.values():
        assert set(listed(entity["@type"])) <= known
        for name, value in entity.items():
            assert name in known or name.startswith("@"), name
            references = [one["@id"] for one in listed(value) if isinstance(one, dict)]
            assert all(one in entities or one == crate.RO_CRATE for one in references), (entity["@id"], name)
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read(METADATA))["@context"] == [
            "https://w3id.org/ro/crate/1.1/context",
            {"sha256": "http://schema.org/sha256"},
        ]


def test_the_files_are_those_that_the_root_lists_with_their_hash_and_size(path):
    entities = graph(path)
    parts = refers(entities["./"], "hasPart")
    assert len(parts) == len(set(parts)) == len(of_type(entities, "File"))
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == sorted([METADATA, *map(unquote, parts)])
        for part in parts:
            content = archive.read(unquote(part))
            assert entities[part]["sha256"] == hashlib.sha256(content).hexdigest(), part
            assert entities[part]["contentSize"] == str(len(content))


def test_the_runs_follow_the_profiles(path):
    entities = graph(path)
    root, workflow = entities["./"], entities["Makefile"]
    assert set(refers(root, "conformsTo")) == set(crate.PROFILES)
    assert refers(root, "mainEntity") == ["Makefile"]
    assert workflow["@type"] == ["File", "SoftwareSourceCode", "ComputationalWorkflow"]
    assert entities[refers(workflow, "programmingLanguage")[0]]["@type"] == "ComputerLanguage"
    actions = of_type(entities, "CreateAction")
    assert {action["@id"] for action in actions} == set(refers(root, "mentions"))
    assert [action["@id"] for action in actions if refers(action, "instrument") == ["Makefile"]] == ["#run"]
    for action in actions:
        (tool,) = (entities[one] for one in refers(action, "instrument"))
        assert "SoftwareSourceCode" in tool["@type"] and tool["version"] == coldbond.__version__
        assert action["name"] and action["description"].startswith("make ")
        if action["@id"] != "#run":
            assert tool["@id"] in refers(workflow, "hasPart")
        values = [entities[one] for one in refers(action, "object") if entities[one]["@type"] == "PropertyValue"]
        for value in values:
            (slot,) = refers(value, "exampleOfWork")
            assert slot in refers(tool, "input") and entities[slot]["name"] == value["name"]
            assert entities[slot]["@type"] == "FormalParameter" and entities[slot]["additionalType"]
        others = {*refers(action, "object"), *refers(action, "result")} - {value["@id"] for value in values}
        assert all("File" in entities[one]["@type"] for one in others)


def test_rocrate_reads_it(path):
    read = ROCrate(path)
    assert read.mainEntity.id == "Makefile"
    assert len(read.data_entities) == len(of_type(graph(path), "File"))


def test_a_figure_is_made_of_its_recordings_and_parameters(of_the_bundle):
    entities = graph(of_the_bundle)
    numbers = json.loads((ROOT / "figures" / "fig4b.json").read_text(encoding="utf-8"))
    run = entities["#run/fig4b"]
    assert refers(run, "instrument") == ["notebooks/fig4b_ccd.ipynb"]
    files = {unquote(one) for one in refers(run, "object") if not one.startswith("#")}
    assert files == {f"raw/{file}" for file in numbers["inputs"]}
    values = {entities[one]["name"]: entities[one]["value"] for one in refers(run, "object") if one.startswith("#")}
    assert values == numbers["parameters"] | {"samples": '["LLZ", "In-LLZ", "RT-MCL-LLZ"]'}
    assert entities["#parameter/fig4b_ccd/retained"]["additionalType"] == "Float"
    results = refers(run, "result")
    assert {"figures/fig4b.pdf", "figures/fig4b.png", "figures/fig4b.json"} <= set(results)
    assert all(one.startswith(("figures/fig4b.", "figures/source_data/fig4b_")) for one in results)
    assert "figures/fig4b.json" in refers(entities["#run/claims"], "object")
    assert "figures/fig4b.json" not in refers(entities["#run"], "object")


def test_synthetic_recordings_are_said_to_be_so_and_licences_are_stated(of_the_bundle):
    entities = graph(of_the_bundle)
    with (ROOT / "raw" / "manifest.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    for row in rows:
        file = entities[f"raw/{row['file']}"]
        assert file["description"].startswith(f"{row['origin']} (")
        assert refers(file, "additionalProperty") == [f"#origin/{row['origin']}"]
        assert refers(file, "license") == [crate.CC0]
    number = sum(row["origin"] == "synthetic" for row in rows)
    assert f" {number} synthetic (simulated, not measured)" in entities["./"]["description"]
    assert "synthetic data" in entities["./"]["keywords"]
    assert set(refers(entities["./"], "license")) == {crate.CC0, crate.MIT}
    for one in ("Makefile", "lib/coldbond/__init__.py", "notebooks/fig4b_ccd.ipynb"):
        assert refers(entities[one], "license") == [crate.MIT]
    software = {one["name"]: one["softwareVersion"] for one in of_type(entities, "SoftwareApplication")}
    assert software["coldbond"] == coldbond.__version__ and software["Python"] == PYTHON
    lock = (ROOT / "lock" / "run.txt").read_text()
    assert f"numpy=={software['numpy']} ; python_full_version < '3.12'" in lock


def test_no_licence_is_asserted_of_a_groups_recordings_and_nothing_unlisted_is_published(of_a_group):
    entities = graph(of_a_group)
    assert set(refers(entities["./"], "license")) == {"#no-licence", crate.MIT}
    theirs = {unquote(name): entity for name, entity in entities.items() if name.startswith("recordings/")}
    assert set(theirs) == {f"recordings/{name}" for name in (*HOSTILE, "manifest.csv", "LICENSE")}
    assert not any("license" in entity or "author" in entity for entity in theirs.values())
    assert "author" not in entities["./"] and "synthetic data" not in entities["./"]["keywords"]
    run = entities["#run/fig4b"]
    assert "left out: " in run["description"] and "it's $(broken) #1" in run["description"]
    failed = entities["#run/fig4cd"]
    assert failed["actionStatus"].endswith("/FailedActionStatus") and failed["error"] == "In [3]: it has no <clock>"


def test_the_same_inputs_give_the_same_bytes(tmp_path, little_code):
    raw, out = one_figure(tmp_path / "a")
    first = written(raw, out).read_bytes()
    shutil.copytree(tmp_path / "a", tmp_path / "b")  # other times, another folder
    for file in (tmp_path / "b").rglob("*"):
        os.utime(file, (1, 1))
    (tmp_path / "b" / out.name / "ro-crate.zip").unlink()
    assert written(tmp_path / "b" / raw.name, tmp_path / "b" / out.name).read_bytes() == first


def test_it_keeps_permissions_so_that_make_can_set_up_its_environment(of_a_group):
    with zipfile.ZipFile(of_a_group) as archive:
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
    assert modes["scripts/set_up.sh"] == 0o100755 and modes["Makefile"] == 0o100644
    assert not any("__pycache__" in name or ".egg-info" in name for name in modes)
    assert {"raw/claims.yml", "pyproject.toml", "lock/run.txt", "style.toml"} <= set(modes)


def test_a_figure_of_another_recording_is_refused_and_the_crate_stays(tmp_path, monkeypatch, capsys, little_code):
    raw, out = one_figure(tmp_path)
    before = written(raw, out).read_bytes()
    (raw / "b<i>$x$.csv").write_text("another")
    monkeypatch.setattr("sys.argv", ["crate", "--raw", str(raw), "--out", str(out)])
    assert crate.main() == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and f"{out}/fig4b.json was made of another {raw}/b<i>$x$.csv" in said
    assert (out / "ro-crate.zip").read_bytes() == before
    assert not list(out.glob(".ro-crate*"))


def test_the_date_can_be_stated(tmp_path, monkeypatch, little_code):
    raw, out = one_figure(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    assert crate.build(raw, out).metadata.root_dataset["datePublished"] == "2001-09-09"
