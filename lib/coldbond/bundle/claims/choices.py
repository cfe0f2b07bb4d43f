"""How many runs of `make multiverse` support each row of the claims table."""

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path

import pandas as pd

from coldbond.bundle import paths
from coldbond.bundle.claims.report import KEY


def holds_in(table: pd.DataFrame, found: Mapping[str, dict], folder: str | PathLike[str] | None = None) -> pd.Series:
    """Return, for each row, the number of runs with other choices of the analysis in which the statement holds.

    Parameters
    ----------
    table : pandas.DataFrame
        From `verdicts.table`.
    found : mapping of str to dict
        The figures, from `verdicts.built`.
    folder : path, optional
        Folder of the figures; by default the one that make builds into.

    Returns
    -------
    pandas.Series of str
        Such as "12 of 15"; "" where there are no runs, or where they belong to another version of the figure.
    """
    try:
        path = Path(folder or paths.BUILT) / "multiverse" / "multiverse.json"
        multiverse = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return pd.Series("", index=table.index)
    current = {
        name for name, one in multiverse["figures"].items() if one["sha256"] == found.get(name, {}).get("sha256")
    }
    counted = {
        tuple(row[key] for key in KEY): f"{row['n']} of {row['N']}"
        for one in multiverse["claims"].values()
        for row in one["rows"]
        if row["figure"] in current
    }
    keys = table[list(KEY)].itertuples(index=False, name=None)
    return pd.Series([counted.get(key, "") for key in keys], index=table.index)
