"""A kernel that is forked does what an ordinary one does, and its server starts, ends and serves as it says."""

import asyncio
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import venv
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import nbformat
import pytest
from jupyter_client import AsyncMultiKernelManager, BlockingKernelClient, KernelManager
from jupyter_client.provisioning import KernelProvisionerFactory
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from traitlets.config import Config

from warm_kernel import client, identity, server

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

#: What an ordinary kernel and a forked one must have in common.
STATE = """
import gc, json, os, resource, signal, sys, threading, warnings
state = dict(
    path=sys.path, flags=str(sys.flags), options=sys._xoptions, executable=sys.executable, argv=sys.argv[0],
    prefix=sys.prefix, folder=os.getcwd(), umask=os.umask(0o022), nice=os.nice(0), seed=hash("a"),
    limits=[resource.getrlimit(n) for n in range(16)], encoding=sys.stdout.encoding,
    signals=[str(signal.getsignal(n)) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)],
    leader=os.getpid() == os.getsid(0) == os.getpgid(0), collecting=gc.isenabled(), main=dir(sys.modules["__main__"]),
    threads=sorted(t.name for t in threading.enumerate()), names=sorted(k for k in globals() if k[0] != "_"),
    environment={k: v for k, v in os.environ.items() if k != "JPY_PARENT_PID"},
    files=[os.readlink(f"/proc/self/fd/{n}").split(":")[0] for n in (1, 2)],
)
print(json.dumps(state))
"""


class Kernel:
    """A kernel of a manager of its own, and what its code prints."""

    def __init__(self, folder: Path, name: str, kind: str = "warm", idle: float = 20, **how) -> None:
        KernelProvisionerFactory.instance().default_provisioner_name = kind  # it reads the environment once a process
        settings = {"KernelManager": {"transport": "ipc", "ip": f"{folder}/{name}"}, "WarmProvisioner": {"idle": idle}}
        self.manager = KernelManager(kernel_name="python3", config=Config(settings))
        self.manager.start_kernel(**how)
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    @property
    def is_forked(self) -> bool:
        return isinstance(self.manager.provisioner.process, client.ForkedProcess)

    def outputs(self, code: str) -> list[dict]:
        found = []
        self.client.execute_interactive(code, timeout=60, output_hook=lambda message: found.append(message["content"]))
        return found

    def printed(self, code: str) -> str:
        found = self.outputs(code)
        errors = [content for content in found if "ename" in content]
        assert not errors, "\n".join(errors[0]["traceback"])
        return "".join(content.get("text", "") for content in found).strip()

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cb-", dir="/tmp") as short:  # a socket's path has at most 107 letters
        yield Path(short)


@pytest.fixture
def start(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Kernel]]:
    """Start kernels whose server is this process's own, by a hash seed that others do not have."""
    monkeypatch.setenv("PYTHONHASHSEED", str(os.getpid()))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(folder))
    kernels: list[Kernel] = []

    def start(**how) -> Kernel:
        kernels.append(Kernel(folder, f"k{len(kernels)}", **how))
        return kernels[-1]

    yield start
    for kernel in kernels:
        kernel.close()
    kernels.clear()
    # jupyter_client leaves event loops and sockets to the garbage collector, which is not to warn of them elsewhere.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def server_of(kernel: Kernel) -> int:
    return int(kernel.printed("import os; print(os.getppid())"))


