"""Impedance spectra as the programs of potentiostats and analysers export them, written by hand with known values."""

import numpy as np

from impedance_files import FREQUENCY, IMPEDANCE, digits

#: Values as the exports hold them: seven digits, of which the last may be rounded.
FORM = ".7g"
F = digits(FREQUENCY, 7)
Z = digits(IMPEDANCE.real, 7) + 1j * digits(IMPEDANCE.imag, 7)
MODULUS, PHASE = digits(np.abs(Z), 7), digits(np.degrees(np.angle(Z)), 7)
TIME = 1.5 + 2.0 * np.arange(F.size)
POINT = np.arange(F.size)
ZERO = np.zeros(F.size)

GAMRY_HEADER = """EXPLAIN
TAG\tEISPOT
TITLE\tLABEL\tPotentiostatic EIS\tTest &Identifier
DATE\tLABEL\t4/23/2018\tDate
TIME\tLABEL\t16:43:15\tTime
NOTES\tNOTES\t1\t&Notes...
\tpellet 3
PSTAT\tPSTAT\tREF3000\tPotentiostat
VDC\tPOTEN\t-5.00000E-002\tT\tDC &Voltage (V)
FREQINIT\tQUANT\t1.00000E+005\tInitial Fre&q. (Hz)
FREQFINAL\tQUANT\t1.00000E-001\tFinal Fre&q. (Hz)
VAC\tQUANT\t1.00000E+001\tAC &Voltage (mV rms)
OCVCURVE\tTABLE\t1
\tPt\tT\tVf
\t#\ts\tV vs. Ref.
\t0\t0.25\t-3.46699E-001
"""
VERSASTUDIO = """<Application>
Name=VersaStudio
</Application>

<Action0>
Name=Common
</Action0>

<Instrument>
Type=VersaSTAT4
</Instrument>

<Experiment>
TimeAcquired=9:40:30 AM
DateAcquired=Thursday, July 19, 2018
</Experiment>

<Action1>
Amplitude (mV RMS)=10
End Frequency (Hz)=0.1
Start Frequency (Hz)=100000
Name=Potentiostatic EIS
</Action1>

<Segment1>
Type=2
Definition=Segment #, Point #, Elapsed Time(s), Status, Frequency(Hz), Z Real, Z Imag, 0
{rows}
</Segment1>

<Graph1>
Type=Unknown
</Graph1>
"""
ZPLOT2 = """ZPLOT2 ASCII
  Measured Data, ZPlot:       3.2c
  Experiment Type:            Sweep Frequency, Control Voltage
  Null Configuration:         0,3,0,1,100000,0.1
  Data Points:                37
  Freq(Hz)\tAmpl\tBias\tTime(Sec)\tZ'(a)\tZ''(b)\tGD\tErr\tRange
End Comments
"""
ZPLOTW = """"ZPlotW Data File: Version 3.2c"
"Raw Data"
"Sweep Frequency: Control Voltage"
Date: 12-17-2019    Time: 16:24:35
"Frequency"
0,3,0,1,100000,0.1
37
"  Freq(Hz)    Ampl     Bias   Time(Sec)   Z'(a)    Z''(b)    GD   Err   Range"
"""
SMART = "Solartron;SMaRT\npellet 3\n"
PALMSENS = "Date and time:,2024-01-02 10:00:00\nNotes:\n\npellet 3\n"
ZAHNER = "File Name: pellet\nDate: Jan,02.2024\n\nPotential: 0.0 V\nCurrent: 0.0 A, Ampl: 10 mV\n\n"
KEYSIGHT = "!CSV A.01.01\n!Keysight Technologies,E4990A,MY54100001,A.01.10\n!Date: Friday\n\nBEGIN CH1_DATA\n"


def rows(*columns: np.ndarray, separator: str, decimal: str = ".", first: str = "") -> list[str]:
    cells = ([f"{x:{FORM}}".replace(".", decimal) for x in row] for row in zip(*columns, strict=True))
    return [first + separator.join(row) for row in cells]


