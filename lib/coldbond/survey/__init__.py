"""Every cell of a folder in one table, by a dask cluster: `python -m coldbond.survey --help`."""
