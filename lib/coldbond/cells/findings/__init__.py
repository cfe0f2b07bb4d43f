"""Findings and display tables of galvanostatic cells: a module a subject, named as its analysis."""
