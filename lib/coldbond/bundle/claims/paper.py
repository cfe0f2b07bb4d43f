"""The statements of the paper, read from claims.yml and checked, and the arithmetic between its numbers.

Numbers stay `Decimal` with the digits that the paper prints, because the last printed digit says how precisely a
number is known: 0.2 means 0.15 to 0.25, 0.20 means 0.195 to 0.205. Each claim selects the findings that test it by
quantity, sample, state and role. A contradiction is a formula of claims and other numbers that is compared with one of
them; its interval spans all combinations of the bounds of its terms.
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import product
from os import PathLike
from pathlib import Path

import yaml

from coldbond.bundle import paths
from coldbond.bundle.findings import finding
from coldbond.files.errors import ReadError
from coldbond.interval import Interval

KINDS = ("value", "approx", "step", "bound", "qualitative")
RELATIONS = (">=", "<=", ">", "<")
SECTIONS = ("source", "materials", "reactions", "claims", "numbers", "contradictions", "protocol")
FIELDS = {  # of each section: required fields, optional fields
    "claims": (
        ("id", "where", "kind", "statement"),
        ("value", "unit", "sample", "expected", "at", "note", "untestable", "findings"),
    ),
    "numbers": (("id", "value", "unit", "source"), ("low", "high", "where")),
    "contradictions": (("id", "against", "formula", "statement"), ("note",)),
}
OPERATORS: dict[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}

#: If a number and the value that it is compared with differ by more than this factor, their ratio is shown instead of
#: their difference, which would be nearly the larger of the two.
SHOWN_AS_RATIO = 5.0


@dataclass(frozen=True)
class Selection:
    """The findings that test a claim.

    Attributes
    ----------
    quantities : tuple of str
        Quantities of the findings, any of them.
    state : str, optional
        State of the sample; None for any.
    role : str, optional
        The parameter `role` of the figure's notebook; None for any.
    """

    quantities: tuple[str, ...]
    state: str | None = None
    role: str | None = None


@dataclass(frozen=True)
class Claim:
    """A statement of the paper, or a number that statements are compared with.

    Attributes
    ----------
    id, where, kind, statement, unit, note : str
        As in claims.yml.
    value : str
        The number as printed, with its relation if it is a bound; "" for a yes/no statement.
    samples : tuple of str
        Samples that the statement is about; empty for any sample.
    expected : mapping of str to str
        "yes" or "no" for each sample of a yes/no statement.
    untestable : str
        Why no recording can test the statement.
    findings : Selection, optional
        The findings that test it; None if it is untestable.
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
    findings: Selection | None = None

    @property
    def relation(self) -> str:
        """The relation of a bound, such as ">="; "" for any other claim."""
        return next((sign for sign in RELATIONS if self.value.startswith(sign)), "")

    @property
    def number(self) -> Decimal:
        """The number without its relation, with the digits as printed."""
        return Decimal(self.value.removeprefix(self.relation).strip())

    @property
    def margin(self) -> Decimal:
        """The rounding error of the printed number.

        It is half a unit of the last printed digit: 0.05 for 130.5, 5e-7 for 7.51e-4. The zeros of 300 count as printed
        digits (0.5), because the paper marks rounded numbers with "≈". A number with "≈" may be off by a whole unit of
        its last digit other than zero: 10 for "≈ 50", 0.1 for "≈ 398.5".
        """
        if self.kind == "approx":
            return Decimal(1).scaleb(_exponent(self.number.normalize()))
        return Decimal(5).scaleb(_exponent(self.number) - 1)


@dataclass(frozen=True)
class Paper:
    """The contents of claims.yml.

    Attributes
    ----------
    path : pathlib.Path
    source : str
        The publication or report that the statements are taken from; "" if the file does not say.
    claims : dict of str to Claim
        Statements, by id.
    numbers : dict of str to Claim
        Numbers that are compared with statements without being statements; `note` is the source, and `where` is empty
        unless the paper itself prints the number.
    bounds : dict of str to tuple of Decimal
        Lowest and highest value of each claim and number, from its printed digits or as given.
    contradictions : list of dict of str to str
    """

    path: Path
    source: str
    claims: dict[str, Claim]
    numbers: dict[str, Claim]
    bounds: dict[str, tuple[Decimal, Decimal]]
    contradictions: list[dict[str, str]]


