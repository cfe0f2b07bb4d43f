"""Which server a process may be forked from.

A fork inherits what the server's Python and its packages read when they were started or imported, and can no longer
change it. A process may therefore be forked only from a server in which all of this was the same as it would have been
in the process itself. `key` is a hash of it.
"""

import hashlib
import json
import os
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

#: Prefixes of the environment variables that are read once, at start or on import.
READ_AT_START = (
    # Python, the dynamic linker and the C library
    *("PYTHON", "LD_", "GLIBC_", "MALLOC_", "LC_", "LANG", "TZ", "PATH", "HOME", "XDG_"),
    # matplotlib
    *("MPL", "MATPLOTLIB"),
    # numpy, scipy, and the libraries for linear algebra and threads that they may be linked to
    *("OMP_", "KMP_", "GOMP_", "OPENBLAS_", "GOTO_", "MKL_", "BLIS_", "NUMEXPR_", "NPY_", "SCIPY_"),
    # jupyter_core, pyzmq and traitlets
    *("JUPYTER_ALLOW_INSECURE_WRITES", "PYZMQ_", "TRAITLETS_"),
    # packages that pandas, seaborn or xarray import if they are installed
    *("POLARS_", "RAYON_", "ARROW_", "BOKEH_"),
)


def read_at_start(environment: Mapping[str, str]) -> dict[str, str]:
    """Return those variables of an environment that a server is started with."""
    return {name: value for name, value in environment.items() if name.startswith(READ_AT_START)}


def installed() -> list[tuple[str, int, int]]:
    """Return path, inode and time of files that change when a package of this environment is installed or removed.

    Raises
    ------
    OSError
        The environment no longer exists.
    """
    parts = [*Path(__file__).parent.glob("*.py"), Path(sys.executable)]
    for folder in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        parts += Path(folder).glob("*.dist-info")
    return sorted((str(part), part.stat().st_ino, part.stat().st_mtime_ns) for part in parts)


def key(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Return the name of the server for a command, such as ``[python, "-X", "dev"]``, and an environment.

    Beside the variables, it depends on what a process inherits from its parent: umask, resource limits, the allowed
    processors, the control group and the scheduling priority.
    """
    process = Path("/proc/self")
    inherited = [line for line in (process / "status").read_text().splitlines() if line.startswith(("Umask", "Cpus"))]
    inherited += [(process / name).read_text() for name in ("limits", "cgroup")]
    everything = [command, read_at_start(environment), inherited, os.nice(0), installed()]
    return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()[:16]
