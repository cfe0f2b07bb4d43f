"""Which server a process may be forked from: one whose state at import was what its own would have been."""

import hashlib
import json
import os
import sys
import sysconfig
from pathlib import Path

#: How the names of environment variables begin that Python, the C library or what `server` imports read once, at start.
READ_AT_START = (
    *("PYTHON", "LD_", "GLIBC_", "MALLOC_", "LC_", "LANG", "TZ", "PATH", "HOME", "XDG_"),
    *(
        "MPL",
        "MATPLOTLIB",
        "OMP_",
        "KMP_",
        "GOMP_",
        "OPENBLAS_",
        "GOTO_",
        "MKL_",
        "BLIS_",
        "NUMEXPR_",
        "NPY_",
        "SCIPY_",
    ),
    *("JUPYTER_ALLOW_INSECURE_WRITES", "PYZMQ_", "TRAITLETS_"),
    *("POLARS_", "RAYON_", "ARROW_", "BOKEH_"),
)


def read_at_start(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(READ_AT_START)}


def installed() -> list:
    """Return what changes when this environment is made anew or a package is installed or removed.

    Raises
    ------
    OSError
        Where the environment has gone.
    """
    parts = [*Path(__file__).parent.glob("*.py"), Path(sys.executable)]
    for folder in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        parts += Path(folder).glob("*.dist-info")
    return sorted((str(part), part.stat().st_ino, part.stat().st_mtime_ns) for part in parts)


def key(command: list[str], environment: dict[str, str]) -> str:
    """Return a name for the server of a command, such as ``[python, "-X", "dev"]``, and an environment.

    What a process inherits beside its environment goes into it too: umask, limits, processors, control group.
    """
    process = Path("/proc/self")
    inherited = [line for line in (process / "status").read_text().splitlines() if line.startswith(("Umask", "Cpus"))]
    inherited += [(process / name).read_text() for name in ("limits", "cgroup")]
    everything = [command, read_at_start(environment), inherited, os.nice(0), installed()]
    return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()[:16]
