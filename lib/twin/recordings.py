"""All recordings of raw/, in the order of the manifest."""

from twin import cycling, eis, raman, xps, xrd

RECORDINGS = [*cycling.RECORDINGS, *xrd.RECORDINGS, *xps.RECORDINGS, *raman.RECORDINGS, *eis.RECORDINGS]
