"""Summary of all cells of a folder in one table, computed on a dask cluster: `python -m coldbond.survey --help`."""
