"""Write docs/licences.md: the licence of every package that lock/run.txt pins, as the package itself states it.

    python scripts/licences_page.py > docs/licences.md

A package that this platform or this Python does not need is not installed here: its row stays as it stands.
"""

import re
import sys
from email.message import Message
from importlib import metadata
from pathlib import Path
from typing import cast

ROOT = Path(__file__).parents[1]
LOCK, PAGE = ROOT / "lock" / "run.txt", ROOT / "docs" / "licences.md"
#: A licence that the package states with its whole text alone, whose first line names the owner: read by hand.
STATED_AS_TEXT = {"lmfitxps": "MIT; holds a Shirley background under GPL-3.0"}
INTRODUCTION = """\
# Licences of the packages

`make figures` and `make test` install these packages (`lock/run.txt`), with the licence that each one states. None is
under the GPL. `lmfitxps` is an oracle of the tests: it contains a background routine under GPL-3.0, which nothing in
`lib/` imports. `make licences` writes this page.

| package | licence |
|---|---|
"""


def locked() -> list[str]:
    """Return the names of the packages in the lock, normalised."""
    names = re.findall(r"^([A-Za-z0-9._-]+)==", LOCK.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return sorted({normalised(name) for name in names})


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def installed() -> dict[str, str]:
    """Return the licence of each package that is installed here."""
    stated = [cast(Message, one.metadata) for one in metadata.distributions()]
    return {normalised(one["Name"]): licence(one) for one in stated}


def licence(stated: Message) -> str:
    """Return the licence that a package states; "" if it states none.

    An SPDX expression counts before classifiers, and these before the free text, which may be a whole licence.
    """
    if name := STATED_AS_TEXT.get(normalised(stated["Name"])):
        return name
    if expression := stated.get("License-Expression"):
        return expression
    classifiers = [
        one.rpartition(" :: ")[2] for one in stated.get_all("Classifier", []) if one.startswith("License ::")
    ]
    return ", ".join(classifiers) or (stated.get("License") or "").strip().partition("\n")[0]


def written() -> dict[str, str]:
    """Return the licence of each package as docs/licences.md has it."""
    rows = re.findall(r"^\| ([a-z0-9-]+) \| (.+) \|$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name: text for name, text in rows if name != "package"}


def main() -> int:
    """Print the page; fail where a licence is known neither here nor from the page."""
    here, before = installed(), written() if PAGE.exists() else {}
    licences = {name: here.get(name) or before.get(name, "") for name in locked()}
    if unknown := [name for name, text in licences.items() if not text]:
        print(f"add the rows of {', '.join(unknown)} to {PAGE.name} by hand: not installed here", file=sys.stderr)
        return 1
    sys.stdout.write(INTRODUCTION + "".join(f"| {name} | {text} |\n" for name, text in licences.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
