"""True values of the cycling recordings; those of the paper (doi 10.1002/adma.202212096) are marked P.

The analysis must recover them and never reads this file.
"""

from dataclasses import replace
from typing import TypedDict

from twin.full_cell import FullCell
from twin.symmetric import SymmetricCell


class CcdTest(TypedDict, total=False):
    """Arguments of `symmetric.ccd_run`: the last step held, and when the shorts begin, in steps after it."""

    ccd: float
    cell: SymmetricCell
    soft_at: float
    hard_at: float
    rest: float


class CyclingTest(TypedDict, total=False):
    """Arguments of `symmetric.long_cycling`."""

    density: float
    hours: float
    cell: SymmetricCell
    half_cycle: float
    soft_from: float
    hard_from: float


# With these interface resistances [ohm cm2] the RT-MCL cell reaches 50 mV at 0.7 mA/cm2 (P): 71.4, of which the bulk
# is 53.3.
LLZ = SymmetricCell(fresh=680, settled=520, void_current=0.3, voids=0.25, constriction=250)
IN_LLZ = SymmetricCell(fresh=210, settled=150, void_current=0.8, voids=0.25, constriction=110)
HT_MCL_LLZ = SymmetricCell(fresh=75, settled=45, void_current=1.3, voids=0.42, constriction=70)
RT_MCL_LLZ = SymmetricCell(fresh=52, settled=18.1, void_current=1.9, voids=0.20, constriction=45)

# The last step held is the paper's (P).
CCD: dict[str, CcdTest] = {
    "LLZ": {"ccd": 0.2, "cell": LLZ, "hard_at": 0.24, "rest": 60.0},
    "In-LLZ": {"ccd": 0.7, "cell": IN_LLZ, "soft_at": 0.22, "hard_at": 0.71},
    "HT-MCL-LLZ": {"ccd": 1.2, "cell": HT_MCL_LLZ, "soft_at": 0.16, "hard_at": 1.30, "rest": 60.0},
    "RT-MCL-LLZ": {"ccd": 1.8, "cell": RT_MCL_LLZ, "soft_at": 0.30, "hard_at": 0.62},
}

# The two RT cells outlive their tests (P); the HT cell fails within 30 h (P).
LONG_CYCLING: dict[tuple[str, str], CyclingTest] = {
    ("RT-MCL-LLZ", "0.5"): {"density": 0.5, "hours": 2000, "cell": replace(RT_MCL_LLZ, drift=1.4)},
    ("RT-MCL-LLZ", "0.7"): {"density": 0.7, "hours": 800, "cell": replace(RT_MCL_LLZ, drift=1.0)},
    ("HT-MCL-LLZ", "0.1"): {
        "density": 0.1,
        "hours": 34,
        "cell": HT_MCL_LLZ,
        "half_cycle": 1800.0,
        "soft_from": 26.3,
        "hard_from": 28.6,
    },
}

# 165.5 mAh/g (P) and 92.4 % of it in cycle 110 (P). The paper's "> 160 mAh/g" in that cycle contradicts these.
FULL_CELL = FullCell(capacity=165.5, retention=0.924, retention_cycle=110)

# Diffusion time and limiting rate are such that 165.5 mAh/g at 0.2C become 153.9 at 0.5C and 130.5 at 1C (all P).
RATE_CELL = FullCell(capacity=165.5, retention=0.999, retention_cycle=20, diffusion_time=1.444, limiting_rate=4.8)
RATES = [0.2] * 5 + [0.5] * 5 + [1.0] * 5 + [0.2] * 5
