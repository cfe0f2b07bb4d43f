"""A manifest of a folder of recordings, from what the files say: `coldbond init FOLDER`.

Each file is read (`look`); its data, with its names as a second witness, give the role (`roles`); what varies between
names gives sample, state and replicate (`naming`). Constants are written only where a file states them. A second run
adds rows for new files and changes no row that is there.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from coldbond.bundle import manifest
from coldbond.cli import differences, look, naming, report, requirements, roles
from coldbond.cli.look import Look
from coldbond.cli.naming import Name
from coldbond.cli.proposed import Proposed

#: Columns of a new manifest; those of what a file does not say are added where a file needs them.
COLUMNS = (*manifest.COLUMNS[:5], manifest.REPLICATE, *manifest.COLUMNS[5:])
#: What was seen of a recording, what its names say, and what is proposed.
_Found = tuple[Look, Name, Proposed]
#: What is named after its lines.
STANDARDS = ("Ne", "Si", "LaB6")
#: Roles whose recordings of one cell differ in their state.
OVER_STATES = ("interface", "full-cell-interface", "arrhenius")


def run(folder: Path, echo: Callable[[str], None]) -> int:
    """Propose a manifest of a folder, print it and write its new rows; return the exit status.

    Parameters
    ----------
    folder : Path
    echo : callable
        Prints a text.

    Raises
    ------
    As `proposal` and `write`.
    """
    proposed = proposal(folder)
    echo(report.table(proposed))
    if any(one.kind == "new" for one in proposed):
        echo(f"{write(folder, proposed)} is written: fill in what is asked for above, then run coldbond check {folder}")
    return 0


def proposal(folder: Path) -> list[Proposed]:
    """Return what is proposed for each file of a folder, in the order of paths.

    Parameters
    ----------
    folder : Path
        Folder of recordings, at any depth and with any names.

    Raises
    ------
    coldbond.bundle.manifest.ManifestError
        The folder has a manifest that cannot be read as a table.
    NotADirectoryError
        There is no such folder.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder}: no such folder: give the folder of the recordings")
    listed = _existing(folder)
    proposed: list[Proposed] = []
    seen: list[Look] = []
    for file, reason in look.files(folder):
        if reason:
            proposed.append(Proposed(file, "left out", reason))
            continue
        seen += _with_named_technique(folder, look.look(folder, file))
    files = {one.file for one in proposed} | {one.file for one in seen}
    folded = {file.casefold(): file for file in sorted(files)}
    means = [_file_of(row, files, folded) for row in listed]
    there = set(means)
    _leave_out_copies(seen, there)
    kept = [one for one in seen if not one.left_out]
    proposed += [Proposed(one.file, "left out", one.left_out) for one in seen if one.left_out and one.file not in there]
    names = naming.names(kept, [row["sample"] for row in listed if row.get("sample")])
    found = [_proposed(one, name, *role) for one, name, role in zip(kept, names, roles.roles(kept, names), strict=True)]
    new = [(one, name, to) for one, name, to in zip(kept, names, found, strict=True) if one.file not in there]
    known = {one.file: name for one, name in zip(kept, names, strict=True)}
    _tell_by_names(new, [(row, known[file]) for row, file in zip(listed, means, strict=True) if file in known])
    _distinguish(new, listed)
    proposed += [to for _, _, to in new]
    for row, file in zip(listed, means, strict=True):
        what = "as listed" if file else "there is no such file: delete its row, or correct the path"
        proposed.append(Proposed(row["file"], "listed" if file else "gone", what, dict(row)))
    return sorted(proposed, key=lambda one: (one.file, one.row.get("sample", ""), one.row.get("sweep", "")))


def _with_named_technique(folder: Path, seen: list[Look]) -> list[Look]:
    """Return what was seen, after a technique that only the names state was tried."""
    result = []
    for one in seen:
        if "technique" in one.missing and not one.left_out:
            (name,) = naming.names([one])
            tried = [look.with_technique(folder, one, technique) for technique in sorted(name.techniques)]
            fitting = [found for found in tried if found is not None]
            if len(fitting) == 1:
                fitting[0].what += ", which its name says"
                fitting[0].missing = ("technique from its name", *fitting[0].missing)
                one = fitting[0]
        result.append(one)
    return result


def _leave_out_copies(seen: list[Look], listed: set[str]) -> None:
    """Leave out all but one export of the same measurement: one that is listed, else the one that says most."""
    groups: dict[tuple, list[Look]] = defaultdict(list)
    for one in seen:
        if not one.left_out or one.technique:
            groups[(one.technique, one.size)].append(one)
    for group in groups.values():
        kept: list[Look] = []
        # Fewest missing statements first, then the one that says most.
        for one in sorted(group, key=lambda x: (x.file not in listed, len(x.missing), -x.says, x.file)):
            first = next((other for other in kept if look.same(one, other)), None)
            if first is None:
                kept.append(one)
            elif first.file != one.file:
                how = "a copy of it" if first.sha256 == one.sha256 else f"the same measurement ({first.format})"
                why = "" if first.sha256 == one.sha256 else ", which states more" if first.says > one.says else ""
                one.left_out = f"{how} is proposed: {first.file}{why}"


