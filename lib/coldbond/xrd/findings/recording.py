"""Sample and state of an analysed recording, as every finding names them."""

from typing import TypedDict

from coldbond.xrd.analysis import Analysis


class Recording(TypedDict):
    """Whose value a finding is, as in the manifest."""

    sample: str
    state: str


def recording(found: Analysis) -> Recording:
    """Return sample and state of an analysed pattern."""
    attrs = found.pattern.attrs
    return Recording(sample=attrs["sample"], state=attrs["state"])


def in_a_name(label: str) -> str:
    """Return a label of a recording as a part of a quantity's name."""
    return label.replace(", ", "_").replace(" ", "_")