def load(path: str | PathLike[str] | None = None) -> Paper:
    """Read the statements of the paper.

    Parameters
    ----------
    path : path, optional
        A file like raw/claims.yml. By default claims.yml of the folder of recordings or, without it, that of raw/.

    Raises
    ------
    coldbond.files.errors.ReadError
        The file cannot be used; the message names claim and field.
    """
    own = paths.RAW / "claims.yml"
    path = Path(path or (own if own.is_file() else paths.ROOT / "raw" / "claims.yml"))
    try:
        # BaseLoader keeps every scalar as text, because the printed digits of a number matter.
        content = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise ReadError(
            path, line, f"not valid YAML: {error.problem}", "put text that contains , : or # in quotes"
        ) from None
    if not isinstance(content, dict) or not set(content) <= set(SECTIONS) or "claims" not in content:
        reason = f"the section claims is missing, or a section is none of {', '.join(SECTIONS)}"
        raise ReadError(path, None, reason, "use these names")
    source = content.get("source", "")
    if not isinstance(source, str):
        raise ReadError(path, None, f"source: {source!r} is not a text", "write source: authors, journal, year, doi")
    entries = {name: _entries(path, name, content.get(name) or []) for name in FIELDS}
    claims = {entry["id"]: _claim(path, entry) for entry in entries["claims"]}
    numbers = {entry["id"]: _number(path, entry) for entry in entries["numbers"]}
    everything = claims | numbers
    ids = [entry["id"] for name in FIELDS for entry in entries[name]]
    for twice in {name for name in ids if ids.count(name) > 1}:
        raise _error(path, twice, "id", "another entry has the same id", "rename one of them")
    bounds = {name: (one.number - one.margin, one.number + one.margin) for name, one in everything.items() if one.value}
    for entry in entries["numbers"]:
        low, high = bounds[entry["id"]]
        bounds[entry["id"]] = (Decimal(entry.get("low", low)), Decimal(entry.get("high", high)))
    paper = Paper(path, source, claims, numbers, bounds, entries["contradictions"])
    for entry in paper.contradictions:
        if entry["against"] not in bounds:
            reason = f"{entry['against']!r} is not the id of a number"
            raise _error(path, entry["id"], "against", reason, "write the id of a claim or a number")
        computed(paper, entry)
    return paper


def _error(path: Path, name: str, column: str, reason: str, remedy: str) -> ReadError:
    return ReadError(path, None, f"{name}, field {column}: {reason}", remedy)


def _exponent(number: Decimal) -> int:
    """Return the power of ten of the last digit."""
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        raise InvalidOperation(f"{number} is not finite")
    return exponent


def _entries(path: Path, section: str, entries: Sequence) -> list[dict]:
    """Return the entries of a section; each has all required fields and no unknown one."""
    required, optional = FIELDS[section]
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict) or not entry.get("id"):
            raise ReadError(path, None, f"entry {number} of {section} has no id", "write it as {id: ..., ...}")
        missing = [name for name in required if not entry.get(name)]
        unknown = [name for name in entry if name not in required + optional]
        if missing:
            raise _error(path, entry["id"], missing[0], "it is missing", "add it")
        if unknown:
            known = ", ".join(required + optional)
            raise _error(
                path, entry["id"], unknown[0], "it is unknown", f"use {known}; quote text that contains a comma"
            )
    return list(entries)


def _claim(path: Path, entry: Mapping) -> Claim:
    name = entry["id"]
    if entry["kind"] not in KINDS:
        raise _error(path, name, "kind", f"{entry['kind']!r} is unknown", f"use one of {', '.join(KINDS)}")
    numeric = entry["kind"] != "qualitative"
    for column in ("value", "unit"):
        if numeric != bool(entry.get(column)):
            reason = f"a claim of kind {entry['kind']} {'needs it' if numeric else 'must not have it'}"
            raise _error(path, name, column, reason, "add it" if numeric else "leave it out")
    expected = entry.get("expected", {})
    if (numeric and expected) or not isinstance(expected, dict) or not {*expected.values()} <= {"yes", "no"}:
        reason = "it gives the expected answer of a yes/no claim for each sample"
        raise _error(path, name, "expected", reason, "write {A: yes, B: no}")
    selection = _selection(path, name, entry["findings"]) if "findings" in entry else None
    if (selection is None) == (not entry.get("untestable")):
        reason = "a claim needs either findings, which test it, or the reason why it is untestable"
        raise _error(path, name, "findings", reason, "write {quantity: [a]} with a quantity of figures/NAME.json")
    given = entry.get("sample", [])
    samples = tuple(expected) or ((given,) if isinstance(given, str) else tuple(given))
    plain = {
        key: entry[key]
        for key in ("id", "where", "kind", "statement", "value", "unit", "note", "untestable")
        if key in entry
    }
    claim = Claim(**plain, samples=samples, expected=expected, findings=selection)
    _digits(path, claim)
    return claim


