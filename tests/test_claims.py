"""Claims: the rules of a verdict, and the checks of claims.yml."""

import pytest

from coldbond.bundle import paths
from coldbond.bundle.claims import deciding, paper, verdicts
from coldbond.bundle.claims.verdicts import AGREES, DISAGREES, NO_DATA, UNDECIDED
from coldbond.bundle.findings import finding, item
from coldbond.files.errors import ReadError
from coldbond.interval import Interval
from stated_claims import GOOD, claim, stated

# ---- the digits of a number ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("printed", "kind", "margin"),
    [
        ("130.5", "value", 0.05),
        ("0.2", "value", 0.05),
        ("0.20", "value", 0.005),
        ("7.51e-4", "value", 5e-7),
        ("751e-4", "value", 0.5e-4),
        ("300", "value", 0.5),
        ("3e2", "value", 50),
        ("130", "approx", 10),
        ("50", "approx", 10),
        ("398.5", "approx", 0.1),
        (">= 2000", "bound", 0.5),
    ],
)
def test_a_number_is_known_to_its_last_printed_digit(printed, kind, margin):
    assert float(claim(printed, kind).margin) == margin


# ---- verdicts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "kind", "value", "low", "high", "word"),
    [
        ("0.2", "value", 0.21, 0.19, 0.23, AGREES),
        ("0.2", "value", 0.26, 0.25, 0.27, AGREES),  # 0.2 as printed may be 0.25
        ("0.2", "value", 0.26, 0.251, 0.27, DISAGREES),
        ("0.20", "value", 0.26, 0.25, 0.27, DISAGREES),
        ("130.5", "value", 130.4, 130.3, 130.45, AGREES),
        ("130.5", "value", 130.4, 130.3, 130.449, DISAGREES),
        ("300", "value", 301, 300.5, 302, AGREES),
        ("300", "value", 301, 300.6, 302, DISAGREES),
        ("7.51e-4", "value", 7.6e-4, 7.515e-4, 7.7e-4, AGREES),
        ("751e-4", "value", 7.6e-4, 7.5e-4, 7.7e-4, DISAGREES),
        ("-0.35", "value", -0.37, -0.38, -0.355, AGREES),
        ("50", "approx", 60.5, 60, 61, AGREES),
        ("50", "approx", 60.5, 60.1, 61, DISAGREES),
        ("398.5", "approx", 396.1, 395.9, 396.3, DISAGREES),
        # an interval with one bound cannot confirm a number, but can exclude it
        ("0.2", "value", 0.2, None, None, UNDECIDED),
        ("0.2", "value", None, 0.1, None, UNDECIDED),
        ("0.2", "value", None, 0.3, None, DISAGREES),
        ("0.2", "value", None, None, 0.1, DISAGREES),
        # the cell failed at the end of the interval
        ("0.2", "step", 0.2, 0.2, 0.3, AGREES),
        ("0.2", "step", 0.1, 0.1, 0.2, DISAGREES),
        ("0.2", "step", 0.3, 0.3, 0.4, DISAGREES),
        ("2.5", "step", 2.5, 2.5, None, UNDECIDED),
        ("1.8", "step", 2.5, 2.5, None, DISAGREES),
        (">= 2000", "bound", None, 2000.17, None, AGREES),
        (">= 2000", "bound", None, 1999.5, None, AGREES),
        (">= 2000", "bound", None, 1999.4, None, UNDECIDED),  # the test was too short
        ("> 2000", "bound", None, 1999.5, None, UNDECIDED),
        (">= 2000", "bound", 1500, 1400, 1600, DISAGREES),
        ("> 160", "bound", 154.1, 148.1, 160.2, UNDECIDED),
        ("> 160", "bound", 152.9, 152.8, 153.1, DISAGREES),
        ("> 160", "bound", 159.0, 158.0, 159.5, DISAGREES),
        (">= 160", "bound", 159.0, 158.0, 159.5, UNDECIDED),
        ("<= 30", "bound", 26.4, 26.3, 26.4, AGREES),
        ("<= 30", "bound", 30.4, 30.3, 30.5, AGREES),
        ("< 30", "bound", 30.4, 30.3, 30.5, UNDECIDED),
        ("<= 30", "bound", 40, 39, 41, DISAGREES),
        ("<= 30", "bound", None, 34, None, DISAGREES),
        ("<= 30", "bound", None, None, 20, AGREES),
        ("<= -3", "bound", -4, -5, -3, AGREES),
        (">= 1", "bound", None, None, None, UNDECIDED),
    ],
)
def test_a_number_against_the_stated_one(stated, kind, value, low, high, word):
    one = dict(quantity="q", sample="A", value=value, low=low, high=high, unit="V")
    assert verdicts.verdict(claim(stated, kind), one)[0] == word


