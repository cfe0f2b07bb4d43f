"""What the paper states, read from claims.yml and checked; and what its own numbers make of each other."""

import ast
import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import product
from os import PathLike
from pathlib import Path

import yaml

from coldbond.bundle import paths
from coldbond.bundle.findings import finding
from coldbond.files.errors import ReadError

KINDS = ("value", "approx", "step", "bound", "qualitative")
RELATIONS = (">=", "<=", ">", "<")
SECTIONS = ("materials", "reactions", "claims", "numbers", "contradictions", "protocol")
FIELDS = {  # of each section: those that must stand, those that may
    "claims": (
        ("id", "where", "kind", "statement"),
        ("value", "unit", "sample", "expected", "at", "note", "untestable", "findings"),
    ),
    "numbers": (("id", "value", "unit", "source"), ("low", "high")),
    "contradictions": (("id", "against", "formula", "statement"), ("note",)),
}
OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


@dataclass(frozen=True)
class Claim:
    """One statement, or a number that statements are compared with.

    Attributes
    ----------
    id, where, kind, statement, unit, note : str
        As in claims.yml.
    value : str
        The number as it is printed, with its relation where it is a bound; "" of a yes/no statement.
    samples : tuple of str
        Whose it is; empty for any sample.
    expected : dict of str to str
        By sample "yes" or "no".
    untestable : str
        Why no recording can test it.
    findings : dict of str to list or str
        Which findings test it: quantities, and state and role of the notebook's parameters where they matter.
    """

    id: str
    where: str
    kind: str
    statement: str
    value: str = ""
    unit: str = ""
    samples: tuple[str, ...] = ()
    expected: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    untestable: str = ""
    findings: Mapping = field(default_factory=dict)

    @property
    def relation(self) -> str:
        """The relation of a bound, "" of another claim."""
        return next((sign for sign in RELATIONS if self.value.startswith(sign)), "")

    @property
    def number(self) -> Decimal:
        """The number without its relation, with the digits that are printed."""
        return Decimal(self.value.removeprefix(self.relation).strip())

    @property
    def margin(self) -> Decimal:
        """How far the number itself is known.

        Half a unit of the last printed digit: 0.05 of 130.5, 5e-7 of 7.51e-4. The zeros at the end of 300 count as
        printed (0.5), because the paper marks what it rounds with a "≈". Such a number may be a whole unit of its last
        digit off that is not zero: 10 of "≈ 50", 0.1 of "≈ 398.5".
        """
        if self.kind == "approx":
            return Decimal(1).scaleb(self.number.normalize().as_tuple().exponent)
        return Decimal(5).scaleb(self.number.as_tuple().exponent - 1)


@dataclass(frozen=True)
class Paper:
    """The contents of claims.yml.

    Attributes
    ----------
    path : pathlib.Path
    claims : dict of str to Claim
    numbers : dict of str to Claim
        What is compared with and is no claim; `note` is the source.
    bounds : dict of str to tuple of Decimal
        Lowest and highest that each claim and number can be, by its digits or as it is given.
    contradictions : list of dict of str to str
    """

    path: Path
    claims: dict[str, Claim]
    numbers: dict[str, Claim]
    bounds: dict[str, tuple[Decimal, Decimal]]
    contradictions: list[dict[str, str]]


def load(path: str | PathLike[str] | None = None) -> Paper:
    """Return what the paper states.

    Parameters
    ----------
    path : path, optional
        A file like raw/claims.yml. Without it that of the folder of recordings, else the bundle's own.

    Raises
    ------
    coldbond.files.errors.ReadError
        The file cannot be used: says which claim and which field.
    """
    own = paths.RAW / "claims.yml"
    path = Path(path or (own if own.is_file() else paths.ROOT / "raw" / "claims.yml"))
    try:
        # Every scalar stays the text that it is: the digits of a number are part of what the paper states.
        content = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise ReadError(path, line, f"this is no YAML: {error.problem}", "put a text with , : or # in quotes") from None
    if not isinstance(content, dict) or not set(content) <= set(SECTIONS) or "claims" not in content:
        raise ReadError(path, None, f"it has no section claims, or others than {', '.join(SECTIONS)}", "name them so")
    entries = {name: _entries(path, name, content.get(name) or []) for name in FIELDS}
    claims = {entry["id"]: _claim(path, entry) for entry in entries["claims"]}
    numbers = {entry["id"]: _number(path, entry) for entry in entries["numbers"]}
    everything = claims | numbers
    ids = [entry["id"] for name in FIELDS for entry in entries[name]]
    for twice in {name for name in ids if ids.count(name) > 1}:
        raise _error(path, twice, "id", "another entry has the same", "rename one of them")
    bounds = {name: (one.number - one.margin, one.number + one.margin) for name, one in everything.items() if one.value}
    for entry in entries["numbers"]:
        given = [
            Decimal(entry[key]) if key in entry else bound
            for key, bound in zip(("low", "high"), bounds[entry["id"]], strict=True)
        ]
        bounds[entry["id"]] = tuple(given)
    paper = Paper(path, claims, numbers, bounds, entries["contradictions"])
    for entry in paper.contradictions:
        if entry["against"] not in bounds:
            raise _error(
                path, entry["id"], "against", f"no number is called {entry['against']!r}", "name one by its id"
            )
        computed(paper, entry)
    return paper


def _error(path: Path, name: str, column: str, reason: str, mend: str) -> ReadError:
    return ReadError(path, None, f"{name}, field {column}: {reason}", mend)


