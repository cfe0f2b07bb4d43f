"""What a contender measures: seconds, and a number found that shows that it did the work."""

import time
import warnings
from collections.abc import Callable


def timed(run: Callable[..., float | None], *arguments, first: tuple | None = None) -> dict:
    """Return the seconds of a call and what it found, or how it fails; with `first` given, after such a call."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if first is not None:
                run(*first)
            started = time.perf_counter()
            found = run(*arguments)
            return {"seconds": time.perf_counter() - started, "found": found}
    except Exception as error:  # of whatever kind: the table says it
        return {"fails": f"{type(error).__name__}: {error}"}
