"""Comparison of the analyses with recordings of others, whose right answers are known from elsewhere.

`make validation` runs what validation.toml lists and writes docs/validation.json, docs/validation.md and
docs/validation.png. Recordings come from a folder of local copies, or from their pinned addresses.
"""
