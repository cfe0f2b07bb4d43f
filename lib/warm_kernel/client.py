"""The client: ask the server for a fork, and start a server if there is none.

A server listens on a Unix socket in /tmp/warm-kernel-UID, whose name is a hash of everything that a forked process
inherits from it (`identity.key`). A client sends the arguments and the environment of the wanted process as JSON, and
with them, as SCM_RIGHTS, the open descriptors of its working directory and its standard streams. The server answers
with the process number of the fork, and later with its exit status. The connection stays open as long as the process
runs: if the client closes it or dies, the server kills the process.
"""

import fcntl
import json
import os
import select
import signal
import socket
import stat
import struct
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from warm_kernel import identity

#: Seconds without any process after which a server ends. Long enough to edit a notebook and run it again.
IDLE = 300.0

#: How often a fork is requested. A server may end just when it is asked; the next attempt then starts a new one.
ATTEMPTS = 3

#: Clients that may wait for a server that is still importing its packages; more are refused.
BACKLOG = 128


class HasDescriptor(Protocol):
    """A file, as subprocess.Popen takes it for a standard stream."""

    def fileno(self) -> int: ...


class ForkedProcess:
    """A process that the server has forked, with those attributes of subprocess.Popen that jupyter_client uses."""

    stdin = stdout = stderr = None

    def __init__(self, server: socket.socket, pid: int) -> None:
        self._server = server  # the server kills the process when this connection is closed
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._server], [], [], 0)[0]:
            answer = _received(self._server)
            # No answer: the server was killed, and the process with it.
            self.returncode = answer if answer is not None else -signal.SIGKILL
            self._server.close()
        return self.returncode

    def wait(self) -> int:
        while (ended := self.poll()) is None:
            select.select([self._server], [], [])
        return ended

    def send_signal(self, signum: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, signum)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def forked(
    python: Sequence[str],
    arguments: Sequence[str],
    env: Mapping[str, str],
    cwd: str | os.PathLike[str] | None = None,
    stdout: int | HasDescriptor | None = None,
    stderr: int | HasDescriptor | None = None,
    idle: float = IDLE,
) -> ForkedProcess:
    """Return a fork of the server that runs a kernel or a script.

    Parameters
    ----------
    python : sequence of str
        The interpreter with its options.
    arguments : sequence of str
        ``["-m", "ipykernel_launcher", ...]`` or ``[script, ...]``.
    env, cwd, stdout, stderr
        As for subprocess.Popen.
    idle : float
        Seconds without any process after which the server ends, if this call starts it.

    Raises
    ------
    FileNotFoundError, NotADirectoryError, PermissionError
        The process cannot be started in `cwd`, as with subprocess.Popen.
    ConnectionError
        No server can be reached or started.
    """
    request = json.dumps([arguments, env]).encode()
    folder = os.open(cwd or os.curdir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        streams = [_descriptor(stream, own) for stream, own in ((stdout, 1), (stderr, 2))]
        for _ in range(ATTEMPTS):
            server = _connected(python, env, idle)
            with suppress(ConnectionError):
                socket.send_fds(server, [struct.pack("!i", len(request))], [folder, *streams])
                server.sendall(request)
                pid = _received(server)
                if pid is not None:
                    return ForkedProcess(server, pid)
            server.close()
    finally:
        os.close(folder)
    raise ConnectionError("its server ends before it answers")


def _descriptor(stream: int | HasDescriptor | None, own: int) -> int:
    if stream is None:
        return own
    return stream if isinstance(stream, int) else stream.fileno()


def _received(server: socket.socket) -> int | None:
    """Return the next number that the server sends, or None if the server has ended."""
    try:
        answer = server.recv(4, socket.MSG_WAITALL)
    except ConnectionError:
        return None
    return struct.unpack("!i", answer)[0] if len(answer) == 4 else None


def _connected(python: Sequence[str], env: Mapping[str, str], idle: float) -> socket.socket:
    """Return a connection to the server, and start the server if there is none.

    The client opens the listening socket and the server inherits it. A request that is sent before the server has
    imported its packages therefore waits in the socket, and nobody has to find out when the server is ready.
    """
    try:
        with locked_folder() as folder:
            path = folder / identity.key(python, env)
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(str(path))
            except (FileNotFoundError, ConnectionRefusedError):
                remove_dead(folder)
                with socket.socket(socket.AF_UNIX) as listener:
                    listener.bind(str(path))
                    listener.listen(BACKLOG)
                    process = subprocess.Popen(
                        [*python, "-m", "warm_kernel.server", str(path), str(listener.fileno()), str(idle)],
                        env=identity.read_at_start(env),
                        cwd="/",
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL,
                        pass_fds=[listener.fileno()],
                        start_new_session=True,
                    )
                # The server usually outlives this process. If it ends first, someone has to wait for it: otherwise it
                # would remain as a zombie.
                threading.Thread(target=process.wait, daemon=True).start()
                server.connect(str(path))
            return server
    except OSError as error:
        raise ConnectionError(str(error)) from error


@contextmanager
def locked_folder() -> Iterator[Path]:
    """Give the folder of this user's sockets, locked against other processes; make it if there is none.

    Raises
    ------
    PermissionError
        The folder belongs to another user, or other users can open it.
    """
    # Not in TMPDIR, which may be long: the path of a Unix socket has at most 107 characters.
    folder = Path("/tmp", f"warm-kernel-{os.getuid()}")
    while True:
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
        # Anybody can make a folder of this name in /tmp. Whoever can write to it could replace the socket, and would
        # be given the environment variables of every kernel.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise PermissionError(f"{folder} is not a folder of this user alone: remove it")
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # The last server to end removes the folder, possibly between the two lines above: then try again.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), folder.lstat()):
                    yield folder
                    return
        finally:
            os.close(descriptor)


def remove_dead(folder: Path) -> None:
    """Remove the sockets in a locked folder that nobody listens on, because their servers were killed."""
    for path in folder.iterdir():
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
