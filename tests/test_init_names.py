"""`coldbond init`: what names alone say. No two samples may become replicates of one condition."""

from dataclasses import replace
from pathlib import Path

import pytest

from coldbond.cli import init, look
from coldbond.cli.look import Look
from coldbond.cli.proposed import Proposed

#: What was seen of a recording of each kind.
KINDS = {
    "ccd": Look("", "cycling", possible=("ccd",), current=1e-4),
    "long": Look("", "cycling", possible=("long-cycling",), current=1e-4),
    "full": Look("", "cycling", possible=("full-cell",), current=1e-4),
    "eis": Look("", "eis", possible=("interface", "full-cell-interface")),
    "pellet": Look("", "eis", possible=("conductivity", "arrhenius"), blocks=True),
    "xrd": Look("", "xrd", possible=("phase", "cycled-phase")),
    "xps": Look("", "xps", possible=("surface", "cycled-surface")),
    "raman": Look("", "raman", possible=("raman",)),
}


@pytest.fixture
def propose(monkeypatch, tmp_path: Path):
    """Return what is proposed for files of which only the names, and what the headers call the sample, are given."""

    def proposal(kinds: dict[str, str], headers: dict[str, str] | None = None) -> dict[str, Proposed]:
        def seen(folder: Path, file: str) -> list[Look]:
            names = [headers[file]] if headers else []
            return [replace(KINDS[kinds[file]], file=file, sha256=file, constants={}, names=names)]

        monkeypatch.setattr(look, "files", lambda folder: iter([(file, "") for file in sorted(kinds)]))
        monkeypatch.setattr(look, "look", seen)
        return {one.file: one for one in init.proposal(tmp_path)}

    return proposal


