"""Findings and display tables of diffraction: what a figure's JSON holds and what a notebook shows."""

from coldbond.xrd.findings.broadening import broadening_findings
from coldbond.xrd.findings.garnets import garnet_findings, garnet_table
from coldbond.xrd.findings.mixtures import mixture_findings, mixture_table
from coldbond.xrd.findings.pattern import pattern_findings, peak_table, phase_table
from coldbond.xrd.findings.shifts import shift_findings, shift_table
from coldbond.xrd.findings.strays import stray_comparison
from coldbond.xrd.findings.tables import journal_tables

__all__ = [
    "broadening_findings",
    "garnet_findings",
    "garnet_table",
    "journal_tables",
    "mixture_findings",
    "mixture_table",
    "pattern_findings",
    "peak_table",
    "phase_table",
    "shift_findings",
    "shift_table",
    "stray_comparison",
]
