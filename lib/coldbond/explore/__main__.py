"""`make explore`: serve the page."""

import sys

from coldbond.explore.server import main

sys.exit(main())