#: Kind of the recordings; their path, with {} for what differs and then for the number; what differs and, of each,
#: sample, state and replicate, with {} for the number; the numbers.
CASES: list[tuple[str, str, dict[str, tuple[str, str, str]], tuple[int, ...]]] = [
    (
        "full",
        "LFP full cells/2025-10-21_{}_LFP_0.2C_#{}.xlsx",
        {"bare": ("bare", "0.2C", "{}"), "coated": ("coated", "0.2C", "{}")},
        (1, 2, 3),
    ),
    (
        "eis",
        "EIS symmetric cells/{} after {} cycles.txt",
        {"bare": ("bare", "cycle {}", ""), "coated": ("coated", "cycle {}", "")},
        (1, 10, 50),
    ),
    (
        "eis",
        "EIS SYMMETRIC CELLS/{} AFTER {} CYCLES.TXT",
        {"BARE": ("BARE", "cycle {}", ""), "COATED": ("COATED", "cycle {}", "")},
        (1, 10),
    ),
    (
        "eis",
        "EIS full cells/LFP {} cycle {}.txt",
        {"charged": ("LFP-charged", "cycle {}", ""), "discharged": ("LFP-discharged", "cycle {}", "")},
        (1, 10),
    ),
    (
        "full",
        "NCM811 cells/{}_{}.csv",
        {"uncoated": ("uncoated", "", "{}"), "LNO-coated": ("LNO-coated", "", "{}")},
        (1, 2),
    ),
    (
        "ccd",
        "LLZTO CCD tests/{} cell{}.csv",
        {"polished": ("polished", "", "{}"), "acid etched": ("acid-etched", "", "{}")},
        (1, 2),
    ),
    ("ccd", "LLZTO/LLZTO_{}_CCD_{}.csv", {"ref": ("LLZTO-ref", "", "{}"), "ALD": ("LLZTO-ALD", "", "{}")}, (1, 2)),
    ("ccd", "{}/CCD/{}.csv", {"bare": ("bare", "", "{}"), "coated": ("coated", "", "{}")}, (1, 2)),
    ("ccd", "LLZO project/{}/CCD/cell{}.csv", {"bare": ("bare", "", "{}"), "coated": ("coated", "", "{}")}, (1, 2)),
    ("ccd", "MK/2025-03-04_{}_{}.csv", {"bare": ("bare", "", "{}"), "coated": ("coated", "", "{}")}, (1, 2)),
    (
        "full",
        "磷酸铁锂全电池/{}_0.2C_{}号电池.xlsx",
        {"未包覆": ("未包覆", "0.2C", "{}"), "包覆": ("包覆", "0.2C", "{}")},
        (1, 2),
    ),
    ("full", "LFP全电池/{}LFP_0.2C_{}#.xlsx", {"裸": ("裸", "0.2C", "{}"), "包覆": ("包覆", "0.2C", "{}")}, (1, 2)),
    ("eis", "对称电池阻抗/{}循环{}圈后.txt", {"裸": ("裸", "cycle {}", ""), "涂层": ("涂层", "cycle {}", "")}, (1, 10)),
    ("ccd", "张三/LLZTO临界电流/{}_{}号电池.csv", {"酸洗": ("酸洗", "", "{}"), "加热": ("加热", "", "{}")}, (1, 2)),
    ("ccd", "Symmetric cells CCDs/{}_cell{}.csv", {"LLZ": ("LLZ", "", "{}"), "Ta-LLZ": ("Ta-LLZ", "", "{}")}, (1, 2)),
    (
        "pellet",
        "Li6PS5Cl pellets/{}_{}C.txt",
        {"as milled": ("as-milled", "{} °C", ""), "annealed": ("annealed", "{} °C", "")},
        (25, 40, 60),
    ),
    ("ccd", "LLZTO symmetric/{} #{}.csv", {"x=0.2": ("x=0.2", "", "{}"), "x=0.4": ("x=0.4", "", "{}")}, (1, 2)),
    ("full", "full cells/{}_cell{}.csv", {"NCM811": ("NCM811", "", "{}"), "NCM622": ("NCM622", "", "{}")}, (1, 2)),
    ("ccd", "LPSCl CCD/{} MPa cell {}.csv", {"5": ("LPSCl", "5 MPa", "{}"), "50": ("LPSCl", "50 MPa", "{}")}, (1, 2)),
    ("pellet", "LPSCl EIS/{} pellet {}.txt", {"5h": ("LPSCl", "5h", "{}"), "10h": ("LPSCl", "10h", "{}")}, (1, 2)),
    ("ccd", "CCD/LLZO {} Li {}.csv", {"20um": ("LLZO", "20um", "{}"), "50um": ("LLZO", "50um", "{}")}, (1, 2)),
    ("full", "LFP full cells/{}V #{}.csv", {"3.8": ("LFP", "3.8V", "{}"), "4.2": ("LFP", "4.2V", "{}")}, (1, 2)),
    (
        "full",
        "full cells/{}-LPSCl-Li {}.csv",
        {"NCM811": ("LPSCl", "NCM811/Li", "{}"), "LFP": ("LPSCl", "LFP/Li", "{}")},
        (1, 2),
    ),
    (
        "pellet",
        "LPSCl-LLZO composites/{} pellet {}.txt",
        {"90-10": ("LPSCl-LLZO-90-10", "", "{}"), "70-30": ("LPSCl-LLZO-70-30", "", "{}")},
        (1, 2),
    ),
    ("ccd", "LLZO CCD/{}_{}.csv", {"300": ("LLZO-300", "", "{}"), "700": ("LLZO-700", "", "{}")}, (1, 2)),
    (
        "ccd",
        "LLZO CCD/{}/cell {}.csv",
        {"batch 1": ("batch1-LLZO", "", "{}"), "batch 2": ("batch2-LLZO", "", "{}")},
        (1, 2),
    ),
    ("ccd", "{}/LLZO #{}.csv", {"cell A": ("cellA-LLZO", "", "{}"), "cell B": ("cellB-LLZO", "", "{}")}, (1, 2)),
    ("ccd", "LLZTO CCD/{}-{}.csv", {"A": ("A", "", "{}"), "B": ("B", "", "{}")}, (1, 2)),
    (
        "ccd",
        "LLZO Symmetriezellen/{} Zelle {}.csv",
        {"unbeschichtet": ("unbeschichtet", "", "{}"), "beschichtet": ("beschichtet", "", "{}")},
        (1, 2),
    ),
    (
        "raman",
        "Raman/LLZO {} spot{}.txt",
        {"grain": ("LLZO-grain", "", "{}"), "boundary": ("LLZO-boundary", "", "{}")},
        (1, 2),
    ),
    (
        "xps",
        "XPS spectra/LLZO {} after {} cycles.vms",
        {"bare": ("LLZO-bare", "after {} cycles", ""), "coated": ("LLZO-coated", "after {} cycles", "")},
        (10, 50),
    ),
    (
        "xrd",
        "XRD/LLZO {} sample {}.xy",
        {"new": ("new-LLZO sample {}", "", ""), "old": ("old-LLZO sample {}", "", "")},
        (1,),
    ),
    (
        "eis",
        "ssb-eis/Sample{1}_PEIS_{0}.mpr",
        {"EndOfDischarge": ("sample {}", "end of discharge", ""), "AtRest": ("sample {}", "at rest", "")},
        (1, 2),
    ),
    (
        "long",
        "LLZO long cycling/0.1mA/{} #{}.csv",
        {"bare": ("bare", "0.1 mA", "{}"), "coated": ("coated", "0.1 mA", "{}")},
        (1, 2),
    ),
]


