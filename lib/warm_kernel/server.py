"""The server: it imports the scientific packages, and then forks itself into kernels and into scripts.

    python -m warm_kernel.server SOCKET DESCRIPTOR IDLE

`client` starts it; DESCRIPTOR is the listening socket, which is open already and has the path SOCKET. The server has a
single thread, since a fork copies only the thread that makes it: a lock held by another thread would never be released
in the fork. It waits for three kinds of event: a request on the listening socket, the end of a fork (a pidfd, Linux
5.3), and the end of the client that asked for a fork.
"""

import gc
import importlib
import importlib.util
import json
import os
import runpy
import selectors
import signal
import socket
import struct
import sys
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from warm_kernel import identity
from warm_kernel.client import locked_folder

#: What notebooks of data analysis import, if it is installed. A module may be listed here only if it is installed in
#: site-packages, whose changes `identity.installed` notices, if its import starts no thread, and if it does not attach
#: itself to the kernel that imports it, as matplotlib_inline.backend_inline does.
PRELOADED = (
    *("ipykernel.kernelapp", "ipykernel.ipkernel", "IPython.core.completer"),
    *("numpy", "pandas", "xarray", "lmfit", "seaborn"),
    *("matplotlib.pyplot", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_pdf"),
    *("scipy.interpolate", "scipy.linalg", "scipy.ndimage", "scipy.optimize", "scipy.signal", "scipy.special"),
    *("scipy.stats", "papermill"),
)

#: Seconds between two checks that the environment is still the one whose packages were imported.
CHECK_INTERVAL = 1.0

#: Seconds after which a request that has not arrived completely is dropped. No other request is served meanwhile.
REQUEST_TIMEOUT = 10.0

#: Columns that pandas prints of a wide table in a kernel.
PANDAS_MAX_COLUMNS = 20


class Request(NamedTuple):
    """What a fork is to become; the descriptors are those of its working directory, standard output and error."""

    arguments: list[str]
    environment: dict[str, str]
    descriptors: list[int]


class Fork(NamedTuple):
    pid: int
    ended: int  # descriptor (pidfd) that becomes readable when the process has ended
    client: socket.socket  # becomes readable when the client has closed it or has died


class Server:
    """Make a fork for each request, report its exit status to the client, and kill it if the client ends first."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.forks: set[Fork] = set()
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ)

    def step(self, seconds: float) -> tuple[bool, Request | None]:
        """Wait for events, at most for some seconds; return whether there was any and, in a new fork, its request."""
        events = self.selector.select(seconds)
        for key, _ in events:
            fork = key.data
            if key.fileobj is self.listener:
                request = self._launch()
                if request:
                    return True, request
            elif fork in self.forks and key.fileobj is fork.client:
                self.selector.unregister(fork.client)
                _kill(fork)
            elif fork in self.forks:
                self._bury(fork)
        return bool(events), None

    def _launch(self) -> Request | None:
        client, _ = self.listener.accept()
        request = _received(client)
        if request is None:
            client.close()
            return None
        try:
            pid = _fork()
        except OSError:  # no memory, or too many processes: the client gets no answer and reports that
            pid = -1
        if pid == 0:
            client.close()
            self._leave()
            return request
        for descriptor in request.descriptors:
            os.close(descriptor)
        if pid == -1:
            client.close()
            return None
        fork = Fork(pid, os.pidfd_open(pid), client)
        self.forks.add(fork)
        self.selector.register(fork.ended, selectors.EVENT_READ, fork)
        self.selector.register(fork.client, selectors.EVENT_READ, fork)
        _tell(fork, pid)
        return None

    def _bury(self, fork: Fork) -> None:
        self.selector.unregister(fork.ended)
        with suppress(KeyError):  # it is unregistered already if the client ended first
            self.selector.unregister(fork.client)
        _tell(fork, os.waitstatus_to_exitcode(os.waitpid(fork.pid, 0)[1]))
        self.forks.remove(fork)
        os.close(fork.ended)
        fork.client.close()

    def _leave(self) -> None:
        """Close the descriptors of the server; in a fork, those of its siblings too, so that their ends are noticed."""
        self.selector.close()
        self.listener.close()
        for fork in self.forks:
            os.close(fork.ended)
            fork.client.close()

    def end(self) -> None:
        for fork in self.forks:
            _kill(fork)
        self._leave()


def _received(client: socket.socket) -> Request | None:
    """Return a client's request, or None if it is of another user or does not arrive completely."""
    client.settimeout(REQUEST_TIMEOUT)
    descriptors: list[int] = []
    try:
        _, user, _ = struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if user == os.getuid():
            length, descriptors, _, _ = socket.recv_fds(client, 4, 3)
            with client.makefile("rb") as file:
                arguments, environment = json.loads(file.read(*struct.unpack("!i", length)))
            return Request(arguments, environment, descriptors)
    except (OSError, ValueError, struct.error):
        pass
    for descriptor in descriptors:
        os.close(descriptor)
    return None


def _fork() -> int:
    with warnings.catch_warnings():
        # Python 3.12 warns if there are other threads. BLAS may have started some, and handles forks by itself.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _tell(fork: Fork, number: int) -> None:
    with suppress(OSError):  # the client has ended: `step` handles that
        fork.client.sendall(struct.pack("!i", number))


def _kill(fork: Fork) -> None:
    for kill in os.killpg, os.kill:  # a fork that has just started may not have a process group of its own yet
        with suppress(ProcessLookupError):
            kill(fork.pid, signal.SIGKILL)


def preload() -> None:
    """Import the packages of `PRELOADED`, and leave them in the state in which a kernel would have imported them."""
    # ipykernel sets this variable in a new kernel. Here that would be too late: matplotlib is imported already.
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    for module in PRELOADED:
        with suppress(Exception):  # it is not installed or broken: the import in the notebook will say so
            importlib.import_module(module)
    if "pandas" in sys.modules:  # its default depends on whether it is imported in a terminal or in a kernel
        sys.modules["pandas"].set_option("display.max_columns", PANDAS_MAX_COLUMNS)
    gc.collect()
    # Garbage collection writes to every object that it visits, which would copy the shared memory into each fork.
    # Frozen objects are not visited.
    gc.freeze()


def serve(server: Server, path: Path, idle: float) -> Request | None:
    """Make forks; return the request in each fork, and None in the server when it is to end.

    The server ends `idle` seconds after its last fork, or when its socket or its environment has changed.
    """
    before = _state(path)
    preload()
    last = time.monotonic()
    while server.forks or (_state(path) == before and time.monotonic() - last < idle):
        happened, request = server.step(min(CHECK_INTERVAL, idle))
        if request:
            return request
        if happened:
            last = time.monotonic()
    return None


def _state(path: Path) -> tuple[int, list[tuple[str, int, int]]] | None:
    """Return what stays the same as long as the server may be used; None if its socket or environment is gone."""
    try:
        return path.stat().st_ino, identity.installed()
    except OSError:
        return None


def run(request: Request) -> None:
    """Become the kernel or the script of a request, in the state that an ordinary start would have given it."""
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder, *streams = request.descriptors
    os.fchdir(folder)
    for stream, standard in zip(streams, (1, 2), strict=True):
        os.dup2(stream, standard)
    for descriptor in request.descriptors:
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(request.environment)
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()  # otherwise all forks would draw the same random numbers
    if request.arguments[:2] == ["-m", "ipykernel_launcher"]:
        run_kernel(request.arguments[2:])
    else:
        sys.argv = request.arguments
        sys.path.insert(0, str(Path(sys.argv[0]).resolve().parent))
        runpy.run_path(os.path.abspath(sys.argv[0]), run_name="__main__")


def run_kernel(arguments: list[str]) -> None:
    os.environ["JPY_PARENT_PID"] = str(os.getppid())
    launcher = importlib.util.find_spec("ipykernel_launcher")
    sys.argv = [launcher.origin if launcher and launcher.origin else "ipykernel_launcher", *arguments]
    from ipykernel.kernelapp import IPKernelApp

    # A kernel ends when its parent ends, which is the server here. The parent is an argument, because ipykernel read
    # JPY_PARENT_PID when it was imported in the server.
    IPKernelApp.launch_instance([*arguments, f"--IPKernelApp.parent_handle={os.getppid()}"])


def main(path: Path, descriptor: int, idle: float) -> None:
    # `python -m` has put the server's working directory there. A kernel or a script puts its own.
    if sys.path[0] == os.getcwd():
        del sys.path[0]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    inode = path.stat().st_ino
    server = Server(socket.socket(fileno=descriptor))
    request = None
    try:
        request = serve(server, path, idle)
    finally:
        if request is None:
            server.end()
            remove(path, inode)
    if request:
        run(request)


def remove(path: Path, inode: int) -> None:
    """Remove a server's socket, and the folder of the sockets if no other server uses it."""
    with suppress(OSError), locked_folder() as folder:
        if path.stat().st_ino == inode:
            path.unlink()
        folder.rmdir()  # fails if it is not empty


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
