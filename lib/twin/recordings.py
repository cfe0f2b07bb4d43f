"""All recordings of raw/, in the order of the manifest."""

from twin import cycling, xps

RECORDINGS = [*cycling.RECORDINGS, *xps.RECORDINGS]