@pytest.mark.parametrize(("kind", "path", "expected", "numbers"), CASES, ids=[path for _, path, *_ in CASES])
def test_samples_states_and_replicates(propose, kind, path, expected, numbers):
    rows = {path.format(value, n): [one.format(n) for one in row] for value, row in expected.items() for n in numbers}
    found = propose(dict.fromkeys(rows, kind))
    got = {file: [found[file].row[name] for name in ("sample", "state", "replicate")] for file in rows}
    assert got == rows


@pytest.mark.parametrize("folder", ["", "LFP full cells/", "LLZTO CCD tests/", "Anna/CCDs/", "石榴石LLZO/"])
@pytest.mark.parametrize(
    "name",
    ["{}_{}", "{} LLZO #{}", "LLZO_{}_{}", "LLZO-{}-{}", "LLZO {} cell A{}", "{}/cell{}", "cell{1}/{0}", "LLZO({},{})"],
)
def test_two_samples_never_share_a_condition(propose, folder, name):
    pairs = [
        ("bare", "coated"),
        ("NCM811", "NCM622"),
        ("as received", "annealed"),
        ("1100C", "1200C"),
        ("未包覆", "包覆"),
        ("Au", "Sn"),
        ("Al2O3 ALD", "no ALD"),
        ("Ta0.4", "Ta0.6"),
        ("1wt%", "2wt%"),
        ("pristine", "aged"),
        ("S1", "S2"),
        ("sample 1", "sample 2"),
        ("day1", "day5"),
    ]
    for pair in pairs:
        files = {f"{folder}{name.format(value, n)}.csv": value for value in pair for n in (1, 2)}
        conditions: dict[tuple[str, ...], set[str]] = {}
        for file, one in propose(dict.fromkeys(files, "ccd")).items():
            condition = tuple(one.row[name] for name in ("role", "sample", "state"))
            conditions.setdefault(condition, set()).add(files[file])
        assert max(map(len, conditions.values())) == 1, pair


def test_what_the_headers_say_tells_cells_apart(propose):
    headers = {"LLZO/cell1.csv": "bare", "LLZO/cell2.csv": "coated"}
    found = propose(dict.fromkeys(headers, "ccd"), headers)
    assert len({one.row["sample"] for one in found.values()}) == 2


def test_the_sample_of_other_techniques_is_found_again(propose):
    kinds = {f"LFP full cells/{value}_LFP_#{n}.csv": "full" for value in ("bare", "coated") for n in (1, 2)}
    kinds |= {f"XRD/{value}.xy": "xrd" for value in ("bare", "coated")}
    found = propose(kinds)
    assert {one.row["sample"] for one in found.values()} == {"bare", "coated"}
    assert all("sample from its name, check it" in one.remarks for one in found.values())


def test_names_of_mixtures_and_of_folders_are_no_samples(propose):
    stems = ("In2O3_0p3022-La(OH)3_0p5014-TiO2_0p2004--8min", "Li2CO3_0p9001-ZrO2_0p1000--8min", "zincite")
    found = propose({**{f"cpd-roundrobin/{stem}.xy": "xrd" for stem in stems}, "cpd-roundrobin/LLZ 1.xy": "xrd"})
    for stem in stems:
        one = found[f"cpd-roundrobin/{stem}.xy"]
        assert one.row["sample"] == stem
        assert "sample from its name, check it" in one.remarks