def joined(head: str, body: list[str], end: str = "\n") -> str:
    return head + "\n".join(body) + end


def gamry(decimal: str = ".", tag: str = "EISPOT", count: str = "", degree: str = "°", corrected: bool = False) -> str:
    names = ["Pt", "Time", "Freq", "Zreal", "Zimag", "Zsig", "Zmod", "Zphz"]
    units = ["#", "s", "Hz", "ohm", "ohm", "V", "ohm", degree]
    columns = [POINT, TIME, F, Z.real, Z.imag, ZERO + 1, MODULUS, PHASE]
    if corrected:
        names += ["ZrealDrCor", "ZimagDrCor", "ZmodDrCor", "ZphzDrCor"]
        units += ["ohm", "ohm", "ohm", degree]
        columns += [1.01 * Z.real, 1.01 * Z.imag, 1.01 * MODULUS, PHASE]
    head = GAMRY_HEADER.replace("EISPOT", tag).replace(".", decimal) + f"ZCURVE\tTABLE{count}\n"
    head += "\t" + "\t".join(names) + "\n\t" + "\t".join(units) + "\n"
    return joined(head, rows(*columns, separator="\t", decimal=decimal, first="\t"))


def nova(separator: str = ";", decimal: str = ".", ohm: str = "Ω", degree: str = "°") -> str:
    names = ["Index", "Frequency (Hz)", f"Z' ({ohm})", f"-Z'' ({ohm})", f"Z ({ohm})", f"-Phase ({degree})", "Time (s)"]
    columns = POINT + 1, F, Z.real, -Z.imag, MODULUS, -PHASE, TIME
    return joined(separator.join(names) + "\n", rows(*columns, separator=separator, decimal=decimal))


def zplot(head: str = ZPLOT2, separator: str = "\t") -> str:
    return joined(head, rows(F, ZERO, ZERO, TIME, Z.real, Z.imag, ZERO, ZERO, ZERO + 4, separator=separator))


def versastudio(name: str = "Potentiostatic EIS") -> str:
    body = rows(ZERO, POINT, TIME, ZERO + 53, F, Z.real, Z.imag, separator=",")
    return VERSASTUDIO.replace("Potentiostatic EIS", name).format(rows="\n".join(body))


def powersuite() -> str:
    return joined("Frequency\t Zre\t Zimg\r\r\n", [row + "\r\r" for row in rows(F, Z.real, Z.imag, separator="\t ")])


def novocontrol(*, temperatures: tuple[float, ...] = (), names: str = "Freq.[Hz]\tZs'[ohm]\tZs''[ohm]") -> str:
    head = f"pellet 3 \nFixed value(s) :  AC Volt  [Vrms]=3.5000e-02  \n   {names}"
    if not temperatures:
        return joined(head + "\n", rows(F, Z.real, Z.imag, separator="\t", first=" "))
    at = [rows(F, ZERO + celsius, Z.real, Z.imag, separator="\t") for celsius in temperatures]
    return joined(head.replace("\tZs'", "\tTemp. [°C]\tZs'", 1) + "\n", [row for part in at for row in part])


def parstat() -> str:
    names = (
        "Potential (V)\tCurrent (A)\tElapsed Time (s)\tFrequency (Hz)\tZre (ohms)\tZim (ohms)\t|Vac| (V)\t|Iac| (A)\t"
    )
    dc = ["3.49\t-0.15\t0.5\t0\t0\t0\t0\t0\t"] * 3
    body = [row + "\t" for row in rows(ZERO, ZERO, TIME, F, Z.real, Z.imag, ZERO, ZERO, separator="\t")]
    return joined(names + "\n", dc + body)


def palmsens(separator: str = ",", decimal: str = ".") -> str:
    names = ["freq / Hz", "neg. Phase / Degrees", "Idc / uA", "Z / Ohm", "Z' / Ohm", "-Z'' / Ohm", "Cs / F"]
    columns = F, -PHASE, ZERO, MODULUS, Z.real, -Z.imag, ZERO
    return joined(PALMSENS + separator.join(names) + "\n", rows(*columns, separator=separator, decimal=decimal))