def _selection(path: Path, name: str, entry: object) -> Selection:
    """Check the field `findings` of a claim."""
    if not isinstance(entry, dict):
        raise _error(path, name, "findings", f"{entry!r} is not a mapping", "write {quantity: [a]}")
    if unknown := [key for key in entry if key not in ("quantity", "state", "role")]:
        remedy = "use quantity, state and role; the sample is a field of the claim itself"
        raise _error(path, name, f"findings.{unknown[0]}", "it is unknown", remedy)
    quantities = entry.get("quantity")
    if not isinstance(quantities, list) or not quantities or not all(isinstance(one, str) for one in quantities):
        raise _error(path, name, "findings.quantity", "it must be a list of quantities", "write quantity: [a, b]")
    for key in ("state", "role"):
        if not isinstance(entry.get(key, ""), str):
            raise _error(path, name, f"findings.{key}", "it must be one text", f"write {key}: a")
    return Selection(tuple(quantities), entry.get("state"), entry.get("role"))


def _number(path: Path, entry: Mapping) -> Claim:
    where, source = entry.get("where", ""), entry["source"]
    number = Claim(entry["id"], where, "value", source, entry["value"], entry["unit"], note=source)
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
        raise _error(path, claim.id, column, f"{claim.value!r} is not a {claim.kind}", f"write {wanted}")


def computed(paper: Paper, contradiction: Mapping[str, str]) -> dict:
    """Evaluate the formula of a contradiction, and return it as a finding.

    The interval spans the values at all combinations of the bounds of its terms, which are the extremes of a formula
    that is monotonic in each term. The note shows the arithmetic.
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
        remedy = "write + - * / of numbers and of the ids of claims and numbers"
        raise _error(paper.path, name, "formula", f"{formula!r} cannot be evaluated: {error!r}", remedy) from None
    against = known[contradiction["against"]]
    text = re.sub(r"[A-Za-z_]\w*", lambda found: known[found[0]].value if found[0] in known else found[0], formula)
    text = text.replace(" * ", " × ").replace(" - ", " − ")
    found = finding(name, Interval(float(value), float(min(corners)), float(max(corners))), against.unit)
    shown = f"{found['value']:.6g}"
    arithmetic = [f"{text} = {shown}"] if formula not in known else []
    stands = against.value.removeprefix(against.relation).strip()
    apart, ratio = float(against.number) - found["value"], float(against.number) / found["value"]
    if 1 / SHOWN_AS_RATIO < ratio < SHOWN_AS_RATIO:
        arithmetic.append(f"{stands} − {shown} = {apart:+.3g} {against.unit}".replace("-", "−"))
    else:
        arithmetic.append(f"{stands} / {shown} = {ratio:.3g}")
    sources = [paper.numbers[key].note for key in used if key in paper.numbers]
    return found | {"note": "; ".join([*arithmetic, *sources, *filter(None, [contradiction.get("note")])])}


def _evaluated(node: ast.AST, numbers: Mapping[str, Decimal]) -> Decimal:
    """Evaluate arithmetic without `eval`, so that a claims.yml from elsewhere cannot run code."""
    match node:
        case ast.Constant(value=int() | float()):
            return Decimal(str(node.value))
        case ast.Name():
            return numbers[node.id]
        case ast.BinOp() if type(node.op) in OPERATORS:
            return OPERATORS[type(node.op)](_evaluated(node.left, numbers), _evaluated(node.right, numbers))
    raise TypeError(f"{ast.unparse(node)} is not arithmetic")