def has_ended(pid: int, seconds: float = 60) -> bool:
    """Wait until a process that is no child of ours has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


# ---- it is what an ordinary kernel is -------------------------------------------------------------------------------
def test_it_has_the_state_of_an_ordinary_kernel(start, monkeypatch, tmp_path):
    monkeypatch.setenv("COLDBOND_TEST", "ä\udce9 = \n")  # no UTF-8, and more than a line
    warm = start(cwd=str(tmp_path))
    ordinary = start(kind="local-provisioner", cwd=str(tmp_path))
    assert warm.is_forked and not ordinary.is_forked
    assert json.loads(warm.printed(STATE)) == json.loads(ordinary.printed(STATE))


def test_the_stack_is_imported_and_nothing_else(start):
    kernel = start()
    assert kernel.printed("import sys; print({'numpy', 'xarray', 'lmfit', 'seaborn'} <= {*sys.modules})") == "True"
    places = kernel.printed(
        "import sys; print([m.__file__ for m in [*sys.modules.values()] if getattr(m, '__file__', 0)])"
    )
    site = identity.sysconfig.get_path("purelib")
    elsewhere = {path for path in eval(places) if not path.startswith((site, sys.base_prefix))}
    assert {Path(path).parent.name for path in elsewhere} <= {"warm_kernel"}


def test_inline_pictures_are_shown_and_the_same(start):
    code = "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2]);"
    shown = [
        [content["data"]["image/png"] for content in kernel.outputs(code) if "image/png" in content.get("data", ())]
        for kernel in (start(), start(kind="local-provisioner"))
    ]
    assert len(shown[0]) == 1 and shown[0] == shown[1]


def test_random_numbers_are_a_kernels_own(start):
    code = "import numpy, random; print(numpy.random.random(), random.random())"
    one, other = start().printed(code).split(), start().printed(code).split()
    assert one[0] != other[0] and one[1] != other[1]


@pytest.mark.parametrize("name, value", [("PYTHONHASHSEED", "7"), ("OMP_NUM_THREADS", "2")])
def test_what_is_read_at_import_is_the_kernels_own(start, monkeypatch, name, value):
    code = "import os, numpy; a = numpy.ones((500, 500)); a @ a; print(hash('a'), len(os.listdir('/proc/self/task')))"
    first = start()
    monkeypatch.setenv(name, value)
    second = start()
    assert server_of(first) != server_of(second)
    assert second.printed(code) == start(kind="local-provisioner").printed(code) != first.printed(code)


def test_options_of_pandas_are_those_of_an_ordinary_kernel(start):
    code = "import pandas; print(pandas.DataFrame([[3.25] * 25] * 2, columns=['a long name'] * 25))"
    assert start().printed(code) == start(kind="local-provisioner").printed(code)


def test_a_library_under_development_is_read_anew(start, tmp_path):
    library = tmp_path / "helper.py"
    for answer in "1", "22":
        library.write_text(f"answer = {answer}")
        assert start(cwd=str(tmp_path)).printed("import helper; print(helper.answer)") == answer


def test_a_folder_that_is_not_there_is_an_error_as_ever(start, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        start(cwd=str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    "code",
    {
        "processes": "import concurrent.futures as f\nwith f.ProcessPoolExecutor(2) as p: print(*p.map(abs, [-3]))",
        "threads": "import concurrent.futures as f\nwith f.ThreadPoolExecutor(2) as p: print(*p.map(abs, [-3]))",
        "polars": "import polars; print(polars.DataFrame({'a': [1, 2]}).sum().item())",
        "shell": "!echo 3",
        "subprocess": "import subprocess; print(subprocess.run(['echo', '3'], capture_output=True, text=True).stdout)",
        "async": "import asyncio\nawait asyncio.sleep(0)\nprint(3)",
        "pickle": "import pickle\ndef f(): return 3\nprint(pickle.loads(pickle.dumps(f))())",
    }.items(),
    ids=lambda item: item[0],
)
def test_it_works(start, code):
    assert start().printed(code[1]) == "3"


# ---- its life -------------------------------------------------------------------------------------------------------
def test_restart(start):
    kernel = start()
    before = kernel.printed("import os; x = 1; print(os.getpid())")
    for now in True, False:
        kernel.manager.restart_kernel(now=now)
        kernel.client.wait_for_ready(timeout=60)
        after = kernel.printed("import os; print(os.getpid())")
        assert after != before and kernel.is_forked
        assert "NameError" in [content.get("ename") for content in kernel.outputs("x")]
        assert has_ended(int(before))
        before = after


def test_interrupt(start):
    kernel = start()
    code = "import subprocess; print('goes', flush=True); subprocess.run(['sleep', '600'])"
    request = kernel.client.execute(code, stop_on_error=False)  # else what is asked next is refused
    while kernel.client.get_iopub_msg(timeout=60)["content"].get("text") != "goes\n":
        pass
    kernel.manager.interrupt_kernel()
    reply = kernel.client.get_shell_msg(timeout=60)
    assert reply["parent_header"]["msg_id"] == request and reply["content"]["ename"] == "KeyboardInterrupt"
    assert kernel.printed("print('lives')") == "lives"


@pytest.mark.parametrize(
    "code, number",
    [
        ("os._exit(3)", 3),
        ("os.kill(os.getpid(), 11)", -11),
        ("os.kill(os.getpid(), 15)", -15),
        ("import ctypes; ctypes.string_at(0)", -11),
    ],
)
def test_how_it_died_is_known(start, code, number):
    kernel = start()
    kernel.client.execute(f"import os; {code}")
    assert kernel.manager.provisioner.process.wait() == number
    assert not kernel.manager.is_alive()


def test_shutdown_by_message_runs_what_is_registered_for_the_end(start, tmp_path):
    kernel = start()
    process = kernel.manager.provisioner.process
    kernel.printed(f"import atexit; atexit.register(lambda: open({str(tmp_path / 'said')!r}, 'w').write('end'))")
    kernel.manager.shutdown_kernel()
    assert process.returncode == 0
    assert (tmp_path / "said").read_text() == "end"


def test_the_managers_of_jupyterlab_use_it(start, folder):
    """Start, interrupt, restart and shut down a kernel as jupyter_server does, which keeps many of them at once."""

    async def live() -> list[bool]:
        managers = AsyncMultiKernelManager(config=Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/m"}}))
        name = await managers.start_kernel(kernel_name="python3")
        manager = managers.get_kernel(name)
        found = []
        for action in (managers.interrupt_kernel, managers.restart_kernel, managers.shutdown_kernel):
            process = manager.provisioner.process
            found.append(isinstance(process, client.ForkedProcess) and process.poll() is None)
            messages = manager.client()
            messages.start_channels()
            await messages.wait_for_ready(timeout=60)
            messages.stop_channels()
            await action(name)
        return [*found, name in managers]

    start()  # so that the kind of kernel is set
    assert asyncio.run(live()) == [True, True, True, False]


@pytest.mark.parametrize(
    "code, error", [("import os; os._exit(1)", DeadKernelError), ("while True: pass", CellTimeoutError)]
)
def test_nbclient_sees_a_dead_and_a_slow_kernel(start, folder, code, error):
    start()  # so that this one is not what the time is spent on
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    settings = Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/n"}})
    with pytest.raises(error):
        NotebookClient(nb, timeout=5, kernel_name="python3", config=settings, shutdown_kernel="immediate").execute()


# ---- the server -----------------------------------------------------------------------------------------------------
def test_kernels_that_start_at_once_have_one_server(start, folder):
    with ThreadPoolExecutor(8) as pool:
        kernels = list(pool.map(lambda n: Kernel(folder, f"t{n}"), range(16)))
    assert all(kernel.is_forked for kernel in kernels)
    assert len({server_of(kernel) for kernel in kernels}) == 1
    for kernel in kernels:
        kernel.close()


CLIENT = """
import sys
from jupyter_client import KernelManager
from traitlets.config import Config
manager = KernelManager(kernel_name="python3", config=Config({"WarmProvisioner": {"idle": %s},
    "KernelManager": {"transport": "ipc", "ip": sys.argv[1] + "/c"}}))
