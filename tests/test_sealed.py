"""The user's surroundings do not reach a figure: variables, settings and kernels of Python, Jupyter and others."""

import json
import shutil
import subprocess

import pytest

from bundles import SAVE, environment, make, small_bundle, write_notebook

bundle = pytest.fixture(small_bundle)

WRONG = "import math; math.pi = 3.0\n"
SEEN = """\
import json, locale, math, os, sys, time, warnings
import matplotlib
seen = [math.pi, matplotlib.rcParams["axes.linewidth"], locale.setlocale(locale.LC_ALL, ""), time.tzname, sys.argv[0]]
seen += [hash("a"), warnings.filters[0][0]]
mine = {name: value for name, value in os.environ.items() if name not in ("HOME", "COLDBOND_FIGURES", "_")}
private = ("JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "JPY_PARENT_PID", "MFLAGS", "MAKEFLAGS", "JPY_SESSION_NAME")
samples = json.dumps([seen, {name: value for name, value in mine.items() if name not in private}])
"""


def test_surroundings_of_the_user_change_nothing(bundle, tmp_path):
    write_notebook(bundle / "notebooks" / "fig4b_ccd.ipynb", SEEN, SAVE)
    assert make(bundle, "fig4b").returncode == 0
    expected = (bundle / "figures" / "fig4b.json").read_text()
    home = tmp_path / "home"
    kernel = home / ".local/share/jupyter/kernels/python3/kernel.json"
    startup = home / ".ipython/profile_default/startup/wrong.py"
    matplotlibrc = home / ".config/matplotlib/matplotlibrc"
    for path in (kernel, startup, matplotlibrc, tmp_path / "start.py"):
        path.parent.mkdir(parents=True, exist_ok=True)
    kernel.write_text(json.dumps({"argv": ["false"], "display_name": "wrong", "language": "python"}))
    startup.write_text(WRONG)
    (tmp_path / "start.py").write_text(WRONG)
    matplotlibrc.write_text("axes.linewidth: 9\n")
    for name in ("jupyter_config.py", "ipython_kernel_config.py", "ipython_config.py"):
        for folder in (home / ".jupyter", home / ".ipython/profile_default"):
            folder.mkdir(exist_ok=True)
            (folder / name).write_text('c.InteractiveShellApp.exec_lines = ["raise SystemExit"]\n')
    surroundings = {
        "HOME": str(home),
        "IPYTHONDIR": str(home / ".ipython"),
        "JUPYTER_CONFIG_DIR": str(home / ".jupyter"),
        "JUPYTER_CONFIG_PATH": str(home / ".jupyter"),
        "JUPYTER_DATA_DIR": str(home / ".local/share/jupyter"),
        "JUPYTER_PATH": str(home / ".local/share/jupyter"),
        "LANG": "de_DE.UTF-8",
        "LC_ALL": "tr_TR.UTF-8",
        "MATPLOTLIBRC": str(matplotlibrc),
        "MPLBACKEND": "pdf",
        "OMP_NUM_THREADS": "2",
        "OPENBLAS_CORETYPE": "Prescott",
        "PYTHONHASHSEED": "7",
        "PYTHONPATH": str(home),
        "PYTHONSTARTUP": str(tmp_path / "start.py"),
        "PYTHONWARNINGS": "error",
        "TZ": "Asia/Tokyo",
        "BASH_FUNC_module%%": "() { echo hi; }",
    }
    shutil.rmtree(bundle / "figures")
    command = ["sh", "-c", "umask 077; make fig4b"]
    done = subprocess.run(command, cwd=bundle, env=environment() | surroundings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (bundle / "figures" / "fig4b.json").read_text() == expected
