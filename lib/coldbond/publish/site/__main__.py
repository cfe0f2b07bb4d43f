"""Make the site of built figures.

python -m coldbond.publish.site --raw FOLDER --out FOLDER
"""

import argparse
import sys

from coldbond.build.figures_table import TableError
from coldbond.bundle.manifest import ManifestError
from coldbond.publish.contents import ContentsError
from coldbond.publish.site.build import SiteError, build


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m coldbond.publish.site")
    parser.add_argument("--raw", default="raw")
    parser.add_argument("--out", default="figures")
    given = parser.parse_args()
    try:
        first = build(given.raw, given.out)
    except (ContentsError, SiteError, ManifestError, TableError, OSError) as error:
        print(f"site: {error}", file=sys.stderr)
        return 1
    print(f"the site is {first}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
