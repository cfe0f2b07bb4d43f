"""The server: imports the scientific stack and forks itself into kernels, and into scripts that execute notebooks.

    python -m warm_kernel.server SOCKET DESCRIPTOR IDLE

`client` starts it, with the socket of that path open as a descriptor.
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

#: What notebooks of data analysis import, as far as it is installed: only packages that `identity.installed` watches,
#: and none that starts threads or, like matplotlib_inline.backend_inline, ties itself to the kernel that imports it.
PRELOADED = (
    *("ipykernel.kernelapp", "ipykernel.ipkernel", "IPython.core.completer"),
    *("numpy", "pandas", "xarray", "lmfit", "seaborn"),
    *("matplotlib.pyplot", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_pdf"),
    *("scipy.interpolate", "scipy.linalg", "scipy.ndimage", "scipy.optimize", "scipy.signal", "scipy.special"),
    *("scipy.stats", "papermill"),
)
CHECKED_EVERY = 1.0  # second: that the environment is still the one that was imported
PATIENCE = 10.0  # seconds in which a request must be whole


class Request(NamedTuple):
    """What a fork is to be; the descriptors are of its folder and of its standard output and error."""

    arguments: list[str]
    environment: dict[str, str]
    descriptors: list[int]


class Fork(NamedTuple):
    pid: int
    ended: int  # a descriptor, readable when the process has ended
    client: socket.socket  # readable when the client has gone


class Server:
    """Make a fork for each request, tell its client how it ended, and kill it where the client goes first."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.forks: set[Fork] = set()
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ)

    def step(self, seconds: float) -> tuple[bool, Request | None]:
        """Wait for at most some seconds; return whether something happened and, in a new fork, its request."""
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
        except OSError:  # no memory, too many processes: the client sees that it gets no answer
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
        with suppress(KeyError):  # where the client went first
            self.selector.unregister(fork.client)
        _tell(fork, os.waitstatus_to_exitcode(os.waitpid(fork.pid, 0)[1]))
        self.forks.remove(fork)
        os.close(fork.ended)
        fork.client.close()

    def _leave(self) -> None:
        """In a fork: give up what is the server's."""
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
    """Return a client's request; None where it is another user's, or goes away or falls silent before it is whole."""
    client.settimeout(PATIENCE)
    descriptors = []
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
        # Python 3.12 warns of threads, of which BLAS may have made some: it takes care of forks itself.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _tell(fork: Fork, number: int) -> None:
    with suppress(OSError):  # a client that has gone is seen elsewhere
        fork.client.sendall(struct.pack("!i", number))


def _kill(fork: Fork) -> None:
    for kill in os.killpg, os.kill:  # its group is its own as soon as it has made it
        with suppress(ProcessLookupError):
            kill(fork.pid, signal.SIGKILL)


def preload() -> None:
    # As ipykernel sets it, too late for a matplotlib that is imported already.
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    for module in PRELOADED:
        with suppress(Exception):  # not installed, or broken: the notebook's own import will say so
            importlib.import_module(module)
    if "pandas" in sys.modules:  # it has looked whether it is in a terminal; in a kernel it would have found that not
        sys.modules["pandas"].set_option("display.max_columns", 20)
    gc.collect()
    gc.freeze()  # what was there before stays shared: no collection in a fork writes to it


def serve(server: Server, path: Path, idle: float) -> Request | None:
    """Make forks; return the request in each of them, None at the server's end.

    It ends `idle` seconds after the last fork, and when its socket or its environment is no longer what it was.
    """
    before = _state(path)
    preload()
    last = time.monotonic()
    while server.forks or (_state(path) == before and time.monotonic() - last < idle):
        happened, request = server.step(min(CHECKED_EVERY, idle))
        if request:
            return request
        if happened:
            last = time.monotonic()
    return None


def _state(path: Path) -> tuple | None:
    try:
        return path.stat().st_ino, identity.installed()
    except OSError:
        return None


def run(request: Request) -> None:
    """Become the kernel, or the script, that an ordinary start would have given, until it ends."""
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
        sys.modules["numpy.random"].seed()  # the state of the server's would be that of every fork
    if request.arguments[:2] == ["-m", "ipykernel_launcher"]:
        run_kernel(request.arguments[2:])
    else:
        sys.argv = request.arguments
        sys.path.insert(0, str(Path(sys.argv[0]).resolve().parent))
        runpy.run_path(os.path.abspath(sys.argv[0]), run_name="__main__")


def run_kernel(arguments: list[str]) -> None:
    os.environ["JPY_PARENT_PID"] = str(os.getppid())
    sys.argv = [importlib.util.find_spec("ipykernel_launcher").origin, *arguments]
    from ipykernel.kernelapp import IPKernelApp

    # With the server's end comes the kernel's, as else with its user's. ipykernel looks at the environment too early.
    IPKernelApp.launch_instance([*arguments, f"--IPKernelApp.parent_handle={os.getppid()}"])


def main(path: Path, descriptor: int, idle: float) -> None:
    if sys.path[0] == os.getcwd():  # as ipykernel_launcher does, whose kernel then puts its own folder there
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
    """Remove a server's socket, and the folder where it was the last."""
    with suppress(OSError), locked_folder() as folder:
        if path.stat().st_ino == inode:
            path.unlink()
        folder.rmdir()  # refused while it holds another's


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