manager.start_kernel()
client = manager.client(); client.start_channels(); client.wait_for_ready(timeout=60)
client.execute_interactive("import os; print(os.getpid(), os.getppid())", timeout=60)
sys.stdin.read()
client.stop_channels(); manager.shutdown_kernel(now=True)
"""


def user(folder: Path, python: str = sys.executable, idle: float = 20) -> subprocess.Popen:
    return subprocess.Popen(
        [python, "-c", CLIENT % idle, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"JUPYTER_DEFAULT_PROVISIONER_NAME": "warm"},
    )


def test_a_kernel_ends_with_its_client(start, folder):
    with user(folder) as process:
        kernel, _ = map(int, process.stdout.readline().split())
        process.kill()
        assert has_ended(kernel)


def test_a_kernel_ends_with_its_server_and_the_next_has_a_new_one(start):
    kernel = start()
    before = server_of(kernel)
    os.kill(before, signal.SIGKILL)
    assert kernel.manager.provisioner.process.wait() == -signal.SIGKILL
    another = start()
    assert another.is_forked and server_of(another) != before


def test_a_server_that_is_told_to_end_ends_its_kernels_and_leaves_nothing(start):
    kernel = start()
    assert socket_path().is_socket()
    os.kill(number := server_of(kernel), signal.SIGTERM)
    assert has_ended(number)
    assert kernel.manager.provisioner.process.wait() == -signal.SIGKILL
    assert not socket_path().exists()


def socket_path() -> Path:
    """Where the server is of a kernel that would be started now."""
    return Path("/tmp", f"warm-kernel-{os.getuid()}", identity.key([sys.executable], dict(os.environ)))


def test_it_ends_when_idle_and_leaves_nothing(start, folder, monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", str(os.getpid() + 10_000_000))
    with user(folder, idle=0.1) as process:
        _, number = map(int, process.stdout.readline().split())
        assert socket_path().is_socket()
        process.stdin.close()
        assert has_ended(number)
    assert not socket_path().exists()


def test_the_client_that_started_it_is_not_warned_of_it_and_buries_it(start, monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", str(os.getpid() + 40_000_000))
    kernel = start()
    number = server_of(kernel)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        gc.collect()
    assert not [warning for warning in warned if "subprocess" in str(warning.message)]
    os.kill(number, signal.SIGTERM)
    while Path(f"/proc/{number}").exists():  # a zombie stays there
        select.select([], [], [], 0.01)


def test_it_ends_when_its_environment_changes(start, folder, tmp_path):
    """An environment of its own, which sees the packages of this one."""
    venv.create(tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    site = next((tmp_path / "venv").glob("lib/*/site-packages"))
    (site / "others.pth").write_text("\n".join(path for path in sys.path if path and Path(path).is_dir()))
    (site / "x-1.dist-info").mkdir()
    with user(folder, str(python), idle=600) as process:
        _, before = map(int, process.stdout.readline().split())
        process.stdin.close()
    (site / "x-1.dist-info").rename(site / "x-2.dist-info")
    assert has_ended(before)


def test_the_sockets_are_the_users_alone(start):
    start()
    folder = Path("/tmp", f"warm-kernel-{os.getuid()}")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_of_someone_else_is_not_used(start, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 3_999_999_999)
    try:
        assert not start().is_forked
    finally:
        Path("/tmp/warm-kernel-3999999999").rmdir()


def test_another_users_request_is_not_served(monkeypatch):
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        request = b'[["-f"], {"A": "b"}]'
        socket.send_fds(theirs, [len(request).to_bytes(4, "big")], [0])
        theirs.sendall(request)
        monkeypatch.setattr(os, "getuid", lambda: 3_999_999_999)
        assert server._received(ours) is None
        monkeypatch.undo()
        assert server._received(ours)[:2] == (["-f"], {"A": "b"})


@pytest.mark.parametrize("sent", [b"", b"\0\0", b"\0\0\0\x09[1", b"\0\0\0\x02[]", b"\xff\xff\xff\xff"])
def test_a_broken_request_is_not_served(sent):
    ours, theirs = socket.socketpair()
    with closing(ours):
        theirs.sendall(sent)
        theirs.close()
        assert server._received(ours) is None


def test_what_killed_servers_left_is_removed(start, monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", str(os.getpid() + 30_000_000))  # so that a server is started
    with socket.socket(socket.AF_UNIX) as dead, client.locked_folder() as sockets:
        dead.bind(str(sockets / "dead"))
    start()
    assert not (sockets / "dead").exists()


@pytest.mark.parametrize("how", [{"stdout": subprocess.DEVNULL}, {"independent": True}], ids=str)
def test_what_it_cannot_do_an_ordinary_kernel_does(start, how):
    kernel = start(**how)
    assert not kernel.is_forked and kernel.printed("print(3)") == "3"


def test_without_a_server_the_kernel_is_ordinary_and_the_log_says_why(start, monkeypatch, caplog):
    def key(*_):
        raise OSError("no room for it")

    monkeypatch.setattr(identity, "key", key)
    with caplog.at_level("WARNING"):
        kernel = start()
    assert not kernel.is_forked and kernel.printed("print(3)") == "3"
    assert "no room for it" in caplog.text
