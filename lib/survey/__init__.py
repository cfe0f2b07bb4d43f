"""Every cell of a folder of recordings in one table, by the workers of a dask cluster: `python -m survey --help`."""
