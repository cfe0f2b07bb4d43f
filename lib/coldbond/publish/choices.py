"""The choices of the analysis that change a verdict, as the report prints them."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coldbond.bundle.claims.statements import shown
from coldbond.bundle.claims.verdicts import EVIDENCE
from coldbond.publish.contents import Contents


def printed(contents: Contents, stated: Mapping[str, str]) -> dict[str, Any]:
    """Return what `make multiverse` found about these figures: a text, and a row for each finding that is sensitive.

    Parameters
    ----------
    contents : Contents
        The figures. Runs that belong to other numbers than theirs are not counted.
    stated : mapping of str to str
        The statement of each claim.
    """
    path = contents.out / "multiverse" / "multiverse.json"
    if not path.is_file():
        text = "The figures have not been drawn with other choices: make multiverse does that."
        return {"text": text, "rows": [], "file": ""}
    multiverse = json.loads(path.read_text(encoding="utf-8"))
    figures = {
        name: one
        for name, one in multiverse["figures"].items()
        if (contents.out / f"{name}.json").is_file() and one["sha256"] == _sha256(contents.out / f"{name}.json")
    }
    findings = [row for claim in multiverse["claims"].values() for row in claim["rows"] if row["figure"] in figures]
    sensitive = [row for row in findings if any(run and run[3] != row["verdict"] for run in row["runs"])]
    runs = sum(len(one["runs"]) for one in figures.values())
    text = (
        f"{runs} runs of {len(figures)} figures with other defensible choices. Of {len(findings)} findings that test a "
        f"statement, {len(findings) - len(sensitive)} have the same verdict in all runs; the others stand below."
    )
    if old := [name for name in multiverse["figures"] if name not in figures]:
        text += f" Not counted, since their numbers have changed since these runs: {', '.join(old)}."
    return {"text": text, "rows": [_row(row, figures[row["figure"]], stated) for row in sensitive], "file": ""}


def _row(row: Mapping[str, Any], figure: Mapping[str, Any], stated: Mapping[str, str]) -> list[str]:
    evidence = EVIDENCE[figure["origin"]]
    sample = f" [{row['sample']}]" if row["sample"] else ""
    alone = [_choice(name, shown(word, evidence), figure) for name, word in row["alone"].items()]
    return [
        stated.get(row["claim"], row["claim"]) + sample,
        row["figure"],
        shown(row["verdict"] or "", evidence),
        f"{row['n']} of {row['N']}",
        "; ".join(alone) or "none, several together only",
    ]


def _choice(name: str, verdict: str, figure: Mapping[str, Any]) -> str:
    """Return a choice with the reason to prefer it and what it gives."""
    parameter, _, value = name.partition(": ")
    listed = figure["choices"].get(parameter, [])
    why = next((one["why"] for one in listed if json.dumps(one["value"], ensure_ascii=False) == value), "")
    return f"{parameter} = {value}{f' ({why})' if why else ''}: {verdict}"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