@pytest.mark.parametrize(
    ("expected", "value", "word"),
    [
        ({}, True, AGREES),
        ({}, False, DISAGREES),
        ({"A": "no"}, False, AGREES),
        ({"A": "no"}, True, DISAGREES),
        ({"A": "no", "B": "yes"}, None, UNDECIDED),
    ],
)
def test_an_answer_against_the_expected_one_of_the_sample(expected, value, word):
    stated = claim(kind="qualitative", expected=expected, samples=tuple(expected))
    assert verdicts.verdict(stated, finding("q", value, sample="A"))[0] == word


def test_a_finding_that_cannot_be_compared_gives_the_reason():
    one = finding("q", Interval(1.0, 0.9, 1.1), "mAh", sample="A")
    assert verdicts.verdict(claim("1.0"), one) == (NO_DATA, "it was found in mAh, not in V")
    assert verdicts.verdict(claim("1.0", samples=("B", "C")), one) == (NO_DATA, "the paper states it for B, C")
    with pytest.raises(ValueError, match=r"q of A is 1\.0: claim c is qualitative"):
        verdicts.verdict(claim(kind="qualitative"), one)
    with pytest.raises(ValueError, match="q of A is True: claim c is value"):
        verdicts.verdict(claim("1.0"), finding("q", True, unit="V", sample="A"))


# ---- what would decide --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "kind", "value", "low", "high", "wanted"),
    [
        # as a bound "> 160" may be 159.5: 154.1 ± 5.4 excludes it, 154.1 ± 5.5 does not
        ("> 160", "bound", 154.1, 148.0, 160.2, "an interval narrower than ±5.4 V about 154.1 (now 148.0 to 160.2)"),
        ("<= 30", "bound", 29.0, 26.0, 32.0, "an interval narrower than ±1.5 V about 29.0 (now 26.0 to 32.0)"),
        ("> 160", "bound", 159.5, 158.0, 161.0, "a value that differs from 160 V (now 158.0 to 161.0)"),
        (">= 2000", "bound", None, 1200, None, "an interval on one side of 2000 V (now at least 1200)"),
        (">= 2000", "bound", None, None, 3000, "an interval on one side of 2000 V (now at most 3000)"),
        (
            "2.5",
            "step",
            2.5,
            2.5,
            None,
            "a staircase that goes on until a step fails (all steps up to 2.5 V were sustained)",
        ),
        ("0.2", "value", None, 0.1, None, "a recording that gives an upper bound (now at least 0.1 V)"),
        ("0.2", "value", None, None, 0.3, "a recording that gives a lower bound (now at most 0.3 V)"),
        ("0.2", "value", None, None, None, "data that determine it"),
    ],
)
def test_what_would_decide_a_number(stated, kind, value, low, high, wanted):
    one = finding("q", Interval(value, low, high) if value or low or high else None, "V", sample="A")
    assert verdicts.verdict(claim(stated, kind), one)[0] == UNDECIDED
    assert deciding.wanted(claim(stated, kind), one) == wanted


def test_the_interval_that_would_decide_does():
    bound = claim("> 160", "bound")
    for half, word in ((5.39, DISAGREES), (5.41, UNDECIDED)):
        assert verdicts.verdict(bound, finding("q", Interval(154.1, 154.1 - half, 154.1 + half), "V"))[0] == word


def test_a_note_or_a_threshold_says_what_would_decide_an_answer():
    asked = claim(kind="qualitative")
    assert deciding.wanted(asked, finding("q", None, note="six say so; would decide: a phase diagram")) == (
        "a phase diagram"
    )
    limits = [item("p", 0.001), item("share", 10, "%"), item("p", 0.001)]
    assert deciding.wanted(asked, finding("q", None, threshold=limits)) == (
        "evidence clear of its threshold (p and share)"
    )


# ---- claims.yml ---------------------------------------------------------------------------------------------------


