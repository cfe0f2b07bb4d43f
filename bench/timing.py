"""Timing of a contender, together with a number it found, which shows that it did the work."""

import time
import warnings
from collections.abc import Callable


def timed(run: Callable[..., float | None], *arguments, first: tuple | None = None) -> dict:
    """Return the duration of a call and its result, or the error.

    Parameters
    ----------
    run : function
    *arguments
        Arguments of the call.
    first : tuple, optional
        Arguments of a call before it, which is not timed and does the imports.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if first is not None:
                run(*first)
            started = time.perf_counter()
            found = run(*arguments)
            return {"seconds": time.perf_counter() - started, "found": found}
    except Exception as error:  # of any kind: the table shows it
        return {"fails": f"{type(error).__name__}: {error}"}
