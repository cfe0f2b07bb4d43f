"""The table of `make bench` for known measurements, and that docs/speed.md shows every contender."""

import re
from pathlib import Path

from bench import __main__ as bench

ROOT = Path(__file__).parents[1]


def test_a_ratio_is_of_the_same_round_and_failures_stand_in_the_table():
    found = {
        ("read", "coldbond"): [{"seconds": s, "found": 7} for s in (1.0, 2.0, 4.0)],
        ("read", "slow"): [{"seconds": s, "found": 7.25} for s in (10.0, 12.0)],
        ("read", "broken"): [{"fails": "NameError: np"}],
    }
    *_, task, ours, slow, broken = bench.table(found)
    assert task == "| **read** | | | | |"
    assert ours == "| coldbond | 2.0 (1.0 to 4.0) |  | 7 | 3 |"
    assert slow == "| slow | 11 (10 to 12) | 8.0 (6.0 to 10) | 7.250 | 2 |"
    assert broken == "| broken | fails: NameError: np | | | 1 |"


def test_the_page_on_speed_shows_every_contender_and_no_other():
    page = (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
    table = page.split("\n## Comparison with other programs\n")[1].split("\n## ")[0]
    shown = re.findall(r"^\| (?!\*\*|\|)(.+?) \|", table, re.MULTILINE)
    assert set(shown) == {name for subject in bench.SUBJECTS for name in bench.contenders(subject)}