def test_numbers_keep_their_printed_digits(tmp_path):
    read = stated(tmp_path)
    assert (read.claims["a"].value, read.claims["a"].samples) == ("2.0", ("A",))
    assert (read.claims["b"].expected, read.claims["b"].samples) == ({"A": "yes", "B": "no"}, ("A", "B"))
    assert read.claims["a"].findings == paper.Selection(("voltage",), state=None, role=None)
    assert [float(end) for end in read.bounds["other"]] == [2.5, 3.5]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("where: 1a, ", "", "a, field where: it is missing"),
        ("id: a, ", "", "entry 1 of claims has no id"),
        ("sample: A", "smaple: A", "a, field smaple: it is unknown"),
        ("it has 2 V", "it has 2, 3 V", "a, field 3 V: it is unknown"),
        ("kind: value", "kind: number", "a, field kind: 'number' is unknown"),
        ("value: 2.0", "value: two", "a, field value: 'two' is not a value"),
        ("value: 2.0", "value: .nan", "a, field value: '.nan' is not a value"),
        ("value: 2.0", "value: NaN", "a, field value: 'NaN' is not a value"),
        ("value: 2.0", 'value: ">= 2.0"', "a, field value: '>= 2.0' is not a value"),
        ("kind: value", "kind: bound", "a, field value: '2.0' is not a bound"),
        (" unit: V, sample", " sample", "a, field unit: a claim of kind value needs it"),
        (
            "expected: {A: yes",
            "value: 1, expected: {A: yes",
            "b, field value: a claim of kind qualitative must not have it",
        ),
        ("A: yes", "A: perhaps", "b, field expected: "),
        (
            "findings: {quantity: [so]}",
            "findings: {quantity: [so], sample: A}",
            "b, field findings.sample: it is unknown",
        ),
        ("findings: {quantity: [so]}", "findings: {quantities: [so]}", "b, field findings.quantities: it is unknown"),
        ("findings: {quantity: [so]}", "findings: {state: new}", "b, field findings.quantity: it must be a list"),
        ("findings: {quantity: [so]}", "findings: {quantity: so}", "b, field findings.quantity: it must be a list"),
        ("findings: {quantity: [so]}", "findings: {quantity: []}", "b, field findings.quantity: it must be a list"),
        ("findings: {quantity: [so]}", "findings: {quantity: [so], state: [x]}", "b, field findings.state: it must be"),
        ("findings: {quantity: [so]}", "findings: so", "b, field findings: 'so' is not a mapping"),
        (", findings: {quantity: [so]}", "", "b, field findings: a claim needs either findings, which test it, or"),
        (
            "findings: {quantity: [so]}",
            "findings: {quantity: [so]}, untestable: lost",
            "b, field findings: a claim needs",
        ),
        ("low: 2.5", "low: little", "other, field low: 'little' is not a value"),
        ("id: b", "id: a", "a, field id: another entry has the same id"),
        ("id: x", "id: other", "other, field id: another entry has the same id"),
        ("against: a", "against: c", "x, field against: 'c' is not the id of a number"),
        ("against: a", "against: b", "x, field against: 'b' is not the id of a number"),
        ("other - 0.5 * a", "other - c", "x, field formula: 'other - c' cannot be evaluated: KeyError('c')"),
        ("other - 0.5 * a", "b", "x, field formula: 'b' cannot be evaluated"),
        ("other - 0.5 * a", "other -", "x, field formula: 'other -' cannot be evaluated"),
        ("other - 0.5 * a", "a / (a - a)", "x, field formula: "),
        ("other - 0.5 * a", "print(a)", "x, field formula: 'print(a)' cannot be evaluated"),
        ("other - 0.5 * a", "a.real", "x, field formula: 'a.real' cannot be evaluated"),
        ("claims:", "source: {by: us}\nclaims:", "source: {'by': 'us'} is not a text"),
        ("claims:", "claim:", "the section claims is missing, or a section is none of"),
        ("unit: V, sample", "unit: {V, sample", "line 4: not valid YAML"),
    ],
)
def test_an_error_names_claim_and_field(tmp_path, old, new, said):
    assert old in GOOD
    with pytest.raises(ReadError, match=r"^claims\.yml.*\. Remedy: .*\.$") as caught:
        stated(tmp_path, GOOD.replace(old, new, 1))
    assert said in str(caught.value)


def test_a_contradiction_shows_its_arithmetic_and_its_interval(tmp_path):
    found = paper.computed(read := stated(tmp_path), read.contradictions[0])
    # 3.0 - 0.5 * 2.0, between 2.5 - 0.5 * 2.05 and 3.5 - 0.5 * 1.95
    assert (found["value"], found["low"], found["high"], found["unit"]) == (2.0, 1.47, 2.53, "V")
    assert found["note"] == "3.0 − 0.5 × 2.0 = 2; 2.0 − 2 = +0 V; them"


def test_a_folder_of_recordings_may_have_claims_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RAW", tmp_path)
    assert paper.load().path == paths.ROOT / "raw" / "claims.yml"
    stated(tmp_path)
    assert set(paper.load().claims) == {"a", "b"}
