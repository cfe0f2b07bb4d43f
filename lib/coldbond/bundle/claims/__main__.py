"""Print the claims table of a folder of figures; exit with an error if a verdict differs from the committed one.

python -m coldbond.bundle.claims FOLDER
"""

import sys
from io import TextIOWrapper
from pathlib import Path

from coldbond.bundle.claims import report


def main(folder: str) -> int:
    """Print the table and return the exit status."""
    path = Path(folder) / "claims.csv"
    try:
        now = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        print(f"{path} has not been built: make claims", file=sys.stderr)
        return 1
    print(report.as_text(report.rows_of(now)))
    before = report.committed(path)
    if before is None:
        print(f"{path} is not in git's HEAD, so there are no verdicts to compare with.")
        return 0
    changes = report.changes(report.rows_of(before), report.rows_of(now))
    if not changes:
        print("Every verdict is the committed one.")
        return 0
    for line in changes:
        print(f"changed: {line}", file=sys.stderr)
    print("These verdicts differ from the committed ones. If they are right, commit figures/claims.*", file=sys.stderr)
    return 1


if __name__ == "__main__":
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # the table has signs that a Windows console's code page lacks
    sys.exit(main(sys.argv[1]))
