"""Ask the server for a fork, and start the server where there is none."""

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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from warm_kernel import identity

IDLE = 300.0  # seconds after its last process at which a server ends
ATTEMPTS = 3  # a server that ends just when it is asked is asked once more, of a new one


class ForkedProcess:
    """A process that the server has forked, with what jupyter_client uses of subprocess.Popen."""

    stdin = stdout = stderr = None

    def __init__(self, server: socket.socket, pid: int) -> None:
        self._server = server  # it kills the process when this is closed
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._server], [], [], 0)[0]:
            answer = _received(self._server)
            self.returncode = answer if answer is not None else -signal.SIGKILL  # the server was killed, and it with it
            self._server.close()
        return self.returncode

    def wait(self) -> int:
        while self.poll() is None:
            select.select([self._server], [], [])
        return self.returncode

    def send_signal(self, signum: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, signum)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def forked(
    python: list[str], arguments: list[str], env: dict[str, str], cwd=None, stdout=None, stderr=None, idle: float = IDLE
) -> ForkedProcess:
    """Return a fork of the server that runs a kernel or a script.

    Parameters
    ----------
    python : list of str
        The interpreter with its options.
    arguments : list of str
        ``["-m", "ipykernel_launcher", ...]`` or ``[script, ...]``.
    env, cwd, stdout, stderr
        As for subprocess.Popen.
    idle : float
        Seconds after its last process at which the server ends, where this starts it.

    Raises
    ------
    FileNotFoundError, NotADirectoryError, PermissionError
        As subprocess.Popen does, where it cannot be in `cwd`.
    ConnectionError
        Where no server can be had.
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


def _descriptor(stream, own: int) -> int:
    if stream is None:
        return own
    return stream if isinstance(stream, int) else stream.fileno()


def _received(server: socket.socket) -> int | None:
    """Return the next number that the server sends, None where it has gone."""
    try:
        answer = server.recv(4, socket.MSG_WAITALL)
    except ConnectionError:
        return None
    return struct.unpack("!i", answer)[0] if len(answer) == 4 else None


def _connected(python: list[str], env: dict[str, str], idle: float) -> socket.socket:
    """Return a connection to the server, which is started where there is none.

    It is given its socket, on which a client can wait already: nobody needs to know when it is ready.
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
                    listener.listen(128)
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
                # It outlives this process, or ends before it, and is then to be no zombie.
                threading.Thread(target=process.wait, daemon=True).start()
                server.connect(str(path))
            return server
    except OSError as error:
        raise ConnectionError(str(error)) from error


@contextmanager
def locked_folder() -> Iterator[Path]:
    """Give the folder of this user's sockets, which the last server to end removes, and hold others off it meanwhile.

    Raises
    ------
    PermissionError
        Where someone else has made it, or it is open to others.
    """
    folder = Path("/tmp", f"warm-kernel-{os.getuid()}")  # not TMPDIR: a socket's path has at most 107 letters
    while True:
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise PermissionError(f"{folder} is not a folder of this user alone: remove it")
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            with suppress(FileNotFoundError):  # a server that ended has removed it meanwhile
                if os.path.samestat(os.fstat(descriptor), folder.lstat()):
                    yield folder
                    return
        finally:
            os.close(descriptor)


def remove_dead(folder: Path) -> None:
    """Remove the sockets in a locked folder on which nobody listens: their servers were killed."""
    for path in folder.iterdir():
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
