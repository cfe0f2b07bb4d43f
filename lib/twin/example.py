"""A folder of recordings as a battery group has it, for docs/your-own-data.md: `python -m twin.example FOLDER`.

Three cells each of two samples, as symmetric cells with rising current and as full cells, under the names that somebody
gave them; a fourth cell whose export was cut off, impedance after several cycles, and notes.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from zlib import crc32

from twin import cells, chi, eis, full_cell, land, symmetric
from twin.full_cell import FullCell
from twin.tester import Cycler

#: Critical current density of each cell [mA/cm2], its name in the folder, and the shorted step's moment.
CCD = {
    "CCD/bare cell 1.csv": (cells.IN_LLZ, 0.3),
    "CCD/bare cell 2.csv": (cells.IN_LLZ, 0.5),
    "CCD/bare cell 3.csv": (cells.IN_LLZ, 0.4),
    "CCD/coated cell 1.csv": (cells.RT_MCL_LLZ, 1.1),
    "CCD/coated cell 2.csv": (cells.RT_MCL_LLZ, 0.9),
    "CCD/coated cell 3.csv": (cells.RT_MCL_LLZ, 1.2),
    "CCD/coated cell 4.csv": (cells.RT_MCL_LLZ, 1.0),
}
#: Whose export was cut off in the middle of a row, and at which share.
CUT_OFF = ("CCD/coated cell 4.csv", 0.6)
#: Capacity in the first cycle [mAh/g] and retention after 25 cycles of each full cell.
FULL_CELLS = {
    "full cells/2025-10-21_bare_0.2C_#1.xlsx": (141.0, 0.90),
    "full cells/2025-10-21_bare_0.2C_#2.xlsx": (137.5, 0.87),
    "full cells/2025-10-28_bare_0.2C_#3.xlsx": (143.0, 0.91),
    "full cells/2025-10-21_coated_0.2C_#1.xlsx": (158.0, 0.965),
    "full cells/2025-10-21_coated_0.2C_#2.xlsx": (160.5, 0.97),
    "full cells/2025-10-28_coated_0.2C_#3.xlsx": (155.0, 0.955),
}
CYCLES = 25
NOTES = "Electrodes 10 mm, 0.785 cm2. LFP 1.57 mg on each of them. Cell 4 of the coated ones: PC crashed.\n"


def write(folder: Path) -> None:
    """Write all files of the example below a folder."""
    for name, (cell, density) in CCD.items():
        run = partial(symmetric.ccd_run, density, cell, last=1.6, cycler=Cycler(every=20.0), hard_at=0.4, after=1)
        _write(folder / name, run, land.landt_csv)
    path = folder / CUT_OFF[0]
    whole = path.read_bytes()
    path.write_bytes(whole[: int(CUT_OFF[1] * len(whole)) // 40 * 40 + 17])
    for name, (capacity, retention) in FULL_CELLS.items():
        full = FullCell(capacity=capacity, retention=retention, retention_cycle=CYCLES, mass=1.57)
        run = partial(full_cell.run, [0.2] * CYCLES, full, cycler=Cycler(every=300.0, dv=0.02))
        _write(folder / name, run, land.landdt_xlsx)
    for sample, named in (("LLZ", "bare"), ("RT-MCL-LLZ", "coated")):
        for cycle in (1, 10, 25, 50, 75, 100):
            export = partial(chi.impedance, start="2025-11-03 10:02:11")
            _write(
                folder / f"EIS symmetric/{named} after {cycle} cycles.txt", partial(eis.of_cell, sample, cycle), export
            )
    (folder / "notes.txt").write_text(NOTES, encoding="utf-8")


def _write(path: Path, simulate: Callable[..., Any], export: Callable[[Any, Path], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    export(simulate(seed=crc32(path.name.encode())), path)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
