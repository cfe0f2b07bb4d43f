"""What a fresh process loads: an import that nobody uses costs every figure its time."""

import json
import subprocess
import sys

import pytest

from coldbond.bundle import paths

NOTEBOOKS = sorted(path.stem for path in (paths.ROOT / "notebooks").glob("*.ipynb") if path.stem != "explore")

#: What numpy, pandas and xarray bring along is theirs.
READING = {"coldbond", "numpy", "pandas", "xarray", "packaging", "dateutil", "six", "cython_runtime"}
#: Readers load theirs for the files that need them; seaborn and pyplot are for a hand at the keyboard.
NEVER = {"seaborn", "matplotlib.pyplot", "polars", "python_calamine", "torch", "dask", "ipywidgets", "twin"}
FITTING = {"lmfit", "scipy.stats", "scipy.optimize"}
WITHOUT_FITS = {"claims", "fig3a_reaction_energy", "fig4b_ccd", "fig4cd_long_cycling", "fig4f_full_cell"}


def loaded(code: str) -> set[str]:
    code += "\nimport sys; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_importing_coldbond_loads_what_reading_needs():
    packages = {name.split(".")[0] for name in loaded("import coldbond")} - {*sys.stdlib_module_names, "__mp_main__"}
    assert {name for name in packages if not name.startswith("_")} <= READING


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_a_notebook_imports_what_it_uses(notebook):
    cells = json.loads((paths.ROOT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
    lines = [line for cell in cells if cell["cell_type"] == "code" for line in "".join(cell["source"]).splitlines()]
    modules = loaded("\n".join(line for line in lines if line.startswith(("import ", "from "))))
    assert "coldbond.bundle.figures" in modules
    assert not NEVER & modules
    assert (modules >= FITTING) is (notebook not in WITHOUT_FITS)
    assert ("gemmi" in modules) <= ("xrd" in notebook)
