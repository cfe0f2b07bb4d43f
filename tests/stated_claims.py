"""Claims as the tests state them, and the findings that test them."""

from coldbond.bundle import paths
from coldbond.bundle.claims import paper
from coldbond.bundle.claims.paper import Claim
from coldbond.bundle.findings import finding
from coldbond.interval import Interval

#: What the paper states.
STATED = paper.load(paths.ROOT / "raw" / "claims.yml")

GOOD = """\
claims:
  - {id: a, where: 1a, kind: value, value: 2.0, unit: V, sample: A, statement: it has 2 V,
     findings: {quantity: [voltage]}}
  - {id: b, where: 1b, kind: qualitative, expected: {A: yes, B: no}, statement: it is so, findings: {quantity: [so]}}
numbers:
  - {id: other, value: 3.0, low: 2.5, high: 3.5, unit: V, source: them}
contradictions:
  - {id: x, against: a, formula: other - 0.5 * a, statement: they fit}
"""


def claim(value: str = "", kind: str = "value", **more) -> Claim:
    return Claim("c", "1a", kind, "it is so", value, "V" if value else "", **more)


def stated(tmp_path, text: str = GOOD) -> paper.Paper:
    (tmp_path / "claims.yml").write_text(text, encoding="utf-8")
    return paper.load(tmp_path / "claims.yml")


def built(*values: dict, origin: str = "measured", **parameters) -> dict:
    numbers = {"notebook": "fig1_x", "origin": origin, "parameters": parameters, "values": list(values), "sha256": "ab"}
    return {"fig1": numbers}


def voltage(sample: str = "A", **more) -> dict:
    return finding("voltage", Interval(2.1, 1.9, 2.3), "V", sample=sample, **more)