def _entries(path: Path, section: str, entries: Sequence) -> list[dict]:
    """Return the entries of a section, with no field missing and none unknown."""
    needed, allowed = FIELDS[section]
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict) or not entry.get("id"):
            raise ReadError(path, None, f"entry {number} of {section} has no id", "write it as {id: ..., ...}")
        missing = [name for name in needed if not entry.get(name)]
        unknown = [name for name in entry if name not in needed + allowed]
        if missing:
            raise _error(path, entry["id"], missing[0], "it is missing", "write it")
        if unknown:
            known = ", ".join(needed + allowed)
            raise _error(
                path, entry["id"], unknown[0], "it is unknown", f"write one of {known}; quote a text with a comma"
            )
    return list(entries)


def _claim(path: Path, entry: Mapping) -> Claim:
    name = entry["id"]
    if entry["kind"] not in KINDS:
        raise _error(path, name, "kind", f"{entry['kind']!r} is unknown", f"write {', '.join(KINDS)}")
    numeric = entry["kind"] != "qualitative"
    for column in ("value", "unit"):
        if numeric != bool(entry.get(column)):
            reason = f"a claim of the kind {entry['kind']} {'needs it' if numeric else 'has none'}"
            raise _error(path, name, column, reason, "write it" if numeric else "leave it out")
    expected = entry.get("expected", {})
    if (numeric and expected) or not isinstance(expected, dict) or not {*expected.values()} <= {"yes", "no"}:
        raise _error(path, name, "expected", "it says of samples what a yes/no claim expects", "write {A: yes, B: no}")
    by = entry.get("findings", {})
    if (
        not isinstance(by, dict)
        or not {*by} <= {"quantity", "state", "role"}
        or (by and not isinstance(by.get("quantity"), list))
    ):
        raise _error(
            path, name, "findings", "it has quantity, a list, and may have state and role", "write {quantity: [a]}"
        )
    if bool(by) == bool(entry.get("untestable")):
        reason = "a claim has either findings, which test it, or says why it is untestable"
        raise _error(path, name, "findings", reason, "write {quantity: [a]}, a quantity of figures/NAME.json")
    given = entry.get("sample", [])
    samples = tuple(expected) or ((given,) if isinstance(given, str) else tuple(given))
    plain = {
        key: entry[key]
        for key in ("id", "where", "kind", "statement", "value", "unit", "note", "untestable")
        if key in entry
    }
    claim = Claim(**plain, samples=samples, expected=expected, findings=by)
    _digits(path, claim)
    return claim


def _number(path: Path, entry: Mapping) -> Claim:
    number = Claim(entry["id"], "", "value", entry["source"], entry["value"], entry["unit"], note=entry["source"])
    _digits(path, number)
    for column in ("low", "high"):
        if column in entry:
            _digits(path, Claim(entry["id"], "", "value", "", entry[column]), column)
    return number


def _digits(path: Path, claim: Claim, column: str = "value") -> None:
    try:
        good = claim.kind == "qualitative" or claim.number.is_finite()
    except InvalidOperation:
        good = False
    if not good or (claim.kind == "bound") != bool(claim.relation):
        wanted = '">= 800", in quotes' if claim.kind == "bound" else "the digits, like 7.51e-4"
        raise _error(path, claim.id, column, f"{claim.value!r} is no {claim.kind}", f"write {wanted}")


def computed(paper: Paper, contradiction: Mapping[str, str]) -> dict:
    """Return what the formula of a contradiction gives, as `findings.finding` does.

    The interval is that of all numbers within their bounds, each at its own ends; the note holds the arithmetic.
    """
    name, formula = contradiction["id"], contradiction["formula"]
    try:
        tree = ast.parse(formula, mode="eval").body
        used = sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)})
        known = paper.claims | paper.numbers
        value = _evaluated(tree, {key: known[key].number for key in used})
        corners = [
            _evaluated(tree, dict(zip(used, ends, strict=True)))
            for ends in product(*(paper.bounds[key] for key in used))
        ]
    except (SyntaxError, KeyError, TypeError, ArithmeticError) as error:
        mend = "write + - * / of numbers and of ids of claims and numbers"
        raise _error(paper.path, name, "formula", f"{formula!r} gives nothing: {error!r}", mend) from None
    against = known[contradiction["against"]]
    text = re.sub(r"[A-Za-z_]\w*", lambda found: known[found[0]].value if found[0] in known else found[0], formula)
    text = text.replace(" * ", " × ").replace(" - ", " − ")
    found = finding(name, float(value), float(min(corners)), float(max(corners)), against.unit)
    shown = f"{found['value']:.6g}"
    arithmetic = [f"{text} = {shown}"] if formula not in known else []
    stands = against.value.removeprefix(against.relation).strip()
    apart, ratio = float(against.number) - found["value"], float(against.number) / found["value"]
    if 0.2 < ratio < 5:
        arithmetic.append(f"{stands} − {shown} = {apart:+.3g} {against.unit}".replace("-", "−"))
    else:
        arithmetic.append(f"{stands} / {shown} = {ratio:.3g}")
    sources = [paper.numbers[key].note for key in used if key in paper.numbers]
    return found | {"note": "; ".join([*arithmetic, *sources, *filter(None, [contradiction.get("note")])])}


def _evaluated(node: ast.AST, numbers: Mapping[str, Decimal]) -> Decimal:
    match node:
        case ast.Constant(value=int() | float()):
            return Decimal(str(node.value))
        case ast.Name():
            return numbers[node.id]
        case ast.BinOp() if type(node.op) in OPERATORS:
            return OPERATORS[type(node.op)](_evaluated(node.left, numbers), _evaluated(node.right, numbers))
    raise TypeError(f"{ast.unparse(node)} is no arithmetic")
