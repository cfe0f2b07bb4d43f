"""Where the bundle's folders are, whatever folder a notebook is started from."""

import os
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[3]

#: The bundle's folder. A package that is installed outside of it takes the current folder for one.
ROOT = _CHECKOUT if (_CHECKOUT / "Makefile").is_file() else Path.cwd()

#: The recordings and their manifest; `make figures RAW=...` points it elsewhere.
RAW = Path(os.environ.get("COLDBOND_RAW", ROOT / "raw"))

#: Where `figures.save` writes. Make sets it; a notebook run by hand writes drafts, so that exploring never overwrites
#: the pictures and numbers that the bundle has committed.
FIGURES = Path(os.environ.get("COLDBOND_FIGURES", ROOT / "figures" / "drafts"))

#: Whether `figures.save` draws the pictures too, or writes the numbers alone.
PICTURES = True

#: Where the figures lie that make has built, which the claims table reads; make sets it.
BUILT = Path(os.environ.get("COLDBOND_BUILT", ROOT / "figures"))
