"""The verdict of each statement of the paper in all runs of the multiverse."""

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from coldbond.bundle.claims.paper import Claim, Paper
from coldbond.bundle.claims.report import KEY
from coldbond.bundle.claims.verdicts import AGREES, DISAGREES, NO_DATA, tests, verdict
from coldbond.multiverse.grid import Run, choices

#: Value, low, high and verdict of a run in which the finding does not occur.
ABSENT = [None, None, None, NO_DATA]


def summarise(
    runs: Sequence[Run], found: Mapping[str, dict], built: Mapping[str, dict], paper: Paper, stated: Mapping
) -> dict:
    """Return the contents of figures/multiverse/multiverse.json.

    Parameters
    ----------
    runs : sequence of Run
        From `grid.runs`.
    found : mapping of str to dict
        From `gather.gather`.
    built : mapping of str to dict
        The figures, from `claims.verdicts.built`.
    paper : Paper
        The statements.
    stated : mapping
        choices.yml.

    Returns
    -------
    dict
        "figures" has for each figure its choices, the parameters that each run changes, and the reasons of failed runs.
        "claims" has for each statement the number `n` of the `N` successful runs in which it agrees, summed over its
        rows, and the rows, one for each finding that tests it: `n`, the number `disagrees`, `N`, the single changes
        that give another verdict (`alone`), and value, low, high and verdict of each run.
    """
    figures: dict[str, dict] = {}
    claims: dict[str, dict] = {}
    for figure, numbers in built.items():
        own = [run for run in runs if run.figure == figure]
        held = [found[run.key].get("numbers") for run in own]
        listed = choices(figure, numbers["notebook"], stated)
        figures[figure] = {
            "notebook": numbers["notebook"],
            "origin": numbers["origin"],
            "sha256": numbers["sha256"],
            "choices": {
                name: [{"value": numbers["parameters"][name], "why": "as built"}]
                + [one for one in alternatives if one["value"] != numbers["parameters"][name]]
                for name, alternatives in listed.items()
            },
            "runs": [run.changed for run in own],
            "failed": {str(i): found[run.key]["failed"] for i, run in enumerate(own) if not held[i]},
        }
        for claim in paper.claims.values():
            of_runs = [_verdicts(claim, one) if one else None for one in held]
            for key in dict.fromkeys(key for one in of_runs if one for key in one):
                entries = [None if one is None else one.get(key, ABSENT) for one in of_runs]
                row = dict(zip(KEY, (claim.id, *key, figure), strict=True)) | _counted(entries, own)
                claims.setdefault(claim.id, {"n": 0, "N": 0, "rows": []})["rows"].append(row)
    for one in claims.values():
        one |= {total: sum(row[total] for row in one["rows"]) for total in ("n", "N")}
    return {"figures": figures, "claims": {name: claims[name] for name in paper.claims if name in claims}}


def _verdicts(claim: Claim, numbers: Mapping) -> dict[tuple[str, str, str], list]:
    """Return value, low, high and verdict of each finding of a run that tests a claim."""
    return {
        (one["sample"], one["state"], one["quantity"]): [one["value"], one["low"], one["high"], verdict(claim, one)[0]]
        for one in numbers["values"]
        if tests(claim, numbers, one)
    }


def _counted(entries: Sequence[list | None], runs: Sequence[Run]) -> dict:
    words = [entry[3] if entry else None for entry in entries]
    alone = {
        f"{name}: {json.dumps(run.changed[name], ensure_ascii=False)}": word
        for run, word in zip(runs, words, strict=True)
        for name in run.changed
        if len(run.changed) == 1 and word not in (None, words[0]) and words[0]
    }
    counts = {"n": words.count(AGREES), "disagrees": words.count(DISAGREES), "N": len(words) - words.count(None)}
    return counts | {"verdict": words[0], "alone": alone, "runs": list(entries)}


def differences(runs: Sequence[Run], found: Mapping[str, dict], built: Mapping[str, dict]) -> list[str]:
    """Return the figures whose run as built gives other numbers than the figure's JSON file."""
    return [
        run.figure
        for run in runs
        if not run.changed
        and "numbers" in found[run.key]
        and found[run.key]["numbers"]["values"] != built[run.figure]["values"]
    ]


def names(rows: Sequence[Mapping]) -> list[str]:
    """Return names that distinguish the rows of a statement, such as "ccd_rt [RT-MCL-LLZ]"."""
    whose = [", ".join(filter(None, [row["sample"], row["state"].replace("pristine", "")])) for row in rows]
    once = Counter((own, row["figure"]) for own, row in zip(whose, rows, strict=True))
    by = [
        "" if once[own, row["figure"]] == 1 else " ".join(row["quantity"].split("_")[-2:])
        for own, row in zip(whose, rows, strict=True)
    ]
    return [
        f"{row['claim']} [{', '.join(filter(None, [own, quantity]))}]"
        for row, own, quantity in zip(rows, whose, by, strict=True)
    ]


def as_text(summary: Mapping) -> str:
    """Return a line for each finding that tests a statement: in how many runs it holds, and which choices change it."""
    lines = []
    for one in summary["claims"].values():
        for row, short in zip(one["rows"], names(one["rows"]), strict=True):
            others = sum(entry is not None and entry[3] != row["verdict"] for entry in row["runs"])
            line = f"{row['figure']:8}{short:64} holds in {row['n']:3} of {row['N']:3}"
            if others:
                alone = ", ".join(row["alone"]) or "no single choice"
                line += f"; {row['disagrees']} disagree; another verdict with {alone}"
            lines.append(line)
    runs = sum(len(figure["runs"]) for figure in summary["figures"].values())
    failed = sum(len(figure["failed"]) for figure in summary["figures"].values())
    return "\n".join([*lines, f"{runs} runs of {len(summary['figures'])} figures, {failed} failed"])


def write(summary: Mapping, path: Path) -> None:
    """Write the summary with one line for each run, so that `git diff` shows which runs changed."""
    text = json.dumps(summary, indent=1, ensure_ascii=False, default=dict)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(_compact(text) + "\n", encoding="utf-8")
    os.replace(part, path)


def _compact(text: str) -> str:
    """Put each innermost list or object of indented JSON on one line."""
    lines: list[str] = []
    inner: list[str] | None = None
    for line in text.split("\n"):
        bare = line.strip()
        if bare[-1:] in "[{" and bare:
            if inner is not None:
                lines += inner
            inner = [line]
        elif inner is not None and bare.rstrip(",") in ("]", "}"):
            lines.append(inner[0] + " ".join(one.strip() for one in inner[1:]) + bare)
            inner = None
        elif inner is not None:
            inner.append(line)
        else:
            lines.append(line)
    return "\n".join(lines)
