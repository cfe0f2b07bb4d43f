"""Reads mutated files of every format: each must give a value or a `ReadError`, within 2 GB and 10 s.

`make fuzz` reads 30 000 files and writes docs/fuzz.md; test_fuzz.py reads 2 000. Case i of a seed is always the same
file: the sample of a format from samples.py, mutated once to three times by damage to its bytes, its numbers, its lines
or its encoding. Members of archives are mutated too, and packed again with the right checksum. Worker processes read
the files, so that one that is aborted or hangs is counted and the next takes over.
"""

import io
import json
import random
import re
import resource
import selectors
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Limits of a read: seconds of a processor, and bytes of memory.
SECONDS, MEMORY = 10, 2 << 30
#: Seconds after which a worker that does not answer is ended, and that it may take to start. Code in C cannot be
#: interrupted before.
SILENCE, STARTUP = 3 * SECONDS, 300
WORKERS = 2
#: Outcomes, in the order of the table; the last ones are failures.
OUTCOMES = ("same", "other header", "other values", "refused", "exception", "hang", "memory", "abort")
FAILURES = OUTCOMES[4:]

NUMBER = re.compile(rb"[-+]?[0-9]+\.?[0-9]*(?:[eE][-+]?[0-9]+)?")
HOSTILE = [
    *(b"nan", b"NaN", b"inf", b"-inf", b"1e308", b"-1e308", b"1e999", b"1e-320", b"-1", b"0", b"-0", b"1e5", b"1_0"),
    *(b"", b"-", b".", b"1e", b"0x10", b"1,5", b"1.5.2", b"--1", b"4294967295", b"2147483648", b"18446744073709551616"),
    *("１２".encode(), "٣".encode(), "½".encode(), "²".encode(), "\xb2".encode("latin-1"), b"9" * 4301, b"0" * 5000),
    *(b"1" * 400, b"0." + b"3" * 5000, b"#DIV/0!", b"OVLD", b"overload", b"TRUE", b"1e10", b"99999999"),
]
CONTROL = [b"\0", b"\x1c", b"\x1a", b"\x0b", b"\x0c", b"\x85", b"\r", b"\n", b'"', b"'", b";", b",", b"\t", b"<", b"&"]
WORDS = [
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\0\0\0\x80",
    b"\0\0\xc0\x7f",
    b"\0\0\x80\x7f",
    b"\xff\xff",
]
ENCODINGS = ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "cp1252", "gb18030", "cp932", "utf-32", "cp437", "utf-7"]


