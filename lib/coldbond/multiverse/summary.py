"""What becomes of each statement of the paper in all runs."""

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from coldbond.bundle.claims.paper import Paper
from coldbond.bundle.claims.report import KEY
from coldbond.bundle.claims.verdicts import AGREES, DISAGREES, tests, verdict
from coldbond.multiverse.grid import Run, choices

ABSENT = [None, None, None, "not found"]  # a run in which there is no such value


def summarise(
    runs: Sequence[Run], found: Mapping[str, dict], built: Mapping[str, dict], paper: Paper, stated: Mapping
) -> dict:
    """Return the multiverse as figures/multiverse/multiverse.json holds it.

    Parameters
    ----------
    runs : sequence of Run
        From `grid.runs`.
    found : mapping of str to dict
        From `gather.gather`.
    built : mapping of str to dict
        The figures, from `claims.verdicts.built`.
    paper : Paper
        What is claimed.
    stated : mapping
        choices.yml.

    Returns
    -------
    dict
        "figures": of each its choices, the runs by what they change, and why some failed. "claims": of each statement
        in how many runs that did not fail it agrees (`n` of `N`, all its rows together), and its rows, one for each
        finding that tests it: `n`, `disagrees`, `N`, `alone`, the single changes that give another verdict, and for
        each run of the figure value, low, high and verdict.
    """
    figures, claims = {}, {}
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


def _verdicts(claim, numbers: Mapping) -> dict[tuple[str, str, str], list]:
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
    """Return the figures whose own parameters give other numbers here than in a kernel of their own."""
    return [
        run.figure
        for run in runs
        if not run.changed
        and "numbers" in found[run.key]
        and found[run.key]["numbers"]["values"] != built[run.figure]["values"]
    ]


def names(rows: Sequence[Mapping]) -> list[str]:
    """Return what tells the rows of a statement apart: "ccd_rt [RT-MCL-LLZ]"."""
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
    """Return for each finding that tests a statement in how many runs the statement holds, and what it hangs on."""
    lines = []
    for one in summary["claims"].values():
        for row, short in zip(one["rows"], names(one["rows"]), strict=True):
            others = sum(entry is not None and entry[3] != row["verdict"] for entry in row["runs"])
            line = f"{row['figure']:8}{short:64} holds in {row['n']:3} of {row['N']:3}"
            if others:
                alone = ", ".join(row["alone"]) or "no single choice"
                line += f"; {row['disagrees']} disagree; another verdict by {alone}"
            lines.append(line)
    runs = sum(len(figure["runs"]) for figure in summary["figures"].values())
    failed = sum(len(figure["failed"]) for figure in summary["figures"].values())
    return "\n".join([*lines, f"{runs} runs of {len(summary['figures'])} figures, {failed} failed"])


def write(summary: Mapping, path: Path) -> None:
    """Write the summary, a line for each run, so that a change can be read."""
    text = json.dumps(summary, indent=1, ensure_ascii=False, default=dict)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(_compact(text) + "\n", encoding="utf-8")
    os.replace(part, path)


def _compact(text: str) -> str:
    """Put each innermost list or object of a JSON text on one line."""
    lines, inner = [], None
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
