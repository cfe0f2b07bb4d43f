"""A script that is forked does what `python SCRIPT` does."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="scripts are forked on Linux only")

STATE = """
import json, os, resource, signal, sys, threading
state = dict(
    path=sys.path, flags=str(sys.flags), argv=sys.argv, name=__name__, file=__file__, prefix=sys.prefix,
    executable=sys.executable, folder=os.getcwd(), environment=dict(os.environ), umask=os.umask(0o022),
    seed=hash("a"), limits=[resource.getrlimit(n) for n in range(16)], nice=os.nice(0), encoding=sys.stdout.encoding,
    signals=[str(signal.getsignal(n)) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)],
    threads=[t.name for t in threading.enumerate()], main=sys.modules["__main__"].__file__,
    names=sorted(name for name in globals() if name not in ("__cached__", "__annotations__", "__builtins__")),
    files=[os.readlink(f"/proc/self/fd/{n}").split(":")[0] for n in (1, 2)],
)
print(json.dumps(state))
"""
WAITS = "import os, sys, time\nprint(os.getpid(), flush=True)\n"


@pytest.fixture(autouse=True)
def own_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", str(os.getpid() + 40_000_000))


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return tmp_path / "script.py"


def started(script: Path, code: str, *arguments: str, warm: bool = True) -> subprocess.Popen:
    script.write_text(code)
    command = [sys.executable, *(["-m", "warm_kernel"] if warm else []), str(script), *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=script.parent, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True)


def ended(process: subprocess.Popen) -> tuple[int, str, str]:
    printed, said = process.communicate(timeout=60)
    return process.returncode, printed, said


@pytest.fixture
def waiting(script: Path) -> Iterator[tuple[subprocess.Popen, int]]:
    """A forked script that waits for a signal, and its own number."""
    code = f"{WAITS}try:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    sys.exit(130)\n"
    with started(script, code) as process:
        pid = int(process.stdout.readline())
        # The script may run before the process that asked for it passes signals on; SIGHUP is the last that it catches.
        end = time.monotonic() + 60
        while not int(re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{process.pid}/status").read_text())[1], 16) & 1:
            assert time.monotonic() < end, "it does not pass signals on"
            time.sleep(0.01)
        yield process, pid
        process.kill()


def test_it_has_the_state_of_an_ordinary_script(script, monkeypatch):
    monkeypatch.setenv("COLDBOND_TEST", "ä\udce9 = \n")
    code, printed, said = ended(started(script, STATE, "-m", "b c"))
    assert (code, said) == (0, "")
    assert json.loads(printed) == json.loads(ended(started(script, STATE, "-m", "b c", warm=False))[1])


def test_papermill_is_imported_already(script):
    assert ended(started(script, "import sys; print('papermill' in sys.modules)"))[1] == "True\n"


@pytest.mark.parametrize(
    "code",
    [
        "import sys; sys.exit(3)",
        "raise SystemExit('in words')",
        "1 / 0",
        "import os; os.kill(os.getpid(), 9)",
        "import os; os.abort()",
        "import os; os._exit(7)",
        "import atexit; atexit.register(print, 'at the end'); print('first', end=' ')",
    ],
)
def test_its_end_is_that_of_an_ordinary_script(script, code):
    warm, ordinary = (ended(started(script, code, warm=warm)) for warm in (True, False))
    assert warm[:2] == ordinary[:2]
    assert warm[2].splitlines()[-1:] == ordinary[2].splitlines()[-1:]


@pytest.mark.parametrize(("number", "code"), [("SIGINT", 130), ("SIGTERM", -15), ("SIGHUP", -1)])
def test_signals_reach_it(waiting, number, code):
    process, _ = waiting
    process.send_signal(signal.Signals[number])
    assert process.wait(60) == code


def test_it_ends_with_the_process_that_asked_for_it(waiting):
    process, pid = waiting
    descriptor = os.pidfd_open(pid)
    process.kill()
    assert select.select([descriptor], [], [], 60)[0]
    os.close(descriptor)


def test_where_it_cannot_be_forked_it_is_started_anew_and_says_why(script):
    code = "import os\nos.getuid = lambda: 3_999_999_998\nimport runpy, sys\n"
    code += "sys.argv = ['warm_kernel', 'other.py', 'x']\nrunpy.run_module('warm_kernel', run_name='__main__')\n"
    (script.parent / "other.py").write_text("import sys; print(sys.argv)")
    folder = Path("/tmp/warm-kernel-3999999998")
    try:
        found, printed, said = ended(started(script, code, warm=False))
    finally:
        folder.rmdir()
    assert (found, printed) == (0, "['other.py', 'x']\n")
    assert said.startswith(f"other.py is started anew, since it cannot be forked: {folder} is not")
