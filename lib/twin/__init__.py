"""Forward models that wrote the synthetic recordings in raw/; they import nothing of coldbond.

For each technique there is a module with the true values (`cells`, `pellets`, `crystals`, `surfaces`, `vibrations`),
one or two with the physics and the instrument (`symmetric`, `full_cell` and `tester`; `impedance`; `diffraction` and
`diffractometer`; `photoemission`; `microscope`), one that writes the instrument's format (`land`, `chi`, `rigaku`,
`vamas` and `avantage`, `jcamp`), and one that lists the recordings (`cycling`, `eis`, `xrd`, `xps`, `raman`). The
analysis never reads them. It is independent of them: a mistake that both shared would cancel in every closure test.
"""
