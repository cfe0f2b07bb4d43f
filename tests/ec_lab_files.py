"""Files of EC-Lab, as text and binary, written by hand: one record a row of columns with EC-Lab's names."""

import struct

import numpy as np

GCPL = "Galvanostatic Cycling with Potential Limitation"
#: A rest, a charge that ends with constant voltage, a discharge; then the same again.
PHASES = ((3, 0, 0, 0.0, 4), (1, 1, 0, 0.2, 6), (2, 1, 0, 0.1, 3), (1, 2, 1, -0.2, 7))
COUNT = sum(phase[-1] for phase in PHASES)
TIMES = 10.0 + 30.0 * np.arange(2 * COUNT)


def records() -> dict[str, np.ndarray]:
    """Columns of two cycles of a cell."""
    mode, step, half, current = (np.repeat([phase[k] for phase in PHASES], [p[-1] for p in PHASES]) for k in range(4))
    mode, step, current = (np.tile(column, 2) for column in (mode, step, current))
    half = np.concatenate([half, half + 2])
    passed = current * np.diff(TIMES, prepend=TIMES[0]) / 3600
    return {
        "mode": mode,
        "ox/red": (current > 0).astype(int),
        "Ns": step,
        "time/s": TIMES,
        "control/V/mA": np.where(mode == 2, 4.2, current),
        "Ewe/V": np.round(3.7 + 0.5 * np.sin(TIMES / 300), 7).astype(np.float32).astype(float),
        "dq/mA.h": passed,
        "(Q-Qo)/mA.h": np.cumsum(passed),
        "half cycle": half,
        "<I>/mA": current,
        "cycle number": half // 2.0,
    }


INTEGERS = ("mode", "ox/red", "Ns", "half cycle", "z cycle")
SINGLES = ("Ewe/V", "control/V/mA", "freq/Hz", "Re(Z)/Ohm", "-Im(Z)/Ohm", "|Z|/Ohm", "Phase(Z)/deg", "I/mA")


def cell(name: str, value: float) -> str:
    """A number as EC-Lab writes it: 8 or 16 digits and an exponent of three."""
    if name in INTEGERS:
        return f"{value:.0f}"
    mantissa, exponent = f"{value:.{7 if name in SINGLES else 15}E}".split("E")
    return f"{mantissa}E{int(exponent):+04d}"


def mpt(columns: dict[str, np.ndarray], title: str = GCPL, more: tuple[str, ...] = (), end: str = "\r\n") -> str:
    lines = [
        "EC-Lab ASCII FILE",
        "Nb header lines : {}                          ",
        "",
        *(
            [title, "", "Acquisition started on : 01/10/2024 11:02:29.886", "Device : SP-300 (SN 1854)"]
            if title
            else []
        ),
        *more,
        *([""] if title else []),
        "\t".join(columns) + "\t",
    ]
    lines[1] = lines[1].format(len(lines))
    rows = ["\t".join(map(cell, columns, row)) for row in zip(*columns.values(), strict=True)]
    return end.join([*lines, *rows])


def modulo_bat() -> dict[str, np.ndarray]:
    """Columns of a rest, a spectrum, a rest and a spectrum."""
    frequency = np.geomspace(1e5, 1, 16)
    z = 5 + 20 / (1 + 2j * np.pi * frequency * 1e-3)
    rest = np.zeros(5)
    spectrum = {
        "freq/Hz": frequency,
        "Re(Z)/Ohm": z.real,
        "-Im(Z)/Ohm": -z.imag,
        "|Z|/Ohm": np.abs(z),
        "Phase(Z)/deg": np.degrees(np.angle(z)),
    }
    parts = {name: np.concatenate([rest, column, rest, column]) for name, column in spectrum.items()}
    size = parts["freq/Hz"].size
    measured = parts["freq/Hz"] > 0
    return {
        "mode": np.where(measured, 2, 3),
        "Ns": np.repeat([0, 1, 2, 3], [5, 16, 5, 16]),
        "time/s": 5.0 * np.arange(size),
        "Ewe/V": np.where(measured, 3.6, 3.7),
        "I/mA": np.where(measured, 0.5, 0.0),
        **parts,
        "z cycle": np.repeat([0, 0, 0, 1], [5, 16, 5, 16]),
        "cycle number": np.zeros(size),
    }


#: Numbers and types of columns in a binary file.
BINARY = {
    "mode": (1, None),
    "ox/red": (2, None),
    "Ns": (131, "<u2"),
    "time/s": (4, "<f8"),
    "control/V/mA": (5, "<f4"),
    "Ewe/V": (6, "<f4"),
    "dq/mA.h": (7, "<f8"),
    "I/mA": (8, "<f4"),
    "(Q-Qo)/mA.h": (13, "<f8"),
    "cycle number": (24, "<f8"),
    "freq/Hz": (32, "<f4"),
    "Phase(Z)/deg": (35, "<f4"),
    "|Z|/Ohm": (36, "<f4"),
    "Re(Z)/Ohm": (37, "<f4"),
    "-Im(Z)/Ohm": (38, "<f4"),
    "half cycle": (468, "<u4"),
    "z cycle": (469, "<u4"),
}


def module(name: str, version: int, body: bytes, new: bool) -> bytes:
    head = b"MODULE" + name.ljust(10).encode() + name.ljust(25).encode()
    if new:
        return head + struct.pack("<4I", 0xFFFFFFFF, len(body), 0, version) + b"01.10.24" + body
    return head + struct.pack("<2I", len(body), version) + b"01/10/24" + body


def mpr(
    columns: dict[str, np.ndarray],
    technique: int = 4,
    version: int = 3,
    numbers: dict[str, tuple[int, str | None]] = BINARY,
    more: bytes = b"",
    settings: bytes = bytes(40),
) -> bytes:
    new = version > 9
    names = [name for name in columns if name in numbers]
    fields = list(dict.fromkeys((name, numbers[name][1]) if numbers[name][1] else ("flags", "u1") for name in names))
    size = len(columns["time/s"])
    rows = np.zeros(size, np.dtype(fields))
    for name in names:
        if numbers[name][1]:
            rows[name] = columns[name]
        else:
            rows["flags"] |= (columns[name].astype(np.uint8) << (0 if name == "mode" else 2)).astype(np.uint8)
    first, start = {3: (5, 406), 2: (5, 405), 11: (6, 1007)}[version]
    head = bytearray(start)
    struct.pack_into("<IB", head, 0, size, len(names))
    for place, name in enumerate(names):
        struct.pack_into("<H", head, first + 2 * place, numbers[name][0])
    log = bytearray(0x300)
    struct.pack_into("<d", log, 0x249, 45301.25)
    signature = b"BIO-LOGIC MODULAR FILE\x1a".ljust(48) + bytes(4)
    return (
        signature
        + module("VMP Set", 10 if new else 0, bytes([technique]) + settings, new)
        + module("VMP data", version, bytes(head) + rows.tobytes(), new)
        + module("VMP LOG", 10 if new else 0, bytes(log), new)
        + more
    )


def peis_settings(new: bool, first: float, unit: int, last: float, last_unit: int, amplitude: float) -> bytes:
    """Settings of a PEIS after the byte of the technique: frequencies with the numbers of their units, and mV."""
    block = bytearray(64)
    struct.pack_into("<2H", block, 0, 1, 52)
    struct.pack_into("<fBfBIBBf", block, 27 if new else 24, first, unit, last, last_unit, 10, 1, 1, amplitude)
    return bytes(0x1846) + bytes(block)