def _file_of(row: dict[str, str], files: set[str], folded: dict[str, str]) -> str:
    """Return the file that a row of the manifest means, whose capitals and slashes may differ; "" of none."""
    file = row["file"].replace("\\", "/").removeprefix("./")
    return file if file in files else folded.get(file.casefold(), "")


def _proposed(one: Look, name: Name, role: str, why: str) -> Proposed:
    row = dict.fromkeys(COLUMNS, "")
    sample = one.lines if one.lines in STANDARDS else name.sample
    stated = [column for column in one.missing if column in manifest.STATED]
    row |= {
        "file": one.file,
        "technique": one.technique,
        "role": role,
        "sample": sample,
        "state": roles.state(one, name, role),
        "replicate": name.replicate,
        "origin": "computed" if one.technique == "energies" else "synthetic" if one.is_synthetic else "measured",
        "sha256": one.sha256,
        **dict.fromkeys(stated, ""),
    }
    row |= {column: value for column, value in one.constants.items()}
    row |= {"sample_in_file": one.sample_in_file} if one.sample_in_file else {}
    row |= {"sweep": one.sweep} if one.sweep else {}
    remarks = [f"{column} {value} as the file states" for column, value in sorted(one.constants.items())]
    temperature = roles.celsius(one, name)
    if temperature is not None and not row["temperature_C"]:
        row["temperature_C"] = f"{temperature:g}"
        remarks.append(f"{temperature:g} °C from the name")
    fill = [*stated]
    if not one.technique:
        fill += ["technique"]
    elif "technique from its name" in one.missing:
        remarks.append(f"technique from its name; columns without names, taken as {look.COLUMNS[one.technique]}: check")
    if not role:
        fill.append("role")
        remarks += [why] if why else []
    fill += [column for column in requirements.columns(role) if not row[column]]
    if not name.is_sure and sample == name.sample:
        remarks.append("sample from its name, check it")
    row["note"] = f"{one.format}; {one.what}" if one.format else one.what
    return Proposed(one.file, "new", row["note"], row, fill, remarks)


def _tell_by_names(new: Sequence[_Found], listed: Sequence[tuple[dict[str, str], Name]]) -> None:
    """Make samples, or states, of what differs between the names of recordings besides numbers of cells.

    Conditions that are not known here must not be averaged as if they were replicates.
    """
    samples = {naming.key(sample): sample for sample in (to.row["sample"] for *_, to in new)}
    beside: dict[str, set[str]] = defaultdict(set)
    for _, name, to in new:
        for word in name.words:
            beside[word].add(to.row["sample"])
    groups: dict[tuple[str, ...], list[_Found]] = defaultdict(list)
    for found in new:
        role, sample, state = _condition(found[2].row)
        if found[0].lines not in STANDARDS:
            groups[(role, sample) if role in OVER_STATES else (role, sample, state)].append(found)
    for condition, group in groups.items():
        others = [name for row, name in listed if _condition(row)[: len(condition)] == condition]
        names = [*(name for _, name, _ in group), *others]
        states = [to.row["state"] for *_, to in group]
        if len(set(states)) == len(states) and condition[0] in OVER_STATES:
            # No two of these would be replicates, and a word beside several samples is an operator's.
            names = [replace(name, words=[word for word in name.words if len(beside[word]) < 2]) for name in names]
        words = differences.words(names)
        if len(set(words)) == 1:
            words = differences.words([replace(name, words=name.of_header) for name in names])
        said = [_conditions(name, to.row) for _, name, to in group]
        said += [_conditions(name, group[0][2].row) for name in others]
        for (_, name, to), word, more in zip(group, words, differences.conditions(said), strict=False):
            if condition[0] in OVER_STATES:
                word, more = "-".join(filter(None, (word, more.replace(", ", "-")))), ""
            if word:
                sample = to.row["sample"]
                is_before = word.split("-")[0] in name.words[: name.lead]
                whole = f"{word}-{sample}" if is_before else f"{sample}-{word}"
                to.row["sample"] = samples.get(naming.key(word), whole)
                to.remarks.append("sample from its name, check it")
            if more:
                to.row["state"] = ", ".join(filter(None, (to.row["state"], more)))
                to.remarks.append("state from its name, check it")
            to.remarks[:] = dict.fromkeys(to.remarks)


def _conditions(name: Name, row: dict[str, str]) -> list[str]:
    """Return the quantities and states that a name says and the state of a row does not."""
    said = [*name.conditions, *name.states, name.current]
    if row["role"] not in OVER_STATES:
        said += [f"cycle {name.cycle}"] if name.cycle is not None else []
        said += ["cycled"] if name.is_cycled else []
    if name.bare_c is not None and row["temperature_C"] != f"{name.bare_c:g}":
        said.append(f"{name.bare_c:g}C")
    return [one for one in said if one and one not in row["state"]]


