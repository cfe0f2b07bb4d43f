"""CPU time from a moved control to the answer with picture and numbers, on one recording of each role of raw/.

Run with `.venv/bin/python bench/explore_controls.py`; every answer is computed, as for a setting not seen before. The
browser adds the transfer and the display, which tests/browser.py prints.
"""

import time
from statistics import median

from coldbond.bundle import manifest, paths
from coldbond.explore import listing
from coldbond.explore.page import Session

REPEATS = 5
RATIO = 1


def moved(control: dict, place: int) -> object:
    """Return another value of a control."""
    kind, value = control["kind"], control["value"]
    if kind == "number":
        return min(control["high"], value + (place % 3 - 1) * control["step"]) if value else place * control["step"]
    if kind == "span":
        return [value[0] + (place + 1) * control["step"], value[1]]
    if kind == "choice":
        return control["options"][place % len(control["options"])]
    if kind == "several":
        return control["options"][: 1 + place % 3]
    return value if kind == "numbers" else bool(place % 2)


def main() -> None:
    """Print the median for each control, and of all."""
    session, every = Session(), []
    for row in {row["role"]: row for row in manifest.rows(paths.RAW)}.values():
        state = {"shown": [listing.key(row)], "width": 600, "ratio": RATIO}
        answer = session.draw(state)
        for control in answer["controls"]:
            if control["name"] == "fitted":  # says itself that it takes seconds
                continue
            times = []
            for place in range(REPEATS):
                settings = answer["settings"] | {control["name"]: moved(control, place)}
                began = time.process_time()
                session.draw(state | {"settings": settings})
                times.append(time.process_time() - began)
            every += times
            print(f"{row['role']:20} {control['label']:32} {1e3 * median(times):5.0f} ms", flush=True)
    print(f"median {1e3 * median(every):.0f} ms, longest {1e3 * max(every):.0f} ms of {len(every)}")


if __name__ == "__main__":
    main()
