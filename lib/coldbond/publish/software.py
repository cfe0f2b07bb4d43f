"""The versions of the software that built the figures."""

import json
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

import coldbond
from coldbond.bundle import paths
from coldbond.publish.contents import Contents


def versions(contents: Contents) -> list[tuple[str, str]]:
    """Return name and version of coldbond, Python and the packages that the notebooks import.

    Parameters
    ----------
    contents : Contents
        The figures. Their executed notebooks state the Python that ran them.

    Returns
    -------
    list of tuple of str, str
        The packages are those that pyproject.toml names, with their versions in lock/run.txt, from which make sets up
        the environment of the figures.

    Raises
    ------
    ValueError
        No notebook has been executed.
    """
    pythons = sorted({_python(figure.executed) for figure in contents.figures if figure.executed})
    if not pythons:
        raise ValueError(f"{contents.out / 'executed'} holds no executed notebook: run make figures again")
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {Requirement(one).name for one in project["dependencies"]}
    place = {"python_full_version": pythons[-1], "python_version": ".".join(pythons[-1].split(".")[:2])}
    pins = [
        Requirement(line.removesuffix("\\").strip())
        for line in (paths.ROOT / "lock" / "run.txt").read_text(encoding="utf-8").splitlines()
        if line[:1].isalnum()
    ]
    held = {
        pin.name: str(pin.specifier).removeprefix("==")
        for pin in pins
        if pin.name in named and (pin.marker is None or pin.marker.evaluate(place))
    }
    return [
        ("coldbond", coldbond.__version__),
        *(("Python", python) for python in pythons),
        *sorted(held.items()),
    ]


def _python(notebook: Path) -> str:
    """Return the version of the Python that ran a notebook."""
    return json.loads(notebook.read_text(encoding="utf-8"))["metadata"]["language_info"]["version"]
