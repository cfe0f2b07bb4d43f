"""The list of recordings on the explore page. It needs the standard library only, so the page has it at once."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from coldbond.bundle import manifest

#: What the recordings of a role show.
ROLES = {
    "ccd": "Critical current density",
    "long-cycling": "Long cycling, symmetric cells",
    "full-cell": "Full cells",
    "rate": "Rate capability",
    "interface": "Impedance of interfaces",
    "full-cell-interface": "Impedance of full cells",
    "conductivity": "Ionic conductivity",
    "arrhenius": "Conductivity against temperature",
    "electronic": "Electronic conductivity",
    "phase": "Diffraction, pristine",
    "cycled-phase": "Diffraction after cycling",
    "lithium": "Diffraction of lithium",
    "instrument": "Diffraction standard",
    "surface": "Photoelectrons, pristine",
    "cycled-surface": "Photoelectrons after cycling",
    "raman": "Raman",
    "energies": "Computed energies",
}


def key(row: Mapping[str, str]) -> str:
    """Return what names a row of the manifest on the page; another one after any change of the row."""
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()[:12]


def listed(folder: Path) -> dict:
    """Return the recordings of a folder by role, and a note on what its manifest lacks."""
    try:
        found = manifest.load(folder)
    except (ValueError, OSError) as error:
        return {"groups": [], "note": f"{error} Files of your own can be shown without a manifest."}
    groups: dict[str, list[dict[str, str]]] = {}
    for row in found.rows:
        about = {"key": key(row), "label": manifest.label(row), "technique": row["technique"]}
        groups.setdefault(row["role"], []).append(about)
    order = sorted(groups, key=lambda role: list(ROLES).index(role) if role in ROLES else len(ROLES))
    note = "; ".join(found.problems[:3]) if found.unusable else ""
    return {"groups": [{"name": ROLES.get(role, role), "recordings": groups[role]} for role in order], "note": note}