def _distinguish(new: Sequence[_Found], listed: Sequence[dict[str, str]]) -> None:
    """Make the labels within a role different: by temperature, current or other words, else by replicates."""
    taken = Counter(_identity(row) for row in listed)
    for group in _by_condition(new).values():
        role = group[0][2].row["role"]
        if role in OVER_STATES:
            _tell_apart(group, [_with_unit(to.row["temperature_C"], "°C") for *_, to in group])
        elif role == "long-cycling":
            _tell_apart(group, [_with_unit(f"{one.current * 1e3:.3g}", "mA") for one, *_ in group])
    _number_series(new)
    for condition, group in _by_condition(new).items():
        others = [row for row in listed if _condition(row) == condition]
        marks = [to.row["replicate"] for *_, to in group]
        if len(group) + len(others) == 1 or not condition[0]:
            continue
        if len(set(marks)) == len(marks) and all(marks) and not any(taken[_identity(to.row)] for *_, to in group):
            continue
        _number(group, others)


def _by_condition(new: Sequence[_Found]) -> dict[tuple[str, ...], list[_Found]]:
    groups: dict[tuple[str, ...], list[_Found]] = defaultdict(list)
    for found in new:
        groups[_condition(found[2].row)].append(found)
    return groups


def _with_unit(number: str, unit: str) -> str:
    return f"{number} {unit}" if number else ""


def _tell_apart(group: list[_Found], values: list[str]) -> None:
    """Add to the states of a group what differs between its recordings, where some of them differ in it."""
    if len(set(values)) > 1 and all(values):
        for value, (*_, to) in zip(values, group, strict=True):
            if value not in to.row["state"]:
                to.row["state"] = ", ".join(filter(None, (to.row["state"], value)))


def _number_series(new: Sequence[_Found]) -> None:
    """Number the cells of one sample whose spectra over cycles, or temperatures, lie under different names."""
    samples: dict[tuple[str, str], list[tuple[Name, Proposed]]] = defaultdict(list)
    for _, name, to in new:
        if to.row["role"] in OVER_STATES and not to.row["replicate"]:
            samples[to.row["role"], to.row["sample"]].append((name, to))
    for group in samples.values():
        most = max(Counter(to.row["state"] for _, to in group).values())
        series = sorted({name.series for name, _ in group})
        if most > 1 and len(series) == most:
            for name, to in group:
                to.row["replicate"] = str(series.index(name.series) + 1)
                to.remarks.append("replicates in the order of names, check them")


def _number(group: list[_Found], others: Sequence[dict[str, str]]) -> None:
    """Number recordings of the same sample and state that names do not number, by their paths.

    Where the paths tell series of recordings apart, such as spectra over cycles, a series has one number.
    """
    marks = Counter(to.row["replicate"] for *_, to in group)
    used = {row.get("replicate", "") for row in others} | {mark for mark, count in marks.items() if count == 1}
    ordered = sorted(group, key=lambda one: Path(one[2].file).with_suffix("").as_posix())
    number = 0
    for *_, to in ordered:
        mark = to.row["replicate"]
        if mark and marks[mark] == 1 and not any(row.get("replicate", "") == mark for row in others):
            continue
        number += 1
        while str(number) in used:
            number += 1
        to.row["replicate"] = str(number)
        used.add(str(number))
        to.remarks.append("replicates in the order of names, check them")
    if "" in {row.get("replicate", "") for row in others}:
        ordered[0][2].remarks.append(f"write a replicate into the row of {others[0]['file']} too")


def _condition(row: dict[str, str]) -> tuple[str, ...]:
    return row.get("role", ""), row.get("sample", ""), row.get("state", "")


def _identity(row: dict[str, str]) -> tuple[str, ...]:
    return (*_condition(row), row.get("replicate", ""))


def _existing(folder: Path) -> list[dict[str, str]]:
    """Return the rows of the manifest of a folder, whether they can be used or not; none where there is no manifest."""
    return manifest.load(folder).listed if os.path.lexists(manifest.path(folder)) else []


def write(folder: Path, proposed: Sequence[Proposed]) -> Path:
    """Write the new rows into manifest.csv of a folder, below those that are there, which stay byte for byte.

    Parameters
    ----------
    folder : Path
    proposed : sequence of Proposed
        From `proposal`.

    Returns
    -------
    Path
        Of the manifest.

    Raises
    ------
    coldbond.bundle.manifest.ManifestError
        The manifest that is there is a workbook, to which rows cannot be added.
    """
    new = [one.row for one in proposed if one.kind == "new"]
    needed = [name for name in manifest.STATED if any(name in row for row in new)]
    columns = [*COLUMNS[:-1], *needed, "note"]
    manifest.write(folder, [{name: row.get(name, "") for name in columns} for row in new])
    return Path(manifest.path(folder))
