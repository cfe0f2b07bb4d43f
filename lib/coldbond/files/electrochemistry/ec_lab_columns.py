"""Columns of BioLogic's binary files (.mpr): their numbers, names and types.

Names and numbers are those of BioLogic's manual of the OLE COM interface of EC-Lab and BT-Lab. The types are those that
the open programs galvani (Kerr and others) and yadg (Kraus and others) found in files, and those that the digits of
text exports show: EC-Lab writes a 32-bit number with 8 significant digits, a 64-bit one with 16.
"""

#: Columns that share one byte, and their bits in it.
FLAGS = {
    1: ("mode", 0b00000011),
    2: ("ox/red", 0b00000100),
    3: ("error", 0b00001000),
    21: ("control changes", 0b00010000),
    31: ("Ns changes", 0b00100000),
    65: ("counter inc.", 0b10000000),
}
_DOUBLE = {
    4: "time/s",
    7: "dq/mA.h",
    11: "<I>/mA",
    13: "(Q-Qo)/mA.h",
    23: "dQ/mA.h",
    24: "cycle number",
    74: "|Energy|/W.h",
    123: "Energy charge/W.h",
    124: "Energy discharge/W.h",
    125: "Capacitance charge/µF",
    126: "Capacitance discharge/µF",
    438: "step time/s",
    467: "Q charge/discharge/mA.h",
    # The manual ends at 543. Files show the lower byte of these four, 110, 112, 115 and 116.
    622: "Energy ce/W.h",
    624: "Energy we/W.h",
    627: "Energy ce charge/W.h",
    628: "Energy ce discharge/W.h",
}
_SINGLE = {
    5: "control/V/mA",
    6: "Ewe/V",
    8: "I/mA",
    9: "Ece/V",
    16: "Analog IN 1/V",
    17: "Analog IN 2/V",
    18: "Analog IN 3/V",
    19: "control/V",
    20: "control/mA",
    26: "Rapp/Ohm",
    27: "Ewe-Ece/V",
    32: "freq/Hz",
    33: "|Ewe|/V",
    34: "|I|/A",
    35: "Phase(Z)/deg",
    36: "|Z|/Ohm",
    37: "Re(Z)/Ohm",
    38: "-Im(Z)/Ohm",
    50: "E0/V",
    69: "R/Ohm",
    70: "P/W",
    73: "rotation rate/rpm",
    75: "Analog OUT/V",
    76: "<I>/mA",
    77: "<Ewe>/V",
    78: "Cs-2/µF-2",
    96: "|Ece|/V",
    97: "|Ice|/A",
    98: "Phase(Zce)/deg",
    99: "|Zce|/Ohm",
    100: "Re(Zce)/Ohm",
    101: "-Im(Zce)/Ohm",
    119: "Re(Y)/Ohm-1",
    120: "Im(Y)/Ohm-1",
    121: "|Y|/Ohm-1",
    122: "Phase(Y)/deg",
    163: "|Estack|/V",
    168: "Rcmp/Ohm",
    169: "Cs/µF",
    172: "Cp/µF",
    173: "Cp-2/µF-2",
    174: "<Ewe>/V",
    422: "Phase(Zstack)/deg",
    423: "|Zstack|/Ohm",
    424: "Re(Zstack)/Ohm",
    425: "-Im(Zstack)/Ohm",
    426: "<Estack>/V",
    430: "Phase(Zwe-ce)/deg",
    431: "|Zwe-ce|/Ohm",
    432: "Re(Zwe-ce)/Ohm",
    433: "-Im(Zwe-ce)/Ohm",
    434: "(Q-Qo)/C",
    435: "dQ/C",
    441: "<Ece>/V",
    462: "Temperature/°C",
    471: "<Ece>/V",
    504: "Rac/Ohm",
    505: "Rdc/Ohm",
}
#: Electrodes of a stack, each with columns of its own.
_STACK = 30
_OF_STACK = {
    241: "|E{}|/V",
    271: "Phase(Z{})/deg",
    301: "|Z{}|/Ohm",
    331: "Re(Z{})/Ohm",
    361: "-Im(Z{})/Ohm",
    391: "<E{}>/V",
}
#: Quality of a spectrum: harmonic distortion, drift and noise; the harmonics.
_QUALITY = {473: "THD {}/%", 476: "NSD {}/%", 479: "NSR {}/%"}
_HARMONICS = {486: "|Ewe h{}|/V", 492: "|I h{}|/A", 498: "|Ece h{}|/V"}
#: Dielectric quantities of a spectrum, in the order of their numbers.
_DIELECTRIC = {511: "C", 515: "M", 519: "Permittivity", 523: "Conductivity", 527: "Resistivity"}
_UNITS = {"C": "/nF", "Conductivity": "/mS/cm", "Resistivity": "/Ohm.cm"}

#: Name and type (as numpy names it) of each column.
TYPES: dict[int, tuple[str, str]] = {
    39: ("I Range", "<u2"),
    131: ("Ns", "<u2"),
    468: ("half cycle", "<u4"),
    469: ("z cycle", "<u4"),
    509: ("Acir/Dcir Control", "u1"),
}
TYPES |= {number: (name, "<f8") for number, name in _DOUBLE.items()}
TYPES |= {number: (name, "<f4") for number, name in _SINGLE.items()}
TYPES |= {531: ("Tan(Delta)", "<f4"), 532: ("Loss Angle(Delta)/deg", "<f4")}
for _first, _name in _OF_STACK.items():
    TYPES |= {_first + place: (_name.format(place + 1), "<f4") for place in range(_STACK)}
for _first, _name in _QUALITY.items():
    TYPES |= {_first + place: (_name.format(of), "<f4") for place, of in enumerate(("Ewe", "I", "Ece"))}
for _first, _name in _HARMONICS.items():
    TYPES |= {_first + place: (_name.format(place + 2), "<f4") for place in range(6)}
for _first, _name in _DIELECTRIC.items():
    _unit = _UNITS.get(_name, "")
    _parts = (f"Re({_name}){_unit}", f"Im({_name}){_unit}", f"|{_name}|{_unit}", f"Phase({_name})/deg")
    TYPES |= {_first + place: (part, "<f4") for place, part in enumerate(_parts)}

#: Columns of BT-Lab whose numbers are harmonics in EC-Lab. Only one of the two fits the length of a file.
OF_BT_LAB = dict(
    enumerate(
        (
            ("Q charge/mA.h", "<f8"),
            ("Q discharge/mA.h", "<f8"),
            ("step time/s", "<f8"),
            ("Efficiency/%", "<f8"),
            ("Capacity/mA.h", "<f8"),
        ),
        start=498,
    )
)
