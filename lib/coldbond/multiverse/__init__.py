"""Multiverse analysis: the numbers of every figure under all combinations of defensible choices of the analysis.

The method is that of Steegen et al. (2016, doi 10.1177/1745691616658637). choices.yml lists the alternatives of each
parameter of a notebook. `grid` combines them into runs, `gather` has a dask cluster execute them, `summary` counts in
how many runs each statement of the paper holds, and `plots` draws specification curves.
"""
