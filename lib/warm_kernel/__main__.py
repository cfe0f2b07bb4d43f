"""Run a script as a fork of the server, which has imported papermill already.

    python -m warm_kernel SCRIPT [ARGUMENT ...]

It does what `python SCRIPT ...` does, a session of its own and an empty standard input apart; signals are passed on.
"""

import os
import signal
import sys
from contextlib import suppress

from warm_kernel import client


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback while the server starts
    try:
        process = client.forked([sys.executable], arguments, dict(os.environ))
    except ConnectionError as error:
        print(f"{arguments[0]} is started anew, since it cannot be forked: {error}", file=sys.stderr, flush=True)
        os.execv(sys.executable, [sys.executable, *arguments])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: process.send_signal(number))
    ended = process.wait()
    if ended < 0:  # by a signal: so does this process, for whoever waits for it
        with suppress(OSError):  # SIGKILL has no other way anyhow
            signal.signal(-ended, signal.SIG_DFL)
        os.kill(os.getpid(), -ended)
    return ended


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