def flipped(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut_off(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def part(data: bytes, rng: random.Random) -> tuple[int, int]:
    start = rng.randrange(len(data))
    return start, min(len(data), start + rng.choice((1, 2, 4, 16, 64, 1024)))


def deleted(data: bytes, rng: random.Random) -> bytes:
    start, end = part(data, rng)
    return data[:start] + data[end:]


def doubled(data: bytes, rng: random.Random) -> bytes:
    start, end = part(data, rng)
    return data[:end] + data[start:end] * rng.choice((1, 1, 50)) + data[end:]


def overwritten(data: bytes, rng: random.Random) -> bytes:
    word, start = rng.choice(WORDS), rng.randrange(len(data))
    return data[:start] + word + data[start + len(word) :]


def hostile_number(data: bytes, rng: random.Random) -> bytes:
    places = [match.span() for match in NUMBER.finditer(data)] or [(0, 0)]
    start, end = rng.choice(places)
    return data[:start] + rng.choice(HOSTILE) + data[end:]


def inserted(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + rng.choice(CONTROL) + data[start:]


def lines_changed(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(5):
        case 0:
            lines[at], lines[other] = lines[other], lines[at]
        case 1:
            del lines[at]
        case 2:
            lines.insert(at, lines[other])
        case 3:
            lines[at] = b""
        case _:
            lines = lines[at:] + lines[:at]
    return b"\n".join(lines)


def columns_swapped(data: bytes, rng: random.Random) -> bytes:
    separator = max((b",", b"\t", b";", b" "), key=data.count)
    at, other = rng.randrange(6), rng.randrange(6)
    lines = [line.split(separator) for line in data.split(b"\n")]
    for cells in lines:
        if len(cells) > max(at, other):
            cells[at], cells[other] = cells[other], cells[at]
    return b"\n".join(separator.join(cells) for cells in lines)


def encoded(data: bytes, rng: random.Random) -> bytes:
    text = data.decode("utf-8", "replace")
    match rng.randrange(4):
        case 0:
            return data.replace(b"\r\n", b"\n").replace(b"\n", rng.choice((b"\r\n", b"\r", b"\n\n")))
        case 1:
            return data.replace(b",", b";").replace(b".", b",")
        case _:
            text = text.replace("u", "µ", 1).replace("o", "ö", 1) if rng.random() < 0.5 else text
            return text.encode(rng.choice(ENCODINGS), "replace")


def joined(data: bytes, rng: random.Random) -> bytes:
    return data + data if rng.random() < 0.5 else data + cut_off(data, rng)


BYTES: list[Callable[[bytes, random.Random], bytes]] = [flipped, cut_off, deleted, doubled, overwritten, joined]
TEXT = [
    hostile_number,
    hostile_number,
    hostile_number,
    inserted,
    lines_changed,
    lines_changed,
    columns_swapped,
    encoded,
]


def member_changed(data: bytes, rng: random.Random) -> bytes:
    """Return an archive with one member mutated, and right checksums."""
    try:
        source = zipfile.ZipFile(io.BytesIO(data))
        members = {name: source.read(name) for name in source.namelist()}
    except Exception:  # a mutation before has damaged it
        return flipped(data, rng)
    if not members:  # an earlier mutation deleted the last one
        return flipped(data, rng)
    target = rng.choice([name for name, content in members.items() if content] or list(members))
    if rng.random() < 0.1:
        del members[target]
    else:
        members[target] = rng.choice(TEXT + BYTES)(members[target] or b"0", rng)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return packed.getvalue()


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return a file with one to three mutations."""
    is_text = b"\0" not in data[:4096]
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if data.startswith(b"PK") and rng.random() < 0.8:
            data = member_changed(data, rng)
        else:
            data = rng.choice(BYTES + TEXT * is_text)(data or b"0", rng)
    return data


def worker(seed: int, start: int, stop: int, step: int) -> None:
    """Read cases start, start + step, ... and write a line of the number, the outcome and what was raised of each."""
    from coldbond.files import ReadError, read
    from coldbond.files.errors import TELL
    from samples import samples

    resource.setrlimit(resource.RLIMIT_AS, (4 * MEMORY, 4 * MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, _late)
    held = samples()
    names = list(held)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        whole: dict[tuple[str, int], object] = {}
        print("null", flush=True)  # imports and samples take their time
        for case in range(start, stop, step):
            name, rng = names[case % len(names)], random.Random(f"{seed} {case}")
            number = case // len(names) % len(held[name])
            sample = held[name][number]
            if (name, number) not in whole:
                path.write_bytes(sample.data)
                whole[name, number] = read(path, **sample.stated)
            path.write_bytes(mutated(sample.data, rng))
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            raised = ""
            try:
                found = read(path, **sample.stated)
                outcome = _compared(found, whole[name, number])
            except ReadError as error:
                outcome = "refused"
                if error.remedy == TELL:  # the last resort of `read`, which no damage should need
                    outcome, raised = "exception", error.reason
            except TimeoutError:
                outcome = "hang"
            except MemoryError:
                outcome = "memory"
            except BaseException as error:  # a panic of a library is no Exception
                outcome, raised = "exception", f"{type(error).__name__}: {str(error)[:200]}"
            signal.setitimer(signal.ITIMER_PROF, 0)
            if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10 > MEMORY:
                outcome = "memory"
            print(json.dumps([case, outcome, raised]), flush=True)
            if outcome == "memory":  # the most memory of a process is never forgotten
                return


def _late(*_: object) -> None:
    raise TimeoutError


def _compared(found: object, whole: object) -> str:
    """Return how a recording differs from that of the sample."""
    if type(found) is not type(whole) or not found.equals(whole):  # type: ignore[attr-defined]
        return "other values"
    same = {"sha256", "encoding", "unread"}  # the first two follow from the bytes, and the third is said
    nodes = [(f.attrs, w.attrs) for f, w in zip(_nodes(found), _nodes(whole), strict=True)]
    headers = [[{k: str(v) for k, v in attrs.items() if k not in same} for attrs in pair] for pair in nodes]
    return "same" if all(a == b for a, b in headers) else "other header"


def _nodes(recording: object) -> list:
    return list(getattr(recording, "subtree", [recording]))


def one(seed: int, case: int) -> None:
    """Read one case again, with its traceback; the file stays in the current folder."""
    from coldbond.files import read
    from samples import samples

    held = samples()
    name = list(held)[case % len(held)]
    sample = held[name][case // len(held) % len(held[name])]
    Path("fuzz-case").write_bytes(mutated(sample.data, random.Random(f"{seed} {case}")))
    print(name, read("fuzz-case", **sample.stated), sep="\n")


def run(seed: int, cases: int) -> Iterator[tuple[int, str, str]]:
    """Yield number, outcome and what was raised of each case, in the order in which they are read."""
    watched = selectors.DefaultSelector()
    for first in range(WORKERS):
        _start(watched, seed, first, cases)
    while watched.get_map():
        ready = watched.select(timeout=1)
        for key, _ in ready:
            state = key.data
            line = state["process"].stdout.readline()  # without a buffer, in which a line would wait unseen
            if line:
                state["heard"] = time.monotonic()
                if (said := json.loads(line)) is None:
                    state["allowed"] = SILENCE
                    continue
                state["next"] = said[0] + WORKERS
                yield tuple(said)
            else:
                yield from _ended(watched, key.fileobj, seed, cases, "abort")
        for key in list(watched.get_map().values()):
            if time.monotonic() - key.data["heard"] > key.data["allowed"]:
                key.data["process"].kill()
                yield from _ended(watched, key.fileobj, seed, cases, "hang")


def _start(watched: selectors.BaseSelector, seed: int, first: int, cases: int) -> None:
    command = [sys.executable, __file__, "worker", *map(str, (seed, first, cases, WORKERS))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    assert process.stdout is not None
    state = dict(process=process, next=first, heard=time.monotonic(), allowed=STARTUP)
    watched.register(process.stdout, selectors.EVENT_READ, state)


def _ended(watched, stream, seed, cases, outcome) -> Iterator[tuple[int, str, str]]:
    """Count the case at which a worker ended before its last, and start another behind it."""
    state = watched.unregister(stream).data
    with state["process"] as process:  # closes its pipes
        errors = process.stderr.read().decode(errors="replace")
    code = process.returncode
    following = state["next"]
    if code and following < cases:
        yield following, outcome, f"ended with {code}: {errors[-300:]}"
        following += WORKERS
    if following < cases:
        _start(watched, seed, following, cases)


def table(seed: int, cases: int) -> tuple[str, list[str]]:
    """Return the table of formats by outcome in Markdown, and the failures."""
    from samples import samples

    names = list(samples())
    counts = {name: Counter[str]() for name in names}
    failures = []
    for case, outcome, raised in run(seed, cases):
        counts[names[case % len(names)]][outcome] += 1
        if outcome in FAILURES:
            failures.append(f"{names[case % len(names)]}, case {case} of seed {seed}: {outcome} {raised}")
    counts["all"] = sum(counts.values(), Counter())
    rows = [
        f"| {name} | " + " | ".join(str(count[outcome] or "") for outcome in OUTCOMES) + " |"
        for name, count in counts.items()
    ]
    head = [f"| format | {' | '.join(OUTCOMES)} |", "|---" + "|---:" * len(OUTCOMES) + "|"]
    return "\n".join(head + rows) + "\n", failures


PAGE = """# Mutated files

`make fuzz` mutates a sample of every format and reads it ({cases} files, seed {seed}). Each must give a value or a
`ReadError`, within 10 s and 2 GB; any other exception, a hang, more memory or the end of the process is a failure.

- *same*: the values and the header fields of the sample.
- *other header*: the values of the sample, and another header field, such as the name of the sample.
- *other values*: a recording with other values, without an error. A digit that is changed into another leaves nothing
  to find it by, unless the file says the same twice; these are counted so that their share can be watched.
- *refused*: a `ReadError`, which names the reason.

{table}
"""


def main() -> int:
    """Run `worker SEED START STOP STEP`, `case SEED NUMBER`, or all: `[CASES [SEED]]`, which writes docs/fuzz.md."""
    if sys.argv[1:2] == ["case"]:
        one(*map(int, sys.argv[2:]))
        return 0
    if sys.argv[1:2] == ["worker"]:
        worker(*map(int, sys.argv[2:]))
        return 0
    cases, seed = (list(map(int, sys.argv[1:])) + [30_000, 14][len(sys.argv) - 1 :])[:2]
    shown, failures = table(seed, cases)
    print(shown, *failures, sep="\n")
    if not failures:
        (ROOT / "docs" / "fuzz.md").write_text(
            PAGE.format(cases=cases, seed=seed, table=shown.strip()), encoding="utf-8"
        )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
