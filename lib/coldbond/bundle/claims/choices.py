"""Does a verdict hang on a choice? What `make multiverse` counted, beside the claims table."""

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path

import pandas as pd

from coldbond.bundle import paths
from coldbond.bundle.claims.report import KEY


def holds_in(table: pd.DataFrame, found: Mapping[str, dict], folder: str | PathLike[str] | None = None) -> pd.Series:
    """Return for each row of the claims table in how many runs under other choices its statement holds: "12 of 15".

    Parameters
    ----------
    table : pandas.DataFrame
        From `verdicts.table`.
    found : mapping of str to dict
        The figures, from `verdicts.built`.
    folder : path, optional
        Where the figures lie; without it, where make builds them.

    Returns
    -------
    pandas.Series of str
        "" where there are no such runs, or where they were made of another state of the figure.
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