def zahner(separator: str = "   ", *, from_the_middle: int = 0) -> str:
    names = separator.join(["Number", "Frequency/Hz", "Impedance/Ohm", "Phase/deg", "Significance", "Time/s"])
    order = np.append(np.arange(from_the_middle, 0, -1), POINT)
    columns = np.arange(order.size), F[order], MODULUS[order], PHASE[order], order * 0 + 0.99, order * 1.0
    return joined(ZAHNER + names + "\n", rows(*columns, separator=separator))


def solartron(temperatures: tuple[float, ...] = (25.0,), separator: str = ";", decimal: str = ",") -> str:
    names = ["Sweep Number", "Time", "Frequency (Hz)", "Temperature ('C)", "Impedance Magnitude (Ohms)"]
    names += ["Impedance Phase Degrees (')", "Admittance Magnitude (S)"]
    body: list[str] = []
    for sweep, celsius in enumerate(temperatures, start=1):
        columns = ZERO + sweep, TIME, F, ZERO + celsius, MODULUS * sweep, PHASE, 1 / MODULUS
        body += [row + separator for row in rows(*columns, separator=separator, decimal=decimal)]
    return joined(SMART + separator.join(names) + separator + "\n", body)


def keysight(names: str = "Frequency(Hz),R(Ohm),X(Ohm)") -> str:
    return joined(KEYSIGHT + names + "\n", rows(F, Z.real, Z.imag, separator=","), "\nEND\n")


#: One file of each format, with the attr `format`.
EXPORTS = {
    "gamry-dta": gamry(),
    "autolab-nova": nova(),
    "zplot": zplot(),
    "versastudio-par": versastudio(),
    "powersuite": powersuite(),
    "novocontrol": novocontrol(),
    "parstat": parstat(),
    "palmsens-pstrace": palmsens(),
    "zahner-thales": zahner(),
    "solartron-smart": solartron(),
    "keysight-csv": keysight(),
}
#: The same spectra in the variants that programs and languages write.
VARIANTS = {
    "Gamry, decimal commas": gamry(","),
    "Gamry, galvanostatic": gamry(tag="GALVEIS"),
    "Gamry, hybrid": gamry(tag="HYBRIDEIS"),
    "Gamry, number of rows": gamry(count="\t37"),
    "Gamry, drift correction": gamry(corrected=True),
    "Gamry, latin-1": gamry().encode("latin-1"),
    "Gamry, aborted": gamry() + "EXPERIMENTABORTED\tTOGGLE\tT\tExperiment Aborted\nFRACURVE\tTABLE\t0\n\tPt\n",
    "NOVA, tabs": nova("\t"),
    "NOVA, commas": nova(","),
    "NOVA, decimal commas": nova(decimal=","),
    "NOVA, no Unicode": nova(ohm="?", degree="?"),
    "NOVA, utf-16": nova().encode("utf-16"),
    "NOVA, ohm sign": nova(ohm="\u2126"),
    "ZPlot without comments": zplot(ZPLOTW, ", "),
    "Z60W of Autolab": zplot(ZPLOTW.replace("ZPlotW", "Z60W").replace("Freq(Hz)", "Freq (Hz)"), ","),
    "ZPlot, blanks": zplot(ZPLOTW, "  "),
    "VersaStudio, galvanostatic": versastudio("Galvanostatic EIS"),
    "PalmSens, utf-16": palmsens().encode("utf-16"),
    "PalmSens, decimal commas": palmsens(";", ","),
    "Zahner, commas": zahner(","),
    "Zahner, from the middle": zahner(from_the_middle=9),
    "Solartron, commas": solartron(separator=",", decimal="."),
    "Keysight, modulus": keysight().replace("R(Ohm),X(Ohm)", "R(Ohm),X(Ohm)"),
}
