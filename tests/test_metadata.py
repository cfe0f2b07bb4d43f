"""CITATION.cff, codemeta.json and .zenodo.json: each by the rules of its format, and all say what pyproject.toml says.

The schemas are those parts of the published ones that these files use: Citation File Format 1.2.0, CodeMeta 3.0, and
the metadata of a deposit on Zenodo. They allow no other field, so a new one asks for its rule here.
"""

import json
import tomllib
from datetime import date
from pathlib import Path

import jsonschema
import pytest
import yaml

import coldbond

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

TEXT = {"type": "string", "minLength": 1}
DATE = {"type": "string", "pattern": r"^[0-9]{4}-(0[1-9]|1[012])-(0[1-9]|[12][0-9]|3[01])$"}
DOI = {"type": "string", "pattern": r"^10\.\d{4,9}(\.\d+)?/[A-Za-z0-9:/_;\-\.\(\)\[\]\\]+$"}
WORDS = {"type": "array", "minItems": 1, "uniqueItems": True, "items": TEXT}


def record(required: str, optional: str = "", **rules) -> dict:
    """Return the schema of an object; a field without a rule of its own is text."""
    names = [*required.split(), *optional.split()]
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required.split(),
        "properties": {name: rules.get(name.replace("-", "_").removeprefix("@"), TEXT) for name in names},
    }


def several(item: dict) -> dict:
    return {"type": "array", "minItems": 1, "uniqueItems": True, "items": item}


PERSON = {"anyOf": [record("name"), record("family-names given-names", "orcid affiliation")]}
CFF = record(
    "cff-version message title authors",
    "abstract type version date-released license keywords references doi repository-code url",
    cff_version={"const": "1.2.0"},
    authors=several(PERSON),
    type={"enum": ["software", "dataset"]},
    date_released=DATE,
    license={"enum": ["MIT"]},
    keywords=WORDS,
    doi=DOI,
    references=several(
        record(
            "type title authors",
            "journal year doi",
            type={"enum": ["article"]},
            authors=several(PERSON),
            year={"type": "integer"},
            doi=DOI,
        )
    ),
)
ZENODO = record(
    "title upload_type description creators access_right license",
    "version keywords language notes related_identifiers",
    upload_type={"enum": ["software"]},
    creators=several(record("name", "affiliation orcid")),
    access_right={"const": "open"},
    keywords=WORDS,
    language={"type": "string", "pattern": "^[a-z]{3}$"},
    related_identifiers=several(
        record(
            "identifier relation",
            "scheme resource_type",
            relation={"enum": ["references", "cites", "isSupplementTo", "isDerivedFrom"]},
            scheme={"enum": ["doi", "url"]},
            resource_type={"enum": ["publication-article"]},
        )
    ),
)
CODEMETA = record(
    "@context @type name description author license version",
    "datePublished keywords programmingLanguage runtimePlatform softwareRequirements operatingSystem codeRepository "
    "referencePublication",
    context={"const": "https://w3id.org/codemeta/3.0"},
    type={"const": "SoftwareSourceCode"},
    author=several(record("@type name", type={"enum": ["Organization"]})),
    license={"type": "string", "pattern": "^https://spdx.org/licenses/"},
    datePublished=DATE,
    keywords=WORDS,
    softwareRequirements=WORDS,
    operatingSystem=WORDS,
    referencePublication=record(
        "@type @id name", type={"const": "ScholarlyArticle"}, id={"type": "string", "pattern": "^https://doi.org/10"}
    ),
)


def cff() -> dict:
    """Return CITATION.cff with its dates as text, as the schema wants them."""
    read = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in read.items()}


def read(name: str) -> dict:
    return json.loads((ROOT / name).read_text(encoding="utf-8"))


FILES = {"CITATION.cff": (cff, CFF), ".zenodo.json": (lambda: read(".zenodo.json"), ZENODO)}
FILES["codemeta.json"] = (lambda: read("codemeta.json"), CODEMETA)


@pytest.mark.parametrize("name", FILES)
def test_a_file_follows_the_rules_of_its_format(name):
    content, schema = FILES[name][0](), FILES[name][1]
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(content, schema)
    for field in schema["required"]:  # the rules do refuse
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({key: value for key, value in content.items() if key != field}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content | {"unknown": "x"}, schema)


def test_all_say_the_same_as_the_project():
    citation, zenodo, codemeta = cff(), read(".zenodo.json"), read("codemeta.json")
    assert {coldbond.__version__} == {citation["version"], zenodo["version"], codemeta["version"]}
    assert PROJECT["name"] == codemeta["name"] and citation["title"].startswith(f"{PROJECT['name']}: ")
    assert citation["title"] == zenodo["title"]
    assert PROJECT["license"] == citation["license"] == zenodo["license"]
    assert codemeta["license"] == f"https://spdx.org/licenses/{PROJECT['license']}"
    authors = [author["name"] for author in PROJECT["authors"]]
    assert all(
        [one["name"] for one in listed] == authors
        for listed in (citation["authors"], zenodo["creators"], codemeta["author"])
    )
    assert PROJECT["keywords"] == citation["keywords"] == zenodo["keywords"] == codemeta["keywords"]
    assert codemeta["description"] == citation["abstract"]
    assert zenodo["description"] == f"<p>{citation['abstract']}</p>"
    assert codemeta["datePublished"] == citation["date-released"]
    assert codemeta["runtimePlatform"] == f"Python {PROJECT['requires-python']}"
    assert f"Copyright (c) 2026 {authors[0]}" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_all_name_the_paper():
    (paper,) = cff()["references"]
    (related,) = read(".zenodo.json")["related_identifiers"]
    published = read("codemeta.json")["referencePublication"]
    assert paper["doi"] == related["identifier"] == published["@id"].removeprefix("https://doi.org/")
    assert paper["title"] == published["name"]
    assert paper["doi"] in PROJECT["description"]
