"""Run a script as a fork of the server, which has already imported papermill.

    python -m warm_kernel SCRIPT [ARGUMENT ...]

The result is the same as that of `python SCRIPT ...`, except that the script runs in a session of its own and has an
empty standard input. Signals are passed on to it.
"""

import os
import signal
import sys
from contextlib import suppress
from types import FrameType

from warm_kernel import client


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback if the user interrupts while the server starts
    try:
        process = client.forked([sys.executable], arguments, dict(os.environ))
    except ConnectionError as error:
        print(f"{arguments[0]} is started anew, since it cannot be forked: {error}", file=sys.stderr, flush=True)
        os.execv(sys.executable, [sys.executable, *arguments])

    def pass_on(number: int, frame: FrameType | None) -> None:
        process.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    ended = process.wait()
    if ended < 0:  # The script was ended by a signal. End this process in the same way: its parent may look at that.
        with suppress(OSError):  # the handler of SIGKILL cannot be set, and need not be
            signal.signal(-ended, signal.SIG_DFL)
        os.kill(os.getpid(), -ended)
    return ended


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
