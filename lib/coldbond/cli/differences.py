"""What tells recordings of one sample apart besides the numbers of cells.

Replicates are averaged. So recordings whose names differ in more than a number, a date or a channel are not proposed as
replicates of one condition: what differs goes into the sample or the state, and the user is asked to check it.
"""

import re
from collections import defaultdict
from collections.abc import Sequence

from coldbond.cli.naming import ELEMENTS, NUMBERED, Name
from coldbond.cli.words import COUNTING

NUMBER_LAST = re.compile(r"(?<![\d.])\d+$")
#: A word with a number at its end.
COUNTED = re.compile(r"(?P<base>.*[^\d.\-])(?P<number>\d{1,2})")


def words(names: Sequence[Name]) -> list[str]:
    """Return for each name the words that not all have, with "-" between them.

    A number counts as a condition where it is no running number: of NCM811 and NCM622, but not of cell1 and cell2.
    So does one that several have, as in 300_1, 300_2, 700_1, 700_2.
    """
    numbers: dict[str, set[int]] = defaultdict(set)
    holders: dict[str, int] = defaultdict(int)
    for name in names:
        for word in {one.casefold() for one in name.words}:
            holders[word] += 1
            if match := COUNTED.fullmatch(word):
                numbers[match["base"]].add(int(match["number"]))

    def what(word: str, is_last: bool) -> str:
        """Return what a word says besides the number of a cell, which stands last and which no two have."""
        if not is_last and NUMBER_LAST.search(word) and 1 < holders[word.casefold()] < len(names):
            return word
        if NUMBERED.fullmatch(word) or not re.search(r"\w", word) or COUNTING.fullmatch(word):
            return ""
        if len(word) == 1 and word.isascii():
            return "" if holders[word.casefold()] == 1 else word
        match = COUNTED.fullmatch(word)
        if not match or (ELEMENTS.fullmatch(match["base"]) and len(match["base"]) > 1):
            return word
        found = numbers[match["base"].casefold()]
        is_running = max(found) - min(found) < len(found) and len(found) > 1
        return match["base"] if is_running else word

    said = []
    for name in names:
        digits = [at for at, word in enumerate(name.words) if NUMBER_LAST.search(word)]
        last = digits[-1] if digits and not name.replicate else -1
        said.append([what(word, at == last) for at, word in enumerate(name.words)])
    return _varying(said, "-")


def conditions(named: Sequence[Sequence[str]]) -> list[str]:
    """Return for each recording the quantities and states that not all have, with ", " between them."""
    return _varying(named, ", ")


def _varying(said: Sequence[Sequence[str]], between: str) -> list[str]:
    forms = [{re.sub(r"\s", "", one).casefold() for one in each} for each in said]
    common = set.intersection(*forms) | {""}
    return [
        between.join(dict.fromkeys(one for one in each if re.sub(r"\s", "", one).casefold() not in common))
        for each in said
    ]
