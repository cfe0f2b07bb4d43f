"""Print the claims table that lies in a folder of figures, and fail where a verdict is not the committed one.

python -m coldbond.bundle.claims FOLDER
"""

import sys
from pathlib import Path

from coldbond.bundle.claims import report


def main(folder: str) -> int:
    path = Path(folder) / "claims.csv"
    try:
        now = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        print(f"{path} has not been built: make claims", file=sys.stderr)
        return 1
    print(report.as_text(report.rows_of(now)))
    before = report.committed(path)
    if before is None:
        print(f"{path} is not in git's HEAD: there are no verdicts to compare with.")
        return 0
    changes = report.changes(report.rows_of(before), report.rows_of(now))
    if not changes:
        print("Every verdict is the committed one.")
        return 0
    for line in changes:
        print(f"changed: {line}", file=sys.stderr)
    print("Verdicts are not the committed ones. If they are right, commit figures/claims.*", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main(sys.argv[1]))
